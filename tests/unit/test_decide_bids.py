"""English bidding with proxy bids, by eBay's table: every figure of the rules."""

import pytest
from msgspec.structs import replace

from auction.events import BidPlaced, EndExtended, MaximumRaised
from auction.ids import BidderId, BidId, LotId
from auction.increments import LIQUIDATION
from auction.pricing import ReserveStatus
from auction.rejections import Rejection
from auction.terms import PriceRule, Terms
from tests.builders import EBAY_TERMS, FIVE_AND_FIVE, Room, a_lot, at, bid, the

MATCH_RIVAL = replace(EBAY_TERMS, price_rule=PriceRule.MATCH_RIVAL)
AT_MAXIMUM = replace(EBAY_TERMS, price_rule=PriceRule.AT_MAXIMUM)


def next_minimum(room: Room) -> int:
    return room.lot().next_minimum_minor


# INCREMENT_OVER, opening 100


def test_before_any_bid_the_minimum_is_the_opening_bid() -> None:
    room = Room()
    room.leads(None, None)
    assert next_minimum(room) == 100_00
    assert room.refuses_bid("A", 99_99) is Rejection.AMOUNT_BELOW_MINIMUM
    room.bid("A", 100_00)
    room.leads("A", 100_00)


def test_a_first_bid_leads_at_the_opening_bid() -> None:
    room = Room()
    room.bid("A", 500_00)
    room.leads("A", 100_00)
    assert next_minimum(room) == 102_50


def test_a_rival_below_the_maximum_drives_the_price_one_increment_over_itself() -> None:
    room = Room()
    room.bid("A", 500_00)
    room.bid("B", 300_00)
    room.leads("A", 305_00)
    assert next_minimum(room) == 310_00


def test_a_rival_above_the_maximum_leads_at_most_at_its_own() -> None:
    room = Room()
    room.bid("A", 500_00)
    room.bid("B", 300_00)
    room.bid("C", 505_00)
    room.leads("C", 505_00)  # min(505, 510)
    assert next_minimum(room) == 515_00


def test_the_events_of_a_bid_say_who_bid_who_leads_and_at_what() -> None:
    room = Room()
    first = bid("A", 500_00)
    assert room.does(first) == [
        BidPlaced(
            lot_id=LotId("1"),
            paddle=room.registration("A").paddle,
            leader=room.registration("A").paddle,
            price_minor=100_00,
            next_minimum_minor=102_50,
            reserve=ReserveStatus.NONE,
            bid_count=1,
            bidder_id=BidderId("A"),
            bid_id=first.bid_id,
            maximum_minor=500_00,
            freight_minor=0,
            person_id=None,
        )
    ]
    second = bid("B", 300_00, freight_minor=45_00)
    assert room.does(second) == [
        BidPlaced(
            lot_id=LotId("1"),
            paddle=room.registration("B").paddle,
            leader=room.registration("A").paddle,
            price_minor=305_00,
            next_minimum_minor=310_00,
            reserve=ReserveStatus.NONE,
            bid_count=2,
            bidder_id=BidderId("B"),
            bid_id=second.bid_id,
            maximum_minor=300_00,
            freight_minor=45_00,
            person_id=None,
        )
    ]


def test_the_earlier_maximum_wins_a_tie_and_the_later_is_told() -> None:
    room = Room()
    room.bid("A", 500_00)
    told = the(BidPlaced, room.bid("B", 500_00))
    room.leads("A", 500_00)
    assert (told.leader, told.price_minor) == (room.registration("A").paddle, 500_00)


def test_after_a_tie_the_minimum_is_an_increment_above_it() -> None:
    room = Room()
    room.bid("A", 500_00)
    room.bid("B", 500_00)
    refusal = room.refuses(bid("B", 505_00))
    assert refusal.rejection is Rejection.AMOUNT_BELOW_MINIMUM
    assert refusal.minimum_minor == 510_00
    room.bid("B", 510_00)
    room.leads("B", 510_00)


def test_a_bid_below_the_minimum_changes_and_extends_nothing() -> None:
    room = Room(terms=replace(EBAY_TERMS, soft_close=FIVE_AND_FIVE))
    room.bid("A", 500_00)
    refusal = room.refuses(bid("B", 102_00), "15:59")
    assert refusal.rejection is Rejection.AMOUNT_BELOW_MINIMUM
    assert refusal.minimum_minor == 102_50
    assert "102.50 USD" in refusal.message
    room.leads("A", 100_00)
    room.ends("16:00")


