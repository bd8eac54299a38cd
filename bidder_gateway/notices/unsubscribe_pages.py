"""The page behind the link in each mail, and the button of mail programs (RFC 8058)."""

from typing import Final

from aiohttp import web

from accounts.ids import PersonId
from accounts.permissions import Access, Action
from bidder_gateway.notices.api import NoticesRoom
from bidder_gateway.notices.kinds import MANNERS, Kind, Way
from bidder_gateway.notices.preferences import choose
from bidder_gateway.notices.unsubscribing import PATH, read_token
from foundation.database import acquire
from foundation.http.pages import page
from foundation.http.problems import NOT_FOUND
from foundation.http.routes import Route

TEMPLATE: Final = "bidder_gateway/notices/unsubscribe.html"
# The link is the right: whoever has it need not be signed in.
_ANYBODY: Final = Access(Action.VIEW_SALES)


class UnsubscribePages:
    """Handlers."""

    def __init__(self, room: NoticesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        link = f"{PATH}/{{token}}"
        return [
            Route("GET", link, self.ask, "No more mails of a kind", _ANYBODY),
            Route("POST", link, self.stop, "No more mails of a kind", _ANYBODY),
        ]

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """GET: nothing changes yet, for programs open links too."""
        _, kind = self._read(request)
        return page(request, TEMPLATE, title=MANNERS[kind].title, done=False)

    async def stop(self, request: web.Request) -> web.StreamResponse:
        """POST, by the page's button or by a mail program; its body says nothing more."""
        person_id, kind = self._read(request)
        async with acquire(self._room.pool) as connection:
            await choose(connection, person_id, {(kind, Way.MAIL): False})
        return page(request, TEMPLATE, title=MANNERS[kind].title, done=True)

    def _read(self, request: web.Request) -> tuple[PersonId, Kind]:
        found = read_token(self._room.key.link_key, request.match_info["token"])
        if found is None:
            raise NOT_FOUND()
        return found
