"""Sales that come again: on which days, by the clock of their place. Pure."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

# A year ahead of weekly sales; nobody plans further.
MOST: Final = 53


class Rhythm(StrEnum):
    """How often a sale comes again."""

    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"  # on the same weekday of the month: the second Tuesday


class Recurrence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every so many weeks or months; ``until`` (a date, included) or for good; not on ``skip``."""

    rhythm: Rhythm
    every: Annotated[int, Meta(ge=1, le=12)] = 1
    until: date | None = None
    skip: Annotated[tuple[date, ...], Meta(max_length=MOST)] = ()  # holidays and the like


def days_after(recurrence: Recurrence, first: date, most: int = MOST) -> list[date]:
    """The days on which it comes again after the first, of so many at most, in order.

    MONTHLY keeps weekday and week of the month; a fifth Tuesday that a month lacks is its last.
    """
    days: list[date] = []
    for number in range(1, min(most, MOST) + 1):
        day = _day(recurrence, first, number)
        if recurrence.until is not None and day > recurrence.until:
            break
        if day not in recurrence.skip:
            days.append(day)
    return days


def moved(wall_time: str, first: date, day: date) -> str:
    """A time on the wall of the first sale, as many days from another day as it was from its own:
    an opening three days before the first end stays three days before it."""
    return (date.fromisoformat(wall_time[:10]) + (day - first)).isoformat() + wall_time[10:]


def _day(recurrence: Recurrence, first: date, number: int) -> date:
    steps = number * recurrence.every
    if recurrence.rhythm is Rhythm.WEEKLY:
        return first + timedelta(weeks=steps)
    months = first.year * 12 + first.month - 1 + steps
    begin = date(months // 12, months % 12 + 1, 1)
    week = (first.day - 1) // 7
    day = begin + timedelta(days=(first.weekday() - begin.weekday()) % 7 + 7 * week)
    return day if day.month == begin.month else day - timedelta(weeks=1)
