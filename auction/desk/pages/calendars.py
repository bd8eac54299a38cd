"""A month of sales, by the clocks of their places. Pure."""

import calendar
import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from msgspec import Struct

from auction.desk.sale_drafts import DraftedSale

_MONTH: Final = re.compile(r"(20\d{2})-(0[1-9]|1[0-2])", re.ASCII)


class Entry(Struct, frozen=True):
    """A sale on a day, and what of it is then: ``opens 16:00``."""

    sale: DraftedSale
    what: str


class Day(Struct, frozen=True):
    """A day of the month's page; those of other months fill its weeks."""

    day: date
    of_month: bool
    entries: list[Entry]


class Month(Struct, frozen=True):
    """A page of the calendar; ``before`` and ``after`` as in addresses."""

    title: str
    weeks: list[list[Day]]
    before: str
    after: str
    days: list[Day]


def month_of(text: str, today: date) -> date:
    """The first of the month that an address names; of this month for what names none."""
    found = _MONTH.fullmatch(text)
    return date(int(found[1]), int(found[2]), 1) if found else today.replace(day=1)


def month_page(first: date, sales: Iterable[DraftedSale]) -> Month:
    """The sales of a month; weeks begin on Sunday."""
    entries: dict[date, list[Entry]] = {}
    for sale in sales:
        for day, what in _moments(sale):
            entries.setdefault(day, []).append(Entry(sale, what))
    weeks = [
        [_day(day, first, entries) for day in week]
        for week in calendar.Calendar(calendar.SUNDAY).monthdatescalendar(first.year, first.month)
    ]
    return Month(
        title=f"{first:%B %Y}",
        weeks=weeks,
        before=f"{first - timedelta(days=1):%Y-%m}",
        after=f"{first + timedelta(days=31):%Y-%m}",
        days=[day for week in weeks for day in week if day.of_month and day.entries],
    )


def _moments(sale: DraftedSale) -> list[tuple[date, str]]:
    schedule = sale.draft.schedule
    if schedule is None:
        return []
    opens, ends = schedule.opens, schedule.first_end
    return [
        (date.fromisoformat(opens[:10]), f"{opens[11:16]} opens"),
        (date.fromisoformat(ends[:10]), f"{ends[11:16]} first lot ends"),
    ]


def _day(day: date, first: date, entries: dict[date, list[Entry]]) -> Day:
    in_order = sorted(entries.get(day, []), key=lambda entry: entry.what)
    return Day(day, day.month == first.month, in_order)
