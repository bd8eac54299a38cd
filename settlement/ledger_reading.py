"""Reading the ledger: lines and totals of a scope, entries, and the position of a currency.

Lines come in the order in which they took effect. A party's or an award's are few; the whole
book's are read page by page (``after``).
"""

from collections.abc import Sequence
from typing import Any, Final

from foundation.database import AnyConnection
from settlement.chart import Account, Kind, parse_account
from settlement.entries import About, Entry, Posting, Purpose, named
from settlement.ids import EntryKey, StripeId
from settlement.statements import (
    OBLIGATIONS,
    AccountStatement,
    Line,
    Period,
    Position,
    Scope,
    Totals,
    statements,
)

# A page of lines: some megabytes.
MAX_LINES: Final = 10_000

# More than a sale of a thousand lots ever has, and as much as a process wants to hold.
MAX_STATEMENT_LINES: Final = 50_000


class StatementTooLong(Exception):
    """The statement has more lines than can be made at once; ask for a shorter period."""


After = tuple[int, int, int]  # a line's at_us and order


def after_line(line: Line) -> After:
    """Where the next page begins."""
    return (line.at_us, *line.order)


async def read_lines(
    connection: AnyConnection,
    scope: Scope,
    currency: str,
    period: Period,
    after: After = (0, 0, 0),
    limit: int = MAX_LINES,
) -> list[Line]:
    """Up to ``limit`` lines of a scope in a period, beyond ``after``; fewer: there are no more."""
    assert 0 < limit <= MAX_LINES
    condition, values = _condition(scope)
    statement = _LINES.format(condition=condition)
    times = (period.from_us, period.to_us)
    rows = await connection.fetch(statement, values, currency, *times, *after, limit)
    return [_line(row) for row in rows]


async def read_totals(
    connection: AnyConnection, scope: Scope, currency: str, period: Period
) -> dict[Account, Totals]:
    """What each account of a scope had before a period and got in it.

    Of the whole book it reads every line there is: pages ask `read_book`.
    """
    condition, values = _condition(scope)
    statement = _TOTALS.format(condition=condition)
    rows = await connection.fetch(statement, values, currency, period.from_us, period.to_us)
    totals = {
        parse_account(row["name"]): Totals(*(int(row[side]) for side in _SIDES)) for row in rows
    }
    kept = scope.accounts
    return {account: its for account, its in totals.items() if kept is None or account in kept}


async def read_statements(
    connection: AnyConnection, scope: Scope, currency: str, period: Period
) -> list[AccountStatement]:
    """A statement of each account of a scope, all as of one moment.

    ``StatementTooLong`` beyond `MAX_STATEMENT_LINES`: a shorter period is asked for.
    """
    assert not connection.is_in_transaction(), "a statement is read in a transaction of its own"
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        totals = await read_totals(connection, scope, currency, period)
        lines: list[Line] = []
        while True:
            after = after_line(lines[-1]) if lines else (0, 0, 0)
            page = await read_lines(connection, scope, currency, period, after, MAX_LINES)
            lines += page
            if len(lines) > MAX_STATEMENT_LINES:
                raise StatementTooLong
            if len(page) < MAX_LINES:
                break
    opening = {account: its.opening_minor(account) for account, its in totals.items()}
    return statements(opening, lines, scope)


async def read_book(
    connection: AnyConnection, currency: str, period: Period
) -> dict[Kind, tuple[Totals, tuple[int, int]]]:
    """The whole book by kind: what was booked before a period and in it, and what stands on debit
    and on credit at its end; an account below zero stands on the other side, netted with none.

    Counted back from the balances as they are now, so that it reads what took effect since, and not
    all that ever did.
    """
    rows = await connection.fetch(_BOOK, currency, period.from_us, period.to_us)
    return {
        Kind(row["kind"]): (
            Totals(*(int(row[side]) for side in _SIDES)),
            (int(row["on_debit_minor"]), int(row["on_credit_minor"])),
        )
        for row in rows
    }


async def read_position(connection: AnyConnection, currency: str) -> Position:
    """Where the money of a currency is now, and what is owed of it."""
    rows = await connection.fetch(_POSITION, currency, [kind.value for kind in OBLIGATIONS])
    found = {Kind(row["kind"]): row for row in rows}
    money = {kind: int(found[kind]["debit_minor"]) if kind in found else 0 for kind in _MONEY}
    return Position(
        money[Kind.STRIPE_BALANCE],
        money[Kind.BANK],
        {kind: int(found[kind]["owed_minor"]) if kind in found else 0 for kind in OBLIGATIONS},
    )


