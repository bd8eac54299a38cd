"""The database goes again and again under load, on the event loop that the service runs on."""

import asyncio
import os
import random
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import uvloop

from foundation.database import connect
from softclose.embedded_postgres import EmbeddedPostgres
from tests.integration.test_lost_database import (
    Bidding,
    assert_all_are_in_the_log,
    bidding_on,
    fill,
    small_disk,
)

LOSSES = 4


def on_uvloop(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


async def bid_for_ever(bidding: Bidding) -> None:
    while True:
        verdicts = await asyncio.gather(*(bidding.once() for _ in range(20)))
        if not all(verdict.accepted for verdict in verdicts):
            await asyncio.sleep(0.01)  # nothing tells a bidder that the service is back


async def end_sessions(postgres: EmbeddedPostgres) -> None:
    """As an administrator may do at any time."""
    session = await connect(postgres.dsn, name="test")
    await session.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
    )
    await session.close()


async def lose(postgres: EmbeddedPostgres, chance: random.Random) -> None:
    """Its sessions, or the server at once, or with what it had not yet written down."""
    way = chance.choice(("sessions", signal.SIGQUIT, signal.SIGKILL))
    if isinstance(way, str):
        await end_sessions(postgres)
        return
    assert postgres.pid is not None
    os.kill(postgres.pid, way)
    await postgres.stop()
    await postgres.restart_if_ended()


@pytest.mark.parametrize("seed", range(2))
def test_a_database_that_is_lost_again_and_again_costs_no_bid(tmp_path: Path, seed: int) -> None:
    async def scenario() -> None:
        chance = random.Random(seed)
        postgres = EmbeddedPostgres(tmp_path / "postgres", scratch=True)
        await postgres.start()
        async with bidding_on(postgres) as bidding:
            load = asyncio.create_task(bid_for_ever(bidding))
            for _ in range(LOSSES):
                await bidding.until(accepted=True)
                await lose(postgres, chance)
            await bidding.until(accepted=True)
            assert not load.done()
            load.cancel()
            await asyncio.wait([load])
            await assert_all_are_in_the_log(bidding)

    on_uvloop(scenario)


async def exhaust_the_wal(postgres: EmbeddedPostgres) -> None:
    """Begin new segments until there is no room for one: PostgreSQL ends itself over that."""
    session = await connect(postgres.dsn, name="test")
    with pytest.raises((asyncpg.PostgresError, OSError)):
        for _ in range(100):
            await session.execute("select pg_logical_emit_message(true, '', 'one more')")
            await session.execute("select pg_switch_wal()")
    session.terminate()


def test_a_disk_too_full_for_the_write_ahead_log_is_survived(tmp_path: Path) -> None:
    async def scenario(disk: Path) -> None:
        postgres = EmbeddedPostgres(disk / "postgres", scratch=True)
        await postgres.start()
        async with bidding_on(postgres) as bidding:
            keeper = asyncio.create_task(postgres.keep_running())
            await bidding.until(accepted=True)
            filler = fill(disk)
            await exhaust_the_wal(postgres)
            await bidding.until(accepted=False)
            filler.unlink()
            await bidding.until(accepted=True)
            await assert_all_are_in_the_log(bidding)
            keeper.cancel()

    with small_disk(tmp_path / "disk") as disk:
        on_uvloop(lambda: scenario(disk))
