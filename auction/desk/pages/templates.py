"""/desk/templates: what a liquidator's sales have in common, under a name."""

from datetime import date
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import word_of
from auction.catalog.words import count_words
from auction.desk.access import RUN, VIEW, may_run, own_desk, own_seller, seller_of, visible
from auction.desk.api_common import REFUSALS
from auction.desk.api_sales import MAX_SALE_BODY
from auction.desk.pages.navigation import TABS
from auction.desk.pages.room import DeskPagesRoom, sale_path, show, status_of
from auction.desk.pages.sale_audience import filled, form_options, read_all
from auction.desk.pages.sale_fields import SaleForm, comes_twice
from auction.desk.refusals import Refusal, Refused
from auction.desk.relisting import on_day
from auction.desk.sale_drafts import SaleDraft
from auction.desk.seller import Seller
from auction.desk.templates import SaleTemplate, TemplateName
from auction.ids import LiquidatorId, SaleId
from auction.plain_terms import clauses
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route

TEMPLATES: Final = "/desk/templates"
# Sales that a new template may be made of: the latest changed.
SALES_OFFERED: Final = 100

_Name = Annotated[TemplateName, Meta(extra={"message": "Give it a name, at most 120 characters."})]


class TemplateForm(SaleForm):
    """A template as it is typed: its name, and the fields of a sale."""

    name: str = ""


class NewTemplate(Input):
    """A name, and the sale that it is made of; without one it is empty."""

    name: _Name
    sale: Annotated[str, Meta(max_length=64)] = ""


class Using(Input):
    """The day on which a sale of it opens; null: as the template has it."""

    day: date | None = None


class At(Input):
    """The version that something is done to."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class TemplatePages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one, told, size = f"{TEMPLATES}/{{template_id}}", REFUSALS.told, MAX_SALE_BODY
        return [
            Route("GET", TEMPLATES, told(self.show), "Templates of sales", VIEW),
            Route("POST", TEMPLATES, told(self.add), "A new template", RUN),
            Route("GET", one, told(self.template), "A template", VIEW),
            Route("POST", one, told(self.save), "Save a template", RUN, max_body=size),
            Route("POST", f"{one}/sales", told(self.use), "A new sale of it", RUN),
            Route("POST", f"{one}/remove", told(self.remove), "Remove a template", RUN),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/templates."""
        return await self._list(request, blank())

    async def add(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/templates: what a sale says, under a name."""
        seller, form = own_seller(request), await form_of(request, NewTemplate)
        if form.valid is None:
            return await self._list(request, form, 422)
        try:
            draft = SaleDraft()
            if form.valid.sale:
                sale_id = SaleId(form.valid.sale)
                draft = (await self._room.sales.read(seller.liquidator_id, sale_id)).draft
            made = await self._room.templates.add(seller, form.valid.name, draft)
        except Refused as refused:
            if refused.refusal is Refusal.NOT_FOUND:
                return await self._list(request, form.refused("sale", refused.message), 422)
            form = form.refused(refused.field, refused.message)
            return await self._list(request, form, status_of(refused))
        return see_other(_path(made.template_id), f"The template “{made.name}” is kept.")

    async def template(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/templates/{template_id}."""
        owner, template_id = await self._visible(request)
        template = await self._room.templates.read(owner, template_id)
        return await self._one(request, template, await self._form_of(template))

    async def save(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/templates/{template_id}: its name and all that it says."""
        form = await form_of(request, TemplateForm)
        seller, template_id = await self._seller(request)
        template = await self._room.templates.read(seller.liquidator_id, template_id)
        if form.valid is None:
            return await self._one(request, template, form, 422)
        draft, faults = await read_all(self._room, seller.liquidator_id, form.valid, template.draft)
        name = form.valid.name
        if not 1 <= len(name) <= 120:
            faults["name"] = "Give it a name, at most 120 characters."
        for field, message in faults.items():
            form = form.refused(field, message)
        if faults or form.valid is None:
            return await self._one(request, template, form, 422)
        try:
            version = form.valid.version
            await self._room.templates.change(seller, template_id, version, name, draft)
        except Refused as refused:
            form = form.refused(refused.field, refused.message)
            return await self._one(request, template, form, status_of(refused))
        return see_other(_path(template_id), "The template is saved.")

    async def use(self, request: web.Request) -> web.StreamResponse:
        """POST .../sales: a draft of a sale as the template has it."""
        form = await form_of(request, Using)
        seller, template_id = await self._seller(request)
        template = await self._room.templates.read(seller.liquidator_id, template_id)
        if form.valid is None:
            return see_other(_path(template_id), "Enter a day.", FlashKind.ERROR)
        day, draft = form.valid.day, template.draft
        try:
            sale = await self._room.sales.create(
                seller, draft if day is None else on_day(draft, day)
            )
        except Refused as refused:
            return see_other(_path(template_id), refused.message, FlashKind.ERROR)
        return see_other(sale_path(sale.sale_id), f"A new sale as “{template.name}” has it.")

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """POST .../remove; the sales that were made of it stay."""
        form = await form_of(request, At)
        seller, template_id = await self._seller(request)
        if form.valid is None:
            raise INVALID("Say which version.")
        try:
            await self._room.templates.remove(seller, template_id, form.valid.version)
        except Refused as refused:
            if refused.refusal is Refusal.NOT_FOUND:
                raise
            return see_other(_path(template_id), refused.message, FlashKind.ERROR)
        return see_other(TEMPLATES, "The template is removed. Sales made of it stay.")

    async def _visible(self, request: web.Request) -> tuple[LiquidatorId, str]:
        template_id = word_of(request, "template_id")
        owner = await self._room.templates.owner_of(template_id)
        return visible(request, owner), template_id

    async def _seller(self, request: web.Request) -> tuple[Seller, str]:
        template_id = word_of(request, "template_id")
        owner = await self._room.templates.owner_of(template_id)
        return seller_of(request, owner), template_id

    async def _form_of(self, template: SaleTemplate) -> Form[Any]:
        form = await filled(self._room, template.draft, template.version)
        return Form({**form.values, "name": template.name})

    async def _list(self, request: web.Request, form: Form[Any], status: int = 200) -> web.Response:
        owner = own_desk(request)
        sales = await self._room.sales.list(owner, None, SALES_OFFERED)
        return show(
            request,
            "templates.html",
            status=status,
            tabs=TABS,
            runs=may_run(request, owner),
            form=form,
            templates=await self._room.templates.list(owner),
            sales=[
                (sale.sale_id, f"{sale.draft.title}, {count_words(sale.lots, 'lot')}")
                for sale in sales
                if sale.draft.title
            ],
            path_of=_path,
        )

    async def _one(
        self, request: web.Request, template: SaleTemplate, form: Form[Any], status: int = 200
    ) -> web.Response:
        return show(
            request,
            "template.html",
            status=status,
            kept=template,
            runs=may_run(request, template.liquidator_id),
            form=form,
            ends=[],
            clauses=clauses(template.draft.terms),
            second=comes_twice(form),
            path=_path(template.template_id),
            **(await form_options(self._room, template.liquidator_id)),
        )


def _path(template_id: str) -> str:
    return f"{TEMPLATES}/{template_id}"