async def read_stripe_balances(connection: AnyConnection) -> dict[str, int]:
    """Our Stripe balance in each currency in which there ever was one."""
    rows = await connection.fetch(_STRIPE_BALANCES)
    return {row["currency"]: row["balance_minor"] for row in rows}


async def read_entries(
    connection: AnyConnection, keys: Sequence[EntryKey]
) -> dict[EntryKey, Entry]:
    """The entries of these keys that there are, as they were booked."""
    rows = await connection.fetch(_ENTRIES, list(keys))
    by_key: dict[EntryKey, list[Any]] = {}
    for row in rows:
        by_key.setdefault(EntryKey(row["key"]), []).append(row)
    entries = {key: _entry(key, of) for key, of in by_key.items()}
    assert all(entry.sha256 == by_key[key][0]["sha256"] for key, entry in entries.items())
    return entries


async def keys_of_stripe(connection: AnyConnection, stripe_id: StripeId) -> list[EntryKey]:
    """The entries that tell of an object at Stripe, in the order of recording."""
    rows = await connection.fetch(_OF_STRIPE, [stripe_id])
    return [EntryKey(row["key"]) for row in rows]


def _condition(scope: Scope) -> tuple[str, list[str]]:
    """The rows of a scope, in SQL, and the value of its ``$1``."""
    if scope.accounts is not None:
        return _OF_ACCOUNTS, [account.name for account in scope.accounts]
    for value, condition in (
        (scope.award_id, "f.award_id = any($1::text[])"),
        (scope.invoice_id, "t.invoice_id = any($1::text[])"),
        (scope.sale_id, "t.sale_id = any($1::text[])"),
    ):
        if value is not None:
            return condition, [value]
    return "$1::text[] is not null", []


def _line(row: Any) -> Line:
    return Line(
        order=(row["transaction_id"], row["place"]),
        key=EntryKey(row["key"]),
        purpose=Purpose(row["purpose"]),
        at_us=row["effective_at_us"],
        debit=parse_account(row["debit"]),
        credit=parse_account(row["credit"]),
        amount_minor=row["amount_minor"],
        award_id=row["award_id"],
        sale_id=row["sale_id"],
        invoice_id=row["invoice_id"],
        liquidator_id=row["liquidator_id"],
        consignor_id=row["consignor_id"],
        buyer_id=row["buyer_id"],
        note=row["note"],
    )


def _entry(key: EntryKey, rows: Sequence[Any]) -> Entry:
    first = rows[0]
    purpose, subject, generation = named(key)
    about = About(
        subject=subject,
        generation=generation,
        at_us=first["effective_at_us"],
        currency=first["currency"],
        sale_id=first["sale_id"],
        invoice_id=first["invoice_id"],
        liquidator_id=first["liquidator_id"],
        consignor_id=first["consignor_id"],
        buyer_id=first["buyer_id"],
        stripe_ids=tuple(StripeId(stripe_id) for stripe_id in first["stripe_ids"]),
        note=first["note"],
    )
    postings = tuple(
        Posting(
            parse_account(row["debit"]),
            parse_account(row["credit"]),
            row["amount_minor"],
            row["award_id"],
        )
        for row in rows
    )
    return Entry(key, purpose, about, postings, first["reverses"])


_MONEY: Final = (Kind.STRIPE_BALANCE, Kind.BANK)
_SIDES: Final = (
    "opening_debits_minor",
    "opening_credits_minor",
    "debits_minor",
    "credits_minor",
)

# What is about a party is what its accounts are in.
_OF_ACCOUNTS: Final = """f.transfer_id in (
    select d.transfer_id from ledger_account a
    join ledger_transfer d on d.debit_account_id = a.account_id
    where a.name = any($1::text[]) and a.currency = $2
    union all
    select c.transfer_id from ledger_account a
    join ledger_transfer c on c.credit_account_id = a.account_id
    where a.name = any($1::text[]) and a.currency = $2
)"""

