"""Webhooks of a running host: what makes their deliveries, and what sends them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from prometheus_client import CollectorRegistry

from accounts.clock import wall_clock
from auction.codec import Recorded
from auction.cursors_postgres import PostgresCursors
from auction.desk.webhook_figures import WebhookFigures
from auction.desk.webhook_making import WebhookMaker
from auction.desk.webhook_sending import WebhookLane
from auction.ids import Shard
from auction.writer import ALL_SHARDS
from foundation.database import Pool, close_pool, open_pool
from foundation.outbound import Outbound
from softclose.followers import PatientCursors
from softclose.host import Host

# A step and a settlement take moments each; a receiver that is slow holds no connection.
MAX_CONNECTIONS: Final = 4


@asynccontextmanager
async def running_webhooks(
    dsn: str, host: Host, registry: CollectorRegistry
) -> AsyncIterator[None]:
    """Tell liquidators' systems for the block."""
    async with AsyncExitStack() as layers:
        pool = await open_pool(dsn, name="webhooks", max_connections=MAX_CONNECTIONS)
        layers.push_async_callback(close_pool, pool)
        outbound = await layers.enter_async_context(Outbound())
        lane = WebhookLane(pool, outbound, wall_clock)
        WebhookFigures(lane, registry)
        await layers.enter_async_context(telling(host, pool, lane, wall_clock))
        yield


@asynccontextmanager
async def telling(
    host: Host, pool: Pool, lane: WebhookLane, wall_us: Callable[[], int]
) -> AsyncIterator[None]:
    """Make webhooks' deliveries of what is logged, and send them, for the block."""
    maker, cursors = WebhookMaker(wall_us), PatientCursors(PostgresCursors(pool), host)
    following = {shard: maker.follower(shard, cursors) for shard in ALL_SHARDS}

    def wake(shard: Shard, _recorded: Sequence[Recorded]) -> None:
        following[shard].wake()

    forget = host.bus.listen(wake)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(follower.run()) for follower in following.values()]
            running.append(tasks.create_task(lane.run()))
            yield
            for task in running:
                task.cancel()
    finally:
        forget()
