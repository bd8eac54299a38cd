"""When a bid moves the end, to when, and what moves with it. W = E = 5 min, end 16:00."""

from typing import Any

import pytest
from msgspec.structs import replace

from auction.closing import capped, extended_end_us, linked_ends
from auction.commands import AddLots
from auction.events import BidPlaced, EndExtended, EndsMoved, MovedEnd, MoveReason
from auction.ids import LotId
from auction.rejections import Rejection
from auction.terms import ClosingMode, ExtensionMode, PriceRule, SoftClose, VoidRule
from tests.builders import (
    EBAY_TERMS,
    FIVE_AND_FIVE,
    MINUTE_US,
    SALE,
    STAFF_MEMBER,
    Room,
    a_lot,
    at,
    the,
    void,
    withdraw,
)

RESET = replace(EBAY_TERMS, soft_close=FIVE_AND_FIVE)
FIVE_AND_FIVE_ADD = replace(FIVE_AND_FIVE, mode=ExtensionMode.ADD)
ADD = replace(EBAY_TERMS, soft_close=FIVE_AND_FIVE_ADD)


# One lot


@pytest.mark.parametrize(
    ("when", "end"),
    [
        ("15:54:59.999", "16:00"),
        ("15:55", "16:00"),
        ("15:55:00.000001", "16:00:00.000001"),
        ("15:58", "16:03"),
        ("15:59:59.999999", "16:04:59.999999"),
    ],
)
def test_reset_sets_the_end_to_five_minutes_after_a_late_bid(when: str, end: str) -> None:
    room = Room(terms=RESET)
    room.bid("A", 500_00, when)
    room.ends(end)


@pytest.mark.parametrize(
    ("when", "end"),
    [
        ("15:54:59.999", "16:00"),
        ("15:54:59.999999", "16:00"),
        ("15:55", "16:05"),
        ("15:58", "16:05"),
        ("15:59:59.999999", "16:05"),
    ],
)
def test_add_puts_five_minutes_onto_the_end(when: str, end: str) -> None:
    room = Room(terms=ADD)
    room.bid("A", 500_00, when)
    room.ends(end)


def test_the_window_is_that_of_the_end_in_force() -> None:
    room = Room(a_lot(latest_end_us=at("17:00")), terms=RESET)
    room.bid("A", 500_00, "15:58")
    room.ends("16:03")
    room.bid("B", 300_00, "15:58:59")
    room.ends("16:03:59")
    room.bid("C", 400_00, "16:02:30")
    room.ends("16:07:30")
    assert room.refuses_bid("D", 900_00, "16:07:30.000000") is Rejection.LOT_CLOSED


def test_the_figures_of_the_rules_in_a_row() -> None:
    room = Room(a_lot(latest_end_us=at("17:00")), terms=RESET)
    for amount, when, end in [
        (200_00, "15:54:59.999", "16:00"),
        (300_00, "15:55", "16:00"),
        (400_00, "15:58", "16:03"),
        (500_00, "16:02:30", "16:07:30"),
    ]:
        room.bid("A" if amount % 200_00 else "B", amount, when)
        room.ends(end)
    assert room.refuses_bid("C", 900_00, "16:07:30") is Rejection.LOT_CLOSED
    assert room.lot().extensions == 2
    assert room.lot().scheduled_closes_at_us == at("16:00")


def test_an_extension_says_the_new_end_and_counts() -> None:
    room = Room(terms=RESET)
    first = the(EndExtended, room.bid("A", 500_00, "15:58"))
    assert first == EndExtended(
        lot_id=LotId("1"), closes_at_us=at("16:03"), extensions=1, final=False
    )
    second = the(EndExtended, room.bid("B", 300_00, "16:01"))
    assert (second.closes_at_us, second.extensions) == (at("16:06"), 2)


