"""Reserve, voids, withdrawal, closing, if-bids."""

import pytest
from msgspec.structs import replace

from auction.commands import (
    AcceptIfBid,
    AnswerCounter,
    CloseDue,
    CounterIfBid,
    DeclineIfBid,
    PauseSale,
    WithdrawalCause,
)
from auction.decide_lots import CLOSE_CHUNK
from auction.events import (
    Allocation,
    BidsVoided,
    CounterDeclined,
    IfBidCountered,
    IfBidOpened,
    LotPassed,
    LotSold,
    LotWithdrawn,
    PassReason,
    ReserveChanged,
    ReserveStatusChanged,
    SaleClosed,
)
from auction.ids import BidderId, LotId, Paddle
from auction.pricing import ReserveStatus
from auction.rejections import Rejection
from auction.sale import LotStatus
from auction.terms import PriceRule, Terms, VoidRule
from tests.builders import (
    EBAY_TERMS,
    HOUR_US,
    SALE,
    STAFF_MEMBER,
    Room,
    a_lot,
    at,
    bid,
    change_reserve,
    the,
    void,
    withdraw,
)

LOT = LotId("1")
DAY_US = 24 * HOUR_US
IF_BID = replace(EBAY_TERMS, if_bid_us=DAY_US)
NO_REVIVE = replace(EBAY_TERMS, void_rule=VoidRule.NO_REVIVE)
PAUSE = PauseSale(sale_id=SALE, reason="a fire alarm", actor_id=STAFF_MEMBER)


# Changing the reserve


def test_a_changed_reserve_is_a_secret_event() -> None:
    room = Room(a_lot(reserve_minor=1_000_00))
    room.bid("A", 500_00)
    assert room.does(change_reserve(900_00)) == [
        ReserveChanged(lot_id=LOT, reserve_minor=900_00, actor_id=STAFF_MEMBER)
    ]
    room.leads("A", 500_00)


def test_lowered_to_the_leaders_maximum_it_is_met_at_once_and_the_price_stays() -> None:
    for reserve in (800_00, 700_00):
        room = Room(a_lot(reserve_minor=1_000_00))
        room.bid("A", 800_00)
        _, met = room.does(change_reserve(reserve))
        assert met == ReserveStatusChanged(
            lot_id=LOT,
            reserve=ReserveStatus.MET,
            price_minor=800_00,
            next_minimum_minor=810_00,
        )
        room.leads("A", 800_00)


def test_the_price_never_falls_below_what_the_old_reserve_made_it() -> None:
    room = Room(a_lot(reserve_minor=1_000_00))
    room.bid("A", 1_500_00)
    room.does(change_reserve(700_00))
    room.bid("A", 1_600_00)
    room.leads("A", 1_000_00)
    assert room.refuses_bid("B", 1_024_99) is Rejection.AMOUNT_BELOW_MINIMUM
    room.bid("B", 1_025_00)
    room.leads("A", 1_050_00)


def test_a_met_reserve_that_is_lowered_or_dropped_is_silent_or_gone() -> None:
    room = Room(a_lot(reserve_minor=1_000_00))
    room.bid("A", 1_500_00)
    assert len(room.does(change_reserve(900_00))) == 1
    _, gone = room.does(change_reserve(None))
    assert isinstance(gone, ReserveStatusChanged)
    assert (gone.reserve, gone.price_minor) == (ReserveStatus.NONE, 1_000_00)


@pytest.mark.parametrize("reserve", [1_000_00, 1_000_01, 2_000_00])
def test_after_the_first_bid_it_is_never_raised(reserve: int) -> None:
    room = Room(a_lot(reserve_minor=1_000_00))
    room.bid("A", 500_00)
    refusal = room.refuses(change_reserve(reserve))
    assert refusal.rejection is Rejection.RESERVE_NOT_LOWERED


def test_after_the_first_bid_none_is_added() -> None:
    room = Room()
    room.bid("A", 500_00)
    assert room.refuses(change_reserve(1)).rejection is Rejection.RESERVE_NOT_LOWERED


