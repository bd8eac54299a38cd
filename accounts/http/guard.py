"""The guard of every route: who is asking, and whether they may do what the route is for.

A route's row names its `Access`. The door asks whether the person may do that to anything at all;
a handler that has the object in hand asks `require` whether to this one, which answers a foreign
object with the very bytes of a missing one.

A browser is known by the cookie of its session, a program by its bearer token. A request with
both is the program's: a token that does not work is never made up for by a cookie.
"""

from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from accounts import sessions
from accounts.clock import Clock
from accounts.http.cookies import SESSION
from accounts.identity import Identity
from accounts.ids import OrganisationId, PersonId
from accounts.permissions import Access, Action, Ownership, allowed, may, ownership_of
from accounts.tokens import Bearers
from foundation.database import Pool
from foundation.http.cookies import cookie
from foundation.http.openapi import AccessWords
from foundation.http.problems import FORBIDDEN, NOT_FOUND, UNAUTHENTICATED
from foundation.http.routes import Route

SIGN_IN_PATH: Final = "/sign-in"
ENROL_PATH: Final = "/account/second-factor"

# The names of the API's security schemes, as its description has them.
BEARER, COOKIE = "bearer", "cookie"
SECURITY_SCHEMES: Final = {
    BEARER: {"type": "http", "scheme": "bearer", "description": "An API token, sc_..."},
    COOKIE: {"type": "apiKey", "in": "cookie", "name": f"__Host-{SESSION}"},
}

_IDENTITY: Final = web.RequestKey("identity", object)
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="softclose"'}


class Door:
    """Made by the host, one a process; its ``guard`` is the guard of the HTTP kit."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self._bearers = Bearers(pool, clock)

    async def guard(self, request: web.Request, route: Route) -> None:
        """Let pass who may, and leave with the request who it is."""
        identity = await self.identify(request)
        request[_IDENTITY] = identity
        access = route.access
        assert isinstance(access, Access), f"{route.path} names no Access"
        if may(identity, access.action):
            return
        if identity is None:
            raise _sign_in_first(request, route)
        if identity.must_enrol and not route.for_programs:
            raise web.HTTPSeeOther(ENROL_PATH)
        raise FORBIDDEN("Set up your second factor first." if identity.must_enrol else "")

    async def identify(self, request: web.Request) -> Identity | None:
        """Who is asking; ``None`` for a guest. Raises `Problem` 401 for a token that is none."""
        given = request.headers.getall("Authorization", [])
        if given:
            scheme, _, bearer = given[0].partition(" ")
            if len(given) == 1 and scheme.lower() == "bearer":
                identity = await self._bearers.identify(bearer.strip())
                if identity is not None:
                    return identity
            raise UNAUTHENTICATED(headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        secret = cookie(request, SESSION)
        if secret is None:
            return None
        return await sessions.identify(self._pool, secret, self._clock())


def identity_of(request: web.Request) -> Identity | None:
    """Who is asking, as the guard found; ``None`` for a guest, and where no guard was."""
    identity = request.get(_IDENTITY)
    assert identity is None or isinstance(identity, Identity)
    return identity


def signed_in(request: web.Request) -> Identity:
    """Who is asking, on a route whose action guests may not do."""
    identity = identity_of(request)
    assert identity is not None, "the guard lets no guest to this route"
    return identity


def can(
    request: web.Request,
    action: Action,
    organisation_id: OrganisationId | str,
    person_id: PersonId | str | None = None,
) -> bool:
    """Whether who is asking may do this to what belongs to that organisation, or person of it."""
    identity = identity_of(request)
    return allowed(identity, action, ownership_of(identity, organisation_id, person_id))


def require(
    request: web.Request,
    action: Action,
    organisation_id: OrganisationId | str,
    person_id: PersonId | str | None = None,
) -> None:
    """Raise NOT_FOUND, as for what does not exist, unless who is asking `can`."""
    if not can(request, action, organisation_id, person_id):
        raise NOT_FOUND()


def access_words(access: object) -> AccessWords:
    """What a route's access means, for readers of the API's description."""
    assert isinstance(access, Access)
    if allowed(None, access.action, Ownership.PUBLIC):
        return AccessWords((BEARER, COOKIE), optional=True, text="Open to everybody.")
    return AccessWords(
        (BEARER, COOKIE),
        text=f"Needs {access.action}.",
        problems=(UNAUTHENTICATED, FORBIDDEN),
    )


def _sign_in_first(request: web.Request, route: Route) -> Exception:
    if route.for_programs:
        return UNAUTHENTICATED(headers=_CHALLENGE)
    if request.method in {"GET", "HEAD"}:
        return web.HTTPSeeOther(f"{SIGN_IN_PATH}?{urlencode({'next': request.path_qs})}")
    return web.HTTPSeeOther(SIGN_IN_PATH)
