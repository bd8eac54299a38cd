"""``softclose replay``: recorded auctions through the real writer, on virtual time."""

import time
from pathlib import Path

import click

from auction.log_postgres import PostgresLog
from foundation.logs import LogLevel, configure_logs
from softclose.command_line import run_async, with_settings
from softclose.progress import progress
from softclose.replay import ebay as ebay_bids
from softclose.replay import maxsold as maxsold_sale
from softclose.replay.driver import Driver
from softclose.replay.outcomes import Outcomes
from softclose.replay.recording import Recording
from softclose.replay.results import summary, write_ebay, write_maxsold
from softclose.scratch_database import scratch_database
from softclose.settings import Settings
from softclose.whole_file import writable_target

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_OUT = click.Path(path_type=Path, dir_okay=False)


def _set_database_url(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(dict)["database_url"] = value


_out = click.option("--out", type=_OUT, required=True, metavar="RESULTS.csv", help="The results.")
_database_url = click.option(
    "--database-url",
    metavar="URL",
    expose_value=False,
    callback=_set_database_url,
    help="A PostgreSQL on which a scratch database is made and dropped; without it Softclose "
    "starts one of its own in a temporary folder.",
)


@click.group()
def replay() -> None:
    """Play recorded auctions through the real engine, on virtual time.

    The results are written whole or not at all: a fault in a file is named by its line and
    column, and a file of results that is there stays as it is.
    """


@replay.command("ebay")
@click.argument("bids", metavar="BIDS.csv", type=_FILE)
@click.option(
    "--reserves",
    type=_FILE,
    metavar="CSV",
    help="auctionid,reserve: the reserves of some auctions; a blank one is none.",
)
@click.option("--enforce-minimum", is_flag=True, help="Refuse bids below the minimum.")
@_out
@_database_url
@with_settings
def ebay(
    settings: Settings, bids: Path, reserves: Path | None, enforce_minimum: bool, out: Path
) -> None:
    """eBay auctions: auctionid,bid,bidtime,bidder,openbid, other columns ignored.

    bid is a maximum, bidtime in days from the auction's start. Bids below the minimum are
    taken as they were recorded. RESULTS.csv: auctionid,outcome,hammer_price,winner,bids
    (accepted ones); a lot that passed shows the highest price reached.
    """
    target = writable_target(out, bids, reserves)
    started_s = time.monotonic()
    auctions = ebay_bids.read_auctions(bids, reserves)
    recording = ebay_bids.recording_of(auctions, enforce_minimum=enforce_minimum)
    outcomes = _play(settings, recording)
    write_ebay(target, auctions.values(), outcomes)
    click.echo(summary(outcomes, len(recording.bids), time.monotonic() - started_s, out))


@replay.command("maxsold")
@click.argument("bids", metavar="BIDS.csv", type=_FILE)
@click.argument("lots", metavar="LOTS.csv", type=_FILE)
@_out
@_database_url
@with_settings
def maxsold(settings: Settings, bids: Path, lots: Path, out: Path) -> None:
    """A MaxSold sale: item_id,seq,time_of_bid,amount and item_id,starting_bid,scheduled_end.

    Each row is a new bidder's; a bid in the last two minutes sets the end to two minutes after
    it. RESULTS.csv: item_id,outcome,hammer_price,end_in_force,extensions.
    """
    target = writable_target(out, bids, lots)
    started_s = time.monotonic()
    items = maxsold_sale.read_items(lots)
    prices = maxsold_sale.read_prices(bids, lots, items)
    recording = maxsold_sale.recording_of(items, prices)
    outcomes = _play(settings, recording)
    write_maxsold(target, items.values(), outcomes)
    click.echo(summary(outcomes, len(recording.bids), time.monotonic() - started_s, out))


def _play(settings: Settings, recording: Recording) -> Outcomes:
    if "log_level" not in settings.model_fields_set:  # that a writer serves is no news here
        configure_logs(LogLevel.WARNING, settings.log_format)
    return run_async(_played(settings, recording))


async def _played(settings: Settings, recording: Recording) -> Outcomes:
    async with scratch_database(settings) as dsn:
        log = PostgresLog(dsn)
        try:
            with progress("replaying") as report:
                return await Driver(log, recording).play(report)
        finally:
            await log.close()
