"""Fan-out of one sale: everybody who watches it gets what happened, in order, without a gap.

Links that watch the same lots in the same encoding are one *audience*, and get the same bytes.
A tick takes all audiences to the latest event with one write a link, however many events that
holds. The first event after a pause is sent at once, to thousands too; what follows is spread over
time in slices, by a credit of time (`sending_credit`).

A link that joins, or that was blocked and is clear again, is *behind* an event of its own until
a tick brings it up and makes it a member; from then on it has what its audience has. So nobody
gets an event twice or not at all, however joining and sending interleave. Who is far behind gets
one conflated frame first, between ticks, because making them for a crowd takes long.

Private events start no tick: when rivals are written to, or pinged, must not tell of them.

A tick that fails (a defect) cuts off those who watch: they come back and resume.
"""

import asyncio
import time
from collections.abc import Callable

import structlog
from msgspec import Struct, field

from auction.codec import Recorded
from bidder_gateway.encodings import Encoding
from bidder_gateway.feeds import Feed, Lots
from bidder_gateway.link import Link
from bidder_gateway.sending import SEND_ALL
from bidder_gateway.sending_credit import SendingCredit

# Links written to before the event loop gets a turn: about a millisecond.
SLICE = 128
# Between two ticks: an event is seen at most this much later, and a thousand bids a second are
# forty writes to each watcher.
TICK_S = 0.025
# Who is further behind than this gets what changed as one conflated frame. A tick of the busiest
# sale holds fewer events.
MOST_BEHIND = 1_024
# Bringing up those who are far behind, before the event loop gets a turn.
CATCH_UP_S = 0.001

_logger = structlog.get_logger(__name__)


class Audience(Struct, eq=False):
    """Links that watch the same lots in the same encoding; all have ``sequence``.

    While a tick is under way, those in ``due`` from ``done`` on have still to get ``sending``, and
    have ``before``; but not who is ``gone``, blocked or no longer interested.
    """

    lots: Lots
    encoding: Encoding
    sequence: int
    links: dict[Link, None] = field(default_factory=dict)
    before: int = 0
    sending: bytes = b""
    due: list[Link] = field(default_factory=list)
    done: int = 0
    gone: set[Link] = field(default_factory=set)
    places: dict[Link, int] | None = None  # in ``due``, once somebody has asked

    def begin(self, sending: bytes, sequence: int) -> bool:
        """Have everybody due to get these bytes; whether there is anybody."""
        self.before, self.sequence, self.sending = self.sequence, sequence, sending
        self.due, self.done = list(self.links) if sending else [], 0
        self.gone.clear()
        self.places = None
        return bool(self.due)

    def has(self, link: Link) -> int:
        """The last event that was sent to a member."""
        if self.done >= len(self.due):
            return self.sequence
        if self.places is None:
            self.places = {due: place for place, due in enumerate(self.due)}
        return self.before if self.places.get(link, -1) >= self.done else self.sequence

    def leave(self, link: Link) -> None:
        """A member no more, in the middle of a tick too: it must not get what is still due."""
        del self.links[link]
        if self.done < len(self.due):
            self.gone.add(link)

    def next_due(self, most: int) -> list[Link]:
        """Who is written to next, at most so many."""
        links = self.due[self.done : self.done + most]
        self.done += len(links)
        if self.gone:
            links = [link for link in links if link not in self.gone]
        if self.done == len(self.due):
            self.due, self.done, self.places = [], 0, None
        return links


class Subscription(Struct, eq=False):
    """A link's interest in the sale. ``behind``: the sequence that it has, until it is a member.

    ``conflates``: whether it may skip to the latest state, as who was blocked does.
    """

    link: Link
    lots: Lots
    behind: int | None
    conflates: bool = False


