"""The API of photos as evidence: in a claim, at the dock, at the buyer's door."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from auction.catalog.photo_worker import MAX_UPLOAD_BYTES
from auction.ids import BidderId
from auction.terms import STORABLE
from foundation.database import Pool, acquire
from foundation.http.answers import answer, bytes_answer, created
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input, file_of, query_of
from foundation.http.routes import Media, Route
from settlement.access import ACT, PAY, PURCHASES, STAFF, award_of, joined_of
from settlement.api_common import row
from settlement.claiming.talking import ClaimTalk
from settlement.claiming.words import DeskRefusal
from settlement.pickups.at_dock import AtDock
from settlement.pickups.deliveries import Deliveries
from settlement.pickups.evidence import MAX_ALT, Photo, Shows, read_photo_file
from settlement.pickups.words import PickupRefusal

# What a picture is, is seen from its bytes.
PICTURE: Final = "application/octet-stream"
# A file is named by its own digest: it never changes. Evidence is for who may see it alone.
_KEPT: Final[Mapping[str, str]] = {"Cache-Control": "private, max-age=31536000, immutable"}
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")

_IN_CLAIM: Final = (
    DeskRefusal.BAD_PHOTO, DeskRefusal.BUSY, DeskRefusal.TOO_MANY, DeskRefusal.NOT_NOW,
)  # fmt: skip
_AT_DOCK: Final = (
    PickupRefusal.BAD_PHOTO, PickupRefusal.BUSY, PickupRefusal.TOO_MANY, PickupRefusal.NOT_NOW,
    PickupRefusal.NOT_FUNDED,
)  # fmt: skip


class Showing(Input):
    """What a photo shows."""

    alt: Annotated[str, Meta(max_length=MAX_ALT, pattern=STORABLE)] = ""


class EvidenceFile(Struct, frozen=True, kw_only=True):
    """A photo in one size and format."""

    href: str
    media_type: str
    size: str
    width: int
    height: int


class EvidencePhoto(Struct, frozen=True, kw_only=True):
    """A photo in all its sizes, smallest first."""

    number: int
    alt: str
    added_at_us: int
    added_by: str
    files: Sequence[EvidenceFile]


class EvidencePhotos(Struct, frozen=True):
    """The photos of one thing, in their order; they stay."""

    items: Sequence[EvidencePhoto]


class EvidenceApi:
    """Handlers."""

    def __init__(
        self, pool: Pool, talk: ClaimTalk, at_dock: AtDock, deliveries: Deliveries
    ) -> None:
        self._pool, self._talk = pool, talk
        self._at_dock, self._deliveries = at_dock, deliveries

    def routes(self) -> list[Route]:
        """Their rows."""
        own, claim = "/purchases/claims/{claim_id}/photos", "/claims/{claim_id}/photos"
        truck, sent = "/pickups/{pickup_id}/photos", "/deliveries/{award_id}/photos"
        file, said = "/{sha256}", "A file of a photo, by its SHA-256"
        shown: dict[str, Any] = {"answer": EvidencePhotos}
        picture: dict[str, Any] = {"answer": Media("image/*")}
        return [
            row("GET", own, self.own_claim_photos, "Photos of a claim of yours", PURCHASES,
                **shown),
            row("POST", own, self.add_to_own_claim, "Add one (JPEG, PNG, WebP)", PAY,
                *_IN_CLAIM, **_UPLOAD),
            row("GET", f"{own}{file}", self.own_claim_file, said, PURCHASES, **picture),
            row("GET", claim, self.claim_photos, "Photos of a claim", STAFF, **shown),
            row("GET", f"{claim}{file}", self.claim_file, said, STAFF, **picture),
            row("GET", truck, self.truck_photos, "Photos of a load", STAFF, **shown),
            row("POST", truck, self.add_to_truck, "Add one (JPEG, PNG, WebP)", ACT,
                *_AT_DOCK, query=Showing, **_UPLOAD),
            row("GET", f"{truck}{file}", self.truck_file, said, STAFF, **picture),
            row("GET", sent, self.delivery_photos, "Photos of a proof of delivery", STAFF,
                **shown),
            row("POST", sent, self.add_to_delivery,
                "Add one (JPEG, PNG, WebP) once somebody has signed", ACT, *_AT_DOCK, **_UPLOAD),
            row("GET", f"{sent}{file}", self.delivery_file, said, STAFF, **picture),
        ]  # fmt: skip

    async def own_claim_photos(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/claims/{claim_id}/photos."""
        found = await self._talk.photos(joined_of(request, "claim_id"), _buyer(request))
        return answer(request, _shown(request, found))

    async def add_to_own_claim(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/claims/{claim_id}/photos: the same picture again changes nothing."""
        data, claim_id = await file_of(request, PICTURE), joined_of(request, "claim_id")
        found = await self._talk.add_photos(
            claim_id, [data], actor_of(request), buyer_id=_buyer(request)
        )
        return _added(request, found)

    async def own_claim_file(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/claims/{claim_id}/photos/{sha256}."""
        digest, claim_id = _digest(request), joined_of(request, "claim_id")
        media_type, data = await self._talk.photo_file(claim_id, digest, _buyer(request))
        return bytes_answer(request, data, media_type, headers=_KEPT)

    async def claim_photos(self, request: web.Request) -> web.StreamResponse:
        """GET .../claims/{claim_id}/photos."""
        found = await self._talk.photos(joined_of(request, "claim_id"))
        return answer(request, _shown(request, found))

    async def claim_file(self, request: web.Request) -> web.StreamResponse:
        """GET .../claims/{claim_id}/photos/{sha256}."""
        return await self._file(request, Shows.CLAIM, joined_of(request, "claim_id"))

    async def truck_photos(self, request: web.Request) -> web.StreamResponse:
        """GET .../pickups/{pickup_id}/photos."""
        load = await self._at_dock.load(joined_of(request, "pickup_id"))
        return answer(request, _shown(request, load.photos))

    async def add_to_truck(self, request: web.Request) -> web.StreamResponse:
        """POST .../pickups/{pickup_id}/photos: while it is here, and after it has left."""
        alt, data = query_of(request, Showing).alt, await file_of(request, PICTURE)
        pickup_id = joined_of(request, "pickup_id")
        found = await self._at_dock.add_photos(pickup_id, [data], alt, actor_of(request))
        return _added(request, found)

    async def truck_file(self, request: web.Request) -> web.StreamResponse:
        """GET .../pickups/{pickup_id}/photos/{sha256}."""
        return await self._file(request, Shows.PICKUP, joined_of(request, "pickup_id"))

    async def delivery_photos(self, request: web.Request) -> web.StreamResponse:
        """GET .../deliveries/{award_id}/photos."""
        _, found = await self._deliveries.delivery(award_of(request))
        return answer(request, _shown(request, found))

    async def add_to_delivery(self, request: web.Request) -> web.StreamResponse:
        """POST .../deliveries/{award_id}/photos."""
        data, award_id = await file_of(request, PICTURE), award_of(request)
        found = await self._deliveries.add_photos(award_id, [data], actor_of(request))
        return _added(request, found)

    async def delivery_file(self, request: web.Request) -> web.StreamResponse:
        """GET .../deliveries/{award_id}/photos/{sha256}."""
        return await self._file(request, Shows.DELIVERY, award_of(request))

    async def _file(self, request: web.Request, shows: Shows, subject: str) -> web.StreamResponse:
        async with acquire(self._pool) as connection:
            found = await read_photo_file(connection, shows, subject, _digest(request))
        if found is None:
            raise NOT_FOUND()
        return bytes_answer(request, found[1], found[0], headers=_KEPT)


_UPLOAD: Final[dict[str, Any]] = {
    "takes": Media(PICTURE),
    "answer": EvidencePhotos,
    "status": 201,
    "max_body": MAX_UPLOAD_BYTES,
}


def _shown(request: web.Request, photos: Sequence[Photo]) -> EvidencePhotos:
    place = request.path
    return EvidencePhotos(
        [
            EvidencePhoto(
                number=photo.number,
                alt=photo.alt,
                added_at_us=photo.added_at_us,
                added_by=photo.added_by,
                files=[
                    EvidenceFile(
                        href=f"{place}/{file.sha256.hex()}",
                        media_type=file.media_type,
                        size=file.size,
                        width=file.width,
                        height=file.height,
                    )
                    for file in photo.files
                ],
            )
            for photo in photos
        ]
    )


def _added(request: web.Request, photos: Sequence[Photo]) -> web.StreamResponse:
    return created(request, _shown(request, photos), request.path)


def _digest(request: web.Request) -> bytes:
    word = request.match_info["sha256"]
    if not _DIGEST.fullmatch(word):
        raise NOT_FOUND()
    return bytes.fromhex(word)


def _buyer(request: web.Request) -> BidderId:
    return BidderId(signed_in(request).organisation_id)
