"""Deposits as staff recorded them and as payments hold them: a list that is only added to.

A mistake is corrected by an entry against it, with a reason. What the entries come to is the
deposit that the engine counts with.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from accounts.audit import Act, Actor, record
from accounts.clock import Clock
from accounts.directory import organisations, standing_of
from accounts.ids import OrganisationId, PersonId, new_id
from auction.ids import SaleId
from bidder_gateway.refusals import Refusal, Refused
from bidder_gateway.registrar import Registrar
from bidder_gateway.registration_rows import make_due
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing


class DepositEntry(Struct, frozen=True, kw_only=True):
    """One entry. ``reason``: how it was paid, or why it is corrected. ``corrects``: which entry
    it takes back; ``corrected_by``: which entry has taken it back."""

    entry_id: str
    amount_minor: int
    currency: str
    reason: str
    corrects: str | None
    corrected_by: str | None
    recorded_by: PersonId
    at_us: int


class Deposit(Struct, frozen=True, kw_only=True):
    """A reseller's deposit for a sale, with all entries, the earliest first."""

    organisation_id: OrganisationId
    sale_id: SaleId
    currency: str
    deposit_minor: int
    entries: Sequence[DepositEntry]


class DepositsQuery(Paging):
    """Which registrations of open sales: the latest first; ``waiting``: for a deposit only."""

    waiting: bool = False


class RegisteredReseller(Struct, frozen=True, kw_only=True):
    """A reseller in an open sale, as far as its deposit goes. ``waiting``: it is not admitted
    because of it."""

    organisation_id: OrganisationId
    organisation_name: str
    sale_id: SaleId
    sale_title: str
    currency: str
    required_minor: int
    deposit_minor: int
    waiting: bool
    registered_at_us: int


class RegisteredKey(Struct, frozen=True):
    """The place of a registration in the list."""

    registered_at_us: int
    organisation_id: OrganisationId
    sale_id: SaleId


class Organisation(Struct, frozen=True):
    """Whose entry it is."""

    organisation_id: OrganisationId
    sale_id: SaleId


_CURRENCY = "select currency from sale_board where sale_id = $1"

_ENTRIES = """
select entry_id, amount_minor, currency, reason, corrects, recorded_by, at_us,
    (select entry_id from deposit_entry as later
     where later.corrects = deposit_entry.entry_id) as corrected_by
from deposit_entry where organisation_id = $1 and sale_id = $2 order by at_us, entry_id
"""

_REGISTERED = """
select organisation_id, registration.sale_id, sale_listing.title as sale_title,
    sale_board.currency, registered_at_us, coalesce(code = 'DEPOSIT_REQUIRED', false) as waiting,
    (terms ->> 'deposit_minor')::bigint as required_minor,
    (select coalesce(sum(amount_minor), 0) from deposit_entry
     where deposit_entry.organisation_id = registration.organisation_id
        and deposit_entry.sale_id = registration.sale_id)::bigint as deposit_minor
from registration join sale_board using (sale_id) join sale_listing using (sale_id)
where closed_at_us is null and (not $1::boolean or code = 'DEPOSIT_REQUIRED')
    and ($2::bigint is null
        or (registered_at_us, organisation_id, registration.sale_id) < ($2, $3, $4))
order by registered_at_us desc, organisation_id desc, registration.sale_id desc limit $5
"""

_LACKING = """
select sale_listing.title as sale_title, currency,
    (terms ->> 'deposit_minor')::bigint as required_minor,
    greatest(0, (terms ->> 'deposit_minor')::bigint - (
        select coalesce(sum(amount_minor), 0) from deposit_entry
        where deposit_entry.organisation_id = registration.organisation_id
        and deposit_entry.sale_id = registration.sale_id
    ))::bigint as lacking_minor
from registration join sale_board using (sale_id) join sale_listing using (sale_id)
where organisation_id = $1 and sale_id = $2 and closed_at_us is null
"""

