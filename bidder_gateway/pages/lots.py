"""A lot's own page: what it is, where its bidding stands, what is in it, what happened to it."""

from collections.abc import Sequence
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.guard import signed_in
from accounts.permissions import Access, Action
from auction.amounts import plain, sign
from auction.catalog.questions import REASONS
from auction.ids import LotId, PersonId, SaleId
from auction.plain_terms import clauses, premium_in_words
from bidder_gateway.histories import HistoryEntry
from bidder_gateway.notices.links import BID_PARAMETER
from bidder_gateway.pages.freight import FreightWays
from bidder_gateway.pages.manifests import manifest_view
from bidder_gateway.pages.page_data import (
    Follow,
    PageData,
    card_of,
    embedded,
    picture_of,
    raw,
)
from bidder_gateway.pages.questions import asked_of, said_of
from bidder_gateway.pages.room import (
    PagesRoom,
    lot_href,
    lot_id_of,
    sale_href,
    sale_id_of,
    show,
    sign_in_href,
    viewing,
)
from bidder_gateway.pages.shown import Shown, shown_of
from bidder_gateway.protocol import ServerFrame
from bidder_gateway.refusals import Refused
from foundation.http.cursors import Paging
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Route

# Entries of a history that come with the page.
HISTORY: Final = 60
AFTER_WINNING: Final = (
    "You get an invoice with everything that is due, and until when. Once it is paid you arrange "
    "the pickup or the delivery."
)

_SALES = Access(Action.VIEW_SALES)
_WATCH = Access(Action.KEEP_WATCHLIST)


class LotFacts(Struct, frozen=True, kw_only=True):
    """What the scripts of a lot's page know besides the frames.

    ``asked_minor``: the amount that the address asks about, as links in notices do.
    """

    lot_id: LotId
    msrp_minor: int
    counter_minor: int | None
    asked_minor: int | None


class LotData(PageData, frozen=True, kw_only=True):
    """What a lot's page brings along."""

    lot: LotFacts
    freight: FreightWays
    history: Sequence[HistoryEntry]
    history_complete: bool
    history_path: str
    sale_path: str
    bid_path: str
    counter_path: str
    register_path: str
    budgets_path: str
    sign_in_path: str
    after_winning: str


class Watched(Input):
    """Whether the lot is watched from now on."""

    watched: Annotated[str, Meta(pattern=r"\A(yes|no)\Z")]


