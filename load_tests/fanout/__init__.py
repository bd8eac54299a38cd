"""Fan-out: how many deliveries of events a second of a server's CPU comes to, and how evenly.

2,000 watchers on real WebSockets, each of which checks that it hears every event once and in
order. Two ways of sending: *paced*, one event at a time with pauses, where a delivery is a write;
and in *bursts* of a hundred events at once, as in the last seconds of a sale, where they may be
joined.

Every server runs on one core, watchers and pacing on the other; CPU is the server's process, all
of it. Ours is the engine with its log in memory, the bus, the hub and the sockets: an event begins
as a bid. Peers send messages of the very size of our events, and in the last round of 150 bytes.
"""

from pathlib import Path
from typing import Any, Final

from load_tests.fanout.bench import FULL, PEERS, QUICK, Bench, Plan
from load_tests.gateway.contender import OURS
from load_tests.machine import describe
from load_tests.peers import Contender
from load_tests.peers.versions import versions
from load_tests.report import Bar, Chart, Report
from load_tests.steps import Say

SUMMARY: Final = "Deliveries per CPU second of the gateway, beside its peers."

TARGETS: Final = {"fanout_vs_raw_c": 0.9, "fanout_vs_node_ws": 1.0, "burst_vs_nats": 1.0}

_CONTENDERS: Final = (OURS, *PEERS)


async def measure(folder: Path, say: Say, *, quick: bool) -> Report:
    """Run the whole comparison; ``folder`` is empty and goes away afterwards."""
    return await measure_plan(QUICK if quick else FULL, folder, say)


def steps(*, quick: bool) -> int:
    """How often ``measure`` will say something."""
    return (QUICK if quick else FULL).steps


async def measure_plan(plan: Plan, folder: Path, say: Say) -> Report:
    """``measure`` with any plan."""
    machine = describe(folder) | versions()
    bench = Bench(plan, say)
    await bench.run()
    return _report(machine, bench)


def _report(machine: dict[str, Any], bench: Bench) -> Report:
    figures, ranges = bench.series.medians(), bench.series.ranges()
    ratios = {name: figures.pop(name) for name in TARGETS}
    return Report(
        title="Fan-out, the gateway beside its peers",
        machine=machine,
        figures=figures,
        ranges=ranges,
        ratios=ratios,
        targets=TARGETS,
        charts=_charts(),
    )


def _charts() -> list[Chart]:
    ways = (("paced", "one event at a time"), ("burst", "a hundred events at once"))
    charts = [
        Chart(
            f"Deliveries, {words}",
            "per second of the server's CPU",
            [_bar(contender, way, "deliveries_per_cpu_s") for contender in _CONTENDERS],
            logarithmic=way == "burst",
        )
        for way, words in ways
    ]
    spreads = [_bar(contender, "paced", "spread_ms_p50") for contender in _CONTENDERS]
    return [*charts, Chart("From the first watcher of an event to the last", "ms", spreads)]


def _bar(contender: Contender, way: str, figure: str) -> Bar:
    return Bar(contender.label, f"{contender.name}_{way}_{figure}", ours=contender is OURS)
