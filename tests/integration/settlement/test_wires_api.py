"""Wires and statements for programs: staff enter, take, identify and return them."""

import datetime
import json
from pathlib import Path
from typing import Any

from accounts.identity import OrganisationKind, Role
from tests.accounts_site import Client
from tests.settled import settled
from tests.site import open_site
from tests.visiting import visitor

API = "/api/v1/settlement"
TITLES = "date,amount,currency,sender,reference,bank id\n"


async def asks(by: Client, method: str, path: str, body: object = None, status: int = 200) -> Any:
    """The answer as a value, of the status that is expected."""
    given = await by.send(method, f"{API}{path}", json=body)
    assert given.status == status, given.body
    return json.loads(given.body)


async def takes_in(by: Client, text: str, status: int = 200) -> Any:
    """A statement's file is sent."""
    headers = {"Content-Type": "text/csv", "Origin": by.origin}
    async with by.http.post(
        f"{by.origin}{API}/statements?name=march.csv",
        data=text.encode(),
        headers=headers | {"Cookie": "; ".join(f"{k}={v}" for k, v in by.cookies.items())},
    ) as given:
        assert given.status == status, await given.text()
        return json.loads(await given.read())


async def test_staff_say_whose_money_came(database_url: str, tmp_path: Path) -> None:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(house, Role.SETTLEMENT, mail="sam@softclose.example")
        north = await site.people.organisation(OrganisationKind.LIQUIDATOR, "North")
        seller_id = await site.people.person(north, Role.LIQUIDATOR, mail="lee@north.example")
        buyer = await site.reseller("Acme Resale")
        await settled(site.pool, buyer.bidder_id, north)
        async with (
            visitor(site, staff_id) as staff,
            visitor(site, buyer.person_id) as of_buyer,
            visitor(site, seller_id) as of_seller,
        ):
            today = str(datetime.datetime.now(datetime.UTC).date())
            row = {
                "bank_id": "A-1",
                "amount_minor": 2_000,
                "received_on": today,
                "sender": "Acme",
                "reference": "thanks",
            }
            seen = await asks(staff, "POST", "/wires", row, 201)
            number, version = seen["wire"]["wire_id"], seen["wire"]["version"]
            assert (await asks(staff, "POST", "/wires", row, 201))["wire"]["wire_id"] == number
            await asks(staff, "POST", "/wires", row | {"received_on": "1999-01-01"}, 422)
            one = f"/wires/{number}"
            taken = await asks(staff, "POST", f"{one}/take", {"version": version})
            version = taken["wire"]["version"]
            await asks(staff, "POST", f"{one}/take", {"version": version + 7}, 412)
            given = await asks(staff, "POST", f"{one}/giving-back", {"version": version})
            version = given["wire"]["version"]
            whose = {"version": version, "buyer_id": buyer.bidder_id}
            both = whose | {"invoice_id": "I-1"}
            await asks(staff, "POST", f"{one}/identification", both, 422)
            nobody = whose | {"buyer_id": "nobody"}
            await asks(staff, "POST", f"{one}/identification", nobody, 404)
            known = await asks(staff, "POST", f"{one}/identification", whose)
            assert (known["wire"]["state"], known["wire"]["buyer_id"]) == (
                "IDENTIFIED",
                buyer.bidder_id,
            )
            await asks(staff, "POST", f"{one}/identification", whose, 409)
            text = f"{TITLES}{today},20.00,USD,Jo,thanks,A-2\n"
            assert (await takes_in(staff, text))["new"] == 1
            assert (await takes_in(staff, text))["known"] == 1
            bad = await takes_in(staff, f"{TITLES}{today},much,USD,Jo,thanks,A-3\n", 422)
            assert (bad["code"], "Line 2" in bad["detail"]) == ("BAD_STATEMENT", True)
            more = await takes_in(staff, f"{TITLES}{today},5.00,USD,Al,thanks,A-4\n")
            assert more["new"] == 1
            page = await asks(staff, "GET", "/wires?limit=1")
            (other,) = page["items"]
            rest = await asks(staff, "GET", f"/wires?limit=1&cursor={page['next_cursor']}")
            assert [one["bank_id"] for one in rest["items"]] == ["A-4"]
            assert rest["next_cursor"] is None
            foreign = f"/wires/decided?cursor={page['next_cursor']}"
            assert (await asks(staff, "GET", foreign, status=422))["place"] == "?cursor"
            back = {"version": other["version"], "why": "Sent by mistake."}
            there = f"/wires/{other['wire_id']}"
            await asks(staff, "POST", f"{there}/return", back | {"why": ""}, 422)
            unknown = back | {"key": "bank_funding:nothing"}
            await asks(staff, "POST", f"{there}/known", unknown, 422)
            gone = await asks(staff, "POST", f"{there}/return", back)
            assert gone["wire"]["state"] == "RETURNED"
            decided = (await asks(staff, "GET", "/wires/decided"))["items"]
            assert [wire["wire_id"] for wire in decided] == [other["wire_id"], number]
            await asks(staff, "GET", "/wires/999999", status=404)
            for somebody in (of_buyer, of_seller):
                await asks(somebody, "GET", one, status=403)
                await asks(somebody, "POST", f"{one}/return", back, 403)
                await takes_in(somebody, text, 403)
