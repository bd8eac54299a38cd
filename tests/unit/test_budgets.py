"""Budgets: what a reseller allows itself, and what of it a bid may not pass."""

from typing import Any

import pytest
from msgspec.structs import replace

from auction.budgets import MAX_BUDGET_LOTS, Budget
from auction.commands import AnswerCounter, CounterIfBid, RecordFunding
from auction.events import BudgetsSet, LotSold, MaximumRaised
from auction.ids import BidderId, LotId, PersonId
from auction.rejections import Rejection
from auction.terms import Premium, PremiumTier, PriceRule, VoidRule
from tests.builders import (
    EBAY_TERMS,
    HOUR_US,
    SALE,
    STAFF_MEMBER,
    Room,
    a_lot,
    at_most_all_in,
    at_most_lots,
    bid,
    ceiling,
    change_reserve,
    register,
    set_budgets,
    the,
    void,
    withdraw,
)

AT_MAXIMUM = replace(EBAY_TERMS, price_rule=PriceRule.AT_MAXIMUM)


def a_room(*budgets: Budget, **changes: Any) -> Room:
    """Six lots, and A with these budgets."""
    lots = (a_lot("1"), *(a_lot(str(number), "17:00") for number in range(2, 7)))
    room = Room(*lots, **({"terms": AT_MAXIMUM} | changes))
    room.does(set_budgets("A", *budgets))
    return room


def used(room: Room, bidder: str = "A") -> list[int]:
    """What each budget has come to."""
    tally = room.registration(bidder).tally
    return [] if tally is None else [line.used for line in tally.lines]


def by(person: str, amount_minor: int, lot: str = "1", **changes: Any) -> Any:
    """A bid of A's by one of its team."""
    return bid("A", amount_minor, lot, person_id=PersonId(person), **changes)


def funded(bidder: str, lot: str) -> RecordFunding:
    return RecordFunding(
        sale_id=SALE, lot_id=LotId(lot), bidder_id=BidderId(bidder), actor_id=STAFF_MEMBER
    )


# So many lots


def test_two_of_these_six_and_no_third() -> None:
    room = a_room(at_most_lots(2))
    room.bid("A", 500_00, lot="1")
    room.bid("A", 500_00, lot="2")
    assert room.refuses_bid("A", 500_00, lot="3") is Rejection.BUDGET_EXCEEDED
    assert used(room) == [2]


def test_a_lot_that_is_outbid_makes_room_for_another() -> None:
    room = a_room(at_most_lots(1))
    room.bid("A", 500_00, lot="1")
    assert room.refuses_bid("A", 500_00, lot="2") is Rejection.BUDGET_EXCEEDED
    room.bid("B", 600_00, lot="1")
    assert used(room) == [0]
    room.bid("A", 500_00, lot="2")
    assert room.refuses_bid("A", 700_00, lot="1") is Rejection.BUDGET_EXCEEDED


def test_a_lot_that_was_won_counts_paid_or_not() -> None:
    room = a_room(at_most_lots(1))
    room.bid("A", 500_00, lot="1")
    room.close("16:00")
    assert room.refuses_bid("A", 500_00, lot="2") is Rejection.BUDGET_EXCEEDED
    room.does(funded("A", "1"))
    assert room.refuses_bid("A", 500_00, lot="2") is Rejection.BUDGET_EXCEEDED
    assert room.registration("A").exposure_minor == 0
    assert used(room) == [1]


def test_a_leader_raises_what_it_leads_without_counting_twice() -> None:
    room = a_room(at_most_lots(1), terms=EBAY_TERMS)
    room.bid("A", 500_00)
    the(MaximumRaised, room.bid("A", 900_00))
    assert used(room) == [1]


def test_other_lots_than_those_that_are_named_do_not_count() -> None:
    room = a_room(at_most_lots(1, "1", "2"))
    for lot in "13456":
        room.bid("A", 500_00, lot=lot)
    assert room.refuses_bid("A", 500_00, lot="2") is Rejection.BUDGET_EXCEEDED


