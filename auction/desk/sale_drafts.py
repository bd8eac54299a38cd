"""Sales as a liquidator prepares them: words, terms, times, and lots in their order.

A draft becomes a sale by ``publishing``. From then on its words may still be mended through the
catalogue; its terms bind. Functions take a connection and make no transaction of their own;
another liquidator's draft is answered as one that does not exist: NOT_FOUND.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

import asyncpg
import msgspec
from msgspec import Meta, Struct

from auction.catalog.listings import Country, Prose, Region
from auction.desk.buyer_groups import MAX_MEMBERS, GroupName
from auction.desk.lot_drafts import Short
from auction.desk.refusals import Refusal, Refused
from auction.desk.schedule import MAX_LOTS, Schedule
from auction.ids import ABidderId, ActorId, LiquidatorId, LotId, SaleId
from auction.terms import STORABLE, SaleAudience, Terms
from foundation.database import AnyConnection

# Drafts of a liquidator that are not published: some months of daily sales.
MAX_DRAFTS: Final = 500


class DraftState(StrEnum):
    """From a draft to a sale; PUBLISHING is finished by itself, also after a crash."""

    DRAFT = "DRAFT"
    PUBLISHING = "PUBLISHING"
    PUBLISHED = "PUBLISHED"
    DROPPED = "DROPPED"


class SaleDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a liquidator has said of a sale so far. Absent: nothing yet."""

    title: Annotated[str, Meta(max_length=200, pattern=STORABLE)] = ""
    summary: Prose = ""
    liquidator_name: Short = ""  # as buyers read it
    city: Short = ""
    region: Region | None = None
    country: Country = "US"
    terms_in_words: Prose = ""
    payment_terms: Prose = ""
    pickup_terms: Prose = ""
    schedule: Schedule | None = None
    terms: Terms = Terms()
    audience: SaleAudience = SaleAudience.PUBLIC
    groups: Annotated[tuple[GroupName, ...], Meta(max_length=20)] = ()  # with GROUP
    invited: Annotated[tuple[ABidderId, ...], Meta(max_length=MAX_MEMBERS)] = ()  # with INVITE


class DraftedSale(Struct, frozen=True, kw_only=True):
    """A draft, and how far it has come."""

    sale_id: SaleId
    liquidator_id: LiquidatorId
    draft: SaleDraft
    state: DraftState
    version: int
    lots: int
    changed_at_us: int
    series_id: str | None = None  # made together with others, as one that comes again


_READ: Final = """
select sale_id, liquidator_id, draft, state, version, changed_at_us, series_id,
    (select count(*) from lot_draft l where l.sale_id = s.sale_id and removed_at_us is null)::int
    as lots
from sale_draft s
"""

_LIST: Final = f"""
{_READ} where liquidator_id = $1 and state <> 'DROPPED'
and ($2::bigint is null or (changed_at_us, sale_id) < ($2, $3))
order by changed_at_us desc, sale_id desc limit $4
"""

_ADD: Final = """
insert into sale_draft (sale_id, liquidator_id, draft, state, version, created_at_us,
    changed_at_us, changed_by)
values ($1, $2, $3::jsonb, 'DRAFT', 1, $4, $4, $5)
"""

_CHANGE: Final = """
update sale_draft set draft = $2::jsonb, version = version + 1, changed_at_us = $3, changed_by = $4
where sale_id = $1
"""

# The numbers of lots go on from the highest; "12A" counts as 12.
_TAKEN: Final = "select number, place from lot_draft where sale_id = $1 and removed_at_us is null"

_PUT_IN: Final = """
update lot_draft l set sale_id = $1, place = n.place, number = n.number, version = version + 1,
    changed_at_us = $5, changed_by = $6
from unnest($2::text[], $3::integer[], $4::text[]) as n (draft_id, place, number)
where l.draft_id = n.draft_id
"""


