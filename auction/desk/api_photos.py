"""Photos of lots in preparation over HTTP: pictures come as files, one a request or several."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

from aiohttp import web
from msgspec import Meta, Struct

from auction.catalog.photo_worker import MAX_UPLOAD_BYTES
from auction.catalog.photos import MAX_PHOTOS, StoredFile
from auction.desk.access import RUN, VIEW, draft_of, seller_of, visible
from auction.desk.api_common import DESK, row
from auction.desk.photo_drafts import DraftAlt, DraftPhoto, DraftPhotos
from auction.desk.photos import Photos
from auction.desk.refusals import Refusal
from auction.desk.seller import Seller
from auction.ids import LiquidatorId
from foundation.http.answers import answer, bytes_answer, created
from foundation.http.forms import Form, Upload, form_of
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import Input, body_of, file_of, query_of
from foundation.http.routes import Media, Route
from foundation.http.versions import version_seen

FILE: Final = "application/octet-stream"
FORM: Final = "multipart/form-data"
# Pictures and the fields around them.
MAX_FORM_BYTES: Final = MAX_UPLOAD_BYTES + 64 * 1_024
# A draft's are its liquidator's; the bytes under a digest never change.
_KEPT: Final = {"Cache-Control": "private, max-age=86400, immutable"}
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")

OwnerOf = Callable[[str], Awaitable[LiquidatorId | None]]
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class Showing(Input):
    """``alt``: what the picture shows, for who cannot see it; empty: the lot's title."""

    alt: DraftAlt = ""


class Described(Input):
    """What a photo shows; empty: it is called by the lot's title."""

    alt: DraftAlt


class Order(Input):
    """All photos by their numbers; the first one stands for the lot."""

    numbers: Annotated[list[Number], Meta(max_length=MAX_PHOTOS)]


class Uploading(Input):
    """Pictures as a form sends them."""

    photo: Annotated[list[Upload], Meta(extra={"message": "Choose a picture."})]
    alt: DraftAlt = ""


class DeskPhotoFile(Struct, frozen=True, kw_only=True):
    """A photo in one size and format."""

    href: str
    media_type: str
    size: str
    width: int
    height: int


class DeskPhoto(Struct, frozen=True, kw_only=True):
    """A photo of a draft, in all its sizes, smallest first.

    ``number`` stays its own, whatever its place. ``added_later``: to a lot that was published.
    """

    number: int
    alt: str
    added_later: bool
    added_at_us: int
    files: Sequence[DeskPhotoFile]


class DeskPhotos(Struct, frozen=True):
    """The photos of a draft in their order. ``version`` is of the photos, not of the draft."""

    version: int
    items: Sequence[DeskPhoto]


