"""Where the gateway's engine is: in its process, or in another one across Redis.

``python -m load_tests.gateway.rooms DSN REDIS`` is the other one: log, writer and door. It says a
line when commands are judged, and ends with its stdin.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvloop

from auction.bus_redis import RedisBus
from auction.clock import EngineClock
from auction.command_door import CommandDoor
from auction.engine_remote import RemoteEngine
from auction.ids import Shard
from auction.log_postgres import PostgresLog
from auction.ports import Bus, Clock, Engine, EventLog
from auction.wire import Keys
from foundation.logs import LogFormat, LogLevel, configure_logs
from foundation.redis_client import RedisClient, open_redis
from softclose.host import Host, calm_collector, name_of_this_run

POLL_S = 0.01


@dataclass(frozen=True)
class Rooms:
    """What a gateway needs of an engine.

    ``serving`` returns once commands are judged, ``caught_up`` once the bus has told what the log
    holds of a shard by now.
    """

    engine: Engine
    clock: Clock
    bus: Bus
    serving: Callable[[], Awaitable[None]]
    caught_up: Callable[[Shard], Awaitable[None]]


@asynccontextmanager
async def engine_here(log: EventLog) -> AsyncIterator[Rooms]:
    """All in this process, for the block."""
    host = Host(log, EngineClock())
    async with host.running():
        yield Rooms(host.engine, host.clock, host.bus, host.writer.serving, _at_once)


@asynccontextmanager
async def engine_elsewhere(log: EventLog, redis_url: str) -> AsyncIterator[Rooms]:
    """An engine that runs across Redis already, for the block."""
    clock = EngineClock()
    clock.follow(await log.clock_us())
    async with _redis(redis_url) as client:
        engine = RemoteEngine(client, clock, name_of_this_run(), Keys())
        bus = RedisBus(client, Keys())

        async def hears() -> None:
            while not bus.hears:  # noqa: ASYNC110 - once, before anything is measured
                await asyncio.sleep(POLL_S)

        async def caught_up(shard: Shard) -> None:
            head = (await log.heads())[shard]
            while bus.heard(shard) < head:  # noqa: ASYNC110 - between measurements
                await asyncio.sleep(POLL_S)

        async with going_on(engine.run()), going_on(bus.run()):
            yield Rooms(engine, clock, bus, hears, caught_up)


async def _at_once(_shard: Shard) -> None:
    """Listeners are told in the turn in which verdicts are given."""


@asynccontextmanager
async def going_on(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that goes on for the block; if it fails, so does the block."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        yield
        task.cancel()


@asynccontextmanager
async def _redis(url: str) -> AsyncIterator[RedisClient]:
    client = open_redis(url)
    try:
        yield client
    finally:
        await client.close()


async def serve_engine(dsn: str, redis_url: str) -> None:
    """Until stdin ends."""
    configure_logs(LogLevel.WARNING, LogFormat.CONSOLE)
    async with AsyncExitStack() as layers:
        log = PostgresLog(dsn)
        layers.push_async_callback(log.close)
        host = Host(log, EngineClock())
        client = await layers.enter_async_context(_redis(redis_url))
        bus = RedisBus(client, Keys())
        host.bus.listen(bus.publish)
        writer = host.writer
        door = CommandDoor(
            client,
            host.engine,
            host.clock,
            lambda: {shard: state.epoch for shard, state in writer.owned.items()},
            Keys(),
        )
        await layers.enter_async_context(host.running(bus.run(), door.run()))
        await writer.serving()
        door.look()
        while not all(map(door.reads, writer.owned)):  # noqa: ASYNC110 - once, at the start
            await asyncio.sleep(POLL_S)
        calm_collector()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve_engine(sys.argv[1], sys.argv[2]))
