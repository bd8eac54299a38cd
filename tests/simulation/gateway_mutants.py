"""Bugs planted in the gateway on purpose. Some of them it has had; each must be found."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from unittest.mock import patch

import bidder_gateway.hub
import bidder_gateway.sending
from auction.codec import Recorded
from bidder_gateway import following
from bidder_gateway.channel import Audience, Channel, Subscription
from bidder_gateway.encodings import Encoding
from bidder_gateway.feeds import Entry, Feed, Lots
from bidder_gateway.hub import Hub
from bidder_gateway.link import Link
from bidder_gateway.protocol import ServerFrame
from tests.simulation.gateway_run import simulate_gateway
from tests.simulation.mutants import Discovery
from tests.simulation.wires import Wire

Mutant = Callable[[], AbstractContextManager[object]]


# --- Joining, blocked, clear ------------------------------------------------------------------


def who_joins_is_not_brought_up() -> AbstractContextManager[object]:
    """A member from the next event on, whatever was missed until then."""
    bring_up = Channel._bring_up

    def late(self: Channel, subscription: Subscription) -> None:
        subscription.behind = self.feed.sequence
        bring_up(self, subscription)

    return patch.object(Channel, "_bring_up", late)


def who_clears_within_a_tick_gets_it_twice() -> AbstractContextManager[object]:
    """Who leaves an audience while a tick is under way stays due in it."""

    def leave(self: Audience, link: Link) -> None:
        del self.links[link]

    return patch.object(Audience, "leave", leave)


def who_is_blocked_within_a_tick_has_it_already() -> AbstractContextManager[object]:
    """The event that it was due is counted as sent."""
    return patch.object(Audience, "has", lambda self, link: self.sequence)


def a_newcomer_that_has_yet_to_read_joins_at_once() -> AbstractContextManager[object]:
    """A member whose socket is full is passed over by every tick."""

    def add(self: Channel, subscription: Subscription) -> None:
        self.subscriptions[subscription.link] = subscription
        self._rejoin(subscription)

    return patch.object(Channel, "add", add)


def who_leaves_is_still_brought_up() -> AbstractContextManager[object]:
    """Who stops following before the next tick joins nevertheless."""
    remove = Channel.remove

    def forgetful(self: Channel, link: Link) -> None:
        joining = dict(self._joining)
        remove(self, link)
        self._joining = joining

    return patch.object(Channel, "remove", forgetful)


# --- Conflated frames -------------------------------------------------------------------------


def conflated_begins_too_late() -> AbstractContextManager[object]:
    """``from`` is one too high."""
    message = Feed.conflated_message

    def off_by_one(self: Feed, since: int, lots: Lots, encoding: Encoding) -> bytes:
        return message(self, min(since + 1, self.sequence - 1), lots, encoding)

    return patch.object(Feed, "conflated_message", off_by_one)


def a_lot_s_bytes_are_kept_though_it_changed() -> AbstractContextManager[object]:
    """Snapshots and conflated frames show lots as they were first encoded."""
    take = Feed.take

    def careless(self: Feed, recorded: Recorded) -> bool:
        kept = {encoding: dict(known) for encoding, known in self._lots.items()}
        new = take(self, recorded)
        self._lots = kept
        return new

    return patch.object(Feed, "take", careless)


# --- Who sees what ----------------------------------------------------------------------------


def own_events_go_to_everybody() -> AbstractContextManager[object]:
    """What only a bidder may see of its events goes to all who follow the sale."""

    def tell(self: Hub, bidder_id: Any, frame: ServerFrame, sale_id: Any = None) -> None:
        for link, sales in self._watching.items():
            if sale_id in sales:
                link.write(link.encoding.frame(frame))

    return patch.object(Hub, "tell", tell)


def chosen_lots_without_the_sale() -> AbstractContextManager[object]:
    """Who follows chosen lots is not told of what concerns the sale as a whole."""

    def concerns(self: Entry, lots: Lots) -> bool:
        return lots is None or self.lot_id in lots

    return patch.object(Entry, "concerns", concerns)


# --- Resuming ---------------------------------------------------------------------------------


def a_resume_leaves_one_out() -> AbstractContextManager[object]:
    """It goes on after the event that follows the last one seen."""
    bring_up = following.Following._bring_up

    async def off_by_one(self: Any, link: Link, feed: Feed, lots: Lots, has: int) -> int | None:
        return await bring_up(self, link, feed, lots, min(has + 1, feed.sequence))

    return patch.object(following.Following, "_bring_up", off_by_one)


def a_resume_sends_one_again() -> AbstractContextManager[object]:
    """It goes on with the last event seen."""
    bring_up = following.Following._bring_up

    async def off_by_one(self: Any, link: Link, feed: Feed, lots: Lots, has: int) -> int | None:
        return await bring_up(self, link, feed, lots, max(has - 1, 0))

    return patch.object(following.Following, "_bring_up", off_by_one)


def goodbye_tells_where_the_sale_is() -> AbstractContextManager[object]:
    """Not where the client is."""
    return patch.object(Channel, "sequence_of", lambda self, link: self.feed.sequence)


# --- The bus ----------------------------------------------------------------------------------


@contextmanager
def a_gap_of_the_bus_is_ignored() -> Iterator[None]:
    """What follows a lost batch is passed over until something fits again."""
    real = Hub._take

    def take(self: Hub, sale: Any, recorded: Recorded) -> None:
        if not sale.loaded or recorded.sequence in (None, sale.channel.feed.sequence + 1):
            real(self, sale, recorded)

    with (
        patch.object(Hub, "_take", take),
        patch.object(Hub, "_read_missed", lambda self, shard: None),
    ):
        yield


def the_last_batch_is_not_looked_for() -> AbstractContextManager[object]:
    """A batch that the bus lost is missed until the next one comes."""

    async def never(self: Hub) -> None:
        """Trust the bus."""

    return patch.object(Hub, "look_for_missed", never)


def what_is_heard_while_reading_is_dropped() -> AbstractContextManager[object]:
    """The log was read, so what came meanwhile is taken for known."""
    real = Hub._take

    def take(self: Hub, sale: Any, recorded: Recorded) -> None:
        if sale.loaded:
            real(self, sale, recorded)

    return patch.object(Hub, "_take", take)


def owners_are_not_told_of_what_was_missed() -> AbstractContextManager[object]:
    """Events that are read after a gap are told in public only."""
    fold = Hub._fold

    def quietly(self: Hub, sale: Any, recorded: Recorded) -> None:
        people = self._people
        if not sale.loaded:
            self._people = {}
        try:
            fold(self, sale, recorded)
        finally:
            self._people = people

    return patch.object(Hub, "_fold", quietly)


def a_broken_event_is_an_error_of_the_bus() -> AbstractContextManager[object]:
    """A batch that does not fit makes the bus drop the gateway."""

    def read_missed(self: Hub, shard: Any) -> None:
        raise AssertionError("a gap")

    return patch.object(Hub, "_read_missed", read_missed)


# --- Bounds and sockets -----------------------------------------------------------------------


def what_waits_has_no_bound() -> AbstractContextManager[object]:
    """Personal frames for who does not read are kept for ever."""

    def wait(self: Link, data: bytes) -> None:
        assert self._waiting is not None
        self._waiting_bytes += len(data)
        self._waiting.append(data)

    return patch.object(Link, "_wait", wait)


def who_does_not_read_is_waited_for() -> AbstractContextManager[object]:
    """A full link is never dropped."""
    return patch.object(bidder_gateway.hub, "STALLED_S", 1e9)


def a_closed_socket_is_written_to() -> AbstractContextManager[object]:
    """A link is not told that its connection is lost: its number may be another's."""

    def lost(self: Wire) -> None:
        if not self.ended:
            self._end()
        self._wake()

    return patch.object(Wire, "_lost", lost)


