"""The words of reconciliation: breaks, states, and why something is refused there."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from foundation.refusals import RefusedBecause


class WireState(StrEnum):
    """Where money stands that came in and fitted no invoice."""

    UNKNOWN = "UNKNOWN"
    IDENTIFIED = "IDENTIFIED"
    RETURNED = "RETURNED"
    KNOWN = "KNOWN"  # it was booked already, as something else


class AdjustmentState(StrEnum):
    """Where an adjustment stands."""

    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class BooksRefusal(StrEnum):
    """What stands in the way."""

    NOT_FOUND = "NOT_FOUND"
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    RESOLVED = "RESOLVED"
    NOT_YOURS = "NOT_YOURS"
    SAME_PERSON = "SAME_PERSON"
    PROPOSED_ALREADY = "PROPOSED_ALREADY"
    STALE_PROPOSAL = "STALE_PROPOSAL"
    DECIDED = "DECIDED"
    INVALID = "INVALID"
    NO_REASON = "NO_REASON"
    BAD_FILE = "BAD_FILE"
    OTHER_CURRENCY = "OTHER_CURRENCY"
    NOTHING_LEFT = "NOTHING_LEFT"
    DAY_OPEN = "DAY_OPEN"
    MONTH_OPEN = "MONTH_OPEN"
    ALREADY_CLOSED = "ALREADY_CLOSED"


MEANINGS: Final[Mapping[BooksRefusal, str]] = {
    BooksRefusal.NOT_FOUND: "There is no such thing in the books.",
    BooksRefusal.CHANGED_MEANWHILE: "Somebody changed it meanwhile: look at it again.",
    BooksRefusal.RESOLVED: "It is resolved.",
    BooksRefusal.NOT_YOURS: "Somebody else has taken it: it is theirs to give back.",
    BooksRefusal.SAME_PERSON: "Whoever proposes an adjustment does not decide it.",
    BooksRefusal.PROPOSED_ALREADY: "An adjustment of it is proposed already.",
    BooksRefusal.STALE_PROPOSAL: "The books changed since it was proposed: propose it anew.",
    BooksRefusal.DECIDED: "It is decided.",
    BooksRefusal.INVALID: "That cannot be booked.",
    BooksRefusal.NO_REASON: "Say why.",
    BooksRefusal.BAD_FILE: "Nothing of the file was taken in.",
    BooksRefusal.OTHER_CURRENCY: "It is in another currency.",
    BooksRefusal.NOTHING_LEFT: "Nothing of that invoice is to be paid any more.",
    BooksRefusal.DAY_OPEN: "The day cannot be closed yet.",
    BooksRefusal.MONTH_OPEN: "The month cannot be closed yet.",
    BooksRefusal.ALREADY_CLOSED: "It is closed.",
}

MAX_WORDS: Final = 500


class BooksRefused(RefusedBecause[BooksRefusal]):
    """Nothing of it was done."""

    meanings = MEANINGS


def words_of(text: str, field: str, *, needed: bool = False) -> str:
    """Some words of a person, at most as many as are kept."""
    plain = text.strip()
    if needed and not plain:
        raise BooksRefused(BooksRefusal.NO_REASON, field=field)
    if len(plain) > MAX_WORDS or "\0" in plain:
        detail = f"{field}: it has a NUL or more than {MAX_WORDS} characters"
        raise BooksRefused(BooksRefusal.INVALID, field=field, detail=detail)
    return plain
