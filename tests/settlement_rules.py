"""What the tests of settlement's rules share: the policy of a new installation, awards, times."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from auction.catalog.taxes import BidderTax, Place, TaxRate
from auction.ids import BidderId, LotId, SaleId
from auction.terms import Premium, PremiumTier, Terms
from settlement.due import Calendar
from settlement.ids import award_id_of
from settlement.invoices import Award, Line, ShipFrom, line_of
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


TEXAS, OREGON = Place("US", "TX"), Place("US", "OR")
DALLAS = ShipFrom("Acme", "1 Dock Road", "Dallas", "TX", "75201", "US")
PORTLAND = ShipFrom("Acme", "2 Dock Road", "Portland", "OR", "97201", "US")
CLOSED = at_us("2026-03-06 17:00")
SALE, BUYER = SaleId("S1"), BidderId("buyer")


def tax_at(
    place: Place = TEXAS,
    rate_ppm: int = 82_500,
    *,
    premium: bool = True,
    freight: bool = True,
    exempt: bool = False,
) -> BidderTax:
    """What a buyer bears there: 8.25 % unless said otherwise."""
    return BidderTax(place, TaxRate(place, rate_ppm, premium, freight, ""), exempt)


def award(lot: str = "1", hammer_minor: int = 1_237_50, **changes: Any) -> Award:
    """A lot that was sold in Dallas on a Friday."""
    facts: dict[str, Any] = {
        "award_id": award_id_of(SALE, LotId(lot)),
        "lot_id": LotId(lot),
        "buyer_id": BUYER,
        "ship_from": DALLAS,
        "closed_at_us": CLOSED,
        "hammer_minor": hammer_minor,
    }
    return Award(**(facts | changes))


def premium_of(rate_bps: int = 1_500, least_minor: int = 0, *, taxable: bool = True) -> Terms:
    """Terms with one rate of premium."""
    return Terms(premium=Premium((PremiumTier(0, rate_bps),), least_minor, taxable))


def line(lot: str = "1", hammer_minor: int = 1_237_50, **changes: Any) -> Line:
    """An award's line at 15 % premium and 8.25 % tax."""
    return line_of(award(lot, hammer_minor, **changes), premium_of(), tax_at())
