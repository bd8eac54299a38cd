"""What is to be done is done once, whatever is lost; what cannot be decided waits for a person."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from foundation.database import AnyConnection, Pool, acquire, open_pool, transaction
from settlement.operations import (
    HOUR_US,
    LEASE_US,
    MAX_NOTE,
    PAUSE_FIRST_US,
    Again,
    NeedsPerson,
    Operation,
    Refused,
    Unknown,
    release,
)
from settlement.steps import Wanted, want
from settlement.worker import AT_ONCE, Worker
from tests.books import NOON_US
from tests.waiting import turns, until

ASK = Wanted(operation="ask", subject="S1~acme~1", arguments={"amount_minor": 5})


class Clock:
    """Stands until a test moves it."""

    def __init__(self) -> None:
        self.now_us = NOON_US

    def __call__(self) -> int:
        return self.now_us


class Asking:
    """A handler that notes what it was asked, and answers as it was told to."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.raised: list[Exception] = []
        self.calls: list[Operation] = []
        self.settled: list[object] = []
        self.before_settling: Callable[[AnyConnection], Awaitable[None]] | None = None
        self.again: Again | None = None

    async def call(self, op: Operation) -> object:
        self.calls.append(op)
        answer = self.answers.pop(0) if self.answers else "yes"
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            answer = self.raised.pop(0) if self.raised else "yes"
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        if self.before_settling is not None:
            await self.before_settling(connection)
        self.settled.append(answer)
        again, self.again = self.again, None
        return again


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="test", max_connections=8)
    yield pool
    pool.terminate()


async def wanted(pool: Pool, *operations: Wanted) -> None:
    async with transaction(pool) as connection:
        await want(connection, operations, NOON_US)


async def row(pool: Pool, **more: Any) -> dict[str, Any]:
    async with acquire(pool) as connection:
        found = await connection.fetch("select * from settlement_op order by op_id")
    (only,) = found
    return dict(only)


async def test_an_operation_is_done_once_however_often_it_is_wanted(pool: Pool) -> None:
    asking, clock = Asking(), Clock()
    worker = Worker(pool, {"ask": asking}, clock)
    await wanted(pool, ASK, ASK)
    assert await worker.drain() == 1
    await wanted(pool, ASK)
    assert await worker.drain() == 0
    assert [op.idempotency_key for op in asking.calls] == ["ask:S1~acme~1:1"]
    assert asking.calls[0].arguments == {"amount_minor": 5}
    assert asking.settled == ["yes"]
    assert (await row(pool))["state"] == "DONE"


async def test_what_is_not_due_waits(pool: Pool) -> None:
    asking, clock = Asking(), Clock()
    worker = Worker(pool, {"ask": asking}, clock)
    await wanted(pool, Wanted(operation="ask", subject="a", due_at_us=NOON_US + 1))
    assert await worker.drain() == 0
    clock.now_us += 1
    assert await worker.drain() == 1


async def test_a_lost_answer_is_asked_for_again_under_the_same_key_after_a_pause(
    pool: Pool,
) -> None:
    asking, clock = Asking(Unknown("no answer"), ConnectionError("gone")), Clock()
    worker = Worker(pool, {"ask": asking}, clock)
    await wanted(pool, ASK)
    assert await worker.drain() == 1
    assert (await row(pool))["note"] == "no answer"
    clock.now_us += PAUSE_FIRST_US - 1
    assert await worker.drain() == 0
    clock.now_us += 1
    assert await worker.drain() == 1
    clock.now_us += 2 * PAUSE_FIRST_US
    assert await worker.drain() == 1
    assert len({op.idempotency_key for op in asking.calls}) == 1
    assert asking.settled == ["yes"]


async def test_a_no_is_an_answer(pool: Pool) -> None:
    no = Refused("card_declined", "No.", decline_code="insufficient_funds")
    asking = Asking(no)
    await wanted(pool, ASK)
    await Worker(pool, {"ask": asking}, Clock()).drain()
    assert asking.settled == [no]
    assert (await row(pool))["state"] == "DONE"


