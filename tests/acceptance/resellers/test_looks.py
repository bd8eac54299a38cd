"""Every page: no serious fault for axe, nothing wider than a phone, nothing that the console tells.

With SOFTCLOSE_TEST_SCREENSHOTS=FOLDER pictures of all of them are kept there.
"""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, ViewportSize

from tests.acceptance.resellers.hands import Hands, hands
from tests.browser import DESKTOP, PHONE, SCREENSHOTS, Scheme
from tests.site import SALE, Reseller, Site, a_pallet, open_site, usual_terms

S_US = 1_000_000
_SALE = f"/sales/{SALE}"

PUBLIC = {
    "calendar": "/sales",
    "calendar-ended": "/sales?state=ended",
    "board": _SALE,
    "board-nothing": f"{_SALE}?q=nothing-like-it",
    "terms": f"{_SALE}/terms",
    "lot": f"{_SALE}/lots/1",
    "lot-ended": f"{_SALE}/lots/4",
    "manifest": f"{_SALE}/lots/1/manifest?by=brand&order=quantity&descending=yes",
    "search": "/search?q=kitchen",
    "search-nothing": "/search?q=nothing-like-it",
}
OWN = {
    "lot-leading": f"{_SALE}/lots/2",
    "lot-outbid": f"{_SALE}/lots/3",
    "register": f"{_SALE}/register",
    "budgets": f"{_SALE}/budgets",
    "bids": "/bids",
    "bids-ended": "/bids?state=ended",
    "won": "/won",
    "watchlist": "/watchlist",
    "searches": "/searches",
    "notices": "/notices",
    "preferences": "/notices/preferences",
}


async def furnished(site: Site) -> tuple[Reseller, Reseller]:
    """A sale with something of everything, and a reseller who has just come."""
    kestrel, dockside = await site.reseller("Kestrel Resale"), await site.reseller("Dockside")
    lots = [
        a_pallet("1", 600 * S_US),
        a_pallet("2", 900 * S_US, title="Cordless power tools", restrictions=("no-marketplaces",)),
        a_pallet("3", 1_200 * S_US, title="Bedding and bath", reserve_minor=2_000_00),
        a_pallet("4", 4 * S_US, title="Toys and games"),
    ]
    await site.open_sale(lots, terms=usual_terms(soft_close=None), photos=3)
    await site.register(kestrel)
    await site.admit(dockside, restrictions=("no-marketplaces",))
    for lot, mine, theirs in (("2", 500_00, 300_00), ("3", 400_00, 700_00), ("4", 200_00, 150_00)):
        await site.bid(kestrel.bidder_id, mine, lot)
        await site.bid(dockside.bidder_id, theirs, lot)
    await site.until_left("4", -0.5)
    return kestrel, await site.reseller("Newcomer", approved=False)


async def look(visitor: Hands, name: str, path: str) -> list[str]:
    """What is wrong with a page."""
    page = visitor.page
    answer = await page.goto(visitor.origin + path)
    assert answer is not None
    await page.wait_for_timeout(400)  # for pictures and the first frames of the live parts
    await visitor.window.screenshot(name)
    faults = [f"{name}: {fault}" for fault in await visitor.window.grave_faults()]
    if answer.status != 200:
        faults.append(f"{name}: {answer.status}")
    faults += [f"{name}: {complaint}" for complaint in visitor.window.complaints]
    visitor.window.complaints.clear()
    if wider := await visitor.window.overflow_px():
        faults.append(f"{name}: {wider} px too wide")
    return faults


# Both sizes, and both schemes; all four looks when somebody wants to see the pictures.
LOOKS: list[tuple[ViewportSize, Scheme]] = [(DESKTOP, "light"), (PHONE, "dark")]
if os.environ.get(SCREENSHOTS):
    LOOKS += [(PHONE, "light"), (DESKTOP, "dark")]


@pytest.mark.timeout(400)  # forty pages, each searched by axe
@pytest.mark.parametrize(("size", "scheme"), LOOKS)
async def test_no_page_has_a_serious_fault(
    database_url: str, tmp_path: Path, chromium: Browser, size: ViewportSize, scheme: Scheme
) -> None:
    kind = f"{'desktop' if size == DESKTOP else 'phone'}-{scheme}"
    async with open_site(database_url, tmp_path) as site:
        kestrel, newcomer = await furnished(site)
        looks = {"size": size, "scheme": scheme, "zone": "America/New_York"}
        visits = [
            ("guest", None, PUBLIC),
            ("member", kestrel, PUBLIC | OWN),
            ("newcomer", newcomer, OWN),
        ]
        faults: list[str] = []
        for who, reseller, pages in visits:
            async with hands(chromium, site.origin, **looks) as visitor:
                if reseller is not None:
                    await visitor.sign_in(reseller)
                for name, path in pages.items():
                    faults += await look(visitor, f"{name}-{who}-{kind}", path)
        assert faults == [], "\n".join(faults)
