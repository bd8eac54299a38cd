"""What the desk's pages are made of, and what all of them do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import web

from auction.catalog.words import KINDS
from auction.desk.access import draft_of, sale_of, visible
from auction.desk.api_common import REFUSALS
from auction.desk.buyer_groups import BuyerGroups
from auction.desk.consigned import Consigned
from auction.desk.consignor_sums import ConsignorSums
from auction.desk.consignors import Consignors
from auction.desk.guests import Guests
from auction.desk.guidance import PriceGuidance
from auction.desk.imports import Imports
from auction.desk.live_board import LiveBoards
from auction.desk.lots import Lots
from auction.desk.pages.times import in_zone, on_the_wall
from auction.desk.photos import Photos
from auction.desk.questions import Questions
from auction.desk.recalls import Recalls
from auction.desk.refusals import Refusal, Refused
from auction.desk.results import Results
from auction.desk.room import Desk
from auction.desk.running import Running
from auction.desk.sales import Sales
from auction.desk.templates import Templates
from auction.desk.today import Today
from auction.desk.webhooks import Webhooks
from auction.ids import LiquidatorId, SaleId
from foundation.database import Pool
from foundation.http.modules import modules
from foundation.http.pages import page

DESK, LOTS, SALES, IMPORT = "/desk", "/desk/lots", "/desk/sales", "/desk/import"

QUESTIONS = "/desk/questions"


@dataclass(frozen=True)
class DeskPagesRoom:
    """The services that pages call. ``now_us``: the clock that lots end by."""

    lots: Lots
    photos: Photos
    sales: Sales
    templates: Templates
    imports: Imports
    guidance: PriceGuidance
    results: Results
    running: Running
    boards: LiveBoards
    questions: Questions
    groups: BuyerGroups
    guests: Guests
    recalls: Recalls
    webhooks: Webhooks
    consignors: Consignors
    consignor_sums: ConsignorSums
    consigned: Consigned
    wall_us: Callable[[], int]
    today: Today
    now_us: Callable[[], int]
    pool: Pool

    @classmethod
    def of(cls, desk: Desk, pool: Pool, now_us: Callable[[], int]) -> "DeskPagesRoom":
        """The services of a desk, and what only pages ask for."""
        return cls(
            lots=desk.lots,
            photos=desk.photos,
            sales=desk.sales,
            templates=desk.templates,
            imports=desk.imports,
            guidance=desk.guidance,
            results=desk.results,
            running=desk.running,
            boards=desk.boards,
            questions=desk.questions,
            groups=desk.groups,
            guests=desk.guests,
            recalls=desk.recalls,
            webhooks=desk.webhooks,
            consignors=desk.consignors,
            consignor_sums=ConsignorSums(pool),
            consigned=desk.consigned,
            wall_us=desk.wall_us,
            today=Today(pool),
            now_us=now_us,
            pool=pool,
        )


async def owner_of_lot(room: DeskPagesRoom, request: web.Request) -> tuple[LiquidatorId, str]:
    """The liquidator of the lot in the path, if who asks may see it, and the lot."""
    draft_id = draft_of(request)
    return visible(request, await room.lots.owner_of(draft_id)), draft_id


async def owner_of_sale(room: DeskPagesRoom, request: web.Request) -> tuple[LiquidatorId, SaleId]:
    """The liquidator of the sale in the path, if who asks may see it, and the sale."""
    sale_id = sale_of(request)
    return visible(request, await room.sales.owner_of(sale_id)), sale_id


def status_of(refused: Refused) -> int:
    """The status of a page that shows a refusal. Raises `Problem` for NOT_FOUND."""
    problem = REFUSALS.problem_of(refused)
    if refused.refusal is Refusal.NOT_FOUND:
        raise problem
    return problem.kind.status


def lot_path(draft_id: str, *more: str) -> str:
    """The address of a lot's draft, or of something of it."""
    return "/".join((LOTS, quote(draft_id, safe=""), *more))


def question_path(question_id: str) -> str:
    """The address of a question."""
    return f"{QUESTIONS}/{quote(question_id, safe='')}"


def sale_path(sale_id: SaleId | str, *more: str) -> str:
    """The address of a sale at the desk, or of something of it."""
    return "/".join((SALES, quote(sale_id, safe=""), *more))


def show(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> web.Response:
    """A page of this room."""
    return page(
        request,
        f"auction/{template}",
        status=status,
        headers=headers,
        lot_path=lot_path,
        sale_path=sale_path,
        modules=modules,
        in_zone=in_zone,
        on_the_wall=on_the_wall,
        KINDS=KINDS,
        **values,
    )
