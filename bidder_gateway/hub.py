"""Everybody who is connected, and every sale that somebody watches.

``hear`` is called with every durable batch; each sale has a `Feed` of it and a `Channel` to those
who watch. A sale is read from the log when somebody asks for it, and whatever the bus skips is
read from there too. Nobody waits for anybody: a link that is full leaves its channels and catches
up by itself; one that does not read for ``STALLED_S`` is dropped, and resumes when it comes back.

What a crash leaves: nothing. Clients come back and resume from the log.
"""

import asyncio
from collections.abc import Iterable, Sequence

import structlog
from msgspec import Struct

from auction.codec import Recorded
from auction.ids import BidderId, PersonId, SaleId, Shard, shard_of
from auction.ports import EventLog
from auction.replica import read_on
from auction.views import Viewer, view
from bidder_gateway.channel import Channel, Subscription
from bidder_gateway.encodings import Encoding
from bidder_gateway.feeds import Feed, Lots
from bidder_gateway.link import Link
from bidder_gateway.protocol import Own, ServerFrame

# How often links that are full are looked at.
LOOK_S = 0.02
# A link that was full for so long is dropped.
STALLED_S = 8.0
# A sale that nobody watches is forgotten after this time.
FORGET_AFTER_S = 600.0
# Between tries to read a sale that is being watched.
RETRY_S = 1.0
# Events that may come while a sale is being read; beyond, it is read on instead.
MAX_HELD = 10_000

_logger = structlog.get_logger(__name__)


class Figures(Struct):
    """What the hub has done, for /metrics."""

    stalled: int = 0
    feeds_read: int = 0
    events_missed: int = 0
    delivered_before: int = 0  # by channels that are gone


class _Sale:
    """A channel, and how its feed comes to be."""

    def __init__(self, channel: Channel, now_s: float) -> None:
        self.channel = channel
        self.loaded = False
        self.held: list[Recorded] = []  # heard while the log is being read
        self.reading: asyncio.Task[None] | None = None
        self.idle_since_s = now_s


