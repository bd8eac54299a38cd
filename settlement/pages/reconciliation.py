"""The books beside Stripe: the identity, what does not match, wires, adjustments, a day."""

import datetime
from typing import Annotated, Any, Final
from zoneinfo import available_timezones

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from accounts.ids import PersonId
from auction.amounts import NotMoney, parse_typed
from auction.ids import BidderId
from auction.spreadsheets import CSV_TYPE
from auction.terms import STORABLE
from foundation.database import acquire
from foundation.http.forms import Upload, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import ACT, STAFF, number_of
from settlement.api_books import file_answer
from settlement.ids import EntryKey, InvoiceId
from settlement.pages.doing import done, told
from settlement.pages.room import HOME, show
from settlement.reconciliation.day import DayReport, day_csv
from settlement.reconciliation.statement_file import BadStatement
from settlement.room import Settlement

BOOKS: Final = f"{HOME}/reconciliation"
EXCEPTIONS: Final = f"{HOME}/exceptions"
WIRES: Final = f"{HOME}/wires"
ADJUSTMENTS: Final = f"{HOME}/adjustments"
DAY: Final = f"{HOME}/day"
# A bank's statement of a year.
MAX_STATEMENT: Final = 8 * 2**20

_Text = Annotated[str, Meta(max_length=500, pattern=STORABLE)]
_Version = Annotated[int, Meta(ge=1, le=2**31)]


class AtException(Input):
    """What is done with an exception."""

    what: Annotated[str, Meta(pattern=r"\A(take|assign|give_back|note|propose)\Z")]
    version: _Version
    owner_id: _Text = ""
    note: _Text = ""
    debit: _Text = ""
    credit: _Text = ""
    amount: Annotated[str, Meta(max_length=40)] = ""
    currency: Annotated[str, Meta(max_length=3)] = "USD"


class AtAdjustment(Input):
    """What is done with a proposed adjustment."""

    what: Annotated[str, Meta(pattern=r"\A(approve|reject|withdraw)\Z")]
    version: _Version
    why: _Text = ""


class AtWire(Input):
    """Whose a wire is."""

    what: Annotated[str, Meta(pattern=r"\A(take|give_back|identify|buyer|return|known)\Z")]
    version: _Version
    invoice_id: Annotated[str, Meta(max_length=200)] = ""
    buyer_id: Annotated[str, Meta(max_length=64)] = ""
    key: Annotated[str, Meta(max_length=255)] = ""
    why: _Text = ""


class StatementFile(Input):
    """A bank's statement as a file."""

    currency: Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
    file: Upload


class ClosingDay(Input):
    """Which day is closed."""

    currency: Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
    day: datetime.date
    zone: Annotated[str, Meta(max_length=64)]


class ReconciliationPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        number = "{number}"
        return [
            Route("GET", BOOKS, self.show, "The books beside Stripe's", STAFF),
            Route("POST", BOOKS, self.statement, "Take in a bank's statement", ACT,
                  max_body=MAX_STATEMENT),
            Route("GET", f"{EXCEPTIONS}/{number}", told(self.exception), "An exception", STAFF),
            Route("POST", f"{EXCEPTIONS}/{number}", self.at_exception, "Work on it", ACT),
            Route("GET", f"{WIRES}/{number}", told(self.wire), "A wire", STAFF),
            Route("POST", f"{WIRES}/{number}", self.at_wire, "Say whose it is", ACT),
            Route("GET", f"{ADJUSTMENTS}/{number}", told(self.adjustment), "An adjustment", STAFF),
            Route("POST", f"{ADJUSTMENTS}/{number}", self.at_adjustment, "Decide it", ACT),
            Route("GET", DAY, self.day, "The end of a day", STAFF),
            Route("POST", DAY, self.close, "Close a day", ACT),
            Route("GET", f"{DAY}.csv", self.day_csv, "The end of a day, as a table", STAFF),
        ]  # fmt: skip

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/reconciliation."""
        books = self._room.books
        return show(
            request,
            "reconciliation.html",
            standings=await books.standings(),
            exceptions=await books.exceptions.open(),
            resolved=await books.exceptions.resolved(limit=10),
            wires=await books.wires.unknown(),
            adjustments=await books.adjustments.open(),
            currencies=await self._room.accounting.currencies() or ["USD"],
            now_us=self._room.now_us(),
        )

    async def statement(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/reconciliation."""
        form = await form_of(request, StatementFile)
        if form.valid is None:
            return see_other(BOOKS, "Choose the bank's file.", FlashKind.WARNING)
        given = form.valid
        try:
            made = await self._room.books.wires.import_statement(
                actor_of(request), given.file.file_name, given.file.data, given.currency
            )
        except BadStatement as fault:
            return see_other(BOOKS, f"Nothing was taken in. {fault}"[:480], FlashKind.ERROR)
        said = (
            f"{made.new} new rows wait for a person, {made.payouts} are payouts of ours, "
            f"{made.known} were here already."
        )
        return see_other(BOOKS, said)

    async def exception(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/exceptions/{number}."""
        found = await self._room.books.exceptions.read(number_of(request, "number"))
        return show(
            request,
            "exception.html",
            found=found,
            row=found.row,
            me=signed_in(request).person_id,
            staff=await self._room.books.exceptions.staff(),
            now_us=self._room.now_us(),
        )

    async def at_exception(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/exceptions/{number}."""
        form = await form_of(request, AtException)
        number, books = number_of(request, "number"), self._room.books
        place = f"{EXCEPTIONS}/{number}"
        if form.valid is None:
            raise INVALID("Say what is to be done.")
        given, by = form.valid, actor_of(request)
        match given.what:
            case "take":
                work: Any = books.exceptions.take(by, number, given.version)
                said = "It is yours."
            case "assign":
                owner = PersonId(given.owner_id)
                work, said = books.exceptions.assign(by, number, given.version, owner), "Assigned."
            case "give_back":
                work = books.exceptions.give_back(by, number, given.version)
                said = "It is nobody's."
            case "note":
                work = books.exceptions.note(by, number, given.version, given.note)
                said = "Noted."
            case _:
                try:
                    minor = parse_typed(given.amount, given.currency)
                except (NotMoney, KeyError) as fault:
                    return see_other(place, str(fault), FlashKind.ERROR)
                work = books.adjustments.propose(
                    by,
                    debit=given.debit,
                    credit=given.credit,
                    amount_minor=minor,
                    currency=given.currency,
                    note=given.note,
                    exception=(number, given.version),
                )
                said = "Proposed. A second person books it."
        return await done(work, place, said)

    async def wire(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/wires/{number}."""
        wire, candidates = await self._room.books.wires.read(number_of(request, "number"))
        me = signed_in(request).person_id
        return show(request, "wire.html", wire=wire, candidates=candidates, me=me)

    async def at_wire(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/wires/{number}."""
        form = await form_of(request, AtWire)
        number, wires = number_of(request, "number"), self._room.books.wires
        place = f"{WIRES}/{number}"
        if form.valid is None:
            raise INVALID("Say whose it is.")
        given, by = form.valid, actor_of(request)
        match given.what:
            case "take":
                work: Any = wires.take(by, number, given.version)
                said = "You find out about it."
            case "give_back":
                work, said = wires.give_back(by, number, given.version), "It is nobody's."
            case "identify":
                invoice = InvoiceId(given.invoice_id)
                work = wires.identify(by, number, given.version, invoice_id=invoice, why=given.why)
                said = "It pays this invoice."
            case "buyer":
                buyer = BidderId(given.buyer_id)
                work = wires.identify(by, number, given.version, buyer_id=buyer, why=given.why)
                said = "It is this buyer's, and pays what is open."
            case "return":
                work = wires.return_(by, number, given.version, given.why)
                said = "Written down as sent back."
            case _:
                work = wires.known(by, number, given.version, EntryKey(given.key), given.why)
                said = "It was booked already."
        return await done(work, place, said)

    async def adjustment(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/adjustments/{number}."""
        found = await self._room.books.adjustments.read(number_of(request, "number"))
        return show(request, "adjustment.html", one=found, me=signed_in(request).person_id)

    async def at_adjustment(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/adjustments/{number}."""
        form = await form_of(request, AtAdjustment)
        number, adjustments = number_of(request, "number"), self._room.books.adjustments
        if form.valid is None:
            raise INVALID("Decide it.")
        given, by = form.valid, actor_of(request)
        match given.what:
            case "approve":
                work: Any = adjustments.approve(by, number, given.version)
                said = "It is booked."
            case "reject":
                work = adjustments.reject(by, number, given.version, given.why)
                said = "Rejected; nothing is booked."
            case _:
                work, said = adjustments.withdraw(by, number, given.version), "Taken back."
        return await done(work, f"{ADJUSTMENTS}/{number}", said)

    async def day(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/day?day=&currency=&zone=."""
        report = await self._report(request)
        books = self._room.books
        return show(
            request,
            "day.html",
            report=report,
            keeps=await books.days.keeps_open(report),
            closed=await books.days.closed(report.currency, report.day),
            currencies=await self._room.accounting.currencies() or ["USD"],
            zone=report.zone,
        )

    async def close(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/day."""
        form = await form_of(request, ClosingDay)
        if form.valid is None:
            raise INVALID("Name the day, the currency and the zone.")
        given = form.valid
        place = f"{DAY}?day={given.day.isoformat()}&currency={given.currency}&zone={given.zone}"
        if given.zone not in available_timezones():
            raise INVALID("There is no such time zone.")
        work = self._room.books.days.close(actor_of(request), given.currency, given.day, given.zone)
        return await done(work, place, "The day is closed, and its report kept.")

    async def day_csv(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/day.csv."""
        report = await self._report(request)
        name = f"day-{report.currency}-{report.day.isoformat()}.csv"
        return file_answer(request, day_csv(report), CSV_TYPE, name)

    async def _report(self, request: web.Request) -> DayReport:
        zone = request.query.get("zone") or await self._zone(signed_in(request).person_id)
        now = datetime.datetime.fromtimestamp(self._room.now_us() / 1_000_000, datetime.UTC)
        asked = request.query.get("day", "")
        currency = request.query.get("currency", "USD")
        try:
            day = datetime.date.fromisoformat(asked) if asked else now.date()
            if zone not in available_timezones() or not 2000 <= day.year < 2100:
                raise ValueError
            if currency not in {*await self._room.accounting.currencies(), "USD"}:
                raise ValueError
        except ValueError:
            raise NOT_FOUND() from None
        return await self._room.books.days.report(currency, day, zone)

    async def _zone(self, person_id: str) -> str:
        async with acquire(self._room.pool) as connection:
            zone: str | None = await connection.fetchval(
                "select time_zone from person where person_id = $1", person_id
            )
        return zone or "UTC"
