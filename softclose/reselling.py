"""The resellers' services of a running host, and the registrar beside them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from msgspec import structs

from auction.catalog.freight_table import FreightTable
from auction.ids import BidderId, SaleId
from auction.ports import Clock
from bidder_gateway.deposits import count_held, end_recorded, lacking_of
from bidder_gateway.folds import HubFolds
from bidder_gateway.freight_offers import FreightOffers
from bidder_gateway.gateway import Gateway
from bidder_gateway.resellers import Resellers
from foundation.database import Pool
from settlement.deposits import Needed, Registering
from softclose.site import Resources


def freight_offers(pool: Pool, clock: Clock) -> FreightOffers:
    """Freight quotes by the rate table; made first, because the gateway asks for them too."""
    return FreightOffers(pool, FreightTable(pool), clock.now_us)


def registering(pool: Pool) -> Registering:
    """What registrations ask of a deposit that is held on a card, and how it counts there."""

    async def needed(sale_id: SaleId, buyer_id: BidderId) -> Needed | None:
        lacking = await lacking_of(pool, sale_id, buyer_id)
        return None if lacking is None else Needed(**structs.asdict(lacking))

    return Registering(count_held, needed, end_recorded)


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
