"""Settlement in a running host: its follower of the log, and the worker that does what follows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from auction.codec import Recorded
from auction.cursors_postgres import PostgresCursors
from auction.ids import Shard
from auction.writer import ALL_SHARDS
from foundation.database import Pool, close_pool, open_pool
from settlement.following import Following
from settlement.worker import Worker
from softclose.followers import PatientCursors
from softclose.host import Host
from softclose.settlement_operations import Means, handlers_of
from softclose.site import Resources

# Of the worker's operations few hold a connection at once: they wait for others, not for tables.
MAX_CONNECTIONS: Final = 8


@asynccontextmanager
async def running_settlement(dsn: str, host: Host, resources: Resources) -> AsyncIterator[Worker]:
    """Follow the log and do what follows from it, for the block."""
    async with AsyncExitStack() as layers:
        pool = await open_pool(dsn, name="settlement", max_connections=MAX_CONNECTIONS)
        layers.push_async_callback(close_pool, pool)
        means = Means(
            pool=pool,
            log=host.log,
            engine=host.engine,
            mailer=resources.mailer,
            public_url=resources.public_url,
            accounts=resources.accounts,
            now_us=host.clock.now_us,
        )
        worker = Worker(pool, handlers_of(means), means.now_us)
        await layers.enter_async_context(_at_work(host, pool, worker, means.now_us))
        yield worker


@asynccontextmanager
async def _at_work(
    host: Host, pool: Pool, worker: Worker, now_us: Callable[[], int]
) -> AsyncIterator[None]:
    following, cursors = Following(now_us), PatientCursors(PostgresCursors(pool), host)
    followers = {shard: following.follower(shard, cursors) for shard in ALL_SHARDS}

    def wake(shard: Shard, _recorded: Sequence[Recorded]) -> None:
        followers[shard].wake()

    forget = host.bus.listen(wake)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(follower.run()) for follower in followers.values()]
            running.append(tasks.create_task(worker.run()))
            yield
            for task in running:
                task.cancel()
    finally:
        forget()
