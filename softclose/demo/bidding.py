"""A simulated reseller at its desk: it follows the sale and bids over a WebSocket, like everybody.

What it knows comes from the frames that it gets, and what it does goes out as frames. When its
connection is cut it goes on where it was; a bid that was not answered is sent again.
"""

import asyncio
import heapq
import time
from collections.abc import Callable, Iterable
from itertools import count

from auction.ids import LotId, SaleId
from auction.rejections import Rejection
from auction.verdicts import Acceptance, Verdict
from bidder_gateway.client import Frame, LiveClient
from softclose.demo.resellers import Reseller
from softclose.demo.saleroom import PublicLot, Saleroom

RefusalListener = Callable[[Reseller, PublicLot, Verdict, int], None]


class Desk:
    """One reseller with its connection, in one sale."""

    def __init__(
        self,
        reseller: Reseller,
        client: LiveClient,
        sale_id: SaleId,
        currency: str,
        on_refusal: RefusalListener,
    ) -> None:
        self.reseller = reseller
        self.accepted = 0
        self._client, self._sale_id, self._currency = client, sale_id, currency
        self._on_refusal = on_refusal
        self._saleroom = Saleroom()
        self._agenda: list[tuple[int, int, LotId]] = []
        self._numbers = count()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Until the sale has closed."""
        await self._client.follow(self._sale_id)
        async with asyncio.TaskGroup() as tasks:
            bidding = tasks.create_task(self._bid_when_it_is_time())
            await self._listen()
            bidding.cancel()

    async def _listen(self) -> None:
        async for frame in self._client.frames():
            self._plan(self._take(frame))
            if self._saleroom.closed:
                return

    def _take(self, frame: Frame) -> Iterable[PublicLot]:
        match frame["type"]:
            case "event" if frame["event"]["sale_id"] == self._sale_id:
                return self._saleroom.see(frame["event"])
            case "snapshot" | "conflated":
                return self._saleroom.stand(frame)
            case "standing":
                self.reseller.paddle = frame["paddle"]
                self.reseller.maxima |= frame["maxima"]
        return ()

    def _plan(self, lots: Iterable[PublicLot]) -> None:
        for lot in lots:
            look_us = self.reseller.plan(lot, now_us())
            if look_us is not None:
                heapq.heappush(self._agenda, (look_us, next(self._numbers), lot.lot_id))
                self._news.set()

    async def _bid_when_it_is_time(self) -> None:
        while True:
            wait_us = self._agenda[0][0] - now_us() if self._agenda else None
            if wait_us is not None and wait_us <= 0:
                _, _, lot_id = heapq.heappop(self._agenda)
                await self._look(self._saleroom.lots[lot_id])
                continue
            self._news.clear()
            try:
                async with asyncio.timeout(None if wait_us is None else wait_us / 1e6):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def _look(self, lot: PublicLot) -> None:
        amount_minor = self.reseller.look(lot, now_us())
        if amount_minor is not None:
            answer = await self._client.bid(self._sale_id, lot.lot_id, amount_minor, self._currency)
            verdict = Verdict(_code(answer["code"]), answer["message"])
            self.reseller.learn(lot, amount_minor, verdict)
            if verdict.accepted:
                self.accepted += 1
            else:
                self._on_refusal(self.reseller, lot, verdict, now_us())
        self._plan([lot])


def now_us() -> int:
    """The time of this machine, which is the engine's too."""
    return time.time_ns() // 1_000


def _code(word: str) -> Acceptance | Rejection:
    return Acceptance(word) if word in Acceptance.__members__ else Rejection(word)
