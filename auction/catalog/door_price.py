"""What a bid comes to at the buyer's door: bid, premium, tax, freight, and the share of the MSRP.

The same arithmetic as the engine's limits (``costs``) but for the tax, which here is the place's
own to the millionth; the engine rounds its rate up. So what is shown is never more than what weighs
on the limit.
"""

from msgspec import Struct

from auction.catalog.taxes import BidderTax
from auction.costs import premium_minor
from auction.terms import Terms


class DoorPrice(Struct, frozen=True):
    """What the goods cost their buyer. ``freight_minor`` None: not quoted, or the buyer's own
    truck; the total is without it."""

    bid_minor: int
    premium_minor: int
    tax_minor: int
    freight_minor: int | None
    currency: str

    @property
    def total_minor(self) -> int:
        """All of it."""
        return self.bid_minor + self.premium_minor + self.tax_minor + (self.freight_minor or 0)

    def of_msrp_bps(self, msrp_minor: int) -> int | None:
        """The total in hundredths of a per cent of the MSRP, half up; ``None`` without MSRP."""
        if msrp_minor <= 0:
            return None
        return (self.total_minor * 20_000 + msrp_minor) // (2 * msrp_minor)


def door_price(
    terms: Terms, bid_minor: int, tax: BidderTax, freight_minor: int | None
) -> DoorPrice:
    """What a winning bid of this comes to. Nothing is taxed that the sale's terms do not tax."""
    premium = premium_minor(terms.premium, bid_minor)
    taxed_premium = premium if terms.premium.taxable else 0
    taxed_freight = (freight_minor or 0) if terms.freight_taxable else 0
    return DoorPrice(
        bid_minor=bid_minor,
        premium_minor=premium,
        tax_minor=tax.on_minor(bid_minor, taxed_premium, taxed_freight),
        freight_minor=freight_minor,
        currency=terms.currency,
    )