async def add_sale(
    connection: AnyConnection,
    sale_id: SaleId,
    liquidator_id: LiquidatorId,
    draft: SaleDraft,
    actor_id: ActorId,
    now_us: int,
) -> None:
    """A new draft. Raises `Refused` TOO_MANY."""
    count = await connection.fetchval(
        "select count(*) from sale_draft where liquidator_id = $1 and state = 'DRAFT'",
        liquidator_id,
    )
    if count >= MAX_DRAFTS:
        raise Refused(Refusal.TOO_MANY, detail=f"There are {count} drafts of sales already.")
    await connection.execute(_ADD, sale_id, liquidator_id, _json(draft), now_us, actor_id)


async def read_sale(
    connection: AnyConnection, liquidator_id: LiquidatorId, sale_id: SaleId, *, lock: bool = False
) -> DraftedSale:
    """A draft; ``lock``: nobody else changes it in this transaction. Raises `Refused` NOT_FOUND."""
    row = await connection.fetchrow(
        f"{_READ} where sale_id = $1 and liquidator_id = $2 and state <> 'DROPPED'"
        + (" for update" if lock else ""),
        sale_id,
        liquidator_id,
    )
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    return _sale_of(row)


async def list_sales(
    connection: AnyConnection,
    liquidator_id: LiquidatorId,
    after: tuple[int, SaleId] | None,
    limit: int,
) -> list[DraftedSale]:
    """Drafts and what became of them, the latest changed first; ``after``: its time and id."""
    at_us, sale_id = (None, "") if after is None else after
    return [
        _sale_of(row) for row in await connection.fetch(_LIST, liquidator_id, at_us, sale_id, limit)
    ]


async def change_sale(
    connection: AnyConnection,
    sale: DraftedSale,
    version: int,
    draft: SaleDraft,
    actor_id: ActorId,
    now_us: int,
) -> None:
    """Other words, terms or times for a draft that was locked.

    Raises `Refused` CHANGED_MEANWHILE, PUBLISHED_ALREADY.
    """
    must_be_draft(sale)
    must_be_at(sale, version)
    if draft != sale.draft:
        await connection.execute(_CHANGE, sale.sale_id, _json(draft), now_us, actor_id)


async def drop_sale(
    connection: AnyConnection, sale: DraftedSale, actor_id: ActorId, now_us: int
) -> None:
    """Give up a draft that was locked; its lots are in stock again. `Refused` PUBLISHED_ALREADY."""
    must_be_draft(sale)
    await connection.execute(
        "update lot_draft set sale_id = null, place = null, number = null where sale_id = $1",
        sale.sale_id,
    )
    await connection.execute(
        "update sale_draft set state = 'DROPPED', version = version + 1, changed_at_us = $2,"
        " changed_by = $3 where sale_id = $1",
        sale.sale_id,
        now_us,
        actor_id,
    )


async def put_in(
    connection: AnyConnection,
    sale: DraftedSale,
    draft_ids: Sequence[str],
    actor_id: ActorId,
    now_us: int,
) -> list[LotId]:
    """Drafts in stock become the last lots of a locked sale, in this order; their numbers.

    Raises `Refused` NOT_FOUND, NOT_IN_STOCK, TOO_MANY, PUBLISHED_ALREADY.
    """
    must_be_draft(sale)
    rows = await connection.fetch(
        "select draft_id, sale_id from lot_draft where draft_id = any($1) and liquidator_id = $2"
        " and removed_at_us is null for update",
        list(draft_ids),
        sale.liquidator_id,
    )
    if len(rows) != len(set(draft_ids)) or len(rows) != len(draft_ids):
        raise Refused(Refusal.NOT_FOUND)
    if any(row["sale_id"] is not None for row in rows):
        raise Refused(Refusal.NOT_IN_STOCK)
    taken = await connection.fetch(_TAKEN, sale.sale_id)
    if len(taken) + len(draft_ids) > MAX_LOTS:
        raise Refused(Refusal.TOO_MANY, detail=f"A sale has at most {MAX_LOTS:,} lots.")
    number = max((_leading(row["number"]) for row in taken), default=0)
    place = max((row["place"] for row in taken), default=0)
    count = range(1, len(draft_ids) + 1)
    numbers = [LotId(str(number + more)) for more in count]
    places = [place + more for more in count]
    await connection.execute(
        _PUT_IN, sale.sale_id, list(draft_ids), places, numbers, now_us, actor_id
    )
    return numbers


