"""/desk/recalls: every lot that holds a recalled article, and the open ones out of their sales."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta

from accounts.directory import organisations
from accounts.ids import OrganisationId
from auction.catalog.words import count_words
from auction.desk.access import RUN, VIEW, may_run, own_desk, own_seller
from auction.desk.api_common import REFUSALS
from auction.desk.pages.navigation import TABS
from auction.desk.pages.room import DeskPagesRoom, show, status_of
from auction.desk.recalls import MAX_NAMED, Recall, RecalledLot, Withdrawn
from auction.desk.refusals import Refused
from auction.ids import BidderId
from auction.sale import LotStatus
from auction.spreadsheets import CSV_TYPE, defused
from auction.terms import STORABLE
from auction.verdicts import Acceptance
from foundation.http.answers import bytes_answer
from foundation.http.forms import Form, blank, form_of
from foundation.http.reading import Input
from foundation.http.routes import Route

RECALLS: Final = "/desk/recalls"
# Each field takes `MAX_NAMED` lines of at most so many characters.
MAX_NAME: Final = 80
_FORM_BYTES: Final = 256 * 1_024
_COLUMNS: Final = ("Where", "Lot", "Title", "State", "Lines", "Units", "Buyers")

Pasted = Annotated[str, Meta(max_length=MAX_NAMED * (MAX_NAME + 1))]
_FIELDS: Final = ("gtins", "lpns", "brands")
STATE_WORDS: Final[Mapping[LotStatus | None, str]] = {
    None: "draft",
    LotStatus.LIVE: "still to close",
    LotStatus.IF_BID: "waits for your answer",
    LotStatus.SOLD: "sold",
    LotStatus.PASSED: "not sold",
    LotStatus.WITHDRAWN: "withdrawn",
}


class Asked(Input):
    """What is recalled, one a line; and why, where it is to be withdrawn."""

    gtins: Pasted = ""
    lpns: Pasted = ""
    brands: Pasted = ""
    reason: Annotated[str, Meta(max_length=500, pattern=STORABLE)] = ""


class RecallPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        told, size = REFUSALS.told, _FORM_BYTES
        return [
            Route("GET", RECALLS, told(self.show), "Recalls", VIEW),
            Route("POST", RECALLS, told(self.search), "Find recalled goods", VIEW, max_body=size),
            Route("POST", f"{RECALLS}/csv", told(self.sheet), "As CSV", VIEW, max_body=size),
            Route(
                "POST",
                f"{RECALLS}/withdraw",
                told(self.withdraw),
                "Withdraw recalled lots",
                RUN,
                max_body=size,
            ),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/recalls."""
        return await self._page(request, blank())

    async def search(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/recalls: what holds it; nothing changes."""
        form = await form_of(request, Asked)
        recall, form = _recall(form)
        if recall is None:
            return await self._page(request, form, 422)
        try:
            found = await self._room.recalls.find(own_desk(request), recall)
        except Refused as refused:
            return await self._refused(request, form, refused)
        return await self._page(request, form, found=found)

    async def sheet(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/recalls/csv: the same as a file."""
        form = await form_of(request, Asked)
        recall, form = _recall(form)
        if recall is None:
            return await self._page(request, form, 422)
        try:
            found = await self._room.recalls.find(own_desk(request), recall)
        except Refused as refused:
            return await self._refused(request, form, refused)
        body = _csv(found, await self._names(found))
        headers = {"Content-Disposition": 'attachment; filename="recall.csv"'}
        return bytes_answer(request, body, f"{CSV_TYPE}; charset=utf-8", headers=headers)

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/recalls/withdraw: the open ones, at once; what became of each."""
        form, seller = await form_of(request, Asked), own_seller(request)
        recall, form = _recall(form)
        if recall is None:
            return await self._page(request, form, 422)
        if not form.value("reason"):
            form = form.refused("reason", "Give the reason: bidders read it.")
            found = await self._room.recalls.find(seller.liquidator_id, recall)
            return await self._page(request, form, 422, found=found)
        try:
            done = await self._room.recalls.withdraw(seller, recall, form.value("reason"))
            found = await self._room.recalls.find(seller.liquidator_id, recall)
        except Refused as refused:
            return await self._refused(request, form, refused)
        return await self._page(request, form, found=found, done=done)

    async def _refused(
        self, request: web.Request, form: Form[Any], refused: Refused
    ) -> web.Response:
        field = refused.field if refused.field in _FIELDS else "gtins"
        form = form.refused(field, refused.message)
        return await self._page(request, form, status_of(refused))

    async def _page(
        self,
        request: web.Request,
        form: Form[Any],
        status: int = 200,
        *,
        found: Sequence[RecalledLot] | None = None,
        done: Sequence[Withdrawn] | None = None,
    ) -> web.Response:
        owner = own_desk(request)
        gone = {(one.sale_id, one.lot_id): _became(one) for one in done or ()}
        withdrawn = sum(one.code == Acceptance.ACCEPTED for one in done or ())
        return show(
            request,
            "recalls.html",
            status=status,
            tabs=TABS,
            runs=may_run(request, owner),
            form=form,
            found=found,
            open=[lot for lot in found or () if lot.is_open and not gone],
            gone=gone,
            said=None if done is None else _said(withdrawn, len(done)),
            names=await self._names(found or ()),
            past=await self._room.recalls.past(owner),
            state_words=state_words,
            accepted=str(Acceptance.ACCEPTED),
        )

    async def _names(self, found: Sequence[RecalledLot]) -> Mapping[BidderId, str]:
        """The buyers of what is sold, by whom a recall has to be told of."""
        buyers = {OrganisationId(buyer) for lot in found for buyer in lot.buyers}
        known = await organisations(self._room.pool, buyers)
        return {BidderId(one): entry.name for one, entry in known.items()}


def _recall(form: Form[Asked]) -> tuple[Recall | None, Form[Asked]]:
    """What was pasted, one article a line; ``None``: some of it will not do, and the form says."""
    if form.valid is None:
        return None, form
    named = {name: _lines(getattr(form.valid, name)) for name in _FIELDS}
    for name, lines in named.items():
        if len(lines) > MAX_NAMED:
            form = form.refused(name, f"At most {MAX_NAMED} lines.")
        if (long := next((line for line in lines if len(line) > MAX_NAME), None)) is not None:
            form = form.refused(name, f"“{long[:20]}…” is longer than {MAX_NAME} characters.")
    if not any(named.values()):
        form = form.refused("gtins", "Name at least one GTIN, LPN or brand.")
    return (None if form.errors else Recall(**named)), form


def state_words(lot: RecalledLot) -> str:
    """What has become of a lot."""
    return "being published" if lot.draft_id and lot.sale_id else STATE_WORDS[lot.status]


def _lines(text: str) -> tuple[str, ...]:
    """Each line once, in the order in which they were pasted."""
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _said(withdrawn: int, asked: int) -> str:
    if not asked:
        return "No lot that holds it was still to close, so nothing was withdrawn."
    if withdrawn == asked:
        return f"{count_words(withdrawn, 'lot')} withdrawn."
    return f"{withdrawn} of {count_words(asked, 'lot')} withdrawn; for the others see the reason."


def _became(one: Withdrawn) -> str:
    return "withdrawn" if one.code == Acceptance.ACCEPTED else one.message


def _csv(found: Sequence[RecalledLot], names: Mapping[BidderId, str]) -> bytes:
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(_COLUMNS)
    for lot in found:
        lines = " ".join(map(str, lot.lines))
        buyers = "; ".join(names.get(buyer, buyer) for buyer in lot.buyers)
        texts = (lot.sale_id or lot.draft_id or "", lot.lot_id or "", lot.title)
        said = map(defused, (*texts, state_words(lot), lines))
        writer.writerow((*said, lot.units, defused(buyers)))
    return written.getvalue().encode("utf-8-sig")
