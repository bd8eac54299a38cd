"""Who is told what, event by event."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from accounts.ids import PersonId
from auction.commands import (
    AcceptIfBid,
    AnswerCounter,
    Command,
    CounterIfBid,
    DeclineIfBid,
    MoveEndsAfterOutage,
    PauseSale,
    ResumeSale,
    WithdrawalCause,
)
from auction.ids import BidderId, LotId
from auction.ids import PersonId as EnginePersonId
from auction.terms import ClosingMode, Terms, VoidRule
from bidder_gateway.notices.kinds import Kind
from bidder_gateway.notices.rules import Draft, Facts, drafts_of
from bidder_gateway.notices.sale_now import SaleNow, apply
from bidder_gateway.notices.truth import still_true
from tests.builders import (
    FIVE_AND_FIVE,
    HOUR_US,
    MINUTE_US,
    SALE,
    STAFF_MEMBER,
    Room,
    a_lot,
    at,
    bid,
    change_reserve,
    move_lots,
    register,
    void,
    withdraw,
)

OF_LOT: dict[str, Any] = {"sale_id": SALE, "lot_id": LotId("1")}
BY: dict[str, Any] = {**OF_LOT, "actor_id": STAFF_MEMBER}


class Follower:
    """What follows from a room's events, as they come."""

    def __init__(self, room: Room) -> None:
        self.room, self.sale, self._seen = room, SaleNow(SALE), 0

    def news(self) -> list[Draft]:
        """What is to be told of the events since the last time."""
        drafts: list[Draft] = []
        for one in self.room.recorded[self._seen :]:
            drafts += drafts_of(self.sale, one)
            apply(self.sale, one)
        self._seen = len(self.room.recorded)
        return drafts

    def told(self) -> list[tuple[Kind, str]]:
        """The kinds, and the bidders they go to as one word."""
        return [(draft.kind, "".join(to.bidder_id for to in draft.to)) for draft in self.news()]


def follow(*lots: Any, **settings: Any) -> Follower:
    """A room whose first events were looked at."""
    follower = Follower(Room(*lots, **settings))
    follower.news()
    return follower


def if_bid_terms() -> Terms:
    return Terms(soft_close=None, if_bid_us=HOUR_US)


def reserved() -> Follower:
    """A lot with a reserve that no bid here meets."""
    return follow(a_lot(reserve_minor=5_000_00), terms=if_bid_terms())


def test_each_bidder_is_told_once_that_it_is_registered() -> None:
    follower = Follower(Room(bidders="AB"))
    drafts = follower.news()
    assert [(d.kind, d.to[0].bidder_id, d.facts.paddle) for d in drafts] == [
        (Kind.REGISTERED, "A", 101),
        (Kind.REGISTERED, "B", 102),
    ]


def test_who_led_is_told_when_a_rival_takes_the_lead() -> None:
    follower = follow()
    follower.room.bid("A", 100_00)
    assert follower.told() == []
    follower.room.bid("B", 300_00)
    (draft,) = follower.news()
    assert (draft.kind, draft.to[0].bidder_id, draft.lot_id) == (Kind.OUTBID, "A", "1")
    assert (draft.facts.title, draft.facts.currency) == ("Mixed returns", "USD")
    lot = follower.room.lot()
    assert draft.facts.price_minor == lot.price_minor
    assert draft.facts.next_minimum_minor == lot.next_minimum_minor
    assert draft.facts.closes_at_us == at("16:00")


def test_who_bids_below_the_leader_is_told_by_the_verdict_alone() -> None:
    follower = follow()
    follower.room.bid("A", 500_00)
    follower.room.bid("B", 200_00)
    assert follower.told() == []


def test_a_leader_who_raises_is_told_nothing() -> None:
    follower = follow()
    follower.room.bid("A", 100_00)
    follower.room.bid("A", 900_00)
    assert follower.told() == []


def test_outbid_goes_to_those_of_the_team_who_bid() -> None:
    follower = follow()
    follower.room.does(replace(bid("A", 100_00), person_id=EnginePersonId("kim")))
    follower.room.does(replace(bid("A", 200_00), person_id=EnginePersonId("ann")))
    follower.room.bid("B", 900_00)
    (draft,) = follower.news()
    assert draft.to[0].people == {PersonId("kim"), PersonId("ann")}


