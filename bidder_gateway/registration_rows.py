"""The rows of `registration` as the registrar works with them: claimed, read, answered, due again.

``revision > settled`` means that the engine has still to be told something; see `registrar`.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import asyncpg
import msgspec
from msgspec import Struct

from accounts.ids import OrganisationId
from auction.budgets import Budget
from auction.ids import LotId, SaleId
from auction.money import MAX_MINOR
from auction.rejections import Rejection
from auction.terms import Terms
from bidder_gateway.limit_shares import Part
from foundation.database import AnyConnection, Pool, acquire, transaction

SECOND_US: Final = 1_000_000
# Longer than any answer of the engine takes; a crash holds a row up for so long.
CLAIM_US: Final = 15 * SECOND_US
RETRY_FIRST_US, RETRY_MOST_US = SECOND_US // 5, 30 * SECOND_US

Key = tuple[OrganisationId, SaleId]


class Wish(Struct, frozen=True, kw_only=True):
    """A claimed row, with the facts about it that are kept beside it."""

    key: Key
    revision: int
    claim: str
    until_us: int  # the claim's end
    terms_version: int
    restrictions: tuple[str, ...]
    budgets: tuple[Budget, ...] | None  # still to be told; None: the engine has them
    budgets_by: str | None
    budgets_sha256: bytes | None  # of those that the engine has
    ceilings: Mapping[str, int]  # that the engine was told
    held_minor: int
    told_before: bool
    terms: Terms
    closed: bool
    deposit_minor: int
    staff_limit_minor: int | None

    @property
    def own_limit_minor(self) -> int | None:
        """Set by staff for this sale, or else deposit x factor; ``None``: no limit of its own."""
        if self.staff_limit_minor is not None:
            return self.staff_limit_minor
        if not self.deposit_minor:
            return None
        return min(self.deposit_minor * self.terms.deposit_factor, MAX_MINOR)


class Told(Struct, kw_only=True):
    """What the engine answered, as it is written into the row. ``ceilings``: by person."""

    code: str
    message: str = ""
    minimum_minor: int | None = None
    limit_minor: int | None = None
    held_minor: int = 0
    ceilings: Mapping[str, int] = msgspec.field(default_factory=dict)
    budgets_told: bool = False
    budgets_sha256: bytes | None = None
    budgets_code: str | None = None
    budgets_message: str | None = None


_CLAIM = """
update registration set claim = $3, claimed_until_us = $4
where organisation_id = $1 and sale_id = $2 and revision > settled and claimed_until_us <= $5
returning revision
"""

_WISH = """
select registration.*, sale_board.terms::text as sale_terms, sale_board.closed_at_us,
    registration.budgets::text as own_budgets, registration.ceilings::text as told_ceilings,
    sale_limit.limit_minor as staff_limit_minor,
    (select coalesce(sum(amount_minor), 0) from deposit_entry
     where deposit_entry.organisation_id = registration.organisation_id
        and deposit_entry.sale_id = registration.sale_id)::bigint as deposit_minor
from registration join sale_board using (sale_id)
left join sale_limit using (organisation_id, sale_id)
where organisation_id = $1 and sale_id = $2
"""

# All of a reseller's, so that of two sales that take more of the whole one waits for the other.
_PARTS = """
select sale_id, share_minor, held_minor, closed_at_us is not null as closed
from registration join sale_board using (sale_id)
where organisation_id = $1 order by registered_at_us, sale_id for update of registration
"""

_OWES_NO_MORE = """
insert into owed_no_more (bidder_id, sale_id, lot_id, since_us) values ($1, $2, $3, $4)
on conflict do nothing returning true
"""

_OWED_NO_MORE = "select lot_id from owed_no_more where bidder_id = $1 and sale_id = $2"

_HOLD = "update registration set held_minor = $3 where organisation_id = $1 and sale_id = $2"

_ANSWERED = """
update registration set settled = $4, claim = null, claimed_until_us = 0, tries = 0,
    code = $5, message = $6, minimum_minor = $7, limit_minor = $8, held_minor = $9,
    ceilings = $10::jsonb, budgets_sha256 = $11,
    budgets_code = coalesce($12, budgets_code), budgets_message = coalesce($13, budgets_message),
    budgets = case when $14 and revision = $4 then null else budgets end, answered_at_us = $15