def test_before_the_first_bid_it_may_be_raised_added_and_dropped() -> None:
    room = Room()
    _, public = room.does(change_reserve(1_000_00))
    assert isinstance(public, ReserveStatusChanged)
    assert (public.reserve, public.price_minor) == (ReserveStatus.NOT_MET, None)
    assert public.next_minimum_minor == 100_00
    assert len(room.does(change_reserve(2_000_00))) == 1
    assert room.refuses(change_reserve(2_000_00)).rejection is Rejection.RESERVE_NOT_LOWERED
    room.does(change_reserve(None))
    assert room.lot().reserve is ReserveStatus.NONE


def test_a_reserve_is_in_whole_units() -> None:
    room = Room(terms=Terms())
    assert room.refuses(change_reserve(1_000_50)).rejection is Rejection.INVALID
    room.does(change_reserve(1_000_00))


def test_a_reserve_belongs_to_a_lot_that_is_still_open() -> None:
    room = Room(a_lot(reserve_minor=1_000_00))
    assert room.refuses(change_reserve(1, lot="9")).rejection is Rejection.NOT_FOUND
    refusal = room.refuses(change_reserve(500_00), "16:00")
    assert refusal.rejection is Rejection.LOT_CLOSED


# Voids


def a_contested_room(terms: Terms = EBAY_TERMS) -> Room:
    room = Room(terms=terms)
    room.bid("A", 500_00)
    room.bid("B", 300_00)
    room.bid("C", 900_00)
    room.leads("C", 510_00)
    return room


def test_restore_lets_the_lot_stand_without_the_voided_bidder() -> None:
    room = a_contested_room()
    voided = the(BidsVoided, room.does(void("C")))
    assert voided == BidsVoided(
        lot_id=LOT,
        paddle=room.registration("C").paddle,
        leader=room.registration("A").paddle,
        price_minor=305_00,
        next_minimum_minor=310_00,
        reserve=ReserveStatus.NONE,
        bidder_id=BidderId("C"),
        reason="a typing error",
        actor_id=STAFF_MEMBER,
    )
    room.leads("A", 305_00)


def test_no_revive_reopens_the_lot_at_the_opening_bid() -> None:
    room = a_contested_room(NO_REVIVE)
    voided = the(BidsVoided, room.does(void("C")))
    assert (voided.leader, voided.price_minor, voided.next_minimum_minor) == (None, None, 100_00)
    room.leads(None, None)
    assert room.lot().standings == {}
    room.bid("B", 100_00)  # below its own earlier 300
    room.leads("B", 100_00)


def test_restore_after_a_rival_is_voided_lowers_the_leaders_price() -> None:
    room = a_contested_room()
    room.does(void("A"))
    room.leads("C", 305_00)
    room.does(void("B"))
    room.leads("C", 100_00)


def test_restore_of_the_last_bidder_leaves_the_opening_bid() -> None:
    room = Room(a_lot(reserve_minor=400_00))
    room.bid("A", 500_00)
    voided = the(BidsVoided, room.does(void("A")))
    assert (voided.leader, voided.price_minor, voided.next_minimum_minor) == (None, None, 100_00)
    assert voided.reserve is ReserveStatus.NOT_MET
    room.bid("B", 100_00)
    room.leads("B", 100_00)


def test_rejected_bids_are_never_candidates() -> None:
    room = Room()
    room.bid("A", 500_00)
    room.bid("C", 900_00)
    assert room.refuses_bid("B", 505_00) is Rejection.AMOUNT_BELOW_MINIMUM
    room.does(void("C"))
    room.leads("A", 100_00)


def test_restore_keeps_the_earlier_of_equal_maxima() -> None:
    room = Room()
    room.bid("A", 500_00)
    room.bid("B", 500_00)
    room.bid("C", 900_00)
    room.does(void("C"))
    room.leads("A", 500_00)
    room = Room()
    room.bid("A", 400_00)
    room.bid("B", 500_00)
    room.bid("A", 500_00)  # came first, reached 500 later
    room.bid("C", 900_00)
    room.does(void("C"))
    room.leads("B", 500_00)


def test_restore_counts_a_private_raise() -> None:
    room = Room()
    room.bid("A", 500_00)
    room.bid("A", 600_00)
    room.bid("C", 900_00)
    room.bid("B", 700_00)
    room.does(void("C"))
    room.leads("B", 610_00)


