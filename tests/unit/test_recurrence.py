"""Sales that come again, on the days that were meant."""

from datetime import date

import pytest

from auction.desk.recurrence import Recurrence, Rhythm, days_after, moved

TUESDAY = date(2026, 1, 13)  # the second of its month


def test_every_week() -> None:
    weekly = Recurrence(rhythm=Rhythm.WEEKLY)
    assert days_after(weekly, TUESDAY, 3) == [
        date(2026, 1, 20),
        date(2026, 1, 27),
        date(2026, 2, 3),
    ]


def test_every_other_week_until_a_day_which_is_included() -> None:
    until = Recurrence(rhythm=Rhythm.WEEKLY, every=2, until=date(2026, 2, 10))
    assert days_after(until, TUESDAY) == [date(2026, 1, 27), date(2026, 2, 10)]


def test_the_second_tuesday_of_every_month() -> None:
    monthly = Recurrence(rhythm=Rhythm.MONTHLY)
    assert days_after(monthly, TUESDAY, 3) == [
        date(2026, 2, 10),
        date(2026, 3, 10),
        date(2026, 4, 14),
    ]


def test_a_fifth_weekday_that_a_month_lacks_is_its_last() -> None:
    monthly = Recurrence(rhythm=Rhythm.MONTHLY)
    assert days_after(monthly, date(2026, 1, 30), 3) == [  # the fifth Friday
        date(2026, 2, 27),
        date(2026, 3, 27),
        date(2026, 4, 24),
    ]


@pytest.mark.parametrize("day", [7, 14, 21, 28])
def test_the_last_day_of_a_week_of_the_month_is_still_in_it(day: int) -> None:
    monthly = Recurrence(rhythm=Rhythm.MONTHLY)
    (then,) = days_after(monthly, date(2026, 7, day), 1)  # a Tuesday
    assert (then.weekday(), (then.day - 1) // 7) == (1, (day - 1) // 7)


def test_a_holiday_is_left_out_and_not_made_up_for() -> None:
    weekly = Recurrence(rhythm=Rhythm.WEEKLY, skip=(date(2026, 1, 27),))
    assert days_after(weekly, TUESDAY, 3) == [date(2026, 1, 20), date(2026, 2, 3)]


def test_a_year_has_no_end() -> None:
    monthly = Recurrence(rhythm=Rhythm.MONTHLY, every=6)
    assert days_after(monthly, date(2026, 11, 2), 2) == [date(2027, 5, 3), date(2027, 11, 1)]


@pytest.mark.parametrize(
    ("wall", "then"),
    [("2026-01-13T16:00", "2026-01-20T16:00"), ("2026-01-10T09:30", "2026-01-17T09:30")],
)
def test_a_time_keeps_its_distance_from_the_day(wall: str, then: str) -> None:
    assert moved(wall, TUESDAY, date(2026, 1, 20)) == then
