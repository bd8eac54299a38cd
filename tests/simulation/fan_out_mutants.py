"""Bugs planted in who is sent what: joining, ticks, conflated frames, resumes."""

from collections import OrderedDict
from contextlib import AbstractContextManager
from typing import Any, Final
from unittest.mock import patch

from auction.codec import Recorded
from bidder_gateway import following
from bidder_gateway.channel import Audience, Channel, Subscription
from bidder_gateway.encodings import Encoding
from bidder_gateway.feeds import Entry, Feed, Lots
from bidder_gateway.hub import Hub
from bidder_gateway.link import Link
from bidder_gateway.past import Past
from bidder_gateway.protocol import ServerFrame
from tests.simulation.mutants import Mutant

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


def a_tick_is_lost_when_something_comes_in_it() -> AbstractContextManager[object]:
    """What happens while a tick is under way waits for the next event."""
    go_on = Channel._go_on

    def forgetful(self: Channel) -> None:
        self._reached = self.feed.sequence
        go_on(self)

    return patch.object(Channel, "_go_on", forgetful)


# --- Conflated frames -------------------------------------------------------------------------


def conflated_begins_too_late() -> AbstractContextManager[object]:
    """``from`` is one too high."""
    message = Feed.conflated_message

    def off_by_one(self: Feed, since: int, lots: Lots, encoding: Encoding) -> bytes:
        return message(self, min(since + 1, self.sequence - 1), lots, encoding)

    return patch.object(Feed, "conflated_message", off_by_one)


def who_is_too_far_behind_has_everything() -> AbstractContextManager[object]:
    """When more comes at once than is sent event by event, all of it is skipped."""

    def dissolve(self: Channel, audience: Audience) -> None:
        for link in audience.links:
            subscription = self.subscriptions[link]
            subscription.behind = self.feed.sequence
            self._rejoin(subscription)

    return patch.object(Channel, "_dissolve", dissolve)


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


def a_page_of_the_past_begins_too_late() -> AbstractContextManager[object]:
    """The first event of what is read from the log for a resume is left out."""
    after = Past.after

    async def off_by_one(self: Past, feed: Feed, has: int) -> list[Entry] | None:
        page = await after(self, feed, has)
        return page if page is None or len(page) < 2 else page[1:]

    return patch.object(Past, "after", off_by_one)


def the_past_of_one_sale_is_that_of_all() -> AbstractContextManager[object]:
    """Pages that are kept are told apart by their number only."""

    class Pages(OrderedDict[Any, Any]):
        def get(self, key: Any, default: Any = None) -> Any:
            return next((page for known, page in self.items() if known[1] == key[1]), default)

        def move_to_end(self, key: Any, last: bool = True) -> None:
            """It may be another's."""

    init = Past.__init__

    def mixed(self: Past, log: Any) -> None:
        init(self, log)
        self._pages = Pages()

    return patch.object(Past, "__init__", mixed)


def goodbye_tells_where_the_sale_is() -> AbstractContextManager[object]:
    """Not where the client is."""
    return patch.object(Channel, "sequence_of", lambda self, link: self.feed.sequence)


FAN_OUT: Final[tuple[Mutant, ...]] = (
    who_joins_is_not_brought_up,
    who_clears_within_a_tick_gets_it_twice,
    who_is_blocked_within_a_tick_has_it_already,
    a_newcomer_that_has_yet_to_read_joins_at_once,
    who_leaves_is_still_brought_up,
    who_is_too_far_behind_has_everything,
    conflated_begins_too_late,
    a_lot_s_bytes_are_kept_though_it_changed,
    own_events_go_to_everybody,
    chosen_lots_without_the_sale,
    a_resume_leaves_one_out,
    a_resume_sends_one_again,
    a_page_of_the_past_begins_too_late,
    the_past_of_one_sale_is_that_of_all,
    goodbye_tells_where_the_sale_is,
    a_tick_is_lost_when_something_comes_in_it,
)
