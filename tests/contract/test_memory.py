"""What the engine keeps in memory, and gets back: snapshots, sales put away; over both logs."""

import asyncio
import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from auction.commands import PlaceBid, RecordFunding
from auction.events import AwardFunded, SaleClosed
from auction.ids import SHARDS, BidderId, LotId, SaleId, shard_of
from auction.ports import Snapshot
from auction.rejections import Rejection
from auction.shards import ShardState, load
from auction.snapshot import decode_image
from auction.verdicts import Verdict
from tests.builders import SALE, STAFF_MEMBER, a_lot, bid, schedule
from tests.contract.engine_room import SALES, EngineRoom, bid_events, running
from tests.manual_clock import ManualClock
from tests.waiting import DEADLINE_S, LOOK_EVERY_S, turns, until
from tests.watched_log import Hook, WatchedLog, do_nothing, lose

SHARD, OTHER_SALE = shard_of(SALE), SALES[1]
NEXT_RUN = "run-2 of engine-1"
MOST_BIDS = 5_000
FUNDED = RecordFunding(
    sale_id=SALE, lot_id=LotId("1"), bidder_id=BidderId("A"), actor_id=STAFF_MEMBER
)


@pytest.fixture(autouse=True)
def small_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot every ten events."""
    monkeypatch.setattr("auction.judge.SNAPSHOT_EVERY", 10)


async def loaded(watched: WatchedLog, sale_id: SaleId = SALE) -> ShardState:
    """The state of a sale's shard as a new owner loads it."""
    (head,) = await watched.take([shard_of(sale_id)], "whoever is next", back=False)
    return await load(watched, head)


async def bids_at_random(
    room: EngineRoom, count: int, seed: int, enough: Callable[[], object] = lambda: True
) -> dict[PlaceBid, Verdict]:
    """Bids of two bidders on two lots, and on until it is enough; the accepted with their verdicts.

    Snapshots are saved beside the bids: on a fast disk many bids come before the first is there.
    """
    chance = random.Random(seed)
    accepted, sent = dict[PlaceBid, Verdict](), 0
    while sent < count or not enough():
        assert sent < MOST_BIDS, "what is waited for does not come"
        sent += 1
        lot_id = chance.choice("12")
        lot = room.lot(lot_id)
        amount_minor = lot.next_minimum_minor + chance.choice((-5_00, 0, 5_00, 500_00))
        command = bid(chance.choice("AB"), amount_minor, lot=lot_id)
        verdict = await room.engine.submit(command)
        if verdict.accepted:
            accepted[command] = verdict
    return accepted


async def repeated(room: EngineRoom, accepted: dict[PlaceBid, Verdict]) -> None:
    """Assert that each bid gets its first verdict again, and is in the log once."""
    for command, first in accepted.items():
        again = await room.engine.submit(command)
        assert (again.code, again.sequence, again.receipt) == (
            first.code,
            first.sequence,
            first.receipt,
        )
    events = await room.happened()
    assert all(len(bid_events(events, command)) == 1 for command in accepted)


# --- Snapshots --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
async def test_a_snapshot_and_the_tail_are_the_fold_of_the_whole_log(
    watched: WatchedLog, clock: ManualClock, seed: int
) -> None:
    async with running(watched, clock) as room:
        await room.opens(a_lot("1", reserve_minor=2_000_00), a_lot("2"))
        await bids_at_random(room, 45, seed, lambda: watched.saves > 1)
    watched.reads.clear()
    with_snapshot = await loaded(watched)
    assert min(watched.reads) >= 10, "the snapshot was used"
    watched.without_snapshots = True
    whole = await loaded(watched)
    assert min(watched.reads) == 0
    assert with_snapshot.sales == whole.sales
    assert with_snapshot.position == whole.position


