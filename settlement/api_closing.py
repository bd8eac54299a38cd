"""The API of the ends of days, of months, and of years."""

import datetime
from collections.abc import Sequence
from typing import Annotated
from zoneinfo import available_timezones

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from auction.spreadsheets import CSV_TYPE
from foundation.http.answers import answer, no_content
from foundation.http.problems import INVALID
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Media, Route
from settlement.access import ACT, STAFF
from settlement.api_books import ZIP_TYPE, Currency, Month, file_answer, known_currency
from settlement.api_common import row
from settlement.ledger import LedgerRefusal
from settlement.month.closing import KeepsOpen
from settlement.month.gross import YearlyGross
from settlement.month.report import MonthReport
from settlement.month.sheets import gross_csv, month_files, packed
from settlement.reconciliation.day import ClosedDay, DayReport, day_csv
from settlement.reconciliation.room import Books
from settlement.reconciliation.words import BooksRefusal as R


class DayQuery(Input):
    """A day of a currency, on the clocks of a zone."""

    day: datetime.date
    currency: Currency = "USD"
    zone: Annotated[str, Meta(max_length=64)] = "UTC"


class ClosingDay(Input):
    """Which day is closed."""

    day: datetime.date
    currency: Currency = "USD"
    zone: Annotated[str, Meta(max_length=64)] = "UTC"


class MonthQuery(Input):
    """A month of a currency."""

    month: Month
    currency: Currency = "USD"


class YearQuery(Input):
    """A year of a currency."""

    year: Annotated[int, Meta(ge=2000, le=2099)]
    currency: Currency = "USD"


class Grosses(Struct, frozen=True):
    """Payees of a year, the largest first."""

    items: Sequence[YearlyGross]


class ClosingMonth(Input):
    """Which month is closed, for good."""

    month: Month
    currency: Currency = "USD"


class Day(Struct, frozen=True):
    """A day: its report now, what keeps it open, and what was kept of it."""

    report: DayReport
    keeps_open: Sequence[str]
    closed: Sequence[ClosedDay]


class MonthSeen(Struct, frozen=True):
    """A month: its report now, and what keeps it open."""

    report: MonthReport
    keeps_open: Sequence[KeepsOpen]


class ClosingApi:
    """Handlers."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            row("GET", "/day", self.day, "The end of a day", STAFF, query=DayQuery, answer=Day),
            row("GET", "/day.csv", self.day_table, "The end of a day as a table", STAFF,
                query=DayQuery, answer=Media(CSV_TYPE)),
            row("GET", "/month.zip", self.month_tables, "A month's tables", STAFF,
                query=MonthQuery, answer=Media(ZIP_TYPE)),
            row("GET", "/gross", self.gross, "What was paid for each payee's goods in a year",
                STAFF, query=YearQuery, answer=Grosses),
            row("GET", "/gross.csv", self.gross_table, "The same as a table", STAFF,
                query=YearQuery, answer=Media(CSV_TYPE)),
            row("POST", "/day", self.close_day, "Close a day", ACT,
                R.DAY_OPEN, body=ClosingDay, answer=ClosedDay),
            row("GET", "/month", self.month, "A month's report", STAFF,
                query=MonthQuery, answer=MonthSeen),
            row("POST", "/month", self.close_month, "Close a month, for good", ACT,
                R.ALREADY_CLOSED, R.MONTH_OPEN, LedgerRefusal.MONTH_CLOSED,
                LedgerRefusal.MONTH_NOT_OVER, body=ClosingMonth, status=204),
        ]  # fmt: skip

    async def day(self, request: web.Request) -> web.StreamResponse:
        """GET .../day."""
        query = query_of(request, DayQuery)
        _known(query.currency, query.zone, query.day)
        report = await self._books.days.report(query.currency, query.day, query.zone)
        keeps = await self._books.days.keeps_open(report)
        closed = await self._books.days.closed(query.currency, query.day)
        return answer(request, Day(report, keeps, closed))

    async def day_table(self, request: web.Request) -> web.StreamResponse:
        """GET .../day.csv."""
        query = query_of(request, DayQuery)
        _known(query.currency, query.zone, query.day)
        report = await self._books.days.report(query.currency, query.day, query.zone)
        name = f"day-{query.currency}-{query.day.isoformat()}.csv"
        return file_answer(request, day_csv(report), CSV_TYPE, name)

    async def close_day(self, request: web.Request) -> web.StreamResponse:
        """POST .../day."""
        given = await body_of(request, ClosingDay)
        _known(given.currency, given.zone, given.day)
        by = actor_of(request)
        closed = await self._books.days.close(by, given.currency, given.day, given.zone)
        return answer(request, closed)

    async def month(self, request: web.Request) -> web.StreamResponse:
        """GET .../month."""
        query = query_of(request, MonthQuery)
        _known(query.currency)
        month = datetime.date.fromisoformat(f"{query.month}-01")
        report = await self._books.months.report(query.currency, month)
        keeps = await self._books.months.keeps_open(query.currency, month)
        return answer(request, MonthSeen(report, keeps))

    async def month_tables(self, request: web.Request) -> web.StreamResponse:
        """GET .../month.zip."""
        query = query_of(request, MonthQuery)
        _known(query.currency)
        month = datetime.date.fromisoformat(f"{query.month}-01")
        report = await self._books.months.report(query.currency, month)
        name = f"month-{query.currency}-{query.month}.zip"
        return file_answer(request, packed(month_files(report)), ZIP_TYPE, name)

    async def gross(self, request: web.Request) -> web.StreamResponse:
        """GET .../gross: for form 1099-K."""
        query = query_of(request, YearQuery)
        _known(query.currency)
        return answer(request, Grosses(await self._books.months.gross(query.currency, query.year)))

    async def gross_table(self, request: web.Request) -> web.StreamResponse:
        """GET .../gross.csv."""
        query = query_of(request, YearQuery)
        _known(query.currency)
        rows = await self._books.months.gross(query.currency, query.year)
        name = f"gross-{query.currency}-{query.year}.csv"
        return file_answer(request, gross_csv(rows, query.currency), CSV_TYPE, name)

    async def close_month(self, request: web.Request) -> web.StreamResponse:
        """POST .../month."""
        given = await body_of(request, ClosingMonth)
        _known(given.currency)
        month = datetime.date.fromisoformat(f"{given.month}-01")
        await self._books.months.close(actor_of(request), given.currency, month)
        return no_content()


def _known(currency: str, zone: str = "UTC", day: datetime.date | None = None) -> None:
    """Raise `Problem` 422 for what is no currency, for no zone, and for no day of books."""
    known_currency(currency)
    if zone not in available_timezones():
        raise INVALID("There is no such time zone.", place="?zone")
    if day is not None and not 2000 <= day.year < 2100:
        raise INVALID("There are books from 2000 to 2099.", place="?day")
