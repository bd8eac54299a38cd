"""Everybody who is connected, and every sale that somebody watches.

``hear`` is called with every durable batch; each sale has a `Feed` of it and a `Channel` to those
who watch. A sale is read from the log when somebody asks for it, and whatever the bus skips is
read from there too. Nobody waits for anybody: a link that is full leaves its channels and catches
up by itself; one that does not read for ``STALLED_S`` is dropped, and resumes when it comes back.

What the bus drops is found by the gap that it leaves, or, if nothing comes after it, by a look at
the log now and then. A sale whose events cannot be folded (a defect) is given up: those who watch
it are cut off, come back, and it is read anew.

What a crash leaves: nothing. Clients come back and resume from the log.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext

import structlog
from msgspec import Struct

from auction.codec import Recorded
from auction.events import BiddersDismissed
from auction.ids import BidderId, LotId, PersonId, SaleId, Shard, shard_of
from auction.ports import EventLog
from auction.replica import read_on
from auction.views import Viewer, view
from auction.wire import of_sales, span_of
from bidder_gateway.channel import Channel, Subscription
from bidder_gateway.encodings import Encoding
from bidder_gateway.feeds import Feed, Lots, standing
from bidder_gateway.link import Link
from bidder_gateway.protocol import Own, ServerFrame, Unsubscribed
from bidder_gateway.sight import GUEST, Onlooker, admits

# How often links that are full are looked at.
LOOK_S = 0.02
# A link that was full for so long, and has not read ``PROGRESS_BYTES`` in that time, is dropped: a
# phone on a slow line may take longer for the snapshot of a large sale.
STALLED_S = 8.0
PROGRESS_BYTES = 16 * 1024
# A sale that nobody watches is forgotten after this time.
FORGET_AFTER_S = 600.0
# Sales that nobody watches, of several MB each; beyond, that which was unwatched for longest goes.
MOST_IDLE = 100
# Sales that are read at once: a large one takes a second of our time, in small pieces.
READS_AT_ONCE = 2
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


class FeedBroken(Exception):
    """An event does not fit the state of its sale."""


class _Sale:
    """A channel, and how its feed comes to be."""

    def __init__(self, channel: Channel, now_s: float) -> None:
        self.channel = channel
        self.loaded = False
        self.held: list[Recorded] = []  # heard while the log is being read
        self.again = False  # something was missed while the log was being read
        self.reading: asyncio.Task[None] | None = None
        self.idle_since_s = now_s


class _Full(Struct):
    """A link that is full. ``since_s``: when it last read a good part; ``left``: what it had not
    read then."""

    since_s: float
    left: int


class Hub:
    """The links and channels of this process; all of it runs on one event loop."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._sales: dict[SaleId, _Sale] = {}
        # Up to here everything of a shard was heard, or was in the log before its sales were read.
        self._heard: dict[Shard, int] = {}
        self._heads: dict[Shard, int] = {}  # of the log, at the last look
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._watching: dict[Link, dict[SaleId, _Sale]] = {}
        self._bidders: dict[Link, BidderId] = {}
        self._sees_as: dict[Link, Onlooker] = {}
        self._people: dict[BidderId, dict[Link, None]] = {}
        self._persons: dict[Link, PersonId] = {}
        self._links_of: dict[PersonId, dict[Link, None]] = {}
        self._full: dict[Link, _Full] = {}
        self._cleared: dict[Link, asyncio.Future[None]] = {}
        self._looking: asyncio.TimerHandle | None = None
        self.figures = Figures()

    # What happened.

    def hear(self, shard: Shard, recorded: Sequence[Recorded]) -> None:
        """Take a durable batch, as the bus announces it; late, twice or after a gap if need be."""
        heard = self._heard.get(shard)
        first, last = span_of(recorded)
        if heard is not None and first > heard + 1:
            self._read_missed(shard)
        for one in of_sales(recorded, self._sales):
            self._take(self._sales[one.sale_id], one)
        self._heard[shard] = max(heard or 0, last)  # not if one of them could not be read

    def _take(self, sale: _Sale, recorded: Recorded) -> None:
        if sale.loaded:
            try:
                self._fold(sale, recorded)
            except FeedBroken as error:  # the bus must not learn of it: it would drop us
                self._give_up(sale, error)
        elif sale.reading is not None and len(sale.held) < MAX_HELD:
            sale.held.append(recorded)

    def _fold(self, sale: _Sale, recorded: Recorded) -> None:
        """The sale's next event; to those who watch it goes with the next tick."""
        channel = sale.channel
        try:
            if not channel.feed.take(recorded):
                return
        except Exception as error:
            raise FeedBroken(f"position {recorded.position}: {error!r}") from error
        if not channel.subscriptions:
            return
        if isinstance(recorded.event, BiddersDismissed):
            self._show_out(channel)
        if getattr(recorded.event, "bidder_id", None) in self._people:
            channel.owned.append(recorded)
        if recorded.sequence is not None:
            channel.plan_tick()
        else:
            channel.plan_telling()

    def _show_out(self, channel: Channel) -> None:
        """Who watches and was dismissed gets nothing more, not even what is due."""
        sale = channel.feed.sale
        links = [link for link in channel.subscriptions if not admits(sale, self.sees_as(link))]
        for link in links:
            self.unfollow(link, sale.sale_id)
        _write_to(links, Unsubscribed(request=None, sale_id=sale.sale_id))

    def _give_up(self, sale: _Sale, error: Exception) -> None:
        sale_id = sale.channel.feed.sale_id
        _logger.error("sale_given_up", sale_id=sale_id, exc_info=error)
        for link in sale.channel.subscriptions:
            link.abort()
        if self._sales.get(sale_id) is sale:
            del self._sales[sale_id]

    def _read_missed(self, shard: Shard) -> None:
        """The bus skipped something: the sales of the shard read it from the log."""
        for sale_id, sale in self._sales.items():
            if shard_of(sale_id) != shard:
                continue
            sale.again = True
            if sale.loaded:
                self.figures.events_missed += 1
                _logger.warning("sale_reads_what_was_missed", sale_id=sale_id)
                sale.loaded = False
                self._start_reading(sale)

    async def look_for_missed(self) -> None:
        """Compare what was heard with the log: the bus may have dropped the last thing it said.

        With the log as it was at the last look, for what is durable now may not be told yet.
        """
        try:
            heads = await self._log.heads()
        except Exception as error:  # noqa: BLE001 - next time; what is heard is told anyway
            _logger.warning("log_not_compared", error=repr(error))
            return
        for shard, head in self._heads.items():
            if self._heard.get(shard, head) < head:
                self._read_missed(shard)
                self._heard[shard] = head
        self._heads = heads

    # Sales.

    async def feed(self, sale_id: SaleId) -> Feed | None:
        """The feed of a sale, read from the log first if need be; ``None``: no such sale.

        Raises what reading the log raises.
        """
        sale = self._sales.get(sale_id)
        if sale is None:
            self._make_room()
            channel = Channel(Feed(sale_id), self._loop, self._tell_owners, self.tell_standing)
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
        if error is None:
            return
        sale_id = sale.channel.feed.sale_id
        if isinstance(error, FeedBroken):
            self._give_up(sale, error)
            return
        _logger.warning("sale_not_read", sale_id=sale_id, error=repr(error))
        if sale.channel.subscriptions:
            self._loop.call_later(RETRY_S, self._retry, sale)
        else:
            self._forget(sale_id, sale)

    def _retry(self, sale: _Sale) -> None:
        still_here = self._sales.get(sale.channel.feed.sale_id) is sale
        if still_here and not sale.loaded and sale.reading is None:
            self._start_reading(sale)

    async def _read(self, sale: _Sale) -> None:
        watched = bool(sale.channel.subscriptions)
        try:
            async with nullcontext() if watched else self._reads:
                await self._read_all(sale)
        finally:
            sale.held.clear()
            sale.reading = None

    async def _read_all(self, sale: _Sale) -> None:
        feed = sale.channel.feed
        shard = shard_of(feed.sale_id)
        if shard not in self._heard:
            heads = await self._log.heads()
            self._heard.setdefault(shard, heads[shard])
        sale.again = True
        while sale.again or len(sale.held) >= MAX_HELD:
            # What was durable before this is read now; what comes from here on is held. If more
            # comes than is held, or the bus drops some of it, the log has it.
            sale.again = False
            sale.held.clear()
            while chunk := await read_on(self._log, feed.replica):
                for recorded in chunk:
                    self._fold(sale, recorded)
                await asyncio.sleep(0)
        for recorded in sale.held:
            self._fold(sale, recorded)
        sale.loaded = True
        self.figures.feeds_read += 1

    def still_has(self, feed: Feed) -> bool:
        """Whether this is the feed of its sale; if so, it stays for a while."""
        sale = self._sales.get(feed.sale_id)
        if sale is None or sale.channel.feed is not feed:
            return False
        sale.idle_since_s = self._loop.time()
        return True

    def _make_room(self) -> None:
        """Forget the sale that was unwatched for longest, if there are many."""
        idle = [sale for sale in self._sales.values() if self._is_idle(sale)]
        if len(idle) >= MOST_IDLE:
            longest = min(idle, key=lambda sale: sale.idle_since_s)
            self._forget(longest.channel.feed.sale_id, longest)

    def _is_idle(self, sale: _Sale) -> bool:
        return sale.reading is None and not sale.channel.subscriptions

    def _forget(self, sale_id: SaleId, sale: _Sale) -> None:
        if self._sales.get(sale_id) is sale and self._is_idle(sale):
            self.figures.delivered_before += sale.channel.delivered
            del self._sales[sale_id]

    def forget_idle(self) -> None:
        """Let go of sales that nobody has watched for a while."""
        before_s = self._loop.time() - FORGET_AFTER_S
        for sale_id, sale in list(self._sales.items()):
            if sale.idle_since_s < before_s:
                self._forget(sale_id, sale)

    async def close(self) -> None:
        """Nothing happens by itself any more."""
        if self._looking is not None:
            self._looking.cancel()
        readings = [sale.reading for sale in self._sales.values() if sale.reading is not None]
        for sale in self._sales.values():
            sale.channel.close()
        for reading in readings:
            reading.cancel()
        await asyncio.gather(*readings, return_exceptions=True)

    # Those who are connected.

    def enter(
        self,
        link: Link,
        bidder_id: BidderId | None,
        person_id: PersonId | None = None,
        sees_as: Onlooker = GUEST,
    ) -> None:
        """A client has said hello; ``None``: nobody in particular."""
        self._watching[link] = {}
        if sees_as != GUEST:
            self._sees_as[link] = sees_as
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
        self._sees_as.pop(link, None)
        self._full.pop(link, None)
        self._wake(link)
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

    def sees_as(self, link: Link) -> Onlooker:
        """As whom a client may see sales that are not for everybody."""
        return self._sees_as.get(link, GUEST)

    def follow(self, link: Link, feed: Feed, lots: Lots, has: int) -> None:
        """Send what comes after the event ``has`` of a feed that the hub still has."""
        sale = self._sales[feed.sale_id]
        assert sale.channel.feed is feed, "the sale was read anew"
        self._watching[link][feed.sale_id] = sale
        sale.channel.add(Subscription(link, lots, has))

    def unfollow(self, link: Link, sale_id: SaleId) -> bool:
        """Send nothing more of a sale; whether it was followed."""
        sale = self._watching.get(link, {}).pop(sale_id, None)
        if sale is None:
            return False
        sale.channel.remove(link)
        sale.idle_since_s = self._loop.time()
        return True

    def followed(self, link: Link) -> dict[SaleId, int]:
        """For each sale that the link follows the last event that was sent to it."""
        sales = self._watching.get(link, {})
        return {sale_id: sale.channel.sequence_of(link) for sale_id, sale in sales.items()}

    def watchers(self, sale_id: SaleId) -> tuple[int, dict[LotId, int]]:
        """How many links follow a sale, and how many of them chose which lots."""
        sale = self._sales.get(sale_id)
        if sale is None:
            return 0, {}
        subscriptions = sale.channel.subscriptions.values()
        chosen = Counter(lot for one in subscriptions for lot in one.lots or ())
        return len(subscriptions), dict(chosen)

    def events_of(self, link: Link) -> int:
        """How many public events the sales that the link follows have had, all together."""
        sales = self._watching.get(link, {}).values()
        return sum(sale.channel.feed.sequence for sale in sales)

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
        """To each bidder what only it may see of its own events."""
        owned, channel.owned = channel.owned, []
        for recorded in owned:
            bidder_id: BidderId = recorded.event.bidder_id  # type: ignore[union-attr]
            try:
                seen = view(recorded, Viewer(bidder_id))
                if seen is not None:
                    frame = Own(sale_id=recorded.sale_id, event=seen)
                    self.tell(bidder_id, frame, recorded.sale_id)
            except Exception:  # a defect: the bidder comes back to a fresh standing, the log tells
                _logger.exception("owner_not_told", sale_id=recorded.sale_id)
                for link in list(self._people.get(bidder_id, ())):
                    link.abort()

    def tell_standing(self, link: Link, feed: Feed) -> None:
        """The bidder's own part of the sale, if the link is a bidder's who is registered."""
        bidder_id = self._bidders.get(link)
        own = None if bidder_id is None else standing(feed.sale, bidder_id)
        if own is not None:
            link.write(link.encoding.frame(own))

    # Links that are full.

    def blocked(self, link: Link) -> None:
        """A link's socket is full."""
        self._full[link] = _Full(self._loop.time(), link.left)
        for sale in self._watching.get(link, {}).values():
            sale.channel.blocked(link)
        if self._looking is None:
            self._looking = self._loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        """See which links have been read; drop those that have not for too long."""
        now_s = self._loop.time()
        for link in list(self._full):
            try:
                self._look_at(link, now_s)
            except Exception:  # a defect: this one comes back, the others are looked at
                _logger.exception("link_not_looked_at")
                self._drop(link)
        self._looking = self._loop.call_later(LOOK_S, self._look) if self._full else None

    def _look_at(self, link: Link, now_s: float) -> None:
        if link.unblock():
            del self._full[link]
            self._clear(link)
            return
        full = self._full[link]
        if link.left <= full.left - PROGRESS_BYTES:
            full.since_s, full.left = now_s, link.left
        if link.dead or full.since_s < now_s - STALLED_S:
            self._drop(link)

    def _clear(self, link: Link) -> None:
        for sale in self._watching.get(link, {}).values():
            sale.channel.cleared(link)
        self._wake(link)

    def _drop(self, link: Link) -> None:
        self._full.pop(link, None)
        self.figures.stalled += 1
        link.abort()
        self._wake(link)

    def _wake(self, link: Link) -> None:
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
