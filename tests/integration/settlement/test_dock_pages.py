"""Staff say how a dock is worked, and book and move for buyers who call."""

import datetime
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accounts.identity import OrganisationKind, Role
from auction.ids import BidderId
from foundation.database import acquire
from settlement.ids import AwardId
from settlement.pages.dock_plans import Plan, plan_of, typed_plan
from settlement.pickups.bookings import Bookings
from settlement.pickups.docks import Docks
from settlement.pickups.slots import DockPlan, Hours, dock_id_of
from settlement.pickups.words import PickupState
from tests.accounts_site import Client
from tests.paid_lots import CLERK, SELLER, lots, pay_for
from tests.settlement_rules import DALLAS
from tests.site import Site, now_us, open_site
from tests.visiting import visitor

DOCK = dock_id_of(SELLER, DALLAS)


@dataclass(frozen=True)
class People:
    """Staff and a buyer with two paid lots at one place."""

    site: Site
    staff: Client
    buyer: Client
    buyer_id: BidderId
    awards: list[AwardId]


@pytest.fixture
async def people(database_url: str, tmp_path: Path) -> AsyncIterator[People]:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(
            house, Role.SETTLEMENT, mail="sam@softclose.example", name="Sam Staff"
        )
        buyer = await site.reseller("Acme Resale")
        async with acquire(site.pool) as connection:
            awards = await pay_for(connection, *lots("7", "8", buyer_id=buyer.bidder_id))
        async with (
            visitor(site, staff_id) as staff,
            visitor(site, buyer.person_id) as of_buyer,
        ):
            yield People(site, staff, of_buyer, BidderId(buyer.bidder_id), awards)


def open_every_day(**changes: Any) -> dict[str, Any]:
    return {
        "version": "1",
        "zone": "America/Chicago",
        "slot_minutes": "30",
        "change_hours": "12",
        "ahead_days": "20",
        "doors": "North: 2\nSouth = 1",
        "closed": "",
        **{f"opens_{day}": "00:00" for day in range(1, 8)},
        **{f"closes_{day}": "00:00" for day in range(1, 8)},
    } | changes


async def slots(people: People) -> list[int]:
    docks = Docks(people.site.pool, now_us)
    dock = await docks.dock(DOCK)
    day = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=2)
    return [one.slot.at_us for one in await docks.free_slots(dock.dock_id, day)]


async def test_staff_book_and_move_for_a_buyer_who_calls(people: People) -> None:
    one, two = people.awards
    page = (await people.staff.get(f"/settlement/awards/{one}/pickup")).text
    assert "A slot for a buyer" in page and "Lot 7" in page and "Lot 8" in page
    plan = f"/settlement/docks/{DOCK}/plan"
    before = (await people.staff.get(plan)).text
    assert "08:00" in before and "Saturday" in before
    said = await people.staff.post(plan, open_every_day())
    assert said.status == 303
    assert "North: 2" in (await people.staff.get(plan)).text
    weekdays = open_every_day(version="2", opens_7="", closes_7="", doors="North: 2\nSouth: 1")
    await people.staff.post(plan, weekdays)
    assert 7 not in (await Docks(people.site.pool, now_us).dock(DOCK)).hours
    await people.staff.post(plan, open_every_day(version="3"))
    first, second, *_ = await slots(people)
    book: dict[str, str | list[str]] = {
        "slot_at_us": str(first),
        "door": "South",
        "award_id": [str(one), str(two)],
    }
    await people.staff.post(f"/settlement/awards/{one}/pickup", book)
    (pickup,) = await Bookings(people.site.pool, now_us).pickups_of_buyer(people.buyer_id)
    assert (pickup.slot_at_us, pickup.door, len(pickup.award_ids)) == (first, "South", 2)
    truck = f"/settlement/trucks/{pickup.pickup_id}"
    assert "Another slot" in (await people.staff.get(truck)).text
    assert "Move the truck" in (await people.staff.get(f"{truck}/slot")).text
    move = {"slot_at_us": str(second), "version": "1"}
    await people.staff.post(f"{truck}/slot", move)
    moved = await Bookings(people.site.pool, now_us).pickup(pickup.pickup_id)
    assert (moved.slot_at_us, moved.state) == (second, PickupState.BOOKED)
    await people.staff.post(f"{truck}/slot", move)
    assert "Somebody has changed this meanwhile" in (await people.staff.get(truck)).text
    again = await people.staff.get(f"/settlement/awards/{one}/pickup")
    assert again.status == 303, "it is booked already"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"zone": "Mars/Olympus"}, "is no time zone"),
        ({"doors": "North"}, "is not a door and its trucks"),
        ({"doors": "North: 51"}, "is not a door and its trucks"),
        ({"doors": " "}, "doors"),
        ({"closed": "Christmas"}, "is not a day"),
        ({"closed": "2026-02-30"}, "is not a day"),
        ({"opens_1": ""}, "Monday: say when it opens and when it closes"),
        ({"opens_7": "08:00", "closes_7": "07:00"}, "On day 7 it is open for less than one slot"),
        ({"opens_2": "8 am"}, "opens_2"),
        ({"version": "9"}, "Somebody has changed this meanwhile"),
    ],
)
async def test_a_plan_that_cannot_be_worked_by_changes_nothing(
    people: People, changes: dict[str, Any], words: str
) -> None:
    await people.staff.get(f"/settlement/awards/{people.awards[0]}/pickup")
    plan = f"/settlement/docks/{DOCK}/plan"
    await people.staff.post(plan, open_every_day(**changes))
    assert words in (await people.staff.get(plan)).text
    assert (await Docks(people.site.pool, now_us).dock(DOCK)).version == 1


async def test_only_staff_change_docks(people: People) -> None:
    await people.staff.get(f"/settlement/awards/{people.awards[0]}/pickup")
    for path in (f"/settlement/docks/{DOCK}/plan", f"/settlement/awards/{people.awards[0]}/pickup"):
        assert (await people.buyer.get(path)).status == 403
        assert (await people.buyer.post(path, open_every_day())).status == 403
    assert (await people.staff.get("/settlement/awards/S1~404/pickup")).status == 404
    assert (await people.staff.get("/settlement/docks/dock-404/plan")).status == 404


async def test_what_is_typed_is_what_is_worked(people: People) -> None:
    await people.staff.get(f"/settlement/awards/{people.awards[0]}/pickup")
    docks = Docks(people.site.pool, now_us)
    plan = DockPlan(
        zone="America/Chicago",
        slot_minutes=45,
        change_minutes=120,
        ahead_days=7,
        hours={1: Hours(0, 1440), 6: Hours(8 * 60 + 15, 12 * 60)},
        doors={"North: A": 2, "South": 0},
        closed={datetime.date(2026, 12, 24): "Christmas Eve", datetime.date(2026, 12, 25): ""},
    )
    dock = await docks.change_dock(DOCK, 1, plan, CLERK)
    typed = typed_plan(dock)
    given = Plan(
        version=2, zone=dock.zone, slot_minutes=45, ahead_days=7, **{k: typed[k] for k in typed}
    )
    assert plan_of(given) == plan