class Channel:
    """One sale with everybody who watches it.

    ``on_ticked`` is called after each tick, and soon after an event that starts none;
    ``on_conflated`` with each link that skipped to the latest state.
    """

    def __init__(
        self,
        feed: Feed,
        loop: asyncio.AbstractEventLoop,
        on_ticked: Callable[["Channel"], None],
        on_conflated: Callable[[Link, Feed], None],
    ) -> None:
        self.feed = feed
        self.subscriptions: dict[Link, Subscription] = {}
        self.delivered = 0
        self.conflated = 0
        # Events that somebody who is connected may see more of, and was not told of yet.
        self.owned: list[Recorded] = []
        self._audiences: dict[tuple[Lots, Encoding], Audience] = {}
        self._busy: list[Audience] = []  # of the tick under way: those with somebody who is due
        self._joining: dict[Link, Subscription] = {}
        self._far: dict[Link, Subscription] = {}  # who gets a conflated frame before joining
        # Conflated frames by what they begin after, at this sequence: a crowd that was blocked at
        # once comes back at once.
        self._frames: dict[tuple[int, Lots, Encoding], bytes] = {}
        self._frames_at = 0
        self._loop, self._on_ticked, self._on_conflated = loop, on_ticked, on_conflated
        self._tick: asyncio.Handle | None = None
        self._telling: asyncio.Handle | None = None
        self._catching_up: asyncio.Handle | None = None
        self._ticked_at_s = -1.0
        self._reached = 0
        self._credit = SendingCredit(loop.time())

    def plan_tick(self) -> None:
        """Something is to be sent: at once, or when the time since the last tick is over."""
        if self._tick is not None:
            return
        wait_s = self._ticked_at_s + TICK_S - self._loop.time()
        if wait_s <= 0:
            self._tick = self._loop.call_soon(self._safely, self._begin)
        else:
            self._tick = self._loop.call_later(wait_s, self._safely, self._begin)

    def plan_telling(self) -> None:
        """Somebody is to be told of an own event: after the tick that is to come, or else soon."""
        if self._tick is None and self._telling is None:
            self._telling = self._loop.call_soon(self._safely, self._tell)

    def close(self) -> None:
        """Nothing is sent any more."""
        for handle in (self._tick, self._telling, self._catching_up):
            if handle is not None:
                handle.cancel()

    # Who watches.

    def add(self, subscription: Subscription) -> None:
        """Take somebody in, who has everything up to ``behind``.

        Who has yet to read its snapshot is as one that was blocked: ``cleared`` is called later.
        """
        assert subscription.behind is not None, "a newcomer is behind"
        self.subscriptions[subscription.link] = subscription
        if subscription.link.clear:
            self._rejoin(subscription)
        else:
            subscription.conflates = True

    def remove(self, link: Link) -> None:
        """Let somebody go, in the middle of a tick too."""
        subscription = self.subscriptions.pop(link)
        self._joining.pop(link, None)
        self._far.pop(link, None)
        if subscription.behind is None:
            self._audience_of(subscription).leave(link)

    def sequence_of(self, link: Link) -> int:
        """The last event that was sent to the link."""
        subscription = self.subscriptions[link]
        if subscription.behind is not None:
            return subscription.behind
        return self._audience_of(subscription).has(link)

    def blocked(self, link: Link) -> None:
        """The link's socket is full: it is a member no more, and has what it has."""
        subscription = self.subscriptions[link]
        if subscription.behind is None:
            subscription.behind = self.sequence_of(link)
            self._audience_of(subscription).leave(link)
        subscription.conflates = True
        self._joining.pop(link, None)
        self._far.pop(link, None)

    def cleared(self, link: Link) -> None:
        """The link has read everything: it is brought up."""
        self._rejoin(self.subscriptions[link])

    def _audience_of(self, subscription: Subscription) -> Audience:
        return self._audiences[subscription.lots, subscription.link.encoding]

    def _rejoin(self, subscription: Subscription) -> None:
        if not self._is_far(subscription):
            subscription.conflates = False  # what comes from here on, it has not missed
            self._joining[subscription.link] = subscription
            self.plan_tick()
            return
        self._far[subscription.link] = subscription
        if self._catching_up is None:
            self._catching_up = self._loop.call_soon(self._safely, self._catch_up)

    def _is_far(self, subscription: Subscription) -> bool:
        assert subscription.behind is not None, "who joins is behind"
        missing = self.feed.sequence - subscription.behind
        return missing > 0 and (subscription.conflates or not self._in_reach(subscription.behind))

    def _in_reach(self, sequence: int) -> bool:
        """Whether what came after it is sent event by event."""
        near = self.feed.sequence - sequence <= MOST_BEHIND
        return near and self.feed.in_memory(sequence)

    def _catch_up(self) -> None:
        """Take who is far behind to the latest event; the next tick makes them members."""
        until_s = self._loop.time() + CATCH_UP_S
        while self._far:
            link = next(iter(self._far))
            subscription = self._far.pop(link)
            if link.dead:
                continue
            data = self._conflated(subscription)
            subscription.behind = self.feed.sequence
            self._rejoin(subscription)
            link.write(data)  # if that blocks it, `blocked` takes it out again
            self._on_conflated(link, self.feed)
            if self._loop.time() >= until_s:
                break
        self._catching_up = None
        if self._far:
            self._catching_up = self._loop.call_soon(self._safely, self._catch_up)
        else:
            self._frames.clear()

    def _conflated(self, subscription: Subscription) -> bytes:
        feed, encoding = self.feed, subscription.link.encoding
        if self._frames_at != feed.sequence:
            self._frames.clear()
            self._frames_at = feed.sequence
        assert subscription.behind is not None, "who is far behind is behind"
        key = (subscription.behind, subscription.lots, encoding)
        frame = self._frames.get(key)
        if frame is None:
            frame = feed.conflated_message(subscription.behind, subscription.lots, encoding)
            self._frames[key] = frame
        self.conflated += 1
        return frame

    # Ticks.

    def _begin(self) -> None:
        """Encode what is new, once for each audience; take those who join as members."""
        began_s = time.thread_time()
        self._ticked_at_s = self._loop.time()
        feed = self.feed
        self._reached = feed.sequence
        for key, audience in list(self._audiences.items()):
            if not audience.links:
                del self._audiences[key]
            elif not self._in_reach(audience.sequence):
                del self._audiences[key]
                self._dissolve(audience)
            else:
                news = self._news(audience.sequence, audience.lots, audience.encoding)
                if audience.begin(news, feed.sequence):
                    self._busy.append(audience)
        joining, self._joining = self._joining, {}
        for subscription in joining.values():
            self._bring_up(subscription)
        self._credit.spend(time.thread_time() - began_s, self._loop.time())
        self._go_on()

    def _news(self, since: int, lots: Lots, encoding: Encoding) -> bytes:
        if since == self.feed.sequence:
            return b""
        return self.feed.messages(since, self.feed.sequence, lots, encoding)

    def _dissolve(self, audience: Audience) -> None:
        """More has come at once than is sent event by event: everybody skips to the latest."""
        for link in audience.links:
            subscription = self.subscriptions[link]
            subscription.behind = audience.sequence
            self._rejoin(subscription)

    def _bring_up(self, subscription: Subscription) -> None:
        link, lots, behind = subscription.link, subscription.lots, subscription.behind
        assert behind is not None, "who joins is behind"
        if link.dead:
            return
        if self._is_far(subscription):  # by now
            self._rejoin(subscription)
            return
        data = self._news(behind, lots, link.encoding)
        subscription.behind = None
        key = (lots, link.encoding)
        audience = self._audiences.get(key)
        if audience is None:
            audience = self._audiences[key] = Audience(*key, self.feed.sequence)
        audience.links[link] = None
        if data:
            link.write(data)  # if that blocks it, `blocked` takes it out again

    def _go_on(self) -> None:
        """Send to the next links, then let others have the event loop."""
        began_s = time.thread_time()
        left = SLICE
        while self._busy and left > 0:
            audience = self._busy[-1]
            links = audience.next_due(left)
            if not audience.due:
                self._busy.pop()
            left -= len(links)
            self._send(audience.sending, links)
        self._credit.spend(time.thread_time() - began_s, self._loop.time())
        if self._busy:
            self._tick = self._loop.call_later(self._credit.wait_s, self._safely, self._go_on)
            return
        self._tick = None
        self._tell()
        if self._joining or (self._audiences and self.feed.sequence != self._reached):
            self.plan_tick()

    def _tell(self) -> None:
        self._telling = None
        self._on_ticked(self)

    def _send(self, data: bytes, links: list[Link]) -> None:
        """One system call a link, and hardly anything besides."""
        fds = [link.fd for link in links if link.ready]
        for at, sent in SEND_ALL(fds, data):
            by_fd = {link.fd: link for link in links if link.ready}  # seldom
            by_fd[fds[at]].took(data, sent)
        self.delivered += len(links)

    def _safely(self, step: Callable[[], None]) -> None:
        """What the event loop calls: a failure must not leave everybody waiting for a tick."""
        try:
            step()
        except Exception:  # a defect: who watches comes back and resumes, the log tells us
            _logger.exception("tick_failed", sale_id=self.feed.sale_id)
            self.close()
            self._tick = self._telling = self._catching_up = None
            self._busy.clear()
            for link in list(self.subscriptions):
                link.abort()