@pytest.mark.parametrize(("raised", "price"), [(508_00, 508_00), (600_00, 510_00)])
def test_a_leaders_raise_needs_only_more_than_the_own_maximum_and_is_recomputed(
    raised: int, price: int
) -> None:
    room = Room()
    room.bid("A", 500_00)
    room.bid("C", 507_00)
    room.leads("C", 507_00)  # min(507, 510): C's maximum was 507
    room.bid("C", raised)
    room.leads("C", price)


def test_a_leaders_raise_by_a_cent_is_enough() -> None:
    room = Room()
    room.bid("A", 500_00)
    room.bid("C", 507_00)
    room.bid("C", 507_01)
    room.leads("C", 507_01)


def test_a_raise_without_effect_on_the_price_is_private() -> None:
    room = Room(terms=replace(EBAY_TERMS, soft_close=FIVE_AND_FIVE))
    room.bid("A", 500_00)
    sequence, lot_sequence = room.sale.sequence, dict(room.sale.lot_sequences)
    raised = bid("A", 600_00, freight_minor=20_00)
    assert room.does(raised, "15:59") == [
        MaximumRaised(
            lot_id=LotId("1"),
            bidder_id=BidderId("A"),
            bid_id=raised.bid_id,
            maximum_minor=600_00,
            freight_minor=20_00,
            person_id=None,
        )
    ]
    room.leads("A", 100_00)
    room.ends("16:00")
    assert room.lot().bid_count == 1
    assert (room.sale.sequence, room.sale.lot_sequences) == (sequence, lot_sequence)


def test_a_private_raise_counts_against_later_rivals() -> None:
    room = Room()
    room.bid("A", 500_00)
    room.bid("A", 600_00)
    room.bid("B", 550_00)
    room.leads("A", 560_00)


def test_a_raise_that_moves_the_price_is_public_and_extends() -> None:
    room = Room(terms=replace(EBAY_TERMS, soft_close=FIVE_AND_FIVE))
    room.bid("A", 500_00)
    room.bid("C", 507_00)
    events = room.bid("C", 600_00, "15:58")
    assert the(BidPlaced, events).price_minor == 510_00
    assert the(EndExtended, events).closes_at_us == at("16:03")


@pytest.mark.parametrize("amount_minor", [500_00, 499_99, 100_00])
def test_a_maximum_is_never_lowered_nor_repeated(amount_minor: int) -> None:
    room = Room()
    room.bid("A", 500_00)
    assert room.refuses_bid("A", amount_minor) is Rejection.NOT_ABOVE_OWN_MAXIMUM


def test_a_bidder_that_was_outbid_needs_the_minimum_like_any_other() -> None:
    room = Room()
    room.bid("A", 200_00)
    room.bid("B", 300_00)
    room.leads("B", 202_50)
    assert room.refuses_bid("A", 204_99) is Rejection.AMOUNT_BELOW_MINIMUM
    room.bid("A", 205_00)
    room.leads("B", 207_50)


def test_a_raise_takes_its_own_time_for_ties() -> None:
    room = Room()
    room.bid("A", 300_00)
    room.bid("B", 400_00)
    room.bid("A", 500_00)  # A's 300 was the earliest of all, its 500 is not
    room.bid("B", 500_00)
    room.leads("A", 500_00)
    room = Room()
    room.bid("A", 400_00)
    room.bid("B", 500_00)
    room.bid("A", 500_00)  # earlier as a bidder, later at this maximum
    room.leads("B", 500_00)


def test_the_second_maximum_is_the_best_of_all_rivals() -> None:
    room = Room()
    room.bid("A", 900_00)
    room.bid("B", 700_00)
    room.leads("A", 710_00)
    room.bid("C", 800_00)
    room.bid("D", 850_00)
    room.leads("A", 860_00)
    room.bid("C", 1_000_00)
    room.leads("C", 910_00)  # over A's 900


def test_a_rivals_own_earlier_maximum_is_not_its_rival() -> None:
    room = Room()
    room.bid("A", 200_00)
    room.bid("B", 300_00)
    room.bid("B", 900_00)
    room.leads("B", 202_50)


def test_bids_count_only_what_the_public_sees() -> None:
    room = Room()
    for bidder, amount in [("A", 500_00), ("A", 600_00), ("B", 300_00), ("A", 700_00)]:
        room.bid(bidder, amount)
    assert room.lot().bid_count == 2
    room.bid("B", 400_00)
    room.bid("B", 450_00)
    assert room.lot().bid_count == 4


def test_lots_do_not_touch_each_other() -> None:
    room = Room(a_lot("1"), a_lot("2"))
    room.bid("A", 500_00, lot="1")
    room.bid("B", 300_00, lot="2")
    room.leads("A", 100_00, lot="1")
    room.leads("B", 100_00, lot="2")


