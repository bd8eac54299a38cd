"""The API of disputes: what buyers' banks want back, the evidence, and who bears a loss."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from auction.terms import STORABLE
from foundation.http.answers import answer
from foundation.http.reading import Input, body_of
from foundation.http.routes import Route
from settlement.access import ACT, STAFF, joined_of
from settlement.api_common import row
from settlement.papers.kinds import PaperRefusal
from settlement.payments.dispute_desk import DisputeDesk
from settlement.payments.dispute_words import Bearer, DisputeRow, Fault
from settlement.payments.handlers_dispute import DisputeRefusal

Version = Annotated[int, Meta(ge=1, le=2**31)]

OPEN: Final = (DisputeRefusal.ENDED, DisputeRefusal.CHANGED_MEANWHILE)
# What may stand in the way of the evidence, which is shown with the dispute.
EVIDENCE: Final = (PaperRefusal.NOT_INVOICED, PaperRefusal.CANCELLED, PaperRefusal.TOO_LONG)


class FaultSaid(Input):
    """Who bears it if it is lost after the release. ``version``: of the dispute as it was seen."""

    fault: Fault
    version: Version


class BearerSaid(Input):
    """Who bears what no lot can of a dispute that is decided: the house, or the buyer by its
    credit, as far as that goes. What came back too much, they get. ``version``: as it was seen."""

    bearer: Bearer
    version: Version


class EvidenceAsked(Input):
    """What the bank should know beside the evidence that there is."""

    version: Version
    words: Annotated[str, Meta(max_length=4_000, pattern=STORABLE)] = ""


class LetGo(Input):
    """The bank may keep the money."""

    version: Version


class Disputes(Struct, frozen=True):
    """The open ones by their deadline, then the latest that are over."""

    items: Sequence[DisputeRow]


class DisputeAnswer(Struct, frozen=True, kw_only=True):
    """A dispute, and what is sent to the bank: texts by Stripe's names of them.
    ``unsettled_minor``: what is pending of it; below 0, more came back than was to come."""

    dispute: DisputeRow
    unsettled_minor: int
    version: int
    evidence: Mapping[str, str]


class DisputesApi:
    """Handlers."""

    def __init__(self, desk: DisputeDesk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Their rows."""
        one = "/disputes/{dispute_id}"
        return [
            row(
                "GET",
                "/disputes",
                self.disputes,
                "What buyers' banks want back, the earliest deadline first",
                STAFF,
                answer=Disputes,
            ),
            row(
                "GET",
                one,
                self.dispute,
                "A dispute with the evidence that there is",
                STAFF,
                *EVIDENCE,
                answer=DisputeAnswer,
            ),
            row(
                "POST",
                f"{one}/fault",
                self.say_fault,
                "Say who bears it if it is lost, before it is decided",
                ACT,
                *OPEN,
                *EVIDENCE,
                body=FaultSaid,
                answer=DisputeAnswer,
            ),
            row(
                "POST",
                f"{one}/answer",
                self.send_evidence,
                "Send the evidence to the buyer's bank, once and for good",
                ACT,
                DisputeRefusal.ANSWERED,
                *OPEN,
                *EVIDENCE,
                body=EvidenceAsked,
                answer=DisputeAnswer,
            ),
            row(
                "POST",
                f"{one}/acceptance",
                self.let_go,
                "Let it go: the buyer's bank keeps the money",
                ACT,
                DisputeRefusal.ANSWERED,
                *OPEN,
                *EVIDENCE,
                body=LetGo,
                answer=DisputeAnswer,
            ),
            row(
                "POST",
                f"{one}/bearer",
                self.say_bearer,
                "Say who bears what no lot can of it, or gets what came back too much",
                ACT,
                DisputeRefusal.NOTHING_TO_BEAR,
                DisputeRefusal.NO_CREDIT,
                DisputeRefusal.CHANGED_MEANWHILE,
                *EVIDENCE,
                body=BearerSaid,
                answer=DisputeAnswer,
            ),
        ]

    async def say_bearer(self, request: web.Request) -> web.StreamResponse:
        """POST .../disputes/{dispute_id}/bearer."""
        given = await body_of(request, BearerSaid)
        await self._desk.bear(actor_of(request), _id(request), given.bearer, given.version)
        return await self._shown(request)

    async def disputes(self, request: web.Request) -> web.StreamResponse:
        """GET .../disputes."""
        return answer(request, Disputes(await self._desk.list()))

    async def dispute(self, request: web.Request) -> web.StreamResponse:
        """GET .../disputes/{dispute_id}."""
        return await self._shown(request)

    async def say_fault(self, request: web.Request) -> web.StreamResponse:
        """POST .../disputes/{dispute_id}/fault."""
        given = await body_of(request, FaultSaid)
        await self._desk.blame(actor_of(request), _id(request), given.fault, given.version)
        return await self._shown(request)

    async def send_evidence(self, request: web.Request) -> web.StreamResponse:
        """POST .../disputes/{dispute_id}/answer."""
        given = await body_of(request, EvidenceAsked)
        await self._desk.answer(actor_of(request), _id(request), given.words, given.version)
        return await self._shown(request)

    async def let_go(self, request: web.Request) -> web.StreamResponse:
        """POST .../disputes/{dispute_id}/acceptance."""
        given = await body_of(request, LetGo)
        await self._desk.give_up(actor_of(request), _id(request), given.version)
        return await self._shown(request)

    async def _shown(self, request: web.Request) -> web.StreamResponse:
        view = await self._desk.view(_id(request))
        return answer(
            request,
            DisputeAnswer(
                dispute=view.dispute,
                unsettled_minor=view.dispute.unsettled_minor,
                version=view.version,
                evidence=view.evidence,
            ),
        )


def _id(request: web.Request) -> str:
    return joined_of(request, "dispute_id")