@pytest.mark.parametrize(
    ("rule", "price"), [(PriceRule.MATCH_RIVAL, 300_00), (PriceRule.AT_MAXIMUM, 500_00)]
)
def test_restore_prices_by_the_rule_of_the_sale(rule: PriceRule, price: int) -> None:
    room = Room(terms=replace(EBAY_TERMS, price_rule=rule, enforce_minimum=False))
    for bidder, amount in [("A", 500_00), ("B", 300_00), ("C", 900_00)]:
        room.bid(bidder, amount)
    room.does(void("C"))
    room.leads("A", price)


def test_restore_under_a_reserve_shows_it_unmet_again() -> None:
    room = Room(a_lot(reserve_minor=1_000_00))
    room.bid("A", 800_00)
    room.bid("B", 1_500_00)
    voided = the(BidsVoided, room.does(void("B")))
    assert (voided.price_minor, voided.reserve) == (800_00, ReserveStatus.NOT_MET)
    room.leads("A", 800_00)
    assert room.lot().reserve is ReserveStatus.NOT_MET


def test_after_a_void_the_next_rival_drives_the_restored_price() -> None:
    room = a_contested_room()
    room.does(void("C"))
    room.bid("D", 400_00)
    room.leads("A", 405_00)
    room.bid("C", 600_00)  # may bid again
    room.leads("C", 510_00)


def test_only_a_bidder_with_bids_on_an_open_lot_is_voided() -> None:
    room = a_contested_room()
    assert room.refuses(void("D")).rejection is Rejection.NO_BIDS_TO_VOID
    assert room.refuses(void("A", lot="9")).rejection is Rejection.NOT_FOUND
    room.does(void("A"))
    assert room.refuses(void("A")).rejection is Rejection.NO_BIDS_TO_VOID
    assert room.refuses(void("C"), "16:00").rejection is Rejection.LOT_CLOSED
    room.close("16:00")
    assert room.refuses(void("C")).rejection is Rejection.LOT_CLOSED


def test_a_voided_bid_is_still_answered_as_at_first() -> None:
    room = Room()
    mine = bid("A", 500_00)
    room.does(mine)
    room.does(void("A"))
    assert room.repeats(mine).code == "LEADING"
    room.leads(None, None)


# Withdrawal


def test_a_lot_is_withdrawn_with_its_cause() -> None:
    room = Room(a_lot("1"), a_lot("2"))
    assert room.does(withdraw("1", WithdrawalCause.RECALL)) == [
        LotWithdrawn(
            lot_id=LOT,
            cause=WithdrawalCause.RECALL,
            reason="listed by mistake",
            actor_id=STAFF_MEMBER,
        )
    ]
    assert room.lot().status is LotStatus.WITHDRAWN


def test_with_reserve_a_lot_is_withdrawn_at_any_time_before_the_close() -> None:
    for amount in (500_00, 2_000_00):  # not met, met
        room = Room(a_lot(reserve_minor=1_000_00))
        room.bid("A", amount)
        room.does(withdraw(), "15:59:59.999999")


def test_without_reserve_not_after_a_bid() -> None:
    room = Room()
    room.bid("A", 500_00)
    refusal = room.refuses(withdraw())
    assert refusal.rejection is Rejection.WITHDRAWAL_NOT_ALLOWED


@pytest.mark.parametrize(
    "cause", [WithdrawalCause.RECALL, WithdrawalCause.LAW, WithdrawalCause.SAFETY]
)
def test_without_reserve_after_a_bid_for_recall_law_and_safety(cause: WithdrawalCause) -> None:
    room = Room()
    room.bid("A", 500_00)
    room.does(withdraw("1", cause))
    assert room.registration("A").exposure_minor == 0


def test_without_reserve_before_a_bid_a_seller_may() -> None:
    Room().does(withdraw())


def test_a_lot_is_withdrawn_once_and_not_after_its_end() -> None:
    room = Room(a_lot("1"), a_lot("2"))
    room.does(withdraw("1"))
    assert room.refuses(withdraw("1")).rejection is Rejection.LOT_WITHDRAWN
    assert room.refuses(withdraw("2"), "16:00").rejection is Rejection.LOT_CLOSED
    assert room.refuses(withdraw("9")).rejection is Rejection.NOT_FOUND


