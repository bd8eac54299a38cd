"""A winner pays three lots at once, books a pickup and files a claim; staff hand the goods over,
decide the claim, see all three released, and close the day with no exception left.

By browsers, over the whole house and its simulated payment provider.
"""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from accounts.identity import OrganisationKind, Role
from tests.acceptance.resellers.hands import Hands, hands
from tests.acceptance.settlement.test_settlement_looks import enter
from tests.site import Reseller, Site, a_pallet, open_site, usual_terms

S_US = 1_000_000
WITHIN_MS = 30_000


async def sold(site: Site, *numbers: str) -> Reseller:
    """Lots that one reseller wins, in some seconds."""
    kestrel = await site.reseller("Kestrel Traders")
    lots = [a_pallet(lot, 4 * S_US, opening_minor=50_00) for lot in numbers]
    await site.open_sale(lots, terms=usual_terms(soft_close=None))
    await site.admit(kestrel)
    for lot in numbers:
        await site.bid(kestrel.bidder_id, 100_00, lot)
    await site.until_left(numbers[-1], -1)
    return kestrel


async def open_invoice(buyer: Hands) -> None:
    """The page of the one invoice; it is issued some seconds after the hammer."""
    page = buyer.page
    async with asyncio.timeout(30):
        while True:
            await page.goto(f"{buyer.origin}/purchases")
            if await page.locator("main table a").count():
                break
            await page.wait_for_timeout(300)
    await page.locator("main table a").first.click()


async def pay(buyer: Hands) -> None:
    """Save a card on the way; all three lots are paid by it, and the page says so by itself."""
    page = buyer.page
    await open_invoice(buyer)
    await expect(page.get_by_text("3 lots of")).to_be_visible()
    await page.get_by_role("link", name="Add a card").click()
    await page.get_by_text("Visa 4242, pays").click()
    await page.get_by_role("button", name="Save the card").click()
    await expect(page.get_by_role("status").get_by_text("Paid", exact=True)).to_be_visible(
        timeout=WITHIN_MS
    )


async def book(buyer: Hands) -> None:
    """A slot for all three."""
    page = buyer.page
    await page.goto(f"{buyer.origin}/purchases/pickups")
    await page.get_by_role("button", name="Choose a slot").click()
    await page.locator("input[name=slot_at_us]:not([disabled])").first.check()
    await page.get_by_role("button", name="Book the slot").click()
    await expect(page.get_by_text("The slot is yours.")).to_be_visible()


async def hand_over(staff: Hands) -> None:
    """The truck is checked in, loaded and released."""
    page = staff.page
    await page.goto(f"{staff.origin}/settlement/docks")
    await page.locator("main").get_by_role("link", name="Prairie Docks").click()
    days = page.get_by_role("navigation", name="Days").get_by_role("link")
    for day in range(await days.count()):
        await days.nth(day).click()
        if await page.locator("a.truck").count():
            break
    await page.locator("a.truck").first.click()
    await page.get_by_label("Carrier").fill("Blue Line")
    await page.get_by_label("Driver").fill("Jo Driver")
    await page.get_by_role("button", name="Check in").click()
    await expect(page.get_by_text("The truck is checked in.")).to_be_visible()
    while left := await page.locator("td.actions button[value=scan]").count():
        await page.locator("td.actions button[value=scan]").first.click()
        await expect(page.locator("td.actions button[value=scan]")).to_have_count(left - 1)
    await page.get_by_role("button", name="Release the truck").click()
    await expect(page.get_by_text("The truck may leave.")).to_be_visible()


async def claim(buyer: Hands) -> None:
    """Of one lot three lines are missing."""
    page = buyer.page
    await open_invoice(buyer)
    await page.get_by_role("link", name="Claim for lot 1").click()
    for place, line in enumerate((3, 7, 11)):  # more than the terms' threshold
        await page.get_by_role("button", name=f"Claim line {line}", exact=True).click()
        await page.locator("[name=reason]").nth(place).select_option("MISSING")
        await page.locator("[name=quantity]").nth(place).fill("4")
    await page.get_by_label("What happened").fill("They were not in the box.")
    await page.get_by_role("button", name="File the claim").click()
    await expect(page.get_by_text("We have your claim.")).to_be_visible()


