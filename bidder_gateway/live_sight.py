"""Which sales may be followed and bid in live, and by whom: `ports.SalesInSight` over the tables.

Asked for every bid and subscription, so that somebody may is remembered: a sale that is taken
back is hidden within ``FRESH_S``, and one that is published is there at once. While the database
does not answer, what was in sight a moment ago still is: bids go on.

What is remembered here, and the tables themselves, trail the log. So who was dismissed is told
apart by the folded sale when they subscribe (`following`), and by the engine when they bid.
"""

import asyncio
from typing import Final

import structlog
from msgspec import Struct

from auction.ids import BidderId, SaleId
from bidder_gateway.sight import GUEST, Onlooker
from foundation.database import Pool, acquire

FRESH_S: Final = 5.0
# While the database is away.
STALE_S: Final = 120.0
# Sales, and pairs of a sale that is not public and somebody who may see it, that are remembered;
# more have not been asked for in a few seconds.
MOST: Final = 10_000

# A sale that the board does not have yet is not told apart from a public one: it was scheduled
# moments ago, or never, and what is asked for next, the log or the engine, knows.
_ASK: Final = """
select board.sale_id is null or board.audience = 'PUBLIC' as is_public,
    $2::text = '*' or board.liquidator_id = $2 or exists (
        select from admitted_bidder where sale_id = $1 and bidder_id = $2
    ) as is_for_them,
    exists (select from admission where sale_id = $1 and bidder_id = $2) as is_registered
from sale_listing left join sale_board as board using (sale_id)
where sale_id = $1 and published_at_us is not null
"""

_logger = structlog.get_logger(__name__)


class _Found(Struct, frozen=True, gc=False):
    is_public: bool = False
    is_for_them: bool = False
    is_registered: bool = False

    @property
    def is_in_sight(self) -> bool:
        return self.is_public or self.is_for_them


_NOTHING = _Found()

Key = tuple[SaleId, Onlooker]


class LiveSight:
    """`ports.SalesInSight` over the catalogue and the board."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._found: dict[Key, tuple[float, _Found]] = {}  # and when; of a public one for a guest
        self._asking: dict[Key, asyncio.Task[_Found]] = {}
        self._loop = asyncio.get_running_loop()

    async def may_be_seen(self, sale_id: SaleId, who: Onlooker) -> bool:
        """See ``SalesInSight``."""
        return (await self._look(sale_id, who)).is_in_sight

    async def may_be_bid_in(self, sale_id: SaleId, bidder_id: BidderId) -> bool:
        """See ``SalesInSight``."""
        found = await self._look(sale_id, Onlooker(bidder_id))
        return found.is_in_sight or found.is_registered

    async def _look(self, sale_id: SaleId, who: Onlooker) -> _Found:
        now_s = self._loop.time()
        known = self._found.get((sale_id, GUEST)) or self._found.get((sale_id, who))
        if known is not None and now_s < known[0] + FRESH_S:
            return known[1]
        key = sale_id, who
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = self._loop.create_task(self._ask(key))
        try:
            return await asyncio.shield(asking)
        except Exception as error:
            if known is None or now_s >= known[0] + STALE_S:
                raise
            _logger.warning("sale_believed_in_sight", sale_id=sale_id, error=repr(error))
            return known[1]

    async def _ask(self, key: Key) -> _Found:
        try:
            async with acquire(self._pool) as connection:
                row = await connection.fetchrow(_ASK, *key)
        finally:
            del self._asking[key]
        found = _NOTHING if row is None else _Found(**dict(row))
        self._found.pop((key[0], GUEST), None)
        self._found.pop(key, None)
        if found != _NOTHING:
            if len(self._found) >= MOST:
                self._found.clear()
            self._found[key[0], GUEST if found.is_public else key[1]] = self._loop.time(), found
        return found
