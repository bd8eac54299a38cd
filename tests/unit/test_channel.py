"""Fan-out of one sale: every event once and in order, however joining and sending interleave."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from auction.codec import Recorded
from auction.ids import LotId
from bidder_gateway import channel as channel_module
from bidder_gateway import sending_credit
from bidder_gateway.channel import Channel, Subscription
from bidder_gateway.encodings import AS_JSON, AS_MSGPACK, Encoding
from bidder_gateway.feeds import Feed, Lots
from bidder_gateway.link import Link
from tests.builders import SALE, Room, a_lot
from tests.links import Ends, Peer, fill, link_ends
from tests.waiting import turns, until


class Fanout:
    """A channel with clients; what happens in the room reaches it as the hub would hand it on."""

    def __init__(self, ends: Ends, channel: Channel, room: Room) -> None:
        self.ends, self.channel, self.room = ends, channel, room
        self.peers: dict[Link, Peer] = {}
        self.conflated: list[Link] = []
        self.told = 0
        self._taken = 0
        self.catch_up()

    @property
    def feed(self) -> Feed:
        return self.channel.feed

    def catch_up(self) -> None:
        """Have the feed fold all that has happened."""
        for recorded in self.room.recorded[self._taken :]:
            self.take(recorded)

    def take(self, recorded: Recorded) -> None:
        self._taken += 1
        if self.feed.take(recorded):
            if recorded.sequence is not None:
                self.channel.plan_tick()
            else:
                self.channel.plan_telling()

    def bids(self, count: int = 1, lot: str = "1") -> None:
        """So many public events about a lot."""
        for _ in range(count):
            price_minor = self.room.lot(lot).next_minimum_minor
            leader = self.room.lot(lot).leader
            self.room.bid("B" if leader == "A" else "A", price_minor + 10_000_00, lot=lot)
        self.catch_up()

    async def watch(
        self, lots: Lots = None, encoding: Encoding = AS_JSON, has: int | None = None
    ) -> Link:
        """A client that has what has happened so far."""
        link, peer = await self.ends.link(self._blocked, encoding)
        self.peers[link] = peer
        has = self.feed.sequence if has is None else has
        self.channel.add(Subscription(link, lots, has))
        return link

    def _blocked(self, link: Link) -> None:
        if link in self.channel.subscriptions:
            self.channel.blocked(link)

    async def read(self, link: Link) -> None:
        """Have the client read all that it was sent, and the hub notice."""
        await self.readable(link)
        self.channel.cleared(link)

    async def readable(self, link: Link) -> None:
        """Have the client read, until there is nothing left."""
        await until(lambda: (self.peers[link].read(), link.unblock())[1])

    def sequences(self, link: Link) -> list[Any]:
        """What the client has got: the sequence of an event, or from and to of a conflated one."""
        seen: list[Any] = []
        for frame in self.peers[link].frames():
            if frame["type"] == "event":
                seen.append(frame["event"]["sequence"])
            elif frame["type"] == "conflated":
                seen.append((frame["from"], frame["to"]))
        return seen


@pytest.fixture
async def fanout(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fanout]:
    """A sale of three lots, at sequence 4."""
    monkeypatch.setattr(channel_module, "TICK_S", 0.0)
    monkeypatch.setattr(sending_credit, "AT_ONCE_S", 1e9)
    with link_ends() as ends:
        made: list[Fanout] = []

        def on_ticked(_: Channel) -> None:
            made[0].told += 1

        def on_conflated(link: Link, _: Feed) -> None:
            made[0].conflated.append(link)

        channel = Channel(Feed(SALE), asyncio.get_running_loop(), on_ticked, on_conflated)
        made.append(Fanout(ends, channel, Room(a_lot("1"), a_lot("2"), a_lot("3"))))
        yield made[0]
        channel.close()


async def test_everybody_gets_every_event_once_and_in_order(fanout: Fanout) -> None:
    links = [await fanout.watch(encoding=encoding) for encoding in (AS_JSON, AS_MSGPACK, AS_JSON)]
    for count in (1, 3, 2):
        fanout.bids(count)
        await turns()
    for link in links:
        assert fanout.sequences(link) == [5, 6, 7, 8, 9, 10]
        assert fanout.channel.sequence_of(link) == 10


async def test_events_of_one_moment_are_one_write(fanout: Fanout) -> None:
    await fanout.watch()
    await turns()
    fanout.bids(5)
    await turns()
    assert fanout.channel.delivered == 1


async def test_the_first_event_goes_at_once_and_the_next_with_the_tick(
    fanout: Fanout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "TICK_S", 0.02)
    link = await fanout.watch()
    await turns()
    await until(lambda: fanout.channel._tick is None)
    loop = fanout.channel._loop
    await until(lambda: loop.time() > fanout.channel._ticked_at_s + 0.02)
    fanout.bids(1)
    await turns(3)
    assert fanout.sequences(link) == [5]
    fanout.bids(1)
    await turns(3)
    assert fanout.sequences(link) == []
    fanout.bids(1)
    await until(lambda: fanout.channel.delivered == 2)
    assert fanout.sequences(link) == [6, 7]


async def test_who_joins_gets_what_came_after_what_it_has(fanout: Fanout) -> None:
    first = await fanout.watch()
    fanout.bids(3)
    late = await fanout.watch(has=5)
    fanout.bids(1)
    await turns()
    assert fanout.sequences(first) == [5, 6, 7, 8]
    assert fanout.sequences(late) == [6, 7, 8]
    fanout.bids(1)
    await turns()
    assert fanout.sequences(late) == [9]


async def test_who_has_yet_to_read_its_snapshot_misses_nothing(fanout: Fanout) -> None:
    link, peer = await fanout.ends.link(fanout._blocked)
    fanout.peers[link] = peer
    fill(link)
    fanout.channel.add(Subscription(link, None, 4))
    await turns()
    fanout.bids(2)
    await turns()
    assert fanout.channel.sequence_of(link) == 4
    await fanout.read(link)
    await turns()
    fanout.bids(1)
    await turns()
    assert fanout.sequences(link) == [(5, 6), 7]


async def test_who_watches_chosen_lots_gets_these_and_what_is_about_the_sale(
    fanout: Fanout,
) -> None:
    second = await fanout.watch(frozenset({LotId("2")}))
    others = await fanout.watch(frozenset({LotId("1"), LotId("3")}))
    for lot in ("1", "2", "3", "2"):
        fanout.bids(1, lot)
    await turns()
    fanout.room.close("16:00")
    fanout.catch_up()
    await turns()
    assert fanout.room.sale.closed
    assert fanout.sequences(second) == [6, 8, 10, 12]
    assert fanout.sequences(others) == [5, 7, 9, 11, 12]
    assert fanout.channel.sequence_of(second) == 12


async def test_who_does_not_read_harms_nobody_and_skips_to_the_latest_state(
    fanout: Fanout,
) -> None:
    slow, healthy = await fanout.watch(), await fanout.watch()
    fanout.bids(1)
    await turns()
    fill(slow)
    fanout.bids(4)
    await turns()
    fanout.bids(4)
    await turns()
    assert fanout.channel.sequence_of(slow) == 5
    assert fanout.sequences(healthy) == [5, 6, 7, 8, 9, 10, 11, 12, 13]
    await fanout.read(slow)
    await turns()
    fanout.bids(1)
    await turns()
    assert fanout.sequences(slow) == [5, (6, 13), 14]
    assert fanout.conflated == [slow]


async def test_who_missed_nothing_while_it_did_not_read_goes_on_with_events(
    fanout: Fanout,
) -> None:
    slow = await fanout.watch()
    fill(slow)
    await fanout.read(slow)
    fanout.bids(2)
    await turns()
    assert fanout.sequences(slow) == [5, 6]


async def test_an_event_that_was_sent_in_part_is_not_sent_again(fanout: Fanout) -> None:
    slow = await fanout.watch()
    while slow.ready:
        fanout.bids(8)
        await turns()
    has = fanout.channel.sequence_of(slow)
    assert has == fanout.feed.sequence
    fanout.bids(1)
    await fanout.read(slow)
    await turns()
    assert fanout.sequences(slow) == [*range(5, has + 1), (has + 1, has + 1)]


@pytest.fixture
def slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks that write to one link at a time."""
    monkeypatch.setattr(channel_module, "SLICE", 1)