# Closing


def test_a_lot_is_sold_to_its_leader_at_its_price() -> None:
    room = Room(a_lot("1"), a_lot("2", closes="17:00"))
    room.bid("A", 500_00)
    room.bid("B", 300_00)
    paddle = room.registration("A").paddle
    assert room.close("16:00") == [
        LotSold(
            lot_id=LOT,
            hammer_price_minor=305_00,
            reserve=ReserveStatus.NONE,
            allocations=(Allocation(paddle, 1, 305_00, 305_00),),
            winners=(BidderId("A"),),
        )
    ]
    assert room.lot().status is LotStatus.SOLD


def test_nothing_closes_early() -> None:
    room = Room()
    room.bid("A", 500_00)
    assert room.close("15:59:59.999999") == []
    assert room.lot().status is LotStatus.LIVE


def test_the_end_in_force_counts_not_the_scheduled_one() -> None:
    room = Room(terms=replace(EBAY_TERMS, soft_close=Terms().soft_close))
    room.bid("A", 500_00, "15:58")
    assert room.close("16:02:59.999999") == []
    assert isinstance(room.close("16:03")[0], LotSold)


def test_closing_late_admits_no_bid_at_or_after_the_end() -> None:
    room = Room()
    room.bid("A", 500_00, "15:59:59.999999")
    assert room.refuses_bid("B", 900_00, "16:00") is Rejection.LOT_CLOSED
    sold = the(LotSold, room.close("18:00"))
    assert sold.winners == ("A",)


def test_a_repeated_timer_is_harmless() -> None:
    room = Room(a_lot("1"), a_lot("2", closes="17:00"))
    room.bid("A", 500_00)
    room.close("16:00")
    assert room.close("16:00") == []
    assert room.close("16:01") == []


def test_a_lot_without_bids_passes() -> None:
    room = Room(a_lot("1"), a_lot("2", closes="17:00"))
    assert room.close("16:00") == [
        LotPassed(lot_id=LOT, reason=PassReason.NO_BIDS, price_minor=None)
    ]


def test_a_reserve_that_is_not_met_passes_with_the_highest_price_reached() -> None:
    room = Room(a_lot("1", reserve_minor=1_000_00), a_lot("2", closes="17:00"))
    room.bid("A", 800_00)
    assert room.close("16:00") == [
        LotPassed(lot_id=LOT, reason=PassReason.RESERVE_NOT_MET, price_minor=800_00)
    ]
    assert room.lot().status is LotStatus.PASSED


def test_a_reserve_that_is_met_is_sold() -> None:
    room = Room(a_lot(reserve_minor=1_000_00))
    room.bid("A", 1_000_00)
    sold = the(LotSold, room.close("16:00"))
    assert (sold.hammer_price_minor, sold.reserve) == (1_000_00, ReserveStatus.MET)


def test_lots_close_in_the_order_of_their_ends() -> None:
    room = Room(a_lot("1", "16:02"), a_lot("2", "16:00"), a_lot("3", "16:01"))
    closed = [event for event in room.close("16:05") if isinstance(event, LotPassed)]
    assert [event.lot_id for event in closed] == ["2", "3", "1"]


def test_many_lots_close_in_chunks_the_earliest_first() -> None:
    closes = ["16:01"] * 50 + ["16:00"] * 100
    room = Room(*(a_lot(str(n), end) for n, end in enumerate(closes)))
    first = room.close("16:01")
    assert len(first) == CLOSE_CHUNK == 100
    assert not any(isinstance(event, SaleClosed) for event in first)
    assert {lot.closes_at_us for lot in room.sale.lots.values() if lot.status == "LIVE"} == {
        at("16:01")
    }
    rest = room.close("16:01")
    assert len(rest) == 51
    assert rest[-1] == SaleClosed(sold=0, passed=150, withdrawn=0)


def test_a_paused_sale_closes_nothing() -> None:
    room = Room()
    room.bid("A", 500_00)
    room.does(PAUSE, "15:59")
    assert room.close("16:00") == []


