"""Which sales may be followed and bid in live: what is published, by whom the seller lets in."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from auction.catalog.listings import publish_sale, save_sale
from auction.ids import BidderId, SaleId
from auction.terms import SaleAudience
from bidder_gateway import live_sight
from bidder_gateway.live_sight import LiveSight
from bidder_gateway.sight import GUEST, STAFF, Onlooker
from foundation.database import Pool, open_pool, transaction
from tests.builders import HOUSE, SALE
from tests.catalogue import PUBLISHED_US, a_sale

KESTREL, WREN = Onlooker("kestrel"), Onlooker("wren")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database_url, name="tests")
    yield opened
    await opened.close()


_BOARD = """
insert into sale_board (sale_id, liquidator_id, currency, audience, terms, scheduled_at_us)
values ($1, $2, 'USD', $3, '{}', 1)
"""


async def list_sale(
    pool: Pool,
    sale_id: str,
    audience: SaleAudience | None = SaleAudience.PUBLIC,
    *,
    published: bool = True,
    admitted: tuple[str, ...] = (),
) -> SaleId:
    """A sale in the catalogue and on the board; ``None``: the board does not have it."""
    details = a_sale(sale_id)
    async with transaction(pool) as connection:
        await save_sale(connection, details)
        if published:
            await publish_sale(connection, details.sale_id, PUBLISHED_US)
        if audience is not None:
            await connection.execute(_BOARD, sale_id, HOUSE, audience)
        for bidder_id in admitted:
            statement = "insert into admitted_bidder (sale_id, bidder_id) values ($1, $2)"
            await connection.execute(statement, sale_id, bidder_id)
    return details.sale_id


async def test_only_what_is_published_for_them_is_in_sight(pool: Pool) -> None:
    shown = await list_sale(pool, SALE)
    group = await list_sale(pool, "S-3", SaleAudience.GROUP, admitted=("kestrel",))
    nobodys = [await list_sale(pool, "S-2", published=False), SaleId("S-99")]
    sight = LiveSight(pool)
    for who in (GUEST, KESTREL, WREN, STAFF, Onlooker(HOUSE)):
        assert await sight.may_be_seen(shown, who)
        assert [await sight.may_be_seen(sale_id, who) for sale_id in nobodys] == [False] * 2
    sees = [who for who in (GUEST, KESTREL, WREN) if await sight.may_be_seen(group, who)]
    assert sees == [KESTREL]
    assert await sight.may_be_seen(group, STAFF)
    assert await sight.may_be_seen(group, Onlooker(HOUSE)), "its own liquidator"


async def test_what_is_remembered_of_one_is_not_told_another(pool: Pool) -> None:
    group = await list_sale(pool, "S-3", SaleAudience.GROUP, admitted=("kestrel",))
    sight = LiveSight(pool)
    for _ in range(2):
        assert await sight.may_be_seen(group, KESTREL)
        assert not await sight.may_be_seen(group, WREN)
        assert not await sight.may_be_seen(group, GUEST)


async def test_who_was_registered_before_a_dismissal_may_ask_the_engine(pool: Pool) -> None:
    group = await list_sale(pool, "S-3", SaleAudience.GROUP, admitted=("kestrel",))
    async with transaction(pool) as connection:
        await connection.execute(
            """
insert into admission (bidder_id, sale_id, paddle, terms_version, restrictions, deposit_minor,
    tax_bps, certificate, registered_at_us) values ('wren', $1, 101, 1, '{}', 0, 0, false, 1)
""",
            group,
        )
    sight = LiveSight(pool)
    may = {b: await sight.may_be_bid_in(group, BidderId(b)) for b in ("kestrel", "wren", "finch")}
    assert may == {"kestrel": True, "wren": True, "finch": False}
    assert not await sight.may_be_seen(group, WREN)


async def test_what_is_published_is_there_at_once_and_what_is_taken_back_goes_soon(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sight = LiveSight(pool)
    sale_id = SaleId("S-2")
    assert not await sight.may_be_seen(sale_id, GUEST)
    await list_sale(pool, sale_id)
    assert await sight.may_be_seen(sale_id, GUEST)
    async with transaction(pool) as connection:
        await connection.execute("update sale_listing set published_at_us = null")
    assert await sight.may_be_seen(sale_id, GUEST), "asked for every bid, so it is remembered"
    monkeypatch.setattr(live_sight, "FRESH_S", 0.0)
    assert not await sight.may_be_seen(sale_id, GUEST)


async def test_a_crowd_asks_once(pool: Pool) -> None:
    sale_id = await list_sale(pool, SALE)
    sight = LiveSight(pool)
    asked = [asyncio.create_task(sight.may_be_seen(sale_id, GUEST)) for _ in range(50)]
    await asyncio.sleep(0)
    assert len(sight._asking) == 1
    assert all(await asyncio.gather(*asked))
    assert sight._asking == {}


async def test_while_the_database_is_away_what_was_in_sight_is_and_nothing_else(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale_id = await list_sale(pool, SALE)
    group = await list_sale(pool, "S-3", SaleAudience.GROUP, admitted=("kestrel",))
    sight = LiveSight(pool)
    assert await sight.may_be_seen(sale_id, GUEST)
    assert await sight.may_be_seen(group, KESTREL)
    pool.terminate()
    monkeypatch.setattr(live_sight, "FRESH_S", 0.0)
    assert await sight.may_be_seen(sale_id, WREN)
    assert await sight.may_be_seen(group, KESTREL)
    for hidden, who in ((SaleId("S-2"), GUEST), (group, WREN)):
        with pytest.raises(asyncpg.InterfaceError):
            await sight.may_be_seen(hidden, who)
    monkeypatch.setattr(live_sight, "STALE_S", 0.0)
    with pytest.raises(asyncpg.InterfaceError):
        await sight.may_be_seen(sale_id, GUEST)
