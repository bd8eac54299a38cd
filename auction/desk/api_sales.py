"""Sales before they are published, their templates, and publishing, over HTTP."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import word_of
from auction.desk.access import RUN, VIEW, draft_of, own_seller, sale_of, seller_of, visible
from auction.desk.api_common import (
    DESK,
    DeskLots,
    DeskPaging,
    DeskSale,
    DeskSales,
    DraftId,
    lots_shown,
    row,
    sale_shown,
    wanted_desk,
)
from auction.desk.checks import Finding
from auction.desk.lot_drafts import lots_seen
from auction.desk.recurrence import MOST, Recurrence
from auction.desk.refusals import Refusal
from auction.desk.relisting import Relisting, on_day
from auction.desk.sale_drafts import DraftState, SaleDraft
from auction.desk.sales import Sales
from auction.desk.schedule import MAX_LOTS
from auction.desk.seller import Seller
from auction.desk.templates import SaleTemplate, TemplateName, Templates
from auction.ids import ALiquidatorId, ALotId, LiquidatorId, SaleId
from foundation.http.answers import answer, created, no_content
from foundation.http.cursors import Listing, key_of_cursor, listing
from foundation.http.problems import INVALID
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from foundation.http.versions import version_seen

MAX_IDS_BODY: Final = 128 * 1_024
# Words, terms, and everybody who is invited.
MAX_SALE_BODY: Final = 256 * 1_024


class LotIds(Input):
    """Drafts of lots, in their order."""

    draft_ids: Annotated[list[DraftId], Meta(min_length=1, max_length=MAX_LOTS)]


class NewNumber(Input):
    """A lot's number in its sale: 12, 12A."""

    number: ALotId


class Cloning(Input):
    """``day``: on which the copy opens, at the same times of day; null: the same day.

    ``relisting``: with the lots that passed; null: without lots.
    """

    day: date | None = None
    relisting: Relisting | None = None


class Repeating(Input):
    """How a sale comes again, and how many drafts of it are wanted."""

    recurrence: Recurrence
    most: Annotated[int, Meta(ge=1, le=MOST)]


class TemplateIn(Input):
    """A template's name and content."""

    name: TemplateName
    draft: SaleDraft


class OnDay(Input):
    """The day on which a sale of the template opens; null: as the template has it."""

    day: date | None = None


class OfLiquidator(Input):
    """Whose they are; for its own people their own."""

    liquidator_id: ALiquidatorId | None = None


class Findings(Struct, frozen=True):
    """What the checks before publishing find, errors first; ``ready``: there is no error.

    ``lots_seen``: to be named when publishing, so that no lot is published as nobody has seen it.
    """

    ready: bool
    items: Sequence[Finding]
    lots_seen: str


class Publishing(Input):
    """``lots_seen``: of the checks; with it, a lot that has changed since is not published."""

    lots_seen: Annotated[str, Meta(max_length=64)] | None = None


class Publication(Struct, frozen=True):
    """PUBLISHED, or PUBLISHING while the engine is away: it goes on by itself."""

    sale_id: SaleId
    state: DraftState


class TemplateList(Struct, frozen=True):
    """A liquidator's templates, by name."""

    items: Sequence[SaleTemplate]


class SaleDraftKey(Struct, frozen=True):
    """The place of a draft among sales."""

    changed_at_us: int
    sale_id: SaleId


