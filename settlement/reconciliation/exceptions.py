"""Exceptions as staff work on them: a list by age, whose each is, notes, and its whole history.

Nobody can call one resolved: it is, when the books agree. What people do is to find out why, to
mend it (an entry that was missing, a reversal, an adjustment by two), and to say so.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from msgspec import Struct

from accounts.audit import Act, Actor, record
from accounts.ids import PersonId
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.entries import Entry
from settlement.ids import EntryKey
from settlement.ledger_reading import read_entries
from settlement.payment_objects import BalanceTransaction
from settlement.reconciliation.adjustment_table import Adjustment, adjustments_of
from settlement.reconciliation.exception_table import note_act
from settlement.reconciliation.matching import BreakKind
from settlement.reconciliation.open_items import transaction_of
from settlement.reconciliation.words import BooksRefusal, BooksRefused, words_of

PAGE: Final = 100


class ExceptionRow(Struct, frozen=True, kw_only=True):
    """What does not match. ``since_us``: when it happened; ``subject``: Stripe's transaction, or
    the entry's key. Amounts are net, as they move the balance."""

    exception_id: int
    subject: str
    kind: BreakKind
    currency: str
    transaction_ids: Sequence[str]
    entry_keys: Sequence[str]
    stripe_minor: int
    booked_minor: int
    since_us: int
    found_at_us: int
    owner_id: str | None
    owner_name: str | None
    note: str
    resolution: str | None
    resolved_at_us: int | None
    facts: int
    version: int

    @property
    def difference_minor(self) -> int:
        """What the books have more than Stripe."""
        return self.booked_minor - self.stripe_minor

    def age_us(self, now_us: int) -> int:
        """How old it is, or was when it was resolved."""
        return (self.resolved_at_us or now_us) - self.since_us


class ExceptionAct(Struct, frozen=True):
    """A line of its history. ``actor``: a person's id, or the house itself."""

    number: int
    at_us: int
    actor: str
    actor_name: str | None
    act: str
    words: str


class ExceptionDetail(Struct, frozen=True, kw_only=True):
    """All of it: Stripe's side, ours, what was proposed, and what was done."""

    row: ExceptionRow
    transactions: Sequence[BalanceTransaction]
    entries: Sequence[Entry]
    adjustments: Sequence[Adjustment]
    acts: Sequence[ExceptionAct]


class Exceptions:
    """Reads them, and changes whose they are. All take the version that the person saw."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def open(
        self, after: tuple[int, int] = (0, 0), limit: int = PAGE
    ) -> Sequence[ExceptionRow]:
        """Those that are open, the oldest first, beyond a row's ``since_us`` and id."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_OPEN, *after, limit)
        return [_row(row) for row in rows]

    async def resolved(self, before: int = 2**62, limit: int = PAGE) -> Sequence[ExceptionRow]:
        """Those that were resolved, the newest first, before an id."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_RESOLVED, before, limit)
        return [_row(row) for row in rows]

    async def read(self, exception_id: int) -> ExceptionDetail:
        """One with all that is known about it; ``BooksRefused`` where there is none."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_ONE, exception_id)
            if not rows:
                raise BooksRefused(BooksRefusal.NOT_FOUND)
            row = _row(rows[0])
            theirs = await connection.fetch(_TRANSACTIONS, row.transaction_ids)
            entries = await read_entries(connection, [EntryKey(key) for key in row.entry_keys])
            acts = await connection.fetch(_ACTS, exception_id)
            return ExceptionDetail(
                row=row,
                transactions=[transaction_of(each) for each in theirs],
                entries=list(entries.values()),
                adjustments=await adjustments_of(connection, exception_id),
                acts=[ExceptionAct(**each) for each in acts],
            )

    async def take(self, actor: Actor, exception_id: int, version: int) -> None:
        """It is mine from now on; refused where it is somebody's already."""
        async with self._changing(exception_id, version) as (connection, row):
            if row["owner_id"] not in (None, actor.person_id):
                raise BooksRefused(BooksRefusal.NOT_YOURS)
            await self._own(connection, actor, exception_id, actor.person_id, Act.EXCEPTION_TAKEN)

    async def assign(
        self, actor: Actor, exception_id: int, version: int, person_id: PersonId
    ) -> None:
        """It is somebody's of settlement from now on."""
        async with self._changing(exception_id, version) as (connection, _):
            if not await connection.fetchval(_IS_STAFF, person_id):
                detail = "Nobody of settlement has this id."
                raise BooksRefused(BooksRefusal.INVALID, field="owner_id", detail=detail)
            await self._own(connection, actor, exception_id, person_id, Act.EXCEPTION_ASSIGNED)

    async def give_back(self, actor: Actor, exception_id: int, version: int) -> None:
        """It is nobody's from now on; only its owner gives it back."""
        async with self._changing(exception_id, version) as (connection, row):
            if row["owner_id"] != actor.person_id:
                raise BooksRefused(BooksRefusal.NOT_YOURS)
            await self._own(connection, actor, exception_id, None, Act.EXCEPTION_GIVEN_BACK)

    async def note(self, actor: Actor, exception_id: int, version: int, note: str) -> None:
        """What is known about it; each note stays in its history."""
        words = words_of(note, "note", needed=True)
        async with self._changing(exception_id, version) as (connection, _):
            await connection.execute(_NOTE, exception_id, words)
            await self._tell(connection, actor, exception_id, Act.EXCEPTION_NOTED, words)

    async def staff(self) -> Sequence[tuple[str, str]]:
        """Whom one can be assigned to: ids and names."""
        async with acquire(self._pool) as connection:
            return [(row["person_id"], row["name"]) for row in await connection.fetch(_STAFF)]

    @asynccontextmanager
    async def _changing(
        self, exception_id: int, version: int
    ) -> AsyncIterator[tuple[AnyConnection, Any]]:
        async with transaction(self._pool) as connection:
            yield connection, await hold_exception(connection, exception_id, version)

    async def _own(
        self,
        connection: AnyConnection,
        actor: Actor,
        exception_id: int,
        owner_id: PersonId | None,
        act: Act,
    ) -> None:
        await connection.execute(_OWN, exception_id, owner_id)
        await self._tell(connection, actor, exception_id, act, owner_id or "")

    async def _tell(
        self, connection: AnyConnection, actor: Actor, exception_id: int, act: Act, words: str
    ) -> None:
        now_us = self._now_us()
        name = act.removeprefix("EXCEPTION_")
        who = actor.person_id or actor.address
        await note_act(connection, exception_id, name, words, now_us, who)
        await record(connection, act, actor, now_us, object_id=str(exception_id))