def test_the_house_table_takes_whole_dollars_only() -> None:
    room = Room(terms=Terms())
    refusal = room.refuses(bid("A", 100_50))
    assert refusal.rejection is Rejection.INVALID
    assert "multiples of 1.00" in refusal.message
    room.bid("A", 101_00)
    assert next_minimum(room) == 110_00
    room.bid("B", 500_00)
    room.leads("B", 111_00)
    assert LIQUIDATION.increment_minor(101_00) == 10_00


# MATCH_RIVAL


def test_match_rival_prices_at_the_second_maximum() -> None:
    room = Room(terms=MATCH_RIVAL)
    room.bid("A", 500_00)
    room.leads("A", 100_00)
    room.bid("B", 300_00)
    room.leads("A", 300_00)
    assert next_minimum(room) == 305_00
    room.bid("C", 505_00)
    room.leads("C", 500_00)  # the leader's own 505 stays hidden
    assert next_minimum(room) == 510_00


def test_match_rival_keeps_the_price_through_a_leaders_raise() -> None:
    room = Room(terms=MATCH_RIVAL)
    room.bid("A", 500_00)
    room.bid("C", 507_00)
    room.leads("C", 500_00)
    assert isinstance(room.bid("C", 600_00)[0], MaximumRaised)
    room.leads("C", 500_00)


def test_match_rival_gives_a_tie_to_the_earlier_at_the_tie() -> None:
    room = Room(terms=MATCH_RIVAL)
    room.bid("A", 500_00)
    room.bid("B", 500_00)
    room.leads("A", 500_00)


# AT_MAXIMUM


def test_at_maximum_prices_at_the_top_maximum() -> None:
    room = Room(terms=AT_MAXIMUM)
    room.bid("A", 120_00)
    room.leads("A", 120_00)
    assert next_minimum(room) == 122_50
    room.bid("B", 150_00)
    room.leads("B", 150_00)


def test_at_maximum_a_leaders_raise_moves_the_price() -> None:
    room = Room(terms=AT_MAXIMUM)
    room.bid("A", 120_00)
    assert the(BidPlaced, room.bid("A", 121_00)).price_minor == 121_00


# Without minimum check: recorded auctions


def test_without_minimum_check_a_bid_below_the_price_is_taken_and_moves_nothing() -> None:
    terms = replace(EBAY_TERMS, enforce_minimum=False, soft_close=FIVE_AND_FIVE)
    room = Room(terms=terms)
    room.bid("A", 500_00)
    room.bid("B", 300_00)
    events = room.bid("C", 200_00, "15:59")
    assert [type(event) for event in events] == [BidPlaced]  # no extension
    room.leads("A", 305_00)
    assert room.lot().bid_count == 3


def test_without_minimum_check_a_bid_below_the_opening_bid_leads_at_its_maximum() -> None:
    room = Room(terms=replace(EBAY_TERMS, enforce_minimum=False))
    room.bid("A", 60_00)
    room.leads("A", 60_00)
    room.bid("B", 80_00)
    room.leads("B", 80_00)
    room.bid("C", 300_00)
    room.leads("C", 100_00)


def test_without_minimum_check_a_low_bid_is_not_the_best_rival() -> None:
    room = Room(terms=replace(EBAY_TERMS, enforce_minimum=False))
    for bidder, amount in [("A", 300_00), ("B", 298_00), ("C", 200_00)]:
        room.bid(bidder, amount)
    room.leads("A", 300_00)
    room.bid("A", 400_00)
    room.leads("A", 303_00)  # an increment over B's 298


def test_without_minimum_check_a_repeat_that_does_not_raise_the_own_maximum_is_no_bid() -> None:
    room = Room(terms=replace(EBAY_TERMS, enforce_minimum=False))
    room.bid("A", 500_00)
    room.bid("B", 300_00)
    assert room.refuses_bid("B", 300_00) is Rejection.NOT_ABOVE_OWN_MAXIMUM
    assert room.refuses_bid("B", 200_00) is Rejection.NOT_ABOVE_OWN_MAXIMUM


# Reserve


def reserved() -> Room:
    return Room(a_lot(reserve_minor=1_000_00))


def test_below_the_reserve_the_price_goes_at_once_to_the_maximum() -> None:
    room = reserved()
    assert room.lot().reserve is ReserveStatus.NOT_MET
    room.bid("A", 800_00)
    room.leads("A", 800_00)
    assert room.lot().reserve is ReserveStatus.NOT_MET


def test_a_maximum_above_the_reserve_goes_at_once_to_it() -> None:
    room = reserved()
    room.bid("A", 1_500_00)
    room.leads("A", 1_000_00)
    assert room.lot().reserve is ReserveStatus.MET
    assert next_minimum(room) == 1_025_00


