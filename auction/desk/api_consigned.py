"""What a consignor's own people read over HTTP: its goods, and nobody else's.

A sale without goods of theirs is answered as one that does not exist.
"""

from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web
from msgspec import Struct

from accounts.http.common import word_of
from accounts.http.guard import signed_in
from accounts.permissions import Access, Action
from auction.desk.api_results import AnyResults, table, workbook
from auction.desk.consigned import Consigned, ConsignedResults, ConsignedSale, Consigning
from auction.ids import SaleId
from auction.spreadsheets import CSV_TYPE, XLSX_TYPE
from foundation.http.answers import answer
from foundation.http.problems import NOT_FOUND
from foundation.http.routes import Media, Route

VIEW_OWN: Final = Access(Action.VIEW_CONSIGNED)
_PATH: Final = "/api/v1/consignor"
_RESULTS: Final = f"{_PATH}/sales/{{sale_id}}/results"


class OwnGoods(Struct, frozen=True):
    """With whom an organisation consigns, and the latest sales of its goods."""

    consigning: Sequence[Consigning]
    sales: Sequence[ConsignedSale]


class ConsignedApi:
    """Handlers. ``now_us``: the wall clock."""

    def __init__(self, consigned: Consigned, now_us: Callable[[], int]) -> None:
        self._consigned, self._now_us = consigned, now_us

    def routes(self) -> list[Route]:
        """Their rows."""
        lost = (NOT_FOUND,)
        own = "What one's own goods brought in a sale"
        return [
            Route("GET", _PATH, self.own_goods, "One's own goods", VIEW_OWN, answer=OwnGoods),
            Route(
                "GET",
                _RESULTS,
                self.own_results,
                f"{own}, and what one gets of it",
                VIEW_OWN,
                answer=ConsignedResults,
                problems=lost,
            ),
            Route(
                "GET",
                f"{_RESULTS}.csv",
                self.own_results_csv,
                f"{own}, as a table",
                VIEW_OWN,
                answer=Media(CSV_TYPE),
                problems=lost,
            ),
            Route(
                "GET",
                f"{_RESULTS}.xlsx",
                self.own_results_xlsx,
                f"{own}, as a workbook",
                VIEW_OWN,
                answer=Media(XLSX_TYPE),
                problems=lost,
            ),
        ]

    async def own_goods(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/consignor."""
        return answer(request, await own_goods(self._consigned, request, self._now_us()))

    async def own_results(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/consignor/sales/{sale_id}/results."""
        return answer(request, await own_results(self._consigned, request))

    async def own_results_csv(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/consignor/sales/{sale_id}/results.csv."""
        return await table(request, await self._sheet(request))

    async def own_results_xlsx(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/consignor/sales/{sale_id}/results.xlsx."""
        return await workbook(request, await self._sheet(request))

    async def _sheet(self, request: web.Request) -> AnyResults:
        return (await own_results(self._consigned, request)).results


async def own_goods(consigned: Consigned, request: web.Request, now_us: int) -> OwnGoods:
    """The goods of whose people ask."""
    found = await consigned.consigning(signed_in(request).organisation_id, now_us)
    return OwnGoods(found, await consigned.sales([one.consignor_id for one in found]))


async def own_results(consigned: Consigned, request: web.Request) -> ConsignedResults:
    """Of the sale in the path what is the asker's own. Raises NOT_FOUND."""
    sale_id = SaleId(word_of(request, "sale_id"))
    consignor_id = await consigned.consignor_in(signed_in(request).organisation_id, sale_id)
    found = None if consignor_id is None else await consigned.results(sale_id, consignor_id)
    if found is None:
        raise NOT_FOUND()
    return found
