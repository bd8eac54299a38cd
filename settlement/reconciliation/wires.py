"""Money on the house's bank account that fits no invoice: entered, found out about, never guessed.

It is booked when it is entered, as nobody's (`buyer_credit:unidentified`). A person says whose it
is: then it is that buyer's credit, which pays what it owes. Or it is sent back, or it turns out to
be what was booked already (a payout of ours that arrived), and its entry is taken back.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Final

from msgspec import Struct

from accounts.audit import Act, Actor, record
from auction.ids import BidderId
from auction.money import EXPONENTS
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.chart import BANK
from settlement.entries import About, Entry, Purpose, entry_key, reversal
from settlement.ids import EntryKey, InvoiceId
from settlement.ledger_reading import read_entries
from settlement.operations import SECOND_US
from settlement.postings_house import UNIDENTIFIED, credit_refunded, wire_identified
from settlement.reconciliation.statement_file import (
    BadStatement,
    StatementRow,
    check_bank_id,
    check_row,
    parse_statement,
)
from settlement.reconciliation.wire_entry import book, enter, is_taken, known_of, payouts_among
from settlement.reconciliation.wire_table import (
    Candidate,
    Wire,
    candidates_of,
    decided_wires,
    hold_wire,
    read_wire,
    unknown_wires,
)
from settlement.reconciliation.words import BooksRefusal, BooksRefused, WireState, words_of
from settlement.rows import NotFound, hold_invoice
from settlement.steps import Wanted, want
from settlement.story import Told, tell

PAGE: Final = 100
USE_CREDIT: Final = "use_credit"


class Imported(Struct, frozen=True):
    """What became of a file: rows that are new and wait for a person, rows that are payouts of
    ours, and rows that were here already."""

    statement_id: int
    new: int
    payouts: int
    known: int


class Wires:
    """Reads them, enters them and says whose they are. All take the version that was seen."""

    def __init__(
        self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None] = lambda: None
    ) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def unknown(self, after: tuple[int, int] = (0, 0), limit: int = PAGE) -> Sequence[Wire]:
        """Those that nobody knows, the longest here first, beyond a wire's entry time and id."""
        async with acquire(self._pool) as connection:
            return await unknown_wires(connection, after, limit)

    async def decided(self, before: int = 2**62, limit: int = PAGE) -> Sequence[Wire]:
        """Those that were decided, the newest first, before an id."""
        async with acquire(self._pool) as connection:
            return await decided_wires(connection, before, limit)

    async def read(self, wire_id: int) -> tuple[Wire, Sequence[Candidate]]:
        """One, and the invoices that it might be for."""
        async with acquire(self._pool) as connection:
            wire = await read_wire(connection, wire_id)
            open_ = wire.state is WireState.UNKNOWN
            return wire, await candidates_of(connection, wire) if open_ else ()

    async def import_statement(
        self, actor: Actor, name: str, data: bytes, currency: str
    ) -> Imported:
        """Take in a statement's file, whole or not at all. ``BadStatement`` names every bad row;
        what was imported before is counted and changes nothing."""
        if currency not in EXPONENTS:
            raise BooksRefused(BooksRefusal.INVALID, field="currency")
        label = words_of(name, "name")[:200]
        now_us = self._now_us()
        rows = parse_statement(data, currency, _day(now_us))
        digest = hashlib.sha256(data).digest()
        async with transaction(self._pool) as connection:
            await connection.execute(_LOCK)
            known = await known_of(connection, rows)
            new = [row for row in rows if row.bank_id not in known]
            by = actor.person_id or actor.address
            statement_id: int = await connection.fetchval(
                _STATEMENT, digest, label, currency, len(rows), len(known), now_us, by
            )
            payouts = await payouts_among(connection, new)
            wires = await enter(connection, new, statement_id, payouts, by, now_us)
            await record(
                connection,
                Act.STATEMENT_IMPORTED,
                actor,
                now_us,
                object_id=str(statement_id),
                new=len(wires),
            )
        return Imported(statement_id, len(wires), len(payouts), len(known))

    async def enter(
        self,
        actor: Actor,
        *,
        bank_id: str,
        amount_minor: int,
        currency: str,
        received_on: date,
        sender: str,
        reference: str,
    ) -> int:
        """Enter what stands in the bank's statement by hand; returns its id, also of a row that
        was here already and is the same."""
        now_us = self._now_us()
        row = StatementRow(
            line=0,
            received_on=received_on,
            amount_minor=amount_minor,
            currency=currency,
            sender=sender.strip(),
            reference=reference.strip(),
            bank_id=bank_id.strip(),
        )
        texts = (row.sender, row.reference)
        wrong = check_row(received_on, amount_minor, currency, texts, _day(now_us))
        if wrong or (wrong := check_bank_id(row.bank_id)):
            detail = f"{wrong[0].upper()}{wrong[1:]}."
            raise BooksRefused(BooksRefusal.INVALID, detail=detail)
        async with transaction(self._pool) as connection:
            await connection.execute(_LOCK)
            try:
                known = await known_of(connection, [row])
            except BadStatement as bad:
                raise BooksRefused(
                    BooksRefusal.INVALID, field="bank_id", detail=bad.faults[0].words
                ) from None
            if row.bank_id in known:
                return known[row.bank_id]
            by = actor.person_id or actor.address
            (wire_id,) = await enter(connection, [row], None, {}, by, now_us)
            await record(connection, Act.WIRE_ENTERED, actor, now_us, object_id=str(wire_id))
        return wire_id

    async def take(self, actor: Actor, wire_id: int, version: int) -> None:
        """I find out about it; refused where somebody does already."""
        async with self._deciding(actor, wire_id, version, Act.WIRE_TAKEN) as (connection, wire):
            if wire.owner_id not in (None, actor.person_id):
                raise BooksRefused(BooksRefusal.NOT_YOURS)
            await connection.execute(_OWN, wire_id, actor.person_id)

    async def give_back(self, actor: Actor, wire_id: int, version: int) -> None:
        """Nobody finds out about it from now on; only who took it gives it back."""
        async with self._deciding(actor, wire_id, version, Act.WIRE_GIVEN_BACK) as (
            connection,
            wire,
        ):
            if wire.owner_id != actor.person_id:
                raise BooksRefused(BooksRefusal.NOT_YOURS)
            await connection.execute(_OWN, wire_id, None)

    async def identify(
        self,
        actor: Actor,
        wire_id: int,
        version: int,
        *,
        invoice_id: InvoiceId | None = None,
        buyer_id: BidderId | None = None,
        why: str = "",
    ) -> None:
        """Say whose it is: the buyer's of an invoice, or a buyer's. It pays what that one owes."""
        words = words_of(why, "why")
        async with transaction(self._pool) as connection:
            if invoice_id is not None:
                buyer_id = await _buyer_of(connection, invoice_id, wire_id)
            elif not await connection.fetchval(_IS_BUYER, buyer_id):
                raise BooksRefused(BooksRefusal.NOT_FOUND, field="buyer_id")
            assert buyer_id is not None
            wire = await hold_wire(connection, wire_id, version)
            now_us = self._now_us()
            decided = (WireState.IDENTIFIED, buyer_id, invoice_id, None)
            await self._decide(connection, actor, wire, decided, words, Act.WIRE_IDENTIFIED)
            arguments = {"buyer_id": buyer_id, "currency": wire.currency, "invoice_id": invoice_id}
            use = Wanted(operation=USE_CREDIT, subject=f"wire-{wire_id}", arguments=arguments)
            await want(connection, [use], now_us)
            if invoice_id is not None:
                told = _told(wire, invoice_id, actor)
                await tell(connection, [told], now_us)
            about = _about(wire, now_us, buyer_id, invoice_id)
            await book(connection, [wire_identified(about, buyer_id, wire.amount_minor)])
        self._ring()

    async def return_(self, actor: Actor, wire_id: int, version: int, why: str) -> None:
        """It was sent back from the bank account."""
        words = words_of(why, "why", needed=True)
        async with transaction(self._pool) as connection:
            wire = await hold_wire(connection, wire_id, version)
            decided = (WireState.RETURNED, None, None, None)
            await self._decide(connection, actor, wire, decided, words, Act.WIRE_RETURNED)
            about = _about(wire, self._now_us(), UNIDENTIFIED, None)
            entry = credit_refunded(about, UNIDENTIFIED, wire.amount_minor, BANK)
            await book(connection, [entry])

    async def known(
        self, actor: Actor, wire_id: int, version: int, key: EntryKey, why: str
    ) -> None:
        """It was booked already, by this entry: its own is taken back. An entry is one row's."""
        words = words_of(why, "why", needed=True)
        async with transaction(self._pool) as connection:
            await connection.execute(_LOCK)
            wire = await hold_wire(connection, wire_id, version)
            own = entry_key(Purpose.BANK_FUNDING, f"wire-{wire_id}")
            found = await read_entries(connection, [key, own])
            if key not in found or key == own or not _into_bank(found[key], wire):
                detail = "No entry of this key brought that amount to the bank account."
                raise BooksRefused(BooksRefusal.INVALID, field="key", detail=detail)
            if await is_taken(connection, key):
                detail = "That entry is another row of the statement, or was taken back."
                raise BooksRefused(BooksRefusal.INVALID, field="key", detail=detail)
            decided = (WireState.KNOWN, None, None, key)
            await self._decide(connection, actor, wire, decided, words, Act.WIRE_KNOWN)
            await book(connection, [reversal(found[own], self._now_us(), f"it is {key}"[:500])])

    @asynccontextmanager
    async def _deciding(
        self, actor: Actor, wire_id: int, version: int, act: Act
    ) -> AsyncIterator[tuple[AnyConnection, Wire]]:
        async with transaction(self._pool) as connection:
            yield connection, await hold_wire(connection, wire_id, version)
            await record(connection, act, actor, self._now_us(), object_id=str(wire_id))

    async def _decide(
        self,
        connection: AnyConnection,
        actor: Actor,
        wire: Wire,
        decided: tuple[WireState, str | None, str | None, str | None],
        why: str,
        act: Act,
    ) -> None:
        now_us = self._now_us()
        by = actor.person_id or actor.address
        await connection.execute(_DECIDE, wire.wire_id, *decided, now_us, by, why)
        await record(connection, act, actor, now_us, object_id=str(wire.wire_id))


