"""When a dock takes trucks: its opening hours cut into slots, by its own clocks. Pure.

A slot begins at an hour that people say, and lasts as long as it does: where the clocks change in
the middle of a working day, the slots after it begin an hour earlier or later by the wall clock,
and none is there twice.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct, structs

from auction.ids import LiquidatorId
from auction.terms import STORABLE
from settlement.invoices import ShipFrom

MINUTE_US: Final = 60 * 1_000_000
MAX_DOORS: Final = 50
MAX_CLOSED_DAYS: Final = 400

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Minute = Annotated[int, Meta(ge=0, le=1440)]
DoorName = Annotated[str, Meta(min_length=1, max_length=20, pattern=STORABLE)]


class Hours(Struct, frozen=True, forbid_unknown_fields=True):
    """Open from one minute of the day to another."""

    opens_minute: Minute
    closes_minute: Minute


class Dock(Struct, frozen=True, kw_only=True):
    """A place that goods are fetched from. ``hours``: by the day of the week, Monday is 1; a day
    that is missing is closed. ``doors``: how many trucks each takes in one slot."""

    dock_id: str
    liquidator_id: LiquidatorId
    ship_from: ShipFrom
    zone: str
    slot_minutes: int
    change_minutes: int
    ahead_days: int
    hours: Mapping[int, Hours]
    doors: Mapping[str, int]
    closed: Mapping[date, str]
    version: int = 1


class Slot(Struct, frozen=True, order=True):
    """A part of a day in which a truck may stand at the dock."""

    at_us: int
    ends_at_us: int


class DockPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What staff say of a dock: all of it, each time."""

    zone: Annotated[str, Meta(max_length=64)]
    slot_minutes: Annotated[int, Meta(ge=15, le=480)]
    change_minutes: Annotated[int, Meta(ge=0, le=14 * 1440)]
    ahead_days: Annotated[int, Meta(ge=1, le=365)]
    hours: Mapping[int, Hours]
    doors: Mapping[DoorName, Annotated[int, Meta(ge=0, le=50)]]
    closed: Mapping[date, Annotated[str, Meta(max_length=120, pattern=STORABLE)]] = {}


_WORKDAY: Final = Hours(8 * 60, 16 * 60)
_WEEK: Final = range(1, 6)


def dock_id_of(liquidator_id: LiquidatorId, ship_from: ShipFrom) -> str:
    """The id of the place, whoever asks first."""
    place = "\x1f".join((liquidator_id, *structs.astuple(ship_from)))
    return f"dock-{sha256(place.encode()).hexdigest()[:12]}"


def first_dock(liquidator_id: LiquidatorId, ship_from: ShipFrom, zone: str) -> Dock:
    """What is assumed of a place of which nobody has said anything: two doors, working hours of an
    office, an hour for a truck, and a day's notice to change one's mind."""
    return Dock(
        dock_id=dock_id_of(liquidator_id, ship_from),
        liquidator_id=liquidator_id,
        ship_from=ship_from,
        zone=zone,
        slot_minutes=60,
        change_minutes=24 * 60,
        ahead_days=30,
        hours=dict.fromkeys(_WEEK, _WORKDAY),
        doors={"1": 1, "2": 1},
        closed={},
    )


def plan_fault(plan: DockPlan) -> tuple[str, str] | None:
    """The first field of a plan that is wrong, and why; ``None``: it can be worked by."""
    try:
        ZoneInfo(plan.zone)
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder
        return "zone", f"{plan.zone[:40]!r} is no time zone"
    if not 1 <= len(plan.doors) <= MAX_DOORS:
        return "doors", f"a dock has from 1 to {MAX_DOORS} doors"
    for weekday, hours in plan.hours.items():
        if not 1 <= weekday <= 7:
            return "hours", f"{weekday} is no day of the week: Monday is 1"
        if hours.closes_minute - hours.opens_minute < plan.slot_minutes:
            return "hours", f"on day {weekday} it is open for less than one slot"
    if len(plan.closed) > MAX_CLOSED_DAYS:
        return "closed", f"at most {MAX_CLOSED_DAYS} days can be named"
    return None


def day_of(dock: Dock, at_us: int) -> date:
    """The date at the dock then."""
    return local(dock.zone, at_us).date()


def local(zone: str, at_us: int) -> datetime:
    """A time by a zone's clocks."""
    return (_EPOCH + at_us * _MICROSECOND).astimezone(ZoneInfo(zone))


def in_words(zone: str, at_us: int) -> str:
    """As people say it: ``Tue 10 Mar 09:00``."""
    return local(zone, at_us).strftime("%a %-d %b %H:%M")


def slots_of(dock: Dock, day: date, holidays: frozenset[date] = frozenset()) -> Iterator[Slot]:
    """The slots of a day, in order; none on a closed day."""
    hours = dock.hours.get(day.isoweekday())
    if hours is None or day in dock.closed or day in holidays:
        return
    at_us, closes_us = _at(dock, day, hours.opens_minute), _at(dock, day, hours.closes_minute)
    while (ends_us := at_us + dock.slot_minutes * MINUTE_US) <= closes_us:
        yield Slot(at_us, ends_us)
        at_us = ends_us


def slot_at(dock: Dock, at_us: int, holidays: frozenset[date] = frozenset()) -> Slot | None:
    """The slot that begins just then, if there is one."""
    every = slots_of(dock, day_of(dock, at_us), holidays)
    return next((slot for slot in every if slot.at_us == at_us), None)


def noon_us(dock: Dock, day: date) -> int:
    """Noon of a day at the dock: whatever the clocks do, its slots begin within a day of it."""
    return _at(dock, day, 12 * 60)


def _at(dock: Dock, day: date, minute: int) -> int:
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - its zone comes below
    wall = midnight + timedelta(minutes=minute)
    return (wall.replace(tzinfo=ZoneInfo(dock.zone)) - _EPOCH) // _MICROSECOND
