"""Registration, deposits, limits and exposure."""

from typing import Any

import pytest
from msgspec.structs import replace

from auction.commands import AnswerCounter, CounterIfBid, RecordFunding, SetLimit
from auction.events import AwardFunded, BidderRegistered, LimitChanged, LotSold
from auction.ids import BidderId, LotId
from auction.rejections import Rejection
from auction.terms import Premium, PremiumTier, PriceRule
from tests.builders import (
    EBAY_TERMS,
    HOUR_US,
    SALE,
    STAFF_MEMBER,
    Room,
    a_lot,
    bid,
    register,
    the,
    void,
)

AT_MAXIMUM = replace(EBAY_TERMS, price_rule=PriceRule.AT_MAXIMUM)


def funded(bidder: str, lot: str) -> RecordFunding:
    return RecordFunding(
        sale_id=SALE, lot_id=LotId(lot), bidder_id=BidderId(bidder), actor_id=STAFF_MEMBER
    )


def set_limit(bidder: str, limit_minor: int | None) -> SetLimit:
    return SetLimit(
        sale_id=SALE, bidder_id=BidderId(bidder), limit_minor=limit_minor, actor_id=STAFF_MEMBER
    )


def a_room_of_two(terms: Any = EBAY_TERMS) -> Room:
    """A has deposited 600 for lots 1 and 2; lot 2 ends an hour after lot 1."""
    room = Room(a_lot("1"), a_lot("2", closes="17:00"), terms=terms, bidders="B")
    room.does(register("A", deposit_minor=600_00))
    return room


# Registration


def test_a_registration_is_an_event_with_a_new_paddle() -> None:
    room = Room(bidders="A")
    command = register(
        "B", restrictions=("export only",), deposit_minor=600_00, tax_bps=825, certificate=True
    )
    assert room.does(command) == [
        BidderRegistered(
            bidder_id=BidderId("B"),
            paddle=room.registration("B").paddle,
            terms_version=1,
            restrictions=("export only",),
            deposit_minor=600_00,
            limit_minor=6_000_00,
            tax_bps=825,
            certificate=True,
        )
    ]


def test_paddles_are_given_once_each_and_stay() -> None:
    room = Room(bidders="ABC")
    paddles = [room.registration(bidder).paddle for bidder in "ABC"]
    assert paddles == [101, 102, 103]
    renewed = the(BidderRegistered, room.does(register("A", restrictions=("delabel",))))
    assert renewed.paddle == 101
    assert room.registration("A").restrictions == {"delabel"}
    assert the(BidderRegistered, room.does(register("D"))).paddle == 104


def test_a_paddle_of_one_sale_says_nothing_of_another() -> None:
    here, there = Room(bidders="ABC"), Room(bidders="CAB")
    paddles = [[room.registration(bidder).paddle for bidder in "ABC"] for room in (here, there)]
    assert paddles == [[101, 102, 103], [102, 103, 101]]


def test_a_renewal_with_the_same_deposit_keeps_the_limit_that_staff_set() -> None:
    room = Room(bidders="")
    room.does(register("A", deposit_minor=600_00))
    assert room.registration("A").limit_minor == 6_000_00
    room.does(
        SetLimit(sale_id=SALE, bidder_id=BidderId("A"), limit_minor=1_00, actor_id=STAFF_MEMBER)
    )
    room.does(register("A", deposit_minor=600_00, tax_bps=825))
    assert room.registration("A").limit_minor == 1_00
    room.does(register("A", deposit_minor=700_00))
    assert room.registration("A").limit_minor == 7_000_00


def test_a_registration_that_changes_nothing_is_accepted_and_makes_no_event() -> None:
    room = Room(bidders="")
    first = register("A", restrictions=("x", "y"), limit_minor=100_00, tax_bps=825)
    room.does(first)
    assert room.does(first) == []
    assert room.does(replace(first, restrictions=("y", "x"))) == []
    for change in (
        {"restrictions": ("x",)},
        {"limit_minor": 200_00},
        {"deposit_minor": 10_00},
        {"certificate": True},
        {"tax_bps": 0},
    ):
        assert len(room.does(replace(first, **change))) == 1
        assert len(room.does(first)) == 1


def test_the_terms_are_accepted_in_their_version() -> None:
    room = Room(terms=replace(EBAY_TERMS, version=3), bidders="")
    for version in (2, 4):
        refusal = room.refuses(register("A", terms_version=version))
        assert refusal.rejection is Rejection.TERMS_NOT_ACCEPTED
    room.does(register("A", terms_version=3))


def test_sellers_are_not_registered() -> None:
    room = Room(sellers=("X",))
    assert room.refuses(register("X")).rejection is Rejection.SELLER_MAY_NOT_BID


def test_a_certificate_is_asked_for_where_the_terms_require_it() -> None:
    room = Room(terms=replace(EBAY_TERMS, certificate_required=True), bidders="")
    assert room.refuses(register("A")).rejection is Rejection.CERTIFICATE_REQUIRED
    room.does(register("A", certificate=True))


