"""/desk/sales/{sale_id}/publish: the last look at a sale, and how far publishing has come."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from auction.desk.access import RUN, VIEW, may_run, seller_of
from auction.desk.api_common import REFUSALS
from auction.desk.checks import Finding, Level
from auction.desk.lot_drafts import lots_seen
from auction.desk.pages.lot_fields import field_of
from auction.desk.pages.room import (
    SALES,
    DeskPagesRoom,
    lot_path,
    owner_of_sale,
    sale_path,
    show,
    status_of,
)
from auction.desk.pages.times import ends_of, opens_of
from auction.desk.refusals import Refusal, Refused
from auction.desk.sale_drafts import DraftedSale, DraftState
from auction.ids import LiquidatorId, SaleId
from auction.terms import SaleAudience
from foundation.http.answers import answer
from foundation.http.forms import form_of
from foundation.http.pages import see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route

# Findings that are listed; a thousand lots without a weight are one thing to mend.
FINDINGS_SHOWN: Final = 60
# Who finds a sale once it is published.
SEEN_BY: Final = {
    SaleAudience.PUBLIC: "Everybody",
    SaleAudience.GROUP: "Who is in its groups of buyers, and nobody else,",
    SaleAudience.INVITE: "Whom you invited, and nobody else,",
}


class Seen(Input):
    """The sale as it was looked at, and its lots."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    lots_seen: Annotated[str, Meta(max_length=64)]


class Progress(Struct, frozen=True):
    """How far publishing has come."""

    state: DraftState
    scheduled: int
    lots: int


class Todo(Struct, frozen=True):
    """A finding with the way to its field."""

    finding: Finding
    href: str

    @property
    def is_error(self) -> bool:
        return self.finding.level is Level.ERROR


class PublishPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one, told = f"{SALES}/{{sale_id}}", REFUSALS.told
        return [
            Route("GET", f"{one}/publish", told(self.show), "Look again before publishing", VIEW),
            Route("POST", f"{one}/publish", told(self.publish), "Publish a sale", RUN),
            Route("GET", f"{one}/progress", told(self.progress), "How far publishing is", VIEW),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET .../publish."""
        owner, sale_id = await owner_of_sale(self._room, request)
        sale = await self._room.sales.read(owner, sale_id)
        if sale.state is not DraftState.DRAFT:
            return see_other(sale_path(sale_id))
        return await self._page(request, owner, sale)

    async def publish(self, request: web.Request) -> web.StreamResponse:
        """POST .../publish: returns when it is published, or goes on by itself."""
        form = await form_of(request, Seen)
        owner, sale_id = await owner_of_sale(self._room, request)
        seller, given = seller_of(request, owner), form.valid
        if given is None:
            raise INVALID("Say which version.")
        sale = await self._room.sales.read(owner, sale_id)
        try:
            state = await self._room.sales.publish(seller, sale_id, given.version, given.lots_seen)
        except Refused as refused:
            if refused.refusal is Refusal.PUBLISHED_ALREADY:
                return see_other(sale_path(sale_id))
            return await self._page(request, owner, sale, refused.message, status_of(refused))
        if state is DraftState.PUBLISHED:
            seen_by = SEEN_BY[sale.draft.audience]
            return see_other(sale_path(sale_id), f"The sale is published. {seen_by} can see it.")
        return see_other(sale_path(sale_id))

    async def progress(self, request: web.Request) -> web.StreamResponse:
        """GET .../progress."""
        owner, sale_id = await owner_of_sale(self._room, request)
        sale = await self._room.sales.read(owner, sale_id)
        scheduled = await self._room.today.scheduled(sale)
        return answer(request, Progress(sale.state, scheduled, sale.lots))

    async def _page(
        self,
        request: web.Request,
        owner: LiquidatorId,
        sale: DraftedSale,
        refused: str = "",
        status: int = 200,
    ) -> web.Response:
        lots = await self._room.sales.lots(owner, sale.sale_id)
        ends = ends_of(sale.draft, len(lots))
        reserves = [one for lot in lots if (one := lot.draft.reserve_minor) is not None]
        return show(
            request,
            "sale_publish.html",
            status=status,
            sale=sale,
            lots=len(lots),
            lots_seen=lots_seen(lots),
            openings_minor=sum(lot.draft.opening_minor or 0 for lot in lots),
            reserves=len(reserves),
            reserves_minor=sum(reserves),
            msrp_minor=sum(lot.retail_minor for lot in lots),
            runs=may_run(request, owner),
            refused=refused,
            seen_by=SEEN_BY[sale.draft.audience],
            opens=opens_of(sale.draft),
            first_end=ends[0] if ends else "",
            last_end=ends[-1] if ends else "",
            **(await todo_of(self._room, owner, sale.sale_id)),
        )


async def todo_of(room: DeskPagesRoom, owner: LiquidatorId, sale_id: SaleId) -> dict[str, Any]:
    """What the checks find, as the list of them is shown."""
    found = await room.sales.check(owner, sale_id)
    errors = sum(finding.level is Level.ERROR for finding in found)
    return {
        "todo": [Todo(one, _href(sale_id, one)) for one in found[:FINDINGS_SHOWN]],
        "errors": errors,
        "warnings": len(found) - errors,
        "unlisted": max(0, len(found) - FINDINGS_SHOWN),
    }


def _href(sale_id: SaleId, finding: Finding) -> str:
    """The field that a finding is about."""
    if finding.draft_id:
        place = _OF_LOT.get(finding.field) or f"field-{field_of(finding.field)}"
        return f"{lot_path(finding.draft_id)}#{place}"
    return f"{sale_path(sale_id)}#{_OF_SALE.get(finding.field) or f'field-{finding.field}'}"


_OF_LOT: Final[Mapping[str, str]] = {"lines": "manifest", "photos": "photos", "currency": "prices"}
_OF_SALE: Final[Mapping[str, str]] = {
    "lots": "lots",
    "schedule": "field-opens",
    "terms": "terms",
}
