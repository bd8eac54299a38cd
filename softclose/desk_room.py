"""The liquidators' desk of a running host, and what goes on beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from accounts.clock import wall_clock
from auction.desk.live_board import Watching
from auction.desk.room import Desk
from auction.ids import SaleId
from bidder_gateway.folds import HubFolds
from bidder_gateway.hub import Hub
from softclose.site import Resources


class HubWatchers:
    """`live_board.Watchers` of the live gateway of this process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def of_sale(self, sale_id: SaleId) -> Watching:
        """See ``Watchers``."""
        return Watching(*self._hub.watchers(sale_id))


@asynccontextmanager
async def running_desk(resources: Resources, hub: Hub) -> AsyncIterator[Desk]:
    """The services for the block; sales whose publishing a crash cut short are finished."""
    desk = Desk.over(
        resources.pool,
        resources.engine,
        HubFolds(hub),
        HubWatchers(hub),
        resources.clock.now_us,
        wall_clock,
        public_url=resources.public_url,
        accounts=resources.accounts,
    )
    resuming = asyncio.create_task(desk.publishing.resume(), name="publishing")
    try:
        yield desk
    finally:
        resuming.cancel()
        with suppress(asyncio.CancelledError):
            await resuming
        await desk.photos.close()
