"""Our books beside Stripe's, in the tables: what is matched, booked, found and resolved."""

import asyncio
from collections.abc import AsyncIterator
from importlib.resources import files

import pytest

from foundation.database import Connection, connect
from settlement import postings as p
from settlement.entries import Purpose, entry_key, reversal
from settlement.ledger import close_month, post
from settlement.reconciliation import open_items
from settlement.reconciliation.reconcile import reconcile_page
from tests.books import DAY_US, NOON_US, balances_of, booked
from tests.reconciling import (
    LATER_US,
    broken,
    capture,
    left_open,
    named,
    payout,
    read_until,
    reconciled,
    refund,
    taken,
    txn,
)


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Connection]:
    connection = await connect(database_url, name="test")
    yield connection
    await connection.close()


async def test_a_charge_is_matched_and_its_fee_is_booked_once(books: Connection) -> None:
    await booked(books, capture(1, 10_000))
    await taken(books, txn(1, amount=10_000, fee=320))
    for _ in range(3):
        await reconciled(books)
    assert await left_open(books) == ([], [])
    balances = await balances_of(books)
    assert (balances["stripe_balance"], balances["stripe_fees"]) == (9_680, 320)
    assert await broken(books) == {}


async def test_the_entry_may_come_after_the_transaction(books: Connection) -> None:
    await taken(books, txn(1, amount=10_000, fee=320))
    await reconciled(books, LATER_US - 1)
    assert await broken(books) == {}
    await reconciled(books)
    assert await broken(books) == {"txn_1": "MISSING_IN_LEDGER"}
    await booked(books, capture(1, 10_000))
    await reconciled(books)
    assert await broken(books) == {}
    resolved = await books.fetchrow("select resolution from reconciliation_exception")
    assert resolved is not None
    assert resolved["resolution"] == "It is capture:S1~b1:1."
    assert (await balances_of(books))["stripe_fees"] == 320


async def test_an_entry_that_stripe_does_not_know_is_found_when_its_list_was_read_that_far(
    books: Connection,
) -> None:
    await booked(books, capture(1))
    await reconciled(books)
    assert await broken(books) == {}
    await read_until(books, LATER_US)
    await reconciled(books)
    assert await broken(books) == {"capture:S1~b1:1": "MISSING_AT_STRIPE"}


async def test_an_entry_waits_a_day_for_a_stripe_that_cannot_be_read(books: Connection) -> None:
    await booked(books, capture(1))
    await reconciled(books, NOON_US + DAY_US - 1)
    assert await broken(books) == {}
    await reconciled(books, NOON_US + DAY_US)
    assert await broken(books) == {"capture:S1~b1:1": "STALE"}
    await read_until(books, NOON_US + DAY_US)
    await reconciled(books, NOON_US + DAY_US)
    assert await broken(books) == {"capture:S1~b1:1": "MISSING_AT_STRIPE"}


async def test_a_wrong_amount_is_no_match(books: Connection) -> None:
    await booked(books, capture(1, 900))
    await taken(books, txn(1, amount=1_000))
    await reconciled(books)
    assert await broken(books) == {"txn_1": "AMOUNT"}
    row = await books.fetchrow("select * from reconciliation_exception")
    assert row is not None
    assert (row["stripe_minor"], row["booked_minor"]) == (1_000, 900)


async def test_one_refund_of_two_lots_is_two_entries(books: Connection) -> None:
    await booked(books, capture(1, 600), capture(2, 400))
    await booked(books, refund(1, 600, "re_1"), refund(2, 400, "re_1"))
    await taken(
        books,
        txn(1, amount=600),
        txn(2, amount=400),
        txn(3, "refund", "re_1", -1_000),
    )
    await reconciled(books)
    assert await left_open(books) == ([], [])


