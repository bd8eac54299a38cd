"""Leases of a log in memory."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from auction.ids import SHARDS, Shard
from auction.leases import AnotherEngine, Lease, Member, View
from auction.ports import LoggedEvent, ShardHead


class Log(Protocol):
    """What the leases are about, where it is held."""

    events: list[list[LoggedEvent]]
    epochs: list[int]
    owners: list[str | None]
    beats: list[int | None]
    now_us: Callable[[], int]


class _Engine(Struct):
    lease_us: int
    alone: bool
    joined_at_us: int
    alive_at_us: int
    beats: int = 0
    draining: bool = False
    gone: bool = False


class _Planned(Struct):
    engine: str | None = None
    warm: str | None = None
    pin: str | None = None


class MemoryLeases:
    """``Leases`` whose every call takes effect at once."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._engines: dict[str, _Engine] = {}
        self._plan = [_Planned() for _ in range(SHARDS)]
        self._version = 0

    def beat(self, name: str) -> bool:
        """A sign of life; false: it was counted out. Who never joined has no lease."""
        engine = self._engines.get(name)
        if engine is not None and not engine.gone:
            engine.alive_at_us = self._log.now_us()
            engine.beats += 1
        return engine is None or not engine.gone

    def is_gone(self, name: str) -> bool:
        """Whether it was counted out."""
        engine = self._engines.get(name)
        return engine is not None and engine.gone

    async def join(self, name: str, lease_us: int, *, alone: bool, certainly: bool) -> None:
        """See ``Leases``."""
        if certainly:
            for engine in self._engines.values():
                engine.gone = True
        for other, engine in sorted(self._engines.items()):
            if other != name and not engine.gone and (engine.alone or alone):
                raise AnotherEngine(other)
        now_us = self._log.now_us()
        known = self._engines.get(name)
        if known is None:
            self._engines[name] = _Engine(lease_us, alone, now_us, now_us)
        else:
            known.gone, known.alive_at_us = False, now_us
            known.beats += 1

    async def look(self) -> View:
        """See ``Leases``."""
        now_us = self._log.now_us()
        engines = tuple(
            Member(
                name,
                e.beats,
                e.lease_us,
                e.alone,
                e.draining,
                e.joined_at_us,
                now_us - e.alive_at_us,
            )
            for name, e in sorted(self._engines.items())
            if not e.gone
        )
        return View(self._version, engines, tuple(map(self._lease, range(SHARDS))))

    async def count_out(self, name: str, beats: int) -> None:
        """See ``Leases``."""
        engine = self._engines.get(name)
        if engine is not None and engine.beats == beats:
            engine.gone = True

    async def plan(self, wanted: Mapping[Shard, str | None], version: int) -> bool:
        """See ``Leases``."""
        if version != self._version:
            return False
        self._version += 1
        for shard, engine in wanted.items():
            planned = self._plan[shard]
            if planned.engine != engine:
                planned.engine, planned.warm = engine, None
        return True

    async def take(self, claims: Mapping[Shard, int], owner: str) -> list[ShardHead]:
        """See ``Leases``."""
        log, heads = self._log, []
        for shard, epoch in sorted(claims.items()):
            if log.epochs[shard] != epoch or not self._is_free(shard):
                continue
            let_go = log.owners[shard] is None
            log.owners[shard] = owner
            log.epochs[shard] += 1
            position = len(log.events[shard])
            heads.append(ShardHead(shard, position, epoch + 1, log.beats[shard], let_go))
        return heads

    async def warmed(self, shards: Iterable[Shard], name: str) -> None:
        """See ``Leases``."""
        for shard in shards:
            if self._plan[shard].engine == name:
                self._plan[shard].warm = name

    async def let_go(self, epochs: Mapping[Shard, int], at_us: int) -> None:
        """See ``Leases``."""
        log = self._log
        for shard, epoch in epochs.items():
            if log.epochs[shard] == epoch:
                log.owners[shard] = None
                log.beats[shard] = max(log.beats[shard] or 0, at_us)

    async def drain(self, name: str, *, draining: bool) -> bool:
        """See ``Leases``."""
        engine = self._engines.get(name)
        if engine is None or engine.gone:
            return False
        engine.draining = draining
        return True

    async def pin(self, shards: Iterable[Shard], name: str | None) -> None:
        """See ``Leases``."""
        for shard in shards:
            self._plan[shard].pin = name

    async def leave(self, name: str) -> None:
        """See ``Leases``."""
        if name in self._engines:
            self._engines[name].gone = True

    def _is_free(self, shard: int) -> bool:
        engine = self._engines.get(self._log.owners[shard] or "")
        return engine is None or engine.gone

    def _lease(self, number: int) -> Lease:
        log, planned, shard = self._log, self._plan[number], Shard(number)
        return Lease(
            shard,
            log.owners[number],
            log.epochs[number],
            len(log.events[number]),
            self._is_free(number),
            planned.engine,
            planned.warm,
            planned.pin,
        )