def test_at_the_latest_end_the_extension_is_final_and_the_last() -> None:
    room = Room(a_lot(closes="16:58", latest_end_us=at("17:00")), terms=RESET)
    last = the(EndExtended, room.bid("A", 500_00, "16:57"))
    assert (last.closes_at_us, last.final) == (at("17:00"), True)
    assert len(room.bid("B", 300_00, "16:59:59.999999")) == 1
    room.leads("A", 305_00)  # it counts
    room.ends("17:00")  # and extends nothing
    assert room.refuses_bid("C", 900_00, "17:00") is Rejection.LOT_CLOSED


def test_an_extension_that_just_reaches_the_latest_end_is_final_too() -> None:
    room = Room(a_lot(latest_end_us=at("16:03")), terms=RESET)
    assert the(EndExtended, room.bid("A", 500_00, "15:58")).final


def test_without_a_latest_end_it_goes_on() -> None:
    room = Room(terms=ADD)
    for round_ in range(60):
        room.now_us = room.lot().closes_at_us - 1
        room.bid("AB"[round_ % 2], 1_000_00 * (round_ + 1))
    room.ends("21:00")
    assert room.lot().extensions == 60


def test_one_submission_extends_once() -> None:
    """A change of price and leader in one bid is one extension."""
    room = Room(terms=ADD)
    room.bid("A", 500_00)
    events = room.bid("B", 900_00, "15:58")
    assert [type(event) for event in events] == [BidPlaced, EndExtended]
    room.ends("16:05")


def test_a_challenge_that_only_moves_the_price_extends() -> None:
    room = Room(terms=RESET)
    room.bid("A", 500_00)
    room.bid("B", 300_00, "15:58")
    room.ends("16:03")


def test_a_challenge_at_the_leaders_maximum_that_moves_the_price_extends() -> None:
    room = Room(terms=RESET)
    room.bid("A", 500_00)
    room.bid("B", 500_00, "15:58")
    room.ends("16:03")


def test_a_change_of_leader_extends() -> None:
    room = Room(terms=RESET)
    room.bid("A", 100_00)
    room.bid("B", 102_50, "15:58")
    room.leads("B", 102_50)
    room.ends("16:03")


def test_a_change_of_leader_at_the_same_price_extends() -> None:
    """MATCH_RIVAL: B's 102.50 over A's 100 leads at A's 100, where the price was."""
    room = Room(terms=replace(RESET, price_rule=PriceRule.MATCH_RIVAL))
    room.bid("A", 100_00)
    room.leads("A", 100_00)
    room.bid("B", 102_50, "15:58")
    room.leads("B", 100_00)
    room.ends("16:03")


def test_refused_bids_extend_nothing() -> None:
    room = Room(terms=RESET)
    room.bid("A", 500_00)
    room.refuses_bid("B", 102_00, "15:58")
    room.refuses_bid("A", 500_00, "15:58")
    room.ends("16:00")


def test_without_soft_close_the_end_stays() -> None:
    room = Room()
    room.bid("A", 500_00, "15:59:59.999999")
    room.ends("16:00")


def test_a_void_neither_pulls_the_end_back_nor_moves_it() -> None:
    for rule in VoidRule:
        room = Room(terms=replace(RESET, void_rule=rule))
        room.bid("A", 500_00)
        room.bid("B", 900_00, "15:58")
        room.does(void("B"), "15:59")
        room.ends("16:03")
        assert room.lot().extensions == 1


def test_a_window_longer_than_the_extension_leaves_the_end_early_in_the_window() -> None:
    terms = replace(EBAY_TERMS, soft_close=SoftClose(10 * MINUTE_US, 2 * MINUTE_US))
    room = Room(terms=terms)
    room.bid("A", 500_00, "15:52")
    room.ends("16:00")
    room.bid("B", 300_00, "15:59")
    room.ends("16:01")


