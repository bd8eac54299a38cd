"""A reseller's bids over HTTP: made, looked at, won. For programs; pages bid live."""

import re
import time
from typing import Final

from aiohttp import web

from accounts.http.guard import identity_of, signed_in
from accounts.permissions import Access, Action
from auction.ids import UUID, BidderId, BidId
from auction.rejections import Rejection
from bidder_gateway.api_common import LOT, V1, kinds, lot_of, problem_of
from bidder_gateway.door_prices import DoorPricePage, DoorPriceQuery, DoorPrices
from bidder_gateway.freight_offers import FreightAsked, FreightOffer, FreightOffers
from bidder_gateway.limits import Limits, Shared
from bidder_gateway.my_bids import MyBids, MyLot, MyLotsQuery, WonLot
from bidder_gateway.placing import SEND_AGAIN, BidAsked, BidVerdict, CounterAnswer, Placing
from bidder_gateway.refusals import Refusal, Refused
from foundation.http.answers import answer, no_content
from foundation.http.cursors import Listing, Paging
from foundation.http.problems import (
    INVALID,
    NOT_FOUND,
    TOO_MANY_REQUESTS,
    UNAVAILABLE,
    ProblemKind,
)
from foundation.http.reading import body_of, query_of
from foundation.http.routes import Header, Route

_LOOK: Final = Access(Action.VIEW_BIDS)
_BID: Final = Access(Action.PLACE_BID)

BID_ID: Final = Header(
    "Idempotency-Key",
    "The bid's id, a UUID of your own in lower case: the same bid may be sent again with it, and "
    "is accepted once.",
    UUID,
)
# Of a reseller, all of its people and programs: as over the live connection.
RATE: Final = Limits().account_frames

NO_COUNTER: Final = ProblemKind(
    Rejection.NO_COUNTER, 409, "No counter-offer on this lot waits for your answer"
)
# A crowd that is told to come back does not all come at once: each retry is a bid anyhow.
RETRY_AFTER_S: Final = "1"


