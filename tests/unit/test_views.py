"""Who sees what of each event: one table over all types, fields and audiences."""

from typing import Any, Final

import msgspec
import pytest

from auction.chain import seal
from auction.codec import Recorded
from auction.events import EVENT_TYPES, AnyEvent
from auction.ids import BidderId
from auction.sale import Lot, LotStatus, Sale, Standing
from auction.views import (
    LIQUIDATOR,
    PUBLIC,
    STAFF,
    BudgetState,
    Viewer,
    budget_states,
    lot_state,
    view,
)
from tests.builders import (
    HOUSE,
    SALE,
    SECRET,
    Room,
    at,
    at_most_all_in,
    at_most_lots,
    set_budgets,
)
from tests.samples import BIDDER, PERSON, SAMPLES

OWNER: Final = Viewer(bidder_id=BIDDER)
RIVAL: Final = Viewer(bidder_id=BidderId("reseller-9"))

# For each field who may see it: Everybody, or the Owner, the Liquidator and Staff; "-": nobody.
SEES: Final[dict[str, dict[str, str]]] = {
    "sale_scheduled": {
        "shard": "E",
        "liquidator_id": "E",
        "audience": "E",
        "terms": "E",
        "seller_ids": "S",
        "actor_id": "LS",
        "secret": "-",
    },
    "lot_scheduled": {
        "lot_id": "E",
        "kind": "E",
        "title": "E",
        "opening_minor": "E",
        "reserve": "E",
        "opens_at_us": "E",
        "closes_at_us": "E",
        "latest_end_us": "E",
        "group": "E",
        "restrictions": "E",
        "manifest_sha256": "E",
        "reserve_minor": "LS",
        "consignor_id": "LS",
        "actor_id": "LS",
    },
    "lots_rescheduled": {"lots": "E", "actor_id": "LS"},
    "bidders_admitted": {"bidder_ids": "LS", "actor_id": "LS"},
    "bidders_dismissed": {"bidder_ids": "LS", "actor_id": "LS"},
    "bidder_registered": {
        "bidder_id": "OS",
        "paddle": "OLS",
        "terms_version": "OLS",
        "restrictions": "OLS",
        "deposit_minor": "OS",
        "limit_minor": "OS",
        "tax_bps": "OS",
        "certificate": "OS",
    },
    "limit_changed": {"bidder_id": "OS", "limit_minor": "OS", "actor_id": "S"},
    "budgets_set": {"bidder_id": "O", "budgets": "O", "actor_id": "O"},
    "bid_placed": {
        "lot_id": "E",
        "paddle": "E",
        "leader": "E",
        "price_minor": "E",
        "next_minimum_minor": "E",
        "reserve": "E",
        "bid_count": "E",
        "bidder_id": "OS",
        "bid_id": "O",
        "maximum_minor": "O",
        "freight_minor": "O",
        "person_id": "O",
    },
    "maximum_raised": {
        "lot_id": "O",
        "bidder_id": "O",
        "bid_id": "O",
        "maximum_minor": "O",
        "freight_minor": "O",
        "person_id": "O",
    },
    "end_extended": {"lot_id": "E", "closes_at_us": "E", "extensions": "E", "final": "E"},
    "ends_moved": {"reason": "E", "cause_lot_id": "E", "dark_us": "E", "ends": "E"},
    "reserve_changed": {"lot_id": "LS", "reserve_minor": "LS", "actor_id": "LS"},
    "reserve_status_changed": {
        "lot_id": "E",
        "reserve": "E",
        "price_minor": "E",
        "next_minimum_minor": "E",
    },
    "bids_voided": {
        "lot_id": "E",
        "paddle": "E",
        "leader": "E",
        "price_minor": "E",
        "next_minimum_minor": "E",
        "reserve": "E",
        "bidder_id": "OS",
        "reason": "OLS",
        "actor_id": "S",
    },
    "lot_withdrawn": {"lot_id": "E", "cause": "E", "reason": "LS", "actor_id": "LS"},
    "sale_cancelled": {"cause": "E", "reason": "LS", "actor_id": "LS"},
    "sale_paused": {"reason": "E", "actor_id": "LS"},
    "sale_resumed": {"actor_id": "LS"},
    "if_bid_opened": {
        "lot_id": "E",
        "paddle": "E",
        "price_minor": "E",
        "until_us": "E",
        "bidder_id": "OS",
    },
    "if_bid_countered": {
        "lot_id": "OLS",
        "bidder_id": "OS",
        "amount_minor": "OLS",
        "actor_id": "LS",
    },
    "counter_declined": {"lot_id": "OLS", "bidder_id": "OS"},
    "lot_sold": {
        "lot_id": "E",
        "hammer_price_minor": "E",
        "reserve": "E",
        "allocations": "E",
        "winners": "LS",
    },
    "lot_passed": {"lot_id": "E", "reason": "E", "price_minor": "E"},
    "award_funded": {"lot_id": "OLS", "bidder_id": "OLS", "actor_id": "S"},
    "sale_closed": {"sold": "E", "passed": "E", "withdrawn": "E"},
}