class SalesApi:
    """Handlers."""

    def __init__(self, sales: Sales, templates: Templates) -> None:
        self._sales, self._templates = sales, templates

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            *self._of_sales(),
            *self._of_their_lots(),
            *self._of_copies(),
            *self._of_templates(),
        ]

    def _of_sales(self) -> list[Route]:
        sale, published = "/sales/{sale_id}", Refusal.PUBLISHED_ALREADY
        return [
            row(
                "GET",
                "/sales",
                self.sales,
                "A liquidator's sales and drafts of sales, the latest changed first",
                VIEW,
                Refusal.NOT_FOUND,
                query=DeskPaging,
                answer=Listing[DeskSale],
                problems=(INVALID,),
            ),
            row(
                "POST",
                "/sales",
                self.add_sale,
                "A new draft of a sale",
                RUN,
                *(Refusal.NOT_FOUND, Refusal.TOO_MANY),
                body=SaleDraft,
                max_body=MAX_SALE_BODY,
                answer=DeskSale,
                status=201,
            ),
            row("GET", sale, self.sale, "A draft of a sale", VIEW, answer=DeskSale),
            row(
                "PUT",
                sale,
                self.change_sale,
                "Replace what a draft of a sale says",
                RUN,
                published,
                seen=True,
                body=SaleDraft,
                max_body=MAX_SALE_BODY,
                answer=DeskSale,
            ),
            row(
                "DELETE",
                sale,
                self.drop_sale,
                "Give up a draft of a sale; its lots are in stock again",
                RUN,
                published,
                seen=True,
                status=204,
            ),
            row(
                "GET",
                f"{sale}/checks",
                self.check_sale,
                "What stands in the way of publishing, and what to think of",
                VIEW,
                answer=Findings,
            ),
            row(
                "POST",
                f"{sale}/publication",
                self.publish_sale,
                "Publish a sale as it was seen",
                RUN,
                *(published, Refusal.NOT_READY),
                seen=True,
                query=Publishing,
                answer=Publication,
            ),
        ]

    def _of_their_lots(self) -> list[Route]:
        lots, published = "/sales/{sale_id}/lots", Refusal.PUBLISHED_ALREADY
        return [
            row(
                "GET",
                lots,
                self.lots_of_draft,
                "The lots of a draft of a sale, in the order of its catalogue",
                VIEW,
                answer=DeskLots,
            ),
            row(
                "POST",
                lots,
                self.put_in,
                "Put lots of the stock into a sale, as its last",
                RUN,
                *(published, Refusal.NOT_IN_STOCK, Refusal.TOO_MANY),
                seen=True,
                body=LotIds,
                answer=DeskSale,
                max_body=MAX_IDS_BODY,
            ),
            row(
                "POST",
                f"{lots}/removal",
                self.take_out,
                "Take lots out of a sale, back into the stock",
                RUN,
                published,
                seen=True,
                body=LotIds,
                answer=DeskSale,
                max_body=MAX_IDS_BODY,
            ),
            row(
                "PUT",
                f"{lots}/order",
                self.order_lots,
                "Put all lots of a sale in this order",
                RUN,
                published,
                seen=True,
                body=LotIds,
                answer=DeskSale,
                max_body=MAX_IDS_BODY,
            ),
            row(
                "PUT",
                f"{lots}/{{draft_id}}/number",
                self.renumber_lot,
                "Give a lot of a sale another number",
                RUN,
                *(published, Refusal.NUMBER_TAKEN),
                seen=True,
                body=NewNumber,
                answer=DeskSale,
            ),
        ]

    def _of_copies(self) -> list[Route]:
        sale = "/sales/{sale_id}"
        return [
            row(
                "POST",
                f"{sale}/clone",
                self.clone_sale,
                "A draft of the same sale on another day, with what passed if that is wanted",
                RUN,
                *(Refusal.BAD_TIME, Refusal.TOO_MANY),
                body=Cloning,
                answer=DeskSale,
                status=201,
            ),
            row(
                "POST",
                f"{sale}/repeats",
                self.repeat_sale,
                "Drafts of the same sale on the days on which it comes again",
                RUN,
                *(Refusal.BAD_TIME, Refusal.NOT_NOW, Refusal.TOO_MANY),
                body=Repeating,
                answer=DeskSales,
                status=201,
            ),
            row(
                "DELETE",
                f"{sale}/repeats",
                self.stop_repeating,
                "Give up the other drafts that were made with this sale as one that comes again",
                RUN,
                Refusal.NOT_NOW,
                status=204,
            ),
            row(
                "POST",
                f"{sale}/relisting",
                self.relist_lots,
                "The lots of a sale that passed, in stock again, each of them once",
                RUN,
                *(Refusal.NOT_PUBLISHED, Refusal.TOO_MANY),
                body=Relisting,
                answer=DeskLots,
                status=201,
            ),
        ]

    def _of_templates(self) -> list[Route]:
        template = "/templates/{template_id}"
        return [
            row(
                "GET",
                "/templates",
                self.templates,
                "A liquidator's templates of sales",
                VIEW,
                Refusal.NOT_FOUND,
                query=OfLiquidator,
                answer=TemplateList,
            ),
            row(
                "POST",
                "/templates",
                self.add_template,
                "A new template of sales",
                RUN,
                *(Refusal.NOT_FOUND, Refusal.NAME_TAKEN, Refusal.TOO_MANY),
                body=TemplateIn,
                max_body=MAX_SALE_BODY,
                answer=SaleTemplate,
                status=201,
            ),
            row("GET", template, self.template, "A template", VIEW, answer=SaleTemplate),
            row(
                "PUT",
                template,
                self.change_template,
                "Replace a template",
                RUN,
                Refusal.NAME_TAKEN,
                seen=True,
                body=TemplateIn,
                max_body=MAX_SALE_BODY,
                answer=SaleTemplate,
            ),
            row(
                "DELETE",
                template,
                self.remove_template,
                "Remove a template",
                RUN,
                seen=True,
                status=204,
            ),
            row(
                "POST",
                f"{template}/sales",
                self.sale_of_template,
                "A new draft of a sale as the template has it",
                RUN,
                *(Refusal.BAD_TIME, Refusal.TOO_MANY),
                body=OnDay,
                answer=DeskSale,
                status=201,
            ),
        ]

    # Sales.

    async def sales(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales."""
        asked = query_of(request, DeskPaging)
        key = key_of_cursor(asked.cursor, SaleDraftKey)
        after = None if key is None else (key.changed_at_us, key.sale_id)
        found = await self._sales.list(wanted_desk(request, asked), after, asked.limit + 1)
        page = listing(
            found,
            asked.limit,
            sale_shown,
            lambda sale: SaleDraftKey(sale.changed_at_us, sale.sale_id),
        )
        return answer(request, page)

    async def add_sale(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales."""
        draft = await body_of(request, SaleDraft)
        sale = await self._sales.create(own_seller(request), draft)
        return created(request, sale_shown(sale), f"{DESK}/sales/{sale.sale_id}")

    async def sale(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}."""
        sale = await self._sales.read(await self._visible(request), sale_of(request))
        return answer(request, sale_shown(sale), version=sale.version)

    async def change_sale(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/sales/{sale_id}."""
        version, draft = version_seen(request), await body_of(request, SaleDraft)
        by = await self._seller(request)
        return answer(
            request, sale_shown(await self._sales.change(by, sale_of(request), version, draft))
        )

    async def drop_sale(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/desk/sales/{sale_id}."""
        version, by = version_seen(request), await self._seller(request)
        await self._sales.drop(by, sale_of(request), version)
        return no_content()

    async def check_sale(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/checks."""
        owner, sale_id = await self._visible(request), sale_of(request)
        # First what is seen: what changes between the two is found when it is published.
        seen = lots_seen(await self._sales.lots(owner, sale_id))
        found = await self._sales.check(owner, sale_id)
        ready = all(finding.level != "ERROR" for finding in found)
        return answer(request, Findings(ready, found, seen))

    async def publish_sale(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/publication."""
        version, by, sale_id = version_seen(request), await self._seller(request), sale_of(request)
        seen = query_of(request, Publishing).lots_seen
        state = await self._sales.publish(by, sale_id, version, seen)
        return answer(request, Publication(sale_id, state))

    # Their lots.

    async def lots_of_draft(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/lots."""
        lots = await self._sales.lots(await self._visible(request), sale_of(request))
        return answer(request, lots_shown(lots))

    async def put_in(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/lots."""
        version, asked = version_seen(request), await body_of(request, LotIds)
        by = await self._seller(request)
        sale = await self._sales.put_in(by, sale_of(request), version, asked.draft_ids)
        return answer(request, sale_shown(sale))

    async def take_out(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/lots/removal."""
        version, asked = version_seen(request), await body_of(request, LotIds)
        by = await self._seller(request)
        sale = await self._sales.take_out(by, sale_of(request), version, asked.draft_ids)
        return answer(request, sale_shown(sale))

    async def order_lots(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/sales/{sale_id}/lots/order."""
        version, asked = version_seen(request), await body_of(request, LotIds)
        by = await self._seller(request)
        sale = await self._sales.order(by, sale_of(request), version, asked.draft_ids)
        return answer(request, sale_shown(sale))

    async def renumber_lot(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/sales/{sale_id}/lots/{draft_id}/number."""
        version, asked = version_seen(request), await body_of(request, NewNumber)
        by, draft_id = await self._seller(request), draft_of(request)
        sale = await self._sales.renumber(by, sale_of(request), version, draft_id, asked.number)
        return answer(request, sale_shown(sale))

    # Copies.

    async def clone_sale(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/clone."""
        asked, by = await body_of(request, Cloning), await self._seller(request)
        sale = await self._sales.clone(by, sale_of(request), asked.day, asked.relisting)
        return created(request, sale_shown(sale), f"{DESK}/sales/{sale.sale_id}")

    async def repeat_sale(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/repeats."""
        asked, by = await body_of(request, Repeating), await self._seller(request)
        made = await self._sales.repeat(by, sale_of(request), asked.recurrence, asked.most)
        return answer(request, DeskSales([sale_shown(sale) for sale in made]), status=201)

    async def stop_repeating(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/desk/sales/{sale_id}/repeats."""
        await self._sales.stop_repeating(await self._seller(request), sale_of(request))
        return no_content()

    async def relist_lots(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/relisting."""
        asked, by = await body_of(request, Relisting), await self._seller(request)
        lots = await self._sales.relist(by, sale_of(request), asked)
        return answer(request, lots_shown(lots), status=201)

    # Templates.

    async def templates(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/templates."""
        asked = query_of(request, OfLiquidator)
        owner = wanted_desk(request, DeskPaging(liquidator_id=asked.liquidator_id))
        return answer(request, TemplateList(await self._templates.list(owner)))

    async def add_template(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/templates."""
        asked = await body_of(request, TemplateIn)
        template = await self._templates.add(own_seller(request), asked.name, asked.draft)
        return created(request, template, f"{DESK}/templates/{template.template_id}")

    async def template(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/templates/{template_id}."""
        template_id = _template_of(request)
        owner = visible(request, await self._templates.owner_of(template_id))
        template = await self._templates.read(owner, template_id)
        return answer(request, template, version=template.version)

    async def change_template(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/templates/{template_id}."""
        version, asked = version_seen(request), await body_of(request, TemplateIn)
        template_id = _template_of(request)
        by = seller_of(request, await self._templates.owner_of(template_id))
        template = await self._templates.change(by, template_id, version, asked.name, asked.draft)
        return answer(request, template)

    async def remove_template(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/desk/templates/{template_id}."""
        version, template_id = version_seen(request), _template_of(request)
        by = seller_of(request, await self._templates.owner_of(template_id))
        await self._templates.remove(by, template_id, version)
        return no_content()

    async def sale_of_template(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/templates/{template_id}/sales."""
        asked, template_id = await body_of(request, OnDay), _template_of(request)
        by = seller_of(request, await self._templates.owner_of(template_id))
        draft = (await self._templates.read(by.liquidator_id, template_id)).draft
        sale = await self._sales.create(
            by, draft if asked.day is None else on_day(draft, asked.day)
        )
        return created(request, sale_shown(sale), f"{DESK}/sales/{sale.sale_id}")

    async def _visible(self, request: web.Request) -> LiquidatorId:
        return visible(request, await self._sales.owner_of(sale_of(request)))

    async def _seller(self, request: web.Request) -> Seller:
        return seller_of(request, await self._sales.owner_of(sale_of(request)))


def _template_of(request: web.Request) -> str:
    return word_of(request, "template_id")
