"""The API of money out: files for the house's bank, and payouts from Stripe to it."""

from collections.abc import Sequence
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from foundation.http.answers import NEVER_STORED, answer, created
from foundation.http.cursors import Paging
from foundation.http.problems import NOT_FOUND, ProblemKind
from foundation.http.reading import Input, body_of, file_of, query_of
from foundation.http.routes import Media, Route
from settlement.access import ACT, STAFF, number_of
from settlement.api_books import Currency, known_currency
from settlement.api_common import PROVIDER_REFUSED, SETTLEMENT, row
from settlement.api_refusals import BOOKING
from settlement.api_requests import Requests
from settlement.client_requests import Asked
from settlement.payouts.batch_rows import Batch, WholeBatch
from settlement.payouts.batches import Due
from settlement.payouts.platform_rows import PlatformPayout, Proposal
from settlement.payouts.return_file import MAX_BYTES, BadReturns
from settlement.payouts.returns import TakenIn
from settlement.payouts.room import PayoutRoom
from settlement.payouts.words import PayoutRefusal as R

RELEASING: Final = (
    R.NOT_NOW, R.SAME_PERSON, R.NO_HOUSE_BANK, R.BAD_DETAILS, R.HELD_BACK, R.BANK_TOO_LOW, *BOOKING,
)  # fmt: skip
BAD_RETURNS: Final = ProblemKind(
    "BAD_RETURNS", 422, "The file of returns is not taken in; its bad lines are named"
)
# What a bank file is called in addresses, and in the tables.
METHODS: Final = {"ach": "ACH", "wires": "WIRE"}
PAYING_OUT: Final = (
    R.TOO_MUCH, R.OWED_TO_OTHERS, R.NOT_MANUAL, R.ASKED_ALREADY, R.NOT_NOW, PROVIDER_REFUSED,
    *BOOKING,
)  # fmt: skip


class CurrencyQuery(Paging):
    """Of which currency what is due is; the list is of all of them."""

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


class BankFiles(Struct, frozen=True):
    """Bank files, the latest first, and what is due now."""

    due: Due
    items: Sequence[Batch]
    next_cursor: str | None


class PlatformPayouts(Struct, frozen=True):
    """Payouts to the house's bank, the latest first, and what could be paid out now."""

    proposal: Proposal
    items: Sequence[PlatformPayout]
    next_cursor: str | None


class Schedule(Struct, frozen=True):
    """How Stripe pays out."""

    interval: str


class MoneyOutApi:
    """Handlers."""

    def __init__(self, payouts: PayoutRoom, requests: Requests) -> None:
        self._payouts, self._requests = payouts, requests

    def routes(self) -> list[Route]:
        """Their rows."""
        one = "/bank-files/{number}"
        return [
            row("GET", "/bank-files", self.bank_files, "Bank files", STAFF,
                query=CurrencyQuery, answer=BankFiles),
            row("POST", "/bank-files", self.make_file, "Make one", ACT,
                R.NOTHING_DUE, R.NOT_NOW, *BOOKING, once=True, body=MakingFile, answer=WholeBatch,
                status=201),
            row("GET", one, self.bank_file, "A bank file", STAFF, answer=WholeBatch),
            row("POST", f"{one}/release", self.release_file, "Release it", ACT,
                *RELEASING, answer=WholeBatch),
            row("POST", f"{one}/cancellation", self.cancel_file, "Cancel it", ACT,
                R.NOT_NOW, answer=WholeBatch),
            row("GET", f"{one}/files/{{method}}", self.bank_file_content,
                "The file for the bank, ach or wires; noted, as account numbers are in it", ACT,
                answer=Media("application/octet-stream")),
            row("POST", "/bank-returns", self.take_in_returns, "Take in a bank's file of returns",
                ACT, BAD_RETURNS, *BOOKING, takes=Media("text/plain"), answer=TakenIn,
                max_body=MAX_BYTES),
            row("POST", "/payouts/manual", self.pay_out_by_hand,
                "From now on Stripe pays nothing out by itself", ACT, PROVIDER_REFUSED,
                answer=Schedule),
            row("GET", "/payouts", self.payouts, "Payouts to our bank", STAFF,
                R.NOT_NOW, PROVIDER_REFUSED, query=CurrencyQuery, answer=PlatformPayouts),
            row("POST", "/payouts", self.ask_payout, "Pay out", ACT,
                NOT_FOUND, *PAYING_OUT, once=True, body=AskedPayout, answer=PlatformPayout,
                status=201),
        ]  # fmt: skip

    async def bank_files(self, request: web.Request) -> web.StreamResponse:
        """GET .../bank-files."""
        query = query_of(request, CurrencyQuery)
        due = await self._payouts.bank_files.due(known_currency(query.currency))
        page = await self._payouts.bank_files.page(query)
        return answer(request, BankFiles(due, page.items, page.next_cursor))

    async def make_file(self, request: web.Request) -> web.StreamResponse:
        """POST .../bank-files: what is in one is not due any more, so it is made once."""
        given = await body_of(request, MakingFile)
        currency, by = known_currency(given.currency, "/currency"), actor_of(request)
        files = self._payouts.bank_files

        async def make(asked: Asked) -> int:
            made = await files.make(by, currency, given.payee_ids, request=asked)
            return made.batch.batch_id

        number = int(await self._requests.once(request, given, make))
        return created(request, await files.read(number), f"{SETTLEMENT}/bank-files/{number}")

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

    async def bank_file_content(self, request: web.Request) -> web.StreamResponse:
        """GET .../bank-files/{number}/files/{method}: once it is released."""
        number, method = number_of(request, "number"), request.match_info["method"]
        if method not in METHODS:
            raise NOT_FOUND()
        files, by = self._payouts.bank_files, actor_of(request)
        return bank_file_answer(number, method, await files.content(by, number, METHODS[method]))

    async def take_in_returns(self, request: web.Request) -> web.StreamResponse:
        """POST .../bank-returns: whole or not at all; a second time changes nothing."""
        data = await file_of(request, "text/plain")
        try:
            return answer(request, await self._payouts.returns.take_in(actor_of(request), data))
        except BadReturns as bad:
            raise BAD_RETURNS("\n".join(map(str, bad.faults))) from None

    async def pay_out_by_hand(self, request: web.Request) -> web.StreamResponse:
        """POST .../payouts/manual: said twice it is the same."""
        return answer(request, Schedule(await self._payouts.platform.set_manual()))

    async def payouts(self, request: web.Request) -> web.StreamResponse:
        """GET .../payouts."""
        query = query_of(request, CurrencyQuery)
        proposal = await self._payouts.platform.propose(known_currency(query.currency))
        page = await self._payouts.platform.page(query)
        return answer(request, PlatformPayouts(proposal, page.items, page.next_cursor))

    async def ask_payout(self, request: web.Request) -> web.StreamResponse:
        """POST .../payouts: one at a time."""
        given = await body_of(request, AskedPayout)
        currency, by = known_currency(given.currency, "/currency"), actor_of(request)
        platform, minor = self._payouts.platform, given.amount_minor

        async def make(asked: Asked) -> int:
            made = await platform.ask(by, currency, minor, given.batch_id, request=asked)
            return made.payout_no

        number = int(await self._requests.once(request, given, make))
        return created(request, await platform.read(number), f"{SETTLEMENT}/payouts")


def bank_file_answer(number: int, method: str, data: bytes) -> web.Response:
    """A bank file to keep; nobody between keeps it."""
    name = f"payouts-{number}.{'ach' if method == 'ach' else 'csv'}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **NEVER_STORED}
    return web.Response(body=data, content_type="application/octet-stream", headers=headers)
