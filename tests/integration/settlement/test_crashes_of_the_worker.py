"""The worker is killed at each of its awaits: what was called for is written once in the end."""

from collections.abc import AsyncIterator

import pytest

from foundation.database import AnyConnection, Pool, acquire, open_pool, transaction
from settlement.operations import LEASE_US, Again, Operation
from settlement.steps import Wanted, want
from settlement.worker import Worker
from tests.books import NOON_US
from tests.crashing import Life

# What is killed leaves coroutines that nobody awaits, and complains to nobody.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Counted:
    """Takes effect outside once for each key, and wants a second operation."""

    def __init__(self, life: Life, effects: dict[str, int], then: str | None) -> None:
        self._life, self._effects, self._then = life, effects, then

    async def call(self, op: Operation) -> object:
        self._life.check()
        self._effects[op.idempotency_key] = self._effects.get(op.idempotency_key, 0) + 1
        return None

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        self._life.check()
        if self._then:
            await want(connection, [Wanted(operation=self._then, subject=op.subject)], now_us)
        return None


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="test")
    yield pool
    pool.terminate()


async def test_killed_at_each_await_everything_is_done_in_the_end(
    pool: Pool, database_url: str
) -> None:
    effects: dict[str, int] = {}
    now_us = NOON_US

    async def process(life: Life) -> None:
        mine = await open_pool(database_url, name="dies")
        life.shuts(mine.terminate)
        handlers = {
            "first": Counted(life, effects, "second"),
            "second": Counted(life, effects, None),
        }
        await Worker(mine, handlers, lambda: now_us).drain()
        mine.terminate()

    killed = last = 0
    lived = False
    while not lived:
        last += 1
        async with transaction(pool) as connection:
            await want(connection, [Wanted(operation="first", subject=f"S{last}")], now_us)
        life = Life(last)
        lived = await life.lived(lambda life=life: process(life))  # type: ignore[misc]
        killed += not lived
        now_us += LEASE_US
        assert await Life().lived(lambda: process(Life()))
        async with acquire(pool) as connection:
            left = await connection.fetchval(
                "select count(*) from settlement_op where state <> 'DONE'"
            )
            done = await connection.fetchval("select count(*) from settlement_op")
        assert (left, done) == (0, 2 * last), f"killed at await {last}"
    assert killed > 20
    assert set(effects.values()) == {1, 2}, "a call that was killed is made again, no other"
