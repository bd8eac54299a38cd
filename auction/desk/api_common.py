"""What the handlers of the desk's API share: its rows, what they tell, refusals as problems."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.guard import signed_in
from accounts.permissions import Access
from auction.catalog.goods import Condition
from auction.desk.access import visible
from auction.desk.lot_drafts import DraftedLot, LotDraft, Origin
from auction.desk.refusals import MEANINGS, Refusal, Refused
from auction.desk.sale_drafts import DraftedSale, DraftState, SaleDraft
from auction.ids import ALiquidatorId, LiquidatorId, LotId, SaleId
from foundation.http.cursors import Paging
from foundation.http.problems import ProblemKind
from foundation.http.refusals import Refusals, kinds_of
from foundation.http.routes import Handler, Route
from foundation.http.versions import IF_MATCH, SEEN_PROBLEMS

DESK: Final = "/api/v1/desk"

# The others are refused because of how things stand: 409.
_STATUSES: Final = {
    Refusal.CHANGED_MEANWHILE: 412,
    Refusal.BAD_ADDRESS: 422,
    Refusal.BAD_AGREEMENT: 422,
    Refusal.BAD_GTIN: 422,
    Refusal.BAD_LINES: 422,
    Refusal.BAD_PHOTO: 422,
    Refusal.BAD_TERMS: 422,
    Refusal.BAD_TIME: 422,
    Refusal.NOTHING_NAMED: 422,
    Refusal.UNKNOWN_AGREEMENT: 422,
    Refusal.UNKNOWN_CONSIGNOR: 422,
    Refusal.UNREADABLE_FILE: 422,
    Refusal.BUSY: 503,
}
REFUSALS: Final = Refusals(Refused, kinds_of(MEANINGS, _STATUSES))

DraftId = Annotated[str, Meta(min_length=1, max_length=64)]


class DeskPaging(Paging):
    """A list of a liquidator's: for its own people by default their own."""

    liquidator_id: ALiquidatorId | None = None


class DeskLot(Struct, frozen=True, kw_only=True):
    """The draft of a lot. ``sale_id``, ``place`` and ``number``: in the sale that it is in.

    ``condition`` labels it: the lowest grade of its lines; ``conditions`` counts them by grade.
    """

    draft_id: str
    liquidator_id: LiquidatorId
    version: int
    sale_id: SaleId | None
    sale_state: str | None
    place: int | None
    number: LotId | None
    draft: LotDraft
    lines: int
    units: int
    retail_minor: int
    condition: Condition | None
    conditions: Mapping[Condition, int]
    origin: Origin


class DeskLots(Struct, frozen=True):
    """Drafts of lots."""

    items: Sequence[DeskLot]


class DeskSale(Struct, frozen=True, kw_only=True):
    """The draft of a sale, and how far it has come. ``lots``: how many are in it.

    ``series_id``: of the sales that were made together as one that comes again.
    """

    sale_id: SaleId
    liquidator_id: LiquidatorId
    version: int
    state: DraftState
    draft: SaleDraft
    lots: int
    changed_at_us: int
    series_id: str | None


class DeskSales(Struct, frozen=True):
    """Drafts of sales."""

    items: Sequence[DeskSale]


def lot_shown(lot: DraftedLot) -> DeskLot:
    """As the API tells it."""
    fields = {name: getattr(lot, name) for name in DeskLot.__struct_fields__}
    return DeskLot(**fields)


def lots_shown(lots: Sequence[DraftedLot]) -> DeskLots:
    """As the API tells them."""
    return DeskLots([lot_shown(lot) for lot in lots])


def sale_shown(sale: DraftedSale) -> DeskSale:
    """As the API tells it."""
    return DeskSale(**{name: getattr(sale, name) for name in DeskSale.__struct_fields__})


def row(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    access: Access,
    *refusals: Refusal,
    seen: bool = False,
    problems: tuple[ProblemKind, ...] = (),
    **more: Any,
) -> Route:
    """A row under /desk whose refusals are told. ``seen``: it asks which version was seen."""
    all_refusals = [*refusals, *((Refusal.CHANGED_MEANWHILE,) if seen else ())]
    if "{" in path:
        all_refusals.append(Refusal.NOT_FOUND)
    return Route(
        method,
        f"{DESK}{path}",
        REFUSALS.told(handler),
        summary,
        access,
        problems=(*REFUSALS.kinds(*all_refusals), *(SEEN_PROBLEMS if seen else ()), *problems),
        headers=(IF_MATCH,) if seen else (),
        **more,
    )


def wanted_desk(request: web.Request, asked: DeskPaging) -> LiquidatorId:
    """Whose list is asked for. Raises NOT_FOUND for one that may not be looked at."""
    own = LiquidatorId(signed_in(request).organisation_id)
    return visible(request, asked.liquidator_id or own)
