"""The ledger in PostgreSQL: booking entries, closing months, reading lines and balances.

What holds, and where it is held:

* A transfer has both sides and one positive amount: an imbalance cannot be written.
* An entry is booked once under its key. Booked again with the same content it changes nothing; with
  other content it is refused, and whoever asked has to be looked at by a person.
* No account that may not be is ever below zero, whatever runs at the same time: the trigger locks
  the balances in the order of their numbers and takes the entries in the order of the call.
* A closed month takes no more entries; a posting and a closing of one currency exclude each other.
* Nothing is changed or taken away: triggers refuse it to everybody, rights to ``softclose_ledger``.

`post` works in the caller's transaction, beside the state that the entries tell of, and is its last
step: it locks accounts that many share. Rows of one's own are locked before it, and all entries of
a transaction go into one call, or two transactions could wait for each other (PostgreSQL then ends
one of them, and the operation is tried again). A crash before the commit leaves nothing of it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

import asyncpg
from msgspec import Struct

from foundation.database import AnyConnection
from foundation.refusals import RefusedBecause
from settlement.chart import Account, parse_account
from settlement.entries import Entry
from settlement.ids import EntryKey

# A call is a few round trips, whatever it holds; above this the locks are held for too long.
MAX_ENTRIES: Final = 5_000


class LedgerRefusal(StrEnum):
    """Why nothing was booked."""

    KEY_REUSED = "KEY_REUSED"
    OVERDRAFT = "OVERDRAFT"
    MONTH_CLOSED = "MONTH_CLOSED"
    MONTH_NOT_OVER = "MONTH_NOT_OVER"
    ALREADY_REVERSED = "ALREADY_REVERSED"
    UNKNOWN_ENTRY = "UNKNOWN_ENTRY"
    TOO_LARGE = "TOO_LARGE"
    OWED_TO_OTHERS = "OWED_TO_OTHERS"


MEANINGS: Final[Mapping[LedgerRefusal, str]] = {
    LedgerRefusal.KEY_REUSED: "Something else was booked under this key.",
    LedgerRefusal.OVERDRAFT: "An account would fall below zero that may not.",
    LedgerRefusal.MONTH_CLOSED: "The month is closed; book it in the next one.",
    LedgerRefusal.MONTH_NOT_OVER: "The month is not over yet.",
    LedgerRefusal.ALREADY_REVERSED: "The entry was taken back before.",
    LedgerRefusal.UNKNOWN_ENTRY: "There is no such entry.",
    LedgerRefusal.TOO_LARGE: "A balance would be larger than the books can hold.",
    LedgerRefusal.OWED_TO_OTHERS: "The payout would take what is held, payable, deferred or tax.",
}

# The conditions that the tables name, and those of PostgreSQL that mean one of ours.
_BY_SQLSTATE: Final = {
    "SL003": LedgerRefusal.MONTH_CLOSED,
    "SL004": LedgerRefusal.OVERDRAFT,
    "22003": LedgerRefusal.TOO_LARGE,
}
_REVERSES: Final = "ledger_transaction_reverses_key"
_REVERSED: Final = "ledger_transaction_reverses_fkey"


class LedgerRefused(RefusedBecause[LedgerRefusal]):
    """Nothing was booked; the caller's transaction is to be undone."""

    meanings = MEANINGS


class Balance(Struct, frozen=True):
    """What was ever booked on an account, by side."""

    account: Account
    currency: str
    debits_minor: int
    credits_minor: int


async def post(connection: AnyConnection, entries: Sequence[Entry]) -> list[EntryKey]:
    """Book these entries, all or none, in the caller's transaction; returns those that were new.

    ``LedgerRefused``: the caller's transaction is to be undone, nothing can be done in it any more.
    """
    assert connection.is_in_transaction(), "entries are booked with the state that they tell of"
    asked = _by_key(entries)
    if not asked:
        return []
    if len(asked) > MAX_ENTRIES:
        raise ValueError(f"{len(asked)} entries are more than {MAX_ENTRIES}")
    try:
        return await _post(connection, asked)
    except asyncpg.PostgresError as error:
        raise _refused(error) from error


