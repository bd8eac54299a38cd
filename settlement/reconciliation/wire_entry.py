"""How rows of the bank's statement become wires: known ones found, new ones booked as nobody's."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from foundation.database import AnyConnection
from settlement.chart import BANK
from settlement.entries import About, Entry
from settlement.ids import EntryKey
from settlement.ledger import LedgerRefused, closed_through, post
from settlement.operations import SECOND_US
from settlement.postings import bank_funding
from settlement.postings_house import UNIDENTIFIED
from settlement.reconciliation.statement_file import BadStatement, Fault, StatementRow
from settlement.reconciliation.words import BooksRefusal, BooksRefused, WireState
from settlement.story import HOUSE_ITSELF

# How a payout of ours is called in the bank's statement.
_PAYOUT: Final = re.compile(r"\bpo_[A-Za-z0-9]{4,60}\b")


async def known_of(connection: AnyConnection, rows: Sequence[StatementRow]) -> dict[str, int]:
    """The wires of these rows that are here already; ``BadStatement`` where one differs."""
    found = await connection.fetch(_BY_BANK_ID, [row.bank_id for row in rows])
    here = {row["bank_id"]: row for row in found}
    faults = [
        Fault(row.line, f"{row.bank_id} was here with another amount, date, sender or reference")
        for row in rows
        if row.bank_id in here
        and any(getattr(row, name) != here[row.bank_id][name] for name in _SAME)
    ]
    if faults:
        raise BadStatement(faults)
    return {bank_id: row["wire_id"] for bank_id, row in here.items()}


async def payouts_among(
    connection: AnyConnection, rows: Sequence[StatementRow]
) -> dict[str, EntryKey]:
    """By bank id, the payout of ours that arrived: it is named, of the same amount, and no other
    row's yet."""
    names = {row.bank_id: _PAYOUT.findall(row.reference) for row in rows}
    named = sorted({name for of in names.values() for name in of})
    found = {row["payout_id"]: row for row in await connection.fetch(_PAYOUTS, named)}
    arrived: dict[str, EntryKey] = {}
    for row in rows:
        for its in (found[name] for name in names[row.bank_id] if name in found):
            same = (its["amount_minor"], its["currency"]) == (-row.amount_minor, row.currency)
            if same and its["key"] not in arrived.values():
                arrived[row.bank_id] = EntryKey(its["key"])
    taken = [key for key in arrived.values() if await is_taken(connection, key)]
    return {bank_id: key for bank_id, key in arrived.items() if key not in taken}


async def is_taken(connection: AnyConnection, key: EntryKey) -> bool:
    """Whether an entry is another row of the statement already, or was taken back."""
    return bool(await connection.fetchval(_TAKEN, key))


async def enter(
    connection: AnyConnection,
    rows: Sequence[StatementRow],
    statement_id: int | None,
    payouts: dict[str, EntryKey],
    by: str,
    now_us: int,
) -> list[int]:
    """Write these wires; those that are no payouts are booked and wait. Their ids."""
    entries: list[Entry] = []
    waiting: list[int] = []
    for row in rows:
        payout = payouts.get(row.bank_id)
        wire_id: int = await connection.fetchval(
            _ENTER,
            row.bank_id,
            WireState.KNOWN if payout else WireState.UNKNOWN,
            row.currency,
            row.amount_minor,
            row.received_on,
            row.sender,
            row.reference,
            statement_id,
            payout,
            now_us,
            by,
            HOUSE_ITSELF if payout else None,
        )
        if not payout:
            waiting.append(wire_id)
            entries.append(await _arrived(connection, row, wire_id, now_us))
    await book(connection, entries)
    return waiting


async def book(connection: AnyConnection, entries: Sequence[Entry]) -> None:
    """Book these; what the ledger refuses is refused in the words of the books."""
    try:
        await post(connection, entries)
    except LedgerRefused as refused:
        raise BooksRefused(BooksRefusal.INVALID, detail=refused.message) from refused


async def _arrived(
    connection: AnyConnection, row: StatementRow, wire_id: int, now_us: int
) -> Entry:
    """Money that is nobody's yet. If its month is closed, it is booked in the next one."""
    day = row.received_on
    closed = await closed_through(connection, row.currency)
    if closed is not None:
        day = max(day, (closed + timedelta(days=31)).replace(day=1))
    noon_us = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()) * SECOND_US
    about = About(
        subject=f"wire-{wire_id}",
        at_us=min(noon_us, now_us),
        currency=row.currency,
        buyer_id=UNIDENTIFIED,
        note=f"{row.bank_id} {row.sender} {row.reference}"[:500],
    )
    return bank_funding(about, UNIDENTIFIED, row.amount_minor, into=BANK)


_SAME: Final = ("amount_minor", "currency", "received_on", "sender", "reference")

_BY_BANK_ID: Final = "select * from wire where bank_id = any($1::text[])"

_PAYOUTS: Final = """
select p.payout_id, e.key, e.amount_minor, e.currency
from unnest($1::text[]) as p (payout_id)
join ledger_transaction t on t.stripe_ids @> array[p.payout_id]
join stripe_entry e on e.entry_id = t.transaction_id
where e.purpose = 'payout'
"""

_TAKEN: Final = """
select exists (select from wire where known_as = $1)
or exists (select from ledger_transaction where reverses = $1)
"""

_ENTER: Final = """
insert into wire (bank_id, state, currency, amount_minor, received_on, sender, reference,
    statement_id, known_as, entered_at_us, entered_by, decided_by, decided_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
    case when $12::text is null then null else $10::bigint end)
returning wire_id
"""
