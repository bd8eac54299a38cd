"""Adjustments: one person proposes an entry, another books it, and never the same one.

The table says so too. An adjustment of an exception is of its facts as they were when it was
proposed: if they changed meanwhile (the missing entry came), nothing is booked.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncpg

from accounts.audit import Act, Actor, record
from auction.money import EXPONENTS, MAX_MINOR
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.chart import Account, parse_account
from settlement.client_requests import Asked, note_made
from settlement.entries import About, Entry
from settlement.ids import EntryKey, StripeId
from settlement.ledger import LedgerRefused, post
from settlement.postings_house import adjustment
from settlement.reconciliation.adjustment_table import (
    Adjustment,
    one_adjustment,
    open_adjustments,
)
from settlement.reconciliation.exception_table import note_act
from settlement.reconciliation.exceptions import hold_exception
from settlement.reconciliation.matching import BreakKind
from settlement.reconciliation.open_items import corrects
from settlement.reconciliation.reconcile import reconcile
from settlement.reconciliation.words import AdjustmentState, BooksRefusal, BooksRefused, words_of


class Adjustments:
    """Proposes, books, rejects and withdraws them."""

    def __init__(
        self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None] = lambda: None
    ) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def open(self) -> Sequence[Adjustment]:
        """Those that wait for a second person, the oldest first."""
        async with acquire(self._pool) as connection:
            return await open_adjustments(connection)

    async def read(self, adjustment_id: int) -> Adjustment:
        """That of an id; ``BooksRefused`` where there is none."""
        async with acquire(self._pool) as connection:
            found = await one_adjustment(connection, adjustment_id)
        if found is None:
            raise BooksRefused(BooksRefusal.NOT_FOUND)
        return found

    async def propose(
        self,
        actor: Actor,
        *,
        debit: str,
        credit: str,
        amount_minor: int,
        currency: str,
        note: str,
        exception: tuple[int, int] | None = None,
        request: Asked | None = None,
    ) -> int:
        """Propose an entry; returns its id. ``exception``: which it mends, in the version that the
        person saw; without one it stands for itself."""
        who = _person(actor)
        words = words_of(note, "note", needed=True)
        _accounts(debit, credit, amount_minor, currency)
        async with transaction(self._pool) as connection:
            exception_id = facts = None
            if exception is not None:
                exception_id, version = exception
                row = await hold_exception(connection, exception_id, version)
                facts = row["facts"]
                if row["currency"] != currency and row["kind"] != BreakKind.CURRENCY:
                    raise BooksRefused(BooksRefusal.OTHER_CURRENCY, field="currency")
            now_us = self._now_us()
            values = (exception_id, facts, currency, debit, credit, amount_minor, words)
            try:
                made: int = await connection.fetchval(_PROPOSE, *values, who, now_us)
            except asyncpg.UniqueViolationError:
                raise BooksRefused(BooksRefusal.PROPOSED_ALREADY) from None
            await note_made(connection, request, made, now_us)
            await self._tell(connection, actor, Act.ADJUSTMENT_PROPOSED, made, exception_id, words)
        return made

    async def approve(self, actor: Actor, adjustment_id: int, version: int) -> EntryKey:
        """Book it, as another person than who proposed it; returns the entry's key."""
        who = _person(actor)
        async with transaction(self._pool) as connection:
            row, broken = await self._hold(connection, adjustment_id, version)
            if row["proposed_by"] == who:
                raise BooksRefused(BooksRefusal.SAME_PERSON)
            if row["exception_id"] is not None and (
                broken["resolved_at_us"] is not None or broken["facts"] != row["exception_facts"]
            ):
                raise BooksRefused(BooksRefusal.STALE_PROPOSAL)
            now_us = self._now_us()
            entry = entry_of(row, broken, now_us)
            try:
                await post(connection, [entry])
            except LedgerRefused as refused:
                raise BooksRefused(BooksRefusal.INVALID, detail=refused.message) from refused
            await connection.execute(
                _DECIDE, adjustment_id, AdjustmentState.APPROVED, who, now_us, "", entry.key
            )
            told = (Act.ADJUSTMENT_APPROVED, adjustment_id, row["exception_id"], entry.key)
            await self._tell(connection, actor, *told)
            if broken is not None and not _names_theirs(row, broken):
                await corrects(connection, entry.key, broken["entry_keys"][0])
        if row["exception_id"] is not None:  # so that whoever booked it sees what became of it
            async with transaction(self._pool) as connection:
                await reconcile(connection, now_us)
        self._ring()
        return entry.key

    async def reject(self, actor: Actor, adjustment_id: int, version: int, why: str) -> None:
        """Say no to it, as another person than who proposed it."""
        who, words = _person(actor), words_of(why, "why", needed=True)
        await self._end(actor, adjustment_id, version, AdjustmentState.REJECTED, who, words)

    async def withdraw(self, actor: Actor, adjustment_id: int, version: int) -> None:
        """Take one's own proposal back."""
        who = _person(actor)
        await self._end(actor, adjustment_id, version, AdjustmentState.WITHDRAWN, who, "")

    async def _end(
        self,
        actor: Actor,
        adjustment_id: int,
        version: int,
        state: AdjustmentState,
        who: str,
        why: str,
    ) -> None:
        async with transaction(self._pool) as connection:
            row, _ = await self._hold(connection, adjustment_id, version)
            if (row["proposed_by"] == who) != (state is AdjustmentState.WITHDRAWN):
                own = state is AdjustmentState.REJECTED
                raise BooksRefused(BooksRefusal.SAME_PERSON if own else BooksRefusal.NOT_YOURS)
            await connection.execute(_DECIDE, adjustment_id, state, who, self._now_us(), why, None)
            act = Act(f"ADJUSTMENT_{state}")
            await self._tell(connection, actor, act, adjustment_id, row["exception_id"], why)

    async def _hold(
        self, connection: AnyConnection, adjustment_id: int, version: int
    ) -> tuple[Any, Any]:
        """The adjustment and its exception, held: the exception first, as the matcher does."""
        found = await connection.fetchval(_EXCEPTION_OF, adjustment_id)
        broken = await connection.fetchrow(_HOLD_EXCEPTION, found) if found else None
        row = await connection.fetchrow(_HOLD, adjustment_id)
        if row is None:
            raise BooksRefused(BooksRefusal.NOT_FOUND)
        if row["state"] != AdjustmentState.PROPOSED:
            raise BooksRefused(BooksRefusal.DECIDED)
        if row["version"] != version:
            raise BooksRefused(BooksRefusal.CHANGED_MEANWHILE, field="version")
        return row, broken

    async def _tell(
        self,
        connection: AnyConnection,
        actor: Actor,
        act: Act,
        adjustment_id: int,
        exception_id: int | None,
        words: str,
    ) -> None:
        now_us = self._now_us()
        if exception_id is not None:
            who = _person(actor)
            await note_act(connection, exception_id, act.value, words, now_us, who)
        await record(connection, act, actor, now_us, object_id=str(adjustment_id))


