"""/desk/sales/{sale_id}: a sale from the first word to publishing, and what it became."""

from datetime import date
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from msgspec import Meta, Struct, field

from auction.catalog.words import count_words
from auction.desk.access import RUN, VIEW, may_run, seller_of
from auction.desk.api_common import REFUSALS
from auction.desk.api_photos import file_path
from auction.desk.lot_drafts import PAGE
from auction.desk.pages.room import (
    SALES,
    DeskPagesRoom,
    owner_of_sale,
    sale_path,
    show,
    status_of,
)
from auction.desk.pages.sale_audience import filled, form_options, read_all
from auction.desk.pages.sale_fields import SaleForm, comes_twice
from auction.desk.pages.sale_publishing import todo_of
from auction.desk.pages.times import ends_of, in_zone, opens_of
from auction.desk.refusals import Refusal, Refused
from auction.desk.relisting import Percent, Relisting
from auction.desk.sale_drafts import DraftedSale, DraftState, SaleDraft
from auction.desk.seller import Seller
from auction.desk.templates import TemplateName
from auction.ids import LiquidatorId, LotId, SaleId
from auction.plain_terms import clauses
from foundation.http.answers import answer
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route

_FORM_BYTES: Final = 256 * 1_024
Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class At(Input):
    """The version that something is done to."""

    version: Version


class Ordering(Input):
    """What is done with the lots of a sale: ``up:ID``, ``down:ID``, ``out`` with the chosen."""

    version: Version
    do: Annotated[str, Meta(pattern=r"\A(up|down):.{1,64}\Z|\Aout\Z|\Ain\Z")]
    lots: Annotated[list[str], Meta(max_length=1_000)] = field(default_factory=list)


class Renumbering(Input):
    """Another number for a lot."""

    version: Version
    lot: Annotated[str, Meta(max_length=64)]
    number: Annotated[LotId, Meta(pattern=r"\A[0-9]{1,6}[A-Za-z]{0,3}\Z")]


class Templating(Input):
    """A template that is taken over, or a name under which the sale is kept as one."""

    version: Version
    template: Annotated[str, Meta(max_length=64)] = ""
    name: Annotated[str, Meta(max_length=120)] = ""


class Cloning(Input):
    """The day of the copy, and whether what passed comes along, cheaper."""

    day: date | None = None
    relist: bool = False
    markdown: Percent = 0


class Moved(Struct, frozen=True):
    """The version of a sale after its lots were put in another order."""

    version: int


