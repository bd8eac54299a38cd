"""The followers that ``softclose serve`` runs beside the engine."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from auction.board import BoardRow, read_board
from auction.clock import EngineClock
from auction.codec import Recorded
from auction.log_postgres import PostgresLog
from foundation.database import AnyConnection, connect
from foundation.migrator import Room, migrate, read_room
from softclose.followers import Followers
from softclose.host import Host
from softclose.rooms import rooms
from tests.builders import SALE, a_lot, schedule

POLL_S = 0.01
WITHIN_S = 20.0


@pytest.fixture
async def host(database_url: str) -> AsyncIterator[Host]:
    log = PostgresLog(database_url)
    host = Host(log, EngineClock())
    async with host.running(Followers(database_url, host).run()):
        await host.writer.serving()
        yield host
    await log.close()


async def board(dsn: str) -> list[BoardRow]:
    connection = await connect(dsn, name="test")
    try:
        return await read_board(connection, SALE)
    finally:
        await connection.close()


async def test_the_board_follows_what_the_engine_writes(host: Host, database_url: str) -> None:
    in_an_hour_us = host.clock.now_us() + 3_600_000_000
    lot = a_lot("1", opens_at_us=0, closes_at_us=in_an_hour_us)
    scheduled = await host.engine.submit(schedule(lot))
    assert scheduled.accepted, scheduled
    async with asyncio.timeout(WITHIN_S):
        while not (rows := await board(database_url)):  # noqa: ASYNC110 - tables tell nobody
            await asyncio.sleep(POLL_S)
    assert [(row.lot_id, row.status, row.opening_minor) for row in rows] == [("1", "LIVE", 100_00)]


async def test_keepers_of_one_following_move_together_or_not_at_all(database_url: str) -> None:
    """One that fails undoes what those before it wrote, and others go on without it."""
    fails = True

    async def first(connection: AnyConnection, recorded: Sequence[Recorded]) -> None:
        rows = [(one.sale_id, str(one.position)) for one in recorded]
        await connection.executemany("insert into seen (sale_id, what) values ($1, $2)", rows)

    async def second(connection: AnyConnection, recorded: Sequence[Recorded]) -> None:
        assert not fails, "a defect"
        await connection.execute("insert into seen (sale_id, what) values ('', 'second')")

    async def alone(connection: AnyConnection, recorded: Sequence[Recorded]) -> None:
        await connection.execute("insert into seen (sale_id, what) values ('', 'alone')")

    async def seen() -> set[str]:
        return {row["what"] for row in await looking.fetch("select what from seen")}

    looking = await connect(database_url, name="test")
    await looking.execute("create table seen (sale_id text, what text)")
    log = PostgresLog(database_url)
    host = Host(log, EngineClock())
    followers = Followers(database_url, host, {"two": (first, second), "one": (alone,)})
    async with host.running(followers.run()), asyncio.timeout(WITHIN_S):
        await host.writer.serving()
        in_an_hour_us = host.clock.now_us() + 3_600_000_000
        await host.engine.submit(schedule(a_lot("1", opens_at_us=0, closes_at_us=in_an_hour_us)))
        while await seen() != {"alone"}:  # noqa: ASYNC110 - tables tell nobody
            await asyncio.sleep(POLL_S)
        fails = False
        while await seen() != {"alone", "1", "2", "second"}:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
    await looking.close()
    await log.close()


async def test_a_new_keeper_has_the_tables_made_anew_from_the_log(empty_database_url: str) -> None:
    """The board of an older installation begins again with the tables beside it."""
    connection = await connect(empty_database_url, name="test")
    older = [read_room(name) for name in ("accounts", "auction")]
    await migrate(connection, older)
    await connection.execute("insert into log_cursor values ('board', 3, 70), ('mail', 3, 70)")
    await migrate(connection, rooms())
    cursors = await connection.fetch("select name from log_cursor")
    assert [row["name"] for row in cursors] == ["mail"]
    await connection.close()


async def test_the_tables_of_the_following_are_emptied_when_a_keeper_joins_it(
    empty_database_url: str,
) -> None:
    """Results came to an installation whose board was far into the log already."""
    connection = await connect(empty_database_url, name="test")
    *before, host = rooms()
    await migrate(connection, [*before, Room(host.name, host.migrations[:1])])
    await connection.execute("insert into log_cursor values ('board', 3, 70), ('mail', 3, 70)")
    await connection.execute("insert into admitted_bidder values ('S-1', 'A')")
    await migrate(connection, rooms())
    assert await connection.fetchval("select count(*) from admitted_bidder") == 0
    cursors = await connection.fetch("select name from log_cursor")
    assert [row["name"] for row in cursors] == ["mail"]
    await connection.close()
