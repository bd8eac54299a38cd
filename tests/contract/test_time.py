"""Closings, heartbeats and the outage rule, with the clock in hand: over both logs."""

import asyncio

import pytest
from msgspec.structs import replace

from auction.codec import Recorded
from auction.decide_lots import CLOSE_CHUNK
from auction.events import (
    AnyEvent,
    BidPlaced,
    EndExtended,
    EndsMoved,
    LotPassed,
    LotSold,
    MoveReason,
    SaleClosed,
)
from auction.ids import shard_of
from auction.rejections import Rejection
from auction.verdicts import Acceptance, Verdict
from tests.builders import (
    EBAY_TERMS,
    FIVE_AND_FIVE,
    MINUTE_US,
    SALE,
    SECOND_US,
    a_lot,
    at,
    bid,
)
from tests.contract.engine_room import SALES, EngineRoom, running
from tests.manual_clock import ManualClock
from tests.waiting import turns, until
from tests.watched_log import WatchedLog

OTHER_SALE = SALES[1]
NEXT_RUN = "run-2 of engine-1"
SOFT_CLOSE = replace(EBAY_TERMS, soft_close=FIVE_AND_FIVE)


def ends(room: EngineRoom, clock: str, lot_id: str = "1") -> bool:
    """Whether this is the end in force of a lot."""
    return room.lot(lot_id).closes_at_us == at(clock)


async def last(room: EngineRoom, kind: type[AnyEvent]) -> Recorded:
    """The last event of a type, in its place."""
    return [r for r in await room.log.recorded(SALE) if isinstance(r.event, kind)][-1]


# --- Closing ----------------------------------------------------------------------------------


