"""A sale's public chain for everybody, once the sale has closed, so that all can check the result.

The same file as `softclose log export` writes; docs/verifying.md says how it is checked. A bidder
may have it with what opens the own commitments, and nobody else's.
"""

from collections.abc import AsyncIterator
from typing import Final

from auction.audit_export import Export
from auction.codec import decode_body
from auction.ids import BidderId, SaleId
from auction.ports import EventLog
from bidder_gateway.sales import is_public
from foundation.database import Pool, acquire

# Events read and decoded before the event loop gets a turn: about 5 ms.
CHUNK: Final = 250

_CLOSED_AT = "select closed_at_us from sale_board where sale_id = $1"


class Results:
    """Makes exports."""

    def __init__(self, pool: Pool, log: EventLog) -> None:
        self._pool, self._log = pool, log

    async def is_closed(self, sale_id: SaleId) -> bool | None:
        """Whether every lot has ended; ``None``: no such sale."""
        async with acquire(self._pool) as connection:
            if not await is_public(connection, sale_id):
                return None
            return await connection.fetchval(_CLOSED_AT, sale_id) is not None

    async def export(self, sale_id: SaleId, owner: BidderId | None) -> AsyncIterator[bytes]:
        """The lines of the file, some at a time. Raises what reading the log raises."""
        exported, after = Export(sale_id, owner), 0
        yield exported.start()
        while rows := await self._log.read_sale(sale_id, after, CHUNK):
            after = rows[-1].position
            recorded = [decode_body(row.position, row.body) for row in rows]
            yield b"".join(line for one in recorded for line in exported.lines(one))
        yield exported.end()