def test_a_window_shorter_than_the_extension_only_counts_in_the_window() -> None:
    terms = replace(EBAY_TERMS, soft_close=SoftClose(2 * MINUTE_US, 10 * MINUTE_US))
    room = Room(terms=terms)
    room.bid("A", 500_00, "15:57:59.999999")
    room.ends("16:00")
    room.bid("B", 300_00, "15:58")
    room.ends("16:08")


def test_the_pure_rule_reads_only_its_arguments() -> None:
    end = at("16:00")
    assert extended_end_us(None, at("15:59"), end, None) == end
    assert extended_end_us(FIVE_AND_FIVE, at("15:58"), end, at("16:01")) == at("16:01")


def test_a_cap_never_pulls_an_end_back() -> None:
    assert capped(at("16:05"), at("16:00"), at("15:00")) == at("16:00")
    assert capped(at("16:05"), at("16:00"), None) == at("16:05")
    assert capped(at("16:05"), at("16:00"), at("16:04")) == at("16:04")


# Linked lots: 16:00, 16:02, 16:04, ADD 5; a bid on lot 2 at 16:01


def linked(mode: ClosingMode, soft_close: SoftClose = FIVE_AND_FIVE_ADD, **third: Any) -> Room:
    """Lots 1, 2 and 3 of one group, two minutes apart, and lot 4 of another group at 16:06."""
    return Room(
        a_lot("1", "16:00", group="tools"),
        a_lot("2", "16:02", group="tools"),
        a_lot("3", "16:04", group="tools", **third),
        a_lot("4", "16:06", group="toys"),
        terms=replace(EBAY_TERMS, soft_close=soft_close, closing=mode),
    )


def ends_of(room: Room) -> list[str]:
    lots = room.sale.lots.values()
    return [f"16:{(lot.closes_at_us - at('16:00')) // MINUTE_US:02}" for lot in lots]


def test_independent_lots_stay() -> None:
    room = linked(ClosingMode.INDEPENDENT)
    events = room.bid("A", 500_00, "16:01", "2")
    assert [type(event) for event in events] == [BidPlaced, EndExtended]
    assert ends_of(room) == ["16:00", "16:07", "16:04", "16:06"]


def test_cascade_moves_all_later_lots_by_the_same_time() -> None:
    room = linked(ClosingMode.CASCADE)
    room.bid("A", 500_00, "16:01", "2")
    assert ends_of(room) == ["16:00", "16:07", "16:09", "16:11"]


def test_group_moves_every_open_lot_of_the_group_to_the_new_end() -> None:
    room = linked(ClosingMode.GROUP)
    room.bid("A", 500_00, "15:59", "2")
    assert ends_of(room) == ["16:07", "16:07", "16:07", "16:06"]


def test_group_leaves_later_ends_where_they_are() -> None:
    room = linked(ClosingMode.GROUP, FIVE_AND_FIVE)
    room.bid("A", 500_00, "15:58", "2")
    assert ends_of(room) == ["16:03", "16:03", "16:04", "16:06"]


def test_a_lot_past_its_end_is_not_revived_by_its_group() -> None:
    room = linked(ClosingMode.GROUP)
    room.bid("A", 500_00, "16:00", "2")  # lot 1 ends at this very moment
    assert ends_of(room) == ["16:00", "16:07", "16:07", "16:06"]
    assert room.refuses_bid("B", 500_00, "16:00", "1") is Rejection.LOT_CLOSED


@pytest.mark.parametrize("mode", [ClosingMode.GROUP, ClosingMode.CASCADE])
def test_a_closed_or_withdrawn_lot_never_reopens(mode: ClosingMode) -> None:
    room = linked(mode)
    room.close("16:00")
    room.does(withdraw("3"))
    room.bid("A", 500_00, "16:01", "2")
    assert ends_of(room)[0] == "16:00"
    assert ends_of(room)[2] == "16:04"


