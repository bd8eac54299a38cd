"""A PostgreSQL that comes along: started with the process, stopped with it, its data kept.

Whoever uses it holds the data folder (``data_folder.hold``), so a server that still runs on the
data has no owner: a killed parent's, which got its stop signal from the kernel and is on its
way out, or one that never got it. Either is waited for, and stopped, before ours starts.

The kernel's signal follows the *thread* that spawned the server, so servers are started from
the main thread, which lives as long as the process.
"""

import asyncio
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import structlog

from foundation.database import connect
from softclose.postgres_binaries import Binaries, Launcher, find_binaries, find_launcher
from softclose.postgres_cluster import (
    DATABASE,
    Cluster,
    EmbeddedPostgresFailed,
    bare_environment,
    cause,
)

POLL_S = 0.005
# Recovery after a crash reads at most what max_wal_size allows, some seconds of disk.
READY_TIMEOUT_S = 120.0
# A fast stop writes a checkpoint; shared_buffers at 10 MB/s.
STOP_TIMEOUT_S = 30.0
# An immediate stop writes nothing.
QUIT_TIMEOUT_S = 5.0
# Others may take a port between our look and PostgreSQL's; four times in a row they do not.
ATTEMPTS = 4
ATTEMPT_PAUSE_S = 0.5
WATCH_INTERVAL_S = 0.5
# While it cannot come back (a full disk), it is tried this often.
RESTART_PAUSE_S = 2.0

# Given on the command line, so that an edited postgresql.conf cannot turn safety off.
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # Enough for a live sale's tables; small beside what any machine of today has.
    "shared_buffers": "256MB",
    # Fewer checkpoints, so fewer full pages in the log and steadier commits; bounds recovery.
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "max_connections": "60",
    # For online backups by pg_basebackup.
    "wal_level": "replica",
    "max_wal_senders": "4",
    # How long each flush took, for load tests and for finding a slow disk.
    "track_io_timing": "on",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}

log = structlog.get_logger(__name__)


