"""What staff record about resellers in sales over HTTP: deposits, and limits in place of them."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of, word_of
from accounts.http.guard import require
from accounts.ids import OrganisationId
from accounts.permissions import Access, Action
from auction.ids import SaleId
from auction.money import Minor, PositiveMinor
from auction.terms import STORABLE
from bidder_gateway.api_common import V1, kinds, problem_of, sale_of
from bidder_gateway.deposits import Deposit, Deposits, DepositsQuery, RegisteredReseller
from bidder_gateway.own_limits import Limits, OwnLimits
from bidder_gateway.refusals import Refusal, Refused
from foundation.http.answers import answer, no_content
from foundation.http.cursors import Listing
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route

_DEPOSIT: Final = Access(Action.RECORD_DEPOSIT)
_LIMIT: Final = Access(Action.SET_LIMIT)

Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=STORABLE)]


class DepositAsked(Input):
    """Money that has come in. ``reason``: how it was paid, such as a bank's reference."""

    amount_minor: PositiveMinor
    currency: Annotated[str, Meta(min_length=3, max_length=3, pattern=STORABLE)]
    reason: Reason


class Correction(Input):
    """Why an entry is taken back."""

    reason: Reason


class SaleLimitAsked(Input):
    """A reseller's limit in a sale, in place of deposit x factor; null: not any more."""

    limit_minor: Minor | None
    reason: Reason


class SaleLimit(Struct, frozen=True, kw_only=True):
    """What staff set for a reseller in a sale; null: nothing."""

    organisation_id: OrganisationId
    sale_id: SaleId
    limit_minor: int | None


class StaffApi:
    """Handlers."""

    def __init__(self, deposits: Deposits, limits: OwnLimits) -> None:
        self._deposits, self._limits = deposits, limits

    def routes(self) -> list[Route]:
        """Their rows."""
        organisation = f"{V1}/organisations/{{organisation_id}}"
        deposits = f"{organisation}/sales/{{sale_id}}/deposits"
        limit = f"{organisation}/sales/{{sale_id}}/limit"
        return [
            Route(
                "GET",
                f"{V1}/deposits",
                self.registered,
                "Resellers in open sales with their deposits",
                _DEPOSIT,
                query=DepositsQuery,
                answer=Listing[RegisteredReseller],
                problems=(INVALID,),
            ),
            Route(
                "GET",
                deposits,
                self.deposits,
                "A reseller's deposit for a sale",
                _DEPOSIT,
                answer=Deposit,
                problems=(NOT_FOUND,),
            ),
            Route(
                "POST",
                deposits,
                self.record_deposit,
                "Record a deposit",
                _DEPOSIT,
                body=DepositAsked,
                answer=Deposit,
                status=201,
                problems=kinds(Refusal.NOT_FOUND, Refusal.OTHER_CURRENCY),
            ),
            Route(
                "POST",
                f"{V1}/deposits/{{entry_id}}/correction",
                self.correct_deposit,
                "Take an entry of a deposit back, by an entry against it",
                _DEPOSIT,
                body=Correction,
                answer=Deposit,
                status=201,
                problems=kinds(Refusal.NOT_FOUND, Refusal.CORRECTED_ALREADY),
            ),
            Route(
                "GET",
                f"{organisation}/limits",
                self.limits,
                "A reseller's limit over all sales, and how it is shared out",
                _LIMIT,
                answer=Limits,
                problems=(NOT_FOUND,),
            ),
            Route(
                "GET",
                limit,
                self.sale_limit,
                "What staff set for a reseller in a sale",
                _LIMIT,
                answer=SaleLimit,
                problems=(NOT_FOUND,),
            ),
            Route(
                "PUT",
                limit,
                self.set_sale_limit,
                "Set a reseller's limit in a sale",
                _LIMIT,
                body=SaleLimitAsked,
                status=204,
                problems=(NOT_FOUND,),
            ),
        ]

    async def registered(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/deposits."""
        query = query_of(request, DepositsQuery)
        return answer(request, await self._deposits.registered(query))

    async def deposits(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/organisations/{organisation_id}/sales/{sale_id}/deposits."""
        try:
            return answer(request, await self._deposits.of(*_key(request, Action.RECORD_DEPOSIT)))
        except Refused as refused:
            raise problem_of(refused) from None

    async def record_deposit(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/organisations/{organisation_id}/sales/{sale_id}/deposits."""
        key, asked = _key(request, Action.RECORD_DEPOSIT), await body_of(request, DepositAsked)
        amount_minor, currency, actor = asked.amount_minor, asked.currency, actor_of(request)
        try:
            deposit = await self._deposits.record(*key, amount_minor, currency, asked.reason, actor)
        except Refused as refused:
            raise problem_of(refused) from None
        return answer(request, deposit, status=201)

    async def correct_deposit(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/deposits/{entry_id}/correction."""
        entry_id, asked = word_of(request, "entry_id"), await body_of(request, Correction)
        owner = await self._deposits.owner_of(entry_id)
        if owner is None:
            raise NOT_FOUND()
        require(request, Action.RECORD_DEPOSIT, owner.organisation_id)
        try:
            deposit = await self._deposits.correct(entry_id, asked.reason, actor_of(request))
        except Refused as refused:
            raise problem_of(refused) from None
        return answer(request, deposit, status=201)

    async def limits(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/organisations/{organisation_id}/limits."""
        organisation_id = _organisation(request, Action.SET_LIMIT)
        try:
            return answer(request, await self._limits.of(organisation_id))
        except Refused as refused:
            raise problem_of(refused) from None

    async def sale_limit(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/organisations/{organisation_id}/sales/{sale_id}/limit."""
        organisation_id, sale_id = _key(request, Action.SET_LIMIT)
        try:
            limit_minor = await self._limits.for_sale(organisation_id, sale_id)
        except Refused as refused:
            raise problem_of(refused) from None
        value = SaleLimit(organisation_id=organisation_id, sale_id=sale_id, limit_minor=limit_minor)
        return answer(request, value)

    async def set_sale_limit(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/organisations/{organisation_id}/sales/{sale_id}/limit."""
        key, asked = _key(request, Action.SET_LIMIT), await body_of(request, SaleLimitAsked)
        limit_minor, reason, actor = asked.limit_minor, asked.reason, actor_of(request)
        try:
            await self._limits.set_for_sale(*key, limit_minor, reason, actor)
        except Refused as refused:
            raise problem_of(refused) from None
        return no_content()


def _organisation(request: web.Request, action: Action) -> OrganisationId:
    """The organisation that the path names, if this may be done to it. Raises NOT_FOUND."""
    organisation_id = OrganisationId(word_of(request, "organisation_id"))
    require(request, action, organisation_id)
    return organisation_id


def _key(request: web.Request, action: Action) -> tuple[OrganisationId, SaleId]:
    return _organisation(request, action), sale_of(request)
