"""Whether a notice that waits goes out now: a pure ladder, looked at each time it is about to."""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from bidder_gateway.notices.addressing import Notice
from bidder_gateway.notices.kinds import MANNERS, Kind, Way
from bidder_gateway.notices.preferences import Choices, Settings, quiet_until_us, wants
from bidder_gateway.notices.sale_now import LotNow, SaleNow
from bidder_gateway.notices.truth import still_true


class Dropped(StrEnum):
    """Why a notice is not sent on a way, and never will be. The list has it all the same."""

    UNWANTED = "UNWANTED"  # its reader has turned this off meanwhile
    SEEN = "SEEN"  # its reader has seen it on the page, and it was only urgent
    LATE = "LATE"  # it waited for longer than its kind is worth
    STALE = "STALE"  # it is not so any more
    LEFT = "LEFT"  # its reader has left


class Send(Struct, frozen=True):
    """It goes out, with what it says brought up to now."""

    notice: Notice


class Drop(Struct, frozen=True):
    """It does not go out."""

    reason: Dropped


class Wait(Struct, frozen=True):
    """Not now, but then."""

    until_us: int


class Reader(Struct, frozen=True):
    """Whom it is for: the zone of their clock, and what they want."""

    zone: str
    choices: Choices
    settings: Settings


class Times(Struct, frozen=True):
    """``now_us`` is the engine's time, by which lots end; ``wall_us`` is the time of the day."""

    now_us: int
    wall_us: int


# What they say about a lot is about the moment in which they are read.
_BROUGHT_UP = frozenset({Kind.OUTBID, Kind.LOT_REOPENED, Kind.CLOSING_SOON})


def judge(
    notice: Notice,
    *,
    seen: bool,
    way: Way,
    reader: Reader,
    times: Times,
    sale: SaleNow | None,
    lot: LotNow | None,
) -> Send | Drop | Wait:
    """What is done with a notice on a way."""
    kind, manner = notice.kind, MANNERS[notice.kind]
    if not wants(reader.choices, kind, way):
        return Drop(Dropped.UNWANTED)
    if seen and manner.urgent:
        return Drop(Dropped.SEEN)
    if times.now_us > notice.at_us + manner.sent_within_us:
        return Drop(Dropped.LATE)
    if not still_true(kind, notice.facts, notice.bidder_id, sale, lot, times.now_us):
        return Drop(Dropped.STALE)
    quiet_us = quiet_until_us(reader.settings, reader.zone, times.wall_us)
    if quiet_us is not None and not (manner.urgent and reader.settings.urgent_in_quiet):
        return Wait(quiet_us)
    return Send(_brought_up(notice, lot))


def _brought_up(notice: Notice, lot: LotNow | None) -> Notice:
    if lot is None or notice.kind not in _BROUGHT_UP:
        return notice
    facts = replace(
        notice.facts,
        price_minor=lot.price_minor,
        next_minimum_minor=lot.next_minimum_minor,
        closes_at_us=lot.closes_at_us,
    )
    return replace(notice, facts=facts)
