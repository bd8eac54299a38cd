"""/desk/consignors: whose goods a liquidator sells, what is agreed, and what they brought."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of, word_of
from accounts.ids import OrganisationId
from auction.catalog.words import count_words
from auction.consignment import AgreementTerms, example, in_words
from auction.desk.access import RUN, VIEW, may_run, own_desk, own_seller, seller_of, visible
from auction.desk.agreements import Agreement, day_of
from auction.desk.api_common import REFUSALS
from auction.desk.consignors import Consignor, ConsignorName, ConsignorWords, Note
from auction.desk.pages.agreement_fields import (
    BEARERS,
    CURRENCIES,
    PER,
    AgreementForm,
    BadAgreement,
    tiers_shown,
    values_of,
    words_of,
)
from auction.desk.pages.lot_fields import LotField, with_consignors
from auction.desk.pages.navigation import TABS
from auction.desk.pages.room import DeskPagesRoom, show, status_of
from auction.desk.refusals import Refused
from auction.ids import BidderId, LiquidatorId
from auction.money import EXPONENTS
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import see_other
from foundation.http.reading import Input
from foundation.http.routes import Route

CONSIGNORS: Final = "/desk/consignors"
PAGE: Final = 100
# Of the example: a usual truck's share on usual pallets.
EXAMPLE_HAMMER: Final = 1_000
EXAMPLE_PALLETS: Final = 4

_Name = Annotated[ConsignorName, Meta(extra={"message": "At most 100 characters, at least one."})]


class ConsignorForm(Input):
    """What is said of a consignor; ``version``: as it was seen, 0 for a new one."""

    name: _Name
    version: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    contact: Note = ""
    note: Note = ""
    hidden: bool = False


class LoginForm(Input):
    """Who is invited, or which organisation it is."""

    mail: Annotated[str, Meta(max_length=254)] = ""
    organisation_id: Annotated[str, Meta(max_length=64)] = ""
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)] = 1


def consignor_path(consignor_id: str, *more: str) -> str:
    """The address of a consignor at the desk, or of something of it."""
    return "/".join((CONSIGNORS, quote(consignor_id, safe=""), *more))


def worked_example(terms: AgreementTerms, name: str) -> str:
    """One lot by these terms, in figures."""
    hammer_minor = EXAMPLE_HAMMER * 10 ** EXPONENTS.get(terms.currency, 2)
    return example(terms, name, hammer_minor, EXAMPLE_PALLETS)


async def fields_of(
    room: DeskPagesRoom, owner: LiquidatorId, *used: BidderId | None
) -> Mapping[str, LotField]:
    """The fields of a lot with the consignors that are offered, and those that are ``used``."""
    found = await room.consignors.list(owner)
    return with_consignors(
        [
            (one.consignor_id, one.name)
            for one in found
            if not one.hidden or one.consignor_id in used
        ]
    )


class ConsignorPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one, told = f"{CONSIGNORS}/{{consignor_id}}", REFUSALS.told
        return [
            Route("GET", CONSIGNORS, told(self.show_all), "A liquidator's consignors", VIEW),
            Route("POST", CONSIGNORS, told(self.add), "A new consignor", RUN),
            Route("GET", one, told(self.show_one), "A consignor", VIEW),
            Route("POST", one, told(self.save), "Save a consignor", RUN),
            Route("POST", f"{one}/agreements", told(self.agree), "Agree with a consignor", RUN),
            Route("POST", f"{one}/login", told(self.let_in), "Give a consignor a login", RUN),
        ]

    async def show_all(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/consignors."""
        return await self._all(request, blank())

    async def add(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/consignors."""
        form = await form_of(request, ConsignorForm)
        seller = own_seller(request)
        if form.valid is None:
            return await self._all(request, form, 422)
        try:
            made = await self._room.consignors.add(seller, _words(form.valid))
        except Refused as refused:
            told = form.refused(refused.field, refused.message)
            return await self._all(request, told, status_of(refused))
        said = "Now write down what you have agreed."
        return see_other(f"{consignor_path(made.consignor_id)}#agree", said)

    async def show_one(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/consignors/{consignor_id}."""
        return await self._one(request, await self._consignor(request))

    async def save(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/consignors/{consignor_id}."""
        form = await form_of(request, ConsignorForm)
        consignor = await self._consignor(request)
        seller = seller_of(request, consignor.liquidator_id)
        if form.valid is None:
            return await self._one(request, consignor, 422, words=form)
        version, words = form.valid.version, _words(form.valid)
        try:
            await self._room.consignors.change(seller, consignor.consignor_id, version, words)
        except Refused as refused:
            told = form.refused(refused.field, refused.message)
            return await self._one(request, consignor, status_of(refused), words=told)
        return see_other(consignor_path(consignor.consignor_id), "It is saved.")

    async def agree(self, request: web.Request) -> web.StreamResponse:
        """POST .../agreements: a new agreement, or the next version of one."""
        form: Form[Any] = await form_of(request, AgreementForm)
        consignor = await self._consignor(request)
        seller, given = seller_of(request, consignor.liquidator_id), form.valid
        if given is None:
            return await self._one(request, consignor, 422, agreeing=form)
        service, consignor_id = self._room.consignors, consignor.consignor_id
        try:
            words = words_of(given)
            if given.agreement:
                named = (seller, consignor_id, given.agreement, given.version)
                agreed, lots = await service.agree_anew(*named, words)
            else:
                agreed, lots = await service.agree(seller, consignor_id, words)
        except BadAgreement as fault:
            told = form.refused(fault.field, str(fault))
            return await self._one(request, consignor, 422, agreeing=told)
        except Refused as refused:
            field = refused.field if refused.field in form.values else ""
            told = form.refused(field, refused.message)
            return await self._one(request, consignor, status_of(refused), agreeing=told)
        said = f"Version {agreed.version} is agreed."
        if lots:
            said += f" {count_words(lots, 'lot')} that had no agreement are under it."
        return see_other(consignor_path(consignor_id), said)

    async def let_in(self, request: web.Request) -> web.StreamResponse:
        """POST .../login: somebody is invited, or an organisation that is there is named."""
        form = await form_of(request, LoginForm)
        consignor = await self._consignor(request)
        seller, given = seller_of(request, consignor.liquidator_id), form.valid
        if given is None or not (given.mail or given.organisation_id):
            told = form if given is None else form.refused("mail", "Enter a mail address.")
            return await self._one(request, consignor, 422, login=told)
        service, consignor_id = self._room.consignors, consignor.consignor_id
        try:
            if given.organisation_id:
                organisation_id = OrganisationId(given.organisation_id)
                await service.link(seller, consignor_id, given.version, organisation_id)
                said = "Its people see its goods from now on."
            else:
                address = actor_of(request).address
                await service.invite(seller, consignor_id, given.mail, address)
                said = f"An invitation is on its way to {given.mail}."
        except Refused as refused:
            told = form.refused(refused.field, refused.message)
            return await self._one(request, consignor, status_of(refused), login=told)
        return see_other(consignor_path(consignor_id), said)

    async def _consignor(self, request: web.Request) -> Consignor:
        consignor_id = word_of(request, "consignor_id")
        owner = visible(request, await self._room.consignors.owner_of(consignor_id))
        return await self._room.consignors.read(owner, consignor_id)

    async def _all(self, request: web.Request, form: Form[Any], status: int = 200) -> web.Response:
        owner, after = own_desk(request), request.query.get("after", "").replace("\0", "")[:100]
        found = await self._room.consignors.list(owner, after, PAGE + 1)
        shown, more = found[:PAGE], len(found) > PAGE
        ids = [one.consignor_id for one in shown]
        return show(
            request,
            "consignors.html",
            status=status,
            tabs=TABS,
            form=form,
            runs=may_run(request, owner),
            consignors=shown,
            in_force=await self._room.consignors.in_force(shown),
            prepared=await self._room.consignor_sums.prepared(owner, ids),
            brought=await self._room.consignor_sums.brought(ids),
            consignor_path=consignor_path,
            first_href=CONSIGNORS if after else "",
            next_href=f"{CONSIGNORS}?{urlencode({'after': shown[-1].name})}" if more else "",
        )

    async def _one(
        self, request: web.Request, consignor: Consignor, status: int = 200, **forms: Form[Any]
    ) -> web.Response:
        room, owner = self._room, consignor.liquidator_id
        consignor_id, name = consignor.consignor_id, consignor.name
        today = day_of(room.wall_us())
        agreements = await room.consignors.agreements(owner, consignor_id)
        current = (await room.consignors.in_force([consignor]))[consignor_id]
        prepared = await room.consignor_sums.prepared(owner, [consignor_id])
        brought = await room.consignor_sums.brought([consignor_id])
        agreeing = forms.get("agreeing") or _agreeing(request, agreements, today)
        return show(
            request,
            "consignor.html",
            status=status,
            consignor=consignor,
            runs=may_run(request, owner),
            waiting=await room.consignors.is_waiting(consignor),
            words=forms.get("words") or _words_form(consignor),
            login=forms.get("login") or blank(version=str(consignor.version)),
            agreeing=agreeing,
            opened=next(iter(forms), "" if agreements else "agreeing"),
            agreements=agreements,
            current=[
                (one, in_words(one.terms, name), worked_example(one.terms, name)) for one in current
            ],
            in_force={(one.agreement_id, one.version) for one in current},
            bearers=BEARERS,
            per=PER,
            currencies=CURRENCIES,
            tiers=tiers_shown(agreeing.values),
            lots=await room.consignor_sums.lots(owner, consignor_id),
            prepared=prepared.get(consignor_id, 0),
            brought=brought.get(consignor_id, ()),
            sales=await room.consigned.sales([consignor_id]),
            consignor_path=consignor_path,
        )


def _words(given: ConsignorForm) -> ConsignorWords:
    return ConsignorWords(
        name=given.name, contact=given.contact, note=given.note, hidden=given.hidden
    )


def _words_form(consignor: Consignor) -> Form[Any]:
    return blank(
        name=consignor.name,
        version=str(consignor.version),
        contact=consignor.contact,
        note=consignor.note,
        hidden="on" if consignor.hidden else "",
    )


def _agreeing(request: web.Request, agreements: Sequence[Agreement], today: date) -> Form[Any]:
    """The newest version of the agreement that the address names, else of the latest; ``new``: of
    none."""
    wanted = request.query.get("agreement", "")
    newest: dict[str, Agreement] = {}
    for one in agreements:
        if one.agreement_id not in newest or one.version > newest[one.agreement_id].version:
            newest[one.agreement_id] = one
    usual = None if wanted == "new" else next(iter(newest.values()), None)
    return blank(**values_of(newest.get(wanted, usual), today))
