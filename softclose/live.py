"""The live gateway of a running host: put up beside the site, and sent home before it goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from auction.ports import Bus, Clock, Engine, EventLog
from bidder_gateway.figures import GatewayFigures
from bidder_gateway.gateway import Gateway
from bidder_gateway.limits import Limits
from bidder_gateway.ports import Authenticator, BidFreight, SalesInSight
from foundation.http.metrics import Metrics


@asynccontextmanager
async def live_gateway(
    log: EventLog,
    engine: Engine,
    clock: Clock,
    bus: Bus,
    authenticator: Authenticator,
    freight: BidFreight,
    metrics: Metrics,
    sight: SalesInSight,
    limits: Limits | None = None,
) -> AsyncIterator[Gateway]:
    """A gateway that hears the bus for the block.

    At its end everybody is told when to come back, and the connections are closed.
    """
    gateway = Gateway(log, engine, clock, authenticator, freight, limits, sight)
    GatewayFigures(gateway, metrics.registry)
    forget = bus.listen(gateway.hear)
    watching = asyncio.create_task(gateway.watch(), name="live gateway")
    try:
        yield gateway
    finally:
        await gateway.stop()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        forget()
