"""What sellers and consignors get: what is owed and was paid, statements, where payouts go.

And what sellers are asked after a default, and how a sale is taken back.
"""

from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from accounts.http.guard import can, signed_in
from accounts.identity import Identity, OrganisationKind
from accounts.ids import OrganisationId
from accounts.permissions import Action
from auction.desk.access import RUN
from auction.ids import LiquidatorId
from auction.terms import STORABLE
from foundation.database import acquire
from foundation.http.cursors import Paging
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID, NOT_FOUND, Problem
from foundation.http.reading import Input
from foundation.http.routes import Route
from foundation.refusals import RefusedBecause
from settlement.access import EARNINGS, PAYEE, award_of, joined_of
from settlement.ids import AwardId
from settlement.lives import AwardState
from settlement.operations import Refused, Unknown
from settlement.pages.doing import PROVIDER_AWAY, done, sentence, told
from settlement.pages.room import EARNINGS as HOME
from settlement.pages.room import show
from settlement.papers.listing import (
    Offered,
    advices_of,
    statements_of_consignor,
    statements_of_liquidator,
)
from settlement.payouts.payee_rows import BankDetails
from settlement.payouts.words import Way
from settlement.policy_table import policy_at
from settlement.room import Settlement

PAYEES: Final = f"{HOME}/payees"
SOLD: Final = f"{HOME}/sold"

_Text = Annotated[str, Meta(max_length=500, pattern=STORABLE)]
# What a seller can still take back, for a fee.
CANCELLABLE: Final = frozenset({AwardState.AWARDED, AwardState.INVOICED, AwardState.FUNDED})


class Banking(Input):
    """A bank account as it is entered."""

    holder: Annotated[str, Meta(min_length=2, max_length=100, pattern=STORABLE)]
    routing: Annotated[str, Meta(min_length=1, max_length=20)]
    account: Annotated[str, Meta(min_length=4, max_length=60)]
    version: Annotated[int, Meta(ge=0, le=2**31)]
    country: Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")] = "US"
    is_savings: bool = False
    is_person: bool = False


class AtPayee(Input):
    """What else a payee does."""

    what: Annotated[str, Meta(pattern=r"\A(connect|onboard|refresh|choose)\Z")]
    email: Annotated[str, Meta(max_length=254)] = ""
    way: Way | None = None
    version: Annotated[int, Meta(ge=0, le=2**31)] = 0


class Consenting(Input):
    """A seller's answer."""

    award_id: Annotated[str, Meta(max_length=200)]
    turn: Annotated[int, Meta(ge=1, le=1_000)]
    answer: Annotated[str, Meta(pattern=r"\A(yes|no)\Z")]


class Cancelling(Input):
    """Why a sale is taken back."""

    reason: Annotated[str, Meta(min_length=3, max_length=500, pattern=STORABLE)]
    sure: bool = False


class EarningPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        payee = f"{PAYEES}/{{payee_id}}"
        cancel = f"{SOLD}/{{award_id}}/cancel"
        return [
            Route("GET", HOME, self.show, "What you get", EARNINGS),
            Route("GET", SOLD, self.sold, "What you sold, and how far it is", EARNINGS),
            Route("GET", f"{HOME}/consents", self.consents, "What you are asked", EARNINGS),
            Route("POST", f"{HOME}/consents", self.consent, "Answer", RUN),
            Route("GET", cancel, told(self.cancelling), "Take a sale back", RUN),
            Route("POST", cancel, self.cancel, "Take it back", RUN),
            Route("GET", payee, told(self.payee), "Where payouts go", EARNINGS),
            Route("POST", payee, self.set_bank, "Pay to this bank account", PAYEE),
            Route("POST", f"{payee}/account", self.at_payee, "Stripe's account", PAYEE),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /earnings."""
        identity = signed_in(request)
        payees = await self._room.payouts.payees.of_organisation(identity.organisation_id)
        offered: list[Offered] = []
        async with acquire(self._room.pool) as connection:
            if _sells(identity):
                offered += await statements_of_liquidator(connection, identity.organisation_id)
            for payee_id in payees:
                if payee_id != identity.organisation_id:
                    offered += await statements_of_consignor(connection, payee_id)
                offered += await advices_of(connection, payee_id)
        return show(
            request,
            "earnings.html",
            sells=_sells(identity),
            payees=[await self._room.payouts.payees.read(one) for one in payees],
            owed=await self._room.payouts.payments.owed(payees) if payees else [],
            made=await self._room.payouts.payments.made(payees) if payees else [],
            papers=offered,
        )

    async def sold(self, request: web.Request) -> web.StreamResponse:
        """GET /earnings/sold: a liquidator's lots, or a consignor's."""
        identity = signed_in(request)
        paging = Paging(limit=50, cursor=request.query.get("cursor"))
        try:
            found = await self._awards(identity, paging)
        except Problem:
            paging.cursor = None
            found = await self._awards(identity, paging)
        return show(
            request,
            "sold.html",
            sells=_sells(identity),
            found=found.items,
            cancellable=CANCELLABLE if _runs(request) else frozenset(),
            next_href=f"{SOLD}?cursor={found.next_cursor}" if found.next_cursor else "",
            first_href=SOLD if paging.cursor else "",
        )

    async def consents(self, request: web.Request) -> web.StreamResponse:
        """GET /earnings/consents."""
        identity = signed_in(request)
        if not _sells(identity):
            raise NOT_FOUND()
        seller = LiquidatorId(identity.organisation_id)
        found = await self._room.after.answering.consents(seller, Paging(limit=100))
        return show(
            request,
            "consents.html",
            sells=True,
            items=found.items,
            runs=_runs(request),
            now_us=self._room.now_us(),
        )

    async def consent(self, request: web.Request) -> web.StreamResponse:
        """POST /earnings/consents."""
        form = await form_of(request, Consenting)
        if form.valid is None:
            raise INVALID("Answer yes or no.")
        given = form.valid
        yes = given.answer == "yes"
        work = self._room.after.answering.answer_consent(
            LiquidatorId(signed_in(request).organisation_id),
            AwardId(given.award_id),
            given.turn,
            consents=yes,
            actor=actor_of(request),
        )
        said = "The next bidder is asked now." if yes else "The lot stays yours."
        return await done(work, f"{HOME}/consents", said)

    async def cancelling(self, request: web.Request) -> web.StreamResponse:
        """GET /earnings/sold/{award_id}/cancel."""
        return await self._cancel_page(request, blank())

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """POST /earnings/sold/{award_id}/cancel."""
        form = await form_of(request, Cancelling)
        award_id = award_of(request)
        if form.valid is None:
            return await self._cancel_page(request, form, 422)
        given = form.valid
        if not given.sure:
            form = form.refused("sure", "Say that you have read what it costs.")
            return await self._cancel_page(request, form, 422)
        seller = LiquidatorId(signed_in(request).organisation_id)
        try:
            what = await self._room.after.cancelling.by_seller(
                seller, award_id, given.reason, actor_of(request)
            )
        except RefusedBecause as refused:
            if refused.refusal == "NOT_FOUND":
                raise NOT_FOUND() from None
            form = form.refused("", sentence(refused.message))
            return await self._cancel_page(request, form, 409)
        fee = " The fee is kept back from your next payout." if what.fee_minor else ""
        return see_other(SOLD, f"The sale of this lot is taken back; the buyer is told.{fee}")

    async def payee(self, request: web.Request) -> web.StreamResponse:
        """GET /earnings/payees/{payee_id}."""
        return await self._payee_page(request, await self._own(request), blank(country="US"))

    async def set_bank(self, request: web.Request) -> web.StreamResponse:
        """POST /earnings/payees/{payee_id}."""
        form = await form_of(request, Banking)
        payee_id = await self._own(request)
        if form.valid is None:
            return await self._payee_page(request, payee_id, _masked(form), 422)
        given = form.valid
        details = BankDetails(
            holder=given.holder,
            is_company=not given.is_person,
            country=given.country,
            routing=given.routing,
            account=given.account,
            is_savings=given.is_savings,
        )
        try:
            await self._room.payouts.payees.set_bank(
                actor_of(request), payee_id, details, version=given.version
            )
        except RefusedBecause as refused:
            field = refused.field if refused.field in form.values else ""
            form = _masked(form).refused(field, sentence(refused.message))
            return await self._payee_page(request, payee_id, form, 422)
        said = "Kept. For 48 hours nothing is sent there, and everybody of your team is told."
        return see_other(f"{PAYEES}/{payee_id}", said)

    async def at_payee(self, request: web.Request) -> web.StreamResponse:
        """POST /earnings/payees/{payee_id}/account."""
        form = await form_of(request, AtPayee)
        payee_id = await self._own(request)
        place = f"{PAYEES}/{payee_id}"
        if form.valid is None:
            raise INVALID("Say what is to be done.")
        given, by, payouts = form.valid, actor_of(request), self._room.payouts
        if given.what == "onboard":
            here = f"{self._room.shown.public_url}{place}"
            try:
                link = await payouts.onboarding.link(
                    payee_id, return_url=f"{here}?back=1", refresh_url=here
                )
            except (Unknown, Refused, RefusedBecause):
                return see_other(place, PROVIDER_AWAY, FlashKind.WARNING)
            why = "It asks who you are and where money is sent. The link works once, for minutes."
            return show(request, "onward.html", url=link.url, to="Stripe", why=why)
        work: Any
        match given.what:
            case "connect":
                work = payouts.payees.connect(by, payee_id, email=given.email)
                said = "An account at Stripe is being made. Come back in a moment to complete it."
            case "refresh":
                work, said = payouts.onboarding.refresh(payee_id), "Read again."
            case _:
                if given.way is None:
                    raise INVALID("Choose how.")
                work = payouts.payees.choose(by, payee_id, given.way, given.version)
                said = "From now on you are paid this way."
        return await done(work, place, said)

    async def _awards(self, identity: Identity, paging: Paging) -> Any:
        lists = self._room.lists
        if _sells(identity):
            return await lists.awards_of("liquidator_id", identity.organisation_id, paging)
        payees = await self._room.payouts.payees.of_organisation(identity.organisation_id)
        own = payees[0] if payees else identity.organisation_id
        return await lists.awards_of("consignor_id", own, paging)

    async def _cancel_page(
        self, request: web.Request, form: Form[Any], status: int = 200
    ) -> web.StreamResponse:
        award_id = award_of(request)
        seller = await self._room.stories.liquidator_of_award(award_id)
        if seller != signed_in(request).organisation_id:
            raise NOT_FOUND()
        story = await self._room.stories.of_award(award_id)
        assert story.award is not None
        return show(
            request,
            "cancel.html",
            status=status,
            sells=True,
            form=form,
            award=story.award,
            policy=await self._policy(story.award.currency),
        )

    async def _policy(self, currency: str) -> Any:
        async with acquire(self._room.pool) as connection:
            return await policy_at(connection, currency, self._room.now_us())

    async def _own(self, request: web.Request) -> str:
        payee_id, identity = joined_of(request, "payee_id"), signed_in(request)
        own = await self._room.payouts.payees.of_organisation(identity.organisation_id)
        if payee_id not in own:
            raise NOT_FOUND()
        return payee_id

    async def _payee_page(
        self, request: web.Request, payee_id: str, form: Form[Any], status: int = 200
    ) -> web.StreamResponse:
        identity = signed_in(request)
        organisation = OrganisationId(identity.organisation_id)
        return show(
            request,
            "payee.html",
            status=status,
            sells=_sells(identity),
            payee=await self._room.payouts.payees.read(payee_id),
            form=form,
            sets=can(request, Action.SET_PAYEE, organisation),
            now_us=self._room.now_us(),
        )


def _masked(form: Form[Any]) -> Form[Any]:
    """The form without the account's number, which is not repeated on a page."""
    return Form({**form.values, "account": ""}, form.errors)


def _sells(identity: Identity) -> bool:
    return identity.organisation_kind is OrganisationKind.LIQUIDATOR


def _runs(request: web.Request) -> bool:
    return can(request, Action.RUN_SALE, OrganisationId(signed_in(request).organisation_id))
