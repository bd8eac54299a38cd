"""The ladder of refusals, walked as one table in its published order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest
from msgspec.structs import replace

from auction.budgets import tally_of
from auction.commands import PauseSale, PlaceBid
from auction.decide import decide
from auction.ids import BidderId, LotId
from auction.rejections import Rejected, Rejection
from auction.sale import AcceptedBid, Lot, LotStatus, Registration, Sale, Standing
from auction.terms import SaleAudience, Terms
from tests.builders import (
    SALE,
    STAFF_MEMBER,
    Room,
    a_lot,
    at,
    at_most_all_in,
    bid,
    register,
    withdraw,
)

PAUSE = PauseSale(sale_id=SALE, reason="a fire alarm", actor_id=STAFF_MEMBER)


@dataclass
class Case:
    """A bid of 200.00 by X that nothing speaks against, until a rung of the ladder is broken."""

    sale: Sale
    lot: Lot
    registration: Registration
    bid: PlaceBid
    now_us: int

    def judged(self) -> Rejection | None:
        decision = decide(self.sale, self.bid, self.now_us)
        return decision.rejection if isinstance(decision, Rejected) else None


def a_good_case() -> Case:
    room = Room(a_lot("1"), a_lot("2"), terms=Terms(), bidders="BX")
    room.bid("B", 150_00)
    return Case(room.sale, room.lot(), room.registration("X"), bid("X", 200_00), room.now_us)


def reuse_the_id(case: Case) -> None:
    first = AcceptedBid(
        case.sale.sale_id,
        case.bid.bidder_id,
        case.bid.bid_id,
        LotId("2"),
        200_00,
        "LEADING",
        7,
        bytes(32),
    )
    case.sale.accepted[case.bid.bidder_id, case.bid.bid_id] = first


def name_no_lot(case: Case) -> None:
    case.bid = replace(case.bid, lot_id=LotId("nowhere"))


def be_shut_out(case: Case) -> None:
    case.sale.audience = SaleAudience.INVITE


def bid_in_euros(case: Case) -> None:
    case.bid = replace(case.bid, currency="EUR")


def bid_in_cents(case: Case) -> None:
    case.bid = replace(case.bid, amount_minor=case.bid.amount_minor + 50)


def bid_as_a_seller(case: Case) -> None:
    case.sale.seller_ids |= {case.bid.bidder_id}


def be_a_stranger(case: Case) -> None:
    del case.sale.registrations[case.bid.bidder_id]


def not_accept_the_terms(case: Case) -> None:
    case.registration.terms_version = 0


def not_accept_the_lots_restriction(case: Case) -> None:
    case.lot.restrictions = frozenset({"export only"})


def come_before_the_opening(case: Case) -> None:
    case.lot.opens_at_us = case.now_us + 1


def come_at_the_end(case: Case) -> None:
    case.lot.closes_at_us = case.now_us


def find_it_withdrawn(case: Case) -> None:
    case.lot.status = LotStatus.WITHDRAWN


def find_it_paused(case: Case) -> None:
    case.sale.paused_from_us = case.now_us


def have_bid_as_much(case: Case) -> None:
    case.lot.standings[case.bid.bidder_id] = Standing(case.bid.amount_minor + 50, 0, 1)


def stay_below_the_minimum(case: Case) -> None:
    case.lot.next_minimum_minor = case.bid.amount_minor + 51


def exceed_the_limit(case: Case) -> None:
    case.registration.limit_minor = case.bid.amount_minor - 1


def pass_a_budget(case: Case) -> None:
    case.registration.tally = tally_of((at_most_all_in(case.bid.amount_minor - 1),), {})


LADDER: Final[list[tuple[Rejection, Callable[[Case], None]]]] = [
    (Rejection.BID_ID_REUSED, reuse_the_id),
    (Rejection.NOT_FOUND, name_no_lot),
    (Rejection.NOT_FOUND, be_shut_out),
    # The two that only the sale can tell; every other wrong shape is refused by the session.
    (Rejection.INVALID, bid_in_euros),
    (Rejection.INVALID, bid_in_cents),
    (Rejection.SELLER_MAY_NOT_BID, bid_as_a_seller),
    (Rejection.NOT_REGISTERED, be_a_stranger),
    (Rejection.TERMS_NOT_ACCEPTED, not_accept_the_terms),
    (Rejection.TERMS_NOT_ACCEPTED, not_accept_the_lots_restriction),
    (Rejection.LOT_NOT_OPEN, come_before_the_opening),
    (Rejection.LOT_CLOSED, come_at_the_end),
    (Rejection.LOT_WITHDRAWN, find_it_withdrawn),
    (Rejection.SALE_PAUSED, find_it_paused),
    (Rejection.NOT_ABOVE_OWN_MAXIMUM, have_bid_as_much),
    (Rejection.AMOUNT_BELOW_MINIMUM, stay_below_the_minimum),
    (Rejection.LIMIT_EXCEEDED, exceed_the_limit),
    (Rejection.BUDGET_EXCEEDED, pass_a_budget),
]
RUNGS = range(len(LADDER))


def test_nothing_speaks_against_the_bid_of_the_ladder() -> None:
    assert a_good_case().judged() is None


@pytest.mark.parametrize("rung", RUNGS)
def test_each_rung_refuses_by_itself(rung: int) -> None:
    rejection, break_rung = LADDER[rung]
    case = a_good_case()
    break_rung(case)
    assert case.judged() is rejection


@pytest.mark.parametrize("rung", RUNGS)
def test_of_a_rung_and_all_below_it_the_rung_is_named(rung: int) -> None:
    case = a_good_case()
    for _, break_rung in reversed(LADDER[rung:]):
        break_rung(case)
    assert case.judged() is LADDER[rung][0]


def test_the_enum_lists_the_ladder_in_its_order() -> None:
    listed = [rejection for rejection in Rejection if rejection in {rung for rung, _ in LADDER}]
    assert listed == list(dict.fromkeys(
        [Rejection.INVALID] + [rejection for rejection, _ in LADDER]
    ))  # fmt: skip


def test_the_value_of_a_rejection_is_its_name() -> None:
    assert all(rejection.name == rejection.value for rejection in Rejection)


# The same rungs, reached by commands alone.


def test_an_unknown_sale_and_an_unknown_lot_are_refused_in_the_same_words() -> None:
    room = Room()
    unknown_sale = decide(None, bid("A", 500_00), at("12:00"))
    unknown_lot = decide(room.sale, bid("A", 500_00, lot="99"), at("12:00"))
    assert unknown_sale == unknown_lot
    assert isinstance(unknown_sale, Rejected)
    assert unknown_sale.rejection is Rejection.NOT_FOUND


def test_any_other_command_to_an_unknown_sale_is_not_found() -> None:
    decision = decide(None, PAUSE, at("12:00"))
    assert isinstance(decision, Rejected)
    assert decision.rejection is Rejection.NOT_FOUND


def test_a_liquidators_people_may_not_bid_on_any_lot() -> None:
    room = Room(sellers=("X",))
    assert room.refuses_bid("X", 500_00) is Rejection.SELLER_MAY_NOT_BID


def test_the_liquidator_itself_may_not_bid() -> None:
    room = Room()
    assert room.refuses_bid("house", 500_00) is Rejection.SELLER_MAY_NOT_BID
    assert room.refuses(register("house")).rejection is Rejection.SELLER_MAY_NOT_BID


def test_a_consignor_may_not_bid_on_its_own_lot_but_on_the_others() -> None:
    room = Room(a_lot("1", consignor_id=BidderId("A")), a_lot("2"))
    assert room.refuses_bid("A", 500_00, lot="1") is Rejection.SELLER_MAY_NOT_BID
    room.bid("A", 500_00, lot="2")


def test_a_bidder_registers_before_bidding() -> None:
    room = Room(bidders="")
    assert room.refuses_bid("A", 500_00) is Rejection.NOT_REGISTERED
    room.does(register("A"))
    room.bid("A", 500_00)


def test_every_restriction_of_the_lot_must_be_accepted() -> None:
    restricted = a_lot(restrictions=("no marketplaces", "export only"))
    room = Room(restricted, bidders="")
    room.does(register("A", restrictions=("export only", "delabel")))
    assert room.refuses_bid("A", 500_00) is Rejection.TERMS_NOT_ACCEPTED
    room.does(register("A", restrictions=("export only", "no marketplaces")))
    room.bid("A", 500_00)


def test_a_lot_is_open_from_its_opening_on_and_not_at_its_end() -> None:
    room = Room(a_lot(opens_at_us=at("12:00")))
    assert room.refuses_bid("A", 500_00, "11:59:59.999999") is Rejection.LOT_NOT_OPEN
    room.bid("A", 500_00, "12:00")
    room.bid("B", 300_00, "15:59:59.999999")
    assert room.refuses_bid("C", 900_00, "16:00") is Rejection.LOT_CLOSED


def test_a_lot_that_is_past_its_end_and_not_closed_yet_takes_no_bid() -> None:
    room = Room()
    assert room.refuses_bid("A", 500_00, "16:05") is Rejection.LOT_CLOSED
    room.close("16:05")
    assert room.refuses_bid("A", 500_00, "16:06") is Rejection.LOT_CLOSED


def test_a_withdrawn_lot_says_so_until_its_end() -> None:
    room = Room(a_lot("1"), a_lot("2"))
    room.does(withdraw("1"))
    assert room.refuses_bid("A", 500_00, "15:00") is Rejection.LOT_WITHDRAWN
    assert room.refuses_bid("A", 500_00, "16:00") is Rejection.LOT_CLOSED


def test_a_paused_sale_takes_no_bids() -> None:
    room = Room()
    room.does(PAUSE)
    assert room.refuses_bid("A", 500_00) is Rejection.SALE_PAUSED
