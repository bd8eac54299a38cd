"""What of Stripe's books and of ours is not matched yet: reading it, and settling it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from foundation.database import AnyConnection
from settlement.entries import Purpose
from settlement.ids import EntryKey, StripeId
from settlement.payment_objects import BalanceTransaction
from settlement.reconciliation.matching import Booked, Match

# A page of each is matched in one transaction: some ten thousands of lines at most.
PAGE: Final = 250
# How far what belongs together is followed: a transaction, its entries, theirs, and once more.
ROUNDS: Final = 4


class Cursor(Struct, frozen=True):
    """Where the next page of what is open begins."""

    at_us: int = 0
    transaction_id: str = ""
    entry_at_us: int = 0
    entry_id: int = 0


class Open(Struct, frozen=True):
    """Open transactions and entries with all that they belong together with."""

    transactions: Mapping[StripeId, BalanceTransaction]
    entries: Mapping[int, Booked]


async def page_of_open(connection: AnyConnection, after: Cursor) -> tuple[Open, Cursor | None]:
    """A page of what is open, and where the next one begins; ``None``: there is none."""
    rows = await connection.fetch(_OPEN, after.at_us, after.transaction_id, PAGE)
    entry_rows = await connection.fetch(_OPEN_ENTRIES, after.entry_at_us, after.entry_id, PAGE)
    entry_ids = [row["entry_id"] for row in entry_rows]
    await connection.execute(_REOPEN, entry_ids)
    found = await _together(connection, map(transaction_of, rows), map(_booked, entry_rows))
    if max(len(rows), len(entry_rows)) < PAGE:
        return found, None
    if rows:
        last = rows[-1]
        after = replace(after, at_us=last["made_at_us"], transaction_id=last["transaction_id"])
    if entry_rows:
        last = entry_rows[-1]
        after = replace(after, entry_at_us=last["at_us"], entry_id=last["entry_id"])
    return found, after


async def settle(
    connection: AnyConnection, matches: Sequence[Match], undone: Sequence[int], now_us: int
) -> None:
    """What is matched, or needs no match, is open no more."""
    pairs = [(match.transaction_id, entry) for match in matches for entry in match.entry_ids]
    if pairs:
        await connection.execute(_MATCH, *map(list, zip(*pairs, strict=True)))
    await connection.execute(_SETTLE, [match.transaction_id for match in matches], now_us)
    entries = {entry for _, entry in pairs} | set(undone)
    await connection.execute(_SETTLE_ENTRIES, sorted(entries), now_us)


async def entry_ids_of(connection: AnyConnection, keys: Sequence[EntryKey]) -> dict[EntryKey, int]:
    """The numbers of these entries, as far as they move Stripe's balance."""
    rows = await connection.fetch(_IDS, list(keys))
    return {row["key"]: row["entry_id"] for row in rows}


async def corrects(connection: AnyConnection, key: EntryKey, wrong: EntryKey) -> None:
    """The first entry mends the second: they are looked at as one."""
    await connection.execute(_CORRECTS, key, wrong)


def transaction_of(row: asyncpg.Record) -> BalanceTransaction:
    """The struct of a row of ``stripe_transaction``."""
    return BalanceTransaction(**{name: row[name] for name in BalanceTransaction.__struct_fields__})


async def _together(
    connection: AnyConnection,
    transactions: Iterable[BalanceTransaction],
    entries: Iterable[Booked],
) -> Open:
    """These, and all that is open and belongs together with any of them."""
    theirs = {its.transaction_id: its for its in transactions}
    ours = {entry.entry_id: entry for entry in entries}
    for _ in range(ROUNDS):
        before = len(theirs), len(ours)
        names = {its.transaction_id for its in theirs.values()}
        names |= {its.source_id for its in theirs.values() if its.source_id is not None}
        ids = await connection.fetch(_NAMING, sorted(names))
        ids += await connection.fetch(_MENDING, [entry.key for entry in ours.values()])
        rows = await connection.fetch(_ENTRIES_OF, sorted({row["entry_id"] for row in ids}))
        ours |= {row["entry_id"]: _booked(row) for row in rows}
        named = {name for entry in ours.values() for name in entry.stripe_ids}
        found = await connection.fetch(_NAMED, sorted(named | names))
        theirs |= {row["transaction_id"]: transaction_of(row) for row in found}
        if (len(theirs), len(ours)) == before:
            break
    return Open(theirs, ours)


def _booked(row: Any) -> Booked:
    return Booked(
        entry_id=row["entry_id"],
        key=EntryKey(row["key"]),
        purpose=Purpose(row["purpose"]),
        currency=row["currency"],
        at_us=row["at_us"],
        amount_minor=row["amount_minor"],
        fee_minor=row["fee_minor"],
        stripe_ids=tuple(StripeId(stripe_id) for stripe_id in row["stripe_ids"]),
        corrects=row["corrects"],
    )


_OPEN: Final = """
select * from stripe_transaction
where settled_at_us is null and (made_at_us, transaction_id) > ($1, $2)
order by made_at_us, transaction_id limit $3
"""

_ENTRY: Final = """
select e.*, t.stripe_ids from stripe_entry e
join ledger_transaction t on t.transaction_id = e.entry_id
where e.settled_at_us is null
"""

_OPEN_ENTRIES: Final = f"""
{_ENTRY} and (e.at_us, e.entry_id) > ($1, $2) order by e.at_us, e.entry_id limit $3
"""

_NAMING: Final = "select entry_id from stripe_entry_name where name = any($1::text[])"

_ENTRIES_OF: Final = f"{_ENTRY} and e.entry_id = any($1::bigint[])"

_MENDING: Final = """
select entry_id from stripe_entry where corrects = any($1::text[])
union
select wrong.entry_id from stripe_entry mending join stripe_entry wrong
on wrong.key = mending.corrects where mending.key = any($1::text[])
"""

_NAMED: Final = """
select * from stripe_transaction where settled_at_us is null and transaction_id = any($1::text[])
union
select * from stripe_transaction where settled_at_us is null and source_id = any($1::text[])
"""

# What was matched and then taken back is open again, with all that it was matched with.
_REOPEN: Final = """
with back as (
    select wrong.entry_id from stripe_entry mending
    join stripe_entry wrong on wrong.key = mending.corrects
    where mending.entry_id = any($1::bigint[]) and wrong.settled_at_us is not null
), theirs as (
    select distinct transaction_id from stripe_match where entry_id in (select entry_id from back)
), undone as (
    delete from stripe_match where transaction_id in (select transaction_id from theirs)
    returning entry_id
), reopened as (
    update stripe_entry set settled_at_us = null
    where entry_id in (select entry_id from back union select entry_id from undone)
)
update stripe_transaction set settled_at_us = null
where transaction_id in (select transaction_id from theirs)
"""

_MATCH: Final = """
insert into stripe_match (transaction_id, entry_id)
select * from unnest($1::text[], $2::bigint[])
"""

_SETTLE: Final = """
update stripe_transaction set settled_at_us = $2
where transaction_id = any($1::text[]) and settled_at_us is null
"""

_SETTLE_ENTRIES: Final = """
update stripe_entry set settled_at_us = $2
where entry_id = any($1::bigint[]) and settled_at_us is null
"""

_IDS: Final = "select key, entry_id from stripe_entry where key = any($1::text[])"

_CORRECTS: Final = "update stripe_entry set corrects = $2 where key = $1"
