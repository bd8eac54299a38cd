"""/consignor: what a consignor's own people see of its goods."""

from typing import Final
from urllib.parse import quote

from aiohttp import web

from accounts.http.guard import signed_in
from auction.consignment import in_words
from auction.desk.api_common import REFUSALS
from auction.desk.api_consigned import VIEW_OWN, own_goods, own_results
from auction.desk.pages.consignors import worked_example
from auction.desk.pages.room import DeskPagesRoom, show
from foundation.http.routes import Route

OWN: Final = "/consignor"


def own_sale_path(sale_id: str) -> str:
    """The address of a consignor's goods in a sale."""
    return f"{OWN}/sales/{quote(sale_id, safe='')}"


class ConsignedPages:
    """Handlers. A sale without goods of theirs is answered as one that does not exist."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        sale, told = f"{OWN}/sales/{{sale_id}}", REFUSALS.told
        return [
            Route("GET", OWN, told(self.show_all), "A consignor's own goods", VIEW_OWN),
            Route("GET", sale, told(self.show_sale), "A consignor's goods in a sale", VIEW_OWN),
        ]

    async def show_all(self, request: web.Request) -> web.StreamResponse:
        """GET /consignor."""
        found = await own_goods(self._room.consigned, request, self._room.wall_us())
        return show(
            request,
            "consigned.html",
            found=found,
            agreed=[
                (
                    one.seller,
                    agreement,
                    in_words(agreement.terms, "The consignor"),
                    worked_example(agreement.terms, "the consignor"),
                )
                for one in found.consigning
                for agreement in one.agreements
            ],
            own_sale_path=own_sale_path,
            organisation_id=signed_in(request).organisation_id,
        )

    async def show_sale(self, request: web.Request) -> web.StreamResponse:
        """GET /consignor/sales/{sale_id}."""
        found = await own_results(self._room.consigned, request)
        return show(
            request,
            "consigned_sale.html",
            found=found,
            results=found.results,
            shares={one.lot_id: one.share for one in found.shares},
            api=f"/api/v1{own_sale_path(found.results.sale_id)}/results",
        )
