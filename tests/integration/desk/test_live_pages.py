"""The live board and the results on pages: what a seller does, and what strangers see of it."""

import json
from pathlib import Path

from foundation.http.problems import NOT_FOUND
from tests.seller_site import at_desk
from tests.site import open_site
from tests.visiting import visitor


async def test_a_seller_looks_and_acts_and_strangers_do_not(
    database_url: str, tmp_path: Path
) -> None:
    async with open_site(database_url, tmp_path) as site:
        desk = await at_desk(site)
        rival = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
        sale_id = await desk.sale(await desk.lot(reserve_minor=400_00))
        await desk.publish(sale_id)
        path = f"/desk/sales/{sale_id}"
        async with visitor(site, desk.person_id) as dana, visitor(site, rival.person_id) as ann:
            board = await dana.get(f"{path}/live/board")
            assert json.loads(board.body)["lots"][0]["reserve_minor"] == 400_00
            tag = board.headers["ETag"]
            again = await dana.get(f"{path}/live/board", **{"If-None-Match": tag})
            assert (again.status, again.body) == (304, b"")
            lower = {"what": "reserve", "lot": "1", "amount": "300"}
            assert (await dana.post(f"{path}/live", lower)).status == 303
            board = await dana.get(f"{path}/live/board")
            assert json.loads(board.body)["lots"][0]["reserve_minor"] == 300_00
            assert "Against reserves" in (await dana.get(f"{path}/results")).text
            for more in ("/live", "/live/board", "/live?lot=1", "/results"):
                assert (await ann.get(path + more)).status == NOT_FOUND.status, more
            assert (await ann.post(f"{path}/live", lower)).status == NOT_FOUND.status
            gone = {
                "what": "withdraw",
                "lot": "1",
                "cause": "SELLER",
                "text": "Damaged on the dock",
            }
            await dana.post(f"{path}/live", gone)
            board = await dana.get(f"{path}/live/board")
            assert json.loads(board.body)["lots"][0]["status"] == "WITHDRAWN"
