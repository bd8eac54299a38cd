"""The marketplace's policy: every figure of what follows the hammer, one version of them. Pure.

The figures are rows (``policy_table``); nothing here or in the rules has one of its own. A version
holds from a time on and is never changed: what was decided by it can be explained by it for ever.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from auction.costs import premium_minor
from auction.money import BasisPoints, Minor, PositiveMinor
from auction.terms import Premium, PremiumTier

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US

Days = Annotated[int, Meta(ge=0, le=365)]
Span = Annotated[int, Meta(ge=0, le=31 * DAY_US)]  # microseconds


class ThresholdPays(StrEnum):
    """What a claim brings that reaches its threshold."""

    FULL = "FULL"  # all of the loss
    EXCESS = "EXCESS"  # what of the loss is above the threshold


class RunnerUpPrice(StrEnum):
    """At what price the runner-up is offered the lot of a defaulter."""

    RECOMPUTED = "RECOMPUTED"  # as if the defaulter had not bid
    LAST_BID = "LAST_BID"  # at the runner-up's own maximum


class Policy(Struct, frozen=True, kw_only=True):
    """The figures in force; amounts in minor units of ``currency``, spans in microseconds.

    Days are business days of the sale's country where the name does not say ``calendar``.
    """

    currency: str
    version: Annotated[int, Meta(ge=1)]
    valid_from_us: int
    # Paying.
    days_to_pay: Days
    card_cap_minor: Minor
    capture_margin_us: Span
    confirmation_us: Span
    # Accepting and claiming.
    claim_days: Days
    uncollected_days: Days
    claim_threshold_bps: BasisPoints
    claim_threshold_pays: ThresholdPays
    # Fetching the goods.
    free_days: Days
    storage_minor: Minor
    missed_after_us: Span
    missed_minor: Minor
    abandoned_calendar_days: Days
    # Not paying, and taking back.
    relist_fee_bps: BasisPoints
    suspension_calendar_days: Days
    offer_us: Annotated[int, Meta(gt=0, le=31 * DAY_US)]
    runner_up_price: RunnerUpPrice
    cancellation_bps: BasisPoints
    cancellation_least_minor: Minor
    # Paying out.
    commission_bps: BasisPoints
    commission_least_minor: Minor
    account_freeze_us: Span

    def takes_card(self, total_minor: PositiveMinor) -> bool:
        """Whether an invoice may be paid by card: above the cap the card's fee eats the premium."""
        return total_minor <= self.card_cap_minor


class Commission(Struct, frozen=True):
    """What the house takes of a liquidator's hammer price."""

    rate_bps: BasisPoints
    least_minor: Minor = 0

    def of_minor(self, hammer_minor: int) -> int:
        """The commission on a hammer price, rounded half up; never more than all of it."""
        rates = Premium((PremiumTier(0, self.rate_bps),), self.least_minor)
        return min(premium_minor(rates, hammer_minor), hammer_minor)
