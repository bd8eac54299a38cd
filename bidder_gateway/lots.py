"""Lots as they are found, with their photos and what is in them.

What the catalogue shows of a lot is joined with the board. A lot is found when its sale is
(`sales`), and its seller has published it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from auction.catalog import listings, manifests
from auction.catalog.goods import Condition
from auction.catalog.listings import LotEntry, LotFilter, LotKey, LotOrder, lot_key
from auction.catalog.manifests import (
    GroupBy,
    LineFilter,
    LineGroup,
    LineKey,
    LineOrder,
    PreviewLine,
    Totals,
)
from auction.catalog.photos import StoredPhoto, photos_of, read_photo
from auction.ids import LotId, SaleId
from auction.money import Minor
from auction.terms import STORABLE, LotKind
from bidder_gateway.listed import LotPage, LotRules, LotSummary, lot_page, lot_summary
from bidder_gateway.sight import (
    GUEST,
    SALES,
    Onlooker,
    hidden_in_sight,
    in_sight,
    is_in_sight,
)
from foundation.database import AnyConnection, Pool, acquire
from foundation.http.cursors import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Listing,
    Paging,
    cursor_of,
    key_of_cursor,
    listing,
)
from foundation.http.problems import INVALID
from foundation.http.reading import Input

Lot = tuple[SaleId, LotId]

SearchText = Annotated[str, Meta(max_length=200, pattern=STORABLE)]
SearchWord = Annotated[str, Meta(max_length=120, pattern=STORABLE)]
SearchWords = Annotated[tuple[SearchWord, ...], Meta(max_length=20)]
Conditions = Annotated[tuple[Condition, ...], Meta(max_length=len(Condition))]
Kinds = Annotated[tuple[LotKind, ...], Meta(max_length=len(LotKind))]


class LotsQuery(Paging):
    """Which lots, in which order. Several values of a parameter are alternatives.

    ``q``: words, "quotes" and -minus, in title, category, brands, description and town.
    ``open``: only those that can still be sold.
    """

    q: SearchText | None = None
    category: SearchWords = ()
    condition: Conditions = ()
    kind: Kinds = ()
    region: SearchWords = ()
    seller: SearchWords = ()
    max_price_minor: Minor | None = None
    min_msrp_minor: Minor | None = None
    open: bool = False
    order: LotOrder = LotOrder.PLACE

    def filter(self, sale_id: SaleId | None = None, hidden: tuple[SaleId, ...] = ()) -> LotFilter:
        """As the catalogue takes it."""
        return LotFilter(
            sale_id=sale_id,
            hidden=hidden,
            text=self.q or None,
            categories=self.category or None,
            conditions=self.condition or None,
            kinds=self.kind or None,
            regions=self.region or None,
            liquidators=self.seller or None,
            most_price_minor=self.max_price_minor,
            least_msrp_minor=self.min_msrp_minor,
            unended=self.open,
        )


class LineWishes(Input):
    """Which lines of a manifest. ``q``: each of its words is in the line."""

    q: SearchText | None = None
    category: SearchWords = ()
    condition: Conditions = ()
    brand: SearchWords = ()
    pallet: SearchWords = ()

    def filter(self) -> LineFilter:
        """As the catalogue takes it."""
        return LineFilter(
            text=self.q or None,
            categories=self.category or None,
            conditions=self.condition or None,
            brands=self.brand or None,
            pallets=self.pallet or None,
        )


class LinesQuery(LineWishes):
    """Which lines of a manifest, in which order. ``limit`` and ``cursor`` as of every list."""

    order: LineOrder = LineOrder.LINE
    descending: bool = False
    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None


class GroupsQuery(LineWishes):
    """Which lines of a manifest, and by what they are summed up."""

    by: GroupBy = GroupBy.CATEGORY


class ManifestPage(Struct, frozen=True, kw_only=True):
    """Some lines of a manifest; ``totals`` is of all lines that were asked for."""

    items: Sequence[PreviewLine]
    next_cursor: str | None
    totals: Totals


class ManifestGroups(Struct, frozen=True, kw_only=True):
    """What the lines that were asked for come to, by something that they have in common."""

    by: GroupBy
    items: Sequence[LineGroup]
    totals: Totals


_RULES = """
select lot_group, scheduled_closes_at_us, latest_end_us from lot_rules
where sale_id = $1 and lot_id = $2
"""


_PHOTO_IN_SIGHT = f"""
select exists (
    select from lot_photo_file where sha256 = $1 and sale_id in (
        select sale_id from {SALES} where {in_sight("$2")}
    )
)
"""  # noqa: S608 - named in `sight`


class PhotoFile(NamedTuple):
    """A file of a photo. ``public``: it is of a sale that everybody sees."""

    media_type: str
    data: bytes
    public: bool


class Lots:
    """The catalogue's lots, as far as who looks may see them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_sale(
        self, sale_id: SaleId, query: LotsQuery, who: Onlooker
    ) -> Listing[LotSummary] | None:
        """One page of a sale's lots; ``None``: no such sale. Raises `Problem` 422."""
        async with acquire(self._pool) as connection:
            if not await is_in_sight(connection, sale_id, who):
                return None
            return await _find(connection, query.filter(sale_id), query)

    async def search(self, query: LotsQuery, who: Onlooker) -> Listing[LotSummary]:
        """One page of the lots of all sales. Raises `Problem` 422."""
        async with acquire(self._pool) as connection:
            hidden = await hidden_in_sight(connection, who)
            return await _find(connection, query.filter(hidden=hidden), query)

    async def lot(self, sale_id: SaleId, lot_id: LotId, who: Onlooker) -> LotPage | None:
        """One lot; ``None``: none that they may see."""
        async with acquire(self._pool) as connection:
            entry = await lot_in_sight(connection, sale_id, lot_id, who)
            rules = await connection.fetchrow(_RULES, sale_id, lot_id)
            if entry is None or rules is None:
                return None
            photos = await photos_of(connection, sale_id, [lot_id])
        return lot_page(entry, photos.get(lot_id, []), LotRules(**dict(rules)))

    async def some(self, lots: Sequence[Lot]) -> Mapping[Lot, LotSummary]:
        """These lots, as far as they are published."""
        async with acquire(self._pool) as connection:
            return await summaries(connection, lots)

    async def manifest(
        self, sale_id: SaleId, lot_id: LotId, query: LinesQuery, who: Onlooker
    ) -> ManifestPage | None:
        """One page of what is in a lot; ``None``: no such lot. Raises `Problem` 422."""
        wanted, after = query.filter(), key_of_cursor(query.cursor, LineKey)
        async with acquire(self._pool) as connection:
            if await lot_in_sight(connection, sale_id, lot_id, who) is None:
                return None
            try:
                page = await manifests.page_of_lines(
                    connection,
                    sale_id,
                    lot_id,
                    wanted,
                    query.order,
                    descending=query.descending,
                    after=after,
                    limit=query.limit + 1,
                )
            except ValueError:
                raise other_order() from None
            totals = await manifests.totals(connection, sale_id, lot_id, wanted)
        more = len(page.lines) > query.limit
        return ManifestPage(
            items=page.lines[: query.limit],
            next_cursor=cursor_of(page.keys[query.limit - 1]) if more else None,
            totals=totals,
        )

    async def manifest_groups(
        self, sale_id: SaleId, lot_id: LotId, query: GroupsQuery, who: Onlooker
    ) -> ManifestGroups | None:
        """What is in a lot, summed up; ``None``: no such lot."""
        wanted = query.filter()
        async with acquire(self._pool) as connection:
            if await lot_in_sight(connection, sale_id, lot_id, who) is None:
                return None
            groups = await manifests.groups(connection, sale_id, lot_id, query.by, wanted)
            totals = await manifests.totals(connection, sale_id, lot_id, wanted)
        return ManifestGroups(by=query.by, items=groups, totals=totals)

    async def photo(self, digest: bytes, who: Onlooker) -> PhotoFile | None:
        """A file of a photo, by its SHA-256; ``None``: none that a lot in sight has."""
        async with acquire(self._pool) as connection:
            public = await connection.fetchval(_PHOTO_IN_SIGHT, digest, GUEST)
            if not (public or await connection.fetchval(_PHOTO_IN_SIGHT, digest, who)):
                return None
            file = await read_photo(connection, digest)
        return None if file is None else PhotoFile(*file, public)


