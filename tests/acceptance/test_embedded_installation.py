"""A whole installation in a folder: one process at a time, and whole again after kill -9."""

import asyncio
import os
import re
import select
import signal
from pathlib import Path

import pytest

from foundation.database import connect
from softclose.databases import running_dsn
from softclose.postgres_cluster import Cluster, embedded_folder
from tests.processes import line_of, python, softclose

# Serves until its input ends: prepares the database as `serve` does and says where it is.
SERVE = """
import asyncio, sys
from pathlib import Path
from foundation.logs import LogFormat, LogLevel, configure_logs
from softclose.databases import serving_database
from softclose.settings import load

configure_logs(LogLevel.INFO, LogFormat.JSON)

async def serve():
    async with serving_database(load(data=Path(sys.argv[1]))) as database:
        print(database.dsn, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(serve())
"""


def execute(dsn: str, statement: str) -> object:
    async def run() -> object:
        connection = await connect(dsn, name="test")
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def test_a_first_command_makes_the_folder_and_the_tables(tmp_path: Path) -> None:
    first = softclose("--data", tmp_path / "data", "migrate")
    assert first.code == 0, first.err
    assert "applied auction/0001_" in first.out
    again = softclose("--data", tmp_path / "data", "migrate")
    assert again.out == "nothing to apply: the database is current\n"


def test_a_second_server_on_the_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    with python(SERVE, tmp_path) as serving:
        assert line_of(serving).startswith("postgresql://")
        refused = softclose("--data", tmp_path, "restore", __file__)
        assert refused.code == 1
        assert refused.err == (
            f"softclose: another softclose (process {serving.pid}) uses {tmp_path}; "
            "stop it, or choose another folder with --data\n"
        )


def test_a_command_beside_a_running_one_shares_its_database(tmp_path: Path) -> None:
    with python(SERVE, tmp_path) as serving:
        line_of(serving)
        shared = softclose("--data", tmp_path, "migrate")
    assert shared.out == "nothing to apply: the database is current\n"


@pytest.mark.parametrize("attempt", range(3))
def test_after_kill_9_postgresql_ends_and_the_next_start_has_all_data(
    tmp_path: Path, attempt: int
) -> None:
    with python(SERVE, tmp_path) as serving:
        dsn = line_of(serving)
        execute(dsn, f"CREATE TABLE kept AS SELECT {attempt} AS attempt")
        serving.send_signal(signal.SIGKILL)
    # At once, while the old server may still be on its way out.
    with python(SERVE, tmp_path) as serving:
        dsn = line_of(serving)
        assert execute(dsn, "SELECT attempt FROM kept") == attempt


def test_after_kill_9_postgresql_ends_by_itself_and_cleanly(tmp_path: Path) -> None:
    with python(SERVE, tmp_path) as serving:
        line_of(serving)
        server = Cluster(embedded_folder(tmp_path)).server()
        assert server is not None
        server_end = os.pidfd_open(server.pid)
        serving.send_signal(signal.SIGKILL)
        ended, _, _ = select.select([server_end], [], [], 30)
        os.close(server_end)
    assert ended
    log = (tmp_path / "postgres" / "postgres.log").read_text()
    assert log.rstrip().endswith("database system is shut down")


def test_after_kill_9_of_the_server_too_it_recovers(tmp_path: Path) -> None:
    with python(SERVE, tmp_path) as serving:
        dsn = line_of(serving)
        execute(dsn, "CREATE TABLE kept (id integer)")
        server = Cluster(embedded_folder(tmp_path)).server()
        assert server is not None
        serving.send_signal(signal.SIGSTOP)  # so that it cannot start it again
        os.kill(server.pid, signal.SIGKILL)
        serving.send_signal(signal.SIGKILL)
    assert softclose("--data", tmp_path, "doctor").code == 0


def test_a_clean_end_leaves_no_server(tmp_path: Path) -> None:
    with python(SERVE, tmp_path) as serving:
        line_of(serving)
        assert running_dsn(tmp_path) is not None
        assert serving.stdin is not None
        serving.stdin.close()
        assert serving.wait() == 0
    assert running_dsn(tmp_path) is None


def test_the_password_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    softclose("--data", tmp_path / "data", "migrate")
    modes = {
        str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777
        for path in (tmp_path / "data", tmp_path / "data" / "postgres" / "password")
    }
    assert modes == {"data": 0o700, "data/postgres/password": 0o600}


def test_doctor_finds_nothing_wrong_with_a_new_installation(tmp_path: Path) -> None:
    looked = softclose("--data", tmp_path / "data", "doctor", SOFTCLOSE_HTTP_PORT="0")
    assert looked.code == 0, looked.out
    assert looked.out.endswith("all is well\n")
    assert not (tmp_path / "data").exists()


def test_doctor_names_what_is_wrong_and_the_way_out(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    softclose("--data", folder, "migrate")
    folder.chmod(0o755)
    (folder / "postgres" / "data" / "PG_VERSION").write_text("12\n")
    looked = softclose("--data", folder, "doctor", SOFTCLOSE_HTTP_PORT="0")
    assert looked.code == 1
    wrong = [line for line in looked.out.splitlines() if line.startswith("WRONG")]
    assert re.search(r"made by PostgreSQL 12, .*PG_BIN", wrong[0])
    assert f"chmod 700 {folder}" in wrong[1]
    assert looked.out.endswith(f"{len(wrong)} wrong\n")


def test_doctor_sees_who_runs(tmp_path: Path) -> None:
    with python(SERVE, tmp_path) as serving:
        line_of(serving)
        looked = softclose("--data", tmp_path, "doctor")
        assert looked.code == 0, looked.out
        assert f"process {serving.pid} uses it" in looked.out
        assert "migrations: current" in looked.out


def test_doctor_does_not_repeat_a_password() -> None:
    url = "postgresql://someone:hunter2@127.0.0.1:1/softclose"
    looked = softclose("doctor", SOFTCLOSE_DATABASE_URL=url)
    assert looked.code == 1
    assert "no connection to PostgreSQL at 127.0.0.1:1/softclose" in looked.out
    assert "hunter2" not in looked.out + looked.err
