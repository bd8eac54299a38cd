"""Two writers, lost lines and locks, over PostgreSQL: what only a database can do to an append."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from auction.events import BidPlaced
from auction.ids import Shard, shard_of
from auction.log_postgres import _APPEND, _TAKE, PostgresLog
from auction.ports import OutcomeUnknown, ShardHead
from auction.rejections import Rejection
from auction.verdicts import Acceptance
from foundation.database import SESSION_SETTINGS, Connection, connect
from tests.builders import SALE, bid
from tests.contract.batches import OWNER, RIVAL, batch_of, bodies_of, sale_in, taken
from tests.contract.engine_room import bid_events, running
from tests.integration.fault_proxy import FaultProxy, fault_proxy
from tests.manual_clock import ManualClock
from tests.waiting import LOOK_EVERY_S, turns
from tests.watched_log import WatchedLog

SHARD = 5

# A writer of the log that waits for a lock.
_WAITS = """
select pid from pg_stat_activity
where datname = current_database() and application_name = 'softclose writer'
and wait_event_type = 'Lock' and state = 'active'
"""


@pytest.fixture
async def log(database_url: str) -> AsyncIterator[PostgresLog]:
    log = PostgresLog(database_url)
    yield log
    await log.close()


@pytest.fixture
async def session(database_url: str) -> AsyncIterator[Connection]:
    """A session in which a test holds locks, as long as it takes."""
    session = await connect(database_url, name="test")
    await session.execute("set idle_in_transaction_session_timeout = 0")
    yield session
    session.terminate()


@pytest.fixture
async def observer(database_url: str) -> AsyncIterator[Connection]:
    """Another session: what it sees of the others is not frozen by a transaction."""
    observer = await connect(database_url, name="test")
    yield observer
    observer.terminate()


async def waiting_writer(observer: Connection) -> int:
    """Return once the log's writer waits for a lock; its process in the server."""
    async with asyncio.timeout(30):
        while True:
            if (pid := await observer.fetchval(_WAITS)) is not None:
                return int(pid)
            await asyncio.sleep(LOOK_EVERY_S)


async def append_uncommitted(session: Connection, head: ShardHead, body: bytes) -> None:
    """The statement of an append, in a transaction that stays open."""
    batch = batch_of((head, [body]))
    (part,) = batch.appends.values()
    columns = [batch.shards, batch.positions, batch.sale_ids, batch.bodies]
    await session.execute(
        _APPEND, [SHARD], [part.position], [part.epoch], [1], *columns, batch.at_us
    )


# --- Races ------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["commit", "rollback"])
async def test_taking_waits_for_a_lost_append_and_tells_what_became_of_it(
    log: PostgresLog, session: Connection, observer: Connection, outcome: str
) -> None:
    (head,) = await taken(log, SHARD)
    await session.execute("begin")
    await append_uncommitted(session, head, b"lost")
    taking = asyncio.create_task(log.take([Shard(SHARD)], OWNER, back=True))
    await waiting_writer(observer)
    await session.execute(outcome)
    (after,) = await taking
    written = [b"lost"] if outcome == "commit" else []
    assert after.position == len(written)
    assert await bodies_of(log, SHARD) == written


async def test_an_old_append_that_waits_while_the_epoch_is_raised_writes_nothing(
    log: PostgresLog, session: Connection, observer: Connection
) -> None:
    (mine,), (other,) = await taken(log, SHARD), await taken(log, 6)
    await session.execute("begin")
    only_back = False
    await session.execute(_TAKE, [SHARD], RIVAL, only_back)
    batch = batch_of((mine, [b"stale"]), (other, [b"mine"]))
    appending = asyncio.create_task(log.append(batch))
    await waiting_writer(observer)
    await session.execute("commit")
    assert await appending == {SHARD}
    assert await bodies_of(log, SHARD) == []
    assert await bodies_of(log, 6) == [b"mine"], "the rest stands"


async def test_two_writers_that_take_each_others_shards_leave_a_gapless_log(
    database_url: str,
) -> None:
    async def write(owner: str) -> int:
        log, written = PostgresLog(database_url), 0
        for _ in range(40):
            try:
                heads = await log.take([Shard(SHARD), Shard(6)], owner, back=False)
                lost = await log.append(batch_of(*((head, [owner.encode()]) for head in heads)))
            except OutcomeUnknown:
                continue  # the server ended a deadlock of the two
            written += len(heads) - len(lost)
        await log.close()
        return written

    counts = await asyncio.gather(write(OWNER), write(RIVAL))
    log = PostgresLog(database_url)
    bodies = [await bodies_of(log, shard) for shard in (SHARD, 6)]
    epochs = [event.epoch for event in await log.read(Shard(SHARD), 0, 1_000)]
    await log.close()
    assert sum(map(len, bodies)) >= sum(counts) > 0
    assert epochs == sorted(epochs)


# --- Lines that are lost ------------------------------------------------------------------------


@asynccontextmanager
async def behind_a_proxy(
    dsn: str,
) -> AsyncIterator[tuple[FaultProxy, WatchedLog]]:
    """A log whose connections go through a proxy."""
    async with fault_proxy(dsn) as (proxy, through):
        log = PostgresLog(through)
        try:
            yield proxy, WatchedLog(log)
        finally:
            await log.close()


async def logged(dsn: str) -> list[BidPlaced]:
    """The bids in the log, read beside the proxy."""
    log = PostgresLog(dsn)
    try:
        events = await WatchedLog(log).events(SALE)
    finally:
        await log.close()
    return [event for event in events if isinstance(event, BidPlaced)]


