"""Deposits for sales, held on buyers' cards: asked for, renewed, released, kept.

A deposit's row is the only lock here; whoever holds an invoice may take it after that, never the
other way round. What is decided (`deposit_rules`) is written with its operations and its entries in
one transaction, and with what the registration counts: a callable of the host's, since the book of
deposits by which bidders are admitted is another room's.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol

import asyncpg
from msgspec import Struct

from auction.ids import BidderId, SaleId
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.after_default.hand_deposits import EndRecorded, ends_nowhere
from settlement.buyers import NoSuchMethod
from settlement.deposit_life import (
    Deposit,
    DepositState,
    TakenFor,
    Wish,
    deposit_subject,
    subject_parts,
)
from settlement.deposit_rules import AskFor, Decided, asked, forfeited, released, shown
from settlement.ledger import post
from settlement.payment_objects import IntentStatus, MethodKind, Payment
from settlement.policy import HOUR_US
from settlement.policy_table import policy_at
from settlement.ports import PaymentProvider, Unknown
from settlement.saved_methods import saved_of
from settlement.steps import want

# Where a currency has no policy: promises are renewed so long before they end.
MARGIN_US: Final = 12 * HOUR_US

_COLUMNS: Final = Deposit.__struct_fields__

_READ: Final = "select * from deposit where sale_id = $1 and buyer_id = $2"
_HOLD: Final = f"{_READ} for update"

_VALUES: Final = ", ".join(f"${number}" for number in range(1, len(_COLUMNS) + 1))
_CHANGES: Final = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
_WRITE: Final = f"""
insert into deposit ({", ".join(_COLUMNS)}) values ({_VALUES})
on conflict (sale_id, buyer_id) do update set {_CHANGES}
"""  # noqa: S608 - names of our own columns

_OF_SALE: Final = "select buyer_id from deposit where sale_id = $1 order by buyer_id"


class Counts(Protocol):
    """The book of deposits by which bidders are admitted."""

    async def __call__(
        self,
        connection: AnyConnection,
        *,
        entry_id: str,
        sale_id: SaleId,
        buyer_id: BidderId,
        amount_minor: int,
        currency: str,
        corrects: str | None,
        now_us: int,
    ) -> None:
        """Add an entry, in the caller's transaction: from now on the deposit counts, or, with
        ``corrects`` and a negative amount, no more. One that is there already stays."""
        ...


async def counts_nowhere(connection: AnyConnection, **_: Any) -> None:
    """Where there is no such book."""


class Needed(Struct, frozen=True, kw_only=True):
    """What a buyer's registration in an open sale still lacks; 0: nothing."""

    sale_title: str
    currency: str
    required_minor: int
    lacking_minor: int


async def needed_nowhere(sale_id: SaleId, buyer_id: BidderId) -> Needed | None:
    """Where nobody registers."""
    return None


@dataclass(frozen=True)
class Registering:
    """What the room of registrations brings: its book, and what it still asks of a buyer, ``None``
    for a sale that is over or in which it is not registered. ``end_recorded``: what staff had
    recorded there counts no more."""

    counts: Counts = counts_nowhere
    needed: Callable[[SaleId, BidderId], Awaitable[Needed | None]] = needed_nowhere
    end_recorded: EndRecorded = ends_nowhere


class NoDeposit(LookupError):
    """The buyer has no deposit for the sale."""


