"""Searching the lots of all sales, and searches that are kept."""

from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from aiohttp import web
from msgspec import Meta, field, structs

from accounts.http.guard import signed_in
from accounts.permissions import Access, Action
from auction.amounts import NotMoney, parse_typed, plain
from auction.catalog.goods import Condition
from auction.catalog.listings import LotOrder
from auction.catalog.words import KINDS
from auction.ids import PersonId
from auction.terms import STORABLE, LotKind
from bidder_gateway.lots import LotsQuery
from bidder_gateway.pages.room import PagesRoom, show, viewing
from bidder_gateway.refusals import Refused
from bidder_gateway.saved_searches import LotWishes, SavedSearch, SearchAsked
from foundation.http.forms import Form, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import NOT_FOUND, Problem
from foundation.http.reading import Input
from foundation.http.routes import Route

LOTS: Final = 48
# Prices are asked for in the currency of the house; sales of others are found by their figures.
CURRENCY: Final = "USD"

_SALES = Access(Action.VIEW_SALES)
_SEARCH = Access(Action.KEEP_SAVED_SEARCHES)

Word = Annotated[str, Meta(max_length=200, pattern=STORABLE)]


class TypedWishes(Input):
    """What is searched for, as a form has it."""

    q: Word = ""
    category: Word = ""
    condition: list[Condition] = field(default_factory=list)
    kind: list[LotKind] = field(default_factory=list)
    region: Word = ""
    max_price: Word = ""
    min_msrp: Word = ""


class KeptSearch(TypedWishes):
    """A search to be kept. ``alert``: tell of new lots."""

    name: Annotated[str, Meta(max_length=60, pattern=STORABLE)] = ""
    alert: bool = False


