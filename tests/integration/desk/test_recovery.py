"""What each lot brought, kept from the log: what the fold says, whatever dies on the way."""

from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from auction.codec import Recorded
from auction.cursors_postgres import PostgresCursors
from auction.desk.recovery import LOT_COLUMNS, LotRow, keep_results
from auction.ids import Shard
from auction.judge import Judge
from auction.log_postgres import PostgresLog
from auction.sale import Lot, LotStatus, Sale
from auction.shards import load, load_sale
from foundation.database import AnyConnection, Pool, acquire, open_pool
from foundation.follower import LogFollower
from softclose.followers import handler_of
from tests.catalogue import a_described_lot, a_line, a_sale, list_lots
from tests.contract.batches import OWNER
from tests.integration.test_board import LOTS, SALES, SHARDS, STEPS, House

MSRP_MINOR = 2 * 39_99
ENDED = {LotStatus.SOLD, LotStatus.PASSED, LotStatus.WITHDRAWN}


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with await open_pool(database_url, name="results") as pool:
        yield pool


@pytest.fixture
async def log(database_url: str) -> AsyncIterator[PostgresLog]:
    log = PostgresLog(database_url)
    yield log
    await log.close()


async def a_house(log: PostgresLog, pool: Pool, seed: int) -> House:
    """Sales in which anything happens, with lots in the catalogue as far as it knows them."""
    async with acquire(pool) as connection:
        for sale_id in SALES:
            lots = [
                a_described_lot(str(number), sale_id, place=number + 1) for number in range(LOTS)
            ]
            await list_lots(connection, *lots, sale=a_sale(sale_id), lines=[a_line()])
    judge = Judge()
    for head in await log.take(map(Shard, SHARDS), OWNER, back=False):
        judge.own(await load(log, head))
    house = House(log, judge, seed)
    house.open()
    return house


async def goes_on(house: House, steps: int) -> None:
    for number in range(steps):
        house.step()
        if number % 5 == 0:
            await house.append()
    await house.append()


class Crash(Exception):
    """The process dies before its step commits."""


class Follower:
    """Keeps results, and dies when a test says so."""

    def __init__(self, pool: Pool) -> None:
        self.dies = False
        cursors = PostgresCursors(pool)
        self._followers = [
            LogFollower("results", shard, handler_of([keep_results, self._die]), cursors)
            for shard in SHARDS
        ]

    async def _die(self, _connection: AnyConnection, _recorded: Sequence[Recorded]) -> None:
        if self.dies:
            raise Crash

    async def follows(self) -> None:
        """Up to the end of the log."""
        for follower in self._followers:
            while await follower.step():
                pass

    async def crashes(self) -> None:
        """In the next step of each shard that has one, after everything is written."""
        self.dies = True
        for follower in self._followers:
            with pytest.raises(Crash):
                await follower.step()
        self.dies = False


async def rows(pool: Pool) -> dict[tuple[str, str], LotRow]:
    async with acquire(pool) as connection:
        found = await connection.fetch(f"select {LOT_COLUMNS} from lot_result")  # noqa: S608
    return {(row["sale_id"], row["lot_id"]): LotRow(*row) for row in found}


def check(row: LotRow, sale: Sale, lot: Lot) -> None:
    """The row says what the fold says."""
    assert (row.liquidator_id, row.currency) == (sale.liquidator_id, sale.terms.currency)
    assert (row.kind, row.title, row.opening_minor) == (lot.kind, lot.title, lot.opening_minor)
    assert (row.reserve_minor, row.consignor_id) == (lot.reserve_minor, lot.consignor_id)
    assert (row.price_minor, row.extensions) == (lot.price_minor, lot.extensions)
    assert row.opens_at_us == lot.opens_at_us
    assert row.bidders == len(lot.standings)
    assert {sale.bidders[p] for p in row.paddles} == lot.standings.keys()  # type: ignore[index]
    assert row.outcome == (lot.status if lot.status in ENDED else None)
    assert (row.closed_at_us is not None) is (lot.status in ENDED)
    sold = lot.status is LotStatus.SOLD
    assert row.hammer_minor == (lot.price_minor if sold else None)
    assert row.winner_ids == ([lot.leader] if sold else [])
    assert row.winner_paddles == ([sale.paddle_of(lot.leader)] if sold and lot.leader else [])
    listed = lot.status in ENDED and int(lot.lot_id) < LOTS
    assert row.msrp_minor == (MSRP_MINOR if listed else None)
    assert row.condition == ("USED_GOOD" if listed else None)
    if sold and listed:
        assert row.hammer_minor is not None
        assert row.recovery_bps == (row.hammer_minor * 20_000 + MSRP_MINOR) // (2 * MSRP_MINOR)
    paid = sold and lot.leader and lot.lot_id in sale.registrations[lot.leader].paid
    assert (row.funded_at_us is not None) is bool(paid)


@pytest.mark.parametrize("seed", range(3))
async def test_results_say_what_the_fold_of_the_log_says(
    log: PostgresLog, pool: Pool, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.follower.CHUNK", 7)  # lots lie across many steps
    house, follower = await a_house(log, pool, seed), Follower(pool)
    for _ in range(4):
        await goes_on(house, STEPS // 4)
        await follower.follows()
    found = await rows(pool)
    for sale_id in SALES:
        sale = await load_sale(log, sale_id)
        for lot in sale.lots.values():
            check(found.pop((sale_id, lot.lot_id)), sale, lot)
    assert not found
    wanted = {"lot_sold", "lot_passed", "lot_withdrawn", "bids_voided", "reserve_changed"}
    assert house.kinds.keys() >= wanted | {"award_funded"}


async def test_made_anew_results_are_what_they_were_before(log: PostgresLog, pool: Pool) -> None:
    house, follower = await a_house(log, pool, 1), Follower(pool)
    for _ in range(20):
        await goes_on(house, 20)
        await follower.follows()
    before = await rows(pool)
    async with acquire(pool) as connection:
        await connection.execute("truncate lot_result, sale_result; delete from log_cursor")
    assert await rows(pool) == {}
    await follower.follows()
    assert await rows(pool) == before
    assert {row.outcome for row in before.values()} >= ENDED


async def test_a_crash_before_the_cursor_moved_leaves_nothing_and_counts_nothing_twice(
    log: PostgresLog, pool: Pool
) -> None:
    house, follower = await a_house(log, pool, 2), Follower(pool)
    await goes_on(house, 100)
    await follower.follows()
    before = msgspec.json.encode(list((await rows(pool)).values()))
    await goes_on(house, 200)
    await follower.crashes()
    assert msgspec.json.encode(list((await rows(pool)).values())) == before
    await follower.follows()
    found = await rows(pool)
    for sale_id in SALES:
        sale = await load_sale(log, sale_id)
        for lot in sale.lots.values():
            check(found[sale_id, lot.lot_id], sale, lot)
            assert found[sale_id, lot.lot_id].bids <= lot.bid_count
