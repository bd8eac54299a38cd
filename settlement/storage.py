"""What it costs to leave goods standing, or not to come when one said so. Pure.

The free time is counted in business days (`due.pickup_deadline_us`). After it each pallet costs for
each day of the calendar in the sale's zone that it still stands, the day on which it goes included;
the rest of the day on which the free time ends is free.
"""

from collections.abc import Iterable

from msgspec import Struct

from settlement.due import Calendar
from settlement.policy import Policy


class Gone(Struct, frozen=True):
    """So many pallets were fetched then. Loose cases stand as one pallet."""

    at_us: int
    pallets: int


def storage_minor(
    policy: Policy,
    calendar: Calendar,
    free_until_us: int,
    pallets: int,
    fetched: Iterable[Gone],
    now_us: int,
) -> int:
    """What has become due up to now for a lot of so many pallets; a part of it may be gone."""
    standing = max(1, pallets)
    pallet_days = 0
    for gone in fetched:
        taken = min(gone.pallets, standing)
        pallet_days += taken * _days(calendar, free_until_us, gone.at_us)
        standing -= taken
    pallet_days += standing * _days(calendar, free_until_us, now_us)
    return pallet_days * policy.storage_minor


def missed_minor(policy: Policy, booked_at_us: int, came_at_us: int) -> int:
    """What coming late to an appointment costs; who comes as late as allowed pays nothing."""
    return policy.missed_minor if came_at_us - booked_at_us > policy.missed_after_us else 0


def _days(calendar: Calendar, free_until_us: int, at_us: int) -> int:
    return max(0, (calendar.day_of(at_us) - calendar.day_of(free_until_us)).days)
