"""The API of the books: balances, statements of any scope, files for accountants."""

import datetime
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from auction.money import EXPONENTS
from auction.spreadsheets import CSV_TYPE
from foundation.http.answers import answer, bytes_answer
from foundation.http.problems import INVALID
from foundation.http.reading import Input, query_of
from foundation.http.routes import Media, Route
from settlement.access import STAFF
from settlement.accounting import (
    Accounting,
    CurrencyBook,
    ExportTooLong,
    Whose,
    period_of,
    scope_of,
    statement_csv,
)
from settlement.api_common import STATEMENT_TOO_LONG, row
from settlement.chart import Kind
from settlement.ledger_reading import StatementTooLong
from settlement.statements import AccountStatement, Period

ZIP_TYPE: Final = "application/zip"
PLAIN_TYPE: Final = "text/plain"
MONTH: Final = r"\A20[0-9]{2}-(0[1-9]|1[0-2])\Z"

Month = Annotated[str, Meta(pattern=MONTH, description="Such as 2026-03.")]
Currency = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]


class BooksQuery(Input):
    """As of the end of a day or a month; without either, as they stand now."""

    day: datetime.date | None = None
    month: Month | None = None


class StatementQuery(Input):
    """Whose statement, and of when; without a day or a month, of all of time."""

    of: Whose = Whose.ALL
    subject: Annotated[str, Meta(max_length=200)] = ""
    currency: Currency = "USD"
    day: datetime.date | None = None
    month: Month | None = None


class ExportQuery(Input):
    """A month of a currency."""

    month: Month
    currency: Currency = "USD"


class XeroQuery(Input):
    """A month of a currency. ``code``: Xero's account of a kind of ours, such as ``bank=090``."""

    month: Month
    tax_rate: Annotated[str, Meta(min_length=1, max_length=60)] = "Tax Exempt"
    currency: Currency = "USD"
    code: Annotated[list[Annotated[str, Meta(max_length=80)]], Meta(max_length=40)] = msgspec.field(
        default_factory=list
    )


class Books(Struct, frozen=True):
    """The books of every currency."""

    items: Sequence[CurrencyBook]


class Statement(Struct, frozen=True):
    """A statement: its accounts, each with its lines."""

    of: Whose
    subject: str
    currency: str
    from_us: int
    to_us: int
    accounts: Sequence[AccountStatement]


