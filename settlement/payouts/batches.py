"""Bank files: what is due to payees who are paid by bank, made by one person, released by another.

A file that is made keeps its payables from everything else; nothing is booked yet, save what payees
owe, which is netted. Its release looks again at each of them, freezes what the bank gets with its
digest, and books it. That another person releases it is held by the database too. What the bank
sends back is owed again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Final

from msgspec import Struct

from accounts.audit import Act, Actor, record
from auction.ids import LiquidatorId
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from settlement.client_requests import Asked, note_made
from settlement.entries import Entry
from settlement.ledger import LedgerRefusal, LedgerRefused, post
from settlement.operations import NeedsPerson
from settlement.payouts.batch_release import follow_awards, hold_batch, paying_day, release_batch
from settlement.payouts.batch_rows import (
    Batch,
    DuePayable,
    Everything,
    WholeBatch,
    bank_minor,
    due_payables,
    hold_everything,
    read_batch,
    read_batches,
)
from settlement.payouts.closing import keeps, kept_back, sending_policy
from settlement.payouts.nacha import MAX_AMOUNT_MINOR
from settlement.payouts.payables import Payable, moved, netted, receivable_minor, write_payable
from settlement.payouts.words import (
    BatchState,
    PayableState,
    PayeeKind,
    PayoutRefusal,
    PayoutRefused,
    Way,
)
from settlement.policy import Policy
from settlement.releases import HeldBack
from settlement.steps import want

_ADD_BATCH: Final = """
insert into payout_batch (currency, state, items, total_minor, made_at_us, made_by)
values ($1, 'MADE', $2, $3, $4, $5) returning batch_id
"""
_ADD_ITEM: Final = """
insert into payout_batch_item (batch_id, place, payee_id, bank_account_id, method, amount_minor,
    state)
