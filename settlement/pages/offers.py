"""What a buyer is offered as the next bidder, and its answer while there is time."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from auction.ids import BidderId
from foundation.http.cursors import Paging
from foundation.http.forms import form_of
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import PAY, PURCHASES, may_pay
from settlement.ids import AwardId
from settlement.pages.doing import done
from settlement.pages.room import show
from settlement.room import Settlement

OFFERS = "/purchases/offers"


class Answer(Input):
    """A runner-up's answer."""

    award_id: Annotated[str, Meta(max_length=200)]
    turn: Annotated[int, Meta(ge=1, le=1_000)]
    answer: Annotated[str, Meta(pattern=r"\A(yes|no)\Z")]


class OfferPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", OFFERS, self.show, "Lots that are offered to you", PURCHASES),
            Route("POST", OFFERS, self.answer, "Accept or decline one", PAY),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/offers."""
        buyer_id = BidderId(signed_in(request).organisation_id)
        found = await self._room.after.answering.offers(buyer_id, Paging(limit=100))
        return show(
            request,
            "offers.html",
            items=found.items,
            pays=may_pay(request, buyer_id),
            now_us=self._room.now_us(),
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """POST /purchases/offers."""
        form = await form_of(request, Answer)
        if form.valid is None:
            raise INVALID("Accept or decline.")
        given = form.valid
        yes = given.answer == "yes"
        work = self._room.after.answering.answer_offer(
            BidderId(signed_in(request).organisation_id),
            AwardId(given.award_id),
            given.turn,
            accepted=yes,
            actor=actor_of(request),
        )
        said = "The lot is yours. Its invoice comes in a moment." if yes else "Declined."
        return await done(work, OFFERS, said)
