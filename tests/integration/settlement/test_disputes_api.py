"""Disputes for programs: staff read and answer them, nobody else learns that there is one."""

import json
from pathlib import Path
from typing import Any

from accounts.identity import OrganisationKind, Role
from foundation.database import acquire
from settlement.lives import AwardState, PaymentState
from tests.accounts_site import Answer
from tests.settled import DAY_US, settled
from tests.site import now_us, open_site
from tests.visiting import visitor

DISPUTES = "/api/v1/settlement/disputes"

_CHARGE = """
insert into payment_charge (charge_id, payment_id, transaction_id, invoice_id, buyer_id,
    customer_id, way, currency, amount_minor, fee_minor, made_at_us)
values ('ch_1', 'pi_1', 'txn_1', $1, $2, 'cus_1', 'CARD', 'USD', 154054, 4500, $3)
"""
_DISPUTE = """
insert into payment_dispute (dispute_id, charge_id, invoice_id, amount_minor, currency, fee_minor,
    reason, status, state, answer_by_us, opened_at_us)
values ('du_1', 'ch_1', $1, 154054, 'USD', 1500, 'fraudulent', 'needs_response', 'OPEN', $2, $3)
"""
_LOST = """
insert into payment_dispute (dispute_id, charge_id, amount_minor, currency, fee_minor, reason,
    status, state, opened_at_us, ended_at_us, taken_minor)
values ('du_2', 'ch_2', 700, 'USD', 1500, 'fraudulent', 'lost', 'LOST', $1, $1, 700)
"""


def read(given: Answer) -> dict[str, Any]:
    """What came, as a value."""
    value: dict[str, Any] = json.loads(given.body)
    return value


async def test_staff_answer_a_dispute_once_by_the_version_that_they_saw(
    database_url: str, tmp_path: Path
) -> None:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(house, Role.SETTLEMENT, mail="sam@softclose.example")
        buyer = await site.reseller("Acme Resale")
        seller = await site.people.organisation(OrganisationKind.LIQUIDATOR, "North Liquidation")
        its = await settled(
            site.pool,
            buyer.bidder_id,
            seller,
            state=AwardState.FUNDED,
            payment=PaymentState.DISPUTED,
        )
        at_us = now_us() - DAY_US
        async with acquire(site.pool) as connection:
            await connection.execute(_CHARGE, its.invoice_id, buyer.bidder_id, at_us)
            await connection.execute(_DISPUTE, its.invoice_id, at_us + 9 * DAY_US, at_us)
        async with visitor(site, staff_id) as staff, visitor(site, buyer.person_id) as stranger:
            assert (await stranger.get(DISPUTES)).status == 403
            listed = read(await staff.get(DISPUTES))
            assert [one["dispute_id"] for one in listed["items"]] == ["du_1"]
            assert (await staff.get(f"{DISPUTES}/du_9")).status == 404
            one = read(await staff.get(f"{DISPUTES}/du_1"))
            assert one["evidence"]["customer_name"] == "Acme Resale"
            said = {"fault": "SELLER", "version": one["version"]}
            given = await staff.send("POST", f"{DISPUTES}/du_1/fault", json=said)
            done = read(given)
            assert done["dispute"]["fault"] == "SELLER"
            assert (await staff.send("POST", f"{DISPUTES}/du_1/fault", json=said)).status == 412
            sent = {"words": "It was signed for.", "version": done["version"]}
            assert (await staff.send("POST", f"{DISPUTES}/du_1/answer", json=sent)).status == 200


async def test_staff_say_who_bears_what_no_lot_can(database_url: str, tmp_path: Path) -> None:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(house, Role.SETTLEMENT, mail="sam@softclose.example")
        async with acquire(site.pool) as connection:
            await connection.execute(_LOST, now_us() - DAY_US)
        async with visitor(site, staff_id) as staff:
            queue = await staff.get("/settlement")
            assert "No lot bears this" in queue.body.decode()
            one = read(await staff.get(f"{DISPUTES}/du_2"))
            assert (one["unsettled_minor"], one["dispute"]["invoice_id"]) == (700, None)
            said = {"bearer": "BUYER", "version": one["version"]}
            refused = await staff.send("POST", f"{DISPUTES}/du_2/bearer", json=said)
            assert (refused.status, read(refused)["code"]) == (409, "NO_CREDIT")
            said["bearer"] = "HOUSE"
            given = await staff.send("POST", f"{DISPUTES}/du_2/bearer", json=said)
            assert (given.status, read(given)["unsettled_minor"]) == (200, 0)
            said["version"] = read(given)["version"]
            again = await staff.send("POST", f"{DISPUTES}/du_2/bearer", json=said)
            assert (again.status, read(again)["code"]) == (409, "NOTHING_TO_BEAR")
            assert "No lot bears this" not in (await staff.get("/settlement")).body.decode()
