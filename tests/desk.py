"""A desk in hand: drafts over a real database, with the engine in this process."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from accounts.ids import new_id
from auction.catalog.goods import ManifestLine
from auction.catalog.photo_worker import MEDIA_TYPES, SIZES, PhotoFile
from auction.clock import EngineClock
from auction.commands import Command
from auction.desk.lot_drafts import LotDraft, Origin, add_lot
from auction.desk.photo_drafts import add_draft_photo
from auction.desk.publishing import Publishing
from auction.desk.sale_drafts import SaleDraft, add_sale, put_in, read_sale
from auction.desk.schedule import Schedule, wall_time, zone_of
from auction.ids import LiquidatorId, LotId, SaleId
from auction.log_postgres import PostgresLog
from auction.ports import Engine
from auction.terms import LotKind
from auction.verdicts import Verdict
from foundation.database import Pool, open_pool, transaction
from softclose.host import Host
from tests.builders import STAFF_MEMBER
from tests.catalogue import a_line

SELLER: Final = LiquidatorId("harbor-returns")
ZONE: Final = "America/Chicago"
HOUR_US: Final = 3_600_000_000


def a_lot_draft(**changes: Any) -> LotDraft:
    """A pallet that is ready to be sold."""
    settings: dict[str, Any] = {
        "title": "Kitchen appliances",
        "description": "Toasters, kettles and mixers that customers sent back.",
        "kind": LotKind.PALLET,
        "category": "Kitchen",
        "source": "customer returns",
        "company": "Prairie Docks",
        "street": "1200 Laraway Rd",
        "city": "Joliet",
        "region": "IL",
        "postal_code": "60433",
        "pallets": 1,
        "length_mm": 1_219,
        "width_mm": 1_016,
        "height_mm": 1_830,
        "weight_g": 260_000,
        "freight_class": "125",
        "opening_minor": 100_00,
        "reserve_minor": 400_00,
    }
    return LotDraft(**(settings | changes))


def a_sale_draft(now_us: int, **changes: Any) -> SaleDraft:
    """A sale that opens in a day and begins to end two days later."""
    zone = zone_of(ZONE)
    settings: dict[str, Any] = {
        "title": "Returns of March",
        "liquidator_name": "Harbor Returns",
        "city": "Joliet",
        "region": "IL",
        "pickup_terms": "By appointment.",
        "payment_terms": "Two business days.",
        "schedule": Schedule(
            time_zone=ZONE,
            opens=wall_time(now_us + 24 * HOUR_US, zone),
            first_end=wall_time(now_us + 72 * HOUR_US, zone),
            second=False,
        ),
    }
    return SaleDraft(**(settings | changes))


class Gate:
    """An engine with something in between: what is done before and after each command."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sent: list[Command] = []
        self.before: Callable[[Command], Awaitable[None]] | None = None
        self.after: Callable[[Command], Awaitable[None]] | None = None

    async def submit(self, command: Command) -> Verdict:
        """See ``Engine``."""
        self.sent.append(command)
        if self.before is not None:
            await self.before(command)
        verdict = await self.engine.submit(command)
        if self.after is not None:
            await self.after(command)
        return verdict


@dataclass
class Desk:
    """What a test works with."""

    pool: Pool
    host: Host
    engine: Gate
    publishing: Publishing
    drafts: dict[str, str] = field(default_factory=dict)

    @property
    def now_us(self) -> int:
        """The clock that lots end by."""
        return self.host.clock.now_us()

    async def lot(
        self, draft: LotDraft | None = None, lines: Sequence[ManifestLine] | None = None
    ) -> str:
        """A draft in stock."""
        async with transaction(self.pool) as connection:
            return await add_lot(
                connection,
                SELLER,
                draft or a_lot_draft(),
                [a_line()] if lines is None else lines,
                Origin(),
                STAFF_MEMBER,
                self.now_us,
            )

    async def photograph(self, *draft_ids: str) -> None:
        """A photo of each, whose files are small and different."""
        async with transaction(self.pool) as connection:
            for draft_id in draft_ids:
                files = [
                    PhotoFile(size, kind, 4, 3, f"{draft_id} {size} {kind}".encode())
                    for size in SIZES
                    for kind in MEDIA_TYPES.values()
                ]
                await add_draft_photo(
                    connection, draft_id, "front", files, STAFF_MEMBER, self.now_us
                )

    async def sale(self, *draft_ids: str, draft: SaleDraft | None = None) -> SaleId:
        """The draft of a sale of these lots."""
        sale_id = SaleId(new_id("sale"))
        async with transaction(self.pool) as connection:
            words = draft or a_sale_draft(self.now_us)
            await add_sale(connection, sale_id, SELLER, words, STAFF_MEMBER, self.now_us)
            sale = await read_sale(connection, SELLER, sale_id, lock=True)
            numbers = await put_in(connection, sale, draft_ids, STAFF_MEMBER, self.now_us)
        assert numbers == [LotId(str(number + 1)) for number in range(len(draft_ids))]
        return sale_id

    async def version(self, sale_id: SaleId) -> int:
        """Of the draft of a sale."""
        async with self.pool.acquire() as connection:
            return (await read_sale(connection, SELLER, sale_id)).version


@asynccontextmanager
async def a_desk(dsn: str) -> AsyncIterator[Desk]:
    """A desk with an engine that serves."""
    log = PostgresLog(dsn)
    host = Host(log, EngineClock())
    pool = await open_pool(dsn, name="desk")
    try:
        async with host.running():
            await host.writer.serving()
            engine = Gate(host.engine)
            yield Desk(pool, host, engine, Publishing(pool, engine, host.clock.now_us))
    finally:
        pool.terminate()
        await log.close()
