"""The live board and the results on pages: what a seller does, and what strangers see of it."""

import asyncio
import json
from pathlib import Path

from accounts.audit import OPERATOR
from accounts.identity import OrganisationKind, Role
from accounts.ids import OrganisationId
from accounts.organisations import make_organisation
from foundation.database import transaction
from foundation.http.problems import NOT_FOUND
from tests.accounts_site import Client
from tests.builders import HOUSE
from tests.seller_site import at_desk
from tests.site import HOUR_US, SALE, a_pallet, now_us, open_site
from tests.visiting import visitor


async def until_told(client: Client, path: str, words: str) -> None:
    """Tables follow the log by moments."""
    async with asyncio.timeout(10):
        while words not in (await client.get(path)).text:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


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
            await until_told(dana, f"{path}/results", "Against reserves")
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


async def test_what_is_wrong_stands_beside_its_field_with_what_was_typed(
    database_url: str, tmp_path: Path
) -> None:
    async with open_site(database_url, tmp_path) as site:
        desk = await at_desk(site)
        sale_id = await desk.sale(await desk.lot(reserve_minor=400_00))
        await desk.publish(sale_id)
        path = f"/desk/sales/{sale_id}/live"
        async with visitor(site, desk.person_id) as dana:
            typed = {"what": "reserve", "lot": "1", "amount": "3OO"}
            told = await dana.post(path, typed)
            assert told.status == 422
            assert 'id="error-reserve"' in told.text
            assert 'value="3OO"' in told.text
            told = await dana.post(path, {"what": "withdraw", "lot": "1", "cause": "LAW"})
            assert told.status == 422
            assert 'id="error-withdraw"' in told.text
            assert '<option value="LAW" selected>' in told.text
            told = await dana.post(path, {"what": "accept", "lot": "1"})
            assert told.status == 409
            assert 'class="error-summary"' in told.text
            board = json.loads((await dana.get(f"{path}/board")).body)
            assert board["lots"][0]["reserve_minor"] == 400_00
            assert board["lots"][0]["status"] == "LIVE"


async def test_a_draft_has_no_results_yet(database_url: str, tmp_path: Path) -> None:
    async with open_site(database_url, tmp_path) as site:
        desk = await at_desk(site)
        rival = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
        sale_id = await desk.sale(await desk.lot())
        path = f"/desk/sales/{sale_id}/results"
        async with visitor(site, desk.person_id) as dana, visitor(site, rival.person_id) as ann:
            told = await dana.get(path)
            assert (told.status, told.headers["Location"]) == (303, f"/desk/sales/{sale_id}")
            assert "There are no results yet." in (await dana.get(f"/desk/sales/{sale_id}")).text
            assert (await ann.get(path)).status == NOT_FOUND.status


async def test_a_sale_that_was_not_planned_at_the_desk_is_found_there_too(
    database_url: str, tmp_path: Path
) -> None:
    async with open_site(database_url, tmp_path) as site:
        async with transaction(site.pool) as connection:
            liquidator_id = await make_organisation(
                connection,
                OrganisationKind.LIQUIDATOR,
                "Harbor Returns",
                organisation_id=OrganisationId(HOUSE),
                actor=OPERATOR,
                now_us=now_us(),
            )
        person_id = await site.people.person(liquidator_id, Role.LIQUIDATOR)
        await site.open_sale([a_pallet("1", HOUR_US)])
        async with visitor(site, person_id) as dana:
            await until_told(dana, "/desk", f"/desk/sales/{SALE}/live")
            assert "Returns of March" in (await dana.get(f"/desk/sales/{SALE}/live")).text
            gone = {"what": "withdraw", "lot": "1", "cause": "SELLER", "text": "Sold elsewhere"}
            await dana.post(f"/desk/sales/{SALE}/live", gone)
            await until_told(dana, "/desk", "Sales that have ended")
            assert f"/desk/sales/{SALE}/results" in (await dana.get("/desk")).text
