"""The engine across Redis: shards on the move, and a Redis that forgets or is away."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from auction.commands import PlaceBid
from auction.ids import Shard
from auction.rejections import Rejection
from auction.wire import replies_entry, reply_of
from softclose.redis_server import RedisServer
from tests.builders import bid, register
from tests.redis_place import (
    COMMANDS,
    LEADING,
    SHARD,
    Place,
    send,
    sent,
)
from tests.redis_rooms import KEYS, emptied
from tests.waiting import turns, until


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for what is lost."""
    monkeypatch.setattr("foundation.redis_client.ANSWER_TIMEOUT_S", 0.7)
    monkeypatch.setattr("foundation.redis_client.BLOCK_MS", 20)
    monkeypatch.setattr("auction.streams.RETRY_FIRST_S", 0.005)
    monkeypatch.setattr("auction.streams.RETRY_MOST_S", 0.02)
    monkeypatch.setattr("auction.streams.COMPARE_EVERY_S", 0.02)
    monkeypatch.setattr("auction.engine_remote.SEND_AGAIN_S", 20.0)


@pytest.fixture
async def place(redis_url: str) -> AsyncIterator[Place]:
    """A gateway's engine on an empty Redis."""
    async with AsyncExitStack() as stack:
        place = Place(redis_url, stack)
        await place.enter()
        yield place


# --- Shards on the move -----------------------------------------------------------------------


async def test_what_was_there_before_the_shard_was_taken_is_not_judged_but_a_bid_knocks_again(
    place: Place,
) -> None:
    mine = await place.in_stream(bid("A", 300_00))
    other = await place.in_stream(register("B"))
    await place.open_door()
    assert (await other).code is Rejection.UNAVAILABLE
    assert await mine == LEADING
    assert [type(command) for command in place.behind.judged] == [PlaceBid]
    assert place.engine.figures.moved >= 2


async def test_what_comes_under_another_epoch_is_turned_away_until_the_door_has_looked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.command_door.LOOK_S", 20.0)
    door = await place.open_door()
    place.owned = {SHARD: 2}
    asked = await place.in_stream(bid("A", 300_00))
    await until(lambda: place.engine.figures.moved)
    assert place.behind.judged == []
    door.look()
    assert await asked == LEADING


async def test_shards_that_are_let_go_are_left_and_those_that_are_taken_are_read(
    place: Place,
) -> None:
    door = await place.open_door()
    other = Shard((SHARD + 8) % 64)
    place.owned = {other: 1}
    door.look()
    await until(lambda: door.reads(other))
    await place.in_stream(bid("A", 300_00))
    await turns()
    assert place.behind.judged == []
    place.owned = {SHARD: 3, other: 1}
    await until(lambda: place.behind.judged)


async def test_a_shard_that_nobody_owns_is_unavailable_in_the_end(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.engine_remote.ANSWER_WITHIN_US", 200_000)
    assert (await place.engine.submit(bid("A", 300_00))).code is Rejection.UNAVAILABLE
    assert place.engine.figures.unanswered == 1


# --- Redis forgets ----------------------------------------------------------------------------


async def test_after_a_flush_commands_and_verdicts_go_on(place: Place) -> None:
    await place.open_door()
    for _ in range(3):
        assert await place.engine.submit(bid("A", 300_00)) == LEADING
        await emptied(place.url)
    assert len(place.behind.judged) == 3


@pytest.mark.parametrize("taken_before", [True, False])
async def test_a_flush_by_a_redis_whose_clock_is_behind_is_noticed(
    place: Place, taken_before: bool
) -> None:
    if taken_before:
        await place.open_door()
    # As if Redis's clock had been ahead: ids go on from there.
    ahead = "99999999999999-0"
    await send(place, sent(place, 1), entry_id=ahead, gateway="another")
    await place.client.execute(
        "XADD", KEYS.replies(place.gateway), ahead, *replies_entry([reply_of(999, LEADING)])
    )
    door = place.door if taken_before else await place.open_door()
    await until(lambda: door.figures.replied and place.engine.figures.received)
    await emptied(place.url)
    assert await place.engine.submit(bid("A", 300_00)) == LEADING


async def test_a_failover_that_lost_the_end_has_nothing_judged_twice(place: Place) -> None:
    door = await place.open_door()
    await place.engine.submit(register("A"))
    copy = await place.client.execute("DUMP", COMMANDS)
    await send(place, sent(place, 1), entry_id="99999999999999-0", gateway="another")
    await until(lambda: door.figures.judged == 2)
    await place.client.execute("RESTORE", COMMANDS, 0, copy, "REPLACE")
    assert await place.engine.submit(bid("A", 300_00)) == LEADING
    assert [type(command).__name__ for command in place.behind.judged] == [
        "RegisterBidder",
        "PlaceBid",
        "PlaceBid",
    ]
    assert door.figures.repeated >= 1


# --- Redis is away ----------------------------------------------------------------------------


async def test_without_redis_it_is_unavailable_in_time_and_then_at_once(
    own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.engine_remote.ANSWER_WITHIN_US", 500_000)
    async with AsyncExitStack() as stack:
        place = Place(own_redis.url, stack)
        await place.enter()
        await place.open_door()
        own_redis.stop()
        async with asyncio.timeout(10):
            assert (await place.engine.submit(bid("A", 300_00))).code is Rejection.UNAVAILABLE
            await until(lambda: not place.engine.reachable)
            assert (await place.engine.submit(bid("A", 300_00))).code is Rejection.UNAVAILABLE
        assert place.engine.figures.sent == 1
        await own_redis.start()
        await until(lambda: place.engine.reachable)
        monkeypatch.setattr("auction.engine_remote.ANSWER_WITHIN_US", 20_000_000)
        assert await place.engine.submit(bid("A", 300_00)) == LEADING


async def test_a_redis_that_hangs_keeps_nobody_beyond_the_deadline(
    own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.engine_remote.ANSWER_WITHIN_US", 300_000)
    async with AsyncExitStack() as stack:
        place = Place(own_redis.url, stack)
        await place.enter()
        await place.open_door()
        os.kill(own_redis.pid, signal.SIGSTOP)
        async with asyncio.timeout(10):
            assert (await place.engine.submit(bid("A", 300_00))).code is Rejection.UNAVAILABLE
        place.clock.tick(300_000)
        os.kill(own_redis.pid, signal.SIGCONT)
        monkeypatch.setattr("auction.engine_remote.ANSWER_WITHIN_US", 20_000_000)
        await until(lambda: place.engine.reachable)
        later = bid("A", 400_00)
        await until(lambda: place.engine.reachable)
        assert await place.engine.submit(later) == LEADING
        assert place.behind.judged == [later]


async def test_what_redis_refuses_is_told_at_once(place: Place) -> None:
    await place.client.execute("SET", COMMANDS, "no stream")
    async with asyncio.timeout(5):
        assert (await place.engine.submit(bid("A", 300_00))).code is Rejection.UNAVAILABLE
