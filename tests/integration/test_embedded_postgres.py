"""The server that comes along: made, started, kept, stopped, and clear when it cannot be."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from foundation.database import connect, refuse_unsafe
from softclose import postgres_cluster
from softclose.embedded_postgres import EmbeddedPostgres
from softclose.postgres_binaries import (
    Launcher,
    NoPostgres,
    find_binaries,
    nobody_launcher,
)
from softclose.postgres_cluster import EmbeddedPostgresFailed
from tests.waiting import turns, until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """A folder for a server, which is stopped at the end however the test went."""
    folder = tmp_path / "postgres"
    yield folder
    if server := postgres_cluster.Cluster(folder).server():
        os.kill(server.pid, signal.SIGQUIT)


async def ask(dsn: str, question: str) -> object:
    connection = await connect(dsn, name="test")
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def kill_9(server: EmbeddedPostgres) -> None:
    """Kill the server and wait until it is gone; its owner has still to notice."""
    pid = server.pid  # once: asking again would reap it
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


async def test_data_survives_a_stop_and_a_start(folder: Path) -> None:
    first = EmbeddedPostgres(folder)
    await ask(await first.start(), "CREATE TABLE kept (id integer)")
    await first.stop()
    assert first.pid is None
    again = EmbeddedPostgres(folder)
    assert await ask(await again.start(), "SELECT count(*) FROM kept") == 0
    assert again.dsn == first.dsn
    await again.stop()


async def test_a_server_is_safe_and_deaf_to_other_machines(postgres: EmbeddedPostgres) -> None:
    connection = await connect(postgres.dsn, name="test")
    await refuse_unsafe(connection)
    assert await connection.fetchval("SHOW listen_addresses") == "127.0.0.1"
    assert await connection.fetchval("SHOW unix_socket_directories") == ""
    assert await connection.fetchval("SHOW data_checksums") == "on"
    await connection.close()
    assert postgres.cluster.password_file.stat().st_mode & 0o777 == 0o600


async def test_it_recovers_after_its_own_kill_9_on_the_same_address(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    dsn = await server.start()
    await ask(dsn, "CREATE TABLE kept (id integer)")
    kill_9(server)
    await server.restart_if_ended()
    assert await ask(dsn, "SELECT count(*) FROM kept") == 0
    await server.stop()


async def test_a_running_server_is_left_alone_by_its_keeper(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    before = server.pid
    await server.restart_if_ended()
    assert server.pid == before
    await server.stop()


async def test_ctrl_c_at_the_terminal_does_not_reach_the_server(
    postgres: EmbeddedPostgres,
) -> None:
    assert postgres.pid is not None
    assert os.getpgid(postgres.pid) != os.getpgrp()


async def test_a_server_left_by_an_earlier_process_is_stopped_first(folder: Path) -> None:
    left = EmbeddedPostgres(folder)
    await left.start()
    server = EmbeddedPostgres(folder)
    dsn = await server.start()
    assert await ask(dsn, "SELECT 1") == 1
    assert left.pid is None
    await server.stop()


async def test_a_lock_file_with_another_programs_number_is_no_server(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    lock = server.cluster.data / "postmaster.pid"
    lines = lock.read_text().splitlines()
    await server.stop()
    lock.write_text("\n".join([str(os.getppid()), *lines[1:], ""]))
    again = EmbeddedPostgres(folder)
    assert await ask(await again.start(), "SELECT 1") == 1
    await again.stop()


async def test_an_initdb_that_was_interrupted_is_done_again(folder: Path) -> None:
    half = folder / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    server = EmbeddedPostgres(folder)
    assert await ask(await server.start(), "SELECT 1") == 1
    await server.stop()


@needs_root
async def test_as_nobody_it_runs_below_a_folder_that_only_root_may_enter(folder: Path) -> None:
    folder.parent.chmod(0o700)
    server = EmbeddedPostgres(folder)
    await ask(await server.start(), "CREATE TABLE kept (id integer)")
    await server.stop()
    as_nobody = EmbeddedPostgres(folder, launcher=nobody_launcher())
    assert await ask(await as_nobody.start(), "SELECT count(*) FROM kept") == 0
    await as_nobody.stop()
    as_before = EmbeddedPostgres(folder)
    assert await ask(await as_before.start(), "SELECT count(*) FROM kept") == 0
    await as_before.stop()


async def test_data_of_another_major_version_is_refused(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedPostgresFailed, match=r"made by PostgreSQL 12.*PG_BIN"):
        await EmbeddedPostgres(folder).start()


async def test_a_port_that_another_program_takes_is_given_up(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    await server.stop()
    port = server.cluster.remembered_port()
    other = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
    async with other:
        assert await ask(await server.start(), "SELECT 1") == 1
        assert server.cluster.remembered_port() != port
        await server.stop()


async def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    await server.stop()
    for file in (server.cluster.data / "global").glob("pg_control"):
        file.write_bytes(b"")
    with pytest.raises(EmbeddedPostgresFailed, match=r"does not start: .*postgres.log"):
        await server.start()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedPostgresFailed, match=f"cannot write in {tmp_path}"):
        await EmbeddedPostgres(tmp_path / "file" / "postgres").start()


async def test_a_failing_initdb_is_told_in_one_line(folder: Path) -> None:
    broken = Launcher("broken", ("false",))
    with pytest.raises(EmbeddedPostgresFailed, match="could not make a database"):
        await EmbeddedPostgres(folder, launcher=broken).start()
    assert not (folder / "data").exists()


async def test_an_initdb_that_is_cut_short_leaves_nobody_at_work(
    folder: Path, tmp_path: Path
) -> None:
    """It has another process do the work, which would go on writing without it."""
    helper = tmp_path / "helper"
    busy = Launcher("busy", ("sh", "-c", 'sleep 1000 & echo $! >"$0"; wait', str(helper)))
    starting = asyncio.create_task(EmbeddedPostgres(folder, launcher=busy).start())
    await until(lambda: helper.exists() and helper.read_text().endswith("\n"))
    pid = int(helper.read_text())
    await turns()  # and it is waited for
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    try:  # its files are closed by now; the kernel may not have put the rest away
        await until(lambda: not _is_at_work(pid), deadline_s=5)
    finally:
        if _is_at_work(pid):
            os.kill(pid, signal.SIGKILL)


def _is_at_work(pid: int) -> bool:
    """Whether the process runs; one that was killed may still wait for somebody to notice."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


async def test_it_is_started_from_the_main_thread_only(folder: Path) -> None:
    caught: list[BaseException] = []

    def elsewhere() -> None:
        try:
            asyncio.run(EmbeddedPostgres(folder).start())
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])


def test_a_pg_bin_without_programs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(NoPostgres, match=f"PG_BIN={tmp_path} does not hold postgres, initdb"):
        find_binaries()


def test_without_any_postgres_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PG_BIN", raising=False)
    monkeypatch.setattr("softclose.postgres_binaries._in_wheel", list)
    monkeypatch.setattr("softclose.postgres_binaries._on_system", list)
    with pytest.raises(NoPostgres, match=r"softclose\[embed\]"):
        find_binaries()


def test_a_log_that_grew_large_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_cluster, "LOG_BYTES", 10)
    cluster = postgres_cluster.Cluster(tmp_path)
    cluster.log.write_text("more than ten bytes")
    cluster.bound_log()
    assert cluster.log.read_text() == ""
    assert (tmp_path / "postgres.log.1").read_text() == "more than ten bytes"