def test_after_a_void_the_voided_and_the_new_leader_are_told() -> None:
    follower = follow()
    follower.room.bid("A", 100_00)
    follower.room.bid("B", 300_00)
    follower.told()
    follower.room.does(void("B"))
    drafts = follower.news()
    assert [(d.kind, d.to[0].bidder_id) for d in drafts] == [
        (Kind.BIDS_VOIDED, "B"),
        (Kind.LEADING_AGAIN, "A"),
    ]
    assert drafts[0].facts.reason == "a typing error"
    assert drafts[1].facts.price_minor == 100_00


def test_a_void_below_the_leader_tells_the_voided_alone() -> None:
    follower = follow()
    follower.room.bid("A", 300_00)
    follower.room.bid("B", 200_00)
    follower.told()
    follower.room.does(void("B"))
    assert follower.told() == [(Kind.BIDS_VOIDED, "B")]


def test_where_a_void_revives_nothing_everybody_is_told_that_bidding_starts_again() -> None:
    follower = follow(terms=Terms(void_rule=VoidRule.NO_REVIVE, soft_close=None))
    follower.room.bid("A", 300_00)
    follower.room.bid("B", 200_00)
    follower.told()
    follower.room.does(void("B"))
    assert follower.told() == [(Kind.BIDS_VOIDED, "B"), (Kind.LOT_REOPENED, "A")]
    follower.room.bid("C", 100_00)
    follower.room.bid("D", 900_00)
    assert follower.told() == [(Kind.OUTBID, "C")]


def test_a_lot_that_is_sold_is_won_by_one_and_lost_by_the_others() -> None:
    follower = follow()
    for bidder, amount_minor in (("A", 100_00), ("B", 300_00), ("C", 900_00)):
        follower.room.bid(bidder, amount_minor)
    follower.told()
    follower.room.close("16:00")
    won, lost = follower.news()
    hammer_minor = follower.room.lot().price_minor
    assert (won.kind, won.to[0].bidder_id, won.facts.price_minor) == (
        Kind.LOT_WON,
        "C",
        hammer_minor,
    )
    assert (lost.kind, [to.bidder_id for to in lost.to]) == (Kind.LOT_LOST, ["A", "B"])
    assert lost.facts.price_minor == hammer_minor


def test_a_voided_bidder_has_not_lost_the_lot() -> None:
    follower = follow()
    follower.room.bid("A", 100_00)
    follower.room.bid("B", 300_00)
    follower.room.does(void("B"))
    follower.told()
    follower.room.close("16:00")
    assert follower.told() == [(Kind.LOT_WON, "A")]


def test_a_lot_without_bids_ends_without_a_word() -> None:
    follower = follow()
    follower.room.close("16:00")
    assert follower.told() == []


def test_a_lot_below_its_reserve_is_lost_by_all_who_bid() -> None:
    follower = follow(a_lot(reserve_minor=5_000_00))
    follower.room.bid("A", 100_00)
    follower.room.close("16:00")
    (draft,) = follower.news()
    assert (draft.kind, draft.facts.reason) == (Kind.LOT_LOST, "RESERVE_NOT_MET")


def test_an_if_bid_is_told_to_the_bound_bidder_at_each_step() -> None:
    follower = reserved()
    follower.room.bid("A", 200_00)
    follower.room.bid("B", 900_00)
    follower.told()
    follower.room.close("16:00")
    (opened,) = follower.news()
    assert (opened.kind, opened.to[0].bidder_id) == (Kind.IF_BID_OPENED, "B")
    assert opened.facts.until_us == at("17:00")
    follower.room.does(CounterIfBid(**BY, amount_minor=4_000_00))
    (countered,) = follower.news()
    assert (countered.kind, countered.to[0].bidder_id) == (Kind.IF_BID_COUNTERED, "B")
    assert (countered.facts.amount_minor, countered.facts.until_us) == (4_000_00, at("17:00"))
    follower.room.does(AnswerCounter(**OF_LOT, bidder_id=BidderId("B"), accepted=True))
    won, lost = follower.news()
    assert (won.kind, won.to[0].bidder_id, won.facts.if_bid) == (Kind.LOT_WON, "B", True)
    assert won.facts.price_minor == 4_000_00
    assert (lost.kind, lost.to[0].bidder_id) == (Kind.LOT_LOST, "A")


