"""Consignors and their agreements over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of, word_of
from accounts.ids import OrganisationId
from auction.consignment import Share, share_of
from auction.desk.access import RUN, VIEW, own_seller, seller_of, visible
from auction.desk.agreements import Agreement
from auction.desk.api_common import DESK, DeskPaging, row, wanted_desk
from auction.desk.consignors import AgreementWords, Consignor, Consignors, ConsignorWords
from auction.desk.refusals import Refusal
from auction.desk.seller import Seller
from auction.ids import LiquidatorId
from auction.money import Minor
from foundation.http.answers import answer, created
from foundation.http.cursors import Listing, key_of_cursor, listing
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from foundation.http.versions import version_seen

CONSIGNORS, CONSIGNOR = "/consignors", "/consignors/{consignor_id}"
AGREEMENTS = f"{CONSIGNOR}/agreements"
AGREEMENT = f"{AGREEMENTS}/{{agreement_id}}"


class Linking(Input):
    """The organisation whose people see a consignor's goods."""

    organisation_id: Annotated[str, Meta(min_length=1, max_length=64)]


class InvitingConsignor(Input):
    """Who gets a link to a login."""

    mail: Annotated[str, Meta(min_length=3, max_length=254)]


class WorkedExample(Input):
    """A lot for which a version says who gets what."""

    hammer_minor: Minor
    pallets: Annotated[int, Meta(ge=0, le=100)] = 0
    credit_minor: Minor = 0


class ConsignorKey(Struct, frozen=True):
    """The place of a consignor in the list."""

    name: str


class AgreementList(Struct, frozen=True):
    """All versions, the newest made first. ``in_force``: of each agreement the one of today."""

    items: Sequence[Agreement]
    in_force: Sequence[Agreement]


class Agreed(Struct, frozen=True):
    """A version that was made, and how many lots that had no agreement are under it."""

    agreement: Agreement
    lots_bound: int


