"""How the log lies in PostgreSQL: plans, flushes, the schema, cursors and their transactions."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from auction import log_postgres as sql
from auction.cursors_postgres import PostgresCursors
from auction.ids import SHARDS, Shard
from auction.log_postgres import PostgresLog
from auction.ports import LoggedEvent
from foundation.database import AnyConnection, Connection, UnsafeDatabase, connect, open_pool
from foundation.follower import LogFollower
from softclose import embedded_postgres
from softclose.databases import prepare
from softclose.embedded_postgres import EmbeddedPostgres
from tests.contract.batches import batch_of, sale_in, taken
from tests.waiting import LOOK_EVERY_S


@pytest.fixture
async def log(database_url: str) -> AsyncIterator[PostgresLog]:
    log = PostgresLog(database_url)
    yield log
    await log.close()


@pytest.fixture
async def session(database_url: str) -> AsyncIterator[Connection]:
    session = await connect(database_url, name="test")
    yield session
    session.terminate()


# --- Plans ------------------------------------------------------------------------------------

A_SHARD, A_SALE = 1, sale_in(1)


@pytest.fixture
async def large_log(log: PostgresLog, session: Connection) -> PostgresLog:
    """Twenty thousand events over four shards, which the planner knows of."""
    for head in await taken(log, 0, 1, 2, 3):
        batch = batch_of((head, [bytes(100)] * 5_000))
        batch.sale_ids = [sale_in(head.shard, number=n % 10) for n in range(5_000)]
        await log.append(batch)
    await session.execute("analyze")
    return log


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes_of(part)


async def plan_of(session: Connection, statement: str, *values: object) -> list[dict[str, Any]]:
    """The nodes of a statement's plan."""
    explained = await session.fetchval(f"explain (format json) {statement}", *values)
    return list(nodes_of(json.loads(explained)[0]["Plan"]))


