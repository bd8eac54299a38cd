"""How bids stood when a sale was over: folded from its log, and kept for the lots that come next.

A buyer that does not pay lets down all of its lots of a sale at once, so the last few sales are
kept. A sale that has closed changes no more in what is asked of it here.
"""

import asyncio
from typing import Final

from auction.ids import SaleId
from auction.ports import EventLog
from auction.replica import blank, read_on
from auction.sale import Sale

# Each is the size of its bidders' standings on its lots: some megabytes for a large sale.
MOST_KEPT: Final = 4


class Standings:
    """Folds sales."""

    def __init__(self, log: EventLog) -> None:
        self._log, self._kept = log, dict[SaleId, Sale]()
        self._one_at_a_time = asyncio.Lock()

    async def of_sale(self, sale_id: SaleId) -> Sale:
        """A sale that has closed. Raises what ``EventLog`` raises."""
        async with self._one_at_a_time:
            if sale_id not in self._kept:
                self._kept[sale_id] = await self._folded(sale_id)
                while len(self._kept) > MOST_KEPT:
                    self._kept.pop(next(iter(self._kept)))
            return self._kept[sale_id]

    async def _folded(self, sale_id: SaleId) -> Sale:
        replica = blank(sale_id)
        while chunk := await read_on(self._log, replica):
            for recorded in chunk:
                replica.fold(recorded)
        assert replica.sale.closed, "what is invoiced and void is of a sale that has closed"
        return replica.sale
