"""Sales and lots as the catalogue tells them: what may be written until when, and how it is found.

A seller writes drafts; publishing freezes a lot for good (the tables refuse more), so that what was
bid on is what was shown. A lot is found once it is published and the board has it; prices, ends and
states come from the board, which trails the log by moments.

Every function takes a connection and makes no transaction of its own: to publish a lot with its
manifest and photos at once is the caller's transaction. Lists take ``limit`` rows after a key, the
key of the last row that the caller has; who asks for one row more knows whether more follow.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

import asyncpg
from msgspec import Meta, Struct, structs

from auction.board import BoardRow
from auction.catalog.goods import Condition, FreightClass, FreightTerms
from auction.ids import ALiquidatorId, ALotId, ASaleId, LotId, SaleId
from auction.money import Minor
from auction.terms import STORABLE, Instant, LotKind, Restriction
from foundation.database import AnyConnection

Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=STORABLE)]
Prose = Annotated[str, Meta(max_length=10_000, pattern=STORABLE)]
Name = Annotated[str, Meta(min_length=1, max_length=120, pattern=STORABLE)]
Region = Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")]  # as in a postal address: TX
Country = Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")]  # ISO 3166-1
PostalCode = Annotated[str, Meta(pattern=r"\A[0-9]{5}\Z")]
Millimetres = Annotated[int, Meta(ge=1, le=100_000)]
Grams = Annotated[int, Meta(ge=1, le=10**11)]


class AlreadyPublished(Exception):
    """What is published stays as it is."""


class NotYours(Exception):
    """The sale is another liquidator's."""


class NotReady(Exception):
    """The lot has no manifest yet, or there is no such lot."""