class BidsApi:
    """Handlers."""

    def __init__(
        self, bids: MyBids, placing: Placing, freight: FreightOffers, door_prices: DoorPrices
    ) -> None:
        self._bids, self._placing = bids, placing
        self._freight, self._door_prices = freight, door_prices
        self._rates = Shared(RATE)

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route(
                "GET",
                f"{V1}/bids",
                self.my_lots,
                "The lots that you have bid on",
                _LOOK,
                query=MyLotsQuery,
                answer=Listing[MyLot],
                problems=(INVALID,),
            ),
            Route(
                "GET",
                f"{LOT}/bid",
                self.my_lot,
                "Your part of a lot that you have bid on",
                _LOOK,
                answer=MyLot,
                problems=(NOT_FOUND,),
            ),
            Route(
                "POST",
                f"{LOT}/bids",
                self.place,
                "Bid on a lot: 200 with the verdict, accepted or not",
                _BID,
                body=BidAsked,
                answer=BidVerdict,
                headers=(BID_ID,),
                problems=kinds(Refusal.NOT_FOUND, Refusal.NOT_APPROVED),
            ),
            Route(
                "POST",
                f"{LOT}/counter-answer",
                self.answer_counter,
                "Take what the seller asks for on your bid below the reserve, or not",
                _BID,
                body=CounterAnswer,
                status=204,
                problems=(NOT_FOUND, NO_COUNTER),
            ),
            Route(
                "POST",
                f"{LOT}/freight-quotes",
                self.quote_freight,
                "Ask what freight for a lot comes to",
                _BID,
                body=FreightAsked,
                answer=FreightOffer,
                status=201,
                problems=kinds(Refusal.NOT_FOUND, Refusal.NO_ADDRESS, Refusal.NO_FREIGHT),
            ),
            Route(
                "GET",
                f"{LOT}/door-price",
                self.door_price,
                "What a bid would come to: premium, tax, freight, share of the MSRP",
                Access(Action.VIEW_SALES),
                query=DoorPriceQuery,
                answer=DoorPricePage,
                problems=kinds(Refusal.NOT_FOUND, Refusal.NO_QUOTE),
            ),
            Route(
                "GET",
                f"{V1}/won",
                self.won,
                "What you have won, the latest first",
                _LOOK,
                query=Paging,
                answer=Listing[WonLot],
                problems=(INVALID,),
            ),
        ]

    async def my_lots(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/bids."""
        query = query_of(request, MyLotsQuery)
        return answer(request, await self._bids.lots(_bidder(request), query))

    async def my_lot(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/lots/{lot_id}/bid."""
        mine = await self._bids.lot(_bidder(request), *lot_of(request))
        if mine is None:
            raise NOT_FOUND()
        return answer(request, mine)

    async def won(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/won."""
        paging = query_of(request, Paging)
        return answer(request, await self._bids.won(_bidder(request), paging))

    async def place(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/sales/{sale_id}/lots/{lot_id}/bids."""
        lot, bid_id = lot_of(request), _bid_id(request)
        self._slow_down(request)
        asked = await body_of(request, BidAsked)
        try:
            verdict = await self._placing.place(signed_in(request), *lot, bid_id, asked)
        except Refused as refused:
            raise problem_of(refused) from None
        if verdict is None:
            raise NOT_FOUND()
        _refuse_unjudged(verdict.code, verdict.message)
        return answer(request, verdict)

    async def answer_counter(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/sales/{sale_id}/lots/{lot_id}/counter-answer."""
        lot, given = lot_of(request), await body_of(request, CounterAnswer)
        verdict = await self._placing.answer_counter(signed_in(request), *lot, given)
        if verdict is None:
            raise NOT_FOUND()
        _refuse_unjudged(verdict.code, verdict.message)
        if not verdict.accepted:
            raise NO_COUNTER(verdict.message)
        return no_content()

    async def quote_freight(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/sales/{sale_id}/lots/{lot_id}/freight-quotes."""
        lot, asked = lot_of(request), await body_of(request, FreightAsked)
        self._slow_down(request)
        try:
            offer = await self._freight.offer(signed_in(request), *lot, asked)
        except Refused as refused:
            raise problem_of(refused) from None
        return answer(request, offer, status=201)

    async def door_price(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/lots/{lot_id}/door-price."""
        lot, query = lot_of(request), query_of(request, DoorPriceQuery)
        try:
            price = await self._door_prices.of_bid(identity_of(request), *lot, query)
        except Refused as refused:
            raise problem_of(refused) from None
        if price is None:
            raise NOT_FOUND()
        return answer(request, price)

    def _slow_down(self, request: web.Request) -> None:
        """Raise TOO_MANY_REQUESTS for a reseller that asks for more than its share."""
        if not self._rates.take(signed_in(request).organisation_id, time.monotonic()):
            raise TOO_MANY_REQUESTS(headers={"Retry-After": RETRY_AFTER_S})


def _bidder(request: web.Request) -> BidderId:
    """Whose bids these are. Raises NOT_FOUND for who is of no reseller."""
    bidder_id = signed_in(request).bidder_id
    if bidder_id is None:
        raise NOT_FOUND()
    return BidderId(bidder_id)


def _refuse_unjudged(code: str, message: str) -> None:
    """Raise the problem of what could not be judged; a refusal by the rules is a verdict."""
    if code == Rejection.NOT_FOUND:
        raise NOT_FOUND()
    if code == Rejection.INVALID:
        raise INVALID(message)
    if code in SEND_AGAIN:
        raise UNAVAILABLE(message, headers={"Retry-After": RETRY_AFTER_S})


def _bid_id(request: web.Request) -> BidId:
    given = request.headers.getall(BID_ID.name, [])
    if len(given) != 1 or not re.fullmatch(UUID, given[0]):
        raise INVALID(f"{BID_ID.name}: send the bid's id, a UUID in lower case, once.")
    return BidId(given[0])
