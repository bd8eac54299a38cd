"""Lots as a liquidator prepares them, in stock or in the draft of a sale.

A draft may lack anything but a liquidator; what it lacks is said by the checks before publishing
(``checks``). Every change names the version that it was made on, and keeps what was there before.

Functions take a connection and make no transaction of their own. Another liquidator's draft is
answered as one that does not exist: NOT_FOUND.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Final

import asyncpg
import msgspec
from msgspec import Meta, Struct

from accounts.ids import new_id
from auction.catalog.goods import (
    Condition,
    FreightClass,
    FreightTerms,
    ManifestLine,
)
from auction.catalog.listings import Country, Grams, Millimetres, PostalCode, Prose, Region
from auction.desk.lot_lines import packed_lines, unpack_lines, write_lines
from auction.desk.refusals import Refusal, Refused
from auction.ids import ABidderId, ActorId, LiquidatorId, LotId, SaleId
from auction.money import PositiveMinor
from auction.terms import STORABLE, LotKind, Restriction
from foundation.database import AnyConnection

# Drafts of a liquidator that are not in a sale: some years of a busy warehouse.
MAX_STOCK: Final = 20_000
PAGE: Final = 200
# Manifests that a draft had before, some megabytes each for the longest.
MAX_OLDER: Final = 10

Short = Annotated[str, Meta(max_length=120, pattern=STORABLE)]


class LotDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a liquidator has said of a lot so far. Absent: nothing yet.

    ``opening_minor`` and ``reserve_minor`` are in ``currency``. ``alias``: the retailer's name as
    buyers read it. ``agreement_id`` and ``agreement_version``: what was agreed with the consignor;
    left out, what is in force. ``load``, ``purchase_order``, ``rma``: the seller's own papers.
    """

    title: Annotated[str, Meta(max_length=200, pattern=STORABLE)] = ""
    description: Prose = ""
    kind: LotKind | None = None
    category: Short = ""
    source: Short = ""
    alias: Short = ""
    restrictions: Annotated[tuple[Restriction, ...], Meta(max_length=20)] = ()
    consignor_id: ABidderId | None = None
    agreement_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=STORABLE)] | None = None
    agreement_version: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    load: Short = ""
    purchase_order: Short = ""
    rma: Short = ""
    company: Short = ""
    street: Short = ""
    city: Short = ""
    region: Region | None = None
    postal_code: PostalCode | None = None
    country: Country = "US"
    pallets: Annotated[int, Meta(ge=0, le=100)] | None = None
    length_mm: Millimetres | None = None
    width_mm: Millimetres | None = None
    height_mm: Millimetres | None = None
    weight_g: Grams | None = None
    freight_class: FreightClass | None = None
    freight_terms: FreightTerms = FreightTerms.BINDING
    freight_fixed_minor: PositiveMinor | None = None
    currency: str = "USD"
    opening_minor: PositiveMinor | None = None
    reserve_minor: PositiveMinor | None = None
    group: Short = ""


