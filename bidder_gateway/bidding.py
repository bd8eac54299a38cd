"""A bid frame becomes a command, and its verdict a frame."""

import asyncio
from contextlib import nullcontext

import structlog

from auction.commands import PlaceBid
from auction.ids import BidderId
from auction.ports import Engine
from auction.rejections import Rejection
from auction.verdicts import Verdict
from bidder_gateway.ports import BidFreight, EverySale, Participant, SalesInSight
from bidder_gateway.protocol import Bid, VerdictFrame

# As the engine says it of a sale or lot that does not exist, to the letter.
NO_SUCH_LOT = "there is no such lot"
_NO_QUOTE = "quote_id: this freight quote is not known here or has expired; ask for another"
_UNAVAILABLE = "not recorded as far as is known; send the same bid again"

_logger = structlog.get_logger(__name__)


class Bidding:
    """Hands bids to the engine."""

    def __init__(
        self, engine: Engine, freight: BidFreight, sight: SalesInSight | None = None
    ) -> None:
        self._engine, self._freight = engine, freight
        self._sight = sight or EverySale()
        self.bids = 0  # handed to the engine

    async def verdict(
        self, bid: Bid, participant: Participant, turn: asyncio.Lock | None = None
    ) -> VerdictFrame:
        """The verdict, once what it rests on is durable. Raises nothing.

        Bids that share a ``turn`` are judged in the order of the calls, however long it takes to
        look up what they name.
        """
        try:
            async with turn or nullcontext():
                asked = await self._command(bid, participant)
            # Nothing awaits between, so the next in turn comes to the engine behind this one.
            verdict = asked if isinstance(asked, Verdict) else await self._engine.submit(asked)
        except Exception:  # the bidder is told that nothing is known, and the log tells us why
            _logger.exception("bid_not_judged", sale_id=bid.sale_id, lot_id=bid.lot_id)
            verdict = Verdict(Rejection.UNAVAILABLE, _UNAVAILABLE)
        return VerdictFrame(
            request=bid.request,
            bid_id=bid.bid_id,
            code=verdict.code,
            message=verdict.message,
            sequence=verdict.sequence,
            receipt=verdict.receipt,
            lot=verdict.lot,
            minimum_minor=verdict.minimum_minor,
        )

    async def _command(self, bid: Bid, participant: Participant) -> PlaceBid | Verdict:
        bidder_id = participant.bidder_id
        assert bidder_id is not None, "only bidders may bid"
        if not await self._sight.may_be_bid_in(bid.sale_id, bidder_id):
            return Verdict(Rejection.NOT_FOUND, NO_SUCH_LOT)
        freight_minor = 0
        if bid.quote_id is not None:
            quoted = await self._quoted(bid, bidder_id)
            if quoted is None:
                return Verdict(Rejection.INVALID, _NO_QUOTE)
            freight_minor = quoted
        self.bids += 1
        return PlaceBid(
            sale_id=bid.sale_id,
            lot_id=bid.lot_id,
            bidder_id=bidder_id,
            bid_id=bid.bid_id,
            amount_minor=bid.offer.amount_minor,
            currency=bid.offer.currency,
            freight_minor=freight_minor,
            person_id=participant.person_id,
        )

    async def _quoted(self, bid: Bid, bidder_id: BidderId) -> int | None:
        assert bid.quote_id is not None
        return await self._freight.of_quote(bidder_id, bid.sale_id, bid.lot_id, bid.quote_id)
