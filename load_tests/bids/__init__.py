"""Bids end to end: from a bidder's WebSocket to the durable verdict on it, while others watch.

The whole way on one machine's two cores: the bidders' and watchers' programs, the gateway with the
engine, and PostgreSQL with fsync. Each accepted bid is an event; each watcher checks that it hears
every one once and in order, and each bidder follows its lot. Rates are kept whatever the answers
do, and a verdict's time counts from when its bid was due. At the peak every lot is bid on as soon
as its last bid has a verdict.
"""

from pathlib import Path
from typing import Any, Final

from foundation.database import connect
from load_tests.bids.bench import FULL, QUICK, RATE, Bench, Plan
from load_tests.machine import describe
from load_tests.report import Bar, Chart, Report
from load_tests.steps import Say
from softclose.embedded_postgres import EmbeddedPostgres

SUMMARY: Final = "From a bid to its durable verdict over WebSockets, with a thousand watchers."

# At `RATE` bids a second; each as a ratio that must reach 1.
ACK_MS_P50_LIMIT: Final = 3.0
ACK_MS_P99_LIMIT: Final = 15.0


async def measure(folder: Path, say: Say, *, quick: bool) -> Report:
    """Run it all; ``folder`` is empty and goes away afterwards."""
    return await measure_plan(QUICK if quick else FULL, folder, say)


def steps(*, quick: bool) -> int:
    """How often ``measure`` will say something."""
    return (QUICK if quick else FULL).steps


async def measure_plan(plan: Plan, folder: Path, say: Say) -> Report:
    """``measure`` with any plan."""
    machine = describe(folder)
    postgres = EmbeddedPostgres(folder / "postgres", scratch=True)
    try:
        dsn = await postgres.start()
        machine["postgresql"] = await _version(dsn)
        bench = Bench(plan, postgres, folder, say)
        await bench.run()
    finally:
        await postgres.stop()
    return _report(plan, machine, bench)


async def _version(dsn: str) -> str:
    connection = await connect(dsn, name="load test")
    try:
        return str(await connection.fetchval("show server_version"))
    finally:
        await connection.close()


def _report(plan: Plan, machine: dict[str, Any], bench: Bench) -> Report:
    figures, ranges = bench.series.medians(), bench.series.ranges()
    figures["watchers"] = plan.watchers
    for share in ("p50", "p99"):
        figures[f"ack_ms_{share}"] = figures[f"at_{RATE}_ack_ms_{share}"]
    limits = {
        "ack_p50_limit_vs_found": ACK_MS_P50_LIMIT / figures["ack_ms_p50"],
        "ack_p99_limit_vs_found": ACK_MS_P99_LIMIT / figures["ack_ms_p99"],
        "events_heard_one_by_one": 1 - figures[f"at_{RATE}_conflated_share"],
    }
    return Report(
        title="Bids over WebSockets, end to end",
        machine=machine,
        figures=figures,
        ranges=ranges,
        ratios=limits,
        targets=dict.fromkeys(limits, 1.0),
        charts=_charts(plan),
    )


def _charts(plan: Plan) -> list[Chart]:
    names = [(f"at_{rate}", f"{rate:,} bids/s") for rate in plan.rates] + [("peak", "the peak")]
    latencies = [
        Bar(f"{label}, {share}", f"{name}_ack_ms_{share}", ours=True)
        for name, label in names
        for share in ("p50", "p99")
    ]
    cpu = [
        Bar(f"{label}, {process}", f"{name}_{process}_cpu_share", ours=process == "gateway")
        for name, label in names
        for process in ("gateway", "postgres", "watchers", "bidders")
    ]
    return [
        Chart("From a bid to its verdict", "ms", latencies, logarithmic=True),
        Chart("Who uses the two cores", "cores", cpu),
    ]
