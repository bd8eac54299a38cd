"""Stripe's books are taken in whole and once, whatever is late, comes twice, or is lost."""

from collections.abc import AsyncIterator, Sequence

import pytest
from msgspec import structs

from foundation.database import Pool, acquire, open_pool, transaction
from settlement.ids import StripeId
from settlement.operations import HOUR_US, LEASE_US, SECOND_US, Unknown
from settlement.payment_objects import BalanceTransaction, Page
from settlement.reconciliation import intake
from settlement.reconciliation.intake import (
    DEEP_EVERY_US,
    OVERLAP_US,
    PAGE,
    PAGES,
    PAUSE_US,
    TAKE_IN,
    WANTED,
    TakingIn,
)
from settlement.steps import want
from settlement.worker import Worker
from tests.books import NOON_US
from tests.crashing import Life
from tests.reconciling import operation, txn
from tests.thorough import THOROUGH, thorough

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Stripe:
    """Its list: the newest first, by windows and pages; some rows show late."""

    def __init__(self) -> None:
        self.rows: list[BalanceTransaction] = []
        self.asked: list[tuple[int, int]] = []
        self.errors: list[Exception] = []
        self.life = Life()

    def makes(self, at_us: int, *numbers: int) -> None:
        rows = [txn(number, made_at_us=at_us, amount=number) for number in numbers]
        self.rows = sorted([*self.rows, *rows], key=lambda row: -row.made_at_us)

    async def balance_transactions(
        self,
        *,
        since_us: int,
        before_us: int,
        currency: str | None = None,
        after: StripeId | None = None,
        limit: int = 100,
    ) -> Page[BalanceTransaction]:
        self.life.check()
        self.asked.append((since_us, before_us))
        if self.errors:
            raise self.errors.pop()
        rows = [row for row in self.rows if since_us <= row.made_at_us < before_us]
        if after is not None:
            ids = [row.transaction_id for row in rows]
            rows = rows[ids.index(after) + 1 :]
        more = len(rows) > limit
        return Page(tuple(rows[:limit]), rows[limit - 1].transaction_id if more else None)


class Clock:
    def __init__(self) -> None:
        self.now_us = NOON_US

    def __call__(self) -> int:
        return self.now_us


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="test")
    async with transaction(pool) as connection:
        await want(connection, [WANTED], NOON_US)
    yield pool
    pool.terminate()


@pytest.fixture
def stripe() -> Stripe:
    return Stripe()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def worker(pool: Pool, stripe: Stripe, clock: Clock) -> Worker:
    return Worker(pool, {TAKE_IN: TakingIn(pool, stripe)}, clock)  # type: ignore[arg-type]


async def here(pool: Pool) -> list[int]:
    """The numbers of what was taken in."""
    async with acquire(pool) as connection:
        rows = await connection.fetch("select amount_minor from stripe_transaction order by 1")
        total = await connection.fetchval("select sum(net_minor) from stripe_total")
    numbers = [row[0] for row in rows]
    assert sum(numbers) == (total or 0)
    return numbers


async def again(worker: Worker, clock: Clock, us: int = PAUSE_US) -> None:
    clock.now_us += us
    await worker.drain()


async def test_all_is_taken_in_page_by_page_and_then_what_is_new(
    pool: Pool, stripe: Stripe, clock: Clock
) -> None:
    works = worker(pool, stripe, clock)
    many = range(1, PAGE * PAGES * 2 + 8)
    for number in many:
        stripe.makes(NOON_US - number * SECOND_US, number)
    await works.drain()
    assert await here(pool) == list(many)
    stripe.makes(clock.now_us, 5_000)
    stripe.asked.clear()
    await again(works, clock)
    assert await here(pool) == [*many, 5_000]
    assert {since for since, _ in stripe.asked} == {NOON_US - OVERLAP_US}


