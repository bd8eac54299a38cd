"""The first peer: a transaction for each bid, with the lot's row locked.

BEGIN, SELECT ... FOR UPDATE, the rules in the program, INSERT of the bid and UPDATE of the lot in
one statement, COMMIT. The statements are prepared, every client has a connection of its own, and
the lot's page has room for new versions of its row: as fast as this design was found to go.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from foundation.database import Connection, connect
from load_tests.engine.rules import ProxyLot, wall_us
from load_tests.engine.workload import FAR_END_US, Bid

TABLES = """
create table if not exists row_lock_lot (
    lot_id integer primary key,
    closes_at_us bigint not null,
    price_minor bigint not null,
    minimum_minor bigint not null,
    leader integer not null,
    top_minor bigint not null,
    second_minor bigint not null,
    bid_count integer not null
) with (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create table if not exists row_lock_bid (
    lot_id integer not null,
    bid_id uuid not null,
    bid_number integer not null,
    bidder integer not null,
    maximum_minor bigint not null,
    leader integer not null,
    price_minor bigint not null,
    at_us bigint not null,
    primary key (lot_id, bid_id)
);

truncate row_lock_lot, row_lock_bid
"""

NEW_LOT = "insert into row_lock_lot values ($1, $2, $3, $4, $5, $6, $7, $8)"

HOLD = """
select closes_at_us, price_minor, minimum_minor, leader, top_minor, second_minor, bid_count
from row_lock_lot where lot_id = $1 for update
"""

STAND = """
with bid as (
    insert into row_lock_bid values ($1, $2, $8, $3, $4, $6, $9, $12)
)
update row_lock_lot
set closes_at_us = $5, leader = $6, top_minor = $7, bid_count = $8, price_minor = $9,
    minimum_minor = $10, second_minor = $11
where lot_id = $1
"""


class RowLock:
    """The peer, with ``size`` connections; each serves one client at a time."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._all = connections
        self.now_us = wall_us
        self._idle: list[tuple[Connection, Any, Any]] = []

    async def prepare(self, lots: int, closes_at_us: int = FAR_END_US) -> None:
        """New lots that nobody has bid on; what was there is gone."""
        await self._all[0].execute(TABLES)
        fresh = ProxyLot(closes_at_us)
        await self._all[0].executemany(NEW_LOT, [(lot, *fresh.row()) for lot in range(lots)])
        self._idle = [(c, await c.prepare(HOLD), await c.prepare(STAND)) for c in self._all]

    async def place(self, bids: Iterator[Bid]) -> bool:
        """Place the next bid on the first lot; whether it stands.

        It is taken once the lot is held, so that no bid overtakes another on the way there and
        is refused for it: in an open auction those would be lost to this peer.
        """
        return await self._place(0, partial(next, bids)) is not None

    async def leader_and_price(self, bid: Bid) -> tuple[int, int] | None:
        """Place a bid; the lot's leader and price after it, or None if it is refused."""
        return await self._place(bid.lot, lambda: bid)

    async def _place(self, lot_id: int, take: Callable[[], Bid]) -> tuple[int, int] | None:
        session = self._idle.pop()
        connection, hold, stand = session
        async with connection.transaction():
            lot = ProxyLot(*await hold.fetchrow(lot_id))
            bid, now_us = take(), self.now_us()
            stands = lot.bid(bid.bidder, bid.amount_minor, now_us)
            if stands:
                await stand.fetch(
                    *(bid.lot, bid.bid_id, bid.bidder, bid.amount_minor),
                    *(lot.closes_at_us, lot.leader, lot.top_minor, lot.bid_count),
                    *(lot.price_minor, lot.minimum_minor, lot.second_minor, now_us),
                )
        self._idle.append(session)
        return (lot.leader, lot.price_minor) if stands else None

    async def closes_at_us(self, lot_id: int) -> int:
        """The end in force of a lot."""
        query = "select closes_at_us from row_lock_lot where lot_id = $1"
        return int(await self._all[0].fetchval(query, lot_id))

    async def recorded(self) -> int:
        """How many bids the tables hold."""
        return int(await self._all[0].fetchval("select count(*) from row_lock_bid"))


@asynccontextmanager
async def row_lock(dsn: str, size: int) -> AsyncIterator[RowLock]:
    """The peer with so many connections, for the block."""
    async with AsyncExitStack() as stack:
        connections = []
        for _ in range(size):
            connection = await connect(dsn, name="row lock")
            stack.push_async_callback(connection.close)
            connections.append(connection)
        yield RowLock(connections)
