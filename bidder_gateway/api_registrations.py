"""A reseller's place in a sale over HTTP: registration, limits, budgets."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.guard import signed_in
from accounts.permissions import Access, Action
from auction.ids import ASaleId
from auction.money import Minor
from bidder_gateway.api_common import SALE, V1, kinds, problem_of, sale_of
from bidder_gateway.own_budgets import BudgetsAsked, BudgetsPage, OwnBudgets
from bidder_gateway.own_limits import Limits, OwnLimits
from bidder_gateway.refusals import Refusal, Refused
from bidder_gateway.registrations import (
    Accepted,
    RegistrationPage,
    Registrations,
    RegistrationSummary,
)
from foundation.http.answers import answer
from foundation.http.client_address import client_address
from foundation.http.cursors import Listing, Paging
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route

_REGISTER: Final = Access(Action.REGISTER_FOR_SALE)
_LOOK: Final = Access(Action.VIEW_BIDS)
_BUDGETS: Final = Access(Action.SET_BUDGETS)


class PartAsked(Input):
    """A sale's part of the whole limit."""

    sale_id: ASaleId
    share_minor: Minor


class Division(Input):
    """How the whole limit is to be shared out; sales that are not named keep their parts."""

    parts: Annotated[tuple[PartAsked, ...], Meta(min_length=1, max_length=200)]


class RegistrationsApi:
    """Handlers."""

    def __init__(
        self, registrations: Registrations, limits: OwnLimits, budgets: OwnBudgets
    ) -> None:
        self._registrations, self._limits, self._budgets = registrations, limits, budgets

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route(
                "GET",
                f"{V1}/registrations",
                self.registrations,
                "Your registrations, the latest first",
                _LOOK,
                query=Paging,
                answer=Listing[RegistrationSummary],
                problems=(INVALID,),
            ),
            Route(
                "GET",
                f"{SALE}/registration",
                self.registration,
                "How you stand in a sale",
                _LOOK,
                answer=RegistrationPage,
                problems=(NOT_FOUND,),
            ),
            Route(
                "PUT",
                f"{SALE}/registration",
                self.register,
                "Register for a sale, or accept more of its restrictions",
                _REGISTER,
                body=Accepted,
                answer=RegistrationPage,
                problems=kinds(
                    Refusal.NOT_FOUND,
                    Refusal.NOT_APPROVED,
                    Refusal.SALE_CLOSED,
                    Refusal.OTHER_TERMS,
                    Refusal.RESTRICTION_UNKNOWN,
                    Refusal.NO_WHOLE_LIMIT,
                    Refusal.OVER_WHOLE_LIMIT,
                ),
            ),
            Route(
                "GET",
                f"{V1}/limit",
                self.limit,
                "Your limit over all sales, and how it is shared out",
                _LOOK,
                answer=Limits,
                problems=(NOT_FOUND,),
            ),
            Route(
                "PUT",
                f"{V1}/limit",
                self.divide,
                "Share your limit out over your sales",
                _BUDGETS,
                body=Division,
                answer=Limits,
                problems=kinds(
                    Refusal.NOT_FOUND,
                    Refusal.NO_WHOLE_LIMIT,
                    Refusal.NOT_REGISTERED,
                    Refusal.OVER_WHOLE_LIMIT,
                ),
            ),
            Route(
                "GET",
                f"{SALE}/budgets",
                self.budgets,
                "Your budgets in a sale, and what they have come to",
                _LOOK,
                answer=BudgetsPage,
                problems=(NOT_FOUND,),
            ),
            Route(
                "PUT",
                f"{SALE}/budgets",
                self.set_budgets,
                "Set your budgets in a sale, in place of those before",
                _BUDGETS,
                body=BudgetsAsked,
                answer=BudgetsPage,
                problems=kinds(
                    Refusal.NOT_FOUND,
                    Refusal.NOT_REGISTERED,
                    Refusal.SALE_CLOSED,
                    Refusal.BUDGETS_UNUSABLE,
                ),
            ),
        ]

    async def registrations(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/registrations."""
        organisation_id, paging = signed_in(request).organisation_id, query_of(request, Paging)
        return answer(request, await self._registrations.all_of(organisation_id, paging))

    async def registration(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/registration."""
        organisation_id = signed_in(request).organisation_id
        page = await self._registrations.of_sale(organisation_id, sale_of(request))
        if page is None:
            raise NOT_FOUND()
        return answer(request, page)

    async def register(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/sales/{sale_id}/registration."""
        sale_id, accepted = sale_of(request), await body_of(request, Accepted)
        identity, address = signed_in(request), client_address(request)
        try:
            page = await self._registrations.register(identity, sale_id, accepted, address)
        except Refused as refused:
            raise problem_of(refused) from None
        return answer(request, page)

    async def limit(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/limit."""
        try:
            return answer(request, await self._limits.of(signed_in(request).organisation_id))
        except Refused as refused:
            raise problem_of(refused) from None

    async def divide(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/limit."""
        division = await body_of(request, Division)
        shares = {part.sale_id: part.share_minor for part in division.parts}
        if len(shares) < len(division.parts):
            raise INVALID("A sale is named twice.", place="/parts")
        try:
            limits = await self._limits.divide(signed_in(request), shares, client_address(request))
        except Refused as refused:
            raise problem_of(refused) from None
        return answer(request, limits)

    async def budgets(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/budgets."""
        organisation_id = signed_in(request).organisation_id
        page = await self._budgets.of_sale(organisation_id, sale_of(request))
        if page is None:
            raise NOT_FOUND()
        return answer(request, page)

    async def set_budgets(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/sales/{sale_id}/budgets."""
        sale_id, asked = sale_of(request), await body_of(request, BudgetsAsked)
        identity, address = signed_in(request), client_address(request)
        try:
            page = await self._budgets.set(identity, sale_id, asked, address)
        except Refused as refused:
            raise problem_of(refused) from None
        return answer(request, page)
