"""Two resellers in two browsers bid against each other, over the real site, to the very end."""

import asyncio
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.acceptance.resellers.hands import hands
from tests.line import line_to
from tests.site import SHORT, a_pallet, open_site, usual_terms

S_US = 1_000_000


async def test_two_resellers_bid_through_a_soft_close_and_a_cut_to_the_end(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site, line_to(site.origin) as (line, far):
        kestrel, dockside = await site.reseller("Kestrel Resale"), await site.reseller("Dockside")
        async with hands(chromium, site.origin) as a, hands(chromium, far) as b:
            # The sale begins when both have signed in, so that its seconds go to the bidding.
            await a.sign_in(kestrel)
            await b.sign_in(dockside)
            terms = usual_terms(SHORT)
            await site.open_sale([a_pallet("1", 30 * S_US)], terms=terms)
            await a.register()
            await b.register()
            await a.open_lot()
            await b.open_lot()

            await a.bid("500")
            await expect(a.standing).to_contain_text("You lead")
            await expect(a.outcome).to_have_attribute("data-outcome", "LEADING")
            await expect(b.price).to_have_text("$100")

            await b.bid("300")
            await expect(b.standing).to_contain_text("You are outbid")
            await expect(b.outcome).to_contain_text("Outbid at once.")
            await expect(a.price).to_have_text("$310")
            await expect(a.standing).to_contain_text("You lead")

            line.silence()
            await expect(b.banner).to_contain_text("No answer from the server")
            await b.bid("600")
            await expect(b.outcome).to_contain_text("Not confirmed yet.")
            await expect(a.price).to_have_text("$310")
            line.restore()
            await expect(b.outcome).to_have_attribute("data-outcome", "LEADING")
            await expect(b.standing).to_contain_text("You lead")
            await expect(a.standing).to_contain_text("You are outbid")
            await expect(b.banner).to_be_hidden()
            b.forgive_cuts()

            # The last seconds: each answers the other, and each answer moves the end.
            await site.until_left("1", 1.5)
            await a.bid("700")
            await expect(a.page.locator(".ends")).to_contain_text("extended 1 time")
            await expect(b.page.locator(".ends")).to_contain_text("extended 1 time")
            await site.until_left("1", 1.5)
            await b.bid("800")
            await expect(a.page.locator(".ends")).to_contain_text("extended 2 times")

            await expect(b.page.locator("#bid-box")).to_contain_text("You won for $725")
            await expect(a.page.locator("#bid-box")).to_contain_text("Another bidder won")
            assert await a.is_same_document()
            assert await b.is_same_document()

            await b.page.goto(f"{far}/won")
            await expect(b.page.locator(".won .card")).to_contain_text("$725")
            await expect(b.page.locator(".won .card")).to_contain_text("Pay by")


async def test_a_board_tells_where_its_viewer_stands(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site, hands(chromium, site.origin) as a:
        kestrel, dockside = await site.reseller("Kestrel Resale"), await site.reseller("Dockside")
        lots = [a_pallet(str(number), number * 600 * S_US) for number in (1, 2, 3)]
        await site.open_sale(lots, terms=usual_terms())
        await site.admit(kestrel, dockside)
        await a.sign_in(kestrel)
        await a.open_board()
        tiles = a.page.locator(".tile")
        await expect(tiles).to_have_count(3)

        await site.bid(kestrel.bidder_id, 500_00, "2")
        second = a.page.locator('.tile[data-lot="2"]')
        await expect(second.locator(".standing")).to_contain_text("You lead")
        await expect(a.page.locator('#chips [data-show="leading"]')).to_contain_text("Leading 1")
        await site.bid(dockside.bidder_id, 900_00, "2")
        await expect(second.locator(".standing")).to_contain_text("You are outbid")
        await expect(second.locator(".price")).to_have_text("$525")
        toast = a.page.locator(".toast", has_text="You are outbid on lot 2")
        await expect(toast).to_be_visible()
        await expect(toast).to_have_attribute("role", "alert")

        await a.page.locator('#chips [data-show="outbid"]').click()
        await expect(tiles).to_have_count(1)
        assert a.page.url.endswith("?show=outbid")
        await a.page.locator('#chips [data-show="all"]').click()
        await a.page.get_by_role("searchbox", name="Search").fill("no such thing")
        await expect(a.page.locator("#board")).to_contain_text("No lot fits")
        await a.page.get_by_role("button", name="Show all lots").click()
        await expect(tiles).to_have_count(3)

        third = a.page.locator('.tile[data-lot="3"]')
        async with a.page.expect_response("**/watchlist/**") as answered:
            await third.get_by_role("button", name="Watch lot 3").click()
        assert (await answered.value).status == 204
        await expect(third.locator(".standing")).to_contain_text("You watch this")
        await a.page.reload()
        await expect(third.locator(".standing")).to_contain_text("You watch this")


async def test_a_bid_far_above_the_least_is_asked_about(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site, hands(chromium, site.origin) as a:
        kestrel = await site.reseller("Kestrel Resale")
        await site.open_sale([a_pallet("1", 600 * S_US)], terms=usual_terms())
        await site.admit(kestrel)
        await a.sign_in(kestrel)
        await a.open_lot()
        field = a.page.get_by_label("Your max bid")
        await field.fill("50")
        await a.page.keyboard.press("Enter")
        await expect(a.page.locator("#amount-fault")).to_contain_text("The least you can bid now")
        await field.fill("1.250")
        await expect(a.page.locator("#amount-fault")).to_contain_text("at most 2 digits")
        await field.fill("1,000")
        await expect(a.page.locator("#meaning")).to_contain_text("never above $1,000")
        await a.page.locator("form[data-live] button[type=submit]").click()
        dialog = a.page.get_by_role("dialog")
        await expect(dialog).to_contain_text("10 times the $100")
        await dialog.get_by_role("button", name="Change the amount").click()
        await expect(dialog).to_be_hidden()
        await expect(field).to_be_focused()
        await expect(a.price).to_have_text("$100")
        await a.page.locator("form[data-live] button[type=submit]").click()
        await dialog.get_by_role("button", name="Yes, bid up to $1,000").click()
        await expect(a.standing).to_contain_text("You lead")
        await a.page.locator(".receipt summary").click()
        await expect(a.page.locator(".receipt")).to_contain_text("event")
        await expect(a.page.get_by_label("Raise your max bid")).to_have_value("")


async def test_a_link_with_an_amount_asks_and_does_nothing_by_itself(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site, hands(chromium, site.origin) as a:
        kestrel = await site.reseller("Kestrel Resale")
        await site.open_sale([a_pallet("1", 600 * S_US)], terms=usual_terms())
        await site.admit(kestrel)
        await a.sign_in(kestrel)
        await a.open_lot("1?bid=15000")
        dialog = a.page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Bid up to $150?")
        await asyncio.sleep(0.3)
        await expect(a.page.locator(".outcome")).to_have_count(0)
        await dialog.get_by_role("button", name="Yes, bid up to $150").click()
        await expect(a.standing).to_contain_text("You lead")


async def test_what_is_typed_and_focused_stays_while_others_bid(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site, hands(chromium, site.origin) as a:
        kestrel, dockside = await site.reseller("Kestrel Resale"), await site.reseller("Dockside")
        await site.open_sale([a_pallet("1", 600 * S_US)], terms=usual_terms())
        await site.admit(kestrel, dockside)
        await a.sign_in(kestrel)
        await a.open_lot()
        field = a.page.get_by_label("Your max bid")
        await field.click()
        for number, typed in enumerate("1250", start=1):
            await site.bid(dockside.bidder_id, 100_00 + number * 100_00)
            await expect(a.page.locator("#ladder li")).to_have_count(1)
            await a.page.keyboard.press(typed)
        await expect(field).to_be_focused()
        await expect(field).to_have_value("1250")
