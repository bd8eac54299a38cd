"""The bus through a Redis that is slow, away, flushed, or has lost its end."""

import os
import signal

import pytest
from msgspec.structs import replace

from auction.ids import Shard, shard_of
from auction.log_memory import MemoryLog
from auction.wire import events_entry
from bidder_gateway.hub import Hub
from foundation.redis_client import RedisClient
from softclose.redis_server import RedisServer
from tests.builders import SALE
from tests.contract.batches import sale_in
from tests.links import store
from tests.redis_rooms import KEYS, Ear, connected, happenings, listening, redis_bus
from tests.waiting import turns, until

SHARD = shard_of(SALE)
KEY = KEYS.events(SHARD)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a Redis that is away."""
    monkeypatch.setattr("foundation.redis_client.ANSWER_TIMEOUT_S", 0.7)
    monkeypatch.setattr("foundation.redis_client.BLOCK_MS", 50)
    monkeypatch.setattr("auction.streams.RETRY_FIRST_S", 0.005)
    monkeypatch.setattr("auction.streams.RETRY_MOST_S", 0.02)
    monkeypatch.setattr("auction.streams.COMPARE_EVERY_S", 0.05)


async def added(client: RedisClient, first: int, last: int) -> None:
    """Put events into the stream as a publisher does."""
    events = happenings(last)[first - 1 :]
    await client.execute("XADD", KEY, f"{last}-0", *events_entry(events))


async def test_what_a_batch_lost_the_answer_to_is_in_the_stream_once(redis_url: str) -> None:
    events = happenings(6)
    async with listening(redis_url) as (_, ear), redis_bus(redis_url) as bus:
        for repeat in (events[:3], events[:3], events[3:], events[1:3]):
            bus.publish(SHARD, repeat)
        await until(lambda: bus.figures.published + bus.figures.repeated == 11)
        await ear.until_at(SHARD, 6)
        assert ear.positions(SHARD) == [1, 2, 3, 4, 5, 6]


async def test_of_an_entry_that_was_heard_in_part_the_rest_is_told(redis_url: str) -> None:
    async with connected(redis_url) as client, listening(redis_url) as (_, ear):
        await added(client, 1, 3)
        await ear.until_at(SHARD, 3)
        await added(client, 2, 5)
        await ear.until_at(SHARD, 5)
        assert ear.positions(SHARD) == [1, 2, 3, 4, 5]


async def test_who_listens_later_hears_what_comes_from_then_on(redis_url: str) -> None:
    events = happenings(6)
    async with redis_bus(redis_url) as bus:
        bus.publish(SHARD, events[:3])
        await until(lambda: bus.figures.published == 3)
        async with listening(redis_url) as (_, ear):
            bus.publish(SHARD, events[3:])
            await ear.until_at(SHARD, 6)
            assert ear.positions(SHARD) == [4, 5, 6]


async def test_a_redis_that_is_away_blocks_nobody_and_hears_it_all_when_it_is_back(
    own_redis: RedisServer,
) -> None:
    events = happenings(20)
    async with listening(own_redis.url) as (_, ear), redis_bus(own_redis.url) as bus:
        bus.publish(SHARD, events[:3])
        await ear.until_at(SHARD, 3)
        own_redis.stop()
        for event in events[3:]:
            bus.publish(SHARD, [event])
            await turns(3)
        await own_redis.start()
        await ear.until_at(SHARD, 20)
        assert ear.positions(SHARD) == list(range(1, 21))


async def test_a_redis_that_hangs_blocks_nobody_and_hears_it_all_when_it_goes_on(
    own_redis: RedisServer,
) -> None:
    events = happenings(20)
    async with listening(own_redis.url) as (_, ear), redis_bus(own_redis.url) as bus:
        bus.publish(SHARD, events[:3])
        await ear.until_at(SHARD, 3)
        os.kill(own_redis.pid, signal.SIGSTOP)
        for event in events[3:]:
            bus.publish(SHARD, [event])
            await turns(3)
        os.kill(own_redis.pid, signal.SIGCONT)
        await ear.until_at(SHARD, 20)
        assert ear.positions(SHARD) == list(range(1, 21))


async def test_beyond_the_bound_the_oldest_is_dropped_and_the_gap_is_seen(
    own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.bus_redis.MAX_QUEUED", 5)
    monkeypatch.setattr("auction.bus_redis.MAX_SENT_EVENTS", 1)
    events = happenings(20)
    async with listening(own_redis.url) as (_, ear), redis_bus(own_redis.url) as bus:
        bus.publish(SHARD, events[:1])
        await ear.until_at(SHARD, 1)
        own_redis.stop()
        for event in events[1:]:
            bus.publish(SHARD, [event])
        assert bus.figures.dropped == 14
        await own_redis.start()
        await ear.until_at(SHARD, 20)
        assert ear.positions(SHARD) == [1, 16, 17, 18, 19, 20]


async def test_a_flush_loses_nothing_that_comes_after_it(redis_url: str) -> None:
    events = happenings(9)
    async with (
        connected(redis_url) as client,
        listening(redis_url) as (_, ear),
        redis_bus(redis_url) as bus,
    ):
        bus.publish(SHARD, events[:3])
        await ear.until_at(SHARD, 3)
        await client.execute("FLUSHALL")
        bus.publish(SHARD, events[3:6])
        await ear.until_at(SHARD, 6)
        await client.execute("FLUSHALL")
        bus.publish(SHARD, events[6:])
        await ear.until_at(SHARD, 9)
        assert ear.positions(SHARD) == list(range(1, 10))


async def test_a_failover_that_lost_the_end_repeats_nothing_and_goes_on(redis_url: str) -> None:
    async with connected(redis_url) as client, listening(redis_url) as (_, ear):
        await added(client, 1, 3)
        copy = await client.execute("DUMP", KEY)
        await added(client, 4, 6)
        await ear.until_at(SHARD, 6)
        await client.execute("RESTORE", KEY, 0, copy, "REPLACE")
        await added(client, 7, 8)
        await ear.until_at(SHARD, 8)
        assert ear.positions(SHARD) == list(range(1, 9))


async def test_a_stream_keeps_a_bounded_part(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.bus_redis.KEPT_EVENTS", 10)
    monkeypatch.setattr("auction.bus_redis.MAX_ENTRY_EVENTS", 1)
    async with connected(redis_url) as client, redis_bus(redis_url) as bus:
        for event in happenings(1_000):
            bus.publish(SHARD, [event])
        await until(lambda: bus.figures.published == 1_000)
        assert await client.execute("XLEN", KEY) < 150, "a node of the stream is a hundred"


async def test_an_entry_that_cannot_be_read_is_a_gap_and_no_listener_is_dropped(
    redis_url: str,
) -> None:
    newer = replace(happenings(4)[-1], public=b"\x81\xa4type\xa8NewEvent", hash=bytes(32))
    decoding = Ear()

    def decode(shard: Shard, recorded: object) -> None:
        decoding.hear(shard, list(recorded))  # type: ignore[call-overload]

    async with connected(redis_url) as client, listening(redis_url) as (bus, ear):
        bus.listen(decode)
        await added(client, 1, 1)
        await client.execute("XADD", KEY, "2-0", "v", "99", "b", "what is new")
        await client.execute("XADD", KEY, "3-0", "v", "1", "first", 3, "b", b"\x93\xc1")
        await client.execute("XADD", KEY, "4-0", *events_entry([newer]))
        events = happenings(5)
        await client.execute("XADD", KEY, "5-0", *events_entry(events[4:]))
        await decoding.until_at(SHARD, 5)
        assert decoding.positions(SHARD) == [1, 5]
        assert bus.figures.unreadable == 3
        assert [len(batch) for _, batch in ear.batches] == [1, 1, 1]


async def test_who_is_only_woken_has_nothing_decoded(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[Shard] = []
    monkeypatch.setattr("auction.wire.decode_body", None)
    async with redis_bus(redis_url) as bus:
        bus.listen(lambda shard, _: woken.append(shard))
        await until(lambda: bus.hears)
        bus.publish(SHARD, happenings(3))
        await until(lambda: woken)
        assert woken == [SHARD]


async def test_a_bus_without_listeners_reads_nothing(redis_url: str) -> None:
    async with connected(redis_url) as client, redis_bus(redis_url) as bus:
        bus.publish(SHARD, happenings(1))
        await until(lambda: bus.figures.published)
        assert b" cmd=xread " not in await client.execute("CLIENT", "LIST")


async def test_a_hub_reads_in_the_log_what_redis_lost(redis_url: str) -> None:
    events, log = happenings(12), MemoryLog()
    async with redis_bus(redis_url) as publisher, redis_bus(redis_url) as bus:
        hub = Hub(log)
        bus.listen(hub.hear)
        await until(lambda: bus.hears)
        for event in events[:5]:
            store(log, event)
        feed = await hub.feed(SALE)
        assert feed is not None
        for heard, missed in ((events[5:7], []), (events[10:], events[7:10])):
            for event in [*missed, *heard]:
                store(log, event)
            publisher.publish(SHARD, heard)
            await until(lambda last=heard[-1]: feed.sequence == last.sequence)  # type: ignore[misc]
        assert hub.figures.events_missed == 1
        await hub.close()


async def test_of_sales_that_nobody_watches_a_hub_has_nothing_decoded(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sale_in(SHARD)
    monkeypatch.setattr("auction.wire.decode_body", None)
    async with redis_bus(redis_url) as publisher, redis_bus(redis_url) as bus:
        hub, woken = Hub(MemoryLog()), Ear()
        bus.listen(hub.hear)
        bus.listen(woken.hear)
        await until(lambda: bus.hears)
        publisher.publish(SHARD, happenings(5, other))
        await until(lambda: woken.batches)
        publisher.publish(SHARD, happenings(9, other)[5:])
        await until(lambda: len(woken.batches) == 2)
        assert hub._heard == {SHARD: 9}
        await hub.close()
