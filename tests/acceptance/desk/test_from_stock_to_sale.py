"""A seller in Chromium: lots are edited in the grid, planned into a sale, and published."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from auction.desk.lot_drafts import DraftedLot
from tests.acceptance.resellers.hands import Hands, hands
from tests.browser import PHONE
from tests.seller_site import AtDesk, at_desk
from tests.site import Reseller, Site, open_site


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The whole site."""
    async with open_site(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def desk(site: Site) -> AtDesk:
    """A liquidator."""
    return await at_desk(site)


async def sit_down(visitor: Hands, desk: AtDesk) -> Page:
    """Signed in, at the desk."""
    await visitor.sign_in(Reseller(desk.organisation_id, desk.person_id, desk.mail))
    await visitor.page.get_by_role("link", name="Desk", exact=True).click()
    await expect(visitor.page.get_by_role("heading", name="Today")).to_be_visible()
    return visitor.page


async def lot_now(desk: AtDesk, draft_id: str) -> DraftedLot:
    return await desk.room.lots.read(desk.seller.liquidator_id, draft_id)


async def test_from_stock_to_a_published_sale(site: Site, desk: AtDesk, chromium: Browser) -> None:
    lots = [await desk.lot(weight_g=None), await desk.lot(title="Bedding and bath")]
    async with hands(chromium, site.origin, zone="America/New_York") as visitor:
        page = await sit_down(visitor, desk)
        await page.get_by_role("link", name="Lots in stock").click()
        row = page.get_by_role("row", name="Kitchen appliances")
        await row.locator("[data-field=weight]").click()
        await page.keyboard.type("600 lb")
        await page.keyboard.press("Enter")
        await expect(page.locator("#grid-said")).to_have_text("Saved.")
        for box in await page.get_by_role("checkbox").all():
            await box.check()
        await page.get_by_role("link", name="Today").click()

        visitor.window.expects("status of 422")
        await page.get_by_role("button", name="New sale").first.click()
        await page.locator("#field-title").fill("Returns of June")
        await page.get_by_label("Town").fill("Joliet")
        await page.locator("#field-region").fill("IL")
        await page.get_by_label("Time zone of the place").select_option("America/Chicago")
        await page.get_by_label("Opens").fill("2027-03-14T02:30")
        await page.get_by_label("First lot ends").fill("2027-06-03T16:00")
        await page.get_by_label("Payment").fill("By wire within two business days.")
        await page.get_by_label("Pickup").fill("By appointment, dock high.")
        await page.get_by_role("button", name="Save the sale").click()
        await expect(page.locator("#error-opens")).to_contain_text("never comes")
        await page.get_by_label("Opens").fill("2027-06-01T16:00")
        await page.get_by_role("button", name="Save the sale").click()
        await expect(page.get_by_text("The sale is saved.")).to_be_visible()

        for lot in ("Kitchen appliances", "Bedding and bath"):
            await page.get_by_role("checkbox", name=lot).check()
        await page.get_by_role("button", name="Put the chosen in").click()
        await page.get_by_role("button", name="Lot 2 earlier").click()
        await expect(page.locator("#order-said")).to_contain_text("Lot 2 is at place 1 of 2.")
        first = page.locator("#sale-lots tbody tr").first
        await expect(first.locator(".ends")).to_have_text("Thu 3 Jun 2027, 16:00 CDT")

        await page.get_by_role("link", name="Publish").click()
        await page.get_by_role("button", name="Publish 2 lots").click()
        await expect(page.get_by_text("The sale is published.")).to_be_visible()
        await page.get_by_role("link", name="The public page").click()
        await expect(page.get_by_role("heading", name="Returns of June")).to_be_visible()
        await expect(page.get_by_role("link", name="Bedding and bath").first).to_be_visible()
    assert (await lot_now(desk, lots[0])).draft.weight_g == 272_155


async def test_the_grid_is_worked_by_the_keyboard(
    site: Site, desk: AtDesk, chromium: Browser
) -> None:
    lot = await desk.lot()
    async with hands(chromium, site.origin) as visitor:
        page = await sit_down(visitor, desk)
        await page.goto(f"{site.origin}/desk/lots")
        visitor.window.expects("status of 422", "status of 412")
        cell = page.locator("[data-field=opening]")
        await page.locator("[data-field=title]").focus()
        await page.keyboard.press("End")
        await page.keyboard.press("ArrowLeft")
        await expect(cell).to_be_focused()
        await page.keyboard.type("1.250")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("no point between thousands")
        await page.keyboard.press("Escape")
        await expect(cell).to_have_text("$100")
        await page.keyboard.press("Enter")
        await page.keyboard.type("250")
        await page.keyboard.press("Tab")
        await expect(cell).to_have_text("$250")
        await expect(page.locator("[data-field=reserve]")).to_be_focused()
        await page.keyboard.press("Control+z")
        await expect(cell).to_have_text("$100")
        await desk.room.lots.remove(desk.seller, lot, (await lot_now(desk, lot)).version)
        await page.keyboard.type("9")
        visitor.window.expects("status of 404")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_be_visible()
        await page.keyboard.press("Escape")


async def test_the_stock_can_be_worked_on_a_phone_without_scripts(
    site: Site, desk: AtDesk, chromium: Browser
) -> None:
    await desk.lot()
    context = await chromium.new_context(java_script_enabled=False, viewport=PHONE)
    page = await context.new_page()
    try:
        await page.goto(f"{site.origin}/sign-in")
        await page.fill("#field-mail", desk.mail)
        await page.fill("#field-password", "correct horse battery staple")
        await page.click("main button[type=submit]")
        await page.goto(f"{site.origin}/desk/lots")
        await page.get_by_role("link", name="Kitchen appliances").click()
        await page.fill("#field-title", "Mixers")
        await page.get_by_role("button", name="Save the lot").click()
        await expect(page.get_by_role("heading", name="Mixers")).to_be_visible()
    finally:
        await context.close()