async def take_out(
    connection: AnyConnection,
    sale: DraftedSale,
    draft_ids: Sequence[str],
    actor_id: ActorId,
    now_us: int,
) -> None:
    """Lots of a locked sale are in stock again; the numbers of the others stay.

    Raises `Refused` PUBLISHED_ALREADY.
    """
    must_be_draft(sale)
    await connection.execute(
        "update lot_draft set sale_id = null, place = null, number = null, version = version + 1,"
        " changed_at_us = $3, changed_by = $4 where sale_id = $1 and draft_id = any($2)",
        sale.sale_id,
        list(draft_ids),
        now_us,
        actor_id,
    )


async def renumber(
    connection: AnyConnection, sale: DraftedSale, draft_id: str, number: LotId
) -> None:
    """Another number for a lot of a locked sale: 12A. Raises `Refused` NUMBER_TAKEN, NOT_FOUND."""
    must_be_draft(sale)
    try:
        status = await connection.execute(
            "update lot_draft set number = $3, version = version + 1"
            " where sale_id = $1 and draft_id = $2",
            sale.sale_id,
            draft_id,
            number,
        )
    except asyncpg.UniqueViolationError:
        raise Refused(Refusal.NUMBER_TAKEN, field="number") from None
    if status == "UPDATE 0":
        raise Refused(Refusal.NOT_FOUND)


async def put_in_order(
    connection: AnyConnection, sale: DraftedSale, draft_ids: Sequence[str]
) -> None:
    """The catalogue's order: all lots of a locked sale. Raises `Refused` CHANGED_MEANWHILE."""
    must_be_draft(sale)
    rows = await connection.fetch(
        "select draft_id from lot_draft where sale_id = $1 and removed_at_us is null", sale.sale_id
    )
    if sorted(draft_ids) != sorted(row["draft_id"] for row in rows):
        raise Refused(Refusal.CHANGED_MEANWHILE)
    await connection.execute(
        "update lot_draft l set place = n.place, version = version + 1"
        " from unnest($2::text[]) with ordinality as n (draft_id, place)"
        " where l.sale_id = $1 and l.draft_id = n.draft_id",
        sale.sale_id,
        list(draft_ids),
    )


def must_be_draft(sale: DraftedSale) -> None:
    """Raises `Refused` PUBLISHED_ALREADY."""
    if sale.state is not DraftState.DRAFT:
        raise Refused(Refusal.PUBLISHED_ALREADY)


def must_be_at(sale: DraftedSale, version: int) -> None:
    """Raises `Refused` CHANGED_MEANWHILE unless that is the draft's version."""
    if sale.version != version:
        raise Refused(Refusal.CHANGED_MEANWHILE)


async def touch(connection: AnyConnection, sale_id: SaleId, actor_id: ActorId, now_us: int) -> None:
    """What is in a locked sale has changed: who has seen it before is told."""
    await connection.execute(
        "update sale_draft set version = version + 1, changed_at_us = $2, changed_by = $3"
        " where sale_id = $1",
        sale_id,
        now_us,
        actor_id,
    )


def _leading(number: str) -> int:
    digits = re.match(r"\d{1,9}", number)
    return int(digits[0]) if digits else 0


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _sale_of(row: asyncpg.Record) -> DraftedSale:
    values = dict(row)
    values["draft"] = msgspec.json.decode(row["draft"], type=SaleDraft)
    values["state"] = DraftState(row["state"])
    return DraftedSale(**values)
