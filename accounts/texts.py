"""What people may write about themselves: types for forms and bodies, and their checks.

Text is kept as it was written and escaped where it is shown; refused is only what no page could
show as it is: control characters, and those that turn the direction of the text around it.
"""

import re
from typing import Annotated, Final
from zoneinfo import available_timezones

from msgspec import Meta

from accounts.refusals import Refusal, Refused

_HIDDEN = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
ONE_LINE: Final = rf"\A[^\t\n{_HIDDEN}]*\Z"
LINES: Final = rf"\A[^{_HIDDEN}]*\Z"

# Of RFC 5321, without quotes and comments, which nobody has and mail programs disagree on.
MAIL: Final = (
    r"\A[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}\Z"
)

_NAME_RULE: Final = {"message": "Use plain text on one line, and not too much of it."}

PersonName = Annotated[str, Meta(min_length=1, max_length=100, pattern=ONE_LINE, extra=_NAME_RULE)]
OrganisationName = Annotated[
    str, Meta(min_length=1, max_length=120, pattern=ONE_LINE, extra=_NAME_RULE)
]
Short = Annotated[str, Meta(max_length=120, pattern=ONE_LINE, extra=_NAME_RULE)]
Label = Annotated[str, Meta(min_length=1, max_length=60, pattern=ONE_LINE, extra=_NAME_RULE)]
Paragraph = Annotated[
    str,
    Meta(max_length=2_000, pattern=LINES, extra={"message": "Use plain text, 2,000 characters."}),
]
MailAddress = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=254,
        pattern=MAIL,
        extra={"message": "Enter a mail address such as name@example.com."},
    ),
]
# What is typed into a password field is taken as it is, spaces too; the rules are elsewhere.
TypedPassword = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1_000,
        extra={"verbatim": True, "message": "Enter the password."},
    ),
]
TimeZone = Annotated[str, Meta(min_length=1, max_length=64)]
TypedCode = Annotated[str, Meta(min_length=1, max_length=64, extra={"message": "Enter the code."})]

_ZONES: Final = frozenset(available_timezones())
# Those that people look for; the list of all has six hundred, half of them other names for these.
TIME_ZONES: Final = tuple(
    sorted(
        zone
        for zone in _ZONES
        if zone.partition("/")[0]
        in {
            "Africa",
            "America",
            "Asia",
            "Atlantic",
            "Australia",
            "Europe",
            "Indian",
            "Pacific",
            "UTC",
        }
    )
)


def mail_address(given: str) -> str:
    """The address in the one spelling that is kept. Raises `Refused` BAD_MAIL."""
    address = given.strip().lower()
    if len(address) > 254 or re.search(MAIL, address) is None:
        raise Refused(Refusal.BAD_MAIL, field="mail")
    return address


def checked_name(given: str, *, field: str, most: int) -> str:
    """A name on one line. Raises `Refused` BAD_TEXT."""
    name = given.strip()
    if not 1 <= len(name) <= most or re.search(ONE_LINE, name) is None:
        raise Refused(Refusal.BAD_TEXT, field=field)
    return name


def time_zone(given: str) -> str:
    """A zone that the tz database knows. Raises `Refused` BAD_TIME_ZONE."""
    if given not in _ZONES:
        raise Refused(Refusal.BAD_TIME_ZONE, field="time_zone")
    return given
