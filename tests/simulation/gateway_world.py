"""A run with gateways: everything that `world` has, and clients who watch it from outside."""

import asyncio
from collections import deque
from typing import Final

import bidder_gateway.hub
import bidder_gateway.link
from auction.ids import SaleId, Shard
from bidder_gateway.channel import Channel
from bidder_gateway.encodings import AS_JSON, AS_MSGPACK
from bidder_gateway.gateway import Gateway
from tests.simulation.gateway_hosts import GatewayHost
from tests.simulation.logins import Logins
from tests.simulation.onlookers import Onlooker
from tests.simulation.public_record import PublicRecord
from tests.simulation.scenarios import Scenario
from tests.simulation.simulated_log import LogServer
from tests.simulation.tape import Tape
from tests.simulation.virtual_loop import Process, VirtualLoop
from tests.simulation.wires import Wire, Wires
from tests.simulation.world import World

ONLOOKERS: Final = 7
# Full links that are looked at seldom enough to cost little, often enough to see each.
LOOK_AT_BOUNDS_S: Final = 0.25
# An event goes to everybody who reads within so many looks.
TOLD_WITHIN_LOOKS: Final = 4
# What is durable is known to a gateway within two looks at the log, whatever the bus dropped.
KNOWN_WITHIN_S: Final = 13.0
# After all is well, what was missed is found within two looks at the log; then it is read.
CATCH_UP_S: Final = 15.0
# Who does not read what it was sent for so long is cut off.
STALLED_S: Final = 10.0


class GatewayWorld(World):
    """The parts of a run."""

    def __init__(self, scenario: Scenario, loop: VirtualLoop, tape: Tape) -> None:
        self.wires, self._logins = Wires(loop, tape), Logins()
        super().__init__(scenario, loop, tape)
        self._record = PublicRecord(self._server)
        self._full_us: dict[Wire, int] = {}  # since when its link is full
        self._reached: dict[Channel, list[int]] = {}  # the sequence at each of the last looks
        self._went_on_us: dict[str, int] = {}  # when a process was last seen stopped
        self._was_sick_us = 0
        self._durable: deque[dict[SaleId, int]] = deque(
            maxlen=round(KNOWN_WITHIN_S / LOOK_AT_BOUNDS_S)
        )
        self.onlookers = [
            Onlooker(
                f"onlooker-{number}",
                scenario.bidders[number] if number < len(scenario.bidders) - 1 else None,
                (AS_JSON, AS_MSGPACK)[number % 2],
                self._room,
                self._record,
                self._logins,
                tape,
                scenario.chance(f"onlooker {number}"),
            )
            for number in range(ONLOOKERS)
        ]

    def make_host(self, name: str, server: LogServer, shards: list[Shard]) -> GatewayHost:
        """See ``World``."""
        chance = self._scenario.chance(name)
        return GatewayHost(name, server, shards, self.wires, self._logins, chance)

    @property
    def _gateways(self) -> list[tuple[Gateway, Process]]:
        hosts = [host for host in self._operations.hosts if isinstance(host, GatewayHost)]
        return [(host.gateway, host.process) for host in hosts if host.process.alive]

    async def play(self) -> None:
        """The whole run."""
        watching = [asyncio.create_task(onlooker.run()) for onlooker in self.onlookers]
        watching.append(asyncio.create_task(self._look_at_bounds()))
        await super().play()
        for task in watching:
            task.cancel()
        for result in await asyncio.gather(*watching, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    async def settle(self, when: str) -> None:
        """All is well: everybody knows everything soon."""
        for onlooker in self.onlookers:
            onlooker.calm.set()
        for host in self._operations.hosts:
            if isinstance(host, GatewayHost):
                host.rumour.troubled = False
        until_us = self._loop.now_us + CATCH_UP_S * 1e6
        behind = self._behind()
        while behind and self._loop.now_us < until_us:
            await asyncio.sleep(0.1)
            behind = self._behind()
        for what in behind:
            self._tape.broken("I14", f"{what} {when}")

    def _behind(self) -> list[str]:
        told = [(onlooker.name, onlooker.falls_behind()) for onlooker in self.onlookers]
        return [f"{name} {what}" for name, what in told if what is not None]

    async def _look_at_bounds(self) -> None:
        """I26: what a gateway keeps for its clients is bounded, and so is its patience."""
        while True:
            await asyncio.sleep(LOOK_AT_BOUNDS_S)
            if self._sick_since_us is not None:
                self._was_sick_us = self._loop.now_us
            self._durable.append(
                {sale: self._record.of(sale).sequence for sale in self._room.sales}
            )
            for gateway, process in self._gateways:
                if not process.stopped:
                    self._bounds_hold(gateway, process.name)
                else:
                    self._reached.clear()
                    self._went_on_us[process.name] = self._loop.now_us

    def _bounds_hold(self, gateway: Gateway, name: str) -> None:
        hub = gateway.hub
        for link in hub._full:
            if link._waiting_bytes > bidder_gateway.link.MAX_WAITING_BYTES and not link.dead:
                self._tape.broken("I26", f"{name}: {link.name} has {link._waiting_bytes} waiting")
            wire = link._transport
            assert isinstance(wire, Wire)
            full_us = self._full_us.setdefault(wire, self._loop.now_us)
            since_us = max(wire.read_us, full_us, self._went_on_us.get(name, 0))
            if self._loop.now_us - since_us > STALLED_S * 1e6 and not link.dead:
                self._tape.broken("I26", f"{name}: {link.name} has not read for {STALLED_S} s")
        for wire in self.wires:
            if wire.process.name == name and not gateway.stopping:
                self._is_ended_in_time(wire)
        full = {link._transport for gateway, _ in self._gateways for link in gateway.hub._full}
        self._full_us = {wire: us for wire, us in self._full_us.items() if wire in full}
        for sale_id, sale in hub._sales.items():
            self._is_told_soon(sale.channel, name)
            self._knows(sale.channel, name)
            if len(sale.held) > bidder_gateway.hub.MAX_HELD:
                self._tape.broken("I26", f"{name}: {len(sale.held)} held for {sale_id}")

    def _knows(self, channel: Channel, name: str) -> None:
        feed, durable = channel.feed, self._durable[0].get(channel.feed.sale_id, 0)
        trouble_us = max(self._was_sick_us, self._went_on_us.get(name, 0))
        was_well = self._loop.now_us - trouble_us > KNOWN_WITHIN_S * 1e6
        if was_well and channel.subscriptions and feed.sequence < durable:
            text = f"{name} is at {feed.sequence} of {feed.sale_id}, durable is {durable}"
            self._tape.broken("I27", text)

    def _is_ended_in_time(self, wire: Wire) -> None:
        if wire.leave is not None:
            went_on_us = self._went_on_us.get(wire.process.name, 0)
            since_us = max(wire.leave.since_us, self._was_sick_us, went_on_us)
            if self._loop.now_us - since_us > wire.leave.within_s * 1e6:
                name = wire.process.name
                self._tape.broken("I26", f"{name} still has {wire.fd}, though {wire.leave.why}")

    def _is_told_soon(self, channel: Channel, name: str) -> None:
        """Who has read everything was sent what happened a moment ago, whatever comes after it."""
        reached = self._reached.setdefault(channel, [])
        if len(reached) == TOLD_WITHIN_LOOKS:
            for link, subscription in channel.subscriptions.items():
                reads = link.ready and subscription.behind is None
                sent = channel.sequence_of(link)
                if reads and sent < reached[0]:
                    self._tape.broken("I27", f"{name}: {link.name} has {sent}, not {reached[0]}")
            del reached[0]
        reached.append(channel.feed.sequence)
