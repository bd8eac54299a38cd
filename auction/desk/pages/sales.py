"""/desk/sales: drafts and what became of them, as a list and by month."""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from accounts.http.guard import signed_in
from auction.desk.access import RUN, VIEW, may_run, own_desk, own_seller
from auction.desk.pages.calendars import month_of, month_page
from auction.desk.pages.navigation import TABS
from auction.desk.pages.room import SALES, DeskPagesRoom, sale_path, show
from auction.desk.refusals import Refused
from auction.desk.sale_drafts import SaleDraft
from foundation.http.pages import FlashKind, see_other
from foundation.http.routes import Route

# The latest changed; some years of weekly sales.
MOST_SALES: Final = 500


class SalesPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", SALES, self.show, "A liquidator's sales", VIEW),
            Route("POST", SALES, self.create, "A new sale", RUN),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/sales; with ``month`` as a calendar."""
        owner = own_desk(request)
        sales = await self._room.sales.list(owner, None, MOST_SALES)
        wanted = request.query.get("month")
        now_us = self._room.now_us()
        today = datetime.fromtimestamp(now_us / 1_000_000, UTC).date()
        first = month_of(wanted or "", today)
        return show(
            request,
            "sales.html",
            tabs=TABS,
            runs=may_run(request, owner),
            sales=sales,
            boards=await self._room.today.boards(sales),
            now_us=now_us,
            month=None if wanted is None else month_page(first, sales),
            this_month=f"{today:%Y-%m}",
            today=today,
        )

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/sales."""
        seller = own_seller(request)
        name = signed_in(request).organisation_name[:120]
        try:
            sale = await self._room.sales.create(seller, SaleDraft(liquidator_name=name))
        except Refused as refused:
            return see_other(SALES, refused.message, FlashKind.ERROR)
        return see_other(sale_path(sale.sale_id), "A new sale: say what, where and when.")