def test_none_of_these_is_a_budget_too() -> None:
    room = a_room(at_most_lots(0, "1"))
    assert room.refuses_bid("A", 500_00) is Rejection.BUDGET_EXCEEDED
    room.bid("A", 500_00, lot="2")


def test_a_bid_that_will_not_lead_is_judged_as_if_it_did() -> None:
    room = a_room(at_most_lots(1), terms=EBAY_TERMS)
    room.bid("B", 900_00, lot="2")
    room.bid("A", 500_00, lot="1")
    assert room.refuses_bid("A", 400_00, lot="2") is Rejection.BUDGET_EXCEEDED
    room.bid("B", 900_00, lot="1")
    room.bid("A", 400_00, lot="2")
    room.leads("B", 405_00, lot="2")
    assert used(room) == [0]


@pytest.mark.parametrize("end", ["passed", "withdrawn", "voided"])
def test_a_lot_that_is_not_sold_counts_no_more(end: str) -> None:
    room = a_room(at_most_lots(1), at_most_all_in(600_00))
    room.does(change_reserve(9_000_00))
    room.bid("A", 500_00)
    assert used(room) == [1, 500_00]
    if end == "passed":
        room.close("16:00")
    else:
        room.does(withdraw() if end == "withdrawn" else void("A"))
    assert used(room) == [0, 0]
    room.bid("A", 600_00, lot="2")


# So much


def test_four_thousand_all_in_tonight() -> None:
    """1,237.50 with 15 % premium and 8.25 % tax is 1,540.54; with 100 of taxed freight 1,648.79."""
    terms = replace(AT_MAXIMUM, premium=Premium(tiers=(PremiumTier(0, 1_500),)))
    room = a_room(at_most_all_in(1_540_54 + 1_648_79), terms=terms)
    room.does(register("A", tax_bps=825))
    room.bid("A", 1_237_50, lot="1")
    over = bid("A", 1_237_50, "2", freight_minor=100_01)
    assert room.refuses(over).rejection is Rejection.BUDGET_EXCEEDED
    room.does(replace(over, freight_minor=100_00))
    assert used(room) == [1_540_54 + 1_648_79]


def test_a_raise_in_private_counts_whole_and_once() -> None:
    room = a_room(at_most_all_in(1_000_00), terms=EBAY_TERMS)
    room.bid("A", 400_00)
    the(MaximumRaised, room.bid("A", 1_000_00))
    assert used(room) == [1_000_00]
    assert room.refuses_bid("A", 1_000_01) is Rejection.BUDGET_EXCEEDED


def test_what_was_won_counts_at_its_hammer_price_and_stays() -> None:
    room = a_room(at_most_all_in(1_000_00), terms=EBAY_TERMS)
    room.bid("A", 900_00)
    room.close("16:00")
    assert used(room) == [100_00]
    room.does(funded("A", "1"))
    assert room.refuses_bid("A", 900_01, lot="2") is Rejection.BUDGET_EXCEEDED
    room.bid("A", 900_00, lot="2")


def test_what_a_restored_leader_holds_counts_again_even_above_its_budget() -> None:
    room = a_room(at_most_all_in(1_000_00))
    room.does(by("dana", 800_00, "1"))
    room.bid("B", 900_00, lot="1")
    room.bid("A", 700_00, lot="2")
    room.does(void("B", "1"))
    room.leads("A", 800_00)
    assert used(room) == [1_500_00]
    assert room.refuses_bid("A", 100_00, lot="3") is Rejection.BUDGET_EXCEEDED


def test_nothing_is_revived_for_a_budget_either() -> None:
    terms = replace(AT_MAXIMUM, void_rule=VoidRule.NO_REVIVE)
    room = a_room(at_most_all_in(1_000_00), terms=terms)
    room.bid("A", 800_00)
    room.bid("B", 900_00)
    room.does(void("B"))
    assert used(room) == [0]


