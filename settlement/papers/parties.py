"""Who and what documents are about, read: parties, sales, goods, certificates."""

from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from auction.catalog.goods import Condition
from auction.catalog.words import count_words
from auction.ids import LotId, SaleId
from foundation.database import AnyConnection
from settlement.invoices import Invoice, Line, LineTax, ShipFrom
from settlement.papers.contents import LotLine, TaxLine
from settlement.papers.letterhead import Party
from settlement.papers.words import date_of, day, day_of
from settlement.rows import AwardRow

_PARTY: Final = """
select name, coalesce(legal_name, '') as legal_name, coalesce(street, '') as street,
    coalesce(city, '') as city, coalesce(region, '') as region,
    coalesce(postal_code, '') as postal_code, coalesce(country, '') as country
from organisation left join approval using (organisation_id) where organisation_id = $1
"""

_SALE: Final = """
select title, time_zone, country, liquidator_id, liquidator_name as seller, payment_terms
from sale_listing
where sale_id = $1
"""

_LOT: Final = """
select title, pallets, weight_g, freight_class, condition, city, region, country
from lot_listing where sale_id = $1 and lot_id = $2
"""

# What staff accepted and was good on the day that the lot closed.
_CERTIFICATES: Final = """
select region, number, expires_on from resale_certificate
where organisation_id = $1 and state = 'ACCEPTED' order by expires_on, certificate_id
"""


class SaleFacts(Struct, frozen=True):
    """What the catalogue says of a sale."""

    title: str
    time_zone: str
    country: str
    liquidator_id: str
    seller: str
    payment_terms: str


class LotFacts(Struct, frozen=True):
    """What the catalogue says of a lot."""

    title: str
    pallets: int
    weight_g: int | None
    freight_class: str
    condition: str
    place: str


async def party_of(connection: AnyConnection, organisation_id: str) -> Party:
    """An organisation by the name and address of its application; else by what it is called."""
    row = await connection.fetchrow(_PARTY, organisation_id)
    if row is None:
        return Party(organisation_id)
    town = ", ".join(filter(None, (row["city"], f"{row['region']} {row['postal_code']}".strip())))
    town = ", ".join(filter(None, (town, row["country"] if town else "")))
    return Party(row["legal_name"] or row["name"], tuple(filter(None, (row["street"], town))))


async def sale_facts(connection: AnyConnection, sale_id: SaleId) -> SaleFacts:
    """Of the catalogue; a sale that is not in it is called by its id."""
    row = await connection.fetchrow(_SALE, sale_id)
    if row is None:
        return SaleFacts(sale_id, "UTC", "US", "", "", "")
    return SaleFacts(**{**row, "time_zone": _zone(row["time_zone"])})


def _zone(name: str) -> str:
    """The zone, or UTC where there is none of that name."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


async def lot_facts(connection: AnyConnection, sale_id: SaleId, lot_id: LotId) -> LotFacts | None:
    """Of the catalogue; ``None``: the lot was sold without it."""
    row = await connection.fetchrow(_LOT, sale_id, lot_id)
    if row is None:
        return None
    place = ", ".join(filter(None, (row["city"], row["region"], row["country"])))
    condition = Condition(row["condition"]).on_pages
    return LotFacts(
        row["title"], row["pallets"], row["weight_g"], row["freight_class"], condition, place
    )


def address_of(place: ShipFrom) -> Party:
    """Where goods lie, in full: for who has paid for them."""
    town = f"{place.city}, {place.region} {place.postal_code}, {place.country}"
    return Party(place.company, (place.street, town))


def town_of(place: ShipFrom) -> str:
    """Where goods lie, for everybody."""
    return ", ".join((place.city, place.region, place.country))


def lot_line(line: Line, award: AwardRow, zone: str) -> LotLine:
    """A line of an invoice as it is printed."""
    goods = award.goods
    said = [
        count_words(goods.pallets, "pallet") if goods.pallets else "",
        count_words(goods.units, "unit") if goods.units else "",
        goods.condition.on_pages,
        f"closed {day(line.closed_at_us, zone)}",
    ]
    return LotLine(
        lot=goods.number,
        title=goods.title,
        detail=" \u00b7 ".join(filter(None, said)),
        hammer_minor=line.hammer_minor,
        premium_minor=line.premium_minor,
        freight_minor=line.freight_minor,
        tax_minor=line.tax_minor,
        manifest_sha256=goods.manifest_sha256,
    )


async def tax_lines(connection: AnyConnection, invoice: Invoice, zone: str) -> tuple[TaxLine, ...]:
    """What of an invoice is taxed where, with the certificate by which something is not."""
    bases: dict[LineTax, list[int]] = {}
    closed: dict[LineTax, int] = {}
    for line in invoice.lines:
        sums = bases.setdefault(line.tax, [0, 0])
        sums[0] += taxed_minor(line.tax, line.hammer_minor, line.premium_minor, line.freight_minor)
        sums[1] += line.tax_minor
        closed[line.tax] = max(closed.get(line.tax, 0), line.closed_at_us)
    held = await connection.fetch(_CERTIFICATES, invoice.buyer_id)
    found = []
    for tax, (base_minor, tax_minor) in bases.items():
        closed_on = date_of(closed[tax], zone)
        good = [
            f"resale certificate {row['number']}, good until {day_of(row['expires_on'])}"
            for row in held
            if row["region"] == tax.place.region
            and tax.place.country == "US"
            and row["expires_on"] >= closed_on
        ]
        note = _taxed_words(tax)
        if not tax.rate_ppm:
            note = f"Exempt by {good[0]}" if good else "No tax is taken for this place"
        found.append(
            TaxLine(
                place=str(tax.tax_place),
                rate_ppm=tax.rate_ppm,
                base_minor=base_minor,
                tax_minor=tax_minor,
                note=note,
            )
        )
    return tuple(found)


def taxed_minor(tax: LineTax, hammer_minor: int, premium_minor: int, freight_minor: int) -> int:
    """What of these is taxed, or would be."""
    premium_minor = premium_minor if tax.premium_taxed else 0
    return hammer_minor + premium_minor + (freight_minor if tax.freight_taxed else 0)


def _taxed_words(tax: LineTax) -> str:
    parts = ["hammer price"]
    parts += ["premium"] if tax.premium_taxed else []
    parts += ["freight"] if tax.freight_taxed else []
    return f"on {', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else f"on {parts[0]}"
