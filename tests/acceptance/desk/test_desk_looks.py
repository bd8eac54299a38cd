"""Every page of the desk: no serious fault for axe, nothing wider than a phone, a quiet console.

With SOFTCLOSE_TEST_SCREENSHOTS=FOLDER pictures of all of them are kept there.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser

from auction.desk.webhook_rules import WebhookEvent
from auction.ids import BidderId
from tests.acceptance.resellers.hands import hands
from tests.acceptance.resellers.test_looks import look
from tests.pictures import a_photo
from tests.seller_site import AtDesk, at_desk
from tests.site import Reseller, open_site

EMPTY = {
    "desk-empty": "",
    "lots-empty": "/lots",
    "sales-empty": "/sales",
    "import": "/import",
    "questions-empty": "/questions",
    "groups-empty": "/groups",
    "templates-empty": "/templates",
    "recalls-empty": "/recalls",
    "webhooks-empty": "/webhooks",
}


async def furnished(desk: AtDesk) -> dict[str, str]:
    """Stock and sales of all kinds; the pages to look at."""
    first = await desk.lot()
    await desk.lot(title="Cordless power tools, mixed", category="Tools", reserve_minor=None)
    await desk.lot(title="Bedding and bath", opening_minor=250_00, length_mm=None)
    for colour, alt in (("#8a6f4d", "The front"), ("#4d6a8a", "")):
        await desk.room.photos.add(desk.seller, first, alt, [a_photo(colour, 800, 600)])
    bare = await desk.bare_lot()
    draft = await desk.sale(await desk.lot(), await desk.lot(title="Lamps", weight_g=None))
    unsaid = await desk.sale(title="", schedule=None)
    published = await desk.sale(await desk.lot(title="Toys"), title="Toys of March")
    await desk.publish(published)
    groups = desk.room.groups
    group = await groups.add(desk.seller, "Regulars", (BidderId("ann"), BidderId("bob")))
    invited = await desk.sale(
        await desk.lot(title="Chairs"), title="By invitation", audience="INVITE", invited=("ann",)
    )
    await desk.publish(invited)
    sale = await desk.room.sales.read(desk.seller.liquidator_id, draft)
    template = await desk.room.templates.add(desk.seller, "Every Thursday", sale.draft)
    events = tuple(WebhookEvent)
    made = await desk.room.webhooks.add(desk.seller, "https://93.184.215.14/hook", events)
    hook = made.webhook.webhook_id
    delivery = await desk.room.webhooks.test(desk.seller, hook)
    month = f"{datetime.now(UTC):%Y-%m}"
    return {
        "desk": "/desk",
        "lots": "/desk/lots",
        "lot": f"/desk/lots/{first}",
        "lot-photos": f"/desk/lots/{first}/photos?removed=9",
        "lot-bare": f"/desk/lots/{bare}",
        "lot-preview": f"/desk/lots/{first}/preview",
        "sales": "/desk/sales",
        "calendar": f"/desk/sales?month={month}",
        "sale": f"/desk/sales/{draft}",
        "sale-unsaid": f"/desk/sales/{unsaid}",
        "sale-preview": f"/desk/sales/{draft}/preview",
        "sale-checks": f"/desk/sales/{draft}/publish",
        "sale-published": f"/desk/sales/{published}",
        "live": f"/desk/sales/{published}/live",
        "live-lot": f"/desk/sales/{published}/live?lot=1",
        "results": f"/desk/sales/{published}/results",
        "change": f"/desk/sales/{published}/change",
        "change-invited": f"/desk/sales/{invited}/change",
        "repeats": f"/desk/sales/{draft}/repeats",
        "repeats-days": f"/desk/sales/{draft}/repeats?rhythm=WEEKLY&every=2&until=2035-01-01",
        "groups": "/desk/groups",
        "group": f"/desk/groups/{group.group_id}?q=har",
        "templates": "/desk/templates",
        "template": f"/desk/templates/{template.template_id}",
        "recalls": "/desk/recalls",
        "webhooks": "/desk/webhooks",
        "webhook": f"/desk/webhooks/{hook}",
        "delivery": f"/desk/webhooks/{hook}/deliveries/{delivery.delivery_id}",
    }


@pytest.mark.timeout(300)
async def test_no_page_of_the_desk_has_a_serious_fault(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        desk = await at_desk(site)
        empty = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
        visits = [
            ("seller", desk, await furnished(desk)),
            ("newcomer", empty, {name: f"/desk{path}" for name, path in EMPTY.items()}),
        ]
        faults: list[str] = []
        for who, whose, pages in visits:
            async with hands(chromium, site.origin, zone="America/New_York") as visitor:
                await visitor.sign_in(Reseller(whose.organisation_id, whose.person_id, whose.mail))
                for name, path in pages.items():
                    faults += [f"{who}: {fault}" for fault in await look(visitor, name, path)]
        assert faults == [], "\n".join(faults)
