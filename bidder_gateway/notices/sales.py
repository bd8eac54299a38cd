"""What notices need to know of running sales, in tables of the follower's own.

They move in the follower's transaction, so they stand exactly where its cursor does; what the
board keeps is moved by another follower, and would be of another moment.
"""

from collections.abc import Iterable, Sequence

import asyncpg
from msgspec import Struct, field

from accounts.ids import PersonId
from auction.codec import Recorded
from auction.events import (
    BidPlaced,
    BidsVoided,
    EndsMoved,
    LotsRescheduled,
    MaximumRaised,
    MoveReason,
    SalePaused,
    SaleResumed,
    lot_of,
)
from auction.ids import BidderId, LotId, Paddle, SaleId
from auction.sale import LotStatus
from bidder_gateway.notices.sale_now import BidderNow, LotNow, SaleNow
from foundation.database import AnyConnection

Key = tuple[SaleId, LotId]
People = frozenset[PersonId]

_SALES = "select sale_id, currency, paused from notice_sale where sale_id = any ($1)"

_LOT_COLUMNS = """
sale_id, lot_id, title, status, opens_at_us, closes_at_us, price_minor, next_minimum_minor, leader
"""

_LOTS = f"""
select {_LOT_COLUMNS} from notice_lot
join unnest($1::text[], $2::text[]) as wanted (sale_id, lot_id) using (sale_id, lot_id)
"""  # noqa: S608 - a constant

_ALL_LOTS = f"select {_LOT_COLUMNS} from notice_lot where sale_id = any ($1)"  # noqa: S608

_BIDDERS = """
select sale_id, lot_id, bidder_id, paddle, people from notice_bidder
join unnest($1::text[], $2::text[]) as wanted (sale_id, lot_id) using (sale_id, lot_id)
"""

_SAVE_SALE = """
insert into notice_sale (sale_id, currency, paused) values ($1, $2, $3)
on conflict (sale_id) do update set paused = excluded.paused
"""

_SAVE_LOT = f"""
insert into notice_lot ({_LOT_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (sale_id, lot_id) do update set
    status = excluded.status,
    opens_at_us = excluded.opens_at_us, closes_at_us = excluded.closes_at_us,
    price_minor = excluded.price_minor, next_minimum_minor = excluded.next_minimum_minor,
    leader = excluded.leader
"""  # noqa: S608 - a constant

_SAVE_BIDDER = """
insert into notice_bidder (sale_id, lot_id, bidder_id, paddle, people) values ($1, $2, $3, $4, $5)
on conflict (sale_id, lot_id, bidder_id) do update set people = excluded.people
"""

_NO_BIDDERS = """
delete from notice_bidder
using unnest($1::text[], $2::text[]) as voided (sale_id, lot_id)
where notice_bidder.sale_id = voided.sale_id and notice_bidder.lot_id = voided.lot_id
"""

# Of a closed sale nothing is to be told any more but what its events say by themselves.
_FORGET = tuple(
    f"delete from {table} where sale_id = any ($1)"  # noqa: S608 - the names here
    for table in ("notice_bidder", "notice_closing", "notice_lot", "notice_sale")
)


class Sales(Struct):
    """Sales as they stood before a step, and then as its events changed them."""

    sales: dict[SaleId, SaleNow]
    known: dict[tuple[SaleId, LotId, BidderId], People] = field(default_factory=dict)


async def load(connection: AnyConnection, recorded: Sequence[Recorded]) -> Sales:
    """What these events concern, as it is before them."""
    sale_ids = list({one.sale_id for one in recorded})
    loaded = await load_lots(connection, {key for one in recorded for key in _keys(one)}, sale_ids)
    whole = {one.sale_id for one in recorded if _concerns_all(one)}
    if whole:
        rows = await connection.fetch(_ALL_LOTS, list(whole))
        missing = [row for row in rows if row["lot_id"] not in loaded.sales[row["sale_id"]].lots]
        await _add(connection, loaded, missing)
    return loaded


async def load_lots(
    connection: AnyConnection, keys: Iterable[Key], sale_ids: Sequence[SaleId]
) -> Sales:
    """These sales, with these of their lots; an unknown sale is there without anything."""
    found = {row[0]: row for row in await connection.fetch(_SALES, sale_ids)}
    sales = {
        sale_id: SaleNow(sale_id, found[sale_id][1], found[sale_id][2])
        if sale_id in found
        else SaleNow(sale_id)
        for sale_id in sale_ids
    }
    loaded = Sales(sales)
    await _add(connection, loaded, await connection.fetch(_LOTS, *_columns(keys)))
    return loaded


