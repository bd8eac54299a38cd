"""Every page of settlement: no serious fault for axe, nothing wider than a phone, a quiet console.

With SOFTCLOSE_TEST_SCREENSHOTS=FOLDER pictures of all of them are kept there.
"""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from accounts.identity import OrganisationKind, Role
from accounts.ids import PersonId
from settlement.lives import AwardState, PaymentState
from tests.acceptance.resellers.hands import Hands, hands
from tests.acceptance.resellers.test_looks import look
from tests.settled import DAY_US, held_operation, settled
from tests.site import Site, now_us, open_site


async def enter(site: Site, visitor: Hands, person_id: PersonId) -> None:
    """Sign in without the form: staff have a second factor."""
    secret, _ = await site.people.session(person_id)
    await visitor.page.context.add_cookies(
        [{"name": "__Host-session", "value": secret, "url": site.origin.replace("http:", "https:")}]
    )
    await visitor.page.set_extra_http_headers({"Cookie": f"__Host-session={secret}"})


async def furnished(site: Site) -> dict[str, dict[str, str]]:
    """Sales in all states; the pages of staff."""
    buyer = await site.reseller("Acme Resale")
    liquidator = await site.people.organisation(OrganisationKind.LIQUIDATOR, "North Liquidation")
    paid = await settled(site.pool, buyer.bidder_id, liquidator, state=AwardState.PAID_OUT)
    held = await settled(
        site.pool, buyer.bidder_id, liquidator, sale_id="S3", state=AwardState.HANDED_OVER
    )
    await settled(
        site.pool,
        buyer.bidder_id,
        liquidator,
        sale_id="S2",
        payment=PaymentState.OVERDUE,
        state=AwardState.INVOICED,
    )
    words = "Stripe says that the charge was refunded, the books say that it was not."
    await held_operation(site.pool, held.award_ids[0], words, now_us() - DAY_US)
    staff = {
        "queue": "/settlement",
        "invoices": "/settlement/invoices",
        "award": f"/settlement/awards/{paid.award_ids[0]}",
        "award-held": f"/settlement/awards/{held.award_ids[0]}",
        "invoice": f"/settlement/invoices/{paid.invoice_id}",
        "search": "/settlement/search?q=1237.50",
        "search-nothing": "/settlement/search?q=nothing-like-it",
        "balances": "/settlement/balances",
        "statement": f"/settlement/statement?of=LIQUIDATOR&subject={liquidator}",
        "exports": "/settlement/exports",
    }
    return {"staff": staff}


@pytest.mark.timeout(400)
async def test_no_page_of_settlement_has_a_serious_fault(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(
            house, Role.SETTLEMENT, mail="sam@softclose.example", name="Sam Staff"
        )
        faults: list[str] = []
        async with hands(chromium, site.origin, zone="America/New_York") as visitor:
            await enter(site, visitor, staff_id)
            for name, path in {
                "queue-empty": "/settlement",
                "invoices-empty": "/settlement/invoices",
                "balances-empty": "/settlement/balances",
            }.items():
                faults += await look(visitor, name, path)
            for name, path in (await furnished(site))["staff"].items():
                faults += [f"staff: {fault}" for fault in await look(visitor, name, path)]
        assert faults == [], "\n".join(faults)
