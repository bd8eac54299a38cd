"""When money is due: business days in the sale's time zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from auction.business_days import due_at_us

CHICAGO = "America/Chicago"


def at_us(text: str, zone: str = CHICAGO) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1_000_000)


def test_two_days_from_friday_are_tuesday() -> None:
    assert due_at_us(at_us("2026-03-06 17:00"), 2, CHICAGO, ()) == at_us("2026-03-10 17:00")


def test_a_holiday_on_monday_makes_it_wednesday() -> None:
    holidays = {date(2026, 5, 25)}
    assert due_at_us(at_us("2026-05-22 17:00"), 2, CHICAGO, holidays) == at_us("2026-05-27 17:00")


def test_the_time_of_day_stays_when_the_clocks_change() -> None:
    # On 8 March 2026 Chicago goes from UTC-6 to UTC-5.
    before, after = at_us("2026-03-06 17:00"), due_at_us(at_us("2026-03-06 17:00"), 1, CHICAGO, ())
    assert after - before == (3 * 24 - 1) * 3_600 * 1_000_000


def test_the_day_is_that_of_the_zone() -> None:
    """Friday 23:30 in Chicago is Saturday in Greenwich; a day from it is Monday 23:30 there."""
    late = at_us("2026-07-10 23:30")
    assert datetime.fromtimestamp(late / 1e6, UTC).weekday() == 5
    assert due_at_us(late, 1, CHICAGO, ()) == at_us("2026-07-13 23:30")


def test_a_microsecond_is_not_lost() -> None:
    assert due_at_us(at_us("2026-03-03 10:00") + 1, 1, CHICAGO, ()) % 1_000_000 == 1
