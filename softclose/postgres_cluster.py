"""The files of an embedded PostgreSQL: its data, password, log, and what it says of itself.

postgres/data            the cluster, made by initdb in data.new and then renamed
postgres/password        of the only role; the server listens on loopback and asks for it
postgres/port            the last port, taken again if it is free
postgres/postgres.log    what PostgreSQL writes on stderr, bounded; .1 is the part before
"""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from foundation.errors import OperatorError
from softclose.postgres_binaries import Binaries, Launcher

ROLE = "softclose"
DATABASE = "softclose"

# A day of PostgreSQL's own warnings is kilobytes; a full disk repeats itself for hours.
LOG_BYTES = 10 * 1024 * 1024
# initdb takes half a second; on a disk that is 100 times slower something else is wrong.
INITDB_TIMEOUT_S = 60.0


class EmbeddedPostgresFailed(OperatorError):
    """The PostgreSQL that Softclose brings along does not start or stop."""


def embedded_folder(data: Path) -> Path:
    """Where in the data folder the embedded PostgreSQL lives."""
    return data / "postgres"


@dataclass(frozen=True)
class Server:
    """A running server, as its lock file tells."""

    pid: int
    port: int
    ready: bool


@dataclass(frozen=True)
class Cluster:
    """The files under one folder; whoever writes them holds the data folder."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def password_file(self) -> Path:
        return self.folder / "password"

    @property
    def port_file(self) -> Path:
        return self.folder / "port"

    def exists(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def dsn(self, port: int, database: str = DATABASE) -> str:
        """Where a client finds it; a secret, because the password is in it."""
        password = self.password_file.read_text().strip()
        return f"postgresql://{ROLE}:{password}@127.0.0.1:{port}/{database}"

    def server(self) -> Server | None:
        """The server that runs on this data now, if one does."""
        claimed = self.claimed()
        return claimed if claimed and _is_postgres_of(claimed.pid, self.data) else None

    def claimed(self) -> Server | None:
        """What the lock file says, true or left behind by a crash."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            ready = len(lines) > 7 and lines[7].strip() == "ready"
            return Server(int(lines[0]), int(lines[3]), ready)
        except (FileNotFoundError, IndexError, ValueError):
            return None

    def remembered_port(self) -> int | None:
        try:
            return int(self.port_file.read_text())
        except (FileNotFoundError, ValueError):
            return None

    async def create(self, binaries: Binaries, launcher: Launcher, *, durable: bool) -> None:
        """Make an empty cluster. One that a crash left half-made is in data.new and goes.

        Unless ``durable``, a power cut soon after may leave it damaged.
        """
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        _write_secret(self.password_file, secrets.token_urlsafe(24))
        options = () if durable else ("--no-sync",)
        await _run_initdb(binaries, launcher, unfinished, self.password_file, options)
        unfinished.rename(self.data)

    def refuse_other_major(self, binaries: Binaries) -> None:
        """PostgreSQL reads only the data of its own major version."""
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(binaries.major):
            raise EmbeddedPostgresFailed(
                f"the data in {self.folder} was made by PostgreSQL {made_by}, and this is "
                f"{binaries.major}; name the programs of version {made_by} with PG_BIN"
            )

    def give_to(self, owner: tuple[int, int] | None) -> None:
        """Files made as one user are unusable as another: root's ways to run it may change."""
        if owner is None or self.data.stat().st_uid == owner[0]:
            return
        os.chown(self.data, *owner)
        for entry in self.data.rglob("*"):
            os.chown(entry, *owner, follow_symlinks=False)

    def bound_log(self) -> None:
        """Put a log that has grown large aside; PostgreSQL appends to what is left, nothing."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)


def _write_secret(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)


async def _run_initdb(
    binaries: Binaries,
    launcher: Launcher,
    data: Path,
    password_file: Path,
    options: tuple[str, ...],
) -> None:
    command = launcher.command(
        binaries["initdb"],
        f"--pgdata={data}",
        f"--username={ROLE}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
        *options,
    )
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=bare_environment(),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(INITDB_TIMEOUT_S):
            said, _ = await process.communicate()
    except BaseException:
        # What it started goes on writing without it. All of them hold the pipe, so at its end
        # nobody writes any more, and the folder can be removed.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()
        raise
    if process.returncode != 0:
        raise EmbeddedPostgresFailed(f"could not make a database in {data.parent}: {cause(said)}")


def bare_environment() -> dict[str, str]:
    """No secret of ours, no PGHOST of the user's, and messages in the language that we match."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


# What PostgreSQL says, and what to tell the person.
_CAUSES = (
    ("No space left on device", "the disk is full; free some space and start again"),
    ("Permission denied", "a file there may not be read or written; see its owner and mode"),
    ("Read-only file system", "the file system is read-only; choose another folder with --data"),
    ("could not create any TCP/IP sockets", "no port could be taken on 127.0.0.1"),
    ("shared memory block", "an earlier PostgreSQL on this data has not ended yet; try again"),
    ("invalid checkpoint record", "the data is damaged; restore a backup"),
    ("could not locate a valid checkpoint", "the data is damaged; restore a backup"),
)


def cause(said: bytes) -> str:
    """Why PostgreSQL failed, in one line: a known cause with its way out, else its last error."""
    text = said.decode(errors="replace")
    for words, meaning in _CAUSES:
        if words in text:
            return meaning
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "FATAL" in line or "PANIC" in line or "error:" in line]
    return (errors or lines or ["it said nothing"])[-1]


def _is_postgres_of(pid: int, data: Path) -> bool:
    """Whether this process is a postgres of this data; numbers of dead ones are given out again."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return not Path("/proc/self").exists() and _alive(pid)
    return str(data).encode() in command.split(b"\0")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
