"""Fees for lots that were not paid, as staff see to them: who owes, since when, giving up."""

from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from auction.amounts import NotMoney, parse_typed
from auction.ids import BidderId, SaleId
from auction.terms import STORABLE
from foundation.http.forms import form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import ACT, STAFF
from settlement.after_default.hand_deposits import Fate
from settlement.pages.doing import done
from settlement.pages.room import HOME, show
from settlement.room import Settlement

FEES: Final = f"{HOME}/fees"


class AtFee(Input):
    """What is done about a fee."""

    what: Annotated[str, Meta(pattern=r"\A(card|paid|give_up|agree|disagree)\Z")]
    charge_id: Annotated[str, Meta(max_length=240, pattern=r"\A[A-Za-z0-9_.:~\-]+\Z")]
    version: Annotated[int, Meta(ge=1, le=2**31)] = 1
    amount: Annotated[str, Meta(max_length=40)] = ""
    words: Annotated[str, Meta(max_length=120, pattern=STORABLE)] = ""


class AtDeposit(Input):
    """What becomes of a deposit that was recorded by hand."""

    sale_id: Annotated[str, Meta(max_length=64)]
    buyer_id: Annotated[str, Meta(max_length=64)]
    fate: Fate
    words: Annotated[str, Meta(max_length=120, pattern=STORABLE)] = ""


class FeePages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", FEES, self.show, "Fees for lots that were not paid", STAFF),
            Route("POST", FEES, self.act, "Collect one, or give it up", ACT),
            Route("POST", f"{FEES}/deposits", self.deposit, "What becomes of a deposit", ACT),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/fees."""
        return show(
            request,
            "fees.html",
            owed=await self._room.after.fees.owed(),
            deposits=await self._room.after.hand_deposits.waiting(),
            me=signed_in(request).person_id,
            now_us=self._room.now_us(),
        )

    async def deposit(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/fees/deposits."""
        form = await form_of(request, AtDeposit)
        if form.valid is None:
            raise INVALID("Choose a deposit.")
        given = form.valid
        work = self._room.after.hand_deposits.decide(
            actor_of(request),
            SaleId(given.sale_id),
            BidderId(given.buyer_id),
            given.fate,
            given.words,
        )
        return await done(work, FEES, "It is decided.")

    async def act(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/fees."""
        form = await form_of(request, AtFee)
        if form.valid is None:
            raise INVALID("Choose a fee.")
        given, by = form.valid, actor_of(request)
        desk, charges = self._room.after.fees, self._room.charges
        match given.what:
            case "card":
                asked = charges.pay_by_card(given.charge_id, by)
                return await done(asked, FEES, "The card is asked. Look again in a moment.")
            case "paid":
                return await self._paid(given, by)
            case "give_up":
                if len(given.words.strip()) < 3:
                    return see_other(FEES, "Say why it is given up.", FlashKind.ERROR)
                work = desk.ask_write_off(by, given.charge_id, given.version, given.words)
                return await done(work, FEES, "Another person is asked.")
            case "agree":
                agreed = desk.decide(by, given.charge_id, agrees=True)
                return await done(agreed, FEES, "It need not be paid any more.")
            case _:
                refused = desk.decide(by, given.charge_id, agrees=False)
                return await done(refused, FEES, "It stays to be paid.")

    async def _paid(self, given: AtFee, by: Any) -> web.StreamResponse:
        charge = await self._room.charges.charge(given.charge_id)
        try:
            amount_minor = parse_typed(given.amount, charge.currency)
        except NotMoney as error:
            return see_other(FEES, str(error), FlashKind.ERROR)
        if len(given.words.strip()) < 3:
            return see_other(FEES, "Say how it was paid.", FlashKind.ERROR)
        work = self._room.charges.record_payment(
            given.charge_id, given.version, amount_minor, given.words, by
        )
        return await done(work, FEES, "The payment is written down.")