def test_the_deposit_is_asked_for_in_full() -> None:
    room = Room(terms=replace(EBAY_TERMS, deposit_minor=600_00), bidders="")
    refusal = room.refuses(register("A", deposit_minor=599_99))
    assert refusal.rejection is Rejection.DEPOSIT_REQUIRED
    assert refusal.minimum_minor == 600_00
    room.does(register("A", deposit_minor=600_00))


def test_nobody_registers_for_a_sale_that_is_over() -> None:
    room = Room()
    room.close("16:00")
    assert room.refuses(register("Z")).rejection is Rejection.SALE_CLOSED


# Limits


def test_the_limit_is_the_deposit_times_the_factor() -> None:
    room = a_room_of_two()
    assert room.registration("A").limit_minor == 6_000_00
    room = Room(terms=replace(EBAY_TERMS, deposit_factor=3), bidders="")
    room.does(register("A", deposit_minor=600_00))
    assert room.registration("A").limit_minor == 1_800_00


def test_staff_set_a_limit_instead_and_without_either_there_is_none() -> None:
    room = Room(bidders="")
    room.does(register("A", deposit_minor=600_00, limit_minor=100_00))
    assert room.registration("A").limit_minor == 100_00
    room.does(register("B"))
    assert room.registration("B").limit_minor is None
    room.does(register("C", limit_minor=0))
    assert room.registration("C").limit_minor == 0


def test_a_changed_limit_is_an_event_and_counts_from_then_on() -> None:
    room = Room(bidders="A")
    changed = LimitChanged(bidder_id=BidderId("A"), limit_minor=200_00, actor_id=STAFF_MEMBER)
    assert room.does(set_limit("A", 200_00)) == [changed]
    assert room.refuses_bid("A", 200_01) is Rejection.LIMIT_EXCEEDED
    room.does(set_limit("A", None))
    room.bid("A", 200_01)


def test_the_same_limit_again_is_accepted_and_makes_no_event() -> None:
    room = Room(bidders="A")
    assert room.does(set_limit("A", None)) == []
    room.does(set_limit("A", 0))
    assert room.does(set_limit("A", 0)) == []


def test_only_registered_bidders_have_a_limit_to_set() -> None:
    room = Room(bidders="")
    assert room.refuses(set_limit("A", 1)).rejection is Rejection.NOT_REGISTERED


def test_what_is_led_already_stands_above_a_lowered_limit() -> None:
    room = a_room_of_two()
    room.bid("A", 4_000_00)
    room.does(set_limit("A", 1_000_00))
    room.leads("A", 100_00)
    assert room.refuses_bid("A", 4_500_00) is Rejection.LIMIT_EXCEEDED


# Exposure: deposit 600 x 10 = limit 6,000


def test_the_sequence_of_the_rules() -> None:
    room = a_room_of_two(AT_MAXIMUM)
    room.bid("A", 4_000_00, lot="1")
    again = bid("A", 2_500_00, lot="2")
    assert room.refuses(again).rejection is Rejection.LIMIT_EXCEEDED
    room.bid("B", 4_050_00, lot="1")  # outbid on the 4,000
    room.does(again)
    assert room.registration("A").exposure_minor == 2_500_00


def test_an_award_that_is_won_and_unpaid_counts_until_it_is_funded() -> None:
    room = a_room_of_two(AT_MAXIMUM)
    room.bid("A", 4_000_00, lot="1")
    room.close("16:00")
    assert room.refuses_bid("A", 2_500_00, lot="2") is Rejection.LIMIT_EXCEEDED
    assert room.does(funded("A", "1")) == [
        AwardFunded(lot_id=LotId("1"), bidder_id=BidderId("A"), actor_id=STAFF_MEMBER)
    ]
    room.bid("A", 2_500_00, lot="2")
    assert room.registration("A").exposure_minor == 2_500_00


def test_an_award_weighs_what_it_costs_not_the_maximum() -> None:
    room = a_room_of_two()
    room.bid("A", 4_000_00, lot="1")
    assert room.registration("A").exposure_minor == 4_000_00
    room.close("16:00")
    assert room.registration("A").exposure_minor == 100_00


def test_the_limit_may_be_reached_exactly() -> None:
    room = a_room_of_two()
    room.bid("A", 4_000_00, lot="1")
    assert room.refuses_bid("A", 2_000_01, lot="2") is Rejection.LIMIT_EXCEEDED
    room.bid("A", 2_000_00, lot="2")


def test_a_refused_limit_says_what_it_would_come_to() -> None:
    room = a_room_of_two()
    room.bid("A", 4_000_00, lot="1")
    message = room.refuses(bid("A", 2_500_00, lot="2")).message
    assert "6500.00" in message
    assert "6000.00" in message


def test_a_raise_counts_once() -> None:
    room = a_room_of_two()
    room.bid("A", 4_000_00)
    room.bid("A", 6_000_00)
    assert room.registration("A").exposure_minor == 6_000_00
    assert room.refuses_bid("A", 6_000_01) is Rejection.LIMIT_EXCEEDED


