"""What each lot brought: one row a lot, kept by a follower of the log.

A row begins when its lot is scheduled and counts what happens to it; the event that ends the lot
gives it its outcome, and what the catalogue says of the goods, which is frozen by then. All of it
follows from log and catalogue alone, so the tables can be emptied and made again. They move in the
transaction of the follower's cursor: a step that did not commit is done again as if it were new.

Reserve and consignor are the liquidator's own; who reads them out is asked by ``results``.
"""

from collections.abc import Iterable, Sequence
from typing import Final, assert_never

import msgspec
from msgspec import Struct

from auction.codec import Recorded
from auction.desk.recovery_rates import recovery_bps
from auction.events import (
    LOT_ENDINGS,
    AnyEvent,
    AwardFunded,
    BidderRegistered,
    BiddersAdmitted,
    BiddersDismissed,
    BidPlaced,
    BidsVoided,
    BudgetsSet,
    CounterDeclined,
    EndExtended,
    EndsMoved,
    IfBidCountered,
    IfBidOpened,
    LimitChanged,
    LotPassed,
    LotScheduled,
    LotSold,
    LotsRescheduled,
    LotWithdrawn,
    MaximumRaised,
    ReserveChanged,
    ReserveStatusChanged,
    SaleCancelled,
    SaleClosed,
    SalePaused,
    SaleResumed,
    SaleScheduled,
    lot_of,
)
from auction.ids import LotId, SaleId
from auction.sale import LotStatus
from auction.terms import VoidRule
from foundation.database import AnyConnection

Key = tuple[SaleId, LotId]


class SaleRow(Struct):
    """A row of ``sale_result``, its fields in the order of the columns."""

    sale_id: SaleId
    liquidator_id: str
    currency: str
    void_rule: str
    cancelled_at_us: int | None = None
    closed_at_us: int | None = None


class LotRow(Struct):
    """A row of ``lot_result``, its fields in the order of the columns."""

    sale_id: SaleId
    lot_id: LotId
    liquidator_id: str
    consignor_id: str | None
    currency: str
    kind: str
    title: str
    scheduled_at_us: int
    opens_at_us: int
    opening_minor: int
    reserve_minor: int | None
    paddles: list[int]
    paddle_bids: list[int]
    extensions: int
    price_minor: int | None
    outcome: str | None
    reason: str | None
    hammer_minor: int | None
    winner_ids: list[str]
    winner_paddles: list[int]
    closed_at_us: int | None
    funded_at_us: int | None
    place: int | None
    category: str | None
    condition: str | None
    source: str | None
    units: int | None
    msrp_minor: int | None
    recovery_bps: int | None

    @property
    def bids(self) -> int:
        """The public bids that stand: none that were voided."""
        return sum(self.paddle_bids)

    @property
    def bidders(self) -> int:
        """Who made them."""
        return len(self.paddles)


def _statements(table: str, keys: int, row: type[Struct]) -> tuple[str, str]:
    """What names the columns of a row, and what writes one over the row of the same key."""
    fields = row.__struct_fields__
    columns = ", ".join(fields)
    places = ", ".join(f"${number + 1}" for number in range(len(fields)))
    changes = ", ".join(f"{name} = excluded.{name}" for name in fields[keys:])
    save = f"""
insert into {table} ({columns}) values ({places})
on conflict ({", ".join(fields[:keys])}) do update set {changes}
"""  # noqa: S608 - the names are those of the struct
    return columns, save


_SALE_COLUMNS, _SAVE_SALE = _statements("sale_result", 1, SaleRow)
LOT_COLUMNS, _SAVE_LOT = _statements("lot_result", 2, LotRow)

_LOAD_SALES: Final = f"select {_SALE_COLUMNS} from sale_result where sale_id = any($1)"  # noqa: S608

_LOAD_LOTS: Final = f"""
select {LOT_COLUMNS} from lot_result
join unnest($1::text[], $2::text[]) as wanted (sale_id, lot_id) using (sale_id, lot_id)
"""  # noqa: S608

