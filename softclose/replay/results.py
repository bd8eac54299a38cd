"""The results of a replay as CSV, one row a lot, and as the line that sums them up."""

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from auction.ids import BidderId
from auction.money import format_minor
from softclose.replay.ebay import LOT, Auction
from softclose.replay.input_csv import CURRENCY, MICROSECOND
from softclose.replay.maxsold import SALE, Item
from softclose.replay.outcomes import Outcome, Outcomes
from softclose.whole_file import whole_file

EBAY_COLUMNS = ("auctionid", "outcome", "hammer_price", "winner", "bids")
MAXSOLD_COLUMNS = ("item_id", "outcome", "hammer_price", "end_in_force", "extensions")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_ebay(file: Path, auctions: Iterable[Auction], outcomes: Outcomes) -> None:
    """A row an auction. A lot that passed shows the highest price reached and no winner."""
    rows = ((auction, outcomes[auction.sale_id, LOT]) for auction in auctions)
    _write(
        file,
        EBAY_COLUMNS,
        (
            (a.auction_id, _word(o), _price(o), _winner(a.bidders, o.winner), str(o.bids))
            for a, o in rows
        ),
    )


def write_maxsold(file: Path, items: Iterable[Item], outcomes: Outcomes) -> None:
    """A row a lot. Ends stand in the offset of the lot's scheduled end."""
    rows = ((item, outcomes[SALE, item.lot_id]) for item in items)
    _write(
        file,
        MAXSOLD_COLUMNS,
        ((i.item_id, _word(o), _price(o), _end(i, o), str(o.extensions)) for i, o in rows),
    )


def summary(outcomes: Outcomes, bids: int, seconds: float, file: Path) -> str:
    """What happened, in one line."""
    lots = outcomes.lots()
    sold = sum(lot.sold is True for lot in lots)
    accepted = sum(lot.bids for lot in lots)
    extensions = sum(lot.extensions for lot in lots)
    return (
        f"{len(lots):,} lots: {sold:,} sold, {len(lots) - sold:,} passed; "
        f"{bids:,} bids, {accepted:,} accepted; {extensions:,} extensions; "
        f"{seconds:.1f} s; wrote {file}"
    )


def _write(file: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with whole_file(file) as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _word(outcome: Outcome) -> str:
    assert outcome.sold is not None, "the recording was played to its end"
    return "sold" if outcome.sold else "passed"


def _price(outcome: Outcome) -> str:
    return "" if outcome.price_minor is None else format_minor(outcome.price_minor, CURRENCY)


def _winner(bidders: dict[BidderId, str], winner: BidderId | None) -> str:
    return "" if winner is None else bidders[winner]


def _end(item: Item, outcome: Outcome) -> str:
    end = _EPOCH + outcome.closes_at_us * MICROSECOND
    return end.astimezone(item.scheduled_end.tzinfo).isoformat()