def _day(at_us: int) -> date:
    return datetime.fromtimestamp(at_us // SECOND_US, UTC).date()


async def _buyer_of(connection: AnyConnection, invoice_id: InvoiceId, wire_id: int) -> BidderId:
    """The buyer of an invoice that still takes money of the wire's currency; it is held first."""
    try:
        row = (await hold_invoice(connection, invoice_id)).invoiced
    except NotFound:
        raise BooksRefused(BooksRefusal.NOT_FOUND, field="invoice_id") from None
    if row.invoice.currency != (await read_wire(connection, wire_id)).currency:
        raise BooksRefused(BooksRefusal.OTHER_CURRENCY, field="invoice_id")
    if not row.open_minor:
        raise BooksRefused(BooksRefusal.NOTHING_LEFT, field="invoice_id")
    return row.invoice.buyer_id


def _about(wire: Wire, now_us: int, buyer_id: BidderId, invoice_id: InvoiceId | None) -> About:
    return About(
        subject=f"wire-{wire.wire_id}",
        at_us=now_us,
        currency=wire.currency,
        buyer_id=buyer_id,
        invoice_id=invoice_id,
    )


def _told(wire: Wire, invoice_id: InvoiceId, actor: Actor) -> Told:
    facts = {"amount_minor": wire.amount_minor, "sender": wire.sender, "reference": wire.reference}
    by = actor.person_id or actor.address
    return Told(kind="wire_identified", invoice_id=invoice_id, actor=by, facts=facts)


def _into_bank(entry: Entry, wire: Wire) -> bool:
    """Whether an entry brought just the wire's amount to the bank account."""
    into = sum(its.amount_minor for its in entry.postings if its.debit == BANK)
    out = sum(its.amount_minor for its in entry.postings if its.credit == BANK)
    return entry.about.currency == wire.currency and into - out == wire.amount_minor


_STATEMENT: Final = """
insert into bank_statement (sha256, name, currency, lines, known, imported_at_us, imported_by)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (sha256) do update set name = bank_statement.name
returning statement_id
"""

# One after the other: two imports of the same rows, and two rows that would be the same entry.
_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('softclose bank statements', 0))"

_OWN: Final = "update wire set owner_id = $2, version = version + 1 where wire_id = $1"

_IS_BUYER: Final = """
select exists (select from organisation where organisation_id = $1 and kind = 'RESELLER')
"""

_DECIDE: Final = """
update wire set state = $2, buyer_id = $3, invoice_id = $4, known_as = $5, decided_at_us = $6,
    decided_by = $7, why = $8, version = version + 1
where wire_id = $1
"""
