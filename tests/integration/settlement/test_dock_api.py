"""The dock for programs: staff plan it, book, load and release; buyers see and move their own."""

import asyncio
import datetime
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accounts.identity import OrganisationKind, Role
from foundation.database import acquire
from settlement.ids import AwardId
from settlement.pickups.slots import dock_id_of
from tests.accounts_site import Client
from tests.paid_lots import SELLER, lots, pay_for
from tests.settlement_rules import DALLAS
from tests.site import Site, open_site
from tests.visiting import visitor

API = "/api/v1/settlement"
DOCK = dock_id_of(SELLER, DALLAS)
TRUCK = {"carrier": "Roadrunner", "driver": "Dee Driver", "trailer": "T-1", "seal": "S-9"}


@dataclass(frozen=True)
class People:
    """Staff, a buyer with two paid lots at one place, another buyer and a seller."""

    site: Site
    staff: Client
    buyer: Client
    rival: Client
    seller: Client
    awards: list[AwardId]

    async def asks(
        self, by: Client, method: str, path: str, body: object = None, status: int = 200
    ) -> Any:
        """The answer as a value, of the status that is expected."""
        given = await by.send(method, f"{API}{path}", json=body)
        assert given.status == status, given.body
        return json.loads(given.body) if given.body else None


@pytest.fixture
async def people(database_url: str, tmp_path: Path) -> AsyncIterator[People]:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(house, Role.SETTLEMENT, mail="sam@softclose.example")
        north = await site.people.organisation(OrganisationKind.LIQUIDATOR, "North")
        seller_id = await site.people.person(north, Role.LIQUIDATOR, mail="lee@north.example")
        buyer, rival = await site.reseller("Acme Resale"), await site.reseller("Rival Goods")
        async with acquire(site.pool) as connection:
            awards = await pay_for(connection, *lots("7", "8", buyer_id=buyer.bidder_id))
        async with (
            visitor(site, staff_id) as staff,
            visitor(site, buyer.person_id) as of_buyer,
            visitor(site, rival.person_id) as of_rival,
            visitor(site, seller_id) as of_seller,
        ):
            yield People(site, staff, of_buyer, of_rival, of_seller, awards)


def in_days(days: int) -> str:
    return str(datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days))


def every_day(**changes: Any) -> dict[str, Any]:
    hours = {str(day): {"opens_minute": 0, "closes_minute": 1440} for day in range(1, 8)}
    return {
        "zone": "America/Chicago",
        "slot_minutes": 30,
        "change_minutes": 60,
        "ahead_days": 20,
        "hours": hours,
        "doors": {"North": 2, "South": 1},
        "closed": {},
    } | changes


async def booked(people: People) -> dict[str, Any]:
    """A pickup of both lots that staff have booked, at a dock that works every day."""
    slots = f"/awards/{people.awards[0]}/slots?day={in_days(2)}"
    await people.asks(people.staff, "GET", slots)
    plan = {"version": 1, "plan": every_day()}
    await people.asks(people.staff, "PUT", f"/docks/{DOCK}", plan)
    free = (await people.asks(people.staff, "GET", slots))["items"]
    wanted = {"award_ids": people.awards, "slot_at_us": free[0]["slot"]["at_us"], "door": "South"}
    made: dict[str, Any] = await people.asks(people.staff, "POST", "/pickups", wanted, 201)
    return made


