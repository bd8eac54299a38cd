"""A backup of the embedded data: from the running server, so that a sale goes on, and verified."""

import asyncio
import os
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from foundation.errors import OperatorError
from softclose.backup_archive import (
    Header,
    folder_bytes,
    write_archive,
)
from softclose.postgres_binaries import Binaries
from softclose.postgres_cluster import bare_environment, cause
from softclose.progress import Report

# Half a terabyte at 50 MB/s; a backup that takes longer has a network or a disk that hangs.
BACKUP_TIMEOUT_S = 3 * 3_600
VERIFY_TIMEOUT_S = 3 * 3_600

_PROGRESS = re.compile(rb"(\d+)/(\d+) kB")


class BackupFailed(OperatorError):
    """The backup was not made; nothing has its name."""


def stamp() -> str:
    """The time now, as it stands in names of files."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


async def copy_server(dsn: str, binaries: Binaries, target: Path, report: Report) -> None:
    """A copy of a running server's files in ``target``, which is made; verify it before use."""
    address = urlsplit(dsn)
    command = [
        binaries["pg_basebackup"],
        f"--pgdata={target}",
        f"--host={address.hostname}",
        f"--port={address.port}",
        f"--username={address.username}",
        "--no-password",
        "--wal-method=stream",
        "--checkpoint=fast",
        "--manifest-checksums=SHA256",
        "--progress",
    ]
    secret = {"PGPASSWORD": address.password or ""}
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=bare_environment() | secret,
    )
    try:
        async with asyncio.timeout(BACKUP_TIMEOUT_S):
            said = await _follow(process, report)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise BackupFailed(f"the backup failed: {cause(said)}")


async def _follow(process: asyncio.subprocess.Process, report: Report) -> bytes:
    """Report the progress that it prints; returns its last lines."""
    assert process.stderr is not None
    said: list[bytes] = []
    async for line in process.stderr:
        if match := _PROGRESS.search(line):
            report(int(match[1]), int(match[2]))
        else:
            said = [*said[-9:], line]
    await process.wait()
    return b"".join(said)


def verify_copy(binaries: Binaries, data: Path) -> None:
    """Every file against the manifest's hash, and the log that is needed to start from it."""
    done = subprocess.run(
        [binaries["pg_verifybackup"], "--exit-on-error", "--quiet", str(data)],
        capture_output=True,
        env=bare_environment(),
        timeout=VERIFY_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise BackupFailed(f"the copy is damaged: {cause(done.stderr)}")


def backup_file(target: Path) -> Path:
    """The file to write: the one named, or one named after the time in the folder named."""
    file = target / f"softclose-{stamp()}.tar.gz" if target.is_dir() else target
    if file.exists():
        raise BackupFailed(f"{file} exists already; name another file")
    if not os.access(file.parent, os.W_OK):
        raise BackupFailed(f"cannot write in {file.parent}")
    return file


def pack(file: Path, data: Path, password: str, binaries: Binaries, report: Report) -> Header:
    """Pack a verified copy into the backup file."""
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    header = Header(version("softclose"), binaries.major, made_at, folder_bytes(data))
    write_archive(file, header, password, data, report)
    return header