# What a view says besides the fields: where the event stands.
PLACE: Final = {"type", "sale_id", "at_us", "sequence", "lot_sequence", "owner_sequence", "hash"}
VIEWERS: Final = {"": PUBLIC, "R": RIVAL, "O": OWNER, "L": LIQUIDATOR, "S": STAFF}


def tag_of(event: AnyEvent) -> str:
    return str(event.__struct_config__.tag)


def recorded(event: AnyEvent) -> Recorded:
    sale = Sale(SALE, liquidator_id=HOUSE, secret=SECRET, sequence=40)
    sale.lot_sequences["12A"] = 6  # type: ignore[index]
    sale.owner_sequences = {BIDDER: 2, HOUSE: 8}
    return seal(sale, event, 77, at("15:58"))


def seen_by(event: AnyEvent, viewer: Viewer) -> dict[str, Any] | None:
    return view(recorded(event), viewer)


def test_the_table_names_every_field_of_every_event() -> None:
    kinds = {
        tag: {f.name for f in msgspec.structs.fields(kind)} for tag, kind in EVENT_TYPES.items()
    }
    assert {tag: set(fields) for tag, fields in SEES.items()} == kinds
    assert [tag_of(event) for event in SAMPLES] == list(SEES)


@pytest.mark.parametrize("event", SAMPLES, ids=tag_of)
@pytest.mark.parametrize("who", VIEWERS)
def test_each_viewer_sees_the_fields_of_the_table_with_their_values(
    event: AnyEvent, who: str
) -> None:
    marks = SEES[tag_of(event)]
    may_see = {name for name, mark in marks.items() if mark == "E" or (who and who in mark)}
    seen = seen_by(event, VIEWERS[who])
    if not may_see and not event.PUBLIC:
        assert seen is None
        return
    assert seen is not None
    assert set(seen) - PLACE == may_see
    values = msgspec.to_builtins(event, builtin_types=(bytes,))
    assert {name: seen[name] for name in may_see} == {name: values[name] for name in may_see}


@pytest.mark.parametrize("event", SAMPLES, ids=tag_of)
def test_a_rival_sees_what_the_public_sees(event: AnyEvent) -> None:
    assert seen_by(event, RIVAL) == seen_by(event, PUBLIC)


@pytest.mark.parametrize("event", SAMPLES, ids=tag_of)
def test_a_public_event_shows_its_place_to_all_and_a_private_one_only_the_owners_count(
    event: AnyEvent,
) -> None:
    for viewer in VIEWERS.values():
        seen = seen_by(event, viewer)
        if seen is None:
            assert not event.PUBLIC
            continue
        assert (seen["type"], seen["sale_id"], seen["at_us"]) == (tag_of(event), SALE, at("15:58"))
        if event.PUBLIC:
            assert seen["sequence"] == 41
            assert seen["lot_sequence"] == (7 if hasattr(event, "lot_id") else None)
            assert seen["hash"] == recorded(event).hash
            assert "owner_sequence" not in seen
        else:
            assert not {"sequence", "lot_sequence", "hash"} & set(seen)


