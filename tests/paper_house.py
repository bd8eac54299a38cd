"""A house that prints: paid lots with their catalogue, their books, their people."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from auction.ids import LiquidatorId, LotId, SaleId
from foundation.database import AnyConnection, Pool, acquire, open_pool, transaction
from settlement.entries import About, Entry
from settlement.ids import AwardId
from settlement.ledger import post
from settlement.lives import AwardState, PaymentState
from settlement.papers.archive import Archive
from settlement.rows import read_award
from tests.catalogue import a_described_lot, a_line, a_sale, list_lots
from tests.paid_lots import SELLER, Clock, goods, pay_for
from tests.settlement_rules import BUYER, SALE, award, tax_at

_ORGANISATION = """
insert into organisation (organisation_id, kind, name, created_at_us) values ($1, $2, $3, 0)
"""
_APPROVAL = """
insert into approval (organisation_id, state, legal_name, street, city, region, postal_code,
    changed_at_us)
values ($1, 'APPROVED', $2, '77 Elm Street', 'Dallas', 'TX', '75201', 0)
"""
RESULT = """
insert into lot_result (sale_id, lot_id, liquidator_id, currency, kind, title, scheduled_at_us,
    opens_at_us, opening_minor, paddles, paddle_bids, extensions, outcome, reason, hammer_minor,
    winner_ids, winner_paddles, closed_at_us, place)
values ($1, $2, $3, 'USD', 'PALLET', $4, 0, 0, 100, '{}', '{}', 0, $5, $6, $7, '{}', '{}', $8, $9)
"""


class PaperHouse:
    """Documents over real tables, by a clock that stands."""

    def __init__(self, pool: Pool) -> None:
        self.pool, self.clock = pool, Clock()
        self.archive = Archive(pool, self.clock)

    async def sells(self, *numbers: str, sale_id: SaleId = SALE, **changes: Any) -> None:
        """These lots are in the catalogue, with two lines each."""
        details = a_sale(sale_id, liquidator_id=SELLER, payment_terms="Wire within two days.")
        described = [
            a_described_lot(number, sale_id, title="Kitchen appliances", pallets=4, **changes)
            for number in numbers
        ]
        async with acquire(self.pool) as connection:
            lines = (a_line(1), a_line(2, lpn="=1+1"))
            await list_lots(connection, *described, sale=details, lines=lines)

    async def worked_example(self, *, state: AwardState = AwardState.FUNDED) -> AwardId:
        """Hammer 10,000.00 at 10 % premium and 8.25 % tax, paid by card."""
        return (await self.paid("1", hammer_minor=1_000_000, state=state))[0]

    async def paid(
        self,
        *numbers: str,
        hammer_minor: int = 1_237_50,
        state: AwardState = AwardState.FUNDED,
        payment: PaymentState = PaymentState.PAID,
        rate_ppm: int = 82_500,
    ) -> list[AwardId]:
        """These lots are sold and, unless said otherwise, paid."""
        async with acquire(self.pool) as connection:
            digest = await connection.fetchval(
                "select encode(manifest_sha256, 'hex') from lot_listing where sale_id = $1", SALE
            )
            sold = [award(number, hammer_minor) for number in numbers]
            what = [goods(one.lot_id, manifest_sha256=digest or "00" * 32) for one in sold]
            return await pay_for(
                connection,
                *sold,
                what=what,
                premium_bps=1_000,
                state=state,
                payment=payment,
                tax=tax_at(rate_ppm=rate_ppm),
            )

    async def result(
        self, number: str, outcome: str = "SOLD", *, hammer_minor: int | None = None, **more: Any
    ) -> None:
        """What the board kept of a lot."""
        closed_us = more.get("closed_at_us", award(number).closed_at_us)
        seller = LiquidatorId(SELLER)
        about = (SALE, LotId(number), seller, "Kitchen appliances", outcome)
        values = (*about, more.get("reason"), hammer_minor, closed_us, int(number))
        await self.does(RESULT, *values)

    async def books(self, *entries: Entry) -> None:
        """These are booked."""
        async with transaction(self.pool) as connection:
            await post(connection, entries)

    async def about(self, award_id: AwardId, **changes: Any) -> About:
        """What an entry of an award is about, an hour from now on the clock."""
        self.clock.now_us += 3_600_000_000
        async with acquire(self.pool) as connection:
            held = await read_award(connection, award_id)
        return replace(
            About(
                subject=award_id,
                at_us=self.clock.now_us,
                currency="USD",
                sale_id=SALE,
                award_id=award_id,
                invoice_id=held.invoiced.invoice_id,
            ),
            **changes,
        )

    async def does(self, statement: str, *values: object) -> None:
        """Change a table."""
        async with acquire(self.pool) as connection:
            await connection.execute(statement, *values)


@asynccontextmanager
async def paper_house(database_url: str) -> AsyncIterator[PaperHouse]:
    """A house with a buyer and a seller."""
    pool = await open_pool(database_url, name="test", max_connections=6)
    try:
        async with acquire(pool) as connection:
            await _people(connection)
        yield PaperHouse(pool)
    finally:
        pool.terminate()


async def _people(connection: AnyConnection) -> None:
    await connection.execute(_ORGANISATION, BUYER, "RESELLER", "Hart")
    await connection.execute(_APPROVAL, BUYER, "Hart Resale, Inc.")
    await connection.execute(_ORGANISATION, SELLER, "LIQUIDATOR", "Harbor Returns")