class SaleDetails(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sale as its liquidator describes it. The terms that bind are the engine's ``Terms``, and
    who may see it is the engine's ``SaleAudience``."""

    sale_id: ASaleId
    liquidator_id: ALiquidatorId
    liquidator_name: Name
    title: Title
    summary: Prose = ""
    time_zone: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*\Z")]
    city: Name
    region: Region
    country: Country = "US"
    terms_in_words: Prose = ""
    payment_terms: Prose = ""
    pickup_terms: Prose = ""
    opens_at_us: Instant


class LotDetails(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lot as its liquidator describes it; what its manifest says is added by the manifest.

    ``pallets`` stand on the dock, each of these measures, in all of this weight; 0: loose cases,
    measured and weighed together.
    """

    sale_id: ASaleId
    lot_id: ALotId
    place: Annotated[int, Meta(ge=1, le=100_000)]
    kind: LotKind
    title: Title
    description: Prose = ""
    category: Name
    source: Name
    restrictions: Annotated[tuple[Restriction, ...], Meta(max_length=20)] = ()
    company: Name
    street: Name
    city: Name
    region: Region
    postal_code: PostalCode
    country: Country = "US"
    pallets: Annotated[int, Meta(ge=0, le=100)]
    length_mm: Millimetres
    width_mm: Millimetres
    height_mm: Millimetres
    weight_g: Grams
    freight_class: FreightClass
    freight_terms: FreightTerms = FreightTerms.BINDING
    freight_fixed_minor: Minor | None = None
    currency: str


class SaleEntry(Struct, frozen=True):
    """A published sale, and what its lots come to. Ends and states are those of the board.

    ``msrp_minor`` is the sum over its lots, in their currency. ``unended``: lots that can still
    be sold. ``first_end_us``, ``last_end_us``: of all lots; None before the board has any.
    """

    details: SaleDetails
    lots: int
    unended: int
    sold: int
    units: int
    msrp_minor: int
    currency: str | None
    first_end_us: int | None
    last_end_us: int | None
    categories: tuple[str, ...]

    def is_over(self) -> bool:
        """Whether every lot has ended."""
        return self.lots > 0 and self.unended == 0


class LotEntry(Struct, frozen=True):
    """A published lot with what the public knows of its bidding.

    ``condition`` is the lowest grade of the manifest. Where the goods are is said by town: the
    street is for the buyer (``pickup_address``).
    """

    sale_id: SaleId
    lot_id: LotId
    place: int
    kind: LotKind
    title: str
    description: str
    category: str
    condition: Condition
    source: str
    restrictions: tuple[str, ...]
    city: str
    region: str
    postal_code: str
    country: str
    pallets: int
    length_mm: int
    width_mm: int
    height_mm: int
    weight_g: int
    freight_class: str
    freight_terms: FreightTerms
    freight_fixed_minor: int | None
    currency: str
    lines: int
    units: int
    msrp_minor: int
    brands: str
    manifest_sha256: bytes
    board: BoardRow


class PickupAddress(Struct, frozen=True):
    """Where the goods are, for who has paid for them."""

    company: str
    street: str
    city: str
    region: str
    postal_code: str
    country: str


# --- Writing -------------------------------------------------------------------------------------

_SALE = ", ".join(SaleDetails.__struct_fields__)
_LOT = ", ".join(LotDetails.__struct_fields__)


def _places(count: int) -> str:
    return ", ".join(f"${number + 1}" for number in range(count))


_SAVE_SALE = f"""
insert into sale_listing ({_SALE}) values ({_places(len(SaleDetails.__struct_fields__))})
on conflict (sale_id) do update set
{", ".join(f"{name} = excluded.{name}" for name in SaleDetails.__struct_fields__[2:])}
where sale_listing.liquidator_id = excluded.liquidator_id
"""  # noqa: S608 - the columns are the fields above

# A lot without a manifest: uninspected, no lines. `save_manifest` fills these in.
_SAVE_LOT = f"""
insert into lot_listing ({_LOT}, condition, lines, units, msrp_minor, brands)
values ({_places(len(LotDetails.__struct_fields__))}, 'UNINSPECTED', 0, 0, 0, '')
on conflict (sale_id, lot_id) do update set
{", ".join(f"{name} = excluded.{name}" for name in LotDetails.__struct_fields__[2:])}
"""  # noqa: S608

_PUBLISH_LOTS = """
update lot_listing set published_at_us = $3
where sale_id = $1 and lot_id = any($2) and manifest_sha256 is not null
returning lot_id
"""


async def save_sale(connection: AnyConnection, sale: SaleDetails) -> None:
    """A new sale, or other words for one of the same liquidator. Raises `NotYours`."""
    status = await connection.execute(_SAVE_SALE, *structs.astuple(sale))
    if status == "INSERT 0 0":
        raise NotYours("the sale is another liquidator's")


async def publish_sale(connection: AnyConnection, sale_id: SaleId, at_us: int) -> None:
    """Everybody may find the sale from now on; a second time changes nothing."""
    await connection.execute(
        "update sale_listing set published_at_us = coalesce(published_at_us, $2)"
        " where sale_id = $1",
        sale_id,
        at_us,
    )


async def save_lot(connection: AnyConnection, lot: LotDetails) -> None:
    """A new lot of a sale, or other words for one that is not published yet.

    Raises `AlreadyPublished`.
    """
    try:
        await connection.execute(_SAVE_LOT, *structs.astuple(lot))
    except asyncpg.RestrictViolationError as error:
        raise AlreadyPublished(str(error)) from None


async def publish_lots(
    connection: AnyConnection, sale_id: SaleId, lot_ids: Sequence[LotId], at_us: int
) -> None:
    """Freeze these lots with their manifests and photos, all or none, for good.

    Raises `NotReady` with the lots that lack a manifest, and `AlreadyPublished`. To be done before
    the engine schedules them, so that no lot is open before it can be read.
    """
    try:
        rows = await connection.fetch(_PUBLISH_LOTS, sale_id, list(lot_ids), at_us)
    except asyncpg.RestrictViolationError as error:
        raise AlreadyPublished(str(error)) from None
    missing = set(lot_ids) - {row["lot_id"] for row in rows}
    if missing:
        raise NotReady(f"no manifest: lot {', '.join(sorted(missing))}")


# --- Sales ---------------------------------------------------------------------------------------


_READ_SALE = f"select {_SALE} from sale_listing where sale_id = $1 and published_at_us is not null"  # noqa: S608

_FIGURES = """
select count(*)::int as lots,
    count(*) filter (where b.status in ('LIVE', 'IF_BID'))::int as unended,
    count(*) filter (where b.status = 'SOLD')::int as sold,
    coalesce(sum(l.units), 0)::bigint as units,
    coalesce(sum(l.msrp_minor), 0)::bigint as msrp_minor,
    min(b.currency) as currency,
    min(b.closes_at_us) as first_end_us,
    max(b.closes_at_us) as last_end_us,
    coalesce(array_agg(distinct l.category), '{}') as categories
from lot_board b join lot_listing l using (sale_id, lot_id)
where b.sale_id = $1 and l.published_at_us is not null
group by b.sale_id
"""


async def read_sale(connection: AnyConnection, sale_id: SaleId) -> SaleEntry | None:
    """A published sale, whatever its audience: whether this reader may see it, the caller asks."""
    row = await connection.fetchrow(_READ_SALE, sale_id)
    if row is None:
        return None
    sale = SaleDetails(**dict(row))
    figures = await connection.fetchrow(_FIGURES, sale_id)
    if figures is None:
        return SaleEntry(sale, 0, 0, 0, 0, 0, None, None, None, ())
    more = dict(figures) | {"categories": tuple(figures["categories"])}
    return SaleEntry(details=sale, **more)


# --- Lots ----------------------------------------------------------------------------------------


class LotOrder(StrEnum):
    """In which order lots are listed."""

    PLACE = "PLACE"  # as in the catalogue, sale after sale
    ENDING = "ENDING"  # the next to end first
    LOWEST_PRICE = "LOWEST_PRICE"  # by the next minimum
    HIGHEST_MSRP = "HIGHEST_MSRP"


class LotFilter(Struct, frozen=True, kw_only=True):
    """Which lots are wanted; a field that is absent asks for nothing.

    ``text``: words as typed into a search box, with ``"quotes"`` and ``-minus`` (PostgreSQL's
    websearch_to_tsquery), in title, category, brands, description and town. ``unended``: that can
    still be sold. Several values of a field are alternatives. ``hidden``: sales that are not public
    and are searched all the same; of ``sale_id`` the caller knows that it may be seen.
    """

    sale_id: SaleId | None = None
    hidden: tuple[SaleId, ...] = ()
    text: str | None = None
    categories: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] | None = None
    kinds: tuple[LotKind, ...] | None = None
    regions: tuple[str, ...] | None = None
    liquidators: tuple[str, ...] | None = None
    most_price_minor: int | None = None
    least_msrp_minor: int | None = None
    unended: bool = False


class LotKey(Struct, frozen=True):
    """The place of a lot in a list of this order."""

    order: LotOrder
    value: int
    sale_id: SaleId
    lot_id: LotId


_OF_LISTING: Final = tuple(name for name in LotEntry.__struct_fields__ if name != "board")
_OF_BOARD: Final = BoardRow.__struct_fields__
_ENTRY = ", ".join([*(f"l.{name}" for name in _OF_LISTING), *(f"b.{name}" for name in _OF_BOARD)])

_ORDERS: Final[dict[LotOrder, str]] = {
    LotOrder.PLACE: "l.place::bigint",
    LotOrder.ENDING: "b.closes_at_us",
    LotOrder.LOWEST_PRICE: "b.next_minimum_minor",
    LotOrder.HIGHEST_MSRP: "-l.msrp_minor",
}


def _find_lots(order: LotOrder) -> str:
    ordered, after = f"({_ORDERS[order]}, l.sale_id, l.lot_id)", "($11, $12, $13)"
    if order is LotOrder.PLACE:  # sales come one after the other
        ordered, after = f"(l.sale_id, {_ORDERS[order]}, l.lot_id)", "($12, $11, $13)"
    return f"""
select {_ENTRY}
from lot_listing l
join lot_board b on (b.sale_id, b.lot_id) = (l.sale_id, l.lot_id)
join sale_listing s on s.sale_id = l.sale_id
where l.published_at_us is not null and s.published_at_us is not null
and ($1::text is null and (b.audience = 'PUBLIC' or l.sale_id = any($15)) or l.sale_id = $1)
and ($2::text is null or l.search @@ websearch_to_tsquery('english', $2))
and ($3::text[] is null or l.category = any($3))
and ($4::text[] is null or l.condition = any($4))
and ($5::text[] is null or l.kind = any($5))
and ($6::text[] is null or l.region = any($6))
and ($7::text[] is null or s.liquidator_id = any($7))
and ($8::bigint is null or coalesce(b.price_minor, b.opening_minor) <= $8)
and ($9::bigint is null or l.msrp_minor >= $9)
and (not $10::boolean or b.status in ('LIVE', 'IF_BID'))
and ($11::bigint is null or {ordered} > {after})
order by {ordered}
limit $14
"""  # noqa: S608


_FIND_LOTS: Final = {order: _find_lots(order) for order in LotOrder}

_READ_LOTS = f"""
select {_ENTRY}
from unnest($1::text[], $2::text[]) with ordinality as wanted (sale_id, lot_id, number)
join lot_listing l using (sale_id, lot_id)
join lot_board b using (sale_id, lot_id)
join sale_listing s using (sale_id)
where l.published_at_us is not null and s.published_at_us is not null
order by wanted.number
"""  # noqa: S608

_PICKUP_ADDRESS = """
select company, street, city, region, postal_code, country from lot_listing
where sale_id = $1 and lot_id = $2
"""


async def find_lots(
    connection: AnyConnection,
    wanted: LotFilter,
    order: LotOrder,
    after: LotKey | None,
    limit: int,
) -> list[LotEntry]:
    """Published lots: of public sales, or of the one sale that is named.

    ``ValueError`` for a key of another order. A lot whose price or end moves between two pages may
    be on both or on neither; the order of the catalogue does not move.
    """
    if after is not None and after.order is not order:
        raise ValueError("the key is of another order")
    rows = await connection.fetch(
        _FIND_LOTS[order],
        wanted.sale_id,
        wanted.text,
        wanted.categories,
        wanted.conditions,
        wanted.kinds,
        wanted.regions,
        wanted.liquidators,
        wanted.most_price_minor,
        wanted.least_msrp_minor,
        wanted.unended,
        None if after is None else after.value,
        "" if after is None else after.sale_id,
        "" if after is None else after.lot_id,
        limit,
        wanted.hidden,
    )
    return [_lot_of(row) for row in rows]


async def lots_of(
    connection: AnyConnection, sale_id: SaleId, after: LotKey | None, limit: int
) -> list[LotEntry]:
    """The lots of a sale in the order of its catalogue."""
    return await find_lots(connection, LotFilter(sale_id=sale_id), LotOrder.PLACE, after, limit)


def lot_key(order: LotOrder, entry: LotEntry) -> LotKey:
    """The place of a lot in a list of this order."""
    values = {
        LotOrder.PLACE: entry.place,
        LotOrder.ENDING: entry.board.closes_at_us,
        LotOrder.LOWEST_PRICE: entry.board.next_minimum_minor,
        LotOrder.HIGHEST_MSRP: -entry.msrp_minor,
    }
    return LotKey(order, values[order], entry.sale_id, entry.lot_id)


async def read_lot(connection: AnyConnection, sale_id: SaleId, lot_id: LotId) -> LotEntry | None:
    """One published lot of a published sale."""
    found = await read_lots(connection, [(sale_id, lot_id)])
    return found[0] if found else None


async def read_lots(
    connection: AnyConnection, wanted: Sequence[tuple[SaleId, LotId]]
) -> list[LotEntry]:
    """These published lots, in this order, as far as there are such."""
    rows = await connection.fetch(
        _READ_LOTS, [sale_id for sale_id, _ in wanted], [lot_id for _, lot_id in wanted]
    )
    return [_lot_of(row) for row in rows]


async def pickup_address(
    connection: AnyConnection, sale_id: SaleId, lot_id: LotId
) -> PickupAddress | None:
    """Where the goods of a lot are collected: for who has paid for them, and for its seller."""
    row = await connection.fetchrow(_PICKUP_ADDRESS, sale_id, lot_id)
    return None if row is None else PickupAddress(**row)


def _lot_of(row: asyncpg.Record) -> LotEntry:
    values = tuple(row)
    listing = dict(zip(_OF_LISTING, values[: len(_OF_LISTING)], strict=True))
    listing["kind"] = LotKind(listing["kind"])
    listing["condition"] = Condition(listing["condition"])
    listing["freight_terms"] = FreightTerms(listing["freight_terms"])
    listing["restrictions"] = tuple(listing["restrictions"])
    return LotEntry(**listing, board=BoardRow(*values[len(_OF_LISTING) :]))
