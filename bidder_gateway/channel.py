"""Fan-out of one sale: everybody who watches it gets what happened, in order, without a gap.

Links that watch the same lots in the same encoding are one *audience*, and get the same bytes.
A tick takes all audiences to the latest event with one write a link, however many events that
holds. The first event after a pause starts its tick at once; the next one waits, so that sending
takes at most one part in ``DUTY`` of the time.

A link that joins, or that was blocked and is clear again, is *behind* an event of its own until
a tick brings it up and makes it a member; from then on it has what its audience has. So nobody
gets an event twice or not at all, however joining and sending interleave.
"""

import asyncio
import os
import time
from collections.abc import Callable

from msgspec import Struct, field

from auction.codec import Recorded
from bidder_gateway.encodings import Encoding
from bidder_gateway.feeds import Feed, Lots
from bidder_gateway.link import Link

# Links written to before the event loop gets a turn: about half a millisecond, for a bid that is
# judged meanwhile needs three turns.
SLICE = 64
# Between two ticks: an event is seen at most this much later, and a thousand bids a second are
# forty writes to each watcher.
TICK_S = 0.025
# The time between ticks is at least so many times what the last one took.
DUTY = 4
# Who is further behind than this gets what changed as one conflated frame. A tick of the busiest
# sale holds fewer events.
MOST_BEHIND = 1_024


class Audience(Struct, eq=False):
    """Links that watch the same lots in the same encoding; all have ``sequence``.

    While a tick is under way ``due`` have still to get ``sending``, and have ``before``.
    """

    lots: Lots
    encoding: Encoding
    sequence: int
    links: dict[Link, None] = field(default_factory=dict)
    before: int = 0
    sending: bytes = b""
    due: list[Link] = field(default_factory=list)


class Subscription(Struct, eq=False):
    """A link's interest in the sale. ``behind``: the sequence that it has, until it is a member.

    ``conflates``: whether it may skip to the latest state, as who was blocked does.
    """

    link: Link
    lots: Lots
    behind: int | None
    conflates: bool = False


