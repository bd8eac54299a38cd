"""Deposits and limits of resellers in sales, as pages for staff."""

from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta

from accounts.directory import organisations, people
from accounts.http.common import actor_of, word_of
from accounts.http.guard import can, require
from accounts.ids import OrganisationId
from accounts.permissions import Access, Action
from auction.amounts import NotMoney, parse_typed, plain, sign
from auction.ids import SaleId
from auction.terms import STORABLE
from bidder_gateway.api_common import problem_of
from bidder_gateway.deposits import HELD_BY_CARD, Deposit, DepositsQuery
from bidder_gateway.pages.navigation import DEPOSITS
from bidder_gateway.pages.room import PagesRoom, show, viewing
from bidder_gateway.refusals import Refusal, Refused
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import see_other
from foundation.http.reading import Input, query_of
from foundation.http.routes import Route

_DEPOSIT: Final = Access(Action.RECORD_DEPOSIT)
_LIMIT: Final = Access(Action.SET_LIMIT)

Typed = Annotated[str, Meta(max_length=100, pattern=STORABLE)]
Reason = Annotated[
    str,
    Meta(min_length=1, max_length=500, pattern=STORABLE, extra={"message": "Say how or why."}),
]


class NewEntry(Input):
    """Money that has come in."""

    amount: Typed
    reason: Reason


class Correction(Input):
    """Why an entry is taken back."""

    reason: Reason


class OtherLimit(Input):
    """The reseller's limit in the sale; empty: by the deposit."""

    limit_reason: Reason
    limit: Typed = ""


class DepositPages:
    """Handlers."""

    def __init__(self, room: PagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one = f"{DEPOSITS}/{{organisation_id}}/{{sale_id}}"
        correct = f"{one}/entries/{{entry_id}}/correct"
        return [
            Route("GET", DEPOSITS, self.list, "Deposits", _DEPOSIT, query=DepositsQuery),
            Route("GET", one, self.show, "A deposit", _DEPOSIT),
            Route("POST", one, self.record, "Record a deposit", _DEPOSIT),
            Route("POST", correct, self.correct, "Take an entry back", _DEPOSIT),
            Route("POST", f"{one}/limit", self.limit, "Set a limit", _LIMIT),
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        """GET /staff/deposits."""
        query = query_of(request, DepositsQuery)
        return show(
            request,
            "staff_deposits.html",
            rows=await self._room.its.deposits.registered(query),
            waiting=query.waiting,
            first=query.cursor is None,
            deposit_href=_href,
        )

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /staff/deposits/{organisation_id}/{sale_id}."""
        return await self._page(request)

    async def record(self, request: web.Request) -> web.StreamResponse:
        """POST /staff/deposits/{organisation_id}/{sale_id}."""
        key, form = _key(request), await form_of(request, NewEntry)
        deposit = await self._deposit(key)
        if form.valid is None:
            return await self._page(request, 422, entry=form)
        try:
            amount_minor = parse_typed(form.valid.amount, deposit.currency)
        except NotMoney as fault:
            return await self._page(request, 422, entry=form.refused("amount", str(fault)))
        await self._room.its.deposits.record(
            *key, amount_minor, deposit.currency, form.valid.reason, actor_of(request)
        )
        return see_other(_href(*key), "The deposit is recorded.")

    async def correct(self, request: web.Request) -> web.StreamResponse:
        """POST /staff/deposits/{organisation_id}/{sale_id}/entries/{entry_id}/correct."""
        key, form = _key(request), await form_of(request, Correction)
        deposit, entry_id = await self._deposit(key), word_of(request, "entry_id")
        if entry_id not in {entry.entry_id for entry in deposit.entries}:
            raise problem_of(Refused(Refusal.NOT_FOUND))
        if form.valid is None:
            return await self._page(request, 422, correction=form)
        try:
            await self._room.its.deposits.correct(entry_id, form.valid.reason, actor_of(request))
        except Refused as refused:
            return await self._page(request, 409, correction=form.refused("", refused.message))
        return see_other(_href(*key), "The entry is taken back by another against it.")

    async def limit(self, request: web.Request) -> web.StreamResponse:
        """POST /staff/deposits/{organisation_id}/{sale_id}/limit."""
        key, form = _key(request), await form_of(request, OtherLimit)
        deposit = await self._deposit(key)
        if form.valid is None:
            return await self._page(request, 422, limit=form)
        try:
            limit_minor = _limit_minor(form.valid.limit, deposit.currency)
        except NotMoney as fault:
            return await self._page(request, 422, limit=form.refused("limit", str(fault)))
        reason, actor = form.valid.limit_reason, actor_of(request)
        await self._room.its.limits.set_for_sale(*key, limit_minor, reason, actor)
        return see_other(_href(*key), "The limit is changed.")

    async def _deposit(self, key: tuple[OrganisationId, SaleId]) -> Deposit:
        try:
            return await self._room.its.deposits.of(*key)
        except Refused as refused:
            raise problem_of(refused) from None

    async def _page(
        self,
        request: web.Request,
        status: int = 200,
        *,
        entry: Form[Any] | None = None,
        correction: Form[Any] | None = None,
        limit: Form[Any] | None = None,
    ) -> web.Response:
        organisation_id, sale_id = key = _key(request)
        deposit = await self._deposit(key)
        limit_minor = await self._room.its.limits.for_sale(*key)
        typed = "" if limit_minor is None else plain(limit_minor, deposit.currency)
        known = await organisations(self._room.pool, [organisation_id])
        sale = await self._room.its.sales.sale(sale_id, viewing(request).sees_as)
        by = await people(self._room.pool, {one.recorded_by for one in deposit.entries})
        return show(
            request,
            "staff_deposit.html",
            status=status,
            deposit=deposit,
            name=known[organisation_id].name,
            sale=sale,
            registration=await self._room.its.registrations.of_sale(*key),
            limit_minor=limit_minor,
            may_limit=can(request, Action.SET_LIMIT, organisation_id),
            names={person_id: person.name for person_id, person in by.items()},
            held_by_card=HELD_BY_CARD,
            href=_href(*key),
            sign=sign(deposit.currency).strip(),
            entry=entry or blank(),
            correction=correction or blank(),
            limit=limit or blank(limit=typed),
        )


def _limit_minor(typed: str, currency: str) -> int | None:
    """``None``: by the deposit; nothing at all may be a limit too. Raises `NotMoney`."""
    if not typed:
        return None
    return 0 if typed.strip("0.") == "" else parse_typed(typed, currency)


def _href(organisation_id: OrganisationId, sale_id: SaleId) -> str:
    return f"{DEPOSITS}/{organisation_id}/{sale_id}"


def _key(request: web.Request) -> tuple[OrganisationId, SaleId]:
    organisation_id = OrganisationId(word_of(request, "organisation_id"))
    require(request, Action.RECORD_DEPOSIT, organisation_id)
    return organisation_id, SaleId(word_of(request, "sale_id"))