class ConsignorsApi:
    """Handlers. Another liquidator's consignor is answered as one that does not exist."""

    def __init__(self, consignors: Consignors) -> None:
        self._consignors = consignors

    def routes(self) -> list[Route]:
        """Their rows."""
        return [*self._of_consignors(), *self._of_agreements()]

    def _of_consignors(self) -> list[Route]:
        return [
            row(
                "GET",
                CONSIGNORS,
                self.consignors,
                "Whose goods a liquidator sells besides its own",
                VIEW,
                Refusal.NOT_FOUND,
                query=DeskPaging,
                answer=Listing[Consignor],
                problems=(INVALID,),
            ),
            row(
                "POST",
                CONSIGNORS,
                self.add_consignor,
                "A new consignor",
                RUN,
                *(Refusal.NOT_FOUND, Refusal.NAME_TAKEN, Refusal.TOO_MANY),
                body=ConsignorWords,
                answer=Consignor,
                status=201,
            ),
            row("GET", CONSIGNOR, self.consignor, "A consignor", VIEW, answer=Consignor),
            row(
                "PUT",
                CONSIGNOR,
                self.change_consignor,
                "Change what is said of a consignor, or hide it",
                RUN,
                Refusal.NAME_TAKEN,
                seen=True,
                body=ConsignorWords,
                answer=Consignor,
            ),
            row(
                "PUT",
                f"{CONSIGNOR}/organisation",
                self.link_consignor,
                "Let the people of an organisation that is there see its goods",
                RUN,
                Refusal.NOT_INVITED,
                seen=True,
                body=Linking,
                answer=Consignor,
            ),
            row(
                "POST",
                f"{CONSIGNOR}/invitation",
                self.invite_consignor,
                "Send somebody of it a link to a login, while nobody has one",
                RUN,
                Refusal.NOT_INVITED,
                body=InvitingConsignor,
                answer=Consignor,
            ),
        ]

    def _of_agreements(self) -> list[Route]:
        bad = (Refusal.BAD_AGREEMENT, Refusal.TOO_MANY)
        return [
            row(
                "GET",
                AGREEMENTS,
                self.agreements,
                "What was agreed with a consignor, version by version",
                VIEW,
                answer=AgreementList,
            ),
            row(
                "POST",
                AGREEMENTS,
                self.agree,
                "A new agreement",
                RUN,
                *bad,
                body=AgreementWords,
                answer=Agreed,
                status=201,
            ),
            row(
                "POST",
                f"{AGREEMENT}/versions",
                self.agree_anew,
                "The next version of an agreement; If-Match names its newest",
                RUN,
                *bad,
                seen=True,
                body=AgreementWords,
                answer=Agreed,
                status=201,
            ),
            row(
                "GET",
                f"{AGREEMENT}/versions/{{version}}/example",
                self.example,
                "Who gets what of a hammer price by a version",
                VIEW,
                query=WorkedExample,
                answer=Share,
                problems=(INVALID,),
            ),
        ]

    async def consignors(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/consignors."""
        asked = query_of(request, DeskPaging)
        key = key_of_cursor(asked.cursor, ConsignorKey)
        owner, after = wanted_desk(request, asked), "" if key is None else key.name
        found = await self._consignors.list(owner, after, asked.limit + 1)
        page = listing(found, asked.limit, lambda one: one, lambda one: ConsignorKey(one.name))
        return answer(request, page)

    async def add_consignor(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/consignors."""
        words = await body_of(request, ConsignorWords)
        made = await self._consignors.add(own_seller(request), words)
        return created(request, made, f"{DESK}/consignors/{made.consignor_id}")

    async def consignor(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/consignors/{consignor_id}."""
        owner = await self._visible(request)
        found = await self._consignors.read(owner, _consignor_of(request))
        return answer(request, found, version=found.version)

    async def change_consignor(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/consignors/{consignor_id}."""
        version, words = version_seen(request), await body_of(request, ConsignorWords)
        by = await self._seller(request)
        changed = await self._consignors.change(by, _consignor_of(request), version, words)
        return answer(request, changed)

    async def link_consignor(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/consignors/{consignor_id}/organisation."""
        version, asked = version_seen(request), await body_of(request, Linking)
        by, organisation_id = await self._seller(request), OrganisationId(asked.organisation_id)
        linked = await self._consignors.link(by, _consignor_of(request), version, organisation_id)
        return answer(request, linked)

    async def invite_consignor(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/consignors/{consignor_id}/invitation."""
        asked = await body_of(request, InvitingConsignor)
        by, address = await self._seller(request), actor_of(request).address
        invited = await self._consignors.invite(by, _consignor_of(request), asked.mail, address)
        return answer(request, invited)

    async def agreements(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/consignors/{consignor_id}/agreements."""
        owner, consignor_id = await self._visible(request), _consignor_of(request)
        consignor = await self._consignors.read(owner, consignor_id)
        found = await self._consignors.agreements(owner, consignor_id)
        current = await self._consignors.in_force([consignor])
        return answer(request, AgreementList(found, current[consignor.consignor_id]))

    async def agree(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/consignors/{consignor_id}/agreements."""
        words = await body_of(request, AgreementWords)
        by = await self._seller(request)
        made = await self._consignors.agree(by, _consignor_of(request), words)
        return answer(request, Agreed(*made), status=201)

    async def agree_anew(self, request: web.Request) -> web.StreamResponse:
        """POST .../agreements/{agreement_id}/versions."""
        version, words = version_seen(request), await body_of(request, AgreementWords)
        by, agreement_id = await self._seller(request), word_of(request, "agreement_id")
        made = await self._consignors.agree_anew(
            by, _consignor_of(request), agreement_id, version, words
        )
        return answer(request, Agreed(*made), status=201)

    async def example(self, request: web.Request) -> web.StreamResponse:
        """GET .../agreements/{agreement_id}/versions/{version}/example."""
        asked, owner = query_of(request, WorkedExample), await self._visible(request)
        if asked.credit_minor > asked.hammer_minor:
            raise INVALID("A credit is at most the hammer price.", place="?credit_minor")
        wanted = (word_of(request, "agreement_id"), request.match_info["version"])
        for one in await self._consignors.agreements(owner, _consignor_of(request)):
            if (one.agreement_id, str(one.version)) == wanted:
                share = share_of(one.terms, asked.hammer_minor, asked.pallets, asked.credit_minor)
                return answer(request, share)
        raise NOT_FOUND()

    async def _visible(self, request: web.Request) -> LiquidatorId:
        return visible(request, await self._consignors.owner_of(_consignor_of(request)))

    async def _seller(self, request: web.Request) -> Seller:
        return seller_of(request, await self._consignors.owner_of(_consignor_of(request)))


def _consignor_of(request: web.Request) -> str:
    return word_of(request, "consignor_id")
