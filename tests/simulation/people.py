"""Those who use the engine: the desk that runs the sales, and resellers who bid.

They send what has no answer again, the same bid under the same id, as their contract says.
Between them they also send what must be refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

import msgspec

from auction.budgets import Budget, LotCountBudget
from auction.commands import Command, PlaceBid, RecordFunding, ScheduleSale, SetBudgets
from auction.ids import BidderId, BidId, LotId, SaleId
from auction.rejections import Rejection
from auction.sale import LotStatus
from auction.terms import LotListing
from auction.verdicts import Acceptance, LotState, Verdict
from tests.simulation.hosts import Host
from tests.simulation.salerooms import DESK, PEOPLE, draw_budgets
from tests.simulation.virtual_loop import VirtualLoop
from tests.simulation.weather import SECOND

MOST_TRIES: Final = 6
PATIENCE_S: Final = 8.0
ASKED_AGAIN: Final = 12

Network = Callable[[Command | None], Host | None]  # whom a caller reaches now


class Room:
    """What people know: the sales, and how they last saw each lot."""

    def __init__(self, sales: list[ScheduleSale], loop: VirtualLoop, network: Network) -> None:
        self.sales = {sale.sale_id: sale for sale in sales}
        self.loop, self.network = loop, network
        self.lots = [(sale.sale_id, lot) for sale in sales for lot in sale.lots]
        self.seen: dict[tuple[SaleId, LotId], LotState] = {}

    async def send(self, command: Command, *, travel_s: float = 0.0) -> Verdict | None:
        """One attempt; ``None``: no answer."""
        await asyncio.sleep(travel_s)
        host = self.network(command)
        if host is None:
            return None
        try:
            async with asyncio.timeout(PATIENCE_S):
                verdict = await host.ask(command)
        except TimeoutError:
            return None
        if verdict is not None and verdict.lot is not None:
            self.seen[command.sale_id, verdict.lot.lot_id] = verdict.lot
        return verdict

    async def insist(
        self, command: Command, rng: Random, tries: int = MOST_TRIES
    ) -> Verdict | None:
        """Send until there is a judgement."""
        for number in range(tries):
            verdict = await self.send(command, travel_s=rng.random() * 0.005)
            if verdict is not None and verdict.code not in (Rejection.BUSY, Rejection.UNAVAILABLE):
                return verdict
            await asyncio.sleep(min(2.0, 0.05 * 2**number) * (0.5 + rng.random()))
        return None


class Bidder:
    """A reseller who bids until the time is up."""

    def __init__(self, room: Room, bidder_id: BidderId, rng: Random) -> None:
        self._room, self._id, self._rng = room, bidder_id, rng
        self._sent: list[PlaceBid] = []
        self._led: list[PlaceBid] = []
        self._habits: list[tuple[int, Callable[[], Awaitable[object]]]] = [
            (60, self._bid),
            (12, self._snipe),
            (8, self._repeat),
            (6, self.bid_in_a_burst),
            (4, self._reuse_an_id),
            (4, self._change_the_mind),
            (3, self._send_twice),
            (2, self._bid_nonsense),
            (5, self._set_budgets),
            (2, self._want_one_of_two),
        ]

    async def run(self, until_us: int) -> None:
        """Bid now and then."""
        weights = [weight for weight, _ in self._habits]
        while self._room.loop.now_us < until_us:
            await asyncio.sleep(self._rng.expovariate(1.0))
            ((_, habit),) = self._rng.choices(self._habits, weights)
            await habit()

    async def ask_again(self) -> None:
        """After everything: what became of those bids? Sales that were put away come back."""
        for bid in self._rng.sample(self._sent, min(len(self._sent), ASKED_AGAIN)):
            await self._room.insist(bid, self._rng)

    async def _bid(self) -> None:
        bid = self._new_bid()
        verdict = await self._room.insist(bid, self._rng)
        if verdict is not None and verdict.code is Acceptance.LEADING:
            self._led.append(bid)

    async def _repeat(self) -> None:
        if self._sent:
            await self._room.insist(self._rng.choice(self._sent), self._rng)

    async def _reuse_an_id(self) -> None:
        if self._sent:
            bid = self._rng.choice(self._sent)
            changed = msgspec.structs.replace(bid, amount_minor=bid.amount_minor + 100_00)
            await self._room.insist(changed, self._rng)

    async def _send_twice(self) -> None:
        bid = self._new_bid()
        await asyncio.gather(*(self._room.insist(bid, self._rng) for _ in range(2)))

    async def bid_in_a_burst(self) -> None:
        """More at once than the inbox holds."""
        bids = [self._new_bid() for _ in range(self._rng.randrange(8, 24))]
        await asyncio.gather(*(self._room.send(bid) for bid in bids))

    async def _change_the_mind(self) -> None:
        """Go away before the answer comes."""
        asking = asyncio.create_task(self._room.send(self._new_bid()))
        await asyncio.sleep(self._rng.random() * 0.003)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    async def _bid_nonsense(self) -> None:
        wrong = {
            "lot_id": LotId("none-such"),
            "currency": "EUR",
            "amount_minor": 12_34,
            "bidder_id": BidderId("nobody"),
        }
        name = self._rng.choice(sorted(wrong))
        bid = self._new_bid()
        await self._room.insist(msgspec.structs.replace(bid, **{name: wrong[name]}), self._rng)

    async def _set_budgets(self) -> None:
        sale = self._room.sales[self._rng.choice(sorted(self._room.sales))]
        await self._room.insist(draw_budgets(self._rng, sale, self._id), self._rng)

    async def _want_one_of_two(self) -> None:
        """Only one of two lots: who leads or has won one, paid or not, may not lead the other."""
        bid = self._new_bid()
        led = {b.lot_id for b in self._led if b.sale_id == bid.sale_id and b.lot_id != bid.lot_id}
        for lot_id in sorted(led):
            either = (lot_id, bid.lot_id)
            one = LotCountBudget(name="one of two", at_most=1, lots=either)
            if self._rng.random() < 0.7:
                paid = RecordFunding(
                    sale_id=bid.sale_id, lot_id=lot_id, bidder_id=self._id, actor_id=DESK
                )
                await self._room.insist(paid, self._rng)
            await self._room.insist(self._budgets(bid.sale_id, one), self._rng)
            await self._room.insist(self._again(bid), self._rng)
        sale = self._room.sales[bid.sale_id]
        await self._room.insist(draw_budgets(self._rng, sale, self._id), self._rng)

    def _budgets(self, sale_id: SaleId, *budgets: Budget) -> SetBudgets:
        return SetBudgets(sale_id=sale_id, bidder_id=self._id, budgets=budgets, actor_id=DESK)

    def _again(self, bid: PlaceBid) -> PlaceBid:
        """The same with another id, for what the lot takes now."""
        sale, listing = self._room.sales[bid.sale_id], self._listing(bid.sale_id, bid.lot_id)
        amount_minor = self._amount(sale, listing)
        bid = msgspec.structs.replace(bid, bid_id=_bid_id(self._rng), amount_minor=amount_minor)
        self._sent.append(bid)
        return bid

    async def _snipe(self) -> None:
        """Arrive at an end, at an opening or at the start of a window, to the microsecond."""
        host, rng = self._room.network(None), self._rng
        if host is None:
            return
        bid = self._new_bid()
        wanted_us = self._moment(bid) + rng.choice((-1, 0, 0, 0, 1))
        wait_us = wanted_us - host.clock.now_us()
        if 0 < wait_us < 20 * SECOND:
            await asyncio.sleep(wait_us / 1e6)
            await self._room.send(bid)

    def _moment(self, bid: PlaceBid) -> int:
        listing = self._listing(bid.sale_id, bid.lot_id)
        seen = self._room.seen.get((bid.sale_id, bid.lot_id))
        closes_us = listing.closes_at_us if seen is None else seen.closes_at_us
        soft_close = self._room.sales[bid.sale_id].terms.soft_close
        window_us = 0 if soft_close is None else soft_close.window_us
        return self._rng.choice((closes_us, closes_us, closes_us - window_us, listing.opens_at_us))

    def _new_bid(self) -> PlaceBid:
        rng = self._rng
        sale_id, listing = self._some_lot()
        sale = self._room.sales[sale_id]
        bid = PlaceBid(
            sale_id=sale_id,
            lot_id=listing.lot_id,
            bidder_id=self._id,
            bid_id=_bid_id(rng),
            amount_minor=self._amount(sale, listing),
            currency=sale.terms.currency,
            freight_minor=rng.choice((0, 0, 40_00)),
            person_id=rng.choice(PEOPLE),
        )
        self._sent.append(bid)
        return bid

    def _some_lot(self) -> tuple[SaleId, LotListing]:
        """Mostly one that is still open as far as one knows."""
        open_ = [(sale, lot) for sale, lot in self._room.lots if self._may_be_open(sale, lot)]
        if open_ and self._rng.random() < 0.95:
            return self._rng.choice(open_)
        return self._rng.choice(self._room.lots)

    def _may_be_open(self, sale_id: SaleId, lot: LotListing) -> bool:
        seen = self._room.seen.get((sale_id, lot.lot_id))
        return seen is None or seen.status is LotStatus.LIVE

    def _amount(self, sale: ScheduleSale, listing: LotListing) -> int:
        rng, seen = self._rng, self._room.seen.get((sale.sale_id, listing.lot_id))
        least = listing.opening_minor if seen is None else seen.next_minimum_minor
        if seen is not None and seen.leads and seen.own_maximum_minor and rng.random() < 0.5:
            least = seen.own_maximum_minor
        unit = sale.terms.increments.unit_minor
        steps = rng.choice((-10_00, 0, 0, 0, 0, 10_00, 20_00, 50_00, 100_00, 300_00))
        return max(unit, (least + steps) // unit * unit)

    def _listing(self, sale_id: SaleId, lot_id: LotId) -> LotListing:
        return next(lot for lot in self._room.sales[sale_id].lots if lot.lot_id == lot_id)


def _bid_id(rng: Random) -> BidId:
    digits = f"{rng.getrandbits(128):032x}"
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return BidId("-".join(parts))
