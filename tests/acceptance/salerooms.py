"""What goes on in a process that is killed: sales that open, extend and close, and their bidders.

Engine time runs six hundred times as fast as life, from the last sign of life of the run before:
so lots do close in a run of a second, and how long the service was away does not depend on how
busy the machine is.
"""

import asyncio
import random
from typing import Protocol
from uuid import UUID

from msgspec.structs import replace

from auction.clock import steady_us
from auction.commands import PlaceBid, ScheduleSale
from auction.ids import BidderId, BidId, LotId, SaleId, shard_of
from auction.increments import EBAY
from auction.sale import LotStatus, Sale
from auction.terms import SoftClose, Terms
from auction.verdicts import Verdict
from softclose.host import Host
from tests.builders import SECOND_US, a_lot, bid, register, schedule

SPEED = 600
SLOTS = 5  # sales at a time
LOTS = 3
BIDDERS = [BidderId(f"reseller-{number}") for number in range(12)]
TERMS = Terms(increments=EBAY, soft_close=SoftClose(60 * SECOND_US, 60 * SECOND_US))
LOOK_EVERY_S = 0.01
LONGEST_SLEEP_S = 0.5


class FastClock:
    """A ``Clock`` of its own that begins where it is told."""

    def __init__(self, begin_us: int) -> None:
        self._begin_us, self._began_us = begin_us, steady_us()

    def now_us(self) -> int:
        return self._begin_us + (steady_us() - self._began_us) * SPEED

    def monotonic_us(self) -> int:
        return steady_us()

    def follow(self, log_us: int) -> None:
        """It keeps its own time."""

    def skew_us(self, log_us: int) -> int:
        return log_us - log_us

    async def sleep_until(self, at_us: int) -> None:
        wait_s = (at_us - self.now_us()) / SPEED / 1e6
        await asyncio.sleep(min(max(wait_s, 0.0), LONGEST_SLEEP_S))


class Ledger(Protocol):
    """Where clients write down what they sent and were told."""

    def sent(self, bid: PlaceBid) -> None: ...
    def told(self, bid: PlaceBid, verdict: Verdict) -> None: ...
    def misused(self, bid: PlaceBid, verdict: Verdict) -> None: ...


class Salerooms:
    """The sales of one run, and clients that bid until they are killed."""

    def __init__(self, host: Host, ledger: Ledger) -> None:
        self._host, self._ledger = host, ledger
        self._sales: list[SaleId] = []

    async def busy(self, seed: int, clients: int) -> None:
        """Keep sales open and bid, for ever."""
        self._sales = [await self._open_next(slot, 0) for slot in range(SLOTS)]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_sales_open())
            for number in range(clients):
                group.create_task(self._bid(random.Random(f"{seed} {number}")))

    async def _keep_sales_open(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for slot, sale_id in enumerate(self._sales):
                sale = self._sale(sale_id)
                if sale is not None and sale.closed:
                    generation = int(sale_id.rpartition("-")[2])
                    self._sales[slot] = await self._open_next(slot, generation + 1)

    async def _open_next(self, slot: int, generation: int) -> SaleId:
        """The first sale of this slot, from a generation on, that has not closed."""
        sale_id = SaleId(f"sale-{slot}-{generation}")
        sale = self._sale(sale_id)
        if sale is not None and sale.closed:
            return await self._open_next(slot, generation + 1)
        if sale is None:
            await self._host.engine.submit(self._schedule(sale_id))
        if sale is None or len(sale.registrations) < len(BIDDERS):  # killed in between
            commands = [register(bidder_id, sale_id=sale_id) for bidder_id in BIDDERS]
            await asyncio.gather(*map(self._host.engine.submit, commands))
        return sale_id

    def _schedule(self, sale_id: SaleId) -> ScheduleSale:
        now_us = self._host.clock.now_us()
        lots = [
            a_lot(
                str(number),
                opens_at_us=now_us,
                closes_at_us=now_us + (90 + 60 * number) * SECOND_US,
            )
            for number in range(LOTS)
        ]
        return replace(schedule(*lots, terms=TERMS), sale_id=sale_id)

    def _sale(self, sale_id: SaleId) -> Sale | None:
        state = self._host.writer.owned.get(shard_of(sale_id))
        return None if state is None else state.sales.get(sale_id)

    async def _bid(self, chance: random.Random) -> None:
        """One client: mostly new bids, some too low, some sent again or with another amount."""
        accepted: list[PlaceBid] = []
        while True:
            if accepted and chance.random() < 0.1:
                await self._use_again(chance.choice(accepted[-20:]), chance)
                continue
            command = self._next_bid(chance)
            if command is None:
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            self._ledger.sent(command)
            verdict = await self._host.engine.submit(command)
            self._ledger.told(command, verdict)
            if verdict.accepted:
                accepted.append(command)

    async def _use_again(self, command: PlaceBid, chance: random.Random) -> None:
        if chance.random() < 0.6:
            self._ledger.told(command, await self._host.engine.submit(command))
            return
        other = replace(command, amount_minor=command.amount_minor + 1_00)
        self._ledger.misused(command, await self._host.engine.submit(other))

    def _next_bid(self, chance: random.Random) -> PlaceBid | None:
        """A little above the minimum, or below it; nothing where all that was wanted was bid."""
        sale_id, lot_id = chance.choice(self._sales), LotId(str(chance.randrange(LOTS)))
        sale = self._sale(sale_id)
        if sale is None or sale.lots[lot_id].status is not LotStatus.LIVE:
            return None
        most_minor = random.Random(f"{sale_id} {lot_id}").randrange(300_00, 20_000_00)
        amount_minor = sale.lots[lot_id].next_minimum_minor + chance.randrange(-1, 6) * 1_00
        if amount_minor > most_minor:
            return None
        bid_id = BidId(str(UUID(int=chance.getrandbits(128), version=4)))
        return bid(chance.choice(BIDDERS), amount_minor, lot_id, sale_id=sale_id, bid_id=bid_id)
