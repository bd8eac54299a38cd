"""The board trails the log by moments and says what the fold says, whatever happened in a sale."""

import random
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from auction.board import FOLLOWER, BoardRow, keep_board, read_board
from auction.commands import (
    AcceptIfBid,
    AddLots,
    AdmitBidders,
    AnswerCounter,
    ChangeReserve,
    CloseDue,
    Command,
    CounterIfBid,
    DeclineIfBid,
    DismissBidders,
    LotTimes,
    MoveEndsAfterOutage,
    MoveLots,
    PauseSale,
    RecordFunding,
    ResumeSale,
    VoidBids,
    WithdrawalCause,
    WithdrawLot,
)
from auction.cursors_postgres import PostgresCursors
from auction.ids import ActorId, BidderId, LotId, SaleId, Shard, shard_of
from auction.judge import Judge
from auction.log_postgres import PostgresLog
from auction.sale import Lot, LotStatus, Sale
from auction.shards import load, load_sale
from auction.terms import ClosingMode, LotListing, SaleAudience, Terms, VoidRule
from foundation.database import acquire, open_pool
from foundation.follower import LogFollower
from softclose.followers import handler_of
from tests.builders import (
    FIVE_AND_FIVE,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    a_lot,
    admit,
    at,
    bid,
    cancel,
    register,
    schedule,
)
from tests.contract.batches import OWNER

BIDDERS, LOTS, STEPS = "ABCD", 6, 800
ACTOR = ActorId("staff-7")
# Two sales of one shard and one of another, each under other terms.
SALES = {
    SaleId("S-0"): Terms(soft_close=FIVE_AND_FIVE, if_bid_us=HOUR_US),
    SaleId("S-2"): Terms(closing=ClosingMode.CASCADE, void_rule=VoidRule.NO_REVIVE),
    SaleId("S-1"): Terms(closing=ClosingMode.GROUP, if_bid_us=10 * MINUTE_US),
}
AUDIENCES = {SaleId("S-2"): SaleAudience.INVITE}
# What changes a row, and so must have happened.
ON_THE_BOARD = {
    "bid_placed",
    "bids_voided",
    "end_extended",
    "ends_moved",
    "if_bid_opened",
    "lot_passed",
    "lot_scheduled",
    "lot_sold",
    "lot_withdrawn",
    "lots_rescheduled",
    "reserve_status_changed",
}
SHARDS = sorted({shard_of(sale_id) for sale_id in SALES})


