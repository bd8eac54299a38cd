"""/settlement: what waits for a person; the search, and the list of what is to be paid."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from foundation.http.cursors import Paging
from foundation.http.forms import form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID, Problem
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import ACT, STAFF, joined_of
from settlement.ids import AwardId, InvoiceId
from settlement.lives import PaymentState
from settlement.pages.room import HOME, INVOICE_PAGES, SEARCH, award_path, invoice_path, show
from settlement.queue import MEANINGS, Waiting
from settlement.room import Settlement
from settlement.searching import MAX_QUERY

OPEN_STATES = (
    PaymentState.OVERDUE,
    PaymentState.DUE,
    PaymentState.ACTION_REQUIRED,
    PaymentState.AWAITING_FUNDS,
    PaymentState.PARTLY_FUNDED,
    PaymentState.DISPUTED,
)


class Again(Input):
    """Which operation is tried again."""

    op_id: Annotated[int, Meta(ge=1, le=2**62)]


class QueuePages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", HOME, self.show, "What waits for a person", STAFF),
            Route("POST", HOME, self.again, "Try a held operation again", ACT),
            Route("GET", SEARCH, self.search, "Find an award or an invoice", STAFF),
            Route("GET", f"{HOME}/find/{{subject}}", self.find, "What an id names", STAFF),
            Route("GET", INVOICE_PAGES, self.invoices, "Invoices to be paid", STAFF),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement; ``kind``: only these."""
        asked = request.query.get("kind", "")
        kind = Waiting(asked) if asked in set(Waiting) else None
        found = await self._room.queue.page(kind)
        return show(
            request,
            "queue.html",
            found=found,
            kind=kind,
            meanings=MEANINGS,
            standings=await self._room.books.standings(),
            now_us=self._room.now_us(),
        )

    async def again(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement."""
        form = await form_of(request, Again)
        if form.valid is None:
            raise INVALID("Name the operation.")
        if await self._room.queue.try_again(actor_of(request), form.valid.op_id):
            return see_other(HOME, "It is tried again.")
        return see_other(HOME, "It does not wait for a person any more.", FlashKind.INFO)

    async def search(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/search?q=."""
        text = request.query.get("q", "").replace("\0", "").strip()[:MAX_QUERY]
        found = await self._room.searching.find(text) if text.isprintable() else []
        if len(found) == 1:
            return see_other(found[0].href)
        return show(request, "search.html", q=text, found=found)

    async def find(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/find/{subject}: of an operation, an award or an invoice if it is one."""
        subject = joined_of(request, "subject")
        stories = self._room.stories
        if await stories.buyer_of_award(AwardId(subject)) is not None:
            return see_other(award_path(subject))
        if await stories.buyer_of_invoice(InvoiceId(subject)) is not None:
            return see_other(invoice_path(subject))
        return see_other(f"{SEARCH}?q={subject}")

    async def invoices(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/invoices; ``state``: only those; ``cursor``."""
        asked = request.query.get("state", "")
        state = PaymentState(asked) if asked in set(OPEN_STATES) else None
        paging = Paging(limit=50, cursor=request.query.get("cursor"))
        try:
            found = await self._room.lists.open(paging, state)
        except Problem:
            paging.cursor = None
            found = await self._room.lists.open(paging, state)
        here = f"{INVOICE_PAGES}?state={state}" if state else INVOICE_PAGES
        joint = "&" if state else "?"
        return show(
            request,
            "invoices.html",
            found=found.items,
            states=OPEN_STATES,
            state=state,
            now_us=self._room.now_us(),
            next_href=f"{here}{joint}cursor={found.next_cursor}" if found.next_cursor else "",
            first_href=here if paging.cursor else "",
        )
