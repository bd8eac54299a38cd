"""All rooms in one process over one database: engine, followers, gateway, site.

``softclose serve`` and the demonstration put up the same house; they differ in the database that
they bring and in what goes on inside.
"""

import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from auction.clock import EngineClock
from auction.desk.room import Desk
from auction.leases_postgres import PostgresLeases
from auction.log_postgres import PostgresLog
from bidder_gateway.gateway import Gateway
from bidder_gateway.live_sight import LiveSight
from bidder_gateway.resellers import Resellers
from foundation.http.connections import answering
from settlement.room import Settlement, Shown
from softclose.desk_room import running_desk
from softclose.followers import Followers
from softclose.host import Host
from softclose.listener import address_of
from softclose.live import live_gateway
from softclose.notices import running_notices
from softclose.participants import Participants
from softclose.reselling import freight_offers, registering, running_resellers
from softclose.settings import Settings
from softclose.settlement_room import running_settlement
from softclose.site import Resources, site, site_resources
from softclose.stripe import RunningStripe, running_stripe
from softclose.webhooks import running_webhooks


@dataclass(frozen=True)
class House:
    """What runs."""

    host: Host
    resources: Resources
    gateway: Gateway
    resellers: Resellers
    desk: Desk
    settlement: Settlement
    stripe: RunningStripe


@asynccontextmanager
async def open_house(
    settings: Settings,
    dsn: str,
    listener: socket.socket,
    reasons_not_ready: Callable[[], list[str]],
    *besides: Coroutine[Any, Any, None],
    certainly: bool = False,
) -> AsyncIterator[House]:
    """Put the rooms up for the block, and what goes on ``besides`` them.

    ``certainly``: no other process can be on this database, whatever a killed one left in it.

    Commands are judged once ``host.serving()`` returns. What goes up first comes down
    last. At the end everybody who is connected is told when to come back, while verdicts still
    come; then the writer appends and answers what was decided.
    """
    async with AsyncExitStack() as layers:
        log = PostgresLog(dsn)
        layers.push_async_callback(log.close)
        host = Host(log, EngineClock(), PostgresLeases(log), certainly=certainly)
        followers = Followers(dsn, host)
        await layers.enter_async_context(host.running(*besides, followers.run()))
        resources = await layers.enter_async_context(
            site_resources(settings, host, dsn, address_of(listener))
        )
        freight = freight_offers(resources.pool, host.clock)
        gateway = await layers.enter_async_context(
            live_gateway(
                log,
                host.engine,
                host.clock,
                host.bus,
                Participants(resources.accounts),
                freight,
                resources.metrics,
                LiveSight(resources.pool),
            )
        )
        resellers = await layers.enter_async_context(running_resellers(resources, gateway, freight))
        notices = await layers.enter_async_context(
            running_notices(settings, dsn, host, resources, gateway.hub)
        )
        desk = await layers.enter_async_context(running_desk(resources, gateway.hub))
        await layers.enter_async_context(running_webhooks(dsn, host, resources.metrics.registry))
        stripe = await layers.enter_async_context(running_stripe(settings, address_of(listener)))
        at_work = await layers.enter_async_context(running_settlement(dsn, host, resources, stripe))
        settlement = Settlement.over(
            resources.pool,
            host.clock.now_us,
            at_work.worker.ring,
            stripe.gateway,
            Shown(
                public_url=resources.public_url,
                publishable_key=settings.stripe_publishable_key or "",
                simulated=stripe.simulator is not None,
            ),
            at_work.inbox.route(),
            registering=registering(resources.pool),
        )
        layers.push_async_callback(settlement.close)
        whole = site(resources, gateway, resellers, notices, desk, settlement, reasons_not_ready)
        await layers.enter_async_context(answering(listener, whole))
        layers.push_async_callback(gateway.stop)  # while the socket can still say goodbye
        yield House(host, resources, gateway, resellers, desk, settlement, stripe)