class LotPages:
    """Handlers."""

    def __init__(self, room: PagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        lot = "/sales/{sale_id}/lots/{lot_id}"
        return [
            Route("GET", lot, self.lot, "A lot", _SALES),
            Route("GET", f"{lot}/manifest", self.manifest, "What is in a lot", _SALES),
            Route("POST", f"{lot}/watch", self.watch, "Watch a lot, or no more", _WATCH),
        ]

    async def lot(self, request: web.Request) -> web.StreamResponse:
        """GET /sales/{sale_id}/lots/{lot_id}."""
        return await self.page(request)

    async def page(
        self, request: web.Request, *, status: int = 200, typed: str = "", fault: str = ""
    ) -> web.Response:
        """The lot's page; with what was typed, and why it will not do."""
        room = self._room
        sale_id, lot_id, who = sale_id_of(request), lot_id_of(request), viewing(request).sees_as
        history = await room.its.histories.of_lot(sale_id, lot_id, Paging(limit=HISTORY), who)
        lot = await room.its.lots.lot(sale_id, lot_id, who)
        if history is None or lot is None:
            raise NOT_FOUND()
        manifest = await manifest_view(room.its.lots, request, lot)
        watched = await self._watches(request, sale_id, lot_id)
        counter_minor = await self._counter_minor(request, sale_id, lot_id)
        said = await said_of(room, request, sale_id)
        shown = await shown_of(room, request, lot)
        facts = LotFacts(
            lot_id=lot_id,
            msrp_minor=lot.msrp_minor,
            counter_minor=counter_minor,
            asked_minor=_asked_minor(request),
        )
        if facts.asked_minor is not None and not typed:
            typed = plain(facts.asked_minor, lot.currency)
        complete = history.next_cursor is None
        data = _data(request, shown, facts, history.items, watched=watched, complete=complete)
        least_minor = shown.least_minor
        return show(
            request,
            "lot.html",
            status=status,
            shown=shown,
            sale=shown.sale,
            lot=lot,
            view=shown.view,
            standing=shown.own,
            watched=watched,
            least_minor=least_minor,
            cost=shown.cost(least_minor),
            means=shown.means(least_minor),
            freight=shown.freight,
            sign=sign(lot.currency).strip(),
            typed=typed,
            fault=fault,
            history=history.items,
            manifest=manifest,
            said=said,
            asked=await asked_of(room, request, shown.sale, lot),
            asking=blank(),
            reasons=REASONS,
            pictures=[(picture_of(p, "page"), picture_of(p, "full")) for p in lot.photos],
            thumbs=[picture_of(photo, "tile") for photo in lot.photos],
            clauses=clauses(shown.sale.terms),
            premium_words=premium_in_words(shown.sale.terms.premium, lot.currency),
            counter_minor=counter_minor,
            after_winning=AFTER_WINNING,
            data=embedded(data),
        )

    async def manifest(self, request: web.Request) -> web.StreamResponse:
        """GET .../manifest: the section as it is asked for; scripts take it from here."""
        who = viewing(request).sees_as
        sale = await self._room.its.sales.sale(sale_id_of(request), who)
        lot = await self._room.its.lots.lot(sale_id_of(request), lot_id_of(request), who)
        if sale is None or lot is None:
            raise NOT_FOUND()
        view = await manifest_view(self._room.its.lots, request, lot)
        return show(request, "manifest_page.html", sale=sale, lot=lot, manifest=view)

    async def watch(self, request: web.Request) -> web.StreamResponse:
        """POST .../watch, for pages without scripts."""
        form: Form[Watched] = await form_of(request, Watched)
        sale_id, lot_id = sale_id_of(request), lot_id_of(request)
        watched = form.valid is not None and form.valid.watched == "yes"
        person_id = PersonId(signed_in(request).person_id)
        try:
            await self._room.its.watchlist.say(
                person_id, sale_id, lot_id, viewing(request).sees_as, watched=watched
            )
        except Refused as refused:
            return see_other(lot_href(sale_id, lot_id), refused.message, FlashKind.ERROR)
        said = "You watch this lot." if watched else "You no longer watch this lot."
        return see_other(lot_href(sale_id, lot_id), said)

    async def _watches(self, request: web.Request, sale_id: SaleId, lot_id: LotId) -> bool:
        identity = viewing(request).identity
        if identity is None:
            return False
        person_id = PersonId(identity.person_id)
        return await self._room.its.watchlist.watches(person_id, sale_id, lot_id)

    async def _counter_minor(
        self, request: web.Request, sale_id: SaleId, lot_id: LotId
    ) -> int | None:
        """What the seller asks the viewer for, whose bid is bound below the reserve."""
        bidder_id = viewing(request).bidder_id
        if bidder_id is None:
            return None
        mine = await self._room.its.my_bids.lot(bidder_id, sale_id, lot_id)
        return None if mine is None else mine.counter_minor


def _data(
    request: web.Request,
    shown: Shown,
    facts: LotFacts,
    history: Sequence[HistoryEntry],
    *,
    watched: bool,
    complete: bool,
) -> LotData:
    lot, who = shown.lot, shown.who
    sale_path, path = sale_href(lot.sale_id), lot_href(lot.sale_id, lot.lot_id)
    snapshot = shown.feed.snapshot(frozenset({lot.lot_id}))
    frames: Sequence[ServerFrame] = [snapshot] if shown.own is None else [snapshot, shown.own]
    return LotData(
        signed_in=who.signed_in,
        bidder_id=who.bidder_id,
        may_bid=who.may_bid,
        may_not_bid=who.may_not_bid,
        follow=[Follow(sale_id=lot.sale_id, lots=[lot.lot_id])],
        frames=[raw(frame) for frame in frames],
        cards={lot.sale_id: {lot.lot_id: card_of(lot)}},
        watched=[(lot.sale_id, lot.lot_id)] if watched else [],
        lot=facts,
        freight=shown.freight,
        history=history,
        history_complete=complete,
        history_path=f"/api/v1{path}/history",
        sale_path=sale_path,
        bid_path=f"{path}/bid",
        counter_path=f"{path}/counter",
        register_path=f"{sale_path}/register",
        budgets_path=f"{sale_path}/budgets",
        sign_in_path=sign_in_href(request),
        after_winning=AFTER_WINNING,
    )


def _asked_minor(request: web.Request) -> int | None:
    """The amount that the address asks about."""
    given = request.query.get(BID_PARAMETER, "")
    plain_number = given.isascii() and given.isdigit() and len(given) < 16
    return int(given) if plain_number and int(given) > 0 else None
