"""The month: ageing, taxes, what keeps it open, its files, and its end. And the year by payee."""

import datetime
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from auction.spreadsheets import CSV_TYPE
from foundation.http.forms import form_of
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import ACT, STAFF
from settlement.api_books import ZIP_TYPE, file_answer
from settlement.month.ageing import Owing, totals_of
from settlement.month.report import MonthReport
from settlement.month.sheets import gross_csv, month_files, packed
from settlement.pages.doing import done
from settlement.pages.room import HOME, show
from settlement.room import Settlement

MONTHS: Final = f"{HOME}/months"

OWING: Final = {
    Owing.BUYER_OWES: "Owed by buyers",
    Owing.SELLER_OWES: "Owed by sellers",
    Owing.BUYER_CREDIT: "Buyers' credit",
    Owing.SELLER_PAYABLE: "Owed to sellers",
    Owing.CONSIGNOR_PAYABLE: "Owed to consignors",
}
AGES: Final = ("0 to 30 days", "31 to 60", "61 to 90", "over 90")


class Closing(Input):
    """Which month is closed, for good."""

    month: Annotated[str, Meta(pattern=r"\A20[0-9]{2}-(0[1-9]|1[0-2])\Z")]
    currency: Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
    sure: bool = False


class MonthPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", MONTHS, self.show, "A month and its end", STAFF),
            Route("POST", MONTHS, self.close, "Close a month", ACT),
            Route("GET", f"{MONTHS}/files.zip", self.files, "A month's tables", STAFF),
            Route("GET", f"{MONTHS}/gross.csv", self.gross, "A year by payee", STAFF),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/months?month=&currency=."""
        report = await self._report(request)
        months = self._room.books.months
        totals = totals_of(report.ageing)
        most = max((sum(sums) for sums in totals.values()), default=0) or 1
        return show(
            request,
            "month.html",
            report=report,
            keeps=await months.keeps_open(report.currency, report.month),
            totals=[
                (OWING[owing], sums, [100 * part // most for part in sums])
                for owing, sums in totals.items()
            ],
            OWING=OWING,
            AGES=AGES,
            currencies=await self._room.accounting.currencies() or ["USD"],
        )

    async def close(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/months."""
        form = await form_of(request, Closing)
        if form.valid is None:
            raise INVALID("Name the month and the currency.")
        given = form.valid
        place = f"{MONTHS}?month={given.month}&currency={given.currency}"
        if not given.sure:
            raise INVALID("Say that you are sure: a closed month is never opened again.")
        month = datetime.date.fromisoformat(f"{given.month}-01")
        work = self._room.books.months.close(actor_of(request), given.currency, month)
        return await done(work, place, "The month is closed: nothing is booked into it any more.")

    async def files(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/months/files.zip."""
        report = await self._report(request)
        name = f"month-{report.currency}-{report.month:%Y-%m}.zip"
        return file_answer(request, packed(month_files(report)), ZIP_TYPE, name)

    async def gross(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/months/gross.csv?year=&currency=: for 1099-K."""
        asked, currency = request.query.get("year", ""), await self._currency(request)
        if not (len(asked) == 4 and asked.isascii() and asked.isdigit() and asked[:2] == "20"):
            raise NOT_FOUND()
        rows = await self._room.books.months.gross(currency, int(asked))
        name = f"gross-{currency}-{asked}.csv"
        return file_answer(request, gross_csv(rows, currency), CSV_TYPE, name)

    async def _report(self, request: web.Request) -> MonthReport:
        today = datetime.datetime.fromtimestamp(self._room.now_us() / 1_000_000, datetime.UTC)
        last = today.date().replace(day=1) - datetime.timedelta(days=1)
        asked = request.query.get("month") or f"{last:%Y-%m}"
        try:
            month = datetime.date.fromisoformat(f"{asked}-01")
            if not 2000 <= month.year < 2100:
                raise ValueError
        except ValueError:
            raise NOT_FOUND() from None
        return await self._room.books.months.report(await self._currency(request), month)

    async def _currency(self, request: web.Request) -> str:
        currency = request.query.get("currency", "USD")
        if currency not in {*await self._room.accounting.currencies(), "USD"}:
            raise NOT_FOUND()
        return currency
