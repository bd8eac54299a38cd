"""Scheduling, pausing, and what an outage moves. (Registration is with the limits.)"""

from typing import Any

import pytest
from msgspec.structs import replace

from auction.commands import AddLots, MoveEndsAfterOutage, PauseSale, ResumeSale, WithdrawalCause
from auction.decide import decide
from auction.events import (
    EndsMoved,
    LotPassed,
    LotScheduled,
    LotSold,
    MovedEnd,
    MoveReason,
    SaleClosed,
    SalePaused,
    SaleResumed,
    SaleScheduled,
)
from auction.ids import BidderId, LotId, shard_of
from auction.pricing import ReserveStatus
from auction.rejections import Rejected, Rejection
from auction.terms import LotKind, LotListing, SaleAudience, Terms
from tests.builders import (
    EBAY_TERMS,
    FIVE_AND_FIVE,
    HOUSE,
    MINUTE_US,
    SALE,
    SECRET,
    STAFF_MEMBER,
    Room,
    a_lot,
    at,
    bid,
    change_reserve,
    schedule,
    the,
    void,
    withdraw,
)

SOFT = replace(EBAY_TERMS, soft_close=FIVE_AND_FIVE)


def add(*lots: LotListing) -> AddLots:
    return AddLots(sale_id=SALE, lots=lots, actor_id=STAFF_MEMBER)


def pause() -> PauseSale:
    return PauseSale(sale_id=SALE, reason="a fire alarm", actor_id=STAFF_MEMBER)


def resume() -> ResumeSale:
    return ResumeSale(sale_id=SALE, actor_id=STAFF_MEMBER)


def back(dark_from: str) -> MoveEndsAfterOutage:
    return MoveEndsAfterOutage(sale_id=SALE, dark_from_us=at(dark_from))


# Scheduling


def test_a_sale_begins_with_its_terms_and_lots() -> None:
    lot = a_lot(
        kind=LotKind.TRUCKLOAD,
        reserve_minor=1_000_00,
        latest_end_us=at("17:00"),
        group="tools",
        restrictions=("export only",),
        consignor_id=BidderId("retailer"),
        manifest_sha256=bytes(32),
    )
    decision = decide(None, schedule(lot, sellers=("X",)), at("09:00"))
    assert decision == [
        SaleScheduled(
            shard=shard_of(SALE),
            liquidator_id=HOUSE,
            audience=SaleAudience.PUBLIC,
            terms=EBAY_TERMS,
            seller_ids=(BidderId("X"),),
            actor_id=STAFF_MEMBER,
            secret=SECRET,
        ),
        LotScheduled(
            lot_id=LotId("1"),
            kind=LotKind.TRUCKLOAD,
            title="Mixed returns",
            opening_minor=100_00,
            reserve=ReserveStatus.NOT_MET,
            opens_at_us=at("10:00"),
            closes_at_us=at("16:00"),
            latest_end_us=at("17:00"),
            group="tools",
            restrictions=("export only",),
            manifest_sha256=bytes(32),
            reserve_minor=1_000_00,
            consignor_id=BidderId("retailer"),
            actor_id=STAFF_MEMBER,
        ),
    ]


def test_a_lot_without_reserve_says_so() -> None:
    assert Room().lot().reserve is ReserveStatus.NONE


def test_a_sale_is_scheduled_once() -> None:
    assert Room().refuses(schedule()).rejection is Rejection.SALE_EXISTS


@pytest.mark.parametrize(
    ("terms", "lots", "place"),
    [
        (Terms(currency="XAU"), (), "terms.currency"),
        (EBAY_TERMS, (a_lot(), a_lot("2", closes_at_us=at("09:00"))), "lot 2"),
        (EBAY_TERMS, (a_lot(opens_at_us=at("16:00")),), "lot 1"),
    ],
)
def test_an_unusable_sale_is_refused_with_the_place(
    terms: Terms, lots: tuple[LotListing, ...], place: str
) -> None:
    decision = decide(None, schedule(*lots, terms=terms), at("09:00"))
    assert isinstance(decision, Rejected)
    assert decision.rejection is Rejection.INVALID
    assert decision.message.startswith(place)