def test_the_tax_of_a_renewed_registration_counts_for_what_is_led() -> None:
    room = a_room(at_most_all_in(2_000_00))
    room.bid("A", 1_000_00, lot="1")
    room.bid("A", 100_00, lot="2")
    room.close("16:00")
    room.does(register("A", tax_bps=1_000))
    assert used(room) == [1_000_00 + 110_00]


def test_a_counter_offer_is_not_taken_beyond_a_budget() -> None:
    terms = replace(AT_MAXIMUM, if_bid_us=24 * HOUR_US)
    room = Room(a_lot(reserve_minor=9_000_00), terms=terms)
    room.does(set_budgets("A", ceiling("dana", 6_000_00)))
    room.does(by("dana", 4_000_00))
    room.close("16:00")
    answer = AnswerCounter(sale_id=SALE, lot_id=LotId("1"), bidder_id=BidderId("A"), accepted=True)
    countered = CounterIfBid(
        sale_id=SALE, lot_id=LotId("1"), amount_minor=6_000_01, actor_id=STAFF_MEMBER
    )
    room.does(countered)
    assert room.refuses(answer).rejection is Rejection.BUDGET_EXCEEDED
    room.does(replace(countered, amount_minor=6_000_00))
    assert the(LotSold, room.does(answer)).hammer_price_minor == 6_000_00
    assert used(room) == [6_000_00]


# A ceiling for each of the team


def test_a_ceiling_binds_its_person_and_nobody_else() -> None:
    room = a_room(ceiling("dana", 1_000_00), ceiling("eli", 500_00))
    room.does(by("dana", 900_00, "1"))
    assert room.refuses(by("dana", 200_00, "2")).rejection is Rejection.BUDGET_EXCEEDED
    room.does(by("eli", 500_00, "2"))
    room.does(by("fay", 9_000_00, "3"))
    room.bid("A", 9_000_00, lot="4")
    assert used(room) == [900_00, 500_00]


def test_who_raises_a_teams_maximum_takes_the_whole_lot_over() -> None:
    room = a_room(ceiling("dana", 1_000_00), ceiling("eli", 1_000_00), terms=EBAY_TERMS)
    room.does(by("dana", 800_00))
    assert room.refuses(by("eli", 1_000_01)).rejection is Rejection.BUDGET_EXCEEDED
    the(MaximumRaised, room.does(by("eli", 1_000_00)))
    assert used(room) == [0, 1_000_00]
    room.does(by("dana", 1_000_00, "2"))
    room.bid("A", 2_000_00)  # the organisation itself takes it over
    assert used(room) == [1_000_00, 0]


def test_an_award_stays_with_who_made_the_bid_that_won_it() -> None:
    room = a_room(ceiling("dana", 1_000_00))
    room.does(by("dana", 800_00))
    room.close("16:00")
    room.does(funded("A", "1"))
    assert room.refuses(by("dana", 300_00, "2")).rejection is Rejection.BUDGET_EXCEEDED
    assert used(room) == [800_00]


def test_a_person_without_a_ceiling_is_bound_by_the_teams_budgets() -> None:
    room = a_room(ceiling("dana", 9_000_00), at_most_all_in(500_00))
    assert room.refuses(by("dana", 600_00)).rejection is Rejection.BUDGET_EXCEEDED
    assert room.refuses(by("eli", 600_00)).rejection is Rejection.BUDGET_EXCEEDED


# Setting them


def test_budgets_that_come_late_count_what_stands() -> None:
    room = a_room()
    room.does(by("dana", 500_00, "1"))
    room.does(by("eli", 400_00, "2"))
    room.bid("B", 450_00, lot="2")
    room.does(by("eli", 300_00, "3"))
    room.close("16:00")
    room.does(funded("A", "1"))
    budgets = (at_most_lots(1), at_most_all_in(600_00), ceiling("dana", 1), ceiling("eli", 2))
    room.does(set_budgets("A", *budgets))
    assert used(room) == [2, 800_00, 500_00, 300_00]