def a_part_of_a_message_is_sent_again() -> AbstractContextManager[object]:
    """What the socket took of a message is handed to the transport too."""
    took = Link.took

    def whole(self: Link, data: bytes, sent: int) -> None:
        took(self, data, min(sent, 0))

    return patch.object(Link, "took", whole)


def who_is_said_goodbye_is_still_sent_events() -> AbstractContextManager[object]:
    """A connection that was ended stays a member until the client has answered."""
    return patch.object(Link, "die", lambda self: None)


def a_tick_is_lost_when_something_comes_in_it() -> AbstractContextManager[object]:
    """What happens while a tick is under way waits for the next event."""
    go_on = Channel._go_on

    def forgetful(self: Channel) -> None:
        self._reached = self.feed.sequence
        go_on(self)

    return patch.object(Channel, "_go_on", forgetful)


def two_writers() -> AbstractContextManager[object]:
    """Personal frames do not wait for the rest of what is being sent."""
    write = Link.write

    def eager(self: Link, data: bytes) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None or self.dead:
            self._waiting = waiting
            write(self, data)
            return
        bidder_gateway.sending.send(self.fd, data)
        self._waiting = waiting

    return patch.object(Link, "write", eager)


MUTANTS: Final[dict[str, Mutant]] = {
    mutant.__name__: mutant
    for mutant in (
        who_joins_is_not_brought_up,
        who_clears_within_a_tick_gets_it_twice,
        who_is_blocked_within_a_tick_has_it_already,
        a_newcomer_that_has_yet_to_read_joins_at_once,
        who_leaves_is_still_brought_up,
        conflated_begins_too_late,
        a_lot_s_bytes_are_kept_though_it_changed,
        own_events_go_to_everybody,
        chosen_lots_without_the_sale,
        a_resume_leaves_one_out,
        a_resume_sends_one_again,
        goodbye_tells_where_the_sale_is,
        a_gap_of_the_bus_is_ignored,
        the_last_batch_is_not_looked_for,
        what_is_heard_while_reading_is_dropped,
        owners_are_not_told_of_what_was_missed,
        a_broken_event_is_an_error_of_the_bus,
        what_waits_has_no_bound,
        who_does_not_read_is_waited_for,
        a_closed_socket_is_written_to,
        a_part_of_a_message_is_sent_again,
        who_is_said_goodbye_is_still_sent_events,
        a_tick_is_lost_when_something_comes_in_it,
        two_writers,
    )
}

# Found, but only in one run of several.
SHY: Final = frozenset(
    mutant.__name__
    for mutant in (
        the_last_batch_is_not_looked_for,
        what_is_heard_while_reading_is_dropped,
        owners_are_not_told_of_what_was_missed,
        a_closed_socket_is_written_to,
        a_tick_is_lost_when_something_comes_in_it,
    )
)


def find(job: tuple[str, int]) -> tuple[str, Discovery | None]:
    """Plant a bug by its name, and run seeds from 0 on until one finds it, at most so many."""
    name, seeds = job
    for seed in range(seeds):
        with MUTANTS[name]():
            broken = simulate_gateway(seed, until_broken=True).broken
        if broken:
            invariants = sorted({invariant for invariant, _ in broken})
            return name, Discovery(seed, broken[0], invariants)
    return name, None
