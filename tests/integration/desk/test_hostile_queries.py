"""What nobody types: addresses with bytes that no text in the database can have."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auction.desk.imports import Imports
from tests.seller_site import at_desk
from tests.site import Site, open_site
from tests.visiting import visitor

MANIFEST = b"UPC,Description,Qty,Unit Retail\n012345678905,Toaster,2,10.00\n"


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(database_url, tmp_path) as running:
        yield running


async def test_no_address_of_a_page_breaks_it(site: Site) -> None:
    desk = await at_desk(site)
    imports: Imports = desk.room.imports
    made = await imports.read_file(desk.seller, "a.csv", MANIFEST, corrections={}, currency="USD")
    sale_id = await desk.sale(await desk.lot())
    async with visitor(site, desk.person_id) as dana:
        for path in (
            "/desk/lots?after=%00",
            "/desk/lots?removed=%00",
            "/desk/consignors?after=%00",
            "/desk/groups?q=abc%00",
            "/desk/groups?removed=%00",
            f"/desk/import/{made.preview_id}?lot=%00",
            f"/desk/sales/{sale_id}/repeats?rhythm=%00",
            "/desk/sales?month=9999-99",
        ):
            answer = await dana.get(path)
            assert answer.status < 500, path
