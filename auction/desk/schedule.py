"""When a sale opens and its lots end: times on the wall, as instants. Pure.

People plan by the clock of a place: a sale that opens at 16:00 in Chicago opens at 16:00 there in
winter and in summer, also if it was planned in the other. Between the lots of one sale it is time
that counts, not clocks: ends that are an hour apart are an hour apart across a change of clocks.

When clocks go forward some times never come; they are refused, with the nearest that do. When
clocks go back some come twice; then it has to be said which is meant.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, Struct

from auction.commands import MAX_LOTS_PER_COMMAND
from auction.terms import Duration

SECOND_US: Final = 1_000_000
# A catalogue of a thousand lots at two minutes takes a day and a half; more is a mistake.
MAX_LOTS: Final = 5 * MAX_LOTS_PER_COMMAND
# Between two ends: long enough to bid on one lot after the other, short enough to sit through.
MAX_STEP_US: Final = 3_600 * SECOND_US

# In which sales are held; what is further away is a slip of a key.
YEARS: Final = range(1970, 2100)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# As pages write and forms send it: 2026-11-01T16:00, a time on the wall of the sale's place.
WallTime = Annotated[str, Meta(pattern=r"\A\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?\Z")]
StepUs = Annotated[int, Meta(ge=0, le=MAX_STEP_US)]


class NoSuchTime(ValueError):
    """The message says what is wrong with a time on the wall, and what would do."""


class TimeComesTwice(NoSuchTime):
    """Clocks go back: it has to be said whether the first or the second is meant."""


class Schedule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a sale opens and its first lot ends, by the clock of its place.

    ``step_us``: from the end of a lot to that of the next. ``second``: of times that come twice
    the second is meant, when clocks have gone back; null: it was not said. ``latest_after_us``:
    extensions stop this long after a lot's scheduled end; null: never.
    """

    time_zone: str
    opens: WallTime
    first_end: WallTime
    step_us: StepUs = 60 * SECOND_US
    second: bool | None = None
    latest_after_us: Duration | None = None

    def __post_init__(self) -> None:
        """Whoever shows a draft may count on its times being times. Raises `NoSuchTime`."""
        zone_of(self.time_zone)
        for text in (self.opens, self.first_end):
            if _wall_time(text).year not in YEARS:
                raise NoSuchTime(f"{text!r} is not in the years {YEARS[0]} to {YEARS[-1]}")


class Times(Struct, frozen=True):
    """When a lot may be bid on: [opens_at_us, closes_at_us), and at the latest until."""

    opens_at_us: int
    closes_at_us: int
    latest_end_us: int | None


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name in the IANA table. Raises `NoSuchTime`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NoSuchTime(
            f"{name!r} is not a time zone; it is named as in America/Chicago"
        ) from None


def instant_us(wall_time: str, zone: ZoneInfo, *, second: bool | None = None) -> int:
    """The instant of a time on the wall, in microseconds since the epoch.

    Raises `NoSuchTime` for one that never comes or is no time, `TimeComesTwice` for one that comes
    twice when ``second`` is None.
    """
    wall = _wall_time(wall_time)
    first, last = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    try:
        shown = _wall(first)
    except OverflowError:
        raise NoSuchTime(f"{wall_time!r} is beyond the calendar") from None
    if shown != wall:
        raise NoSuchTime(_skipped(wall, zone, first, last))
    if first.utcoffset() != last.utcoffset() and second is None:
        names = f"{first.tzname()} and {last.tzname()}"
        raise TimeComesTwice(
            f"{_said(wall)} comes twice in {zone.key} ({names}), as clocks go back; say which"
        )
    return _us(last if second else first)


def wall_time(at_us: int, zone: ZoneInfo) -> str:
    """The time on the wall at an instant, to the second."""
    at = _EPOCH + timedelta(microseconds=at_us)
    return at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


def times_of(schedule: Schedule, lots: int) -> list[Times]:
    """When each of so many lots may be bid on, in the order of the catalogue.

    Raises `NoSuchTime`, also when the first end is not after the opening.
    """
    assert 0 <= lots <= MAX_LOTS, "checked before"
    zone = zone_of(schedule.time_zone)
    opens_at_us = instant_us(schedule.opens, zone, second=schedule.second)
    first_end_us = instant_us(schedule.first_end, zone, second=schedule.second)
    if first_end_us <= opens_at_us:
        raise NoSuchTime("the first lot has to end after the sale opens")
    ends = (first_end_us + number * schedule.step_us for number in range(lots))
    after_us = schedule.latest_after_us
    return [Times(opens_at_us, end, None if after_us is None else end + after_us) for end in ends]


def _wall_time(text: str) -> datetime:
    """What is written, without a zone. Raises `NoSuchTime`."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise NoSuchTime(f"{text!r} is not a time as in 2026-11-01T16:00") from None


def _us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _wall(at: datetime) -> datetime:
    """What the clock really shows then: something else if the time was skipped."""
    return at.astimezone(UTC).astimezone(at.tzinfo).replace(tzinfo=None)


def _skipped(wall: datetime, zone: ZoneInfo, first: datetime, last: datetime) -> str:
    before, after = sorted((_wall(first), _wall(last)))
    return (
        f"{_said(wall)} never comes in {zone.key}, as clocks go forward;"
        f" take {_said(before)} or {_said(after)}"
    )


def _said(wall: datetime) -> str:
    return wall.strftime("%Y-%m-%d %H:%M")
