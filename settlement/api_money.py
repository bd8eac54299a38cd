"""The API of reconciliation, of days and months, and of money out."""

import datetime
from collections.abc import Sequence
from typing import Annotated, Any
from zoneinfo import available_timezones

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from auction.money import EXPONENTS
from auction.terms import STORABLE
from foundation.http.answers import answer, created, no_content
from foundation.http.problems import INVALID
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Handler, Route
from settlement.access import ACT, STAFF, number_of
from settlement.api_books import Currency, Month
from settlement.api_common import REFUSED, SETTLEMENT, row, told
from settlement.month.closing import KeepsOpen
from settlement.month.report import MonthReport
from settlement.payouts.batch_rows import Batch, WholeBatch
from settlement.payouts.batches import Due
from settlement.payouts.platform import PlatformPayout, Proposal
from settlement.payouts.room import PayoutRoom
from settlement.reconciliation.adjustment_table import Adjustment
from settlement.reconciliation.day import ClosedDay, DayReport
from settlement.reconciliation.exceptions import ExceptionDetail, ExceptionRow
from settlement.reconciliation.room import Books
from settlement.reconciliation.standing import Standing
from settlement.reconciliation.wire_table import Wire

_Text = Annotated[str, Meta(max_length=500, pattern=STORABLE)]
_Version = Annotated[int, Meta(ge=1, le=2**31)]


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


class CurrencyQuery(Input):
    """Of which currency."""

    currency: Currency = "USD"


class MakingFile(Input):
    """Of what a bank file is made: all that is due, or what is due to these payees."""

    currency: Currency = "USD"
    payee_ids: (
        Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=10_000)] | None
    ) = None


class AskedPayout(Input):
    """So much goes to the house's bank; for a bank file too, if one is named."""

    amount_minor: Annotated[int, Meta(ge=1, le=2**53)]
    currency: Currency = "USD"
    batch_id: Annotated[int, Meta(ge=1, le=2**62)] | None = None


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


class BankFiles(Struct, frozen=True):
    """Bank files, the latest first, and what is due now."""

    due: Due
    items: Sequence[Batch]


class Made(Struct, frozen=True):
    """The number of what was made."""

    number: int


class PlatformPayouts(Struct, frozen=True):
    """Payouts to the house's bank, the latest first, and what could be paid out now."""

    proposal: Proposal
    items: Sequence[PlatformPayout]


