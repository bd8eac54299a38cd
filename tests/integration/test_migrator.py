"""Forward only, each file once and whole, and nothing where files and database do not fit."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from foundation.database import Connection, connect
from foundation.migrator import (
    MigrationFailed,
    MigrationRefused,
    Room,
    migrate,
    pending,
    room_of_folder,
)

TABLE = "CREATE TABLE pallet (id integer); INSERT INTO pallet VALUES (1);"
COLUMN = "ALTER TABLE pallet ADD COLUMN weight_g bigint;"


@pytest.fixture
async def connection(empty_database_url: str) -> AsyncIterator[Connection]:
    connection = await connect(empty_database_url, name="test")
    yield connection
    await connection.close()


def room(folder: Path, name: str = "stock", **files: str) -> Room:
    """A room whose files are given as ``m0001_name="sql"``."""
    place = folder / name
    place.mkdir(exist_ok=True)
    for stem, sql in files.items():
        (place / f"{stem.removeprefix('m')}.sql").write_text(sql)
    return room_of_folder(name, place)


async def test_files_are_applied_once_and_in_order(connection: Connection, tmp_path: Path) -> None:
    rooms = [room(tmp_path, m0001_pallet=TABLE, m0002_weight=COLUMN)]
    assert [str(m) for m in await pending(connection, rooms)] == [
        "stock/0001_pallet.sql",
        "stock/0002_weight.sql",
    ]
    assert [m.number for m in await migrate(connection, rooms)] == [1, 2]
    assert await pending(connection, rooms) == []
    assert await migrate(connection, rooms) == []
    assert await connection.fetchval("SELECT count(*) FROM pallet WHERE weight_g IS NULL") == 1


async def test_a_later_room_may_build_on_an_earlier_one(
    connection: Connection, tmp_path: Path
) -> None:
    first = room(tmp_path, "stock", m0001_pallet=TABLE)
    second = room(tmp_path, "desk", m0001_weight=COLUMN)
    assert [m.room for m in await migrate(connection, [first, second])] == ["stock", "desk"]


async def test_two_processes_at_once_apply_each_file_once(
    empty_database_url: str, tmp_path: Path
) -> None:
    rooms = [room(tmp_path, m0001_pallet=TABLE, m0002_weight=COLUMN)]

    async def start() -> list[int]:
        connection = await connect(empty_database_url, name="test")
        try:
            return [migration.number for migration in await migrate(connection, rooms)]
        finally:
            await connection.close()

    applied = await asyncio.gather(*(start() for _ in range(4)))
    assert sorted(number for numbers in applied for number in numbers) == [1, 2]


async def test_a_file_that_fails_leaves_nothing_and_is_named(
    connection: Connection, tmp_path: Path
) -> None:
    rooms = [room(tmp_path, m0001_pallet=TABLE, m0002_weight=COLUMN + "SELECT nonsense;")]
    with pytest.raises(MigrationFailed, match=r'stock/0002_weight.sql: column "nonsense"'):
        await migrate(connection, rooms)
    repaired = [room(tmp_path, m0002_weight=COLUMN)]
    assert [m.number for m in await migrate(connection, repaired)] == [2]


async def test_an_edited_file_is_refused(connection: Connection, tmp_path: Path) -> None:
    await migrate(connection, [room(tmp_path, m0001_pallet=TABLE)])
    edited = [room(tmp_path, m0001_pallet=TABLE + " ", m0002_weight=COLUMN)]
    with pytest.raises(
        MigrationRefused, match=r"0001_pallet\.sql is not the file that was applied"
    ):
        await migrate(connection, edited)


async def test_a_database_newer_than_the_program_is_refused(
    connection: Connection, tmp_path: Path
) -> None:
    await migrate(connection, [room(tmp_path, m0001_pallet=TABLE, m0002_weight=COLUMN)])
    (tmp_path / "stock" / "0002_weight.sql").unlink()
    with pytest.raises(MigrationRefused, match=r"migration 0002 of stock.*run the newer version"):
        await pending(connection, [room(tmp_path)])


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"m0002_late": ""}, "stock/0002_late.sql: number 0001 was expected"),
        ({"m0001_one": "", "m0001_two": ""}, "stock/0001_two.sql: number 0002 was expected"),
        ({"m0001_one": "", "m0003_three": ""}, "number 0002 was expected"),
        ({"m1_short": ""}, "a migration is named 0001_what_it_does.sql"),
    ],
)
def test_numbers_have_no_gap_and_no_twin(
    tmp_path: Path, files: dict[str, str], complaint: str
) -> None:
    with pytest.raises(MigrationRefused, match=complaint):
        room(tmp_path, **files)
