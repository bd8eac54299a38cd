"""All servers up at once with their watchers, and taking turns: event by event, burst by burst.

So what else the machine does hits all alike. A server's CPU is counted in its own turns only, with
its heartbeats in them. Ratios are taken within a round, and their median is reported.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from load_tests.gateway.contender import OURS
from load_tests.peers import Contender, Sender
from load_tests.peers.nats import NATS
from load_tests.peers.programs import NODE_WS, RAW_SEND, WEBSOCKETS
from load_tests.series import Series
from load_tests.steps import Say
from load_tests.watchers import Watchers, watching

PEERS: Final = (RAW_SEND, NODE_WS, WEBSOCKETS, NATS)
SERVER_CORE: Final = 0
WATCHER_CORE: Final = 1
WARM_UP: Final = 20
# The size that figures of this kind are often given for.
SMALL_BYTES: Final = 150
# Server to client: one byte of opcode, one or three of length.
HEADER_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """How many watchers, how often, and how much is sent. ``pause_s``: between single events."""

    watchers: int
    rounds: int
    events: int
    pause_s: float
    bursts: int
    burst_events: int

    @property
    def steps(self) -> int:
        """Starts, rounds of all, and a round of the peers with small messages."""
        return 1 + len(PEERS) + 2 * (self.rounds + 1)


FULL: Final = Plan(2_000, 9, 24, 0.1, 3, 100)
QUICK: Final = Plan(2_000, 2, 8, 0.1, 1, 100)
TINY: Final = Plan(20, 1, 3, 0.001, 1, 5)  # for tests: every path, no meaning


@dataclass(frozen=True, slots=True)
class Running:
    """A contender with its watchers."""

    name: str
    sender: Sender
    watchers: Watchers


@dataclass(slots=True)
class Spent:
    """What a server's turns cost it, and how long they were."""

    cpu_s: float = 0.0
    took_s: float = 0.0


Send = Callable[[Running, int, Spent], Awaitable[None]]


@dataclass(slots=True)
class Bench:
    """The rounds and what they found."""

    plan: Plan
    say: Say
    series: Series = field(default_factory=Series)
    event_bytes: int = 0

    async def run(self) -> None:
        """Start everything, then measure."""
        async with AsyncExitStack() as stack:
            ours = await stack.enter_async_context(self._running(OURS))
            self.event_bytes = await self._our_size(ours)
            self.series.add("event_bytes", self.event_bytes)
            peers = [await stack.enter_async_context(self._running(peer)) for peer in PEERS]
            for number in range(self.plan.rounds):
                title = f"round {number + 1} of {self.plan.rounds}"
                await self._round(title, [ours, *peers], self.event_bytes, "")
            small = f"{SMALL_BYTES}_bytes"
            await self._round(f"{SMALL_BYTES} bytes", peers, SMALL_BYTES, f"_{small}")

    @asynccontextmanager
    async def _running(self, contender: Contender) -> AsyncIterator[Running]:
        self.say(f"starting {contender.label}")
        async with (
            contender.start(SERVER_CORE) as sender,
            watching(sender.port, sender.speech, core=WATCHER_CORE) as watchers,
        ):
            await watchers.open(self.plan.watchers)
            yield Running(contender.name, sender, watchers)

    async def _our_size(self, ours: Running) -> int:
        """How long our events are, as payload of a message."""
        await ours.watchers.mark()
        await ours.watchers.reach(await ours.sender.send(WARM_UP, 0))
        return round((await ours.watchers.seen()).bytes_per_event) - HEADER_BYTES

    async def _round(self, title: str, contenders: list[Running], size: int, suffix: str) -> None:
        """Every server in turn, event by event, and then burst by burst."""
        plan = self.plan
        self.say(f"{title}: one event at a time")
        paced = await self._in_turns(contenders, plan.events, self._single, size)
        paced_rates = await self._note(contenders, f"{suffix}_paced", plan.events, paced)
        self.say(f"{title}: bursts")
        bursts = await self._in_turns(contenders, plan.bursts, self._burst, size)
        events = plan.bursts * plan.burst_events
        burst_rates = await self._note(contenders, f"{suffix}_burst", events, bursts)
        if OURS.name in paced:
            ours, burst = paced_rates[OURS.name], burst_rates[OURS.name]
            self.series.add("fanout_vs_raw_c", ours / paced_rates[RAW_SEND.name])
            self.series.add("fanout_vs_node_ws", ours / paced_rates[NODE_WS.name])
            self.series.add("burst_vs_nats", burst / burst_rates[NATS.name])

    async def _in_turns(
        self, contenders: list[Running], turns: int, send: Send, size: int
    ) -> dict[str, Spent]:
        """What each server spent on its turns; the first turn warms it up, and is not counted."""
        spent = {contender.name: Spent() for contender in contenders}
        for contender in contenders:
            await send(contender, size, Spent())
            await contender.watchers.mark()
        for _ in range(turns):
            for contender in contenders:
                await send(contender, size, spent[contender.name])
        return spent

    async def _single(self, contender: Running, size: int, spent: Spent) -> None:
        """One event, and the rest that a sale would have until the next."""
        before_s = contender.sender.cpu_s()
        sequence = await contender.sender.send(1, size)
        await asyncio.sleep(self.plan.pause_s)
        await contender.watchers.reach(sequence)
        spent.cpu_s += contender.sender.cpu_s() - before_s

    async def _burst(self, contender: Running, size: int, spent: Spent) -> None:
        """Many events at once; over when all have heard them."""
        before_s, began_s = contender.sender.cpu_s(), time.perf_counter()
        sequence = await contender.sender.send(self.plan.burst_events, size)
        await contender.watchers.reach(sequence)
        spent.cpu_s += contender.sender.cpu_s() - before_s
        spent.took_s += time.perf_counter() - began_s

    async def _note(
        self, contenders: list[Running], suffix: str, events: int, spent: dict[str, Spent]
    ) -> dict[str, float]:
        """Check that everybody heard everything; deliveries per CPU second by contender."""
        rates = {}
        for contender in contenders:
            seen = (await contender.watchers.seen()).whole(events * self.plan.watchers)
            name, cost = f"{contender.name}{suffix}", spent[contender.name]
            rates[contender.name] = seen.events / cost.cpu_s
            self.series.add(f"{name}_deliveries_per_cpu_s", rates[contender.name])
            if cost.took_s:
                self.series.add(f"{name}_deliveries_per_s", seen.events / cost.took_s)
            for what in ("latency", "spread"):
                for share in ("p50", "p99"):
                    self.series.add(f"{name}_{what}_ms_{share}", seen.ms(what, share))
        return rates