async def lot_in_sight(
    connection: AnyConnection, sale_id: SaleId, lot_id: LotId, who: Onlooker
) -> LotEntry | None:
    """A lot of the catalogue, if who looks may see it."""
    if not await is_in_sight(connection, sale_id, who):
        return None
    return await listings.read_lot(connection, sale_id, lot_id)


async def summaries(connection: AnyConnection, lots: Sequence[Lot]) -> Mapping[Lot, LotSummary]:
    """These lots with their first photos, as far as they are published."""
    entries = await listings.read_lots(connection, lots)
    photos = await _first_photos(connection, entries)
    return {
        (entry.sale_id, entry.lot_id): lot_summary(entry, photos.get((entry.sale_id, entry.lot_id)))
        for entry in entries
    }


async def _find(
    connection: AnyConnection, wanted: LotFilter, query: LotsQuery
) -> Listing[LotSummary]:
    after = key_of_cursor(query.cursor, LotKey)
    try:
        entries = await listings.find_lots(connection, wanted, query.order, after, query.limit + 1)
    except ValueError:
        raise other_order() from None
    photos = await _first_photos(connection, entries)
    return listing(
        entries,
        query.limit,
        lambda entry: lot_summary(entry, photos.get((entry.sale_id, entry.lot_id))),
        lambda entry: lot_key(query.order, entry),
    )


async def _first_photos(
    connection: AnyConnection, entries: Iterable[LotEntry]
) -> Mapping[Lot, StoredPhoto]:
    by_sale: dict[SaleId, list[LotId]] = {}
    for entry in entries:
        by_sale.setdefault(entry.sale_id, []).append(entry.lot_id)
    first: dict[Lot, StoredPhoto] = {}
    for sale_id, lot_ids in by_sale.items():
        for lot_id, photos in (await photos_of(connection, sale_id, lot_ids)).items():
            first[sale_id, lot_id] = photos[0]
    return first


def other_order() -> Exception:
    """A cursor that was made for the same list in another order."""
    return INVALID("This cursor is of the list in another order.", place="?cursor")
