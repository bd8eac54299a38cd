"""Leases behind a network: the log's own, each call of which takes time and may go wrong."""

from collections.abc import Iterable, Mapping

from auction.ids import Shard
from auction.leases import AnotherEngine, View
from auction.ports import ShardHead
from tests.simulation.simulated_log import Connection, LogServer, at_once
from tests.simulation.tape import Call
from tests.simulation.virtual_loop import Process


class SharedLeases:
    """``Leases`` for one process, over its connection to the log."""

    def __init__(self, server: LogServer, process: Process) -> None:
        self._server, self._leases = server, server.memory.leases
        self._connection = Connection(server, process)

    async def join(self, name: str, lease_us: int, *, alone: bool, certainly: bool) -> None:
        """See ``Leases``."""
        leases = self._leases

        def effect() -> AnotherEngine | None:
            try:
                at_once(leases.join(name, lease_us, alone=alone, certainly=certainly))
            except AnotherEngine as other:
                return other
            return None

        other = await self._connection.call("join", name, lambda _: effect())
        if other is not None:
            raise other

    async def look(self) -> View:
        """See ``Leases``."""
        return await self._connection.ask("look", "", self._leases.look)

    async def count_out(self, name: str, beats: int) -> None:
        """See ``Leases``."""
        await self._connection.ask("count_out", name, lambda: self._leases.count_out(name, beats))

    async def plan(self, wanted: Mapping[Shard, str | None], version: int) -> bool:
        """See ``Leases``."""
        return await self._connection.ask(
            "plan", f"{version}", lambda: self._leases.plan(wanted, version)
        )

    async def take(self, claims: Mapping[Shard, int], owner: str) -> list[ShardHead]:
        """See ``Leases``."""
        sent = dict(claims)

        def effect(call: Call) -> list[ShardHead]:
            call.heads = at_once(self._leases.take(sent, owner))
            return call.heads

        return await self._connection.call("take", f"{sorted(sent)}", effect)

    async def warmed(self, shards: Iterable[Shard], name: str) -> None:
        """See ``Leases``."""
        warm = sorted(shards)
        await self._connection.ask("warmed", f"{warm}", lambda: self._leases.warmed(warm, name))

    async def let_go(self, epochs: Mapping[Shard, int], at_us: int) -> None:
        """See ``Leases``."""
        sent = dict(epochs)
        memory = self._server.memory

        def effect(call: Call) -> None:
            call.at_us = at_us
            at_once(self._leases.let_go(sent, at_us))
            for shard, epoch in sent.items():
                if memory.epochs[shard] == epoch:
                    call.shards[shard] = (len(memory.events[shard]),) * 2

        await self._connection.call("let_go", f"{sent}", effect)

    async def drain(self, name: str, *, draining: bool) -> bool:
        """See ``Leases``."""
        return await self._connection.ask(
            "drain", f"{draining}", lambda: self._leases.drain(name, draining=draining)
        )

    async def pin(self, shards: Iterable[Shard], name: str | None) -> None:
        """See ``Leases``."""
        pinned = sorted(shards)
        await self._connection.ask("pin", f"{pinned}", lambda: self._leases.pin(pinned, name))

    async def leave(self, name: str) -> None:
        """See ``Leases``."""
        await self._connection.ask("leave", name, lambda: self._leases.leave(name))
