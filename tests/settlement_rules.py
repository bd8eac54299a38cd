"""What the tests of settlement's rules share: the policy of a new installation, and times."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from settlement.due import Calendar
from settlement.policy import DAY_US, HOUR_US, Policy, RunnerUpPrice, ThresholdPays

CHICAGO = "America/Chicago"
MEMORIAL_DAY = date(2026, 5, 25)
CALENDAR = Calendar(CHICAGO, frozenset({MEMORIAL_DAY}))


def policy(**changes: Any) -> Policy:
    """The policy that a new installation begins with, but for the changes."""
    figures: dict[str, Any] = {
        "currency": "USD",
        "version": 1,
        "valid_from_us": 0,
        "days_to_pay": 2,
        "card_cap_minor": 1_000_00,
        "capture_margin_us": 12 * HOUR_US,
        "confirmation_us": DAY_US,
        "claim_days": 2,
        "uncollected_days": 2,
        "claim_threshold_bps": 500,
        "claim_threshold_pays": ThresholdPays.FULL,
        "free_days": 5,
        "storage_minor": 7_00,
        "missed_after_us": 2 * HOUR_US,
        "missed_minor": 50_00,
        "abandoned_calendar_days": 14,
        "relist_fee_bps": 1_000,
        "suspension_calendar_days": 30,
        "offer_us": DAY_US,
        "runner_up_price": RunnerUpPrice.RECOMPUTED,
        "cancellation_bps": 2_000,
        "cancellation_least_minor": 100_00,
        "commission_bps": 1_000,
        "commission_least_minor": 0,
        "account_freeze_us": 2 * DAY_US,
    }
    return Policy(**(figures | changes))


def at_us(text: str, zone: str = CHICAGO) -> int:
    """``2026-03-06 17:00`` on the clocks of a zone, in microseconds since the epoch."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000
