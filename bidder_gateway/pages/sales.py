"""The calendar of sales, and a sale's board of lots."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from msgspec import Struct, structs

from accounts.permissions import Access, Action
from auction.catalog.goods import Condition
from auction.ids import LotId, PersonId, SaleId
from auction.plain_terms import clauses
from bidder_gateway.feeds import standing
from bidder_gateway.listed import SaleState, SaleSummary
from bidder_gateway.lots import LotsQuery
from bidder_gateway.pages.choosing import ORDERS_IN_WORDS, Choice, choose, counts, rows_of
from bidder_gateway.pages.page_data import (
    Follow,
    PageData,
    Picture,
    card_of,
    embedded,
    picture_of,
    raw,
)
from bidder_gateway.pages.questions import said_of
from bidder_gateway.pages.room import PagesRoom, Viewing, sale_id_of, show, viewing
from bidder_gateway.protocol import ServerFrame, Standing
from bidder_gateway.sales import CalendarQuery
from foundation.http.cursors import Paging
from foundation.http.problems import NOT_FOUND, Problem
from foundation.http.routes import Route

CALENDAR = "/sales"
# Registrations that the calendar marks: of the latest so many.
MARKED = 200
# Sales of the calendar that show photos, each of its first lots: what fills a screen or two.
PICTURED, PHOTOS = 8, 4

_SALES = Access(Action.VIEW_SALES)


class Day(Struct, frozen=True):
    """The day of a sale in its zone."""

    month: str
    number: int
    weekday: str


class BoardData(PageData, frozen=True, kw_only=True):
    """What a board brings along."""

    paused_reason: str | None


class SalePages:
    """Handlers."""

    def __init__(self, room: PagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        board = "/sales/{sale_id}"
        return [
            Route("GET", "/", self.calendar, "The calendar of sales", _SALES),
            Route("GET", CALENDAR, self.calendar, "The calendar of sales", _SALES),
            Route("GET", board, self.board, "A sale's board of lots", _SALES),
            Route("GET", f"{board}/terms", self.terms, "The terms of a sale", _SALES),
        ]

    async def calendar(self, request: web.Request) -> web.StreamResponse:
        """GET /sales: those to come or going on, or with ?state=ended the others."""
        who, ended = viewing(request), request.query.get("state") == "ended"
        words = request.query.get("q", "").replace("\0", "").strip()[:100]
        query = CalendarQuery(
            state=SaleState.ENDED if ended else None,
            q=words or None,
            cursor=request.query.get("cursor"),
            limit=20,
        )
        try:
            found = await self._room.its.sales.calendar(query, who.sees_as)
        except Problem:  # a cursor of another list, from an address that somebody kept
            query.cursor = None
            found = await self._room.its.sales.calendar(query, who.sees_as)
        kept = {"state": "ended" if ended else "", "q": words}
        pictured = [sale.sale_id for sale in found.items[:PICTURED]]
        return show(
            request,
            "calendar.html",
            path=CALENDAR,  # also where it is the first page
            ended=ended,
            q=words,
            sales=[_with_day(sale) for sale in found.items],
            pictures={sale_id: await self._pictures(sale_id, who) for sale_id in pictured},
            registered=await self._registered(who),
            next_href=_href(**kept, cursor=found.next_cursor) if found.next_cursor else "",
            first_href=_href(**kept) if query.cursor else "",
        )

    async def _pictures(self, sale_id: SaleId, who: Viewing) -> list[Picture]:
        found = await self._room.its.lots.of_sale(sale_id, LotsQuery(limit=PHOTOS), who.sees_as)
        lots = [] if found is None else found.items
        return [picture_of(lot.photo, "tile") for lot in lots if lot.photo is not None]

    async def _registered(self, who: Viewing) -> frozenset[SaleId]:
        if who.bidder_id is None or who.identity is None:
            return frozenset()
        organisation_id = who.identity.organisation_id
        found = await self._room.its.registrations.all_of(organisation_id, Paging(limit=MARKED))
        return frozenset(one.sale_id for one in found.items)

    async def board(self, request: web.Request) -> web.StreamResponse:
        """GET /sales/{sale_id}."""
        room, who = self._room, viewing(request)
        sale_id = sale_id_of(request)
        sale = await room.its.sales.sale(sale_id, who.sees_as)
        if sale is None:
            raise NOT_FOUND()
        lots = await room.lots_of(sale_id, who.sees_as)
        cards = {lot.lot_id: card_of(lot) for lot in lots}
        watched = await self._watched(who, sale_id)
        said = await said_of(room, request, sale_id)
        feed = await room.feed(sale_id)
        # From here on nothing waits: what is shown is of one moment.
        snapshot = feed.snapshot(None)
        own = None if who.bidder_id is None else standing(feed.sale, who.bidder_id)
        choice = choice_of(request)
        rows = rows_of(snapshot.lots, cards, own, watched)
        frames: Sequence[ServerFrame] = [snapshot, *_known(own)]
        data = BoardData(
            signed_in=who.signed_in,
            bidder_id=who.bidder_id,
            may_bid=who.may_bid,
            may_not_bid=who.may_not_bid,
            follow=[Follow(sale_id=sale_id)],
            frames=[raw(frame) for frame in frames],
            cards={sale_id: cards},
            paused_reason=sale.paused_reason,
            watched=[(sale_id, lot_id) for lot_id in sorted(watched)],
        )
        response = show(
            request,
            "board.html",
            sale=sale,
            said=said,
            standing=own,
            choice=choice,
            rows=choose(rows, choice),
            numbers=counts(rows),
            categories=sorted({card.category for card in cards.values()}),
            conditions=_conditions(cards.values()),
            orders=ORDERS_IN_WORDS,
            times_note=times_note(sale),
            data=embedded(data),
        )
        response.enable_compression()  # a large board is a megabyte of much the same
        return response

    async def _watched(self, who: Viewing, sale_id: SaleId) -> frozenset[LotId]:
        if who.identity is None:
            return frozenset()
        person_id = PersonId(who.identity.person_id)
        return await self._room.its.watchlist.watched_among(person_id, sale_id)

    async def terms(self, request: web.Request) -> web.StreamResponse:
        """GET /sales/{sale_id}/terms."""
        sale = await self._room.its.sales.sale(sale_id_of(request), viewing(request).sees_as)
        if sale is None:
            raise NOT_FOUND()
        return show(request, "terms.html", sale=sale, clauses=clauses(sale.terms))


def choice_of(request: web.Request) -> Choice:
    """What the address chooses; what it cannot mean is passed over."""
    given = {
        name: request.query[name].replace("\0", "")[:120]
        for name in Choice.__struct_fields__
        if name in request.query
    }
    return Choice(**given)


def times_note(sale: SaleSummary) -> str:
    """Whose times are shown: the viewer's own, where scripts can tell, else the sale's."""
    city = sale.time_zone.rpartition("/")[2].replace("_", " ")
    return f"Times are in your time zone. The sale is held in {city} time."


def _known(own: Standing | None) -> Sequence[Standing]:
    return [] if own is None else [own]


def _conditions(cards: Any) -> list[tuple[str, str]]:
    present = {card.condition for card in cards}
    return [(grade, grade.on_pages) for grade in Condition if grade in present]


def _with_day(sale: SaleSummary) -> dict[str, Any]:
    at_us = sale.opens_at_us if sale.next_end_us is None else sale.next_end_us
    moment = datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(ZoneInfo(sale.time_zone))
    day = Day(moment.strftime("%b"), moment.day, moment.strftime("%a"))
    return {**structs.asdict(sale), "day": day}


def _href(**given: str | None) -> str:
    told = {name: value for name, value in given.items() if value}
    return f"{CALENDAR}?{urlencode(told)}" if told else CALENDAR
