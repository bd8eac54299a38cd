"""Settlement in a running host: its follower of the log, and the worker that does what follows."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from auction.codec import Recorded
from auction.cursors_postgres import PostgresCursors
from auction.ids import Shard
from auction.writer import ALL_SHARDS
from foundation.database import AnyConnection, Pool, close_pool, open_pool, transaction
from settlement.following import Following
from settlement.ids import StripeId
from settlement.steps import want
from settlement.webhook_inbox import Inbox
from settlement.worker import Worker
from softclose.followers import PatientCursors
from softclose.host import Host
from softclose.settlement_operations import STANDING, Means, handlers_of
from softclose.site import Resources
from softclose.stripe import RunningStripe

# Of the worker's operations few hold a connection at once: they wait for others, not for tables.
MAX_CONNECTIONS: Final = 8

_PAYEE: Final = "select true from payee_connected where account_id = $1"


@dataclass(frozen=True)
class AtWork:
    """What runs: the worker, and where the payment provider sends its events."""

    worker: Worker
    inbox: Inbox


@asynccontextmanager
async def running_settlement(
    dsn: str, host: Host, resources: Resources, stripe: RunningStripe
) -> AsyncIterator[AtWork]:
    """Follow the log and do what follows from it, for the block."""
    now_us = host.clock.now_us
    async with AsyncExitStack() as layers:
        pool = await open_pool(dsn, name="settlement", max_connections=MAX_CONNECTIONS)
        layers.push_async_callback(close_pool, pool)
        bell = Bell()
        means = Means(
            pool=pool,
            log=host.log,
            engine=host.engine,
            mailer=resources.mailer,
            public_url=resources.public_url,
            accounts=resources.accounts,
            now_us=now_us,
            provider=stripe.gateway,
            ring=bell,
        )
        worker = Worker(pool, handlers_of(means), now_us)
        bell.worker = worker
        inbox = Inbox(
            pool,
            stripe.webhook_secrets,
            live=stripe.live,
            wall_s=time.time,
            now_us=now_us,
            ring=worker.ring,
            knows_account=_is_payee,
        )
        async with transaction(pool) as connection:
            await want(connection, STANDING, now_us())
        await layers.enter_async_context(_at_work(host, pool, worker, now_us))
        yield AtWork(worker, inbox)


class Bell:
    """Rings the worker, which is made of what rings it."""

    worker: Worker | None = None

    def __call__(self) -> None:
        if self.worker is not None:
            self.worker.ring()


async def _is_payee(connection: AnyConnection, account_id: StripeId) -> bool:
    """Whether a connected account is one of ours."""
    return bool(await connection.fetchval(_PAYEE, account_id))


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