@pytest.mark.usefixtures("slices")
async def test_who_is_blocked_and_clear_again_within_a_tick_gets_nothing_twice(
    fanout: Fanout,
) -> None:
    links = [await fanout.watch() for _ in range(6)]
    await turns()
    fanout.bids(2)
    await turns(2)  # one or two were written to
    slow = links[-1]
    assert fanout.channel.sequence_of(links[0]) == 6
    assert fanout.channel.sequence_of(slow) == 4
    fill(slow)
    assert fanout.channel.sequence_of(slow) == 4
    slow_peer = fanout.peers[slow]
    while not slow.unblock():
        slow_peer.read()
        slow._transport._write_ready() if slow.left else None  # type: ignore[attr-defined]
    fanout.channel.cleared(slow)
    assert fanout.channel._busy, "the tick is over already"
    await turns()
    assert fanout.sequences(slow) == [(5, 6)]
    assert fanout.sequences(links[1]) == [5, 6]


@pytest.mark.usefixtures("slices")
async def test_who_leaves_within_a_tick_is_sent_nothing_more(fanout: Fanout) -> None:
    links = [await fanout.watch() for _ in range(5)]
    await turns()
    fanout.bids(1)
    await turns(2)
    fanout.channel.remove(links[3])
    links[4].die()
    fanout.channel.remove(links[4])
    await turns()
    assert [fanout.sequences(link) for link in links] == [[5], [5], [5], [], []]


