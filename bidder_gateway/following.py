"""How a client comes to follow a sale: from now with a snapshot, or from where it was.

A resume is sent page by page, from memory or else from the log, and no page before the client
has read the one before; the rest joins the sale's next tick. What is too far back, or was never
there, is answered with ``recovered: false`` and a snapshot.
"""

import asyncio

import structlog

from auction.ids import SaleId
from auction.ports import EventLog
from bidder_gateway.feeds import Feed, Lots
from bidder_gateway.hub import Hub
from bidder_gateway.link import Link
from bidder_gateway.past import Past
from bidder_gateway.ports import SalesInSight
from bidder_gateway.protocol import (
    Error,
    ErrorCode,
    ServerFrame,
    Subscribe,
    Subscribed,
    Unsubscribed,
)
from bidder_gateway.sight import admits

# Events in one page of a resume: about 64 KiB.
PAGE = 256
# A resume from further back gets a snapshot: it is smaller, and the log is not read for minutes.
MAX_RESUME = 20_000

_logger = structlog.get_logger(__name__)


class Following:
    """Answers ``subscribe`` for the links of one hub."""

    def __init__(self, hub: Hub, log: EventLog, sight: SalesInSight) -> None:
        self._hub, self._sight = hub, sight
        self._past = Past(log)
        self.resumed = 0
        self.not_recovered = 0

    async def subscribe(self, link: Link, frame: Subscribe) -> None:
        """Answer, and have the sale's events sent from then on.

        The client has read all before: what is large waits for its reader, not in memory.
        """
        who = self._hub.sees_as(link)
        try:
            seen = await self._sight.may_be_seen(frame.sale_id, who)
            feed = await self._hub.feed(frame.sale_id) if seen else None
        except Exception:  # the database does not answer: the client is told, and so are we
            _logger.warning("sale_not_read", sale_id=frame.sale_id, exc_info=True)
            _answer(link, _unavailable(frame.request))
            return
        lots = None if frame.lots is None else frozenset(frame.lots)
        known = feed is not None and admits(feed.sale, who)
        if feed is None or not known or not (lots is None or lots <= feed.sale.lots.keys()):
            _answer(link, not_found(frame.request))
            return
        if not await self._is_ready(link, feed):
            return
        self._hub.unfollow(link, frame.sale_id)
        has = frame.since
        if has is None or not 0 <= feed.sequence - has <= MAX_RESUME:
            self.not_recovered += has is not None
            _answer(link, _subscribed(frame, feed, recovered=False))
            link.write(feed.snapshot_message(lots, link.encoding))
            has = feed.sequence
        else:
            self.resumed += 1
            _answer(link, _subscribed(frame, feed, recovered=True))
            has = await self._bring_up(link, feed, lots, has)
        if has is None:
            return
        # Nothing awaits from here on, so nothing is between.
        if admits(feed.sale, who):
            self._hub.tell_standing(link, feed)
            self._hub.follow(link, feed, lots, has)
        else:  # dismissed since the answer above
            _answer(link, gone(frame.sale_id))

    async def close(self) -> None:
        """Nothing is read any more for those who came back."""
        await self._past.close()

    async def _is_ready(self, link: Link, feed: Feed) -> bool:
        """Wait until the client has read what was sent; false: it is gone, or was cut off."""
        if not await self._hub.until_clear(link):
            return False
        if not self._hub.still_has(feed):
            link.abort()  # the sale was given up meanwhile: the client comes back and asks again
            return False
        return True

    async def _bring_up(self, link: Link, feed: Feed, lots: Lots, has: int) -> int | None:
        """Send what came after ``has``, but for the last page; what the link then has.

        ``None``: the client is gone.
        """
        while feed.sequence - has > PAGE or not feed.in_memory(has):
            if feed.in_memory(has):
                until = min(has + PAGE, feed.sequence)
                data = feed.messages(has, until, lots, link.encoding)
                has = until
            else:
                page = await self._past.after(feed, has)
                if page is None:
                    link.abort()  # it comes back and asks again
                    return None
                data = b"".join([e.message(link.encoding) for e in page if e.concerns(lots)])
                has = page[-1].sequence
            if data:
                link.write(data)
            await asyncio.sleep(0)  # others have a turn, also where nothing has to wait
            if not await self._is_ready(link, feed):
                return None
        return has


def not_found(request: int) -> Error:
    """The answer about what does not exist, and about what one may not see: the same."""
    message = "there is no such sale or lot"
    return Error(request=request, code=ErrorCode.NOT_FOUND, message=message)


def gone(sale_id: SaleId) -> Unsubscribed:
    """For who follows a sale that there is not for them any more."""
    return Unsubscribed(request=None, sale_id=sale_id)


def _subscribed(frame: Subscribe, feed: Feed, *, recovered: bool) -> Subscribed:
    return Subscribed(
        request=frame.request,
        sale_id=frame.sale_id,
        sequence=feed.sequence,
        recovered=recovered,
    )


def _unavailable(request: int) -> Error:
    message = "the sale cannot be read now; try again in a moment"
    return Error(request=request, code=ErrorCode.UNAVAILABLE, message=message)


def _answer(link: Link, frame: ServerFrame) -> None:
    link.write(link.encoding.frame(frame))