class Origin(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a draft was made of: a file, other drafts, or a lot that did not sell.

    The goods of ``drafts`` are in it now, those of ``copied`` are not. ``group``: the lot that the
    file's own column says. ``undone``: what it was made of is back in its place.
    """

    file: str = ""
    drafts: tuple[str, ...] = ()
    pallet: str = ""
    group: str = ""
    copied: str = ""
    relisted: tuple[SaleId, LotId] | None = None
    undone: bool = False


class DraftedLot(Struct, frozen=True, kw_only=True):
    """A draft with its place, and what its lines come to."""

    draft_id: str
    liquidator_id: LiquidatorId
    sale_id: SaleId | None
    place: int | None
    number: LotId | None
    draft: LotDraft
    lines: int
    units: int
    retail_minor: int
    conditions: Mapping[Condition, int]  # lines by grade
    version: int
    origin: Origin
    sale_state: str | None  # of the draft of its sale

    @property
    def condition(self) -> Condition | None:
        """The grade that labels the lot: the lowest of its lines."""
        grades = [condition for condition in Condition if condition in self.conditions]
        return grades[-1] if grades else None


_COLUMNS: Final = tuple(DraftedLot.__struct_fields__)
_READ = f"""
select {", ".join(_COLUMNS[:-1])},
    (select state from sale_draft s where s.sale_id = l.sale_id) as sale_state
from lot_draft l
"""  # noqa: S608 - the fields above

_ONE = f"{_READ} where draft_id = $1 and liquidator_id = $2 and removed_at_us is null"

_SOME = f"{_READ} where draft_id = any($1) and liquidator_id = $2 and removed_at_us is null"

# Locked in one order, and read after that in a statement of its own: one that had to wait would
# still see the state of the sale as it was before publishing began.
_LOCK = """
select from lot_draft where draft_id = any($1) and liquidator_id = $2 and removed_at_us is null
order by draft_id for update
"""

_LOCK_IN_SALE = """
select from lot_draft where sale_id = $1 and removed_at_us is null order by draft_id for update
"""

_IN_STOCK = f"""
{_READ} where liquidator_id = $1 and sale_id is null and removed_at_us is null
and made > coalesce((select made from lot_draft where draft_id = $2), 0)
order by made limit $3
"""  # noqa: S608

_IN_SALE = f"{_READ} where sale_id = $1 and removed_at_us is null order by place, draft_id"

_ADD = """
insert into lot_draft (draft_id, liquidator_id, draft, version, origin, created_at_us,
    changed_at_us, changed_by)
values ($1, $2, $3::jsonb, 1, $4::jsonb, $5, $5, $6)
"""

_KEEP = """
insert into lot_draft_change (draft_id, version, before, changed_at_us, changed_by, lines)
select draft_id, version, draft, $2, $3, $4 from lot_draft where draft_id = $1
"""

# Older manifests are forgotten, and what was changed before them with them: nobody could tell what
# undoing it would give.
_KEEP_SOME = """
delete from lot_draft_change where draft_id = $1 and version <= (
    select version from lot_draft_change where draft_id = $1 and lines is not null
    order by version desc offset $2 limit 1
)
"""

_CHANGE = """
update lot_draft set draft = $2::jsonb, version = version + 1, changed_at_us = $3, changed_by = $4
where draft_id = $1
"""

_TOUCH = """
update lot_draft set version = version + 1, changed_at_us = $2, changed_by = $3
where draft_id = $1
"""


async def add_lot(
    connection: AnyConnection,
    liquidator_id: LiquidatorId,
    draft: LotDraft,
    lines: Sequence[ManifestLine],
    origin: Origin,
    actor_id: ActorId,
    now_us: int,
) -> str:
    """A new draft in stock; its id. Raises `Refused` BAD_LINES, TOO_MANY."""
    count = await connection.fetchval(
        "select count(*) from lot_draft where liquidator_id = $1 and sale_id is null"
        " and removed_at_us is null",
        liquidator_id,
    )
    if count >= MAX_STOCK:
        raise Refused(Refusal.TOO_MANY, detail=f"There are {count:,} lots in stock already.")
    draft_id = new_id("draft")
    await connection.execute(
        _ADD, draft_id, liquidator_id, _json(draft), _json(origin), now_us, actor_id
    )
    if lines:
        await write_lines(connection, draft_id, lines)
    return draft_id


async def read_lot(
    connection: AnyConnection, liquidator_id: LiquidatorId, draft_id: str, *, lock: bool = False
) -> DraftedLot:
    """A draft; ``lock``: nobody else changes it in this transaction. Raises `Refused` NOT_FOUND."""
    if lock:
        await connection.execute(_LOCK, [draft_id], liquidator_id)
    row = await connection.fetchrow(_ONE, draft_id, liquidator_id)
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    return _lot_of(row)


async def lock_lots(
    connection: AnyConnection, liquidator_id: LiquidatorId, draft_ids: Sequence[str]
) -> list[DraftedLot]:
    """Several drafts, in this order, locked. `Refused` NOT_FOUND, also for one named twice."""
    await connection.execute(_LOCK, list(draft_ids), liquidator_id)
    rows = await connection.fetch(_SOME, list(draft_ids), liquidator_id)
    found = {row["draft_id"]: _lot_of(row) for row in rows}
    if len(found) != len(draft_ids):
        raise Refused(Refusal.NOT_FOUND)
    return [found[draft_id] for draft_id in draft_ids]


async def stock(
    connection: AnyConnection, liquidator_id: LiquidatorId, after: str, limit: int = PAGE
) -> list[DraftedLot]:
    """Drafts that are in no sale, by id."""
    return [_lot_of(row) for row in await connection.fetch(_IN_STOCK, liquidator_id, after, limit)]


def lots_seen(lots: Sequence[DraftedLot]) -> str:
    """What somebody has looked at who looked at these lots: other words, another text."""
    text = " ".join(f"{lot.draft_id}:{lot.version}" for lot in lots)
    return sha256(text.encode()).hexdigest()[:32]


async def lots_of_sale(
    connection: AnyConnection, sale_id: SaleId, *, lock: bool = False
) -> list[DraftedLot]:
    """The drafts of a sale in the order of its catalogue; whose it is, the caller has asked.

    ``lock``: of a sale that is locked; nobody changes its lots either in this transaction.
    """
    if lock:
        await connection.execute(_LOCK_IN_SALE, sale_id)
    return [_lot_of(row) for row in await connection.fetch(_IN_SALE, sale_id)]


async def change_lot(
    connection: AnyConnection,
    lot: DraftedLot,
    version: int,
    draft: LotDraft,
    actor_id: ActorId,
    now_us: int,
) -> None:
    """Other words for a draft that was locked.

    Raises `Refused` CHANGED_MEANWHILE, PUBLISHED_ALREADY.
    """
    must_be_open(lot)
    must_be_at(lot, version)
    await change_lots(connection, [(lot, draft)], actor_id, now_us)


async def change_lots(
    connection: AnyConnection,
    changes: Sequence[tuple[DraftedLot, LotDraft]],
    actor_id: ActorId,
    now_us: int,
) -> None:
    """Other words for drafts that were locked and found open; what stays the same is left alone."""
    changed = [(lot.draft_id, draft) for lot, draft in changes if draft != lot.draft]
    kept = [(lot_id, now_us, actor_id, None) for lot_id, _ in changed]
    await connection.executemany(_KEEP, kept)
    await connection.executemany(
        _CHANGE, [(lot_id, _json(draft), now_us, actor_id) for lot_id, draft in changed]
    )


async def undo(
    connection: AnyConnection, lot: DraftedLot, actor_id: ActorId, now_us: int
) -> LotDraft:
    """What a locked draft was before its last change, words and lines.

    Undoing takes the change away from those that can be undone, so that a second undo goes further
    back; the version rises all the same. Raises `Refused` NOTHING_TO_UNDO.
    """
    must_be_open(lot)
    row = await connection.fetchrow(
        "delete from lot_draft_change where draft_id = $1 and version ="
        " (select max(version) from lot_draft_change where draft_id = $1) returning before, lines",
        lot.draft_id,
    )
    if row is None:
        raise Refused(Refusal.NOTHING_TO_UNDO)
    if row["lines"] is not None:
        await unpack_lines(connection, lot.draft_id, row["lines"])
    await connection.execute(_CHANGE, lot.draft_id, row["before"], now_us, actor_id)
    return msgspec.json.decode(row["before"], type=LotDraft)


async def change_lines(
    connection: AnyConnection,
    lot: DraftedLot,
    version: int,
    lines: Sequence[ManifestLine],
    actor_id: ActorId,
    now_us: int,
) -> None:
    """Another manifest for a draft that was locked; ``undo`` brings the one before back.

    Raises `Refused` CHANGED_MEANWHILE, PUBLISHED_ALREADY, BAD_LINES.
    """
    must_be_open(lot)
    must_be_at(lot, version)
    before = await packed_lines(connection, lot.draft_id)
    await connection.execute(_KEEP, lot.draft_id, now_us, actor_id, before)
    await connection.execute(_KEEP_SOME, lot.draft_id, MAX_OLDER)
    await write_lines(connection, lot.draft_id, lines)
    await connection.execute(_TOUCH, lot.draft_id, now_us, actor_id)


async def remove_lots(
    connection: AnyConnection, lots: Sequence[DraftedLot], actor_id: ActorId, now_us: int
) -> None:
    """Take locked drafts away; ``bring_back`` undoes it. Raises `Refused` PUBLISHED_ALREADY."""
    for lot in lots:
        must_be_open(lot)
    await connection.execute(
        "update lot_draft set removed_at_us = $2, changed_at_us = $2, changed_by = $3,"
        " sale_id = null, place = null, number = null, version = version + 1"
        " where draft_id = any($1) and removed_at_us is null",
        [lot.draft_id for lot in lots],
        now_us,
        actor_id,
    )


async def bring_back(
    connection: AnyConnection,
    liquidator_id: LiquidatorId,
    draft_id: str,
    actor_id: ActorId,
    now_us: int,
) -> None:
    """A removed draft is in stock again, and its goods are there once.

    Of what was split or joined, all that it was made of comes back, and what was made of it goes
    for good. Raises `Refused` NOT_FOUND, and GOODS_ELSEWHERE when some of the goods have gone on
    into a sale or another lot.
    """
    back, made = [draft_id], dict[str, asyncpg.Record]()
    for origin in back:  # grows while it is gone through
        for row in await connection.fetch(_MADE_OF, liquidator_id, origin):
            made[row["draft_id"]] = row
            parents = msgspec.json.decode(row["origin"], type=Origin).drafts
            back += [parent for parent in parents if parent not in back]
    for row in made.values():
        gone_on = await connection.fetchval(_GONE_ON, liquidator_id, row["draft_id"])
        if row["sale_id"] is not None or gone_on:
            raise Refused(Refusal.GOODS_ELSEWHERE)
    try:
        status = await connection.execute(_BRING_BACK, back, liquidator_id, now_us, actor_id)
    except asyncpg.UniqueViolationError:  # it was relisted again meanwhile
        raise Refused(Refusal.GOODS_ELSEWHERE) from None
    if status != f"UPDATE {len(back)}":
        raise Refused(Refusal.NOT_FOUND)
    await connection.execute(_UNDO_MAKING, list(made), now_us, actor_id)


# What was made of a draft, there or removed; one that was undone is over.
_MADE_OF = """
select draft_id, sale_id, origin from lot_draft
where liquidator_id = $1 and origin->'drafts' ? $2 and not origin ? 'undone'
order by draft_id for update
"""

_GONE_ON = """
select exists (
    select from lot_draft
    where liquidator_id = $1 and origin->'drafts' ? $2 and not origin ? 'undone'
)
"""

_BRING_BACK = """
update lot_draft set removed_at_us = null, changed_at_us = $3, changed_by = $4,
    version = version + 1
where draft_id = any($1) and liquidator_id = $2 and removed_at_us is not null
and not origin ? 'undone'
"""

_UNDO_MAKING = """
update lot_draft set removed_at_us = coalesce(removed_at_us, $2), changed_at_us = $2,
    changed_by = $3, version = version + 1, origin = origin || '{"undone": true}'
where draft_id = any($1)
"""


def must_be_open(lot: DraftedLot) -> None:
    """Raises `Refused` PUBLISHED_ALREADY for a lot of a sale that is no draft any more."""
    if lot.sale_state not in (None, "DRAFT"):
        raise Refused(Refusal.PUBLISHED_ALREADY)


def must_be_in_stock(lot: DraftedLot) -> None:
    """Raises `Refused` NOT_IN_STOCK for a lot of a sale, whatever its state."""
    if lot.sale_id is not None:
        raise Refused(Refusal.NOT_IN_STOCK)


def must_be_at(lot: DraftedLot, version: int) -> None:
    """Raises `Refused` CHANGED_MEANWHILE unless that is the draft's version."""
    if lot.version != version:
        raise Refused(Refusal.CHANGED_MEANWHILE)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _lot_of(row: asyncpg.Record) -> DraftedLot:
    values = dict(row)
    values["draft"] = msgspec.json.decode(row["draft"], type=LotDraft)
    values["origin"] = msgspec.json.decode(row["origin"], type=Origin)
    values["conditions"] = msgspec.json.decode(row["conditions"], type=dict[Condition, int])
    return DraftedLot(**values)