async def settle_charges(people: People, place: str) -> int:
    """Storage of the one lot is paid at the dock, of the other waived; what is open then."""
    asks, staff = people.asks, people.staff
    paid, *others = [
        one for one in (await asks(staff, "GET", place))["charges"] if one["state"] == "OPEN"
    ]
    charge = f"/charges/{paid['charge_id']}"
    pay = {"version": paid["version"], "amount_minor": paid["amount_minor"], "how": "cheque 12"}
    await asks(staff, "POST", f"{charge}/payment", pay | {"amount_minor": 0}, 422)
    await asks(staff, "POST", f"{charge}/payment", pay | {"version": 99}, 412)
    assert (await asks(staff, "POST", f"{charge}/payment", pay))["state"] == "PAID"
    await asks(staff, "POST", f"{charge}/payment", pay, 412)
    for one in others:
        waive = {"version": one["version"], "why": "The dock was closed."}
        waived = f"/charges/{one['charge_id']}"
        assert (await asks(staff, "POST", f"{waived}/waiver", waive))["state"] == "WAIVED"
        assert (await asks(staff, "GET", waived))["why"] == "The dock was closed."
    await asks(staff, "GET", "/charges/C-404", status=404)
    left: int = (await asks(staff, "GET", place))["open_minor"]
    return left


async def test_staff_book_load_and_release_a_truck(people: People) -> None:
    asks, staff = people.asks, people.staff
    pickup = await booked(people)
    (dock,) = (await asks(staff, "GET", "/docks"))["items"]
    assert (dock["dock_id"], dock["version"], dock["doors"]) == (DOCK, 2, {"North": 2, "South": 1})
    assert (await asks(staff, "GET", f"/docks/{DOCK}"))["slot_minutes"] == 30
    day = (await asks(staff, "GET", f"/docks/{DOCK}/day?day={in_days(2)}"))["items"]
    day += (await asks(staff, "GET", f"/docks/{DOCK}/day?day={in_days(1)}"))["items"]
    assert [one["pickup_id"] for one in day] == [pickup["pickup_id"]]
    place = f"/pickups/{pickup['pickup_id']}"
    free = (await asks(staff, "GET", f"/docks/{DOCK}/slots?day={in_days(3)}"))["items"]
    to = {"version": 1, "slot_at_us": free[3]["slot"]["at_us"], "door": "North"}
    moved = await asks(staff, "POST", f"{place}/slot", to)
    assert (moved["slot_at_us"], moved["door"]) == (to["slot_at_us"], "North")
    await asks(staff, "POST", f"{place}/slot", to, 412)
    here = {"version": moved["version"], "truck": TRUCK}
    load = await asks(staff, "POST", f"{place}/check-in", here)
    assert [lot["number"] for lot in load["lots"]] == ["7", "8"]
    signed = {"version": load["pickup"]["version"], "signature": {"name": "Dee Driver"}}
    await asks(staff, "POST", f"{place}/release", signed, 409)
    first, *others = load["pallets"]
    await asks(staff, "POST", f"{place}/scan", {"code": "NO-SUCH"}, 422)
    for pallet in load["pallets"]:
        scanned = await asks(staff, "POST", f"{place}/scan", {"code": pallet["pallet_id"]})
    assert scanned["loaded"] == scanned["of"]
    again = await asks(staff, "POST", f"{place}/unload", {"code": first["pallet_id"]})
    assert again["pallet"]["pickup_id"] is None
    await asks(staff, "POST", f"{place}/scan", {"code": first["pallet_id"]})
    load = await asks(staff, "GET", place)
    assert (load["loaded"], load["standing"]) == (1 + len(others), 0)
    signed["version"] = load["pickup"]["version"]
    unsigned = signed | {"signature": {"name": "17"}}
    await asks(staff, "POST", f"{place}/release", unsigned, 422)
    await asks(staff, "POST", f"{place}/release", signed, 409)
    assert (await settle_charges(people, place)) == 0
    signed["version"] = (await asks(staff, "GET", place))["pickup"]["version"]
    gone = await asks(staff, "POST", f"{place}/release", signed)
    assert {lot["state"] for lot in gone["lots"]} == {"HANDED_OVER"}
    await asks(staff, "POST", f"{place}/cancellation", {"version": gone["pickup"]["version"]}, 409)


