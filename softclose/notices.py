"""Notices of a running host: its followers, what sends them, and what their routes work with."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from accounts.clock import wall_clock
from auction.codec import Recorded
from auction.cursors_postgres import PostgresCursors
from auction.ids import Shard
from auction.writer import ALL_SHARDS
from bidder_gateway.notices.api import NoticesRoom
from bidder_gateway.notices.figures import NoticeFigures
from bidder_gateway.notices.push_key import PushKey, kept_scalar, scalar_of
from bidder_gateway.notices.room import Means, Notices
from bidder_gateway.notices.sms import sender_of
from bidder_gateway.notices.teller import LivePages
from foundation.database import Pool, open_pool
from foundation.mail import address_of
from foundation.outbound import Outbound
from softclose.followers import PatientCursors
from softclose.host import Host
from softclose.settings import Settings
from softclose.site import Resources

# A step of a follower is short. Whoever sends holds a connection for moments, but the sources of
# notices ask for a second one while they hold theirs: these are more than there are sources.
FOLLOWERS_CONNECTIONS: Final = 4
SENDERS_CONNECTIONS: Final = 8


@asynccontextmanager
async def running_notices(
    settings: Settings, dsn: str, host: Host, resources: Resources, pages: LivePages
) -> AsyncIterator[NoticesRoom]:
    """Make and send notices for the block. At its end what is on its way may arrive."""
    async with AsyncExitStack() as layers:
        senders = await open_pool(dsn, name="notices", max_connections=SENDERS_CONNECTIONS)
        layers.callback(senders.terminate)
        followers = await open_pool(
            dsn, name="notices' followers", max_connections=FOLLOWERS_CONNECTIONS
        )
        layers.callback(followers.terminate)
        outbound = await layers.enter_async_context(Outbound())
        given = settings.push_key
        scalar = scalar_of(given.get_secret_value()) if given else await kept_scalar(senders)
        means = Means(
            pool=senders,
            key=PushKey(scalar, f"mailto:{address_of(settings.mail_from).addr_spec}"),
            outbound=outbound,
            mailer=resources.mailer,
            sender=settings.mail_from,
            sms=sender_of(settings.sms),
            public_url=resources.public_url,
            pages=pages,
            now_us=host.clock.now_us,
            wall_us=wall_clock,
        )
        notices = Notices(means)
        NoticeFigures(notices.lanes, resources.metrics.registry)
        await layers.enter_async_context(at_work(notices, host, followers))
        yield NoticesRoom(resources.pool, means.key, outbound, means.sms, wall_clock)


@asynccontextmanager
async def at_work(notices: Notices, host: Host, pool: Pool) -> AsyncIterator[None]:
    """Follow every shard, woken by the bus, and send, for the block."""
    cursors = PatientCursors(PostgresCursors(pool), host)
    following = {shard: notices.follower(shard, cursors) for shard in ALL_SHARDS}

    def wake(shard: Shard, _recorded: Sequence[Recorded]) -> None:
        following[shard].wake_soon()

    forget = host.bus.listen(wake)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(follower.run()) for follower in following.values()]
            running.append(tasks.create_task(notices.run()))
            yield
            for task in running:
                task.cancel()
    finally:
        forget()
