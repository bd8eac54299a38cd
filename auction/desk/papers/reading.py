"""A sale as the words of its papers, read from its draft and, once it is published, from the
catalogue and the board: what buyers see is what is printed.

Lots are read and made into words a few at a time, with pauses for whoever else has something to do.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from msgspec import Struct

from auction.amounts import money
from auction.catalog.listings import SaleDetails
from auction.catalog.listings import read_sale as read_listed
from auction.catalog.words import (
    FREIGHT,
    KINDS,
    STATUSES,
    category_words,
    count_words,
    measures_words,
    restriction_words,
    share_words,
    source_words,
    weight_words,
)
from auction.desk.lot_drafts import DraftedLot, lots_of_sale
from auction.desk.papers.contents import (
    CatalogueHead,
    CatalogueLot,
    Fact,
    LotTags,
    Sheet,
    TagsHead,
)
from auction.desk.papers.press import Press
from auction.desk.refusals import Refusal, Refused
from auction.desk.sale_drafts import DraftedSale, DraftState, read_sale
from auction.desk.schedule import NoSuchTime, times_of, zone_of
from auction.ids import LiquidatorId, LotId, SaleId
from auction.money import EXPONENTS
from auction.plain_terms import clauses
from auction.sale import LotStatus
from foundation.database import AnyConnection, Pool, acquire
from foundation.papers.sizes import paper_of

# Lots whose photos are in memory together.
PIECE: Final = 25
# Of one document: more labels than a roll has.
MAX_TAGS: Final = 5_000
# Categories and brands of a lot that are named.
NAMED: Final = 4
OPEN: Final = "Not said yet"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_BOARD: Final = """
select lot_id, status, opening_minor, opens_at_us, closes_at_us from lot_board where sale_id = $1
"""

_PHOTOS: Final = """
select distinct on (draft_id) draft_id, bytes
from lot_draft_photo p join lot_draft_photo_file f using (draft_id, number)
join picture using (sha256)
where draft_id = any($1) and removed_at_us is null and size = 'tile' and media_type = 'image/jpeg'
order by draft_id, place, p.number
"""


def _parts(column: str) -> str:
    """What is most of the manifest, by MSRP, and by units where no MSRP is known."""
    return f"""