def test_a_bid_that_does_not_lead_weighs_nothing_but_is_judged_as_if_it_did() -> None:
    room = a_room_of_two()
    room.bid("B", 9_000_00)
    assert room.refuses_bid("A", 6_000_01) is Rejection.LIMIT_EXCEEDED
    room.bid("A", 6_000_00)
    assert room.registration("A").exposure_minor == 0


def test_limits_count_all_in() -> None:
    """1,237.50 with 15 % premium and 8.25 % tax: 1,540.54; with 100 of taxed freight 1,648.79."""
    terms = replace(EBAY_TERMS, premium=Premium(tiers=(PremiumTier(0, 1_500),)))
    room = Room(terms=terms, bidders="")
    room.does(register("A", tax_bps=825, limit_minor=1_648_78))
    mine = bid("A", 1_237_50, freight_minor=100_00)
    assert room.refuses(mine).rejection is Rejection.LIMIT_EXCEEDED
    room.does(replace(mine, freight_minor=0))
    assert room.registration("A").exposure_minor == 1_540_54


def test_freight_is_taxed_or_not_by_the_terms() -> None:
    for taxable, exposure in [(True, 1_210_00), (False, 1_200_00)]:
        room = Room(terms=replace(EBAY_TERMS, freight_taxable=taxable), bidders="")
        room.does(register("A", tax_bps=1_000))
        room.does(bid("A", 1_000_00, freight_minor=100_00))
        assert room.registration("A").exposure_minor == exposure


def test_the_award_keeps_the_freight_of_its_bid() -> None:
    room = Room()
    room.does(bid("A", 1_000_00, freight_minor=70_00))
    room.close("16:00")
    assert room.registration("A").exposure_minor == 170_00


def test_a_renewed_registration_taxes_what_is_led() -> None:
    room = Room(bidders="")
    room.does(register("A", tax_bps=1_000))
    room.bid("A", 1_000_00)
    assert room.registration("A").exposure_minor == 1_100_00
    room.does(register("A", tax_bps=0))  # the certificate arrived
    assert room.registration("A").exposure_minor == 1_000_00


def test_lots_that_pass_or_are_withdrawn_weigh_nothing() -> None:
    room = Room(a_lot("1", reserve_minor=9_000_00))
    room.bid("A", 4_000_00)
    room.close("16:00")
    assert room.registration("A").exposure_minor == 0


def test_a_voided_leader_is_free_and_the_restored_one_is_charged() -> None:
    room = Room()
    room.bid("A", 500_00)
    room.bid("C", 900_00)
    assert room.registration("A").exposure_minor == 0
    room.does(void("C"))
    assert room.registration("C").exposure_minor == 0
    assert room.registration("A").exposure_minor == 500_00


def test_a_bound_bidder_stays_charged_with_its_maximum() -> None:
    room = Room(a_lot(reserve_minor=9_000_00), terms=replace(EBAY_TERMS, if_bid_us=24 * HOUR_US))
    room.bid("A", 4_000_00)
    room.close("16:00")
    assert room.registration("A").exposure_minor == 4_000_00


def test_a_counter_offer_is_not_taken_beyond_the_limit() -> None:
    terms = replace(EBAY_TERMS, if_bid_us=24 * HOUR_US)
    room = Room(a_lot(reserve_minor=9_000_00), terms=terms, bidders="")
    room.does(register("A", limit_minor=6_000_00))
    room.bid("A", 4_000_00)
    room.close("16:00")
    answer = AnswerCounter(sale_id=SALE, lot_id=LotId("1"), bidder_id=BidderId("A"), accepted=True)
    room.does(counter(6_000_01))
    assert room.refuses(answer).rejection is Rejection.LIMIT_EXCEEDED
    room.does(counter(6_000_00))
    assert the(LotSold, room.does(answer)).hammer_price_minor == 6_000_00


def counter(amount_minor: int) -> CounterIfBid:
    return CounterIfBid(
        sale_id=SALE, lot_id=LotId("1"), amount_minor=amount_minor, actor_id=STAFF_MEMBER
    )


# Funding


@pytest.mark.parametrize(("bidder", "lot"), [("B", "1"), ("A", "2"), ("Z", "1")])
def test_only_the_buyer_of_a_sold_lot_has_an_award_to_fund(bidder: str, lot: str) -> None:
    room = a_room_of_two()
    room.bid("A", 500_00, lot="1")
    room.bid("A", 500_00, lot="2")
    room.close("16:00")
    assert room.refuses(funded(bidder, lot)).rejection is Rejection.NO_UNPAID_AWARD


def test_an_award_is_funded_once() -> None:
    room = a_room_of_two()
    room.bid("A", 500_00)
    room.close("16:00")
    room.does(funded("A", "1"))
    assert room.refuses(funded("A", "1")).rejection is Rejection.NO_UNPAID_AWARD


def test_an_unknown_lot_is_not_funded() -> None:
    assert Room().refuses(funded("A", "99")).rejection is Rejection.NOT_FOUND