async def test_the_timer_closes_a_lot_at_its_end_and_not_before(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        await room.does(bid("A", 500_00))
        clock.reach("15:59:59.999999")
        await turns()
        await room.does(bid("B", 300_00))
        clock.reach("16:00")
        await room.until_logged(SaleClosed)
        *_, placed, sold, closed = await room.happened()
        assert [type(e) for e in (placed, sold, closed)] == [BidPlaced, LotSold, SaleClosed]
        assert (await last(room, LotSold)).at_us == at("16:00")
        assert (await room.bid("B", 900_00)).code is Rejection.LOT_CLOSED


async def test_a_lot_whose_end_moved_is_not_closed_at_its_old_end(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens(terms=SOFT_CLOSE)
        clock.reach("15:58")
        await room.does(bid("A", 500_00))
        assert isinstance((await room.happened())[-1], EndExtended)
        for passed in ("16:00", "16:02:59"):
            clock.reach(passed)
            await turns()
        clock.reach("16:03")
        await room.until_logged(SaleClosed)
        assert (await last(room, LotSold)).at_us == at("16:03")


async def test_the_timer_does_not_oversleep_an_end_that_was_scheduled_later(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens(a_lot(closes="18:00"))
        await turns()
        await room.opens(a_lot(closes="11:00"), sale_id=OTHER_SALE)
        clock.reach("11:00")
        await until(lambda: room.sale(OTHER_SALE).closed)
        assert not room.sale().closed


async def test_many_lots_are_closed_by_the_chunk_and_bids_go_in_between(
    watched: WatchedLog, clock: ManualClock
) -> None:
    lots = [a_lot(f"{number}") for number in range(1, 2 * CLOSE_CHUNK + 1)]

    async def bids_after_the_first_chunk(room: EngineRoom) -> Verdict:
        while room.sale().unended == len(lots):
            await turns(1)
        assert room.sale().unended == CLOSE_CHUNK
        return await room.bid("B", 500_00, sale_id=OTHER_SALE)

    async with running(watched, clock) as room:
        await room.opens(a_lot(closes="18:00"), sale_id=OTHER_SALE)
        await room.opens(*lots)
        between = asyncio.create_task(bids_after_the_first_chunk(room))
        clock.reach("16:00")
        await room.until_logged(SaleClosed)
        assert (await between).code is Acceptance.LEADING
        order = [r.event for r in room.published if isinstance(r.event, LotPassed | BidPlaced)]
        assert len(order) == len(lots) + 1
        assert isinstance(order[CLOSE_CHUNK], BidPlaced)


async def test_what_ended_before_the_service_went_away_is_closed_and_not_revived(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens(a_lot("1", closes="16:00"), a_lot("2", closes="18:00"))
        await room.does(bid("A", 500_00))
        watched.gate.close()  # nothing more is written, but it lives until after the end
        epoch = room.writer.owned[shard_of(SALE)].epoch
        await watched.beat({shard_of(SALE): epoch}, at("16:00:01"), "somebody")
    watched.gate.open()
    clock.reach("16:20")
    async with running(watched, clock, NEXT_RUN) as room:
        await room.until_logged(LotSold)
        assert ends(room, "16:00", "1")
        assert ends(room, "18:00", "2")


# --- Signs of life ----------------------------------------------------------------------------


async def test_an_idle_writer_gives_signs_of_life(
    watched: WatchedLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.writer.LOOK_EVERY_US", 5_000)  # of real time: it looks often
    async with running(watched, clock) as room:
        await room.opens()
        for _ in range(3):
            beats = watched.beats
            clock.tick(500_000)
            await until(lambda before=beats: watched.beats > before)  # type: ignore[misc]
        alive_us = clock.now_us()
    (head,) = await watched.take([shard_of(SALE)], NEXT_RUN, back=False)
    assert head.beat_at_us == alive_us


async def test_a_busy_writer_gives_signs_of_life_for_its_quiet_shards_too(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens()
        await room.opens(sale_id=OTHER_SALE)
        for number in range(1, 21):
            clock.tick(400_000)
            await room.does(bid("AB"[number % 2], number * 100_00))
        died_at_us = clock.now_us()
    heads = await watched.take(map(shard_of, (SALE, OTHER_SALE)), NEXT_RUN, back=False)
    ages_us = [died_at_us - (head.beat_at_us or 0) for head in heads]
    assert max(ages_us) <= SECOND_US


# --- Away -------------------------------------------------------------------------------------


async def test_after_a_long_outage_all_ends_move_before_anything_closes(
    watched: WatchedLog, clock: ManualClock
) -> None:
    lots = [a_lot("1", closes="16:00"), a_lot("2", closes="16:02"), a_lot("3", closes="17:30")]
    async with running(watched, clock) as room:
        await room.opens(*lots, terms=SOFT_CLOSE)
        clock.reach("15:50")
        await room.does(bid("A", 500_00))
    clock.reach("16:20")
    async with running(watched, clock, NEXT_RUN) as room:
        await room.until_logged(EndsMoved)
        assert ends(room, "16:30", "1")
        assert ends(room, "16:32", "2")
        assert ends(room, "18:00", "3")
        moved = (await room.happened())[-1]
        assert isinstance(moved, EndsMoved)
        assert (moved.reason, moved.dark_us) == (MoveReason.OUTAGE, 30 * MINUTE_US)
        await room.does(bid("B", 600_00))
        clock.reach("16:30")
        await room.until_logged(LotSold)


async def test_after_a_short_outage_bidders_have_half_a_minute(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens(a_lot("1", closes="16:00"), terms=SOFT_CLOSE)
        clock.reach("15:50")
        await room.opens(a_lot("1", closes="17:00"), sale_id=OTHER_SALE, terms=SOFT_CLOSE)
        clock.reach("15:59:57")
        for sale_id in (SALE, OTHER_SALE):
            await room.does(bid("A", 500_00, sale_id=sale_id))
    clock.reach("16:04:56")
    async with running(watched, clock, NEXT_RUN) as room:
        await room.until_logged(EndsMoved)
        assert room.lot().closes_at_us > at("16:04:57")
        assert room.lot(sale_id=OTHER_SALE).closes_at_us == at("17:00"), "an hour is notice enough"


async def test_a_stop_without_a_successor_is_an_outage_even_of_two_seconds(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens(a_lot("1", closes="16:00"))
        clock.reach("15:59:57")
        await room.does(bid("A", 500_00))
        await room.stop()
    clock.reach("15:59:59")
    async with running(watched, clock, NEXT_RUN) as room:
        await room.until_logged(EndsMoved)
        assert ends(room, "16:00:29")


async def test_a_paused_process_moves_the_ends_before_it_closes_anything(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens(terms=SOFT_CLOSE)
        clock.reach("15:50")
        await room.does(bid("A", 500_00))
        clock.pass_in_the_dark(30 * MINUTE_US)
        assert (await room.bid("B", 600_00)).code is Rejection.UNAVAILABLE
        await room.until_logged(EndsMoved)
        assert ends(room, "16:30")
        assert not any(isinstance(e, LotSold) for e in await room.happened())
        await room.until_ready()
        await room.does(bid("B", 600_00))


async def test_a_process_that_is_paused_during_an_append_moves_the_ends_too(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens(terms=SOFT_CLOSE)
        clock.reach("15:50")
        watched.gate.close()
        asked = await room.in_flight(bid("A", 500_00))
        clock.pass_in_the_dark(30 * MINUTE_US)
        watched.gate.open()
        assert (await asked).code is Acceptance.LEADING, "it was durable"
        await room.until_logged(EndsMoved)
        assert ends(room, "16:30")
        assert not any(isinstance(e, LotSold) for e in await room.happened())


async def test_a_lost_database_counts_as_an_outage(
    watched: WatchedLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.owning.RETRY_MOST_S", 0.01)
    async with running(watched, clock) as room:
        await room.opens(terms=SOFT_CLOSE)
        clock.reach("15:50")
        await room.does(bid("A", 500_00))
        watched.down = True
        assert (await room.bid("B", 600_00)).code is Rejection.UNAVAILABLE
        clock.tick(30 * MINUTE_US)
        watched.down = False
        await room.until_logged(EndsMoved)
        assert ends(room, "16:30")


async def test_what_the_outage_moved_is_moved_once(watched: WatchedLog, clock: ManualClock) -> None:
    async with running(watched, clock) as room:
        await room.opens(terms=SOFT_CLOSE)
        clock.reach("15:50")
        await room.does(bid("A", 500_00))
    clock.reach("16:20")
    for run in ("run-2 of engine-1", "run-3 of engine-1"):
        async with running(watched, clock, run) as room:
            await until(lambda r=room: ends(r, "16:30"))  # type: ignore[misc]
            await room.stop()
    assert len([e for e in await room.happened() if isinstance(e, EndsMoved)]) == 1


# --- A clock that is wrong --------------------------------------------------------------------


async def test_a_clock_far_from_the_logs_stops_judging_and_takes_the_logs_over(
    watched: WatchedLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.clock_watch.EVERY_S", 0.005)
    async with running(watched, clock) as room:
        await room.opens()
        followed = len(clock.followed)
        clock.skewed_us = -300_000
        await until(lambda: len(clock.followed) > followed)
        await room.until_ready()
        await room.does(bid("A", 500_00))


async def test_a_clock_a_little_off_goes_on(
    watched: WatchedLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.clock_watch.EVERY_S", 0.001)
    async with running(watched, clock) as room:
        await room.opens()
        looks = len(clock.followed)
        clock.skewed_us = 200_000
        for number in range(1, 20):
            await room.does(bid("AB"[number % 2], number * 100_00))
        assert len(clock.followed) == looks
