"""A database for work that leaves nothing behind, with all tables, gone at the end of the block."""

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from foundation.database import connect
from foundation.errors import OperatorError
from softclose.databases import prepare
from softclose.embedded_postgres import EmbeddedPostgres
from softclose.settings import Settings

_DSN = re.compile(r"(?P<server>[a-z]+://[^/?#]*)(/[^?#]*)?(?P<options>[?#].*)?")


class NoScratchDatabase(OperatorError):
    """The server that was named does not let us make a database."""


@asynccontextmanager
async def scratch_database(settings: Settings) -> AsyncIterator[str]:
    """Its dsn: on the server in the settings, else on one of its own in a temporary folder."""
    made = _on_own_server() if settings.database_url is None else _on_server(settings)
    async with made as dsn:
        await prepare(dsn)
        yield dsn


@asynccontextmanager
async def _on_own_server() -> AsyncIterator[str]:
    with TemporaryDirectory(prefix="softclose-scratch-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", scratch=True)
        try:
            yield await server.start()
        finally:
            await server.stop()


@asynccontextmanager
async def _on_server(settings: Settings) -> AsyncIterator[str]:
    assert settings.database_url is not None
    server = settings.database_url.get_secret_value()
    name = f"softclose_scratch_{secrets.token_hex(6)}"
    dsn = _renamed(server, name)
    try:
        await _create(server, name)
        yield dsn
    finally:
        await _execute(server, f"drop database if exists {name} with (force)")


async def _create(server: str, name: str) -> None:
    try:
        await _execute(server, f"create database {name} template template0")
    except asyncpg.PostgresError as error:
        raise NoScratchDatabase(f"cannot make a scratch database: {error}") from error


def _renamed(dsn: str, name: str) -> str:
    """The dsn with another database, which goes before one among the options.

    One without a host keeps its three slashes.
    """
    match = _DSN.fullmatch(dsn)
    if match is None:
        raise NoScratchDatabase("the database URL is not one that can be read")
    return f"{match['server']}/{name}{match['options'] or ''}"


async def _execute(dsn: str, statement: str) -> None:
    connection = await connect(dsn, name="scratch")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
