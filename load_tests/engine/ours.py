"""The engine, whole: LocalEngine, the writer with its judge, and the log in PostgreSQL."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from auction.clock import EngineClock
from auction.commands import Command, PlaceBid, RegisterBidder, ScheduleSale
from auction.ids import ActorId, BidderId, BidId, LiquidatorId, LotId, SaleId, Shard
from auction.log_postgres import PostgresLog
from auction.ports import Batch
from auction.sale import FIRST_PADDLE
from auction.terms import LotListing, Premium, PremiumTier, SoftClose, Terms
from auction.verdicts import Acceptance
from foundation.database import Connection
from load_tests.engine.rules import EXTENSION_US, OPENING_MINOR, WINDOW_US
from load_tests.engine.workload import Bid
from softclose.host import Host, calm_collector

COUNT = "select count(*) from log_event where sale_id = any ($1::text[])"

LOT = LotId("1")
TERMS = Terms(
    soft_close=SoftClose(WINDOW_US, EXTENSION_US),
    premium=Premium((PremiumTier(0, 1_500),)),
)
# Never reached, but reckoned with at every bid.
LIMIT_MINOR = 2**53
TAX_BPS = 825
HOUR_US = 3_600_000_000
SET_UP_AT_ONCE = 500

_run_numbers = count(1)


class WrongVerdict(Exception):
    """The engine did not answer what the rules say."""


class WatchedLog(PostgresLog):
    """The log, with a note of every batch that was appended."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.batches: list[Batch] = []

    async def append(self, batch: Batch) -> set[Shard]:
        """See ``EventLog``."""
        self.batches.append(batch)
        return await super().append(batch)


class Ours:
    """A running engine and the lots of the present run, each the only one of its sale."""

    def __init__(self, host: Host, log: WatchedLog) -> None:
        self._engine, self._clock = host.engine, host.clock
        self.log = log
        self._sales: list[SaleId] = []
        self._bidders: list[BidderId] = []
        self._set_up = 0

    async def prepare(self, lots: int, bidders: int, closes_in_us: int = HOUR_US) -> None:
        """New lots that nobody has bid on, open now, with their bidders registered."""
        run = next(_run_numbers)
        self._sales = [SaleId(f"run-{run}-sale-{number}") for number in range(lots)]
        self._bidders = [BidderId(f"reseller-{number}") for number in range(bidders + 1)]
        await self._all([self._schedule(sale_id, closes_in_us) for sale_id in self._sales])
        for bidder_id in self._bidders[1:]:  # one after the other, so that paddles are in order
            await self._all([_register(sale_id, bidder_id) for sale_id in self._sales])
        self._set_up = lots * (2 + bidders)  # the sale, its lot, its bidders
        self.log.batches.clear()

    async def place(self, bids: Iterator[Bid]) -> bool:
        """Place the next bid; raise `WrongVerdict` unless it stands as the rules say."""
        bid = next(bids)
        verdict = await self._engine.submit(self._command(bid))
        expected = Acceptance.LEADING if bid.leads else Acceptance.OUTBID
        lot = verdict.lot
        if verdict.code is not expected or lot is None or lot.price_minor != bid.price_minor:
            raise WrongVerdict(f"{bid} was answered {verdict}")
        return True

    async def leader_and_price(self, bid: Bid) -> tuple[int, int] | None:
        """Place any bid; the lot's leader and price after it, or None if it is refused."""
        verdict = await self._engine.submit(self._command(bid))
        if not verdict.accepted or verdict.lot is None:
            return None
        assert verdict.lot.leader is not None
        assert verdict.lot.price_minor is not None
        return verdict.lot.leader - FIRST_PADDLE + 1, verdict.lot.price_minor

    async def recorded(self, connection: Connection) -> int:
        """How many bids the log holds; no end has moved, so each is one event."""
        count: int = await connection.fetchval(COUNT, self._sales)
        return count - self._set_up

    def _command(self, bid: Bid) -> PlaceBid:
        return PlaceBid(
            sale_id=self._sales[bid.lot],
            lot_id=LOT,
            bidder_id=self._bidders[bid.bidder],
            bid_id=BidId(bid.bid_id),
            amount_minor=bid.amount_minor,
            currency="USD",
        )

    def _schedule(self, sale_id: SaleId, closes_in_us: int) -> ScheduleSale:
        now_us = self._clock.now_us()
        lot = LotListing(
            lot_id=LOT,
            title="Pallet of small kitchen appliances",
            opening_minor=OPENING_MINOR,
            opens_at_us=now_us - HOUR_US,
            closes_at_us=now_us + closes_in_us,
        )
        return ScheduleSale(
            sale_id=sale_id,
            liquidator_id=LiquidatorId("house"),
            terms=TERMS,
            lots=(lot,),
            secret=bytes(32),
            actor_id=ActorId("load-test"),
        )

    async def _all(self, commands: Sequence[Command]) -> None:
        for start in range(0, len(commands), SET_UP_AT_ONCE):
            some = commands[start : start + SET_UP_AT_ONCE]
            verdicts = await asyncio.gather(*(self._engine.submit(command) for command in some))
            wrong = [verdict for verdict in verdicts if not verdict.accepted]
            if wrong:
                raise WrongVerdict(f"the set-up was answered {wrong[0]}")


def _register(sale_id: SaleId, bidder_id: BidderId) -> RegisterBidder:
    return RegisterBidder(
        sale_id=sale_id,
        bidder_id=bidder_id,
        terms_version=1,
        limit_minor=LIMIT_MINOR,
        tax_bps=TAX_BPS,
    )


@asynccontextmanager
async def our_engine(dsn: str) -> AsyncIterator[Ours]:
    """Run the engine as ``serve`` does, on a migrated database, for the block."""
    log = WatchedLog(dsn)
    host = Host(log, EngineClock())
    threshold = gc.get_threshold()
    try:
        async with host.running():
            await host.writer.serving()
            calm_collector()
            yield Ours(host, log)
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()
        await log.close()
