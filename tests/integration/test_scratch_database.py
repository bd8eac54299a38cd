"""Work that leaves nothing behind is done in a database of its own, and in no other."""

import asyncio

import pytest
from pydantic import SecretStr

from foundation.database import connect
from softclose import scratch_database as module
from softclose.scratch_database import NoScratchDatabase, _renamed, scratch_database
from softclose.settings import Settings


def settings(url: str) -> Settings:
    return Settings(database_url=SecretStr(url))


async def databases(url: str) -> set[str]:
    connection = await connect(url, name="test")
    try:
        return {row[0] for row in await connection.fetch("select datname from pg_database")}
    finally:
        await connection.close()


@pytest.mark.parametrize("options", ["", "?application_name=x"])
async def test_a_scratch_database_has_the_tables_and_goes(options: str, database_url: str) -> None:
    before = await databases(database_url)
    async with scratch_database(settings(database_url + options)) as dsn:
        connection = await connect(dsn, name="test")
        assert await connection.fetchval("select count(*) from log_shard") == 64
        (made,) = await databases(database_url) - before
        assert await connection.fetchval("select current_database()") == made
        await connection.close()
    assert await databases(database_url) == before


async def test_it_goes_also_when_the_work_fails_and_is_still_connected(database_url: str) -> None:
    before = await databases(database_url)
    with pytest.raises(ZeroDivisionError):
        async with scratch_database(settings(database_url)) as dsn:
            connection = await connect(dsn, name="test")
            raise ZeroDivisionError
    await connection.close()
    assert await databases(database_url) == before


async def test_it_goes_also_when_it_was_only_just_made(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, created, execute = await databases(database_url), asyncio.Event(), module._execute

    async def without_an_answer(dsn: str, statement: str) -> None:
        await execute(dsn, statement)
        if statement.startswith("create"):
            created.set()
            await asyncio.Event().wait()

    async def work() -> None:
        async with scratch_database(settings(database_url)):
            pytest.fail("it was there before it was told of")

    monkeypatch.setattr(module, "_execute", without_an_answer)
    working = asyncio.create_task(work())
    await created.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await databases(database_url) == before


@pytest.mark.parametrize("option", ["dbname", "database"])
async def test_a_database_named_in_the_options_is_not_written_into(
    option: str, empty_database_url: str
) -> None:
    server, _, name = empty_database_url.rpartition("/")
    async with scratch_database(settings(f"{server}/postgres?{option}={name}")):
        pass
    connection = await connect(empty_database_url, name="test")
    assert await connection.fetchval("select to_regclass('log_event')") is None
    await connection.close()


async def test_a_role_that_may_not_make_one_is_told(database_url: str) -> None:
    connection = await connect(database_url, name="test")
    await connection.execute("create role scratch_visitor login password 'x'")
    try:
        address = database_url.rpartition("@")[2]
        with pytest.raises(NoScratchDatabase, match="permission denied to create database"):
            async with scratch_database(settings(f"postgresql://scratch_visitor:x@{address}")):
                pass
    finally:
        await connection.execute("drop role scratch_visitor")
        await connection.close()


def test_a_url_without_a_host_keeps_its_slashes() -> None:
    assert _renamed("postgresql:///db?host=/tmp", "x") == "postgresql:///x?host=/tmp"
    assert _renamed("postgresql:///", "x") == "postgresql:///x"
    assert _renamed("postgres://u:p@h:1", "x") == "postgres://u:p@h:1/x"
