"""The API of the rest of money out: what is owed and was sent, returns, what sellers owe and the
house gives up, tax of late certificates, and as whom files go to the bank."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from accounts.permissions import Access
from auction.ids import LiquidatorId, LotId, SaleId
from auction.money import MAX_MINOR
from auction.terms import STORABLE
from foundation.http.answers import answer, created, no_content
from foundation.http.cursors import Listing, Paging
from foundation.http.problems import NOT_FOUND, ProblemKind
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Handler, Route
from settlement.access import ACT, STAFF, invoice_of, joined_of, number_of
from settlement.api_books import Currency, known_currency
from settlement.api_common import SETTLEMENT, row
from settlement.api_refusals import BOOKING
from settlement.api_requests import Requests
from settlement.claiming.thresholds import StatedThreshold as ThresholdOfLot
from settlement.claiming.thresholds import Thresholds
from settlement.claiming.words import DeskRefusal
from settlement.claims import Threshold
from settlement.client_requests import Asked
from settlement.payouts.batch_rows import WholeBatch
from settlement.payouts.house_bank import HouseBankWords
from settlement.payouts.late_certificates import TaxCredit
from settlement.payouts.nacha import Originator
from settlement.payouts.payables import Payable
from settlement.payouts.payments_made import Made, Owed
from settlement.payouts.room import PayoutRoom
from settlement.payouts.words import PayoutRefusal as R
from settlement.payouts.write_offs import Owing, WriteOff
from settlement.policy import ThresholdPays

_Why = Annotated[str, Meta(min_length=1, max_length=500, pattern=STORABLE)]


class BankQuery(Input):
    """Of which currency."""

    currency: Currency = "USD"


class ReturnedItem(Input):
    """What the bank sent back: the item's place in the file, R01 and so on or WIRE, its words."""

    place: Annotated[int, Meta(ge=1, le=10**6)]
    code: Annotated[str, Meta(pattern=r"^(R[0-9]{2}|WIRE)$")]
    words: Annotated[str, Meta(max_length=200, pattern=STORABLE)] = ""


class AskedWriteOff(Input):
    """What of a seller's debt is given up, if a second person agrees."""

    liquidator_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=STORABLE)]
    amount_minor: Annotated[int, Meta(ge=1, le=MAX_MINOR)]
    why: _Why
    currency: Currency = "USD"


class LettingGo(Input):
    """Why it is sent although the buyer has its money back."""

    why: _Why


class StatedThreshold(Input):
    """From which share of a lot's MSRP on a loss is credited, and whether all of it is."""

    share_bps: Annotated[int, Meta(ge=0, le=10_000)]
    pays: ThresholdPays = ThresholdPays.FULL


class HouseBankSeen(Struct, frozen=True):
    """As whom files are sent; nothing where nobody has said it yet."""

    bank: Originator | None


class WriteOffsSeen(Struct, frozen=True):
    """Who owes the house, and what was asked to be given up."""

    owing: Sequence[Owing]
    items: Sequence[WriteOff]
    next_cursor: str | None


class WriteOffAsked(Struct, frozen=True):
    """The number of what waits for a second person."""

    number: int


class TaxCredits(Struct, frozen=True):
    """Tax that was credited of an invoice, in order."""

    items: Sequence[TaxCredit]


