"""The course of the sale: who looks at which lot when, and what comes of it.

Time moves from one instant at which something happens to the next, and everything of an
instant is answered and durable before the clock moves on. So the same resellers make the same
sale, whether it is shown at the pace of life or done in a second.
"""

import asyncio
import heapq
import uuid
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from random import Random

from auction.codec import Recorded
from auction.commands import Command, PlaceBid, RegisterBidder
from auction.ids import BidId, LotId, Paddle, Shard
from auction.rejections import Rejection
from auction.verdicts import Verdict
from auction.views import PUBLIC, Viewer, view
from foundation.errors import OperatorError
from softclose.demo.catalogue import CURRENCY, TERMS, Catalogue
from softclose.demo.pace import Pace
from softclose.demo.resellers import Reseller
from softclose.demo.saleroom import Message, PublicLot, Saleroom
from softclose.host import Host
from softclose.virtual_clock import VirtualClock

# An answer takes milliseconds. After so long the database has gone for good.
ANSWER_TIMEOUT_S = 15.0
# Before a command that was not judged is sent again.
RESEND_PAUSE_S = 0.05

PublicListener = Callable[[Message, Sequence[PublicLot]], None]
RefusalListener = Callable[[Reseller, PublicLot, Verdict, int], None]


class DemoFailed(OperatorError):
    """The sale could not go on."""


class Play:
    """One sale with its resellers, on a host whose clock this moves."""

    def __init__(
        self,
        host: Host,
        clock: VirtualClock,
        catalogue: Catalogue,
        resellers: Sequence[Reseller],
        pace: Pace,
        seed: int,
    ) -> None:
        self.saleroom = Saleroom()
        self.acknowledged = 0  # bids that were accepted, as their bidders were told
        self.refused = 0
        self._engine, self._clock, self._pace = host.engine, clock, pace
        self._catalogue, self.resellers = catalogue, resellers
        self._on_public: list[PublicListener] = []
        self._on_refusal: list[RefusalListener] = []
        self._ids = Random(f"{seed}/ids")  # noqa: S311 - to be repeated, not secret
        self._agenda: list[tuple[int, int, Reseller, LotId]] = []
        self._numbers = count()  # looks of one instant happen in the order of planning
        self._heard: list[Recorded] = []
        self._news = asyncio.Event()
        host.bus.listen(self._hear)

    def listen(self, on_public: PublicListener, on_refusal: RefusalListener) -> None:
        """Be told of public events with the lots that they changed, and of refused bids."""
        self._on_public.append(on_public)
        self._on_refusal.append(on_refusal)

    def names(self) -> dict[Paddle, str]:
        """Who is behind each bidder number."""
        return {r.paddle: r.name for r in self.resellers if r.paddle is not None}

    async def open(self, secret: bytes) -> None:
        """Schedule the sale and register the resellers; the clock stands at the opening."""
        await self._expect_accepted(self._catalogue.schedule(secret))
        for reseller in self.resellers:
            registration = RegisterBidder(
                sale_id=self._catalogue.sale_id,
                bidder_id=reseller.bidder_id,
                terms_version=TERMS.version,
                restrictions=self._catalogue.restrictions,
                deposit_minor=reseller.deposit_minor,
            )
            await self._expect_accepted(registration)

    async def run(self) -> None:
        """Bids and closings until the last lot has ended."""
        while not self.saleroom.closed:
            at_us = self._next_us()
            await self._pace.until(at_us)
            self._clock.advance_to(at_us)
            await self._let_close()
            while self._agenda and self._agenda[0][0] <= at_us:
                _, _, reseller, lot_id = heapq.heappop(self._agenda)
                await self._look(reseller, self.saleroom.lots[lot_id])

    def _next_us(self) -> int:
        times = [self._agenda[0][0]] if self._agenda else []
        end_us = self.saleroom.next_end_us()
        return min([*times, end_us] if end_us is not None else times)

    async def _let_close(self) -> None:
        """Wait until the writer, by its own timer, has closed what is due."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while (end_us := self.saleroom.next_end_us()) is not None:
                    if end_us > self._clock.now_us():
                        return
                    self._news.clear()
                    await self._news.wait()
                    self._take_news()
        except TimeoutError:
            message = f"nothing was closed within {ANSWER_TIMEOUT_S:g} s: is the database there?"
            raise DemoFailed(message) from None

    async def _look(self, reseller: Reseller, lot: PublicLot) -> None:
        amount_minor = reseller.look(lot, self._clock.now_us())
        if amount_minor is not None:
            await self._bid(reseller, lot, amount_minor)
        self._plan([lot])

    async def _bid(self, reseller: Reseller, lot: PublicLot, amount_minor: int) -> None:
        bid = PlaceBid(
            sale_id=self._catalogue.sale_id,
            lot_id=lot.lot_id,
            bidder_id=reseller.bidder_id,
            bid_id=BidId(str(uuid.UUID(int=self._ids.getrandbits(128), version=4))),
            amount_minor=amount_minor,
            currency=CURRENCY,
        )
        verdict = await self._submit(bid)
        reseller.learn(lot, amount_minor, verdict)
        if verdict.accepted:
            self.acknowledged += 1
        else:
            self.refused += 1
            for listener in self._on_refusal:
                listener(reseller, lot, verdict, self._clock.now_us())

    def _plan(self, lots: Iterable[PublicLot]) -> None:
        now_us = self._clock.now_us()
        for lot in lots:
            for reseller in self.resellers:
                look_us = reseller.plan(lot, now_us)
                if look_us is not None:
                    look = (look_us, next(self._numbers), reseller, lot.lot_id)
                    heapq.heappush(self._agenda, look)

    async def _expect_accepted(self, command: Command) -> None:
        verdict = await self._submit(command)
        if not verdict.accepted:
            raise DemoFailed(f"the engine answered {verdict.code}: {verdict.message}")

    async def _submit(self, command: Command) -> Verdict:
        """The verdict, and after it whatever it brought about; not judged, it is sent again."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while True:
                    verdict = await self._engine.submit(command)
                    self._take_news()
                    if verdict.code not in (Rejection.BUSY, Rejection.UNAVAILABLE):
                        return verdict
                    await asyncio.sleep(RESEND_PAUSE_S)
        except TimeoutError:
            message = f"no answer within {ANSWER_TIMEOUT_S:g} s: is the database there?"
            raise DemoFailed(message) from None

    def _hear(self, _: Shard, recorded: Sequence[Recorded]) -> None:
        self._heard += recorded
        self._news.set()

    def _take_news(self) -> None:
        """Hand what was written down to those who may see it, as a gateway does."""
        heard, self._heard = self._heard, []
        for recorded in heard:
            public = view(recorded, PUBLIC)
            if public is None:
                self._whisper(recorded)
                continue
            changed = self.saleroom.see(public)
            for listener in self._on_public:
                listener(public, changed)
            self._plan(changed)

    def _whisper(self, recorded: Recorded) -> None:
        for reseller in self.resellers:
            private = view(recorded, Viewer(reseller.bidder_id))
            if private is not None:
                reseller.hears(private)