_LINES: Final = """
select t.transaction_id, f.place, t.key, t.purpose, t.effective_at_us, d.name as debit,
    c.name as credit, f.amount_minor, f.award_id, t.sale_id, t.invoice_id, t.liquidator_id,
    t.consignor_id, t.buyer_id, t.note
from ledger_transaction t
join ledger_transfer f using (transaction_id)
join ledger_account d on d.account_id = f.debit_account_id
join ledger_account c on c.account_id = f.credit_account_id
where {condition} and t.currency = $2
and t.effective_at_us >= greatest($3::bigint, $5::bigint) and t.effective_at_us < $4
and (t.effective_at_us, t.transaction_id, f.place) > ($5::bigint, $6::bigint, $7::integer)
order by t.effective_at_us, t.transaction_id, f.place
limit $8
"""

_TOTALS: Final = """
select a.name,
    coalesce(sum(s.debit_minor) filter (where s.before), 0) as opening_debits_minor,
    coalesce(sum(s.credit_minor) filter (where s.before), 0) as opening_credits_minor,
    coalesce(sum(s.debit_minor) filter (where not s.before), 0) as debits_minor,
    coalesce(sum(s.credit_minor) filter (where not s.before), 0) as credits_minor
from (
    select v.account_id, t.effective_at_us < $3 as before, v.debit_minor, v.credit_minor
    from ledger_transaction t
    join ledger_transfer f using (transaction_id)
    cross join lateral (
        values (f.debit_account_id, f.amount_minor, 0), (f.credit_account_id, 0, f.amount_minor)
    ) as v (account_id, debit_minor, credit_minor)
    where {condition} and t.currency = $2 and t.effective_at_us < $4
) as s
join ledger_account a using (account_id)
group by a.name
"""

_BOOK: Final = """
with moved as (
    select v.account_id,
        coalesce(sum(v.debit_minor) filter (where t.effective_at_us < $3), 0) as debits_minor,
        coalesce(sum(v.credit_minor) filter (where t.effective_at_us < $3), 0) as credits_minor,
        sum(v.debit_minor) as since_debits_minor,
        sum(v.credit_minor) as since_credits_minor
    from ledger_transaction t
    join ledger_transfer f using (transaction_id)
    cross join lateral (
        values (f.debit_account_id, f.amount_minor, 0), (f.credit_account_id, 0, f.amount_minor)
    ) as v (account_id, debit_minor, credit_minor)
    where t.currency = $1 and t.effective_at_us >= $2
    group by v.account_id
), accounts as (
    select a.kind,
        b.debits_minor - coalesce(m.since_debits_minor, 0) as opening_debits_minor,
        b.credits_minor - coalesce(m.since_credits_minor, 0) as opening_credits_minor,
        coalesce(m.debits_minor, 0) as debits_minor,
        coalesce(m.credits_minor, 0) as credits_minor
    from ledger_account a
    join ledger_balance b using (account_id)
    left join moved m using (account_id)
    where a.currency = $1
), closed as (
    select *, opening_debits_minor + debits_minor - opening_credits_minor - credits_minor
        as closing_minor
    from accounts
)
select kind,
    sum(opening_debits_minor) as opening_debits_minor,
    sum(opening_credits_minor) as opening_credits_minor,
    sum(debits_minor) as debits_minor,
    sum(credits_minor) as credits_minor,
    sum(greatest(closing_minor, 0)) as on_debit_minor,
    sum(greatest(-closing_minor, 0)) as on_credit_minor
from closed
group by kind
"""

_POSITION: Final = """
select kind, sum(debits_minor - credits_minor) as debit_minor,
    sum(greatest(credits_minor - debits_minor, 0)) as owed_minor
from ledger_account join ledger_balance using (account_id)
where currency = $1 and kind = any($2::text[] || '{stripe_balance,bank}'::text[])
group by kind
"""

_STRIPE_BALANCES: Final = """
select currency, debits_minor - credits_minor as balance_minor
from ledger_account join ledger_balance using (account_id)
where name = 'stripe_balance'
"""

_ENTRIES: Final = """
select t.*, f.amount_minor, f.award_id, d.name as debit, c.name as credit
from ledger_transaction t
join ledger_transfer f using (transaction_id)
join ledger_account d on d.account_id = f.debit_account_id
join ledger_account c on c.account_id = f.credit_account_id
where t.key = any($1::text[])
order by t.transaction_id, f.place
"""

_OF_STRIPE: Final = """
select key from ledger_transaction where stripe_ids @> $1::text[] order by transaction_id
"""
