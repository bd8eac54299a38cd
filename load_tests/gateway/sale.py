"""The sale that is bid on and watched: many open lots, two resellers to each.

The two outbid each other in turn, always by more than the increment, so that every bid stands,
leads, and is one public event.
"""

import asyncio
from typing import Final

from auction.commands import Command, PlaceBid, RegisterBidder, ScheduleSale
from auction.ids import ActorId, BidderId, BidId, LiquidatorId, LotId, SaleId
from auction.ports import Clock, Engine
from auction.terms import LotListing, Premium, PremiumTier, SoftClose, Terms

SALE: Final = SaleId("load-test")
BIDDERS_A_LOT: Final = 2
OPENING_MINOR: Final = 100_00
# More than the largest increment, so that a bid is never too low.
STEP_MINOR: Final = 1_100_00
LIMIT_MINOR: Final = 2**53
TAX_BPS: Final = 825
HOUR_US: Final = 3_600_000_000
MINUTE_US: Final = 60_000_000
SET_UP_AT_ONCE: Final = 500

TERMS: Final = Terms(
    soft_close=SoftClose(5 * MINUTE_US, 5 * MINUTE_US),
    premium=Premium((PremiumTier(0, 1_500),)),
)


class NotAccepted(Exception):
    """The engine refused what must stand."""


def lot(number: int) -> LotId:
    """The how-manieth lot, from 0."""
    return LotId(f"{number + 1:04}")


def bidder(lot_number: int, turn: int) -> BidderId:
    """Who bids on a lot in a turn."""
    return BidderId(f"reseller-{lot_number:04}-{turn % BIDDERS_A_LOT}")


class LoadSale:
    """The sale in an engine."""

    def __init__(self, engine: Engine, clock: Clock, lots: int) -> None:
        self._engine, self._clock, self._lots = engine, clock, lots
        self._placed = 0
        self.sequence = 0

    async def set_up(self) -> None:
        """Schedule it, open, with its resellers registered."""
        await self._accepted([self._schedule()])
        await self._accepted(
            [
                RegisterBidder(
                    sale_id=SALE,
                    bidder_id=bidder(number, turn),
                    terms_version=1,
                    limit_minor=LIMIT_MINOR,
                    tax_bps=TAX_BPS,
                )
                for number in range(self._lots)
                for turn in range(BIDDERS_A_LOT)
            ]
        )
        self.sequence = 1 + self._lots  # the sale and each lot are public, bidders are not

    async def bid(self, count: int) -> int:
        """Place the next bids, all at once; the sale's sequence after them."""
        first, self._placed = self._placed, self._placed + count
        await self._accepted([self._bid(number) for number in range(first, self._placed)])
        self.sequence += count
        return self.sequence

    def _bid(self, number: int) -> PlaceBid:
        turn, lot_number = divmod(number, self._lots)
        return PlaceBid(
            sale_id=SALE,
            lot_id=lot(lot_number),
            bidder_id=bidder(lot_number, turn),
            bid_id=BidId(f"00000000-0000-4000-8000-{number:012x}"),
            amount_minor=OPENING_MINOR + turn * STEP_MINOR,
            currency="USD",
        )

    def _schedule(self) -> ScheduleSale:
        now_us = self._clock.now_us()
        return ScheduleSale(
            sale_id=SALE,
            liquidator_id=LiquidatorId("house"),
            terms=TERMS,
            lots=tuple(
                LotListing(
                    lot_id=lot(number),
                    title="Pallet of small kitchen appliances",
                    opening_minor=OPENING_MINOR,
                    opens_at_us=now_us - HOUR_US,
                    closes_at_us=now_us + 2 * HOUR_US,
                )
                for number in range(self._lots)
            ),
            secret=bytes(32),
            actor_id=ActorId("load-test"),
        )

    async def _accepted(self, commands: list[Command]) -> None:
        for start in range(0, len(commands), SET_UP_AT_ONCE):
            some = commands[start : start + SET_UP_AT_ONCE]
            verdicts = await asyncio.gather(*map(self._engine.submit, some))
            wrong = [verdict for verdict in verdicts if not verdict.accepted]
            if wrong:
                raise NotAccepted(str(wrong[0]))