_GOODS: Final = """
select sale_id, lot_id, place, category, condition, source, units, msrp_minor from lot_listing
join unnest($1::text[], $2::text[]) as wanted (sale_id, lot_id) using (sale_id, lot_id)
"""


async def keep_results(connection: AnyConnection, recorded: Sequence[Recorded]) -> None:
    """Bring the rows up to these events, in the follower's transaction."""
    book = await _load(connection, recorded)
    ended: set[Key] = set()
    for one in recorded:
        book.post(one)
        if isinstance(one.event, LOT_ENDINGS):
            ended.add((one.sale_id, one.event.lot_id))
    await _describe(connection, [book.lots[key] for key in sorted(ended)])
    await connection.executemany(_SAVE_SALE, map(msgspec.structs.astuple, book.sales.values()))
    await connection.executemany(_SAVE_LOT, map(msgspec.structs.astuple, book.lots.values()))


async def _load(connection: AnyConnection, recorded: Sequence[Recorded]) -> "Results":
    """The rows that these events concern, as far as there are any yet."""
    sales = sorted({one.sale_id for one in recorded if isinstance(one.event, _OF_SALES)})
    keys = sorted({key for one in recorded for key in _keys(one.sale_id, one.event)})
    book = Results()
    if sales:
        for row in await connection.fetch(_LOAD_SALES, sales):
            book.sales[row["sale_id"]] = SaleRow(*row)
    if keys:
        sale_ids, lot_ids = zip(*keys, strict=True)
        for row in await connection.fetch(_LOAD_LOTS, sale_ids, lot_ids):
            book.lots[row["sale_id"], row["lot_id"]] = LotRow(*row)
    return book


# What needs the row of the sale, for what it says or for what it becomes.
_OF_SALES: Final = (SaleScheduled, LotScheduled, BidsVoided, SaleCancelled, SaleClosed)
# What is about a lot, and changes nothing of its row.
_PASSED_OVER: Final = (MaximumRaised, IfBidOpened, IfBidCountered, CounterDeclined)


def _keys(sale_id: SaleId, event: AnyEvent) -> Iterable[Key]:
    if isinstance(event, LotsRescheduled):
        return [(sale_id, moved.lot_id) for moved in event.lots]
    lot_id = None if isinstance(event, _PASSED_OVER) else lot_of(event)
    return [] if lot_id is None else [(sale_id, lot_id)]


async def _describe(connection: AnyConnection, rows: Sequence[LotRow]) -> None:
    """Add what the catalogue says of lots that have ended."""
    sale_ids, lot_ids = [row.sale_id for row in rows], [row.lot_id for row in rows]
    found = await connection.fetch(_GOODS, sale_ids, lot_ids) if rows else []
    goods = {(row["sale_id"], row["lot_id"]): row for row in found}
    for row in rows:
        listed = goods.get((row.sale_id, row.lot_id))
        if listed is None:
            continue
        row.place, row.category, row.condition = listed["place"], listed["category"], listed[4]
        row.source, row.units, row.msrp_minor = listed["source"], listed["units"], listed[7]
        if row.hammer_minor is not None:
            row.recovery_bps = recovery_bps(row.hammer_minor, row.msrp_minor)


