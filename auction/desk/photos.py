"""What sellers do with the photos of a lot: add, describe, put in order, remove and bring back.

Photos have a version of their own, so that taking pictures at the dock spoils nobody's form. A
change takes the draft's lock, and before it a share of its sale's: nobody publishes the sale
meanwhile, so that a photo is either in the catalogue with the others or was added later. To a
published lot photos are added while its bidding goes on; they are marked with their time, and stay.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from auction.catalog.photo_worker import PhotoFile
from auction.catalog.photos import BadPhoto, PhotoWorker, TooManyPhotos, add_photo
from auction.desk import photo_drafts
from auction.desk.lot_drafts import DraftedLot, must_be_open, read_lot
from auction.desk.photo_drafts import (
    MAX_ALT,
    DraftPhoto,
    DraftPhotos,
    add_draft_photo,
    first_photos,
    must_have_room,
    read_draft_file,
    read_photos,
    touch_photos,
)
from auction.desk.refusals import Refusal, Refused
from auction.desk.sale_drafts import DraftState
from auction.desk.seller import Seller
from auction.ids import LiquidatorId
from foundation.database import AnyConnection, Pool, acquire, transaction

_ENDED = "The bidding for this lot has ended: its photos stay as they are."

_HAS_ENDED = """
select status <> 'LIVE' or closes_at_us <= $3 from lot_board where sale_id = $1 and lot_id = $2
"""


class Photos:
    """Photos of drafts. ``now_us`` is the clock that lots end by."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us, self._worker = pool, now_us, PhotoWorker()

    async def close(self) -> None:
        """End the process that decodes pictures."""
        await self._worker.close()

    # Reading.

    async def list(self, liquidator_id: LiquidatorId, draft_id: str) -> DraftPhotos:
        """The photos of a draft. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            await read_lot(connection, liquidator_id, draft_id)
            return await read_photos(connection, draft_id)

    async def firsts(
        self, liquidator_id: LiquidatorId, draft_ids: Sequence[str]
    ) -> Mapping[str, DraftPhoto]:
        """The first photo of each draft that has one, with its tile only."""
        async with acquire(self._pool) as connection:
            return await first_photos(connection, liquidator_id, draft_ids)

    async def file(
        self, liquidator_id: LiquidatorId, draft_id: str, digest: bytes
    ) -> tuple[str, bytes]:
        """Media type and bytes of a file of a draft. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            await read_lot(connection, liquidator_id, draft_id)
            file = await read_draft_file(connection, draft_id, digest)
        if file is None:
            raise Refused(Refusal.NOT_FOUND)
        return file

    async def takes_more(self, lot: DraftedLot) -> bool:
        """Whether a photo can be added now."""
        async with acquire(self._pool) as connection:
            try:
                await self._takes_more(connection, lot, 1)
            except Refused:
                return False
            return True

    # Changing.

    async def add(
        self, seller: Seller, draft_id: str, alt: str, uploads: Sequence[bytes]
    ) -> DraftPhotos:
        """More of them behind the others, all or none; to a lot that is published, for good.

        Raises `Refused` NOT_FOUND, BAD_PHOTO, TOO_MANY, BUSY, NOT_NOW, CHANGED_MEANWHILE.
        """
        more = len(uploads)
        async with acquire(self._pool) as connection:  # before a core is busy for nothing
            lot = await read_lot(connection, seller.liquidator_id, draft_id)
            await self._takes_more(connection, lot, more)
        pictures = [await self._resized(place, upload) for place, upload in enumerate(uploads)]
        async with transaction(self._pool) as connection:
            lot = await _locked(connection, seller.liquidator_id, draft_id)
            later, now_us = await self._takes_more(connection, lot, more), self._now_us()
            for files in pictures:
                if later:
                    await _add_to_catalogue(connection, lot, alt, files, now_us)
                await add_draft_photo(
                    connection, draft_id, alt, files, seller.actor_id, now_us, later=later
                )
            return await read_photos(connection, draft_id)

    async def describe(
        self, seller: Seller, draft_id: str, version: int, number: int, alt: str
    ) -> DraftPhotos:
        """What one shows. Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, PUBLISHED_ALREADY."""
        return await self._changed(
            *(seller, draft_id, version),
            lambda connection, _: photo_drafts.describe_photo(connection, draft_id, number, alt),
        )

    async def order(
        self, seller: Seller, draft_id: str, version: int, numbers: Sequence[int]
    ) -> DraftPhotos:
        """All of them, in this order; the first one stands for the lot. As `describe`."""
        return await self._changed(
            *(seller, draft_id, version),
            lambda connection, photos: photo_drafts.put_photos_in_order(
                connection, photos, draft_id, numbers
            ),
        )

    async def remove(self, seller: Seller, draft_id: str, version: int, number: int) -> DraftPhotos:
        """Take one away; `bring_back` undoes it. Refused as `describe` is."""
        return await self._changed(
            *(seller, draft_id, version),
            lambda connection, _: photo_drafts.remove_photo(
                connection, draft_id, number, self._now_us()
            ),
        )

    async def bring_back(self, seller: Seller, draft_id: str, number: int) -> DraftPhotos:
        """One that was removed is where it was.

        Raises `Refused` NOT_FOUND, TOO_MANY, PUBLISHED_ALREADY.
        """
        return await self._changed(
            *(seller, draft_id, None),
            lambda connection, _: photo_drafts.bring_photo_back(connection, draft_id, number),
        )

    async def _changed(
        self,
        seller: Seller,
        draft_id: str,
        version: int | None,
        change: Callable[[AnyConnection, DraftPhotos], Awaitable[None]],
    ) -> DraftPhotos:
        async with transaction(self._pool) as connection:
            must_be_open(await _locked(connection, seller.liquidator_id, draft_id))
            photos = await read_photos(connection, draft_id)
            if version is not None and photos.version != version:
                raise Refused(Refusal.CHANGED_MEANWHILE)
            await change(connection, photos)
            await touch_photos(connection, draft_id, seller.actor_id, self._now_us())
            return await read_photos(connection, draft_id)

    async def _takes_more(self, connection: AnyConnection, lot: DraftedLot, more: int) -> bool:
        """Whether they are added to a published lot. Raises `Refused` NOT_NOW, TOO_MANY."""
        if lot.sale_state == DraftState.PUBLISHING:
            said = "The sale is just being published. Add photos when that is done."
            raise Refused(Refusal.NOT_NOW, detail=said)
        later = lot.sale_state == DraftState.PUBLISHED
        asked = (lot.sale_id, lot.number, self._now_us())
        if later and await connection.fetchval(_HAS_ENDED, *asked):
            raise Refused(Refusal.NOT_NOW, detail=_ENDED)
        await must_have_room(connection, lot.draft_id, more)
        return later

    async def _resized(self, place: int, upload: bytes) -> Sequence[PhotoFile]:
        try:
            return await self._worker.resize(upload)
        except BadPhoto as fault:
            said = str(fault)
            said = f"{said[:1].upper()}{said[1:]}."
            raise Refused(Refusal.BAD_PHOTO, detail=said, field=f"photo/{place}") from None
        except TooManyPhotos:
            raise Refused(Refusal.BUSY) from None


async def _locked(
    connection: AnyConnection, liquidator_id: LiquidatorId, draft_id: str
) -> DraftedLot:
    """The draft, locked after its sale, as everybody does who changes both."""
    seen = await read_lot(connection, liquidator_id, draft_id)
    if seen.sale_id is not None:
        await connection.execute(
            "select from sale_draft where sale_id = $1 for share", seen.sale_id
        )
    lot = await read_lot(connection, liquidator_id, draft_id, lock=True)
    if lot.sale_id != seen.sale_id:
        raise Refused(Refusal.CHANGED_MEANWHILE)
    return lot


async def _add_to_catalogue(
    connection: AnyConnection, lot: DraftedLot, alt: str, files: Sequence[PhotoFile], now_us: int
) -> None:
    assert lot.sale_id is not None and lot.number is not None, "it is published"
    said = alt
    if not said:
        count = len((await read_photos(connection, lot.draft_id)).items)
        said = f"{lot.draft.title[: MAX_ALT - 20]}, photo {count + 1}"
    await add_photo(connection, lot.sale_id, lot.number, said, files, added_at_us=now_us)
