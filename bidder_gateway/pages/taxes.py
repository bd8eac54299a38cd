"""The sales tax that a viewer would bear on a lot, in the shape that pages and scripts count by."""

from datetime import date

from msgspec import Struct

from accounts.directory import Standing
from auction.catalog.taxes import BidderTax, Place
from bidder_gateway.listed import LotPage, SalePage
from bidder_gateway.sales_tax import day_in, tax_of
from foundation.database import AnyConnection


class Tax(Struct, frozen=True, kw_only=True):
    """``rate_ppm``: millionths, 0 where none is due or known. The flags are those of the place;
    what the sale's terms do not tax is not taxed anywhere. ``words``: the line of the sum."""

    rate_ppm: int
    premium_taxable: bool
    freight_taxable: bool
    words: str


def shown_tax(tax: BidderTax) -> Tax:
    """A tax as pages show it."""
    region = tax.place.region or tax.place.country
    if tax.rate is None:
        return Tax(
            rate_ppm=0,
            premium_taxable=False,
            freight_taxable=False,
            words=f"Sales tax ({region}: no rate known, none counted)",
        )
    words = f"Sales tax ({region}: exempt by your certificate)"
    if not tax.exempt:
        words = f"Sales tax ({region} {_percent(tax.rate.rate_ppm)})"
    return Tax(
        rate_ppm=0 if tax.exempt else tax.rate.rate_ppm,
        premium_taxable=tax.rate.premium_taxable,
        freight_taxable=tax.rate.freight_taxable,
        words=words,
    )


async def tax_where_it_is(
    connection: AnyConnection, standing: Standing | None, sale: SalePage, lot: LotPage, now_us: int
) -> BidderTax:
    """For goods that are collected."""
    on: date = day_in(sale.time_zone, now_us)
    return await tax_of(connection, standing, Place(lot.country, lot.region), None, on, now_us)


def _percent(rate_ppm: int) -> str:
    return f"{rate_ppm / 10_000:.4f}".rstrip("0").rstrip(".") + " %"
