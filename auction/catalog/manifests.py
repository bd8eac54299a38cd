"""Manifests: written once, read by page, filtered, sorted, grouped and summed.

Before bidding everybody sees the lines, but not what tells single pieces apart (``PreviewLine``):
plate numbers and serials are for who has paid for them, with the whole ``ManifestLine``. MSRPs are
the seller's word, and advisory: nothing is computed from them but sums and shares.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import asyncpg
from msgspec import Struct, structs

from auction.catalog.goods import Condition, ManifestLine, lowest, manifest_fault, manifest_sha256
from auction.catalog.listings import AlreadyPublished, NotReady
from auction.ids import LotId, SaleId
from foundation.database import AnyConnection

# Words of one search: each is looked for in every line of the lot.
MAX_WORDS: Final = 8
# How many brands describe a lot.
NAMED_BRANDS: Final = 12


class BadManifest(ValueError):
    """The lines are no manifest; the message names the line."""


class PreviewLine(Struct, frozen=True, gc=False):
    """A line as everybody may see it."""

    line: int
    description: str
    brand: str
    model: str
    category: str
    subcategory: str
    condition: Condition
    source: str
    item_number: str
    gtin: str
    quantity: int
    unit_msrp_minor: int
    extended_msrp_minor: int
    pallet: str
    weight_g: int | None


# --- Writing -------------------------------------------------------------------------------------

_COLUMNS: Final = ("sale_id", "lot_id", *ManifestLine.__struct_fields__)

_SUMMED_UP = """
update lot_listing set lines = $3, units = $4, msrp_minor = $5, condition = $6, brands = $7,
    manifest_sha256 = $8
where sale_id = $1 and lot_id = $2
returning currency
"""


async def save_manifest(
    connection: AnyConnection, sale_id: SaleId, lot_id: LotId, lines: Sequence[ManifestLine]
) -> bytes:
    """The manifest of a lot that is not published, in place of what it had; its digest.

    To be called in a transaction. Raises `BadManifest`, `NotReady` without such a lot, and
    `AlreadyPublished`.
    """
    fault = manifest_fault(lines)
    if fault is not None:
        raise BadManifest(fault)
    currency = await connection.fetchval(
        "select currency from lot_listing where sale_id = $1 and lot_id = $2 for update",
        sale_id,
        lot_id,
    )
    if currency is None:
        raise NotReady(f"there is no lot {lot_id}")
    digest = manifest_sha256(currency, lines)
    try:
        await connection.execute(
            "delete from manifest_line where sale_id = $1 and lot_id = $2", sale_id, lot_id
        )
        await connection.copy_records_to_table(
            "manifest_line",
            columns=_COLUMNS,
            records=((sale_id, lot_id, *structs.astuple(line)) for line in lines),
        )
        await connection.execute(
            _SUMMED_UP,
            sale_id,
            lot_id,
            len(lines),
            sum(line.quantity for line in lines),
            sum(line.extended_msrp_minor for line in lines),
            lowest(line.condition for line in lines),
            ", ".join(main_brands(lines)),
            digest,
        )
    except asyncpg.RestrictViolationError as error:
        raise AlreadyPublished(str(error)) from None
    return digest


def main_brands(lines: Iterable[ManifestLine], most: int = NAMED_BRANDS) -> list[str]:
    """The brands that the MSRP is mostly of, greatest first."""
    worth: Counter[str] = Counter()
    for line in lines:
        if line.brand:
            worth[line.brand] += line.extended_msrp_minor
    return [brand for brand, _ in worth.most_common(most)]


# --- Reading -------------------------------------------------------------------------------------


class LineFilter(Struct, frozen=True, kw_only=True):
    """Which lines are wanted; a field that is absent asks for nothing.

    ``text``: each of its words must be somewhere in the line. Several values of a field are
    alternatives.
    """

    text: str | None = None
    categories: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] | None = None
    brands: tuple[str, ...] | None = None
    pallets: tuple[str, ...] | None = None


EVERY_LINE: Final = LineFilter()


class LineOrder(StrEnum):
    """By what lines are sorted."""

    LINE = "LINE"
    DESCRIPTION = "DESCRIPTION"
    BRAND = "BRAND"
    CATEGORY = "CATEGORY"
    CONDITION = "CONDITION"  # best first
    QUANTITY = "QUANTITY"
    UNIT_MSRP = "UNIT_MSRP"
    EXTENDED_MSRP = "EXTENDED_MSRP"
    PALLET = "PALLET"


class LineKey(Struct, frozen=True):
    """The place of a line in a list of this order."""

    order: LineOrder
    descending: bool
    value: str | int
    line: int


class LineGroup(Struct, frozen=True, gc=False):
    """Lines that have something in common, and what they come to; ``key`` "": it is not known."""

    key: str
    lines: int
    units: int
    msrp_minor: int


class Totals(Struct, frozen=True, gc=False):
    """What lines come to."""

    lines: int
    units: int
    msrp_minor: int


class GroupBy(StrEnum):
    """What lines may have in common."""

    CATEGORY = "CATEGORY"
    SUBCATEGORY = "SUBCATEGORY"
    CONDITION = "CONDITION"
    BRAND = "BRAND"
    PALLET = "PALLET"
    SOURCE = "SOURCE"


_GRADES = ", ".join(f"'{condition}'" for condition in Condition)

_SORTED_BY: Final[dict[LineOrder, str]] = {
    LineOrder.LINE: "line::bigint",
    LineOrder.DESCRIPTION: 'lower(description) collate "C"',
    LineOrder.BRAND: 'lower(brand) collate "C"',
    LineOrder.CATEGORY: 'lower(category) collate "C"',
    LineOrder.CONDITION: f"array_position(array[{_GRADES}], condition)::bigint",
    LineOrder.QUANTITY: "quantity::bigint",
    LineOrder.UNIT_MSRP: "unit_msrp_minor",
    LineOrder.EXTENDED_MSRP: "extended_msrp_minor",
    LineOrder.PALLET: 'lower(pallet) collate "C"',
}

# Where a text is looked for; what single pieces are told apart by is not among it.
_SAID = "concat_ws(' ', description, brand, model, category, subcategory, item_number, gtin)"

_WANTED = f"""
sale_id = $1 and lot_id = $2
and ($3::text[] is null or {_SAID} ilike all($3))
and ($4::text[] is null or category = any($4))
and ($5::text[] is null or condition = any($5))
and ($6::text[] is null or brand = any($6))
and ($7::text[] is null or pallet = any($7))
"""

_SHOWN = ", ".join(PreviewLine.__struct_fields__)


def _page_of(order: LineOrder, *, descending: bool) -> str:
    by = _SORTED_BY[order]
    direction, beyond = ("desc", "<") if descending else ("asc", ">")
    kind = "text" if "lower" in by else "bigint"
    return f"""
