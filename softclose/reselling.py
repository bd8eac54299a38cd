"""The resellers' services of a running host, and the registrar beside them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from auction.catalog.freight_table import FreightTable
from auction.ports import Clock
from bidder_gateway.folds import HubFolds
from bidder_gateway.freight_offers import FreightOffers
from bidder_gateway.gateway import Gateway
from bidder_gateway.resellers import Resellers
from foundation.database import Pool
from softclose.site import Resources


def freight_offers(pool: Pool, clock: Clock) -> FreightOffers:
    """Freight quotes by the rate table; made first, because the gateway asks for them too."""
    return FreightOffers(pool, FreightTable(pool), clock.now_us)


@asynccontextmanager
async def running_resellers(
    resources: Resources, gateway: Gateway, freight: FreightOffers
) -> AsyncIterator[Resellers]:
    """The services for the block; the engine is kept in step with what resellers may do."""
    resellers = Resellers.over(
        resources.pool,
        resources.log,
        resources.engine,
        HubFolds(gateway.hub),
        gateway.bidding,
        freight,
        resources.clock.now_us,
    )
    registering = asyncio.create_task(resellers.registrar.run(), name="registrar")
    try:
        yield resellers
    finally:
        registering.cancel()
        with suppress(asyncio.CancelledError):
            await registering
