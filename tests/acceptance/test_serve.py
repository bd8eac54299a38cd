"""``softclose serve``: how it starts, stops, refuses to start, and comes back."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from foundation.database import connect
from softclose.databases import running_dsn
from softclose.postgres_cluster import Cluster, embedded_folder
from tests.processes import softclose
from tests.serving import eventually, serving


def postmaster(data: Path) -> int:
    server = Cluster(embedded_folder(data)).server()
    assert server is not None
    return server.pid


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


async def execute(dsn: str, statement: str) -> None:
    connection = await connect(dsn, name="test")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_gets_ready_and_a_signal_stops_it_cleanly(tmp_path: Path, number: int) -> None:
    with serving(tmp_path) as served:
        ready = served.gets_ready()
        assert ready["shards"] == 64
        assert served.answers()
        assert served.readiness() == (200, [])
        served.process.send_signal(number)
        assert served.says("stopped")["signal"] == signal.Signals(number).name
        assert served.process.wait() == 0
    assert running_dsn(tmp_path) is None


def test_a_signal_during_the_start_leaves_nothing_behind(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, SOFTCLOSE_HTTP_PORT=str(port)) as served:
        served.address = f"http://127.0.0.1:{port}"
        eventually(served.answers)
        assert served.readiness() == (503, ["starting: PostgreSQL is not ready yet"])
        served.process.send_signal(signal.SIGTERM)
        served.says("stopped")
        assert served.process.wait() == 0
    assert running_dsn(tmp_path) is None
    with serving(tmp_path) as served:
        served.gets_ready()


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        served.gets_ready()
        server = postmaster(tmp_path)
        os.kill(server, signal.SIGSTOP)  # now a clean stop takes for ever
        served.process.send_signal(signal.SIGTERM)
        served.says("stops")
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait() == -signal.SIGTERM
        os.kill(server, signal.SIGCONT)
    eventually(lambda: running_dsn(tmp_path) is None)


def test_a_second_one_on_the_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        served.gets_ready()
        refused = softclose("--data", tmp_path, "serve", SOFTCLOSE_HTTP_PORT="0")
        assert refused.code == 1
        assert refused.err == (
            f"softclose: another softclose (process {served.process.pid}) uses {tmp_path}; "
            "stop it, or choose another folder with --data\n"
        )
        assert served.readiness() == (200, [])


def test_a_busy_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = softclose("--data", tmp_path, "serve", SOFTCLOSE_HTTP_PORT=str(port))
    assert refused.code == 1
    assert refused.err == (
        f"softclose: port {port} on 127.0.0.1 is taken by another program; "
        "choose another with SOFTCLOSE_HTTP_PORT (0: any free one)\n"
    )


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_an_address_that_is_not_ours_is_one_line(tmp_path: Path, host: str) -> None:
    refused = softclose("--data", tmp_path, "serve", SOFTCLOSE_HTTP_HOST=host)
    assert refused.code == 1
    assert refused.err.count("\n") == 1
    assert "set SOFTCLOSE_HTTP_HOST" in refused.err


@pytest.mark.parametrize("scope", ["DATABASE", "ROLE"])
async def test_a_database_that_could_lose_a_bid_is_refused_in_one_line(
    tmp_path: Path, empty_database_url: str, scope: str
) -> None:
    name = empty_database_url.rpartition("/")[2]
    target = f"DATABASE {name}" if scope == "DATABASE" else f"ROLE softclose IN DATABASE {name}"
    await execute(empty_database_url, f"ALTER {target} SET synchronous_commit = off")
    refused = await asyncio.to_thread(
        softclose, "serve", SOFTCLOSE_DATABASE_URL=empty_database_url, SOFTCLOSE_HTTP_PORT="0"
    )
    assert refused.code == 1
    assert refused.err.count("\n") == 1
    assert refused.err.startswith(
        "softclose: synchronous_commit is off: acknowledged bids would be lost"
    )


def test_a_database_that_does_not_answer_is_one_line() -> None:
    url = "postgresql://someone:hunter2@127.0.0.1:1/softclose"
    refused = softclose("serve", SOFTCLOSE_DATABASE_URL=url, SOFTCLOSE_HTTP_PORT="0")
    assert refused.code == 1
    assert refused.err.count("\n") == 1
    assert refused.err.startswith("softclose: no connection to PostgreSQL at 127.0.0.1:1/softclose")
    assert "hunter2" not in refused.err


def test_it_serves_from_a_database_of_the_operators_own(
    tmp_path: Path, empty_database_url: str
) -> None:
    with serving(tmp_path, SOFTCLOSE_DATABASE_URL=empty_database_url) as served:
        served.gets_ready()
        served.process.terminate()
        assert served.process.wait() == 0
    # What the simulated payment provider did, which a house with a key of Stripe's does not have.
    assert [path.name for path in tmp_path.iterdir()] == ["stripe"]


def test_after_kill_9_it_starts_again(tmp_path: Path) -> None:
    for _ in range(2):
        with serving(tmp_path) as served:
            served.gets_ready()
            served.process.kill()
    with serving(tmp_path) as served:
        served.gets_ready()
        assert served.readiness() == (200, [])


def test_when_its_postgresql_is_killed_it_recovers_by_itself(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        served.gets_ready()
        os.kill(postmaster(tmp_path), signal.SIGKILL)
        eventually(lambda: served.readiness()[0] == 503)
        assert served.answers()
        eventually(lambda: served.readiness() == (200, []))
        served.process.terminate()
        assert served.process.wait() == 0
    assert running_dsn(tmp_path) is None
