"""Two hosts that each want the whole log."""

import pytest

from auction.clock import EngineClock
from auction.leases_postgres import PostgresLeases
from auction.log_postgres import PostgresLog
from auction.writer import ALL_SHARDS
from softclose.host import AnotherSoftclose, Host
from tests.waiting import until


def a_host(log: PostgresLog, *, certainly: bool = False) -> Host:
    return Host(log, EngineClock(), PostgresLeases(log), certainly=certainly)


async def test_the_second_host_on_a_database_is_refused_and_the_first_goes_on(
    database_url: str,
) -> None:
    log, other_log = PostgresLog(database_url), PostgresLog(database_url)
    first, second = a_host(log), a_host(other_log)
    async with first.running():
        await first.serving()
        with pytest.raises(AnotherSoftclose, match=first.writer.owner):
            async with second.running():
                raise AssertionError("it runs")
        assert first.reasons_not_ready() == []
    await log.close()
    await other_log.close()


async def test_a_host_that_stopped_leaves_the_database_to_the_next_at_once(
    database_url: str,
) -> None:
    log = PostgresLog(database_url)
    for _ in range(2):
        host = a_host(log)
        async with host.running():
            await host.serving()
            assert host.reasons_not_ready() == []
    await log.close()


async def test_a_host_that_is_certain_takes_over_from_one_that_was_killed(
    database_url: str,
) -> None:
    log, other_log = PostgresLog(database_url), PostgresLog(database_url)
    leases = PostgresLeases(log)
    await leases.join("killed", 3_600_000_000, alone=True, certainly=False)
    await leases.take(dict.fromkeys(ALL_SHARDS, 0), "killed")
    host = a_host(other_log, certainly=True)
    async with host.running():
        await host.serving()
        await until(lambda: not host.reasons_not_ready())
    await log.close()
    await other_log.close()
