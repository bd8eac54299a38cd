"""The books as staff and accountants read them: of one moment, and no longer than a file holds."""

from collections.abc import AsyncIterator, Mapping
from datetime import date

import pytest

from foundation.database import AnyConnection, Pool, acquire, open_pool
from settlement import accounting
from settlement.accounting import Accounting, ExportTooLong
from settlement.reconciliation.standing import stripe_nets
from tests.books import booked
from tests.reconciling import capture, taken, txn

MARCH = date(2026, 3, 1)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="test", max_connections=4)
    yield pool
    pool.terminate()


async def test_what_is_booked_while_the_books_are_read_is_no_difference(pool: Pool) -> None:
    async with acquire(pool) as connection:
        await booked(connection, capture(1, 1_000))
        await taken(connection, txn(1, amount=1_000))

    async def meanwhile(reading: AnyConnection) -> Mapping[str, int]:
        async with acquire(pool) as another:
            await booked(another, capture(2, 70))
            await taken(another, txn(2, amount=70))
        return await stripe_nets(reading)

    (book,) = await Accounting(pool, meanwhile).books()
    assert (book.difference_minor, book.position.stripe_minor) == (0, 1_000)
    assert book.debits_minor == book.credits_minor == 1_000
    (after,) = await Accounting(pool, stripe_nets).books()
    assert (after.difference_minor, after.position.stripe_minor) == (0, 1_070)


async def test_an_export_of_more_lines_than_a_file_holds_is_refused(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with acquire(pool) as connection:
        await booked(connection, *(capture(number) for number in range(1, 6)))
    books = Accounting(pool)
    assert b"premium" not in await books.hledger("USD", MARCH)
    monkeypatch.setattr(accounting, "MAX_EXPORTED_LINES", 4)
    with pytest.raises(ExportTooLong):
        await books.hledger("USD", MARCH)
