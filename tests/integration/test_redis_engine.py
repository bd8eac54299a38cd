"""The engine across Redis: there and back, what is lost, late, doubled or unreadable on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from auction.commands import Command
from auction.ids import Shard
from auction.rejections import Rejection
from auction.verdicts import Acceptance, Verdict
from auction.wire import MOVED, Reply, Sent, encode_command, reply_of
from tests.builders import bid, register, schedule
from tests.redis_place import (
    COMMANDS,
    LEADING,
    SHARD,
    TOO_LOW,
    Place,
    answer,
    send,
    sent,
)
from tests.redis_rooms import KEYS
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


# --- There and back ---------------------------------------------------------------------------


async def test_commands_arrive_as_they_were_sent_and_in_order(place: Place) -> None:
    await place.open_door()
    commands: list[Command] = [schedule(), register("A"), *(bid("A", n + 1) for n in range(200))]
    verdicts = await asyncio.gather(*map(place.engine.submit, commands))
    assert place.behind.judged == commands
    assert set(verdicts) == {LEADING}


async def test_each_sender_gets_its_own_verdict(place: Place) -> None:
    await place.open_door()
    bids = [bid("A", n + 1) for n in range(100)]
    given = [Verdict(Acceptance.LEADING, sequence=n) for n in range(100)]
    place.behind.answers.extend(given)
    assert await asyncio.gather(*map(place.engine.submit, bids)) == given


async def test_a_bid_goes_through_a_cluster(redis_cluster_url: str) -> None:
    async with AsyncExitStack() as stack:
        place = Place(redis_cluster_url, stack)
        await place.enter()
        place.owned = {Shard(shard): 1 for shard in range(64)}
        await place.open_door()
        assert await place.engine.submit(bid("A", 300_00)) == LEADING


async def test_nothing_is_kept_of_what_was_answered_or_cancelled(place: Place) -> None:
    door = await place.open_door()
    await place.engine.submit(bid("A", 300_00))
    place.behind.gate.close()
    asked = place.submitted(bid("A", 400_00))
    await until(lambda: len(place.behind.judged) == 2)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    assert (place.engine._pending, place.engine._waiting) == ({}, 0)
    place.behind.gate.open()
    await until(lambda: not door._judging)


# --- Lost, late, doubled ----------------------------------------------------------------------


async def test_a_bid_whose_reply_is_lost_is_sent_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.engine_remote.SEND_AGAIN_S", 0.02)
    await place.open_door()
    place.doors.losing = 1
    mine = bid("A", 300_00)
    assert await place.engine.submit(mine) == LEADING
    assert set(place.behind.judged) == {mine}
    assert len(place.behind.judged) > 1


async def test_another_command_whose_reply_is_lost_is_judged_once_and_unavailable_in_the_end(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.engine_remote.SEND_AGAIN_S", 0.02)
    monkeypatch.setattr("auction.engine_remote.ANSWER_WITHIN_US", 300_000)
    await place.open_door()
    place.doors.losing = 1
    assert (await place.engine.submit(register("A"))).code is Rejection.UNAVAILABLE
    assert len(place.behind.judged) == 1


async def test_a_refusal_of_an_earlier_copy_does_not_count(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.engine_remote.SEND_AGAIN_S", 0.05)
    asked = await place.in_stream(bid("A", 300_00))
    await until(lambda: place.engine.figures.sent == 2)
    monkeypatch.setattr("auction.engine_remote.SEND_AGAIN_S", 20.0)
    await answer(place, reply_of(1, TOO_LOW))
    await until(lambda: place.engine.figures.received == 1)
    assert not asked.done()
    numbers = place.engine.figures.sent
    await answer(place, reply_of(numbers, TOO_LOW))
    assert await asked == TOO_LOW


async def test_an_acceptance_of_an_earlier_copy_counts(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.engine_remote.SEND_AGAIN_S", 0.05)
    asked = await place.in_stream(bid("A", 300_00))
    await until(lambda: place.engine.figures.sent == 2)
    await answer(place, reply_of(1, LEADING))
    assert await asked == LEADING


async def test_replies_that_nobody_waits_for_are_passed_over(place: Place) -> None:
    door = await place.open_door()
    await answer(place, reply_of(1, TOO_LOW), reply_of(999, TOO_LOW))
    await until(lambda: place.engine.figures.received == 2)
    first = await place.engine.submit(bid("A", 300_00))
    await answer(place, reply_of(1, TOO_LOW), reply_of(1, LEADING))
    second = await place.engine.submit(bid("A", 400_00))
    assert (first, second, door.figures.replied) == (LEADING, LEADING, 2)


async def test_a_copy_of_an_entry_is_judged_once(place: Place) -> None:
    door = await place.open_door()
    one, two = sent(place, 1), sent(place, 2)
    await send(place, one)
    await send(place, one, two)
    await send(place, two)
    await until(lambda: door.figures.repeated == 2)
    assert len(place.behind.judged) == 2


async def test_what_waited_too_long_is_unavailable_and_never_judged(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.engine_remote.ANSWER_WITHIN_US", 200_000)
    door = await place.open_door()
    place.doors.gate.close()
    assert (await place.engine.submit(bid("A", 300_00))).code is Rejection.UNAVAILABLE
    place.clock.tick(200_000)
    place.doors.gate.open()
    await until(lambda: door.figures.expired)
    assert place.behind.judged == []


async def test_just_before_its_deadline_it_is_judged(place: Place) -> None:
    door = await place.open_door()
    place.doors.gate.close()
    asked = await place.in_stream(bid("A", 300_00))
    place.clock.tick(4_999_999)
    place.doors.gate.open()
    assert await asked == LEADING
    assert door.figures.expired == 0


# --- Bounds -----------------------------------------------------------------------------------


async def test_busy_comes_from_either_side_and_passes_through(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.command_door.MAX_JUDGING", 2)
    monkeypatch.setattr("auction.engine_remote.MAX_PENDING", 3)
    door = await place.open_door()
    place.behind.gate.close()
    under_way = [place.submitted(bid("A", n + 1)) for n in range(2)]
    await until(lambda: len(place.behind.judged) == 2)
    assert (await place.engine.submit(bid("A", 3))).code is Rejection.BUSY, "the door"
    place.doors.gate.close()
    under_way.append(place.submitted(bid("A", 3)))
    await turns()
    assert (await place.engine.submit(bid("A", 4))).code is Rejection.BUSY, "the gateway"
    place.behind.gate.open()
    await until(lambda: not door._judging)
    place.doors.gate.open()
    assert set(await asyncio.gather(*under_way)) == {LEADING}


async def test_a_gateway_that_dies_leaves_nothing_that_grows(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.command_door.KEPT_ENTRIES", 10)
    monkeypatch.setattr("auction.command_door.MAX_ENTRY_REPLIES", 1)
    door = await place.open_door()
    for first in range(1, 1_001, 50):
        some = [sent(place, number) for number in range(first, first + 50)]
        await send(place, *some, gateway="a dead one")
    await until(lambda: door.figures.replied == 1_000 and not door._unsent)
    await place.engine.submit(bid("A", 300_00))
    key = KEYS.replies("a dead one")
    assert 0 < await place.client.execute("TTL", key) <= 60
    assert await place.client.execute("XLEN", key) < 150, "a node of the stream is a hundred"
    place.clock.tick(5_000_000)
    await until(lambda: not door._taken[SHARD].highest)


async def test_commands_that_nobody_reads_are_bounded(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.engine_remote.KEPT_ENTRIES", 10)
    monkeypatch.setattr("auction.engine_remote.MAX_ENTRY_COMMANDS", 1)
    asked = [place.submitted(bid("A", n + 1)) for n in range(1_000)]
    await until(lambda: not place.engine._outbox)
    await place.in_stream(bid("A", 5_000))
    assert await place.entries() < 150, "a node of the stream is a hundred"
    for task in asked:
        task.cancel()


# --- What cannot be read ----------------------------------------------------------------------


async def test_what_another_version_sent_is_passed_over(place: Place) -> None:
    door = await place.open_door()
    await place.client.execute("XADD", COMMANDS, "*", "v", "99", "g", "new", "b", "what")
    await place.client.execute("XADD", COMMANDS, "*", "v", "1", "g", "new", "b", b"\x93\xc1")
    await place.client.execute("XADD", KEYS.replies(place.gateway), "*", "v", "99", "b", "what")
    assert await place.engine.submit(bid("A", 300_00)) == LEADING
    assert (door.figures.unreadable, place.engine.figures.unreadable) == (2, 1)


async def test_a_command_that_is_not_known_or_out_of_shape_is_invalid(place: Place) -> None:
    door = await place.open_door()
    wrong = encode_command(bid("A", 0))
    deadline_us = place.clock.now_us() + 1_000_000
    await send(place, Sent(1, deadline_us, "Dance", wrong), Sent(2, deadline_us, "PlaceBid", wrong))
    await until(lambda: door.figures.replied == 2)
    assert place.behind.judged == []


async def test_a_verdict_of_a_code_to_come_leaves_the_sender_with_no_answer(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.engine_remote.ANSWER_WITHIN_US", 200_000)
    asked = await place.in_stream(bid("A", 300_00))
    await answer(place, Reply(1, "NEWLY_REFUSED"), Reply(2, MOVED))
    assert (await asked).code is Rejection.UNAVAILABLE
    assert place.engine.figures.unreadable == 1
