"""A dock's hours cut into slots, by its own clocks."""

from datetime import date
from itertools import pairwise

import pytest
from msgspec.structs import replace

from auction.ids import LiquidatorId
from settlement.ids import AwardId
from settlement.pickups.pallets import as_scanned, pallet_id, pallet_ids, sscc_of_scan
from settlement.pickups.signatures import MAX_PATH, Signature, fault_of
from settlement.pickups.slots import (
    Dock,
    DockPlan,
    Hours,
    first_dock,
    in_words,
    local,
    plan_fault,
    slot_at,
    slots_of,
)
from tests.settlement_rules import CHICAGO, DALLAS, at_us

MONDAY = date(2026, 3, 9)
DOCK = first_dock(LiquidatorId("prairie"), DALLAS, CHICAGO)


def begins(dock: Dock, day: date) -> list[str]:
    return [local(dock.zone, slot.at_us).strftime("%H:%M") for slot in slots_of(dock, day)]


def test_a_working_day_has_eight_slots_of_an_hour() -> None:
    assert begins(DOCK, MONDAY) == [f"{hour:02}:00" for hour in range(8, 16)]


def test_the_dock_is_closed_at_weekends_on_holidays_and_on_days_that_staff_name() -> None:
    assert not begins(DOCK, date(2026, 3, 8))
    assert not list(slots_of(DOCK, MONDAY, frozenset({MONDAY})))
    assert not begins(replace(DOCK, closed={MONDAY: "stock-taking"}), MONDAY)


def test_a_slot_that_does_not_end_before_closing_is_none() -> None:
    late = replace(DOCK, slot_minutes=90, hours={1: Hours(8 * 60, 12 * 60)})
    assert begins(late, MONDAY) == ["08:00", "09:30"]


def test_the_clocks_change_and_every_slot_is_there_once_and_as_long() -> None:
    nights = replace(DOCK, hours=dict.fromkeys(range(1, 8), Hours(0, 6 * 60)))
    spring = list(slots_of(nights, date(2026, 3, 8)))  # 02:00 becomes 03:00
    assert len(spring) == 5
    assert len(list(slots_of(nights, date(2026, 11, 1)))) == 7
    assert all(one.ends_at_us == next_one.at_us for one, next_one in pairwise(spring))


def test_only_the_beginning_of_a_slot_names_it() -> None:
    nine = at_us("2026-03-09 09:00")
    found = slot_at(DOCK, nine)
    assert found is not None and found.at_us == nine
    assert slot_at(DOCK, nine + 1) is None
    assert in_words(CHICAGO, nine) == "Mon 9 Mar 09:00"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"doors": {}}, "doors"),
        ({"hours": {8: Hours(480, 960)}}, "hours"),
        ({"hours": {1: Hours(480, 500)}}, "hours"),
        ({"hours": {1: Hours(960, 480)}}, "hours"),
    ],
)
def test_a_plan_that_cannot_be_worked_by_names_its_field(
    changes: dict[str, object], field: str
) -> None:
    plan = DockPlan(
        zone=CHICAGO,
        slot_minutes=60,
        change_minutes=0,
        ahead_days=30,
        hours={1: Hours(480, 960)},
        doors={"1": 1},
    )
    assert plan_fault(plan) is None
    fault = plan_fault(replace(plan, **changes))
    assert fault is not None and fault[0] == field


def test_a_pallet_is_named_by_its_award_and_number() -> None:
    first, second = pallet_ids(AwardId("S1~12"), 2)
    assert first == pallet_id(AwardId("S1~12"), 1) != second
    assert len(first) == 15 and first.startswith("SC") and first.endswith("-01")
    assert len({*pallet_ids(AwardId("S1~12"), 100), *pallet_ids(AwardId("S1~13"), 100)}) == 200
    assert pallet_ids(AwardId("S1~12"), 0) == [first], "loose cases stand as one"
    assert as_scanned(f" {first.lower()}\n") == first


def test_a_scanned_sscc_is_read_with_or_without_its_identifier() -> None:
    digits = "003456789012345675"
    assert sscc_of_scan(digits) == sscc_of_scan(f"00{digits}") == sscc_of_scan(f"(00) {digits}")
    assert sscc_of_scan(digits) == digits
    assert sscc_of_scan("4006381333931") is sscc_of_scan("SC7K2M9QXT4A-01") is None
    assert sscc_of_scan("٣" * 18) is None


DRAWN = "M 10 20 L 30.5 40 Q 50 60 70 80 C 90 100 110 120 130 140"


@pytest.mark.parametrize("path", ["", DRAWN, "M10,20" + "L30 40" * 6])
def test_a_signature_is_typed_or_drawn(path: str) -> None:
    assert fault_of(Signature("Sam Carter", path)) is None


@pytest.mark.parametrize(
    "signature",
    [
        Signature("42"),
        Signature("Sam\x07"),
        Signature("Sam", "L 1 2"),
        Signature("Sam", "M 1 2 L 3 4"),
        Signature("Sam", f"{DRAWN} L 700 10"),
        Signature("Sam", f"{DRAWN} L 10 250"),
        Signature("Sam", f'{DRAWN}"/><script>'),
        Signature("Sam", f"{DRAWN} L 1e9 2"),
        Signature("Sam", f"{DRAWN} L -1 2"),
        Signature("Sam", f"{DRAWN} A 1 2 3 4 5 6 7"),
        Signature("Sam", f"{DRAWN} L 1234 2"),
        Signature("Sam", "M" * MAX_PATH),
    ],
)
def test_nothing_else_is_a_signature(signature: Signature) -> None:
    assert fault_of(signature)