async def test_a_request_that_is_sent_again_books_one_truck(people: People) -> None:
    await booked(people)
    free = await people.asks(people.buyer, "GET", f"/purchases/docks/{DOCK}/slots?day={in_days(3)}")
    (gone,) = (await people.asks(people.buyer, "GET", "/purchases/pickups"))["items"]
    cancel = f"/purchases/pickups/{gone['pickup_id']}/cancellation"
    await people.asks(people.buyer, "POST", cancel, {"version": gone["version"]})
    book = f"{API}/purchases/pickups"
    asked = {"award_ids": people.awards, "slot_at_us": free["items"][0]["slot"]["at_us"]}
    key = {"Idempotency-Key": "00000000-0000-4000-8000-000000000001"}

    async def sent(body: object, headers: dict[str, str] = key) -> tuple[int, dict[str, Any]]:
        given = await people.buyer.send("POST", book, json=body, headers=headers)
        return given.status, json.loads(given.body)

    many = await asyncio.gather(*(sent(asked) for _ in range(4)))
    assert [status for status, _ in many] == [201] * 4
    assert len({one["pickup_id"] for _, one in many}) == 1
    other = asked | {"slot_at_us": free["items"][1]["slot"]["at_us"]}
    assert (await sent(other))[1]["code"] == "REQUEST_ID_REUSED"
    status, said = await sent(asked, {"Idempotency-Key": "17"})
    assert (status, said["code"]) == (422, "INVALID") and "Idempotency-Key" in said["detail"]
    another = {"Idempotency-Key": "00000000-0000-4000-8000-000000000002"}
    assert (await sent(asked, another))[1]["code"] == "ALREADY_BOOKED"
    theirs = f"/purchases/pickups/{many[0][1]['pickup_id']}"
    await people.asks(people.rival, "GET", theirs, status=404)


async def test_a_buyer_sees_slots_and_moves_its_own_truck(people: People) -> None:
    asks = people.asks
    own = f"/purchases/docks/{DOCK}/slots?day={in_days(3)}"
    assert await asks(people.buyer, "GET", own), "also of a dock that nobody has asked for before"
    await asks(people.rival, "GET", own, status=404)
    pickup = await booked(people)
    free = (await asks(people.buyer, "GET", own))["items"]
    move = f"/purchases/pickups/{pickup['pickup_id']}/slot"
    to = {"version": 1, "slot_at_us": free[5]["slot"]["at_us"]}
    await asks(people.rival, "POST", move, to, 404)
    await asks(people.buyer, "POST", move, to | {"slot_at_us": 1}, 409)
    assert (await asks(people.buyer, "POST", move, to))["slot_at_us"] == to["slot_at_us"]


async def test_a_dock_is_not_worked_by_a_plan_that_cannot_be(people: People) -> None:
    await booked(people)
    place = f"/docks/{DOCK}"
    for changes, at in (
        ({"zone": "Mars/Olympus"}, "/zone"),
        ({"doors": {}}, "/doors"),
        ({"slot_minutes": 1}, "/plan/slot_minutes"),
    ):
        body = {"version": 2, "plan": every_day(**changes)}
        said = await people.asks(people.staff, "PUT", place, body, 422)
        assert said["place"] == at
    await people.asks(people.staff, "PUT", place, {"version": 9, "plan": every_day()}, 412)
    await people.asks(people.staff, "GET", f"{place}/day?day=1999-12-31", status=422)
    await people.asks(people.staff, "GET", "/docks/dock-404", status=404)
    await people.asks(people.staff, "GET", "/pickups/P-404", status=404)


async def test_nobody_but_staff_works_the_dock(people: People) -> None:
    for somebody in (people.buyer, people.seller):
        for path in ("/docks", f"/docks/{DOCK}", "/deliveries", "/charges/C-1", "/pickups/P-1"):
            await people.asks(somebody, "GET", path, status=403)
        for path in ("/pickups", "/pickups/P-1/scan", "/charges/C-1/waiver"):
            await people.asks(somebody, "POST", path, {"code": "1"}, 403)
    await people.asks(people.seller, "GET", f"/purchases/docks/{DOCK}/slots", status=403)