class Hub:
    """The links and channels of this process; all of it runs on one event loop."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._sales: dict[SaleId, _Sale] = {}
        self._heard: dict[Shard, int] = {}
        self._watching: dict[Link, dict[SaleId, Channel]] = {}
        self._bidders: dict[Link, BidderId] = {}
        self._people: dict[BidderId, dict[Link, None]] = {}
        self._persons: dict[Link, PersonId] = {}
        self._links_of: dict[PersonId, dict[Link, None]] = {}
        self._full: dict[Link, float] = {}
        self._cleared: dict[Link, asyncio.Future[None]] = {}
        self._looking: asyncio.TimerHandle | None = None
        self.figures = Figures()

    # What happened.

    def hear(self, shard: Shard, recorded: Sequence[Recorded]) -> None:
        """Take a durable batch, as the bus announces it."""
        heard = self._heard.get(shard)
        if heard is not None and recorded[0].position > heard + 1:
            self._read_missed(shard)
        self._heard[shard] = recorded[-1].position
        for one in recorded:
            sale = self._sales.get(one.sale_id)
            if sale is not None:
                self._take(sale, one)

    def _take(self, sale: _Sale, recorded: Recorded) -> None:
        if not sale.loaded:
            if len(sale.held) < MAX_HELD:
                sale.held.append(recorded)
            return
        channel = sale.channel
        if channel.feed.take(recorded):
            if getattr(recorded.event, "bidder_id", None) in self._people:
                channel.owned.append(recorded)
            channel.plan_tick()

    def _read_missed(self, shard: Shard) -> None:
        """The bus skipped something: the sales of the shard read it from the log."""
        for sale_id, sale in self._sales.items():
            if shard_of(sale_id) == shard and sale.loaded:
                self.figures.events_missed += 1
                _logger.warning("sale_reads_what_was_missed", sale_id=sale_id)
                sale.loaded = False
                self._start_reading(sale)

    # Sales.

    async def feed(self, sale_id: SaleId) -> Feed | None:
        """The feed of a sale, read from the log first if need be; ``None``: no such sale.

        Raises what reading the log raises.
        """
        sale = self._sales.get(sale_id)
        if sale is None:
            channel = Channel(Feed(sale_id), self._loop, self._tell_owners)
            sale = self._sales[sale_id] = _Sale(channel, self._loop.time())
        sale.idle_since_s = self._loop.time()
        if not sale.loaded:
            reading = sale.reading or self._start_reading(sale)
            await asyncio.shield(reading)
        if not sale.channel.feed.replica.exists:
            self._forget(sale_id, sale)
            return None
        return sale.channel.feed

    def _start_reading(self, sale: _Sale) -> "asyncio.Task[None]":
        sale.reading = self._loop.create_task(self._read(sale), name="read a sale")
        sale.reading.add_done_callback(lambda reading: self._read_again(sale, reading))
        return sale.reading

    def _read_again(self, sale: _Sale, reading: "asyncio.Task[None]") -> None:
        """Who watches a sale that could not be read waits for the next try, not for ever."""
        error = None if reading.cancelled() else reading.exception()
        if error is not None:
            _logger.warning("sale_not_read", sale_id=sale.channel.feed.sale_id, error=repr(error))
            if sale.channel.subscriptions:
                self._loop.call_later(RETRY_S, self._start_reading, sale)

    async def _read(self, sale: _Sale) -> None:
        feed = sale.channel.feed
        try:
            while chunk := await read_on(self._log, feed.replica):
                for recorded in chunk:
                    feed.take(recorded)
            # What was durable before this began has been read; what came since is held. If more
            # came than is held, the log has it.
            while len(sale.held) >= MAX_HELD:
                sale.held.clear()
                while chunk := await read_on(self._log, feed.replica):
                    for recorded in chunk:
                        feed.take(recorded)
            for recorded in sale.held:
                feed.take(recorded)
            sale.loaded = True
            self.figures.feeds_read += 1
            sale.channel.plan_tick()
        finally:
            sale.held.clear()
            sale.reading = None

    def _forget(self, sale_id: SaleId, sale: _Sale) -> None:
        if self._sales.get(sale_id) is sale and not sale.channel.subscriptions:
            self.figures.delivered_before += sale.channel.delivered
            del self._sales[sale_id]

    def forget_idle(self) -> None:
        """Let go of sales that nobody has watched for a while."""
        before_s = self._loop.time() - FORGET_AFTER_S
        for sale_id, sale in list(self._sales.items()):
            if sale.loaded and sale.idle_since_s < before_s:
                self._forget(sale_id, sale)

    # Those who are connected.

    def enter(
        self, link: Link, bidder_id: BidderId | None, person_id: PersonId | None = None
    ) -> None:
        """A client has said hello; ``None``: nobody in particular."""
        self._watching[link] = {}
        if person_id is not None:
            self._links_of.setdefault(person_id, {})[link] = None
            self._persons[link] = person_id
        if bidder_id is not None:
            self._people.setdefault(bidder_id, {})[link] = None
            self._bidders[link] = bidder_id

    def leave(self, link: Link) -> None:
        """A client is gone."""
        link.die()
        for sale_id in list(self._watching.get(link, ())):
            self.unfollow(link, sale_id)
        self._watching.pop(link, None)
        self._full.pop(link, None)
        waiter = self._cleared.pop(link, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
        bidder_id = self._bidders.pop(link, None)
        if bidder_id is not None:
            links = self._people[bidder_id]
            del links[link]
            if not links:
                del self._people[bidder_id]
        person_id = self._persons.pop(link, None)
        if person_id is not None:
            links = self._links_of[person_id]
            del links[link]
            if not links:
                del self._links_of[person_id]

    def follow(self, link: Link, sale_id: SaleId, lots: Lots, has: int) -> None:
        """Send what comes after the event ``has`` of a sale whose feed is loaded."""
        sale = self._sales[sale_id]
        self._watching[link][sale_id] = sale.channel
        sale.channel.add(Subscription(link, lots, has))

    def unfollow(self, link: Link, sale_id: SaleId) -> bool:
        """Send nothing more of a sale; whether it was followed."""
        channel = self._watching.get(link, {}).pop(sale_id, None)
        if channel is None:
            return False
        channel.remove(link)
        if not channel.subscriptions:
            self._sales[sale_id].idle_since_s = self._loop.time()
        return True

    def followed(self, link: Link) -> dict[SaleId, int]:
        """For each sale that the link follows the last event that was sent to it."""
        channels = self._watching.get(link, {})
        return {sale_id: channel.sequence_of(link) for sale_id, channel in channels.items()}

    def last_sent_s(self, link: Link) -> float:
        """When something was last sent to everybody in one of the link's sales, by loop time."""
        channels = self._watching.get(link, {}).values()
        return max((channel.ticked_at_s for channel in channels), default=-1.0)

    def tell(self, bidder_id: BidderId, frame: ServerFrame, sale_id: SaleId | None = None) -> None:
        """A personal frame to every connection of a bidder; ``sale_id``: that follows this sale."""
        links: Iterable[Link] = self._people.get(bidder_id, ())
        if sale_id is not None:
            links = [link for link in links if sale_id in self._watching[link]]
        _write_to(links, frame)

    def is_here(self, person_id: PersonId) -> bool:
        """Whether a person has a connection here."""
        return person_id in self._links_of

    def tell_person(self, person_id: PersonId, frame: ServerFrame) -> None:
        """A frame to every connection of one person of a team."""
        _write_to(self._links_of.get(person_id, ()), frame)

    def _tell_owners(self, channel: Channel) -> None:
        """After a tick: to each bidder what only it may see of its own events."""
        owned, channel.owned = channel.owned, []
        for recorded in owned:
            bidder_id: BidderId = recorded.event.bidder_id  # type: ignore[union-attr]
            seen = view(recorded, Viewer(bidder_id))
            if seen is not None:
                frame = Own(sale_id=recorded.sale_id, event=seen)
                self.tell(bidder_id, frame, recorded.sale_id)

    # Links that are full.

    def blocked(self, link: Link) -> None:
        """A link's socket is full."""
        self._full[link] = self._loop.time()
        for channel in self._watching.get(link, {}).values():
            channel.blocked(link)
        if self._looking is None:
            self._looking = self._loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        """See which links have been read; drop those that have not for too long."""
        stalled_s = self._loop.time() - STALLED_S
        for link, since_s in list(self._full.items()):
            if link.unblock():
                del self._full[link]
                self._clear(link)
            elif link.dead or since_s < stalled_s:
                self._drop(link)
        self._looking = self._loop.call_later(LOOK_S, self._look) if self._full else None

    def _clear(self, link: Link) -> None:
        for channel in self._watching.get(link, {}).values():
            channel.cleared(link)
        waiter = self._cleared.pop(link, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _drop(self, link: Link) -> None:
        del self._full[link]
        self.figures.stalled += 1
        link.abort()
        waiter = self._cleared.pop(link, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def until_clear(self, link: Link) -> bool:
        """Wait until the client has read what was sent; false: it is gone."""
        while not link.dead and not link.clear:
            waiter = self._cleared.get(link)
            if waiter is None:
                waiter = self._cleared[link] = self._loop.create_future()
            await asyncio.shield(waiter)
        return not link.dead

    # Figures.

    @property
    def connected(self) -> int:
        """Links that have said hello."""
        return len(self._watching)

    @property
    def links(self) -> list[Link]:
        """Every link that has said hello."""
        return list(self._watching)

    @property
    def full(self) -> int:
        """Links that are full now."""
        return len(self._full)

    @property
    def sales(self) -> int:
        """Sales in memory."""
        return len(self._sales)

    @property
    def delivered(self) -> int:
        """Writes of events to links."""
        now = sum(sale.channel.delivered for sale in self._sales.values())
        return self.figures.delivered_before + now


def _write_to(links: Iterable[Link], frame: ServerFrame) -> None:
    """The same frame to several links, encoded once for each encoding."""
    encoded: dict[Encoding, bytes] = {}
    for link in list(links):
        data = encoded.get(link.encoding)
        if data is None:
            data = encoded[link.encoding] = link.encoding.frame(frame)
        link.write(data)
