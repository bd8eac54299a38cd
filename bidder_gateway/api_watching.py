"""A person's watched lots and saved searches over HTTP."""

from typing import Final

from aiohttp import web

from accounts.http.common import word_of
from accounts.http.guard import signed_in
from accounts.permissions import Access, Action
from auction.ids import PersonId
from bidder_gateway.api_common import V1, kinds, lot_of, problem_of
from bidder_gateway.refusals import Refusal, Refused
from bidder_gateway.saved_searches import SavedSearch, SavedSearches, SearchAsked, Searches
from bidder_gateway.sight import Onlooker, onlooker_of
from bidder_gateway.watchlist import WatchedLot, Watchlist
from foundation.http.answers import answer, created, no_content
from foundation.http.cursors import Listing, Paging
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import body_of, query_of
from foundation.http.routes import Route

_WATCH: Final = Access(Action.KEEP_WATCHLIST)
_SEARCH: Final = Access(Action.KEEP_SAVED_SEARCHES)


class WatchingApi:
    """Handlers."""

    def __init__(self, watchlist: Watchlist, searches: Searches) -> None:
        self._watchlist, self._searches = watchlist, searches

    def routes(self) -> list[Route]:
        """Their rows."""
        watched, search = (
            f"{V1}/watchlist/{{sale_id}}/{{lot_id}}",
            f"{V1}/searches/{{search_id}}",
        )
        return [
            Route(
                "GET",
                f"{V1}/watchlist",
                self.watchlist,
                "The lots that you watch, also by having bid on them",
                _WATCH,
                query=Paging,
                answer=Listing[WatchedLot],
                problems=(INVALID,),
            ),
            Route(
                "PUT",
                watched,
                self.watch,
                "Watch a lot",
                _WATCH,
                status=204,
                problems=kinds(Refusal.NOT_FOUND, Refusal.TOO_MANY),
            ),
            Route(
                "DELETE",
                watched,
                self.unwatch,
                "Watch a lot no more, though you may have bid on it",
                _WATCH,
                status=204,
                problems=kinds(Refusal.NOT_FOUND),
            ),
            Route(
                "GET",
                f"{V1}/searches",
                self.searches,
                "Your saved searches",
                _SEARCH,
                answer=SavedSearches,
            ),
            Route(
                "POST",
                f"{V1}/searches",
                self.save,
                "Save a search",
                _SEARCH,
                body=SearchAsked,
                answer=SavedSearch,
                status=201,
                problems=kinds(Refusal.TOO_MANY),
            ),
            Route(
                "GET",
                search,
                self.search,
                "A saved search",
                _SEARCH,
                answer=SavedSearch,
                problems=(NOT_FOUND,),
            ),
            Route(
                "PUT",
                search,
                self.change,
                "Change a saved search",
                _SEARCH,
                body=SearchAsked,
                answer=SavedSearch,
                problems=(NOT_FOUND,),
            ),
            Route(
                "DELETE",
                search,
                self.remove,
                "Remove a saved search",
                _SEARCH,
                status=204,
                problems=(NOT_FOUND,),
            ),
        ]

    async def watchlist(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/watchlist."""
        paging = query_of(request, Paging)
        return answer(request, await self._watchlist.of(_person(request), paging, _who(request)))

    async def watch(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/watchlist/{sale_id}/{lot_id}."""
        return await self._say(request, watched=True)

    async def unwatch(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/watchlist/{sale_id}/{lot_id}."""
        return await self._say(request, watched=False)

    async def _say(self, request: web.Request, *, watched: bool) -> web.StreamResponse:
        try:
            await self._watchlist.say(
                _person(request), *lot_of(request), _who(request), watched=watched
            )
        except Refused as refused:
            raise problem_of(refused) from None
        return no_content()

    async def searches(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/searches."""
        return answer(request, await self._searches.of(_person(request)))

    async def save(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/searches."""
        asked = await body_of(request, SearchAsked)
        try:
            saved = await self._searches.save(_person(request), asked)
        except Refused as refused:
            raise problem_of(refused) from None
        return created(request, saved, f"{V1}/searches/{saved.search_id}")

    async def search(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/searches/{search_id}."""
        saved = await self._searches.one(_person(request), word_of(request, "search_id"))
        if saved is None:
            raise NOT_FOUND()
        return answer(request, saved)

    async def change(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/searches/{search_id}."""
        search_id, asked = word_of(request, "search_id"), await body_of(request, SearchAsked)
        try:
            return answer(request, await self._searches.change(_person(request), search_id, asked))
        except Refused as refused:
            raise problem_of(refused) from None

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/searches/{search_id}."""
        try:
            await self._searches.remove(_person(request), word_of(request, "search_id"))
        except Refused as refused:
            raise problem_of(refused) from None
        return no_content()


def _who(request: web.Request) -> Onlooker:
    return onlooker_of(signed_in(request))


def _person(request: web.Request) -> PersonId:
    return PersonId(signed_in(request).person_id)
