"""The API of what follows a default: sellers' consents, buyers' offers, and cancellations."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from accounts.permissions import Access, Action
from auction.ids import BidderId, LiquidatorId
from auction.terms import STORABLE
from foundation.http.answers import answer
from foundation.http.cursors import Listing, Paging
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from settlement.access import ACT, EARNINGS, PAY, PURCHASES, award_of, number_of, own_organisation
from settlement.after_default.answering import ConsentPage, OfferPage
from settlement.after_default.cancelling import MAX_REASON
from settlement.after_default.room import AfterDefault
from settlement.after_default.words import AfterRefusal
from settlement.api_common import row
from settlement.api_refusals import BOOKING
from settlement.ids import AwardId

# Who runs its sales answers for the seller, and takes back what it sold.
SELL = Access(Action.RUN_SALE)

ANSWERING: Final = (AfterRefusal.ANSWERED_OTHERWISE, AfterRefusal.TOO_LATE, *BOOKING)
CANCELLING: Final = (
    AfterRefusal.HANDED_OVER,
    AfterRefusal.ENDED,
    AfterRefusal.PAYMENT_UNDER_WAY,
    AfterRefusal.DISPUTED,
    AfterRefusal.REASON_NEEDED,
    AfterRefusal.NO_POLICY,
    *BOOKING,
)

Why = Annotated[str, Meta(min_length=1, max_length=MAX_REASON, pattern=STORABLE)]


class AskedQuery(Paging):
    """``waiting``: only what waits for an answer, or only what has one."""

    waiting: bool | None = None


class ConsentAnswer(Input):
    """Whether the lot may go to the next bidder."""

    consents: bool


class OfferAnswer(Input):
    """Whether the buyer takes the lot."""

    accepted: bool


class CancellationAsked(Input):
    """Why it is taken back, as buyer and seller read it."""

    reason: Why


class Answered(Struct, frozen=True, kw_only=True):
    """The answer that stands."""

    award_id: AwardId
    turn: int
    price_minor: int
    answer: bool
    answered_at_us: int


class CancelledAward(Struct, frozen=True, kw_only=True):
    """``credit_minor``: what the buyer need not pay, or gets back; ``fee_minor``: the seller's."""

    award_id: AwardId
    credit_minor: int
    fee_minor: int


class AfterDefaultApi:
    """Handlers."""

    def __init__(self, after: AfterDefault) -> None:
        self._after = after

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            row(
                "GET",
                "/consents",
                self.consents,
                "What a seller is asked after a default, the latest first",
                EARNINGS,
                query=AskedQuery,
                answer=Listing[ConsentPage],
            ),
            row(
                "POST",
                "/consents/{award_id}/{turn}",
                self.consent,
                "Whether the lot may go to the next bidder; the same again changes nothing",
                SELL,
                *ANSWERING,
                body=ConsentAnswer,
                answer=Answered,
            ),
            row(
                "GET",
                "/offers",
                self.offers,
                "Lots that a buyer is offered after another's default, the latest first",
                PURCHASES,
                query=AskedQuery,
                answer=Listing[OfferPage],
            ),
            row(
                "POST",
                "/offers/{award_id}/{turn}",
                self.offer,
                "Take the lot or not; the same again changes nothing",
                PAY,
                *ANSWERING,
                body=OfferAnswer,
                answer=Answered,
            ),
            row(
                "POST",
                "/awards/{award_id}/cancellation",
                self.cancel,
                "The seller takes a lot back after the hammer, for a fee",
                SELL,
                *CANCELLING,
                body=CancellationAsked,
                answer=CancelledAward,
            ),
            row(
                "POST",
                "/awards/{award_id}/recall",
                self.recall,
                "The house takes a lot back after the hammer; nobody pays a fee",
                ACT,
                *CANCELLING,
                body=CancellationAsked,
                answer=CancelledAward,
            ),
        ]

    async def consents(self, request: web.Request) -> web.StreamResponse:
        """GET .../consents."""
        query, seller = query_of(request, AskedQuery), LiquidatorId(own_organisation(request))
        return answer(request, await self._after.answering.consents(seller, query, query.waiting))

    async def consent(self, request: web.Request) -> web.StreamResponse:
        """POST .../consents/{award_id}/{turn}."""
        given = await body_of(request, ConsentAnswer)
        asked = await self._after.answering.answer_consent(
            LiquidatorId(own_organisation(request)),
            award_of(request),
            number_of(request, "turn"),
            consents=given.consents,
            actor=actor_of(request),
        )
        assert asked.consents is not None and asked.answered_at_us is not None, "it is answered"
        return answer(
            request,
            Answered(
                award_id=asked.award_id,
                turn=asked.turn,
                price_minor=asked.price_minor,
                answer=asked.consents,
                answered_at_us=asked.answered_at_us,
            ),
        )

    async def offers(self, request: web.Request) -> web.StreamResponse:
        """GET .../offers."""
        query, buyer = query_of(request, AskedQuery), BidderId(own_organisation(request))
        return answer(request, await self._after.answering.offers(buyer, query, query.waiting))

    async def offer(self, request: web.Request) -> web.StreamResponse:
        """POST .../offers/{award_id}/{turn}."""
        given = await body_of(request, OfferAnswer)
        made = await self._after.answering.answer_offer(
            BidderId(own_organisation(request)),
            award_of(request),
            number_of(request, "turn"),
            accepted=given.accepted,
            actor=actor_of(request),
        )
        assert made.accepted is not None and made.answered_at_us is not None, "it is answered"
        return answer(
            request,
            Answered(
                award_id=made.award_id,
                turn=made.turn,
                price_minor=made.price_minor,
                answer=made.accepted,
                answered_at_us=made.answered_at_us,
            ),
        )

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """POST .../awards/{award_id}/cancellation."""
        given = await body_of(request, CancellationAsked)
        award_id, seller = award_of(request), LiquidatorId(own_organisation(request))
        by = actor_of(request)
        what = await self._after.cancelling.by_seller(seller, award_id, given.reason, by)
        credit_minor, fee_minor = what.credit.total_minor, what.fee_minor
        done = CancelledAward(award_id=award_id, credit_minor=credit_minor, fee_minor=fee_minor)
        return answer(request, done)

    async def recall(self, request: web.Request) -> web.StreamResponse:
        """POST .../awards/{award_id}/recall."""
        given = await body_of(request, CancellationAsked)
        award_id, by = award_of(request), actor_of(request)
        what = await self._after.cancelling.by_house(award_id, given.reason, by)
        credit_minor, fee_minor = what.credit.total_minor, what.fee_minor
        done = CancelledAward(award_id=award_id, credit_minor=credit_minor, fee_minor=fee_minor)
        return answer(request, done)