class MoneyApi:
    """Handlers."""

    def __init__(self, books: Books, payouts: PayoutRoom) -> None:
        self._books, self._payouts = books, payouts

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            _read("/reconciliation", self.standings, "The books beside Stripe's", Standings),
            _read("/exceptions", self.exceptions, "What does not match", OpenExceptions),
            _read("/exceptions/{number}", self.exception, "An exception", ExceptionDetail),
            _act("/exceptions/{number}/take", self.take_exception, "It is mine", Seen),
            _act("/exceptions/{number}/note", self.note_exception, "What is known", Noted),
            _read("/adjustments", self.adjustments, "What waits for a second", OpenAdjustments),
            _act("/adjustments", self.propose_adjustment, "Propose an entry", Proposed, Made),
            _act("/adjustments/{number}/approval", self.approve_adjustment, "Book it", Seen),
            _act("/adjustments/{number}/rejection", self.reject_adjustment, "Say no", Rejected),
            _read("/wires", self.wires, "Money of unknown senders", UnknownWires),
            _read("/day", self.day, "The end of a day", Day, DayQuery),
            _act("/day", self.close_day, "Close a day", ClosingDay, ClosedDay, 200),
            _read("/month", self.month, "A month's report", MonthSeen, MonthQuery),
            _act("/month", self.close_month, "Close a month, for good", ClosingMonth),
            _read("/bank-files", self.bank_files, "Bank files", BankFiles, CurrencyQuery),
            _act("/bank-files", self.make_file, "Make one", MakingFile, WholeBatch),
            _read("/bank-files/{number}", self.bank_file, "A bank file", WholeBatch),
            _act(
                "/bank-files/{number}/release",
                self.release_file,
                "Release it",
                None,
                WholeBatch,
                200,
            ),
            _act(
                "/bank-files/{number}/cancellation",
                self.cancel_file,
                "Cancel it",
                None,
                WholeBatch,
                200,
            ),
            _read("/payouts", self.payouts, "Payouts to our bank", PlatformPayouts, CurrencyQuery),
            _act("/payouts", self.ask_payout, "Pay out", AskedPayout, PlatformPayout),
        ]

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
        number = await self._books.adjustments.propose(
            actor_of(request),
            debit=given.debit,
            credit=given.credit,
            amount_minor=given.amount_minor,
            currency=given.currency,
            note=given.note,
            exception=exception,
        )
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

    async def bank_files(self, request: web.Request) -> web.StreamResponse:
        """GET .../bank-files."""
        currency = _known(query_of(request, CurrencyQuery).currency)
        due = await self._payouts.bank_files.due(currency)
        return answer(request, BankFiles(due, await self._payouts.bank_files.all()))

    async def make_file(self, request: web.Request) -> web.StreamResponse:
        """POST .../bank-files: what is in one is not due any more, so it is made once."""
        given = await body_of(request, MakingFile)
        made = await self._payouts.bank_files.make(
            actor_of(request), _known(given.currency), given.payee_ids
        )
        return created(request, made, f"{SETTLEMENT}/bank-files/{made.batch.batch_id}")

    async def bank_file(self, request: web.Request) -> web.StreamResponse:
        """GET .../bank-files/{number}."""
        return answer(request, await self._payouts.bank_files.read(number_of(request, "number")))

    async def release_file(self, request: web.Request) -> web.StreamResponse:
        """POST .../bank-files/{number}/release."""
        number = number_of(request, "number")
        return answer(request, await self._payouts.bank_files.release(actor_of(request), number))

    async def cancel_file(self, request: web.Request) -> web.StreamResponse:
        """POST .../bank-files/{number}/cancellation."""
        number = number_of(request, "number")
        return answer(request, await self._payouts.bank_files.cancel(actor_of(request), number))

    async def payouts(self, request: web.Request) -> web.StreamResponse:
        """GET .../payouts."""
        currency = _known(query_of(request, CurrencyQuery).currency)
        proposal = await self._payouts.platform.propose(currency)
        return answer(request, PlatformPayouts(proposal, await self._payouts.platform.all()))

    async def ask_payout(self, request: web.Request) -> web.StreamResponse:
        """POST .../payouts: one at a time."""
        given = await body_of(request, AskedPayout)
        made = await self._payouts.platform.ask(
            actor_of(request), _known(given.currency), given.amount_minor, given.batch_id
        )
        return created(request, made, f"{SETTLEMENT}/payouts")


def _read(
    path: str, handler: Handler, summary: str, of: Any, query: type[Struct] | None = None
) -> Route:
    return row("GET", path, told(handler), summary, STAFF, *REFUSED, answer=of, query=query)


def _act(
    path: str,
    handler: Handler,
    summary: str,
    body: type[Struct] | None,
    of: Any = None,
    status: int | None = None,
) -> Route:
    status = status or (204 if of is None else 201)
    more = {"body": body, "answer": of, "status": status}
    return row("POST", path, told(handler), summary, ACT, *REFUSED, **more)


def _known(currency: str, zone: str = "UTC", day: datetime.date | None = None) -> str:
    """The currency. Raises `Problem` 422 for what is none, for no zone, and for no day of books."""
    if currency not in EXPONENTS:
        raise INVALID("There are no books in this currency.", place="?currency")
    if zone not in available_timezones():
        raise INVALID("There is no such time zone.", place="?zone")
    if day is not None and not 2000 <= day.year < 2100:
        raise INVALID("There are books from 2000 to 2099.", place="?day")
    return currency
