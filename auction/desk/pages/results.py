"""/desk/sales/{sale_id}/results: what a sale brought, against guidance and reserves."""

from aiohttp import web
from msgspec import Struct

from auction.catalog.goods import Condition
from auction.catalog.words import KINDS
from auction.desk.access import VIEW, sale_of, visible
from auction.desk.api_common import REFUSALS
from auction.desk.pages.room import SALES, DeskPagesRoom, sale_path, show
from auction.desk.result_sums import Bin, Part
from auction.desk.results import SaleResults
from foundation.http.pages import FlashKind, see_other
from foundation.http.routes import Route

# Of the plot, in its own units.
PLOT_HEIGHT = 120
COLUMN_WIDTH = 28


class Column(Struct, frozen=True):
    """A column of the plot of recovery."""

    x: int
    y: int
    height: int
    label: str
    lots: int


class ResultPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        path = f"{SALES}/{{sale_id}}/results"
        return [Route("GET", path, REFUSALS.told(self.show), "What a sale brought", VIEW)]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET .../results."""
        sale_id = sale_of(request)
        owner = await self._room.results.owner(sale_id) or await self._room.sales.owner_of(sale_id)
        visible(request, owner)
        found = await self._room.results.of_sale(sale_id)
        if found is None:  # a draft, or the results follow the sale by a moment
            return see_other(sale_path(sale_id), "There are no results yet.", FlashKind.WARNING)
        return show(
            request,
            "results.html",
            found=found,
            groups=_groups(found),
            columns=columns_of(found.distribution),
            plot_height=PLOT_HEIGHT,
            plot_width=max(1, len(found.distribution)) * COLUMN_WIDTH,
            api=f"/api/v1/desk/sales/{sale_id}",
        )


def _groups(found: SaleResults) -> list[tuple[str, list[tuple[str, Part, int]]]]:
    """Each breakdown: its name, and its parts with their share of all that was brought."""
    whole = found.totals.hammer_minor
    return [
        (
            title,
            [
                (name_of(title, part), part, _percent(part.sums.hammer_minor, whole))
                for part in parts
            ],
        )
        for title, parts in (
            ("Category", found.by_category),
            ("Condition", found.by_condition),
            ("Kind of lot", found.by_kind),
            ("Consignor", found.by_consignor),
        )
    ]


def _percent(part_minor: int, whole_minor: int) -> int:
    return round(100 * part_minor / whole_minor) if whole_minor else 0


def name_of(title: str, part: Part) -> str:
    """A part as people read it."""
    if title == "Condition" and part.key in set(Condition):
        return Condition(part.key).on_pages
    if title == "Kind of lot":
        return KINDS.get(part.key or "", part.name)
    return part.name or "Not known"


def columns_of(distribution: tuple[Bin, ...]) -> list[Column]:
    """How recovery is spread, as columns from the left."""
    most = max((one.lots for one in distribution), default=0) or 1
    found = []
    for place, one in enumerate(distribution):
        height = round(PLOT_HEIGHT * one.lots / most)
        upper = "" if one.to_bps is None else f" to {one.to_bps // 100}"
        label = f"{one.from_bps // 100}{upper} %"
        x = place * COLUMN_WIDTH
        found.append(Column(x, PLOT_HEIGHT - height, height, label, one.lots))
    return found
