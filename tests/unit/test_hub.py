"""What the hub makes of what it hears and reads: late, twice, with gaps, or broken."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from auction.codec import Recorded
from auction.ids import BidderId, PersonId, SaleId, shard_of
from auction.log_memory import MemoryLog
from auction.ports import LoggedEvent, OutcomeUnknown
from bidder_gateway import hub as hub_module
from bidder_gateway.feeds import Feed
from bidder_gateway.hub import Hub
from bidder_gateway.link import Link
from tests.builders import SALE, Room, bid
from tests.links import Ends, Peer, fill, link_ends, store
from tests.waiting import turns, until

SHARD = shard_of(SALE)


class SlowLog(MemoryLog):
    """``after_read`` is called when a read has its rows, before they are handed over."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.after_read: list[Any] = []
        self.fails = 0

    async def read_sale(self, sale_id: SaleId, after: int, limit: int) -> list[LoggedEvent]:
        self.reads += 1
        if self.fails:
            self.fails -= 1
            raise OutcomeUnknown("the test cut the line")
        rows = await super().read_sale(sale_id, after, limit)
        if self.after_read:
            self.after_read.pop(0)()
        await turns(3)
        return rows


class Desk:
    """A hub over a log that a room's events go to; what is heard of them is the test's choice."""

    def __init__(self, hub: Hub, log: SlowLog, ends: Ends) -> None:
        self.hub, self.log, self.ends = hub, log, ends
        self.room = Room()
        self.peers: dict[Link, Peer] = {}
        self._stored = 0

    def happens(self, *, heard: bool = True) -> list[Recorded]:
        """One more bid is durable; and perhaps the bus tells."""
        lot = self.room.lot()
        self.room.bid("B" if lot.leader == "A" else "A", lot.next_minimum_minor + 1_000_00)
        news = self.store()
        if heard:
            self.hub.hear(SHARD, news)
        return news

    def store(self) -> list[Recorded]:
        """Make durable what happened in the room."""
        news = self.room.recorded[self._stored :]
        self._stored += len(news)
        for recorded in news:
            store(self.log, recorded)
        return news

    async def watch(self, bidder: str | None = None) -> Link:
        """A client that follows the sale from now on."""
        link, peer = await self.ends.link(self.hub.blocked)
        self.peers[link] = peer
        person = None if bidder is None else PersonId(bidder)
        self.hub.enter(link, None if bidder is None else BidderId(bidder), person)
        feed = await self.hub.feed(SALE)
        assert feed is not None
        self.hub.follow(link, feed, None, feed.sequence)
        return link

    async def sees(self, link: Link, *sequences: int) -> None:
        """The next events that the client gets are these."""
        seen: list[int] = []

        def has_come() -> bool:
            frames = self.peers[link].frames()
            seen.extend(f["event"]["sequence"] for f in frames if f["type"] == "event")
            return len(seen) >= len(sequences)

        await until(has_come)
        assert seen == list(sequences)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    with link_ends() as ends:
        log = SlowLog()
        hub = Hub(log)
        made = Desk(hub, log, ends)
        made.store()
        yield made
        await hub.close()


async def test_a_sale_is_read_once_for_a_crowd(desk: Desk) -> None:
    links = [await desk.watch() for _ in range(3)]
    desk.happens()
    for link in links:
        await desk.sees(link, 3)
    assert desk.hub.figures.feeds_read == 1


async def test_what_happens_while_the_sale_is_read_is_there_once(desk: Desk) -> None:
    desk.log.after_read = [desk.happens, lambda: None, desk.happens]
    feed = await desk.hub.feed(SALE)
    assert feed is not None
    assert feed.sequence == 4
    assert feed.replica.position == len(desk.room.recorded)


async def test_more_than_is_held_while_the_sale_is_read_is_read_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "MAX_HELD", 2)
    desk.log.after_read = [lambda: None, lambda: [desk.happens() for _ in range(3)]]
    feed = await desk.hub.feed(SALE)
    assert feed is not None
    assert feed.sequence == 5


async def test_a_batch_that_the_bus_drops_while_the_sale_is_read_is_not_missed(
    desk: Desk,
) -> None:
    await desk.hub.feed(SaleId("S-2"))

    def drop_one() -> None:
        desk.happens(heard=False)
        desk.happens()

    # The rows of the last read are on their way already.
    desk.log.after_read = [lambda: None, drop_one]
    desk.hub._heard[SHARD] = len(desk.room.recorded)
    feed = await desk.hub.feed(SALE)
    assert feed is not None
    assert feed.sequence == 4


