"""Makes notices from the log: the follower "notices", one a shard.

Each step folds its events into what notices need of the sales, writes that down, and enters the
notices that follow, all in the transaction that moves the cursor. What a crash leaves: before the
commit nothing, and the step is done again; after it everything but the frames to open pages,
whose readers find the notice in their list.

Steps are held back a little (`GATHER_S`), so that a bidding war is some steps a second and not
one for each bid; who was outbid five times in a step is told once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from auction.codec import Recorded, decode_body
from auction.events import BidPlaced
from auction.ids import BidderId, LotId, SaleId, Shard
from auction.ports import LoggedEvent
from bidder_gateway.notices.book import Book, Entered
from bidder_gateway.notices.kinds import Kind
from bidder_gateway.notices.rules import Draft, drafts_of
from bidder_gateway.notices.sale_now import SaleNow, apply
from bidder_gateway.notices.sales import load, save
from bidder_gateway.notices.truth import still_true
from foundation.database import AnyConnection
from foundation.follower import Cursors, LogFollower, Step

FOLLOWER: Final = "notices"
# Of the five seconds in which who was outbid is to know it.
GATHER_S: Final = 0.1
# Events looked at before the event loop gets a turn: about 3 ms.
TURN: Final = 100

Clock = Callable[[], int]

# To lead again is to have seen that one was outbid.
_SEEN = """
update notice set read_at_us = $3
from unnest($1::text[], $2::text[]) as ahead (topic, bidder_id)
where notice.topic = ahead.topic and notice.bidder_id = ahead.bidder_id
    and notice.read_at_us is null
"""


class Maker:
    """The handler of one shard's follower. ``after_commit`` gets what a step has entered."""

    def __init__(
        self,
        book: Book,
        now_us: Clock,
        wall_us: Clock,
        after_commit: Callable[[Sequence[Entered]], None],
    ) -> None:
        self._book, self._now_us, self._wall_us = book, now_us, wall_us
        self._after_commit = after_commit
        self._entered: list[Entered] = []

    async def handle(self, connection: AnyConnection, rows: Sequence[LoggedEvent]) -> None:
        """A step: see ``foundation.follower``."""
        recorded: list[Recorded] = []
        for first in range(0, len(rows), TURN):
            recorded += [decode_body(row.position, row.body) for row in rows[first : first + TURN]]
            await asyncio.sleep(0)
        loaded = await load(connection, recorded)
        drafts: list[Draft] = []
        leading: dict[tuple[SaleId, LotId], BidderId] = {}
        for number, one in enumerate(recorded, start=1):
            sale = loaded.sales[one.sale_id]
            drafts += drafts_of(sale, one)
            apply(sale, one)
            _note_leader(leading, sale, one)
            if number % TURN == 0:
                await asyncio.sleep(0)
        now_us = self._now_us()
        await save(connection, loaded, recorded)
        await _mark_seen(connection, leading, self._wall_us())
        told = [draft for draft in drafts if _still(draft, loaded.sales[_sale_of(draft)], now_us)]
        self._entered = await self._book.enter(connection, told, now_us, self._wall_us())

    def begin(self) -> None:
        """A step begins."""
        self._entered = []

    def committed(self) -> None:
        """The step is durable."""
        entered, self._entered = self._entered, []
        if entered:
            self._after_commit(entered)


class MakerCursors:
    """The cursors of a maker's follower: they tell it when its step is durable."""

    def __init__(self, cursors: Cursors[AnyConnection, LoggedEvent], maker: Maker) -> None:
        self._cursors, self._maker = cursors, maker

    @asynccontextmanager
    async def step(self, name: str, shard: int) -> AsyncIterator[Step[AnyConnection, LoggedEvent]]:
        """See ``foundation.follower.Cursors``."""
        self._maker.begin()
        async with self._cursors.step(name, shard) as step:
            yield step
        self._maker.committed()

    async def is_behind(self, name: str, shard: int) -> bool:
        """See ``foundation.follower.Cursors``."""
        return await self._cursors.is_behind(name, shard)


class MakerFollower:
    """A maker with its follower, which is woken some moments after the bus has called."""

    def __init__(
        self, shard: Shard, maker: Maker, cursors: Cursors[AnyConnection, LoggedEvent]
    ) -> None:
        self._follower = LogFollower(FOLLOWER, shard, maker.handle, MakerCursors(cursors, maker))
        self._waking: asyncio.TimerHandle | None = None
        self.run, self.step = self._follower.run, self._follower.step

    def wake_soon(self) -> None:
        """There may be something to read."""
        if self._waking is None:
            self._waking = asyncio.get_running_loop().call_later(GATHER_S, self._wake)

    def _wake(self) -> None:
        self._waking = None
        self._follower.wake()


def _note_leader(
    leading: dict[tuple[SaleId, LotId], BidderId], sale: SaleNow, one: Recorded
) -> None:
    if isinstance(one.event, BidPlaced):
        leader = sale.lots[one.event.lot_id].leader
        assert leader is not None, "a bid has a leader"
        leading[sale.sale_id, one.event.lot_id] = leader


async def _mark_seen(
    connection: AnyConnection, leading: dict[tuple[SaleId, LotId], BidderId], wall_us: int
) -> None:
    if leading:
        topics = [f"{Kind.OUTBID}/{sale_id}/{lot_id}" for sale_id, lot_id in leading]
        await connection.execute(_SEEN, topics, list(leading.values()), wall_us)


def _sale_of(draft: Draft) -> SaleId:
    assert draft.sale_id is not None, "what the log tells is about a sale"
    return draft.sale_id


def _still(draft: Draft, sale: SaleNow, now_us: int) -> bool:
    """Whether it is so at the end of the step too: who was outbid and leads again is not told."""
    if draft.kind is not Kind.OUTBID:
        return True
    lot = None if draft.lot_id is None else sale.lots.get(draft.lot_id)
    (to,) = draft.to
    return still_true(draft.kind, draft.facts, to.bidder_id, sale, lot, now_us)
