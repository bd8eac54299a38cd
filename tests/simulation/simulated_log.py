"""The log behind a network: ``MemoryLog``, each call of which takes time and may go wrong.

``LogServer`` outlives every process. A ``Connection`` is one host's ``EventLog``: what is sent
over it takes effect when its fate says so, whether the sender still lives or not.
"""

import hashlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from auction.ids import SaleId, Shard
from auction.log_memory import MemoryLog
from auction.ports import (
    Batch,
    LoggedEvent,
    OutcomeUnknown,
    ShardHead,
    Snapshot,
    StoredSnapshot,
)
from tests.simulation.tape import Call, Tape
from tests.simulation.virtual_loop import Process, VirtualLoop, outside
from tests.simulation.weather import NEVER, Weather

T = TypeVar("T")

START_US = 1_772_445_600 * 1_000_000  # 2 March 2026, 10:00 UTC


def at_once(call: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing."""
    try:
        call.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waited")


class LogServer:
    """The database: what it holds, its clock, and the record of what was done to it."""

    def __init__(self, loop: VirtualLoop, tape: Tape, weather: Weather) -> None:
        self.loop, self.tape, self.weather = loop, tape, weather
        self.clock_step_us = 0
        self.memory = MemoryLog(self.clock_us)

    def clock_us(self) -> int:
        """The log's clock, with its steps."""
        return START_US + self.loop.now_us + self.clock_step_us

    def take(self, call: Call, shards: list[Shard], owner: str, *, back: bool) -> list[ShardHead]:
        call.heads = at_once(self.memory.take(shards, owner, back=back))
        return call.heads

    def append(self, call: Call, batch: Batch) -> set[Shard]:
        call.at_us = batch.at_us
        before = {shard: len(self.memory.events[shard]) for shard in batch.appends}
        lost = at_once(self.memory.append(batch))
        for shard, position in before.items():
            added = self.memory.events[shard][position:]
            if shard not in lost:
                call.shards[shard] = (position, position + len(added))
            self.tape.written.setdefault(shard, []).extend(added)
        return lost

    def beat(self, call: Call, epochs: dict[Shard, int], at_us: int, owner: str) -> set[Shard]:
        call.at_us = at_us
        lost = at_once(self.memory.beat(epochs, at_us, owner))
        for shard in epochs:
            if shard not in lost:
                call.shards[shard] = (len(self.memory.events[shard]),) * 2
        return lost


class Connection:
    """An ``EventLog`` for one process."""

    def __init__(self, server: LogServer, process: Process) -> None:
        self._server, self._process = server, process
        self._memory = server.memory

    async def take(self, shards: Iterable[Shard], owner: str, *, back: bool) -> list[ShardHead]:
        """See ``EventLog``."""
        wanted, server = list(shards), self._server
        return await self.call(
            "take", f"back={back}", lambda call: server.take(call, wanted, owner, back=back)
        )

    async def append(self, batch: Batch) -> set[Shard]:
        """See ``EventLog``."""
        sent, server = _sealed(batch), self._server
        return await self.call("append", _digest(sent), lambda call: server.append(call, sent))

    async def beat(self, epochs: Mapping[Shard, int], at_us: int, owner: str) -> set[Shard]:
        """See ``EventLog``."""
        sent, server = dict(epochs), self._server
        return await self.call(
            "beat", f"{at_us}", lambda call: server.beat(call, sent, at_us, owner)
        )

    async def read(self, shard: Shard, after: int, limit: int) -> list[LoggedEvent]:
        """See ``EventLog``."""
        read = self._memory.read
        return await self.ask("read", f"{shard} {after}", lambda: read(shard, after, limit))

    async def read_sale(self, sale_id: SaleId, after: int, limit: int) -> list[LoggedEvent]:
        """See ``EventLog``."""
        read = self._memory.read_sale
        return await self.ask("read_sale", sale_id, lambda: read(sale_id, after, limit))

    async def heads(self) -> dict[Shard, int]:
        """See ``EventLog``."""
        return await self.ask("heads", "", self._memory.heads)

    async def save_snapshot(self, snapshot: Snapshot, epoch: int) -> bool:
        """See ``EventLog``."""
        save = self._memory.save_snapshot
        words = f"{snapshot.shard} {snapshot.position}"
        return await self.ask("save_snapshot", words, lambda: save(snapshot, epoch))

    async def load_snapshot(self, shard: Shard) -> StoredSnapshot | None:
        """See ``EventLog``."""
        load = self._memory.load_snapshot
        return await self.ask("load_snapshot", f"{shard}", lambda: load(shard))

    async def clock_us(self) -> int:
        """See ``EventLog``."""
        return await self.ask("clock_us", "", self._memory.clock_us)

    async def ask(self, kind: str, words: str, effect: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """A question to this database, whatever it is about."""
        return await self.call(kind, words, lambda _: at_once(effect()))

    async def call(self, kind: str, words: str, effect: Callable[[Call], T]) -> T:
        """Send a call, and wait for its answer. It takes effect by itself."""
        server, loop = self._server, self._server.loop
        fate = server.weather.fate(kind, self._process.name, loop.now_us)
        sent_no = server.tape.note(self._process.name, kind, words)
        call = Call(kind, self._process.name, sent_no, loop.now_us)
        server.tape.calls.append(call)
        answered = loop.create_future()
        result: list[T] = []

        def happen() -> None:
            call.effect_us = loop.now_us
            call.effect_no = server.tape.note(self._process.name, kind, "done", f"#{sent_no}")
            result.append(effect(call))
            self._die_if(fate.dies == "effect")

        def answer() -> None:
            self._die_if(fate.dies == "answer")
            call.answer_us, call.ok = loop.now_us, fate.ok
            words = "answered" if fate.ok else "unknown"
            call.answer_no = server.tape.note(self._process.name, kind, words, f"#{sent_no}")
            if not answered.done():
                answered.set_result(fate.ok)

        if fate.effect_after_us != NEVER:
            loop.call_later(fate.effect_after_us / 1e6, happen, context=outside())
        loop.call_later(fate.answer_after_us / 1e6, answer, context=outside())
        self._die_if(fate.dies == "sent")
        if not await answered:
            raise OutcomeUnknown(f"{kind} #{sent_no}: no answer")
        return result[0]

    def _die_if(self, condition: bool) -> None:
        if condition:
            self._server.tape.note(self._process.name, "is killed")
            self._process.kill()


def _sealed(batch: Batch) -> Batch:
    """The batch as it was when it was sent."""
    appends = {shard: msgspec.structs.replace(part) for shard, part in batch.appends.items()}
    return Batch(
        batch.at_us,
        appends,
        list(batch.shards),
        list(batch.positions),
        list(batch.sale_ids),
        list(batch.bodies),
    )


def _digest(batch: Batch) -> str:
    parts = [(part.shard, part.position, part.epoch, part.count) for part in batch.appends.values()]
    bodies = hashlib.sha256(b"".join(batch.bodies)).hexdigest()[:16]
    return f"{batch.at_us} {parts} {bodies}"
