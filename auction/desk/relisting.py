"""What did not sell, offered again: prices marked down as the sale's increments allow. Pure."""

from datetime import date
from typing import Annotated, Final

from msgspec import Meta, Struct, structs

from auction.desk.lot_drafts import LotDraft
from auction.desk.recurrence import moved
from auction.desk.refusals import Refusal, Refused
from auction.desk.sale_drafts import SaleDraft
from auction.increments import IncrementTable

# Below that a price is given up, not marked down.
MOST_PERCENT: Final = 95

Percent = Annotated[int, Meta(ge=0, le=MOST_PERCENT)]


class Relisting(Struct, frozen=True, forbid_unknown_fields=True):
    """How lots that passed are offered again: opening bid and reserve lower by so many per cent."""

    markdown_percent: Percent = 0


def marked_down(draft: LotDraft, percent: int, increments: IncrementTable) -> LotDraft:
    """The draft with lower prices, rounded down to what may be bid, at least the least opening."""
    return structs.replace(
        draft,
        opening_minor=_lower(draft.opening_minor, percent, increments),
        reserve_minor=_lower(draft.reserve_minor, percent, increments),
    )


def on_day(draft: SaleDraft, day: date) -> SaleDraft:
    """The same sale opening on another day, at the same times by the clock of its place.

    Raises `Refused` BAD_TIME for a day that is too far away.
    """
    schedule = draft.schedule
    if schedule is None:
        return draft
    first = date.fromisoformat(schedule.opens[:10])
    try:
        times = structs.replace(
            schedule,
            opens=moved(schedule.opens, first, day),
            first_end=moved(schedule.first_end, first, day),
        )
    except (ValueError, OverflowError):
        detail = f"{day} is too far away for a sale."
        raise Refused(Refusal.BAD_TIME, field="day", detail=detail) from None
    return structs.replace(draft, schedule=times)


def _lower(amount_minor: int | None, percent: int, increments: IncrementTable) -> int | None:
    if amount_minor is None:
        return None
    unit_minor = increments.unit_minor
    lower_minor = amount_minor * (100 - percent) // 100
    return max(lower_minor - lower_minor % unit_minor, increments.least_opening_minor, unit_minor)
