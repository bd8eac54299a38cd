"""The followers that ``softclose serve`` runs beside the engine."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from auction.board import BoardRow, read_board
from auction.clock import EngineClock
from auction.log_postgres import PostgresLog
from foundation.database import connect
from softclose.followers import Followers
from softclose.host import Host
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
