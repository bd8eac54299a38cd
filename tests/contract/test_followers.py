"""What ``Cursors`` and ``LogFollower`` promise: every event in effect once and in order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from auction.ids import Shard
from auction.ports import EventLog, LoggedEvent
from foundation.follower import Cursors, LogFollower
from tests.contract.batches import batch_of, taken
from tests.contract.conftest import Place
from tests.waiting import until

SHARD = Shard(3)
AGES_S = 3_600.0

AnyCursors = Cursors[Any, LoggedEvent]


class Reader:
    """A handler that remembers, and fails as often as it is told to."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.failures = 0

    async def handle(self, _context: object, rows: Sequence[LoggedEvent]) -> None:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the reader's own fault")
        self.seen += [row.body for row in rows]


@pytest.fixture
async def cursors(place: Place) -> AnyCursors:
    return await place.open_cursors()


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def follower(cursors: AnyCursors, reader: Reader) -> LogFollower[Any, LoggedEvent]:
    return LogFollower("reader", SHARD, reader.handle, cursors)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of three events; nobody looks by itself unless a test lets it."""
    monkeypatch.setattr("foundation.follower.CHUNK", 3)
    monkeypatch.setattr("foundation.follower.POLL_S", AGES_S)
    monkeypatch.setattr("foundation.follower.RETRY_FIRST_S", 0.001)


async def written(log: EventLog, *numbers: int, shard: int = SHARD) -> list[bytes]:
    """Append an event for each number; their bodies."""
    (head,) = await taken(log, shard)
    bodies = [b"%d" % number for number in numbers]
    await log.append(batch_of((head, bodies)))
    return bodies


@asynccontextmanager
async def following(follower: LogFollower[Any, LoggedEvent]) -> AsyncIterator[None]:
    task = asyncio.create_task(follower.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_every_event_is_handled_once_and_in_order(
    log: EventLog, follower: LogFollower[Any, LoggedEvent], reader: Reader
) -> None:
    bodies = await written(log, *range(7))
    assert [await follower.step() for _ in range(4)] == [3, 3, 1, 0]
    assert reader.seen == bodies
    bodies += await written(log, 7, 8)
    assert await follower.step() == 2
    assert reader.seen == bodies


async def test_a_step_that_fails_is_done_again_from_where_it_began(
    log: EventLog, follower: LogFollower[Any, LoggedEvent], reader: Reader
) -> None:
    bodies = await written(log, *range(5))
    await follower.step()
    for reader.failures in (1, 1):
        with pytest.raises(RuntimeError, match="the reader's own fault"):
            await follower.step()
        assert reader.seen == bodies[:3]
    await follower.step()
    assert reader.seen == bodies


async def test_the_cursor_outlives_its_follower(
    log: EventLog,
    place: Place,
    follower: LogFollower[Any, LoggedEvent],
    reader: Reader,
) -> None:
    bodies = await written(log, *range(4))
    await follower.step()
    await LogFollower("reader", SHARD, reader.handle, await place.open_cursors()).step()
    assert reader.seen == bodies


async def test_each_name_and_each_shard_has_a_cursor_of_its_own(
    log: EventLog, cursors: AnyCursors
) -> None:
    bodies = await written(log, 1, 2)
    others = await written(log, 3, shard=4)
    readers = {(name, shard): Reader() for name in ("mail", "board") for shard in (SHARD, 4)}
    for (name, shard), reader in readers.items():
        await LogFollower(name, shard, reader.handle, cursors).step()
        assert reader.seen == (bodies if shard == SHARD else others)


async def test_followers_of_one_name_take_turns(log: EventLog, place: Place) -> None:
    bodies = await written(log, *range(30))
    reader = Reader()
    followers = [
        LogFollower("reader", SHARD, reader.handle, await place.open_cursors()) for _ in range(3)
    ]
    for _ in range(5):
        await asyncio.gather(*(follower.step() for follower in followers))
    assert reader.seen == bodies


async def test_what_the_handler_raises_frees_the_cursor(log: EventLog, place: Place) -> None:
    bodies = await written(log, 1)
    failing, patient = Reader(), Reader()
    failing.failures = 1
    steps = [
        LogFollower("reader", SHARD, reader.handle, await place.open_cursors()).step()
        for reader in (failing, patient)
    ]
    await asyncio.gather(*steps, return_exceptions=True)
    assert failing.seen + patient.seen == bodies


async def test_a_follower_is_woken(
    log: EventLog, follower: LogFollower[Any, LoggedEvent], reader: Reader
) -> None:
    bodies = await written(log, *range(4))
    async with following(follower):
        await until(lambda: reader.seen == bodies)
        bodies += await written(log, 4)
        follower.wake()
        await until(lambda: reader.seen == bodies)


async def test_a_wake_up_during_a_step_is_not_lost(
    log: EventLog, cursors: AnyCursors, reader: Reader
) -> None:
    bodies = await written(log, 1)
    more: list[bytes] = []

    async def handle(context: object, rows: Sequence[LoggedEvent]) -> None:
        await reader.handle(context, rows)
        if not more:
            more.extend(await written(log, 2))
            woken.wake()

    woken = LogFollower("reader", SHARD, handle, cursors)
    async with following(woken):
        await until(lambda: more and reader.seen == bodies + more)


async def test_without_a_wake_up_a_follower_looks_by_itself(
    log: EventLog,
    follower: LogFollower[Any, LoggedEvent],
    reader: Reader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("foundation.follower.POLL_S", 0.01)
    async with following(follower):
        bodies = await written(log, *range(2))
        await until(lambda: reader.seen == bodies)


async def test_who_is_behind_is_known_without_a_step(
    log: EventLog, cursors: AnyCursors, follower: LogFollower[Any, LoggedEvent]
) -> None:
    assert not await cursors.is_behind("reader", SHARD)
    await written(log, 1)
    asked = [cursors.is_behind(name, shard) for name in ("reader", "other") for shard in (SHARD, 4)]
    assert await asyncio.gather(*asked) == [True, False, True, False]
    await follower.step()
    assert not await cursors.is_behind("reader", SHARD)
    assert await cursors.is_behind("other", SHARD)


async def test_a_follower_goes_on_after_failures_by_itself(
    log: EventLog, follower: LogFollower[Any, LoggedEvent], reader: Reader
) -> None:
    bodies = await written(log, *range(4))
    reader.failures = 3
    async with following(follower):
        await until(lambda: reader.seen == bodies)
    assert reader.failures == 0
