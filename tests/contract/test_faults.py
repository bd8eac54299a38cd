"""Unknown outcomes, a database that is away, other owners: over both logs, by both engines."""

import asyncio

import pytest

from auction.events import BidPlaced
from auction.ids import Shard, shard_of
from auction.ports import EventLog
from auction.rejections import Rejection
from auction.verdicts import Acceptance
from tests.builders import SALE, bid
from tests.contract.batches import RIVAL, bodies_of
from tests.contract.conftest import Place
from tests.contract.engine_room import SALES, bid_events, running
from tests.manual_clock import ManualClock
from tests.waiting import turns, until
from tests.watched_log import WatchedLog, do_nothing

SHARD, OTHER_SALE = shard_of(SALE), SALES[1]

pytestmark = pytest.mark.usefixtures("each_way")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine does not have an answer that is on its way given up; a lost one is soon asked
    for again."""
    monkeypatch.setattr("auction.writer.SETTLE_WITHIN_S", 20.0)
    monkeypatch.setattr("auction.owning.RETRY_FIRST_S", 0.005)
    monkeypatch.setattr("auction.owning.RETRY_MOST_S", 0.02)


@pytest.fixture
def impatient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a database that does not come back."""
    monkeypatch.setattr("auction.writer.SETTLE_WITHIN_S", 0.05)


@pytest.fixture
async def rivals_log(place: Place) -> EventLog:
    """The same log, as another engine has it."""
    return await place.open_log()


async def takes_over(log: EventLog, *shards: Shard) -> None:
    """Another engine takes shards."""
    await log.take(shards, RIVAL, back=False)


# --- The outcome of an append is not known ----------------------------------------------------


