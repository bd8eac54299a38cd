"""Every page: no serious fault for axe, nothing wider than a phone, nothing that the console tells.

With SOFTCLOSE_TEST_SCREENSHOTS=FOLDER pictures of all of them are kept there.
"""

import os
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, ViewportSize

from auction.commands import PauseSale
from auction.ids import SaleId
from tests.acceptance.resellers.hands import Hands, hands
from tests.browser import DESKTOP, PHONE, SCREENSHOTS, Scheme
from tests.builders import STAFF_MEMBER
from tests.catalogue import a_sale
from tests.site import (
    HOUR_US,
    SALE,
    Reseller,
    Site,
    a_pallet,
    now_us,
    open_site,
    usual_terms,
)

S_US = 1_000_000
PAUSED, UPCOMING = SaleId("paused-3"), SaleId("upcoming-4")
_SALE, _PAUSED, _UPCOMING = f"/sales/{SALE}", f"/sales/{PAUSED}", f"/sales/{UPCOMING}"

# What differs by who looks, and what does not.
LIVE = {
    "calendar": "/sales",
    "board": _SALE,
    "lot": f"{_SALE}/lots/1",
    "lot-ended": f"{_SALE}/lots/4",
    "lot-paused": f"{_PAUSED}/lots/1",
    "lot-upcoming": f"{_UPCOMING}/lots/1",
    "search-nothing": "/search?q=nothing-like-it",
}
SAME = {
    "calendar-ended": "/sales?state=ended",
    "board-nothing": f"{_SALE}?q=nothing-like-it",
    "board-paused": _PAUSED,
    "board-upcoming": _UPCOMING,
    "terms": f"{_SALE}/terms",
    "manifest": f"{_SALE}/lots/1/manifest?by=brand&order=quantity&descending=yes",
    "search": "/search?q=kitchen",
    "missing": f"{_SALE}/lots/99",
}
OWN = {
    "register": f"{_SALE}/register",
    "budgets": f"{_SALE}/budgets",
    "bids": "/bids",
    "bids-ended": "/bids?state=ended",
    "won": "/won",
    "watchlist": "/watchlist",
    "searches": "/searches",
    "notices": "/notices",
}
MEMBERS = {
    "lot-leading": f"{_SALE}/lots/2",
    "lot-outbid": f"{_SALE}/lots/3",
    "preferences": "/notices/preferences",
    "forbidden": "/staff/audit",
}
STATUS = {"missing": 404, "forbidden": 403}
# For pictures and the first frames of the live parts.
SETTLED_MS: Final = 100

# Both sizes and both schemes; all four looks when somebody wants to see the pictures.
LOOKS: list[tuple[ViewportSize, Scheme]] = [(DESKTOP, "light"), (PHONE, "dark")]
if os.environ.get(SCREENSHOTS):
    LOOKS += [(PHONE, "light"), (DESKTOP, "dark")]


async def furnished(site: Site) -> tuple[Reseller, Reseller]:
    """Sales with something of everything, and a reseller who has just come."""
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
    await another_sale(site, PAUSED, opens_in_us=-HOUR_US)
    await site.submit(
        PauseSale(sale_id=PAUSED, reason="The dock has no power.", actor_id=STAFF_MEMBER)
    )
    await another_sale(site, UPCOMING, opens_in_us=HOUR_US)
    await site.until_left("4", -0.5)
    return kestrel, await site.reseller("Newcomer", approved=False)


async def another_sale(site: Site, sale_id: SaleId, *, opens_in_us: int) -> None:
    """With one lot."""
    opens_at_us = now_us() + opens_in_us
    lot = a_pallet("1", 3 * HOUR_US, opens_at_us=opens_at_us, sale_id=sale_id)
    await site.open_sale([lot], sale=a_sale(sale_id, opens_at_us=opens_at_us))


async def look(visitor: Hands, name: str, path: str) -> list[str]:
    """What is wrong with a page, in every look."""
    page, window = visitor.page, visitor.window
    answer = await page.goto(visitor.origin + path)
    assert answer is not None
    status = STATUS.get(name, 200)
    faults = [] if answer.status == status else [f"{name}: {answer.status}"]
    for size, scheme in LOOKS:
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=scheme)
        await page.wait_for_timeout(SETTLED_MS)
        kind = f"{name}-{'desktop' if size == DESKTOP else 'phone'}-{scheme}"
        await window.screenshot(kind)
        faults += [f"{kind}: {fault}" for fault in await window.grave_faults()]
        if wider := await window.overflow_px():
            faults.append(f"{kind}: {wider} px too wide")
    faults += [f"{name}: {one}" for one in window.complaints if f"status of {status}" not in one]
    window.complaints.clear()
    return faults


@pytest.mark.timeout(400)  # forty pages, each searched by axe
async def test_no_page_has_a_serious_fault(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        kestrel, newcomer = await furnished(site)
        visits = [
            ("guest", None, LIVE | SAME),
            ("member", kestrel, LIVE | OWN | MEMBERS),
            ("newcomer", newcomer, OWN | {"lot": LIVE["lot"]}),
        ]
        faults: list[str] = []
        for who, reseller, pages in visits:
            async with hands(chromium, site.origin, zone="America/New_York") as visitor:
                if reseller is not None:
                    await visitor.sign_in(reseller)
                for name, path in pages.items():
                    found = await look(visitor, name, path)
                    faults += [f"{who}: {fault}" for fault in found]
        assert faults == [], "\n".join(faults)
