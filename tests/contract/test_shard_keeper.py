"""Engines that share the shards, over both logs: they come, hand over, die and are fenced."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from msgspec.structs import replace

from auction.bus_local import LocalBus
from auction.engine_local import LocalEngine
from auction.events import AnyEvent, BidPlaced, EndsMoved
from auction.ids import SHARDS, SaleId, Shard, shard_of
from auction.leases import AnotherEngine, Leases
from auction.liveness import Liveness
from auction.ports import EventLog
from auction.rejections import Rejection
from auction.shard_keeper import ShardKeeper
from auction.verdicts import Verdict
from auction.writer import ALL_SHARDS, Writer
from tests.builders import EBAY_TERMS, a_lot, bid, register, schedule
from tests.contract.conftest import Place
from tests.contract.engine_room import SALES
from tests.manual_clock import ManualClock
from tests.waiting import until
from tests.watched_log import WatchedLog

# Its end is not seen in a test; a test that wants it to be over says so.
LEASE_US = 3_600_000_000
SECOND_US = 1_000_000


class SharingEngine:
    """One run of one engine, with its keeper."""

    def __init__(
        self, name: str, log: EventLog, leases: Leases, clock: ManualClock, **how: bool
    ) -> None:
        self.log, self.leases, self.name = WatchedLog(log), leases, name
        liveness = Liveness(clock, beat_every_us=250_000, dark_after_us=SECOND_US)
        self.writer = Writer(self.log, clock, LocalBus(), name, (), liveness)
        self.engine = LocalEngine(self.writer)
        self.keeper = ShardKeeper(
            leases, self.log, clock, self.writer, LEASE_US, **{"alone": False} | how
        )
        self.writing = asyncio.create_task(self.writer.run())
        self.keeping = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        await self.keeper.join()
        await self.keeper.run()

    async def until_owns(self, count: int) -> None:
        await until(lambda: self.keeping.done() or len(self.writer.owned) == count)
        assert len(self.writer.owned) == count, self.keeping

    async def leave(self) -> None:
        """As by a signal."""
        await self.keeper.leave()
        self.writer.stop()
        await self.writing
        await self.leases.leave(self.name)

    async def die(self) -> None:
        """As by kill -9."""
        for task in (self.keeping, self.writing):
            task.cancel()
        await asyncio.gather(self.keeping, self.writing, return_exceptions=True)


class Engines:
    """Engines on one log, one after the other."""

    def __init__(self, place: Place, clock: ManualClock) -> None:
        self._place, self._clock = place, clock
        self.all: list[SharingEngine] = []

    async def start(self, name: str, **how: bool) -> SharingEngine:
        log = await self._place.open_log()
        engine = SharingEngine(name, log, self._place.leases(log), self._clock, **how)
        self.all.append(engine)
        return engine

    async def share(self, *names: str) -> list[SharingEngine]:
        """Engines that have come to own as many shards each."""
        started = [await self.start(name) for name in names]
        for engine in started:
            await engine.until_owns(SHARDS // len(names))
        return started

    def owner(self, sale_id: SaleId) -> SharingEngine:
        (owner,) = [e for e in self.all if shard_of(sale_id) in e.writer.owned]
        return owner

    async def submit(self, sale_id: SaleId, command: object) -> Verdict:
        """To whoever owns the sale; again for as long as it is on its way from one to another."""
        while True:
            for engine in self.all:
                verdict = await engine.engine.submit(command)  # type: ignore[arg-type]
                if verdict.code is not Rejection.UNAVAILABLE:
                    return verdict
            await asyncio.sleep(0)

    async def opens(self, sale_id: SaleId) -> None:
        opened = replace(schedule(a_lot("1"), terms=EBAY_TERMS), sale_id=sale_id)
        for command in (opened, register("A", sale_id=sale_id), register("B", sale_id=sale_id)):
            assert (await self.submit(sale_id, command)).accepted

    async def happened(self, sale_id: SaleId) -> list[AnyEvent]:
        return await self.all[0].log.events(sale_id)


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auction.shard_keeper.LOOK_S", 0.005)
    monkeypatch.setattr("auction.writer.LOOK_EVERY_US", 2_000)


@pytest.fixture
async def engines(place: Place, clock: ManualClock) -> AsyncIterator[Engines]:
    async with AsyncExitStack() as stack:
        engines = Engines(place, clock)
        yield engines
        for engine in engines.all:
            stack.push_async_callback(engine.die)


async def test_one_engine_owns_every_shard(engines: Engines) -> None:
    engine = await engines.start("a")
    await engine.until_owns(SHARDS)


async def test_engines_share_the_shards_evenly_as_they_come(engines: Engines) -> None:
    first = await engines.start("a")
    await first.until_owns(SHARDS)
    second = await engines.start("b")
    await second.until_owns(SHARDS // 2)
    third = await engines.start("c")
    await third.until_owns(SHARDS // 3)
    await until(lambda: sum(len(e.writer.owned) for e in engines.all) == SHARDS)
    owned = Counter(shard for engine in engines.all for shard in engine.writer.owned)
    assert owned == Counter(ALL_SHARDS)


async def test_a_hand_over_loses_no_bid_and_is_no_outage(engines: Engines) -> None:
    first = await engines.start("a")
    await first.until_owns(SHARDS)
    for sale_id in SALES:
        await engines.opens(sale_id)
        assert (await engines.submit(sale_id, bid("A", 200_00, sale_id=sale_id))).accepted
    second = await engines.start("b")
    await second.until_owns(SHARDS // 2)
    assert {engines.owner(sale_id).name for sale_id in SALES} == {"a", "b"}
    for sale_id in SALES:
        assert (await engines.submit(sale_id, bid("B", 300_00, sale_id=sale_id))).accepted
        happened = await engines.happened(sale_id)
        assert len([event for event in happened if isinstance(event, BidPlaced)]) == 2
        assert not [event for event in happened if isinstance(event, EndsMoved)]


async def test_bids_that_are_under_way_during_a_hand_over_are_each_judged_once(
    engines: Engines,
) -> None:
    first = await engines.start("a")
    await first.until_owns(SHARDS)
    for sale_id in SALES:
        await engines.opens(sale_id)
    second = await engines.start("b")
    placed: dict[SaleId, int] = dict.fromkeys(SALES, 0)

    async def go_on_bidding(sale_id: SaleId) -> None:
        while len(second.writer.owned) < SHARDS // 2:
            amount = (placed[sale_id] + 2) * 100_00
            bidder = "AB"[placed[sale_id] % 2]
            assert (await engines.submit(sale_id, bid(bidder, amount, sale_id=sale_id))).accepted
            placed[sale_id] += 1

    await asyncio.gather(*map(go_on_bidding, SALES))
    for sale_id in SALES:
        happened = await engines.happened(sale_id)
        bids = [event for event in happened if isinstance(event, BidPlaced)]
        assert len(bids) == placed[sale_id]
        assert not [event for event in happened if isinstance(event, EndsMoved)]


async def test_a_dead_engines_shards_are_taken_over_and_that_is_an_outage(
    engines: Engines, clock: ManualClock
) -> None:
    first, second = await engines.share("a", "b")
    for sale_id in SALES:
        await engines.opens(sale_id)
    theirs = [sale_id for sale_id in SALES if engines.owner(sale_id) is first]
    await first.die()
    clock.reach("15:59:59")  # of lots that end at four
    await second.leases.leave("a")  # its lease is over
    await second.until_owns(SHARDS)
    for sale_id in SALES:
        await engines.submit(sale_id, bid("A", 200_00, sale_id=sale_id))
        moved = [e for e in await engines.happened(sale_id) if isinstance(e, EndsMoved)]
        assert len(moved) == (sale_id in theirs), sale_id


async def test_a_paused_engine_is_fenced_and_joins_again(
    engines: Engines, clock: ManualClock
) -> None:
    first, second = await engines.share("a", "b")
    for sale_id in SALES:
        await engines.opens(sale_id)
    theirs = [sale_id for sale_id in SALES if engines.owner(sale_id) is first]
    first.log.gate.close()  # what it sends to the log hangs
    late = [
        asyncio.create_task(first.engine.submit(bid("A", 200_00, sale_id=sale_id)))
        for sale_id in theirs
    ]
    await until(lambda: first.log.batches)
    first.keeping.cancel()
    await second.leases.leave("a")
    await second.until_owns(SHARDS)
    first.log.gate.open()
    for verdict in await asyncio.gather(*late):
        assert verdict.code is Rejection.UNAVAILABLE
    for sale_id in theirs:
        happened = await engines.happened(sale_id)
        assert not [event for event in happened if isinstance(event, BidPlaced)]
    await until(lambda: not first.writer.owned)
    first.keeping = asyncio.create_task(first.keeper.run())  # which finds itself counted out
    await first.until_owns(SHARDS // 2)


async def test_an_engine_whose_lease_is_over_refuses_nothing_from_memory(
    engines: Engines, clock: ManualClock
) -> None:
    first, _ = await engines.share("a", "b")
    for sale_id in SALES:
        await engines.opens(sale_id)
    sale_id = next(sale_id for sale_id in SALES if engines.owner(sale_id) is first)
    clock.pass_in_the_dark(SECOND_US)
    too_low = bid("A", 1, sale_id=sale_id)
    assert (await first.engine.submit(too_low)).code is Rejection.UNAVAILABLE


async def test_an_engine_that_leaves_hands_everything_over(engines: Engines) -> None:
    first, second = await engines.share("a", "b")
    for sale_id in SALES:
        await engines.opens(sale_id)
    await first.leave()
    await second.until_owns(SHARDS)
    for sale_id in SALES:
        assert not [e for e in await engines.happened(sale_id) if isinstance(e, EndsMoved)]
    assert [engine.name for engine in (await second.leases.look()).engines] == ["b"]


async def test_the_last_engine_leaves_without_waiting(engines: Engines) -> None:
    engine = await engines.start("a")
    await engine.until_owns(SHARDS)
    await engine.leave()
    assert all(lease.free for lease in (await engine.leases.look()).leases)


async def test_an_engine_that_wants_to_be_alone_says_who_is_in_its_way(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = await engines.share("a")
    log = first.log
    keeper = ShardKeeper(
        first.leases,
        log,
        ManualClock(),
        Writer(log, ManualClock(), LocalBus(), "b", ()),
        1_000,
        alone=True,
    )
    with pytest.raises(AnotherEngine, match="a"):
        await keeper.join()


async def test_a_shard_that_was_taken_by_a_step_that_was_cut_short_is_put_in_order(
    engines: Engines,
) -> None:
    first, _ = await engines.share("a", "b")
    shard = min(first.writer.owned)
    epoch = first.writer.owned[shard].epoch
    await first.writer.let_go([shard])  # and nobody told the log
    await until(lambda: shard in first.writer.owned)
    assert first.writer.owned[shard].epoch == epoch + 1


async def test_a_pinned_shard_moves_and_a_drained_engine_is_empty(engines: Engines) -> None:
    first, second = await engines.share("a", "b")
    shard = min(first.writer.owned)
    await first.leases.pin([shard], "b")
    await until(lambda: shard in second.writer.owned)
    await first.leases.drain("b", draining=True)
    await first.until_owns(SHARDS)
    assert Shard(shard) in first.writer.owned
