"""Staff's pages of disputes: what is asked is sent, and the pages have no serious fault for axe.

With SOFTCLOSE_TEST_SCREENSHOTS=FOLDER pictures of them are kept there.
"""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from accounts.identity import OrganisationKind, Role
from foundation.database import acquire
from settlement.lives import AwardState, PaymentState
from tests.acceptance.resellers.hands import hands
from tests.acceptance.resellers.test_looks import look
from tests.acceptance.settlement.test_settlement_looks import enter
from tests.settled import DAY_US, settled
from tests.site import now_us, open_site

DISPUTES = "/settlement/disputes"

_CHARGE = """
insert into payment_charge (charge_id, payment_id, transaction_id, invoice_id, buyer_id,
    customer_id, way, currency, amount_minor, fee_minor, made_at_us)
values ('ch_1', 'pi_1', 'txn_1', $1, $2, 'cus_1', 'CARD', 'USD', 154054, 4500, $3)
"""
_DISPUTE = """
insert into payment_dispute (dispute_id, charge_id, invoice_id, amount_minor, currency, fee_minor,
    reason, status, state, answer_by_us, opened_at_us, ended_at_us)
values ($1, 'ch_1', $2, 154054, 'USD', 1500, $3, $4, $5, $6, $7, $8)
"""
_OF_CREDIT = """
insert into payment_dispute (dispute_id, charge_id, buyer_id, amount_minor, currency, fee_minor,
    reason, status, state, opened_at_us, ended_at_us, taken_minor)
values ('du_3', 'ch_3', $1, 70000, 'USD', 1500, 'unrecognized', 'lost', 'LOST', $2, $2, 70000)
"""


@pytest.mark.timeout(300)
async def test_staff_say_whose_fault_it_is_and_send_the_evidence(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(
            house, Role.SETTLEMENT, mail="sam@softclose.example", name="Sam Staff"
        )
        buyer = await site.reseller("Acme Resale")
        seller = await site.people.organisation(OrganisationKind.LIQUIDATOR, "North Liquidation")
        async with hands(chromium, site.origin) as visitor:
            await enter(site, visitor, staff_id)
            faults = await look(visitor, "disputes-none", DISPUTES)
            its = await settled(
                site.pool,
                buyer.bidder_id,
                seller,
                state=AwardState.PAID_OUT,
                payment=PaymentState.DISPUTED,
            )
            at_us = now_us() - DAY_US
            async with acquire(site.pool) as connection:
                await connection.execute(_CHARGE, its.invoice_id, buyer.bidder_id, at_us)
                rows = (
                    ("du_1", "product_not_received", "needs_response", "OPEN", None),
                    ("du_2", "fraudulent", "lost", "LOST", at_us),
                )
                for name, reason, status, state, ended in rows:
                    await connection.execute(
                        _DISPUTE, name, its.invoice_id, reason, status, state,
                        at_us + 9 * DAY_US, at_us, ended,
                    )  # fmt: skip
            faults += await look(visitor, "disputes", DISPUTES)
            faults += await look(visitor, "dispute", f"{DISPUTES}/du_1")
            page = visitor.page
            await page.get_by_role("button", name="The seller misdescribed").click()
            await expect(page.get_by_text("the seller bears it").first).to_be_visible()
            await page.get_by_label("What the bank should know").fill("It was signed for.")
            await page.get_by_role("button", name="Send the evidence").click()
            await expect(page.get_by_text("The evidence is on its way")).to_be_visible()
            faults += await look(visitor, "dispute-lost", f"{DISPUTES}/du_2")
            async with acquire(site.pool) as connection:
                await connection.execute(_OF_CREDIT, buyer.bidder_id, at_us)
            faults += await look(visitor, "disputes-to-bear", DISPUTES)
            faults += await look(visitor, "dispute-to-bear", f"{DISPUTES}/du_3")
            await page.get_by_role("button", name="The house bears it").click()
            await expect(page.get_by_text("It is the house's now")).to_be_visible()
        async with acquire(site.pool) as connection:
            asked = await connection.fetchrow(
                "select arguments::text as said from settlement_op where operation = $1",
                "answer_dispute",
            )
            fault = await connection.fetchval(
                "select fault from payment_dispute where dispute_id = 'du_1'"
            )
        assert asked is not None and "It was signed for." in asked["said"]
        assert fault == "SELLER"
        assert faults == [], "\n".join(faults)
