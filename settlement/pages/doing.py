"""What handlers do that ask a part of settlement for something, and show what came of it."""

from collections.abc import Awaitable
from functools import wraps
from typing import Final

import structlog
from aiohttp import web

from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import NOT_FOUND
from foundation.http.routes import Handler
from foundation.refusals import RefusedBecause
from settlement.operations import Refused, Unknown
from settlement.rows import NotFound

PROVIDER_AWAY: Final = (
    "The payment provider does not answer at the moment. Nothing was done; try again in a minute."
)

_logger = structlog.get_logger(__name__)


async def done(work: Awaitable[object], place: str, said: str) -> web.Response:
    """Go to ``place`` with what was said; a refusal of any part is said there instead.

    Raises NOT_FOUND for what is not there or is another's.
    """
    try:
        await work
    except RefusedBecause as refused:
        if refused.refusal == "NOT_FOUND":
            raise NOT_FOUND() from None
        return see_other(place, sentence(refused.message), FlashKind.ERROR)
    except NotFound:
        raise NOT_FOUND() from None
    except Unknown as error:
        _logger.warning("provider_away", reason=str(error))
        return see_other(place, PROVIDER_AWAY, FlashKind.WARNING)
    except Refused as refused_there:
        said = sentence(refused_there.message or refused_there.code)
        return see_other(place, said, FlashKind.ERROR)
    return see_other(place, said)


def told(handler: Handler) -> Handler:
    """The handler of a page that reads: what is not there is answered so."""

    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except NotFound:
            raise NOT_FOUND() from None
        except RefusedBecause as refused:
            if refused.refusal == "NOT_FOUND":
                raise NOT_FOUND() from None
            raise

    return handle


def sentence(text: str) -> str:
    """A refusal's words as a sentence."""
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."
