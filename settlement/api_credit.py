"""The API of buyers' credit: who has some, and paying it back by two people."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from auction.ids import BidderId
from auction.money import MAX_MINOR
from auction.terms import STORABLE
from foundation.http.answers import answer, created
from foundation.http.reading import Input, body_of
from foundation.http.routes import Handler, Route
from settlement.access import ACT, STAFF, number_of
from settlement.api_common import SETTLEMENT, row
from settlement.api_refusals import BOOKING
from settlement.payouts.credit_payouts import CreditHolder, CreditPayouts
from settlement.payouts.credit_tables import CreditPayout
from settlement.payouts.words import PayoutRefusal as R

PATH: Final = "/credit-payouts"


class AskedCreditPayout(Input):
    """What is to be paid back, and why."""

    buyer_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=STORABLE)]
    currency: Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
    amount_minor: Annotated[int, Meta(ge=1, le=MAX_MINOR)]
    why: Annotated[str, Meta(min_length=1, max_length=500, pattern=STORABLE)]


class SentByBank(Input):
    """How the bank's statement names it."""

    reference: Annotated[str, Meta(min_length=3, max_length=120, pattern=STORABLE)]


class CreditSeen(Struct, frozen=True):
    """Buyers with credit, the most first; and payouts, those first that are not over."""

    holders: Sequence[CreditHolder]
    payouts: Sequence[CreditPayout]


class CreditApi:
    """Handlers."""

    def __init__(self, credit: CreditPayouts) -> None:
        self._credit = credit

    def routes(self) -> list[Route]:
        """Their rows."""
        one = f"{PATH}/{{number}}"
        return [
            row("GET", PATH, self.credit_payouts, "Buyers' credit, and what is paid back", STAFF,
                answer=CreditSeen),
            row("POST", PATH, self.ask_credit_payout, "Ask to pay credit back", ACT,
                R.NOT_FOUND, R.TOO_MUCH, R.BAD_DETAILS,
                body=AskedCreditPayout, answer=CreditPayout, status=201),
            _act(f"{one}/agreement", self.agree_credit_payout, "Agree, as another person",
                 R.NOT_WAITING, R.SAME_PERSON, R.TOO_MUCH, *BOOKING),
            _act(f"{one}/refusal", self.refuse_credit_payout, "It is not paid back", R.NOT_WAITING),
            _act(f"{one}/bank-transfer", self.sent_by_bank, "The bank has sent the rest",
                 R.NOT_WAITING, R.BAD_DETAILS, *BOOKING, body=SentByBank),
        ]  # fmt: skip

    async def credit_payouts(self, request: web.Request) -> web.StreamResponse:
        """GET .../credit-payouts."""
        seen = CreditSeen(await self._credit.holders(), await self._credit.payouts())
        return answer(request, seen)

    async def ask_credit_payout(self, request: web.Request) -> web.StreamResponse:
        """POST .../credit-payouts."""
        given = await body_of(request, AskedCreditPayout)
        made = await self._credit.ask(
            actor_of(request),
            BidderId(given.buyer_id),
            given.currency,
            given.amount_minor,
            given.why,
        )
        return created(request, made, f"{SETTLEMENT}{PATH}")

    async def agree_credit_payout(self, request: web.Request) -> web.StreamResponse:
        """POST .../credit-payouts/{number}/agreement: by another person than who asked."""
        number = number_of(request, "number")
        return answer(request, await self._credit.decide(actor_of(request), number, agrees=True))

    async def refuse_credit_payout(self, request: web.Request) -> web.StreamResponse:
        """POST .../credit-payouts/{number}/refusal."""
        number = number_of(request, "number")
        return answer(request, await self._credit.decide(actor_of(request), number, agrees=False))

    async def sent_by_bank(self, request: web.Request) -> web.StreamResponse:
        """POST .../credit-payouts/{number}/bank-transfer."""
        given, number = await body_of(request, SentByBank), number_of(request, "number")
        sent = await self._credit.sent_by_bank(actor_of(request), number, given.reference)
        return answer(request, sent)


def _act(path: str, handler: Handler, summary: str, *refusals: Any, **more: Any) -> Route:
    return row("POST", path, handler, summary, ACT, *refusals, answer=CreditPayout, **more)
