"""Without scripts every page reads, and a bid goes by forms to the same engine."""

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.acceptance.resellers.hands import Hands
from tests.browser import DESKTOP, Window
from tests.site import SALE, a_pallet, open_site, usual_terms

S_US = 1_000_000


async def test_a_bid_by_forms_is_looked_at_first_and_counts_once(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        kestrel, dockside = await site.reseller("Kestrel Resale"), await site.reseller("Dockside")
        await site.open_sale([a_pallet("1", 600 * S_US)], terms=usual_terms())
        await site.admit(kestrel, dockside)
        await site.bid(dockside.bidder_id, 300_00)
        context = await chromium.new_context(viewport=DESKTOP, java_script_enabled=False)
        a = Hands(Window(await context.new_page()), site.origin)
        page = a.page
        await a.sign_in(kestrel)
        await page.goto(f"{site.origin}/sales/{SALE}")
        await expect(page.locator(".tile")).to_contain_text("$100")
        await page.get_by_role("searchbox").fill("nothing like it")
        await page.get_by_role("button", name="Show", exact=True).click()
        await expect(page.locator("#board")).to_contain_text("No lot fits")
        await page.goto(f"{site.origin}/sales/{SALE}/lots/1")
        await expect(page.locator("#bid-box")).to_contain_text("1 bid")
        await expect(page.locator("#bid-box time").first).to_be_visible()

        await page.get_by_label("Your max bid").fill("100")
        await page.get_by_role("button", name="Look at this bid").click()
        await expect(page.locator("#amount-fault")).to_contain_text("The least you can bid now")
        await expect(page.get_by_label("Your max bid")).to_have_value("100")
        await page.get_by_label("Your max bid").fill("$ 500")
        await page.get_by_role("button", name="Look at this bid").click()
        await expect(page.locator("main")).to_contain_text("never above $500")
        await expect(page.locator(".sums")).to_contain_text("$50")
        await page.get_by_role("button", name="Yes, bid up to $500").click()
        await expect(page.get_by_role("heading", name="You lead")).to_be_visible()
        receipt = await page.locator("code.hash").inner_text()
        await page.reload()  # the same form again: the same bid, the same receipt
        await expect(page.locator("code.hash")).to_have_text(receipt)
        feed = await site.house.gateway.hub.feed(SALE)
        assert feed is not None
        assert feed.sale.lots[next(iter(feed.sale.lots))].bid_count == 2
        await page.get_by_role("link", name="Back to the lot").click()
        await expect(page.locator("#bid-box .standing")).to_contain_text("You lead")
        await page.goto(f"{site.origin}/bids")
        await expect(page.locator(".tile")).to_contain_text("Your max $500")
        await context.close()
