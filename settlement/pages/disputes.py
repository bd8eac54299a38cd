"""Disputes on pages of staff: what waits, whose fault it is, and what is sent to the bank."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from auction.terms import STORABLE
from foundation.http.forms import form_of
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import ACT, STAFF, joined_of
from settlement.pages.doing import done, told
from settlement.pages.room import HOME, show
from settlement.payments.dispute_words import Bearer, DisputeState, Fault
from settlement.room import Settlement

DISPUTES: Final = f"{HOME}/disputes"

# What each state is to staff: a badge, its tone and its icon.
WORDS: Final = {
    DisputeState.INQUIRY: ("The bank asks", "warn", "info"),
    DisputeState.OPEN: ("Open", "bad", "alert"),
    DisputeState.WON: ("Won", "good", "check"),
    DisputeState.LOST: ("Lost", "", "minus"),
    DisputeState.CLOSED: ("Came to nothing", "", "check"),
}


class Doing(Input):
    """What staff do about a dispute."""

    what: Annotated[str, Meta(pattern=r"\A(answer|let_go|seller|house|by_house|by_buyer)\Z")]
    version: Annotated[int, Meta(ge=1, le=2**31)]
    words: Annotated[str, Meta(max_length=4_000, pattern=STORABLE)] = ""


class DisputePages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one = f"{DISPUTES}/{{dispute_id}}"
        return [
            Route("GET", DISPUTES, self.list, "What buyers' banks want back", STAFF),
            Route("GET", one, told(self.show), "A dispute", STAFF),
            Route("POST", one, self.do, "Answer it, let it go, or say who bears it", ACT),
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/disputes."""
        items = await self._room.disputes.list()
        return show(request, "disputes.html", items=items, words=WORDS, now_us=self._room.now_us())

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/disputes/{dispute_id}."""
        view = await self._room.disputes.view(joined_of(request, "dispute_id"))
        return show(
            request,
            "dispute.html",
            view=view,
            dispute=view.dispute,
            words=WORDS,
            now_us=self._room.now_us(),
        )

    async def do(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/disputes/{dispute_id}."""
        dispute_id = joined_of(request, "dispute_id")
        form = await form_of(request, Doing)
        if form.valid is None:
            raise INVALID("Say what is to be done.")
        given, actor, desk = form.valid, actor_of(request), self._room.disputes
        match given.what:
            case "answer":
                work = desk.answer(actor, dispute_id, given.words, given.version)
                said = "The evidence is on its way to the bank."
            case "let_go":
                work = desk.give_up(actor, dispute_id, given.version)
                said = "It is let go. The bank keeps the money."
            case "by_house" | "by_buyer" as who:
                bearer = Bearer.HOUSE if who == "by_house" else Bearer.BUYER
                work = desk.bear(actor, dispute_id, bearer, given.version)
                said = f"It is the {bearer.lower()}'s now."
            case fault:
                chosen = Fault.SELLER if fault == "seller" else Fault.HOUSE
                work = desk.blame(actor, dispute_id, chosen, given.version)
                said = f"If it is lost, the {chosen.lower()} bears it."
        return await done(work, f"{DISPUTES}/{dispute_id}", said)