async def test_bids_of_every_segment_get_their_verdicts_again_after_a_restart(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens(a_lot("1"), a_lot("2"))
        accepted = await bids_at_random(room, 45, 4, lambda: watched.saves > 1)
    async with running(watched, clock, NEXT_RUN) as room:
        await repeated(room, accepted)


@pytest.mark.parametrize("seed", range(2))
async def test_a_snapshot_of_another_format_is_passed_over_and_replaced(
    watched: WatchedLog, clock: ManualClock, seed: int
) -> None:
    async with running(watched, clock) as room:
        await room.opens(a_lot("1"), a_lot("2"))
        accepted = await bids_at_random(room, 15, seed, lambda: watched.saves > 0)
        state = room.writer.owned[SHARD]
        other = Snapshot(SHARD, state.position, state.accepted_after, b"\x93\x63\xc0\xc0", b"\xc1")
        await watched.save_snapshot(other, state.epoch)
    watched.reads.clear()
    async with running(watched, clock, NEXT_RUN) as room:
        assert 0 in watched.reads, "the log is folded from its start"
        await repeated(room, accepted)
        saves = watched.saves
        accepted |= await bids_at_random(room, 15, seed + 10, lambda: watched.saves > saves)
    watched.reads.clear()
    async with running(watched, clock, "run-3 of engine-1") as room:
        assert 0 not in watched.reads, "the new snapshot is used"
        await repeated(room, accepted)


@pytest.mark.parametrize("effect", [True, False])
async def test_a_snapshot_whose_outcome_is_unknown_costs_no_bid_its_verdict(
    watched: WatchedLog, clock: ManualClock, effect: bool
) -> None:
    losses = 0

    async def lose_some() -> None:
        nonlocal losses
        losses += 1
        if losses % 2:
            await lose()

    async with running(watched, clock) as room:
        await room.opens(a_lot("1"), a_lot("2"))
        if effect:
            watched.after_save = lose_some
        else:
            watched.before_save = lose_some
        accepted = await bids_at_random(room, 70, 7, lambda: losses > 2)
    watched.before_save = watched.after_save = do_nothing
    async with running(watched, clock, NEXT_RUN) as room:
        await repeated(room, accepted)


class Held:
    """A hook in which a call stays until it is let go, and ``then`` does what that hook does."""

    def __init__(self, then: Hook = do_nothing) -> None:
        self.here, self.gone = False, False
        self._released, self._then = asyncio.Event(), then

    async def __call__(self) -> None:
        self.here = True
        await self._released.wait()
        self.gone = True
        await self._then()

    async def let_go(self) -> None:
        """Return when the call has gone on."""
        self._released.set()
        await until(lambda: self.gone or not self.here)
        await turns()


async def test_a_bid_does_not_wait_for_a_snapshot(watched: WatchedLog, clock: ManualClock) -> None:
    async with running(watched, clock) as room:
        await room.opens(a_lot("1"), a_lot("2"))
        watched.before_save = held = Held()
        assert await bids_at_random(room, 30, seed=8)
        assert held.here and not held.gone


async def test_a_shard_that_was_loaded_anew_loses_no_bid_to_a_snapshot_under_way(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens(a_lot("1"), a_lot("2"))
        watched.before_save = held = Held()
        accepted = await bids_at_random(room, 15, seed=9)
        await until(lambda: held.here)
        watched.lose_an_append(effect=False)
        assert (await room.bid("A", 50_000_00)).code is Rejection.UNAVAILABLE
        await room.until_ready()
        watched.before_save = do_nothing
        await held.let_go()
        accepted |= await bids_at_random(room, 30, 10, lambda: watched.saves > 0)
    async with running(watched, clock, NEXT_RUN) as room:
        await repeated(room, accepted)


async def test_a_snapshot_that_fails_while_the_next_is_appended_tears_no_hole(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await room.opens(a_lot("1"), a_lot("2"))
        watched.before_save = held = Held(then=lose)
        accepted = await bids_at_random(room, 15, seed=11)
        await until(lambda: held.here)
        watched.gate.close()
        commands = [
            bid("A", amount_minor) for amount_minor in range(60_000_00, 80_000_00, 1_000_00)
        ]
        tasks = [await room.in_flight(commands[0]), *map(room.submitted, commands[1:])]
        await turns()
        watched.gate.let_one_through()
        await until(lambda: len(watched.batches[-1].bodies) >= 10)
        watched.before_save = do_nothing
        await held.let_go()
        watched.gate.open()
        accepted |= {command: await task for command, task in zip(commands, tasks, strict=True)}
        accepted |= await bids_at_random(room, 30, 12, lambda: watched.saves > 1)
    async with running(watched, clock, NEXT_RUN) as room:
        await repeated(room, accepted)


# --- Sales that were put away -------------------------------------------------------------------


@pytest.fixture
def retire_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed sale leaves memory with the next snapshot."""
    monkeypatch.setattr("auction.shards.RETIRE_AFTER_US", 0)


async def put_away(room: EngineRoom) -> PlaceBid:
    """Close a sale and have it leave memory; the bid that won its lot."""
    won = bid("A", 500_00)
    await room.opens(bidders="ABCDEFGHIJ")
    await room.does(won)
    room.clock.reach("16:00")
    await room.until_logged(SaleClosed)
    neighbour = neighbour_of(SALE)
    await room.opens(a_lot(closes="18:00"), sale_id=neighbour, bidders="ABCDEFGHIJ")
    await until(lambda: SALE in room.writer.owned[SHARD].retired)
    return won


async def until_snapshot_knows(watched: WatchedLog) -> None:
    """Wait for the snapshot that says so: an earlier one has the sale still in memory."""
    async with asyncio.timeout(DEADLINE_S):
        while SALE not in await retired_in_snapshot(watched):  # noqa: ASYNC110 - a row in a table
            await asyncio.sleep(LOOK_EVERY_S)


async def retired_in_snapshot(watched: WatchedLog) -> list[SaleId]:
    stored = await watched.load_snapshot(SHARD)
    image = stored and decode_image(stored.state, stored.accepted)
    return image.retired if image else []


def neighbour_of(sale_id: SaleId) -> SaleId:
    """Another sale in the same shard."""
    names = (SaleId(f"N-{number}") for number in range(10_000))
    return next(name for name in names if shard_of(name) == shard_of(sale_id))


@pytest.mark.usefixtures("retire_at_once")
@pytest.mark.parametrize("restart", [False, True])
async def test_a_sale_that_was_put_away_answers_as_before(
    watched: WatchedLog, clock: ManualClock, restart: bool
) -> None:
    async with running(watched, clock) as room:
        won = await put_away(room)
        if restart:
            await until_snapshot_knows(watched)
        else:
            await answers_as_before(room, won)
    if restart:
        async with running(watched, clock, NEXT_RUN) as room:
            assert SALE in room.writer.owned[SHARD].retired
            await answers_as_before(room, won)


async def answers_as_before(room: EngineRoom, won: PlaceBid) -> None:
    again = await room.engine.submit(replace(schedule(), sale_id=SALE))
    assert again.code is Rejection.SALE_EXISTS
    assert (await room.bid("B", 900_00)).code is Rejection.LOT_CLOSED
    (first,) = [r for r in await room.log.recorded(SALE) if r.event in bid_events([r.event], won)]
    (verdict,) = await room.does(won)
    assert (verdict.sequence, verdict.receipt) == (first.sequence, first.receipt)
    assert len(bid_events(await room.happened(), won)) == 1
    await room.does(FUNDED)
    assert isinstance((await room.happened())[-1], AwardFunded)


@pytest.mark.usefixtures("retire_at_once")
async def test_what_happened_to_a_sale_after_it_came_back_is_found_at_the_next_start(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        await put_away(room)
        await until_snapshot_knows(watched)
        await room.does(FUNDED)
    async with running(watched, clock, NEXT_RUN) as room:
        assert (await room.engine.submit(FUNDED)).code is Rejection.NO_UNPAID_AWARD
    whole = await loaded(watched)
    watched.without_snapshots = True
    assert whole.sales[SALE] == (await loaded(watched)).sales[SALE]


@pytest.mark.usefixtures("retire_at_once")
async def test_a_sale_that_cannot_be_loaded_is_unavailable_until_it_can(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        won = await put_away(room)
        watched.before_read_sale = lose
        assert (await room.engine.submit(won)).code is Rejection.UNAVAILABLE
        watched.before_read_sale = do_nothing
        await room.does(won, FUNDED)


@pytest.mark.usefixtures("retire_at_once")
async def test_a_sale_that_is_loaded_while_the_writer_recovers_is_judged_only_after(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        won = await put_away(room)
        watched.before_read_sale = held = Held()
        asked = room.submitted(won)
        await until(lambda: held.here)
        watched.down, takes = True, watched.takes
        clock.pass_in_the_dark(10_000_000)
        await until(lambda: watched.takes > takes)
        watched.before_read_sale, watched.down = do_nothing, False
        watched.before_take = recovering = Held()
        await until(lambda: recovering.here)
        await held.let_go()
        assert (await asked).code is Rejection.UNAVAILABLE
        await recovering.let_go()
        await room.until_ready()
        assert len(room.writer.owned) == SHARDS
        await room.does(won, FUNDED)


@pytest.mark.usefixtures("retire_at_once")
async def test_other_sales_are_served_while_one_is_loaded(
    watched: WatchedLog, clock: ManualClock
) -> None:
    async with running(watched, clock) as room:
        won = await put_away(room)
        await room.opens(a_lot(closes="18:00"), sale_id=OTHER_SALE)
        watched.before_read_sale = held = Held()
        asked = [room.submitted(won) for _ in range(3)]
        await room.does(bid("B", 500_00, sale_id=OTHER_SALE))
        assert not any(task.done() for task in asked)
        await held.let_go()
        assert {(await task).accepted for task in asked} == {True}
