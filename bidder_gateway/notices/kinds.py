"""The kinds of notices and the ways in which they come: one table of all that differs by kind."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US


class Kind(StrEnum):
    """What a notice is about."""

    OUTBID = "OUTBID"
    LEADING_AGAIN = "LEADING_AGAIN"
    BIDS_VOIDED = "BIDS_VOIDED"
    LOT_REOPENED = "LOT_REOPENED"
    LOT_WON = "LOT_WON"
    LOT_LOST = "LOT_LOST"
    IF_BID_OPENED = "IF_BID_OPENED"
    IF_BID_COUNTERED = "IF_BID_COUNTERED"
    LOT_WITHDRAWN = "LOT_WITHDRAWN"
    CLOSING_SOON = "CLOSING_SOON"
    SALE_PAUSED = "SALE_PAUSED"
    SALE_RESUMED = "SALE_RESUMED"
    ENDS_MOVED = "ENDS_MOVED"
    LOTS_RESCHEDULED = "LOTS_RESCHEDULED"
    SEARCH_MATCHED = "SEARCH_MATCHED"
    QUESTION_ASKED = "QUESTION_ASKED"
    QUESTION_ANSWERED = "QUESTION_ANSWERED"
    QUESTION_HIDDEN = "QUESTION_HIDDEN"
    REGISTERED = "REGISTERED"
    APPROVAL_DECIDED = "APPROVAL_DECIDED"


class Way(StrEnum):
    """How a notice reaches somebody."""

    PAGE = "PAGE"  # the list of notices, and at once on every page that is open
    PUSH = "PUSH"  # the devices that were signed up for it
    MAIL = "MAIL"
    SMS = "SMS"


class Together(StrEnum):
    """Which notices of a kind to one person go out as one."""

    LOT = "LOT"
    SALE = "SALE"
    ALL = "ALL"


class Rhythm(Struct, frozen=True):
    """``wait_us``: how long others are waited for that may go along. ``gap_us``: the least time
    from one to the next of the same bundle; what comes in between goes out together after it."""

    wait_us: int
    gap_us: int


class Manner(Struct, frozen=True, kw_only=True):
    """How the notices of one kind are handled.

    ``urgent`` ones overtake the others and come in quiet hours if the person wants that.
    ``made_within_us``: of an older event no notice is made, such as after a long stop.
    ``sent_within_us``: what did not go out in this time after its event is not sent any more.
    ``newest_only``: a newer one takes the place of an unread one about the same.
    ``always_listed``: it stands in the list whatever was chosen, because something binding
    happened.
    ``for_watchers``: who has said that they do not watch the lot is not told.
    """

    title: str  # as the page of preferences says it
    default: frozenset[Way]
    possible: frozenset[Way] = frozenset(Way)
    urgent: bool = False
    made_within_us: int = 3 * DAY_US
    sent_within_us: int = DAY_US
    newest_only: bool = False
    always_listed: bool = False
    for_watchers: bool = False
    push_together: Together = Together.SALE
    push: Rhythm = Rhythm(2 * SECOND_US, 30 * SECOND_US)
    mail: Rhythm = Rhythm(20 * SECOND_US, 60 * SECOND_US)


# A text message costs money and interrupts: at most one of a kind in this time.
SMS_RHYTHM: Final = Rhythm(0, 5 * MINUTE_US)

_PAGE = frozenset({Way.PAGE})
_PAGE_PUSH = frozenset({Way.PAGE, Way.PUSH})
_PAGE_MAIL = frozenset({Way.PAGE, Way.MAIL})
_ALL = frozenset({Way.PAGE, Way.PUSH, Way.MAIL})

MANNERS: Final[Mapping[Kind, Manner]] = MappingProxyType(
    {
        # A bidding war is a push every three seconds and a mail every five minutes. Whether it
        # is still true is looked at again when it goes out.
        Kind.OUTBID: Manner(
            title="You are outbid",
            default=_ALL,
            urgent=True,
            made_within_us=10 * MINUTE_US,
            sent_within_us=15 * MINUTE_US,
            newest_only=True,
            push_together=Together.LOT,
            push=Rhythm(0, 3 * SECOND_US),
            mail=Rhythm(30 * SECOND_US, 5 * MINUTE_US),
        ),
        Kind.LEADING_AGAIN: Manner(
            title="You lead again, because another bid was voided",
            default=_ALL,
            made_within_us=HOUR_US,
            sent_within_us=HOUR_US,
            always_listed=True,
            push_together=Together.LOT,
            push=Rhythm(0, 0),
        ),
        Kind.BIDS_VOIDED: Manner(
            title="Your bids on a lot are voided",
            default=_ALL,
            always_listed=True,
            push_together=Together.LOT,
            push=Rhythm(0, 0),
        ),
        Kind.LOT_REOPENED: Manner(
            title="All bids on a lot fell, and bidding starts again",
            default=_ALL,
            made_within_us=HOUR_US,
            sent_within_us=HOUR_US,
            always_listed=True,
            push_together=Together.LOT,
            push=Rhythm(0, 0),
        ),
        Kind.LOT_WON: Manner(
            title="You win a lot",
            default=_ALL,
            made_within_us=30 * DAY_US,
            sent_within_us=3 * DAY_US,
            always_listed=True,
        ),
        Kind.LOT_LOST: Manner(
            title="A lot that you bid on goes to somebody else, or is not sold", default=_PAGE
        ),
        Kind.IF_BID_OPENED: Manner(
            title="Your bid is below the reserve, and the seller considers it",
            default=_ALL,
            always_listed=True,
            push_together=Together.LOT,
            push=Rhythm(0, 0),
        ),
        Kind.IF_BID_COUNTERED: Manner(
            title="The seller asks for more than your bid",
            default=_ALL,
            urgent=True,
            always_listed=True,
            push_together=Together.LOT,
            push=Rhythm(0, 0),
            mail=Rhythm(0, 0),
        ),
        Kind.LOT_WITHDRAWN: Manner(
            title="A lot that you bid on or watch is withdrawn", default=_PAGE_MAIL
        ),
        Kind.CLOSING_SOON: Manner(
            title="A lot that you bid on or watch ends soon",
            default=_PAGE_PUSH,
            urgent=True,
            made_within_us=5 * MINUTE_US,
            sent_within_us=HOUR_US,
            for_watchers=True,
            push=Rhythm(2 * SECOND_US, 60 * SECOND_US),
            mail=Rhythm(10 * SECOND_US, 5 * MINUTE_US),
        ),
        Kind.SALE_PAUSED: Manner(
            title="A sale in which you bid or watch is paused",
            default=_PAGE_PUSH,
            made_within_us=6 * HOUR_US,
            sent_within_us=6 * HOUR_US,
            for_watchers=True,
        ),
        Kind.SALE_RESUMED: Manner(
            title="A paused sale goes on",
            default=_PAGE_PUSH,
            made_within_us=6 * HOUR_US,
            sent_within_us=6 * HOUR_US,
            for_watchers=True,
        ),
        Kind.ENDS_MOVED: Manner(
            title="Lots end later, because the service was away",
            default=_ALL,
            made_within_us=6 * HOUR_US,
            sent_within_us=6 * HOUR_US,
            for_watchers=True,
        ),
        Kind.LOTS_RESCHEDULED: Manner(
            title="The seller moved the times of lots that you watch",
            default=_ALL,
            for_watchers=True,
        ),
        Kind.SEARCH_MATCHED: Manner(
            title="New lots match a saved search",
            default=_PAGE_MAIL,
            push_together=Together.ALL,
            push=Rhythm(10 * SECOND_US, 5 * MINUTE_US),
            mail=Rhythm(60 * SECOND_US, 10 * MINUTE_US),
        ),
        # For sellers. Who is asked much has one mail an hour.
        Kind.QUESTION_ASKED: Manner(
            title="A reseller asks about a lot that you sell",
            default=_PAGE_MAIL,
            push_together=Together.ALL,
            push=Rhythm(10 * SECOND_US, 5 * MINUTE_US),
            mail=Rhythm(60 * SECOND_US, HOUR_US),
        ),
        Kind.QUESTION_ANSWERED: Manner(
            title="A question that you asked is answered",
            default=_ALL,
            push_together=Together.LOT,
        ),
        Kind.QUESTION_HIDDEN: Manner(
            title="A question that you asked is not shown", default=_PAGE_MAIL
        ),
        Kind.REGISTERED: Manner(title="You are registered for a sale", default=_PAGE_MAIL),
        # Its letter is the accounts' own, with the reasons in it.
        Kind.APPROVAL_DECIDED: Manner(
            title="Your application is decided",
            default=_PAGE_PUSH,
            possible=frozenset({Way.PAGE, Way.PUSH, Way.SMS}),
            always_listed=True,
            push_together=Together.ALL,
        ),
    }
)


def rhythm_of(kind: Kind, way: Way) -> Rhythm:
    """How the notices of a kind follow each other on a way."""
    if way is Way.SMS:
        return SMS_RHYTHM
    manner = MANNERS[kind]
    return manner.push if way is Way.PUSH else manner.mail


def bundle_of(kind: Kind, way: Way, sale_id: str | None, lot_id: str | None) -> str:
    """Notices of one bundle to one address go out as one."""
    together = MANNERS[kind].push_together if way is Way.PUSH else Together.ALL
    parts: list[str] = [kind]
    if together is not Together.ALL and sale_id is not None:
        parts.append(sale_id)
        if together is Together.LOT and lot_id is not None:
            parts.append(lot_id)
    return "/".join(parts)