def scans_of_events(nodes: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    """How each part of a plan that reads log_event does so."""
    reads = [n for n in nodes if n.get("Relation Name") == "log_event" and "Scan" in n["Node Type"]]
    return [(node["Node Type"], node.get("Index Name")) for node in reads]


@pytest.mark.usefixtures("large_log")
@pytest.mark.parametrize("events", [1, 2_000])
async def test_an_append_reads_no_event(session: Connection, events: int) -> None:
    shards = [n % SHARDS for n in range(events)]
    columns = [shards, list(range(events)), ["S"] * events, [b""] * events]
    heads = [list(range(SHARDS)), [0] * SHARDS, [1] * SHARDS, [1] * SHARDS]
    nodes = await plan_of(session, sql._APPEND, *heads, *columns, 5)
    assert scans_of_events(nodes) == []
    assert sum(node["Node Type"] == "ModifyTable" for node in nodes) == 2


@pytest.mark.usefixtures("large_log")
@pytest.mark.parametrize(
    ("statement", "values", "index"),
    [
        (sql.READ_SHARD, (A_SHARD, 10, 100), "log_event_pkey"),
        (sql.READ_SHARD, (A_SHARD, 0, 1_000), "log_event_pkey"),
        (sql._READ_SALE, (A_SALE, 10, 100), "log_event_sale"),
        (sql._READ_SALE, (A_SALE, 0, 50), "log_event_sale"),
    ],
)
async def test_a_read_goes_by_its_index_and_sorts_nothing(
    session: Connection, statement: str, values: tuple[object, ...], index: str
) -> None:
    nodes = await plan_of(session, statement, *values)
    assert scans_of_events(nodes) == [("Index Scan", index)]
    assert not any("Sort" in node["Node Type"] for node in nodes)


@pytest.mark.usefixtures("large_log")
@pytest.mark.parametrize("statement", [sql.READ_SHARD, sql._READ_SALE])
async def test_a_read_of_everything_does_not_look_at_the_rest(
    session: Connection, statement: str
) -> None:
    of = A_SHARD if statement == sql.READ_SHARD else A_SALE
    nodes = await plan_of(session, statement, of, 0, 1_000_000)
    assert [kind for kind, _ in scans_of_events(nodes)] != ["Seq Scan"]


async def test_moving_a_shards_head_leaves_the_index_alone(
    log: PostgresLog, session: Connection
) -> None:
    (head,) = await taken(log, A_SHARD)
    for _ in range(50):
        await log.append(batch_of((head, [b""])))
        head = replace(head, position=head.position + 1)
    await log.close()  # its session tells its counts
    counts = "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'log_shard'"
    updated, hot = 0, 0
    async with asyncio.timeout(30):
        while updated < 51:
            await asyncio.sleep(LOOK_EVERY_S)
            updated, hot = await session.fetchrow(counts) or (0, 0)
    assert hot == updated


# --- Flushes ----------------------------------------------------------------------------------

_FSYNCS_OF_18 = "select coalesce(sum(fsyncs), 0)::bigint from pg_stat_io where object = 'wal'"
_FSYNCS_BEFORE = "select wal_sync from pg_stat_wal"


async def wal_flushes(session: Connection) -> int:
    major = session.get_server_version().major
    flushes: int = await session.fetchval(_FSYNCS_OF_18 if major >= 18 else _FSYNCS_BEFORE)
    return flushes


async def test_each_append_that_was_acknowledged_was_flushed_to_the_disk(
    log: PostgresLog, session: Connection
) -> None:
    appends = 100
    (head,) = await taken(log, A_SHARD)
    before = await wal_flushes(session)
    for _ in range(appends):
        await log.append(batch_of((head, [b"acknowledged"])))
        head = replace(head, position=head.position + 1)
    await log.close()  # a session tells its counts at its end at the latest
    async with asyncio.timeout(30):
        while await wal_flushes(session) < before + appends:  # noqa: ASYNC110 - a server's count
            await asyncio.sleep(LOOK_EVERY_S)


# --- The schema -------------------------------------------------------------------------------

_SCHEMA = """
select 'column', table_name, column_name, data_type, collation_name, is_nullable, column_default
from information_schema.columns where table_schema = 'public'
union all
select 'index', tablename, indexname, indexdef, null, null, null
from pg_indexes where schemaname = 'public'
union all
select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), null, null, null
from pg_constraint where connamespace = 'public'::regnamespace
union all
select 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), null, null, null
from pg_trigger where not tgisinternal
union all
select 'function', proname, prosrc, null, null, null, null
from pg_proc where pronamespace = 'public'::regnamespace
union all
select 'options', relname, array_to_string(reloptions, ','), null, null, null, null
from pg_class where relnamespace = 'public'::regnamespace and reloptions is not null
order by 1, 2, 3, 4
"""


async def schema_of(dsn: str) -> list[tuple[Any, ...]]:
    session = await connect(dsn, name="test")
    try:
        return [tuple(row) for row in await session.fetch(_SCHEMA)]
    finally:
        await session.close()


async def test_every_database_gets_the_same_schema_and_keeps_it(
    database_url: str, empty_database_url: str
) -> None:
    assert await schema_of(empty_database_url) == []
    assert await prepare(empty_database_url) != []
    schema = await schema_of(empty_database_url)
    assert {row[0] for row in schema} >= {"column", "index", "trigger", "function", "options"}
    assert schema == await schema_of(database_url)
    assert await prepare(empty_database_url) == []
    assert schema == await schema_of(empty_database_url)


# --- Cursors ----------------------------------------------------------------------------------


async def test_what_a_handler_wrote_goes_with_its_step(
    log: PostgresLog, session: Connection, database_url: str
) -> None:
    await session.execute("create table noted (position bigint)")
    (head,) = await taken(log, A_SHARD)
    await log.append(batch_of((head, [b"1", b"2", b"3"])))
    fails = True

    async def handle(connection: AnyConnection, rows: Sequence[LoggedEvent]) -> None:
        positions = [(row.position,) for row in rows]
        await connection.executemany("insert into noted values ($1)", positions)
        if fails:
            raise RuntimeError("after writing")

    async with await open_pool(database_url, name="test") as pool:
        follower = LogFollower("noter", A_SHARD, handle, PostgresCursors(pool))
        with pytest.raises(RuntimeError, match="after writing"):
            await follower.step()
        assert await session.fetchval("select count(*) from noted") == 0
        fails = False
        assert await follower.step() == 3
        assert await follower.step() == 0
    noted = await session.fetch("select position from noted order by 1")
    assert [row[0] for row in noted] == [1, 2, 3]


async def test_a_reader_sees_no_position_before_those_below_it(
    log: PostgresLog, database_url: str
) -> None:
    """Two shards are written at once, and read at every moment in between."""
    heads = await taken(log, A_SHARD, 2)
    other = PostgresLog(database_url)
    done = False

    async def write(writer: PostgresLog, number: int) -> None:
        head = heads[number]
        for _ in range(100):
            await writer.append(batch_of((head, [b"", b""])))
            head = replace(head, position=head.position + 2)

    async def read() -> None:
        while not done:
            tops = await log.heads()
            for head in heads:
                rows = await log.read(Shard(head.shard), 0, 1_000)
                assert [row.position for row in rows] == list(range(1, len(rows) + 1))
                assert len(rows) % 2 == 0, "an append is seen whole"
                assert len(rows) >= tops[head.shard]

    reading = asyncio.create_task(read())
    await asyncio.gather(write(log, 0), write(other, 1))
    done = True
    await reading
    await other.close()


# --- Settings that could lose a bid -------------------------------------------------------------


async def test_a_server_that_does_not_wait_for_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(embedded_postgres.SERVER_SETTINGS, "synchronous_commit", "off")
    server = EmbeddedPostgres(tmp_path / "postgres")
    try:
        dsn = await server.start()
        with pytest.raises(UnsafeDatabase, match="synchronous_commit is off"):
            await prepare(dsn)
        assert await schema_of(dsn) == [], "nothing was done in it"
    finally:
        await server.stop()


@pytest.mark.parametrize("target", ["role softclose", "database {database}"])
async def test_a_role_or_database_that_does_not_wait_for_the_disk_is_refused(
    empty_database_url: str, target: str
) -> None:
    database = empty_database_url.rpartition("/")[2]
    session = await connect(empty_database_url, name="test")
    await session.execute(f"alter {target.format(database=database)} set synchronous_commit = off")
    try:
        with pytest.raises(UnsafeDatabase, match="synchronous_commit is off"):
            await prepare(empty_database_url)
    finally:
        await session.execute("alter role softclose reset synchronous_commit")
        await session.close()
