"""``simulate_gateway(seed)``: one run of hosts with gateways, and its findings."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from random import Random
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

import auction.replica
import bidder_gateway.channel
import bidder_gateway.connection
import bidder_gateway.feeds
import bidder_gateway.following
import bidder_gateway.hub
import bidder_gateway.link
import bidder_gateway.past
import bidder_gateway.sending
import bidder_gateway.sending_credit
import tests.simulation.virtual_loop
from bidder_gateway.sending import send_all_in_python
from tests.simulation.faults import draw_faults
from tests.simulation.gateway_world import GatewayWorld
from tests.simulation.run import Run, play
from tests.simulation.salerooms import BIDDERS, draw_sales
from tests.simulation.scenarios import Scenario
from tests.simulation.tape import Tape
from tests.simulation.virtual_loop import VirtualLoop
from tests.simulation.weather import SECOND

# Sending is dear, so that a tick takes time and much happens while it is under way.
SLICE_TOOK_S: Final = 0.006
QUIET_US: Final = 25 * SECOND

# Bounds so low that every run meets them.
# Some bounds are low in some runs only, as much is found only beyond them and much only below.
DRAWN: Final[tuple[tuple[Any, str, tuple[float, ...]], ...]] = (
    (bidder_gateway.channel, "SLICE", (1, 1, 3)),
    (bidder_gateway.channel, "MOST_BEHIND", (4, 14)),
    (bidder_gateway.channel, "CATCH_UP_S", (0.0, 0.001)),
    (bidder_gateway.past, "MOST_PAGES", (1, 64)),
)
SMALL: Final[tuple[tuple[Any, str, float], ...]] = (
    (tests.simulation.virtual_loop, "MOST_STEPS", 2_000_000),
    (auction.replica, "READ_CHUNK", 7),
    (bidder_gateway.feeds, "RECENT", 24),
    (bidder_gateway.feeds, "MARK_EVERY", 8),
    (bidder_gateway.following, "PAGE", 5),
    (bidder_gateway.following, "MAX_RESUME", 60),
    (bidder_gateway.hub, "MAX_HELD", 6),
    (bidder_gateway.hub, "MOST_IDLE", 1),
    (bidder_gateway.hub, "FORGET_AFTER_S", 5),
    (bidder_gateway.link, "MAX_WAITING_BYTES", 4_000),
    (bidder_gateway.past, "ROWS", 5),
    (bidder_gateway.past, "READS_AT_ONCE", 1),
    (bidder_gateway.sending_credit, "AT_ONCE_S", 0.0),
)


def simulate_gateway(seed: int, *, trace: bool = False, until_broken: bool = False) -> Run:
    """Run a seed. The same seed gives the same run, anywhere. ``until_broken``: see ``play``."""
    worlds: list[GatewayWorld] = []

    def world(scenario: Scenario, loop: VirtualLoop, tape: Tape) -> GatewayWorld:
        worlds.append(GatewayWorld(scenario, loop, tape))
        return worlds[-1]

    with _small_bounds(seed), _virtual_kernel(seed, worlds):
        run = play(
            _drawn(seed), trace=trace, world=world, again="--gateway ", until_broken=until_broken
        )
    for onlooker in worlds[-1].onlookers if worlds else ():
        for what, number in onlooker.counts.items():
            run.counts[f"told {what}"] = run.counts.get(f"told {what}", 0) + number
    return run


def _drawn(seed: int) -> Scenario:
    return Scenario(
        seed,
        draw_sales(Random(f"{seed} sales")),
        BIDDERS,
        draw_faults(Random(f"{seed} faults"), QUIET_US),
        ambient=Random(f"{seed} ambient").choice((0.0, 0.0, 0.02)),
        quiet_us=QUIET_US,
        linger_s=45.0,
    )


@contextmanager
def _small_bounds(seed: int) -> Iterator[None]:
    rng = Random(f"{seed} bounds")
    drawn = tuple((module, name, rng.choice(values)) for module, name, values in DRAWN)
    with ExitStack() as patches:
        for module, name, value in SMALL + drawn:
            patches.enter_context(patch.object(module, name, value))
        yield


@contextmanager
def _virtual_kernel(seed: int, worlds: list[GatewayWorld]) -> Iterator[None]:
    """The gateway's system calls, on simulated connections and with a processor that is slow."""

    def send(fd: int, data: bytes) -> int:
        return worlds[-1].wires.send(fd, data)

    spent_s = count(0.0, SLICE_TOOK_S)
    processor = SimpleNamespace(thread_time=lambda: next(spent_s))
    with (
        patch.object(bidder_gateway.link, "send", send),
        patch.object(bidder_gateway.sending, "send", send),
        patch.object(bidder_gateway.channel, "SEND_ALL", send_all_in_python),
        patch.object(bidder_gateway.channel, "time", processor),
        patch.object(bidder_gateway.connection, "random", Random(f"{seed} goodbyes")),
    ):
        yield
