"""By keyboard alone, and by ear: what a screen reader is told, and what it is spared."""

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.acceptance.resellers.hands import hands
from tests.site import a_pallet, open_site, usual_terms

S_US = 1_000_000


async def test_a_bid_by_keyboard_alone(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site, hands(chromium, site.origin) as a:
        kestrel = await site.reseller("Kestrel Resale")
        await site.open_sale([a_pallet("1", 600 * S_US)], terms=usual_terms())
        await site.admit(kestrel)
        page = a.page
        await page.goto(f"{site.origin}/sign-in")
        await page.get_by_label("Mail address").focus()
        await page.keyboard.type(kestrel.mail)
        await page.keyboard.press("Tab")
        await page.keyboard.type(kestrel.password)
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Account menu")).to_be_attached()
        await page.goto(f"{site.origin}/sales")
        await tab_to(page, "Returns of March")
        await page.keyboard.press("Enter")
        await a.live()
        await tab_to(page, "Kitchen appliances")
        await page.keyboard.press("Enter")
        await a.live()
        await tab_to(page, "amount")
        await page.keyboard.type("250")
        await page.keyboard.press("Enter")
        await expect(a.standing).to_contain_text("You lead")
        await tab_to(page, "Raise my max to")
        await page.keyboard.press("Enter")
        await expect(page.locator("#amount")).to_be_focused()
        await expect(page.locator(".error")).to_contain_text("Enter the most you would pay.")
        await page.keyboard.type("2500")
        await page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        await expect(page.locator("#amount")).to_be_focused()


async def tab_to(page, wanted: str) -> None:  # type: ignore[no-untyped-def]
    """Tab on until the element with this name or id has the focus, which must be seen."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        name = await page.evaluate(
            "(() => { const e = document.activeElement; return e.id + ' ' + e.textContent; })()"
        )
        if wanted in name:
            outline = await page.evaluate(_OUTLINES)
            assert "solid" in outline or "auto" in outline, "nobody sees where the focus is"
            return
    raise AssertionError(f"{wanted!r} cannot be reached")


# Of the element, of a field's frame, and of the tile that a link fills.
_OUTLINES = """() => {
  const focused = document.activeElement;
  const around = [focused, focused.parentElement, focused.closest('.tile')].filter(Boolean);
  return around.map((one) => getComputedStyle(one).outlineStyle).join();
}"""


async def test_ears_are_told_what_matters_and_not_each_bid(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site, hands(chromium, site.origin) as a:
        kestrel, dockside = await site.reseller("Kestrel Resale"), await site.reseller("Dockside")
        await site.open_sale([a_pallet("1", 600 * S_US)], terms=usual_terms())
        await site.admit(kestrel, dockside)
        await a.sign_in(kestrel)
        await a.open_lot()
        polite = a.page.locator('[data-says="polite"]')
        urgent = a.page.locator('[data-says="assertive"]')
        await a.page.evaluate(_COUNT_CHANGES)
        await a.bid("250")
        await expect(urgent).to_contain_text("You lead. Your max bid of $250 is recorded.")
        await site.bid(dockside.bidder_id, 400_00)
        await expect(urgent).to_contain_text("You are outbid. The current bid is $260.")
        for number in range(1, 20):
            await site.bid(dockside.bidder_id, 400_00 + number * 100)  # raises that change nothing
        other = await site.reseller("Blue Door")
        await site.admit(other)
        for number in range(10):
            await site.bid(other.bidder_id, 500_00 + number * 100_00)
            await site.bid(dockside.bidder_id, 525_00 + number * 100_00)
        await expect(polite).to_contain_text("new bids, current bid")
        changes = await a.page.evaluate("window.saidPolitely")
        assert changes <= 3, "a summary now and then, not each of twenty bids"


_COUNT_CHANGES = """() => {
  window.saidPolitely = 0;
  const region = document.querySelector('[data-says="polite"]');
  new MutationObserver(() => { window.saidPolitely += 1; }).observe(region, { childList: true });
}"""
