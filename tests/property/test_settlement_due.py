"""Wherever and whenever: due on a business day, at the same time of day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from settlement.due import Calendar, payment_due_us
from tests.settlement_rules import policy

ZONES = ("America/Chicago", "America/Phoenix", "Europe/London", "Australia/Lord_Howe", "UTC")
DAYS = st.dates(date(2025, 1, 1), date(2028, 12, 31))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@given(
    st.builds(datetime.combine, DAYS, st.times()),
    st.sampled_from(ZONES),
    st.integers(1, 30),
    st.frozensets(DAYS, max_size=40),
)
def test_what_is_due_is_due_on_a_business_day_at_the_same_time_of_day(
    local: datetime, zone: str, days: int, holidays: frozenset[date]
) -> None:
    closed = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone))
    closed_us = (closed - EPOCH) // MICROSECOND
    due_us = payment_due_us(policy(days_to_pay=days), Calendar(zone, holidays), closed_us)
    due = (EPOCH + due_us * MICROSECOND).astimezone(ZoneInfo(zone))
    asked = datetime.combine(due.date(), closed.time())
    if skipped(asked, zone):
        assert due.replace(tzinfo=None) - asked <= timedelta(hours=1)
    else:
        assert due.time() == closed.time()
    assert due.weekday() < 5 and due.date() not in holidays
    between = (closed.date() + timedelta(n) for n in range(1, (due.date() - closed.date()).days))
    assert sum(day.weekday() < 5 and day not in holidays for day in between) == days - 1


def skipped(local: datetime, zone: str) -> bool:
    """Whether the clocks of the zone never showed this."""
    back = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone))
    return back.replace(tzinfo=None) != local
