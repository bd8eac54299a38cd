"""What an award is made of, read from the catalogue, the log and the buyer's freight quotes.

The tables of bids trail the log by moments, after an upgrade by minutes: until they have a lot,
nothing is known of its winning bid (`Unknown`, and so asked again). What is published is frozen, so
what is read once holds.
"""

from typing import Final

import msgspec
from msgspec import Struct

from auction.catalog.freight import Destination, Quote
from auction.catalog.goods import Condition, FreightTerms
from auction.catalog.taxes import Place
from auction.codec import decode_body
from auction.events import BidPlaced, MaximumRaised, SaleScheduled
from auction.ids import BidderId, LiquidatorId, LotId, SaleId, Shard
from auction.ports import EventLog
from auction.terms import Terms
from foundation.database import AnyConnection
from settlement.following import Hammer
from settlement.ids import ConsignorId
from settlement.invoices import ShipFrom
from settlement.operations import NeedsPerson, Unknown
from settlement.rows import Goods


class SaleFacts(Struct, frozen=True, kw_only=True):
    """A sale as settlement keeps it."""

    sale_id: SaleId
    liquidator_id: LiquidatorId
    terms: Terms
    title: str
    zone: str
    country: str


class LotFacts(Struct, frozen=True, kw_only=True):
    """A lot as it was published."""

    goods: Goods
    ship_from: ShipFrom
    consignor_id: ConsignorId | None


class Freight(Struct, frozen=True, kw_only=True):
    """Where a buyer's goods are sent. ``quote_id`` None: to its own address, without a quote."""

    place: Place
    destination: Destination
    amount_minor: int
    quote_id: str | None


class Bid(Struct, frozen=True):
    """The bid by which a lot is held: what its bidder would pay, freight apart."""

    maximum_minor: int
    freight_minor: int
    at_us: int


# The tables of bids have everything up to a lot's hammer once they have the hammer.
_BID: Final = """
select position from won_lot join bidder_lot using (bidder_id, sale_id, lot_id)
where sale_id = $1 and lot_id = $2 and bidder_id = $3
"""

_SALE: Final = """
select sale_id, liquidator_id, terms, title, zone, country from settlement_sale
where sale_id = $1
"""

_LISTED: Final = "select title, time_zone, country from sale_listing where sale_id = $1"

_KEEP_SALE: Final = """
insert into settlement_sale
    (sale_id, liquidator_id, currency, terms, title, zone, country, recorded_at_us)
values ($1, $2, $3, $4::jsonb, $5, $6, $7, $8) on conflict (sale_id) do nothing
"""

_LOT: Final = """
select l.*, c.consignor_id from lot_listing l left join consigned_lot c using (sale_id, lot_id)
where l.sale_id = $1 and l.lot_id = $2 and l.published_at_us is not null
"""

_QUOTES: Final = """
select quote_id, destination, quote from freight_quote
where sale_id = $1 and lot_id = $2 and bidder_id = $3
"""

_HOME: Final = "select region, postal_code, country from approval where organisation_id = $1"

# Zones are named after a town and its state.
_REGION: Final = """
select right(name, 2) from freight_zone
where first_zip3 <= $1::smallint and last_zip3 >= $1::smallint
"""


async def winning_bid(connection: AnyConnection, log: EventLog, hammer: Hammer) -> Bid:
    """The bid that won a lot, from the log. Raises `Unknown` while its place is not known."""
    sale_id, lot_id, bidder_id = hammer.sale_id, hammer.lot_id, hammer.bidder_id
    position = await connection.fetchval(_BID, sale_id, lot_id, bidder_id)
    if position is None:
        raise Unknown("the tables of bids do not have this hammer yet")
    (logged,) = await log.read(Shard(hammer.shard), position - 1, 1)
    recorded = decode_body(logged.position, logged.body)
    event = recorded.event
    assert isinstance(event, BidPlaced | MaximumRaised), "a bid stands by a bid"
    assert (event.lot_id, event.bidder_id) == (lot_id, bidder_id), "its own, on this lot"
    return Bid(event.maximum_minor, event.freight_minor, recorded.at_us)


async def read_sale(connection: AnyConnection, sale_id: SaleId) -> SaleFacts | None:
    """A sale that settlement knows."""
    row = await connection.fetchrow(_SALE, sale_id)
    if row is None:
        return None
    terms = msgspec.json.decode(row["terms"], type=Terms)
    return SaleFacts(**{**row, "terms": terms})


