"""The identity is in sight, and a day ends with a report that can be made again."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import msgspec
import pytest

from foundation.database import Pool, acquire, open_pool
from settlement.entries import Entry
from settlement.reconciliation.day import Days, Moved, day_csv, day_of_house
from settlement.reconciliation.standing import ledger_sum_minor, standing, standings, stripe_nets
from settlement.reconciliation.words import BooksRefusal, BooksRefused
from tests.books import NOON_US, booked
from tests.house_people import ADA, house_people
from tests.reconciling import (
    LATER_US,
    capture,
    payout,
    read_until,
    reconciled,
    refund,
    taken,
    txn,
)

DAY = date(2026, 3, 10)
CHICAGO = "America/Chicago"
HOUR_US = 3_600_000_000
# Noon in UTC is 07:00 in Chicago; its day ends at 05:00 UTC.
END_US = NOON_US + 17 * HOUR_US


class Clock:
    now_us = END_US + HOUR_US

    def __call__(self) -> int:
        return self.now_us


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="test")
    async with acquire(pool) as connection:
        await house_people(connection)
    yield pool
    pool.terminate()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def days(pool: Pool, clock: Clock) -> Days:
    return Days(pool, clock)


def yesterday(number: int, amount: int) -> Entry:
    return capture(number, amount, at_us=NOON_US - 24 * HOUR_US)


async def a_day(pool: Pool) -> None:
    """100.00 came yesterday; today 50.00 with a fee of 1.00, and 20.00 went back."""
    async with acquire(pool) as connection:
        await booked(connection, yesterday(1, 10_000), capture(2, 5_000), refund(1, 2_000))
        await taken(
            connection,
            txn(1, amount=10_000, made_at_us=NOON_US - 24 * HOUR_US),
            txn(2, amount=5_000, fee=100),
            txn(3, "refund", "re_1", -2_000),
        )
        await read_until(connection, END_US)
        await reconciled(connection)


async def test_the_identity_is_read_per_currency(pool: Pool) -> None:
    await a_day(pool)
    async with acquire(pool) as connection:
        await booked(connection, capture(9, 700, currency="EUR"))
        await taken(connection, txn(9, amount=700, currency="EUR"))
        now = await standing(connection, "USD")
        assert (now.booked_minor, now.stripe_minor, now.difference_minor) == (12_900, 12_900, 0)
        assert now.agrees
        assert [one.currency for one in await standings(connection)] == ["EUR", "USD"]
        assert await stripe_nets(connection) == {"EUR": 700, "USD": 12_900}
        assert await ledger_sum_minor(connection, "USD") == 0
        nothing = await standing(connection, "GBP")
        assert (nothing.booked_minor, nothing.stripe_minor) == (0, 0)


async def test_a_difference_is_an_exception_or_on_its_way(pool: Pool) -> None:
    await a_day(pool)
    async with acquire(pool) as connection:
        await booked(connection, capture(4, 300, at_us=END_US))
        await taken(connection, txn(5, amount=1_000))
        now = await standing(connection, "USD")
        assert (now.difference_minor, now.on_its_way_minor) == (-700, -700)
        await reconciled(connection, LATER_US)
        now = await standing(connection, "USD")
        assert (now.exceptions, now.excepted_minor, now.on_its_way_minor) == (1, -1_000, 300)
        assert now.oldest_us == NOON_US
        assert not now.agrees
        await booked(connection, capture(5, 1_000))
        await reconciled(connection, LATER_US)
        now = await standing(connection, "USD")
        assert (now.exceptions, now.excepted_minor, now.oldest_us) == (0, 0, None)


async def test_a_day_is_reported_by_the_clocks_of_the_house(pool: Pool, days: Days) -> None:
    await a_day(pool)
    report = await days.report("USD", DAY, CHICAGO)
    assert report.booked == [
        Moved("award_refunded", 1, -2_000),
        Moved("capture", 1, 5_000),
        Moved("processing_fee", 1, -100),
    ]
    assert report.at_stripe == [Moved("charge", 1, 4_900), Moved("refund", 1, -2_000)]
    assert (report.booked_opening_minor, report.booked_closing_minor) == (10_000, 12_900)
    assert (report.stripe_opening_minor, report.stripe_closing_minor) == (10_000, 12_900)
    assert (report.to_us, report.difference_minor) == (END_US, 0)
    tokyo = await days.report("USD", date(2026, 3, 11), "Asia/Tokyo")
    assert (tokyo.booked_opening_minor, tokyo.booked) == (12_900, [])
    assert day_csv(report).decode().splitlines()[:3] == [
        "Where,What,Count,Amount (USD)",
        "books,opening,,100.00",
        "books,award_refunded,1,-20.00",
    ]


async def test_the_report_of_a_day_can_be_made_again(pool: Pool, days: Days, clock: Clock) -> None:
    await a_day(pool)
    async with acquire(pool) as connection:
        await taken(connection, txn(5, amount=1_000))
        await reconciled(connection)
    first = msgspec.json.encode(await days.report("USD", DAY, CHICAGO))
    clock.now_us += 30 * 24 * HOUR_US
    async with acquire(pool) as connection:
        await booked(connection, capture(7, 800, at_us=END_US), payout(8, 100))
        await booked(connection, capture(6, 900, at_us=END_US + HOUR_US))
        await taken(connection, txn(7, amount=800, made_at_us=END_US))
    report = await days.report("USD", DAY, CHICAGO)
    assert Moved("capture", 1, 5_000) in report.booked  # what came at midnight is of the next day
    assert Moved("charge", 2, 5_900) in report.at_stripe
    again = msgspec.json.encode(report)
    assert first != again  # the payout is of that day
    third = msgspec.json.encode(await days.report("USD", DAY, CHICAGO))
    assert again == third


async def test_a_day_that_is_open_is_not_closed(pool: Pool, days: Days, clock: Clock) -> None:
    await a_day(pool)
    async with acquire(pool) as connection:
        await read_until(connection, END_US - 1)
    assert await refused(days) == "Stripe's list was not read to the end of the day yet."
    async with acquire(pool) as connection:
        await read_until(connection, END_US)
        await taken(connection, txn(5, amount=1_000))
    assert await refused(days) == "Money is on its way between the books and Stripe."
    async with acquire(pool) as connection:
        await reconciled(connection, END_US)
    assert await refused(days) == "1 exceptions are open."
    async with acquire(pool) as connection:
        await booked(connection, capture(5, 1_000))
        await reconciled(connection, END_US - 1)
    closed = await days.close(ADA, "USD", DAY, CHICAGO)
    assert (closed.number, closed.report.booked_closing_minor) == (1, 13_900)
    assert (await days.close(ADA, "USD", DAY, CHICAGO)).number == 1
    async with acquire(pool) as connection:
        await booked(connection, payout(8, 100))
        await taken(connection, txn(8, "payout", "po_8", -100))
        await reconciled(connection)
    assert (await days.close(ADA, "USD", DAY, CHICAGO)).number == 2
    assert [one.number for one in await days.closed("USD", DAY)] == [2, 1]
    clock.now_us = NOON_US - 24 * HOUR_US
    assert await refused(days) == "The day has not begun."


async def refused(days: Days) -> str:
    with pytest.raises(BooksRefused) as raised:
        await days.close(ADA, "USD", DAY, CHICAGO)
    assert raised.value.refusal is BooksRefusal.DAY_OPEN
    return raised.value.message


def test_a_day_has_the_hours_of_its_zone() -> None:
    begins, ends = day_of_house(date(2026, 3, 8), CHICAGO)
    assert ends - begins == 23 * HOUR_US
    assert datetime.fromtimestamp(begins / 1_000_000, UTC).hour == 6
    for zone in ("Mars/Olympus", "", "../../etc/passwd", "\0"):
        with pytest.raises(ValueError, match="is no time zone"):
            day_of_house(DAY, zone)
    for day in (date.min, date.max, date(1970, 1, 1)):
        with pytest.raises(ValueError, match="is not from 1971 to 2099"):
            day_of_house(day, CHICAGO)
