"""A small sale in a whole house, as `softclose serve` puts it up: nobody helps settlement along."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
from pydantic import SecretStr

from auction.commands import Command, PlaceBid, ScheduleSale
from auction.ids import BidderId, LotId, SaleId
from foundation.database import connect
from settlement.rows import invoice_row
from softclose.house import House, open_house
from softclose.listener import listen
from softclose.settings import Settings
from tests.builders import HOUSE, SALE, SECRET, STAFF_MEMBER, a_lot, new_bid_id, register
from tests.catalogue import a_described_lot, a_sale, list_lots
from tests.hammered import CENTS
from tests.waiting import DEADLINE_S

OPEN_US = 2_000_000


async def submit(house: House, command: Command) -> None:
    verdict = await house.host.engine.submit(command)
    assert verdict.accepted, verdict


async def found(connection: asyncpg.Connection, statement: str) -> Any:
    """A value, once there is one."""
    async with asyncio.timeout(DEADLINE_S):
        while (value := await connection.fetchrow(statement)) is None:  # noqa: ASYNC110 - by others
            await asyncio.sleep(0.02)
    return value


async def test_a_sale_that_closes_by_itself_is_invoiced_to_the_cent(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path, http_port=0, mail=SecretStr("file"))
    connection = await connect(database_url, name="test")
    try:
        with listen("127.0.0.1", 0) as listener:
            async with open_house(settings, database_url, listener, list) as house:
                await house.host.serving()
                await connection.execute("update tax_rate set rate_ppm = 82500 where region = 'TX'")
                dallas = {"region": "TX", "city": "Dallas", "postal_code": "75201"}
                described = a_described_lot("1", SALE, **dallas)
                await list_lots(connection, described, sale=a_sale(SALE, title="Returns"))
                now_us = house.host.clock.now_us()
                lot = a_lot(
                    "1",
                    opening_minor=1_237_50,
                    opens_at_us=now_us - OPEN_US,
                    closes_at_us=now_us + OPEN_US,
                )
                sale_id = SaleId(SALE)
                await submit(
                    house,
                    ScheduleSale(
                        sale_id=sale_id,
                        liquidator_id=HOUSE,
                        terms=CENTS,
                        lots=(lot,),
                        secret=SECRET,
                        actor_id=STAFF_MEMBER,
                    ),
                )
                await submit(house, register("hart"))
                await submit(
                    house,
                    PlaceBid(
                        sale_id=sale_id,
                        lot_id=LotId("1"),
                        bidder_id=BidderId("hart"),
                        bid_id=new_bid_id(),
                        amount_minor=2_000_00,
                        currency="USD",
                    ),
                )
                row = await found(connection, "select * from invoice")
    finally:
        await connection.close()
    (line,) = invoice_row(row).invoice.lines
    amounts = (line.hammer_minor, line.premium_minor, line.tax_minor, line.total_minor)
    assert amounts == (1_237_50, 185_63, 117_41, 1_540_54)
