"""Tax rates by place, each with the time from which it holds (``tax_rate``).

What the rows of a new installation are, and are not, is in their note.
"""

from collections.abc import Collection
from typing import Final

from auction.catalog.taxes import BidderTax, Place, TaxRate
from foundation.database import AnyConnection

_RATE: Final = """
select rate_ppm, premium_taxable, freight_taxable, note from tax_rate
where country = $1 and region = $2 and valid_from_us <= $3
order by valid_from_us desc limit 1
"""


async def rate_at(connection: AnyConnection, place: Place, now_us: int) -> TaxRate | None:
    """The rate in force at a place; ``None``: none is known."""
    row = await connection.fetchrow(_RATE, place.country, place.region, now_us)
    return None if row is None else TaxRate(place, *row)


async def bidder_tax(
    connection: AnyConnection,
    goods: Place,
    ships_to: Place | None,
    certified_in: Collection[Place],
    now_us: int,
) -> BidderTax:
    """What a bidder bears for goods that are here; ``ships_to`` None: it collects them.

    ``certified_in``: where it has a resale certificate that is valid at the close.
    """
    place = goods if ships_to is None else ships_to
    return BidderTax(place, await rate_at(connection, place, now_us), place in certified_in)
