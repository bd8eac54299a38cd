"""A bid without scripts: the amount, a look at what it means and costs, the verdict."""

from typing import Annotated
from uuid import uuid4

from aiohttp import web
from msgspec import Meta

from accounts.http.guard import signed_in
from accounts.permissions import Access, Action
from auction.amounts import NotMoney, parse_typed
from auction.commands import AnswerCounter
from auction.ids import UUID, BidId
from auction.money import PositiveMinor
from auction.plain_terms import premium_in_words
from auction.terms import STORABLE
from bidder_gateway.listed import LotPage
from bidder_gateway.pages.lots import LotPages
from bidder_gateway.pages.meaning import caution
from bidder_gateway.pages.room import (
    PagesRoom,
    lot_href,
    lot_id_of,
    sale_id_of,
    show,
    viewing,
)
from bidder_gateway.pages.shown import shown_of
from bidder_gateway.placing import SEND_AGAIN, BidAsked
from foundation.http.forms import Form, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Route

_BID = Access(Action.PLACE_BID)


class TypedBid(Input):
    """The amount as it was typed. ``quote_id`` empty: the goods are collected."""

    amount: Annotated[str, Meta(max_length=100, pattern=STORABLE)]
    quote_id: Annotated[str, Meta(max_length=200, pattern=STORABLE)] = ""


class MeantBid(Input):
    """A bid that was looked at."""

    amount_minor: PositiveMinor
    bid_id: Annotated[BidId, Meta(pattern=rf"\A{UUID}\Z")]
    quote_id: Annotated[str, Meta(max_length=200, pattern=STORABLE)] = ""


class CounterAnswer(Input):
    """The answer to a counter-offer."""

    answer: Annotated[str, Meta(pattern=r"\A(accept|decline)\Z")]


class BiddingPages:
    """Handlers."""

    def __init__(self, room: PagesRoom, lots: LotPages) -> None:
        self._room, self._lots = room, lots

    def routes(self) -> list[Route]:
        """Their rows."""
        lot = "/sales/{sale_id}/lots/{lot_id}"
        return [
            Route("POST", f"{lot}/bid", self.look, "A bid, looked at before it is made", _BID),
            Route("POST", f"{lot}/bid/confirmed", self.bid, "A bid", _BID),
            Route("POST", f"{lot}/counter", self.answer, "Answer a counter-offer", _BID),
        ]

    async def look(self, request: web.Request) -> web.StreamResponse:
        """POST .../bid: what the amount would mean and cost."""
        form: Form[TypedBid] = await form_of(request, TypedBid)
        typed = form.value("amount")
        lot = await self._lot(request)
        shown = await shown_of(self._room, request, lot)
        try:
            minor = parse_typed(typed, lot.currency)
            fault = shown.fault(minor)
        except NotMoney as not_money:
            fault = str(not_money)
        if fault or form.valid is None:
            return await self._lots.page(request, status=422, typed=typed, fault=fault)
        cost = shown.cost(minor)
        return show(
            request,
            "bid_look.html",
            sale=shown.sale,
            lot=lot,
            shown=shown,
            amount_minor=minor,
            bid_id=str(uuid4()),
            quote_id=form.valid.quote_id,
            means=shown.means(minor),
            careful=caution(
                minor, shown.least_minor, lot.msrp_minor, cost.total_minor, shown.money
            ),
            cost=cost,
            premium_words=premium_in_words(shown.sale.terms.premium, lot.currency),
        )

    async def bid(self, request: web.Request) -> web.StreamResponse:
        """POST .../bid/confirmed: the verdict. Sent again it is the same bid, by its id."""
        form: Form[MeantBid] = await form_of(request, MeantBid)
        given, lot = form.valid, await self._lot(request)
        path = lot_href(lot.sale_id, lot.lot_id)
        if given is None:
            return see_other(path, "Enter the amount again.", FlashKind.ERROR)
        asked = BidAsked(
            amount_minor=given.amount_minor,
            currency=lot.currency,
            quote_id=given.quote_id or None,
        )
        verdict = await self._room.its.placing.place(
            signed_in(request), lot.sale_id, lot.lot_id, given.bid_id, asked
        )
        if verdict is None:
            raise NOT_FOUND()
        again = verdict.code in SEND_AGAIN
        return show(request, "bid_verdict.html", lot=lot, verdict=verdict, given=given, again=again)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """POST .../counter: the bound bidder takes the counter-offer, or not."""
        form: Form[CounterAnswer] = await form_of(request, CounterAnswer)
        lot, bidder_id = await self._lot(request), viewing(request).bidder_id
        path = lot_href(lot.sale_id, lot.lot_id)
        if form.valid is None or bidder_id is None:
            return see_other(path, "Choose one of the two answers.", FlashKind.ERROR)
        accepted = form.valid.answer == "accept"
        command = AnswerCounter(
            sale_id=lot.sale_id, lot_id=lot.lot_id, bidder_id=bidder_id, accepted=accepted
        )
        verdict = await self._room.engine.submit(command)
        if not verdict.accepted:
            said = f"Your answer was not taken: {verdict.message or verdict.code}."
            return see_other(path, said, FlashKind.ERROR)
        said = "The lot is yours." if accepted else "You declined. Your own bid stands."
        return see_other(path, said)

    async def _lot(self, request: web.Request) -> LotPage:
        lot = await self._room.its.lots.lot(
            sale_id_of(request), lot_id_of(request), viewing(request).sees_as
        )
        if lot is None:
            raise NOT_FOUND()
        return lot
