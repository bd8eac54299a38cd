"""Registering for a sale: the terms in plain words, what is accepted, and what happens next."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, field

from accounts.directory import Standing, standing_of
from accounts.http.guard import signed_in
from accounts.permissions import Access, Action
from auction.amounts import NotMoney, parse_typed, plain, sign
from auction.ids import SaleId
from auction.plain_terms import clauses
from auction.rejections import Rejection
from auction.terms import STORABLE, Restriction
from bidder_gateway.listed import SalePage, SaleState
from bidder_gateway.pages.room import PagesRoom, sale_href, sale_id_of, show, viewing
from bidder_gateway.refusals import Refused
from bidder_gateway.registrations import Accepted, RegistrationPage, RegistrationState
from foundation.http.client_address import client_address
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import see_other
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Route

_REGISTER: Final = Access(Action.REGISTER_FOR_SALE)


class Acceptance(Input):
    """The form. ``share``: the sale's part of the reseller's whole limit, as typed."""

    terms_version: Annotated[int, Meta(ge=1, le=1_000_000)]
    terms_sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    accept: Annotated[
        bool, Meta(extra={"message": "Accept the terms to register; without that you can watch."})
    ]
    restrictions: Annotated[list[Restriction], Meta(max_length=100)] = field(default_factory=list)
    share: Annotated[str, Meta(max_length=100, pattern=STORABLE)] = ""


class RegistrationPages:
    """Handlers."""

    def __init__(self, room: PagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        path = "/sales/{sale_id}/register"
        return [
            Route("GET", path, self.show, "Register for a sale", _REGISTER),
            Route("POST", path, self.register, "Register for a sale", _REGISTER),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET .../register."""
        sale = await self._sale(request)
        registration = await self._registration(request, sale.sale_id)
        accepted = list(registration.restrictions) if registration is not None else []
        share = ""
        if registration is not None and registration.share_minor is not None:
            share = plain(registration.share_minor, sale.currency)
        form = blank(restrictions=accepted, share=share)
        return await self._page(request, sale, registration, form)

    async def register(self, request: web.Request) -> web.StreamResponse:
        """POST .../register."""
        form: Form[Acceptance] = await form_of(request, Acceptance)
        sale = await self._sale(request)
        given = form.valid
        if given is None or not given.accept:
            return await self._again(request, sale, form)
        try:
            share_minor = parse_typed(given.share, sale.currency) if given.share else None
        except NotMoney as fault:
            return await self._again(request, sale, form.refused("share", str(fault)))
        accepted = Accepted(
            terms_version=given.terms_version,
            terms_sha256=given.terms_sha256,
            restrictions=tuple(given.restrictions),
            share_minor=share_minor,
        )
        try:
            registration = await self._room.its.registrations.register(
                signed_in(request), sale.sale_id, accepted, client_address(request)
            )
        except Refused as refused:
            name = "share" if refused.field == "share_minor" else ""
            return await self._again(request, sale, form.refused(name, refused.message))
        if registration.state is RegistrationState.ADMITTED and registration.settled:
            said = f"You are registered. Your bidder number is {registration.paddle}."
            return see_other(sale_href(sale.sale_id), said)
        return see_other(f"{sale_href(sale.sale_id)}/register")

    async def _again(
        self, request: web.Request, sale: SalePage, form: Form[Acceptance]
    ) -> web.StreamResponse:
        registration = await self._registration(request, sale.sale_id)
        return await self._page(request, sale, registration, form, 422)

    async def _page(
        self,
        request: web.Request,
        sale: SalePage,
        registration: RegistrationPage | None,
        form: Form[Any],
        status: int = 200,
    ) -> web.Response:
        standing = await standing_of(self._room.pool, signed_in(request).organisation_id)
        return show(
            request,
            "register.html",
            status=status,
            sale=sale,
            registration=registration,
            standing=standing,
            form=form,
            clauses=clauses(sale.terms),
            restricted=await self._restricted(request, sale),
            sign=sign(sale.currency).strip(),
            shares=_shares(standing, sale),
            steps=_steps(sale, standing, registration),
            ended=sale.state is SaleState.ENDED,
            missing=_missing(registration),
        )

    async def _restricted(
        self, request: web.Request, sale: SalePage
    ) -> Mapping[str, Sequence[str]]:
        """For each restriction the lots that have it."""
        if not sale.restrictions:
            return {}
        lots = await self._room.lots_of(sale.sale_id, viewing(request).sees_as)
        return {
            restriction: [lot.lot_id for lot in lots if restriction in lot.restrictions]
            for restriction in sale.restrictions
        }

    async def _sale(self, request: web.Request) -> SalePage:
        sale = await self._room.its.sales.sale(sale_id_of(request), viewing(request).sees_as)
        if sale is None:
            raise NOT_FOUND()
        return sale

    async def _registration(self, request: web.Request, sale_id: SaleId) -> RegistrationPage | None:
        organisation_id = signed_in(request).organisation_id
        return await self._room.its.registrations.of_sale(organisation_id, sale_id)


def _shares(standing: Standing | None, sale: SalePage) -> bool:
    """Whether the reseller has a whole limit that its sales share."""
    has = standing is not None and standing.limit_minor is not None
    return has and standing is not None and standing.currency == sale.currency


def _missing(registration: RegistrationPage | None) -> str:
    """What keeps the engine from admitting: deposit, certificate, other; empty: nothing."""
    if registration is None or registration.state is not RegistrationState.REFUSED:
        return ""
    match registration.code:
        case Rejection.DEPOSIT_REQUIRED:
            return "deposit"
        case Rejection.CERTIFICATE_REQUIRED:
            return "certificate"
        case _:
            return "other"


def _steps(
    sale: SalePage, standing: Standing | None, registration: RegistrationPage | None
) -> list[tuple[str, str]]:
    """The way to a bid: what is done, what is next, what comes then."""
    approved = standing is not None and standing.may_bid
    admitted = registration is not None and registration.state is RegistrationState.ADMITTED
    done = [
        ("Your organisation is approved", approved),
        ("You accept the terms", bool(registration)),
    ]
    if sale.certificate_required or sale.deposit_minor:
        wanted = []
        if sale.certificate_required:
            wanted.append("a resale certificate")
        if sale.deposit_minor:
            wanted.append("the deposit")
        done.append((f"We have {' and '.join(wanted)}", admitted))
    done.append(("You get a bidder number, and bid", admitted))
    steps, found = [], False
    for words, is_done in done:
        state = "done" if is_done else ("" if found else "next")
        found = found or not is_done
        steps.append((words, state))
    return steps
