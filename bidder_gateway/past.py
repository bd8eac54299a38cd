"""What is no longer in memory of a sale: read from the log in pages, once for a whole crowd.

After a restart thousands come back at once who miss the same events. A page begins after every
``MARK_EVERY``th public event, so that all of them need the same pages; some are kept for a while.
The past does not change, so a page is right for as long as it is kept.
"""

import asyncio
from collections import OrderedDict

import structlog

from auction.codec import decode_body
from auction.events import lot_of
from auction.ids import SaleId
from auction.ports import EventLog
from bidder_gateway import feeds
from bidder_gateway.feeds import Entry, Feed

# Pages that are read at once, so that a crowd leaves the log to others too.
READS_AT_ONCE = 4
# Rows that are read and decoded before the event loop gets a turn: some milliseconds.
ROWS = 256
# Pages that are kept, of some 100 KB and as much again for each encoding: those of the crowd that
# came last.
MOST_PAGES = 64

_logger = structlog.get_logger(__name__)


class Past:
    """The pages of all sales of one hub."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._pages: OrderedDict[tuple[SaleId, int], asyncio.Task[list[Entry]]] = OrderedDict()
        self._reading: set[asyncio.Task[list[Entry]]] = set()  # also what had to make room
        self.pages_read = 0

    async def after(self, feed: Feed, has: int) -> list[Entry] | None:
        """The next public events after ``has``, which is no longer in memory; at least one.

        ``None``: the log does not answer; it was told.
        """
        key = (feed.sale_id, has // feeds.MARK_EVERY)
        page = self._pages.get(key)
        if page is None:
            page = self._pages[key] = asyncio.create_task(self._read(*key, feed.mark(key[1])))
            self._reading.add(page)
            page.add_done_callback(lambda page: self._read_or_not(key, page))
            if len(self._pages) > MOST_PAGES:
                self._pages.popitem(last=False)
        else:
            self._pages.move_to_end(key)
        try:
            entries = await asyncio.shield(page)
        except Exception:  # noqa: BLE001 - `_read_or_not` tells, once for all who wait
            return None
        return [entry for entry in entries if entry.sequence > has]

    async def close(self) -> None:
        """Nothing is read any more."""
        reading = list(self._reading)
        for page in reading:
            page.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    async def _read(self, sale_id: SaleId, number: int, position: int) -> list[Entry]:
        """The whole page of this number, which begins after a position of the log."""
        entries: list[Entry] = []
        while len(entries) < feeds.MARK_EVERY:
            async with self._reads:
                rows = await self._log.read_sale(sale_id, position, ROWS)
            assert rows, "the log ends before the feed that was made from it"
            for row in rows:
                recorded = decode_body(row.position, row.body)
                if recorded.sequence is not None and len(entries) < feeds.MARK_EVERY:
                    expected = number * feeds.MARK_EVERY + len(entries) + 1
                    assert recorded.sequence == expected, "a gap in the log"
                    entries.append(Entry(recorded, expected, lot_of(recorded.event)))
            position = rows[-1].position
        self.pages_read += 1
        return entries

    def _read_or_not(self, key: tuple[SaleId, int], page: "asyncio.Task[list[Entry]]") -> None:
        self._reading.discard(page)
        error = None if page.cancelled() else page.exception()
        if error is not None:
            _logger.warning("past_not_read", sale_id=key[0], exc_info=error)
        if (error is not None or page.cancelled()) and self._pages.get(key) is page:
            del self._pages[key]