async def save(connection: AnyConnection, loaded: Sales, recorded: Sequence[Recorded]) -> None:
    """Write down what the events changed."""
    sales = loaded.sales
    closed = [sale_id for sale_id, sale in sales.items() if sale.closed]
    left = [sale for sale in sales.values() if not sale.closed]
    await connection.executemany(_SAVE_SALE, [(s.sale_id, s.currency, s.paused) for s in left])
    touched = {key for one in recorded for key in _keys(one)}
    lots = [(k, sales[k[0]].lots[k[1]]) for k in sorted(touched) if k[1] in sales[k[0]].lots]
    open_lots = [(key, lot) for key, lot in lots if not sales[key[0]].closed]
    await connection.executemany(_SAVE_LOT, [_row(key, lot) for key, lot in open_lots])
    await _save_bidders(connection, loaded, recorded)
    for statement in _FORGET if closed else ():
        await connection.execute(statement, closed)


async def _save_bidders(
    connection: AnyConnection, loaded: Sales, recorded: Sequence[Recorded]
) -> None:
    changed: dict[tuple[SaleId, LotId, BidderId], None] = {}
    voided: dict[Key, None] = {}
    for one in recorded:
        event = one.event
        if isinstance(event, BidPlaced | MaximumRaised):
            changed[one.sale_id, event.lot_id, event.bidder_id] = None
        elif isinstance(event, BidsVoided):
            voided[one.sale_id, event.lot_id] = None
    if voided:
        await connection.execute(_NO_BIDDERS, *_columns(voided))
        for sale_id, lot_id in voided:
            for bidder_id in loaded.sales[sale_id].lots[lot_id].bidders:
                changed[sale_id, lot_id, bidder_id] = None
                loaded.known.pop((sale_id, lot_id, bidder_id), None)
    rows = []
    for sale_id, lot_id, bidder_id in sorted(changed):
        bidder = loaded.sales[sale_id].lots[lot_id].bidders.get(bidder_id)
        key = (sale_id, lot_id, bidder_id)
        if bidder is not None and loaded.known.get(key) != frozenset(bidder.people):
            rows.append((*key, bidder.paddle, sorted(bidder.people)))
    await connection.executemany(_SAVE_BIDDER, rows)


async def _add(connection: AnyConnection, loaded: Sales, rows: Sequence[asyncpg.Record]) -> None:
    """Put lots into their sales, with those whose bids stand on them."""
    for row in rows:
        loaded.sales[row["sale_id"]].lots[row["lot_id"]] = LotNow(
            lot_id=row["lot_id"],
            title=row["title"],
            opens_at_us=row["opens_at_us"],
            closes_at_us=row["closes_at_us"],
            next_minimum_minor=row["next_minimum_minor"],
            status=LotStatus(row["status"]),
            price_minor=row["price_minor"],
            leader=row["leader"],
        )
    keys = [(row["sale_id"], row["lot_id"]) for row in rows]
    for row in await connection.fetch(_BIDDERS, *_columns(keys)):
        sale_id, lot_id, bidder_id, paddle, people = row
        bidder = BidderNow(Paddle(paddle), set(map(PersonId, people)))
        loaded.sales[sale_id].lots[lot_id].bidders[bidder_id] = bidder
        loaded.known[sale_id, lot_id, bidder_id] = frozenset(bidder.people)


def _keys(one: Recorded) -> list[Key]:
    event = one.event
    if isinstance(event, EndsMoved):
        return [(one.sale_id, moved.lot_id) for moved in event.ends]
    if isinstance(event, LotsRescheduled):
        return [(one.sale_id, moved.lot_id) for moved in event.lots]
    lot_id = lot_of(event)
    return [] if lot_id is None else [(one.sale_id, lot_id)]


def _concerns_all(one: Recorded) -> bool:
    event = one.event
    if isinstance(event, EndsMoved):
        return event.reason is not MoveReason.LINKED
    return isinstance(event, SalePaused | SaleResumed)


def _row(key: Key, lot: LotNow) -> tuple[object, ...]:
    return (
        *key,
        lot.title,
        lot.status,
        lot.opens_at_us,
        lot.closes_at_us,
        lot.price_minor,
        lot.next_minimum_minor,
        lot.leader,
    )


def _columns(keys: Iterable[Key]) -> tuple[list[SaleId], list[LotId]]:
    ordered = sorted(keys)
    return [key[0] for key in ordered], [key[1] for key in ordered]
