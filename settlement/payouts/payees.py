"""Who is paid and how: an account at Stripe, or a bank account.

Where money goes is what thieves change first. So a change is announced to the payee's own people,
nothing is sent for the time that the policy says, and what one of our staff enters counts only when
another has confirmed it. Numbers of accounts are in a table of their own, which few may read; of
them only the last four digits are shown, and none is ever logged.

Each method is a transaction; a foreign payee is answered like a missing one by those who call.
"""

from collections.abc import Callable
from typing import Final

import asyncpg

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.payouts.announcing import announcement
from settlement.payouts.payables import PAY_OUT
from settlement.payouts.payee_rows import (
    BankDetails,
    PayeeShown,
    checked_details,
    named_payee,
    shown_payee,
)
from settlement.payouts.words import AccountState, PayoutRefusal, PayoutRefused, Way
from settlement.steps import Wanted, want

CREATE_ACCOUNT: Final = "create_account"
MAX_SHOWN: Final = 500


# Of whom somebody of an organisation may say where the money goes.
_OF_ORGANISATION: Final = """
select organisation_id as payee_id from organisation
where organisation_id = $1 and kind = 'LIQUIDATOR'
union all select consignor_id from consignor where organisation_id = $1 order by 1
"""

_NEW: Final = """
insert into payee (payee_id, kind, made_at_us) values ($1, $2, $3) on conflict do nothing
"""
_HOLD: Final = "select * from payee where payee_id = $1 for update"
_WAY: Final = """
update payee set way = $2, changed_at_us = $3, version = version + 1 where payee_id = $1
"""

_ADD_BANK: Final = """
insert into payee_bank_account (payee_id, holder, is_company, country, scheme, routing,
    account_type, last4, state, set_at_us, set_by, by_staff)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning bank_account_id
"""
_ADD_NUMBER: Final = "insert into payee_account_number (bank_account_id, number) values ($1, $2)"
_REPLACED: Final = """
update payee_bank_account set state = 'REPLACED' where payee_id = $1 and state = $2
"""
_DECIDED: Final = """
update payee_bank_account set state = $2, decided_at_us = $3, decided_by = $4
where bank_account_id = $1
"""
_WAITING: Final = "select * from payee_bank_account where payee_id = $1 and state = 'WAITING'"

_CONNECTED: Final = "select account_id, note from payee_connected where payee_id = $1"
_ADD_CONNECTED: Final = """
insert into payee_connected (payee_id, country, email, asked_at_us, asked_by)
values ($1, $2, $3, $4, $5)
on conflict (payee_id) do update set country = excluded.country, email = excluded.email,
    tries = payee_connected.tries + 1, note = '', asked_at_us = excluded.asked_at_us,
    asked_by = excluded.asked_by
where payee_connected.account_id is null
returning tries
"""

# What waits to be sent to a payee is decided about again: by its new way, if need be.
_DECIDE_AGAIN: Final = """
update payable set decisions = decisions + 1 where payee_id = $1 and state = 'OWED'
returning payable_id, decisions
"""

_LIST: Final = """
select payee_id from payee where way is not null or exists (
    select from payee_bank_account b where b.payee_id = payee.payee_id and b.state = 'WAITING'
) or exists (select from payee_connected c where c.payee_id = payee.payee_id)
or exists (select from payable p where p.payee_id = payee.payee_id and p.state = 'OWED')
order by payee_id limit $1
"""


