"""The board: one row a lot with what the public knows of it, for lists and searches.

Kept by a follower of the log: a chunk of events is applied to the rows that it concerns, and each
row is written once, however many events it had.
"""

from collections.abc import Sequence
from typing import assert_never

import msgspec
from msgspec import Struct

from auction.codec import Recorded, decode_body
from auction.events import (
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
)
from auction.ids import LotId, SaleId
from auction.sale import LotStatus
from foundation.database import AnyConnection

FOLLOWER = "board"

Key = tuple[SaleId, LotId]


class BoardRow(Struct):
    """A row of ``lot_board``, its fields in the order of the columns."""

    sale_id: SaleId
    lot_id: LotId
    liquidator_id: str
    currency: str
    audience: str
    kind: str
    title: str
    status: str
    opening_minor: int
    price_minor: int | None
    next_minimum_minor: int
    reserve: str
    bid_count: int
    leader: int | None
    extensions: int
    opens_at_us: int
    closes_at_us: int


_COLUMNS = ", ".join(BoardRow.__struct_fields__)

_LOAD = f"""
select {_COLUMNS} from lot_board
join unnest($1::text[], $2::text[]) as wanted (sale_id, lot_id) using (sale_id, lot_id)
"""  # noqa: S608 - the columns are the fields above

_LOAD_SALE = f"select {_COLUMNS} from lot_board where sale_id = $1 order by lot_id"  # noqa: S608

_SAVE = f"""
insert into lot_board ({_COLUMNS})
values ({", ".join(f"${number + 1}" for number in range(len(BoardRow.__struct_fields__)))})
on conflict (sale_id, lot_id) do update set
{", ".join(f"{name} = excluded.{name}" for name in BoardRow.__struct_fields__[2:])}
"""  # noqa: S608

_LIQUIDATOR_AND_CURRENCY = """
select body from log_event where sale_id = $1 order by position limit 1
"""


async def keep_board(connection: AnyConnection, recorded: Sequence[Recorded]) -> None:
    """Bring the board up to these events, in the follower's transaction."""
    events = [(one.sale_id, one.event) for one in recorded]
    board = await _load(connection, {key for sale, event in events for key in _keys(sale, event)})
    scheduled: dict[SaleId, SaleScheduled] = {}
    for sale_id, event in events:
        if isinstance(event, SaleScheduled):
            scheduled[sale_id] = event
        elif isinstance(event, LotScheduled):
            sale = scheduled.get(sale_id) or await _sale_scheduled(connection, sale_id)
            scheduled[sale_id] = sale
            board[sale_id, event.lot_id] = _new_row(sale_id, sale, event)
        else:
            post(board, sale_id, event)
    await connection.executemany(_SAVE, [msgspec.structs.astuple(row) for row in board.values()])


async def read_board(connection: AnyConnection, sale_id: SaleId) -> list[BoardRow]:
    """The lots of a sale, as far as the follower has come."""
    return [BoardRow(*row) for row in await connection.fetch(_LOAD_SALE, sale_id)]


async def _load(connection: AnyConnection, keys: set[Key]) -> dict[Key, BoardRow]:
    wanted = sorted(keys)
    rows = await connection.fetch(_LOAD, [k[0] for k in wanted], [k[1] for k in wanted])
    return {(row[0], row[1]): BoardRow(*row) for row in rows}


async def _sale_scheduled(connection: AnyConnection, sale_id: SaleId) -> SaleScheduled:
    """The sale's first event, for lots that were added in a later chunk."""
    event = decode_body(0, await connection.fetchval(_LIQUIDATOR_AND_CURRENCY, sale_id)).event
    assert isinstance(event, SaleScheduled), "a sale begins by being scheduled"
    return event


def _keys(sale_id: SaleId, event: AnyEvent) -> list[Key]:
    if isinstance(event, EndsMoved):
        return [(sale_id, moved.lot_id) for moved in event.ends]
    if isinstance(event, LotsRescheduled):
        return [(sale_id, moved.lot_id) for moved in event.lots]
    lot_id = getattr(event, "lot_id", None)
    return [] if lot_id is None or not event.PUBLIC else [(sale_id, lot_id)]


def _new_row(sale_id: SaleId, sale: SaleScheduled, event: LotScheduled) -> BoardRow:
    return BoardRow(
        sale_id=sale_id,
        lot_id=event.lot_id,
        liquidator_id=sale.liquidator_id,
        currency=sale.terms.currency,
        audience=sale.audience,
        kind=event.kind,
        title=event.title,
        status=LotStatus.LIVE,
        opening_minor=event.opening_minor,
        price_minor=None,
        next_minimum_minor=event.opening_minor,
        reserve=event.reserve,
        bid_count=0,
        leader=None,
        extensions=0,
        opens_at_us=event.opens_at_us,
        closes_at_us=event.closes_at_us,
    )


def post(  # noqa: C901 - dispatch
    board: dict[Key, BoardRow], sale_id: SaleId, event: AnyEvent
) -> None:
    """Apply an event to the rows that it concerns."""
    match event:
        case BidPlaced():
            row = board[sale_id, event.lot_id]
            row.price_minor, row.leader, row.reserve = (
                event.price_minor,
                event.leader,
                event.reserve,
            )
            row.next_minimum_minor, row.bid_count = event.next_minimum_minor, event.bid_count
        case EndExtended():
            row = board[sale_id, event.lot_id]
            row.closes_at_us, row.extensions = event.closes_at_us, event.extensions
        case EndsMoved():
            for moved in event.ends:
                board[sale_id, moved.lot_id].closes_at_us = moved.closes_at_us
        case LotsRescheduled():
            for lot in event.lots:
                row = board[sale_id, lot.lot_id]
                row.opens_at_us, row.closes_at_us = lot.opens_at_us, lot.closes_at_us
        case ReserveStatusChanged():
            row = board[sale_id, event.lot_id]
            row.price_minor, row.reserve = event.price_minor, event.reserve
            row.next_minimum_minor = event.next_minimum_minor
        case BidsVoided():
            row = board[sale_id, event.lot_id]
            row.price_minor, row.leader, row.reserve = (
                event.price_minor,
                event.leader,
                event.reserve,
            )
            row.next_minimum_minor = event.next_minimum_minor
        case IfBidOpened():
            row = board[sale_id, event.lot_id]
            row.status, row.closes_at_us = LotStatus.IF_BID, event.until_us
        case LotSold():
            row = board[sale_id, event.lot_id]
            row.status, row.price_minor = LotStatus.SOLD, event.hammer_price_minor
        case LotPassed():
            board[sale_id, event.lot_id].status = LotStatus.PASSED
        case LotWithdrawn():
            board[sale_id, event.lot_id].status = LotStatus.WITHDRAWN
        case (
            SaleScheduled()
            | LotScheduled()
            | SaleClosed()
            | SaleCancelled()
            | SalePaused()
            | SaleResumed()
            | BiddersAdmitted()
            | BiddersDismissed()
            | BidderRegistered()
            | LimitChanged()
            | BudgetsSet()
            | MaximumRaised()
            | ReserveChanged()
            | IfBidCountered()
            | CounterDeclined()
            | AwardFunded()
        ):
            pass  # nothing of these is on the board
        case _:
            assert_never(event)
