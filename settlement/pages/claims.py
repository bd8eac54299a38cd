"""Claims on pages: a buyer files one and follows it, staff decide it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from auction.ids import BidderId
from auction.terms import STORABLE
from foundation.http.answers import bytes_answer
from foundation.http.forms import Form, Upload, blank, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Route
from foundation.refusals import RefusedBecause
from settlement.access import ACT, PAY, PURCHASES, STAFF, award_of, joined_of, may_pay
from settlement.claiming.desk import ClaimView
from settlement.claiming.words import ClaimState, FiledLine, Filing, GrantedLine
from settlement.claims import Reason
from settlement.pages.doing import done, sentence, told
from settlement.pages.room import HOME, award_path, purchase_path, show
from settlement.room import Settlement

CLAIMS: Final = "/purchases/claims"
DESK: Final = f"{HOME}/claims"
# Of a form: a truckload of faults is filed by the API, or as several claims.
MAX_ROWS: Final = 60
MAX_PHOTOS: Final = 10
# Ten pictures of a telephone.
MAX_FORM: Final = 96 * 2**20

REASONS: Final = (
    (Reason.MISSING, "Missing"),
    (Reason.WRONG_ITEM, "Not what the manifest says"),
    (Reason.WORSE_CONDITION, "Worse than its grade"),
    (Reason.DAMAGED, "Damaged on the way"),
)
# What of a piece's value is lost.
LOSSES: Final = ((10_000, "All of it"), (7_500, "75 %"), (5_000, "50 %"), (2_500, "25 %"))

_Words = Annotated[str, Meta(max_length=4_000, pattern=STORABLE)]


class Claiming(Input):
    """A claim as its form sends it: the lists have a place for each line."""

    line: Annotated[list[int], Meta(max_length=MAX_ROWS)] = []  # noqa: RUF012 - a Struct's default
    reason: Annotated[list[Reason], Meta(max_length=MAX_ROWS)] = []  # noqa: RUF012
    quantity: Annotated[list[int], Meta(max_length=MAX_ROWS)] = []  # noqa: RUF012
    loss: Annotated[list[int], Meta(max_length=MAX_ROWS)] = []  # noqa: RUF012
    words: _Words = ""
    photos: Annotated[list[Upload], Meta(max_length=MAX_PHOTOS)] = []  # noqa: RUF012


class Answering(Input):
    """What a buyer does with its claim."""

    what: Annotated[str, Meta(pattern=r"\A(say|withdraw)\Z")]
    version: Annotated[int, Meta(ge=1, le=2**31)]
    words: _Words = ""
    photos: Annotated[list[Upload], Meta(max_length=MAX_PHOTOS)] = []  # noqa: RUF012


class Deciding(Input):
    """What staff do with a claim. The lists have a place for each of its lines."""

    what: Annotated[str, Meta(pattern=r"\A(grant|refuse|agree|send_back|say)\Z")]
    version: Annotated[int, Meta(ge=1, le=2**31)]
    quantity: Annotated[list[int], Meta(max_length=200)] = []  # noqa: RUF012
    loss: Annotated[list[int], Meta(max_length=200)] = []  # noqa: RUF012
    why: Annotated[str, Meta(max_length=1_000, pattern=STORABLE)] = ""
    words: _Words = ""


class ClaimPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        new, one = f"{CLAIMS}/new/{{award_id}}", f"{CLAIMS}/{{claim_id}}"
        desk = f"{DESK}/{{claim_id}}"
        photo = "/photos/{sha256}"
        accept = "/purchases/accept/{award_id}"
        return [
            Route("GET", CLAIMS, self.mine, "Your claims", PURCHASES),
            Route("GET", new, self.new, "Claim", PAY),
            Route("POST", new, self.file, "File a claim", PAY, max_body=MAX_FORM),
            Route("GET", one, told(self.own), "A claim of yours", PURCHASES),
            Route("POST", one, self.answer, "Answer in it", PAY, max_body=MAX_FORM),
            Route("GET", f"{one}{photo}", told(self.own_photo), "A photo of it", PURCHASES),
            Route("POST", accept, self.accept, "Accept the goods", PAY),
            Route("GET", DESK, self.desk, "Claims to decide", STAFF),
            Route("GET", desk, told(self.look), "A claim", STAFF),
            Route("POST", desk, self.decide, "Decide it", ACT),
            Route("GET", f"{desk}{photo}", told(self.photo), "A photo of it", STAFF),
        ]

    # The buyer's.

    async def mine(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/claims."""
        claims = await self._room.claims.of_buyer(_buyer(request))
        return show(request, "claims.html", claims=claims)

    async def new(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/claims/new/{award_id}."""
        return await self._form(request, blank())

    async def file(self, request: web.Request) -> web.StreamResponse:
        """POST /purchases/claims/new/{award_id}."""
        form = await form_of(request, Claiming)
        award_id, buyer_id = award_of(request), _buyer(request)
        if form.valid is None:
            return await self._form(request, form, 422)
        given = form.valid
        parts = (given.line, given.reason, given.quantity, given.loss)
        if len({len(part) for part in parts}) != 1:
            said = "Fill in all four fields of each line that you claim, and none of the others."
            return await self._form(request, form.refused("", said), 422)
        try:
            lines = tuple(
                FiledLine(line=line, reason=reason, quantity=quantity, loss_bps=loss)
                for line, reason, quantity, loss in zip(*parts, strict=True)
            )
            made = await self._room.claims.file(
                award_id,
                Filing(lines=lines, words=given.words),
                actor_of(request),
                buyer_id=buyer_id,
                uploads=[upload.data for upload in given.photos],
            )
        except RefusedBecause as refused:
            if refused.refusal == "NOT_FOUND":
                raise NOT_FOUND() from None
            form = form.refused("", sentence(refused.message))
            return await self._form(request, form, 409)
        said = "We have your claim. We look at it, and write here if we need to know more."
        return see_other(f"{CLAIMS}/{made.claim_id}", said)

    async def own(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/claims/{claim_id}."""
        claim_id, buyer_id = joined_of(request, "claim_id"), _buyer(request)
        claim = await self._room.claims.claim(claim_id, buyer_id)
        return show(
            request,
            "claim.html",
            claim=claim,
            reasons=dict(REASONS),
            messages=await self._room.claim_talk.messages(claim_id, buyer_id),
            photos=await self._room.claim_talk.photos(claim_id, buyer_id),
            photo_path=f"{CLAIMS}/{claim_id}/photos",
            pays=may_pay(request, claim.buyer_id),
            open=claim.state in (ClaimState.FILED, ClaimState.PROPOSED),
            invoice_href=purchase_path(claim.invoice_id),
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """POST /purchases/claims/{claim_id}."""
        form = await form_of(request, Answering)
        claim_id, buyer_id = joined_of(request, "claim_id"), _buyer(request)
        place = f"{CLAIMS}/{claim_id}"
        if form.valid is None:
            return see_other(place, "That is too long.", FlashKind.ERROR)
        given, by = form.valid, actor_of(request)
        if given.what == "withdraw":
            gone = self._room.claims.withdraw(claim_id, given.version, by, buyer_id=buyer_id)
            return await done(gone, place, "The claim is taken back, and the goods are accepted.")
        if given.photos:
            uploads = [upload.data for upload in given.photos]
            more = self._room.claim_talk.add_photos(claim_id, uploads, by, buyer_id=buyer_id)
            if not given.words:
                return await done(more, place, "We have your photos.")
            await done(more, place, "")
        work = self._room.claim_talk.say(claim_id, given.words, by, buyer_id=buyer_id)
        return await done(work, place, "We have your message.")

    async def own_photo(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/claims/{claim_id}/photos/{sha256}."""
        return await self._photo(request, _buyer(request))

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """POST /purchases/accept/{award_id}."""
        award_id, buyer_id = award_of(request), _buyer(request)
        buyer = await self._room.stories.buyer_of_award(award_id)
        if buyer != buyer_id:
            raise NOT_FOUND()
        invoice_id = await self._room.stories.invoice_of_award(award_id)
        work = self._room.acceptances.accept(buyer_id, actor_of(request), award_id)
        place = purchase_path(invoice_id) if invoice_id else "/purchases"
        return await done(work, place, "Accepted. Thank you: the seller is paid now.")

    # Staff's.

    async def desk(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/claims."""
        return show(request, "claims_desk.html", claims=await self._room.claims_desk.queue())

    async def look(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/claims/{claim_id}."""
        view = await self._room.claims_desk.view(joined_of(request, "claim_id"))
        return show(request, "claim_desk.html", **self._shown(request, view))

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/claims/{claim_id}."""
        form = await form_of(request, Deciding)
        claim_id = joined_of(request, "claim_id")
        place = f"{DESK}/{claim_id}"
        if form.valid is None:
            said = "Quantities are whole numbers, and words have a bound."
            return see_other(place, said, FlashKind.ERROR)
        given, by, desk = form.valid, actor_of(request), self._room.claims_desk
        if len(given.quantity) != len(given.loss):
            raise INVALID("Each line has a quantity and a loss.")
        match given.what:
            case "grant":
                lines = [
                    GrantedLine(place=n, quantity=quantity, loss_bps=loss)
                    for n, (quantity, loss) in enumerate(
                        zip(given.quantity, given.loss, strict=True), start=1
                    )
                ]
                work: Any = desk.grant(
                    claim_id, given.version, by, granted=lines or None, why=given.why
                )
                said = "Decided. The money goes back, or a second person is asked to agree."
            case "agree":
                work, said = desk.agree(claim_id, given.version, by), "The money goes back."
            case "send_back":
                work = desk.send_back(claim_id, given.version, given.why, by)
                said = "It is to be decided again."
            case "refuse":
                work = desk.refuse(claim_id, given.version, given.why, by)
                said = "Refused. The buyer reads why."
            case _:
                work = self._room.claim_talk.say(claim_id, given.words, by)
                said = "The buyer reads it on the claim's page."
        return await done(work, place, said)

    async def photo(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/claims/{claim_id}/photos/{sha256}."""
        return await self._photo(request, None)

    def _shown(self, request: web.Request, view: ClaimView) -> dict[str, Any]:
        claim, me = view.claim, signed_in(request).person_id
        lines = {line.line: line for line in view.manifest}
        return {
            "view": view,
            "claim": claim,
            "manifest": lines,
            "reasons": dict(REASONS),
            "losses": LOSSES,
            "photo_path": f"{DESK}/{claim.claim_id}/photos",
            "mine": claim.decided_by == me,
            "award_href": award_path(claim.award_id),
            "granted": dict(enumerate(claim.granted or (), start=1)),
        }

    async def _photo(self, request: web.Request, buyer_id: BidderId | None) -> web.Response:
        try:
            digest = bytes.fromhex(request.match_info["sha256"])
        except ValueError:
            raise NOT_FOUND() from None
        claim_id = joined_of(request, "claim_id")
        media_type, data = await self._room.claim_talk.photo_file(claim_id, digest, buyer_id)
        return bytes_answer(request, data, media_type)

    async def _form(
        self, request: web.Request, form: Form[Any], status: int = 200
    ) -> web.StreamResponse:
        award_id, buyer_id = award_of(request), _buyer(request)
        try:
            until_us, manifest = await self._room.claims.claimable(award_id, buyer_id)
        except RefusedBecause as refused:
            if refused.refusal == "NOT_FOUND":
                raise NOT_FOUND() from None
            return see_other("/purchases", sentence(refused.message), FlashKind.WARNING)
        story = await self._room.stories.of_award(award_id)
        assert story.award is not None and story.invoice is not None
        return show(
            request,
            "claim_new.html",
            status=status,
            form=form,
            award=story.award,
            zone=story.invoice.zone,
            until_us=until_us,
            manifest=manifest,
            reasons=REASONS,
            losses=LOSSES,
            rows=rows_of(form),
            invoice_href=purchase_path(story.invoice.invoice_id),
        )


def rows_of(form: Form[Any]) -> Sequence[tuple[str, str, str, str]]:
    """What was typed, a tuple for each line, and some blank ones after."""
    columns = []
    for name in ("line", "reason", "quantity", "loss"):
        value = form.values.get(name, [])
        columns.append(list(value) if not isinstance(value, str) else [value])
    typed = max((len(column) for column in columns), default=0)
    wanted = min(MAX_ROWS, max(3, typed))
    padded = [column + [""] * (wanted - len(column)) for column in columns]
    return [tuple(row) for row in zip(*padded, strict=True)]


def _buyer(request: web.Request) -> BidderId:
    return BidderId(signed_in(request).organisation_id)
