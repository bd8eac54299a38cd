"""When things are due after the hammer, to the minute."""

import pytest

from settlement.due import (
    abandonment_notice_us,
    accepted_us,
    capture_at_us,
    claims_until_us,
    confirmed_until_us,
    payment_due_us,
    pickup_deadline_us,
    suspended_until_us,
    uncollected_accepted_us,
)
from settlement.policy import HOUR_US
from tests.settlement_rules import CALENDAR, at_us, policy

FRIDAY = at_us("2026-03-06 17:00")


def test_what_closed_on_friday_is_to_be_paid_on_tuesday() -> None:
    assert payment_due_us(policy(), CALENDAR, FRIDAY) == at_us("2026-03-10 17:00")


def test_a_holiday_on_monday_makes_it_wednesday() -> None:
    closed = at_us("2026-05-22 17:00")
    assert payment_due_us(policy(), CALENDAR, closed) == at_us("2026-05-27 17:00")


def test_claims_are_taken_for_two_business_days_after_the_goods_changed_hands() -> None:
    assert claims_until_us(policy(), CALENDAR, FRIDAY) == at_us("2026-03-10 17:00")
    assert claims_until_us(policy(claim_days=5), CALENDAR, FRIDAY) == at_us("2026-03-13 17:00")


def test_goods_that_nobody_fetches_are_accepted_two_days_after_the_deadline() -> None:
    deadline = pickup_deadline_us(policy(), CALENDAR, FRIDAY)
    assert deadline == at_us("2026-03-13 17:00")
    assert uncollected_accepted_us(policy(), CALENDAR, deadline) == at_us("2026-03-17 17:00")


@pytest.mark.parametrize(
    ("handed_over", "collected", "accepted"),
    [
        ("2026-03-11 09:00", True, "2026-03-13 09:00"),
        ("2026-03-11 09:00", False, "2026-03-13 09:00"),
        (None, True, "2026-03-17 17:00"),
        (None, False, None),
    ],
)
def test_goods_are_accepted_by_silence_but_not_if_they_were_sent_and_never_arrived(
    handed_over: str | None, collected: bool, accepted: str | None
) -> None:
    found = accepted_us(
        policy(),
        CALENDAR,
        funded_at_us=FRIDAY,
        handed_over_at_us=None if handed_over is None else at_us(handed_over),
        collected=collected,
    )
    assert found == (None if accepted is None else at_us(accepted))


def test_the_notice_of_abandonment_goes_out_on_day_14_at_the_same_time_of_day() -> None:
    assert abandonment_notice_us(policy(), CALENDAR, FRIDAY) == at_us("2026-03-20 17:00")


def test_a_suspension_is_counted_in_days_of_the_calendar() -> None:
    assert suspended_until_us(policy(), CALENDAR, FRIDAY) == at_us("2026-04-05 17:00")


def test_money_is_captured_at_once_unless_the_terms_ask_the_seller() -> None:
    before = FRIDAY + 114 * HOUR_US  # a merchant-initiated Visa hold: 4 d 18 h
    assert capture_at_us(policy(), FRIDAY, before) == FRIDAY
    until = FRIDAY + 24 * HOUR_US
    assert capture_at_us(policy(), FRIDAY, before, asked_until_us=until) == until


def test_a_seller_has_24_hours_to_confirm_and_never_longer_than_its_buyer_to_pay() -> None:
    due = at_us("2026-03-10 17:00")
    assert confirmed_until_us(policy(), FRIDAY, due) == FRIDAY + 24 * HOUR_US
    assert confirmed_until_us(policy(), due - HOUR_US, due) == due
    assert confirmed_until_us(policy(), due + HOUR_US, due) == due + HOUR_US


@pytest.mark.parametrize(
    ("hold_hours", "asked_hours", "captured_hours"),
    [
        (114, 24, 24),  # when the seller's time is over
        (114, -1, 0),  # it was over before the bank promised
        (30, 24, 18),  # 12 h before the promise ends
        (36, 24, 24),
        (6, 24, 0),  # such a short promise is not waited with
    ],
)
def test_a_promise_is_captured_twelve_hours_before_it_ends(
    hold_hours: int, asked_hours: int, captured_hours: int
) -> None:
    captured = capture_at_us(
        policy(),
        FRIDAY,
        FRIDAY + hold_hours * HOUR_US,
        asked_until_us=FRIDAY + asked_hours * HOUR_US,
    )
    assert (captured - FRIDAY) // HOUR_US == captured_hours


def test_a_card_takes_an_invoice_up_to_the_cap() -> None:
    assert policy().takes_card(1_000_00)
    assert not policy().takes_card(1_000_01)
