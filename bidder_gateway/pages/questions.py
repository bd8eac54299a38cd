"""What is asked and answered about a lot, and what the seller says to everybody, as sections.

Each section is an address of its own; where scripts run they look by the API whether there is
something new, take the list from there, and put it into the open page, which stays (`said.js`).
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.guard import can, signed_in
from accounts.permissions import Access, Action
from auction.catalog.questions import MAX_QUESTION, REASONS, QuestionText, tidy
from auction.desk.messages import SaleMessage
from auction.ids import SaleId
from auction.sale import LotStatus
from auction.terms import STORABLE
from bidder_gateway.listed import LotPage, SalePage
from bidder_gateway.pages.room import (
    PagesRoom,
    lot_href,
    lot_id_of,
    sale_href,
    sale_id_of,
    show,
    sign_in_href,
    viewing,
)
from bidder_gateway.questions import LotQuestion
from bidder_gateway.refusals import Refusal, Refused
from foundation.http.cursors import Paging
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import see_other
from foundation.http.problems import NOT_FOUND, Problem
from foundation.http.reading import Input
from foundation.http.routes import Route

# Of a lot, in one go.
SHOWN: Final = 20
# Messages of a sale that a page shows at once; the others are one touch away.
SAID_SHOWN: Final = 3

# The pages of the desk, for who may act there.
DESK: Final = "/desk/questions"

_LOOK: Final = Access(Action.VIEW_SALES)


class Asked(Struct, frozen=True, kw_only=True):
    """The section about questions. ``state``: which of them a page shows, for its script.

    ``may``: "ask", "sign-in", "no", or "ended".
    """

    items: Sequence[LotQuestion]
    next_href: str
    first_href: str
    path: str
    api: str
    state: str
    may: str
    sign_in_path: str
    answer_path: str
    hide_path: str


class Said(Struct, frozen=True, kw_only=True):
    """The section about messages."""

    items: Sequence[SaleMessage]
    path: str
    api: str
    state: str


class Asking(Input):
    """The form, before line ends are counted as one character."""

    question: Annotated[str, Meta(max_length=2 * MAX_QUESTION, pattern=STORABLE)]


class QuestionPages:
    """Handlers."""

    def __init__(self, room: PagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        sale, lot = "/sales/{sale_id}", "/sales/{sale_id}/lots/{lot_id}"
        return [
            Route("GET", f"{lot}/questions", self.show, "Questions about a lot", _LOOK),
            Route(
                "POST",
                f"{lot}/questions",
                self.ask,
                "Ask the seller in public",
                Access(Action.ASK_SELLER),
            ),
            Route("GET", f"{sale}/messages", self.messages, "What the seller said", _LOOK),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET .../questions: the section as it is asked for; scripts take it from here."""
        return await self._page(request, blank())

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """POST .../questions."""
        form = await form_of(request, Asking)
        sale_id, lot_id = sale_id_of(request), lot_id_of(request)
        if form.valid is None:
            return await self._page(request, form, status=422)
        try:
            text = msgspec.convert(tidy(form.valid.question), QuestionText)
            await self._room.its.questions.ask(signed_in(request), sale_id, lot_id, text)
        except msgspec.ValidationError:
            fault = f"Write a question of at most {MAX_QUESTION} characters."
            return await self._page(request, form.refused("question", fault), status=422)
        except Refused as refused:
            if refused.refusal is Refusal.NOT_FOUND:
                raise NOT_FOUND() from None
            return await self._page(request, form.refused("question", refused.message), status=409)
        said = "Your question is asked. You are told when the seller answers."
        return see_other(f"{lot_href(sale_id, lot_id)}#questions", said)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """GET /sales/{sale_id}/messages: all of them; scripts take the list from here."""
        sale = await self._room.its.sales.sale(sale_id_of(request), viewing(request).sees_as)
        if sale is None:
            raise NOT_FOUND()
        said = await said_of(self._room, request, sale.sale_id)
        return show(request, "messages_page.html", sale=sale, said=said)

    async def _page(
        self, request: web.Request, form: Form[Asking], *, status: int = 200
    ) -> web.Response:
        who, sale_id = viewing(request).sees_as, sale_id_of(request)
        sale = await self._room.its.sales.sale(sale_id, who)
        lot = await self._room.its.lots.lot(sale_id, lot_id_of(request), who)
        if sale is None or lot is None:
            raise NOT_FOUND()
        asked = await asked_of(self._room, request, sale, lot)
        return show(
            request,
            "questions_page.html",
            status=status,
            sale=sale,
            lot=lot,
            asked=asked,
            asking=form,
            reasons=REASONS,
        )


async def asked_of(room: PagesRoom, request: web.Request, sale: SalePage, lot: LotPage) -> Asked:
    """The section about questions; of an address with a cursor, that page of it."""
    who, path = viewing(request), f"{lot_href(lot.sale_id, lot.lot_id)}/questions"
    place, cursor = (lot.sale_id, lot.lot_id), request.query.get("cursor")
    try:
        found = await room.its.questions.of_lot(
            *place, Paging(limit=SHOWN, cursor=cursor), who.sees_as
        )
    except Problem:  # a cursor of another list, from an address that somebody kept
        found = await room.its.questions.of_lot(*place, Paging(limit=SHOWN), who.sees_as)
    if found is None:
        raise NOT_FOUND()
    return Asked(
        items=found.items,
        next_href=f"{path}?cursor={found.next_cursor}" if found.next_cursor else "",
        first_href=path if cursor else "",
        path=path,
        api=f"/api/v1{path}?limit={SHOWN}",
        state=" ".join(f"{q.question_id}/{q.answered_at_us}/{q.hidden}" for q in found.items),
        may=_may(room, request, lot),
        sign_in_path=sign_in_href(request),
        answer_path=_answer_path(request, sale),
        hide_path=_hide_path(request, sale),
    )


async def said_of(room: PagesRoom, request: web.Request, sale_id: SaleId) -> Said:
    """The section about messages. Raises NOT_FOUND for a sale that they may not see."""
    found = await room.its.sales.messages(sale_id, viewing(request).sees_as)
    if found is None:
        raise NOT_FOUND()
    path = f"{sale_href(sale_id)}/messages"
    state = str(found.items[0].number if found.items else 0)
    return Said(items=found.items, path=path, api=f"/api/v1{path}", state=state)


def _may(room: PagesRoom, request: web.Request, lot: LotPage) -> str:
    who = viewing(request)
    if lot.status is not LotStatus.LIVE or room.gateway.now_us() >= lot.closes_at_us:
        return "ended"
    if who.identity is None:
        return "sign-in"
    own = who.bidder_id is not None and can(request, Action.ASK_SELLER, who.organisation_id)
    return "ask" if own else "no"


def _answer_path(request: web.Request, sale: SalePage) -> str:
    """Where the seller answers, for its own people."""
    return DESK if can(request, Action.RUN_SALE, sale.seller_id) else ""


def _hide_path(request: web.Request, sale: SalePage) -> str:
    """Where each question is answered or hidden, for the seller's people and the house's."""
    return DESK if can(request, Action.HIDE_QUESTION, sale.seller_id) else ""
