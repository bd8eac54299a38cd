"""The liquidators' desk of a running host, and what goes on beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from accounts.clock import wall_clock
from auction.desk.room import Desk
from softclose.site import Resources


@asynccontextmanager
async def running_desk(resources: Resources) -> AsyncIterator[Desk]:
    """The services for the block; sales whose publishing a crash cut short are finished."""
    desk = Desk.over(resources.pool, resources.engine, resources.clock.now_us, wall_clock)
    resuming = asyncio.create_task(desk.publishing.resume(), name="publishing")
    try:
        yield desk
    finally:
        resuming.cancel()
        with suppress(asyncio.CancelledError):
            await resuming