async def test_what_is_heard_twice_or_late_happens_once(desk: Desk) -> None:
    link = await desk.watch()
    first, second = desk.happens(heard=False), desk.happens(heard=False)
    for batch in (first, first, second, first):
        desk.hub.hear(SHARD, batch)
    desk.happens()
    await desk.sees(link, 3, 4, 5)
    assert desk.hub.figures.events_missed == 0


async def test_a_batch_that_the_bus_dropped_is_read_from_the_log(desk: Desk) -> None:
    link = await desk.watch()
    desk.happens()
    await desk.sees(link, 3)
    desk.happens(heard=False)
    desk.happens()
    await desk.sees(link, 4, 5)
    assert desk.hub.figures.events_missed == 1


async def test_the_first_batch_that_the_bus_dropped_is_read_too(desk: Desk) -> None:
    link = await desk.watch()
    desk.happens(heard=False)
    desk.happens()
    await desk.sees(link, 3, 4)


async def test_batches_that_come_in_another_order_are_sorted_out(desk: Desk) -> None:
    link = await desk.watch()
    batches = [desk.happens(heard=False) for _ in range(3)]
    for batch in reversed(batches):
        desk.hub.hear(SHARD, batch)
    await desk.sees(link, 3, 4, 5)


async def test_the_last_batch_that_the_bus_dropped_is_found_in_the_log(desk: Desk) -> None:
    link = await desk.watch()
    desk.happens(heard=False)
    await desk.hub.look_for_missed()
    await turns()
    assert desk.hub.figures.events_missed == 0, "it may be on its way"
    await desk.hub.look_for_missed()
    await desk.sees(link, 3)
    await desk.hub.look_for_missed()
    assert desk.hub.figures.events_missed == 1


async def test_a_log_that_does_not_answer_is_asked_again_for_who_watches(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "RETRY_S", 0.0)
    link = await desk.watch()
    desk.log.fails = 3
    desk.happens(heard=False)
    desk.happens()
    await desk.sees(link, 3, 4)


async def test_a_sale_that_cannot_be_read_leaves_nothing_behind(desk: Desk) -> None:
    desk.log.fails = 1
    with pytest.raises(OutcomeUnknown):
        await desk.hub.feed(SALE)
    await turns()
    assert desk.hub.sales == 0
    assert await desk.hub.feed(SALE) is not None


async def test_a_sale_that_does_not_exist_leaves_nothing_behind(desk: Desk) -> None:
    assert await desk.hub.feed(SaleId("S-99")) is None
    assert desk.hub.sales == 0


async def test_an_event_that_does_not_fit_cuts_off_who_watches_and_the_sale_is_read_anew(
    desk: Desk,
) -> None:
    link, other = await desk.watch(), await desk.watch()
    broken = Room()
    broken.bid("A", 500_00)
    (wrong,) = broken.recorded[-1:]
    (right,) = desk.happens(heard=False)
    wrong = Recorded(
        **{name: getattr(right, name) for name in right.__struct_fields__} | {"sequence": 99}
    )
    desk.hub.hear(SHARD, [wrong])
    assert link.aborted
    assert other.aborted
    for gone in (link, other):
        desk.hub.leave(gone)
    again = await desk.watch()
    desk.happens()
    await desk.sees(again, 4)


async def test_a_gap_is_told_to_the_owners_of_what_was_missed(desk: Desk) -> None:
    link = await desk.watch("A")
    desk.happens()
    await desk.sees(link, 3)
    assert desk.room.lot().leader == "A"
    desk.room.does(bid("A", 900_000_00))
    desk.store()
    desk.room.does(bid("B", 20_000_00))
    desk.hub.hear(SHARD, desk.store())
    told: list[Any] = []

    def has_come() -> bool:
        told.extend(f["event"] for f in desk.peers[link].frames() if f["type"] == "own")
        return bool(told)

    await until(has_come)
    assert [(own["type"], own["maximum_minor"]) for own in told] == [("maximum_raised", 900_000_00)]