async def close_month(
    connection: AnyConnection, currency: str, month: date, by: str, now_us: int
) -> None:
    """Close a month of a currency, and with it all before it. There is no way back.

    Waits for entries that are being booked. ``month``: its first day.
    """
    assert month.day == 1
    over = (month + timedelta(days=31)).replace(day=1)
    if now_us < int(datetime(over.year, over.month, 1, tzinfo=UTC).timestamp()) * 1_000_000:
        raise LedgerRefused(LedgerRefusal.MONTH_NOT_OVER, field="month")
    try:
        await connection.execute(_CLOSE, currency, month, now_us, by)
    except asyncpg.UniqueViolationError as error:
        raise LedgerRefused(LedgerRefusal.MONTH_CLOSED, field="month") from error


async def closed_through(connection: AnyConnection, currency: str) -> date | None:
    """The first day of the last month that is closed."""
    last: date | None = await connection.fetchval(_CLOSED_THROUGH, currency)
    return last


async def balances(
    connection: AnyConnection, accounts: Sequence[Account], currency: str
) -> dict[Account, Balance]:
    """The balances of these accounts as booked now; zero where nothing was."""
    rows = await connection.fetch(_BALANCES, [account.name for account in accounts], currency)
    found = {parse_account(row["name"]): row for row in rows}
    return {
        account: Balance(
            account,
            currency,
            found[account]["debits_minor"] if account in found else 0,
            found[account]["credits_minor"] if account in found else 0,
        )
        for account in accounts
    }


def _by_key(entries: Sequence[Entry]) -> dict[EntryKey, Entry]:
    asked: dict[EntryKey, Entry] = {}
    for entry in entries:
        if asked.setdefault(entry.key, entry).sha256 != entry.sha256:
            raise _reused(entry.key)
    return asked


async def _post(connection: AnyConnection, asked: Mapping[EntryKey, Entry]) -> list[EntryKey]:
    # In the order of keys: of two calls with the same keys none waits for the other's second.
    made = await _write_transactions(connection, [asked[key] for key in sorted(asked)])
    await _refuse_others(connection, [entry for key, entry in asked.items() if key not in made])
    new = [entry for key, entry in asked.items() if key in made]
    if new:
        await _write_transfers(connection, new, made)
    return [entry.key for entry in new]


async def _write_transactions(
    connection: AnyConnection, entries: Sequence[Entry]
) -> dict[EntryKey, int]:
    abouts = [entry.about for entry in entries]
    rows = await connection.fetch(
        _INSERT_TRANSACTIONS,
        [entry.key for entry in entries],
        [entry.sha256 for entry in entries],
        [entry.purpose.value for entry in entries],
        [about.currency for about in abouts],
        [about.at_us for about in abouts],
        [len(entry.postings) for entry in entries],
        [entry.reverses for entry in entries],
        [about.sale_id for about in abouts],
        [about.invoice_id for about in abouts],
        [about.liquidator_id for about in abouts],
        [about.consignor_id for about in abouts],
        [about.buyer_id for about in abouts],
        # PostgreSQL's arrays are rectangular: ids have no blanks, so they are joined by one.
        [" ".join(about.stripe_ids) for about in abouts],
        [about.note for about in abouts],
    )
    return {EntryKey(row["key"]): row["transaction_id"] for row in rows}


async def _refuse_others(connection: AnyConnection, repeated: Sequence[Entry]) -> None:
    """What was booked before has to be the very same."""
    if not repeated:
        return
    rows = await connection.fetch(_DIGESTS, [entry.key for entry in repeated])
    booked = {row["key"]: row["sha256"] for row in rows}
    for entry in repeated:
        if booked[entry.key] != entry.sha256:
            raise _reused(entry.key)


async def _write_transfers(
    connection: AnyConnection, entries: Sequence[Entry], made: Mapping[EntryKey, int]
) -> None:
    ids = await _account_ids(connection, entries)
    rows = [
        (
            made[entry.key],
            place,
            ids[posting.debit.name, entry.about.currency],
            ids[posting.credit.name, entry.about.currency],
            posting.amount_minor,
            posting.award_id,
        )
        for entry in entries
        for place, posting in enumerate(entry.postings)
    ]
    await connection.execute(_INSERT_TRANSFERS, *map(list, zip(*rows, strict=True)))