def _names_theirs(row: Any, broken: Any) -> bool:
    """Whether an adjustment is of Stripe's side of its exception; else it mends our entry."""
    return bool(broken["transaction_ids"]) and row["currency"] == broken["currency"]


def entry_of(row: Any, broken: Any, now_us: int) -> Entry:
    """What an approved adjustment books. It names Stripe's transactions that it is about."""
    theirs = broken["transaction_ids"] if broken and _names_theirs(row, broken) else ()
    about = About(
        subject=f"adjustment-{row['adjustment_id']}",
        at_us=now_us,
        currency=row["currency"],
        stripe_ids=tuple(map(StripeId, theirs)),
        note=row["note"],
    )
    return adjustment(
        about, parse_account(row["debit"]), parse_account(row["credit"]), row["amount_minor"]
    )


def _accounts(debit: str, credit: str, amount_minor: int, currency: str) -> None:
    """Refuse what can be no entry, naming the field."""
    found: dict[str, Account] = {}
    for field, name in (("debit", debit), ("credit", credit)):
        try:
            found[field] = parse_account(name)
        except ValueError as error:
            raise BooksRefused(BooksRefusal.INVALID, field=field, detail=str(error)) from None
    if found["debit"] == found["credit"]:
        detail = "An entry has two accounts."
        raise BooksRefused(BooksRefusal.INVALID, field="credit", detail=detail)
    if not 1 <= amount_minor <= MAX_MINOR:
        detail = f"{amount_minor} is not an amount from 1 to {MAX_MINOR}."
        raise BooksRefused(BooksRefusal.INVALID, field="amount_minor", detail=detail)
    if currency not in EXPONENTS:
        raise BooksRefused(BooksRefusal.INVALID, field="currency")


def _person(actor: Actor) -> str:
    """Two people are two people who signed in."""
    if actor.person_id is None:
        raise BooksRefused(BooksRefusal.SAME_PERSON, detail="Only a person who signed in can.")
    return actor.person_id


_PROPOSE: Final = """
insert into ledger_adjustment (exception_id, exception_facts, currency, debit, credit, amount_minor,
    note, state, proposed_by, proposed_at_us)
values ($1, $2, $3, $4, $5, $6, $7, 'PROPOSED', $8, $9) returning adjustment_id
"""

_EXCEPTION_OF: Final = "select exception_id from ledger_adjustment where adjustment_id = $1"

_HOLD_EXCEPTION: Final = "select * from reconciliation_exception where exception_id = $1 for update"

_HOLD: Final = "select * from ledger_adjustment where adjustment_id = $1 for update"

_DECIDE: Final = """
update ledger_adjustment set state = $2, decided_by = $3, decided_at_us = $4, why = $5,
    entry_key = $6, version = version + 1
where adjustment_id = $1
"""
