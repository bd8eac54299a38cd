"""The page of a deposit: no serious fault for axe, nothing wider than a phone, a quiet console.

With SOFTCLOSE_TEST_SCREENSHOTS=FOLDER pictures of it are kept there.
"""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.acceptance.resellers.hands import hands
from tests.acceptance.resellers.test_looks import look
from tests.acceptance.settlement.test_settlement_looks import enter
from tests.site import HOUR_US, SALE, a_pallet, open_site, usual_terms

PAGE = f"/purchases/deposits/{SALE}"


@pytest.mark.timeout(300)
async def test_a_deposit_is_held_by_hand_and_looks_well(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        await site.open_sale([a_pallet("1", HOUR_US)], terms=usual_terms(deposit_minor=600_00))
        who = await site.reseller("Acme Resale")
        await site.register(who)
        async with hands(chromium, site.origin) as visitor:
            await enter(site, visitor, who.person_id)
            page = visitor.page
            faults = await look(visitor, "deposit-no-card", PAGE)
            await page.get_by_role("link", name="Add a card").click()
            await page.get_by_role("button", name="Save the card").click()
            await expect(page.get_by_role("button", name="Hold it on this card")).to_be_visible()
            faults += await look(visitor, "deposit-cards", PAGE)
            await page.get_by_role("button", name="Hold it on this card").click()
            await expect(page.get_by_text("It is held on your card")).to_be_visible()
            faults += await look(visitor, "deposit-held", PAGE)
            await page.goto(f"{site.origin}/sales/{SALE}/register")
            await expect(page.get_by_text("You are registered as bidder")).to_be_visible()
        assert faults == [], "\n".join(faults)
