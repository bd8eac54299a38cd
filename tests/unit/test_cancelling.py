"""A sale is cancelled whole or not at all; lots on which bidding has not begun are moved."""

from typing import Any, Final

import pytest
from msgspec.structs import replace

from auction.commands import (
    AcceptIfBid,
    AddLots,
    Command,
    LotTimes,
    MoveEndsAfterOutage,
    PauseSale,
    ResumeSale,
    WithdrawalCause,
    shape_fault,
)
from auction.decide_lots import CLOSE_CHUNK, MOST_NAMED
from auction.events import LotsRescheduled, LotWithdrawn, SaleCancelled, SaleClosed
from auction.ids import LotId
from auction.rejections import Rejection
from auction.sale import LotStatus
from auction.shards import Deadlines, next_deadline_us
from auction.terms import ClosingMode, Terms
from tests.builders import (
    EBAY_TERMS,
    FIVE_AND_FIVE,
    HOUR_US,
    SALE,
    STAFF_MEMBER,
    Room,
    a_lot,
    admit,
    at,
    cancel,
    change_reserve,
    move_lots,
    void,
    withdraw,
)

BY: Final[dict[str, Any]] = {"sale_id": SALE, "actor_id": STAFF_MEMBER}
PAUSE: Final = PauseSale(reason="a fire alarm", **BY)
WITHDRAWN: Final = LotStatus.WITHDRAWN


def statuses(room: Room) -> list[LotStatus]:
    return [lot.status for lot in room.sale.lots.values()]


def test_a_cancelled_sale_withdraws_what_is_open_and_is_over() -> None:
    room = Room(a_lot("1", reserve_minor=900_00), a_lot("2"), a_lot("3", opens_at_us=at("12:00")))
    room.bid("A", 500_00)
    events = room.does(cancel())
    kinds = [SaleCancelled, LotWithdrawn, LotWithdrawn, LotWithdrawn, SaleClosed]
    assert [type(event) for event in events] == kinds
    assert statuses(room) == [WITHDRAWN] * 3 and room.sale.closed
    assert room.registration("A").exposure_minor == 0
    assert room.refuses(cancel()).rejection is Rejection.SALE_CLOSED


def test_it_is_refused_when_one_lot_may_not_be_withdrawn_and_the_lot_is_named() -> None:
    room = Room(a_lot("1"), a_lot("2"), a_lot("3", reserve_minor=900_00))
    room.bid("A", 500_00, lot="2")
    room.bid("A", 500_00, lot="3")
    refused = room.refuses(cancel())
    assert refused.rejection is Rejection.WITHDRAWAL_NOT_ALLOWED
    assert refused.message.endswith("safety: 2")
    room.does(void("A", "2"))
    room.does(cancel())


@pytest.mark.parametrize("cause", [c for c in WithdrawalCause if c is not WithdrawalCause.SELLER])
def test_recall_law_and_safety_cancel_after_bids_too(cause: WithdrawalCause) -> None:
    room = Room()
    room.bid("A", 500_00)
    withdrawn = [e for e in room.does(cancel(cause)) if isinstance(e, LotWithdrawn)]
    assert [event.cause for event in withdrawn] == [cause]


def test_a_refusal_does_not_name_thousands_of_lots() -> None:
    room = Room(*(a_lot(str(number)) for number in range(1, 31)))
    for number in range(1, 31):
        room.bid("A", 500_00, lot=str(number))
    message = room.refuses(cancel()).message
    assert message.endswith(f", 20 and {30 - MOST_NAMED} more")


def test_if_bids_stay_bound_and_what_has_come_to_its_end_is_closed_as_always() -> None:
    terms = replace(EBAY_TERMS, if_bid_us=24 * HOUR_US)
    room = Room(
        a_lot("1", "12:00", reserve_minor=900_00),
        a_lot("2", "12:00"),
        a_lot("3", "12:30"),
        a_lot("4", "16:00"),
        terms=terms,
    )
    for lot in "123":
        room.bid("A", 500_00, lot=lot)
    room.close("12:10")
    room.does(cancel(), "12:40")
    live = LotStatus.LIVE
    assert statuses(room) == [LotStatus.IF_BID, LotStatus.SOLD, live, WITHDRAWN]
    room.close("12:41")
    assert statuses(room) == [LotStatus.IF_BID, LotStatus.SOLD, LotStatus.SOLD, WITHDRAWN]
    closed = room.does(AcceptIfBid(lot_id=LotId("1"), **BY))
    assert closed[-1] == SaleClosed(sold=3, passed=0, withdrawn=1)