async def test_history_is_not_told_to_who_has_just_come(desk: Desk) -> None:
    desk.happens()
    # More of it comes while it is read, so that a tick for it would be due later.
    desk.log.after_read = [lambda: desk.happens(heard=False)] * 2
    link = await desk.watch("A")
    last = desk.happens()[-1]
    frames: list[Any] = []

    def has_come() -> bool:
        frames.extend(desk.peers[link].frames())
        return bool(frames)

    await until(has_come)
    await until(lambda: desk.hub._sales[SALE].channel._tick is None)
    frames += desk.peers[link].frames()
    assert [frame["type"] for frame in frames] == ["event"], "an own event from before"
    assert frames[0]["event"]["sequence"] == last.sequence == 6


async def test_who_has_gone_is_nowhere_any_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, other = await desk.watch("A"), await desk.watch("B")
    fill(link)
    for gone in (link, other):
        desk.hub.leave(gone)
    desk.happens()
    await turns()
    assert (desk.hub.links, desk.hub.full) == ([], 0)
    assert not desk.hub.is_here(PersonId("A"))
    monkeypatch.setattr(hub_module, "FORGET_AFTER_S", -1.0)
    desk.hub.forget_idle()
    assert desk.hub.sales == 0


async def test_who_does_not_read_for_too_long_is_dropped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "STALLED_S", 0.05)
    link = await desk.watch()
    fill(link)
    await until(lambda: link.aborted)
    assert (desk.hub.figures.stalled, desk.hub.full) == (1, 0)


async def test_who_reads_slowly_but_reads_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "STALLED_S", 0.2)
    link = await desk.watch()
    link.write(b"x" * 400_000)
    loop = desk.hub._loop
    began_s = loop.time()
    while not link.clear:
        desk.peers[link].read(8_192)
        await turns(3)
        next_s = loop.time() + 0.01
        await until(lambda: loop.time() >= next_s)  # noqa: B023
    assert loop.time() > began_s + 0.4
    assert not link.dead


async def test_who_waits_for_a_reader_is_woken_by_its_end(desk: Desk) -> None:
    link = await desk.watch()
    fill(link)
    waiting = [desk.hub._loop.create_task(desk.hub.until_clear(link)) for _ in range(2)]
    await turns()
    desk.hub.leave(link)
    assert [await task for task in waiting] == [False, False]


async def test_who_waits_for_a_reader_is_woken_when_it_has_read(desk: Desk) -> None:
    link = await desk.watch()
    fill(link)
    waiting = desk.hub._loop.create_task(desk.hub.until_clear(link))
    await turns()
    assert not waiting.done()
    await until(lambda: (desk.peers[link].read(), waiting.done())[1])
    assert await waiting


async def test_sales_that_nobody_watches_are_forgotten_the_longest_idle_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "MOST_IDLE", 2)
    feeds: dict[str, Feed | None] = {}
    names = ["S-1", "S-2", "S-3", "S-4"]
    for name in names[1:]:
        for recorded in desk.room.recorded[:2]:
            store(desk.log, _of_sale(recorded, SaleId(name)), SaleId(name))
    await desk.watch()
    for name in names[1:]:
        feeds[name] = await desk.hub.feed(SaleId(name))
    assert desk.hub.sales == 3
    kept = [name for name in names[1:] if (f := feeds[name]) is not None and desk.hub.still_has(f)]
    assert kept == ["S-3", "S-4"]
    monkeypatch.setattr(hub_module, "FORGET_AFTER_S", -1.0)
    desk.hub.forget_idle()
    assert desk.hub.sales == 1, "only the one that is watched"


def _of_sale(recorded: Recorded, sale_id: SaleId) -> Recorded:
    fields = {name: getattr(recorded, name) for name in recorded.__struct_fields__}
    return Recorded(**fields | {"sale_id": sale_id})


async def test_a_personal_frame_goes_to_who_follows_the_sale_and_is_that_bidder(
    desk: Desk,
) -> None:
    mine, rival = await desk.watch("A"), await desk.watch("B")
    elsewhere, peer = await desk.ends.link(desk.hub.blocked)
    desk.hub.enter(elsewhere, BidderId("A"))
    desk.happens()
    await desk.sees(mine, 3)
    await desk.sees(rival, 3)
    desk.room.does(bid(desk.room.lot().leader or "", 800_000_00))
    desk.hub.hear(SHARD, desk.store())
    await turns()
    owner, other = (mine, rival) if desk.room.lot().leader == "A" else (rival, mine)
    assert [frame["type"] for frame in desk.peers[owner].frames()] == ["own"]
    assert desk.peers[other].frames() == []
    assert peer.frames() == []
