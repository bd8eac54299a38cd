"""What staff look at all day is read by an index: what is settled long since costs nothing."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from foundation.database import AnyConnection, Pool, acquire, open_pool, transaction
from settlement.ledger import post
from settlement.month.closing import Months
from settlement.reconciliation.adjustments import Adjustments
from settlement.reconciliation.day import end_of_day
from settlement.reconciliation.exceptions import Exceptions
from settlement.reconciliation.open_items import Cursor, page_of_open
from settlement.reconciliation.reconcile import reconcile
from settlement.reconciliation.standing import standing
from settlement.reconciliation.waiting import SOURCES
from settlement.reconciliation.wires import Wires
from tests.books import DAY_US, NOON_US, booked
from tests.house_people import ADA, house_people
from tests.integration.settlement.test_wires import an_invoice
from tests.reconciling import LATER_US, capture, read_until, reconciled, taken, txn

READ = """
select relname, seq_scan, idx_tup_fetch from pg_stat_user_tables
where relname in ('ledger_transfer', 'ledger_transaction', 'ledger_account', 'ledger_balance',
    'stripe_transaction', 'stripe_entry', 'stripe_match', 'reconciliation_exception',
    'reconciliation_act', 'ledger_adjustment', 'wire', 'invoice', 'award', 'settlement_op')
"""
# Three of everything is open, and four hundred are not.
FEW = 60
MANY = 400


async def much(connection: AnyConnection) -> None:
    """Captures of four hundred days that matched, exceptions, wires and proposals that ended."""
    async with connection.transaction():
        await post(connection, [capture(n, at_us=NOON_US - n * DAY_US) for n in range(1, MANY)])
    rows = (txn(n, fee=3, made_at_us=NOON_US - n * DAY_US) for n in range(1, MANY))
    await taken(connection, *rows)
    await read_until(connection, LATER_US)
    await reconciled(connection)
    await taken(connection, *(txn(n) for n in range(MANY, 2 * MANY)))
    await reconciled(connection)
    async with connection.transaction():
        await post(connection, [capture(n) for n in range(MANY, 2 * MANY)])
    await reconciled(connection)
    await connection.execute(
        "insert into wire (bank_id, state, currency, amount_minor, received_on, sender, reference, "
        "entered_at_us, entered_by, decided_at_us, decided_by) select 'X' || n, 'RETURNED', 'USD', "
        "n, '2026-03-01', '', '', n, 'ada', 1, 'ada' from generate_series(1, $1::int) as n",
        MANY,
    )
    await connection.execute(
        "insert into ledger_adjustment (currency, debit, credit, amount_minor, note, state, "
        "proposed_by, proposed_at_us, decided_by, decided_at_us) select 'USD', 'bank', 'rounding', "
        "n, '?', 'REJECTED', 'ada', 1, 'ben', 1 from generate_series(1, $1::int) as n",
        MANY,
    )
    await connection.execute(
        "insert into settlement_op (operation, subject, generation, idempotency_key, arguments, "
        "state, due_at_us, made_at_us) select 'capture', n, 1, n, '{}', 'DONE', 1, 1 "
        "from generate_series(1, $1::int) as n",
        MANY,
    )


async def little(pool: Pool, connection: AnyConnection) -> None:
    """Three of each that are open."""
    for n in range(901, 904):
        await taken(connection, txn(n))
        await booked(connection, capture(n + 10))
    await read_until(connection, LATER_US)
    await reconciled(connection)
    wires, adjustments = Wires(pool, lambda: NOON_US), Adjustments(pool, lambda: NOON_US)
    for n in range(3):
        await wires.enter(
            ADA, bank_id=f"O{n}", amount_minor=154_054, currency="USD",
            received_on=date(2026, 3, 9), sender="", reference="INV 1",
        )  # fmt: skip
        await adjustments.propose(
            ADA, debit="bank", credit="rounding", amount_minor=1, currency="USD", note="?"
        )
    await an_invoice(pool)


def readings(pool: Pool) -> dict[str, Callable[[], Awaitable[Any]]]:
    exceptions, wires = Exceptions(pool, lambda: NOON_US), Wires(pool, lambda: NOON_US)
    months, adjustments = Months(pool, lambda: NOON_US), Adjustments(pool, lambda: NOON_US)

    def on(reads: Callable[[AnyConnection], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
        async def read() -> None:
            async with acquire(pool) as connection:
                await reads(connection)

        return read

    def asked(statement: str, *values: object) -> Callable[[], Awaitable[Any]]:
        return on(lambda books: books.fetch(statement, *values))

    async def matching() -> None:
        async with transaction(pool) as connection:
            await reconcile(connection, LATER_US)

    day, at_us = date(2026, 3, 11), NOON_US + 2 * DAY_US
    return {
        "standing": on(lambda books: standing(books, "USD")),
        "what is open": on(lambda books: page_of_open(books, Cursor())),
        "matching": matching,
        "exceptions": exceptions.open,
        "an exception": lambda: exceptions.read(MANY + 2),
        "wires": wires.unknown,
        "a wire": lambda: wires.read(MANY + 1),
        "adjustments": adjustments.open,
        "what keeps a month open": lambda: months.keeps_open("USD", date(2026, 3, 1)),
        "a day": on(lambda books: end_of_day(books, "USD", day, "UTC", at_us)),
        **{f"queue {source.kind}": asked(source.items, NOON_US, 50) for source in SOURCES},
        **{f"count {source.kind}": asked(source.count, NOON_US) for source in SOURCES},
    }


async def test_nothing_is_read_row_by_row(database_url: str) -> None:
    pool = await open_pool(database_url, name="test")
    async with acquire(pool) as connection:
        await house_people(connection)
        await much(connection)
        await little(pool, connection)
        await connection.execute("analyze")
        name = await connection.fetchval("select current_database()")
        # So small a table would be read whole; without that, only what has no other way is.
        await connection.execute(f"alter database {name} set enable_seqscan = off")
    pool.terminate()
    # One connection, which counts what it read.
    one = await open_pool(database_url, name="one", max_connections=1)
    try:
        for name, reads in readings(one).items():
            before = await _read(one)
            await reads()
            after = await _read(one)
            for table, (scans, rows) in after.items():
                had = before.get(table, (0, 0))
                assert (scans - had[0], (rows - had[1]) // FEW) == (0, 0), (name, table)
    finally:
        one.terminate()


async def _read(one: Pool) -> dict[str, tuple[int, int]]:
    """What was ever read, by table: whole tables, and rows by an index."""
    async with acquire(one) as connection:
        await connection.execute("select pg_stat_force_next_flush()")
        await connection.execute("select pg_stat_clear_snapshot()")
        rows = await connection.fetch(READ)
    assert rows
    return {row["relname"]: (row["seq_scan"], row["idx_tup_fetch"] or 0) for row in rows}
