"""When a verdict is given, and what it then says: over both logs, by both engines."""

import asyncio

import pytest

from auction.events import BidderRegistered, BidPlaced, MaximumRaised, SaleScheduled
from auction.ids import shard_of
from auction.rejections import Rejection
from auction.verdicts import Acceptance
from tests.builders import SALE, a_lot, bid
from tests.contract.engine_room import SALES, bid_events, running
from tests.manual_clock import ManualClock
from tests.watched_log import WatchedLog

AGES_US = 3_600_000_000

pytestmark = pytest.mark.usefixtures("each_way")


# --- Nothing leaves before it is durable ------------------------------------------------------


async def test_an_acceptance_waits_until_it_is_durable(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        mine = bid("A", 500_00)
        asked = await room.in_flight(mine)
        await room.settled()
        assert not asked.done()
        assert bid_events(await room.happened(), mine) == []
        watched.gate.open()
        assert (await asked).code is Acceptance.LEADING
        assert len(bid_events(await room.happened(), mine)) == 1


async def test_a_refusal_waits_for_the_append_that_it_saw(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        first = await room.in_flight(bid("A", 500_00))
        too_low = room.submitted(bid("B", 100_00))
        await room.settled()
        assert not too_low.done()
        watched.gate.open()
        assert (await first).code is Acceptance.LEADING
        assert (await too_low).code is Rejection.AMOUNT_BELOW_MINIMUM


async def test_a_refusal_waits_for_what_gathers_behind_the_append(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        in_flight = await room.in_flight(bid("A", 150_00))
        gathers, too_low = room.submitted(bid("B", 900_00)), room.submitted(bid("A", 152_49))
        await room.settled()
        watched.gate.let_one_through()
        await in_flight
        await room.settled()
        assert not too_low.done()
        watched.gate.open()
        assert (await gathers).code is Acceptance.LEADING
        assert (await too_low).code is Rejection.AMOUNT_BELOW_MINIMUM


async def test_a_refusal_that_rests_on_nothing_under_way_is_given_at_once(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        appends = len(watched.batches)
        watched.gate.close()
        verdict = await room.bid("A", 99_00)
        assert (verdict.code, verdict.minimum_minor) == (Rejection.AMOUNT_BELOW_MINIMUM, 100_00)
        assert len(watched.batches) == appends


async def test_the_bus_tells_nothing_before_it_is_durable(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        told = len(room.published)
        watched.gate.close()
        asked = await room.in_flight(bid("A", 500_00))
        await room.settled()
        assert len(room.published) == told
        watched.gate.open()
        await asked
        assert [type(r.event) for r in room.published[told:]] == [BidPlaced]
        assert room.published == await watched.recorded(SALE)


async def test_a_verdict_names_the_place_and_the_receipt_of_the_bid(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        public = await room.bid("A", 500_00)
        private = await room.bid("A", 600_00)
        *_, placed, raised = await watched.recorded(SALE)
        assert isinstance(placed.event, BidPlaced)
        assert (public.sequence, public.receipt) == (placed.sequence, placed.hash)
        assert isinstance(raised.event, MaximumRaised)
        assert (private.sequence, private.receipt) == (None, raised.commitment)


# --- Batches ----------------------------------------------------------------------------------


async def test_an_idle_writer_appends_at_once(
    watched: WatchedLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.writer.LOOK_EVERY_US", AGES_US)  # nothing else wakes it
    async with running(watched, clock) as room:
        await room.opens()
        appends = len(watched.batches)
        await room.does(bid("A", 500_00))
        assert [len(batch.bodies) for batch in watched.batches[appends:]] == [1]


async def test_what_gathers_during_an_append_is_one_append_for_all_shards(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        for sale_id in SALES:
            await room.opens(sale_id=sale_id)
        watched.gate.close()
        first = await room.in_flight(bid("A", 500_00))
        appends = len(watched.batches)
        behind = [room.submitted(bid("B", 300_00, sale_id=sale_id)) for sale_id in SALES]
        await room.settled()
        watched.gate.open()
        assert all(verdict.accepted for verdict in await asyncio.gather(first, *behind))
        (batch,) = watched.batches[appends:]
        assert batch.appends.keys() == set(map(shard_of, SALES))


async def test_bids_are_judged_ahead_of_the_commit(watched: WatchedLog, clock: ManualClock) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        first = await room.in_flight(bid("A", 500_00))
        second = room.submitted(bid("B", 300_00))
        await room.settled()
        assert room.lot().price_minor == 305_00, "judged while the first is on its way"
        watched.gate.open()
        assert [(await task).code for task in (first, second)] == ["LEADING", "OUTBID"]


async def test_what_waits_beyond_the_bound_is_told_busy(
    watched: WatchedLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.writer.MAX_BATCH_EVENTS", 2)
    monkeypatch.setattr("auction.writer.MAX_WAITING", 3)
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        first = await room.in_flight(bid("A", 100_00))
        gather_and_wait = [room.submitted(bid("B", n * 1_000_00)) for n in range(1, 6)]
        await room.settled()
        refused = bid("A", 9_000_00)
        assert (await room.engine.submit(refused)).code is Rejection.BUSY
        watched.gate.open()
        verdicts = await asyncio.gather(first, *gather_and_wait)
        assert all(verdict.accepted for verdict in verdicts)
        assert max(len(batch.bodies) for batch in watched.batches[-3:]) <= 2
        assert bid_events(await room.happened(), refused) == []
        assert (await room.engine.submit(refused)).accepted, "it may be sent again"


async def test_bids_that_wait_are_judged_in_the_order_of_their_arrival(
    watched: WatchedLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.writer.MAX_BATCH_EVENTS", 3)
    async with running(watched, clock) as room:
        await room.opens(bidders="AB")
        watched.gate.close()
        sent = [bid("AB"[n % 2], 100_00 + n * 100_00) for n in range(20)]
        tasks = [room.submitted(command) for command in sent]
        await room.settled()
        watched.gate.open()
        assert {(await task).code for task in tasks} == {Acceptance.LEADING}
        placed = [e for e in await room.happened() if isinstance(e, BidPlaced)]
        assert [event.bid_id for event in placed] == [command.bid_id for command in sent]


# --- The same id ------------------------------------------------------------------------------


async def test_a_repeat_gets_the_first_verdict_and_the_lot_as_it_stands(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        mine = bid("A", 300_00)
        (first,) = await room.does(mine)
        await room.does(bid("B", 500_00))
        again = await room.engine.submit(mine)
        assert (again.code, again.sequence, again.receipt) == ("LEADING", *place_of(first))
        assert again.lot is not None
        assert (again.lot.leads, again.lot.price_minor) == (False, 305_00)
        assert len(bid_events(await room.happened(), mine)) == 1


async def test_a_repeat_during_the_append_gets_the_same_verdict(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        mine = bid("A", 300_00)
        first = await room.in_flight(mine)
        again = room.submitted(mine)
        await room.settled()
        assert not again.done()
        watched.gate.open()
        assert await first == await again
        assert len(bid_events(await room.happened(), mine)) == 1


async def test_an_accepted_id_with_other_content_is_refused(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        mine = bid("A", 300_00)
        await room.does(mine)
        verdict = await room.bid("A", 400_00, bid_id=mine.bid_id)
        assert verdict.code is Rejection.BID_ID_REUSED
        assert len(bid_events(await room.happened(), mine)) == 1


async def test_a_repeat_after_a_restart_gets_the_first_verdict(
    watched: WatchedLog, clock: ManualClock
) -> None:
    public, private = bid("A", 300_00), bid("A", 400_00)
    async with running(watched, clock) as room:
        await room.opens()
        before = await room.does(public, private)
    async with running(watched, clock, owner="run-2 of engine-1") as room:
        after = await room.does(public, private)
        assert [(v.code, *place_of(v)) for v in after] == [(v.code, *place_of(v)) for v in before]
        events = await room.happened()
        assert [len(bid_events(events, command)) for command in (public, private)] == [1, 1]


def place_of(verdict: object) -> tuple[int | None, bytes | None]:
    """Where a verdict says that the bid stands."""
    return getattr(verdict, "sequence"), getattr(verdict, "receipt")  # noqa: B009


async def test_cancelling_a_submit_loses_nothing(watched: WatchedLog, clock: ManualClock) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        mine = bid("A", 300_00)
        asked = await room.in_flight(mine)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        watched.gate.open()
        await room.until_logged(BidPlaced)
        (again,) = await room.does(mine)
        assert again.code is Acceptance.LEADING
        assert len(bid_events(await room.happened(), mine)) == 1


async def test_a_submit_that_is_cancelled_in_the_inbox_disturbs_no_other(
    watched: WatchedLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.writer.MAX_BATCH_EVENTS", 1)
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        tasks = [room.submitted(bid("AB"[n % 2], (n + 1) * 100_00)) for n in range(5)]
        await room.settled()
        tasks[3].cancel()
        watched.gate.open()
        verdicts = await asyncio.gather(*tasks, return_exceptions=True)
        codes = [getattr(verdict, "code", None) for verdict in verdicts]
        assert codes == ["LEADING", "LEADING", "LEADING", None, "LEADING"]


# --- The door and the end ---------------------------------------------------------------------


async def test_a_command_out_of_shape_is_refused_at_the_door(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        appends = len(watched.batches)
        for wrong in ({"amount_minor": 0}, {"amount_minor": 2**53 + 1}, {"bid_id": "mine"}):
            verdict = await room.bid("A", **({"amount_minor": 300_00} | wrong))
            assert verdict.code is Rejection.INVALID
            assert next(iter(wrong)) in verdict.message
        assert len(watched.batches) == appends


async def test_a_sale_that_nobody_scheduled_is_not_found(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        assert (await room.bid("A", 300_00)).code is Rejection.NOT_FOUND
        assert await room.happened() == []


async def test_a_writer_that_is_stopped_answers_what_was_decided_and_refuses_the_rest(
    watched: WatchedLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.writer.MAX_BATCH_EVENTS", 2)
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        sent = [bid("AB"[n % 2], (n + 1) * 100_00) for n in range(5)]
        in_flight = await room.in_flight(sent[0])
        gather_and_wait = [room.submitted(command) for command in sent[1:]]
        await room.settled()
        room.writer.stop()
        late = bid("A", 900_00)
        assert (await room.engine.submit(late)).code is Rejection.UNAVAILABLE
        watched.gate.open()
        await room.run
        verdicts = await asyncio.gather(in_flight, *gather_and_wait)
        assert [verdict.accepted for verdict in verdicts] == [True, True, True, False, False]
        assert {verdict.code for verdict in verdicts[3:]} == {Rejection.UNAVAILABLE}
        events = await room.happened()
        written = [bool(bid_events(events, command)) for command in (*sent, late)]
        assert written == [True, True, True, False, False, False]


async def test_a_writer_that_is_cancelled_leaves_nobody_waiting(
    watched: WatchedLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.writer.MAX_BATCH_EVENTS", 2)
    async with running(watched, clock) as room:
        await room.opens()
        watched.gate.close()
        tasks = [await room.in_flight(bid("A", 100_00))]
        tasks += [room.submitted(bid("B", n * 1_000_00)) for n in range(1, 6)]
        await room.settled()
        await room.die()
        async with asyncio.timeout(30):
            verdicts = await asyncio.gather(*tasks)
        assert {verdict.code for verdict in verdicts} == {Rejection.UNAVAILABLE}


async def test_events_of_a_command_are_written_together_and_in_order(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens(a_lot("1"), a_lot("2"), bidders="A")
        kinds = [type(event) for event in await room.happened()]
        assert kinds[0] is SaleScheduled
        assert kinds[-1] is BidderRegistered
        assert len(watched.batches[0].bodies) == 3, "the sale and its lots are one append"
