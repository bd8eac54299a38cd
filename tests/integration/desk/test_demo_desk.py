"""What the demonstration puts on its liquidator's desk."""

from pathlib import Path

from softclose.demo.desk import SELLER, furnish, photograph
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