async def learn_sale(connection: AnyConnection, log: EventLog, sale_id: SaleId) -> SaleFacts:
    """A sale by its first event and the catalogue; nothing is written.

    Raises `NeedsPerson` for one that the catalogue does not have: nobody can say by which days its
    buyers are to pay.
    """
    known = await read_sale(connection, sale_id)
    if known is not None:
        return known
    (first,) = await log.read_sale(sale_id, 0, 1)
    scheduled = decode_body(first.position, first.body).event
    assert isinstance(scheduled, SaleScheduled), "a sale begins with its schedule"
    listed = await connection.fetchrow(_LISTED, sale_id)
    if listed is None:
        raise NeedsPerson(f"the catalogue does not have the sale {sale_id}")
    return SaleFacts(
        sale_id=sale_id,
        liquidator_id=scheduled.liquidator_id,
        terms=scheduled.terms,
        title=listed["title"],
        zone=listed["time_zone"],
        country=listed["country"],
    )


async def keep_sale(connection: AnyConnection, sale: SaleFacts, now_us: int) -> None:
    """Keep what was learned of a sale; what is kept stays."""
    terms = msgspec.json.encode(sale.terms).decode()
    rest = (sale.title, sale.zone, sale.country, now_us)
    values = (sale.sale_id, sale.liquidator_id, sale.terms.currency, terms, *rest)
    await connection.execute(_KEEP_SALE, *values)


async def lot_facts(connection: AnyConnection, sale_id: SaleId, lot_id: LotId) -> LotFacts:
    """A published lot. Raises `NeedsPerson` for one that the catalogue does not have."""
    row = await connection.fetchrow(_LOT, sale_id, lot_id)
    if row is None:
        raise NeedsPerson(f"the catalogue does not have lot {lot_id} of the sale {sale_id}")
    goods = Goods(
        number=lot_id,
        title=row["title"],
        condition=Condition(row["condition"]),
        freight_terms=FreightTerms(row["freight_terms"]),
        pallets=row["pallets"],
        units=row["units"],
        retail_minor=row["msrp_minor"],
        weight_g=row["weight_g"],
        manifest_sha256=row["manifest_sha256"].hex(),
    )
    ship_from = ShipFrom(*(row[name] for name in ShipFrom.__struct_fields__))
    return LotFacts(goods=goods, ship_from=ship_from, consignor_id=row["consignor_id"])


async def freight_of(
    connection: AnyConnection,
    sale_id: SaleId,
    lot_id: LotId,
    bidder_id: BidderId,
    terms: FreightTerms,
    bid: Bid,
) -> Freight | None:
    """Where the goods of a bid are sent, by the quote with which it was made; ``None``: the bidder
    collects them, or sends a truck.

    A bid does not say which quote it was made with, but by what it costs and when it was in force:
    the last such one counts. Where freight is free, whoever asked for it has it.
    """
    if terms is FreightTerms.BUYER_ARRANGED:
        return None
    fitting: list[tuple[int, str, Destination]] = []
    for row in await connection.fetch(_QUOTES, sale_id, lot_id, bidder_id):
        quote = msgspec.json.decode(row["quote"], type=Quote)
        in_force = quote.issued_at_us <= bid.at_us < quote.expires_at_us
        if quote.amount_minor == bid.freight_minor and in_force:
            destination = msgspec.json.decode(row["destination"], type=Destination)
            fitting.append((quote.issued_at_us, row["quote_id"], destination))
    if fitting:
        _, quote_id, destination = max(fitting, key=lambda one: one[:2])
        return Freight(
            place=await _place_of(connection, bidder_id, destination),
            destination=destination,
            amount_minor=bid.freight_minor,
            quote_id=quote_id,
        )
    if not bid.freight_minor:
        return None
    home = await connection.fetchrow(_HOME, bidder_id)
    if home is None or len(home["postal_code"]) < 5:
        raise NeedsPerson(f"nobody knows where lot {lot_id} goes: {bidder_id} has no address")
    return Freight(
        place=Place(home["country"], home["region"]),
        destination=Destination(postal_code=home["postal_code"][:5], country=home["country"]),
        amount_minor=bid.freight_minor,
        quote_id=None,
    )


async def _place_of(
    connection: AnyConnection, bidder_id: BidderId, destination: Destination
) -> Place:
    """Whose tax it is there: of the reseller's own state, or of the ZIP code's."""
    home = await connection.fetchrow(_HOME, bidder_id)
    if home is not None and home["postal_code"][:5] == destination.postal_code:
        return Place(home["country"], home["region"])
    region = await connection.fetchval(_REGION, int(destination.postal_code[:3]))
    return Place(destination.country, region or "")
