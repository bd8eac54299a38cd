"""Accounts at Stripe: made for a payee, onboarded by it on Stripe's pages, read when it says so.

What Stripe answers, what its event says and what a person asks for go through one function, which
keeps the account as it was read and decides about what waits for it.
"""

from collections.abc import Callable
from typing import Any, Final

import asyncpg

from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.ids import StripeId
from settlement.operations import HOUR_US, Again, NeedsPerson, Operation, Refused
from settlement.payment_objects import AccountLink, ConnectedAccount, Event
from settlement.payouts.announcing import announcement
from settlement.payouts.payees import decide_again, take_way
from settlement.payouts.words import PayoutRefusal, PayoutRefused, Way
from settlement.ports import Sellers
from settlement.steps import want

# By what our clock and Stripe's may differ at most: what was made since is looked through.
CLOCKS_US: Final = 24 * HOUR_US

_HOLD: Final = "select * from payee where payee_id = $1 for update"
_MADE: Final = "update payee_connected set account_id = $2 where payee_id = $1"
_NOT_MADE: Final = "update payee_connected set note = $2 where payee_id = $1"
_READ: Final = """
update payee_connected set details_submitted = $2, takes_transfers = $3, payouts_enabled = $4,
    due = $5, disabled_reason = $6, read_at_us = $7
where payee_id = $1
"""
_BY_ACCOUNT: Final = "select payee_id from payee_connected where account_id = $1"
_BY_PAYEE: Final = "select account_id, takes_transfers from payee_connected where payee_id = $1"


class CreateAccount:
    """A payee's account at Stripe is made. ``now_us`` is the worker's clock."""

    def __init__(self, provider: Sellers, now_us: Callable[[], int]) -> None:
        self._provider, self._now_us = provider, now_us

    async def call(self, op: Operation) -> ConnectedAccount:
        """See `operations.Handler`."""
        if op.attempts > 1:
            since_us = op.made_at_us - CLOCKS_US
            found = await self._provider.find_account(op.idempotency_key, since_us=since_us)
            if found is not None:
                return found
        if not op.may_send(self._now_us()):
            raise Refused("never_sent", "no answer came in a day, and there is no account")
        return await self._provider.create_account(
            op.idempotency_key,
            email=op.arguments["email"],
            country=op.arguments["country"],
            about={"payee": op.subject},
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`. A first way to be paid is taken; another is for the payee."""
        payee = await connection.fetchrow(_HOLD, op.subject)
        row = await connection.fetchrow(_BY_PAYEE, op.subject)
        assert payee is not None and row is not None, "they are written before it is asked for"
        if isinstance(answer, Refused):
            await connection.execute(_NOT_MADE, op.subject, str(answer)[:500])
            return None
        assert isinstance(answer, ConnectedAccount)
        if row["account_id"] not in (None, answer.account_id):
            raise NeedsPerson(f"{op.subject} has {row['account_id']}, not {answer.account_id}")
        await connection.execute(_MADE, op.subject, answer.account_id)
        if payee["way"] is None:
            await take_way(connection, op.subject, Way.CONNECT, now_us)
            told = announcement(op.subject, f"connect{op.generation}", "SET")
            await want(connection, [told], now_us)
        await keep_account(connection, op.subject, answer, now_us)
        return None


class AccountReader:
    """Reads an account of ours again when Stripe says that something of it changed."""

    async def settle(
        self, connection: AnyConnection, event: Event, found: Any, now_us: int
    ) -> bool:
        """See `webhook_inbox.Reader`."""
        if not isinstance(found, ConnectedAccount):
            return True
        payee_id = await connection.fetchval(_BY_ACCOUNT, found.account_id)
        if payee_id is None:
            return False
        await connection.fetchrow(_HOLD, payee_id)
        await keep_account(connection, payee_id, found, now_us)
        return True


class Onboarding:
    """What a payee's people do about its account at Stripe."""

    def __init__(
        self,
        pool: Pool,
        provider: Sellers,
        now_us: Callable[[], int],
        ring: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool, self._provider, self._now_us, self._ring = pool, provider, now_us, ring

    async def link(self, payee_id: str, *, return_url: str, refresh_url: str) -> AccountLink:
        """Where the payee tells Stripe what it wants to know; for one visit.

        Raises `PayoutRefused` NOT_CONNECTED, and what the provider raises.
        """
        account_id = await self._account_of(payee_id)
        return await self._provider.onboarding_link(
            account_id, return_url=return_url, refresh_url=refresh_url
        )

    async def refresh(self, payee_id: str) -> ConnectedAccount:
        """Read the account again: the payee came back, or somebody wants to know."""
        account = await self._provider.account(await self._account_of(payee_id))
        async with transaction(self._pool) as connection:
            await connection.fetchrow(_HOLD, payee_id)
            await keep_account(connection, payee_id, account, self._now_us())
        self._ring()
        return account

    async def _account_of(self, payee_id: str) -> StripeId:
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_BY_PAYEE, payee_id)
        if row is None or row["account_id"] is None:
            raise PayoutRefused(PayoutRefusal.NOT_CONNECTED)
        return StripeId(row["account_id"])


async def is_ours(connection: AnyConnection, account_id: StripeId) -> bool:
    """Whether a connected account is a payee's: for the inbox of events."""
    return await connection.fetchval(_BY_ACCOUNT, account_id) is not None


async def keep_account(
    connection: AnyConnection, payee_id: str, account: ConnectedAccount, now_us: int
) -> None:
    """Keep an account as it was read; what waits for it is decided about. The payee is held."""
    before: asyncpg.Record | None = await connection.fetchrow(_BY_PAYEE, payee_id)
    assert before is not None, "only what was asked for is kept"
    await connection.execute(
        _READ,
        payee_id,
        account.details_submitted,
        account.takes_transfers,
        account.payouts_enabled,
        list(account.due),
        account.disabled_reason or "",
        now_us,
    )
    if account.takes_transfers and not before["takes_transfers"]:
        await decide_again(connection, payee_id, now_us)