@pytest.mark.usefixtures("slices")
async def test_who_leaves_and_comes_back_within_a_tick_gets_what_it_asked_for(
    fanout: Fanout,
) -> None:
    links = [await fanout.watch() for _ in range(5)]
    await turns()
    fanout.bids(2)
    await turns(2)
    fanout.channel.remove(links[4])
    fanout.channel.add(Subscription(links[4], None, 5))
    assert fanout.channel.sequence_of(links[4]) == 5
    await turns()
    assert fanout.sequences(links[4]) == [6]


@pytest.mark.usefixtures("slices")
async def test_what_happens_within_a_tick_goes_with_the_next(fanout: Fanout) -> None:
    links = [await fanout.watch() for _ in range(5)]
    await turns()
    fanout.bids(1)
    await turns(2)
    fanout.bids(1)
    await turns()
    assert [fanout.sequences(link) for link in links] == [[5, 6]] * 5


@pytest.mark.usefixtures("slices")
async def test_who_joins_within_a_tick_goes_with_the_next(fanout: Fanout) -> None:
    links = [await fanout.watch() for _ in range(5)]
    await turns()
    fanout.bids(1)
    await turns(2)
    late = await fanout.watch(has=4)
    fanout.bids(1)
    await turns()
    assert [fanout.sequences(link) for link in (*links, late)] == [[5, 6]] * 6


async def test_who_leaves_before_it_was_brought_up_is_sent_nothing(fanout: Fanout) -> None:
    joining, far = await fanout.watch(has=3), await fanout.watch()
    await turns()
    fill(far)
    fanout.bids(1)
    await turns()
    await fanout.readable(far)
    leaves = await fanout.watch(has=3)
    fanout.channel.cleared(far)
    fanout.channel.remove(leaves)
    fanout.channel.remove(far)
    fanout.bids(1)
    await turns()
    assert [fanout.sequences(link) for link in (joining, leaves, far)] == [[4, 5, 6], [], []]


@pytest.mark.usefixtures("slices")
async def test_who_was_said_goodbye_within_a_tick_is_sent_nothing_more(fanout: Fanout) -> None:
    links = [await fanout.watch() for _ in range(5)]
    await turns()
    fanout.bids(1)
    await turns(2)
    links[4].die()
    await turns()
    assert [fanout.sequences(link) for link in links] == [[5], [5], [5], [5], []]


