"""What sellers do with their sales before they are published, and publishing them.

A sale's version rises with its words and with the lots that are in it, so that who publishes what
they have seen publishes nothing else. Each method is a transaction, and says nothing of another
liquidator's sales: NOT_FOUND.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date

from accounts.ids import new_id
from auction.desk import sale_drafts, series
from auction.desk.checks import Finding
from auction.desk.lot_drafts import DraftedLot, Origin, add_lot, lots_of_sale, read_lot
from auction.desk.lot_lines import read_lines
from auction.desk.owning import owner_by
from auction.desk.photo_drafts import copy_photos
from auction.desk.publishing import Publishing
from auction.desk.recurrence import Recurrence, days_after
from auction.desk.refusals import Refusal, Refused
from auction.desk.relisting import Relisting, marked_down, on_day
from auction.desk.sale_drafts import DraftedSale, DraftState, SaleDraft, add_sale, read_sale
from auction.desk.seller import Seller
from auction.ids import LiquidatorId, LotId, SaleId
from foundation.database import AnyConnection, Pool, PooledConnection, acquire, transaction

# Lots that passed, and whose goods are in no draft that offers them again.
_PASSED = """
select l.draft_id, l.number from lot_draft l
join lot_board b on b.sale_id = l.sale_id and b.lot_id = l.number
where l.sale_id = $1 and b.status = 'PASSED' and not exists (
    select from lot_draft r
    where r.liquidator_id = l.liquidator_id
    and r.origin->'relisted' = jsonb_build_array(l.sale_id, l.number)
    and (r.removed_at_us is null or exists (
        select from lot_draft m where m.liquidator_id = l.liquidator_id
        and m.origin->'drafts' ? r.draft_id and not m.origin ? 'undone'
    ))
)
order by l.place
"""


class Sales:
    """Drafts of sales. ``now_us`` is the wall clock."""

    def __init__(self, pool: Pool, publishing: Publishing, now_us: Callable[[], int]) -> None:
        self._pool, self._publishing, self._now_us = pool, publishing, now_us

    # Reading.

    async def owner_of(self, sale_id: SaleId) -> LiquidatorId | None:
        """Whose sale it is, in any state; ``None``: there is none."""
        return await owner_by(
            self._pool, "select liquidator_id from sale_draft where sale_id = $1", sale_id
        )

    async def list(
        self, liquidator_id: LiquidatorId, after: tuple[int, SaleId] | None, limit: int
    ) -> list[DraftedSale]:
        """Drafts and what became of them, the latest changed first."""
        async with acquire(self._pool) as connection:
            return await sale_drafts.list_sales(connection, liquidator_id, after, limit)

    async def read(self, liquidator_id: LiquidatorId, sale_id: SaleId) -> DraftedSale:
        """A draft, or the sale that it became. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            return await read_sale(connection, liquidator_id, sale_id)

    async def lots(self, liquidator_id: LiquidatorId, sale_id: SaleId) -> Sequence[DraftedLot]:
        """Its lots, in the order of the catalogue. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            await read_sale(connection, liquidator_id, sale_id)
            return await lots_of_sale(connection, sale_id)

    async def check(self, liquidator_id: LiquidatorId, sale_id: SaleId) -> Sequence[Finding]:
        """What stands in the way of publishing, and what to think of. Raises NOT_FOUND."""
        return await self._publishing.check(liquidator_id, sale_id)

    # One draft.

    async def create(self, seller: Seller, draft: SaleDraft) -> DraftedSale:
        """A new one. Raises `Refused` TOO_MANY."""
        async with transaction(self._pool) as connection:
            return await self._add(connection, seller, draft)

    async def change(
        self, seller: Seller, sale_id: SaleId, version: int, draft: SaleDraft
    ) -> DraftedSale:
        """Other words, terms or times.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, PUBLISHED_ALREADY.
        """
        async with transaction(self._pool) as connection:
            owner, now_us = seller.liquidator_id, self._now_us()
            sale = await read_sale(connection, owner, sale_id, lock=True)
            await sale_drafts.change_sale(connection, sale, version, draft, seller.actor_id, now_us)
            return await read_sale(connection, owner, sale_id)

    async def drop(self, seller: Seller, sale_id: SaleId, version: int) -> None:
        """Give it up; its lots are in stock again. Refused as `change` is."""
        async with transaction(self._pool) as connection:
            sale = await read_sale(connection, seller.liquidator_id, sale_id, lock=True)
            sale_drafts.must_be_at(sale, version)
            await sale_drafts.drop_sale(connection, sale, seller.actor_id, self._now_us())

    async def publish(
        self, seller: Seller, sale_id: SaleId, version: int, seen: str | None = None
    ) -> DraftState:
        """See `Publishing.publish`."""
        owner, actor_id = seller.liquidator_id, seller.actor_id
        return await self._publishing.publish(owner, sale_id, version, actor_id, seen)

    # Its lots. Refused as `change` is, and as said.

    async def put_in(
        self, seller: Seller, sale_id: SaleId, version: int, draft_ids: Sequence[str]
    ) -> DraftedSale:
        """Drafts in stock become its last lots. Also NOT_IN_STOCK, TOO_MANY."""
        async with self._changing(seller, sale_id, version) as (connection, sale):
            now_us = self._now_us()
            await sale_drafts.put_in(connection, sale, draft_ids, seller.actor_id, now_us)
        return await self.read(seller.liquidator_id, sale_id)

    async def take_out(
        self, seller: Seller, sale_id: SaleId, version: int, draft_ids: Sequence[str]
    ) -> DraftedSale:
        """Some of its lots are in stock again; the numbers of the others stay."""
        async with self._changing(seller, sale_id, version) as (connection, sale):
            now_us = self._now_us()
            await sale_drafts.take_out(connection, sale, draft_ids, seller.actor_id, now_us)
        return await self.read(seller.liquidator_id, sale_id)

    async def order(
        self, seller: Seller, sale_id: SaleId, version: int, draft_ids: Sequence[str]
    ) -> DraftedSale:
        """All its lots, in this order."""
        async with self._changing(seller, sale_id, version) as (connection, sale):
            await sale_drafts.put_in_order(connection, sale, draft_ids)
        return await self.read(seller.liquidator_id, sale_id)

    async def renumber(
        self, seller: Seller, sale_id: SaleId, version: int, draft_id: str, number: LotId
    ) -> DraftedSale:
        """Another number for one of its lots: 12A. Also NUMBER_TAKEN."""
        async with self._changing(seller, sale_id, version) as (connection, sale):
            await sale_drafts.renumber(connection, sale, draft_id, number)
        return await self.read(seller.liquidator_id, sale_id)

    # Made of others.

    async def clone(
        self, seller: Seller, sale_id: SaleId, day: date | None, relisting: Relisting | None
    ) -> DraftedSale:
        """A draft with the same words and terms, opening on another day at the same times.

        ``relisting``: with the lots of it that passed. Raises `Refused` NOT_FOUND, BAD_TIME,
        TOO_MANY.
        """
        async with transaction(self._pool) as connection:
            owner, now_us = seller.liquidator_id, self._now_us()
            # Locked, so that what passed is offered again once.
            sale = await read_sale(connection, owner, sale_id, lock=True)
            draft = sale.draft if day is None else on_day(sale.draft, day)
            copy = await self._add(connection, seller, draft)
            if relisting is None:
                return copy
            again = await self._relist(connection, seller, sale, relisting)
            if again:
                await sale_drafts.put_in(connection, copy, again, seller.actor_id, now_us)
            return await read_sale(connection, owner, copy.sale_id)

    async def relist(
        self, seller: Seller, sale_id: SaleId, relisting: Relisting
    ) -> Sequence[DraftedLot]:
        """The lots of a sale that passed, in stock again as new drafts, each of them once.

        Raises `Refused` NOT_FOUND, NOT_PUBLISHED, TOO_MANY.
        """
        async with transaction(self._pool) as connection:
            owner = seller.liquidator_id
            sale = await read_sale(connection, owner, sale_id, lock=True)
            if sale.state is not DraftState.PUBLISHED:
                raise Refused(Refusal.NOT_PUBLISHED)
            again = await self._relist(connection, seller, sale, relisting)
            return [await read_lot(connection, owner, draft_id) for draft_id in again]

    async def repeat(
        self, seller: Seller, sale_id: SaleId, recurrence: Recurrence, most: int
    ) -> Sequence[DraftedSale]:
        """Drafts of the same sale on the days on which it comes again, at most so many.

        Raises `Refused` NOT_FOUND, BAD_TIME without a schedule or day, NOT_NOW, TOO_MANY.
        """
        async with transaction(self._pool) as connection:
            sale = await read_sale(connection, seller.liquidator_id, sale_id, lock=True)
            if sale.series_id is not None:
                raise Refused(Refusal.NOT_NOW, detail="It comes again already. Stop that first.")
            schedule = sale.draft.schedule
            if schedule is None:
                raise Refused(Refusal.BAD_TIME, detail="The sale has no times yet.")
            first = date.fromisoformat(schedule.opens[:10])
            days = days_after(recurrence, first, most)
            if not days:
                raise Refused(Refusal.BAD_TIME, detail="There is no such day.")
            series_id = await series.begin(connection, seller, sale, recurrence, self._now_us())
            made = [await self._add(connection, seller, on_day(sale.draft, day)) for day in days]
            await series.put_in(connection, series_id, [one.sale_id for one in made])
            return [await read_sale(connection, seller.liquidator_id, one.sale_id) for one in made]

    async def of_series(self, liquidator_id: LiquidatorId, series_id: str) -> Sequence[DraftedSale]:
        """The sales of a series that were not given up, in the order in which they open."""
        async with acquire(self._pool) as connection:
            return await series.sales_of(connection, liquidator_id, series_id)

    async def stop_repeating(self, seller: Seller, sale_id: SaleId) -> int:
        """Give up the other drafts of its series; how many. What is published stays.

        Raises `Refused` NOT_FOUND, NOT_NOW for one that does not come again.
        """
        async with transaction(self._pool) as connection:
            sale = await read_sale(connection, seller.liquidator_id, sale_id, lock=True)
            if sale.series_id is None:
                raise Refused(Refusal.NOT_NOW, detail="This sale does not come again.")
            return await series.stop(connection, seller, sale, self._now_us())

    async def _relist(
        self, connection: AnyConnection, seller: Seller, sale: DraftedSale, relisting: Relisting
    ) -> Sequence[str]:
        owner, actor_id, now_us = seller.liquidator_id, seller.actor_id, self._now_us()
        increments = sale.draft.terms.increments
        again: list[str] = []
        for draft_id, number in await connection.fetch(_PASSED, sale.sale_id):
            lot = await read_lot(connection, owner, draft_id)
            draft = marked_down(lot.draft, relisting.markdown_percent, increments)
            lines = await read_lines(connection, draft_id)
            origin = Origin(file=lot.origin.file, relisted=(sale.sale_id, LotId(number)))
            added = await add_lot(connection, owner, draft, lines, origin, actor_id, now_us)
            await copy_photos(connection, [draft_id], added, now_us)
            again.append(added)
        return again

    async def _add(
        self, connection: AnyConnection, seller: Seller, draft: SaleDraft
    ) -> DraftedSale:
        sale_id, owner = SaleId(new_id("sale")), seller.liquidator_id
        await add_sale(connection, sale_id, owner, draft, seller.actor_id, self._now_us())
        return await read_sale(connection, owner, sale_id)

    @asynccontextmanager
    async def _changing(
        self, seller: Seller, sale_id: SaleId, version: int
    ) -> AsyncIterator[tuple[PooledConnection, DraftedSale]]:
        """A transaction in which the lots of a sale change, and its version rises."""
        async with transaction(self._pool) as connection:
            sale = await read_sale(connection, seller.liquidator_id, sale_id, lock=True)
            sale_drafts.must_be_draft(sale)
            sale_drafts.must_be_at(sale, version)
            yield connection, sale
            await sale_drafts.touch(connection, sale_id, seller.actor_id, self._now_us())
