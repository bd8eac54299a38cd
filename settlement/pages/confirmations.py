"""What a seller is asked to confirm after the hammer, and its answers while there is time."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from accounts.http.guard import can, signed_in
from accounts.identity import OrganisationKind
from accounts.ids import OrganisationId
from accounts.permissions import Action
from auction.desk.access import RUN
from auction.ids import LiquidatorId
from foundation.http.cursors import Paging
from foundation.http.forms import form_of
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import EARNINGS
from settlement.ids import AwardId
from settlement.pages.doing import done
from settlement.pages.room import show
from settlement.room import Settlement

CONFIRMATIONS: Final = "/earnings/confirmations"


class Answer(Input):
    """A seller's answer for a lot."""

    award_id: Annotated[str, Meta(max_length=200)]
    answer: Annotated[str, Meta(pattern=r"\A(yes|no)\Z")]


class ConfirmationPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", CONFIRMATIONS, self.show, "Sales that you are to confirm", EARNINGS),
            Route("POST", CONFIRMATIONS, self.answer, "Confirm one, or not", RUN),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /earnings/confirmations."""
        identity = signed_in(request)
        if identity.organisation_kind is not OrganisationKind.LIQUIDATOR:
            raise NOT_FOUND()
        seller = LiquidatorId(identity.organisation_id)
        found = await self._room.confirming.questions(seller, Paging(limit=100))
        return show(
            request,
            "confirmations.html",
            sells=True,
            items=found.items,
            runs=can(request, Action.RUN_SALE, OrganisationId(seller)),
            now_us=self._room.now_us(),
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """POST /earnings/confirmations."""
        form = await form_of(request, Answer)
        if form.valid is None:
            raise INVALID("Confirm it, or not.")
        yes = form.valid.answer == "yes"
        work = self._room.confirming.answer(
            LiquidatorId(signed_in(request).organisation_id),
            AwardId(form.valid.award_id),
            confirms=yes,
            actor=actor_of(request),
        )
        said = "Confirmed." if yes else "The sale of this lot is cancelled; its buyer is told."
        return await done(work, CONFIRMATIONS, said)
