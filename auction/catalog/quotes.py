"""Freight quotes that were given: kept, so that a bid is judged with what its bidder was told.

A bid names a quote by its id; the quote is the bidder's own, for that lot, and not expired. Its
amount is what ``PlaceBid.freight_minor`` takes. Another's quote is as unknown as one that never
was.
"""

import secrets
from typing import Final

import msgspec
from msgspec import Struct

from auction.catalog.freight import Destination, Quote, Shipment
from auction.catalog.listings import LotEntry
from auction.ids import BidderId, LotId, SaleId
from foundation.database import AnyConnection

# What a bidder may have in force for one lot; the oldest of more are forgotten.
MOST_QUOTES: Final = 20


class KeptQuote(Struct, frozen=True):
    """A quote with the name by which a bid refers to it."""

    quote_id: str
    destination: Destination
    quote: Quote


_KEEP = """
insert into freight_quote (
    quote_id, sale_id, lot_id, bidder_id, destination, quote, expires_at_us
) values ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7)
"""

_FORGET = """
delete from freight_quote where quote_id in (
    select quote_id from freight_quote
    where bidder_id = $1 and sale_id = $2 and lot_id = $3
    order by expires_at_us desc, quote_id offset $4
)
"""

_READ = """
select quote_id, destination::text, quote::text from freight_quote
where quote_id = $1 and bidder_id = $2 and sale_id = $3 and lot_id = $4 and expires_at_us > $5
"""


def shipment_of(lot: LotEntry) -> Shipment:
    """A lot as a carrier sees it."""
    return Shipment(
        postal_code=lot.postal_code,
        country=lot.country,
        kind=lot.kind,
        pallets=lot.pallets,
        weight_g=lot.weight_g,
        freight_class=lot.freight_class,
        terms=lot.freight_terms,
        fixed_minor=lot.freight_fixed_minor,
        currency=lot.currency,
    )


async def keep_quote(
    connection: AnyConnection,
    bidder_id: BidderId,
    lot: LotEntry,
    destination: Destination,
    quote: Quote,
) -> KeptQuote:
    """Keep what a bidder is told, under a name that nobody guesses."""
    quote_id = secrets.token_urlsafe(12)
    await connection.execute(
        _KEEP,
        quote_id,
        lot.sale_id,
        lot.lot_id,
        bidder_id,
        msgspec.json.encode(destination).decode(),
        msgspec.json.encode(quote).decode(),
        quote.expires_at_us,
    )
    await connection.execute(_FORGET, bidder_id, lot.sale_id, lot.lot_id, MOST_QUOTES)
    return KeptQuote(quote_id, destination, quote)


async def read_quote(
    connection: AnyConnection,
    quote_id: str,
    bidder_id: BidderId,
    sale_id: SaleId,
    lot_id: LotId,
    now_us: int,
) -> KeptQuote | None:
    """A quote of this bidder for this lot that is in force at ``now_us``."""
    row = await connection.fetchrow(_READ, quote_id, bidder_id, sale_id, lot_id, now_us)
    if row is None:
        return None
    destination = msgspec.json.decode(row["destination"], type=Destination)
    return KeptQuote(row["quote_id"], destination, msgspec.json.decode(row["quote"], type=Quote))
