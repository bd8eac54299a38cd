"""What nobody can do to the books: tried with the rights of a process that books, and as owner."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import asyncpg
import pytest

from foundation.database import Connection, connect
from settlement import postings as p
from settlement import postings_house as h
from settlement.chart import CHART, STRIPE, Side, held
from settlement.entries import MAX_NOTE, AwardMoney, Posting, reversal
from settlement.ledger import LedgerRefusal, LedgerRefused, close_month, closed_through
from tests.books import (
    ACME,
    INVOICE,
    NOON_US,
    NORTH,
    about,
    balances_of,
    booked,
    folded,
    money,
    stored,
)

RUNTIME = "softclose_ledger"
APRIL_US = NOON_US + 30 * 24 * 3_600 * 1_000_000
MARCH = date(2026, 3, 1)
TABLES = (
    "ledger_account",
    "ledger_kind",
    "ledger_balance",
    "ledger_transaction",
    "ledger_transfer",
    "ledger_closed_month",
)


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Connection]:
    """A ledger with entries and a closed month of another currency, seen by its owner."""
    connection = await connect(database_url, name="test")
    try:
        await booked(connection, p.capture(about(INVOICE), [money(10_000, 1_000, 500)]))
        await booked(connection, h.deposit_forfeited(about("D1"), 5))
        await close_month(connection, "EUR", MARCH, "staff-1", APRIL_US)
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def as_runtime(connection: Connection) -> AsyncIterator[None]:
    await connection.execute(f"set role {RUNTIME}")
    try:
        yield
    finally:
        await connection.execute("reset role")


async def test_a_process_that_books_can_book_and_close_with_its_rights(books: Connection) -> None:
    async with as_runtime(books):
        await booked(books, p.claim_credit(about(), money(1_000)))
        await close_month(books, "USD", MARCH, "staff-1", APRIL_US)
        assert await closed_through(books, "USD") == MARCH
    assert await folded(books) == await stored(books)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement", ["update {} set {} = {}", "delete from {}", "truncate {} cascade"]
)
async def test_nothing_that_was_written_is_changed_or_taken_away(
    books: Connection, table: str, statement: str
) -> None:
    column = await books.fetchval(
        "select column_name from information_schema.columns where table_name = $1 "
        "and is_generated = 'NEVER' and is_identity = 'NO' order by ordinal_position limit 1",
        table,
    )
    said = statement.format(table, column, column)
    with pytest.raises(asyncpg.RestrictViolationError):
        await books.execute(said)
    async with as_runtime(books):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await books.execute(said)


@pytest.mark.parametrize(
    "statement",
    [
        "alter table ledger_transfer disable trigger all",
        "alter table ledger_transaction disable trigger ledger_transaction_append_only",
        "drop trigger ledger_transfers_made on ledger_transfer",
        "drop table ledger_transfer",
        "set session_replication_role = replica",
        "create or replace function ledger_is_append_only() returns trigger language plpgsql as "
        "'begin return new; end'",
        "insert into ledger_kind (kind, debit_side, may_overdraw) values ('mine', true, true)",
        "insert into ledger_balance (account_id, debits_minor) values (99, 5)",
        "insert into ledger_account (account_id, name, currency, kind) overriding system value "
        "values (77, 'held:x', 'USD', 'held')",
        "insert into ledger_transaction (key, sha256, purpose, currency, effective_at_us, "
        "postings, recorded_at_us) values ('x', sha256('x'), 'x', 'USD', 1, 1, 1)",
    ],
)
async def test_a_process_that_books_cannot_turn_the_rules_off(
    books: Connection, statement: str
) -> None:
    async with as_runtime(books):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await books.execute(statement)


BOTH = "(select account_id from ledger_account where name = 'stripe_balance' and currency = 'USD')"
HELD = "(select account_id from ledger_account where name = 'held:S1~12')"
FRESH = """with made as (insert into ledger_transaction (key, sha256, purpose, currency,
effective_at_us, postings) values ('raw', sha256('raw'), 'capture', 'USD', 1773144000000000, {})
returning transaction_id) insert into ledger_transfer (transaction_id, place, debit_account_id,
credit_account_id, amount_minor) select transaction_id, 0, {}, {}, {} from made"""


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        (FRESH.format(1, BOTH, HELD, -1), "23514"),
        (FRESH.format(1, BOTH, HELD, 0), "23514"),
        (FRESH.format(1, BOTH, HELD, 2**53 + 1), "23514"),
        (FRESH.format(1, BOTH, HELD, 2**63), "22003"),
        (FRESH.format(1, BOTH, BOTH, 1), "23514"),
        (FRESH.format(1, BOTH, "null", 1), "23502"),
        (FRESH.format(1, BOTH, "999999", 1), "23503"),
        # A transaction of two transfers has two.
        (FRESH.format(2, BOTH, HELD, 1), "SL001"),
        # More of what is held than there is.
        (FRESH.format(1, HELD, BOTH, 10_001), "SL004"),
        # A transfer joins no transaction that was made before.
        (
            "insert into ledger_transfer (transaction_id, place, debit_account_id, "  # noqa: S608
            f"credit_account_id, amount_minor) select max(transaction_id), 9, {BOTH}, {HELD}, 1 "
            "from ledger_transaction",
            "SL001",
        ),
        # A transaction without transfers ends at the commit.
        (
            "insert into ledger_transaction (key, sha256, purpose, currency, effective_at_us, "
            "postings) values ('bare', sha256('x'), 'capture', 'USD', 1773144000000000, 1)",
            "SL001",
        ),
        (
            "insert into ledger_account (name, currency, kind) values ('piggy', 'USD', 'piggy')",
            "23503",
        ),
        (
            "insert into ledger_account (name, currency, kind) values ('held:x', 'USD', 'bank')",
            "23514",
        ),
    ],
)
async def test_what_is_out_of_order_is_refused_by_the_tables(
    books: Connection, statement: str, state: str
) -> None:
    before = await stored(books)
    async with as_runtime(books):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await books.execute(statement)
    assert refused.value.sqlstate == state
    assert await stored(books) == before == await folded(books)


async def test_an_entry_has_one_currency(books: Connection) -> None:
    await booked(books, p.capture(about("S1~acme~eur", APRIL_US, "EUR"), [money(5)]))
    euros = "(select account_id from ledger_account where name = 'held:S1~12' and currency = 'EUR')"
    dollars = BOTH
    with pytest.raises(asyncpg.PostgresError, match="one currency"):
        await books.execute(FRESH.format(1, dollars, euros, 1))


async def test_a_closed_month_takes_no_more_entries(books: Connection) -> None:
    for at_us in (NOON_US, NOON_US - 40 * 24 * 3_600 * 1_000_000):
        with pytest.raises(LedgerRefused) as refused:
            await booked(books, p.capture(about("late", at_us, "EUR"), [money(5)]))
        assert refused.value.refusal is LedgerRefusal.MONTH_CLOSED
    assert await booked(books, p.capture(about("late", APRIL_US, "EUR"), [money(5)]))


async def test_a_month_is_closed_once_and_when_it_is_over(books: Connection) -> None:
    with pytest.raises(LedgerRefused) as refused:
        await close_month(books, "EUR", MARCH, "staff-2", APRIL_US)
    assert refused.value.refusal is LedgerRefusal.MONTH_CLOSED
    end_of_march_us = 1_775_001_600_000_000
    with pytest.raises(LedgerRefused) as refused:
        await close_month(books, "USD", MARCH, "staff-2", end_of_march_us - 1)
    assert refused.value.refusal is LedgerRefusal.MONTH_NOT_OVER
    await close_month(books, "USD", MARCH, "staff-2", end_of_march_us)


async def test_an_entry_is_booked_once_and_never_as_something_else(books: Connection) -> None:
    entry = p.capture(about(INVOICE), [money(10_000, 1_000, 500)])
    other = p.capture(about(INVOICE), [money(10_000, 1_000, 501)])
    before = await stored(books)
    assert await booked(books, entry, entry) == []
    for asked in ([other], [entry, other]):
        with pytest.raises(LedgerRefused) as refused:
            await booked(books, *asked)
        assert refused.value.refusal is LedgerRefusal.KEY_REUSED
        assert entry.key in refused.value.message
    assert await stored(books) == before


async def test_an_overdraft_is_refused_and_leaves_nothing(books: Connection) -> None:
    before = await stored(books)
    good = h.deposit_forfeited(about("d"), 5)
    with pytest.raises(LedgerRefused) as refused:
        await booked(books, good, p.transfer_out(about(), NORTH, 1))
    assert refused.value.refusal is LedgerRefusal.OVERDRAFT
    assert "seller_payable:north would be overdrawn" in refused.value.message
    assert await stored(books) == before


async def test_what_comes_later_in_a_call_does_not_cover_what_comes_first(
    books: Connection,
) -> None:
    funded = p.bank_funding(about("b"), ACME, 100)
    spent = h.credit_refunded(about("r"), ACME, 100)
    with pytest.raises(LedgerRefused) as refused:
        await booked(books, spent, funded)
    assert refused.value.refusal is LedgerRefusal.OVERDRAFT
    assert await booked(books, funded, spent) == [funded.key, spent.key]


async def test_balances_end_at_two_to_the_63rd(books: Connection) -> None:
    most = [p.bank_funding(about(f"b{n}"), ACME, 2**53) for n in range(1_023)]
    await booked(books, *most)
    with pytest.raises(LedgerRefused) as refused:
        await booked(books, p.bank_funding(about("b1023"), ACME, 2**53))
    assert refused.value.refusal is LedgerRefusal.TOO_LARGE
    assert (await balances_of(books))["buyer_credit:acme"] == 1_023 * 2**53


async def test_the_tables_and_the_chart_say_the_same(books: Connection) -> None:
    rows = await books.fetch("select kind, debit_side, may_overdraw from ledger_kind")
    told = {row["kind"]: (row["debit_side"], row["may_overdraw"]) for row in rows}
    assert told == {
        kind.value: (row.side is Side.DEBIT, row.may_overdraw) for kind, row in CHART.items()
    }


async def test_an_entry_is_taken_back_at_most_once(books: Connection) -> None:
    entry = p.capture(about(INVOICE), [money(10_000, 1_000, 500)])
    back = reversal(entry, APRIL_US, "wrong invoice")
    await booked(books, back)
    again = reversal(entry, APRIL_US + 1, "wrong invoice")
    with pytest.raises(LedgerRefused) as refused:
        await booked(books, again)
    assert refused.value.refusal is LedgerRefusal.KEY_REUSED
    never = reversal(p.capture(about("never"), [money(5)]), APRIL_US, "never booked")
    with pytest.raises(LedgerRefused) as refused:
        await booked(books, never)
    assert refused.value.refusal is LedgerRefusal.UNKNOWN_ENTRY


def test_an_entry_that_moves_nothing_or_the_wrong_way_cannot_be_made() -> None:
    for amount_minor in (0, -1, 2**53 + 1):
        with pytest.raises(ValueError, match="is not an amount"):
            Posting(STRIPE, held(money(1).award_id), amount_minor)
    with pytest.raises(ValueError, match="two accounts"):
        Posting(STRIPE, STRIPE, 1)
    with pytest.raises(ValueError, match="postings are not from 1"):
        p.capture(about(INVOICE), [money(0)])
    with pytest.raises(ValueError, match="does not fund"):
        p.bank_funding(about(INVOICE), ACME, 5, [money(6)])
    with pytest.raises(ValueError, match="tax is due in a place"):
        AwardMoney(award_id=money(1).award_id, hammer_minor=1, tax_minor=1)
    for wrong in (
        {"currency": "XXX"},
        {"at_us": NOON_US // 1_000_000 * 10**9},
        {"subject": "a b"},
        {"note": "x" * (MAX_NOTE + 1)},
        {"generation": 0},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            about(**wrong)
