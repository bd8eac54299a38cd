"""The API that guests may ask too: sales, lots, manifests, photos, histories, public chains."""

import re
from typing import Final

from aiohttp import web

from accounts.http.guard import identity_of, signed_in
from accounts.permissions import Access, Action
from auction.ids import BidderId, SaleId
from bidder_gateway.api_common import LOT, SALE, V1, lot_of, sale_of
from bidder_gateway.histories import Histories, HistoryEntry
from bidder_gateway.listed import PHOTO_PATH, LotPage, LotSummary, SalePage, SaleSummary
from bidder_gateway.lots import (
    GroupsQuery,
    LinesQuery,
    Lots,
    LotsQuery,
    ManifestGroups,
    ManifestPage,
)
from bidder_gateway.results import Results
from bidder_gateway.sales import CalendarQuery, SaidInSale, Sales
from bidder_gateway.sight import Onlooker, onlooker_of
from foundation.http.answers import answer, bytes_answer
from foundation.http.cursors import Listing, Paging
from foundation.http.problems import INVALID, NOT_FOUND, ProblemKind
from foundation.http.reading import query_of
from foundation.http.routes import Media, Route

SALE_NOT_CLOSED: Final = ProblemKind("SALE_NOT_CLOSED", 409, "The sale has not closed yet")

LINES: Final = "application/jsonl"
PICTURES: Final = "image/*"
# Its address is its digest: it is what it is.
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
# Of a sale that is not for everybody: kept by the browser that fetched it, and nobody else.
_BY_ONE: Final = {"Cache-Control": "private, max-age=3600"}
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")

_LOOK: Final = Access(Action.VIEW_SALES)
_OWN: Final = Access(Action.VIEW_BIDS)