@pytest.mark.parametrize(
    ("command", "when", "told"),
    [
        (AcceptIfBid(**BY), "16:10", [(Kind.LOT_WON, "A")]),
        (DeclineIfBid(**BY), "16:10", [(Kind.LOT_LOST, "A")]),
    ],
)
def test_the_end_of_an_if_bid(command: Any, when: str, told: list[tuple[Kind, str]]) -> None:
    follower = reserved()
    follower.room.bid("A", 200_00)
    follower.room.close("16:00")
    follower.told()
    follower.room.does(command, when)
    assert follower.told() == told


def test_a_withdrawn_lot_is_told_to_who_bid_and_who_watches() -> None:
    follower = follow()
    follower.room.bid("A", 100_00)
    follower.room.does(withdraw(cause=WithdrawalCause.RECALL))
    (draft,) = follower.news()
    assert (draft.kind, draft.to[0].bidder_id, draft.watched) == (Kind.LOT_WITHDRAWN, "A", True)


def test_a_pause_is_told_of_each_open_lot_and_its_end_with_the_new_ends() -> None:
    follower = follow(a_lot("1"), a_lot("2", closes="10:30"), a_lot("3"))
    follower.room.bid("A", 100_00, lot="3")
    follower.room.does(withdraw("1"))
    follower.told()
    pause = PauseSale(sale_id=SALE, reason="a fire alarm", actor_id=STAFF_MEMBER)
    follower.room.does(pause, "10:20")
    paused = follower.news()
    assert [(d.kind, d.lot_id, d.of_sale, d.watched) for d in paused] == [
        (Kind.SALE_PAUSED, "2", True, True),
        (Kind.SALE_PAUSED, "3", True, True),
    ]
    assert paused[1].to[0].bidder_id == "A"
    assert paused[0].facts.reason == "a fire alarm"
    follower.room.does(ResumeSale(sale_id=SALE, actor_id=STAFF_MEMBER), "10:29")
    resumed = follower.news()
    assert {draft.kind for draft in resumed} == {Kind.SALE_RESUMED}
    ends = [d.facts.closes_at_us for d in resumed if d.facts.closes_at_us is not None]
    assert ends == [follower.room.lot("2").closes_at_us, follower.room.lot("3").closes_at_us]


def test_ends_that_moved_after_an_outage_are_told_of() -> None:
    follower = follow(a_lot("1"), a_lot("2", closes="10:01"))
    follower.room.does(MoveEndsAfterOutage(sale_id=SALE, dark_from_us=at("10:00:30")), "10:00:50")
    drafts = follower.news()
    assert [(d.kind, d.lot_id) for d in drafts] == [(Kind.ENDS_MOVED, "1"), (Kind.ENDS_MOVED, "2")]
    assert drafts[1].facts.dark_us == 20_000_000
    assert drafts[1].facts.closes_at_us == follower.room.lot("2").closes_at_us


def test_lots_that_the_seller_moved_are_told_of_to_who_watches_them() -> None:
    lots = [a_lot(number, opens_at_us=at("12:00"), closes="16:00") for number in ("1", "2", "3")]
    follower = follow(*lots)
    follower.room.does(move_lots(("1", "13:00", "17:00"), ("3", "12:00", "15:00")), "10:00")
    drafts = follower.news()
    assert [(d.kind, d.lot_id, d.to, d.watched, d.of_sale) for d in drafts] == [
        (Kind.LOTS_RESCHEDULED, "1", (), True, True),
        (Kind.LOTS_RESCHEDULED, "3", (), True, True),
    ]
    assert [draft.facts.closes_at_us for draft in drafts] == [at("17:00"), at("15:00")]
    assert follower.sale.lots[LotId("1")].closes_at_us == at("17:00")


def test_linked_ends_and_extensions_are_told_to_nobody() -> None:
    terms = Terms(closing=ClosingMode.CASCADE, soft_close=FIVE_AND_FIVE)
    follower = follow(a_lot("1"), a_lot("2", closes="16:02"), terms=terms)
    follower.room.bid("A", 100_00, "15:58")
    assert follower.told() == []
    assert follower.sale.lots[LotId("1")].closes_at_us == at("16:03")
    assert follower.sale.lots[LotId("2")].closes_at_us == follower.room.lot("2").closes_at_us