async def decide(staff: Hands) -> None:
    """Credited as it was claimed."""
    page = staff.page
    await page.goto(f"{staff.origin}/settlement/claims")
    await page.get_by_role("link", name="Claim 1 on").click()
    await page.get_by_role("button", name="Credit what counts").click()
    await expect(page.get_by_text("Decided.")).to_be_visible()


async def accept(buyer: Hands, *numbers: str) -> None:
    """What is not claimed is accepted by hand, lot by lot."""
    page = buyer.page
    for number in numbers:
        await open_invoice(buyer)
        await page.get_by_role("button", name=f"All is well: accept lot {number}").click()
        await expect(page.get_by_text("Accepted. Thank you")).to_be_visible()


async def see_released(staff: Hands, lots: int) -> None:
    """Nothing is held any more: the invoice says so of each lot, the claimed one's story too."""
    page = staff.page
    async with asyncio.timeout(30):
        while True:
            await page.goto(f"{staff.origin}/settlement/search?q=1")
            await page.get_by_role("link", name="Invoice 1").first.click()
            released = page.get_by_role("table").get_by_text("Released to the seller", exact=True)
            if await released.count() == lots:
                break
            await page.wait_for_timeout(300)
    await page.get_by_role("link", name="Lot 1", exact=False).first.click()
    happened = page.get_by_role("region", name="What happened")
    for words in ("Paid", "Claimed", "Claim credited", "Booked: release"):
        await expect(happened.get_by_text(words, exact=True).first).to_be_visible()
    await expect(happened.get_by_text("by Sam Staff").first).to_be_visible()
    nothing_held = re.compile(r"not yet owed to anyone\s*\$0\.00")
    await expect(page.get_by_role("region", name="What is paid")).to_contain_text(nothing_held)


async def close_day(staff: Hands) -> None:
    """Once Stripe's list was read beyond what happened, and everything has its other side."""
    page = staff.page
    async with asyncio.timeout(120):
        while True:
            await page.goto(f"{staff.origin}/settlement/day")
            if await page.get_by_text("Nothing keeps it open").count():
                break
            await page.wait_for_timeout(1_000)
    await expect(page.get_by_text("No exceptions.")).to_be_visible()
    await page.get_by_role("button", name="Close the day").click()
    await expect(page.get_by_text("The day is closed")).to_be_visible()


@pytest.mark.timeout(300)
async def test_a_winner_pays_three_lots_and_is_credited_what_was_missing(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(
            house, Role.SETTLEMENT, mail="sam@softclose.example", name="Sam Staff"
        )
        kestrel = await sold(site, "1", "2", "3")
        async with (
            hands(chromium, site.origin) as buyer,
            hands(chromium, site.origin) as staff,
        ):
            await buyer.sign_in(kestrel)
            await enter(site, staff, staff_id)
            await pay(buyer)
            await book(buyer)
            await hand_over(staff)
            await claim(buyer)
            await accept(buyer, "2", "3")
            await decide(staff)
            await see_released(staff, 3)
            await close_day(staff)


@pytest.mark.timeout(200)
async def test_a_bank_that_wants_the_buyer_to_confirm_is_shown_and_asked(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        kestrel = await sold(site, "1")
        async with hands(chromium, site.origin) as buyer:
            await buyer.sign_in(kestrel)
            page = buyer.page
            await open_invoice(buyer)
            await page.get_by_role("link", name="Add a card").click()
            await page.get_by_text("asks you to confirm each payment").click()
            await page.get_by_role("button", name="Save the card").click()
            # The bank asks at once, when the card is saved; then for the payment itself.
            await page.get_by_role("link", name="Go to your bank").click()
            await page.get_by_role("button", name="Confirm").click()
            await expect(page.get_by_text("Your bank wants you to confirm")).to_be_visible(
                timeout=WITHIN_MS
            )
            await page.get_by_role("link", name="Confirm with your bank").click()
            await page.get_by_role("button", name="Confirm").click()
            await expect(page.get_by_role("status").get_by_text("Paid", exact=True)).to_be_visible(
                timeout=WITHIN_MS
            )
