"""Photos, messages and claims for programs: what buyer and staff show and say to each other."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accounts.identity import OrganisationKind, Role
from foundation.database import acquire
from settlement.ids import AwardId
from tests.accounts_site import Client
from tests.catalogue import a_described_lot, a_sale, list_lots
from tests.paid_lots import lots, pay_for
from tests.pictures import a_photo
from tests.settlement_rules import TEXAS
from tests.site import now_us, open_site
from tests.visiting import visitor

API = "/api/v1/settlement"
PICTURE = "application/octet-stream"


@dataclass(frozen=True)
class People:
    """Staff, a buyer whose lot is delivered, and another buyer."""

    staff: Client
    buyer: Client
    rival: Client
    award_id: AwardId


async def asks(by: Client, method: str, path: str, body: object = None, status: int = 200) -> Any:
    """The answer as a value, of the status that is expected."""
    given = await by.send(method, f"{API}{path}", json=body)
    assert given.status == status, given.body
    return json.loads(given.body) if given.body else None


async def shows(by: Client, path: str, data: bytes, status: int = 201) -> Any:
    """A picture is sent."""
    headers = {"Origin": by.origin, "Content-Type": PICTURE, "Accept": "application/json"}
    if by.cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in by.cookies.items())
    async with by.http.post(f"{by.origin}{API}{path}", data=data, headers=headers) as given:
        assert given.status == status, await given.read()
        return await given.json(content_type=None)


@pytest.fixture
async def people(database_url: str, tmp_path: Path) -> AsyncIterator[People]:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(house, Role.SETTLEMENT, mail="sam@softclose.example")
        buyer, rival = await site.reseller("Acme Resale"), await site.reseller("Rival Goods")
        async with acquire(site.pool) as connection:
            sold = lots("7", buyer_id=buyer.bidder_id, ships_to=TEXAS)
            (award_id,) = await pay_for(connection, *sold)
            sale_id, lot_id = award_id.split("~")
            lot = a_described_lot(lot_id, sale_id)
            await list_lots(connection, lot, sale=a_sale(sale_id))
        async with (
            visitor(site, staff_id) as staff,
            visitor(site, buyer.person_id) as of_buyer,
            visitor(site, rival.person_id) as of_rival,
        ):
            yield People(staff, of_buyer, of_rival, award_id)


async def delivered(people: People) -> str:
    """The lot's address in the API, once somebody has signed."""
    place = f"/deliveries/{people.award_id}"
    ship = {"carrier": "UPS", "tracking": "1Z-77", "shipped_at_us": now_us() - 60_000_000}
    await asks(people.staff, "POST", f"{place}/shipment", ship)
    await shows(people.staff, f"{place}/photos", a_photo(), 409)
    at_us = now_us() - 5_000_000
    arrival = {"version": 1, "delivered_at_us": at_us, "signed_by": "Ann Acme"}
    await asks(people.staff, "POST", f"{place}/arrival", arrival)
    return place


async def test_the_proof_of_a_delivery_has_photos(people: People) -> None:
    photos = f"{await delivered(people)}/photos"
    assert await asks(people.staff, "GET", photos) == {"items": []}
    for _ in range(2):  # as when an answer is lost
        (one,) = (await shows(people.staff, photos, a_photo()))["items"]
    assert one["alt"] == "Proof of delivery"
    href = one["files"][0]["href"]
    file = await people.staff.get(href)
    assert (file.status, file.headers["Content-Type"]) == (200, one["files"][0]["media_type"])
    assert len((await shows(people.staff, photos, a_photo("#112233")))["items"]) == 2
    assert (await shows(people.staff, photos, b"no picture", 422))["code"] == "BAD_PHOTO"
    await asks(people.buyer, "GET", photos, status=403)
    await asks(people.staff, "GET", f"{photos}/{'0' * 64}", status=404)
    await asks(people.staff, "GET", f"{photos}/x", status=404)


async def test_a_claim_is_shown_and_talked_about(people: People) -> None:
    await delivered(people)
    filing = {"lines": [{"line": 1, "reason": "MISSING", "quantity": 1}], "words": "One is gone."}
    filed = f"/purchases/awards/{people.award_id}/claims"
    claim_id = (await asks(people.buyer, "POST", filed, filing, 201))["claim_id"]
    own, desk = f"/purchases/claims/{claim_id}", f"/claims/{claim_id}"
    (photo,) = (await shows(people.buyer, f"{own}/photos", a_photo()))["items"]
    for by, photos in ((people.buyer, f"{own}/photos"), (people.staff, f"{desk}/photos")):
        (seen,) = (await asks(by, "GET", photos))["items"]
        assert seen["number"] == photo["number"]
        assert (await by.get(seen["files"][0]["href"])).status == 200
    assert (await people.rival.get(photo["files"][0]["href"])).status == 404
    await shows(people.rival, f"{own}/photos", a_photo(), 404)
    ask = {"words": "Which one?"}
    await asks(people.staff, "POST", f"{desk}/messages", ask, 201)
    await asks(people.rival, "POST", f"{own}/messages", ask, 404)
    answered = {"words": "The toaster."}
    talk = (await asks(people.buyer, "POST", f"{own}/messages", answered, 201))["items"]
    assert [one["words"] for one in talk] == ["Which one?", "The toaster."]
    assert (await asks(people.staff, "GET", f"{desk}/messages"))["items"] == talk
    version = (await asks(people.buyer, "GET", own))["version"]
    await asks(people.buyer, "POST", f"{own}/withdrawal", {"version": version})
    late = await asks(people.buyer, "POST", f"{own}/messages", answered, 409)
    assert late["code"] == "NOT_NOW"