def test_the_sale_is_over_with_its_last_lot() -> None:
    room = Room(a_lot("1"), a_lot("2"), a_lot("3", "16:05"), a_lot("4", "16:10"))
    room.bid("A", 500_00, lot="1")
    room.does(withdraw("4"))
    assert not any(isinstance(event, SaleClosed) for event in room.close("16:00"))
    assert room.close("16:05")[-1] == SaleClosed(sold=1, passed=2, withdrawn=1)
    assert room.sale.closed


def test_the_sale_is_over_when_its_last_lot_is_withdrawn() -> None:
    room = Room(a_lot("1"), a_lot("2", "17:00"))
    room.close("16:00")
    assert room.does(withdraw("2"))[-1] == SaleClosed(sold=0, passed=1, withdrawn=1)


# If-bids


def an_if_bid(*more: str) -> Room:
    """Lot 1 ended at 16:00 below its reserve of 1,000; A is bound at 800 for a day."""
    lots = [a_lot(lot_id, closes="40:00") for lot_id in more]
    room = Room(a_lot(reserve_minor=1_000_00), *lots, terms=IF_BID)
    room.bid("B", 500_00)
    room.bid("A", 800_00)
    room.close("16:00")
    return room


def accept() -> AcceptIfBid:
    return AcceptIfBid(sale_id=SALE, lot_id=LOT, actor_id=STAFF_MEMBER)


def decline() -> DeclineIfBid:
    return DeclineIfBid(sale_id=SALE, lot_id=LOT, actor_id=STAFF_MEMBER)


def counter(amount_minor: int) -> CounterIfBid:
    return CounterIfBid(sale_id=SALE, lot_id=LOT, amount_minor=amount_minor, actor_id=STAFF_MEMBER)


def answer(bidder: str, *, accepted: bool) -> AnswerCounter:
    return AnswerCounter(sale_id=SALE, lot_id=LOT, bidder_id=BidderId(bidder), accepted=accepted)


def test_below_its_reserve_the_lot_waits_for_the_seller_and_binds_its_top_bidder() -> None:
    room = an_if_bid()
    assert room.events[-1] == IfBidOpened(
        lot_id=LOT,
        paddle=Paddle(101),
        price_minor=800_00,
        until_us=at("40:00"),
        bidder_id=BidderId("A"),
    )
    assert room.lot().status is LotStatus.IF_BID
    assert not room.sale.closed


def test_the_day_begins_when_the_lot_is_closed() -> None:
    room = Room(a_lot(reserve_minor=1_000_00), terms=IF_BID)
    room.bid("A", 800_00)
    assert the(IfBidOpened, room.close("16:00:00.7")).until_us == at("40:00:00.7")


def test_only_an_unmet_reserve_waits() -> None:
    room = Room(a_lot("1", reserve_minor=1_000_00), a_lot("2"), terms=IF_BID)
    room.bid("A", 500_00, lot="2")
    passed, sold, _ = room.close("16:00")
    assert isinstance(passed, LotPassed)
    assert isinstance(sold, LotSold)


def test_a_waiting_lot_takes_no_bid_and_nothing_but_an_answer() -> None:
    room = an_if_bid("2")
    assert room.refuses_bid("C", 2_000_00, "16:01") is Rejection.LOT_CLOSED
    assert room.refuses(void("A")).rejection is Rejection.LOT_CLOSED
    assert room.refuses(change_reserve(800_00)).rejection is Rejection.LOT_CLOSED
    assert room.refuses(withdraw()).rejection is Rejection.LOT_CLOSED


def test_the_seller_accepts_at_the_price_reached() -> None:
    room = an_if_bid()
    sold, closed = room.does(accept(), "20:00")
    assert sold == LotSold(
        lot_id=LOT,
        hammer_price_minor=800_00,
        reserve=ReserveStatus.NOT_MET,
        allocations=(Allocation(Paddle(101), 1, 800_00, 800_00),),
        winners=(BidderId("A"),),
    )
    assert closed == SaleClosed(sold=1, passed=0, withdrawn=0)


def test_the_seller_declines() -> None:
    room = an_if_bid()
    assert room.does(decline(), "20:00") == [
        LotPassed(lot_id=LOT, reason=PassReason.IF_BID_DECLINED, price_minor=800_00),
        SaleClosed(sold=0, passed=1, withdrawn=0),
    ]
    assert room.registration("A").exposure_minor == 0


