"""The load tests: that they measure what they say, of systems that do the same. No timings."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from foundation.database import connect
from load_tests.engine import measure_plan
from load_tests.engine.bench import TINY
from load_tests.engine.ours import HOUR_US, Ours, our_engine
from load_tests.engine.redis_lua import RedisLua, redis_lua
from load_tests.engine.row_lock import RowLock, row_lock
from load_tests.engine.rules import EXTENSION_US, ProxyLot
from load_tests.engine.workload import FAR_END_US, Bid, make_bids
from load_tests.machine import Others
from load_tests.plots import draw
from load_tests.redis_server import find_redis
from softclose import redis_server as redis_servers
from softclose.redis_server import NoRedis, redis_server

LOTS, BIDDERS = 3, 6

Contenders = tuple[Ours, RowLock, RedisLua]


@pytest.fixture
async def contenders(database_url: str, tmp_path: Path) -> AsyncIterator[Contenders]:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(redis_server(find_redis(), tmp_path))
        yield (
            await stack.enter_async_context(our_engine(database_url)),
            await stack.enter_async_context(row_lock(database_url, 1)),
            await stack.enter_async_context(redis_lua(port, 1)),
        )


def wild_bids(count: int, seed: int) -> list[Bid]:
    """Bids around the prices that they meet: some too low, some that tie, some by the leader."""
    random = Random(seed)
    lots = [ProxyLot(FAR_END_US) for _ in range(LOTS)]
    bids = []
    for _ in range(count):
        number, bidder = random.randrange(LOTS), random.randint(1, BIDDERS)
        lot = lots[number]
        around = random.choice([lot.minimum_minor, lot.top_minor, lot.second_minor])
        amount_minor = max(1_00, around + random.randint(-3, 6) * 5_00)
        stands = lot.bid(bidder, amount_minor, 0)
        bid_id = str(UUID(int=random.getrandbits(128)))
        leads = stands and lot.leader == bidder
        bids.append(Bid(number, bidder, bid_id, amount_minor, leads, lot.price_minor))
    return bids


@pytest.mark.parametrize("seed", range(3))
async def test_the_peers_and_the_engine_come_to_the_same_leaders_and_prices(
    contenders: Contenders, seed: int
) -> None:
    ours, row_locked, scripted = contenders
    await ours.prepare(LOTS, BIDDERS)
    await row_locked.prepare(LOTS)
    await scripted.prepare(LOTS)
    told = set()
    for bid in wild_bids(200, seed):
        expected = await ours.leader_and_price(bid)
        assert await row_locked.leader_and_price(bid) == expected, bid
        assert await scripted.leader_and_price(bid) == expected, bid
        told.add(expected is None)
    assert told == {True, False}, "some bids are refused, some stand"


async def test_the_peers_extend_a_lot_that_is_about_to_close(
    contenders: Contenders, database_url: str
) -> None:
    _, row_locked, scripted = contenders
    soon_us = FAR_END_US // 2  # in the far future: nothing closes while the test runs
    bid = make_bids(1, 1, BIDDERS, seed=1)[0]
    now_us = soon_us - EXTENSION_US // 2
    lot = ProxyLot(soon_us)
    lot.bid(bid.bidder, bid.amount_minor, now_us)
    assert lot.closes_at_us == now_us + EXTENSION_US
    for peer in (row_locked, scripted):
        peer.now_us = lambda: now_us
        await peer.prepare(1, closes_at_us=soon_us)
        assert await peer.leader_and_price(bid) is not None
        assert await peer.closes_at_us(0) == lot.closes_at_us


async def test_bids_of_the_workload_stand_and_the_log_holds_each(
    contenders: Contenders, database_url: str
) -> None:
    ours = contenders[0]
    await ours.prepare(LOTS, BIDDERS, closes_in_us=HOUR_US)
    bids = make_bids(100, LOTS, BIDDERS, seed=4)
    queue = iter(bids)
    for _ in bids:
        assert await ours.place(queue)
    connection = await connect(database_url, name="tests")
    assert await ours.recorded(connection) == len(bids)
    await connection.close()


async def test_a_run_reports_machine_figures_and_ratios(tmp_path: Path) -> None:
    report = await measure_plan(TINY, tmp_path, lambda _: None)
    report.write_json(tmp_path / "out" / "engine.json")
    found = json.loads((tmp_path / "out" / "engine.json").read_text())
    assert set(found) == {"machine", "figures", "ratios"}
    assert set(found["ratios"]) >= {
        "hot_lot_vs_row_lock",
        "hot_lot_vs_redis_lua",
        "hot_lot_vs_floor",
        "thousand_lots_vs_hot_lot",
    }
    numbers = [*found["figures"].values(), *found["ratios"].values()]
    assert all(isinstance(number, int | float) and number > 0 for number in numbers)
    for name in ("engine.png", "engine.svg"):
        draw(report, tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1_000


def test_a_report_can_say_how_much_others_used_the_machine() -> None:
    others = Others()
    sum(range(2_000_000))  # our own work is not theirs
    assert 0 <= others.cores() <= (os.cpu_count() or 1) + 1


def test_where_no_redis_can_be_had_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_SERVER", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(redis_servers, "find_spec", lambda _name: None)
    with pytest.raises(NoRedis, match="apt-get install redis-server"):
        find_redis()


def test_a_load_test_that_is_interrupted_takes_its_servers_along(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "load_tests", "engine", "--quick", "--scratch", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        while not any(tmp_path.glob("*/postgres/data/postmaster.pid")):
            assert process.poll() is None
        os.kill(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
    assert not [name for name in running() if str(tmp_path) in name]


def running() -> list[str]:
    """The command lines of all processes."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it has just ended
    return lines
