"""The engine beside its peers: durable bids per second and latency.

One hot lot, and a thousand lots over all shards, with the full rules, the hash chain and
commitments, through the same engine, writer and log as ``serve`` runs, on a PostgreSQL with fsync.
Beside it two systems as they are usually written, and the floor that no log in this PostgreSQL can
go below: the same bytes in the same batches with no rules.
"""

from pathlib import Path
from typing import Any, Final

from foundation.database import connect
from load_tests.engine.bench import CLIENTS, FULL, QUICK, Bench, Plan
from load_tests.engine.ours import our_engine
from load_tests.machine import describe
from load_tests.redis_server import find_redis
from load_tests.report import Bar, Chart, Report
from load_tests.steps import Say
from softclose.databases import prepare
from softclose.embedded_postgres import EmbeddedPostgres
from softclose.redis_server import redis_server, version_of

SUMMARY: Final = "Bids per second and latency of the engine, beside its peers."

TARGETS: Final = {
    "hot_lot_vs_row_lock": 13.0,
    "hot_lot_vs_redis_lua": 3.0,
    "hot_lot_vs_floor": 0.35,
}

_CONTENDERS: Final = (
    ("one hot lot", "hot_lot", True),
    ("1,000 lots", "thousand_lots", True),
    ("row lock", "row_lock", False),
    ("Redis script", "redis_lua", False),
    ("Redis script, pipelined", "redis_lua_pipelined", False),
)


async def measure(folder: Path, say: Say, *, quick: bool) -> Report:
    """Run the whole comparison; ``folder`` is empty and goes away afterwards."""
    return await measure_plan(QUICK if quick else FULL, folder, say)


def steps(*, quick: bool) -> int:
    """How often ``measure`` will say something."""
    return (QUICK if quick else FULL).steps


async def measure_plan(plan: Plan, folder: Path, say: Say) -> Report:
    """``measure`` with any plan."""
    redis = find_redis()
    machine = describe(folder)
    postgres = EmbeddedPostgres(folder / "postgres", scratch=True)
    try:
        dsn = await postgres.start()
        await prepare(dsn)
        machine |= await _versions(dsn, redis)
        bench = await _run(plan, dsn, redis, folder, say)
    finally:
        await postgres.stop()
    return _report(machine, bench)


async def _run(plan: Plan, dsn: str, redis: str, folder: Path, say: Say) -> Bench:
    admin = await connect(dsn, name="load test")
    try:
        async with redis_server(redis, folder) as port, our_engine(dsn) as ours:
            bench = Bench(plan, dsn, port, ours, admin, say)
            await bench.run()
    finally:
        await admin.close()
    return bench


async def _versions(dsn: str, redis: str) -> dict[str, Any]:
    connection = await connect(dsn, name="load test")
    try:
        server = await connection.fetchval("show server_version")
    finally:
        await connection.close()
    return {"postgresql": str(server), "redis": version_of(redis)}


def _report(machine: dict[str, Any], bench: Bench) -> Report:
    figures, ranges = bench.series.medians(), bench.series.ranges()
    figures["hot_lot_clients"] = figures["thousand_lots_clients"] = CLIENTS
    figures["row_lock_connections"] = bench.pool_size
    figures["redis_lua_connections"] = bench.redis_connections
    hot = figures["hot_lot_bids_per_s"]
    return Report(
        title="Durable bids, the engine beside its peers",
        machine=machine,
        figures=figures,
        ranges=ranges,
        ratios={
            "hot_lot_vs_row_lock": hot / figures["row_lock_bids_per_s"],
            "hot_lot_vs_redis_lua": hot / figures["redis_lua_bids_per_s"],
            "hot_lot_vs_redis_lua_pipelined": hot / figures["redis_lua_pipelined_bids_per_s"],
            "hot_lot_vs_floor": hot / figures["floor_bids_per_s"],
            "thousand_lots_vs_hot_lot": figures["thousand_lots_bids_per_s"] / hot,
        },
        targets=TARGETS,
        charts=_charts(),
    )


def _charts() -> list[Chart]:
    floor = Bar("the floor: same batches, no rules", "floor_bids_per_s", ours=False)
    rates = [Bar(label, f"{name}_bids_per_s", ours=ours) for label, name, ours in _CONTENDERS]
    latencies = [
        Bar(f"{label}, {share}", f"{name}_latency_ms_{share}", ours=ours)
        for label, name, ours in (("one client", "one_client", True), *_CONTENDERS)
        for share in ("p50", "p99")
    ]
    return [
        Chart("Accepted bids, all but the Redis scripts durable", "per second", [*rates, floor]),
        Chart("From bid to verdict", "ms", latencies, logarithmic=True),
    ]