_ADD = """
insert into deposit_entry (entry_id, organisation_id, sale_id, amount_minor, currency, reason,
    corrects, recorded_by, at_us, address)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

# An entry that nobody recorded, since a card promised it; see `count_held`.
HELD_BY_CARD: Final = "softclose"

_COUNT = """
insert into deposit_entry (entry_id, organisation_id, sale_id, amount_minor, currency, reason,
    corrects, recorded_by, at_us, address)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '')
on conflict do nothing returning true
"""

_BY_HAND = f"""
select entry_id, amount_minor, currency from deposit_entry
where organisation_id = $1 and sale_id = $2 and corrects is null and recorded_by <> '{HELD_BY_CARD}'
and not exists (
    select from deposit_entry as later where later.corrects = deposit_entry.entry_id
)
order by at_us, entry_id
"""  # noqa: S608 - a constant of ours

_ENTRY = """
select organisation_id, sale_id, amount_minor, currency, corrects from deposit_entry
where entry_id = $1
"""


async def count_held(
    connection: AnyConnection,
    *,
    entry_id: str,
    sale_id: SaleId,
    buyer_id: str,
    amount_minor: int,
    currency: str,
    corrects: str | None,
    now_us: int,
) -> None:
    """A card promises a deposit, or does so no more (``corrects``, a negative amount): written in
    the payments' own transaction. What staff took back before stays as they left it."""
    reason = "Held on a card" if corrects is None else "Not held on the card any more"
    values = (amount_minor, currency, reason, corrects, HELD_BY_CARD, now_us)
    if await connection.fetchval(_COUNT, entry_id, buyer_id, sale_id, *values):
        await make_due(connection, buyer_id, sale_id)


async def recorded_by_hand(connection: AnyConnection, sale_id: SaleId, buyer_id: str) -> int:
    """What staff recorded of a deposit and did not take back."""
    rows = await connection.fetch(_BY_HAND, buyer_id, sale_id)
    return sum(row["amount_minor"] for row in rows)


async def end_recorded(
    connection: AnyConnection,
    sale_id: SaleId,
    buyer_id: str,
    *,
    reason: str,
    by: str,
    now_us: int,
) -> None:
    """What staff recorded counts no more, in the caller's transaction: it was kept, or not."""
    for row in await connection.fetch(_BY_HAND, buyer_id, sale_id):
        against = (-row["amount_minor"], row["currency"], reason, row["entry_id"], by, now_us)
        await connection.execute(_ADD, new_id("deposit"), buyer_id, sale_id, *against, "")
    await make_due(connection, OrganisationId(buyer_id), sale_id)


class Lacking(Struct, frozen=True, kw_only=True):
    """What a registration in an open sale still lacks; 0: nothing."""

    sale_title: str
    currency: str
    required_minor: int
    lacking_minor: int


async def lacking_of(pool: Pool, sale_id: SaleId, organisation_id: str) -> Lacking | None:
    """``None``: the sale is over, or the reseller has not registered in it."""
    async with acquire(pool) as connection:
        row = await connection.fetchrow(_LACKING, organisation_id, sale_id)
    return None if row is None else Lacking(**dict(row))