class PhotosApi:
    """Handlers."""

    def __init__(self, photos: Photos, owner_of: OwnerOf) -> None:
        self._photos, self._owner_of = photos, owner_of

    def routes(self) -> list[Route]:
        """Their rows."""
        photos = "/lots/{draft_id}/photos"
        one, published = f"{photos}/{{number}}", Refusal.PUBLISHED_ALREADY
        return [
            row(
                "GET", photos, self.photos_of_lot, "The photos of a draft", VIEW, answer=DeskPhotos
            ),
            row(
                "POST",
                photos,
                self.add_photos,
                "Add a photo (JPEG, PNG, WebP), also to a published lot while its bidding goes on",
                RUN,
                *(Refusal.BAD_PHOTO, Refusal.TOO_MANY, Refusal.BUSY, Refusal.NOT_NOW),
                Refusal.CHANGED_MEANWHILE,
                takes=Media(FILE),
                query=Showing,
                answer=DeskPhotos,
                status=201,
                max_body=MAX_FORM_BYTES,
            ),
            self._change("PUT", photos, self.order_photos, "Put the photos in order", body=Order),
            self._change(
                "PATCH", one, self.describe_photo, "Say what a photo shows", body=Described
            ),
            self._change("DELETE", one, self.remove_photo, "Take a photo away"),
            row(
                "POST",
                f"{one}/bring-back",
                self.bring_photo_back,
                "Bring back a photo that was taken away",
                RUN,
                *(published, Refusal.TOO_MANY),
                answer=DeskPhotos,
            ),
            row(
                "GET",
                "/lots/{draft_id}/photo-files/{sha256}",
                self.photo_file,
                "A file of a draft's photo, by its SHA-256",
                VIEW,
                answer=Media("image/*"),
            ),
        ]

    def _change(
        self, method: str, path: str, handler: Any, summary: str, body: type[Input] | None = None
    ) -> Route:
        return row(
            *(method, path, handler, summary, RUN, Refusal.PUBLISHED_ALREADY),
            seen=True,
            body=body,
            answer=DeskPhotos,
        )

    async def photos_of_lot(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/lots/{draft_id}/photos."""
        draft_id = draft_of(request)
        owner = visible(request, await self._owner_of(draft_id))
        photos = await self._photos.list(owner, draft_id)
        return answer(request, photos_shown(draft_id, photos), version=photos.version)

    async def add_photos(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/lots/{draft_id}/photos: one as the body, or several in a form."""
        draft_id = draft_of(request)
        seller = seller_of(request, await self._owner_of(draft_id))
        alt = query_of(request, Showing).alt
        if request.content_type == FORM:
            form: Form[Uploading] = await form_of(request, Uploading)
            if form.valid is None:
                raise INVALID(next(iter(form.errors.values())), place="/photo")
            alt, uploads = form.valid.alt or alt, [one.data for one in form.valid.photo]
        else:
            uploads = [await file_of(request, FILE)]
        shown = photos_shown(draft_id, await self._photos.add(seller, draft_id, alt, uploads))
        return created(request, shown, f"{DESK}/lots/{draft_id}/photos")

    async def order_photos(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/lots/{draft_id}/photos."""
        version, asked = version_seen(request), await body_of(request, Order)
        seller, draft_id = await self._seller(request)
        photos = await self._photos.order(seller, draft_id, version, asked.numbers)
        return answer(request, photos_shown(draft_id, photos))

    async def describe_photo(self, request: web.Request) -> web.StreamResponse:
        """PATCH /api/v1/desk/lots/{draft_id}/photos/{number}."""
        version, asked = version_seen(request), await body_of(request, Described)
        (seller, draft_id), number = await self._seller(request), number_of(request)
        photos = await self._photos.describe(seller, draft_id, version, number, asked.alt)
        return answer(request, photos_shown(draft_id, photos))

    async def remove_photo(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/desk/lots/{draft_id}/photos/{number}."""
        version, number = version_seen(request), number_of(request)
        seller, draft_id = await self._seller(request)
        photos = await self._photos.remove(seller, draft_id, version, number)
        return answer(request, photos_shown(draft_id, photos))

    async def bring_photo_back(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/lots/{draft_id}/photos/{number}/bring-back."""
        (seller, draft_id), number = await self._seller(request), number_of(request)
        photos = await self._photos.bring_back(seller, draft_id, number)
        return answer(request, photos_shown(draft_id, photos))

    async def photo_file(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/lots/{draft_id}/photo-files/{sha256}."""
        digest, draft_id = request.match_info["sha256"], draft_of(request)
        owner = visible(request, await self._owner_of(draft_id))
        if not _DIGEST.fullmatch(digest):
            raise NOT_FOUND()
        media_type, data = await self._photos.file(owner, draft_id, bytes.fromhex(digest))
        return bytes_answer(request, data, media_type, headers=_KEPT)

    async def _seller(self, request: web.Request) -> tuple[Seller, str]:
        draft_id = draft_of(request)
        return seller_of(request, await self._owner_of(draft_id)), draft_id


def number_of(request: web.Request) -> int:
    """The photo that the path names. Raises NOT_FOUND for what can be no number."""
    text = request.match_info["number"]
    if not _NUMBER.fullmatch(text):
        raise NOT_FOUND()
    return int(text)


def photos_shown(draft_id: str, photos: DraftPhotos) -> DeskPhotos:
    """As the API tells them."""
    return DeskPhotos(photos.version, [_shown(draft_id, photo) for photo in photos.items])


def file_path(draft_id: str, file: StoredFile) -> str:
    """Where a file of a draft's photo is."""
    return f"{DESK}/lots/{quote(draft_id, safe='')}/photo-files/{file.sha256.hex()}"


def _shown(draft_id: str, photo: DraftPhoto) -> DeskPhoto:
    return DeskPhoto(
        number=photo.number,
        alt=photo.alt,
        added_later=photo.added_later,
        added_at_us=photo.added_at_us,
        files=[
            DeskPhotoFile(
                href=file_path(draft_id, file),
                media_type=file.media_type,
                size=file.size,
                width=file.width,
                height=file.height,
            )
            for file in photo.files
        ],
    )