class HouseMoneyApi:
    """Handlers."""

    def __init__(self, payouts: PayoutRoom, thresholds: Thresholds, requests: Requests) -> None:
        self._payouts, self._thresholds, self._requests = payouts, thresholds, requests

    def routes(self) -> list[Route]:
        """Their rows."""
        written, credits_ = "/write-offs/{number}", "/invoices/{invoice_id}/tax-credits"
        return [
            _row("GET", "/payables", self.payables, "What is owed", STAFF, of=Listing[Owed],
                 query=Paging),
            _row("GET", "/payments", self.payments, "What was sent", STAFF, of=Listing[Made],
                 query=Paging),
            _row("POST", "/payables/{payable_id}/letting-go", self.let_payable_go,
                 "Send it anyway", ACT, R.BAD_DETAILS, R.NOT_NOW, body=LettingGo, of=Payable),
            _row("GET", "/house-bank", self.house_bank, "As whom files are sent", STAFF,
                 of=HouseBankSeen, query=BankQuery),
            _row("PUT", "/house-bank", self.set_house_bank, "Send them so", ACT, R.BAD_DETAILS,
                 body=HouseBankWords, of=HouseBankSeen, query=BankQuery),
            _row("POST", "/bank-files/{number}/returns", self.book_return, "It came back", ACT,
                 R.BAD_DETAILS, R.NOT_NOW, *BOOKING, body=ReturnedItem, of=WholeBatch),
            _row("GET", "/write-offs", self.write_offs, "Who owes, and what is given up", STAFF,
                 of=WriteOffsSeen, query=Paging),
            _row("POST", "/write-offs", self.ask_write_off, "Ask to give it up", ACT,
                 R.BAD_DETAILS, R.TOO_MUCH, NOT_FOUND, body=AskedWriteOff, of=WriteOffAsked,
                 once=True, status=201),
            _row("POST", f"{written}/agreement", self.agree_write_off, "A second agrees", ACT,
                 R.NOT_WAITING, R.SAME_PERSON, R.TOO_MUCH, *BOOKING, of=WriteOff),
            _row("POST", f"{written}/refusal", self.refuse_write_off, "Say no", ACT,
                 R.NOT_WAITING, R.SAME_PERSON, of=WriteOff),
            _row("GET", credits_, self.tax_credits, "Tax that was credited", STAFF, of=TaxCredits),
            _row("POST", credits_, self.credit_tax, "A certificate came late: credit the tax", ACT,
                 R.NO_CERTIFICATE, R.HELD_BACK, R.NOT_NOW, *BOOKING, of=TaxCredit),
            _row("GET", "/claim-thresholds", self.thresholds, "Lots with a threshold of their own",
                 STAFF, of=Listing[ThresholdOfLot], query=Paging),
            _row("PUT", "/sales/{sale_id}/lots/{lot_id}/claim-threshold", self.state_threshold,
                 "A lot has a threshold of its own", ACT, DeskRefusal.SOLD_ALREADY,
                 body=StatedThreshold, status=204),
        ]  # fmt: skip

    async def payables(self, request: web.Request) -> web.StreamResponse:
        """GET .../payables."""
        paging = query_of(request, Paging)
        return answer(request, await self._payouts.payments.page_owed(paging))

    async def payments(self, request: web.Request) -> web.StreamResponse:
        """GET .../payments."""
        paging = query_of(request, Paging)
        return answer(request, await self._payouts.payments.page_made(paging))

    async def let_payable_go(self, request: web.Request) -> web.StreamResponse:
        """POST .../payables/{payable_id}/letting-go."""
        given, payable_id = await body_of(request, LettingGo), joined_of(request, "payable_id")
        by = actor_of(request)
        return answer(request, await self._payouts.withheld.let_go(by, payable_id, given.why))

    async def house_bank(self, request: web.Request) -> web.StreamResponse:
        """GET .../house-bank."""
        found = await self._payouts.house_bank.read(_currency(request))
        return answer(request, HouseBankSeen(found))

    async def set_house_bank(self, request: web.Request) -> web.StreamResponse:
        """PUT .../house-bank."""
        words, currency = await body_of(request, HouseBankWords), _currency(request)
        made = await self._payouts.house_bank.set(actor_of(request), currency, words)
        return answer(request, HouseBankSeen(made))

    async def book_return(self, request: web.Request) -> web.StreamResponse:
        """POST .../bank-files/{number}/returns: it is owed again."""
        given, number = await body_of(request, ReturnedItem), number_of(request, "number")
        booked = await self._payouts.returns.book(
            actor_of(request), number, given.place, given.code, given.words
        )
        return answer(request, booked)

    async def write_offs(self, request: web.Request) -> web.StreamResponse:
        """GET .../write-offs."""
        part, paging = self._payouts.write_offs, query_of(request, Paging)
        page = await part.page(paging)
        seen = WriteOffsSeen(await part.owing(), page.items, page.next_cursor)
        return answer(request, seen)

    async def ask_write_off(self, request: web.Request) -> web.StreamResponse:
        """POST .../write-offs."""
        given = await body_of(request, AskedWriteOff)
        currency, by = known_currency(given.currency, "/currency"), actor_of(request)
        seller, minor = LiquidatorId(given.liquidator_id), given.amount_minor

        async def make(asked: Asked) -> int:
            part = self._payouts.write_offs
            return await part.ask(by, seller, currency, minor, given.why, request=asked)

        number = int(await self._requests.once(request, given, make))
        return created(request, WriteOffAsked(number), f"{SETTLEMENT}/write-offs")

    async def agree_write_off(self, request: web.Request) -> web.StreamResponse:
        """POST .../write-offs/{number}/agreement: by another person than who asked."""
        number = number_of(request, "number")
        by = actor_of(request)
        return answer(request, await self._payouts.write_offs.decide(by, number, agrees=True))

    async def refuse_write_off(self, request: web.Request) -> web.StreamResponse:
        """POST .../write-offs/{number}/refusal."""
        number = number_of(request, "number")
        by = actor_of(request)
        return answer(request, await self._payouts.write_offs.decide(by, number, agrees=False))

    async def tax_credits(self, request: web.Request) -> web.StreamResponse:
        """GET .../invoices/{invoice_id}/tax-credits."""
        found = await self._payouts.late_certificates.of_invoice(invoice_of(request))
        return answer(request, TaxCredits(found))

    async def credit_tax(self, request: web.Request) -> web.StreamResponse:
        """POST .../invoices/{invoice_id}/tax-credits: of all lines with a certificate by now."""
        by, invoice_id = actor_of(request), invoice_of(request)
        return answer(request, await self._payouts.late_certificates.credit(by, invoice_id))

    async def thresholds(self, request: web.Request) -> web.StreamResponse:
        """GET .../claim-thresholds: the latest stated first."""
        return answer(request, await self._thresholds.page(query_of(request, Paging)))

    async def state_threshold(self, request: web.Request) -> web.StreamResponse:
        """PUT .../sales/{sale_id}/lots/{lot_id}/claim-threshold: before it is sold."""
        given = await body_of(request, StatedThreshold)
        sale_id = SaleId(joined_of(request, "sale_id"))
        lot_id = LotId(joined_of(request, "lot_id"))
        threshold = Threshold(given.share_bps, given.pays)
        await self._thresholds.state(sale_id, lot_id, threshold, actor_of(request))
        return no_content()


def _row(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    access: Access,
    *refuses: StrEnum | ProblemKind,
    of: Any = None,
    **more: Any,
) -> Route:
    return row(method, path, handler, summary, access, *refuses, answer=of, **more)


def _currency(request: web.Request) -> str:
    return known_currency(query_of(request, BankQuery).currency)