class SalePages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one, told = f"{SALES}/{{sale_id}}", REFUSALS.told
        posts = {
            "": (self.save, "Save a sale"),
            "/lots": (self.order, "Order, put in and take out lots"),
            "/number": (self.renumber, "Another number for a lot"),
            "/template": (self.take_template, "Take a template over"),
            "/templates": (self.add_template, "Keep a sale as a template"),
            "/clone": (self.clone, "The same sale on another day"),
            "/drop": (self.drop, "Give a draft up"),
        }
        gets = {
            "": (self.show, "A sale at the desk"),
            "/preview": (self.preview, "A sale as bidders see it"),
        }
        return [
            *(
                Route("POST", one + path, told(handler), words, RUN, max_body=_FORM_BYTES)
                for path, (handler, words) in posts.items()
            ),
            *(
                Route("GET", one + path, told(handler), words, VIEW)
                for path, (handler, words) in gets.items()
            ),
        ]

    # Looking.

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/sales/{sale_id}."""
        owner, sale_id = await owner_of_sale(self._room, request)
        sale = await self._room.sales.read(owner, sale_id)
        if sale.state is not DraftState.DRAFT:
            return await self._published(request, owner, sale)
        return await self._page(
            request, owner, sale, await filled(self._room, sale.draft, sale.version)
        )

    async def preview(self, request: web.Request) -> web.StreamResponse:
        """GET .../preview."""
        owner, sale_id = await owner_of_sale(self._room, request)
        sale = await self._room.sales.read(owner, sale_id)
        lots = await self._room.sales.lots(owner, sale_id)
        return show(
            request,
            "sale_preview.html",
            sale=sale,
            lots=lots,
            firsts=await self._room.photos.firsts(owner, [lot.draft_id for lot in lots]),
            file_path=file_path,
            ends=ends_of(sale.draft, len(lots)),
            opens=opens_of(sale.draft),
            clauses=clauses(sale.draft.terms),
        )

    # Changing.

    async def save(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/sales/{sale_id}."""
        form = await form_of(request, SaleForm)
        owner, sale_id = await owner_of_sale(self._room, request)
        seller = seller_of(request, owner)
        sale = await self._room.sales.read(owner, sale_id)
        given = form.valid
        if given is None:
            return await self._page(request, owner, sale, form, 422)
        draft, faults = await read_all(self._room, owner, given, sale.draft)
        for name, message in faults.items():
            form = form.refused(name, message)
        if faults:
            return await self._page(request, owner, sale, form, 422)
        try:
            await self._room.sales.change(seller, sale_id, given.version, draft)
        except Refused as refused:
            status = status_of(refused)
            return await self._page(request, owner, sale, form.refused("", refused.message), status)
        return see_other(sale_path(sale_id), "The sale is saved.")

    async def order(self, request: web.Request) -> web.StreamResponse:
        """POST .../lots: for the script the new version, else the page again."""
        form = await form_of(request, Ordering)
        owner, sale_id = await owner_of_sale(self._room, request)
        seller = seller_of(request, owner)
        if form.valid is None:
            return see_other(f"{sale_path(sale_id)}#lots", "Choose lots first.", FlashKind.WARNING)
        do, version, chosen = form.valid.do, form.valid.version, form.valid.lots
        for_script = "json" in request.headers.get("Accept", "")
        try:
            sale = await self._ordered(seller, sale_id, form.valid)
        except Refused as refused:
            if for_script or refused.refusal is Refusal.NOT_FOUND:
                raise
            return see_other(f"{sale_path(sale_id)}#lots", refused.message, FlashKind.ERROR)
        if for_script:
            return answer(request, Moved(sale.version))
        said = {
            "in": f"{count_words(len(chosen), 'lot')} put in.",
            "out": f"{count_words(len(chosen), 'lot')} back in stock.",
        }.get(do, "" if sale.version == version else "The order is changed.")
        return see_other(f"{sale_path(sale_id)}#lots", said)

    async def _ordered(self, seller: Seller, sale_id: SaleId, asked: Ordering) -> DraftedSale:
        sales = self._room.sales
        if asked.do in ("in", "out"):
            if not asked.lots:
                raise Refused(Refusal.NOT_NOW, detail="Choose lots first.")
            move = sales.put_in if asked.do == "in" else sales.take_out
            return await move(seller, sale_id, asked.version, asked.lots)
        way, _, draft_id = asked.do.partition(":")
        order = [lot.draft_id for lot in await sales.lots(seller.liquidator_id, sale_id)]
        if draft_id not in order:
            raise Refused(Refusal.CHANGED_MEANWHILE)
        place = order.index(draft_id)
        other = place + (1 if way == "down" else -1)
        if 0 <= other < len(order):
            order[place], order[other] = order[other], order[place]
        return await sales.order(seller, sale_id, asked.version, order)

    async def renumber(self, request: web.Request) -> web.StreamResponse:
        """POST .../number."""
        form = await form_of(request, Renumbering)
        owner, sale_id = await owner_of_sale(self._room, request)
        seller, path = seller_of(request, owner), f"{sale_path(sale_id)}#lots"
        if form.valid is None:
            said = "A number is digits, perhaps with letters behind: 12, 12A."
            return see_other(path, said, FlashKind.ERROR)
        given = form.valid
        try:
            await self._room.sales.renumber(seller, sale_id, given.version, given.lot, given.number)
        except Refused as refused:
            return self._told(path, refused)
        return see_other(path, f"The lot is number {given.number} now.")

    async def take_template(self, request: web.Request) -> web.StreamResponse:
        """POST .../template: its words and terms; the sale keeps its title and times."""
        form = await form_of(request, Templating)
        owner, sale_id = await owner_of_sale(self._room, request)
        seller, path = seller_of(request, owner), sale_path(sale_id)
        if form.valid is None or not form.valid.template:
            return see_other(path, "Choose a template.", FlashKind.WARNING)
        try:
            sale = await self._room.sales.read(owner, sale_id)
            template = await self._room.templates.read(owner, form.valid.template)
            draft = _with_template(sale.draft, template.draft)
            await self._room.sales.change(seller, sale_id, form.valid.version, draft)
        except Refused as refused:
            return self._told(path, refused)
        return see_other(path, f"Words and terms are those of “{template.name}” now.")

    async def add_template(self, request: web.Request) -> web.StreamResponse:
        """POST .../templates."""
        form = await form_of(request, Templating)
        owner, sale_id = await owner_of_sale(self._room, request)
        seller, path = seller_of(request, owner), sale_path(sale_id)
        if form.valid is None or not form.valid.name:
            return see_other(path, "Give the template a name.", FlashKind.WARNING)
        name: TemplateName = form.valid.name
        sale = await self._room.sales.read(owner, sale_id)
        try:
            await self._room.templates.add(seller, name, sale.draft)
        except Refused as refused:
            return self._told(path, refused)
        return see_other(path, f"The template “{name}” is kept.")

    async def clone(self, request: web.Request) -> web.StreamResponse:
        """POST .../clone."""
        form = await form_of(request, Cloning)
        owner, sale_id = await owner_of_sale(self._room, request)
        seller, path = seller_of(request, owner), sale_path(sale_id)
        if form.valid is None:
            said = "Enter a day, and a markdown from 0 to 95 per cent."
            return see_other(f"{path}#clone", said, FlashKind.ERROR)
        given = form.valid
        relisting = Relisting(given.markdown) if given.relist else None
        try:
            copy = await self._room.sales.clone(seller, sale_id, given.day, relisting)
        except Refused as refused:
            return self._told(path, refused)
        said = f"This is the copy, with {count_words(copy.lots, 'lot')}."
        return see_other(sale_path(copy.sale_id), said)

    async def drop(self, request: web.Request) -> web.StreamResponse:
        """POST .../drop."""
        form = await form_of(request, At)
        owner, sale_id = await owner_of_sale(self._room, request)
        seller = seller_of(request, owner)
        if form.valid is None:
            raise INVALID("Say which version.")
        try:
            await self._room.sales.drop(seller, sale_id, form.valid.version)
        except Refused as refused:
            return self._told(sale_path(sale_id), refused)
        return see_other(SALES, "The draft is given up; its lots are in stock again.")

    # Pages.

    async def _page(
        self,
        request: web.Request,
        owner: LiquidatorId,
        sale: DraftedSale,
        form: Form[Any],
        status: int = 200,
    ) -> web.Response:
        lots = await self._room.sales.lots(owner, sale.sale_id)
        runs = may_run(request, owner)
        todo = await todo_of(self._room, owner, sale.sale_id)
        stock = await self._room.lots.stock(owner, "", PAGE + 1) if runs else []
        return show(
            request,
            "sale.html",
            status=status,
            sale=sale,
            form=form,
            runs=runs,
            lots=lots,
            ends=ends_of(sale.draft, len(lots)),
            stock=stock[:PAGE],
            more_stock=len(stock) > PAGE,
            templates=await self._room.templates.list(owner),
            clauses=clauses(sale.draft.terms),
            second=comes_twice(form),
            **(await form_options(self._room, owner)),
            **todo,
        )

    async def _published(
        self, request: web.Request, owner: LiquidatorId, sale: DraftedSale
    ) -> web.Response:
        lots = await self._room.sales.lots(owner, sale.sale_id)
        ends = await self._room.today.ends(sale.sale_id)
        zone = ZoneInfo("UTC" if sale.draft.schedule is None else sale.draft.schedule.time_zone)
        in_force = [in_zone(ends[n], zone) if (n := lot.number) in ends else "" for lot in lots]
        return show(
            request,
            "sale_published.html",
            sale=sale,
            runs=may_run(request, owner),
            lots=lots,
            board=(await self._room.today.boards([sale])).get(sale.sale_id),
            scheduled=await self._room.today.scheduled(sale),
            asked=await self._room.questions.waiting(owner, sale.sale_id),
            ends=in_force if ends else ends_of(sale.draft, len(lots)),
            clauses=clauses(sale.draft.terms),
            form=blank(markdown="10"),
            now_us=self._room.now_us(),
        )

    def _told(self, path: str, refused: Refused) -> web.Response:
        if refused.refusal is Refusal.NOT_FOUND:
            raise REFUSALS.problem_of(refused)
        return see_other(path, refused.message, FlashKind.ERROR)


def _with_template(draft: SaleDraft, template: SaleDraft) -> SaleDraft:
    """The template's words and terms with the title and times of the sale."""
    return SaleDraft(
        **{
            name: getattr(template, name)
            for name in SaleDraft.__struct_fields__
            if name not in ("title", "summary", "schedule")
        },
        title=draft.title or template.title,
        summary=draft.summary or template.summary,
        schedule=draft.schedule,
    )