@pytest.mark.parametrize("tag", ["bidder_registered", "limit_changed", "if_bid_countered"])
def test_a_bidders_count_is_shown_to_the_bidder_alone(tag: str) -> None:
    (event,) = [event for event in SAMPLES if tag_of(event) == tag]
    own, staff = seen_by(event, OWNER), seen_by(event, STAFF)
    assert own is not None and own["owner_sequence"] == 3
    assert staff is not None and "owner_sequence" not in staff


def test_the_liquidators_count_goes_with_its_own_private_events() -> None:
    (event,) = [event for event in SAMPLES if tag_of(event) == "reserve_changed"]
    seen = seen_by(event, LIQUIDATOR)
    assert seen is not None and seen["owner_sequence"] == 9


def test_a_maximum_is_seen_by_its_owner_alone() -> None:
    for event in SAMPLES:
        shown = {
            who
            for who, viewer in VIEWERS.items()
            if "maximum_minor" in (seen_by(event, viewer) or {})
        }
        assert shown <= {"O"}


def test_a_teams_people_and_budgets_are_seen_by_the_team_alone() -> None:
    for event in SAMPLES:
        for who, viewer in VIEWERS.items():
            said = repr(seen_by(event, viewer))
            assert who == "O" or not any(word in said for word in (PERSON, "tonight", "budget"))


def test_the_position_in_the_shard_is_shown_to_nobody() -> None:
    for event in SAMPLES:
        for viewer in VIEWERS.values():
            assert "position" not in (seen_by(event, viewer) or {})


def test_who_is_both_staff_and_bidder_sees_what_either_may() -> None:
    (event,) = [event for event in SAMPLES if tag_of(event) == "limit_changed"]
    both = seen_by(event, Viewer(bidder_id=BIDDER, staff=True))
    assert both is not None
    assert {"bidder_id", "limit_minor", "actor_id", "owner_sequence"} <= set(both)


# The state of a lot


def test_a_lot_shows_its_public_state_and_the_own_part() -> None:
    room = Room()
    room.bid("A", 500_00)
    room.bid("B", 300_00)
    for bidder, leads, own in [("A", True, 500_00), ("B", False, 300_00), ("C", False, None)]:
        state = lot_state(room.sale, room.lot(), BidderId(bidder))
        assert (state.leads, state.own_maximum_minor) == (leads, own)
        assert (state.leader, state.price_minor) == (room.registration("A").paddle, 305_00)
        assert (state.next_minimum_minor, state.bid_count) == (310_00, 2)
        assert (state.status, state.closes_at_us) == (LotStatus.LIVE, at("16:00"))
        assert (state.lot_id, state.lot_sequence, state.extensions) == ("1", 3, 0)


def test_a_lot_without_bids_has_no_leader_and_nobody_leads_it() -> None:
    room = Room()
    for bidder in (None, BidderId("A")):
        state = lot_state(room.sale, room.lot(), bidder)
        assert (state.leader, state.leads, state.price_minor) == (None, False, None)


def test_a_bidder_is_shown_its_budgets_with_what_they_have_come_to() -> None:
    room = Room()
    budgets = (at_most_all_in(900_00), at_most_lots(2))
    room.does(set_budgets("A", *budgets))
    room.bid("A", 500_00)
    shown = budget_states(room.sale, BidderId("A"))
    assert shown == [BudgetState(budgets[0], 500_00), BudgetState(budgets[1], 1)]
    assert budget_states(room.sale, BidderId("B")) == []
    assert budget_states(room.sale, BidderId("Z")) == []


def test_the_state_of_a_lot_has_no_room_for_a_secret() -> None:
    secret = {"reserve_minor", "second_minor", "top_minor", "standings", "consignor_id"}
    fields = set(lot_state(Room().sale, Room().lot(), None).__struct_fields__)
    assert not secret & fields
    assert secret <= {*Lot.__struct_fields__, "top_minor"}
    assert Standing.__struct_fields__[0] == "maximum_minor"
