"""Forward-only migrations: the files ``NNNN_name.sql`` of each room, each applied once, in order.

One transaction a file, and inside it, before anything is read, a lock that all migrators
share. So of two processes that start at once one applies a file and the other, once it has the
lock, sees it applied. A crash in a file leaves nothing of that file. There is no way back down:
what a release did to the data is undone by the next release, or by restoring a backup.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import asyncpg

from foundation.database import AnyConnection
from foundation.errors import OperatorError

# Unlikely to be any other program's on this server: the first bytes of sha256("softclose").
LOCK_KEY = 0xD87BBA7E
# A file may rewrite a table; longer than this a person should look, not wait.
FILE_TIMEOUT_MS = 600_000

_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


class MigrationRefused(OperatorError):
    """The files and the database do not fit together; nothing was changed."""


class MigrationFailed(OperatorError):
    """A file's SQL failed and was rolled back; the files before it stand."""


@dataclass(frozen=True)
class Migration:
    """One file of one room."""

    room: str
    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.room}/{self.number:04}_{self.name}.sql"


@dataclass(frozen=True)
class Room:
    """A room with its migrations, read and checked: numbered 1, 2, 3... without a gap."""

    name: str
    migrations: tuple[Migration, ...]


def read_room(package: str) -> Room:
    """The migrations in ``<package>/migrations``."""
    return room_of_folder(package, files(package) / "migrations")


def room_of_folder(name: str, folder: Traversable) -> Room:
    """The migrations in a folder. Raises `MigrationRefused` for a bad name or number."""
    entries = folder.iterdir() if folder.is_dir() else ()
    names = sorted(entry.name for entry in entries if entry.name.endswith(".sql"))
    migrations = tuple(_read(name, folder / file_name) for file_name in names)
    for expected, migration in enumerate(migrations, start=1):
        if migration.number != expected:
            raise MigrationRefused(f"{migration}: number {expected:04} was expected here")
    return Room(name, migrations)


def _read(room: str, file: Traversable) -> Migration:
    match = _FILE_NAME.fullmatch(file.name)
    if match is None:
        raise MigrationRefused(f"{room}/{file.name}: a migration is named 0001_what_it_does.sql")
    return Migration(room, int(match[1]), match[2], file.read_text("utf-8"))


async def migrate(connection: AnyConnection, rooms: Sequence[Room]) -> list[Migration]:
    """Apply what is missing, room after room; returns what this call applied."""
    applied: list[Migration] = []
    while (migration := await _apply_next(connection, rooms)) is not None:
        applied.append(migration)
    return applied


async def pending(connection: AnyConnection, rooms: Sequence[Room]) -> list[Migration]:
    """What `migrate` would apply; raises `MigrationRefused` as it would. Changes nothing."""
    if await connection.fetchval("select to_regclass('migration')") is None:
        return [migration for room in rooms for migration in room.migrations]
    return _missing(rooms, await _recorded(connection))


async def _apply_next(connection: AnyConnection, rooms: Sequence[Room]) -> Migration | None:
    async with connection.transaction():
        await connection.execute(f"set local statement_timeout = {FILE_TIMEOUT_MS}")
        await connection.execute(f"set local lock_timeout = {FILE_TIMEOUT_MS}")
        timeout_s = FILE_TIMEOUT_MS / 1000
        await connection.execute(f"select pg_advisory_xact_lock({LOCK_KEY})", timeout=timeout_s)
        await connection.execute(_CREATE_TABLE)
        missing = _missing(rooms, await _recorded(connection))
        if not missing:
            return None
        await _apply(connection, missing[0], timeout_s)
        return missing[0]


async def _apply(connection: AnyConnection, migration: Migration, timeout_s: float) -> None:
    try:
        await connection.execute(migration.sql, timeout=timeout_s)
    except asyncpg.PostgresError as error:
        raise MigrationFailed(f"{migration}: {error}") from error
    await connection.execute(
        _RECORD, migration.room, migration.number, migration.name, migration.sha256
    )


Recorded = Mapping[tuple[str, int], str]


async def _recorded(connection: AnyConnection) -> Recorded:
    rows = await connection.fetch("select room, number, sha256 from migration")
    return {(row["room"], row["number"]): row["sha256"] for row in rows}


def _missing(rooms: Sequence[Room], recorded: Recorded) -> list[Migration]:
    """What the database lacks; refuses where it knows more than we do, or something else."""
    ours = {(m.room, m.number): m for room in rooms for m in room.migrations}
    for (room, number), digest in sorted(recorded.items()):
        migration = ours.get((room, number))
        if migration is None:
            raise MigrationRefused(
                f"the database has migration {number:04} of {room}, which this version of "
                "softclose does not know; run the newer version that made it"
            )
        if migration.sha256 != digest:
            raise MigrationRefused(
                f"{migration} is not the file that was applied to this database; "
                "an applied migration is never edited: restore it and add a new one"
            )
    return [migration for key, migration in ours.items() if key not in recorded]


_CREATE_TABLE = """
create table if not exists migration (
    room       text        not null,
    number     integer     not null,
    name       text        not null,
    sha256     text        not null,
    applied_at timestamptz not null default now(),
    primary key (room, number)
)
"""

_RECORD = "insert into migration (room, number, name, sha256) values ($1, $2, $3, $4)"