@pytest.mark.parametrize("error", [NeedsPerson("two fit"), ValueError("a defect")])
async def test_what_cannot_be_decided_is_held_with_its_words_until_a_person_lets_it_go(
    pool: Pool, error: Exception
) -> None:
    asking, clock = Asking(error), Clock()
    worker = Worker(pool, {"ask": asking}, clock)
    await wanted(pool, ASK)
    await worker.drain()
    held = await row(pool)
    assert (held["state"], held["note"]) == ("HELD", str(error))
    clock.now_us += HOUR_US
    assert await worker.drain() == 0
    async with acquire(pool) as connection:
        assert await release(connection, held["op_id"], clock.now_us)
        assert not await release(connection, held["op_id"], clock.now_us)
    assert await worker.drain() == 1
    assert asking.settled == ["yes"]


async def test_a_result_that_is_not_written_leaves_nothing_and_is_written_again(
    pool: Pool,
) -> None:
    asking, clock = Asking(), Clock()

    async def writes_and_fails(connection: AnyConnection) -> None:
        await want(connection, [Wanted(operation="next", subject="b")], NOON_US)
        asking.before_settling = None
        raise ConnectionError("the database is gone")

    asking.before_settling = writes_and_fails
    worker = Worker(pool, {"ask": asking}, clock)
    await wanted(pool, ASK)
    await worker.drain()
    assert (await row(pool))["state"] == "WAITING"
    clock.now_us += PAUSE_FIRST_US
    await worker.drain()
    assert len(asking.calls) == 2
    assert asking.settled == ["yes"]


@pytest.mark.parametrize(
    "ended",
    [
        asyncpg.ConnectionDoesNotExistError,
        asyncpg.AdminShutdownError,
        asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError,
        asyncpg.DeadlockDetectedError,
        asyncpg.LockNotAvailableError,
        asyncpg.SerializationError,
        asyncpg.QueryCanceledError,
        asyncpg.InterfaceError,
        TimeoutError,
    ],
)
async def test_what_the_database_does_not_do_this_time_is_no_matter_for_a_person(
    pool: Pool, ended: type[Exception]
) -> None:
    asking, clock = Asking(), Clock()

    async def is_ended(connection: AnyConnection) -> None:
        asking.before_settling = None
        raise ended("not this time")

    asking.before_settling = is_ended
    worker = Worker(pool, {"ask": asking}, clock)
    await wanted(pool, ASK)
    await worker.drain()
    assert (await row(pool))["state"] == "WAITING"
    clock.now_us += PAUSE_FIRST_US
    await worker.drain()
    assert asking.settled == ["yes"]


async def test_of_two_workers_one_does_it(pool: Pool) -> None:
    asking, clock = Asking(), Clock()
    workers = [Worker(pool, {"ask": asking}, clock) for _ in range(4)]
    await wanted(pool, *(Wanted(operation="ask", subject=f"S{n}") for n in range(40)))
    await asyncio.gather(*(worker.drain() for worker in workers))
    assert sorted(op.subject for op in asking.calls) == sorted(f"S{n}" for n in range(40))


async def test_who_sleeps_beyond_its_lease_writes_nothing(pool: Pool) -> None:
    held = asyncio.Event()
    asking, clock = Asking(held, "second"), Clock()
    first, second = (Worker(pool, {"ask": asking}, clock) for _ in range(2))
    await wanted(pool, ASK)
    sleeping = asyncio.create_task(first.drain())
    await until(lambda: asking.calls)
    clock.now_us += LEASE_US
    assert await second.drain() == 1
    held.set()
    await sleeping
    assert asking.settled == ["second"]


async def test_who_sleeps_beyond_its_lease_writes_nothing_while_another_is_at_it(
    pool: Pool,
) -> None:
    naps = [asyncio.Event(), asyncio.Event()]
    asking, clock = Asking(*naps), Clock()
    first, second = (Worker(pool, {"ask": asking}, clock) for _ in range(2))
    await wanted(pool, ASK)
    sleeping = asyncio.create_task(first.drain())
    await until(lambda: asking.calls)
    clock.now_us += LEASE_US
    other = asyncio.create_task(second.drain())
    await until(lambda: len(asking.calls) == 2)
    naps[0].set()
    await sleeping
    assert asking.settled == []
    naps[1].set()
    await other
    assert asking.settled == ["yes"]