async def _account_ids(
    connection: AnyConnection, entries: Sequence[Entry]
) -> dict[tuple[str, str], int]:
    """The numbers of the entries' accounts, which are made if need be, in one order for all."""
    wanted = sorted(
        {
            (account.name, entry.about.currency)
            for entry in entries
            for posting in entry.postings
            for account in (posting.debit, posting.credit)
        }
    )
    ids = await _known_ids(connection, wanted)
    missing = [name for name in wanted if name not in ids]
    if missing:
        names, currencies = zip(*missing, strict=True)
        await connection.execute(_INSERT_ACCOUNTS, list(names), list(currencies))
        ids |= await _known_ids(connection, missing)
    return ids


async def _known_ids(
    connection: AnyConnection, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    names, currencies = zip(*wanted, strict=True)
    rows = await connection.fetch(_ACCOUNT_IDS, list(names), list(currencies))
    return {(row["name"], row["currency"]): row["account_id"] for row in rows}


def _reused(key: EntryKey) -> LedgerRefused:
    detail = f"{key}: something else was booked under this key"
    return LedgerRefused(LedgerRefusal.KEY_REUSED, field="key", detail=detail)


def _refused(error: asyncpg.PostgresError) -> Exception:
    """A refusal for what the tables name; anything else as it came."""
    constraint = getattr(error, "constraint_name", None)
    if constraint == _REVERSES:
        return LedgerRefused(LedgerRefusal.ALREADY_REVERSED, field="reverses")
    if constraint == _REVERSED:
        return LedgerRefused(LedgerRefusal.UNKNOWN_ENTRY, field="reverses")
    refusal = _BY_SQLSTATE.get(error.sqlstate or "")
    return LedgerRefused(refusal, detail=str(error)) if refusal else error


# What is there stays: the caller compares its digest.
_INSERT_TRANSACTIONS = """
insert into ledger_transaction (key, sha256, purpose, currency, effective_at_us, postings, reverses,
    sale_id, invoice_id, liquidator_id, consignor_id, buyer_id, stripe_ids, note)
select key, sha256, purpose, currency, effective_at_us, postings, reverses, sale_id, invoice_id,
    liquidator_id, consignor_id, buyer_id,
    case when stripe_ids = '' then '{}' else string_to_array(stripe_ids, ' ') end, note
from unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::bigint[], $6::integer[],
    $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
    $14::text[])
with ordinality as asked (key, sha256, purpose, currency, effective_at_us, postings, reverses,
    sale_id, invoice_id, liquidator_id, consignor_id, buyer_id, stripe_ids, note, place)
order by place
on conflict (key) do nothing
returning key, transaction_id
"""

_DIGESTS = "select key, sha256 from ledger_transaction where key = any($1::text[])"

_ACCOUNT_IDS = """
select account_id, name, currency
from unnest($1::text[], $2::text[]) as wanted (name, currency)
join ledger_account using (name, currency)
"""

_INSERT_ACCOUNTS = """
insert into ledger_account (name, currency, kind)
select name, currency, split_part(name, ':', 1)
from unnest($1::text[], $2::text[]) with ordinality as wanted (name, currency, place)
order by place
on conflict (name, currency) do nothing
"""

# Numbered in the order in which they are handed over: so the trigger takes them.
_INSERT_TRANSFERS = """
insert into ledger_transfer (transaction_id, place, debit_account_id, credit_account_id,
    amount_minor, award_id)
select transaction_id, place, debit_account_id, credit_account_id, amount_minor, award_id
from unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])
with ordinality as asked (transaction_id, place, debit_account_id, credit_account_id, amount_minor,
    award_id, turn)
order by turn
"""

_CLOSE = """
insert into ledger_closed_month (currency, month, closed_at_us, closed_by) values ($1, $2, $3, $4)
"""

_CLOSED_THROUGH = "select max(month) from ledger_closed_month where currency = $1"

_BALANCES = """
select name, debits_minor, credits_minor
from ledger_account join ledger_balance using (account_id)
where name = any($1::text[]) and currency = $2
"""
