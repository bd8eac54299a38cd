"""Money out, as staff send it: bank files by two people, the house's own payout, payees, debts."""

from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from auction.amounts import NotMoney, parse_typed
from auction.ids import LiquidatorId
from auction.terms import STORABLE
from foundation.http.forms import Upload, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import MAX_BODY, Input
from foundation.http.routes import Route
from settlement.access import ACT, STAFF, number_of
from settlement.api_money_out import METHODS, bank_file_answer
from settlement.operations import Refused, Unknown
from settlement.pages.doing import done, told
from settlement.pages.room import HOME, show
from settlement.payouts.batches import Due
from settlement.payouts.house_bank import HouseBankWords
from settlement.payouts.platform_rows import Proposal
from settlement.payouts.return_file import MAX_BYTES, BadReturns
from settlement.payouts.words import PayoutRefused
from settlement.room import Settlement

PAYOUTS: Final = f"{HOME}/payouts"
FILES: Final = f"{PAYOUTS}/files"

_Currency = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
_Text = Annotated[str, Meta(max_length=500, pattern=STORABLE)]


class AtPayouts(Input):
    """What is done about money out."""

    what: Annotated[
        str,
        Meta(pattern=r"\A(make|ask|manual|confirm_bank|refuse_bank|write_off|agree|disagree)\Z"),
    ]
    currency: _Currency = "USD"
    amount: Annotated[str, Meta(max_length=40)] = ""
    payee_id: Annotated[str, Meta(max_length=64)] = ""
    number: Annotated[int, Meta(ge=1, le=2**62)] | None = None
    why: _Text = ""


class HouseBanking(Input):
    """As whom the house sends files to its bank."""

    currency: _Currency
    bank_name: Annotated[str, Meta(min_length=1, max_length=23)]
    destination: Annotated[str, Meta(max_length=20)]
    origin: Annotated[str, Meta(min_length=9, max_length=10)]
    company_name: Annotated[str, Meta(min_length=1, max_length=16)]
    company_id: Annotated[str, Meta(min_length=9, max_length=10)]


class AtFile(Input):
    """What is done with a bank file."""

    what: Annotated[str, Meta(pattern=r"\A(release|cancel|returned)\Z")]
    place: Annotated[int, Meta(ge=1, le=10**6)] | None = None
    code: Annotated[str, Meta(max_length=8)] = ""
    words: _Text = ""


class ReturnsFile(Input):
    """What a bank sends back, as a file."""

    file: Upload


class PayoutPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one = f"{FILES}/{{number}}"
        return [
            Route("GET", PAYOUTS, self.show, "Money out", STAFF),
            Route("POST", PAYOUTS, self.act, "Make a file, pay out, decide", ACT),
            Route("POST", f"{PAYOUTS}/bank", self.bank, "As whom files are sent", ACT),
            Route("POST", f"{PAYOUTS}/returns", self.returns, "A bank's file of returns", ACT,
                  max_body=MAX_BYTES + MAX_BODY),
            Route("GET", one, told(self.file), "A bank file", STAFF),
            Route("POST", one, self.at_file, "Release or cancel it", ACT),
            Route("GET", f"{one}/{{method}}", told(self.content), "The file for the bank", ACT),
        ]  # fmt: skip

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/payouts?currency=."""
        currencies = await self._room.accounting.currencies() or ["USD"]
        currency = request.query.get("currency", currencies[0])
        if currency not in currencies:
            raise NOT_FOUND()
        payouts = self._room.payouts
        due: Due | None = None
        why = ""
        try:
            due = await payouts.bank_files.due(currency)
        except PayoutRefused as refused:
            why = refused.message
        return show(
            request,
            "payouts.html",
            currency=currency,
            currencies=currencies,
            due=due,
            why=why,
            files=await payouts.bank_files.all(),
            proposal=await self._proposal(currency),
            sent=(await payouts.platform.all())[:20],
            payees=await payouts.payees.all(),
            owing=await payouts.write_offs.owing(),
            write_offs=await payouts.write_offs.all("ASKED"),
            bank=await payouts.house_bank.read(currency),
            me=signed_in(request).person_id,
        )

    async def act(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/payouts."""
        form = await form_of(request, AtPayouts)
        if form.valid is None:
            raise INVALID("Say what is to be done.")
        given, by, payouts = form.valid, actor_of(request), self._room.payouts
        place = f"{PAYOUTS}?currency={given.currency}"
        try:
            minor = parse_typed(given.amount, given.currency) if given.amount else 0
        except (NotMoney, KeyError) as fault:
            return see_other(place, str(fault), FlashKind.ERROR)
        match given.what:
            case "make":
                work: Any = payouts.bank_files.make(by, given.currency)
                said = "The file is made. Another person releases it."
            case "ask":
                work = payouts.platform.ask(by, given.currency, minor)
                said = "The payout is asked for."
            case "manual":
                work = payouts.platform.set_manual()
                said = "From now on Stripe pays nothing out by itself."
            case "confirm_bank" | "refuse_bank":
                if given.number is None:
                    raise INVALID("Name the account.")
                agrees = given.what == "confirm_bank"
                work = payouts.payees.decide_bank(by, given.payee_id, given.number, agrees=agrees)
                said = "Confirmed." if agrees else "Refused."
            case "write_off":
                seller = LiquidatorId(given.payee_id)
                work = payouts.write_offs.ask(by, seller, given.currency, minor, given.why)
                said = "Asked for: a second person decides."
            case _:
                if given.number is None:
                    raise INVALID("Name what is decided.")
                agrees = given.what == "agree"
                work = payouts.write_offs.decide(by, given.number, agrees=agrees)
                said = "Decided."
        return await done(work, place, said)

    async def bank(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/payouts/bank."""
        form = await form_of(request, HouseBanking)
        if form.valid is None:
            said = "; ".join(f"{name}: {message}" for name, message in form.errors.items())
            return see_other(PAYOUTS, said[:400], FlashKind.ERROR)
        given = form.valid
        words = HouseBankWords(
            bank_name=given.bank_name,
            destination=given.destination,
            origin=given.origin,
            company_name=given.company_name,
            company_id=given.company_id,
        )
        work = self._room.payouts.house_bank.set(actor_of(request), given.currency, words)
        return await done(work, f"{PAYOUTS}?currency={given.currency}", "Kept.")

    async def file(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/payouts/files/{number}."""
        whole = await self._room.payouts.bank_files.read(number_of(request, "number"))
        return show(request, "bank_file.html", whole=whole, me=signed_in(request).person_id)

    async def at_file(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/payouts/files/{number}."""
        form = await form_of(request, AtFile)
        if form.valid is None:
            raise INVALID("Say what is to be done.")
        given, by, number = form.valid, actor_of(request), number_of(request, "number")
        payouts = self._room.payouts
        match given.what:
            case "release":
                work: Any = payouts.bank_files.release(by, number)
                said = "Released. Give the file to the bank."
            case "cancel":
                work, said = (
                    payouts.bank_files.cancel(by, number),
                    "Cancelled: all of it is due again.",
                )
            case _:
                if given.place is None:
                    raise INVALID("Name the payment.")
                work = payouts.returns.book(by, number, given.place, given.code, given.words)
                said = "Written down: it is owed again."
        return await done(work, f"{FILES}/{number}", said)

    async def content(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/payouts/files/{number}/{method}: noted, as account numbers are in it."""
        method, number = request.match_info["method"], number_of(request, "number")
        if method not in METHODS:
            raise NOT_FOUND()
        by = actor_of(request)
        data = await self._room.payouts.bank_files.content(by, number, METHODS[method])
        return bank_file_answer(number, method, data)

    async def returns(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/payouts/returns."""
        form = await form_of(request, ReturnsFile)
        if form.valid is None:
            return see_other(PAYOUTS, "Choose the bank's file.", FlashKind.WARNING)
        try:
            took = await self._room.payouts.returns.take_in(actor_of(request), form.valid.file.data)
        except BadReturns as fault:
            return see_other(PAYOUTS, f"Nothing was taken in. {fault}"[:480], FlashKind.ERROR)
        said = f"{took.booked} payments came back and are owed again."
        if took.known:
            said += f" {took.known} were written down before."
        if took.notices:
            changes = "; ".join(f"{one.trace} {one.code} {one.words}" for one in took.notices)
            said += f" Ask for these accounts anew: {changes}"
        return see_other(PAYOUTS, said[:480])

    async def _proposal(self, currency: str) -> Proposal | None:
        """``None`` while the provider does not answer."""
        try:
            return await self._room.payouts.platform.propose(currency)
        except (Unknown, Refused):
            return None
