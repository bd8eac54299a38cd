"""Requests that are to have one effect however often they come, by the client's own id of them.

As bids have it: a program that got no answer sends the same request again.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import web

from accounts.http.guard import signed_in
from auction.ids import UUID
from foundation.database import Pool
from foundation.http.problems import INVALID
from foundation.http.routes import Header
from foundation.refusals import RefusedBecause
from settlement.client_requests import Asked, made_for

REQUEST_ID: Final = Header(
    "Idempotency-Key",
    "The request's id, a UUID of your own in lower case: sent again with it, the same request has "
    "no second effect, and is answered with what was made for the first.",
    UUID,
)


class Requests:
    """Finds what was made for a request before, and has it made otherwise."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def once(
        self,
        request: web.Request,
        given: msgspec.Struct,
        make: Callable[[Asked], Awaitable[object]],
    ) -> str:
        """The id of what this request makes or has made. ``make`` has to note it.

        Raises `Problem` 422 without an id, `RequestRefused`, and what ``make`` raises.
        """
        asked = _asked(request, given)
        made = await made_for(self._pool, asked)
        if made is not None:
            return made
        try:
            return str(await make(asked))
        except RefusedBecause:
            # It may be refused because the same request was quicker over another line.
            made = await made_for(self._pool, asked)
            if made is None:
                raise
            return made


def _asked(request: web.Request, given: msgspec.Struct) -> Asked:
    ids = request.headers.getall(REQUEST_ID.name, [])
    if len(ids) != 1 or not re.fullmatch(UUID, ids[0]):
        raise INVALID(f"{REQUEST_ID.name}: send the request's id, a UUID in lower case, once.")
    place = f"{request.method} {request.path}".encode()
    organisation_id = signed_in(request).organisation_id
    return Asked.of(organisation_id, ids[0], place, msgspec.json.encode(given))