async def test_what_shows_late_is_found_within_the_hour_and_by_the_pass_over_a_week(
    pool: Pool, stripe: Stripe, clock: Clock
) -> None:
    works = worker(pool, stripe, clock)
    await works.drain()
    clock.now_us += 50 * 60 * SECOND_US
    stripe.makes(NOON_US - SECOND_US, 1)
    await works.drain()
    assert await here(pool) == [1]
    stripe.makes(NOON_US - 5 * HOUR_US, 2)
    await again(works, clock)
    assert await here(pool) == [1]
    await again(works, clock, DEEP_EVERY_US)
    assert await here(pool) == [1, 2]


async def test_what_is_made_during_a_pass_is_of_the_next(
    pool: Pool, stripe: Stripe, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PAGES", 1)
    monkeypatch.setattr(intake, "PAGE", 2)
    for number in range(1, 8):
        stripe.makes(NOON_US - number * SECOND_US, number)
    listed, made = stripe.balance_transactions, iter(range(100, 200))

    async def and_makes(**asked: object) -> Page[BalanceTransaction]:
        page = await listed(**asked)  # type: ignore[arg-type]
        stripe.makes(clock.now_us, next(made))
        return page

    stripe.balance_transactions = and_makes  # type: ignore[method-assign]
    works = worker(pool, stripe, clock)
    await works.drain()
    stripe.balance_transactions = listed  # type: ignore[method-assign]
    await again(works, clock)
    assert await here(pool) == sorted(row.amount_minor for row in stripe.rows)


@thorough
@pytest.mark.timeout(400)
async def test_killed_at_each_await_nothing_is_lost_or_taken_twice(
    pool: Pool, database_url: str, stripe: Stripe, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PAGES", 2)
    monkeypatch.setattr(intake, "PAGE", 2)

    async def process(life: Life) -> None:
        mine = await open_pool(database_url, name="dies")
        life.shuts(mine.terminate)
        stripe.life = life
        await worker(mine, stripe, clock).drain()
        mine.terminate()

    killed = last = 0
    lived = False
    while not lived:
        last += 1 if THOROUGH else 4
        stripe.makes(clock.now_us, *range(last * 10, last * 10 + 7))
        life = Life(last)
        lived = await life.lived(lambda life=life: process(life))  # type: ignore[misc]
        killed += not lived
        clock.now_us += LEASE_US + PAUSE_US
    assert killed > (20 if THOROUGH else 5)
    assert await Life().lived(lambda: process(Life()))
    assert await here(pool) == sorted(row.amount_minor for row in stripe.rows)


async def test_a_lost_answer_is_asked_for_again(pool: Pool, stripe: Stripe, clock: Clock) -> None:
    works = worker(pool, stripe, clock)
    stripe.makes(NOON_US, 1)
    stripe.errors = [Unknown("no answer")]
    await works.drain()
    assert await here(pool) == []
    await again(works, clock)
    assert await here(pool) == [1]


async def test_a_transaction_that_is_not_what_it_was_waits_for_a_person(
    pool: Pool, stripe: Stripe, clock: Clock
) -> None:
    works = worker(pool, stripe, clock)
    stripe.makes(NOON_US, 1)
    await works.drain()
    stripe.rows = [structs.replace(row, amount_minor=2, net_minor=2) for row in stripe.rows]
    await again(works, clock)
    assert await here(pool) == [1]
    async with acquire(pool) as connection:
        held = await connection.fetchrow("select state, note from settlement_op")
    assert held is not None
    assert tuple(held) == ("HELD", "txn_1 is not what Stripe showed before")


async def test_two_processes_take_in_the_same_pages_once(
    pool: Pool, stripe: Stripe, clock: Clock
) -> None:
    stripe.makes(NOON_US, *range(1, 30))
    taking = TakingIn(pool, stripe)  # type: ignore[arg-type]
    taken: Sequence[intake.Taken] = [await _called(taking) for _ in range(2)]
    done = []
    for one in taken:
        async with transaction(pool) as connection:
            done.append(await intake.take_in(connection, one, NOON_US))
    assert done == [True, False]
    assert await here(pool) == list(range(1, 30))


async def _called(taking: TakingIn) -> intake.Taken:
    taken = await taking.call(operation(TAKE_IN))
    assert isinstance(taken, intake.Taken)
    return taken