@pytest.mark.parametrize("error", [Unknown("no answer"), NeedsPerson("two fit")])
async def test_who_fails_beyond_its_lease_leaves_it_to_whoever_is_at_it(
    pool: Pool, error: Exception
) -> None:
    nap, other = asyncio.Event(), asyncio.Event()
    asking, clock = Asking(nap, other), Clock()
    asking.raised = [error]
    first, second = (Worker(pool, {"ask": asking}, clock) for _ in range(2))
    await wanted(pool, ASK)
    sleeping = asyncio.create_task(first.drain())
    await until(lambda: asking.calls)
    clock.now_us += LEASE_US
    working = asyncio.create_task(second.drain())
    await until(lambda: len(asking.calls) == 2)
    leased = await row(pool)
    nap.set()
    await sleeping
    assert await row(pool) == leased
    other.set()
    await working
    assert asking.settled == ["yes"]


async def test_pauses_double_up_to_five_minutes_and_a_note_has_its_length(pool: Pool) -> None:
    asking, clock = Asking(*(Unknown("no" * MAX_NOTE) for _ in range(12))), Clock()
    worker = Worker(pool, {"ask": asking}, clock)
    await wanted(pool, ASK)
    pauses = []
    for _ in range(12):
        assert await worker.drain() == 1
        found = await row(pool)
        pauses.append((found["due_at_us"] - clock.now_us) // 1_000_000)
        clock.now_us = found["due_at_us"]
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert len(found["note"]) == MAX_NOTE
    asking.answers = [NeedsPerson("no" * MAX_NOTE)]
    await worker.drain()
    held = await row(pool)
    assert (held["state"], len(held["note"])) == ("HELD", MAX_NOTE)


async def test_of_more_than_can_be_done_at_once_the_longest_due_comes_first(pool: Pool) -> None:
    asking, clock = Asking(), Clock()
    due = [NOON_US - place for place in range(2 * AT_ONCE)]
    await wanted(
        pool,
        *(Wanted(operation="ask", subject=f"S{us}", due_at_us=us) for us in due),
    )
    await Worker(pool, {"ask": asking}, clock).drain()
    first = {op.subject for op in asking.calls[:AT_ONCE]}
    assert first == {f"S{us}" for us in sorted(due)[:AT_ONCE]}


async def test_operations_of_one_subject_are_done_one_after_the_other(pool: Pool) -> None:
    held = asyncio.Event()
    asking, clock = Asking(held), Clock()
    worker = Worker(pool, {"ask": asking}, clock)
    await wanted(pool, ASK)
    running = asyncio.create_task(worker.run())
    await until(lambda: asking.calls)
    await wanted(pool, Wanted(operation="ask", subject=ASK.subject, generation=2))
    worker.ring()
    await wanted(pool, Wanted(operation="ask", subject="another"))
    worker.ring()
    await until(lambda: len(asking.calls) == 2)
    await turns()
    assert [op.subject for op in asking.calls] == [ASK.subject, "another"]
    held.set()
    await until(lambda: len(asking.settled) == 3)
    running.cancel()


async def test_an_operation_that_comes_again_is_a_new_first_attempt(pool: Pool) -> None:
    asking, clock = Asking(), Clock()
    asking.again = Again(NOON_US + HOUR_US)
    worker = Worker(pool, {"ask": asking}, clock)
    await wanted(pool, ASK)
    await worker.drain()
    clock.now_us += HOUR_US
    await worker.drain()
    assert [(op.attempts, op.first_sent_at_us) for op in asking.calls] == [
        (1, NOON_US),
        (1, NOON_US + HOUR_US),
    ]


async def test_after_23_hours_a_call_is_not_sent_again_blindly(pool: Pool) -> None:
    asking, clock = Asking(Unknown("no answer")), Clock()
    worker = Worker(pool, {"ask": asking}, clock)
    await wanted(pool, ASK)
    await worker.drain()
    clock.now_us += 23 * HOUR_US
    await worker.drain()
    assert asking.calls[0].may_send(NOON_US)
    assert not asking.calls[1].may_send(clock.now_us)


async def test_kinds_that_a_worker_does_not_know_are_left_to_those_who_do(pool: Pool) -> None:
    await wanted(pool, ASK)
    assert await Worker(pool, {"other": Asking()}, Clock()).drain() == 0
    assert (await row(pool))["attempts"] == 0
