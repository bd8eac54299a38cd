"""What gets nowhere is in the staff's queue, whichever way it gets nowhere."""

import pytest

from foundation.database import AnyConnection, open_pool, transaction
from settlement.operations import HOUR_US, SECOND_US, Again, Deadline, Operation
from settlement.queue import Queue, Waiting
from settlement.steps import Wanted, want
from settlement.worker import Worker
from tests.manual_clock import ManualClock


class ComesAgain(Deadline):
    """Never has what it waits for."""

    def __init__(self, every_us: int) -> None:
        self._every_us = every_us

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again:
        return Again(now_us + self._every_us)


@pytest.mark.parametrize(
    ("operation", "every_us", "waiting"),
    [
        ("capture", 60 * SECOND_US, 1),
        ("reconcile", 60 * SECOND_US, 0),
        ("release", HOUR_US, 0),
    ],
)
async def test_what_comes_again_and_again_waits_for_a_person_but_for_what_is_meant_to(
    database_url: str, operation: str, every_us: int, waiting: int
) -> None:
    clock = ManualClock()
    pool = await open_pool(database_url, name="test", max_connections=2)
    queue = Queue(pool, clock.now_us)
    worker = Worker(pool, {operation: ComesAgain(every_us)}, clock.now_us)
    async with transaction(pool) as connection:
        await want(connection, [Wanted(operation=operation, subject="S1~acme")], clock.now_us())
    for minute in range(70):
        await worker.drain()
        if minute == 30:
            assert (await queue.page()).total == 0
        clock.tick(60 * SECOND_US)
    page = await queue.page()
    assert page.counts.get(Waiting.STUCK, 0) == waiting
    assert all("again and again" in item.words for item in page.items)
    pool.terminate()


async def test_what_was_never_done_is_late_and_not_said_to_come_again(database_url: str) -> None:
    clock = ManualClock()
    pool = await open_pool(database_url, name="test", max_connections=2)
    queue = Queue(pool, clock.now_us)
    async with transaction(pool) as connection:
        await want(connection, [Wanted(operation="release", subject="S1~1")], clock.now_us())
    clock.tick(HOUR_US + 1)
    (item,) = (await queue.page()).items
    assert item.kind is Waiting.STUCK and item.words == "Its time has passed, and it is not done."
    pool.terminate()