class Channel:
    """One sale with everybody who watches it. ``on_ticked`` is called after each tick."""

    def __init__(
        self, feed: Feed, loop: asyncio.AbstractEventLoop, on_ticked: Callable[["Channel"], None]
    ) -> None:
        self.feed = feed
        self.subscriptions: dict[Link, Subscription] = {}
        self.delivered = 0
        self.conflated = 0
        self.ticked_at_s = -1.0
        # Events that somebody who is connected may see more of, since the last tick.
        self.owned: list[Recorded] = []
        self._audiences: dict[tuple[Lots, Encoding], Audience] = {}
        self._joining: dict[Link, Subscription] = {}
        self._loop, self._on_ticked = loop, on_ticked
        self._tick: asyncio.Handle | None = None
        self._took_s = 0.0

    def plan_tick(self) -> None:
        """Something is to be sent: at once, or when the time since the last tick is over."""
        if self._tick is not None:
            return
        wait_s = self.ticked_at_s + max(TICK_S, self._took_s * DUTY) - self._loop.time()
        if wait_s <= 0:
            self._tick = self._loop.call_soon(self._begin)
        else:
            self._tick = self._loop.call_later(wait_s, self._begin)

    def add(self, subscription: Subscription) -> None:
        """Take somebody in, who has everything up to ``behind``."""
        assert subscription.behind is not None, "a newcomer is behind"
        self.subscriptions[subscription.link] = subscription
        self._rejoin(subscription)

    def remove(self, link: Link) -> None:
        """Let somebody go, in the middle of a tick too."""
        subscription = self.subscriptions.pop(link)
        self._joining.pop(link, None)
        if subscription.behind is None:
            audience = self._audiences[subscription.lots, link.encoding]
            del audience.links[link]
            # A dead link is passed over anyway; looking for it would cost the tick's length.
            if audience.due and not link.dead and link in audience.due:
                audience.due.remove(link)

    def sequence_of(self, link: Link) -> int:
        """The last event that was sent to the link."""
        subscription = self.subscriptions[link]
        if subscription.behind is not None:
            return subscription.behind
        audience = self._audiences[subscription.lots, link.encoding]
        return audience.before if link in audience.due else audience.sequence

    def blocked(self, link: Link) -> None:
        """The link's socket is full: it is a member no more, and has what it has."""
        subscription = self.subscriptions[link]
        if subscription.behind is None:
            audience = self._audiences[subscription.lots, link.encoding]
            subscription.behind = self.sequence_of(link)
            del audience.links[link]  # if it is due too: what is not ready is passed over
        subscription.conflates = True
        self._joining.pop(link, None)

    def cleared(self, link: Link) -> None:
        """The link has read everything: the next tick brings it up."""
        self._rejoin(self.subscriptions[link])

    def _rejoin(self, subscription: Subscription) -> None:
        self._joining[subscription.link] = subscription
        self.plan_tick()

    def _begin(self) -> None:
        """Encode what is new, once for each audience; take those who join as members."""
        self.ticked_at_s = self._loop.time()
        began_s = time.perf_counter()
        feed = self.feed
        for key, audience in list(self._audiences.items()):
            if not audience.links:
                del self._audiences[key]
                continue
            audience.before = audience.sequence
            audience.sending = self._news(audience.sequence, audience.lots, audience.encoding)
            audience.due = list(audience.links) if audience.sending else []
            audience.sequence = feed.sequence
        joining, self._joining = self._joining, {}
        for subscription in joining.values():
            self._bring_up(subscription)
        self._took_s = time.perf_counter() - began_s
        self._go_on()

    def _news(self, since: int, lots: Lots, encoding: Encoding, conflate: bool = False) -> bytes:
        feed = self.feed
        missing = feed.sequence - since
        if not missing:
            return b""
        if conflate or missing > MOST_BEHIND or not feed.in_memory(since):
            self.conflated += 1
            return encoding.frame(feed.conflated(since, lots))
        return feed.messages(since, feed.sequence, lots, encoding)

    def _bring_up(self, subscription: Subscription) -> None:
        link, lots, behind = subscription.link, subscription.lots, subscription.behind
        assert behind is not None, "who joins is behind"
        if link.dead:
            return
        data = self._news(behind, lots, link.encoding, subscription.conflates)
        subscription.behind = None
        subscription.conflates = False
        key = (lots, link.encoding)
        audience = self._audiences.get(key)
        if audience is None:
            audience = self._audiences[key] = Audience(*key, self.feed.sequence)
        audience.links[link] = None
        if data:
            link.write(data)  # if that blocks it, `blocked` takes it out again

    def _go_on(self) -> None:
        """Send to the next links, then let others have the event loop."""
        began_s = time.perf_counter()
        left = SLICE
        for audience in self._audiences.values():
            if audience.due:
                links, audience.due = audience.due[:left], audience.due[left:]
                self._send(audience.sending, links)
                left -= len(links)
                if left <= 0:
                    break
        self._took_s += time.perf_counter() - began_s
        if left <= 0:
            self._tick = self._loop.call_soon(self._go_on)
            return
        self._tick = None
        self._on_ticked(self)
        latest = self.feed.sequence
        if self._joining or any(a.sequence != latest for a in self._audiences.values()):
            self.plan_tick()

    def _send(self, data: bytes, links: list[Link]) -> None:
        """The hot loop: one system call a link."""
        write, size = os.write, len(data)
        for link in links:
            if not link.ready or link.closing():
                continue
            try:
                sent = write(link.fd, data)
            except BlockingIOError:
                sent = 0
            except OSError:  # the client is gone; its reader takes it away
                link.die()
                continue
            if sent != size:
                link.block(data, sent)
        self.delivered += len(links)
