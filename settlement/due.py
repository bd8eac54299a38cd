"""When things are due after the hammer. Pure: the time is always an argument.

Business days are counted by `auction.business_days`, in the zone and by the holidays of the sale;
what is due, is due at the same time of day as that from which it is counted.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from auction.business_days import due_at_us
from settlement.policy import Policy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Calendar(Struct, frozen=True):
    """The days of a sale: its zone (an IANA name) and its country's holidays."""

    zone: str
    holidays: frozenset[date] = frozenset()

    def business_days_after_us(self, from_us: int, days: int) -> int:
        """The same time of day so many business days later."""
        return due_at_us(from_us, days, self.zone, self.holidays)

    def calendar_days_after_us(self, from_us: int, days: int) -> int:
        """The same time of day so many days later, business or not."""
        zone = ZoneInfo(self.zone)
        local = (_EPOCH + from_us * _MICROSECOND).astimezone(zone)
        later = datetime.combine(local.date() + timedelta(days), local.time(), zone)
        return (later - _EPOCH) // _MICROSECOND

    def day_of(self, at_us: int) -> date:
        """The date that it is then in the sale's zone."""
        return (_EPOCH + at_us * _MICROSECOND).astimezone(ZoneInfo(self.zone)).date()


def payment_due_us(policy: Policy, calendar: Calendar, closed_at_us: int) -> int:
    """When an invoice is to be paid. ``closed_at_us``: of the last of its lots, so that nobody has
    less time for a lot than was promised.

    Closed on Friday at 17:00 and two days: Tuesday 17:00; with a holiday on Monday: Wednesday.
    """
    return calendar.business_days_after_us(closed_at_us, policy.days_to_pay)


def claims_until_us(policy: Policy, calendar: Calendar, handed_over_at_us: int) -> int:
    """When the claims window ends, which begins with the signed pickup or the proof of delivery."""
    return calendar.business_days_after_us(handed_over_at_us, policy.claim_days)


def pickup_deadline_us(policy: Policy, calendar: Calendar, funded_at_us: int) -> int:
    """Until when the goods are to be fetched, and lie for free."""
    return calendar.business_days_after_us(funded_at_us, policy.free_days)


def uncollected_accepted_us(policy: Policy, calendar: Calendar, deadline_us: int) -> int:
    """When goods are accepted that were never fetched: counted from the pickup deadline."""
    return calendar.business_days_after_us(deadline_us, policy.uncollected_days)


def accepted_us(
    policy: Policy,
    calendar: Calendar,
    *,
    funded_at_us: int,
    handed_over_at_us: int | None,
    collected: bool,
) -> int | None:
    """When goods count as accepted if nobody says a word; ``None``: not before they are delivered.

    ``collected``: by the buyer or its carrier, and so left lying by them; what the house sends and
    nobody can prove to have arrived is never accepted by the passing of time.
    """
    if handed_over_at_us is not None:
        return claims_until_us(policy, calendar, handed_over_at_us)
    if not collected:
        return None
    deadline_us = pickup_deadline_us(policy, calendar, funded_at_us)
    return uncollected_accepted_us(policy, calendar, deadline_us)


def abandonment_notice_us(policy: Policy, calendar: Calendar, funded_at_us: int) -> int:
    """When the buyer is told that its goods will be treated as abandoned."""
    return calendar.calendar_days_after_us(funded_at_us, policy.abandoned_calendar_days)


def suspended_until_us(policy: Policy, calendar: Calendar, defaulted_at_us: int) -> int:
    """Until when a bidder that did not pay may not bid."""
    return calendar.calendar_days_after_us(defaulted_at_us, policy.suspension_calendar_days)


def confirmed_until_us(policy: Policy, asked_at_us: int, due_at_us: int) -> int:
    """Until when a seller that is asked may answer: never beyond the time to pay."""
    return max(asked_at_us, min(asked_at_us + policy.confirmation_us, due_at_us))


def capture_at_us(
    policy: Policy,
    authorised_at_us: int,
    capture_before_us: int,
    *,
    asked_until_us: int | None = None,
) -> int:
    """When an authorised amount is captured: at once, unless the terms ask the seller first.

    ``asked_until_us``: until when the seller may answer. The promise is never let run out: the
    policy's margin before ``capture_before_us`` the seller's time is over too.
    """
    if asked_until_us is None:
        return authorised_at_us
    latest_us = capture_before_us - policy.capture_margin_us
    return max(authorised_at_us, min(asked_until_us, latest_us))
