"""The API of reconciliation, and of the ends of days and months."""

import datetime
from collections.abc import Sequence
from typing import Annotated, Final
from zoneinfo import available_timezones

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from auction.terms import STORABLE
from foundation.http.answers import answer, created, no_content
from foundation.http.problems import INVALID
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from settlement.access import ACT, STAFF, number_of
from settlement.api_books import Currency, Month, known_currency
from settlement.api_common import SETTLEMENT, row
from settlement.api_refusals import BOOKING
from settlement.api_requests import Requests
from settlement.client_requests import Asked
from settlement.ledger import LedgerRefusal
from settlement.month.closing import KeepsOpen
from settlement.month.report import MonthReport
from settlement.reconciliation.adjustment_table import Adjustment
from settlement.reconciliation.day import ClosedDay, DayReport
from settlement.reconciliation.exceptions import ExceptionDetail, ExceptionRow
from settlement.reconciliation.room import Books
from settlement.reconciliation.standing import Standing
from settlement.reconciliation.wire_table import Wire
from settlement.reconciliation.words import BooksRefusal as R

_Version = Annotated[int, Meta(ge=1, le=2**31)]

AT_WORK: Final = (R.CHANGED_MEANWHILE, R.RESOLVED)
DECIDING: Final = (R.CHANGED_MEANWHILE, R.DECIDED, R.SAME_PERSON)


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


class ClosingMonth(Input):
    """Which month is closed, for good."""

    month: Month
    currency: Currency = "USD"


class Seen(Input):
    """The version that was seen."""

    version: _Version


class Noted(Input):
    """A note on what was seen."""

    version: _Version
    note: Annotated[str, Meta(min_length=1, max_length=500, pattern=STORABLE)]


class Proposed(Input):
    """An entry that is proposed; of an exception, the version that was seen."""

    debit: Annotated[str, Meta(max_length=200)]
    credit: Annotated[str, Meta(max_length=200)]
    amount_minor: Annotated[int, Meta(ge=1, le=2**53)]
    note: Annotated[str, Meta(min_length=1, max_length=500, pattern=STORABLE)]
    currency: Currency = "USD"
    exception_id: Annotated[int, Meta(ge=1, le=2**62)] | None = None
    exception_version: _Version | None = None


class Rejected(Input):
    """Why it is not booked."""

    version: _Version
    why: Annotated[str, Meta(min_length=1, max_length=500, pattern=STORABLE)]


class Standings(Struct, frozen=True):
    """Every currency's books beside Stripe's."""

    items: Sequence[Standing]


class OpenExceptions(Struct, frozen=True):
    """What does not match, the oldest first."""

    items: Sequence[ExceptionRow]


class OpenAdjustments(Struct, frozen=True):
    """What waits for a second person."""

    items: Sequence[Adjustment]


class UnknownWires(Struct, frozen=True):
    """Money of unknown senders, the longest here first."""

    items: Sequence[Wire]


class Day(Struct, frozen=True):
    """A day: its report now, what keeps it open, and what was kept of it."""

    report: DayReport
    keeps_open: Sequence[str]
    closed: Sequence[ClosedDay]


class MonthSeen(Struct, frozen=True):
    """A month: its report now, and what keeps it open."""

    report: MonthReport
    keeps_open: Sequence[KeepsOpen]


class Made(Struct, frozen=True):
    """The number of what was made."""

    number: int