class Deposits:
    """The book of deposits."""

    def __init__(self, pool: Pool, registrar: Registrar, clock: Clock) -> None:
        self._pool, self._registrar, self._clock = pool, registrar, clock

    async def registered(self, query: DepositsQuery) -> Listing[RegisteredReseller]:
        """Resellers in open sales, the latest first: for staff. Raises `Problem` 422."""
        after = key_of_cursor(query.cursor, RegisteredKey)
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(
                _REGISTERED,
                query.waiting,
                None if after is None else after.registered_at_us,
                "" if after is None else after.organisation_id,
                "" if after is None else after.sale_id,
                query.limit + 1,
            )
        known = await organisations(self._pool, {row["organisation_id"] for row in rows})
        return listing(
            rows,
            query.limit,
            lambda row: RegisteredReseller(
                **dict(row), organisation_name=known[row["organisation_id"]].name
            ),
            lambda row: RegisteredKey(
                row["registered_at_us"], row["organisation_id"], row["sale_id"]
            ),
        )

    async def of(self, organisation_id: OrganisationId, sale_id: SaleId) -> Deposit:
        """What was recorded. Raises `Refused` NOT_FOUND for no reseller, or no sale."""
        await self._refuse_others(organisation_id)
        async with acquire(self._pool) as connection:
            currency = await connection.fetchval(_CURRENCY, sale_id)
            if currency is None:
                raise Refused(Refusal.NOT_FOUND)
            rows = await connection.fetch(_ENTRIES, organisation_id, sale_id)
        entries = [DepositEntry(**dict(row)) for row in rows]
        return Deposit(
            organisation_id=organisation_id,
            sale_id=sale_id,
            currency=currency,
            deposit_minor=sum(entry.amount_minor for entry in entries),
            entries=entries,
        )

    async def record(
        self,
        organisation_id: OrganisationId,
        sale_id: SaleId,
        amount_minor: int,
        currency: str,
        reason: str,
        actor: Actor,
    ) -> Deposit:
        """Money has come in. Raises `Refused`: NOT_FOUND, OTHER_CURRENCY."""
        await self._refuse_others(organisation_id)
        async with transaction(self._pool) as connection:
            held_in = await connection.fetchval(_CURRENCY, sale_id)
            if held_in is None:
                raise Refused(Refusal.NOT_FOUND)
            if held_in != currency:
                raise Refused(Refusal.OTHER_CURRENCY, field="currency")
            key = (organisation_id, sale_id)
            await self._add(connection, key, amount_minor, currency, reason, None, actor)
        self._registrar.ring()
        return await self.of(organisation_id, sale_id)

    async def owner_of(self, entry_id: str) -> Organisation | None:
        """Whose an entry is; ``None``: there is no such entry."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_ENTRY, entry_id)
        return None if row is None else Organisation(row["organisation_id"], row["sale_id"])

    async def correct(self, entry_id: str, reason: str, actor: Actor) -> Deposit:
        """Take an entry back, whole. Raises `Refused`: NOT_FOUND, CORRECTED_ALREADY."""
        try:
            async with transaction(self._pool) as connection:
                row = await connection.fetchrow(_ENTRY, entry_id)
                if row is None:
                    raise Refused(Refusal.NOT_FOUND)
                if row["corrects"] is not None:
                    raise Refused(Refusal.CORRECTED_ALREADY)
                key = (row["organisation_id"], row["sale_id"])
                against = (-row["amount_minor"], row["currency"], reason, entry_id, actor)
                await self._add(connection, key, *against)
        except asyncpg.UniqueViolationError:
            raise Refused(Refusal.CORRECTED_ALREADY) from None
        self._registrar.ring()
        return await self.of(*key)

    async def _add(
        self,
        connection: AnyConnection,
        key: tuple[OrganisationId, SaleId],
        amount_minor: int,
        currency: str,
        reason: str,
        corrects: str | None,
        actor: Actor,
    ) -> None:
        assert actor.person_id is not None, "staff are signed in"
        entry_id, now_us, by = new_id("deposit"), self._clock(), actor.person_id
        values = (amount_minor, currency, reason, corrects, by, now_us, actor.address)
        await connection.execute(_ADD, entry_id, *key, *values)
        await make_due(connection, *key)
        await record(
            connection,
            Act.DEPOSIT_RECORDED if corrects is None else Act.DEPOSIT_CORRECTED,
            actor,
            now_us,
            organisation_id=key[0],
            object_id=entry_id,
            sale_id=key[1],
            amount_minor=amount_minor,
            currency=currency,
            reason=reason,
            corrects=corrects,
        )

    async def _refuse_others(self, organisation_id: OrganisationId) -> None:
        if await standing_of(self._pool, organisation_id) is None:
            raise Refused(Refusal.NOT_FOUND)