def test_two_lots_of_one_name_are_refused() -> None:
    decision = decide(None, schedule(a_lot(), a_lot()), at("09:00"))
    assert isinstance(decision, Rejected)
    assert decision.rejection is Rejection.LOT_EXISTS


def test_lots_are_added_all_or_none() -> None:
    room = Room()
    assert room.refuses(add(a_lot("2"), a_lot("1"))).rejection is Rejection.LOT_EXISTS
    assert room.refuses(add(a_lot("2"), a_lot("2"))).rejection is Rejection.LOT_EXISTS
    assert room.refuses(add(a_lot("2"), a_lot("3", "09:59"))).rejection is Rejection.INVALID
    assert [event.lot_id for event in room.does(add(a_lot("2"), a_lot("3")))
            if isinstance(event, LotScheduled)] == ["2", "3"]  # fmt: skip
    room.bid("A", 500_00, lot="3")


def test_no_lot_is_added_to_a_sale_that_is_over() -> None:
    room = Room()
    room.close("16:00")
    refusal = room.refuses(add(a_lot("2", "18:00")))
    assert refusal.rejection is Rejection.SALE_CLOSED


def test_added_lots_keep_the_sale_open() -> None:
    room = Room()
    room.does(add(a_lot("2", "18:00")))
    room.close("16:00")
    assert not room.sale.closed
    room.close("18:00")
    assert room.sale.closed


# Pausing


def test_a_pause_is_an_event_and_happens_once() -> None:
    room = Room()
    assert room.does(pause()) == [SalePaused(reason="a fire alarm", actor_id=STAFF_MEMBER)]
    assert room.refuses(pause()).rejection is Rejection.SALE_PAUSED


def test_only_a_paused_sale_is_resumed() -> None:
    room = Room()
    assert room.refuses(resume()).rejection is Rejection.SALE_NOT_PAUSED
    room.does(pause())
    assert room.does(resume()) == [SaleResumed(actor_id=STAFF_MEMBER)]
    assert room.refuses(resume()).rejection is Rejection.SALE_NOT_PAUSED
    room.bid("A", 500_00)


def test_a_sale_that_is_over_is_not_paused() -> None:
    room = Room()
    room.close("16:00")
    assert room.refuses(pause()).rejection is Rejection.SALE_CLOSED


def test_a_sale_that_closed_in_its_pause_is_not_resumed() -> None:
    room = Room()
    room.does(pause())
    room.does(withdraw())
    assert isinstance(room.events[-1], SaleClosed)
    assert room.refuses(resume()).rejection is Rejection.SALE_CLOSED


def test_a_resumed_sale_gives_the_time_back_like_an_outage() -> None:
    room = Room(a_lot("1", "16:00"), a_lot("2", "16:02"), a_lot("3", "17:30"), terms=SOFT)
    room.does(pause(), "15:50")
    resumed, moved = room.does(resume(), "16:20")
    assert resumed == SaleResumed(actor_id=STAFF_MEMBER)
    assert moved == EndsMoved(
        reason=MoveReason.PAUSE,
        cause_lot_id=None,
        dark_us=30 * MINUTE_US,
        ends=(
            MovedEnd(LotId("1"), at("16:30"), None),
            MovedEnd(LotId("2"), at("16:32"), None),
            MovedEnd(LotId("3"), at("18:00"), None),
        ),
    )
    room.bid("A", 500_00, "16:29")


def test_a_lot_does_not_end_while_its_sale_is_paused() -> None:
    """Its end moves when the sale goes on; until then it is paused, not closed."""
    room = Room(a_lot(reserve_minor=900_00), terms=SOFT)
    room.bid("A", 500_00, "15:40")
    room.bid("B", 600_00, "15:41")
    room.does(pause(), "15:50")
    assert room.refuses_bid("C", 900_00, "16:10") is Rejection.SALE_PAUSED
    room.does(void("B"))
    room.does(change_reserve(800_00))
    room.does(withdraw("1", WithdrawalCause.RECALL))


