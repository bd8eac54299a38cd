"""The gateway's load tests: every path of them, and that they report. No timings."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from load_tests import bids, connections, fanout, remote, settlement, storm
from load_tests.bids import bench as bids_bench
from load_tests.fanout import bench as fanout_bench
from load_tests.gateway.contender import our_gateway
from load_tests.gateway.speech import AS_JSON, AS_MSGPACK
from load_tests.plots import draw
from load_tests.report import Report
from load_tests.storm import bench as storm_bench
from load_tests.watchers import Speech, watching

Measure = Callable[[Any, Path, Callable[[str], None]], Awaitable[Report]]

TESTS = [
    (fanout.measure_plan, fanout_bench.TINY, "ours_paced_deliveries_per_cpu_s"),
    (bids.measure_plan, bids_bench.TINY, "peak_bids_per_s"),
    (remote.measure_plan, remote.TINY, "redis_peak_bids_per_s"),
    (connections.measure_plan, connections.TINY, "nats_kib_per_watcher"),
    (storm.measure_plan, storm_bench.TINY, "stalled_closed_s"),
    (settlement.measure_plan, settlement.TINY, "awards_per_s"),
]


@pytest.mark.parametrize(
    ("measure", "plan", "figure"),
    TESTS,
    ids=["fanout", "bids", "remote", "connections", "storm", "settlement"],
)
async def test_a_run_says_what_it_does_and_reports_figures_and_a_plot(
    tmp_path: Path, measure: Measure, plan: Any, figure: str
) -> None:
    said: list[str] = []
    report = await measure(plan, tmp_path, said.append)
    assert len(said) == plan.steps
    assert report.figures[figure] > 0
    assert report.targets.keys() <= report.ratios.keys()
    draw(report, tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").stat().st_size > 1_000


@pytest.mark.parametrize("speech", [AS_JSON, AS_MSGPACK], ids=["json", "msgpack"])
async def test_watchers_understand_our_gateway_and_resume(speech: Speech) -> None:
    async with (
        our_gateway(None, speech=speech) as gateway,
        watching(gateway.port, gateway.speech) as watchers,
    ):
        await watchers.open(10)
        await watchers.reach(await gateway.send(5, 0))
        await watchers.cut(4)
        await gateway.send(300, 0)
        await watchers.come_back()
        await watchers.reach(await gateway.send(1, 0))
        seen = (await watchers.seen()).whole(10 * 306)
    assert seen.found["reconnects"] == 4
    assert seen.found["latency_us"]["count"] == seen.events
    assert seen.found["early"] < seen.events / 100