class House:
    """Judges commands at random, and appends what follows now and then."""

    def __init__(self, log: PostgresLog, judge: Judge, seed: int) -> None:
        self.log, self.judge, self.chance = log, judge, random.Random(seed)
        self.now_us = at("10:00")
        self.kinds: Counter[str] = Counter()

    def open(self) -> None:
        for sale_id, terms in SALES.items():
            lots = [self._lot(number) for number in range(LOTS)]
            lots[-1] = replace(
                lots[-1],
                opens_at_us=self.now_us + HOUR_US,
                closes_at_us=self.now_us + 3 * HOUR_US,
            )
            audience = AUDIENCES.get(sale_id, SaleAudience.PUBLIC)
            opened = schedule(*lots, terms=terms, audience=audience)
            self._judge(replace(opened, sale_id=sale_id))
            if audience is not SaleAudience.PUBLIC:
                self._judge(replace(admit(*BIDDERS), sale_id=sale_id))
            for bidder in BIDDERS:
                self._judge(register(bidder, sale_id=sale_id))

    def step(self) -> None:
        """Some time passes, the timer closes what is due, somebody does something."""
        self.now_us += self.chance.randrange(60) * SECOND_US
        for sale_id in SALES:
            self._judge(CloseDue(sale_id=sale_id))
        self._judge(self._command(self.chance.choice(list(SALES))))

    def cancel(self) -> None:
        """Whatever is still to close is withdrawn."""
        for sale_id in SALES:
            self._judge(replace(cancel(WithdrawalCause.LAW), sale_id=sale_id))

    async def append(self) -> None:
        gathering = self.judge.take_gathering()
        for recorded in gathering.recorded.values():
            self.kinds.update(one.event.TYPE for one in recorded)
        assert await self.log.append(gathering.batch) == set()

    def _judge(self, command: Command) -> None:
        self.judge.judge(shard_of(command.sale_id), command, self.now_us)

    def _lot(self, number: int) -> LotListing:
        reserve_minor = self.chance.choice((None, 200_00, 2_000_00, 5_000_00))
        return a_lot(
            str(number),
            opens_at_us=self.now_us + self.chance.choice((0, 0, 3, 10)) * MINUTE_US,
            closes_at_us=self.now_us + self.chance.randrange(20, 150) * MINUTE_US,
            reserve_minor=reserve_minor,
            group=self.chance.choice("xy"),
        )

    def _command(self, sale_id: SaleId) -> Command:
        """Mostly bids, among them everything else that can happen to a lot."""
        chance = self.chance
        sale = self.judge.owned[shard_of(sale_id)].sales[sale_id]
        lots = list(sale.lots.values())
        held = [lot for lot in lots if lot.status is LotStatus.IF_BID]
        lot = chance.choice(held if held and chance.random() < 0.3 else lots)
        amount_minor = lot.next_minimum_minor + chance.randrange(10) * 25_00
        bidder_id = lot.leader or BidderId(chance.choice(BIDDERS))
        of: dict[str, Any] = {"sale_id": sale_id, "lot_id": lot.lot_id}
        by: dict[str, Any] = {**of, "actor_id": ACTOR}
        if chance.random() < 0.5:
            return bid(chance.choice(BIDDERS), amount_minor, lot.lot_id, sale_id=sale_id)
        if lot.counter_minor is not None:
            return AnswerCounter(**of, bidder_id=bidder_id, accepted=chance.random() < 0.7)
        if lot in held and chance.random() < 0.7:
            return CounterIfBid(**by, amount_minor=(lot.price_minor or 0) + 300_00)
        if sale.paused_from_us is not None:
            return ResumeSale(sale_id=sale_id, actor_id=ACTOR)
        others: list[Command] = [
            VoidBids(**by, bidder_id=bidder_id, reason="a typing error"),
            ChangeReserve(**by, reserve_minor=chance.choice((None, 100_00, 300_00))),
            AcceptIfBid(**by),
            DeclineIfBid(**by),
            RecordFunding(**by, bidder_id=bidder_id),
            PauseSale(sale_id=sale_id, reason="a fire alarm", actor_id=ACTOR),
            MoveEndsAfterOutage(sale_id=sale_id, dark_from_us=self.now_us - 20 * SECOND_US),
        ]
        if chance.random() < 0.3:
            opens_us = self.now_us + chance.randrange(1, 10) * MINUTE_US
            times = LotTimes(lot.lot_id, opens_us, opens_us + 30 * MINUTE_US)
            others = [
                MoveLots(sale_id=sale_id, times=(times,), actor_id=ACTOR),
                AdmitBidders(sale_id=sale_id, bidder_ids=(bidder_id,), actor_id=ACTOR),
                DismissBidders(sale_id=sale_id, bidder_ids=(bidder_id,), actor_id=ACTOR),
            ]
            if sale_id in AUDIENCES and chance.random() < 0.5:
                others = others[1:]
            not_open = [one for one in lots if one.opens_at_us > self.now_us]
            if not_open:
                times = replace(times, lot_id=not_open[0].lot_id)
                others = [MoveLots(sale_id=sale_id, times=(times,), actor_id=ACTOR), *others]
        elif chance.random() < 0.1:
            others = [
                WithdrawLot(**by, cause=chance.choice(list(WithdrawalCause)), reason="recalled"),
                AddLots(
                    sale_id=sale_id, lots=(self._lot(chance.randrange(LOTS, 20)),), actor_id=ACTOR
                ),
            ]
        return chance.choice(others)


def row_of(sale: Sale, lot: Lot) -> BoardRow:
    """What the board should say of a lot, by the fold."""
    return BoardRow(
        sale_id=sale.sale_id,
        lot_id=lot.lot_id,
        liquidator_id=sale.liquidator_id,
        currency=sale.terms.currency,
        audience=sale.audience,
        kind=lot.kind,
        title=lot.title,
        status=lot.status,
        opening_minor=lot.opening_minor,
        price_minor=lot.price_minor,
        next_minimum_minor=lot.next_minimum_minor,
        reserve=lot.reserve,
        bid_count=lot.bid_count,
        leader=None if lot.leader is None else sale.paddle_of(lot.leader),
        extensions=lot.extensions,
        opens_at_us=lot.opens_at_us,
        closes_at_us=lot.closes_at_us,
    )


@pytest.mark.parametrize("seed", range(5))
async def test_the_board_says_what_the_fold_of_the_log_says(
    database_url: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.follower.CHUNK", 7)  # sales and lots lie across many steps
    log, judge = PostgresLog(database_url), Judge()
    for head in await log.take(map(Shard, SHARDS), OWNER, back=False):
        judge.own(await load(log, head))
    house = House(log, judge, seed)
    house.open()
    async with await open_pool(database_url, name="board") as pool:
        followers = [
            LogFollower(FOLLOWER, shard, handler_of([keep_board]), PostgresCursors(pool))
            for shard in SHARDS
        ]

        async def follow() -> None:
            for follower in followers:
                while await follower.step():
                    pass
            async with acquire(pool) as connection:
                for sale_id in SALES:
                    sale = await load_sale(log, sale_id)
                    rows = {LotId(row.lot_id): row for row in await read_board(connection, sale_id)}
                    assert rows == {lot_id: row_of(sale, lot) for lot_id, lot in sale.lots.items()}

        for number in range(STEPS):
            house.step()
            if number % 5 == 0:
                await house.append()
            if number % 100 == 0:
                await follow()
        await house.append()
        await follow()
    await log.close()
    assert house.kinds.keys() >= ON_THE_BOARD