class SearchPages:
    """Handlers."""

    def __init__(self, room: PagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one = "/searches/{search_id}"
        return [
            Route("GET", "/search", self.search, "Search the lots of all sales", _SALES),
            Route("GET", "/searches", self.searches, "Your searches", _SEARCH),
            Route("POST", "/searches", self.keep, "Keep a search", _SEARCH),
            Route("GET", one, self.open, "A search that you kept", _SEARCH),
            Route("POST", f"{one}/alert", self.alert, "Tell of new lots, or not", _SEARCH),
            Route("POST", f"{one}/remove", self.remove, "Keep a search no longer", _SEARCH),
        ]

    async def search(self, request: web.Request) -> web.StreamResponse:
        """GET /search."""
        typed = _typed(request)
        return await self._results(request, typed, "")

    async def _results(
        self, request: web.Request, typed: TypedWishes, fault: str, status: int = 200
    ) -> web.Response:
        try:
            wishes = wishes_of(typed)
        except NotMoney as not_money:
            wishes, fault = LotWishes(), str(not_money)
        query = LotsQuery(**structs.asdict(wishes), open=True, order=LotOrder.ENDING, limit=LOTS)
        query.cursor = request.query.get("cursor")
        try:
            found = await self._room.its.lots.search(query, viewing(request).sees_as)
        except Problem:  # a cursor of another search
            query.cursor = None
            found = await self._room.its.lots.search(query, viewing(request).sees_as)
        asked = query_of(typed)
        next_query = urlencode([*asked, ("cursor", found.next_cursor or "")])
        return show(
            request,
            "search.html",
            status=status,
            typed=typed,
            fault=fault,
            asked=bool(asked),
            lots=found.items,
            conditions=[(grade, grade.on_pages) for grade in Condition],
            kinds=list(KINDS.items()),
            next_href=f"/search?{next_query}" if found.next_cursor else "",
            first_href=f"/search?{urlencode(asked)}" if query.cursor else "",
        )

    async def searches(self, request: web.Request) -> web.StreamResponse:
        """GET /searches."""
        person_id = PersonId(signed_in(request).person_id)
        kept = await self._room.its.searches.of(person_id)
        return show(
            request,
            "searches.html",
            searches=[(one, said(one.wishes), href(one)) for one in kept.items],
        )

    async def open(self, request: web.Request) -> web.StreamResponse:
        """GET /searches/{search_id}: what it finds now. Links in notices lead here."""
        return see_other(href(await self._one(request)))

    async def keep(self, request: web.Request) -> web.StreamResponse:
        """POST /searches."""
        form: Form[KeptSearch] = await form_of(request, KeptSearch)
        given = form.valid
        if given is None or not given.name:
            fault = next(iter(form.errors.values()), "Give the search a name to keep it.")
            return await self._results(request, given or _typed_in(form), fault, 422)
        try:
            asked = SearchAsked(name=given.name, wishes=wishes_of(given), alert=given.alert)
            await self._room.its.searches.save(PersonId(signed_in(request).person_id), asked)
        except NotMoney as fault:
            return await self._results(request, given, str(fault), 422)
        except Refused as refused:
            return see_other("/searches", refused.message, FlashKind.ERROR)
        told = " You are told of new lots." if given.alert else ""
        return see_other("/searches", f"Your search is kept.{told}")

    async def alert(self, request: web.Request) -> web.StreamResponse:
        """POST /searches/{search_id}/alert: the other way round than it is."""
        one = await self._one(request)
        asked = SearchAsked(name=one.name, wishes=one.wishes, alert=not one.alert)
        person_id = PersonId(signed_in(request).person_id)
        await self._room.its.searches.change(person_id, one.search_id, asked)
        words = "You are told of new lots." if asked.alert else "You are not told of new lots."
        return see_other("/searches", f"{one.name}: {words}")

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """POST /searches/{search_id}/remove."""
        one = await self._one(request)
        await self._room.its.searches.remove(PersonId(signed_in(request).person_id), one.search_id)
        return see_other("/searches", f"The search “{one.name}” is gone.")

    async def _one(self, request: web.Request) -> SavedSearch:
        person_id = PersonId(signed_in(request).person_id)
        found = await self._room.its.searches.one(person_id, request.match_info["search_id"])
        if found is None:
            raise NOT_FOUND()
        return found


def _typed(request: web.Request) -> TypedWishes:
    """What the address asks for; what it cannot mean is passed over."""
    query = request.query

    def word(name: str) -> str:
        return query.get(name, "").replace("\0", "").strip()[:200]

    return TypedWishes(
        q=word("q"),
        category=word("category"),
        condition=[Condition(one) for one in query.getall("condition", []) if one in _GRADES],
        kind=[LotKind(one) for one in query.getall("kind", []) if one in _KINDS],
        region=word("region").upper(),
        max_price=word("max_price"),
        min_msrp=word("min_msrp"),
    )


_GRADES: Final = frozenset(Condition)
_KINDS: Final = frozenset(LotKind)


def _typed_in(form: Form[Any]) -> TypedWishes:
    """What a form that was refused asked for."""
    return TypedWishes(
        q=form.value("q"),
        category=form.value("category"),
        max_price=form.value("max_price"),
        min_msrp=form.value("min_msrp"),
    )


def wishes_of(typed: TypedWishes) -> LotWishes:
    """The search as it is made and kept. Raises `NotMoney`."""
    return LotWishes(
        q=typed.q or None,
        category=(typed.category,) if typed.category else (),
        condition=tuple(typed.condition),
        kind=tuple(typed.kind),
        region=(typed.region,) if typed.region else (),
        max_price_minor=parse_typed(typed.max_price, CURRENCY) if typed.max_price else None,
        min_msrp_minor=parse_typed(typed.min_msrp, CURRENCY) if typed.min_msrp else None,
    )


def query_of(typed: TypedWishes) -> list[tuple[str, str]]:
    """The search as an address has it."""
    pairs: list[tuple[str, str]] = []
    for name in TypedWishes.__struct_fields__:
        value = getattr(typed, name)
        values: Sequence[str] = value if isinstance(value, list) else [value]
        pairs += [(name, str(one)) for one in values if one]
    return pairs


def href(search: SavedSearch) -> str:
    """The address of what a search finds now."""
    wishes = search.wishes
    typed = TypedWishes(
        q=wishes.q or "",
        category=next(iter(wishes.category), ""),
        condition=list(wishes.condition),
        kind=list(wishes.kind),
        region=next(iter(wishes.region), ""),
        max_price=_price(wishes.max_price_minor),
        min_msrp=_price(wishes.min_msrp_minor),
    )
    return f"/search?{urlencode(query_of(typed))}"


def _price(minor: int | None) -> str:
    return "" if minor is None else plain(minor, CURRENCY)


def said(wishes: LotWishes) -> str:
    """A search in words."""
    parts = []
    if wishes.q:
        parts.append(f"“{wishes.q}”")
    parts += [*wishes.category, *(grade.on_pages for grade in wishes.condition)]
    parts += [KINDS[kind] for kind in wishes.kind]
    parts += [f"in {region}" for region in wishes.region]
    if wishes.max_price_minor is not None:
        parts.append(f"next bid up to ${_price(wishes.max_price_minor)}")
    if wishes.min_msrp_minor is not None:
        parts.append(f"MSRP from ${_price(wishes.min_msrp_minor)}")
    return ", ".join(parts) or "Every lot"
