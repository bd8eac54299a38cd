"""Connections: what an idle watcher costs a server in memory, with 15,000 of them.

Each server alone, on real WebSockets that all follow one sale. The memory is that of the server's
process, counted from the first few hundred on, so that what it needs anyway is not in it. Then an
event is sent, and everybody must hear it.
"""

import asyncio
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from foundation.errors import OperatorError
from load_tests.children import resident_kib
from load_tests.gateway.contender import OURS
from load_tests.machine import describe
from load_tests.peers import Contender
from load_tests.peers.nats import NATS
from load_tests.peers.programs import NODE_WS, WEBSOCKETS
from load_tests.peers.versions import versions
from load_tests.report import Bar, Chart, Report
from load_tests.series import Series
from load_tests.steps import Say
from load_tests.watchers import watching

SUMMARY: Final = "Memory per idle watcher of the gateway, beside its peers."

LIMIT_KIB: Final = 20.0
CONTENDERS: Final = (OURS, NODE_WS, WEBSOCKETS, NATS)
SERVER_CORE: Final = 0
WATCHER_CORE: Final = 1
# Files that a server needs besides its connections.
OTHER_FILES: Final = 200
EVENT_BYTES: Final = 280


@dataclass(frozen=True, slots=True)
class Plan:
    """How many connect first, how many then, and how long they are left alone."""

    first: int
    watchers: int
    rest_s: float

    @property
    def steps(self) -> int:
        """One for each server."""
        return len(CONTENDERS)


FULL: Final = Plan(500, 15_000, 20.0)
QUICK: Final = Plan(500, 5_000, 3.0)
TINY: Final = Plan(20, 100, 0.1)  # for tests: every path, no meaning


class TooFewFiles(OperatorError):
    """This machine lets a process have fewer open files than there are watchers."""


async def measure(folder: Path, say: Say, *, quick: bool) -> Report:
    """Run the whole comparison; ``folder`` is empty and goes away afterwards."""
    return await measure_plan(QUICK if quick else FULL, folder, say)


def steps(*, quick: bool) -> int:
    """How often ``measure`` will say something."""
    return (QUICK if quick else FULL).steps


async def measure_plan(plan: Plan, folder: Path, say: Say) -> Report:
    """``measure`` with any plan."""
    _allow_files(plan.watchers + OTHER_FILES)
    machine = describe(folder) | versions()
    series = Series()
    for contender in CONTENDERS:
        say(f"{plan.watchers:,} watchers: {contender.label}")
        await _measure_one(contender, plan, series)
    return _report(plan, machine, series)


def _allow_files(count: int) -> None:
    """For us and what we start. Raises `TooFewFiles`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise TooFewFiles(f"{count} open files are needed, {hard} are allowed (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


async def _measure_one(contender: Contender, plan: Plan, series: Series) -> None:
    async with (
        contender.start(SERVER_CORE) as server,
        watching(server.port, server.speech, core=WATCHER_CORE) as watchers,
    ):
        await watchers.open(plan.first)
        before_kib, began_s = resident_kib(server.pid), time.perf_counter()
        added = plan.watchers - plan.first
        await watchers.open(added)
        opened_s = time.perf_counter() - began_s
        await asyncio.sleep(plan.rest_s)
        cpu_s, kib = server.cpu_s(), resident_kib(server.pid) - before_kib
        await asyncio.sleep(plan.rest_s)
        idle_cpu = (server.cpu_s() - cpu_s) / plan.rest_s
        await watchers.mark()
        await watchers.reach(await server.send(1, EVENT_BYTES))
        seen = (await watchers.seen()).whole(plan.watchers)
    name = contender.name
    series.add(f"{name}_kib_per_watcher", kib / added)
    series.add(f"{name}_opened_per_s", added / opened_s)
    series.add(f"{name}_idle_cpu_share", idle_cpu)
    series.add(f"{name}_one_event_spread_ms", seen.ms("spread", "max"))


def _report(plan: Plan, machine: dict[str, Any], series: Series) -> Report:
    figures = series.medians()
    ours = figures["kib_per_watcher"] = figures[f"{OURS.name}_kib_per_watcher"]
    figures["watchers"] = plan.watchers
    limit = "kib_per_watcher_limit_vs_found"
    return Report(
        title="Memory per idle watcher, the gateway beside its peers",
        machine=machine,
        figures=figures,
        ratios={
            limit: LIMIT_KIB / ours,
            **{
                f"{peer.name}_kib_vs_ours": figures[f"{peer.name}_kib_per_watcher"] / ours
                for peer in CONTENDERS[1:]
            },
        },
        targets={limit: 1.0},
        charts=[
            _chart("Memory of the server for each idle watcher", "KiB", "kib_per_watcher"),
            _chart("Handshakes", "per second, server on one core", "opened_per_s"),
        ],
    )


def _chart(title: str, unit: str, figure: str) -> Chart:
    return Chart(
        title,
        unit,
        [
            Bar(contender.label, f"{contender.name}_{figure}", ours=contender is OURS)
            for contender in CONTENDERS
        ],
    )
