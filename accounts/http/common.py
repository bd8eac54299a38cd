"""What the handlers of this room share: who visits, and how a refusal is shown."""

from typing import Any, Final, TypeVar

from aiohttp import web
from msgspec import Struct

from accounts.audit import Actor
from accounts.http.cookies import DEVICE, SESSION
from accounts.http.guard import identity_of
from accounts.ids import WORD
from accounts.refusals import Refusal, Refused
from accounts.sessions import AGENT_LENGTH
from accounts.signing_in import Visitor
from accounts.texts import TIME_ZONES
from foundation.http.client_address import client_address
from foundation.http.cookies import cookie
from foundation.http.forms import Form
from foundation.http.pages import page
from foundation.http.problems import (
    CONFLICT,
    INVALID,
    NOT_FOUND,
    TOO_MANY_REQUESTS,
    UNAVAILABLE,
    Problem,
    ProblemKind,
)
from foundation.http.refusals import Refusals

T = TypeVar("T", bound=Struct)

# What is refused because of how things stand, and not because of what was sent.
_CONFLICTS = frozenset(
    {
        Refusal.CHANGED_MEANWHILE,
        Refusal.LAST_ADMIN,
        Refusal.NOT_NOW,
        Refusal.ORGANISATION_EXISTS,
        Refusal.SECOND_FACTOR_IS_YOURS,
        Refusal.SECOND_FACTOR_NOT_SET,
        Refusal.SECOND_FACTOR_SET,
        Refusal.TOO_MANY,
    }
)


# For a choice of a form.
ZONES: Final = tuple((zone, zone.replace("_", " ")) for zone in TIME_ZONES)


def visitor_of(request: web.Request) -> Visitor:
    """Where the request comes from, and what its browser brings along."""
    agent = request.headers.get("User-Agent", "")
    return Visitor(
        address=client_address(request),
        agent="".join(c for c in agent if c.isprintable())[:AGENT_LENGTH],
        device=cookie(request, DEVICE),
        session=cookie(request, SESSION),
    )


def actor_of(request: web.Request) -> Actor:
    """Who acts, for the audit log."""
    identity = identity_of(request)
    return Actor(identity.person_id if identity else None, client_address(request))


def word_of(request: web.Request, name: str) -> str:
    """A part of the path that names something. Raises NOT_FOUND for what can be no id."""
    word = request.match_info[name]
    if not WORD.fullmatch(word):
        raise NOT_FOUND()
    return word


def _kind(refusal: Refusal) -> ProblemKind:
    """This room's refusals are told in the kit's own kinds; which one it was, the detail says."""
    match refusal:
        case Refusal.NOT_FOUND:
            return NOT_FOUND
        case Refusal.TOO_SOON:
            return TOO_MANY_REQUESTS
        case Refusal.BUSY:
            return UNAVAILABLE
        case refusal if refusal in _CONFLICTS:
            return CONFLICT
    return INVALID


_REFUSALS: Final = Refusals(Refused, {refusal: _kind(refusal) for refusal in Refusal})


def problem_of(refused: Refused) -> Problem:
    """The refusal for a program, or as a page of its own."""
    return _REFUSALS.problem_of(refused, _retry_after(refused))


def refused_page(
    request: web.Request, template: str, form: Form[T], refused: Refused, **values: Any
) -> web.Response:
    """The page again, with what was typed and why it was refused.

    Raises `Problem` for what is no matter of the form.
    """
    if refused.refusal is Refusal.NOT_FOUND:
        raise problem_of(refused)
    field = refused.field if refused.field in form.values else ""
    status = problem_of(refused).kind.status
    return page(
        request,
        template,
        status=status,
        headers=_retry_after(refused),
        form=form.refused(field, refused.message),
        **values,
    )


def _retry_after(refused: Refused) -> dict[str, str]:
    return {"Retry-After": str(refused.retry_after_s)} if refused.retry_after_s else {}
