"""A sale's public chain, once it has closed, for all who may see it: so they check the result.

The same file as `softclose log export` writes; docs/verifying.md says how it is checked. A bidder
may have it with what opens the own commitments, and nobody else's.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from auction.audit_export import Export
from auction.codec import decode_body, public_part
from auction.ids import BidderId, SaleId
from auction.ports import EventLog, LoggedEvent
from bidder_gateway.sight import Onlooker, is_in_sight
from foundation.database import Pool, acquire

# Events read before the event loop gets a turn: about 5 ms with what a bidder opens.
CHUNK: Final = 250
# Chunks that are made at once, however many ask: bids are judged by the same process.
AT_ONCE: Final = 2

_CLOSED_AT = "select closed_at_us from sale_board where sale_id = $1"


class Results:
    """Makes exports."""

    def __init__(self, pool: Pool, log: EventLog) -> None:
        self._pool, self._log = pool, log
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def is_closed(self, sale_id: SaleId, who: Onlooker) -> bool | None:
        """Whether every lot has ended; ``None``: no such sale."""
        async with acquire(self._pool) as connection:
            if not await is_in_sight(connection, sale_id, who):
                return None
            return await connection.fetchval(_CLOSED_AT, sale_id) is not None

    async def export(self, sale_id: SaleId, owner: BidderId | None) -> AsyncIterator[bytes]:
        """The lines of the file, some at a time. Raises what reading the log raises."""
        exported, after = Export(sale_id, owner), 0
        yield exported.start()
        while True:
            async with self._turns:
                rows = await self._log.read_sale(sale_id, after, CHUNK)
                lines = _public(exported, rows) if owner is None else _own(exported, rows)
            if not rows:
                break
            after = rows[-1].position
            yield lines
        yield exported.end()


def _public(exported: Export, rows: Sequence[LoggedEvent]) -> bytes:
    """What everybody may have needs not be read: a tenth of the work."""
    parts = (public_part(row.body) for row in rows)
    return b"".join(exported.line(part) for part in parts if part is not None)


def _own(exported: Export, rows: Sequence[LoggedEvent]) -> bytes:
    recorded = (decode_body(row.position, row.body) for row in rows)
    return b"".join(line for one in recorded for line in exported.lines(one))
