"""The API of money on the house's bank account that no invoice names, and of statements' files."""

import datetime
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from auction.ids import BidderId
from auction.money import MAX_MINOR
from auction.terms import STORABLE
from foundation.http.answers import answer, created
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from foundation.http.problems import INVALID, ProblemKind
from foundation.http.reading import Input, body_of, file_of, query_of
from foundation.http.routes import Handler, Media, Route
from settlement.access import ACT, STAFF, number_of
from settlement.api_books import Currency
from settlement.api_common import SETTLEMENT, row
from settlement.api_refusals import BOOKING
from settlement.ids import EntryKey, InvoiceId
from settlement.reconciliation.statement_file import MAX_BYTES, BadStatement
from settlement.reconciliation.wire_table import Candidate, Wire
from settlement.reconciliation.wires import Imported, Wires
from settlement.reconciliation.words import BooksRefusal as R

_Version = Annotated[int, Meta(ge=1, le=2**31)]
_Text = Annotated[str, Meta(max_length=200, pattern=STORABLE)]
_Why = Annotated[str, Meta(max_length=500, pattern=STORABLE)]
_Said = Annotated[str, Meta(min_length=1, max_length=500, pattern=STORABLE)]

BAD_STATEMENT = ProblemKind(
    "BAD_STATEMENT", 422, "The statement is not taken in; its bad lines are named"
)

UNDECIDED: Final = (R.CHANGED_MEANWHILE, R.DECIDED)
DECIDING: Final = (*UNDECIDED, R.NO_REASON, *BOOKING)


class DecidedKey(Struct, frozen=True):
    """The place of a wire among those that were decided: the newest first."""

    wire_id: int


class StatementQuery(Input):
    """In what the statement's account is, and what its file is called."""

    currency: Currency = "USD"
    name: Annotated[str, Meta(min_length=1, max_length=200, pattern=STORABLE)] = "statement.csv"


class SeenWire(Input):
    """The version that was seen."""

    version: _Version


class EnteredWire(Input):
    """A row of the bank's statement, by hand; the bank's own id makes a second one harmless."""

    bank_id: Annotated[str, Meta(min_length=1, max_length=80, pattern=STORABLE)]
    amount_minor: Annotated[int, Meta(ge=1, le=MAX_MINOR)]
    received_on: datetime.date
    sender: _Text
    reference: _Text
    currency: Currency = "USD"


class IdentifiedWire(Input):
    """Whose it is: the buyer's of an invoice, or a buyer's."""

    version: _Version
    invoice_id: Annotated[str, Meta(max_length=200, pattern=STORABLE)] | None = None
    buyer_id: Annotated[str, Meta(max_length=64, pattern=STORABLE)] | None = None
    why: _Why = ""


class ReturnedWire(Input):
    """Why it was sent back."""

    version: _Version
    why: _Said


class KnownWire(Input):
    """By which entry it was booked already."""

    version: _Version
    key: Annotated[str, Meta(min_length=1, max_length=255, pattern=STORABLE)]
    why: _Said


class WireSeen(Struct, frozen=True):
    """A wire, and the invoices that it might be for."""

    wire: Wire
    candidates: Sequence[Candidate]


