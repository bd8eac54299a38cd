"""What sellers do with their lots before a sale: make, change, split, join, copy, bring back.

Goods are in one lot only. What is split or joined goes away and what was made of it is there
instead, in one transaction; bringing it back takes that away again. Each method is a transaction,
and says nothing of another liquidator's drafts: NOT_FOUND.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct, structs

from auction.catalog.goods import MAX_LINES, ManifestLine
from auction.desk import lot_drafts
from auction.desk.agreements import book_of
from auction.desk.joining import by_pallet, copied, joined, part_of
from auction.desk.lot_changes import LotChanges, changed
from auction.desk.lot_drafts import (
    DraftedLot,
    LotDraft,
    Origin,
    add_lot,
    change_lines,
    change_lots,
    lock_lots,
    must_be_at,
    must_be_in_stock,
    must_be_open,
    read_lot,
    remove_lots,
)
from auction.desk.lot_lines import read_lines, renumbered
from auction.desk.owning import owner_by
from auction.desk.photo_drafts import copy_photos
from auction.desk.refusals import Refused
from auction.desk.seller import Seller
from auction.desk.suggesting import Suggestion, suggestion
from auction.ids import LiquidatorId
from foundation.database import AnyConnection, Pool, acquire, transaction

# Drafts that are changed at once: the largest sale.
MAX_AT_ONCE: Final = 1_000


class SeenLot(Struct, frozen=True, forbid_unknown_fields=True):
    """A draft as somebody saw it."""

    draft_id: Annotated[str, Meta(min_length=1, max_length=64)]
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class Lots:
    """Drafts of lots. ``now_us`` is the wall clock."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    # Reading.

    async def owner_of(self, draft_id: str) -> LiquidatorId | None:
        """Whose draft it is, there or removed; ``None``: there is none."""
        return await owner_by(
            self._pool, "select liquidator_id from lot_draft where draft_id = $1", draft_id
        )

    async def stock(self, liquidator_id: LiquidatorId, after: str, limit: int) -> list[DraftedLot]:
        """Drafts that are in no sale, after one of them, in the order in which they were made."""
        async with acquire(self._pool) as connection:
            return await lot_drafts.stock(connection, liquidator_id, after, limit)

    async def read(self, liquidator_id: LiquidatorId, draft_id: str) -> DraftedLot:
        """A draft. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            return await read_lot(connection, liquidator_id, draft_id)

    async def lines(
        self,
        liquidator_id: LiquidatorId,
        draft_id: str,
        after: int = 0,
        limit: int = MAX_LINES,
    ) -> list[ManifestLine]:
        """Its manifest: so many lines after a line. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            await read_lot(connection, liquidator_id, draft_id)
            return await read_lines(connection, draft_id, after, limit)

    async def suggest(self, liquidator_id: LiquidatorId, draft_id: str) -> Suggestion:
        """Words that its manifest suggests. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            lot = await read_lot(connection, liquidator_id, draft_id)
            lines = await read_lines(connection, draft_id)
        return await asyncio.to_thread(suggestion, lines, lot.draft.currency)

    # One draft.

    async def create(
        self, seller: Seller, draft: LotDraft, lines: Sequence[ManifestLine] = ()
    ) -> DraftedLot:
        """A new one, in stock.

        Raises `Refused` BAD_LINES, TOO_MANY, UNKNOWN_CONSIGNOR, UNKNOWN_AGREEMENT.
        """
        async with transaction(self._pool) as connection:
            book = await book_of(connection, seller.liquidator_id, [draft], self._now_us())
            bound = book.bound(None, draft)
            return await self._add(connection, seller, bound, lines, Origin())

    async def change(
        self, seller: Seller, draft_id: str, version: int, draft: LotDraft | LotChanges
    ) -> DraftedLot:
        """Other words.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, PUBLISHED_ALREADY, UNKNOWN_CONSIGNOR,
        UNKNOWN_AGREEMENT.
        """
        async with transaction(self._pool) as connection:
            owner, now_us = seller.liquidator_id, self._now_us()
            lot = await read_lot(connection, owner, draft_id, lock=True)
            words = draft if isinstance(draft, LotDraft) else changed(lot.draft, draft)
            book = await book_of(connection, owner, [words], now_us)
            bound = book.bound(lot.draft, words)
            await lot_drafts.change_lot(connection, lot, version, bound, seller.actor_id, now_us)
            return await read_lot(connection, seller.liquidator_id, draft_id)

    async def replace_lines(
        self, seller: Seller, draft_id: str, version: int, lines: Sequence[ManifestLine]
    ) -> DraftedLot:
        """Another manifest.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, PUBLISHED_ALREADY, BAD_LINES.
        """
        async with transaction(self._pool) as connection:
            lot = await read_lot(connection, seller.liquidator_id, draft_id, lock=True)
            now_us = self._now_us()
            await change_lines(connection, lot, version, lines, seller.actor_id, now_us)
            return await read_lot(connection, seller.liquidator_id, draft_id)

    async def undo(self, seller: Seller, draft_id: str, version: int) -> DraftedLot:
        """Words and lines as they were before the last change of them.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, PUBLISHED_ALREADY, NOTHING_TO_UNDO.
        """
        async with transaction(self._pool) as connection:
            lot = await read_lot(connection, seller.liquidator_id, draft_id, lock=True)
            must_be_at(lot, version)
            await lot_drafts.undo(connection, lot, seller.actor_id, self._now_us())
            return await read_lot(connection, seller.liquidator_id, draft_id)

    async def remove(self, seller: Seller, draft_id: str, version: int) -> None:
        """Take it away; `bring_back` undoes it.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, PUBLISHED_ALREADY.
        """
        async with transaction(self._pool) as connection:
            lot = await read_lot(connection, seller.liquidator_id, draft_id, lock=True)
            must_be_at(lot, version)
            await remove_lots(connection, [lot], seller.actor_id, self._now_us())

    async def bring_back(self, seller: Seller, draft_id: str) -> DraftedLot:
        """A removed one is in stock again; of one that was split or joined that is undone.

        Raises `Refused` NOT_FOUND, GOODS_ELSEWHERE.
        """
        async with transaction(self._pool) as connection:
            owner, now_us = seller.liquidator_id, self._now_us()
            await lot_drafts.bring_back(connection, owner, draft_id, seller.actor_id, now_us)
            return await read_lot(connection, owner, draft_id)

    async def copy(self, seller: Seller, draft_id: str, *, lines: bool) -> DraftedLot:
        """A new one with the same words; if that is wanted, with the same articles and photos.

        Raises `Refused` NOT_FOUND, TOO_MANY.
        """
        async with transaction(self._pool) as connection:
            lot = await read_lot(connection, seller.liquidator_id, draft_id)
            articles = copied(await read_lines(connection, draft_id)) if lines else []
            origin = Origin(copied=draft_id)
            photos_of = [draft_id] if lines else []
            # Other goods: under what is agreed now.
            free = structs.replace(lot.draft, agreement_id=None, agreement_version=None)
            book = await book_of(connection, seller.liquidator_id, [free], self._now_us())
            words = book.bound(None, free)
            return await self._add(connection, seller, words, articles, origin, photos_of)

    # Several.

    async def split(self, seller: Seller, draft_id: str, version: int) -> list[DraftedLot]:
        """A draft for each pallet that its lines name, in their order, instead of it.

        Each has the photos of the whole: which of them show others, a person sees.
        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NOT_IN_STOCK, NO_PALLETS, TOO_MANY.
        """
        async with transaction(self._pool) as connection:
            lot = await read_lot(connection, seller.liquidator_id, draft_id, lock=True)
            must_be_at(lot, version)
            must_be_in_stock(lot)
            parts = by_pallet(await read_lines(connection, draft_id))
            await remove_lots(connection, [lot], seller.actor_id, self._now_us())
            return [
                await self._add(
                    connection,
                    seller,
                    part_of(lot.draft, pallet, lines),
                    lines,
                    Origin(file=lot.origin.file, drafts=(draft_id,), pallet=pallet),
                    [draft_id],
                )
                for pallet, lines in parts.items()
            ]

    async def join(self, seller: Seller, draft_ids: Sequence[str]) -> DraftedLot:
        """One draft of several, instead of them; the first one gives its title and words.

        It has all photos, as many as a lot may have.
        Raises `Refused` NOT_FOUND, NOT_IN_STOCK, DIFFERENT_CURRENCIES, DIFFERENT_CONSIGNORS,
        TOO_MANY.
        """
        async with transaction(self._pool) as connection:
            lots = await lock_lots(connection, seller.liquidator_id, draft_ids)
            for lot in lots:
                must_be_in_stock(lot)
            together = joined([lot.draft for lot in lots])
            lines = [
                line for draft_id in draft_ids for line in await read_lines(connection, draft_id)
            ]
            await remove_lots(connection, lots, seller.actor_id, self._now_us())
            origin = Origin(drafts=tuple(draft_ids))
            return await self._add(
                connection, seller, together, renumbered(lines), origin, draft_ids
            )

    async def bundle(self, seller: Seller, fast_id: str, slow_ids: Sequence[str]) -> DraftedLot:
        """Slow goods with fast ones, under the words of the fast. Refused as `join` is."""
        return await self.join(seller, [fast_id, *slow_ids])

    async def change_many(
        self, seller: Seller, seen: Sequence[SeenLot], changes: LotChanges
    ) -> list[DraftedLot]:
        """The same fields of all of these, or of none.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, PUBLISHED_ALREADY, naming the lot, and
        UNKNOWN_CONSIGNOR, UNKNOWN_AGREEMENT.
        """
        draft_ids = [one.draft_id for one in seen]
        async with transaction(self._pool) as connection:
            lots = await lock_lots(connection, seller.liquidator_id, draft_ids)
            for number, (lot, one) in enumerate(zip(lots, seen, strict=True)):
                try:
                    must_be_open(lot)
                    must_be_at(lot, one.version)
                except Refused as refused:
                    raise Refused(refused.refusal, field=f"lots/{number}") from None
            words = [(lot, changed(lot.draft, changes)) for lot in lots]
            book = await book_of(
                connection, seller.liquidator_id, [draft for _, draft in words], self._now_us()
            )
            bound = [(lot, book.bound(lot.draft, draft)) for lot, draft in words]
            await change_lots(connection, bound, seller.actor_id, self._now_us())
            return await lock_lots(connection, seller.liquidator_id, draft_ids)

    async def _add(
        self,
        connection: AnyConnection,
        seller: Seller,
        draft: LotDraft,
        lines: Sequence[ManifestLine],
        origin: Origin,
        photos_of: Sequence[str] = (),
    ) -> DraftedLot:
        owner, now_us = seller.liquidator_id, self._now_us()
        added = await add_lot(connection, owner, draft, lines, origin, seller.actor_id, now_us)
        if photos_of:
            await copy_photos(connection, photos_of, added, now_us)
        return await read_lot(connection, owner, added)