async def hold_exception(connection: AnyConnection, exception_id: int, version: int) -> Any:
    """The row of one that is open and as the person saw it, held; else ``BooksRefused``."""
    row = await connection.fetchrow(_HOLD, exception_id)
    if row is None:
        raise BooksRefused(BooksRefusal.NOT_FOUND)
    if row["resolved_at_us"] is not None:
        raise BooksRefused(BooksRefusal.RESOLVED)
    if row["version"] != version:
        raise BooksRefused(BooksRefusal.CHANGED_MEANWHILE, field="version")
    return row


def _row(row: Any) -> ExceptionRow:
    fields = {name: row[name] for name in ExceptionRow.__struct_fields__}
    return ExceptionRow(**(fields | {"kind": BreakKind(row["kind"])}))


_ROW: Final = """
select e.*, p.name as owner_name from reconciliation_exception e
left join person p on p.person_id = e.owner_id
"""

_OPEN: Final = f"""
{_ROW} where resolved_at_us is null and (since_us, exception_id) > ($1, $2)
order by since_us, exception_id limit $3
"""

_RESOLVED: Final = f"""
{_ROW} where resolved_at_us is not null and exception_id < $1 order by exception_id desc limit $2
"""

_ONE: Final = f"{_ROW} where exception_id = $1"

_HOLD: Final = "select * from reconciliation_exception where exception_id = $1 for update"

_TRANSACTIONS: Final = """
select * from stripe_transaction where transaction_id = any($1::text[])
order by made_at_us, transaction_id
"""

_ACTS: Final = """
select a.number, a.at_us, a.actor, p.name as actor_name, a.act, a.words
from reconciliation_act a left join person p on p.person_id = a.actor
where a.exception_id = $1 order by a.number
"""

_OWN: Final = """
update reconciliation_exception set owner_id = $2, version = version + 1 where exception_id = $1
"""

_NOTE: Final = """
update reconciliation_exception set note = $2, version = version + 1 where exception_id = $1
"""

_STAFF: Final = """
select distinct person_id, person.name from person
join membership using (person_id)
join organisation using (organisation_id)
where kind = 'HOUSE' and role = 'settlement' and left_at_us is null
order by person.name, person_id
"""

_IS_STAFF: Final = """
select exists (
    select from person join membership using (person_id) join organisation using (organisation_id)
    where person_id = $1 and kind = 'HOUSE' and role = 'settlement' and left_at_us is null
)
"""
