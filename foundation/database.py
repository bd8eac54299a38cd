"""The door to PostgreSQL: a pool in which nothing waits for ever, no unsafe server behind."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias

import asyncpg

from foundation.errors import OperatorError

# What we send is short; what takes longer is a lost plan or a lost disk, and hides an outage.
STATEMENT_TIMEOUT_MS = 10_000
# Rows are locked for one append at a time. Longer means that a holder hangs; half of the
# above, so that the message names the lock and not the statement.
LOCK_TIMEOUT_MS = 5_000
# A client that stops between two statements (SIGSTOP, half-open link) gives its locks back.
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
# On our side of the wire, for a server that no longer answers at all: above the server's own.
COMMAND_TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 5.0
# A pool that is empty this long is a fault to report, not a queue to stand in.
ACQUIRE_TIMEOUT_S = 5.0
# At the end: connections that are being given back take a round trip.
CLOSE_TIMEOUT_S = 1.0
# The writer appends on one connection; the rest serve followers and pages.
MAX_CONNECTIONS = 10

OLDEST_SERVER = 15


class DatabaseUnreachable(OperatorError, ConnectionError):
    """No connection could be made: nobody answers there, or it does not let us in.

    Also an OSError, so that who waits for the database to come back need not know it.
    """


class UnsafeDatabase(OperatorError):
    """The server could lose or tear a commit that it has acknowledged, or is too old."""


# Quoted, because these classes are generic for the type checker only.
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
PooledConnection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
AnyConnection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)

SESSION_SETTINGS = {
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
    "timezone": "UTC",
    # Compiling a plan costs more than our short statements take.
    "jit": "off",
}


async def open_pool(dsn: str, *, name: str, max_connections: int = MAX_CONNECTIONS) -> Pool:
    """A pool of connections called ``name`` in the server's own views; close it when done."""
    with _unreachable_named(dsn):
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=max_connections,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={**SESSION_SETTINGS, "application_name": f"softclose {name}"},
        )


async def close_pool(pool: Pool) -> None:
    """Let the pool go. What was interrupted gives its connection back by itself, which takes a
    moment; a server that does not answer is not waited for longer than `CLOSE_TIMEOUT_S`."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await pool.close()
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        pool.terminate()


@asynccontextmanager
async def acquire(pool: Pool) -> AsyncIterator[PooledConnection]:
    """A connection of the pool; TimeoutError when none is free within `ACQUIRE_TIMEOUT_S`.

    If it is lost: `DatabaseUnreachable`.
    """
    async with pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
        with loss_named(connection):
            yield connection


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[PooledConnection]:
    """A connection of the pool in a transaction: committed at the end, undone by an error."""
    async with acquire(pool) as connection, connection.transaction():
        yield connection


async def connect(dsn: str, *, name: str) -> Connection:
    """One connection with the pool's time-outs, for a command that needs no more."""
    with _unreachable_named(dsn):
        return await asyncpg.connect(
            dsn,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={**SESSION_SETTINGS, "application_name": f"softclose {name}"},
        )


@contextmanager
def loss_named(connection: AnyConnection) -> Iterator[None]:
    """One name for a connection that is lost in this block.

    The statement under way fails in one way, the end of its transaction in another; between two
    steps of the protocol it is an InternalClientError, or on uvloop a RuntimeError.
    """
    try:
        yield
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        RuntimeError,
    ) as error:
        if not _is_lost(connection):
            raise
        said = f": {error}" if isinstance(error, asyncpg.PostgresError) else ""
        raise DatabaseUnreachable(f"the connection to PostgreSQL was lost{said}") from error


def _is_lost(connection: AnyConnection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool has taken back what was lost
        return True


@contextmanager
def _unreachable_named(dsn: str) -> Iterator[None]:
    """Say where nobody was reached, and keep the password out of it."""
    try:
        yield
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        where = dsn.rpartition("@")[2].partition("?")[0]
        reason = str(error) or type(error).__name__
        raise DatabaseUnreachable(f"no connection to PostgreSQL at {where}: {reason}") from error


async def refuse_unsafe(connection: AnyConnection) -> None:
    """Raise `UnsafeDatabase` unless an acknowledged commit survives a crash of this server.

    Asked with SHOW on a connection as the program uses it, so that a value set for this role
    or this database counts, not only the server's.
    """
    version = connection.get_server_version()
    if version.major < OLDEST_SERVER:
        raise UnsafeDatabase(f"PostgreSQL {version.major} is too old; use {OLDEST_SERVER} or later")
    if await connection.fetchval("select pg_is_in_recovery()"):
        raise UnsafeDatabase("this PostgreSQL is a standby and takes no writes; name the primary")
    for setting in ("fsync", "full_page_writes"):
        if await connection.fetchval(f"show {setting}") == "off":
            raise UnsafeDatabase(f"{setting} is off: a crash would tear the log; turn it on")
    await _refuse_unsafe_commit(connection)


async def _refuse_unsafe_commit(connection: AnyConnection) -> None:
    """``off`` loses what was acknowledged; ``local`` does where standbys were asked for.

    Without synchronous standbys ``local``, ``remote_write``, ``on`` and ``remote_apply`` all
    wait for this server's own flush. With them, ``local`` answers before a standby has the
    commit, and a failover loses it; ``remote_write`` needs two machines to fail at once.
    """
    commit = await connection.fetchval("show synchronous_commit")
    if commit == "off":
        raise UnsafeDatabase(
            "synchronous_commit is off: acknowledged bids would be lost; set it to on "
            "(for the server, and for this role and database if they set it)"
        )
    if commit == "local" and await connection.fetchval("show synchronous_standby_names"):
        raise UnsafeDatabase(
            "synchronous_commit is local although there are synchronous standbys: a failover "
            "would lose acknowledged bids; set it to on"
        )