class BooksApi:
    """Handlers."""

    def __init__(self, accounting: Accounting) -> None:
        self._accounting = accounting

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            row(
                "GET",
                "/balances",
                self.balances,
                "Every currency: trial balance, what is owed, what is free, what Stripe says",
                STAFF,
                query=BooksQuery,
                answer=Books,
            ),
            row(
                "GET",
                "/statement",
                self.statement,
                "A statement of an award, invoice, sale, party, day or month",
                STAFF,
                STATEMENT_TOO_LONG,
                answer=Statement,
                query=StatementQuery,
            ),
            row(
                "GET",
                "/statement.csv",
                self.statement_csv,
                "A statement as a table",
                STAFF,
                STATEMENT_TOO_LONG,
                answer=Media(CSV_TYPE),
                query=StatementQuery,
            ),
            row(
                "GET",
                "/exports/quickbooks.csv",
                self.quickbooks,
                "A month's journals for QuickBooks Online",
                STAFF,
                query=ExportQuery,
                answer=Media(CSV_TYPE),
            ),
            row(
                "GET",
                "/exports/xero.zip",
                self.xero,
                "A month's journals for Xero, in files of its size",
                STAFF,
                query=XeroQuery,
                answer=Media(ZIP_TYPE),
            ),
            row(
                "GET",
                "/exports/hledger.journal",
                self.hledger,
                "A month's entries for plain-text accounting",
                STAFF,
                STATEMENT_TOO_LONG,
                query=ExportQuery,
                answer=Media(PLAIN_TYPE),
            ),
        ]

    async def balances(self, request: web.Request) -> web.StreamResponse:
        """GET .../balances."""
        query = query_of(request, BooksQuery)
        return answer(request, Books(await self._accounting.books(_period(query.day, query.month))))

    async def statement(self, request: web.Request) -> web.StreamResponse:
        """GET .../statement."""
        query = query_of(request, StatementQuery)
        period, accounts = await self._read(query)
        made = Statement(
            query.of, query.subject, query.currency, period.from_us, period.to_us, accounts
        )
        return answer(request, made)

    async def statement_csv(self, request: web.Request) -> web.StreamResponse:
        """GET .../statement.csv."""
        query = query_of(request, StatementQuery)
        _, accounts = await self._read(query)
        return file_answer(
            request, statement_csv(accounts, query.currency), CSV_TYPE, file_name(query)
        )

    async def quickbooks(self, request: web.Request) -> web.StreamResponse:
        """GET .../exports/quickbooks.csv."""
        query = query_of(request, ExportQuery)
        made = await self._accounting.quickbooks(
            known_currency(query.currency), _first(query.month)
        )
        return file_answer(
            request, made, CSV_TYPE, f"quickbooks-{query.currency}-{query.month}.csv"
        )

    async def xero(self, request: web.Request) -> web.StreamResponse:
        """GET .../exports/xero.zip."""
        query = query_of(request, XeroQuery)
        codes = codes_of(query.code)
        try:
            made = await self._accounting.xero(
                known_currency(query.currency), _first(query.month), codes, query.tax_rate
            )
        except ValueError as fault:
            raise INVALID(f"{str(fault).capitalize()}.", place="?code") from None
        return file_answer(request, made, ZIP_TYPE, f"xero-{query.currency}-{query.month}.zip")

    async def hledger(self, request: web.Request) -> web.StreamResponse:
        """GET .../exports/hledger.journal."""
        query = query_of(request, ExportQuery)
        try:
            made = await self._accounting.hledger(
                known_currency(query.currency), _first(query.month)
            )
        except ExportTooLong:
            raise STATEMENT_TOO_LONG() from None
        name = f"softclose-{query.currency}-{query.month}.journal"
        return file_answer(request, made, PLAIN_TYPE, name)

    async def _read(self, query: StatementQuery) -> tuple[Period, list[AccountStatement]]:
        if (query.of is Whose.ALL) != (query.subject == ""):
            raise INVALID("Name whose statement it is, or ask for all.", place="?subject")
        period = _period(query.day, query.month) or Period()
        scope = scope_of(query.of, query.subject)
        try:
            return period, await self._accounting.statement(
                scope, known_currency(query.currency), period
            )
        except StatementTooLong:
            raise STATEMENT_TOO_LONG() from None
        except ValueError:  # what can be no account's subject
            raise INVALID("This can be no id.", place="?subject") from None


def known_currency(currency: str, place: str = "?currency") -> str:
    """The currency. Raises `Problem` 422 for one in which there are no books."""
    if currency not in EXPONENTS:
        raise INVALID("There are no books in this currency.", place=place)
    return currency


def codes_of(given: Sequence[str]) -> dict[Kind, str]:
    """Xero's account codes by our kinds. Raises `Problem` 422 naming what is no kind."""
    codes: dict[Kind, str] = {}
    for one in given:
        kind, equals, code = one.partition("=")
        if kind not in set(Kind) or not equals or not code.strip():
            raise INVALID(f"{one[:40]!r} is not KIND=CODE.", place="?code")
        codes[Kind(kind)] = code.strip()
    return codes


def file_name(query: StatementQuery) -> str:
    """Of a statement's table."""
    when = query.month or (query.day.isoformat() if query.day else "all")
    whose = "".join(c if c.isalnum() or c in "-_." else "-" for c in query.subject)
    return "-".join(filter(None, ("statement", query.of.lower(), whose, when))) + ".csv"


def file_answer(request: web.Request, body: bytes, media_type: str, name: str) -> web.Response:
    """A file to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return bytes_answer(request, body, media_type, headers=headers)


def _period(day: datetime.date | None, month: str | None) -> Period | None:
    if day is not None and month is not None:
        raise INVALID("A day or a month, not both.", place="?month")
    if day is None and month is None:
        return None
    if day is not None and not 2000 <= day.year < 2100:
        raise INVALID("There are books from 2000 to 2099.", place="?day")
    return period_of(day, month)


def _first(month: str) -> datetime.date:
    return datetime.date.fromisoformat(f"{month}-01")
