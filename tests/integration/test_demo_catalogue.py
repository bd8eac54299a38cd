"""The demonstration's catalogue in PostgreSQL: what a visitor finds when the doors open."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from auction.catalog.listings import lots_of, read_sale
from auction.catalog.manifests import read_manifest, totals
from auction.catalog.photos import photos_of, read_photo
from auction.ids import LotId, SaleId
from auction.terms import LotKind
from foundation.database import acquire, open_pool
from softclose.demo import filling
from softclose.demo.catalogue import catalogue
from softclose.demo.filling import NotDrawn, fill_catalogue
from tests.catalogue import Boarded


@pytest.fixture(autouse=True)
def no_pictures_yet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing was drawn before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


async def test_every_lot_is_published_with_its_manifest_and_its_pictures(
    database_url: str,
) -> None:
    sale = replace(catalogue(7), sale_id=SaleId("pallets-7"))
    pool = await open_pool(database_url, name="tests", max_connections=2)
    async with acquire(pool) as connection:
        await fill_catalogue(pool, sale)
        await Boarded(connection, sale.sale_id).does(sale.schedule(bytes(32)), when="10:00")
        entry = await read_sale(connection, sale.sale_id)
        assert entry is not None
        assert (entry.lots, entry.unended) == (11, 11)
        assert entry.msrp_minor == sum(goods.msrp_minor for goods in sale.goods.values())
        lots = await lots_of(connection, sale.sale_id, None, 50)
        photos = await photos_of(connection, sale.sale_id, [lot.lot_id for lot in lots])
        for lot, listing in zip(lots, sale.schedule(bytes(32)).lots, strict=True):
            goods = sale.goods[lot.lot_id]
            assert lot.manifest_sha256 == listing.manifest_sha256
            assert (lot.units, lot.msrp_minor) == (goods.units, goods.msrp_minor)
            assert lot.condition is goods.condition
            assert lot.title == lot.board.title == goods.title
            assert len(photos[lot.lot_id]) == 3
            page = photos[lot.lot_id][0].file("page")
            found = await read_photo(connection, page.sha256)
            assert found is not None and found[0] == "image/webp" and found[1][8:12] == b"WEBP"
        truck = lots[-1]
        assert (truck.kind, truck.lines) == (LotKind.TRUCKLOAD, 300)
        lines = await read_manifest(connection, sale.sale_id, LotId("1"))
        assert tuple(lines) == sale.manifest(LotId("1"))
        before = await totals(connection, sale.sale_id, LotId("1"))
        await fill_catalogue(pool, sale)  # a second time changes nothing
        assert await totals(connection, sale.sale_id, LotId("1")) == before
    await pool.close()


async def test_pictures_that_cannot_be_drawn_are_told_and_leave_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = await open_pool(database_url, name="tests", max_connections=2)
    with monkeypatch.context() as hurried:
        hurried.setattr(filling, "PATIENCE_S", 0.0)
        with pytest.raises(NotDrawn, match="were not drawn"):
            await fill_catalogue(pool, catalogue(7))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(NotDrawn, match="ended with 1"):
        await fill_catalogue(pool, catalogue(7))
    async with acquire(pool) as connection:
        assert await connection.fetchval("select count(*) from sale_listing") == 0
    await pool.close()
