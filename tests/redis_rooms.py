"""Rooms that speak through Redis: a client, the bus's two ends, an engine behind a door."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from msgspec.structs import replace

from auction.bus_redis import RedisBus
from auction.codec import Recorded
from auction.command_door import CommandDoor
from auction.commands import Command
from auction.engine_remote import RemoteEngine
from auction.ids import SaleId, Shard, shard_of
from auction.judge import Judge
from auction.ports import Clock, Engine
from auction.shards import ShardState
from auction.wire import Keys
from auction.writer import Writer
from foundation.redis_client import RedisClient, open_redis
from tests.builders import SALE, a_lot, at, bid, register, schedule
from tests.waiting import turns, until

PREFIX = "test"
KEYS = Keys(PREFIX)

_gateways = count(1)


async def emptied(url: str) -> None:
    """Throw away all that one server holds."""
    async with connected(url) as client:
        await client.execute("FLUSHALL")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[RedisClient]:
    """A client for the block."""
    client = open_redis(url)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def going_on(work: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    """Work that goes on for the block, whose failure is the test's."""
    task = asyncio.create_task(work)
    try:
        yield task
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Ear:
    """Hears a bus."""

    def __init__(self) -> None:
        self.batches: list[tuple[Shard, Sequence[Recorded]]] = []

    def hear(self, shard: Shard, recorded: Sequence[Recorded]) -> None:
        self.batches.append((shard, recorded))

    def positions(self, shard: Shard) -> list[int]:
        """Of all events heard of a shard, in the order in which they were heard."""
        return [one.position for of, batch in self.batches if of == shard for one in batch]

    def events(self, shard: Shard) -> list[Recorded]:
        """All events heard of a shard."""
        return [one for of, batch in self.batches if of == shard for one in batch]

    async def until_at(self, shard: Shard, position: int) -> None:
        """Wait until it has heard of this position."""
        await until(lambda: position in self.positions(shard))


@asynccontextmanager
async def redis_bus(url: str) -> AsyncIterator[RedisBus]:
    """A bus as one process has it."""
    async with connected(url) as client:
        bus = RedisBus(client, KEYS)
        async with going_on(bus.run()):
            yield bus


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[tuple[RedisBus, Ear]]:
    """A bus of a process that listens, once it hears what is published from now on."""
    ear = Ear()
    async with redis_bus(url) as bus:
        bus.listen(ear.hear)
        await until(lambda: bus.hears)
        yield bus, ear


def happenings(count: int, sale_id: SaleId = SALE) -> list[Recorded]:
    """Events of a sale that is bid on: the first ``count`` of its shard."""
    judge, shard = Judge(), shard_of(sale_id)
    judge.own(ShardState(shard, epoch=1))
    commands: list[Command] = [replace(schedule(a_lot("1")), sale_id=sale_id)]
    commands += [register(bidder, sale_id=sale_id) for bidder in "AB"]
    commands += [bid("AB"[n % 2], (n + 1) * 1_000_00, sale_id=sale_id) for n in range(count)]
    for command in commands:
        assert judge.judge(shard, command, at("10:00")).accepted
    return judge.take_gathering().recorded[shard][:count]


class Behind:
    """A remote engine, and the door before a local one, in one process but through Redis."""

    def __init__(self, engine: RemoteEngine, door: CommandDoor) -> None:
        self.engine, self.door = engine, door

    async def settle(self) -> None:
        """Let everything happen that can happen without anything else coming from outside."""
        door, engine = self.door.figures, self.engine.figures
        await turns()
        await until(
            lambda: (
                door.judged + door.busy + door.moved + door.expired + door.repeated >= engine.sent
            )
        )
        await turns()
        await until(lambda: engine.received >= door.replied)
        await turns()


@asynccontextmanager
async def behind_redis(
    url: str, engine: Engine, clock: Clock, owned: Callable[[], Mapping[Shard, int]]
) -> AsyncIterator[Behind]:
    """Put an engine behind Redis for the block, once the door reads all that is owned.

    Each has streams of its own, so that two of them are two places to ask.
    """
    gateway = new_gateway()
    keys = Keys(f"{PREFIX}-{gateway}")
    async with connected(url) as client, connected(url) as doors_client:
        door = CommandDoor(doors_client, engine, clock, owned, keys)
        remote = RemoteEngine(client, clock, gateway, keys)
        async with going_on(door.run()), going_on(remote.run()):
            await until(lambda: all(map(door.reads, owned())))
            yield Behind(remote, door)


def new_gateway() -> str:
    """A name that no other run of a gateway has."""
    return f"gateway-{next(_gateways)}"


def owned_by(writer: Writer) -> Callable[[], dict[Shard, int]]:
    """The shards of a writer with their epochs, for a door."""
    return lambda: {shard: state.epoch for shard, state in writer.owned.items()}