select draft_id, name, worth, whole, units, all_units from (
    select draft_id, {column} as name, sum(worth) as worth, sum(quantity)::bigint as units,
        sum(sum(worth)) over each_lot as whole,
        sum(sum(quantity)) over each_lot as all_units,
        row_number() over (each_lot order by sum(worth) desc, sum(quantity) desc, {column}) as rank
    from (
        select draft_id, {column}, quantity, quantity::numeric * unit_msrp_minor as worth
        from lot_draft_line where draft_id = any($1)
    ) as line
    group by draft_id, {column} window each_lot as (partition by draft_id)
) as part where name <> '' and rank <= {NAMED + 1} order by draft_id, rank
"""  # noqa: S608 - a column of ours


_CATEGORIES: Final = _parts("category")
_BRANDS: Final = _parts("brand")


class BoardLot(Struct, frozen=True):
    """What the board has of a lot; its names are those of the columns."""

    lot_id: LotId
    status: str
    opening_minor: int
    opens_at_us: int
    closes_at_us: int


class SaleOnPaper(Struct, frozen=True):
    """What is read before the first lot is set."""

    sale: DraftedSale
    lots: Sequence[DraftedLot]
    listed: SaleDetails | None
    board: Mapping[LotId, BoardLot]


class Papers:
    """Catalogues and tags. ``public_url``: what addresses of pages begin with."""

    def __init__(self, pool: Pool, public_url: str) -> None:
        self._pool, self._public_url, self._press = pool, public_url, Press()

    async def owner_of(self, sale_id: SaleId) -> LiquidatorId | None:
        """Whose sale it is, in any state; ``None``: there is none."""
        async with acquire(self._pool) as connection:
            owner: LiquidatorId | None = await connection.fetchval(
                "select liquidator_id from sale_draft where sale_id = $1", sale_id
            )
        return owner

    async def catalogue(self, owner: LiquidatorId, sale_id: SaleId) -> bytes:
        """The catalogue of a sale as a PDF. Raises `Refused` NOT_FOUND, BUSY."""
        return await self._press.printed(self._catalogue(await self._read(owner, sale_id)))

    async def floor_tags(self, owner: LiquidatorId, sale_id: SaleId) -> bytes:
        """The tags of its pallets as a PDF. Raises `Refused` NOT_FOUND, TOO_MANY, BUSY."""
        paper = await self._read(owner, sale_id)
        tags = sum(_pallets(lot) or 1 for lot in paper.lots)
        if tags > MAX_TAGS:
            detail = f"These are {tags:,} tags; a document has {MAX_TAGS:,} at the most."
            raise Refused(Refusal.TOO_MANY, detail=detail)
        return await self._press.printed(self._tags(paper))

    async def _read(self, owner: LiquidatorId, sale_id: SaleId) -> SaleOnPaper:
        async with acquire(self._pool) as connection:
            sale = await read_sale(connection, owner, sale_id)
            lots = await lots_of_sale(connection, sale_id)
            if sale.state is not DraftState.PUBLISHED:
                return SaleOnPaper(sale, lots, None, {})
            listed = await read_listed(connection, sale_id)
            rows = await connection.fetch(_BOARD, sale_id)
        board = {row["lot_id"]: BoardLot(**dict(row)) for row in rows}
        return SaleOnPaper(sale, lots, listed.details if listed else None, board)

    async def _catalogue(self, paper: SaleOnPaper) -> AsyncIterator[Sheet]:
        yield _cover(paper)
        zone, ends = _zone(paper), _ends(paper)
        for start in range(0, len(paper.lots), PIECE):
            piece = paper.lots[start : start + PIECE]
            draft_ids = [lot.draft_id for lot in piece]
            async with acquire(self._pool) as connection:
                rows = await connection.fetch(_PHOTOS, draft_ids)
                mixes = await _mix(connection, _CATEGORIES, draft_ids)
                brands = await _mix(connection, _BRANDS, draft_ids)
            photos = {row["draft_id"]: row["bytes"] for row in rows}
            for place, lot in enumerate(piece, start):
                mix, brand = mixes.get(lot.draft_id, ""), brands.get(lot.draft_id, "")
                end = _time(ends[place], zone)
                board = paper.board.get(_number(lot))
                yield _lot(lot, board, end, mix, brand, photos.get(lot.draft_id))
            await asyncio.sleep(0)

    async def _tags(self, paper: SaleOnPaper) -> AsyncIterator[Sheet]:
        listed, draft = paper.listed, paper.sale.draft
        yield TagsHead(
            title=(listed or draft).title or "Untitled sale",
            seller=(listed or draft).liquidator_name,
        )
        for place, lot in enumerate(paper.lots):
            yield self._tag(paper.sale.sale_id, lot)
            if place % PIECE == 0:
                await asyncio.sleep(0)

    def _tag(self, sale_id: SaleId, lot: DraftedLot) -> LotTags:
        sale, number = quote(sale_id, safe=""), quote(_number(lot), safe="")
        return LotTags(
            number=_number(lot),
            title=lot.draft.title,
            pallets=_pallets(lot),
            facts=list(_of_tag(lot)),
            address=f"{self._public_url}/sales/{sale}/lots/{number}",
            code=f"{sale_id}/{lot.number}",
        )


def _cover(paper: SaleOnPaper) -> CatalogueHead:
    sale = paper.sale
    draft, said = sale.draft, paper.listed or sale.draft
    terms = [Fact(clause.title, clause.text) for clause in clauses(draft.terms)]
    written = (
        ("Terms of the seller", said.terms_in_words),
        ("Payment", said.payment_terms),
        ("Pickup", said.pickup_terms),
    )
    return CatalogueHead(
        paper=paper_of(said.country),
        title=said.title or "Untitled sale",
        seller=said.liquidator_name,
        place=", ".join(filter(None, (said.city, said.region, said.country))),
        note="" if paper.listed else "Draft: this sale is not published, and may still change.",
        summary=said.summary,
        facts=list(_of_sale(paper)),
        terms=[*terms, *(Fact(title, text) for title, text in written if text)],
    )


def _of_sale(paper: SaleOnPaper) -> Iterator[Fact]:
    zone = _zone(paper)
    known = [end for end in _ends(paper) if end is not None]
    yield Fact("Opens", _time(_opens(paper), zone))
    yield Fact("First lot ends", _time(min(known, default=None), zone))
    yield Fact("Last lot ends", _time(max(known, default=None), zone))
    yield Fact("Lots", f"{len(paper.lots):,}")
    yield Fact("Units", f"{sum(lot.units for lot in paper.lots):,}")
    currencies = {lot.draft.currency for lot in paper.lots}
    if len(currencies) == 1:
        (currency,) = currencies
        yield Fact("MSRP", _rounded(sum(lot.retail_minor for lot in paper.lots), currency))
    if zone is not None:
        yield Fact("Times are those of", zone.key)


def _lot(
    lot: DraftedLot,
    board: BoardLot | None,
    end: str,
    categories: str,
    brands: str,
    photo: bytes | None,
) -> CatalogueLot:
    draft = lot.draft
    opening = board.opening_minor if board else draft.opening_minor
    currency = draft.currency
    facts = [
        Fact("Opening bid", money(opening, currency) if opening is not None else OPEN),
        Fact("MSRP", _rounded(lot.retail_minor, currency) if lot.retail_minor else OPEN),
        Fact("Units", f"{lot.units:,}" if lot.units else OPEN),
        Fact("Condition", lot.condition.on_pages if lot.condition else OPEN),
        Fact("Kind", KINDS[draft.kind] if draft.kind else OPEN),
        _ending(board, end),
        Fact("Location", _town(lot) or OPEN),
        *_of_goods(lot),
    ]
    restrictions = "; ".join(map(restriction_words, draft.restrictions))
    notes = (
        ("Restrictions", restrictions),
        ("Source", source_words(draft.source)),
        ("Category", category_words(draft.category)),
        ("Manifest", f"{count_words(lot.lines, 'line')}: {categories}" if categories else ""),
        ("Top brands", brands),
        ("Freight", FREIGHT[draft.freight_terms]),
    )
    return CatalogueLot(
        number=_number(lot),
        title=draft.title,
        facts=facts,
        description=draft.description,
        notes=[Fact(title, text) for title, text in notes if text],
        photo=photo,
    )


def _ending(board: BoardLot | None, end: str) -> Fact:
    if board is None or board.status == LotStatus.LIVE:
        return Fact("Ends", end)
    return Fact("State", STATUSES.get(board.status, board.status))


def _of_goods(lot: DraftedLot) -> Iterator[Fact]:
    draft = lot.draft
    many = _pallets(lot)
    if draft.length_mm and draft.width_mm and draft.height_mm:
        size = measures_words(draft.length_mm, draft.width_mm, draft.height_mm)
        yield Fact("Size of each pallet" if many > 1 else "Size", size)
    if draft.weight_g:
        titled = f"Weight of all {many} pallets" if many > 1 else "Weight"
        yield Fact(titled, weight_words(draft.weight_g))


def _of_tag(lot: DraftedLot) -> Iterator[Fact]:
    yield from _of_goods(lot)
    if lot.draft.kind:
        yield Fact("Kind", KINDS[lot.draft.kind])
    yield Fact("Units", f"{lot.units:,}")


async def _mix(
    connection: AnyConnection, query: str, draft_ids: Sequence[str]
) -> Mapping[str, str]:
    """By draft, what is most of its manifest: ``Kitchen 62 %, Home 38 %``."""
    mixes: dict[str, list[str]] = {}
    for row in await connection.fetch(query, draft_ids):
        shares = mixes.setdefault(row["draft_id"], [])
        part, whole = row["worth"], row["whole"]
        if not whole:
            part, whole = row["units"], row["all_units"]
        if len(shares) < NAMED:
            shares.append(f"{row['name']} {share_words(int(part), int(whole))}")
    return {draft_id: ", ".join(shares) for draft_id, shares in mixes.items()}


def _zone(paper: SaleOnPaper) -> ZoneInfo | None:
    schedule = paper.sale.draft.schedule
    name = paper.listed.time_zone if paper.listed else schedule and schedule.time_zone
    try:
        return zone_of(name) if name else None
    except NoSuchTime:
        return None


def _opens(paper: SaleOnPaper) -> int | None:
    if paper.board:
        return min(lot.opens_at_us for lot in paper.board.values())
    if paper.listed:
        return paper.listed.opens_at_us
    try:
        schedule = paper.sale.draft.schedule
        return times_of(schedule, 1)[0].opens_at_us if schedule else None
    except NoSuchTime:
        return None


def _ends(paper: SaleOnPaper) -> Sequence[int | None]:
    """When each lot ends: by the board, else as its sale is planned."""
    schedule, lots = paper.sale.draft.schedule, paper.lots
    planned: list[int | None] = [None] * len(lots)
    if schedule is not None:
        with suppress(NoSuchTime):  # the checks before publishing say so
            planned = [times.closes_at_us for times in times_of(schedule, len(lots))]
    on_board = [paper.board.get(_number(lot)) for lot in lots]
    return [
        found.closes_at_us if found else end for found, end in zip(on_board, planned, strict=True)
    ]


def _time(at_us: int | None, zone: ZoneInfo | None) -> str:
    """``Tue 3 Nov 2026, 16:00 CST``, by the clock of the sale's place."""
    if at_us is None or zone is None:
        return OPEN
    at = (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M %Z}"


def _rounded(minor: int, currency: str) -> str:
    """An MSRP, which is advisory, without its cents."""
    unit: int = 10 ** EXPONENTS.get(currency, 0)
    return money((minor + unit // 2) // unit * unit, currency)


def _town(lot: DraftedLot) -> str:
    draft = lot.draft
    state = " ".join(filter(None, (draft.region, draft.postal_code)))
    return ", ".join(filter(None, (draft.city, state)))


def _pallets(lot: DraftedLot) -> int:
    """As many as were said; before that, one."""
    return 1 if lot.draft.pallets is None else lot.draft.pallets


def _number(lot: DraftedLot) -> LotId:
    assert lot.number is not None, "it is in a sale"
    return lot.number
