"""What the desk's pages are made of, and what all of them do: whose desk it is, and who may.

Everybody of a liquidator may look (VIEW_DESK), its sellers may act (RUN_SALE). Another
liquidator's object is answered as one that does not exist. Staff see a seller's lots and sales by
their addresses; a desk of their own they do not have.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from accounts.http.common import word_of
from accounts.http.guard import can, require, signed_in
from accounts.identity import OrganisationKind
from accounts.ids import OrganisationId
from accounts.permissions import Access, Action
from auction.catalog.words import KINDS
from auction.desk.api_common import REFUSALS
from auction.desk.guidance import PriceGuidance
from auction.desk.imports import Imports
from auction.desk.live_board import LiveBoards
from auction.desk.lots import Lots
from auction.desk.refusals import Refusal, Refused
from auction.desk.results import Results
from auction.desk.room import Desk
from auction.desk.running import Running
from auction.desk.sales import Sales
from auction.desk.seller import Seller
from auction.desk.templates import Templates
from auction.desk.today import Today
from auction.ids import ActorId, LiquidatorId, SaleId
from foundation.database import Pool
from foundation.http.modules import modules
from foundation.http.pages import page
from foundation.http.problems import NOT_FOUND

VIEW: Final = Access(Action.VIEW_DESK)
RUN: Final = Access(Action.RUN_SALE)

DESK, LOTS, SALES, IMPORT = "/desk", "/desk/lots", "/desk/sales", "/desk/import"


@dataclass(frozen=True)
class DeskPagesRoom:
    """The services that pages call. ``now_us``: the clock that lots end by."""

    lots: Lots
    sales: Sales
    templates: Templates
    imports: Imports
    guidance: PriceGuidance
    results: Results
    running: Running
    boards: LiveBoards
    today: Today
    now_us: Callable[[], int]

    @classmethod
    def of(cls, desk: Desk, pool: Pool, now_us: Callable[[], int]) -> "DeskPagesRoom":
        """The services of a desk, and what only pages ask for."""
        return cls(
            lots=desk.lots,
            sales=desk.sales,
            templates=desk.templates,
            imports=desk.imports,
            guidance=desk.guidance,
            results=desk.results,
            running=desk.running,
            boards=desk.boards,
            today=Today(pool),
            now_us=now_us,
        )


def own_desk(request: web.Request) -> LiquidatorId:
    """Whose desk somebody sits at. Raises `Problem` 404 for who is of no liquidator."""
    identity = signed_in(request)
    if identity.organisation_kind is not OrganisationKind.LIQUIDATOR:
        raise NOT_FOUND("Only the people of a liquidator have a desk.")
    return LiquidatorId(identity.organisation_id)


def seller_of(request: web.Request, liquidator_id: LiquidatorId) -> Seller:
    """Who acts on what is this liquidator's. Raises `Problem` 404 for a foreigner."""
    require(request, Action.RUN_SALE, OrganisationId(liquidator_id))
    return Seller(liquidator_id, ActorId(signed_in(request).person_id))


def own_seller(request: web.Request) -> Seller:
    """Who acts at their own desk."""
    return seller_of(request, own_desk(request))


async def owner_of_lot(room: DeskPagesRoom, request: web.Request) -> tuple[LiquidatorId, str]:
    """The liquidator of the lot in the path, if who asks may see it, and the lot."""
    draft_id = word_of(request, "draft_id")
    return _seen(request, await room.lots.owner_of(draft_id)), draft_id


async def owner_of_sale(room: DeskPagesRoom, request: web.Request) -> tuple[LiquidatorId, SaleId]:
    """The liquidator of the sale in the path, if who asks may see it, and the sale."""
    sale_id = SaleId(word_of(request, "sale_id"))
    return _seen(request, await room.sales.owner_of(sale_id)), sale_id


def _seen(request: web.Request, owner: LiquidatorId | None) -> LiquidatorId:
    if owner is None:
        raise NOT_FOUND()
    require(request, Action.VIEW_DESK, OrganisationId(owner))
    return owner


def may_run(request: web.Request, liquidator_id: LiquidatorId) -> bool:
    """Whether who looks may change what is this liquidator's."""
    return can(request, Action.RUN_SALE, OrganisationId(liquidator_id))


def status_of(refused: Refused) -> int:
    """The status of a page that shows a refusal. Raises `Problem` for NOT_FOUND."""
    problem = REFUSALS.problem_of(refused)
    if refused.refusal is Refusal.NOT_FOUND:
        raise problem
    return problem.kind.status


def lot_path(draft_id: str, *more: str) -> str:
    """The address of a lot's draft, or of something of it."""
    return "/".join((LOTS, quote(draft_id, safe=""), *more))


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
        KINDS=KINDS,
        **values,
    )