class Deposits:
    """For registration pages, and for whoever settles a sale."""

    def __init__(
        self,
        pool: Pool,
        provider: PaymentProvider,
        now_us: Callable[[], int],
        counts: Counts = counts_nowhere,
        ring: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool, self._provider, self._now_us = pool, provider, now_us
        self._counts, self._ring = counts, ring

    async def ask(self, wanted: AskFor) -> Deposit:
        """Hold a deposit on a card that the buyer saved; one that stands already stays as it is.

        Raises `NoSuchMethod`: the card is not the buyer's, or no card.
        """
        async with transaction(self._pool) as connection:
            before = await hold(connection, wanted.sale_id, wanted.buyer_id)
            saved = await saved_of(connection, wanted.buyer_id)
            cards = {one.method_id for one in saved if one.kind is MethodKind.CARD}
            if wanted.method_id not in cards:
                raise NoSuchMethod(wanted.method_id)
            decided = asked(before, wanted, self._now_us())
            if decided is None:
                assert before is not None, "what there is not can be asked for"
                return before
            after = await self.write(connection, before, decided)
        self._ring()
        return after

    async def of(self, sale_id: SaleId, buyer_id: BidderId) -> Deposit | None:
        """As it stands."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_READ, sale_id, buyer_id)
        return None if row is None else _deposit(row)

    async def question(self, sale_id: SaleId, buyer_id: BidderId) -> Payment:
        """What the bank asks the buyer (``action``), as the provider shows it now; also what the
        page calls to which the buyer comes back. Raises `NoDeposit`."""
        deposit = await self.of(sale_id, buyer_id)
        if deposit is None or deposit.payment_id is None:
            raise NoDeposit(deposit_subject(sale_id, buyer_id))
        payment = readable(await self._provider.payment(deposit.payment_id))
        async with transaction(self._pool) as connection:
            await self.show(connection, sale_id, buyer_id, payment)
        self._ring()
        return payment

    async def release(self, connection: AnyConnection, sale_id: SaleId, buyer_id: BidderId) -> None:
        """Give it back, in the caller's transaction; where there is none, nothing happens."""
        deposit = await hold(connection, sale_id, buyer_id)
        if deposit is not None:
            await self.write(connection, deposit, released(deposit))

    async def forfeit(
        self,
        connection: AnyConnection,
        sale_id: SaleId,
        buyer_id: BidderId,
        amount_minor: int | None = None,
    ) -> int:
        """Keep it, or as much of it, in the caller's transaction; returns how much that will be."""
        deposit = await hold(connection, sale_id, buyer_id)
        if deposit is None:
            return 0
        if deposit.forfeited_minor:
            return deposit.forfeited_minor
        amount = deposit.amount_minor if amount_minor is None else amount_minor
        after = await self.write(connection, deposit, forfeited(deposit, amount, self._now_us()))
        if after.taking_for is TakenFor.FORFEIT:
            return after.taking_minor
        return after.wished_minor if after.wish is Wish.FORFEIT else after.forfeited_minor

    async def show(
        self,
        connection: AnyConnection,
        sale_id: SaleId,
        buyer_id: BidderId,
        payment: Payment,
    ) -> bool:
        """Decide by one of its payments as it looks now; ``False``: there is no such deposit."""
        deposit = await hold(connection, sale_id, buyer_id)
        if deposit is None:
            return False
        now_us = self._now_us()
        policy = await policy_at(connection, deposit.currency, now_us)
        margin_us = MARGIN_US if policy is None else policy.capture_margin_us
        await self.write(connection, deposit, shown(deposit, payment, margin_us, now_us))
        return True

    async def write(
        self, connection: AnyConnection, before: Deposit | None, decided: Decided
    ) -> Deposit:
        """Write what was decided about a deposit that is held, in the caller's transaction."""
        after, now_us = decided.deposit, self._now_us()
        if after != before:
            version = 1 if before is None else before.version + 1
            await connection.execute(_WRITE, *_values(after, version, now_us))
            await self._count(connection, before, after, now_us)
        await want(connection, decided.operations, now_us)
        await post(connection, decided.booked)
        return after

    async def _count(
        self, connection: AnyConnection, before: Deposit | None, after: Deposit, now_us: int
    ) -> None:
        was = None if before is None else before.counted
        if was == after.counted:
            return
        if before is not None and was is not None:
            await self._entry(connection, before, was, now_us, back=True)
        if after.counted is not None:
            await self._entry(connection, after, after.counted, now_us, back=False)

    async def _entry(
        self, connection: AnyConnection, deposit: Deposit, number: int, now_us: int, *, back: bool
    ) -> None:
        entry_id = entry_id_of(deposit.subject, number)
        await self._counts(
            connection,
            entry_id=entry_id_of(deposit.subject, number, back=True) if back else entry_id,
            sale_id=deposit.sale_id,
            buyer_id=deposit.buyer_id,
            amount_minor=-deposit.amount_minor if back else deposit.amount_minor,
            currency=deposit.currency,
            corrects=entry_id if back else None,
            now_us=now_us,
        )


def entry_id_of(subject: str, number: int, *, back: bool = False) -> str:
    """The id of what registration counts by, in the letters that ids of that room have."""
    named = f"{subject}~{number}~back" if back else f"{subject}~{number}"
    return f"deposit-{sha256(named.encode()).hexdigest()[:24]}"


async def hold(connection: AnyConnection, sale_id: SaleId, buyer_id: BidderId) -> Deposit | None:
    """The deposit, held until the caller's transaction ends."""
    row = await connection.fetchrow(_HOLD, sale_id, buyer_id)
    return None if row is None else _deposit(row)


async def hold_subject(connection: AnyConnection, subject: str) -> Deposit:
    """The same, for an operation of it."""
    deposit = await hold(connection, *subject_parts(subject))
    assert deposit is not None, "it was written with its operation"
    return deposit


def readable(payment: Payment) -> Payment:
    """The payment, if it shows all that is decided by; raises `Unknown` until it does."""
    charge = payment.charge
    if payment.status is IntentStatus.SUCCEEDED and (charge is None or charge.transaction is None):
        raise Unknown(f"{payment.payment_id} is not in the provider's books yet")
    return payment


def _deposit(row: asyncpg.Record) -> Deposit:
    values = {name: row[name] for name in _COLUMNS}
    values["state"] = DepositState(values["state"])
    if values["taking_for"] is not None:
        values["taking_for"] = TakenFor(values["taking_for"])
    if values["wish"] is not None:
        values["wish"] = Wish(values["wish"])
    return Deposit(**values)


def _values(deposit: Deposit, version: int, now_us: int) -> list[object]:
    given = {"version": version, "changed_at_us": now_us}
    return [given.get(name, getattr(deposit, name)) for name in _COLUMNS]
