"""Payees and money out for programs: each sees to its own, and staff do it by two."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accounts.identity import OrganisationKind, Role
from foundation.database import acquire
from tests.accounts_site import Client
from tests.builders import SALE
from tests.catalogue import a_described_lot, a_sale, list_lots
from tests.settled import Settled, settled
from tests.site import Site, open_site
from tests.visiting import visitor

API = "/api/v1/settlement"
BANK = {"holder": "North Salvage LLC", "routing": "121000248", "account": "000123456789"}
HOUSE = {
    "bank_name": "Wells Fargo",
    "destination": "121000248",
    "origin": "1234567890",
    "company_name": "Softclose",
    "company_id": "1987654321",
}


async def asks(by: Client, method: str, path: str, body: object = None, status: int = 200) -> Any:
    """The answer as a value, of the status that is expected."""
    given = await by.send(method, f"{API}{path}", json=body, headers=dict(_plain(by)))
    assert given.status == status, given.body
    return json.loads(given.body) if given.body else None


def _plain(by: Client) -> dict[str, str]:
    return {"Origin": by.origin, "Accept": "application/json"}


@dataclass(frozen=True)
class People:
    """Two of staff, two sellers and a buyer; one of the sellers sold something."""

    site: Site
    staff: Client
    second: Client
    north: Client
    south: Client
    buyer: Client
    north_id: str
    paid: Settled


@pytest.fixture
async def people(database_url: str, tmp_path: Path) -> AsyncIterator[People]:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff = [
            await site.people.person(house, Role.SETTLEMENT, mail=f"{name}@softclose.example")
            for name in ("sam", "sue")
        ]
        sellers, ids = [], []
        for name in ("north", "south"):
            ids.append(await site.people.organisation(OrganisationKind.LIQUIDATOR, name))
            sellers.append(
                await site.people.person(
                    ids[-1], Role.LIQUIDATOR, Role.ADMIN, mail=f"lee@{name}.example"
                )
            )
        buyer = await site.reseller("Acme Resale")
        paid = await settled(site.pool, buyer.bidder_id, ids[0])
        async with (
            visitor(site, staff[0]) as sam,
            visitor(site, staff[1]) as sue,
            visitor(site, sellers[0]) as north,
            visitor(site, sellers[1]) as south,
            visitor(site, buyer.person_id) as of_buyer,
        ):
            yield People(site, sam, sue, north, south, of_buyer, ids[0], paid)


async def test_a_seller_says_where_it_is_paid(people: People) -> None:
    (own,) = (await asks(people.north, "GET", "/earnings/payees"))["items"]
    assert (own["payee_id"], own["bank"]) == (people.north_id, None)
    place = f"/earnings/payees/{people.north_id}"
    bank = BANK | {"version": own["version"]}
    wrong = await asks(people.north, "PUT", f"{place}/bank", bank | {"routing": "121000249"}, 422)
    assert wrong["place"] == "/routing"
    choice = {"version": own["version"], "way": "CONNECT"}
    await asks(people.north, "POST", f"{place}/way", choice | {"version": 1}, 409)
    await asks(people.north, "POST", f"{place}/account/link", status=409)
    version = (await asks(people.north, "GET", place))["version"]
    bank["version"] = version
    shown = await asks(people.north, "PUT", f"{place}/bank", bank)
    assert (shown["way"], shown["bank"]["last4"]) == ("BANK", "6789")
    assert "000123456789" not in json.dumps(shown)
    await asks(people.north, "PUT", f"{place}/bank", bank, 412)
    await asks(people.north, "POST", f"{place}/account", {"email": "nobody"}, 422)
    asked = await asks(people.north, "POST", f"{place}/account", {"email": "lee@north.example"})
    assert asked["connected"]["email"] == "lee@north.example"
    for method, path, body in (
        ("GET", place, None),
        ("PUT", f"{place}/bank", bank),
        ("POST", f"{place}/way", choice),
        ("POST", f"{place}/account/link", None),
        ("POST", f"{place}/account/reading", None),
    ):
        await asks(people.south, method, path, body, 404)
        await asks(people.buyer, method, path, body, 404)
        await asks(people.staff, method, path, body, 404 if method == "GET" else 403)


async def test_what_staff_enter_another_person_confirms(people: People) -> None:
    place = f"/payees/{people.north_id}"
    bank = BANK | {"version": (await asks(people.staff, "GET", place))["version"]}
    await asks(people.staff, "PUT", f"{place}/bank", bank | {"version": 9}, 412)
    bank["version"] = (await asks(people.staff, "GET", place))["version"]
    shown = await asks(people.staff, "PUT", f"{place}/bank", bank)
    assert shown["bank"] is None
    waiting = f"{place}/banks/{shown['waiting']['bank_account_id']}"
    await asks(people.staff, "POST", f"{waiting}/confirmation", status=409)
    await asks(people.second, "POST", f"{place}/banks/999/confirmation", status=409)
    assert (await asks(people.second, "POST", f"{waiting}/confirmation"))["bank"]["last4"] == "6789"
    await asks(people.second, "POST", f"{waiting}/refusal", status=409)
    (listed,) = (await asks(people.staff, "GET", "/payees"))["items"]
    assert listed["payee_id"] == people.north_id
    await asks(people.staff, "GET", "/payees/nobody", status=404)
    for somebody in (people.north, people.buyer):
        await asks(somebody, "GET", place, status=403)
        await asks(somebody, "POST", f"{waiting}/confirmation", status=403)


async def test_sellers_see_their_own_earnings_alone(people: People) -> None:
    sold = (await asks(people.north, "GET", "/earnings/sold"))["items"]
    assert {one["award_id"] for one in sold} == set(people.paid.award_ids)
    assert (await asks(people.south, "GET", "/earnings/sold"))["items"] == []
    await asks(people.south, "GET", f"/earnings/sold?payee_id={people.north_id}", status=404)
    await asks(people.north, "GET", "/earnings/sold?cursor=x", status=422)
    for path in ("owed", "paid", "papers"):
        assert "items" in await asks(people.north, "GET", f"/earnings/{path}")
        assert (await asks(people.south, "GET", f"/earnings/{path}"))["items"] == []
        assert (await asks(people.buyer, "GET", f"/earnings/{path}"))["items"] == []
        assert (await asks(people.staff, "GET", f"/earnings/{path}"))["items"] == []


async def test_staff_say_the_rest_of_money_out(people: People) -> None:
    staff = people.staff
    assert await asks(staff, "GET", "/house-bank") == {"bank": None}
    wrong = await asks(staff, "PUT", "/house-bank", HOUSE | {"destination": "121000249"}, 422)
    assert wrong["place"] == "/destination"
    await asks(staff, "PUT", "/house-bank?currency=XXX", HOUSE, 422)
    assert (await asks(staff, "PUT", "/house-bank", HOUSE))["bank"]["bank_name"] == "Wells Fargo"
    assert (await asks(staff, "GET", "/house-bank"))["bank"]["origin"] == "1234567890"
    back = {"place": 1, "code": "R02"}
    await asks(staff, "POST", "/bank-files/77/returns", back, 404)
    await asks(staff, "POST", "/bank-files/77/returns", back | {"code": "R2"}, 422)
    none = await asks(staff, "GET", "/write-offs")
    assert none == {"owing": [], "items": [], "next_cursor": None}
    ask = {"liquidator_id": people.north_id, "amount_minor": 1, "why": "It is bankrupt."}
    await asks(staff, "POST", "/write-offs", ask, 409)
    await asks(staff, "POST", "/write-offs/5/agreement", status=404)
    taxed = f"/invoices/{people.paid.invoice_id}/tax-credits"
    assert await asks(staff, "GET", taxed) == {"items": []}
    await asks(staff, "POST", taxed, status=409)
    await asks(staff, "POST", "/invoices/I-404/tax-credits", status=404)
    await asks(staff, "POST", "/payables/P-404/letting-go", {"why": "We bear it."}, 404)
    for path in ("payables", "payments"):
        assert "items" in await asks(staff, "GET", f"/{path}")
    threshold = f"/sales/{SALE}/lots/404/claim-threshold"
    await asks(staff, "PUT", threshold, {"share_bps": 500}, 404)
    await asks(staff, "PUT", threshold, {"share_bps": 10_001}, 422)
    for somebody in (people.north, people.buyer):
        for path in ("/house-bank", "/write-offs", "/payables", taxed):
            await asks(somebody, "GET", path, status=403)
        await asks(somebody, "PUT", threshold, {"share_bps": 500}, 403)


async def test_a_lot_has_a_threshold_of_its_own_until_it_is_sold(people: People) -> None:
    sale_id, sold = people.paid.award_ids[0].split("~")
    lots = [a_described_lot("404", sale_id), a_described_lot(sold, sale_id)]
    async with acquire(people.site.pool) as connection:
        await list_lots(connection, *lots, sale=a_sale(sale_id))
    of_lot, said = f"/sales/{sale_id}/lots/{{}}/claim-threshold", {"share_bps": 500}
    await asks(people.staff, "PUT", of_lot.format("404"), said, 204)
    await asks(people.staff, "PUT", of_lot.format("404"), said | {"pays": "EXCESS"}, 204)
    await asks(people.staff, "PUT", of_lot.format(sold), said, 409)
    async with acquire(people.site.pool) as connection:
        stated = await connection.fetch("select lot_id, share_bps, pays from lot_claim_threshold")
    assert [tuple(one) for one in stated] == [("404", 500, "EXCESS")]
    (one,) = (await asks(people.staff, "GET", "/claim-thresholds"))["items"]
    assert (one["lot_id"], one["share_bps"], one["is_sold"]) == ("404", 500, False)


async def test_staff_state_a_lots_own_threshold_on_a_page(people: People) -> None:
    sale_id, sold = people.paid.award_ids[0].split("~")
    lots = [a_described_lot("404", sale_id), a_described_lot(sold, sale_id)]
    async with acquire(people.site.pool) as connection:
        await list_lots(connection, *lots, sale=a_sale(sale_id))
    page, staff = "/settlement/thresholds", people.staff
    assert "No lot states its own" in (await staff.get(page)).text
    form = {"sale_id": sale_id, "lot_id": "404", "share": "2.5 %", "pays": "EXCESS"}
    wrong = (
        {"share": "101"},
        {"share": "x"},
        {"share": "NaN"},
        {"lot_id": "405"},
        {"lot_id": sold},
    )
    for change in wrong:
        assert (await staff.post(page, form | change)).status == 303
        assert "No lot states its own" in (await staff.get(page)).text
    assert (await staff.post(page, form)).status == 303
    seen = (await staff.get(page)).text
    assert f"404 of {sale_id}" in seen and "2.5" in seen and "what is above" in seen
    assert (await people.buyer.get(page)).status == 403
