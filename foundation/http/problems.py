"""What is answered when a request cannot be: problem details after RFC 9457.

A room declares the kinds that it may answer beside its routes and raises them::

    LOT_NOT_WATCHED = ProblemKind("LOT_NOT_WATCHED", 409, "The lot is not on the watchlist")
    raise LOT_NOT_WATCHED("Lot 12 was taken off an hour ago.")

The code is for programs, title and detail are for people. The answer depends on the kind, the
detail and the place only, the request's id is in a header: so `NOT_FOUND()` has the same bytes
for what does not exist and for what is somebody else's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

MEDIA_TYPE: Final = "application/problem+json"


class Problem(Exception):
    """A request that is answered with a refusal; not a fault of ours."""

    def __init__(
        self,
        kind: "ProblemKind",
        detail: str = "",
        *,
        place: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or kind.title)
        self.kind, self.detail, self.place = kind, detail, place
        self.headers: Mapping[str, str] = headers or {}

    def body(self) -> bytes:
        """The JSON object that is answered."""
        return msgspec.json.encode(self.details())

    def details(self) -> "ProblemDetails":
        """The JSON object as a value, for answers and for their description."""
        return ProblemDetails(
            type=f"/problems/{self.kind.code}",
            title=self.kind.title,
            status=self.kind.status,
            code=self.kind.code,
            detail=self.detail or None,
            place=self.place,
        )


@dataclass(frozen=True)
class ProblemKind:
    """One way in which a request is refused."""

    code: str  # SCREAMING_WORDS; what programs look at
    status: int
    title: str  # the same for every problem of this kind

    def __call__(
        self,
        detail: str = "",
        *,
        place: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Problem:
        """A problem of this kind, to be raised.

        ``place`` is a JSON pointer into the body (``/lots/0/amount_minor``) or, with a question
        mark, the name of a query parameter (``?limit``).
        """
        return Problem(self, detail, place=place, headers=headers)


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was refused, after RFC 9457."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    place: str | None = None


BAD_REQUEST = ProblemKind("BAD_REQUEST", 400, "The request is not well formed")
MALFORMED = ProblemKind("MALFORMED", 400, "The body cannot be read")
UNAUTHENTICATED = ProblemKind("UNAUTHENTICATED", 401, "Sign in or send a valid token")
FORBIDDEN = ProblemKind("FORBIDDEN", 403, "Not allowed")
FOREIGN_ORIGIN = ProblemKind("FOREIGN_ORIGIN", 403, "The request comes from another site")
NOT_FOUND = ProblemKind("NOT_FOUND", 404, "Not found")
METHOD_NOT_ALLOWED = ProblemKind("METHOD_NOT_ALLOWED", 405, "This method is not for this address")
BODY_TOO_SLOW = ProblemKind("BODY_TOO_SLOW", 408, "The body took too long to arrive")
CONFLICT = ProblemKind("CONFLICT", 409, "It has changed, or cannot be done now")
BODY_TOO_LARGE = ProblemKind("BODY_TOO_LARGE", 413, "The body is too large")
UNSUPPORTED_MEDIA_TYPE = ProblemKind(
    "UNSUPPORTED_MEDIA_TYPE", 415, "The body is of another kind than this address takes"
)
INVALID = ProblemKind("INVALID", 422, "A value is not as it must be")
TOO_MANY_REQUESTS = ProblemKind("TOO_MANY_REQUESTS", 429, "Slow down")
INTERNAL = ProblemKind("INTERNAL", 500, "Something went wrong on our side")
UNAVAILABLE = ProblemKind("UNAVAILABLE", 503, "Not available for a moment; try again")

# What any route may answer besides what its row says.
ALWAYS_POSSIBLE: Final = (BAD_REQUEST, TOO_MANY_REQUESTS, INTERNAL, UNAVAILABLE)