class ReconciliationApi:
    """Handlers."""

    def __init__(self, books: Books, requests: Requests) -> None:
        self._books, self._requests = books, requests

    def routes(self) -> list[Route]:
        """Their rows."""
        exception, adjustment = "/exceptions/{number}", "/adjustments/{number}"
        return [
            row("GET", "/reconciliation", self.standings, "The books beside Stripe's", STAFF,
                answer=Standings),
            row("GET", "/exceptions", self.exceptions, "What does not match", STAFF,
                answer=OpenExceptions),
            row("GET", exception, self.exception, "An exception", STAFF, answer=ExceptionDetail),
            row("POST", f"{exception}/take", self.take_exception, "It is mine", ACT,
                *AT_WORK, R.NOT_YOURS, body=Seen, status=204),
            row("POST", f"{exception}/note", self.note_exception, "What is known", ACT,
                *AT_WORK, R.NO_REASON, body=Noted, status=204),
            row("GET", "/adjustments", self.adjustments, "What waits for a second", STAFF,
                answer=OpenAdjustments),
            row("POST", "/adjustments", self.propose_adjustment, "Propose an entry", ACT,
                R.NOT_FOUND, *AT_WORK, R.NO_REASON, R.OTHER_CURRENCY, R.PROPOSED_ALREADY,
                once=True, body=Proposed, answer=Made, status=201),
            row("POST", f"{adjustment}/approval", self.approve_adjustment, "Book it", ACT,
                *DECIDING, R.STALE_PROPOSAL, *BOOKING, body=Seen, status=204),
            row("POST", f"{adjustment}/rejection", self.reject_adjustment, "Say no", ACT,
                *DECIDING, R.NOT_YOURS, R.NO_REASON, body=Rejected, status=204),
            row("GET", "/wires", self.wires, "Money of unknown senders", STAFF,
                answer=UnknownWires),
            row("GET", "/day", self.day, "The end of a day", STAFF, query=DayQuery, answer=Day),
            row("POST", "/day", self.close_day, "Close a day", ACT,
                R.DAY_OPEN, body=ClosingDay, answer=ClosedDay),
            row("GET", "/month", self.month, "A month's report", STAFF,
                query=MonthQuery, answer=MonthSeen),
            row("POST", "/month", self.close_month, "Close a month, for good", ACT,
                R.ALREADY_CLOSED, R.MONTH_OPEN, LedgerRefusal.MONTH_CLOSED,
                LedgerRefusal.MONTH_NOT_OVER, body=ClosingMonth, status=204),
        ]  # fmt: skip

    async def standings(self, request: web.Request) -> web.StreamResponse:
        """GET .../reconciliation."""
        return answer(request, Standings(await self._books.standings()))

    async def exceptions(self, request: web.Request) -> web.StreamResponse:
        """GET .../exceptions."""
        return answer(request, OpenExceptions(await self._books.exceptions.open()))

    async def exception(self, request: web.Request) -> web.StreamResponse:
        """GET .../exceptions/{number}."""
        return answer(request, await self._books.exceptions.read(number_of(request, "number")))

    async def take_exception(self, request: web.Request) -> web.StreamResponse:
        """POST .../exceptions/{number}/take."""
        seen, number = await body_of(request, Seen), number_of(request, "number")
        await self._books.exceptions.take(actor_of(request), number, seen.version)
        return no_content()

    async def note_exception(self, request: web.Request) -> web.StreamResponse:
        """POST .../exceptions/{number}/note."""
        noted, number = await body_of(request, Noted), number_of(request, "number")
        by = actor_of(request)
        await self._books.exceptions.note(by, number, noted.version, noted.note)
        return no_content()

    async def adjustments(self, request: web.Request) -> web.StreamResponse:
        """GET .../adjustments."""
        return answer(request, OpenAdjustments(await self._books.adjustments.open()))

    async def propose_adjustment(self, request: web.Request) -> web.StreamResponse:
        """POST .../adjustments."""
        given = await body_of(request, Proposed)
        if (given.exception_id is None) != (given.exception_version is None):
            raise INVALID("An exception is named with its version.", place="/exception_version")
        exception = None
        if given.exception_id is not None and given.exception_version is not None:
            exception = (given.exception_id, given.exception_version)
        by = actor_of(request)

        async def make(asked: Asked) -> int:
            return await self._books.adjustments.propose(
                by,
                debit=given.debit,
                credit=given.credit,
                amount_minor=given.amount_minor,
                currency=given.currency,
                note=given.note,
                exception=exception,
                request=asked,
            )

        number = int(await self._requests.once(request, given, make))
        return created(request, Made(number), f"{SETTLEMENT}/adjustments/{number}")

    async def approve_adjustment(self, request: web.Request) -> web.StreamResponse:
        """POST .../adjustments/{number}/approval."""
        seen, number = await body_of(request, Seen), number_of(request, "number")
        await self._books.adjustments.approve(actor_of(request), number, seen.version)
        return no_content()

    async def reject_adjustment(self, request: web.Request) -> web.StreamResponse:
        """POST .../adjustments/{number}/rejection."""
        given, number = await body_of(request, Rejected), number_of(request, "number")
        by = actor_of(request)
        await self._books.adjustments.reject(by, number, given.version, given.why)
        return no_content()

    async def wires(self, request: web.Request) -> web.StreamResponse:
        """GET .../wires."""
        return answer(request, UnknownWires(await self._books.wires.unknown()))

    async def day(self, request: web.Request) -> web.StreamResponse:
        """GET .../day."""
        query = query_of(request, DayQuery)
        _known(query.currency, query.zone, query.day)
        report = await self._books.days.report(query.currency, query.day, query.zone)
        keeps = await self._books.days.keeps_open(report)
        closed = await self._books.days.closed(query.currency, query.day)
        return answer(request, Day(report, keeps, closed))

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
