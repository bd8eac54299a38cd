"""The resellers' tables trail the log by moments and say what the fold says; none holds a maximum.

The sales are those of `test_board`: everything happens in them, at random.
"""

import asyncpg
import pytest

from auction.board import keep_board
from auction.codec import decode_body
from auction.cursors_postgres import PostgresCursors
from auction.events import MaximumRaised, lot_of
from auction.ids import LotId, SaleId, Shard, shard_of
from auction.judge import Judge
from auction.log_postgres import PostgresLog
from auction.sale import Lot, LotStatus, Sale
from auction.shards import load, load_sale
from bidder_gateway.bidder_tables import keep_bidder_tables
from bidder_gateway.lot_events import WHOLE_SALE, keep_lot_events
from bidder_gateway.sale_board import keep_sale_board
from foundation.database import AnyConnection, acquire, open_pool
from foundation.follower import LogFollower
from softclose.followers import handler_of
from tests.contract.batches import OWNER
from tests.integration.test_board import SALES, SHARDS, STEPS, House

KEEPERS = (keep_board, keep_sale_board, keep_lot_events, keep_bidder_tables)


@pytest.mark.parametrize("seed", range(3))
async def test_the_tables_say_what_the_fold_of_the_log_says(
    database_url: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.follower.CHUNK", 7)
    log, judge = PostgresLog(database_url), Judge()
    for head in await log.take(map(Shard, SHARDS), OWNER, back=False):
        judge.own(await load(log, head))
    house = House(log, judge, seed)
    house.open()
    async with await open_pool(database_url, name="tables") as pool:
        followers = [
            LogFollower("tables", shard, handler_of(KEEPERS), PostgresCursors(pool))
            for shard in SHARDS
        ]
        for number in range(STEPS):
            house.step()
            if number % 5 == 0:
                await house.append()
        house.cancel()
        await house.append()
        for follower in followers:
            while await follower.step():
                pass
        async with acquire(pool) as connection:
            for sale_id in SALES:
                sale = await load_sale(log, sale_id)
                await _check_sale(connection, sale)
                await _check_admissions(connection, sale)
                for lot in sale.lots.values():
                    await _check_lot(connection, sale, lot)
                await _check_events(connection, log, sale_id)
    await log.close()
    assert house.kinds["maximum_raised"] and house.kinds["bids_voided"]
    assert house.kinds["lots_rescheduled"] and house.kinds["bidders_dismissed"]


async def _check_sale(connection: AnyConnection, sale: Sale) -> None:
    row = await connection.fetchrow("select * from sale_board where sale_id = $1", sale.sale_id)
    assert row is not None
    assert row["opens_at_us"] == min(lot.opens_at_us for lot in sale.lots.values())
    assert row["paused_from_us"] == sale.paused_from_us
    assert row["audience"] == sale.audience
    assert (row["cancelled_at_us"] is not None) is (sale.cancelled is not None)
    admitted = await connection.fetch(
        "select bidder_id from admitted_bidder where sale_id = $1", sale.sale_id
    )
    assert {row["bidder_id"] for row in admitted} == sale.admitted
    assert (row["closed_at_us"] is not None) is sale.closed
    asked = {word for lot in sale.lots.values() for word in lot.restrictions}
    assert row["restrictions"] == sorted(asked)
    rules = await connection.fetch("select * from lot_rules where sale_id = $1", sale.sale_id)
    told = {row["lot_id"]: (row["scheduled_closes_at_us"], row["latest_end_us"]) for row in rules}
    assert told == {
        lot.lot_id: (lot.scheduled_closes_at_us, lot.latest_end_us) for lot in sale.lots.values()
    }


async def _check_admissions(connection: AnyConnection, sale: Sale) -> None:
    rows = await connection.fetch("select * from admission where sale_id = $1", sale.sale_id)
    told = {row["bidder_id"]: (row["paddle"], row["limit_minor"]) for row in rows}
    assert told == {
        bidder_id: (registration.paddle, registration.limit_minor)
        for bidder_id, registration in sale.registrations.items()
    }


async def _check_lot(connection: AnyConnection, sale: Sale, lot: Lot) -> None:
    """The bids that stand are where the rows say; what was voided is marked."""
    key = (sale.sale_id, lot.lot_id)
    rows = await connection.fetch(
        "select * from bidder_lot join log_event using (position) "
        "where bidder_lot.sale_id = $1 and lot_id = $2 and shard = $3",
        *key,
        shard_of(sale.sale_id),
    )
    standing = {row["bidder_id"]: _maximum(row) for row in rows if not row["voided"]}
    assert standing == {bidder: own.maximum_minor for bidder, own in lot.standings.items()}
    countered = [row["counter_minor"] for row in rows if row["counter_minor"] is not None]
    assert countered == ([] if lot.counter_minor is None else [lot.counter_minor])
    won = await connection.fetch("select * from won_lot where sale_id = $1 and lot_id = $2", *key)
    if lot.status is not LotStatus.SOLD:
        assert not won
        return
    (row,) = won
    assert (row["bidder_id"], row["hammer_price_minor"]) == (lot.leader, lot.price_minor)
    assert lot.leader is not None
    paid = lot.lot_id in sale.registrations[lot.leader].paid
    assert (row["paid_at_us"] is not None) is paid


def _maximum(row: asyncpg.Record) -> int:
    event = decode_body(row["position"], row["body"]).event
    assert event.bidder_id == row["bidder_id"]  # type: ignore[union-attr]
    maximum_minor: int = event.maximum_minor  # type: ignore[union-attr]
    return maximum_minor


async def _check_events(connection: AnyConnection, log: PostgresLog, sale_id: SaleId) -> None:
    logged = await log.read_sale(sale_id, 0, 100_000)
    recorded = [decode_body(row.position, row.body) for row in logged]
    expected = {
        (lot_of(one.event) or LotId(WHOLE_SALE), one.sequence, one.position)
        for one in recorded
        if one.sequence is not None
    }
    rows = await connection.fetch("select * from lot_event where sale_id = $1", sale_id)
    assert {(row["lot_id"], row["sequence"], row["position"]) for row in rows} == expected
    raised = [one for one in recorded if isinstance(one.event, MaximumRaised)]
    assert not {one.position for one in raised} & {row["position"] for row in rows}
