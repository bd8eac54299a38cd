"""The books' operations are killed again and again: every fee is booked once in the end."""

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from foundation.database import Pool, acquire, open_pool, transaction
from settlement.operations import LEASE_US
from settlement.reconciliation.room import FOR_EVER, books_operations
from settlement.reconciliation.standing import standing
from settlement.steps import want
from settlement.worker import Worker
from tests.books import NOON_US, balances_of, booked
from tests.crashing import Life
from tests.integration.settlement.test_taking_in import Stripe
from tests.reconciling import broken, capture, left_open, txn

# What is killed leaves coroutines that nobody awaits, and complains to nobody.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
FEE = 7
# So many awaits later each time.
EVERY = 2


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="test")
    async with transaction(pool) as connection:
        await want(connection, FOR_EVER, NOON_US)
    yield pool
    pool.terminate()


async def test_killed_anywhere_every_fee_is_booked_once(pool: Pool, database_url: str) -> None:
    stripe, now_us = Stripe(), NOON_US

    async def process(life: Life) -> None:
        mine = await open_pool(database_url, name="dies", max_connections=2)
        life.shuts(mine.terminate)
        stripe.life = life
        operations = books_operations(mine, stripe)  # type: ignore[arg-type]
        await Worker(mine, operations, lambda: now_us).drain()
        mine.terminate()

    killed = last = 0
    lived = False
    while not lived:
        last += 1
        row = txn(last, amount=1_000, fee=FEE, made_at_us=now_us)
        stripe.rows = [row, *stripe.rows]
        async with acquire(pool) as connection:
            await booked(connection, capture(last, 1_000, at_us=now_us))
        life = Life(last * EVERY)
        lived = await life.lived(lambda life=life: process(life))  # type: ignore[misc]
        killed += not lived
        now_us += LEASE_US
    for _ in range(3):
        assert await Life().lived(lambda: process(Life()))
        now_us += LEASE_US
    assert killed > 40
    async with acquire(pool) as connection:
        assert await left_open(connection) == ([], [])
        assert await broken(connection) == {}
        assert (await balances_of(connection))["stripe_fees"] == FEE * last
        assert (await standing(connection, "USD")).agrees
        of_fees = await connection.fetchval("select count(*) from stripe_match")
        assert of_fees == 2 * last
