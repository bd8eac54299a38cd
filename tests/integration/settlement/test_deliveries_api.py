"""Shipping for programs: staff write down what happened, once and by version."""

import json
from pathlib import Path
from typing import Any

from accounts.identity import OrganisationKind, Role
from foundation.database import acquire
from tests.paid_lots import lots, pay_for
from tests.settlement_rules import TEXAS
from tests.site import now_us, open_site
from tests.visiting import visitor

API = "/api/v1/settlement"


async def test_staff_write_down_what_was_shipped_and_that_it_came(
    database_url: str, tmp_path: Path
) -> None:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(house, Role.SETTLEMENT, mail="sam@softclose.example")
        buyer = await site.reseller("Acme Resale")
        async with acquire(site.pool) as connection:
            (sent,) = await pay_for(
                connection, *lots("7", buyer_id=buyer.bidder_id, ships_to=TEXAS)
            )
        async with visitor(site, staff_id) as staff:

            async def asks(method: str, path: str, body: Any = None, status: int = 200) -> Any:
                more = {} if body is None else {"json": body}
                given = await staff.send(method, f"{API}{path}", **more)
                assert given.status == status, given.body
                return json.loads(given.body)

            (listed,) = (await asks("GET", "/deliveries"))["items"]
            assert (listed["award_id"], listed["delivery"]) == (sent, None)
            place = f"/deliveries/{sent}"
            arrival = {"version": 1, "delivered_at_us": now_us(), "signed_by": "Ann Acme"}
            await asks("POST", f"{place}/arrival", arrival, 404)
            ship = {"carrier": "UPS", "tracking": "1Z-77", "shipped_at_us": now_us() - 60_000_000}
            await asks("POST", f"{place}/shipment", ship | {"shipped_at_us": 1}, 422)
            shipped = await asks("POST", f"{place}/shipment", ship)
            assert (shipped["carrier"], shipped["version"]) == ("UPS", 1)
            await asks("POST", f"{place}/shipment", ship, 412)
            assert (await asks("GET", place))["delivery"]["tracking"] == "1Z-77"
            arrival["delivered_at_us"] = now_us() - 5_000_000  # clocks differ by a little
            assert (await asks("POST", f"{place}/arrival", arrival))["signed_by"] == "Ann Acme"
            await asks("GET", "/deliveries/S1~404", status=404)
