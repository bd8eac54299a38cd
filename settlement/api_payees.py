"""The API of where payouts go: payees see to their own, staff look and confirm."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from accounts.permissions import Access
from auction.terms import STORABLE
from foundation.http.answers import answer
from foundation.http.problems import NOT_FOUND, ProblemKind
from foundation.http.reading import Input, body_of
from foundation.http.routes import Handler, Route
from settlement.access import ACT, EARNINGS, PAYEE, STAFF, joined_of, number_of
from settlement.api_common import PROVIDER_REFUSED, row
from settlement.payment_objects import AccountLink
from settlement.payouts.payee_rows import BankDetails, Holder, PayeeShown
from settlement.payouts.room import PayoutRoom
from settlement.payouts.words import PayoutRefusal as R
from settlement.payouts.words import Way

# A payee that was never looked at by its people has no version yet.
_Version = Annotated[int, Meta(ge=0, le=2**31)]
_Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]

SECOND: Final = (R.CHANGED_MEANWHILE, R.NOT_WAITING, R.SAME_PERSON)


class GivenBank(Input):
    """A bank account: in the United States a routing and an account number, elsewhere a BIC and an
    IBAN. It is kept where few may read, and only its last four digits are ever told."""

    version: _Version
    holder: Holder
    routing: Annotated[str, Meta(min_length=1, max_length=20, pattern=STORABLE)]
    account: Annotated[str, Meta(min_length=4, max_length=60, pattern=STORABLE)]
    is_company: bool = True
    country: _Country = "US"
    is_savings: bool = False

    def __repr__(self) -> str:
        return f"GivenBank({self.country}, ...)"


class Connecting(Input):
    """Whom Stripe asks, and where the payee is at home."""

    email: Annotated[str, Meta(min_length=3, max_length=254, pattern=STORABLE)]
    country: _Country = "US"


class ChosenWay(Input):
    """By which of its ways a payee is paid."""

    version: _Version
    way: Way


class PayeesSeen(Struct, frozen=True):
    """Payees."""

    items: Sequence[PayeeShown]


class PayeesApi:
    """Handlers. ``page_of``: where a payee's people are when they come back from Stripe."""

    def __init__(self, payouts: PayoutRoom, page_of: Callable[[str], str]) -> None:
        self._payouts, self._page_of = payouts, page_of

    def routes(self) -> list[Route]:
        """Their rows."""
        own, one = "/earnings/payees/{payee_id}", "/payees/{payee_id}"
        waiting = f"{one}/banks/{{number}}"
        return [
            _row("GET", "/earnings/payees", self.own_payees, "As whom you are paid", EARNINGS,
                 of=PayeesSeen),
            _row("GET", own, self.own_payee, "How you are paid", EARNINGS),
            _row("PUT", f"{own}/bank", self.set_own_bank, "Pay to this account", PAYEE,
                 R.CHANGED_MEANWHILE, R.BAD_ACCOUNT, body=GivenBank),
            _row("POST", f"{own}/account", self.connect, "Ask for an account at Stripe", PAYEE,
                 R.CHANGED_MEANWHILE, R.BAD_DETAILS, PROVIDER_REFUSED, body=Connecting),
            _row("POST", f"{own}/account/link", self.onboard, "Where Stripe asks you", PAYEE,
                 R.NOT_CONNECTED, PROVIDER_REFUSED, of=AccountLink),
            _row("POST", f"{own}/account/reading", self.refresh, "Read it again", PAYEE,
                 R.NOT_CONNECTED, PROVIDER_REFUSED),
            _row("POST", f"{own}/way", self.choose, "Be paid this way", PAYEE,
                 R.CHANGED_MEANWHILE, R.NOT_CONNECTED, R.NOT_NOW, body=ChosenWay),
            _row("GET", "/payees", self.payees, "Who is paid, and how", STAFF, of=PayeesSeen),
            _row("GET", one, self.payee, "How a payee is paid", STAFF),
            _row("PUT", f"{one}/bank", self.enter_bank, "Enter an account; another confirms it",
                 ACT, R.CHANGED_MEANWHILE, R.BAD_ACCOUNT, body=GivenBank),
            _row("POST", f"{waiting}/confirmation", self.confirm_bank, "It is the payee's", ACT,
                 *SECOND),
            _row("POST", f"{waiting}/refusal", self.refuse_bank, "It is not", ACT, *SECOND),
        ]  # fmt: skip

    async def own_payees(self, request: web.Request) -> web.StreamResponse:
        """GET .../earnings/payees."""
        own = await self._own_ids(request)
        return answer(request, PayeesSeen([await self._payouts.payees.read(one) for one in own]))

    async def own_payee(self, request: web.Request) -> web.StreamResponse:
        """GET .../earnings/payees/{payee_id}."""
        return await self._shown(request, await self._own(request))

    async def set_own_bank(self, request: web.Request) -> web.StreamResponse:
        """PUT .../earnings/payees/{payee_id}/bank: frozen for a time, and announced."""
        given, payee_id = await body_of(request, GivenBank), await self._own(request)
        shown = await self._payouts.payees.set_bank(
            actor_of(request), payee_id, _details(given), version=given.version
        )
        return answer(request, shown)

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """POST .../earnings/payees/{payee_id}/account: while there is one, it changes nothing."""
        given, payee_id = await body_of(request, Connecting), await self._own(request)
        shown = await self._payouts.payees.connect(
            actor_of(request), payee_id, email=given.email, country=given.country
        )
        return answer(request, shown)

    async def onboard(self, request: web.Request) -> web.StreamResponse:
        """POST .../account/link: it works once, for minutes."""
        payee_id = await self._own(request)
        here = self._page_of(payee_id)
        link = await self._payouts.onboarding.link(
            payee_id, return_url=f"{here}?back=1", refresh_url=here
        )
        return answer(request, link)

    async def refresh(self, request: web.Request) -> web.StreamResponse:
        """POST .../account/reading."""
        payee_id = await self._own(request)
        await self._payouts.onboarding.refresh(payee_id)
        return await self._shown(request, payee_id)

    async def choose(self, request: web.Request) -> web.StreamResponse:
        """POST .../earnings/payees/{payee_id}/way."""
        given, payee_id = await body_of(request, ChosenWay), await self._own(request)
        by = actor_of(request)
        shown = await self._payouts.payees.choose(by, payee_id, given.way, given.version)
        return answer(request, shown)

    async def payees(self, request: web.Request) -> web.StreamResponse:
        """GET .../payees: those of whom there is something to see."""
        return answer(request, PayeesSeen(await self._payouts.payees.all()))

    async def payee(self, request: web.Request) -> web.StreamResponse:
        """GET .../payees/{payee_id}."""
        return await self._shown(request, joined_of(request, "payee_id"))

    async def enter_bank(self, request: web.Request) -> web.StreamResponse:
        """PUT .../payees/{payee_id}/bank: nothing is sent there before another confirms it."""
        given, payee_id = await body_of(request, GivenBank), joined_of(request, "payee_id")
        shown = await self._payouts.payees.set_bank(
            actor_of(request), payee_id, _details(given), version=given.version, by_staff=True
        )
        return answer(request, shown)

    async def confirm_bank(self, request: web.Request) -> web.StreamResponse:
        """POST .../banks/{number}/confirmation: by another person than who entered it."""
        return await self._decide(request, agrees=True)

    async def refuse_bank(self, request: web.Request) -> web.StreamResponse:
        """POST .../banks/{number}/refusal."""
        return await self._decide(request, agrees=False)

    async def _decide(self, request: web.Request, *, agrees: bool) -> web.StreamResponse:
        payee_id, number = joined_of(request, "payee_id"), number_of(request, "number")
        shown = await self._payouts.payees.decide_bank(
            actor_of(request), payee_id, number, agrees=agrees
        )
        return answer(request, shown)

    async def _shown(self, request: web.Request, payee_id: str) -> web.StreamResponse:
        return answer(request, await self._payouts.payees.read(payee_id))

    async def _own_ids(self, request: web.Request) -> Sequence[str]:
        return await self._payouts.payees.of_organisation(signed_in(request).organisation_id)

    async def _own(self, request: web.Request) -> str:
        payee_id = joined_of(request, "payee_id")
        if payee_id not in await self._own_ids(request):
            raise NOT_FOUND()
        return payee_id


def _details(given: GivenBank) -> BankDetails:
    return BankDetails(
        holder=given.holder,
        is_company=given.is_company,
        country=given.country,
        routing=given.routing,
        account=given.account,
        is_savings=given.is_savings,
    )


def _row(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    access: Access,
    *refuses: StrEnum | ProblemKind,
    body: type[Struct] | None = None,
    of: Any = PayeeShown,
) -> Route:
    return row(method, path, handler, summary, access, *refuses, body=body, answer=of)