def test_a_budget_that_is_lowered_changes_nothing_that_stands_and_lets_nothing_be_added() -> None:
    room = a_room(at_most_lots(2))
    room.bid("A", 500_00, lot="1")
    room.bid("A", 500_00, lot="2")
    standing = [(lot.leader, lot.price_minor) for lot in room.sale.lots.values()]
    room.does(set_budgets("A", at_most_lots(1, "1", "2"), at_most_all_in(100_00, "3")))
    assert [(lot.leader, lot.price_minor) for lot in room.sale.lots.values()] == standing
    assert room.refuses_bid("A", 600_00, lot="1") is Rejection.BUDGET_EXCEEDED
    room.bid("A", 500_00, lot="4")  # not what the budgets are about
    room.close("16:00")
    assert room.lot("1").status == "SOLD"


def test_new_budgets_are_in_place_of_the_old_and_none_are_no_budgets() -> None:
    room = a_room(at_most_all_in(100_00))
    room.does(set_budgets("A", at_most_all_in(500_00)))
    room.bid("A", 500_00)
    room.does(set_budgets("A"))
    assert room.registration("A").tally is None
    room.bid("A", 9_000_00, lot="2")


def test_the_same_budgets_again_are_no_event() -> None:
    room = a_room(at_most_lots(2))
    assert room.does(set_budgets("A", at_most_lots(2))) == []
    assert room.does(set_budgets("B")) == []


def test_the_event_says_all_of_it_and_to_its_owner_alone() -> None:
    room = a_room()
    budgets = (at_most_lots(2, "1"), ceiling("dana", 5))
    assert room.does(set_budgets("A", *budgets)) == [
        BudgetsSet(bidder_id=BidderId("A"), budgets=budgets, actor_id=STAFF_MEMBER)
    ]


@pytest.mark.parametrize(
    ("budgets", "rejection", "says"),
    [
        ((at_most_lots(1), at_most_lots(2)), Rejection.INVALID, "a name of its own"),
        (
            (ceiling("dana", 1), replace(ceiling("dana", 2), name="again")),
            Rejection.INVALID,
            "a person has one ceiling",
        ),
        (
            (at_most_lots(1, *"12" * (MAX_BUDGET_LOTS // 2)), at_most_all_in(1, "1")),
            Rejection.INVALID,
            "more than 500 lots",
        ),
        ((at_most_lots(1, "1", "99"),), Rejection.NOT_FOUND, "no such lot"),
    ],
)
def test_budgets_that_make_no_sense_are_refused(
    budgets: tuple[Budget, ...], rejection: Rejection, says: str
) -> None:
    refused = a_room().refuses(set_budgets("A", *budgets))
    assert refused.rejection is rejection
    assert says in refused.message


def test_who_is_not_registered_sets_no_budgets_and_nobody_does_after_the_sale() -> None:
    room = Room()
    assert room.refuses(set_budgets("Z")).rejection is Rejection.NOT_REGISTERED
    room.close("16:00")
    assert room.refuses(set_budgets("A")).rejection is Rejection.SALE_CLOSED


# What the bidder is told


def test_a_refusal_names_the_budget_and_the_amounts() -> None:
    room = a_room(
        at_most_lots(1, "1", "2", name="one of two"),
        at_most_all_in(1_000_00, name="tonight"),
        ceiling("dana", 600_00),
    )
    room.does(by("dana", 500_00))
    said = [
        room.refuses(command).message
        for command in (by("eli", 100_00, "2"), by("eli", 500_01, "3"), by("dana", 200_00, "3"))
    ]
    assert said == [
        'your budget "one of two" is 1 lot, led or won; this would make 2',
        'your budget "tonight" is 1000.00 all-in; this would bring it to 1000.01',
        'your ceiling "dana" is 600.00 all-in; this would bring it to 700.00',
    ]


def test_a_bid_that_was_accepted_before_is_answered_as_then() -> None:
    room = a_room()
    first = by("dana", 500_00)
    room.does(first)
    room.does(set_budgets("A", at_most_lots(0)))
    assert room.repeats(first).code == "LEADING"
