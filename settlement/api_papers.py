"""Documents, as pages and programs get them: a buyer's, a seller's, and all of them for staff."""

from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web
from msgspec import Struct

from accounts.http.guard import signed_in
from accounts.permissions import Access
from foundation.database import Pool, acquire
from foundation.http.answers import answer, bytes_answer
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input, query_of
from foundation.http.routes import Handler, Media, Route
from settlement.access import EARNINGS, PURCHASES, STAFF, invoice_of, joined_of
from settlement.api_common import row, told
from settlement.ids import AwardId, InvoiceId
from settlement.papers.archive import Archive, Kept
from settlement.papers.kinds import PaperKind, PaperRefusal
from settlement.papers.listing import Offered, papers_of_award, papers_of_invoice, readers_of
from settlement.papers.rendering import Format

# What each document is called where it is offered.
NAMES: Final[Mapping[PaperKind, str]] = {
    PaperKind.INVOICE: "Invoice",
    PaperKind.CREDIT_NOTE: "Credit note",
    PaperKind.MANIFEST: "Winner's manifest",
    PaperKind.LOADING: "Pickup release",
    PaperKind.LABELS: "Pallet labels",
    PaperKind.LIQUIDATOR_STATEMENT: "Statement of the sale",
    PaperKind.CONSIGNOR_STATEMENT: "Consignor's statement",
    PaperKind.PAYOUT_ADVICE: "Payout advice",
    PaperKind.EVIDENCE: "Evidence for the bank",
}

# Why there may be none of that name.
NO_PAPER: Final = (
    PaperRefusal.NO_SUCH_FORM,
    PaperRefusal.NOT_INVOICED,
    PaperRefusal.NOT_FUNDED,
    PaperRefusal.CANCELLED,
    PaperRefusal.NO_MANIFEST,
    PaperRefusal.TOO_LONG,
    PaperRefusal.BUSY,
)


class FormQuery(Input):
    """As what a document is wanted, and which version; the latest without."""

    form: Format = Format.PDF


class PapersOffered(Struct, frozen=True):
    """Documents that can be asked for."""

    items: Sequence[Offered]


class PapersKept(Struct, frozen=True):
    """What was handed out of a document, the newest first."""

    items: Sequence[Kept]


class PapersApi:
    """Handlers, for pages under their own addresses too."""

    def __init__(self, pool: Pool, archive: Archive) -> None:
        self._pool, self._archive = pool, archive

    def routes(self) -> list[Route]:
        """The rows of the API and of the pages' links."""
        of = "{kind}/{subject}"
        return [
            self._file(
                f"/purchases/papers/{of}", self.buyers_paper, PURCHASES, "A buyer's document"
            ),
            self._file(
                f"/earnings/papers/{of}", self.sellers_paper, EARNINGS, "A seller's document"
            ),
            self._file(f"/papers/{of}", self.any_paper, STAFF, "Any document"),
            row(
                "GET",
                f"/papers/{of}/versions",
                self.paper_versions,
                "What was handed out of a document, with the digest of each file",
                STAFF,
                answer=PapersKept,
            ),
            row(
                "GET",
                "/invoices/{invoice_id}/papers",
                self.papers_of_invoice,
                "The documents of an invoice",
                STAFF,
                answer=PapersOffered,
            ),
            *(
                Route("GET", f"{start}/papers/{of}", told(handler), "A document", access)
                for start, handler, access in (
                    ("/purchases", self.buyers_paper, PURCHASES),
                    ("/earnings", self.sellers_paper, EARNINGS),
                    ("/settlement", self.any_paper, STAFF),
                )
            ),
        ]

    async def buyers_paper(self, request: web.Request) -> web.StreamResponse:
        """A document that the buyer may read."""
        return await self._own(request)

    async def sellers_paper(self, request: web.Request) -> web.StreamResponse:
        """A document that the seller or the consignor may read."""
        return await self._own(request)

    async def _own(self, request: web.Request) -> web.StreamResponse:
        kind, subject = _named(request)
        async with acquire(self._pool) as connection:
            readers = await readers_of(connection, kind, subject)
        if signed_in(request).organisation_id not in readers:
            raise NOT_FOUND()
        return await self._answer(request, kind, subject)

    async def any_paper(self, request: web.Request) -> web.StreamResponse:
        """Any document, for staff."""
        return await self._answer(request, *_named(request))

    async def paper_versions(self, request: web.Request) -> web.StreamResponse:
        """GET .../versions."""
        found = await self._archive.versions(*_named(request))
        if not found:
            raise NOT_FOUND()
        return answer(request, PapersKept(found))

    async def papers_of_invoice(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/settlement/invoices/{invoice_id}/papers."""
        async with acquire(self._pool) as connection:
            found = await papers_of_invoice(connection, invoice_of(request))
        if not found:
            raise NOT_FOUND()
        return answer(request, PapersOffered(found))

    async def _answer(
        self, request: web.Request, kind: PaperKind, subject: str
    ) -> web.StreamResponse:
        form = query_of(request, FormQuery).form
        made = await self._archive.get_document(kind, subject, form)
        shown = "inline" if form is Format.PDF else "attachment"
        headers = {"Content-Disposition": f'{shown}; filename="{made.file_name}"'}
        return bytes_answer(request, made.data, form.media_type, headers=headers)

    def _file(self, path: str, handler: Handler, access: Access, summary: str) -> Route:
        return row(
            "GET",
            path,
            handler,
            summary,
            access,
            *NO_PAPER,
            query=FormQuery,
            answer=Media("application/pdf"),
        )


class PaperLists:
    """Which documents pages offer."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_invoice(self, invoice_id: InvoiceId) -> Sequence[Offered]:
        """An invoice's."""
        async with acquire(self._pool) as connection:
            return await papers_of_invoice(connection, invoice_id)

    async def of_award(self, award_id: AwardId) -> Sequence[Offered]:
        """An award's."""
        async with acquire(self._pool) as connection:
            return await papers_of_award(connection, award_id)


def _named(request: web.Request) -> tuple[PaperKind, str]:
    kind = request.match_info["kind"].upper().replace("-", "_")
    if kind not in set(PaperKind):
        raise NOT_FOUND()
    return PaperKind(kind), joined_of(request, "subject")
