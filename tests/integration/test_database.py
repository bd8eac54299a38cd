"""The pool's time-outs and the refusal of servers that could lose a commit."""

import asyncpg
import pytest

from foundation.database import (
    Connection,
    DatabaseUnreachable,
    Pool,
    PooledConnection,
    UnsafeDatabase,
    acquire,
    connect,
    open_pool,
    refuse_unsafe,
    transaction,
)


async def test_the_pool_sets_its_time_outs_on_the_server(database_url: str) -> None:
    async with await open_pool(database_url, name="test") as pool, acquire(pool) as connection:
        assert await connection.fetchval("SHOW statement_timeout") == "10s"
        assert await connection.fetchval("SHOW lock_timeout") == "5s"
        assert await connection.fetchval("SHOW idle_in_transaction_session_timeout") == "10s"
        assert await connection.fetchval("SHOW application_name") == "softclose test"


async def test_an_empty_pool_is_a_fault_after_the_acquire_time_out(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.database.ACQUIRE_TIMEOUT_S", 0.01)
    pool = await open_pool(database_url, name="test", max_connections=1)
    async with pool, acquire(pool):
        with pytest.raises(TimeoutError):
            async with acquire(pool):
                pass


async def ended(pool: Pool, connection: PooledConnection) -> None:
    """Have the server end this connection."""
    pid = await connection.fetchval("select pg_backend_pid()")
    async with acquire(pool) as other:
        await other.fetchval("select pg_terminate_backend($1, 5000)", pid)


async def test_a_connection_that_is_lost_is_lost_by_one_name_wherever_it_shows(
    database_url: str,
) -> None:
    """In a transaction it shows at its end again, as something else."""
    async with await open_pool(database_url, name="test") as pool:
        for work in (acquire, transaction):
            with pytest.raises(DatabaseUnreachable, match="lost"):
                async with work(pool) as connection:
                    await ended(pool, connection)
                    await connection.fetchval("select 1")
        with pytest.raises(DatabaseUnreachable, match="lost"):
            async with transaction(pool) as connection:
                await ended(pool, connection)
        async with acquire(pool) as connection:
            assert await connection.fetchval("select 1") == 1


async def test_a_mistake_on_a_connection_that_is_there_is_a_mistake(database_url: str) -> None:
    async with await open_pool(database_url, name="test") as pool:
        with pytest.raises(asyncpg.UndefinedTableError):
            async with transaction(pool) as connection:
                await connection.execute("select from nowhere")
        with pytest.raises(asyncpg.InterfaceError, match="expects 1 argument"):
            async with transaction(pool) as connection:
                await connection.fetchval("select $1::text")


async def test_a_safe_server_is_accepted(database_url: str) -> None:
    await refuse_unsafe_in(database_url)


@pytest.mark.parametrize("scope", ["DATABASE", "ROLE"])
async def test_commits_that_could_be_lost_are_refused_wherever_they_are_set(
    empty_database_url: str, scope: str
) -> None:
    name = empty_database_url.rpartition("/")[2]
    connection = await connect(empty_database_url, name="test")
    target = f"DATABASE {name}" if scope == "DATABASE" else f"ROLE softclose IN DATABASE {name}"
    await connection.execute(f"ALTER {target} SET synchronous_commit = off")
    await connection.close()
    with pytest.raises(UnsafeDatabase, match="synchronous_commit is off"):
        await refuse_unsafe_in(empty_database_url)


class Answering:
    """A connection to a server whose settings cannot be changed while it runs."""

    def __init__(self, **shown: str) -> None:
        major = int(shown.get("server_version", 18))
        self.version = asyncpg.types.ServerVersion(major, 0, 0, "final", 0)
        self.shown = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"} | shown

    def get_server_version(self) -> asyncpg.types.ServerVersion:
        return self.version

    async def fetchval(self, query: str) -> object:
        return self.shown.get(query.removeprefix("show "), False)


@pytest.mark.parametrize(
    ("server", "complaint"),
    [
        (Answering(server_version="14"), "PostgreSQL 14 is too old"),
        (Answering(fsync="off"), "fsync is off"),
        (Answering(full_page_writes="off"), "full_page_writes is off"),
        (
            Answering(synchronous_commit="local", synchronous_standby_names="s1"),
            "synchronous_commit is local although",
        ),
        (Answering(**{"select pg_is_in_recovery()": "yes"}), "standby"),
    ],
)
async def test_a_server_that_could_lose_or_tear_a_commit_is_refused(
    server: Connection, complaint: str
) -> None:
    with pytest.raises(UnsafeDatabase, match=complaint):
        await refuse_unsafe(server)


async def test_a_local_commit_without_standbys_is_safe() -> None:
    server: object = Answering(synchronous_commit="local", synchronous_standby_names="")
    await refuse_unsafe(server)  # type: ignore[arg-type]


async def refuse_unsafe_in(dsn: str) -> None:
    connection = await connect(dsn, name="test")
    try:
        await refuse_unsafe(connection)
    finally:
        await connection.close()


async def test_an_unreachable_server_is_named_without_its_password() -> None:
    with pytest.raises(
        DatabaseUnreachable, match=r"no connection to PostgreSQL at 127\.0\.0\.1:1/x:"
    ):
        await connect("postgresql://someone:hidden@127.0.0.1:1/x", name="test")


async def test_a_wrong_password_is_an_unreachable_server(database_url: str) -> None:
    address = database_url.rpartition("@")[2]
    with pytest.raises(DatabaseUnreachable, match="password authentication failed"):
        await connect(f"postgresql://softclose:wrong@{address}", name="test")
