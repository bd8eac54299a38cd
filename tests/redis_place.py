"""A gateway's engine and a door on one Redis, and what a test may do in between."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from auction.command_door import CommandDoor
from auction.commands import Command
from auction.engine_remote import RemoteEngine
from auction.ids import Shard, shard_of
from auction.ports import Engine
from auction.rejections import Rejection
from auction.verdicts import Acceptance, Verdict
from auction.wire import Reply, Sent, commands_entry, encode_command, replies_entry
from foundation.redis_client import Command as RedisCommand
from foundation.redis_client import Entry, RedisClient, open_redis
from tests.builders import SALE, bid
from tests.manual_clock import ManualClock
from tests.redis_rooms import KEYS, going_on, new_gateway
from tests.waiting import until
from tests.watched_log import Gate

SHARD = shard_of(SALE)
COMMANDS = KEYS.commands(SHARD)
LEADING = Verdict(Acceptance.LEADING, sequence=7, receipt=b"receipt")
TOO_LOW = Verdict(Rejection.AMOUNT_BELOW_MINIMUM, "too low", minimum_minor=5)


class Scripted:
    """An ``Engine`` that answers what it is told to, when the gate is open."""

    def __init__(self) -> None:
        self.judged: list[Command] = []
        self.answers: deque[Verdict] = deque()
        self.gate = Gate()

    async def submit(self, command: Command) -> Verdict:
        self.judged.append(command)
        answer = self.answers.popleft() if self.answers else LEADING
        await self.gate.passed()
        return answer


class Held(RedisClient):
    """A client whose reads wait at a gate, and whose next sends may be lost."""

    def __init__(self, url: str) -> None:
        inner = open_redis(url)
        super().__init__(inner._client, clustered=inner._clustered)
        self.gate = Gate()
        self.losing = 0

    async def read(self, after: Any, count: int) -> list[tuple[str, list[Entry]]]:
        found = await super().read(after, count)
        await self.gate.passed()
        return found

    async def pipeline(self, commands: Sequence[RedisCommand]) -> list[Any]:
        if self.losing:
            self.losing -= 1
            return [None] * len(commands)
        return await super().pipeline(commands)


class Place:
    """A gateway's engine and a door, on one Redis; the door is opened by the test."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self.url, self._stack = url, stack
        self.clock, self.behind = ManualClock("10:00"), Scripted()
        self.owned: dict[Shard, int] = {SHARD: 1}

    async def enter(self) -> None:
        self.client, self.doors = Held(self.url), Held(self.url)
        self._stack.push_async_callback(self.client.close)
        self._stack.push_async_callback(self.doors.close)
        self.gateway = new_gateway()
        self.engine = RemoteEngine(self.client, self.clock, self.gateway, KEYS)
        await self._stack.enter_async_context(going_on(self.engine.run()))

    async def open_door(self, behind: Engine | None = None) -> CommandDoor:
        door = CommandDoor(self.doors, behind or self.behind, self.clock, lambda: self.owned, KEYS)
        await self._stack.enter_async_context(going_on(door.run()))
        await until(lambda: all(map(door.reads, self.owned)))
        self.door = door
        return door

    def submitted(self, command: Command) -> "asyncio.Task[Verdict]":
        return asyncio.create_task(self.engine.submit(command))

    async def in_stream(self, command: Command) -> "asyncio.Task[Verdict]":
        """A command under way that Redis has."""
        before = await self.entries()
        task = self.submitted(command)
        while await self.entries() == before:  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0)
        return task

    async def entries(self) -> int:
        return int(await self.client.execute("XLEN", COMMANDS))


async def answer(place: Place, *replies: Reply) -> None:
    """Reply as a door would."""
    await place.client.execute("XADD", KEYS.replies(place.gateway), "*", *replies_entry(replies))


async def send(place: Place, *commands: Sent, entry_id: str = "*", gateway: str = "") -> None:
    """Send as a gateway would."""
    fields = commands_entry(gateway or place.gateway, commands)
    await place.client.execute("XADD", COMMANDS, entry_id, *fields)


def sent(place: Place, number: int, command: Command | None = None) -> Sent:
    """A command on its way, with a deadline to come."""
    command = command or bid("A", 300_00)
    deadline_us = place.clock.now_us() + 5_000_000
    return Sent(number, deadline_us, type(command).__name__, encode_command(command))