class WiresApi:
    """Handlers."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires

    def routes(self) -> list[Route]:
        """Their rows."""
        one = "/wires/{number}"
        return [
            _act("/wires", self.enter_wire, "Enter one by hand", EnteredWire, *BOOKING, status=201),
            row("GET", "/wires/decided", self.decided_wires, "Wires that were decided", STAFF,
                query=Paging, answer=Listing[Wire]),
            row("GET", one, self.wire, "A wire, and what it might be for", STAFF, answer=WireSeen),
            _act(f"{one}/take", self.take_wire, "It is mine to find out", SeenWire,
                 *UNDECIDED, R.NOT_YOURS),
            _act(f"{one}/giving-back", self.give_back_wire, "It is nobody's", SeenWire,
                 *UNDECIDED, R.NOT_YOURS),
            _act(f"{one}/identification", self.identify_wire, "Say whose it is", IdentifiedWire,
                 *DECIDING, R.OTHER_CURRENCY, R.NOTHING_LEFT),
            _act(f"{one}/return", self.return_wire, "It was sent back", ReturnedWire, *DECIDING),
            _act(f"{one}/known", self.known_wire, "It was booked already", KnownWire, *DECIDING),
            row("POST", "/statements", self.take_in_statement, "Take in a bank's statement",
                ACT, BAD_STATEMENT, *BOOKING, query=StatementQuery, takes=Media("text/csv"),
                answer=Imported, max_body=MAX_BYTES),
        ]  # fmt: skip

    async def enter_wire(self, request: web.Request) -> web.StreamResponse:
        """POST .../wires."""
        given, by = await body_of(request, EnteredWire), actor_of(request)
        number = await self._wires.enter(
            by,
            bank_id=given.bank_id,
            amount_minor=given.amount_minor,
            currency=given.currency,
            received_on=given.received_on,
            sender=given.sender,
            reference=given.reference,
        )
        return created(request, await self._seen(number), f"{SETTLEMENT}/wires/{number}")

    async def decided_wires(self, request: web.Request) -> web.StreamResponse:
        """GET .../wires/decided."""
        paging = query_of(request, Paging)
        key = key_of_cursor(paging.cursor, DecidedKey) or DecidedKey(2**62)
        found = await self._wires.decided(key.wire_id, paging.limit + 1)
        page = listing(
            found, paging.limit, lambda wire: wire, lambda wire: DecidedKey(wire.wire_id)
        )
        return answer(request, page)

    async def wire(self, request: web.Request) -> web.StreamResponse:
        """GET .../wires/{number}."""
        return answer(request, await self._seen(_number(request)))

    async def take_wire(self, request: web.Request) -> web.StreamResponse:
        """POST .../wires/{number}/take."""
        given, by = await body_of(request, SeenWire), actor_of(request)
        await self._wires.take(by, _number(request), given.version)
        return await self._now(request)

    async def give_back_wire(self, request: web.Request) -> web.StreamResponse:
        """POST .../wires/{number}/giving-back."""
        given, by = await body_of(request, SeenWire), actor_of(request)
        await self._wires.give_back(by, _number(request), given.version)
        return await self._now(request)

    async def identify_wire(self, request: web.Request) -> web.StreamResponse:
        """POST .../wires/{number}/identification: it pays what that one owes."""
        given, by = await body_of(request, IdentifiedWire), actor_of(request)
        if (given.invoice_id is None) == (given.buyer_id is None):
            raise INVALID("Name an invoice or a buyer.", place="/invoice_id")
        await self._wires.identify(
            by,
            _number(request),
            given.version,
            invoice_id=None if given.invoice_id is None else InvoiceId(given.invoice_id),
            buyer_id=None if given.buyer_id is None else BidderId(given.buyer_id),
            why=given.why,
        )
        return await self._now(request)

    async def return_wire(self, request: web.Request) -> web.StreamResponse:
        """POST .../wires/{number}/return."""
        given, by = await body_of(request, ReturnedWire), actor_of(request)
        await self._wires.return_(by, _number(request), given.version, given.why)
        return await self._now(request)

    async def known_wire(self, request: web.Request) -> web.StreamResponse:
        """POST .../wires/{number}/known."""
        given, by = await body_of(request, KnownWire), actor_of(request)
        key = EntryKey(given.key)
        await self._wires.known(by, _number(request), given.version, key, given.why)
        return await self._now(request)

    async def take_in_statement(self, request: web.Request) -> web.StreamResponse:
        """POST .../statements: whole or not at all; a second time changes nothing."""
        asked, data = query_of(request, StatementQuery), await file_of(request, "text/csv")
        try:
            made = await self._wires.import_statement(
                actor_of(request), asked.name, data, asked.currency
            )
        except BadStatement as bad:
            raise BAD_STATEMENT("\n".join(map(str, bad.faults))) from None
        return answer(request, made)

    async def _seen(self, number: int) -> WireSeen:
        return WireSeen(*await self._wires.read(number))

    async def _now(self, request: web.Request) -> web.StreamResponse:
        return answer(request, await self._seen(_number(request)))


def _act(
    path: str,
    handler: Handler,
    summary: str,
    body: type[Struct],
    *refuses: StrEnum,
    status: int = 200,
) -> Route:
    more: dict[str, Any] = {"body": body, "answer": WireSeen, "status": status}
    return row("POST", path, handler, summary, ACT, *refuses, **more)


def _number(request: web.Request) -> int:
    return number_of(request, "number")