def test_the_seller_counters_and_the_bidder_takes_it() -> None:
    room = an_if_bid()
    assert room.does(counter(950_00), "17:00") == [
        IfBidCountered(
            lot_id=LOT,
            bidder_id=BidderId("A"),
            amount_minor=950_00,
            actor_id=STAFF_MEMBER,
        )
    ]
    sold = the(LotSold, room.does(answer("A", accepted=True), "18:00"))
    assert sold.hammer_price_minor == 950_00
    assert room.registration("A").exposure_minor == 950_00


def test_a_declined_counter_leaves_the_own_bid_bound() -> None:
    room = an_if_bid()
    room.does(counter(950_00))
    assert room.does(answer("A", accepted=False)) == [
        CounterDeclined(lot_id=LOT, bidder_id=BidderId("A"))
    ]
    assert room.refuses(answer("A", accepted=True)).rejection is Rejection.NO_COUNTER
    assert the(LotSold, room.does(accept())).hammer_price_minor == 800_00


def test_the_seller_may_ask_again_and_the_last_counter_counts() -> None:
    room = an_if_bid()
    room.does(counter(950_00))
    room.does(counter(900_00))
    assert the(LotSold, room.does(answer("A", accepted=True))).hammer_price_minor == 900_00


def test_a_counter_asks_for_more_than_the_bid() -> None:
    room = an_if_bid()
    refusal = room.refuses(counter(800_00))
    assert refusal.rejection is Rejection.COUNTER_NOT_ABOVE_BID
    assert refusal.minimum_minor == 800_01
    room.does(counter(800_01))


def test_a_counter_is_in_whole_units() -> None:
    room = Room(a_lot(reserve_minor=1_000_00), terms=Terms(if_bid_us=DAY_US))
    room.bid("A", 800_00)
    room.close("16:00")
    assert room.refuses(counter(950_50)).rejection is Rejection.INVALID
    refusal = room.refuses(counter(700_00))
    assert refusal.minimum_minor == 801_00
    room.does(counter(801_00))


def test_only_the_bound_bidder_answers_and_only_a_counter() -> None:
    room = an_if_bid()
    assert room.refuses(answer("A", accepted=True)).rejection is Rejection.NO_COUNTER
    room.does(counter(950_00))
    assert room.refuses(answer("B", accepted=True)).rejection is Rejection.NO_COUNTER


def test_after_a_day_the_bidder_is_free() -> None:
    room = an_if_bid()
    assert room.close("39:59:59.999999") == []
    assert room.close("40:00") == [
        LotPassed(lot_id=LOT, reason=PassReason.IF_BID_EXPIRED, price_minor=800_00),
        SaleClosed(sold=0, passed=1, withdrawn=0),
    ]
    assert room.registration("A").exposure_minor == 0


@pytest.mark.parametrize(
    "command", [accept(), decline(), counter(950_00), answer("A", accepted=True)]
)
def test_nothing_is_answered_after_the_day_even_before_the_timer(
    command: AcceptIfBid | DeclineIfBid | CounterIfBid | AnswerCounter,
) -> None:
    room = an_if_bid()
    room.does(counter(950_00))
    assert room.refuses(command, "40:00").rejection is Rejection.NO_IF_BID


@pytest.mark.parametrize(
    "command", [accept(), decline(), counter(950_00), answer("A", accepted=True)]
)
def test_a_lot_that_is_open_or_ended_has_no_if_bid(
    command: AcceptIfBid | DeclineIfBid | CounterIfBid | AnswerCounter,
) -> None:
    room = Room(terms=IF_BID)
    room.bid("A", 500_00)
    assert room.refuses(command).rejection is Rejection.NO_IF_BID
    room.close("16:00")
    assert room.refuses(command).rejection is Rejection.NO_IF_BID
    missing = replace(command, lot_id=LotId("9"))
    assert room.refuses(missing).rejection is Rejection.NOT_FOUND


def test_the_timer_names_only_its_sale() -> None:
    assert CloseDue(sale_id=SALE).__struct_fields__ == ("sale_id",)
