"""kill -9 under load: what was acknowledged is in the log for ever, and an id gets one verdict."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from foundation.database import connect
from softclose.databases import embedded_server, prepare
from softclose.postgres_cluster import Cluster, embedded_folder
from tests.acceptance.bidding_process import Mark, Orders
from tests.acceptance.killing import Account, Killer, Process, fleet
from tests.acceptance.outsider import Logged, read_log
from tests.processes import softclose
from tests.thorough import THOROUGH, thorough

KILLS = 50 if THOROUGH else 12
SEED = 20_260_302


@pytest.fixture
def history(tmp_path: Path) -> Path:
    file = tmp_path / "history"
    file.touch()
    return file


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Iterator[Process]]:
    with fleet(tmp_path) as processes:
        yield processes


@thorough
@pytest.mark.timeout(600)  # of a busy machine; a quiet one takes a minute
async def test_many_kills_lose_nothing_and_double_nothing(
    database_url: str, history: Path, processes: Iterator[Process]
) -> None:
    account = Account(history)
    killer = Killer(account, Orders(history=str(history), seed=0, dsn=database_url), SEED)
    for _ in range(KILLS):
        killer.run_and_kill(next(processes))
        assert account.faults == []
    killer.run_to_the_end(next(processes))
    logged = await read_log(database_url)
    assert account.compared_with(logged) == []
    audited = softclose("log", "verify", SOFTCLOSE_DATABASE_URL=database_url)
    assert audited.code == 0, audited.out
    # The load was what it is meant to be.
    assert killer.in_flight >= KILLS // 4
    assert account.repeats > len(account.told) > 20 * KILLS
    for kind in ("end_extended", "ends_moved", "lot_sold", "sale_closed", "maximum_raised"):
        assert logged.kinds[kind] > 5, kind


async def test_an_engine_that_answers_before_the_commit_is_caught(
    database_url: str, history: Path, processes: Iterator[Process]
) -> None:
    account = Account(history)
    orders = Orders(history=str(history), seed=1, dsn=database_url, answer_early=True)
    process = next(processes)
    process.begin(replace(orders, die=(Mark.APPENDING.decode(), 40)))
    assert process.ended() == -signal.SIGKILL, process.said()
    account.take_over()
    faults = account.compared_with(await read_log(database_url))
    assert faults and all("was acknowledged at" in fault for fault in faults)


# --- PostgreSQL goes too ----------------------------------------------------------------------


async def read_embedded(data: Path) -> Logged:
    """The log in a data folder that nobody uses."""
    async with embedded_server(data) as postgres:
        return await read_log(postgres.dsn)


def kill_all_at_once(process: Process, data: Path) -> None:
    """The engine, PostgreSQL and its children: as if the machine's kernel alone went on.

    Stopped first, so that none of them sees another one die and writes down what it still holds.
    """
    server = Cluster(embedded_folder(data)).server()
    assert server is not None
    for pid in (process.popen.pid, server.pid):
        os.kill(pid, signal.SIGSTOP)
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for pid in (*map(int, children), server.pid):
        os.kill(pid, signal.SIGKILL)
    process.kill()


async def test_a_kill_that_takes_the_embedded_postgresql_along_loses_nothing(
    tmp_path: Path, history: Path, processes: Iterator[Process]
) -> None:
    data, account = tmp_path / "data", Account(history)
    killer = Killer(account, Orders(history=str(history), seed=0, data=str(data)), SEED + 1)
    for _ in range(4):
        killer.run_and_kill(next(processes))
    killer.run_to_the_end(next(processes))
    assert len(account.told) > 100
    assert account.compared_with(await read_embedded(data)) == []


async def test_a_kill_of_everything_at_once_loses_nothing(
    tmp_path: Path, history: Path, processes: Iterator[Process]
) -> None:
    data, account = tmp_path / "data", Account(history)
    killer = Killer(account, Orders(history=str(history), seed=0, data=str(data)), SEED + 2)
    for _ in range(3):
        process = next(processes)
        process.begin(killer.next_orders())
        process.until(Mark.BIDDING)
        process.until(Mark.APPENDED, 30)
        kill_all_at_once(process, data)
        killer.note_end(process)
    killer.run_to_the_end(next(processes))
    assert len(account.told) > 100
    assert account.compared_with(await read_embedded(data)) == []


async def commits_that_do_not_wait(data: Path) -> None:
    """Set up a database that acknowledges commits before they are on the disk."""
    async with embedded_server(data) as postgres:
        await prepare(postgres.dsn)
        connection = await connect(postgres.dsn, name="test")
        await connection.execute("alter database softclose set synchronous_commit = off")
        await connection.execute("alter system set wal_writer_delay = '10s'")
        await connection.close()


async def test_a_database_that_acknowledges_early_is_refused_and_would_be_caught(
    tmp_path: Path, history: Path, processes: Iterator[Process]
) -> None:
    data, account = tmp_path / "data", Account(history)
    await commits_that_do_not_wait(data)
    orders = Orders(history=str(history), seed=1, data=str(data))
    refused = next(processes)
    refused.begin(orders)
    assert refused.ended() > 0
    assert "synchronous_commit is off" in refused.said()
    assert refused.seen == b"", "it never served"
    process = next(processes)
    process.begin(replace(orders, unchecked=True))
    process.until(Mark.BIDDING)
    process.until(Mark.APPENDED, 100)
    kill_all_at_once(process, data)
    account.take_over()
    faults = account.compared_with(await read_embedded(data))
    assert faults and all("was acknowledged at" in fault for fault in faults)
