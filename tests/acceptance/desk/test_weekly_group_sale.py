"""A seller in Chromium: a weekly sale for a group, from a template, and a webhook to be told by."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from auction.terms import SaleAudience
from tests.acceptance.desk.test_from_stock_to_sale import sit_down
from tests.acceptance.resellers.hands import hands
from tests.seller_site import AtDesk, at_desk
from tests.site import Site, open_site


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The whole site."""
    async with open_site(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def desk(site: Site) -> AtDesk:
    """A liquidator."""
    return await at_desk(site)


async def test_a_weekly_sale_for_a_group_is_set_up_from_a_template(
    site: Site, desk: AtDesk, chromium: Browser
) -> None:
    hart = await site.reseller("Hart Trading")
    await desk.sale(title="Returns of March")
    async with hands(chromium, site.origin, zone="America/New_York") as visitor:
        page = await sit_down(visitor, desk)
        await page.get_by_role("link", name="Buyer groups").click()
        await page.get_by_label("Name", exact=True).fill("Regulars")
        await page.get_by_label("Members").fill("Nobody at all")
        visitor.window.expects("status of 422")
        await page.get_by_role("button", name="Make the group").click()
        await expect(page.locator("#error-members")).to_contain_text("No approved reseller")
        await page.get_by_label("Members").fill(hart.mail)
        await page.get_by_role("button", name="Make the group").click()
        await expect(page.get_by_text("Hart Trading").first).to_be_visible()

        await page.goto(f"{site.origin}/desk/templates")
        await page.get_by_label("Name", exact=True).fill("Thursdays")
        await page.get_by_label("Made of the sale").select_option(label="Returns of March, 0 lots")
        await page.get_by_role("button", name="Make the template").click()
        await page.get_by_label("Opens").first.fill("2027-03-04T16:00")
        await page.get_by_label("First lot ends").fill("2027-03-06T16:00")
        await page.get_by_label("Groups of buyers").check()
        await page.get_by_role("checkbox", name="Regulars").check()
        await page.get_by_role("button", name="Save the template").click()
        await expect(page.get_by_text("The template is saved.")).to_be_visible()
        await page.locator("#day").fill("2027-03-04")
        await page.get_by_role("button", name="Make the sale").click()
        await expect(page.get_by_role("checkbox", name="Regulars")).to_be_checked()

        await page.get_by_role("link", name="Repeat this sale").click()
        await page.get_by_label("Until").fill("2027-03-25")
        await page.get_by_label("Not on").fill("2027-03-18")
        await page.get_by_role("button", name="Look at the days").click()
        await expect(page.get_by_text("Thu 11 Mar 2027, 16:00 CST")).to_be_visible()
        await expect(page.get_by_text("Thu 25 Mar 2027, 16:00 CDT")).to_be_visible()
        await page.get_by_role("button", name="Make 2 drafts").click()
        await expect(page.get_by_text("2 drafts made.")).to_be_visible()

        await page.goto(f"{site.origin}/desk/webhooks")
        await page.get_by_label("Address").fill("https://93.184.215.14/hook")
        await page.get_by_role("button", name="Add the webhook").click()
        await expect(page.get_by_text("whsec_").first).to_be_visible()
        await page.get_by_role("link", name="I have it").click()
        await expect(page.get_by_role("button", name="Send a test")).to_be_visible()
    sales = await desk.room.sales.list(desk.seller.liquidator_id, None, 10)
    weekly = [sale for sale in sales if sale.series_id is not None]
    assert len(weekly) == 3
    assert {(sale.draft.audience, sale.draft.groups) for sale in weekly} == {
        (SaleAudience.GROUP, ("Regulars",))
    }
    (webhook,) = await desk.room.webhooks.list(desk.seller.liquidator_id)
    assert webhook.url == "https://93.184.215.14/hook"