class Results:
    """Rows in hand."""

    def __init__(self) -> None:
        self.sales: dict[SaleId, SaleRow] = {}
        self.lots: dict[Key, LotRow] = {}

    def post(self, one: Recorded) -> None:  # noqa: C901 - dispatch
        """Apply an event to the rows that it concerns."""
        sale_id, event = one.sale_id, one.event
        match event:
            case SaleScheduled():
                terms = event.terms
                row = SaleRow(sale_id, event.liquidator_id, terms.currency, terms.void_rule)
                self.sales[sale_id] = row
            case LotScheduled():
                self.lots[sale_id, event.lot_id] = _new_row(self.sales[sale_id], event, one.at_us)
            case LotsRescheduled():
                for moved in event.lots:
                    self.lots[sale_id, moved.lot_id].opens_at_us = moved.opens_at_us
            case BidPlaced():
                lot = self.lots[sale_id, event.lot_id]
                lot.price_minor = event.price_minor
                _count(lot, event.paddle)
            case BidsVoided():
                lot = self.lots[sale_id, event.lot_id]
                lot.price_minor = event.price_minor
                all_go = self.sales[sale_id].void_rule == VoidRule.NO_REVIVE
                _discount(lot, None if all_go else event.paddle)
            case EndExtended():
                self.lots[sale_id, event.lot_id].extensions = event.extensions
            case ReserveChanged():
                self.lots[sale_id, event.lot_id].reserve_minor = event.reserve_minor
            case ReserveStatusChanged():
                self.lots[sale_id, event.lot_id].price_minor = event.price_minor
            case LotSold():
                lot = self.lots[sale_id, event.lot_id]
                _end(lot, LotStatus.SOLD, None, one.at_us)
                lot.price_minor = lot.hammer_minor = event.hammer_price_minor
                lot.winner_ids = list(event.winners)
                lot.winner_paddles = [part.paddle for part in event.allocations]
            case LotPassed():
                _end(self.lots[sale_id, event.lot_id], LotStatus.PASSED, event.reason, one.at_us)
            case LotWithdrawn():
                _end(self.lots[sale_id, event.lot_id], LotStatus.WITHDRAWN, event.cause, one.at_us)
            case AwardFunded():
                self.lots[sale_id, event.lot_id].funded_at_us = one.at_us
            case SaleCancelled():
                self.sales[sale_id].cancelled_at_us = one.at_us
            case SaleClosed():
                self.sales[sale_id].closed_at_us = one.at_us
            case (
                EndsMoved()
                | SalePaused()
                | SaleResumed()
                | BiddersAdmitted()
                | BiddersDismissed()
                | BidderRegistered()
                | LimitChanged()
                | BudgetsSet()
                | MaximumRaised()
                | IfBidOpened()
                | IfBidCountered()
                | CounterDeclined()
            ):
                pass  # nothing of these is part of a result
            case _:
                assert_never(event)


def _new_row(sale: SaleRow, event: LotScheduled, at_us: int) -> LotRow:
    return LotRow(
        sale_id=sale.sale_id,
        lot_id=event.lot_id,
        liquidator_id=sale.liquidator_id,
        consignor_id=event.consignor_id,
        currency=sale.currency,
        kind=event.kind,
        title=event.title,
        scheduled_at_us=at_us,
        opens_at_us=event.opens_at_us,
        opening_minor=event.opening_minor,
        reserve_minor=event.reserve_minor,
        paddles=[],
        paddle_bids=[],
        extensions=0,
        price_minor=None,
        outcome=None,
        reason=None,
        hammer_minor=None,
        winner_ids=[],
        winner_paddles=[],
        closed_at_us=None,
        funded_at_us=None,
        place=None,
        category=None,
        condition=None,
        source=None,
        units=None,
        msrp_minor=None,
        recovery_bps=None,
    )


def _count(lot: LotRow, paddle: int) -> None:
    """One bid more of this paddle."""
    if paddle not in lot.paddles:
        lot.paddles.append(paddle)
        lot.paddle_bids.append(0)
    lot.paddle_bids[lot.paddles.index(paddle)] += 1


def _discount(lot: LotRow, paddle: int | None) -> None:
    """No bids of this paddle stand any more, or of nobody."""
    kept = [] if paddle is None else [p for p in lot.paddles if p != paddle]
    bids = dict(zip(lot.paddles, lot.paddle_bids, strict=True))
    lot.paddles, lot.paddle_bids = kept, [bids[p] for p in kept]


def _end(lot: LotRow, outcome: str, reason: str | None, at_us: int) -> None:
    lot.outcome, lot.reason, lot.closed_at_us = outcome, reason, at_us
