"""What a bid on a lot comes to at the reseller's door, before it is made."""

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta, Struct

from accounts.directory import Standing, standing_of
from accounts.identity import Identity
from auction.catalog.door_price import door_price
from auction.catalog.quotes import KeptQuote
from auction.catalog.taxes import Place
from auction.ids import BidderId, LotId, SaleId
from auction.money import PositiveMinor
from auction.terms import STORABLE
from bidder_gateway.freight_offers import FreightOffers
from bidder_gateway.listed import LotPage, SalePage
from bidder_gateway.lots import Lots
from bidder_gateway.refusals import Refusal, Refused
from bidder_gateway.sales import Sales
from bidder_gateway.sales_tax import day_in, home_of, tax_of
from bidder_gateway.sight import onlooker_of
from foundation.database import AnyConnection, Pool, acquire
from foundation.http.reading import Input


class DoorPriceQuery(Input):
    """For which bid. ``quote_id``: with this freight quote; without it, collected."""

    amount_minor: PositiveMinor
    quote_id: Annotated[str, Meta(min_length=1, max_length=200, pattern=STORABLE)] | None = None


class DoorPricePage(Struct, frozen=True, kw_only=True):
    """What a bid comes to if it wins at this amount.

    ``tax_rate_ppm``: null where no rate is known, and no tax is counted; ``tax_exempt``: by a
    resale certificate. ``freight_minor``: null when the goods are collected.
    ``of_msrp_bps``: the total in hundredths of a per cent of the MSRP, null without one.
    """

    currency: str
    bid_minor: int
    premium_minor: int
    tax_minor: int
    tax_country: str
    tax_region: str
    tax_rate_ppm: int | None
    tax_exempt: bool
    freight_minor: int | None
    total_minor: int
    msrp_minor: int
    of_msrp_bps: int | None


# Zones are named after a town and its state.
_REGION = """
select right(name, 2) from freight_zone
where first_zip3 <= $1::smallint and last_zip3 >= $1::smallint
"""


class DoorPrices:
    """Adds up what a bid comes to."""

    def __init__(
        self,
        pool: Pool,
        sales: Sales,
        lots: Lots,
        freight: FreightOffers,
        now_us: Callable[[], int],
    ) -> None:
        self._pool, self._sales, self._lots = pool, sales, lots
        self._freight, self._now_us = freight, now_us

    async def of_bid(
        self, identity: Identity | None, sale_id: SaleId, lot_id: LotId, query: DoorPriceQuery
    ) -> DoorPricePage | None:
        """For a reseller by its certificates and quotes, for anybody else without; ``None``: no
        such lot. Raises `Refused` NO_QUOTE."""
        who = onlooker_of(identity)
        sale = await self._sales.sale(sale_id, who)
        lot = await self._lots.lot(sale_id, lot_id, who)
        if sale is None or lot is None:
            return None
        standing = None
        bidder_id = None if identity is None else identity.bidder_id
        if bidder_id is not None:
            standing = await standing_of(self._pool, bidder_id)
        kept = None
        if query.quote_id is not None:
            if bidder_id is None:
                raise Refused(Refusal.NO_QUOTE, field="quote_id")
            key = (BidderId(bidder_id), sale_id, lot_id)
            kept = await self._freight.of_bidder(*key, query.quote_id)
            if kept is None:
                raise Refused(Refusal.NO_QUOTE, field="quote_id")
        return await self._page(sale, lot, standing, kept, query.amount_minor)

    async def _page(
        self,
        sale: SalePage,
        lot: LotPage,
        standing: Standing | None,
        kept: KeptQuote | None,
        amount_minor: int,
    ) -> DoorPricePage:
        now_us, goods = self._now_us(), Place(lot.country, lot.region)
        async with acquire(self._pool) as connection:
            ships_to = None if kept is None else await _place_of(connection, standing, kept)
            on = day_in(sale.time_zone, now_us)
            tax = await tax_of(connection, standing, goods, ships_to, on, now_us)
        price = door_price(
            sale.terms, amount_minor, tax, None if kept is None else kept.quote.amount_minor
        )
        return DoorPricePage(
            currency=price.currency,
            bid_minor=price.bid_minor,
            premium_minor=price.premium_minor,
            tax_minor=price.tax_minor,
            tax_country=tax.place.country,
            tax_region=tax.place.region,
            tax_rate_ppm=None if tax.rate is None else tax.rate.rate_ppm,
            tax_exempt=tax.exempt,
            freight_minor=price.freight_minor,
            total_minor=price.total_minor,
            msrp_minor=lot.msrp_minor,
            of_msrp_bps=price.of_msrp_bps(lot.msrp_minor),
        )


async def _place_of(connection: AnyConnection, standing: Standing | None, kept: KeptQuote) -> Place:
    """Whose tax it is where a quote goes: the reseller's own state, or that of the ZIP code."""
    destination = kept.destination
    if standing is not None and standing.place.postal_code[:5] == destination.postal_code:
        return home_of(standing)
    region = await connection.fetchval(_REGION, int(destination.postal_code[:3]))
    return Place(destination.country, region or "")