async def test_who_is_very_far_behind_skips(
    fanout: Fanout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "MOST_BEHIND", 3)
    near, far = await fanout.watch(), await fanout.watch()
    await turns()
    fanout.bids(3)
    await turns()
    assert fanout.sequences(near) == [5, 6, 7]
    late = await fanout.watch(has=3)
    fanout.bids(4)
    await turns()
    fanout.bids(1)
    await turns()
    assert fanout.sequences(near) == [(8, 11), 12]
    assert fanout.sequences(far) == [5, 6, 7, (8, 11), 12]
    assert fanout.sequences(late) == [(4, 11), 12]


async def test_who_comes_to_be_far_behind_before_the_tick_skips_too(
    fanout: Fanout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "MOST_BEHIND", 3)
    fanout.bids(3)
    joining = await fanout.watch(has=6)
    fanout.bids(3)
    await turns()
    fanout.bids(1)
    await turns()
    assert fanout.sequences(joining) == [(7, 10), 11]


async def test_a_crowd_that_was_blocked_at_once_gets_the_same_bytes(
    fanout: Fanout, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    conflated_message = Feed.conflated_message

    def counted(self: Feed, since: int, lots: Lots, encoding: Encoding) -> bytes:
        made.append(since)
        return conflated_message(self, since, lots, encoding)

    monkeypatch.setattr(Feed, "conflated_message", counted)
    links = [await fanout.watch() for _ in range(4)]
    await turns()
    for link in links:
        fill(link)
    fanout.bids(3)
    await turns()
    for link in links:
        await fanout.readable(link)
    for link in links:
        fanout.channel.cleared(link)
    await turns()
    assert [fanout.sequences(link) for link in links] == [[(5, 7)]] * 4
    assert made == [4]


async def test_what_happens_while_a_crowd_catches_up_is_not_left_out(
    fanout: Fanout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "CATCH_UP_S", 0.0)
    links = [await fanout.watch() for _ in range(6)]
    await turns()
    for link in links:
        fill(link)
    fanout.bids(3)
    await turns()
    for link in links:
        await fanout.readable(link)
    for link in links:
        fanout.channel.cleared(link)
    while fanout.channel._far:
        fanout.bids(1)
        await turns(1)
    await turns()
    last = fanout.feed.sequence
    assert last > 8
    for link in links:
        (_, until), *events = fanout.sequences(link)
        assert events == list(range(until + 1, last + 1))


async def test_a_conflated_frame_holds_what_changed_and_nothing_else(fanout: Fanout) -> None:
    slow = await fanout.watch()
    fill(slow)
    fanout.bids(2, "2")
    await fanout.read(slow)
    await turns()
    frame = fanout.peers[slow].frames()[-1]
    assert [lot["lot_id"] for lot in frame["lots"]] == ["2"]
    assert frame["lots"][0]["price_minor"] == fanout.room.lot("2").price_minor
    assert frame["sale"]["hash"]


async def test_a_private_event_starts_no_tick_and_its_owner_is_told(fanout: Fanout) -> None:
    link = await fanout.watch()
    fanout.bids(1)
    await turns()
    ticked_at_s, told = (
        fanout.channel._ticked_at_s,
        fanout.told,
    )
    leader = fanout.room.lot().leader
    assert leader is not None
    fanout.room.bid(leader, 900_000_00)  # a raise, which rivals do not see
    fanout.catch_up()
    await turns()
    assert fanout.sequences(link) == [5]
    assert fanout.channel._ticked_at_s == ticked_at_s
    assert fanout.told == told + 1


async def test_a_tick_that_fails_cuts_off_who_watches_and_the_next_one_works(
    fanout: Fanout, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = await fanout.watch()
    await turns()

    def fails(*_: object) -> bytes:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(Feed, "messages", fails)
        fanout.bids(1)
        await turns()
    assert link.aborted
    fanout.channel.remove(link)
    other = await fanout.watch()
    fanout.bids(1)
    await turns()
    assert fanout.sequences(other) == [6]
