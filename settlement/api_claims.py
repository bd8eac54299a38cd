"""The API of claims: a buyer's own, and the desk that decides them."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from auction.ids import BidderId
from auction.terms import STORABLE
from foundation.http.answers import answer, created
from foundation.http.cursors import Listing, Paging
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from settlement.access import ACT, PAY, PURCHASES, STAFF, award_of, joined_of
from settlement.api_common import SETTLEMENT, row
from settlement.api_purchases import SeenVersion
from settlement.api_refusals import BOOKING
from settlement.api_requests import Requests
from settlement.claiming.claim_table import Claim
from settlement.claiming.desk import ClaimsDesk, ClaimView
from settlement.claiming.filing import Claims
from settlement.claiming.words import DeskRefusal as R
from settlement.claiming.words import Filing, GrantedLine
from settlement.client_requests import Asked

_Version = Annotated[int, Meta(ge=1, le=2**31)]
_Why = Annotated[str, Meta(max_length=1_000, pattern=STORABLE)]

FILING: Final = (
    R.NOT_HANDED_OVER, R.ALREADY_CLAIMED, R.CLAIMS_WINDOW_OVER, R.NOTHING_CLAIMED, R.UNKNOWN_LINE,
    R.NOT_COVERED, R.QUANTITY_ABOVE_MANIFEST, R.LOSS_NOT_POSSIBLE, R.DISPUTED, R.NOT_NOW,
    R.TOO_MANY, *BOOKING,
)  # fmt: skip
DECIDING: Final = (R.CHANGED_MEANWHILE, R.NOT_NOW, R.DISPUTED, *BOOKING)


class DecidedClaim(Input):
    """What counts of a claim; without lines, all of it."""

    version: _Version
    granted: Annotated[list[GrantedLine], Meta(max_length=2_000)] | None = None
    credit_minor: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    why: _Why = ""


class RefusedClaim(Input):
    """Why a claim is refused, or what was decided of it."""

    version: _Version
    why: Annotated[str, Meta(min_length=1, max_length=1_000, pattern=STORABLE)]


class ClaimsApi:
    """Handlers of buyers."""

    def __init__(self, claims: Claims, requests: Requests) -> None:
        self._claims, self._requests = claims, requests

    def routes(self) -> list[Route]:
        """Their rows."""
        filed, one = "/purchases/awards/{award_id}/claims", "/purchases/claims/{claim_id}"
        return [
            row("POST", filed, self.file_claim, "Claim; photos follow", PAY, *FILING,
                once=True, body=Filing, answer=Claim, status=201),
            row("GET", "/purchases/claims", self.claims, "Your claims", PURCHASES,
                query=Paging, answer=Listing[Claim]),
            row("GET", one, self.claim, "A claim of yours", PURCHASES, answer=Claim),
            row("POST", f"{one}/withdrawal", self.withdraw_claim, "Take it back", PAY,
                *DECIDING, body=SeenVersion, answer=Claim),
        ]  # fmt: skip

    async def file_claim(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/awards/{award_id}/claims: one at a time."""
        filing = await body_of(request, Filing)
        award_id, by, buyer_id = award_of(request), actor_of(request), _buyer(request)

        async def make(asked: Asked) -> str:
            made = await self._claims.file(award_id, filing, by, buyer_id=buyer_id, request=asked)
            return made.claim_id

        claim_id = await self._requests.once(request, filing, make)
        claim = await self._claims.claim(claim_id, buyer_id)
        return created(request, claim, f"{SETTLEMENT}/purchases/claims/{claim_id}")

    async def claims(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/claims."""
        paging = query_of(request, Paging)
        return answer(request, await self._claims.page_of_buyer(_buyer(request), paging))

    async def claim(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/claims/{claim_id}."""
        claim_id = joined_of(request, "claim_id")
        return answer(request, await self._claims.claim(claim_id, _buyer(request)))

    async def withdraw_claim(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/claims/{claim_id}/withdrawal."""
        seen, claim_id = await body_of(request, SeenVersion), joined_of(request, "claim_id")
        by, buyer_id = actor_of(request), _buyer(request)
        gone = await self._claims.withdraw(claim_id, seen.version, by, buyer_id=buyer_id)
        return answer(request, gone)


class ClaimsDeskApi:
    """Handlers of the claims desk."""

    def __init__(self, desk: ClaimsDesk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Their rows."""
        one = "/claims/{claim_id}"
        return [
            row("GET", "/claims", self.claims_to_decide, "Claims to decide", STAFF,
                query=Paging, answer=Listing[Claim]),
            row("GET", one, self.claim_view, "A claim, with what the formula says", STAFF,
                answer=ClaimView),
            row("POST", f"{one}/grant", self.grant_claim, "Credit what counts", ACT,
                *DECIDING, R.MORE_THAN_CLAIMED, R.MORE_THAN_FORMULA, R.UNKNOWN_LINE, R.WHY_NEEDED,
                body=DecidedClaim, answer=Claim),
            row("POST", f"{one}/agreement", self.agree_to_claim, "A second person agrees", ACT,
                *DECIDING, R.SAME_PERSON, body=SeenVersion, answer=Claim),
            row("POST", f"{one}/sending-back", self.send_claim_back,
                "Decide it anew: no second person agrees", ACT, *DECIDING, R.WHY_NEEDED,
                R.SAME_PERSON, body=RefusedClaim, answer=Claim),
            row("POST", f"{one}/refusal", self.refuse_claim, "Refuse it", ACT,
                *DECIDING, R.WHY_NEEDED, body=RefusedClaim, answer=Claim),
        ]  # fmt: skip

    async def claims_to_decide(self, request: web.Request) -> web.StreamResponse:
        """GET .../claims."""
        return answer(request, await self._desk.page(query_of(request, Paging)))

    async def claim_view(self, request: web.Request) -> web.StreamResponse:
        """GET .../claims/{claim_id}."""
        return answer(request, await self._desk.view(joined_of(request, "claim_id")))

    async def grant_claim(self, request: web.Request) -> web.StreamResponse:
        """POST .../claims/{claim_id}/grant."""
        given, claim_id = await body_of(request, DecidedClaim), joined_of(request, "claim_id")
        made = await self._desk.grant(
            claim_id,
            given.version,
            actor_of(request),
            granted=given.granted,
            credit_minor=given.credit_minor,
            why=given.why,
        )
        return answer(request, made)

    async def agree_to_claim(self, request: web.Request) -> web.StreamResponse:
        """POST .../claims/{claim_id}/agreement."""
        seen, claim_id = await body_of(request, SeenVersion), joined_of(request, "claim_id")
        return answer(request, await self._desk.agree(claim_id, seen.version, actor_of(request)))

    async def send_claim_back(self, request: web.Request) -> web.StreamResponse:
        """POST .../claims/{claim_id}/sending-back."""
        given, claim_id = await body_of(request, RefusedClaim), joined_of(request, "claim_id")
        by = actor_of(request)
        return answer(request, await self._desk.send_back(claim_id, given.version, given.why, by))

    async def refuse_claim(self, request: web.Request) -> web.StreamResponse:
        """POST .../claims/{claim_id}/refusal."""
        given, claim_id = await body_of(request, RefusedClaim), joined_of(request, "claim_id")
        by = actor_of(request)
        return answer(request, await self._desk.refuse(claim_id, given.version, given.why, by))


def _buyer(request: web.Request) -> BidderId:
    return BidderId(signed_in(request).organisation_id)
