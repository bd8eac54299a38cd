"""Which sales may be followed live: what their seller has published for all, and no other."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace

from auction.catalog.listings import Visibility, publish_sale, save_sale
from auction.ids import SaleId
from bidder_gateway import public_sales
from bidder_gateway.public_sales import PublicSales
from foundation.database import Pool, open_pool, transaction
from tests.builders import SALE
from tests.catalogue import PUBLISHED_US, a_sale


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database_url, name="tests")
    yield opened
    await opened.close()


async def list_sale(
    pool: Pool, sale_id: str, visibility: Visibility = Visibility.PUBLIC, *, published: bool = True
) -> SaleId:
    """A sale in the catalogue."""
    details = replace(a_sale(sale_id), visibility=visibility)
    async with transaction(pool) as connection:
        await save_sale(connection, details)
        if published:
            await publish_sale(connection, details.sale_id, PUBLISHED_US)
    return details.sale_id


async def test_only_what_is_published_for_all_is_in_sight(pool: Pool) -> None:
    shown = await list_sale(pool, SALE)
    hidden = [
        await list_sale(pool, "S-2", published=False),
        await list_sale(pool, "S-3", Visibility.GROUP),
        await list_sale(pool, "S-4", Visibility.INVITE),
        SaleId("S-99"),
    ]
    sales = PublicSales(pool)
    assert await sales.may_be_seen(shown)
    assert [await sales.may_be_seen(sale_id) for sale_id in hidden] == [False] * 4


async def test_what_is_published_is_there_at_once_and_what_is_taken_back_goes_soon(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = PublicSales(pool)
    sale_id = SaleId("S-2")
    assert not await sales.may_be_seen(sale_id)
    await list_sale(pool, sale_id)
    assert await sales.may_be_seen(sale_id)
    async with transaction(pool) as connection:
        await connection.execute("update sale_listing set visibility = 'INVITE'")
    assert await sales.may_be_seen(sale_id), "asked for every bid, so it is remembered"
    monkeypatch.setattr(public_sales, "FRESH_S", 0.0)
    assert not await sales.may_be_seen(sale_id)


async def test_a_crowd_asks_once(pool: Pool) -> None:
    sale_id = await list_sale(pool, SALE)
    sales = PublicSales(pool)
    asked = [asyncio.create_task(sales.may_be_seen(sale_id)) for _ in range(50)]
    await asyncio.sleep(0)
    assert len(sales._asking) == 1
    assert all(await asyncio.gather(*asked))
    assert sales._asking == {}


async def test_while_the_database_is_away_what_was_public_is_and_nothing_else(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale_id = await list_sale(pool, SALE)
    sales = PublicSales(pool)
    assert await sales.may_be_seen(sale_id)
    pool.terminate()
    monkeypatch.setattr(public_sales, "FRESH_S", 0.0)
    assert await sales.may_be_seen(sale_id)
    with pytest.raises(asyncpg.InterfaceError):
        await sales.may_be_seen(SaleId("S-2"))
    monkeypatch.setattr(public_sales, "STALE_S", 0.0)
    with pytest.raises(asyncpg.InterfaceError):
        await sales.may_be_seen(sale_id)
