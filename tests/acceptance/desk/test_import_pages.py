"""A manifest in Chromium: looked at, corrected without choosing it again, made into lots."""

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.acceptance.resellers.hands import hands
from tests.browser import PHONE
from tests.seller_site import at_desk
from tests.site import Reseller, open_site

MANIFEST = """Harbor Returns load 12
Pallet,Item Description,Category,Grade,Qty,Unit Retail,Remark
P1,"Toaster, two slots",Kitchen,Like New,2,29.99,Grey
P1,Kettle 1.7 l,Kitchen,Used Good,1,39.99,Blue
P2,Bed linen,Bedding,New,4,49.00,White
"""


async def test_a_manifest_becomes_lots(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    file = tmp_path / "load 12.csv"
    file.write_text(MANIFEST)
    bad = tmp_path / "bad.csv"
    bad.write_text(MANIFEST.replace(",4,", ",many,"))
    async with open_site(database_url, tmp_path / "data") as site:
        desk = await at_desk(site)
        async with hands(chromium, site.origin) as visitor:
            page, window = visitor.page, visitor.window
            await visitor.sign_in(Reseller(desk.organisation_id, desk.person_id, desk.mail))
            await page.goto(f"{site.origin}/desk")
            await page.get_by_role("link", name="Import your first manifest").click()
            await page.set_input_files("#field-file", bad)
            await page.get_by_role("button", name="Read the file").click()
            await expect(page.get_by_text("line 5", exact=True)).to_be_visible()
            await expect(page.get_by_role("button", name="Put into stock")).to_have_count(0)
            await window.screenshot("import-errors")

            await page.get_by_role("link", name="Import", exact=True).click()
            await page.set_input_files("#field-file", file)
            await page.get_by_role("button", name="Read the file").click()
            await expect(page.locator(".stats")).to_contain_text("$295.97")
            await page.get_by_label("Model").select_option("Remark")
            await page.get_by_role("button", name="Read it so").click()
            await expect(page.get_by_text("you said so").first).to_be_visible()
            assert await window.grave_faults() == []
            await window.screenshot("import-preview")
            await page.set_viewport_size(PHONE)
            assert await window.overflow_px() == 0
            await window.screenshot("import-preview-phone")
            await page.get_by_role("button", name="Put into stock").click()
            await expect(page.get_by_text("2 lots in stock")).to_be_visible()
        stock = await desk.room.lots.stock(desk.seller.liquidator_id, "", 10)
        assert sorted((lot.origin.pallet, lot.retail_minor) for lot in stock) == [
            ("P1", 99_97),
            ("P2", 196_00),
        ]
