"""The pages of the largest sale: none keeps the event loop, on which others bid, for long."""

import asyncio
import gc
from pathlib import Path

from auction.desk.schedule import MAX_LOTS
from tests.accounts_site import Client
from tests.integration.desk.test_publishing_many import STALL_S, longest_stall_s
from tests.seller_site import at_desk
from tests.site import open_site
from tests.visiting import visitor


async def stall_of(client: Client, path: str) -> float:
    """How long the loop was away at most while a page was made."""
    stop = asyncio.Event()
    watching = asyncio.create_task(longest_stall_s(stop))
    shown = await client.get(path)
    stop.set()
    assert shown.status == 200, path
    return await watching


async def test_no_page_of_a_thousand_lots_holds_up_bidding(
    database_url: str, tmp_path: Path
) -> None:
    async with open_site(database_url, tmp_path) as site:
        desk = await at_desk(site)
        sale_id = await desk.sale(*[await desk.lot(lines=2) for _ in range(MAX_LOTS)])
        page, api = f"/desk/sales/{sale_id}", f"/api/v1/desk/sales/{sale_id}"
        async with visitor(site, desk.person_id) as dana:
            gc.collect()
            gc.freeze()  # as a serving process does: the collector's rounds are not ours
            stalls = {
                path: await stall_of(dana, path)
                for path in ("/desk", page, f"{page}/publish", f"{page}/preview", f"{api}/lots")
            }
            await desk.publish(sale_id)
            async with asyncio.timeout(20):
                while (await dana.get(f"{page}/results")).status != 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            ways = ("", "/live", "/live/board", "/results")
            stalls |= {f"{page}{way}": await stall_of(dana, f"{page}{way}") for way in ways}
            for form in ("results", "results.csv", "results.xlsx"):
                stalls[form] = await stall_of(dana, f"{api}/{form}")
            gc.unfreeze()
    assert {path: stall for path, stall in stalls.items() if stall > STALL_S} == {}
