"""What sellers owe the house and will not pay: given up when two people say so."""

from collections.abc import Callable
from typing import Final

import asyncpg
from msgspec import Struct

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId, PersonId
from auction.ids import LiquidatorId
from auction.money import EXPONENTS, format_minor
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from settlement.client_requests import Asked, note_made
from settlement.entries import MAX_NOTE, About
from settlement.ledger import post
from settlement.payouts.payables import hold_payees, receivable_minor
from settlement.payouts.words import PayeeKind, PayoutRefusal, PayoutRefused
from settlement.postings import write_off

# On a page: whom somebody has to write to.
MAX_SHOWN: Final = 500

_ASK: Final = """
insert into write_off (liquidator_id, currency, amount_minor, why, state, asked_at_us, asked_by)
values ($1, $2, $3, $4, 'ASKED', $5, $6) returning write_off_id
"""
_HOLD: Final = "select * from write_off where write_off_id = $1 for update"
_DECIDE: Final = """
update write_off set state = $2, decided_at_us = $3, decided_by = $4 where write_off_id = $1
"""
_LIST: Final = """
select * from write_off where ($1::text is null or state = $1) and write_off_id < $2
order by write_off_id desc limit $3
"""
_OWING: Final = """
select substr(a.name, 19) as liquidator_id, a.currency,
    b.debits_minor - b.credits_minor as owes_minor, coalesce(o.name, substr(a.name, 19)) as name
from ledger_account a join ledger_balance b using (account_id)
left join organisation o on o.organisation_id = substr(a.name, 19)
where a.kind = 'seller_receivable' and b.debits_minor > b.credits_minor
order by owes_minor desc, a.name limit $1
"""


class WriteOff(Struct, frozen=True, kw_only=True):
    """What somebody wants to give up, or two people have."""

    write_off_id: int
    liquidator_id: LiquidatorId
    currency: str
    amount_minor: int
    why: str
    state: str
    asked_at_us: int
    asked_by: PersonId
    decided_at_us: int | None
    decided_by: PersonId | None


class Owing(Struct, frozen=True, kw_only=True):
    """A seller that owes the house."""

    liquidator_id: LiquidatorId
    name: str
    currency: str
    owes_minor: int


class WriteOffKey(Struct, frozen=True):
    """The place of a write-off in the list of them."""

    write_off_id: int


class WriteOffs:
    """What staff do about what sellers owe."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def owing(self) -> list[Owing]:
        """Who owes, the most first."""
        async with acquire(self._pool) as connection:
            return [Owing(**row) for row in await connection.fetch(_OWING, MAX_SHOWN)]

    async def all(self, state: str | None = None) -> list[WriteOff]:
        """All, or those in a state, the latest first."""
        async with acquire(self._pool) as connection:
            return [_row(row) for row in await connection.fetch(_LIST, state, 2**62, MAX_SHOWN)]

    async def page(self, paging: Paging) -> Listing[WriteOff]:
        """The same, page by page. Raises `Problem` 422 for a foreign cursor."""
        key = key_of_cursor(paging.cursor, WriteOffKey) or WriteOffKey(2**62)
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_LIST, None, key.write_off_id, paging.limit + 1)
            found = [_row(row) for row in rows]
        return listing(
            found, paging.limit, lambda one: one, lambda one: WriteOffKey(one.write_off_id)
        )

    async def ask(
        self,
        staff: Actor,
        liquidator_id: LiquidatorId,
        currency: str,
        amount_minor: int,
        why: str,
        *,
        request: Asked | None = None,
    ) -> int:
        """Ask for a second person. Raises `PayoutRefused`: TOO_MUCH, BAD_DETAILS."""
        now_us = self._now_us()
        said = why.strip()
        if not said or len(said) > MAX_NOTE or "\0" in said:
            detail = f"Say why, in up to {MAX_NOTE} characters."
            raise PayoutRefused(PayoutRefusal.BAD_DETAILS, field="why", detail=detail)
        async with transaction(self._pool) as connection:
            await _refuse_more(connection, liquidator_id, currency, amount_minor, now_us)
            asked_by = staff.person_id
            made: int = await connection.fetchval(
                _ASK, liquidator_id, currency, amount_minor, said, now_us, asked_by
            )
            await note_made(connection, request, made, now_us)
            await record(
                connection,
                Act.WRITE_OFF_ASKED,
                staff,
                now_us,
                organisation_id=OrganisationId(liquidator_id),
                object_id=str(made),
                amount_minor=amount_minor,
                currency=currency,
            )
        return made

    async def decide(self, staff: Actor, write_off_id: int, *, agrees: bool) -> WriteOff:
        """Another person agrees, and it is booked; or somebody says no.

        Raises `PayoutRefused`: NOT_FOUND, NOT_WAITING, SAME_PERSON, TOO_MUCH.
        """
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow(_HOLD, write_off_id)
            if row is None:
                raise PayoutRefused(PayoutRefusal.NOT_FOUND)
            asked = _row(row)
            if asked.state != "ASKED":
                raise PayoutRefused(PayoutRefusal.NOT_WAITING)
            if agrees and asked.asked_by == staff.person_id:
                raise PayoutRefused(PayoutRefusal.SAME_PERSON)
            state = "DONE" if agrees else "REFUSED"
            if agrees:
                await _refuse_more(
                    connection, asked.liquidator_id, asked.currency, asked.amount_minor, now_us
                )
            await connection.execute(_DECIDE, write_off_id, state, now_us, staff.person_id)
            await record(
                connection,
                Act.WRITE_OFF_DECIDED,
                staff,
                now_us,
                organisation_id=OrganisationId(asked.liquidator_id),
                object_id=str(write_off_id),
                agrees=agrees,
            )
            if agrees:
                await post(connection, [write_off(_about(asked, now_us), *_what(asked))])
            decided = await connection.fetchrow(_HOLD, write_off_id)
        assert decided is not None, "it is held"
        return _row(decided)


async def _refuse_more(
    connection: AnyConnection,
    liquidator_id: LiquidatorId,
    currency: str,
    amount_minor: int,
    now_us: int,
) -> None:
    """What is given up is owed. Holds the payee, so that nobody takes it at the same time."""
    if currency not in EXPONENTS:
        raise PayoutRefused(PayoutRefusal.NOT_FOUND)
    owed_minor = await receivable_minor(connection, liquidator_id, currency)
    if owed_minor:  # whoever owes nothing may be nobody
        await hold_payees(connection, {liquidator_id: PayeeKind.LIQUIDATOR}, now_us)
        owed_minor = await receivable_minor(connection, liquidator_id, currency)
    if not 1 <= amount_minor <= owed_minor:
        detail = f"The seller owes {format_minor(owed_minor, currency)} {currency}."
        raise PayoutRefused(PayoutRefusal.TOO_MUCH, field="amount_minor", detail=detail)


def _about(asked: WriteOff, now_us: int) -> About:
    return About(
        subject=asked.liquidator_id,
        generation=asked.write_off_id,
        at_us=now_us,
        currency=asked.currency,
        liquidator_id=asked.liquidator_id,
        note=asked.why,
    )


def _what(asked: WriteOff) -> tuple[LiquidatorId, int]:
    return asked.liquidator_id, asked.amount_minor


def _row(row: asyncpg.Record) -> WriteOff:
    return WriteOff(**{name: row[name] for name in WriteOff.__struct_fields__})
