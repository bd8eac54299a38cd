"""Lots offered again, and sales on another day."""

from datetime import date

import pytest

from auction.desk.refusals import Refused
from auction.desk.relisting import marked_down, on_day
from auction.desk.sale_drafts import SaleDraft
from auction.desk.schedule import Schedule
from auction.increments import LIQUIDATION, IncrementTable, table
from tests.desk import a_lot_draft


def test_prices_fall_to_what_may_be_bid() -> None:
    dollars = IncrementTable(table((0, 5_00)), unit_minor=5_00)
    lower = marked_down(a_lot_draft(opening_minor=100_00, reserve_minor=405_00), 15, dollars)
    assert (lower.opening_minor, lower.reserve_minor) == (85_00, 340_00)  # 344.25, in fives


@pytest.mark.parametrize("percent", [0, 10, 95])
def test_a_reserve_does_not_fall_below_the_opening_bid(percent: int) -> None:
    lower = marked_down(a_lot_draft(opening_minor=1_00, reserve_minor=2_00), percent, LIQUIDATION)
    assert lower.opening_minor is not None and lower.reserve_minor is not None
    assert LIQUIDATION.least_opening_minor <= lower.opening_minor <= lower.reserve_minor


def test_what_has_no_price_gets_none() -> None:
    lower = marked_down(a_lot_draft(opening_minor=None, reserve_minor=None), 20, LIQUIDATION)
    assert (lower.opening_minor, lower.reserve_minor) == (None, None)


def test_a_sale_moves_as_a_whole_by_the_clock_of_its_place() -> None:
    times = Schedule(
        time_zone="America/Chicago", opens="2026-10-28T09:00", first_end="2026-10-31T16:00"
    )
    later = on_day(SaleDraft(title="Weekly", schedule=times), date(2026, 11, 4)).schedule
    assert later is not None
    assert (later.opens, later.first_end) == ("2026-11-04T09:00", "2026-11-07T16:00")


@pytest.mark.parametrize("day", [date(9999, 12, 31), date(2100, 1, 1), date(1, 1, 1)])
def test_a_sale_is_not_moved_off_the_calendar(day: date) -> None:
    times = Schedule(
        time_zone="America/Chicago", opens="2026-10-28T09:00", first_end="2026-10-31T16:00"
    )
    with pytest.raises(Refused, match="BAD_TIME"):
        on_day(SaleDraft(schedule=times), day)


def test_a_sale_without_times_has_none_on_any_day() -> None:
    assert on_day(SaleDraft(title="Weekly"), date(2026, 11, 4)) == SaleDraft(title="Weekly")