values ($1, $2, $3, $4, $5, $6, 'MADE')
"""
_ADD_LINE: Final = """
insert into payout_batch_payable (batch_id, place, payable_id, amount_minor, send)
values ($1, $2, $3, $4, $5)
"""
_CANCEL_ITEMS: Final = "update payout_batch_item set state = 'CANCELLED' where batch_id = $1"
_CANCEL: Final = """
update payout_batch set state = 'CANCELLED', cancelled_at_us = $2, cancelled_by = $3
where batch_id = $1
"""
_FILE: Final = "select content from payout_file where batch_id = $1 and method = $2"


@contextmanager
def _missing_policy_refuses() -> Iterator[None]:
    """What needs a person is said to the person who is there."""
    try:
        yield
    except NeedsPerson as error:
        detail = str(error)
        raise PayoutRefused(
            PayoutRefusal.NOT_NOW, detail=f"{detail[0].upper()}{detail[1:]}."
        ) from error


class DueItem(Struct, frozen=True, kw_only=True):
    """What a payee would get. ``held_back``: payables that may not be sent now, and why."""

    payee_id: str
    payee_name: str
    last4: str
    amount_minor: int
    payables: int
    held_back: Sequence[tuple[str, str]]


class Due(Struct, frozen=True, kw_only=True):
    """What a file would pay. ``missing_minor``: by which the bank account is too low for it."""

    currency: str
    items: Sequence[DueItem]
    total_minor: int
    bank_minor: int
    missing_minor: int


class BatchKey(Struct, frozen=True):
    """The place of a bank file in the list of them."""

    batch_id: int


class BankFiles:
    """What staff do about bank files. ``ring`` wakes the worker."""

    def __init__(self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None]) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def due(self, currency: str) -> Due:
        """What could be paid now, before what payees owe is netted."""
        now_us = self._now_us()
        with _missing_policy_refuses():
            return await self._due(currency, now_us)

    async def _due(self, currency: str, now_us: int) -> Due:
        async with acquire(self._pool) as connection:
            rows = await due_payables(connection, currency, now_us)
            policy = await sending_policy(connection, currency, now_us)
            there_minor = await bank_minor(connection, currency)
        items = _due_items(rows, policy, now_us)
        total_minor = sum(item.amount_minor for item in items)
        return Due(
            currency=currency,
            items=items,
            total_minor=total_minor,
            bank_minor=there_minor,
            missing_minor=max(0, total_minor - there_minor),
        )

    async def all(self, state: BatchState | None = None) -> Sequence[Batch]:
        """The latest first."""
        async with acquire(self._pool) as connection:
            return await read_batches(connection, state)

    async def page(self, paging: Paging) -> Listing[Batch]:
        """The same, page by page. Raises `Problem` 422 for a foreign cursor."""
        key = key_of_cursor(paging.cursor, BatchKey) or BatchKey(2**62)
        async with acquire(self._pool) as connection:
            found = await read_batches(connection, None, key.batch_id, paging.limit + 1)
        return listing(found, paging.limit, lambda one: one, lambda one: BatchKey(one.batch_id))

    async def read(self, batch_id: int) -> WholeBatch:
        """A file with all that it pays. Raises `PayoutRefused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            return await read_batch(connection, batch_id)

    async def content(self, staff: Actor, batch_id: int, method: str) -> bytes:
        """The file as the bank gets it; noted, since account numbers are in it.

        Raises `PayoutRefused` NOT_FOUND, also before it is released.
        """
        async with transaction(self._pool) as connection:
            found: bytes | None = await connection.fetchval(_FILE, batch_id, method)
            if found is None:
                raise PayoutRefused(PayoutRefusal.NOT_FOUND)
            await record(
                connection, Act.BANK_FILE_READ, staff, self._now_us(), object_id=str(batch_id)
            )
        return found

    async def make(
        self,
        staff: Actor,
        currency: str,
        payee_ids: Sequence[str] | None = None,
        *,
        request: Asked | None = None,
    ) -> WholeBatch:
        """Make a file of what is due, of these payees or of all.

        Raises `PayoutRefused`: NOTHING_DUE, NOT_NOW (a policy is missing).
        """
        now_us = self._now_us()
        with _missing_policy_refuses():
            return await self._make(staff, currency, payee_ids, now_us, request)

    async def _make(
        self,
        staff: Actor,
        currency: str,
        payee_ids: Sequence[str] | None,
        now_us: int,
        request: Asked | None,
    ) -> WholeBatch:
        async with transaction(self._pool) as connection:
            rows = await due_payables(connection, currency, now_us)
            wanted = [
                row.payable
                for row in rows
                if payee_ids is None or row.payable.payee_id in set(payee_ids)
            ]
            everything = await hold_everything(connection, wanted, now_us)
            policy = await sending_policy(connection, currency, now_us)
            chosen, entries = await _chosen(connection, everything, policy, now_us)
            batch_id = await _write_batch(connection, chosen, currency, staff, now_us)
            await note_made(connection, request, batch_id, now_us)
            await follow_awards(connection, everything, now_us)
            await record(connection, Act.BANK_FILE_MADE, staff, now_us, object_id=str(batch_id))
            await post(connection, entries)
            return await read_batch(connection, batch_id)

    async def cancel(self, staff: Actor, batch_id: int) -> WholeBatch:
        """It is not sent: its payables are due again.

        Raises `PayoutRefused`: NOT_FOUND, NOT_NOW.
        """
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            whole = await read_batch(connection, batch_id, hold=True)
            if whole.batch.state is not BatchState.MADE:
                raise PayoutRefused(PayoutRefusal.NOT_NOW)
            everything = await hold_batch(connection, whole, now_us)
            again = []
            for payable in everything.payables.values():
                decisions = payable.decisions + 1
                back = moved(payable, state=PayableState.OWED, decisions=decisions)
                await write_payable(connection, back, now_us)
                again.append(back.wanted())
            await want(connection, again, now_us)
            await connection.execute(_CANCEL_ITEMS, batch_id)
            await connection.execute(_CANCEL, batch_id, now_us, staff.person_id)
            await record(
                connection, Act.BANK_FILE_CANCELLED, staff, now_us, object_id=str(batch_id)
            )
            cancelled = await read_batch(connection, batch_id)
        self._ring()
        return cancelled

    async def release(self, staff: Actor, batch_id: int, pays_on: date | None = None) -> WholeBatch:
        """Another person releases it: it is frozen, booked and can be given to the bank.

        ``pays_on``: the next business day, if nothing is said. Raises `PayoutRefused`: NOT_FOUND,
        NOT_NOW, SAME_PERSON, NO_HOUSE_BANK, HELD_BACK, BANK_TOO_LOW, BAD_DETAILS.
        """
        now_us = self._now_us()
        try:
            with _missing_policy_refuses():
                await self._release(staff, batch_id, pays_on, now_us)
        except LedgerRefused as refused:
            if refused.refusal is LedgerRefusal.OVERDRAFT:
                raise PayoutRefused(PayoutRefusal.BANK_TOO_LOW) from refused
            raise
        self._ring()
        return await self.read(batch_id)

    async def _release(
        self, staff: Actor, batch_id: int, pays_on: date | None, now_us: int
    ) -> None:
        async with transaction(self._pool) as connection:
            whole = await read_batch(connection, batch_id, hold=True)
            if whole.batch.state is not BatchState.MADE:
                raise PayoutRefused(PayoutRefusal.NOT_NOW)
            if whole.batch.made_by == staff.person_id:
                raise PayoutRefused(PayoutRefusal.SAME_PERSON)
            on = await paying_day(connection, pays_on, now_us)
            await release_batch(connection, whole, staff, on, now_us)


def _due_items(rows: Sequence[DuePayable], policy: Policy, now_us: int) -> list[DueItem]:
    of: dict[str, list[DuePayable]] = {}
    for row in rows:
        of.setdefault(row.payable.payee_id, []).append(row)
    items = []
    for payee_id, theirs in sorted(of.items()):
        kept = {row.payable.payable_id: _kept_now(row, policy, now_us) for row in theirs}
        free = [row for row in theirs if kept[row.payable.payable_id] is None]
        items.append(
            DueItem(
                payee_id=payee_id,
                payee_name=theirs[0].payee_name,
                last4=theirs[0].last4,
                amount_minor=sum(row.payable.left_minor for row in free),
                payables=len(free),
                held_back=[(each, why) for each, why in kept.items() if why is not None],
            )
        )
    return items


def _kept_now(row: DuePayable, policy: Policy, now_us: int) -> HeldBack | None:
    changed_us = row.account_changed_at_us
    return keeps(policy, row.award_state, row.payment, changed_us, row.payable, now_us)


async def _chosen(
    connection: AnyConnection, everything: Everything, policy: Policy, now_us: int
) -> tuple[list[Payable], list[Entry]]:
    """What goes into the file, after what each payee owes was kept back; written."""
    chosen, entries = [], []
    owed: dict[str, int] = {}
    for payable_id, payable in everything.payables.items():
        row, held = everything.row(payable), everything.held(payable)
        payee = everything.payees[payable.payee_id]
        if payable.state is not PayableState.OWED or payee.way is not Way.BANK:
            continue
        if kept_back(policy, row, held, payee, payable, now_us) is not None:
            continue
        if payable.kind is PayeeKind.LIQUIDATOR and payable.payee_id not in owed:
            owed[payable.payee_id] = await receivable_minor(
                connection, LiquidatorId(payable.payee_id), payable.currency
            )
        less, kept = netted(payable, row, owed.get(payable.payee_id, 0), now_us)
        owed[payable.payee_id] = owed.get(payable.payee_id, 0) - (
            less.netted_minor - payable.netted_minor
        )
        entries += kept
        if less.left_minor:
            less = moved(less, state=PayableState.IN_FILE, sends=less.sends + 1, note="")
            chosen.append(less)
        everything.payables[payable_id] = less
        await write_payable(connection, less, now_us)
    if not chosen:
        raise PayoutRefused(PayoutRefusal.NOTHING_DUE)
    return chosen, entries


async def _write_batch(
    connection: AnyConnection,
    chosen: Sequence[Payable],
    currency: str,
    staff: Actor,
    now_us: int,
) -> int:
    of: dict[str, list[Payable]] = {}
    for payable in chosen:
        of.setdefault(payable.payee_id, []).append(payable)
    accounts = {
        row["payee_id"]: row
        for row in await connection.fetch(
            "select * from payee_bank_account where payee_id = any($1) and state = 'ACTIVE'",
            list(of),
        )
    }
    total_minor = sum(payable.left_minor for payable in chosen)
    made_by = staff.person_id
    batch_id: int = await connection.fetchval(
        _ADD_BATCH, currency, len(of), total_minor, now_us, made_by
    )
    for place, (payee_id, theirs) in enumerate(sorted(of.items()), start=1):
        minor = sum(payable.left_minor for payable in theirs)
        account = accounts[payee_id]
        by_ach = currency == "USD" and account["scheme"] == "ABA" and minor <= MAX_AMOUNT_MINOR
        await connection.execute(
            _ADD_ITEM,
            batch_id,
            place,
            payee_id,
            account["bank_account_id"],
            "ACH" if by_ach else "WIRE",
            minor,
        )
        for payable in theirs:
            await connection.execute(
                _ADD_LINE, batch_id, place, payable.payable_id, payable.left_minor, payable.sends
            )
    return batch_id
