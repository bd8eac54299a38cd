"""What buyer and staff say and show to each other in a claim."""

from collections.abc import Callable, Sequence

from accounts.audit import Actor
from auction.catalog.photos import BadPhoto, PhotoWorker, TooManyPhotos
from auction.ids import BidderId
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.claiming.claim_table import Claim, Said, messages_of, read_claim, say, touch_claim
from settlement.claiming.holding import held_claim, owned
from settlement.claiming.mails import asked
from settlement.claiming.words import MAX_MESSAGES, UNDER_WAY, DeskRefusal, Refused
from settlement.pickups.evidence import (
    Photo,
    Picture,
    Shows,
    add_photos,
    photos_of,
    read_photo_file,
    resized,
)
from settlement.pickups.telling import actor_of
from settlement.steps import want
from settlement.story import Told, tell


class ClaimTalk:
    """Messages and photos. ``now_us``: the house's clock. Where a method takes ``buyer_id``, None
    is staff; another buyer's claims are answered like missing ones."""

    def __init__(self, pool: Pool, now_us: Callable[[], int], photos: PhotoWorker) -> None:
        self._pool, self._now_us, self._photos = pool, now_us, photos

    async def messages(self, claim_id: str, buyer_id: BidderId | None = None) -> Sequence[Said]:
        """What was said in a claim. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            owned(await read_claim(connection, claim_id), buyer_id)
            return await messages_of(connection, claim_id)

    async def photos(self, claim_id: str, buyer_id: BidderId | None = None) -> Sequence[Photo]:
        """Its photos. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            owned(await read_claim(connection, claim_id), buyer_id)
            return (await photos_of(connection, Shows.CLAIM, [claim_id]))[claim_id]

    async def photo_file(
        self, claim_id: str, digest: bytes, buyer_id: BidderId | None = None
    ) -> tuple[str, bytes]:
        """Media type and bytes of a file of a claim's photo. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            owned(await read_claim(connection, claim_id), buyer_id)
            file = await read_photo_file(connection, Shows.CLAIM, claim_id, digest)
        if file is None:
            raise Refused(DeskRefusal.NOT_FOUND)
        return file

    async def say(
        self, claim_id: str, words: str, actor: Actor, *, buyer_id: BidderId | None = None
    ) -> Sequence[Said]:
        """Ask for more, or answer, while it is not decided.

        Raises `Refused` NOT_FOUND, NOT_NOW, TOO_MANY, WHY_NEEDED for no words.
        """
        if not words.strip():
            raise Refused(DeskRefusal.WHY_NEEDED, field="words")
        async with transaction(self._pool) as connection:
            held, claim = await held_claim(connection, claim_id, buyer_id)
            if claim.state not in UNDER_WAY:
                raise Refused(DeskRefusal.NOT_NOW)
            now_us = self._now_us()
            number = await say(
                connection, claim_id, actor_of(actor), words, now_us, staff=buyer_id is None
            )
            if number > MAX_MESSAGES:
                raise Refused(DeskRefusal.TOO_MANY)
            await touch_claim(connection, claim_id, now_us)
            line = Told(
                kind="claim_asked" if buyer_id is None else "claim_answered",
                award_id=claim.award_id,
                invoice_id=claim.invoice_id,
                actor=actor_of(actor),
                facts={"claim_id": claim_id, "words": words[:200]},
            )
            await tell(connection, [line], now_us)
            if buyer_id is None:
                mail = asked(claim, held.awards[claim.award_id], number, words)
                await want(connection, [mail], now_us)
            return await messages_of(connection, claim_id)

    async def add_photos(
        self,
        claim_id: str,
        uploads: Sequence[bytes],
        actor: Actor,
        *,
        buyer_id: BidderId | None = None,
    ) -> Sequence[Photo]:
        """More photos, while it is not decided. Raises `Refused` as `file` does, and NOT_NOW."""
        async with acquire(self._pool) as connection:
            owned(await read_claim(connection, claim_id), buyer_id)
        pictures = await resized_for_claim(self._photos, uploads)
        async with transaction(self._pool) as connection:
            _, claim = await held_claim(connection, claim_id, buyer_id)
            if claim.state not in UNDER_WAY:
                raise Refused(DeskRefusal.NOT_NOW)
            now_us = self._now_us()
            await keep_photos(connection, claim, pictures, actor_of(actor), now_us)
            await touch_claim(connection, claim_id, now_us)
            return (await photos_of(connection, Shows.CLAIM, [claim_id]))[claim_id]


async def resized_for_claim(worker: PhotoWorker, uploads: Sequence[bytes]) -> list[Picture]:
    """The files of these pictures. Raises `Refused` BAD_PHOTO and BUSY."""
    try:
        return await resized(worker, uploads)
    except BadPhoto as fault:
        said = f"{str(fault)[:1].upper()}{str(fault)[1:]}."
        raise Refused(DeskRefusal.BAD_PHOTO, field="photos", detail=said) from None
    except TooManyPhotos as error:
        raise Refused(DeskRefusal.BUSY, detail=f"{error}.") from None


async def keep_photos(
    connection: AnyConnection, claim: Claim, pictures: Sequence[Picture], by: str, now_us: int
) -> None:
    """More photos of a held claim. Raises `Refused` TOO_MANY."""
    try:
        await add_photos(connection, Shows.CLAIM, claim.claim_id, pictures, "", by, now_us)
    except TooManyPhotos as error:
        raise Refused(DeskRefusal.TOO_MANY, field="photos", detail=f"{error}.") from None