class Payees:
    """How payees are paid. ``now_us`` is the worker's clock, ``ring`` wakes the worker."""

    def __init__(self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None]) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def of_organisation(self, organisation_id: OrganisationId) -> list[str]:
        """As whom an organisation is paid: itself, if it sells; what it consigns under."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_OF_ORGANISATION, organisation_id)
        return [row["payee_id"] for row in rows]

    async def read(self, payee_id: str) -> PayeeShown:
        """How somebody is paid. Raises `PayoutRefused`: NOT_FOUND."""
        async with acquire(self._pool) as connection:
            named = await named_payee(connection, payee_id)
            return await shown_payee(connection, payee_id, named)

    async def all(self) -> list[PayeeShown]:
        """Those of whom there is something to see, for staff."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_LIST, MAX_SHOWN)
            ids = [row["payee_id"] for row in rows]
            return [
                await shown_payee(connection, each, await named_payee(connection, each))
                for each in ids
            ]

    async def set_bank(
        self,
        actor: Actor,
        payee_id: str,
        details: BankDetails,
        *,
        version: int | None = None,
        by_staff: bool = False,
    ) -> PayeeShown:
        """Pay to this bank account from now on; entered by staff: once another has confirmed it.

        ``version``: the payee's as it was looked at. Raises `PayoutRefused`: NOT_FOUND,
        CHANGED_MEANWHILE, BAD_ACCOUNT with its field.
        """
        now_us = self._now_us()
        checked = checked_details(details)
        assert actor.person_id is not None, "a person says where money goes"
        async with transaction(self._pool) as connection:
            named = await _hold(connection, payee_id, version, now_us)
            state = AccountState.WAITING if by_staff else AccountState.ACTIVE
            # What staff have entered before the payee's own people is not to be confirmed over it.
            for replaced in {state, AccountState.WAITING}:
                await connection.execute(_REPLACED, payee_id, replaced)
            made: int = await connection.fetchval(
                _ADD_BANK,
                payee_id,
                checked.holder,
                checked.is_company,
                checked.country,
                "ABA" if checked.country == "US" else "IBAN",
                checked.routing,
                "SAVINGS" if checked.is_savings else "CHECKING",
                checked.account[-4:],
                state,
                now_us,
                actor.person_id,
                by_staff,
            )
            await connection.execute(_ADD_NUMBER, made, checked.account)
            await self._note(connection, actor, Act.PAYEE_SET, payee_id, named, checked, now_us)
            if not by_staff:
                await _take(connection, payee_id, Way.BANK, now_us)
            told = announcement(payee_id, f"bank{made}", "WAITING" if by_staff else "SET")
            await want(connection, [told], now_us)
            shown = await shown_payee(connection, payee_id, named)
        self._ring()
        return shown

    async def decide_bank(
        self, staff: Actor, payee_id: str, bank_account_id: int, *, agrees: bool
    ) -> PayeeShown:
        """Another person of staff confirms what one has entered, or somebody says no.

        Raises `PayoutRefused`: NOT_FOUND, NOT_WAITING, SAME_PERSON.
        """
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            named = await _hold(connection, payee_id, None, now_us)
            waiting = await connection.fetchrow(_WAITING, payee_id)
            if waiting is None or waiting["bank_account_id"] != bank_account_id:
                raise PayoutRefused(PayoutRefusal.NOT_WAITING)
            if agrees and waiting["set_by"] == staff.person_id:
                raise PayoutRefused(PayoutRefusal.SAME_PERSON)
            if agrees:
                await connection.execute(_REPLACED, payee_id, AccountState.ACTIVE)
            state = AccountState.ACTIVE if agrees else AccountState.REFUSED
            await connection.execute(_DECIDED, bank_account_id, state, now_us, staff.person_id)
            await record(
                connection,
                Act.PAYEE_CONFIRMED if agrees else Act.PAYEE_REFUSED,
                staff,
                now_us,
                organisation_id=named["organisation_id"],
                object_id=payee_id,
            )
            if agrees:
                await _take(connection, payee_id, Way.BANK, now_us)
            word = "SET" if agrees else "REFUSED"
            told = announcement(payee_id, f"bank{bank_account_id}~decided", word)
            await want(connection, [told], now_us)
            shown = await shown_payee(connection, payee_id, named)
        self._ring()
        return shown

    async def connect(
        self, actor: Actor, payee_id: str, *, email: str, country: str = "US"
    ) -> PayeeShown:
        """Ask Stripe for an account; asked again, it changes nothing while there is one.

        Raises `PayoutRefused`: NOT_FOUND, BAD_DETAILS.
        """
        now_us = self._now_us()
        if "@" not in email or len(email) > 254 or not country.isalpha() or len(country) != 2:
            raise PayoutRefused(PayoutRefusal.BAD_DETAILS, field="email")
        async with transaction(self._pool) as connection:
            named = await _hold(connection, payee_id, None, now_us)
            before = await connection.fetchrow(_CONNECTED, payee_id)
            if before is None or (before["account_id"] is None and before["note"]):
                by = actor.person_id or "softclose"
                tries = await connection.fetchval(
                    _ADD_CONNECTED, payee_id, country, email, now_us, by
                )
                arguments = {"email": email, "country": country}
                wanted = Wanted(
                    operation=CREATE_ACCOUNT,
                    subject=payee_id,
                    generation=tries,
                    arguments=arguments,
                )
                await want(connection, [wanted], now_us)
                await record(
                    connection,
                    Act.PAYEE_CONNECTED,
                    actor,
                    now_us,
                    organisation_id=named["organisation_id"],
                    object_id=payee_id,
                )
            shown = await shown_payee(connection, payee_id, named)
        self._ring()
        return shown

    async def choose(self, actor: Actor, payee_id: str, way: Way, version: int) -> PayeeShown:
        """Be paid by another of the ways that are set up: a change like any other.

        Raises `PayoutRefused`: NOT_FOUND, CHANGED_MEANWHILE, NOT_CONNECTED, NOT_NOW.
        """
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            named = await _hold(connection, payee_id, version, now_us)
            shown = await shown_payee(connection, payee_id, named)
            account = shown.connected.account_id if shown.connected else None
            if way is Way.CONNECT and account is None:
                raise PayoutRefused(PayoutRefusal.NOT_CONNECTED)
            if way is Way.BANK and shown.bank is None:
                raise PayoutRefused(PayoutRefusal.NOT_NOW, detail="There is no bank account yet.")
            if way is not shown.way:
                await _take(connection, payee_id, way, now_us)
                await record(
                    connection,
                    Act.PAYEE_SET,
                    actor,
                    now_us,
                    organisation_id=named["organisation_id"],
                    object_id=payee_id,
                    way=way,
                )
                told = announcement(payee_id, f"way{shown.version + 1}", "SET")
                await want(connection, [told], now_us)
            shown = await shown_payee(connection, payee_id, named)
        self._ring()
        return shown

    async def _note(
        self,
        connection: AnyConnection,
        actor: Actor,
        act: Act,
        payee_id: str,
        named: asyncpg.Record,
        details: BankDetails,
        now_us: int,
    ) -> None:
        await record(
            connection,
            act,
            actor,
            now_us,
            organisation_id=named["organisation_id"],
            object_id=payee_id,
            country=details.country,
            last4=details.account[-4:],
        )


