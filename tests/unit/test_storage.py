"""What it costs to leave goods standing."""

import pytest

from settlement.due import pickup_deadline_us
from settlement.storage import Gone, missed_minor, storage_minor
from tests.settlement_rules import CALENDAR, CLOSED, at_us, policy

FREE_UNTIL = at_us("2026-03-13 17:00")  # a Friday


def due(now: str, *fetched: Gone, pallets: int = 4) -> int:
    return storage_minor(policy(), CALENDAR, FREE_UNTIL, pallets, fetched, at_us(now))


def test_five_business_days_are_free() -> None:
    assert pickup_deadline_us(policy(), CALENDAR, CLOSED) == FREE_UNTIL


@pytest.mark.parametrize(
    ("now", "minor"),
    [
        ("2026-03-10 09:00", 0),
        ("2026-03-13 17:00", 0),
        ("2026-03-13 23:59", 0),  # the rest of the day is free
        ("2026-03-14 00:00", 4 * 7_00),
        ("2026-03-14 23:59", 4 * 7_00),
        ("2026-03-16 08:00", 3 * 4 * 7_00),  # a weekend counts
    ],
)
def test_then_each_pallet_costs_seven_a_day(now: str, minor: int) -> None:
    assert due(now) == minor


def test_what_is_fetched_costs_no_more() -> None:
    early = Gone(at_us("2026-03-12 10:00"), 1)
    saturday = Gone(at_us("2026-03-14 10:00"), 2)
    assert due("2026-03-16 08:00", early, saturday) == (2 * 1 + 1 * 3) * 7_00
    assert due("2026-03-16 08:00", early, saturday, Gone(at_us("2026-03-15 10:00"), 1)) == 28_00


def test_loose_cases_stand_as_one_pallet() -> None:
    assert due("2026-03-14 08:00", pallets=0) == 7_00


@pytest.mark.parametrize(
    ("came", "minor"),
    [("09:30", 0), ("10:00", 0), ("12:00", 0), ("12:01", 50_00)],
)
def test_an_appointment_is_missed_after_more_than_two_hours(came: str, minor: int) -> None:
    booked = at_us("2026-03-10 10:00")
    assert missed_minor(policy(), booked, at_us(f"2026-03-10 {came}")) == minor
