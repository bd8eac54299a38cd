"""What is a person's own: the lots that they bid on and watch, live, and what they have won."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web
from msgspec import Struct

from accounts.http.guard import signed_in
from accounts.permissions import Access, Action
from auction.ids import BidderId, LotId, PersonId, SaleId
from bidder_gateway.feeds import standing
from bidder_gateway.listed import LotSummary
from bidder_gateway.my_bids import BidState, MyLotsQuery
from bidder_gateway.pages.choosing import Row, position_of
from bidder_gateway.pages.page_data import Card, Follow, PageData, card_of, embedded, raw
from bidder_gateway.pages.room import PagesRoom, show, viewing
from bidder_gateway.protocol import ServerFrame
from foundation.http.cursors import Paging
from foundation.http.problems import Problem
from foundation.http.routes import Route

# A page follows these at once: the live connection takes 32 sales, 200 lots of each.
MOST_LOTS: Final = 100
MOST_SALES: Final = 32

_BIDS = Access(Action.VIEW_BIDS)
_WATCH = Access(Action.KEEP_WATCHLIST)

STATES: Final[Mapping[str, tuple[str, str, str]]] = {
    BidState.LEADING: ("You lead", "good", "arrow-up"),
    BidState.OUTBID: ("Outbid", "bad", "alert"),
    BidState.IF_BID: ("Seller decides", "warn", "clock"),
    BidState.WON: ("You won", "good", "trophy"),
    BidState.LOST: ("Somebody else won", "", "minus"),
    BidState.PASSED: ("Not sold", "", "minus"),
    BidState.WITHDRAWN: ("Withdrawn", "", "minus"),
    BidState.VOIDED: ("Voided by staff", "warn", "alert"),
}


class ListedSale(Struct, frozen=True):
    """What a list needs to know of a sale of one of its lots."""

    title: str
    currency: str
    time_zone: str
    paused: bool


class LiveRow(Struct, frozen=True):
    """A lot in a list over several sales."""

    sale_id: SaleId
    sale: ListedSale
    row: Row


class ListData(PageData, frozen=True, kw_only=True):
    """What a live list brings along: the titles of its sales besides."""

    sales: Mapping[SaleId, str]
    order: Sequence[tuple[SaleId, LotId]]


class MyPages:
    """Handlers."""

    def __init__(self, room: PagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", "/bids", self.bids, "The lots that you bid on", _BIDS),
            Route("GET", "/won", self.won, "What you have won", _BIDS),
            Route("GET", "/watchlist", self.watchlist, "The lots that you watch", _WATCH),
        ]

    async def bids(self, request: web.Request) -> web.StreamResponse:
        """GET /bids: those that can still be sold, live; with ?state=ended the others."""
        bidder_id = BidderId(signed_in(request).organisation_id)
        if request.query.get("state") == "ended":
            return await self._ended(request, bidder_id)
        query = MyLotsQuery(open=True, limit=MOST_LOTS)
        found = await self._room.its.my_bids.lots(bidder_id, query)
        rows, data = await self._live(request, [mine.lot for mine in found.items])
        more = found.next_cursor is not None
        return show(request, "my_bids.html", rows=rows, data=embedded(data), more=more)

    async def _ended(self, request: web.Request, bidder_id: BidderId) -> web.StreamResponse:
        query = MyLotsQuery(limit=50, cursor=request.query.get("cursor"))
        try:
            found = await self._room.its.my_bids.lots(bidder_id, query)
        except Problem:
            query.cursor = None
            found = await self._room.its.my_bids.lots(bidder_id, query)
        ended = [mine for mine in found.items if mine.raise_minimum_minor is None]
        next_href = f"/bids?state=ended&cursor={found.next_cursor}" if found.next_cursor else ""
        return show(
            request,
            "my_ended_bids.html",
            lots=[mine for mine in ended if mine.state is not BidState.IF_BID],
            states=STATES,
            next_href=next_href,
            first_href="/bids?state=ended" if query.cursor else "",
        )

    async def won(self, request: web.Request) -> web.StreamResponse:
        """GET /won."""
        bidder_id = BidderId(signed_in(request).organisation_id)
        paging = Paging(limit=50, cursor=request.query.get("cursor"))
        try:
            found = await self._room.its.my_bids.won(bidder_id, paging)
        except Problem:
            paging.cursor = None
            found = await self._room.its.my_bids.won(bidder_id, paging)
        return show(
            request,
            "won.html",
            lots=found.items,
            sums=_sums(found.items),
            next_href=f"/won?cursor={found.next_cursor}" if found.next_cursor else "",
            first_href="/won" if paging.cursor else "",
        )

    async def watchlist(self, request: web.Request) -> web.StreamResponse:
        """GET /watchlist."""
        person_id = PersonId(signed_in(request).person_id)
        found = await self._room.its.watchlist.of(
            person_id, Paging(limit=MOST_LOTS), viewing(request).sees_as
        )
        lots = [watched.lot for watched in found.items]
        rows, data = await self._live(request, lots, watched=True)
        more = found.next_cursor is not None
        return show(request, "watchlist.html", rows=rows, data=embedded(data), more=more)

    async def _live(
        self,
        request: web.Request,
        lots: Sequence[LotSummary],
        *,
        watched: bool = False,
    ) -> tuple[list[LiveRow], ListData]:
        """The lots as rows for the first paint, and what the scripts go on with."""
        who = viewing(request)
        by_sale: dict[SaleId, dict[LotId, Card]] = {}
        for lot in lots:
            if lot.sale_id in by_sale or len(by_sale) < MOST_SALES:
                by_sale.setdefault(lot.sale_id, {})[lot.lot_id] = card_of(lot)
        frames: list[ServerFrame] = []
        rows: dict[tuple[SaleId, LotId], LiveRow] = {}
        marked: list[tuple[SaleId, LotId]] = []
        for sale_id, cards in by_sale.items():
            sale = await self._room.its.sales.sale(sale_id, who.sees_as)
            if sale is None:
                continue
            watching = await self._watched(request, sale_id)
            feed = await self._room.feed(sale_id)
            snapshot = feed.snapshot(frozenset(cards))
            own = None if who.bidder_id is None else standing(feed.sale, who.bidder_id)
            frames += [snapshot] if own is None else [snapshot, own]
            listed = ListedSale(sale.title, sale.currency, sale.time_zone, sale.paused)
            for view in snapshot.lots:
                is_watched = watched or view.lot_id in watching
                position = position_of(own, view)
                maximum = None if own is None else own.maxima.get(view.lot_id)
                row = Row(view, cards[view.lot_id], position, is_watched, maximum)
                rows[sale_id, view.lot_id] = LiveRow(sale_id, listed, row)
                if is_watched:
                    marked.append((sale_id, view.lot_id))
        ordered = [rows[key] for lot in lots if (key := (lot.sale_id, lot.lot_id)) in rows]
        data = ListData(
            signed_in=who.signed_in,
            bidder_id=who.bidder_id,
            may_bid=who.may_bid,
            may_not_bid=who.may_not_bid,
            follow=[Follow(sale_id=one, lots=list(cards)) for one, cards in by_sale.items()],
            frames=[raw(frame) for frame in frames],
            cards=by_sale,
            watched=marked,
            sales={row.sale_id: row.sale.title for row in ordered},
            order=[(row.sale_id, row.row.lot.lot_id) for row in ordered],
        )
        return ordered, data

    async def _watched(self, request: web.Request, sale_id: SaleId) -> frozenset[LotId]:
        person_id = PersonId(signed_in(request).person_id)
        return await self._room.its.watchlist.watched_among(person_id, sale_id)


def _sums(lots: Sequence[Any]) -> list[tuple[str, int, int]]:
    """For each currency: what was won comes to, and what of it is to be paid."""
    sums: dict[str, list[int]] = {}
    for lot in lots:
        total, unpaid = sums.setdefault(lot.currency, [0, 0])
        due = 0 if lot.paid_at_us is not None else lot.total_minor
        sums[lot.currency] = [total + lot.total_minor, unpaid + due]
    return [(currency, total, unpaid) for currency, (total, unpaid) in sums.items()]
