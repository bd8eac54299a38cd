"""One PostgreSQL for the whole run, started when the first test asks; one fresh database a test."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import structlog
from playwright.async_api import Browser
from yarl import URL

from foundation.database import connect
from foundation.outbound import Answer, NoAnswer, Outbound
from softclose.databases import prepare
from softclose.embedded_postgres import EmbeddedPostgres
from softclose.redis_server import RedisClusterServers, RedisServer, find_redis
from tests.browser import running_chromium
from tests.redis_rooms import emptied

TEMPLATE = "template_softclose"


def pytest_configure(config: pytest.Config) -> None:
    """Say what our marks mean."""
    config.addinivalue_line(
        "markers", "thorough: `./test long` runs it again, with all that it has"
    )


# As an installation does; rich tracebacks print every variable, and take a second each.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The run's server, as an installation starts it, with a migrated template database."""
    with TemporaryDirectory(prefix="softclose-tests-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        asyncio.run(_start_with_template(server))
        yield server
        asyncio.run(server.stop())


@pytest.fixture(autouse=True)
def nothing_is_sent_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests talk to this machine only: nobody answers at an address of the Internet."""
    post = Outbound.post

    async def post_here(
        self: Outbound, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        with suppress(ValueError):
            if ip_address(URL(url).host or "").is_global:
                raise NoAnswer(f"{url} is not of this machine")
        return await post(self, url, body, headers)

    monkeypatch.setattr(Outbound, "post", post_here)


@pytest.fixture
async def database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The dsn of a database of its own with all tables, gone after the test."""
    name = f"test_{next(_numbers)}"
    await _execute(postgres, f"create database {name} template {TEMPLATE} strategy file_copy")
    yield _named(postgres, name)
    await _execute(postgres, f"drop database if exists {name} with (force)")


@pytest.fixture
async def empty_database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The dsn of a database without any table, gone after the test."""
    name = f"test_{next(_numbers)}"
    await _execute(postgres, f"create database {name} template template0")
    yield _named(postgres, name)
    await _execute(postgres, f"drop database if exists {name} with (force)")


@pytest.fixture(scope="session")
def redis_of_the_run() -> Iterator[RedisServer]:
    """The run's Redis, or what is like it."""
    with TemporaryDirectory(prefix="softclose-tests-", ignore_cleanup_errors=True) as folder:
        server = RedisServer(find_redis(), Path(folder))
        asyncio.run(server.start())
        yield server
        server.stop()


@pytest.fixture(scope="session")
def redis_cluster_of_the_run() -> Iterator[RedisClusterServers]:
    """The run's Redis Cluster: three masters on loopback."""
    with TemporaryDirectory(prefix="softclose-tests-", ignore_cleanup_errors=True) as folder:
        servers = RedisClusterServers(find_redis(), Path(folder))
        asyncio.run(servers.start())
        yield servers
        servers.stop()


@pytest.fixture
async def redis_url(redis_of_the_run: RedisServer) -> str:
    """A Redis with nothing in it."""
    await emptied(redis_of_the_run.url)
    return redis_of_the_run.url


@pytest.fixture
async def redis_cluster_url(redis_cluster_of_the_run: RedisClusterServers) -> str:
    """A Redis Cluster with nothing in it."""
    for node in redis_cluster_of_the_run.nodes:
        await emptied(node.url)
    return redis_cluster_of_the_run.url


@pytest.fixture
async def own_redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A Redis that a test may pause, end and start."""
    server = RedisServer(find_redis(), tmp_path / "redis")
    await server.start()
    yield server
    server.stop()


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A browser, closed after the test; see tests/browser.py."""
    async with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Recorded real auctions, which are not part of the project."""
    given = os.environ.get("SOFTCLOSE_TEST_DATA")
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no recorded auctions in ../shared/data; name them with SOFTCLOSE_TEST_DATA")
    return folder


async def _start_with_template(server: EmbeddedPostgres) -> None:
    await server.start()
    await _execute(server, f"create database {TEMPLATE}")
    await prepare(_named(server, TEMPLATE))


async def _execute(server: EmbeddedPostgres, statement: str) -> None:
    connection = await connect(server.dsn, name="tests")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _named(server: EmbeddedPostgres, database: str) -> str:
    return server.dsn.rpartition("/")[0] + "/" + database
