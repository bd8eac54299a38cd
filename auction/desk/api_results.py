"""The API of what sales brought, and of what to ask for the next lots."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from aiohttp import web

from accounts.http.common import word_of
from accounts.http.guard import require, signed_in
from accounts.identity import OrganisationKind
from accounts.permissions import Access, Action
from auction.desk.guidance import Guidance, GuidanceQuery, PriceGuidance
from auction.desk.result_sheets import results_csv, results_xlsx
from auction.desk.results import ConsignorResults, Results, SaleResults
from auction.ids import BidderId, LiquidatorId, SaleId
from auction.spreadsheets import CSV_TYPE, XLSX_TYPE
from foundation.http.answers import answer, bytes_answer
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import query_of
from foundation.http.routes import Media, Route

_SALE: Final = "/api/v1/desk/sales/{sale_id}"
_RESULTS: Final = f"{_SALE}/results"
_CONSIGNOR: Final = f"{_SALE}/consignors/{{consignor_id}}/results"
_GUIDANCE: Final = "/api/v1/desk/guidance"

_VIEW: Final = Access(Action.VIEW_DESK)

T = TypeVar("T")
AnyResults = SaleResults | ConsignorResults
Sheet = Callable[[AnyResults], bytes]


class ResultsApi:
    """Handlers. Another liquidator's sale is answered as one that does not exist."""

    def __init__(self, results: Results, guidance: PriceGuidance) -> None:
        self._results, self._guidance = results, guidance

    def routes(self) -> list[Route]:
        """Their rows."""
        lost = (NOT_FOUND,)
        return [
            Route(
                "GET",
                _RESULTS,
                self.of_sale,
                "What a sale brought: totals, by category, condition, kind and consignor, each lot",
                _VIEW,
                answer=SaleResults,
                problems=lost,
            ),
            Route(
                "GET",
                f"{_RESULTS}.csv",
                self.of_sale_csv,
                "What its lots brought, as a table",
                _VIEW,
                answer=Media(CSV_TYPE),
                problems=lost,
            ),
            Route(
                "GET",
                f"{_RESULTS}.xlsx",
                self.of_sale_xlsx,
                "What a sale brought, as a workbook",
                _VIEW,
                answer=Media(XLSX_TYPE),
                problems=lost,
            ),
            Route(
                "GET",
                _CONSIGNOR,
                self.of_consignor,
                "What the goods of one consignor brought, as it may be shown to the consignor",
                _VIEW,
                answer=ConsignorResults,
                problems=lost,
            ),
            Route(
                "GET",
                f"{_CONSIGNOR}.csv",
                self.of_consignor_csv,
                "What the goods of one consignor brought, as a table",
                _VIEW,
                answer=Media(CSV_TYPE),
                problems=lost,
            ),
            Route(
                "GET",
                f"{_CONSIGNOR}.xlsx",
                self.of_consignor_xlsx,
                "What the goods of one consignor brought, as a workbook",
                _VIEW,
                answer=Media(XLSX_TYPE),
                problems=lost,
            ),
            Route(
                "GET",
                _GUIDANCE,
                self.guide,
                "What goods like these have brought, and what to ask for them",
                _VIEW,
                query=GuidanceQuery,
                answer=Guidance,
                problems=(INVALID,),
            ),
        ]

    async def of_sale(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/results."""
        return answer(request, await self._of_sale(request))

    async def of_sale_csv(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/results.csv."""
        return await table(request, await self._of_sale(request))

    async def of_sale_xlsx(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/results.xlsx."""
        return await workbook(request, await self._of_sale(request))

    async def of_consignor(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/consignors/{consignor_id}/results."""
        return answer(request, await self._of_consignor(request))

    async def of_consignor_csv(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/consignors/{consignor_id}/results.csv."""
        return await table(request, await self._of_consignor(request))

    async def of_consignor_xlsx(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/consignors/{consignor_id}/results.xlsx."""
        return await workbook(request, await self._of_consignor(request))

    async def guide(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/guidance."""
        identity, query = signed_in(request), query_of(request, GuidanceQuery)
        sells = identity.organisation_kind is OrganisationKind.LIQUIDATOR
        liquidator_id = LiquidatorId(identity.organisation_id) if sells else None
        return answer(request, await self._guidance.guide(liquidator_id, query))

    async def _of_sale(self, request: web.Request) -> SaleResults:
        return _found(await self._results.of_sale(await self._own(request)))

    async def _of_consignor(self, request: web.Request) -> ConsignorResults:
        sale_id = await self._own(request)
        consignor_id = BidderId(word_of(request, "consignor_id"))
        return _found(await self._results.of_consignor(sale_id, consignor_id))

    async def _own(self, request: web.Request) -> SaleId:
        """The sale that the path names, if who asks may see its desk. Raises NOT_FOUND."""
        sale_id = SaleId(word_of(request, "sale_id"))
        require(request, Action.VIEW_DESK, _found(await self._results.owner(sale_id)))
        return sale_id


def _found(value: T | None) -> T:
    if value is None:
        raise NOT_FOUND()
    return value


async def table(request: web.Request, results: AnyResults) -> web.Response:
    """The results as CSV."""
    return await _sheet(request, results, results_csv, f"{CSV_TYPE}; charset=utf-8", "csv")


async def workbook(request: web.Request, results: AnyResults) -> web.Response:
    """The results as XLSX."""
    return await _sheet(request, results, results_xlsx, XLSX_TYPE, "xlsx")


async def _sheet(
    request: web.Request, results: AnyResults, made_by: Sheet, media_type: str, ending: str
) -> web.Response:
    # In a thread: a workbook of a thousand lots takes a good part of a second.
    body = await asyncio.to_thread(made_by, results)
    name = f"results-{results.sale_id}"
    if isinstance(results, ConsignorResults):
        name = f"{name}-{results.consignor_id}"
    headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
    return bytes_answer(request, body, media_type, headers=headers)