select {_SHOWN}, {by} as sorted_by from manifest_line
where {_WANTED}
and ($8::{kind} is null or ({by}, line) {beyond} ($8, $9::integer))
order by {by} {direction}, line {direction}
limit $10
"""  # noqa: S608 - the columns are named above


_TOTALS = f"""
select count(*)::bigint, coalesce(sum(quantity), 0)::bigint,
    coalesce(sum(extended_msrp_minor), 0)::bigint
from manifest_line where {_WANTED}
"""  # noqa: S608


def _groups_by(by: GroupBy) -> str:
    column = by.lower()
    return f"""
select {column} as key, count(*)::bigint as lines, sum(quantity)::bigint as units,
    sum(extended_msrp_minor)::bigint as msrp_minor
from manifest_line where {_WANTED}
group by {column} order by msrp_minor desc, key
"""  # noqa: S608


_ALL_LINES = f"""
select {", ".join(ManifestLine.__struct_fields__)} from manifest_line
where sale_id = $1 and lot_id = $2 order by line
"""  # noqa: S608


class PageOfLines(Struct, frozen=True):
    """Lines in an order, each with its key: what comes after the last begins behind that."""

    lines: list[PreviewLine]
    keys: list[LineKey]


async def page_of_lines(
    connection: AnyConnection,
    sale_id: SaleId,
    lot_id: LotId,
    wanted: LineFilter,
    order: LineOrder,
    *,
    descending: bool,
    after: LineKey | None,
    limit: int,
) -> PageOfLines:
    """Lines of a lot. ``ValueError`` for a key of another order.

    Of a draft too: whether the lot is published is what ``listings.read_lot`` says.
    """
    if after is not None and (after.order, after.descending) != (order, descending):
        raise ValueError("the key is of another order")
    value = None if after is None else after.value
    if value is not None and isinstance(value, str) is not ("lower" in _SORTED_BY[order]):
        raise ValueError("the key is of another order")
    rows = await connection.fetch(
        _page_of(order, descending=descending),
        *_parameters(sale_id, lot_id, wanted),
        value,
        0 if after is None else after.line,
        limit,
    )
    lines = [_preview(row) for row in rows]
    keys = [LineKey(order, descending, row["sorted_by"], row["line"]) for row in rows]
    return PageOfLines(lines, keys)


async def totals(
    connection: AnyConnection, sale_id: SaleId, lot_id: LotId, wanted: LineFilter = EVERY_LINE
) -> Totals:
    """What these lines come to."""
    row = await connection.fetchrow(_TOTALS, *_parameters(sale_id, lot_id, wanted))
    assert row is not None, "an aggregate has a row"
    return Totals(*row)


async def groups(
    connection: AnyConnection,
    sale_id: SaleId,
    lot_id: LotId,
    by: GroupBy,
    wanted: LineFilter = EVERY_LINE,
) -> list[LineGroup]:
    """What these lines come to by something that they have in common, the most MSRP first.

    By CONDITION it is the condition mix of a lot, by CATEGORY its category mix.
    """
    rows = await connection.fetch(_groups_by(by), *_parameters(sale_id, lot_id, wanted))
    return [LineGroup(*row) for row in rows]


async def read_manifest(
    connection: AnyConnection, sale_id: SaleId, lot_id: LotId
) -> list[ManifestLine]:
    """The whole manifest, for its seller and for who has paid for the goods."""
    rows = await connection.fetch(_ALL_LINES, sale_id, lot_id)
    return [
        ManifestLine(**(dict(row) | {"condition": Condition(row["condition"])})) for row in rows
    ]


def _parameters(sale_id: SaleId, lot_id: LotId, wanted: LineFilter) -> tuple[object, ...]:
    return (
        sale_id,
        lot_id,
        _patterns(wanted.text),
        wanted.categories,
        wanted.conditions,
        wanted.brands,
        wanted.pallets,
    )


def _patterns(text: str | None) -> list[str] | None:
    """What a line must be like: each word, its wildcards taken for what they are."""
    words = [] if text is None else text.split()[:MAX_WORDS]
    escaped = (word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") for word in words)
    return [f"%{word}%" for word in escaped] or None


def _preview(row: asyncpg.Record) -> PreviewLine:
    values = dict(row)
    del values["sorted_by"]
    return PreviewLine(**(values | {"condition": Condition(values["condition"])}))
