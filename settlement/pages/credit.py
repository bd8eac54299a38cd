"""Buyers' credit, as staff see to it: who has some, and paying it back by two people."""

from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from auction.amounts import NotMoney, parse_typed
from auction.ids import BidderId
from auction.terms import STORABLE
from foundation.http.forms import form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import ACT, STAFF
from settlement.pages.doing import done
from settlement.pages.room import HOME, show
from settlement.room import Settlement

CREDIT: Final = f"{HOME}/credit"


class AtCredit(Input):
    """What is done about a buyer's credit."""

    what: Annotated[str, Meta(pattern=r"\A(ask|agree|disagree|sent)\Z")]
    number: Annotated[int, Meta(ge=1, le=2**62)] = 1
    buyer_id: Annotated[str, Meta(max_length=64)] = ""
    currency: Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")] = "USD"
    amount: Annotated[str, Meta(max_length=40)] = ""
    words: Annotated[str, Meta(max_length=120, pattern=STORABLE)] = ""


class CreditPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", CREDIT, self.show, "Buyers' credit", STAFF),
            Route("POST", CREDIT, self.act, "Pay it back", ACT),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/credit."""
        credit = self._room.payouts.credit
        return show(
            request,
            "credit.html",
            holders=await credit.holders(),
            payouts=await credit.payouts(),
            me=signed_in(request).person_id,
        )

    async def act(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/credit."""
        form = await form_of(request, AtCredit)
        if form.valid is None:
            raise INVALID("Say what is to be done.")
        given, by, credit = form.valid, actor_of(request), self._room.payouts.credit
        match given.what:
            case "ask":
                try:
                    minor = parse_typed(given.amount, given.currency)
                except (NotMoney, KeyError) as fault:
                    return see_other(CREDIT, str(fault), FlashKind.ERROR)
                buyer_id = BidderId(given.buyer_id)
                work: Any = credit.ask(by, buyer_id, given.currency, minor, given.words)
                said = "Asked for: another person decides."
            case "sent":
                work = credit.sent_by_bank(by, given.number, given.words)
                said = "It is written down."
            case _:
                agrees = given.what == "agree"
                work = credit.decide(by, given.number, agrees=agrees)
                said = "It is on its way back." if agrees else "It is not paid back."
        return await done(work, CREDIT, said)
