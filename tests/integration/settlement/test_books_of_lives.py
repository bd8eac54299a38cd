"""Whole lives of invoices, as settlement books them, match Stripe's books to the last entry."""

import pytest

from foundation.database import acquire, transaction
from settlement.reconciliation.intake import TAKE_IN
from settlement.reconciliation.matching import GRACE_US
from settlement.reconciliation.room import FOR_EVER, books_operations
from settlement.reconciliation.standing import ledger_sum_minor, standing
from settlement.steps import want
from settlement.worker import Worker
from tests.crash_points.course import Paid
from tests.crash_points.life import play
from tests.crash_points.turns import Turn
from tests.crash_points.world import Mortal, World, house, world
from tests.reconciling import broken, left_open

# The last is a buyer who never pays.
WAYS = (Paid.CARD, Paid.BANK, Paid.BANK_IN_PARTS, Paid.DECLINED_FIRST, Paid.DEBIT, Paid.NEVER)


@pytest.mark.timeout(300)
async def test_nothing_that_settlement_books_is_an_exception(database_url: str) -> None:
    async with world(database_url) as all_of_it:
        await house(all_of_it)
        for seed, way in enumerate(WAYS, start=1):
            mortal = Mortal(None)
            await play(all_of_it, seed, mortal, troubled=False, way=way, turn=Turn())
        await _reconciled(all_of_it)
        async with acquire(all_of_it.people.pool) as connection:
            assert await broken(connection) == {}
            assert await left_open(connection) == ([], [])
            now = await standing(connection, "USD")
            assert now.agrees
            assert now.transactions > 15
            assert await ledger_sum_minor(connection, "USD") == 0


async def _reconciled(all_of_it: World) -> None:
    pool = all_of_it.people.pool
    async with transaction(pool) as connection:
        await want(connection, FOR_EVER, all_of_it.now_us())
    operations = books_operations(pool, all_of_it.gateway)
    assert set(operations) == {TAKE_IN, "reconcile"}
    worker = Worker(pool, operations, all_of_it.now_us)
    await worker.drain()
    all_of_it.engine.move(2 * GRACE_US // 1_000_000)
    await worker.drain()
    all_of_it.engine.move(60)
    await worker.drain()