async def decide_again(connection: AnyConnection, payee_id: str, now_us: int) -> None:
    """What is owed to a payee is looked at now. The payee is held."""
    rows = await connection.fetch(_DECIDE_AGAIN, payee_id)
    await want(
        connection,
        [
            Wanted(operation=PAY_OUT, subject=row["payable_id"], generation=row["decisions"])
            for row in rows
        ],
        now_us,
    )


async def take_way(connection: AnyConnection, payee_id: str, way: Way, now_us: int) -> None:
    """A payee is paid so from now on; its row is held."""
    await _take(connection, payee_id, way, now_us)


async def _take(connection: AnyConnection, payee_id: str, way: Way, now_us: int) -> None:
    await connection.execute(_WAY, payee_id, way, now_us)
    await decide_again(connection, payee_id, now_us)


async def _hold(
    connection: AnyConnection, payee_id: str, version: int | None, now_us: int
) -> asyncpg.Record:
    named = await named_payee(connection, payee_id)
    await connection.execute(_NEW, payee_id, named["kind"], now_us)
    row = await connection.fetchrow(_HOLD, payee_id)
    assert row is not None, "it was made just now"
    if version is not None and version != row["version"]:
        raise PayoutRefused(PayoutRefusal.CHANGED_MEANWHILE)
    return named
