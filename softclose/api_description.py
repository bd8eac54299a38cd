"""What heads the API's description, and what access means to its readers."""

from importlib.metadata import version
from typing import Final

from accounts.http.guard import SECURITY_SCHEMES, access_words
from foundation.http.openapi import About

_DESCRIPTION: Final = """\
Sales, lots and bids for programs. The live feed and bidding itself are a WebSocket, described in
docs/protocol.md.

Times are microseconds since 1970 in UTC (`_us`), amounts are integers in the currency's smallest
unit (`_minor`). A refusal is a problem after RFC 9457; look at its `code`. What belongs to
somebody else is answered like what does not exist. Lists come in pages: give `next_cursor` back
as `cursor`. A GET is answered with an ETag; send it as If-None-Match to be told that nothing has
changed. Fields may be added to answers at any time; unknown ones in requests are refused.
"""


def about() -> About:
    """The head of the description, and what access means."""
    return About(
        title="Softclose",
        version=version("softclose"),
        description=_DESCRIPTION,
        security_schemes=SECURITY_SCHEMES,
        words_of=access_words,
    )
