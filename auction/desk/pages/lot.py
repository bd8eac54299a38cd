"""/desk/lots/{draft_id}: everything of a lot, and how a bidder would see it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, cast

import msgspec
from aiohttp import web
from msgspec import Meta, structs

from auction.amounts import plain
from auction.catalog.goods import ManifestLine
from auction.catalog.words import RESTRICTIONS
from auction.desk.access import RUN, VIEW, may_run, seller_of
from auction.desk.agreements import Agreement
from auction.desk.api_common import REFUSALS
from auction.desk.api_photos import file_path
from auction.desk.guidance import Guidance, GuidanceQuery
from auction.desk.guidance_rules import Basis
from auction.desk.lot_changes import LotChanges
from auction.desk.lot_drafts import DraftedLot
from auction.desk.pages import mixes
from auction.desk.pages.consignors import consignor_path, fields_of
from auction.desk.pages.lot_fields import FIELDS, changes_of, faults_of
from auction.desk.pages.photos import photos_part
from auction.desk.pages.room import LOTS, DeskPagesRoom, lot_path, owner_of_lot, show, status_of
from auction.desk.refusals import Refusal, Refused
from auction.desk.suggesting import Suggestion, suggestion
from auction.ids import LiquidatorId
from auction.money import EXPONENTS
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route

# Lines of a manifest on one page.
LINES_SHOWN: Final = 25
Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]

_TEXTS: Final = tuple(name for name in FIELDS if name != "restrictions")

# Every field as text: what is wrong with it, the table of fields says.
LotForm: Final = msgspec.defstruct(
    "LotForm",
    [
        ("version", Version),
        ("restrictions", list[str], msgspec.field(default_factory=list)),
        ("other_restrictions", str, ""),
        *((name, str, "") for name in _TEXTS),
    ],
    bases=(Input,),
    kw_only=True,
)


class Taking(Input):
    """What is taken over from what is proposed: a suggested word, or guided prices."""

    version: Version
    what: Annotated[str, Meta(pattern=r"\A(title|description|category|source|prices|agreement)\Z")]


class LotPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one = f"{LOTS}/{{draft_id}}"
        told = REFUSALS.told
        return [
            Route("GET", one, told(self.show), "A lot in preparation", VIEW),
            Route("POST", one, told(self.save), "Save a lot", RUN),
            Route("POST", f"{one}/take", told(self.take), "Take a proposal over", RUN),
            Route("GET", f"{one}/preview", told(self.preview), "A lot as bidders see it", VIEW),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/lots/{draft_id}."""
        owner, draft_id = await owner_of_lot(self._room, request)
        lot = await self._room.lots.read(owner, draft_id)
        return await self._page(request, owner, lot, _form_of(lot))

    async def save(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/lots/{draft_id}."""
        form: Form[Any] = await form_of(request, LotForm)
        owner, draft_id = await owner_of_lot(self._room, request)
        seller = seller_of(request, owner)
        lot = await self._room.lots.read(owner, draft_id)
        given = form.valid
        if given is None:
            return await self._page(request, owner, lot, form, 422)
        typed = {name: getattr(given, name) for name in _TEXTS}
        restrictions = [*given.restrictions, given.other_restrictions]
        typed["restrictions"] = ", ".join(filter(None, restrictions))
        fields = await fields_of(self._room, owner, lot.draft.consignor_id)
        for name, message in faults_of(typed, lot.draft.currency, fields).items():
            form = form.refused("other_restrictions" if name == "restrictions" else name, message)
        if form.errors:
            return await self._page(request, owner, lot, form, 422)
        changes = changes_of(typed, lot.draft.currency, fields)
        try:
            await self._room.lots.change(seller, draft_id, given.version, changes)
        except Refused as refused:
            status = status_of(refused)
            return await self._page(request, owner, lot, form.refused("", refused.message), status)
        return see_other(lot_path(draft_id), "The lot is saved.")

    async def take(self, request: web.Request) -> web.StreamResponse:
        """POST .../take: a suggested word, or the prices that goods like these bring."""
        form = await form_of(request, Taking)
        if form.valid is None:
            raise INVALID("There is no such proposal.")
        owner, draft_id = await owner_of_lot(self._room, request)
        seller, what = seller_of(request, owner), form.valid.what
        lot = await self._room.lots.read(owner, draft_id)
        newest = (await self._agreed(owner, lot))[1] if what == "agreement" else None
        typed = {} if newest else await self._proposed(owner, lot, what)
        if newest is None and not typed:
            return see_other(lot_path(draft_id), "There is no proposal now.", FlashKind.WARNING)
        changes = changes_of(typed, lot.draft.currency)
        if newest is not None:
            named = {"agreement_id": newest.agreement_id, "agreement_version": newest.version}
            typed, changes = {"consignor": ""}, msgspec.convert(named, LotChanges)
        try:
            await self._room.lots.change(seller, draft_id, form.valid.version, changes)
        except Refused as refused:
            if refused.refusal is Refusal.NOT_FOUND:
                raise
            return see_other(lot_path(draft_id), refused.message, FlashKind.ERROR)
        taken = {"prices": "The prices are", "agreement": "The agreement in force is"}.get(
            what, f"The suggested {what} is"
        )
        return see_other(f"{lot_path(draft_id)}#field-{next(iter(typed))}", f"{taken} taken over.")

    async def preview(self, request: web.Request) -> web.StreamResponse:
        """GET .../preview."""
        owner, draft_id = await owner_of_lot(self._room, request)
        lot = await self._room.lots.read(owner, draft_id)
        lines = await self._room.lots.lines(owner, draft_id)
        photos = await self._room.photos.list(owner, draft_id)
        said = _manifest(request, lot, lines)
        return show(
            request, "lot_preview.html", lot=lot, photos=photos, file_path=file_path, **said
        )

    async def _proposed(self, owner: LiquidatorId, lot: DraftedLot, what: str) -> Mapping[str, str]:
        if what == "agreement":
            return {}
        if what != "prices":
            words = await self._room.lots.suggest(owner, lot.draft_id)
            proposed = str(getattr(words, what))
            return {what: proposed} if proposed else {}
        guidance = await self._guidance(owner, lot)
        if guidance is None or guidance.opening_minor is None:
            return {}
        currency, reserve = lot.draft.currency, guidance.reserve_minor
        return {
            "opening": plain(guidance.opening_minor, currency),
            "reserve": "" if reserve is None else plain(reserve, currency),
        }

    async def _asked(self, owner: LiquidatorId, lot: DraftedLot) -> int:
        """How many questions about it wait for an answer."""
        if lot.sale_id is None or lot.number is None:
            return 0
        return await self._room.questions.waiting(owner, lot.sale_id, lot.number)

    async def _agreed(
        self, owner: LiquidatorId, lot: DraftedLot
    ) -> tuple[Agreement | None, Agreement | None]:
        """What a consigned lot is under, and what is in force where that is another version."""
        if lot.draft.consignor_id is None:
            return None, None
        book = await self._room.consignors.book(owner, [lot.draft])
        bound, current = book.version(lot.draft), book.current(lot.draft.consignor_id)
        if bound is None:
            return None, book.usual(lot.draft.consignor_id, lot.draft.currency)
        newer = (one for one in current if one.agreement_id == bound.agreement_id)
        return bound, next((one for one in newer if one.version > bound.version), None)

    async def _guidance(self, owner: LiquidatorId, lot: DraftedLot) -> Guidance | None:
        """What goods like these bring; ``None``: it is not known yet what they are."""
        draft, condition = lot.draft, lot.condition
        known = draft.category and draft.kind and condition and lot.retail_minor > 0
        if not known or draft.currency not in EXPONENTS:
            return None
        assert draft.kind is not None and condition is not None, "known"
        query = GuidanceQuery(
            category=draft.category,
            condition=condition,
            kind=draft.kind,
            msrp_minor=lot.retail_minor,
            currency=draft.currency,
        )
        return await self._room.guidance.guide(owner, query)

    async def _page(
        self,
        request: web.Request,
        owner: LiquidatorId,
        lot: DraftedLot,
        form: Form[Any],
        status: int = 200,
    ) -> web.Response:
        lines = await self._room.lots.lines(owner, lot.draft_id)
        runs = may_run(request, owner)
        agreed, newer_agreement = await self._agreed(owner, lot)
        return show(
            request,
            "lot.html",
            status=status,
            form=form,
            fields=await fields_of(self._room, owner, lot.draft.consignor_id),
            agreed=agreed,
            newer_agreement=newer_agreement,
            consignor_path=consignor_path,
            runs=runs,
            open=runs and lot.sale_state in (None, "DRAFT"),
            suggested=_suggested(lot, lines),
            guidance=await self._guidance(owner, lot),
            Basis=Basis,
            known_restrictions=tuple(RESTRICTIONS.items()),
            pallets=len({line.pallet for line in lines}),
            joined=request.query.get("joined", "")[:64],
            asked=await self._asked(owner, lot),
            **_manifest(request, lot, lines),
            **await photos_part(self._room, request, owner, lot),
        )


def _form_of(lot: DraftedLot) -> Form[Any]:
    """The lot as it stands in the fields."""
    values: dict[str, str | list[str]] = {name: FIELDS[name].typed(lot.draft) for name in _TEXTS}
    given = lot.draft.restrictions
    values["restrictions"] = [one for one in given if one in RESTRICTIONS]
    values["other_restrictions"] = ", ".join(one for one in given if one not in RESTRICTIONS)
    return blank(**values, version=str(lot.version))


def _suggested(lot: DraftedLot, lines: Sequence[ManifestLine]) -> Mapping[str, str]:
    """What the lines suggest and the draft does not say already."""
    words: Suggestion = suggestion(lines, lot.draft.currency)
    proposed = cast("dict[str, str]", structs.asdict(words))
    return {name: text for name, text in proposed.items() if text != getattr(lot.draft, name)}


def _manifest(
    request: web.Request, lot: DraftedLot, lines: Sequence[ManifestLine]
) -> dict[str, Any]:
    """A page of the lines, and what they are made of."""
    wanted = request.query.get("line", "1")
    first = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 7 else 1
    first = max(1, min(first, len(lines)))
    path, after = request.path, first + LINES_SHOWN
    return {
        "lines": lines[first - 1 : after - 1],
        "categories": mixes.by_category(lines, lot.draft.currency),
        "conditions": mixes.by_condition(lines, lot.draft.currency),
        "next_href": f"{path}?line={after}#manifest" if after <= len(lines) else "",
        "first_href": f"{path}#manifest" if first > 1 else "",
    }