def test_a_rival_meets_the_reserve_and_the_next_drives_the_price_as_ever() -> None:
    room = reserved()
    room.bid("A", 800_00)
    room.bid("B", 1_500_00)
    room.leads("B", 1_000_00)
    assert room.lot().reserve is ReserveStatus.MET
    room.bid("C", 1_200_00)
    room.leads("B", 1_225_00)


def test_a_leader_meets_the_reserve_by_raising() -> None:
    room = reserved()
    room.bid("A", 800_00)
    met = the(BidPlaced, room.bid("A", 1_000_00))
    assert (met.price_minor, met.reserve) == (1_000_00, ReserveStatus.MET)
    assert isinstance(room.bid("A", 1_300_00)[0], MaximumRaised)
    room.leads("A", 1_000_00)


def test_a_cent_below_the_reserve_it_is_not_met() -> None:
    room = reserved()
    room.bid("A", 999_99)
    assert room.lot().reserve is ReserveStatus.NOT_MET
    room.leads("A", 999_99)


# Bid ids


def test_a_repeated_bid_gets_the_first_answer_and_makes_no_event() -> None:
    room = Room()
    mine = bid("A", 500_00)
    room.does(mine)
    first = room.repeats(mine)
    room.bid("B", 900_00)
    assert room.repeats(mine) == first
    assert (first.code, first.sequence) == ("LEADING", room.recorded[-2].sequence)
    assert first.receipt == room.recorded[-2].hash


def test_a_repeated_private_raise_gets_its_commitment_again() -> None:
    room = Room()
    room.bid("A", 500_00)
    raised = bid("A", 600_00)
    room.does(raised)
    first = room.repeats(raised)
    assert (first.code, first.sequence) == ("LEADING", None)
    assert first.receipt == room.recorded[-1].commitment


def test_a_bid_that_was_outbid_at_once_repeats_as_outbid() -> None:
    room = Room()
    room.bid("A", 500_00)
    mine = bid("B", 300_00)
    room.does(mine)
    assert room.repeats(mine).code == "OUTBID"


def test_a_repeat_is_answered_first_whatever_happened_since() -> None:
    room = Room()
    mine = bid("A", 500_00)
    room.does(mine)
    room.close("16:00")
    assert room.repeats(mine, "17:00").code == "LEADING"


def test_a_repeat_in_the_window_extends_nothing() -> None:
    room = Room(terms=replace(EBAY_TERMS, soft_close=FIVE_AND_FIVE))
    mine = bid("A", 500_00)
    room.does(mine, "15:58")
    room.repeats(mine, "16:02")
    room.ends("16:03")


@pytest.mark.parametrize(
    "other",
    [
        {"amount_minor": 500_01},
        {"amount_minor": 600_00},
        {"lot_id": LotId("2")},
        {"lot_id": LotId("no such lot")},
        {"currency": "EUR"},
    ],
)
def test_an_accepted_id_with_other_content_is_refused(other: dict[str, object]) -> None:
    room = Room(a_lot("1"), a_lot("2"))
    mine = bid("A", 500_00)
    room.does(mine)
    assert room.refuses(replace(mine, **other)).rejection is Rejection.BID_ID_REUSED


def test_a_new_freight_quote_does_not_make_it_another_bid() -> None:
    room = Room()
    mine = bid("A", 500_00)
    room.does(mine)
    room.repeats(replace(mine, freight_minor=80_00))
    assert room.lot().standings[BidderId("A")].freight_minor == 0


def test_a_refused_id_leaves_no_trace_and_is_judged_anew() -> None:
    room = Room()
    room.bid("A", 500_00)
    mine = bid("B", 102_00)
    assert room.refuses(mine).rejection is Rejection.AMOUNT_BELOW_MINIMUM
    room.does(replace(mine, amount_minor=300_00))  # other content under the refused id
    room.leads("A", 305_00)


def test_an_id_is_the_bidders_own() -> None:
    room = Room()
    mine = bid("A", 500_00)
    room.does(mine)
    room.does(replace(mine, bidder_id=BidderId("B")))
    assert {bidder for bidder, _ in room.sale.accepted} == {"A", "B"}


def test_every_accepted_id_is_kept() -> None:
    room = Room()
    ids: list[BidId] = []
    for bidder, amount in [("A", 500_00), ("B", 300_00), ("A", 600_00)]:
        mine = bid(bidder, amount)
        room.does(mine)
        ids.append(mine.bid_id)
    assert [bid_id for _, bid_id in room.sale.accepted] == ids
