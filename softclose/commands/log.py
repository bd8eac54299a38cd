"""``softclose log``: look into the log, check it, and take a sale's public chain out of it."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from auction.audit_export import Export, PublicSummary
from auction.codec import CorruptLog, Recorded, decode_body
from auction.events import lot_of
from auction.ids import SHARDS, BidderId, SaleId, Shard
from auction.log_postgres import PostgresLog
from auction.ports import LoggedEvent
from softclose.command_line import run_async, with_settings
from softclose.log_checks import Checked, check_all, check_file, check_sale
from softclose.log_lines import line_of
from softclose.open_log import NoLog, open_log, sale_events, shard_events
from softclose.progress import progress
from softclose.reveals import record_reveal
from softclose.settings import Settings
from softclose.whole_file import whole_file, writable_target

RECEIPT_BYTES = 32

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_OUT = click.Path(path_type=Path, dir_okay=False)


class Asked(Struct, frozen=True):
    """Which events to show."""

    sale: str | None
    lot: str | None
    shard: int | None
    after: int
    limit: int


_sale = click.option("--sale", metavar="ID", help="Only this sale.")
_json = click.option("--json", "as_json", is_flag=True, help="For programs.")
_reason = click.option("--reason", metavar="TEXT", help="Why; it is kept with your name.")


@click.group()
def log() -> None:
    """Look into the log, check it, export a sale's public chain."""


@log.command()
@_sale
@click.option("--lot", metavar="ID", help="Only this lot.")
@click.option("--shard", type=click.IntRange(0, SHARDS - 1), help="Only this shard.")
@click.option(
    "--after",
    type=click.IntRange(min=0),
    default=0,
    metavar="POS",
    help="From the position after this one; with --sale or --shard.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=1_000, show_default=True, help="At most so many."
)
@_json
@click.option(
    "--reveal", is_flag=True, help="Show maxima, reserves and secrets too; needs --reason."
)
@_reason
@with_settings
def show(
    settings: Settings,
    sale: str | None,
    lot: str | None,
    shard: int | None,
    after: int,
    limit: int,
    as_json: bool,
    reveal: bool,
    reason: str | None,
) -> None:
    """Show events, oldest first: place, time, sale, public number, what happened.

    Maxima, reserves and the sales' secrets are hidden. With --reveal they are shown, after
    your name, the reason and what you asked for were written into the database.
    """
    if after and sale is None and shard is None:
        raise click.UsageError("--after counts positions of one shard: name --sale or --shard")
    reason = _reason_of(reveal=reveal, reason=reason)
    run_async(_show(settings, Asked(sale, lot, shard, after, limit), as_json, reason))


def _reason_of(*, reveal: bool, reason: str | None) -> str | None:
    if reveal and not (reason and reason.strip()):
        raise click.UsageError("say why with --reason: it is kept with your name")
    if reason and not reveal:
        raise click.UsageError("--reason belongs to something that is revealed")
    return reason


async def _show(settings: Settings, asked: Asked, as_json: bool, reason: str | None) -> None:
    shown = 0
    async with open_log(settings) as opened:
        if reason is not None:
            await record_reveal(opened.dsn, reason, "log show", msgspec.structs.asdict(asked))
        async with aclosing(_asked_for(opened.log, asked)) as events:
            async for logged in events:
                if shown == asked.limit:
                    click.echo("there is more: give --after or a larger --limit", err=True)
                    break
                click.echo(line_of(logged, reveal=reason is not None, as_json=as_json))
                shown += 1


async def _asked_for(log: PostgresLog, asked: Asked) -> AsyncGenerator[LoggedEvent]:
    """The events that were asked for, shard by shard."""
    if asked.sale is not None:
        parts = [sale_events(log, SaleId(asked.sale), asked.after)]
    else:
        shards = range(SHARDS) if asked.shard is None else (asked.shard,)
        parts = [shard_events(log, Shard(number), asked.after) for number in shards]
    for part in parts:
        async for logged in part:
            if _is_of(logged, asked):
                yield logged


def _is_of(logged: LoggedEvent, asked: Asked) -> bool:
    if asked.shard is not None and logged.shard != asked.shard:
        return False
    if asked.lot is None:
        return True
    try:
        return lot_of(decode_body(logged.position, logged.body).event) == asked.lot
    except CorruptLog:
        return True  # perhaps; who looks for a lot should see it