class EmbeddedPostgres:
    """One server on ``folder``, which is made if need be. Start it from the main thread.

    ``scratch``: the folder is thrown away afterwards, so what is made need not outlive the
    machine, the one database is the one that is there, and the stop writes nothing. Commits are
    as durable as ever.
    """

    def __init__(
        self,
        folder: Path,
        *,
        scratch: bool = False,
        binaries: Binaries | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        self.cluster = Cluster(folder)
        self._scratch = scratch
        self._binaries = binaries
        self._launcher = launcher
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def dsn(self) -> str:
        """Where clients find it, the same across restarts by `keep_running`."""
        return self.cluster.dsn(self._port, "postgres" if self._scratch else DATABASE)

    @property
    def pid(self) -> int | None:
        """The server's process while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process and running else None

    async def start(self) -> str:
        """Ready for connections, after recovery if need be; returns the dsn. Once per object.

        Raises `EmbeddedPostgresFailed` or `NoPostgres` with the way out.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("PostgreSQL must be started from the main thread")
        self._binaries = self._binaries or find_binaries()
        self._launcher = self._launcher or find_launcher()
        await self._prepare(self._binaries, self._launcher)
        await self._start_server(self._choose_port)
        if not self._scratch:
            await self._ensure_database()
        return self.dsn

    async def stop(self) -> None:
        """A clean stop: connections are ended, a checkpoint is written. Harmless when stopped."""
        if self.pid is None:
            return
        pid = self.pid
        steps = ((signal.SIGINT, STOP_TIMEOUT_S), (signal.SIGQUIT, QUIT_TIMEOUT_S))
        for stop, timeout_s in steps[1:] if self._scratch else steps:
            os.kill(pid, stop)
            if await _within(timeout_s, lambda: self.pid is None):
                return
        raise EmbeddedPostgresFailed(f"PostgreSQL (process {pid}) does not stop; kill -9 {pid}")

    async def keep_running(self) -> NoReturn:
        """Start the server again whenever it ends by itself, on the same port. Cancel to end."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            self.cluster.bound_log()
            try:
                await self.restart_if_ended()
            except EmbeddedPostgresFailed as error:
                log.error("postgres_does_not_start", reason=str(error))
                await asyncio.sleep(RESTART_PAUSE_S)

    async def restart_if_ended(self) -> None:
        """One look of `keep_running`; raises `EmbeddedPostgresFailed` if it does not come back."""
        if self.pid is None:
            log.warning("postgres_ended", code=self._process and self._process.returncode)
            await self._start_server(lambda: self._port)

    async def _prepare(self, binaries: Binaries, launcher: Launcher) -> None:
        try:
            self.cluster.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.cluster.exists():
                await self.cluster.create(binaries, launcher, durable=not self._scratch)
            self.cluster.refuse_other_major(binaries)
            self.cluster.give_to(launcher.owner)
            self.cluster.bound_log()
        except OSError as error:
            raise EmbeddedPostgresFailed(
                f"cannot write in {self.cluster.folder}: {error.strerror}"
            ) from error

    async def _start_server(self, choose_port: Callable[[], int]) -> None:
        """Try until it is ready; only what can pass by itself is tried again."""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(ATTEMPT_PAUSE_S)
            await self._end_old_server()
            self._port = choose_port()
            said = await self._launch()
            if said is None:
                self.cluster.port_file.write_text(f"{self._port}\n")
                return
            if b"TCP/IP sockets" not in said and b"shared memory block" not in said:
                break
        raise EmbeddedPostgresFailed(
            f"PostgreSQL does not start: {cause(said or b'')} (log: {self.cluster.log})"
        )

    async def _launch(self) -> bytes | None:
        """None once it takes connections; else what it said before it ended."""
        said_before = self.cluster.log.stat().st_size if self.cluster.log.exists() else 0
        self._process = self._spawn()
        await _within(READY_TIMEOUT_S, lambda: self.pid is None or self._is_ready())
        if self._is_ready():
            return None
        await self.stop()
        with self.cluster.log.open("rb") as text:
            text.seek(said_before)
            return text.read()

    def _spawn(self) -> subprocess.Popen[bytes]:
        assert self._binaries
        assert self._launcher
        settings = SERVER_SETTINGS | {"port": str(self._port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [self._binaries["postgres"], "-D", str(self.cluster.data), *options]
        with self.cluster.log.open("ab") as out:
            # A session of its own: Ctrl-C at the terminal is for us to handle, in our order.
            return subprocess.Popen(
                self._launcher.service(*command),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=bare_environment(),
                start_new_session=True,
            )

    def _is_ready(self) -> bool:
        server = self.cluster.claimed()
        return server is not None and server.ready and server.pid == self.pid

    async def _end_old_server(self) -> None:
        """Wait for a server that an earlier process left; remove a lock file that nobody owns."""
        old = self.cluster.server()
        if old is None:
            self._forget_reused_pid()
            return
        log.info("postgres_of_an_earlier_process_ends", pid=old.pid)
        for stop, timeout_s in ((signal.SIGINT, STOP_TIMEOUT_S), (signal.SIGQUIT, QUIT_TIMEOUT_S)):
            _signal(old.pid, stop)
            if await _within(timeout_s, lambda: self.cluster.server() is None):
                return
        raise EmbeddedPostgresFailed(
            f"an earlier PostgreSQL (process {old.pid}) does not end; kill -9 {old.pid}"
        )

    def _forget_reused_pid(self) -> None:
        """After a reboot the number in the lock file may be another program's, which PostgreSQL
        takes for a server. It guards itself against real ones by its shared memory as well."""
        claimed = self.cluster.claimed()
        if claimed is not None and Path(f"/proc/{claimed.pid}").exists():
            (self.cluster.data / "postmaster.pid").unlink(missing_ok=True)

    def _choose_port(self) -> int:
        remembered = self.cluster.remembered_port()
        return remembered if remembered and _is_free(remembered) else _free_port()

    async def _ensure_database(self) -> None:
        connection = await connect(self.cluster.dsn(self._port, "postgres"), name="start")
        try:
            known = "select exists (select from pg_database where datname = $1)"
            if not await connection.fetchval(known, DATABASE):
                await connection.execute(f"create database {DATABASE}")
        finally:
            await connection.close()


async def _within(timeout_s: float, done: Callable[[], bool]) -> bool:
    """Whether it is done before the time is over; asked again and again."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not done():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
