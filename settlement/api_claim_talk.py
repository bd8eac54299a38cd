"""The API of what buyer and staff say to each other in a claim."""

from collections.abc import Sequence

from aiohttp import web
from msgspec import Struct

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from auction.ids import BidderId
from foundation.http.answers import answer, created
from foundation.http.reading import Input, body_of
from foundation.http.routes import Route
from settlement.access import ACT, PAY, PURCHASES, STAFF, joined_of
from settlement.api_common import row
from settlement.claiming.claim_table import Said
from settlement.claiming.talking import ClaimTalk
from settlement.claiming.words import DeskRefusal as R
from settlement.claiming.words import Message

SAYING = (R.NOT_NOW, R.TOO_MANY, R.WHY_NEEDED)


class Saying(Input):
    """What is said."""

    words: Message


class Talk(Struct, frozen=True):
    """What was said, in its order."""

    items: Sequence[Said]


class ClaimTalkApi:
    """Handlers."""

    def __init__(self, talk: ClaimTalk) -> None:
        self._talk = talk

    def routes(self) -> list[Route]:
        """Their rows."""
        own, any_ = "/purchases/claims/{claim_id}/messages", "/claims/{claim_id}/messages"
        return [
            row("GET", own, self.own_talk, "What was said in a claim of yours", PURCHASES,
                answer=Talk),
            row("POST", own, self.say_as_buyer, "Answer, while it is not decided", PAY, *SAYING,
                body=Saying, answer=Talk, status=201),
            row("GET", any_, self.talk, "What was said in a claim", STAFF, answer=Talk),
            row("POST", any_, self.say_as_staff, "Ask the buyer; it gets a mail", ACT, *SAYING,
                body=Saying, answer=Talk, status=201),
        ]  # fmt: skip

    async def own_talk(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/claims/{claim_id}/messages."""
        claim_id = joined_of(request, "claim_id")
        return answer(request, Talk(await self._talk.messages(claim_id, _buyer(request))))

    async def say_as_buyer(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/claims/{claim_id}/messages."""
        return await self._say(request, _buyer(request))

    async def talk(self, request: web.Request) -> web.StreamResponse:
        """GET .../claims/{claim_id}/messages."""
        return answer(request, Talk(await self._talk.messages(joined_of(request, "claim_id"))))

    async def say_as_staff(self, request: web.Request) -> web.StreamResponse:
        """POST .../claims/{claim_id}/messages."""
        return await self._say(request, None)

    async def _say(self, request: web.Request, buyer_id: BidderId | None) -> web.StreamResponse:
        given, claim_id = await body_of(request, Saying), joined_of(request, "claim_id")
        by = actor_of(request)
        said = await self._talk.say(claim_id, given.words, by, buyer_id=buyer_id)
        return created(request, Talk(said), request.path)


def _buyer(request: web.Request) -> BidderId:
    return BidderId(signed_in(request).organisation_id)
