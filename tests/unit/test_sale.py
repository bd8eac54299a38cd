"""The fold refuses nothing: what does not fit is a broken invariant, and stops."""

from typing import Any

import pytest
from msgspec.structs import replace

from auction.events import (
    AnyEvent,
    BidPlaced,
    EndExtended,
    EndsMoved,
    IfBidOpened,
    LotPassed,
    LotScheduled,
    LotSold,
    LotWithdrawn,
    MaximumRaised,
    MovedEnd,
    MoveReason,
    PassReason,
    SaleClosed,
    SalePaused,
)
from auction.ids import BidderId, LotId, Paddle
from auction.sale import LOT_LIFE, LotStatus, evolve, exposure_if_leading_minor
from auction.terms import Premium, PremiumTier
from tests.builders import EBAY_TERMS, STAFF_MEMBER, Room, a_lot, at, bid, register, the, withdraw

LOT = LotId("1")


def breaks(room: Room, event: AnyEvent, says: str, when: str = "12:00") -> None:
    with pytest.raises(AssertionError, match=says):
        evolve(room.sale, event, at(when), 99)


def last_bid(room: Room, **changes: Any) -> BidPlaced:
    """The last public bid with something changed that makes it impossible."""
    return replace([e for e in room.events if isinstance(e, BidPlaced)][-1], **changes)


def a_room_with_a_bid(when: str | None = None) -> Room:
    room = Room()
    room.bid("A", 500_00)
    room.bid("B", 300_00, when)
    return room


# Bids


def test_the_price_does_not_fall() -> None:
    breaks(a_room_with_a_bid(), last_bid(a_room_with_a_bid(), price_minor=304_99), "the price fell")


def test_a_bid_names_the_leader_that_the_state_comes_to() -> None:
    room = a_room_with_a_bid()
    breaks(room, last_bid(room, paddle=Paddle(103), bidder_id=BidderId("C"), leader=103 - 1), "two")


def test_no_bid_is_placed_at_the_end_or_before_the_opening() -> None:
    room = a_room_with_a_bid()
    breaks(room, last_bid(room), "at the end", when="16:00")
    breaks(room, last_bid(room), "at the end", when="09:59:59.999999")


def test_no_bid_is_placed_on_a_lot_that_has_ended() -> None:
    room = Room(a_lot(reserve_minor=900_00))
    room.bid("A", 500_00)
    room.does(withdraw())
    breaks(room, last_bid(room), "has ended")


def test_only_the_leader_raises_in_private() -> None:
    room = a_room_with_a_bid()
    raised = MaximumRaised(
        lot_id=LOT,
        bidder_id=BidderId("B"),
        bid_id=bid("B", 1).bid_id,
        maximum_minor=400_00,
        freight_minor=0,
        person_id=None,
    )
    breaks(room, raised, "only the leader")


# Ends


@pytest.mark.parametrize("end", ["16:00", "15:59"])
def test_ends_only_move_later(end: str) -> None:
    room = Room()
    extended = EndExtended(lot_id=LOT, closes_at_us=at(end), extensions=1, final=False)
    breaks(room, extended, "moves the end later")
    moved = EndsMoved(
        reason=MoveReason.OUTAGE,
        cause_lot_id=None,
        dark_us=1,
        ends=(MovedEnd(LOT, at(end), None),),
    )
    breaks(room, moved, "to a later end")


def endings(room: Room) -> list[tuple[LotStatus, AnyEvent]]:
    leader = BidderId("A")
    paddle = room.registration("A").paddle
    sold = the(LotSold, a_sold_room().events)
    return [
        (LotStatus.SOLD, sold),
        (LotStatus.PASSED, LotPassed(lot_id=LOT, reason=PassReason.NO_BIDS, price_minor=None)),
        (
            LotStatus.WITHDRAWN,
            LotWithdrawn(lot_id=LOT, cause=withdraw().cause, reason="-", actor_id=STAFF_MEMBER),
        ),
        (
            LotStatus.IF_BID,
            IfBidOpened(
                lot_id=LOT, paddle=paddle, price_minor=1, until_us=at("40:00"), bidder_id=leader
            ),
        ),
    ]


def a_sold_room() -> Room:
    room = Room()
    room.bid("A", 500_00)
    room.close("16:00")
    return room


@pytest.mark.parametrize("old", LotStatus)
@pytest.mark.parametrize("ending", range(4))
def test_a_lot_ends_once_and_only_as_its_life_allows(old: LotStatus, ending: int) -> None:
    room = Room()
    room.bid("A", 500_00)
    new, event = endings(room)[ending]
    allowed = {
        LotStatus.LIVE: {LotStatus.IF_BID, LotStatus.SOLD, LotStatus.PASSED, LotStatus.WITHDRAWN},
        LotStatus.IF_BID: {LotStatus.SOLD, LotStatus.PASSED},
    }.get(old, set())
    assert set(LOT_LIFE[old]) == allowed
    room.lot().status = old
    if new in allowed:
        evolve(room.sale, event, at("16:00"), 99)
        assert room.lot().status is new
    else:
        breaks(room, event, f"does not go from {old} to {new}", when="16:00")


@pytest.mark.parametrize("ending", range(4))
def test_no_lot_is_closed_early(ending: int) -> None:
    room = Room()
    room.bid("A", 500_00)
    new, event = endings(room)[ending]
    if new is LotStatus.WITHDRAWN:
        evolve(room.sale, event, at("15:59:59.999999"), 99)
    else:
        breaks(room, event, "before its end", when="15:59:59.999999")


def test_a_sale_closes_after_its_last_lot() -> None:
    breaks(Room(), SaleClosed(sold=0, passed=0, withdrawn=0), "its last lot")


# The rest


def test_a_lot_and_a_paddle_are_given_once_and_a_pause_begins_once() -> None:
    room = Room()
    breaks(room, the(LotScheduled, room.events), "scheduled once")
    registered = room.does(register("Z"))[0]
    breaks(room, replace(registered, bidder_id=BidderId("Y")), "a paddle is given once")
    breaks(room, replace(registered, paddle=Paddle(999)), "the paddle stays")
    paused = SalePaused(reason="-", actor_id=STAFF_MEMBER)
    evolve(room.sale, paused, at("12:00"), 99)
    breaks(room, paused, "paused once")


def test_a_winner_is_the_leader() -> None:
    room = Room()
    room.bid("B", 500_00)
    sold = the(LotSold, a_sold_room().events)
    breaks(room, sold, "one winner", when="16:00")


def test_time_stands_still_for_the_lots_of_a_paused_sale() -> None:
    room = Room()
    assert room.sale.lots_time_us(at("12:00")) == at("12:00")
    room.sale.paused_from_us = at("11:00")
    assert room.sale.lots_time_us(at("12:00")) == at("11:00")


def test_exposure_is_the_sum_of_the_weights() -> None:
    terms = replace(EBAY_TERMS, premium=Premium(tiers=(PremiumTier(0, 1_000),)))
    room = Room(a_lot("1"), a_lot("2"), a_lot("3"), terms=terms)
    room.bid("A", 500_00, lot="1")
    room.bid("A", 300_00, lot="2")
    room.bid("B", 400_00, lot="2")
    room.bid("A", 200_00, lot="3")
    registration = room.registration("A")
    assert registration.weights == {"1": 550_00, "3": 220_00}
    assert registration.exposure_minor == 770_00
    assert exposure_if_leading_minor(room.sale, room.lot("1"), BidderId("A"), 600_00, 10_00) == (
        660_00 + 10_00 + 220_00
    )
