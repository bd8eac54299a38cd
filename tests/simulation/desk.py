"""The liquidator and staff: they open the sales, and intervene."""

import asyncio
from random import Random

import msgspec

from auction.commands import (
    AcceptIfBid,
    AddLots,
    AdmitBidders,
    AnswerCounter,
    CancelSale,
    ChangeReserve,
    CloseDue,
    Command,
    CounterIfBid,
    DeclineIfBid,
    DismissBidders,
    LotTimes,
    MoveLots,
    PauseSale,
    RecordFunding,
    ResumeSale,
    SetLimit,
    VoidBids,
    WithdrawalCause,
    WithdrawLot,
)
from auction.ids import BidderId, LotId, SaleId
from auction.sale import LotStatus
from auction.terms import LotListing
from auction.verdicts import LotState
from tests.simulation.people import Room
from tests.simulation.salerooms import DESK, FLOOD, draw_admissions, draw_registration
from tests.simulation.simulated_log import START_US
from tests.simulation.weather import SECOND


class Desk:
    """The liquidator and staff: open the sales, admit bidders, intervene."""

    def __init__(
        self, room: Room, bidders: tuple[BidderId, ...], rng: Random, seller: Random | None = None
    ) -> None:
        self._room, self._bidders, self._rng = room, bidders, rng
        self._seller = seller  # a stream of its own: it shifts nothing of the others'

    async def open_and_run(self, until_us: int) -> None:
        """Open the sales, then intervene now and then."""
        await self._open()
        while self._room.loop.now_us < until_us:
            await asyncio.sleep(self._rng.expovariate(0.5))
            for command in self._some_commands():
                await self._room.insist(command, self._rng)
                if isinstance(command, PauseSale):
                    await asyncio.sleep(self._rng.random() * 3)
                    await self._room.insist(_resumption(command), self._rng)
            if self._seller is not None and self._seller.random() < 0.35:
                await self._room.insist(self._act(self._seller), self._seller)

    async def ask_again(self) -> None:
        """After everything: open what is open, and pay for what was won."""
        for sale in self._room.sales.values():
            await self._room.insist(sale, self._rng)
        sold = [key for key, lot in self._room.seen.items() if lot.status is LotStatus.SOLD]
        for sale_id, lot_id in sold[:2]:
            for command in self._payments(sale_id, lot_id):
                await self._room.insist(command, self._rng)

    async def _open(self) -> None:
        """Schedule every sale and admit its bidders."""
        for sale in self._room.sales.values():
            await self._room.insist(sale, self._rng, tries=12)
        for sale in self._room.sales.values():
            for chosen in draw_admissions(self._rng, sale):
                await self._room.insist(chosen, self._rng)
            for bidder_id in self._bidders:
                if self._rng.random() < 0.92:
                    admission = draw_registration(self._rng, sale, bidder_id)
                    await self._room.insist(admission, self._rng)

    def _some_commands(self) -> list[Command]:
        rng = self._rng
        sale_id, listing = rng.choice(self._room.lots)
        lot_id, bidder_id = listing.lot_id, rng.choice(self._bidders)
        seen = self._room.seen.get((sale_id, lot_id))
        if seen is not None and seen.status is LotStatus.IF_BID:
            return [self._about_an_if_bid(sale_id, seen, bidder_id)]
        if seen is not None and seen.status is LotStatus.SOLD:
            return self._payments(sale_id, lot_id)
        return [self._intervention(sale_id, listing, bidder_id)]

    def _payments(self, sale_id: SaleId, lot_id: LotId) -> list[Command]:
        """From everybody: only the winner's counts."""
        return [
            RecordFunding(sale_id=sale_id, lot_id=lot_id, bidder_id=bidder_id, actor_id=DESK)
            for bidder_id in self._bidders
        ]

    def _intervention(self, sale_id: SaleId, lot: LotListing, bidder_id: BidderId) -> Command:
        rng, lot_id = self._rng, lot.lot_id
        match rng.choices(range(9), (4, 3, 1, 1, 1, 2, 1, 2, 2))[0]:
            case 0:
                reserve = rng.choice((None, lot.opening_minor + 50_00, lot.opening_minor + 200_00))
                return ChangeReserve(
                    sale_id=sale_id, lot_id=lot_id, reserve_minor=reserve, actor_id=DESK
                )
            case 1:
                return VoidBids(
                    sale_id=sale_id,
                    lot_id=lot_id,
                    bidder_id=bidder_id,
                    reason="typing error",
                    actor_id=DESK,
                )
            case 2:
                return WithdrawLot(
                    sale_id=sale_id,
                    lot_id=lot_id,
                    cause=rng.choice(list(WithdrawalCause)),
                    reason="recalled",
                    actor_id=DESK,
                )
            case 3 | 4:
                return PauseSale(sale_id=sale_id, reason="a question", actor_id=DESK)
            case 5:
                return ResumeSale(sale_id=sale_id, actor_id=DESK)
            case 8:  # a timer of somebody else's is harmless
                return CloseDue(sale_id=sale_id)
            case 6:
                return AddLots(sale_id=sale_id, lots=(self._another_lot(lot),), actor_id=DESK)
            case _:
                limit_minor = rng.choice((None, 500_00, 3_000_00))
                return SetLimit(
                    sale_id=sale_id, bidder_id=bidder_id, limit_minor=limit_minor, actor_id=DESK
                )

    def _about_an_if_bid(self, sale_id: SaleId, lot: LotState, bidder_id: BidderId) -> Command:
        rng, lot_id, price = self._rng, lot.lot_id, lot.price_minor or 0
        match rng.randrange(5):
            case 0:
                return AcceptIfBid(sale_id=sale_id, lot_id=lot_id, actor_id=DESK)
            case 1:
                return DeclineIfBid(sale_id=sale_id, lot_id=lot_id, actor_id=DESK)
            case 2:
                return AnswerCounter(
                    sale_id=sale_id,
                    lot_id=lot_id,
                    bidder_id=bidder_id,
                    accepted=rng.random() < 0.7,
                )
            case _:
                return CounterIfBid(
                    sale_id=sale_id, lot_id=lot_id, amount_minor=price + 50_00, actor_id=DESK
                )

    def _act(self, rng: Random) -> Command:
        """Choose bidders, move lots, or cancel a sale."""
        sale_id, bidder_id = rng.choice(sorted(self._room.sales)), rng.choice(self._bidders)
        match rng.choices(range(4), (4, 2, 6, 0.5))[0]:
            case 0:
                return AdmitBidders(sale_id=sale_id, bidder_ids=(bidder_id,), actor_id=DESK)
            case 1:
                return DismissBidders(sale_id=sale_id, bidder_ids=(bidder_id,), actor_id=DESK)
            case 2:
                return self._other_times(rng, sale_id)
            case _:
                cause = rng.choice(list(WithdrawalCause))
                return CancelSale(sale_id=sale_id, cause=cause, reason=FLOOD, actor_id=DESK)

    def _other_times(self, rng: Random, sale_id: SaleId) -> MoveLots:
        """For some lots of a sale, most of which have opened."""
        now_us = START_US + self._room.loop.now_us
        lots = [lot.lot_id for of_sale, lot in self._room.lots if of_sale == sale_id]
        opens_us = now_us + rng.randrange(-1, 6) * SECOND
        times = tuple(
            LotTimes(lot_id, opens_us, opens_us + rng.randrange(30) * SECOND)
            for lot_id in rng.sample(lots, rng.randrange(1, min(3, len(lots)) + 1))
        )
        return MoveLots(sale_id=sale_id, times=times, actor_id=DESK)

    def _another_lot(self, like: LotListing) -> LotListing:
        opens_us = START_US + self._room.loop.now_us
        return msgspec.structs.replace(
            like,
            lot_id=LotId(f"{like.lot_id}{self._rng.choice('ABC')}"),
            opens_at_us=opens_us,
            closes_at_us=opens_us + self._rng.randrange(1, 40) * SECOND,
            latest_end_us=None,
        )


def _resumption(pause: PauseSale) -> ResumeSale:
    return ResumeSale(sale_id=pause.sale_id, actor_id=DESK)
