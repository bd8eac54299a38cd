"""What the demonstration puts on its liquidator's desk."""

from pathlib import Path

from softclose.demo.catalogue import catalogue
from softclose.demo.consigning import consigned, consigning
from softclose.demo.desk import SELLER, furnish, photograph
from softclose.demo.people import settle_in
from tests.site import now_us, open_site


async def test_the_desk_has_stock_and_a_draft_and_is_furnished_once(
    database_url: str, tmp_path: Path
) -> None:
    async with open_site(database_url, tmp_path) as site:
        desk, owner = site.house.desk, SELLER.liquidator_id
        drafts = await furnish(desk, 7, now_us())
        assert await furnish(desk, 7, now_us()) == {}
        assert len(await desk.lots.stock(owner, "", 50)) == 6
        [sale] = await desk.sales.list(owner, None, 5)
        codes = {finding.code for finding in await desk.sales.check(owner, sale.sale_id)}
        assert codes <= {"LOT_INCOMPLETE", "NO_PHOTO", "PARTLY_UNINSPECTED"}
        assert "LOT_INCOMPLETE" in codes
        await photograph(site.house.resources.pool, drafts, 7, now_us())
        lots = await desk.sales.lots(owner, sale.sale_id)
        photos = [len((await desk.photos.list(owner, lot.draft_id)).items) for lot in lots]
        assert photos == [3, 0, 3], "one is not measured and not photographed yet"
        unphotographed = [
            finding.lot
            for finding in await desk.sales.check(owner, sale.sale_id)
            if finding.code == "NO_PHOTO"
        ]
        assert unphotographed == ["2"]


async def test_some_lots_of_each_sale_are_a_consignors_who_can_sign_in(
    database_url: str, tmp_path: Path
) -> None:
    async with open_site(database_url, tmp_path) as site:
        pool = site.house.resources.pool
        people = await settle_in(site.house.resources.accounts, [])
        assert "consignor@example.com" in {login.mail for login in people.logins}
        whose = await consigning(site.house.desk, people.consignor)
        assert await consigning(site.house.desk, people.consignor) == whose
        sale = catalogue(7)
        command = await consigned(pool, sale.schedule(bytes(32)), whose)
        mine = {lot.lot_id for lot in command.lots if lot.consignor_id == whose.consignor_id}
        async with pool.acquire() as connection:
            rows = await connection.fetch("select * from consigned_lot")
        assert {row["lot_id"] for row in rows} == mine and len(mine) == 3
        (found,) = await site.house.desk.consigned.consigning(people.consignor, now_us())
        assert (found.seller, found.consignor_id) == ("Harbor Returns", whose.consignor_id)
