"""Versions of what several people change: who changes it names the version that they have seen.

The ETag of such a thing begins with its version, and If-Match takes that ETag, or only the version
in quotes, as lists have it: a change is refused when the version has risen, not when something
beside it has changed that is told in the same answer.
"""

import re
from typing import Final

from aiohttp import web

from foundation.http.problems import INVALID, ProblemKind
from foundation.http.routes import Header

_TAG: Final = r"\"[1-9][0-9]{0,8}(\.[0-9a-f]{32})?\""

IF_MATCH: Final = Header(
    "If-Match", 'The ETag of what you have seen, or its version in quotes: "3".', _TAG
)
SEEN_NEEDED: Final = ProblemKind(
    "PRECONDITION_REQUIRED", 428, "Say by If-Match which version you have seen"
)
# What a row that asks for IF_MATCH may answer besides.
SEEN_PROBLEMS: Final = (SEEN_NEEDED, INVALID)


def version_seen(request: web.Request) -> int:
    """The version that If-Match names. Raises `Problem` 428 without one, 422 for what is none."""
    given = request.headers.getall(IF_MATCH.name, [])
    if not given:
        raise SEEN_NEEDED()
    if len(given) != 1 or not re.fullmatch(_TAG, given[0]):
        raise INVALID(f"{IF_MATCH.name}: {IF_MATCH.description}")
    return int(given[0].strip('"').partition(".")[0])