@log.command()
@_sale
@click.option("--file", type=_FILE, help="Check an export instead; needs no database.")
@click.option(
    "--receipt",
    "receipts",
    metavar="HEX",
    multiple=True,
    help="A receipt that the export must hold; may be given again.",
)
@_json
@with_settings
def verify(
    settings: Settings,
    sale: str | None,
    file: Path | None,
    receipts: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check the log from end to end: numbers, commitments, hashes, rules, results.

    One line a finding; the exit code is 1 if there is any. It may run while softclose serves.
    With --file it checks what `log export` made, as an outsider would.
    """
    if file is not None:
        if sale is not None:
            raise click.UsageError("--file holds one sale; leave --sale away")
        found = _verify_file(file, [_receipt(text) for text in receipts], as_json=as_json)
    elif receipts:
        raise click.UsageError("--receipt is looked up in an export: name it with --file")
    else:
        found = _verify_log(settings, sale, as_json=as_json)
    if found:
        click.get_current_context().exit(1)


def _verify_log(settings: Settings, sale: str | None, *, as_json: bool) -> bool:
    """Whether anything was found."""
    checked = run_async(_check(settings, sale))
    if as_json:
        summary = msgspec.to_builtins(checked) | {"sound": checked.sound}
        click.echo(json.dumps(summary))
        return not checked.sound
    for finding in checked.findings:
        click.echo(str(finding))
    if checked.more_findings:
        click.echo(f"and {checked.more_findings:,} more")
    count = len(checked.findings) + checked.more_findings
    click.echo(
        f"{counted(checked.events, 'event')} of {counted(checked.sales, 'sale')} "
        f"({checked.closed_sales:,} closed), {counted(checked.bids, 'bid')}: {_found(count)}"
    )
    return not checked.sound


async def _check(settings: Settings, sale: str | None) -> Checked:
    async with open_log(settings) as opened:
        if sale is not None:
            return await check_sale(opened.log, SaleId(sale))
        with progress("checking") as report:
            return await check_all(opened.log, report)


def _receipt(text: str) -> bytes:
    try:
        receipt = bytes.fromhex(text)
    except ValueError:
        receipt = b""
    if len(receipt) != RECEIPT_BYTES:
        raise click.UsageError(f"--receipt: {text[:80]!r} is not {2 * RECEIPT_BYTES} hex digits")
    return receipt


def _verify_file(file: Path, receipts: list[bytes], *, as_json: bool) -> bool:
    """Whether anything was found."""
    with progress("checking") as report:
        summary = check_file(file, report)
    missing = [receipt.hex() for receipt in receipts if receipt not in summary.receipts]
    if as_json:
        click.echo(json.dumps(_file_json(summary, missing)))
    else:
        _say_file(summary, missing)
    return bool(summary.findings or missing)


def _file_json(summary: PublicSummary, missing: list[str]) -> dict[str, object]:
    return {
        "sale_id": summary.sale_id,
        "events": summary.events,
        "closed": summary.closed,
        "openings": summary.openings,
        "head": summary.head.hex(),
        "findings": msgspec.to_builtins(summary.findings),
        "missing_receipts": missing,
        "sound": not summary.findings and not missing,
    }


def _say_file(summary: PublicSummary, missing: list[str]) -> None:
    for finding in summary.findings:
        click.echo(str(finding))
    for receipt in missing:
        click.echo(f"the chain does not hold the receipt {receipt}")
    state = "closed" if summary.closed else "not closed yet"
    count = len(summary.findings) + len(missing)
    click.echo(
        f"sale {summary.sale_id} ({state}): {counted(summary.events, 'event')}, "
        f"{counted(summary.openings, 'opening')}, last hash {summary.head.hex()}: {_found(count)}"
    )


def counted(count: int, what: str) -> str:
    """``1 sale``, ``2,000 sales``."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _found(count: int) -> str:
    return counted(count, "finding") if count else "all is well"


@log.command()
@click.argument("sale")
@click.option("--out", type=_OUT, required=True, metavar="FILE", help="Where to.")
@click.option("--bidder", metavar="ID", help="Add what opens this bidder's own commitments.")
@_reason
@with_settings
def export(
    settings: Settings, sale: str, out: Path, bidder: str | None, reason: str | None
) -> None:
    """Write the public chain of SALE to FILE, one JSON object a line.

    Anybody can check it with `log verify --file`. With --bidder it holds that bidder's maxima
    as well, for that bidder alone; it needs --reason, which is kept with your name.
    """
    reason = _reason_of(reveal=bidder is not None, reason=reason)
    target = writable_target(out)
    events = run_async(_export(settings, sale, target, bidder, reason))
    click.echo(f"wrote {out}: {counted(events, 'public event')} of sale {sale}")


async def _export(
    settings: Settings, sale: str, target: Path, bidder: str | None, reason: str | None
) -> int:
    exported = Export(SaleId(sale), None if bidder is None else BidderId(bidder))
    async with open_log(settings) as opened:
        if reason is not None:
            narrowed_to = {"sale": sale, "bidder": bidder}
            await record_reveal(opened.dsn, reason, "log export", narrowed_to)
        with whole_file(target) as out:
            out.write(exported.start().decode())
            async for logged in sale_events(opened.log, SaleId(sale)):
                for line in exported.lines(_readable(logged)):
                    out.write(line.decode())
            out.write(exported.end().decode())
    return exported.events


def _readable(logged: LoggedEvent) -> Recorded:
    try:
        return decode_body(logged.position, logged.body)
    except CorruptLog as error:
        raise NoLog(f"{error}; softclose log verify says more") from error