where organisation_id = $1 and sale_id = $2 and claim = $3
returning true
"""

# What the engine said while the sale was open stays.
_CLOSED = """
update registration set settled = $4, claim = null, claimed_until_us = 0, tries = 0,
    held_minor = $5, code = coalesce(code, $6)
where organisation_id = $1 and sale_id = $2 and claim = $3
returning true
"""

_AGAIN = """
update registration set claim = null, claimed_until_us = 0, tries = tries + 1,
    next_try_at_us = $4 + least($5::bigint << least(tries, 10), $6)
where organisation_id = $1 and sale_id = $2 and claim = $3
"""

_ONE_DUE = """
update registration set revision = revision + 1, next_try_at_us = 0
where organisation_id = $1 and sale_id = $2
"""

_OPEN_DUE = """
update registration set revision = revision + 1, next_try_at_us = 0
from sale_board
where sale_board.sale_id = registration.sale_id and sale_board.closed_at_us is null and {which}
"""

_ALL_DUE = _OPEN_DUE.format(which="true")
_RESELLERS_DUE = _OPEN_DUE.format(which="organisation_id = any ($1)")
_OTHERS_DUE = _OPEN_DUE.format(which="organisation_id = $1 and registration.sale_id <> $2")
_HELD_DUE = _OPEN_DUE.format(which="revision = settled and held_minor > limit_minor")

_DUE = """
select organisation_id, sale_id from registration
where revision > settled and next_try_at_us <= $1 and claimed_until_us <= $1
order by next_try_at_us, organisation_id, sale_id limit $2
"""

_CEILINGS = """
select organisation_id, sale_id, ceilings::text as ceilings
from registration join sale_board using (sale_id)
where closed_at_us is null and revision = settled and ceilings is not null
"""


async def due(pool: Pool, now_us: int, limit: int) -> Sequence[Key]:
    """Rows that the engine is to be told of now."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_DUE, now_us, limit)
    return [(row["organisation_id"], row["sale_id"]) for row in rows]


async def claim(pool: Pool, key: Key, now_us: int) -> Wish | None:
    """Take a row that is due, so that nobody else tells of it; ``None``: nothing to take."""
    name, until_us = secrets.token_hex(8), now_us + CLAIM_US
    async with acquire(pool) as connection:
        revision = await connection.fetchval(_CLAIM, *key, name, until_us, now_us)
        if revision is None:
            return None
        # Read after the revision: what changes from now on raises it again.
        row = await connection.fetchrow(_WISH, *key)
    assert row is not None, "registrations are for sales that are on the board"
    return _wish_of(key, revision, name, until_us, row)


async def hold(connection: AnyConnection, key: Key, held_minor: int) -> None:
    """What the sale may take of the whole from now on."""
    await connection.execute(_HOLD, *key, held_minor)


async def parts_of(connection: AnyConnection, organisation_id: str) -> Sequence[Part]:
    """A reseller's sales with their parts, locked until the transaction ends."""
    rows = await connection.fetch(_PARTS, organisation_id)
    return [
        Part(
            sale_id=row["sale_id"],
            share_minor=row["share_minor"],
            held_minor=row["held_minor"],
            closed=row["closed"],
        )
        for row in rows
    ]


