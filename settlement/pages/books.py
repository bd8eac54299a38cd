"""Balances, statements and exports."""

import datetime
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from msgspec import Struct

from foundation.http.forms import blank
from foundation.http.problems import INVALID, Problem
from foundation.http.reading import query_of
from foundation.http.routes import Route
from settlement.access import STAFF
from settlement.accounting import CurrencyBook, Whose, period_of, scope_of
from settlement.api_books import BooksQuery, StatementQuery
from settlement.chart import CHART, Family, Kind
from settlement.ledger_reading import StatementTooLong
from settlement.pages.room import BALANCES, EXPORTS, STATEMENT, show
from settlement.room import Settlement
from settlement.statements import AccountStatement

WHOSE: Final = (
    (Whose.AWARD, "An award"),
    (Whose.INVOICE, "An invoice"),
    (Whose.SALE, "A sale"),
    (Whose.LIQUIDATOR, "A liquidator"),
    (Whose.CONSIGNOR, "A consignor"),
    (Whose.BUYER, "A buyer"),
    (Whose.ALL, "The whole book"),
)


# A page of more takes the process a second in which nobody's bid is judged; the file has them all.
MAX_SHOWN: Final = 2_000


class Share(Struct, frozen=True):
    """A part of what is in the balance at Stripe, in per cent of the whole."""

    words: str
    amount_minor: int
    percent: int


class BookPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", BALANCES, self.balances, "Balances of every currency", STAFF),
            Route("GET", STATEMENT, self.statement, "A statement", STAFF),
            Route("GET", EXPORTS, self.exports, "Files for accountants", STAFF),
        ]

    async def balances(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/balances; as of the end of ``day`` or ``month``."""
        asked, fault = BooksQuery(), ""
        try:
            given = {name: value for name, value in request.query.items() if value}
            asked = query_of(request.clone(rel_url=request.rel_url.with_query(given)), BooksQuery)
        except Problem as problem:
            fault = problem.detail
        period = period_of(asked.day, asked.month) if asked.day or asked.month else None
        books = await self._room.accounting.books(period)
        return show(
            request,
            "balances.html",
            books=[(book, shares_of(book)) for book in books],
            asked=asked,
            form=blank(day=request.query.get("day", ""), month=request.query.get("month", "")),
            fault=fault,
            families=tuple(Family),
        )

    async def statement(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/statement?of=&subject=&currency=&day=&month=."""
        currencies = await self._room.accounting.currencies()
        form = blank(
            of=request.query.get("of", Whose.LIQUIDATOR),
            subject=request.query.get("subject", ""),
            currency=request.query.get("currency", currencies[0] if currencies else "USD"),
            day=request.query.get("day", ""),
            month=request.query.get("month", ""),
        )
        accounts: Sequence[AccountStatement] | None = None
        query: StatementQuery | None = None
        if "of" in request.query:
            try:
                query, accounts = await self._read(request)
            except Problem as problem:
                where = (problem.place or "").lstrip("?")
                form = form.refused(where if where in form.values else "", problem.detail)
            except StatementTooLong:
                form = form.refused("month", "It has too many lines: ask for a day or a month.")
        lines = sum(len(account.lines) for account in accounts or ())
        if lines > MAX_SHOWN:
            accounts = None
            said = f"Its {lines:,} lines are too many for a page: take the file, or ask for less."
            form = form.refused("month", said)
        csv = f"/api/v1/settlement/statement.csv?{_query(query)}" if query is not None else ""
        return show(
            request,
            "statement.html",
            status=422 if form.errors else 200,
            form=form,
            whose=WHOSE,
            currencies=[(one, one) for one in currencies or ["USD"]],
            accounts=accounts,
            currency=query.currency if query else "",
            csv=csv,
        )

    async def exports(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/exports."""
        currencies = await self._room.accounting.currencies() or ["USD"]
        today = datetime.datetime.fromtimestamp(self._room.now_us() / 1_000_000, datetime.UTC)
        last = (today.replace(day=1) - datetime.timedelta(days=1)).strftime("%Y-%m")
        return show(
            request,
            "exports.html",
            form=blank(month=last, currency=currencies[0], tax_rate="Tax Exempt"),
            currencies=[(one, one) for one in currencies],
            kinds=[(kind.value, CHART[kind].meaning) for kind in Kind],
        )

    async def _read(self, request: web.Request) -> tuple[StatementQuery, list[AccountStatement]]:
        given = {name: value for name, value in request.query.items() if value}
        query = query_of(request.clone(rel_url=request.rel_url.with_query(given)), StatementQuery)
        if (query.of is Whose.ALL) != (query.subject == ""):
            raise INVALID(
                "Name whose statement it is, or ask for the whole book.", place="?subject"
            )
        period = period_of(query.day, query.month)
        try:
            scope = scope_of(query.of, query.subject)
            found = await self._room.accounting.statement(scope, query.currency, period)
        except ValueError:
            raise INVALID("This can be no id.", place="?subject") from None
        return query, found


def shares_of(book: CurrencyBook) -> list[Share]:
    """What the balance at Stripe belongs to: others, by what is owed, and the house."""
    parts = [(kind.value, minor) for kind, minor in book.position.owed_minor.items() if minor > 0]
    whole = max(1, sum(minor for _, minor in parts) + book.free_minor)
    found = [Share(kind, minor, round(100 * minor / whole)) for kind, minor in parts]
    found.sort(key=lambda share: -share.amount_minor)
    if book.free_minor:
        free = round(100 * book.free_minor / whole)
        found.append(Share("free to pay out", book.free_minor, free))
    return found


def _query(query: StatementQuery) -> str:
    given = {
        "of": query.of,
        "subject": query.subject,
        "currency": query.currency,
        "day": query.day.isoformat() if query.day else "",
        "month": query.month or "",
    }
    return urlencode({name: value for name, value in given.items() if value})
