"""A host with a gateway in it, as an installation runs them: they live and die together.

Between the bus and the gateway stands a `Rumour`: batches get lost, come twice, or late.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Final

from auction.codec import Recorded
from auction.commands import Command
from auction.ids import SaleId, Shard
from auction.ports import LoggedEvent
from auction.verdicts import Verdict
from bidder_gateway.connection import Connection as Client
from bidder_gateway.encodings import Encoding
from bidder_gateway.gateway import Gateway
from bidder_gateway.limits import Limits, Rate
from bidder_gateway.link import Link
from bidder_gateway.ports import NoFreight
from tests.simulation.hosts import Host
from tests.simulation.logins import Accounts, Logins
from tests.simulation.simulated_log import Connection, LogServer
from tests.simulation.virtual_loop import Process, outside
from tests.simulation.wires import Wire, Wires

MANY: Final = Rate(1e6, 1e6)
LIMITS: Final = Limits(frames=MANY, account_frames=MANY, address_frames=MANY, subscribes=MANY)


class DistantLog(Connection):
    """The log as gateways read it: what is read is old when it comes."""

    def __init__(self, server: LogServer, process: Process, rng: Random) -> None:
        super().__init__(server, process)
        self._rng = rng

    async def read_sale(self, sale_id: SaleId, after: int, limit: int) -> list[LoggedEvent]:
        """See ``EventLog``."""
        rows = await super().read_sale(sale_id, after, limit)
        await asyncio.sleep(self._rng.choice((0.0, 0.0, 0.01, 0.2)))
        return rows


class Rumour:
    """The bus as the gateway hears it. ``troubled``: it cannot be relied on."""

    def __init__(self, gateway: Gateway, rng: Random) -> None:
        self._gateway, self._rng = gateway, rng
        self.troubled = True

    def hear(self, shard: Shard, recorded: Sequence[Recorded]) -> None:
        """A batch, as it was announced."""
        fate = self._rng.random() if self.troubled else 1.0
        if fate < 0.07:
            return
        if fate < 0.11:
            late_s = self._rng.random() * 2
            asyncio.get_running_loop().call_later(late_s, self._gateway.hear, shard, recorded)
            return
        self._gateway.hear(shard, recorded)
        if fate < 0.14:
            self._gateway.hear(shard, recorded)


class RecordedEngine:
    """The host's engine as its gateway asks it: on the tape, like everybody's questions."""

    def __init__(self, host: "GatewayHost") -> None:
        self._host = host

    async def submit(self, command: Command) -> Verdict:
        """See ``Engine``."""
        return await self._host.ask_from_inside(command)


class GatewayHost(Host):
    """A host that clients connect to."""

    def __init__(
        self,
        name: str,
        server: LogServer,
        shards: list[Shard],
        wires: Wires,
        logins: Logins,
        rng: Random,
    ) -> None:
        super().__init__(name, server, shards)
        log = DistantLog(server, self.process, rng)
        engine, accounts = RecordedEngine(self), Accounts(log, logins)
        self.gateway = Gateway(log, engine, self.clock, accounts, NoFreight(), LIMITS)
        self.rumour = Rumour(self.gateway, rng)
        self.bus.listen(self.rumour.hear)
        self._wires, self._rng = wires, rng
        self._connected = 0

    def start(self) -> None:
        """Let writer and gateway run."""
        super().start()
        watching = self.process.spawn(self.gateway.watch())
        watching.add_done_callback(self._must_not_end, context=outside())

    def connect(self, encoding: Encoding) -> Wire | None:
        """A client that has shaken hands; ``None``: nobody is there."""
        if not self.lives or self.gateway.stopping:
            return None
        wire = self._wires.open(self.process, self._rng.choice((600, 4_000, 30_000)))
        self.process.spawn(self._serve(wire, encoding))
        return wire

    async def _serve(self, wire: Wire, encoding: Encoding) -> None:
        gateway = self.gateway
        self._connected += 1
        name = f"{self.name}-{self._connected}"
        wire.link = link = Link(name, encoding, wire.fd, wire, gateway.hub.blocked)
        session = gateway.new_session(name, encoding, "198.51.100.1")
        try:
            await gateway.serve(Client(gateway, session, link, wire))
        except Exception as error:  # noqa: BLE001 - a finding like any other
            self._tape.broken("gateway", f"{name}: {error!r}")
        wire.close_transport()

    async def ask_from_inside(self, command: Command) -> Verdict:
        """The verdict for the gateway of this process."""
        attempt = self._attempt(command)
        asking = self.process.spawn(self._engine.submit(command))
        asking.add_done_callback(partial(self._answered, attempt), context=outside())
        return await asyncio.shield(asking)

    def _stop(self) -> None:
        self.process.spawn(self.gateway.stop())
        super()._stop()

    def _must_not_end(self, watching: "asyncio.Task[None]") -> None:
        if not watching.cancelled():
            self._tape.broken("gateway", f"its watch ended: {watching.exception()!r}")