class SalesApi:
    """Handlers."""

    def __init__(self, sales: Sales, lots: Lots, histories: Histories, results: Results) -> None:
        self._sales, self._lots = sales, lots
        self._histories, self._results = histories, results

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route(
                "GET",
                f"{V1}/sales",
                self.calendar,
                "The calendar of sales",
                _LOOK,
                query=CalendarQuery,
                answer=Listing[SaleSummary],
                problems=(INVALID,),
            ),
            Route(
                "GET",
                SALE,
                self.sale,
                "A sale with its terms",
                _LOOK,
                answer=SalePage,
                problems=(NOT_FOUND,),
            ),
            Route(
                "GET",
                f"{SALE}/messages",
                self.messages,
                "What the seller said to everybody who watches, the latest first",
                _LOOK,
                answer=SaidInSale,
                problems=(NOT_FOUND,),
            ),
            Route(
                "GET",
                f"{SALE}/lots",
                self.lots_of_sale,
                "The lots of a sale",
                _LOOK,
                query=LotsQuery,
                answer=Listing[LotSummary],
                problems=(INVALID, NOT_FOUND),
            ),
            Route(
                "GET",
                f"{V1}/lots",
                self.search,
                "Lots of all sales",
                _LOOK,
                query=LotsQuery,
                answer=Listing[LotSummary],
                problems=(INVALID,),
            ),
            Route("GET", LOT, self.lot, "A lot", _LOOK, answer=LotPage, problems=(NOT_FOUND,)),
            Route(
                "GET",
                f"{LOT}/manifest",
                self.manifest,
                "What is in a lot, line by line",
                _LOOK,
                query=LinesQuery,
                answer=ManifestPage,
                problems=(INVALID, NOT_FOUND),
            ),
            Route(
                "GET",
                f"{LOT}/manifest/groups",
                self.manifest_groups,
                "What is in a lot, summed up",
                _LOOK,
                query=GroupsQuery,
                answer=ManifestGroups,
                problems=(INVALID, NOT_FOUND),
            ),
            Route(
                "GET",
                f"{LOT}/history",
                self.history,
                "What happened to a lot, the latest first",
                _LOOK,
                query=Paging,
                answer=Listing[HistoryEntry],
                problems=(INVALID, NOT_FOUND),
            ),
            Route(
                "GET",
                f"{PHOTO_PATH}/{{sha256}}",
                self.photo,
                "A file of a photo, by its SHA-256",
                _LOOK,
                answer=Media(PICTURES),
                problems=(NOT_FOUND,),
            ),
            Route(
                "GET",
                f"{SALE}/log",
                self.log,
                "The public chain of a sale that has closed, see docs/verifying.md",
                _LOOK,
                answer=Media(LINES),
                problems=(NOT_FOUND, SALE_NOT_CLOSED),
            ),
            Route(
                "GET",
                f"{SALE}/log/mine",
                self.own_log,
                "The same with what opens your own commitments, and nobody else's",
                _OWN,
                answer=Media(LINES),
                problems=(NOT_FOUND, SALE_NOT_CLOSED),
            ),
        ]

    async def calendar(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales."""
        query = query_of(request, CalendarQuery)
        return answer(request, await self._sales.calendar(query, _who(request)))

    async def sale(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}."""
        return _answer_found(request, await self._sales.sale(sale_of(request), _who(request)))

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/messages."""
        found = await self._sales.messages(sale_of(request), _who(request))
        return _answer_found(request, found)

    async def lots_of_sale(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/lots."""
        sale_id, query = sale_of(request), query_of(request, LotsQuery)
        return _answer_found(request, await self._lots.of_sale(sale_id, query, _who(request)))

    async def search(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/lots."""
        return answer(request, await self._lots.search(query_of(request, LotsQuery), _who(request)))

    async def lot(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/lots/{lot_id}."""
        return _answer_found(request, await self._lots.lot(*lot_of(request), _who(request)))

    async def manifest(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/lots/{lot_id}/manifest."""
        lot, query = lot_of(request), query_of(request, LinesQuery)
        return _answer_found(request, await self._lots.manifest(*lot, query, _who(request)))

    async def manifest_groups(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/lots/{lot_id}/manifest/groups."""
        lot, query = lot_of(request), query_of(request, GroupsQuery)
        return _answer_found(request, await self._lots.manifest_groups(*lot, query, _who(request)))

    async def history(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/lots/{lot_id}/history."""
        lot, paging = lot_of(request), query_of(request, Paging)
        return _answer_found(request, await self._histories.of_lot(*lot, paging, _who(request)))

    async def photo(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/photos/{sha256}."""
        digest = request.match_info["sha256"]
        if not _DIGEST.fullmatch(digest):
            raise NOT_FOUND()
        file = await self._lots.photo(bytes.fromhex(digest), _who(request))
        if file is None:
            raise NOT_FOUND()
        headers = _FOR_EVER if file.public else _BY_ONE
        return bytes_answer(request, file.data, file.media_type, headers=headers)

    async def log(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/log."""
        return await self._export(request, sale_of(request), None)

    async def own_log(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/log/mine."""
        bidder_id = signed_in(request).bidder_id
        if bidder_id is None:
            raise NOT_FOUND()
        return await self._export(request, sale_of(request), BidderId(bidder_id))

    async def _export(
        self, request: web.Request, sale_id: SaleId, owner: BidderId | None
    ) -> web.StreamResponse:
        closed = await self._results.is_closed(sale_id, _who(request))
        if closed is None:
            raise NOT_FOUND()
        if not closed:
            raise SALE_NOT_CLOSED()
        name = sale_id if owner is None else f"{sale_id}-mine"
        headers = {"Content-Disposition": f'attachment; filename="{name}.jsonl"'}
        response = web.StreamResponse(headers=headers)
        response.content_type = LINES
        await response.prepare(request)
        if request.method != "HEAD":
            async for lines in self._results.export(sale_id, owner):
                await response.write(lines)
        await response.write_eof()
        return response


def _who(request: web.Request) -> Onlooker:
    return onlooker_of(identity_of(request))


def _answer_found(request: web.Request, value: object) -> web.StreamResponse:
    if value is None:
        raise NOT_FOUND()
    return answer(request, value)