def test_a_sale_in_which_nothing_is_open_cannot_be_cancelled() -> None:
    room = Room()
    room.bid("A", 500_00)
    assert room.refuses(cancel(), "16:00").rejection is Rejection.LOT_CLOSED


# Large sales, a chunk at a time


def a_large_sale() -> Room:
    """Of 201 lots: three chunks."""
    lots = [a_lot(str(number)) for number in range(1, 2 * CLOSE_CHUNK + 2)]
    room = Room(*lots[:100], bidders="A")
    room.does(AddLots(lots=tuple(lots[100:]), **BY))
    return room


def test_a_large_sale_is_withdrawn_chunk_after_chunk_by_the_timer() -> None:
    room = a_large_sale()
    assert len(room.does(cancel(), "12:00")) == 1 + CLOSE_CHUNK
    assert next_deadline_us(room.sale) == at("12:00")
    assert len(room.close("12:00")) == CLOSE_CHUNK
    last = room.close("12:01")
    assert [type(event) for event in last] == [LotWithdrawn, SaleClosed]
    assert next_deadline_us(room.sale) is None
    reasons = {e.reason for e in room.events if isinstance(e, LotWithdrawn)}
    assert reasons == {"the warehouse is flooded"}


def test_between_two_chunks_nothing_can_be_done_to_what_is_left() -> None:
    room = a_large_sale()
    room.does(cancel(), "12:00")
    last = "201"
    assert room.lot(last).status is LotStatus.LIVE
    assert room.refuses_bid("A", 500_00, lot=last) is Rejection.LOT_WITHDRAWN
    assert room.refuses(withdraw(last)).rejection is Rejection.LOT_WITHDRAWN
    assert room.refuses(change_reserve(500_00, last)).rejection is Rejection.LOT_CLOSED
    assert room.refuses(void("A", last)).rejection is Rejection.LOT_CLOSED
    assert room.does(cancel(WithdrawalCause.LAW)) == [], "it is cancelled already"


def test_neither_a_pause_nor_an_outage_nor_a_lots_end_keeps_a_lot_in_a_cancelled_sale() -> None:
    room = a_large_sale()
    room.does(cancel(), "15:59")
    room.does(PAUSE, "15:59:30")
    assert len(room.close("15:59:40")) == CLOSE_CHUNK, "in a pause too"
    room.does(ResumeSale(**BY), "16:10")
    room.does(MoveEndsAfterOutage(sale_id=SALE, dark_from_us=at("16:10:01")), "16:20")
    assert isinstance(room.close("19:00")[0], LotWithdrawn), "not passed, though its end is past"


def test_what_ends_in_a_pause_before_the_sale_is_cancelled_is_still_to_come() -> None:
    room = Room()
    room.does(PAUSE, "15:59")
    room.does(cancel(), "16:30")
    assert statuses(room) == [WITHDRAWN]


def test_the_rest_of_what_ends_in_a_pause_goes_with_the_sale_too() -> None:
    room = a_large_sale()
    room.does(PAUSE, "15:59")
    room.does(cancel(), "16:30")
    assert len(room.close("16:30")) == CLOSE_CHUNK
    assert isinstance(room.close("16:30")[-1], SaleClosed)


@pytest.mark.parametrize(
    "command",
    [AddLots(lots=(a_lot("9"),), **BY), move_lots(("3", "13:00", "17:00"))],
    ids=["add", "move"],
)
def test_nothing_is_added_to_a_cancelled_sale_or_moved_in_it(command: Command) -> None:
    room = Room(
        a_lot("1", "12:00", reserve_minor=900_00),
        a_lot("3", opens_at_us=at("13:00")),
        terms=replace(EBAY_TERMS, if_bid_us=24 * HOUR_US),
    )
    room.bid("A", 500_00)
    room.close("12:00")
    room.does(cancel())
    assert not room.sale.closed
    assert room.refuses(command).rejection is Rejection.SALE_CANCELLED


# Lots that are moved before bidding on them begins


def a_sale_to_come() -> Room:
    return Room(
        a_lot("1"),
        a_lot("2", opens_at_us=at("12:00"), latest_end_us=at("17:00")),
        a_lot("3", opens_at_us=at("12:00")),
    )


