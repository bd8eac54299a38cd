"""Which sales may be followed and bid on live: those that their seller has published for all.

Asked for every bid and subscription, so the answer is remembered: a sale that is taken back is
hidden within ``FRESH_S``, and one that is published is there at once. While the database does not
answer, what was public a moment ago still is: bids in a sale that everybody sees go on.
"""

import asyncio
from typing import Final

import structlog

from auction.ids import SaleId
from foundation.database import Pool, acquire

FRESH_S: Final = 5.0
# While the database is away.
STALE_S: Final = 120.0
# Sales that are remembered; more have not been asked for in a few seconds.
MOST: Final = 1_000

_IS_PUBLISHED: Final = """
select exists (
    select from sale_listing
    where sale_id = $1 and published_at_us is not null and visibility = 'PUBLIC'
)
"""

_logger = structlog.get_logger(__name__)


class PublicSales:
    """`ports.SalesInSight` over the catalogue."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._seen_s: dict[SaleId, float] = {}  # when it was last found to be public
        self._asking: dict[SaleId, asyncio.Task[bool]] = {}
        self._loop = asyncio.get_running_loop()

    async def may_be_seen(self, sale_id: SaleId) -> bool:
        """See ``SalesInSight``."""
        seen_s, now_s = self._seen_s.get(sale_id), self._loop.time()
        if seen_s is not None and now_s < seen_s + FRESH_S:
            return True
        asking = self._asking.get(sale_id)
        if asking is None:
            asking = self._asking[sale_id] = self._loop.create_task(self._ask(sale_id))
        try:
            return await asyncio.shield(asking)
        except Exception as error:
            if seen_s is None or now_s >= seen_s + STALE_S:
                raise
            _logger.warning("sale_believed_public", sale_id=sale_id, error=repr(error))
            return True

    async def _ask(self, sale_id: SaleId) -> bool:
        try:
            async with acquire(self._pool) as connection:
                published = bool(await connection.fetchval(_IS_PUBLISHED, sale_id))
        finally:
            del self._asking[sale_id]
        self._seen_s.pop(sale_id, None)
        if published:
            if len(self._seen_s) >= MOST:
                self._seen_s.clear()
            self._seen_s[sale_id] = self._loop.time()
        return published
