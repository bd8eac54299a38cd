"""The API of reconciliation: what does not match, and what is booked about it."""

from collections.abc import Sequence
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from accounts.ids import PersonId
from auction.terms import STORABLE
from foundation.http.answers import answer, created, no_content
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from foundation.http.problems import INVALID
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from settlement.access import ACT, STAFF, number_of
from settlement.api_books import Currency
from settlement.api_common import SETTLEMENT, row
from settlement.api_refusals import BOOKING
from settlement.api_requests import Requests
from settlement.client_requests import Asked
from settlement.reconciliation.adjustment_table import Adjustment
from settlement.reconciliation.exceptions import ExceptionDetail, ExceptionRow
from settlement.reconciliation.room import Books
from settlement.reconciliation.standing import Standing
from settlement.reconciliation.wire_table import Wire
from settlement.reconciliation.words import BooksRefusal as R

_Version = Annotated[int, Meta(ge=1, le=2**31)]

AT_WORK: Final = (R.CHANGED_MEANWHILE, R.RESOLVED)
DECIDING: Final = (R.CHANGED_MEANWHILE, R.DECIDED, R.SAME_PERSON)


class Seen(Input):
    """The version that was seen."""

    version: _Version


class Assigned(Input):
    """Whose it is from now on."""

    version: _Version
    person_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=STORABLE)]


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


class ExceptionKey(Struct, frozen=True):
    """The place of an exception among those that are open: the oldest first."""

    since_us: int
    exception_id: int


class ResolvedKey(Struct, frozen=True):
    """The place of an exception among those that are resolved."""

    exception_id: int


class WireKey(Struct, frozen=True):
    """The place of a wire among those that nobody knows: the longest here first."""

    entered_at_us: int
    wire_id: int


class OpenAdjustments(Struct, frozen=True):
    """What waits for a second person."""

    items: Sequence[Adjustment]


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
                query=Paging, answer=Listing[ExceptionRow]),
            row("GET", "/exceptions/resolved", self.resolved, "What did not match", STAFF,
                query=Paging, answer=Listing[ExceptionRow]),
            row("GET", exception, self.exception, "An exception", STAFF, answer=ExceptionDetail),
            row("POST", f"{exception}/take", self.take_exception, "It is mine", ACT,
                *AT_WORK, R.NOT_YOURS, body=Seen, status=204),
            row("POST", f"{exception}/note", self.note_exception, "What is known", ACT,
                *AT_WORK, R.NO_REASON, body=Noted, status=204),
            row("POST", f"{exception}/giving-back", self.give_exception_back, "It is nobody's", ACT,
                *AT_WORK, R.NOT_YOURS, body=Seen, status=204),
            row("POST", f"{exception}/assignment", self.assign_exception, "It is this person's",
                ACT, *AT_WORK, body=Assigned, status=204),
            row("GET", adjustment, self.adjustment, "An adjustment", STAFF, answer=Adjustment),
            row("POST", f"{adjustment}/withdrawal", self.withdraw_adjustment, "Take yours back",
                ACT, *DECIDING, R.NOT_YOURS, body=Seen, status=204),
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
                query=Paging, answer=Listing[Wire]),
        ]  # fmt: skip

    async def standings(self, request: web.Request) -> web.StreamResponse:
        """GET .../reconciliation."""
        return answer(request, Standings(await self._books.standings()))

    async def exceptions(self, request: web.Request) -> web.StreamResponse:
        """GET .../exceptions."""
        paging = query_of(request, Paging)
        key = key_of_cursor(paging.cursor, ExceptionKey) or ExceptionKey(0, 0)
        after = (key.since_us, key.exception_id)
        found = await self._books.exceptions.open(after, paging.limit + 1)
        return answer(request, listing(found, paging.limit, lambda one: one, _exception_key))

    async def resolved(self, request: web.Request) -> web.StreamResponse:
        """GET .../exceptions/resolved: the newest first."""
        paging = query_of(request, Paging)
        key = key_of_cursor(paging.cursor, ResolvedKey) or ResolvedKey(2**62)
        found = await self._books.exceptions.resolved(key.exception_id, paging.limit + 1)
        page = listing(
            found, paging.limit, lambda one: one, lambda one: ResolvedKey(one.exception_id)
        )
        return answer(request, page)

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

    async def give_exception_back(self, request: web.Request) -> web.StreamResponse:
        """POST .../exceptions/{number}/giving-back."""
        seen, number = await body_of(request, Seen), number_of(request, "number")
        await self._books.exceptions.give_back(actor_of(request), number, seen.version)
        return no_content()

    async def assign_exception(self, request: web.Request) -> web.StreamResponse:
        """POST .../exceptions/{number}/assignment."""
        given, number = await body_of(request, Assigned), number_of(request, "number")
        owner, by = PersonId(given.person_id), actor_of(request)
        await self._books.exceptions.assign(by, number, given.version, owner)
        return no_content()

    async def adjustment(self, request: web.Request) -> web.StreamResponse:
        """GET .../adjustments/{number}."""
        return answer(request, await self._books.adjustments.read(number_of(request, "number")))

    async def withdraw_adjustment(self, request: web.Request) -> web.StreamResponse:
        """POST .../adjustments/{number}/withdrawal."""
        seen, number = await body_of(request, Seen), number_of(request, "number")
        await self._books.adjustments.withdraw(actor_of(request), number, seen.version)
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
        paging = query_of(request, Paging)
        key = key_of_cursor(paging.cursor, WireKey) or WireKey(0, 0)
        after = (key.entered_at_us, key.wire_id)
        found = await self._books.wires.unknown(after, paging.limit + 1)
        page = listing(
            found,
            paging.limit,
            lambda wire: wire,
            lambda wire: WireKey(wire.entered_at_us, wire.wire_id),
        )
        return answer(request, page)


def _exception_key(row: ExceptionRow) -> ExceptionKey:
    return ExceptionKey(row.since_us, row.exception_id)