def test_the_state_is_that_of_the_fold_after_every_event() -> None:
    follower = follow(a_lot(reserve_minor=400_00))
    room = follower.room
    commands: list[Command] = [
        bid("A", 200_00),
        bid("B", 350_00),
        change_reserve(300_00),
        void("B"),
        bid("C", 500_00),
    ]
    for command in commands:
        room.does(command)
        follower.news()
        lot, ours = room.lot(), follower.sale.lots[LotId("1")]
        assert (ours.leader, ours.price_minor, ours.next_minimum_minor, ours.closes_at_us) == (
            lot.leader,
            lot.price_minor,
            lot.next_minimum_minor,
            lot.closes_at_us,
        )
        assert set(ours.bidders) == set(lot.standings)


def test_no_draft_holds_a_maximum_a_reserve_or_a_rivals_name() -> None:
    maxima = {"bidder-anna": 70_123_00, "bidder-bert": 90_321_00}
    reserve_minor = 95_555_00
    lots = (a_lot("1"), a_lot("2", reserve_minor=reserve_minor))
    room = Room(*lots, terms=Terms(soft_close=None), bidders="")
    follower = Follower(room)
    for bidder in maxima:
        room.does(register(bidder))
    for bidder, maximum_minor in maxima.items():
        room.bid(bidder, maximum_minor)
    room.bid("bidder-anna", 200_00, lot="2")
    room.does(void("bidder-bert"))
    room.close("16:00")
    drafts = follower.news()
    assert {draft.kind for draft in drafts} >= {Kind.OUTBID, Kind.LEADING_AGAIN, Kind.LOT_LOST}
    planted = [*maxima, *map(str, (*maxima.values(), reserve_minor))]
    for draft in drafts:
        said = msgspec.json.encode(draft.facts).decode()
        assert not any(marker in said for marker in planted), said


def is_true(kind: Kind, follower: Follower, bidder: str, now: str = "10:00", **facts: Any) -> bool:
    lot = follower.sale.lots.get(LotId("1"))
    return still_true(kind, Facts(**facts), BidderId(bidder), follower.sale, lot, at(now))


def test_outbid_is_true_until_one_leads_again_or_the_lot_ends() -> None:
    follower = follow()
    follower.room.bid("A", 100_00)
    follower.room.bid("B", 300_00)
    follower.news()
    assert is_true(Kind.OUTBID, follower, "A")
    assert not is_true(Kind.LEADING_AGAIN, follower, "A")
    follower.room.bid("A", 900_00)
    follower.news()
    assert not is_true(Kind.OUTBID, follower, "A")
    assert is_true(Kind.LEADING_AGAIN, follower, "A")
    follower.room.close("16:00")
    follower.news()
    assert not is_true(Kind.OUTBID, follower, "B")


def test_ends_soon_is_true_until_the_end_unless_it_moved_far() -> None:
    follower = follow(a_lot(closes="10:10"))
    told: dict[str, Any] = {"closes_at_us": at("10:10")}
    assert is_true(Kind.CLOSING_SOON, follower, "A", "10:05", **told)
    assert not is_true(Kind.CLOSING_SOON, follower, "A", "10:10", **told)
    lot = follower.sale.lots[LotId("1")]
    lot.closes_at_us = at("10:15")
    assert is_true(Kind.CLOSING_SOON, follower, "A", "10:12", **told)
    lot.closes_at_us = at("12:00")
    assert not is_true(Kind.CLOSING_SOON, follower, "A", "10:12", **told)
    lot.closes_at_us, follower.sale.paused = at("10:15"), True
    assert not is_true(Kind.CLOSING_SOON, follower, "A", "10:12", **told)


def test_a_pause_is_true_until_the_sale_goes_on() -> None:
    follower = follow()
    assert not is_true(Kind.SALE_PAUSED, follower, "A")
    assert is_true(Kind.SALE_RESUMED, follower, "A")
    follower.sale.paused = True
    assert is_true(Kind.SALE_PAUSED, follower, "A")
    assert not is_true(Kind.SALE_RESUMED, follower, "A")


def test_what_was_won_stays_true() -> None:
    follower = follow()
    assert is_true(Kind.LOT_WON, follower, "A")
    assert still_true(Kind.LOT_WON, Facts(), BidderId("A"), None, None, MINUTE_US)