def test_lots_are_moved_earlier_or_later_before_bidding_begins() -> None:
    room = a_sale_to_come()
    (moved,) = room.does(move_lots(("2", "11:00", "15:30"), ("3", "12:00", "20:00")), "10:30")
    assert isinstance(moved, LotsRescheduled)
    second, third = moved.lots
    assert (second.opens_at_us, second.closes_at_us) == (at("11:00"), at("15:30"))
    assert (second.old_opens_at_us, second.old_closes_at_us) == (at("12:00"), at("16:00"))
    assert (second.latest_end_us, second.old_latest_end_us) == (at("16:30"), at("17:00"))
    assert third.latest_end_us is None
    room.ends("15:30", "2")
    assert room.lot("2").scheduled_closes_at_us == at("15:30")
    assert room.refuses_bid("A", 500_00, "10:59", lot="2") is Rejection.LOT_NOT_OPEN
    room.bid("A", 500_00, "11:00", lot="2")


MOVES: Final[dict[str, tuple[Command, str, Rejection]]] = {
    "bidding has begun": (move_lots(("1", "11:00", "17:00")), "10:30", Rejection.BIDDING_BEGUN),
    "it begins now": (move_lots(("2", "13:00", "17:00")), "12:00", Rejection.BIDDING_BEGUN),
    "no such lot": (move_lots(("9", "11:00", "17:00")), "10:30", Rejection.NOT_FOUND),
    "twice": (
        move_lots(("2", "13:00", "17:00"), ("2", "14:00", "17:00")),
        "10:30",
        Rejection.INVALID,
    ),
    "into the past": (move_lots(("2", "10:30", "17:00")), "10:30", Rejection.INVALID),
    "ends before it opens": (move_lots(("2", "13:00", "13:00")), "10:30", Rejection.INVALID),
    "one of them only": (
        move_lots(("2", "13:00", "17:00"), ("1", "13:00", "17:00")),
        "10:30",
        Rejection.BIDDING_BEGUN,
    ),
}


@pytest.mark.parametrize("name", MOVES)
def test_lots_are_moved_all_or_none(name: str) -> None:
    command, when, rejection = MOVES[name]
    assert a_sale_to_come().refuses(command, when).rejection is rejection


def test_a_withdrawn_lot_is_not_moved() -> None:
    room = a_sale_to_come()
    room.does(withdraw("2"))
    assert room.refuses(move_lots(("2", "13:00", "17:00"))).rejection is Rejection.LOT_WITHDRAWN


def test_nothing_is_moved_in_a_sale_that_is_over() -> None:
    room = Room()
    room.close("16:00")
    assert room.refuses(move_lots(("1", "18:00", "19:00"))).rejection is Rejection.SALE_CLOSED


def test_lots_that_stay_where_they_are_are_no_event() -> None:
    room = a_sale_to_come()
    assert room.does(move_lots(("2", "12:00", "16:00"))) == []
    (moved,) = room.does(move_lots(("2", "12:00", "16:00"), ("3", "12:00", "18:00")))
    assert isinstance(moved, LotsRescheduled)
    assert [lot.lot_id for lot in moved.lots] == ["3"]


def test_a_cascade_goes_by_the_new_order_of_the_ends() -> None:
    terms = Terms(soft_close=FIVE_AND_FIVE, closing=ClosingMode.CASCADE)
    room = Room(a_lot("1"), a_lot("2", "16:04", opens_at_us=at("12:00")), terms=terms)
    room.does(move_lots(("2", "12:00", "15:58")))
    room.bid("A", 500_00, "15:57")
    room.ends("15:58", "2")


def test_an_earlier_end_wakes_the_timer() -> None:
    room = a_sale_to_come()
    deadlines = Deadlines()
    for recorded in room.recorded:
        deadlines.note(recorded)
    room.does(move_lots(("2", "11:00", "11:30")), "10:30")
    deadlines.note(room.recorded[-1])
    assert deadlines.next_us() == at("11:30")
    room.does(cancel())
    for recorded in room.recorded:
        deadlines.note(recorded)
    assert deadlines.next_us() == at("10:30")


def test_a_time_is_in_shape() -> None:
    command = move_lots(("2", "13:00", "17:00"))
    assert shape_fault(command) is None
    assert shape_fault(replace(command, times=())) is not None
    assert shape_fault(replace(command, times=(LotTimes(LotId("2"), -1, 5),))) is not None
    assert shape_fault(replace(command, times=command.times * 201)) is not None
    assert shape_fault(replace(admit("A"), bidder_ids=())) is not None
    assert shape_fault(replace(admit("A"), bidder_ids=("A",) * 1_001)) is not None
