"""The photos of a lot: a part of its page, and a page by itself.

Without scripts each button is a form. With them pictures go to the API one by one, and the part is
taken from its own page again after each change.
"""

from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta

from auction.catalog.photo_worker import MAX_UPLOAD_BYTES
from auction.catalog.photos import MAX_PHOTOS
from auction.catalog.words import count_words
from auction.desk.access import RUN, VIEW, may_run, seller_of
from auction.desk.api_common import REFUSALS
from auction.desk.api_photos import MAX_FORM_BYTES, Uploading, file_path, number_of
from auction.desk.lot_drafts import DraftedLot
from auction.desk.pages.room import LOTS, DeskPagesRoom, lot_path, owner_of_lot, show
from auction.desk.photo_drafts import MAX_ALT, DraftAlt, DraftPhotos
from auction.desk.refusals import Refusal, Refused
from auction.desk.seller import Seller
from auction.ids import LiquidatorId
from foundation.http.forms import Form, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route

ACCEPTED: Final = "image/jpeg,image/png,image/webp"


class Doing(Input):
    """What is done to a photo, on the version that was seen."""

    do: Annotated[str, Meta(pattern=r"\A(describe|left|right|remove|back)\Z")]
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    alt: DraftAlt = ""


class PhotoPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        photos, told = f"{LOTS}/{{draft_id}}/photos", REFUSALS.told
        one = f"{photos}/{{number}}"
        return [
            Route("GET", photos, told(self.show), "The photos of a lot", VIEW),
            Route("POST", photos, told(self.add), "Add photos", RUN, max_body=MAX_FORM_BYTES),
            Route("POST", one, told(self.change), "Change a photo", RUN),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/lots/{draft_id}/photos; ``removed``: what can be brought back."""
        owner, draft_id = await owner_of_lot(self._room, request)
        lot = await self._room.lots.read(owner, draft_id)
        return show(request, "photos.html", **await photos_part(self._room, request, owner, lot))

    async def add(self, request: web.Request) -> web.StreamResponse:
        """POST .../photos: all that were chosen, or none."""
        form: Form[Uploading] = await form_of(request, Uploading)
        owner, draft_id = await owner_of_lot(self._room, request)
        seller, given = seller_of(request, owner), form.valid
        if given is None:
            return _back(draft_id, next(iter(form.errors.values())), FlashKind.ERROR)
        try:
            uploads = [one.data for one in given.photo]
            await self._room.photos.add(seller, draft_id, given.alt, uploads)
        except Refused as refused:
            if refused.refusal is Refusal.NOT_FOUND:
                raise
            return _back(draft_id, _in_words(refused, given), FlashKind.ERROR)
        said = "is" if len(uploads) == 1 else "are"
        return _back(draft_id, f"{count_words(len(uploads), 'photo')} {said} added.")

    async def change(self, request: web.Request) -> web.StreamResponse:
        """POST .../photos/{number}: one button of one photo."""
        form: Form[Doing] = await form_of(request, Doing)
        number, (owner, draft_id) = number_of(request), await owner_of_lot(self._room, request)
        if form.valid is None:
            raise INVALID(next(iter(form.errors.values())))
        doing = form.valid
        try:
            said = await self._done(seller_of(request, owner), draft_id, number, doing)
        except Refused as refused:
            if refused.refusal is Refusal.NOT_FOUND:
                raise
            return _back(draft_id, refused.message, FlashKind.ERROR)
        query = f"?removed={number}" if doing.do == "remove" else ""
        return _back(draft_id, said, query=query)

    async def _done(self, seller: Seller, draft_id: str, number: int, doing: Doing) -> str:
        """What a button asks for; what it has come to, in words."""
        photos, version = self._room.photos, doing.version
        match doing.do:
            case "describe":
                await photos.describe(seller, draft_id, version, number, doing.alt)
                return "It is described."
            case "remove":
                await photos.remove(seller, draft_id, version, number)
                return "The photo is removed."
            case "back":
                await photos.bring_back(seller, draft_id, number)
                return "The photo is back."
        now = await photos.list(seller.liquidator_id, draft_id)
        order = _moved(now, number, -1 if doing.do == "left" else 1)
        await photos.order(seller, draft_id, version, order)
        return f"The photo is at place {order.index(number) + 1} of {len(order)}."


async def photos_part(
    room: DeskPagesRoom, request: web.Request, owner: LiquidatorId, lot: DraftedLot
) -> dict[str, Any]:
    """What the template of the part asks for."""
    runs, later = may_run(request, owner), lot.sale_state == "PUBLISHED"
    zone = "UTC"
    if later and lot.sale_id is not None:
        schedule = (await room.sales.read(owner, lot.sale_id)).draft.schedule
        zone = schedule.time_zone if schedule is not None else zone
    removed = request.query.get("removed", "")
    return {
        "lot": lot,
        "photos": await room.photos.list(owner, lot.draft_id),
        "photos_open": runs and lot.sale_state in (None, "DRAFT"),
        "photos_later": later,
        "takes_photos": runs and await room.photos.takes_more(lot),
        "photo_zone": zone,
        "removed_photo": removed if removed.isascii() and removed.isdigit() else "",
        "file_path": file_path,
        "accepted": ACCEPTED,
        "most_photos": MAX_PHOTOS,
        "most_alt": MAX_ALT,
        "most_photo_mib": MAX_UPLOAD_BYTES // 2**20,
    }


def _moved(photos: DraftPhotos, number: int, by: int) -> list[int]:
    """The order with this photo a place further; at an end it stays. `Refused` NOT_FOUND."""
    order = [photo.number for photo in photos.items]
    if number not in order:
        raise Refused(Refusal.NOT_FOUND)
    place = order.index(number)
    other = min(max(place + by, 0), len(order) - 1)
    order[place], order[other] = order[other], order[place]
    return order


def _in_words(refused: Refused, given: Uploading) -> str:
    """The refusal with the name of the file that it is about."""
    place = refused.field.removeprefix("photo/")
    if not place.isdigit() or int(place) >= len(given.photo):
        return refused.message
    name = given.photo[int(place)].file_name or "The file"
    return f"{name}: {refused.message} Nothing was added."


def _back(
    draft_id: str, said: str, kind: FlashKind = FlashKind.SUCCESS, *, query: str = ""
) -> web.Response:
    return see_other(f"{lot_path(draft_id)}{query}#photos", said, kind)