def test_a_lot_that_ended_before_the_pause_has_ended() -> None:
    room = Room(a_lot("1", "15:45"), a_lot("2"), terms=SOFT)
    room.bid("A", 500_00)
    room.does(pause(), "15:50")  # the timer has not come yet
    assert room.refuses_bid("B", 900_00, "15:51") is Rejection.LOT_CLOSED
    assert room.refuses(void("A")).rejection is Rejection.LOT_CLOSED
    moved = the(EndsMoved, room.does(resume(), "16:20"))
    assert [end.lot_id for end in moved.ends] == ["2"]
    assert isinstance(room.close("16:20")[0], LotSold)


# Outages


def test_half_an_hour_away() -> None:
    room = Room(a_lot("1", "16:00"), a_lot("2", "16:02"), a_lot("3", "17:30"), terms=SOFT)
    moved = the(EndsMoved, room.does(back("15:50"), "16:20"))
    assert moved == EndsMoved(
        reason=MoveReason.OUTAGE,
        cause_lot_id=None,
        dark_us=30 * MINUTE_US,
        ends=(
            MovedEnd(LotId("1"), at("16:30"), None),
            MovedEnd(LotId("2"), at("16:32"), None),
            MovedEnd(LotId("3"), at("18:00"), None),
        ),
    )
    assert room.close("16:20") == []
    room.bid("A", 500_00, "16:24")
    room.ends("16:30")


def test_two_seconds_away_just_before_the_end() -> None:
    room = Room(a_lot("1"), a_lot("2", "17:00"), terms=SOFT)
    room.does(back("15:59:57"), "15:59:59")
    room.ends("16:00:29", "1")
    room.ends("17:00:29", "2")


def test_two_seconds_away_an_hour_before_the_end_move_nothing() -> None:
    room = Room(terms=SOFT)
    assert room.does(back("14:59:58"), "15:00") == []
    room.ends("16:00")


def test_the_latest_end_moves_along() -> None:
    room = Room(a_lot(latest_end_us=at("16:10")), terms=SOFT)
    moved = the(EndsMoved, room.does(back("15:50"), "16:20"))
    assert moved.ends == (MovedEnd(LotId("1"), at("16:30"), at("16:40")),)
    room.bid("A", 500_00, "16:29")
    room.ends("16:34")
    assert room.lot().latest_end_us == at("16:40")


def test_an_outage_is_no_extension() -> None:
    room = Room(terms=SOFT)
    room.does(back("15:50"), "16:20")
    assert room.lot().extensions == 0
    assert room.lot().scheduled_closes_at_us == at("16:00")


@pytest.mark.parametrize("closes", ["15:50", "15:49"])
def test_a_lot_that_ended_before_the_dark_is_not_revived(closes: str) -> None:
    room = Room(a_lot("1", closes), a_lot("2", "16:00"), terms=SOFT)
    moved = the(EndsMoved, room.does(back("15:50"), "16:20"))
    assert [end.lot_id for end in moved.ends] == ["2"]
    assert room.close("16:20") == [
        LotPassed(lot_id=LotId("1"), reason="NO_BIDS", price_minor=None)  # type: ignore[arg-type]
    ]


def test_a_closed_lot_stays_closed_and_does_not_count_as_the_first_end() -> None:
    room = Room(a_lot("1", "15:40"), a_lot("2", "18:00"), terms=SOFT)
    room.close("15:40")
    assert room.does(back("15:50"), "15:51") == []


def test_two_hours_away_add_a_day() -> None:
    room = Room(terms=SOFT)
    room.does(back("15:00"), "17:00")
    room.ends("42:00")


def test_without_soft_close_the_notice_is_two_minutes() -> None:
    room = Room()
    room.does(back("15:58"), "15:59")
    room.ends("16:01")


def test_a_paused_sale_is_left_to_its_resumption() -> None:
    room = Room(terms=SOFT)
    room.does(pause(), "15:50")
    assert room.does(back("15:55"), "16:10") == []
    room.ends("16:00")
    room.does(resume(), "16:20")
    room.ends("16:30")


def test_a_sale_that_is_over_has_nothing_to_move() -> None:
    room = Room()
    room.close("16:00")
    assert room.does(back("15:50"), "16:20") == []


def test_bids_of_the_dark_time_are_not_queued() -> None:
    """A bid that was sent at 16:05 and comes again after the move is judged by its new time."""
    room = Room(terms=SOFT)
    room.does(back("15:50"), "16:20")
    late: Any = bid("A", 500_00)
    room.does(late, "16:29:59.999999")
