"""Which sales tax a reseller bears: its certificates and address joined with the rates' table.

The engine counts with one rate for each reseller and sale, before it is known which lots will be
collected and which sent: the highest that any of them could bear. What is invoiced is the tax of
the place; it is never more.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from accounts.approval_states import CertificateState
from accounts.directory import Standing
from auction.catalog.tax_table import bidder_tax, rate_at
from auction.catalog.taxes import BidderTax, Place
from auction.ids import SaleId
from bidder_gateway import telling
from foundation.database import AnyConnection, Pool, acquire

_ZONE = "select time_zone, country, region from sale_listing where sale_id = $1"
_GOODS = "select distinct country, region from lot_listing where sale_id = $1"

# The country whose states a certificate's region names.
CERTIFIED_COUNTRY: Final = "US"


class CatalogueRates:
    """`telling.TaxRates` over the catalogue's tables."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of(self, standing: Standing, sale_id: SaleId, now_us: int) -> telling.BidderTax:
        """See ``TaxRates``. A certificate counts where the sale is, or where its goods may go."""
        async with acquire(self._pool) as connection:
            sale = await connection.fetchrow(_ZONE, sale_id)
            if sale is None:
                return telling.BidderTax(0, certificate=False)
            goods = [Place(*row) for row in await connection.fetch(_GOODS, sale_id)]
            here, home = Place(sale["country"], sale["region"]), home_of(standing)
            certified_in = certified_places(standing, day_in(sale["time_zone"], now_us))
            taxes = [
                await bidder_tax(connection, place, None, certified_in, now_us)
                for place in {*goods, here, home}
                if place.region
            ]
        certificate = here in certified_in or home in certified_in
        return telling.BidderTax(max((tax.tax_bps for tax in taxes), default=0), certificate)


async def tax_of(
    connection: AnyConnection,
    standing: Standing | None,
    goods: Place,
    ships_to: Place | None,
    on: date,
    now_us: int,
) -> BidderTax:
    """What these goods bear for this reseller; ``None``: for somebody without a certificate."""
    if standing is None:
        place = goods if ships_to is None else ships_to
        return BidderTax(place, await rate_at(connection, place, now_us), exempt=False)
    return await bidder_tax(connection, goods, ships_to, certified_places(standing, on), now_us)


def certified_places(standing: Standing, on: date) -> Collection[Place]:
    """Where the reseller has a resale certificate that is good on that day."""
    return frozenset(_certified(standing, on))


def _certified(standing: Standing, on: date) -> Iterable[Place]:
    for certificate in standing.certificates:
        if certificate.state is CertificateState.ACCEPTED and certificate.expires_on >= on:
            yield Place(CERTIFIED_COUNTRY, certificate.region)


def home_of(standing: Standing) -> Place:
    """Where a reseller's goods go unless it says otherwise."""
    return Place(standing.place.country, standing.place.region)


def day_in(zone: str, now_us: int) -> date:
    """Which day it is there."""
    return datetime.fromtimestamp(now_us // 1_000_000, UTC).astimezone(ZoneInfo(zone)).date()