@pytest.mark.parametrize(
    ("mode", "ends"),
    [
        (ClosingMode.GROUP, ["16:07", "16:07", "16:05", "16:06"]),
        (ClosingMode.CASCADE, ["16:00", "16:07", "16:05", "16:11"]),
    ],
)
def test_each_linked_lot_stops_at_its_own_latest_end(mode: ClosingMode, ends: list[str]) -> None:
    room = linked(mode, latest_end_us=at("16:05"))
    moved = the(EndsMoved, room.bid("A", 500_00, "15:59", "2"))
    assert ends_of(room) == ends
    assert MovedEnd(LotId("3"), at("16:05"), at("16:05")) in moved.ends


def test_cascade_moves_by_what_the_lot_itself_moved() -> None:
    room = linked(ClosingMode.CASCADE, latest_end_us=at("16:05"))
    room.bid("A", 500_00, "16:03", "3")  # a minute, then its latest end
    assert ends_of(room) == ["16:00", "16:02", "16:05", "16:07"]


def test_cascade_goes_by_the_scheduled_order() -> None:
    room = Room(
        a_lot("1", "16:00"),
        a_lot("2", "16:00"),
        a_lot("3", "16:02"),
        terms=replace(ADD, closing=ClosingMode.CASCADE),
    )
    room.bid("A", 500_00, "15:59", "1")
    assert ends_of(room) == ["16:05", "16:00", "16:07"]  # lot 2 is no later than lot 1
    room.bid("A", 500_00, "16:04", "3")
    assert ends_of(room) == ["16:05", "16:00", "16:12"]


def test_cascade_leaves_a_lot_that_was_scheduled_earlier_and_ends_later() -> None:
    room = Room(a_lot("1", "16:00"), terms=replace(ADD, closing=ClosingMode.CASCADE))
    room.bid("A", 500_00, "15:59", "1")
    late = AddLots(sale_id=SALE, lots=(a_lot("2", "16:02"),), actor_id=STAFF_MEMBER)
    room.does(late)
    room.bid("A", 500_00, "16:01", "2")
    assert ends_of(room) == ["16:05", "16:07"]


def test_the_pure_rule_of_independent_lots_moves_none() -> None:
    lots = list(linked(ClosingMode.GROUP).sale.lots.values())
    assert linked_ends(ClosingMode.INDEPENDENT, lots[0], at("17:00"), lots) == []


def test_a_linked_move_is_one_event_of_the_sale() -> None:
    room = linked(ClosingMode.CASCADE)
    moved = the(EndsMoved, room.bid("A", 500_00, "16:01", "2"))
    assert moved == EndsMoved(
        reason=MoveReason.LINKED,
        cause_lot_id=LotId("2"),
        dark_us=None,
        ends=(
            MovedEnd(LotId("3"), at("16:09"), None),
            MovedEnd(LotId("4"), at("16:11"), None),
        ),
    )


def test_a_linked_move_is_no_extension_of_the_other_lots() -> None:
    room = linked(ClosingMode.CASCADE)
    room.bid("A", 500_00, "16:01", "2")
    assert [lot.extensions for lot in room.sale.lots.values()] == [0, 1, 0, 0]
    assert room.lot("3").scheduled_closes_at_us == at("16:04")


def test_what_moves_nothing_makes_no_event() -> None:
    room = linked(ClosingMode.GROUP)
    events = room.bid("A", 500_00, "16:05", "4")  # alone in its group
    assert [type(event) for event in events] == [BidPlaced, EndExtended]
    room = linked(ClosingMode.CASCADE)
    events = room.bid("A", 500_00, "16:05", "4")  # the last
    assert [type(event) for event in events] == [BidPlaced, EndExtended]


@pytest.mark.parametrize("mode", ClosingMode)
def test_a_bid_before_the_window_moves_no_lot(mode: ClosingMode) -> None:
    room = linked(mode)
    room.bid("A", 500_00, "15:56:59.999999", "2")
    assert ends_of(room) == ["16:00", "16:02", "16:04", "16:06"]