@pytest.mark.parametrize("page", [1, 500])
async def test_what_was_booked_by_mistake_and_taken_back_is_no_exception(
    books: Connection, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_items, "PAGE", page)
    wrong = capture(1)
    await booked(books, wrong)
    await read_until(books, LATER_US)
    await reconciled(books)
    assert await broken(books)
    await booked(books, reversal(wrong, LATER_US, "never happened"))
    await read_until(books, LATER_US + DAY_US)
    await reconciled(books, LATER_US + DAY_US)
    assert await broken(books) == {}
    assert await left_open(books) == ([], [])


async def test_a_match_that_is_taken_back_is_open_again(books: Connection) -> None:
    right = capture(1, 10_000)
    await booked(books, right)
    await taken(books, txn(1, amount=10_000, fee=320))
    await reconciled(books)
    await booked(books, reversal(right, LATER_US, "to the wrong lot"))
    await reconciled(books)
    assert await broken(books) == {"txn_1": "MISSING_IN_LEDGER"}
    await booked(books, capture(1, 10_000, generation=2))
    await reconciled(books)
    assert await left_open(books) == ([], [])
    assert (await balances_of(books))["stripe_balance"] == 9_680


async def test_a_fee_of_a_closed_month_is_booked_in_the_next(books: Connection) -> None:
    await booked(books, capture(1, 10_000))
    async with books.transaction():
        day = await books.fetchval("select month from ledger_transaction")
        await close_month(books, "USD", day, "p", NOON_US + 40 * DAY_US)
    await taken(books, txn(1, amount=10_000, fee=320))
    await reconciled(books)
    month = await books.fetchval(
        "select month from ledger_transaction where key = $1",
        entry_key(Purpose.PROCESSING_FEE, "txn_1"),
    )
    assert month.month == day.month + 1


async def test_more_than_a_page_is_looked_at(books: Connection) -> None:
    numbers = range(1_201)
    async with books.transaction():
        await post(books, [capture(n) for n in numbers])
    await taken(books, *(txn(n) for n in numbers if n != 1_000))
    await booked(books, payout(7))
    await read_until(books, LATER_US)
    await reconciled(books)
    assert await broken(books) == {
        "capture:S1~b1000:1": "MISSING_AT_STRIPE",
        "payout:S1~b7:1": "MISSING_AT_STRIPE",
    }


async def test_what_was_booked_before_there_was_reconciliation_is_taken_over(
    books: Connection,
) -> None:
    chargeback = p.chargeback(named(3, "du_1"), 500, 15)
    await booked(books, capture(1, 10_000), refund(1, 2_000), payout(2), chargeback)
    await booked(books, reversal(payout(2), LATER_US, "no"))
    made = await books.fetch("select * from stripe_entry order by entry_id")
    assert {(row["amount_minor"], row["fee_minor"], row["corrects"]) for row in made} == {
        (10_000, 0, None),
        (-2_000, 0, None),
        (-1_000, 0, None),
        (-500, 15, None),
        (1_000, 0, "payout:S1~b2:1"),
    }
    text = (files("settlement") / "migrations" / "0010_reconciliation.sql").read_text()
    named_at_stripe = await books.fetch("select * from stripe_entry_name order by 1, 2")
    assert "du_1" in {row["name"] for row in named_at_stripe}
    take_over = text[text.index("-- Those that were booked before") :].split(";")[:2]
    await books.execute("truncate stripe_entry cascade")
    await books.execute(";".join(take_over))
    assert await books.fetch("select * from stripe_entry_name order by 1, 2") == named_at_stripe
    assert await books.fetch("select * from stripe_entry order by entry_id") == made


async def test_two_that_look_at_once_book_a_fee_once(books: Connection, database_url: str) -> None:
    await booked(books, capture(1, 10_000))
    await taken(books, txn(1, amount=10_000, fee=320))
    others = [await connect(database_url, name="test") for _ in range(3)]

    async def looks(connection: Connection) -> None:
        async with connection.transaction():
            await reconcile_page(connection, LATER_US)

    await asyncio.gather(*(looks(each) for each in others))
    for each in others:
        await each.close()
    assert (await balances_of(books))["stripe_fees"] == 320
    assert await left_open(books) == ([], [])
