"""/desk/lots: the stock as a grid that is edited in place, and what is done with several lots.

Without scripts it is a table with links, boxes and buttons. With them a cell is saved by itself:
`cell` and `undo` answer the row as it stands afterwards.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final
from urllib.parse import urlencode

from aiohttp import web
from msgspec import Meta, Struct, field

from accounts.http.common import word_of
from auction.catalog.words import count_words
from auction.desk.access import RUN, VIEW, may_run, own_desk, own_seller, seller_of
from auction.desk.api_common import REFUSALS
from auction.desk.api_photos import file_path
from auction.desk.lot_drafts import PAGE, DraftedLot, LotDraft
from auction.desk.lots import SeenLot
from auction.desk.pages.consignors import fields_of
from auction.desk.pages.lot_fields import BULK, FIELDS, GRID, BadField, LotField, changes_of
from auction.desk.pages.navigation import TABS
from auction.desk.pages.room import (
    LOTS,
    DeskPagesRoom,
    lot_path,
    owner_of_lot,
    sale_path,
    show,
    status_of,
)
from auction.desk.refusals import Refusal, Refused
from auction.desk.sale_drafts import DraftState
from auction.ids import LiquidatorId, SaleId
from foundation.http.answers import answer
from foundation.http.forms import form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route

# Boxes of one page, and some of an older one.
MAX_CHOSEN: Final = 2 * PAGE
Seen = Annotated[str, Meta(pattern=r"\A[^:]{1,64}:[0-9]{1,9}\Z")]
_FORM_BYTES: Final = 256 * 1_024


class Typed(Input):
    """What was typed into a cell."""

    field: Annotated[str, Meta(max_length=40)]
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    value: str = ""


class At(Input):
    """The version that something is done to."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class Copying(Input):
    """Whether the articles are copied too."""

    lines: bool = False


class Chosen(Input):
    """Some lots, each as ``id:version``, and what becomes of them."""

    lots: Annotated[list[Seen], Meta(max_length=MAX_CHOSEN)] = field(default_factory=list)
    field: Annotated[str, Meta(max_length=40)] = ""
    value: str = ""
    sale: Annotated[str, Meta(max_length=64)] = ""


class CellNow(Struct, frozen=True):
    """A cell: as it is typed, and as it is read."""

    typed: str
    shown: str


class RowNow(Struct, frozen=True):
    """A row of the grid as it stands."""

    version: int
    cells: dict[str, CellNow]


class Fault(Struct, frozen=True):
    """Why a cell was not saved."""

    code: str
    message: str


class LotsPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one = f"{LOTS}/{{draft_id}}"
        told = REFUSALS.told
        return [
            Route("GET", LOTS, self.show, "A liquidator's stock", VIEW),
            Route("POST", LOTS, self.create, "A new lot", RUN),
            Route("POST", f"{one}/cell", self.cell, "A cell of the grid", RUN),
            Route("POST", f"{one}/undo", self.undo, "Undo the last change", RUN),
            Route("POST", f"{one}/split", told(self.split), "Split by pallet", RUN),
            Route("POST", f"{one}/copy", told(self.copy), "Copy a lot", RUN),
            Route("POST", f"{one}/remove", told(self.remove), "Remove a lot", RUN),
            Route("POST", f"{one}/back", told(self.bring_back), "Bring a lot back", RUN),
            *self._of_several(),
        ]

    def _of_several(self) -> list[Route]:
        several = f"{LOTS}/several"
        return [
            Route("POST", f"{several}/{path}", handler, words, RUN, max_body=_FORM_BYTES)
            for path, handler, words in (
                ("change", self.change, "Change a field of several lots"),
                ("join", self.join, "Make one lot of several"),
                ("plan", self.plan, "Put lots into a sale"),
            )
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/lots; ``after``: where the page begins; ``removed``: what can be undone."""
        owner, after = own_desk(request), request.query.get("after", "").replace("\0", "")[:64]
        lots = await self._room.lots.stock(owner, after, PAGE + 1)
        more = len(lots) > PAGE
        drafts = await self._room.sales.list(owner, None, PAGE)
        fields = await fields_of(self._room, owner, *(lot.draft.consignor_id for lot in lots))
        return show(
            request,
            "lots.html",
            tabs=TABS,
            runs=may_run(request, owner),
            lots=lots[:PAGE],
            firsts=await self._room.photos.firsts(owner, [lot.draft_id for lot in lots]),
            file_path=file_path,
            columns=_offered(GRID, fields),
            bulk=_offered(BULK, fields),
            sales=[sale for sale in drafts if sale.state is DraftState.DRAFT],
            removed=request.query.get("removed", "")[:64],
            first_href=LOTS if after else "",
            next_href=f"{LOTS}?{urlencode({'after': lots[PAGE - 1].draft_id})}" if more else "",
        )

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/lots: an empty one, to be written."""
        try:
            lot = await self._room.lots.create(own_seller(request), LotDraft())
        except Refused as refused:
            return see_other(LOTS, refused.message, FlashKind.ERROR)
        return see_other(lot_path(lot.draft_id), "A new lot: say what it is.", FlashKind.INFO)

    async def cell(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/lots/{draft_id}/cell: one field, saved by itself."""
        form = await form_of(request, Typed)
        if form.valid is None or form.valid.field not in FIELDS:
            raise INVALID("There is no such cell.")
        typed = form.valid
        owner, draft_id = await owner_of_lot(self._room, request)
        seller = seller_of(request, owner)
        try:
            lot = await self._room.lots.read(owner, draft_id)
            fields = await fields_of(self._room, owner, lot.draft.consignor_id)
            changes = changes_of({typed.field: typed.value}, lot.draft.currency, fields)
            lot = await self._room.lots.change(seller, draft_id, typed.version, changes)
        except BadField as fault:
            return answer(request, Fault("BAD_VALUE", str(fault)), status=422)
        except Refused as refused:
            told = Fault(refused.refusal, refused.message)
            return answer(request, told, status=status_of(refused))
        return answer(request, row_now(lot, fields))

    async def undo(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/lots/{draft_id}/undo: for the grid the row, for a page the lot's page."""
        form = await form_of(request, At)
        if form.valid is None:
            raise INVALID("Say which version.")
        owner, draft_id = await owner_of_lot(self._room, request)
        seller = seller_of(request, owner)
        for_grid = "json" in request.headers.get("Accept", "")
        try:
            lot = await self._room.lots.undo(seller, draft_id, form.valid.version)
        except Refused as refused:
            status = status_of(refused)
            if for_grid:
                return answer(request, Fault(refused.refusal, refused.message), status=status)
            return see_other(lot_path(draft_id), refused.message, FlashKind.ERROR)
        if for_grid:
            fields = await fields_of(self._room, owner, lot.draft.consignor_id)
            return answer(request, row_now(lot, fields))
        return see_other(lot_path(draft_id), "The last change is undone.")

    async def split(self, request: web.Request) -> web.StreamResponse:
        """POST .../split: a lot for each pallet, in its place."""
        owner, draft_id, version = await self._at(request)
        made = await self._room.lots.split(seller_of(request, owner), draft_id, version)
        said = f"It is {count_words(len(made), 'lot')} now, one for each pallet."
        if await self._room.photos.firsts(owner, [made[0].draft_id]):
            said += " Each has the photos of the whole: remove those that show other pallets."
        return see_other(_with_undo(draft_id), said)

    async def copy(self, request: web.Request) -> web.StreamResponse:
        """POST .../copy."""
        form = await form_of(request, Copying)
        owner, draft_id = await owner_of_lot(self._room, request)
        lines = form.valid is not None and form.valid.lines
        made = await self._room.lots.copy(seller_of(request, owner), draft_id, lines=lines)
        return see_other(lot_path(made.draft_id), "This is the copy.")

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """POST .../remove."""
        owner, draft_id, version = await self._at(request)
        await self._room.lots.remove(seller_of(request, owner), draft_id, version)
        return see_other(_with_undo(draft_id), "The lot is removed.")

    async def bring_back(self, request: web.Request) -> web.StreamResponse:
        """POST .../back: what was removed, split or joined is there again."""
        owner = own_seller(request)
        lot = await self._room.lots.bring_back(owner, word_of(request, "draft_id"))
        return see_other(lot_path(lot.draft_id), "It is back in your stock.")

    async def change(self, request: web.Request) -> web.StreamResponse:
        """POST .../several/change: the same field of all of them, or of none."""
        seller, chosen = own_seller(request), await self._chosen(request)
        if chosen is None or chosen.field not in {one.name for one in BULK}:
            return _first_choose("Choose lots and a field.")
        seen = [_seen(one) for one in chosen.lots]
        try:
            fields = await fields_of(self._room, seller.liquidator_id)
            changes = changes_of({chosen.field: chosen.value}, "USD", fields)
            await self._room.lots.change_many(seller, seen, changes)
        except BadField as fault:
            said = f"{FIELDS[chosen.field].title}: {fault}"
            return see_other(LOTS, said, FlashKind.ERROR)
        except Refused as refused:
            return _refused(refused)
        said = f"{FIELDS[chosen.field].title} of {count_words(len(seen), 'lot')} is changed."
        return see_other(LOTS, said)

    async def join(self, request: web.Request) -> web.StreamResponse:
        """POST .../several/join."""
        seller, chosen = own_seller(request), await self._chosen(request)
        if chosen is None or len(chosen.lots) < 2:
            return _first_choose("Choose at least two lots to make one of.")
        try:
            lot = await self._room.lots.join(seller, [_seen(one).draft_id for one in chosen.lots])
        except Refused as refused:
            return _refused(refused)
        said = f"{count_words(len(chosen.lots), 'lot')} are one now."
        first = _seen(chosen.lots[0]).draft_id
        return see_other(f"{lot_path(lot.draft_id)}?{urlencode({'joined': first})}", said)

    async def plan(self, request: web.Request) -> web.StreamResponse:
        """POST .../several/plan: into the draft of a sale, behind its other lots."""
        seller, chosen = own_seller(request), await self._chosen(request)
        if chosen is None or not chosen.sale:
            return _first_choose("Choose lots and a sale.")
        sale_id = SaleId(chosen.sale)
        try:
            sale = await self._room.sales.read(seller.liquidator_id, sale_id)
            draft_ids = [_seen(one).draft_id for one in chosen.lots]
            await self._room.sales.put_in(seller, sale_id, sale.version, draft_ids)
        except Refused as refused:
            return _refused(refused)
        said = f"{count_words(len(draft_ids), 'lot')} put into the sale."
        return see_other(f"{sale_path(sale_id)}#lots", said)

    async def _chosen(self, request: web.Request) -> Chosen | None:
        """``None``: nothing is chosen."""
        chosen = (await form_of(request, Chosen)).valid
        return chosen if chosen is not None and chosen.lots else None

    async def _at(self, request: web.Request) -> tuple[LiquidatorId, str, int]:
        """Whose lot, which, and the version that the button was pressed on."""
        form = await form_of(request, At)
        if form.valid is None:
            raise INVALID("Say which version.")
        return (*await owner_of_lot(self._room, request), form.valid.version)


def row_now(lot: DraftedLot, fields: Mapping[str, LotField]) -> RowNow:
    """The row of a lot."""
    columns = [fields[one.name] for one in GRID]
    cells = {one.name: CellNow(one.typed(lot.draft), one.in_grid(lot.draft)) for one in columns}
    return RowNow(lot.version, cells)


def _offered(ones: Iterable[LotField], fields: Mapping[str, LotField]) -> list[LotField]:
    """These fields; whose goods a lot is, only where there are consignors."""
    found = [fields[one.name] for one in ones]
    return [one for one in found if one.name != "consignor" or one.options]


def _seen(text: str) -> SeenLot:
    draft_id, _, version = text.partition(":")
    return SeenLot(draft_id, int(version))


def _with_undo(draft_id: str) -> str:
    return f"{LOTS}?{urlencode({'removed': draft_id})}"


def _first_choose(what: str) -> web.Response:
    return see_other(LOTS, what, FlashKind.WARNING)


def _refused(refused: Refused) -> web.Response:
    if refused.refusal is Refusal.NOT_FOUND:
        said = "Some of these lots are not in your stock any more."
        return see_other(LOTS, said, FlashKind.ERROR)
    return see_other(LOTS, refused.message, FlashKind.ERROR)