async def test_a_lost_answer_is_settled_as_the_verdict_that_it_was(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.lose_an_append(effect=True)
        (verdict,) = await room.does(bid("A", 500_00))
        (placed,) = [r for r in await watched.recorded(SALE) if isinstance(r.event, BidPlaced)]
        assert (verdict.sequence, verdict.receipt) == (placed.sequence, placed.hash)
        assert room.published == await watched.recorded(SALE), "and it is announced, once"


async def test_an_append_without_effect_is_refused_and_may_be_sent_again(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.lose_an_append(effect=False)
        mine = bid("A", 500_00)
        assert (await room.engine.submit(mine)).code is Rejection.UNAVAILABLE
        assert bid_events(await room.happened(), mine) == []
        assert (await room.engine.submit(mine)).code is Acceptance.LEADING
        assert len(bid_events(await room.happened(), mine)) == 1
        assert room.published == await watched.recorded(SALE)


@pytest.mark.parametrize("effect", [True, False])
async def test_what_was_decided_on_top_of_an_unknown_append_is_refused(
    watched: WatchedLog, clock: ManualClock, effect: bool
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        below, on_top = bid("A", 500_00), bid("B", 600_00)
        first = await room.in_flight(below)
        second = room.submitted(on_top)
        await room.settled()
        watched.lose_an_append(effect=effect)
        watched.gate.open()
        assert (await second).code is Rejection.UNAVAILABLE
        assert (await first).accepted == effect
        events = await room.happened()
        assert [len(bid_events(events, b)) for b in (below, on_top)] == [effect, 0]
        verdicts = await room.does(below, on_top)
        assert [verdict.code for verdict in verdicts] == ["LEADING", "LEADING"]
        events = await room.happened()
        assert [len(bid_events(events, b)) for b in (below, on_top)] == [1, 1]


async def test_a_refusal_that_rests_on_a_bid_that_never_was_is_not_told(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        first = await room.in_flight(bid("A", 500_00))
        too_low = room.submitted(bid("B", 100_00))
        await room.settled()
        watched.lose_an_append(effect=False)
        watched.gate.open()
        assert (await first).code is Rejection.UNAVAILABLE
        assert (await too_low).code is Rejection.UNAVAILABLE
        assert (await room.bid("B", 100_00)).code is Acceptance.LEADING


async def test_other_shards_go_on_as_they_were_after_an_unknown_append(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        await room.opens(sale_id=OTHER_SALE)
        await room.does(bid("A", 500_00, sale_id=OTHER_SALE))
        watched.lose_an_append(effect=False)
        await room.bid("A", 500_00)
        (outbid,) = await room.does(bid("B", 300_00, sale_id=OTHER_SALE))
        assert outbid.code is Acceptance.OUTBID


# --- The database is away ---------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
async def test_nobody_waits_long_for_a_database_that_does_not_come_back(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        first = await room.in_flight(bid("A", 500_00))
        watched.down = True
        watched.gate.open()
        async with asyncio.timeout(30):
            assert (await first).code is Rejection.UNAVAILABLE
            assert (await room.bid("B", 500_00)).code is Rejection.UNAVAILABLE
        assert not room.writer.ready


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("effect", [True, False])
async def test_when_the_database_is_back_it_goes_on_by_itself(
    watched: WatchedLog, clock: ManualClock, effect: bool
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        mine = bid("A", 500_00)
        watched.lose_an_append(effect=effect)
        watched.gate.close()
        asked = await room.in_flight(mine)
        watched.gate.open()
        await turns(1)
        watched.down = True
        await asked
        takes = watched.takes
        await until(lambda: watched.takes > takes + 2 or room.writer.ready)
        watched.down = False
        await room.until_ready()
        (verdict,) = await room.does(mine)
        assert verdict.code is Acceptance.LEADING
        assert len(bid_events(await room.happened(), mine)) == 1


async def test_a_heartbeat_that_is_not_answered_is_recovered_from(
    watched: WatchedLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.writer.LOOK_EVERY_US", 1_000)
    monkeypatch.setattr("auction.liveness.BEAT_EVERY_US", 0)
    async with running(watched, clock) as room:
        await room.opens()
        await until(lambda: watched.beats)
        watched.down = True
        await until(lambda: not room.writer.ready)
        assert (await room.bid("A", 500_00)).code is Rejection.UNAVAILABLE
        watched.down = False
        await room.until_ready()
        await room.does(bid("A", 500_00))


async def test_it_starts_when_the_database_comes(watched: WatchedLog, clock: ManualClock) -> None:
    watched.down = True

    async def comes_back() -> None:
        await until(lambda: watched.takes > 2)
        watched.down = False

    back = asyncio.create_task(comes_back())
    async with running(watched, clock) as room:
        assert back.done()
        await room.opens()
        await room.does(bid("A", 500_00))


# --- Another owner ----------------------------------------------------------------------------


async def test_a_fenced_writer_answers_unavailable_and_drops_the_shard(
    watched: WatchedLog, rivals_log: EventLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        await room.opens(sale_id=OTHER_SALE)
        await takes_over(rivals_log, SHARD)
        told = list(room.published)
        late = bid("A", 500_00)
        assert (await room.engine.submit(late)).code is Rejection.UNAVAILABLE
        assert bid_events(await room.happened(), late) == []
        await until(lambda: room.writer.ready and SHARD not in room.writer.owned)
        assert room.published == told
        assert (await room.engine.submit(late)).code is Rejection.UNAVAILABLE
        await room.does(bid("A", 500_00, sale_id=OTHER_SALE))


async def test_of_an_append_to_a_lost_shard_and_an_owned_one_the_owned_part_stands(
    watched: WatchedLog, rivals_log: EventLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        await room.opens(sale_id=OTHER_SALE)
        watched.gate.close()
        in_flight = await room.in_flight(bid("B", 100_00, sale_id=OTHER_SALE))
        lost, kept = bid("A", 500_00), bid("A", 500_00, sale_id=OTHER_SALE)
        gathering = [room.submitted(lost), room.submitted(kept)]
        await room.settled()
        await takes_over(rivals_log, SHARD)
        watched.gate.open()
        await in_flight
        codes = [(await task).code for task in gathering]
        assert codes == [Rejection.UNAVAILABLE, Acceptance.LEADING]
        assert bid_events(await room.happened(), lost) == []
        assert len(bid_events(await room.happened(OTHER_SALE), kept)) == 1


async def test_what_was_decided_behind_a_lost_append_is_refused_too(
    watched: WatchedLog, rivals_log: EventLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        first = await room.in_flight(bid("A", 500_00))
        second = room.submitted(bid("B", 600_00))
        await room.settled()
        await takes_over(rivals_log, SHARD)
        before = await room.happened()
        watched.gate.open()
        assert {(await task).code for task in (first, second)} == {Rejection.UNAVAILABLE}
        assert await room.happened() == before


@pytest.mark.parametrize("effect", [True, False])
async def test_a_shard_that_was_lost_with_the_answer_is_not_taken_back(
    watched: WatchedLog, rivals_log: EventLog, clock: ManualClock, effect: bool
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        asked = await room.in_flight(bid("A", 500_00))
        watched.lose_an_append(effect=effect)
        await takes_over(rivals_log, SHARD)
        watched.gate.open()
        assert (await asked).code is Rejection.UNAVAILABLE
        await room.until_ready()
        assert SHARD not in room.writer.owned
        assert len(room.writer.owned) == 63


async def test_a_heartbeat_finds_out_that_a_shard_was_lost(
    watched: WatchedLog, rivals_log: EventLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.writer.LOOK_EVERY_US", 1_000)
    monkeypatch.setattr("auction.liveness.BEAT_EVERY_US", 0)
    async with running(watched, clock) as room:
        await takes_over(rivals_log, SHARD)
        await until(lambda: room.writer.ready and SHARD not in room.writer.owned)


async def test_a_new_owner_goes_on_where_the_old_one_was_fenced(
    watched: WatchedLog, rivals_log: EventLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as old:
        await old.opens()
        mine = bid("A", 500_00)
        (first,) = await old.does(mine)
        async with running(WatchedLog(rivals_log), clock, RIVAL) as new:
            late = await old.bid("B", 600_00)
            assert late.code is Rejection.UNAVAILABLE
            (again,) = await new.does(mine)
            assert (again.sequence, again.receipt) == (first.sequence, first.receipt)
            assert (await new.bid("B", 300_00)).code is Acceptance.OUTBID


async def test_a_shard_that_is_lost_while_it_is_loaded_is_no_accident(
    watched: WatchedLog, rivals_log: EventLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as first:
        await first.opens()
        await first.stop()

    async def a_rival_is_faster() -> None:
        watched.before_read = do_nothing
        rival = WatchedLog(rivals_log)
        async with running(rival, clock, RIVAL) as faster:
            await faster.does(bid("A", 500_00))

    watched.before_read = a_rival_is_faster
    async with running(watched, clock, "run-2 of engine-1") as slower:
        assert (await slower.bid("A", 600_00)).code is Rejection.UNAVAILABLE
        assert SHARD not in slower.writer.owned
    assert len(await bodies_of(rivals_log, SHARD)) == 5
