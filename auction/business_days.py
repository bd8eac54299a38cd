"""Days on which banks work: when something is due that many business days later. Pure.

A day is one of the zone, so that "Tuesday 17:00" is Tuesday 17:00 where the sale is, also when
the clocks change in between.
"""

from collections.abc import Container
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SATURDAY = 5


def due_at_us(from_us: int, days: int, zone: str, holidays: Container[date]) -> int:
    """The same time of day so many business days later.

    Closed on Friday at 17:00 and two days: Tuesday 17:00; with a holiday on Monday: Wednesday.
    """
    moment = (_EPOCH + from_us * _MICROSECOND).astimezone(ZoneInfo(zone))
    day = moment.date()
    left = days
    while left > 0:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY and day not in holidays:
            left -= 1
    due = datetime.combine(day, moment.time(), ZoneInfo(zone))
    return (due - _EPOCH) // _MICROSECOND