async def test_a_commit_whose_answer_is_lost_is_found_and_acknowledged(database_url: str) -> None:
    async with (
        behind_a_proxy(database_url) as (proxy, log),
        running(log, ManualClock()) as room,
    ):
        await room.opens()
        mine = bid("A", 500_00)
        proxy.lose_answers()
        asked = await room.in_flight(mine)
        async with asyncio.timeout(30):
            while not await logged(database_url):  # noqa: ASYNC110 - another connection sees it
                await asyncio.sleep(LOOK_EVERY_S)
        assert not asked.done()
        proxy.cut()
        verdict = await asked
        assert verdict.code is Acceptance.LEADING
        (again,) = await room.does(mine)
        assert (again.sequence, again.receipt) == (verdict.sequence, verdict.receipt)
        assert len(await logged(database_url)) == 1


async def test_an_append_that_never_arrived_is_refused_and_may_be_sent_again(
    database_url: str,
) -> None:
    async with (
        behind_a_proxy(database_url) as (proxy, log),
        running(log, ManualClock()) as room,
    ):
        await room.opens()
        mine = bid("A", 500_00)
        proxy.lose_questions()
        asked = await room.in_flight(mine)
        proxy.cut()
        assert (await asked).code is Rejection.UNAVAILABLE
        assert await logged(database_url) == []
        await room.until_ready()
        await room.does(mine)
        assert len(await logged(database_url)) == 1


async def test_a_line_that_is_half_open_is_given_up_after_the_append_time_out(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.log_postgres.APPEND_TIMEOUT_S", 0.3)
    async with (
        behind_a_proxy(database_url) as (proxy, log),
        running(log, ManualClock()) as room,
    ):
        await room.opens()
        proxy.lose_answers()
        asked = await room.in_flight(bid("A", 500_00))
        assert (await asked).code is Acceptance.LEADING, "settled on a new connection"
        assert len(await logged(database_url)) == 1


async def test_a_cancellation_is_not_lost_on_a_dead_line(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.database.ACQUIRE_TIMEOUT_S", 0.3)
    async with behind_a_proxy(database_url) as (proxy, log):
        await log.heads()
        proxy.lose_answers()
        reading = asyncio.create_task(log.heads())
        await turns()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


# --- Sessions that the server ends --------------------------------------------------------------


async def test_a_writer_whose_session_is_terminated_before_the_append_settles_it(
    log: PostgresLog, session: Connection, observer: Connection
) -> None:
    async with running(WatchedLog(log), ManualClock()) as room:
        await room.opens()
        mine = bid("A", 500_00)
        await session.execute("begin")
        await session.execute("select 1 from log_shard where shard = $1 for update", shard_of(SALE))
        asked = await room.in_flight(mine)
        pid = await waiting_writer(observer)
        await session.fetchval("select pg_terminate_backend($1)", pid)
        await session.execute("rollback")
        assert (await asked).code is Rejection.UNAVAILABLE
        await room.until_ready()
        await room.does(mine)
        assert len(bid_events(await room.happened(), mine)) == 1


async def test_an_idle_writer_whose_session_is_terminated_goes_on(
    log: PostgresLog, session: Connection
) -> None:
    async with running(WatchedLog(log), ManualClock()) as room:
        await room.opens()
        await session.execute(
            "select pg_terminate_backend(pid, 30000) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        mine = bid("A", 500_00)
        if not (await room.engine.submit(mine)).accepted:
            await room.until_ready()
            await room.does(mine)
        assert len(bid_events(await room.happened(), mine)) == 1


async def test_an_append_that_meets_a_lock_is_given_up_and_settled(
    log: PostgresLog, session: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.log_postgres.APPEND_TIMEOUT_S", 0.2)
    async with running(WatchedLog(log), ManualClock()) as room:
        await room.opens()
        await session.execute("begin")
        await session.execute("lock table log_event in share mode")
        mine = bid("A", 500_00)
        asked = await room.in_flight(mine)
        assert (await asked).code is Rejection.UNAVAILABLE
        await session.execute("rollback")
        await room.until_ready()
        await room.does(mine)
        assert len(bid_events(await room.happened(), mine)) == 1


async def test_a_server_side_time_out_is_an_unknown_outcome(
    log: PostgresLog, session: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SESSION_SETTINGS, "lock_timeout", "100")
    (head,) = await taken(log, SHARD)
    await session.execute("begin")
    await session.execute("select 1 from log_shard where shard = $1 for update", SHARD)
    with pytest.raises(OutcomeUnknown, match="lock timeout"):
        await log.append(batch_of((head, [b"late"])))
    await session.execute("rollback")
    assert await bodies_of(log, SHARD) == []
    assert await log.append(batch_of((head, [b"again"]))) == set()


# --- The table ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "update log_event set body = ''",
        "delete from log_event",
        "delete from log_event where false",
        "truncate log_event",
    ],
)
async def test_the_log_is_append_only(
    log: PostgresLog, session: Connection, statement: str
) -> None:
    (head,) = await taken(log, SHARD)
    await log.append(batch_of((head, [b"kept"])))
    with pytest.raises(asyncpg.RestrictViolationError, match="log_event is append-only"):
        await session.execute(statement)
    assert await bodies_of(log, SHARD) == [b"kept"]


async def test_a_position_is_never_written_twice(log: PostgresLog, session: Connection) -> None:
    (head,) = await taken(log, SHARD)
    await log.append(batch_of((head, [b"first"])))
    with pytest.raises(asyncpg.UniqueViolationError, match="log_event_pkey"):
        await session.execute(
            "insert into log_event (shard, position, epoch, sale_id, body) "
            "values ($1, 1, 99, $2, 'second')",
            SHARD,
            sale_in(SHARD),
        )
