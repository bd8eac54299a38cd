"""The API of staff's day: the queue, awards and invoices with their stories, the search."""

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from foundation.http.answers import answer, no_content
from foundation.http.cursors import Listing, Paging
from foundation.http.reading import Input, query_of
from foundation.http.routes import Route
from settlement.access import ACT, STAFF, award_of, invoice_of, number_of
from settlement.api_common import NOT_HELD, row
from settlement.invoice_lists import InvoiceLists, ListedInvoice
from settlement.lives import PaymentState
from settlement.queue import Queue, QueuePage, Waiting
from settlement.searching import MAX_QUERY, Found, Searching
from settlement.stories import Stories, Story


class QueueQuery(Input):
    """Of which kind; without it, of all."""

    kind: Waiting | None = None


class SearchQuery(Input):
    """What to look for."""

    q: Annotated[str, Meta(min_length=1, max_length=MAX_QUERY)]


class OpenQuery(Paging):
    """Invoices that are to be paid, of one state or of all."""

    state: PaymentState | None = None


class FoundThings(Struct, frozen=True):
    """What fits a search."""

    items: Sequence[Found]


class StaffApi:
    """Handlers."""

    def __init__(
        self, queue: Queue, stories: Stories, searching: Searching, lists: InvoiceLists
    ) -> None:
        self._queue, self._stories = queue, stories
        self._searching, self._lists = searching, lists

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            row(
                "GET",
                "/queue",
                self.queue,
                "What waits for a person, the oldest deadline first",
                STAFF,
                query=QueueQuery,
                answer=QueuePage,
            ),
            row(
                "POST",
                "/operations/{op_id}/again",
                self.again,
                "What was wrong is mended: try a held operation again",
                ACT,
                NOT_HELD,
                status=204,
            ),
            row(
                "GET",
                "/awards/{award_id}",
                self.award,
                "An award's whole story",
                STAFF,
                answer=Story,
            ),
            row(
                "GET",
                "/invoices",
                self.invoices,
                "Invoices that are to be paid, the earliest due first",
                STAFF,
                query=OpenQuery,
                answer=Listing[ListedInvoice],
            ),
            row(
                "GET",
                "/invoices/{invoice_id}",
                self.invoice,
                "An invoice's whole story",
                STAFF,
                answer=Story,
            ),
            row(
                "GET",
                "/search",
                self.search,
                "Find by invoice number, award, lot, buyer, sale, Stripe's id or amount",
                STAFF,
                query=SearchQuery,
                answer=FoundThings,
            ),
        ]

    async def queue(self, request: web.Request) -> web.StreamResponse:
        """GET .../queue."""
        return answer(request, await self._queue.page(query_of(request, QueueQuery).kind))

    async def again(self, request: web.Request) -> web.StreamResponse:
        """POST .../operations/{op_id}/again."""
        if not await self._queue.try_again(actor_of(request), number_of(request, "op_id")):
            raise NOT_HELD()
        return no_content()

    async def award(self, request: web.Request) -> web.StreamResponse:
        """GET .../awards/{award_id}."""
        return answer(request, await self._stories.of_award(award_of(request)))

    async def invoice(self, request: web.Request) -> web.StreamResponse:
        """GET .../invoices/{invoice_id}."""
        return answer(request, await self._stories.of_invoice(invoice_of(request)))

    async def invoices(self, request: web.Request) -> web.StreamResponse:
        """GET .../invoices."""
        query = query_of(request, OpenQuery)
        return answer(request, await self._lists.open(query, query.state))

    async def search(self, request: web.Request) -> web.StreamResponse:
        """GET .../search."""
        return answer(
            request, FoundThings(await self._searching.find(query_of(request, SearchQuery).q))
        )