async def write_answer(pool: Pool, wish: Wish, told: Told, now_us: int) -> None:
    """Keep what the engine said; if the claim ran out meanwhile, the row is due again."""
    statement, values = _ANSWERED, (*_columns(told), now_us)
    if wish.closed:
        statement, values = _CLOSED, (told.held_minor, told.code)
    async with transaction(pool) as connection:
        key = wish.key
        if not await connection.fetchval(statement, *key, wish.claim, wish.revision, *values):
            await make_due(connection, *key)
        elif told.held_minor < wish.held_minor:
            await connection.execute(_OTHERS_DUE, *key)


async def not_answered(pool: Pool, wish: Wish, now_us: int) -> None:
    """Give a row back that could not be told of; it is due again after a while."""
    async with acquire(pool) as connection:
        pauses = (RETRY_FIRST_US, RETRY_MOST_US)
        await connection.execute(_AGAIN, *wish.key, wish.claim, now_us, *pauses)


async def make_due(connection: AnyConnection, organisation_id: str, sale_id: str) -> None:
    """The engine is to be told of this row again; in the caller's transaction."""
    await connection.execute(_ONE_DUE, organisation_id, sale_id)


async def owes_no_more(
    connection: AnyConnection, bidder_id: str, sale_id: SaleId, lot_id: LotId, now_us: int
) -> None:
    """A lot that was won need not be paid any more: in the caller's transaction, once."""
    if await connection.fetchval(_OWES_NO_MORE, bidder_id, sale_id, lot_id, now_us):
        await make_due(connection, bidder_id, sale_id)


async def lots_owed_no_more(pool: Pool, key: Key) -> frozenset[LotId]:
    """Which lots of a sale a reseller has won and need not pay."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_OWED_NO_MORE, *key)
    return frozenset(LotId(row[0]) for row in rows)


async def make_resellers_due(connection: AnyConnection, organisation_ids: Iterable[str]) -> None:
    """The same of all open sales of these resellers."""
    await connection.execute(_RESELLERS_DUE, list(organisation_ids))


async def make_all_due(pool: Pool) -> None:
    """The same of all open sales."""
    async with acquire(pool) as connection:
        await connection.execute(_ALL_DUE)


async def make_held_due(pool: Pool) -> None:
    """The same of open sales that take more of a whole limit than they should."""
    async with acquire(pool) as connection:
        await connection.execute(_HELD_DUE)


async def ceilings_told(pool: Pool) -> Sequence[tuple[Key, Mapping[str, int]]]:
    """Of settled rows of open sales: the ceilings of people that the engine was told."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_CEILINGS)
    return [
        (
            (row["organisation_id"], row["sale_id"]),
            msgspec.json.decode(row["ceilings"], type=dict[str, int]),
        )
        for row in rows
    ]


def _columns(told: Told) -> tuple[object, ...]:
    return (
        told.code,
        told.message,
        told.minimum_minor,
        told.limit_minor,
        told.held_minor,
        msgspec.json.encode(told.ceilings).decode(),
        told.budgets_sha256,
        told.budgets_code,
        told.budgets_message,
        told.budgets_told,
    )


def _wish_of(key: Key, revision: int, name: str, until_us: int, row: asyncpg.Record) -> Wish:
    return Wish(
        key=key,
        revision=revision,
        claim=name,
        until_us=until_us,
        terms_version=row["terms_version"],
        restrictions=tuple(row["restrictions"]),
        budgets=None
        if row["own_budgets"] is None
        else msgspec.json.decode(row["own_budgets"], type=tuple[Budget, ...]),
        budgets_by=row["budgets_by"],
        budgets_sha256=row["budgets_sha256"],
        ceilings=msgspec.json.decode(row["told_ceilings"] or "{}", type=dict[str, int]),
        held_minor=row["held_minor"],
        told_before=row["code"] not in (None, Rejection.SALE_CLOSED),
        terms=msgspec.json.decode(row["sale_terms"], type=Terms),
        closed=row["closed_at_us"] is not None,
        deposit_minor=min(row["deposit_minor"], MAX_MINOR),
        staff_limit_minor=row["staff_limit_minor"],
    )
