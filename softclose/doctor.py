"""What is right and what is wrong with this installation, a finding a line.

Each check looks at one thing and answers for itself: a broken one says so and how to mend it,
and the ones after it are made all the same.
"""

import os
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import asyncpg

from foundation.database import Connection, connect, refuse_unsafe
from foundation.errors import OperatorError
from foundation.migrator import pending
from softclose.data_folder import holder
from softclose.databases import any_database
from softclose.postgres_binaries import find_binaries, find_launcher
from softclose.postgres_cluster import Cluster, embedded_folder
from softclose.rooms import rooms
from softclose.settings import Settings

# A day of a busy house writes some hundred megabytes; below this a full disk is near.
FREE_BYTES = 1_000_000_000
# Beyond this the engine pauses its sales rather than close lots by a wrong clock.
CLOCK_MS = 250


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. A wrong one says the way out."""

    right: bool
    says: str


def right(says: str) -> Finding:
    return Finding(True, says)  # noqa: FBT003 - named by this function


def wrong(says: str) -> Finding:
    return Finding(False, says)  # noqa: FBT003 - named by this function


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """All findings, in the order in which they are worth mending."""
    yield right(f"Python {sys.version.split()[0]}, assertions on")
    for check in (_postgres, _folder, _disk, _port):
        for finding in _told(check, settings):
            yield finding
    async for finding in _database(settings):
        yield finding
    async for finding in _payments(settings):
        yield finding


async def _payments(settings: Settings) -> AsyncIterator[Finding]:
    if settings.stripe_key is None:
        yield right("payments: simulated; set SOFTCLOSE_STRIPE_KEY for real ones")
        return
    # Here, since the SDK takes a second to load.
    from softclose.stripe import look

    seen = await look(settings)
    if seen.says:
        yield right(seen.says)
    for fault in seen.wrong:
        yield wrong(fault)


def _told(check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    try:
        yield from check(settings)
    except (OperatorError, OSError) as error:
        yield wrong(str(error))


def _postgres(settings: Settings) -> Iterator[Finding]:
    """The programs of the embedded server; a server of one's own needs none."""
    if settings.database_url is not None:
        return
    binaries = find_binaries()
    yield right(f"PostgreSQL {binaries.major} in {binaries.folder}")
    ways = {
        "plain": "as this user",
        "namespace": "as root, in a user namespace of its own",
        "nobody": "as nobody, because this machine forbids user namespaces to root",
    }
    yield right(f"PostgreSQL runs {ways[find_launcher().name]}")
    cluster = Cluster(embedded_folder(settings.data))
    if cluster.exists():
        cluster.refuse_other_major(binaries)


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data
    if not folder.exists():
        yield right(f"data folder {folder}: not there yet; the first start makes it")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield wrong(f"data folder {folder} is not writable; choose another with --data")
        return
    mode = folder.stat().st_mode & 0o777
    if mode & 0o077:
        says = f"data folder {folder} is open to others (mode {mode:o}); run: chmod 700 {folder}"
        yield wrong(says)
        return
    pid = holder(folder)
    yield right(f"data folder {folder}: " + (f"process {pid} uses it" if pid else "free"))


def _disk(settings: Settings) -> Iterator[Finding]:
    existing = next(path for path in (settings.data, *settings.data.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    says = f"disk: {free / 1e9:.1f} GB free at {existing}"
    if free < FREE_BYTES:
        yield wrong(f"{says}; make room, {FREE_BYTES / 1e9:.0f} GB at least")
    else:
        yield right(says)


def _port(settings: Settings) -> Iterator[Finding]:
    where = f"{settings.http_host}:{settings.http_port}"
    if holder(settings.data) is not None:
        yield right(f"HTTP {where}: not looked at while softclose runs")
        return
    try:
        with closing(socket.create_server((settings.http_host, settings.http_port))):
            yield right(f"HTTP {where}: free")
    except OSError as error:
        says = f"HTTP {where}: {error.strerror}; set SOFTCLOSE_HTTP_HOST or SOFTCLOSE_HTTP_PORT"
        yield wrong(says)


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    """Reached as any command would, which starts the embedded server if none runs."""
    if settings.database_url is None and not Cluster(embedded_folder(settings.data)).exists():
        yield right("database: none yet; the first start makes it")
        return
    try:
        async with any_database(settings) as dsn:
            connection = await connect(dsn, name="doctor")
            try:
                async for finding in _connected(connection):
                    yield finding
            finally:
                await connection.close()
    except (OperatorError, OSError, asyncpg.PostgresError) as error:
        yield wrong(f"database: {error}")


async def _connected(connection: Connection) -> AsyncIterator[Finding]:
    yield right(f"database: PostgreSQL {await connection.fetchval('SHOW server_version')} answers")
    yield await _safety(connection)
    yield await _migrations(connection)
    yield await _clock(connection)


async def _safety(connection: Connection) -> Finding:
    try:
        await refuse_unsafe(connection)
    except OperatorError as error:
        return wrong(f"database: {error}")
    return right("database: what it acknowledges survives a crash")


async def _migrations(connection: Connection) -> Finding:
    try:
        missing = await pending(connection, rooms())
    except OperatorError as error:
        return wrong(f"migrations: {error}")
    if not missing:
        return right("migrations: current")
    return right(f"migrations: {len(missing)} to apply; the next start does it")


async def _clock(connection: Connection) -> Finding:
    """The database's clock against ours, taken in the middle of the question's round trip."""
    asked = time.time()
    theirs: float = await connection.fetchval(
        "select extract(epoch from clock_timestamp())::float8"
    )
    off_ms = (theirs - (asked + time.time()) / 2) * 1_000
    if abs(off_ms) > CLOCK_MS:
        says = f"clock: {off_ms:+.0f} ms off the database's; run NTP on both machines"
        return wrong(says)
    return right(f"clock: within {abs(off_ms):.0f} ms of the database's")
