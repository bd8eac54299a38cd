"""Sales that not everybody may enter: for who is not admitted there is no such sale."""

from typing import Any, Final

import pytest

from auction.codec import Recorded, decode_body
from auction.commands import (
    AnswerCounter,
    Command,
    CounterIfBid,
    PauseSale,
    SetLimit,
)
from auction.decide import decide
from auction.events import BiddersAdmitted, BiddersDismissed, LotSold, SaleScheduled
from auction.ids import BidderId, LotId, shard_of
from auction.judge import Judge
from auction.rejections import Rejection
from auction.shards import ShardState
from auction.terms import SaleAudience, Terms
from auction.verdicts import Verdict
from auction.views import LIQUIDATOR, PUBLIC, STAFF, Viewer, view
from tests.builders import (
    HOUR_US,
    SALE,
    STAFF_MEMBER,
    Room,
    a_lot,
    admit,
    at,
    at_most_lots,
    bid,
    dismiss,
    register,
    schedule,
    set_budgets,
    the,
)
from tests.golden.make import FOLDER

HIDDEN: Final = [SaleAudience.GROUP, SaleAudience.INVITE]
LOT: Final = LotId("1")
IN_LOT: Final[dict[str, Any]] = {"sale_id": SALE, "lot_id": LOT}
IF_BIDS: Final = Terms(if_bid_us=HOUR_US, soft_close=None)

OF_A_BIDDER: Final[dict[str, Command]] = {
    "register": register("X"),
    "bid": bid("X", 500_00),
    "a lot that is not there": bid("X", 500_00, lot="99"),
    "budgets": set_budgets("X", at_most_lots(1)),
    "counter": AnswerCounter(bidder_id=BidderId("X"), accepted=True, **IN_LOT),
}


def a_room(audience: SaleAudience = SaleAudience.INVITE, **settings: Any) -> Room:
    return Room(a_lot(), audience=audience, bidders="AB", **settings)


@pytest.mark.parametrize("audience", HIDDEN)
@pytest.mark.parametrize("command", OF_A_BIDDER.values(), ids=list(OF_A_BIDDER))
def test_for_who_is_not_admitted_the_sale_does_not_exist(
    audience: SaleAudience, command: Command
) -> None:
    refused = a_room(audience).refuses(command)
    assert refused.rejection is Rejection.NOT_FOUND
    assert refused == decide(None, command, at("10:00")), "other words for what one may not see"


@pytest.mark.parametrize("command", OF_A_BIDDER.values(), ids=list(OF_A_BIDDER))
def test_nor_does_the_verdict_show_a_lot_of_it(command: Command) -> None:
    def verdict(*before: Command) -> Verdict:
        judge, shard = Judge(), shard_of(SALE)
        judge.own(ShardState(shard, 1))
        for earlier in before:
            assert judge.judge(shard, earlier, at("10:00")).accepted
        return judge.judge(shard, command, at("10:00"))

    opened = schedule(audience=SaleAudience.GROUP)
    assert verdict(opened, admit("A"), register("A"), bid("A", 100_00)) == verdict()


def test_a_seller_who_is_not_admitted_is_told_no_more_than_others() -> None:
    room = Room(audience=SaleAudience.GROUP, sellers=("X",), bidders="")
    assert room.refuses(register("X")).rejection is Rejection.NOT_FOUND
    assert room.refuses_bid("X", 500_00) is Rejection.NOT_FOUND


def test_who_is_admitted_registers_and_bids() -> None:
    room = Room(audience=SaleAudience.GROUP, bidders="")
    (admitted,) = room.does(admit("A", "B", "A"))
    assert admitted == BiddersAdmitted(
        bidder_ids=(BidderId("A"), BidderId("B")), actor_id=STAFF_MEMBER
    )
    room.does(register("A"))
    room.bid("A", 500_00)
    assert room.refuses_bid("B", 500_00) is Rejection.NOT_REGISTERED


def test_admitting_or_dismissing_again_is_no_event() -> None:
    room = a_room()
    assert room.does(admit("A", "B")) == []
    assert room.does(dismiss("C")) == []
    (new,) = room.does(admit("B", "C"))
    assert isinstance(new, BiddersAdmitted) and new.bidder_ids == ("C",)
    (gone,) = room.does(dismiss("C", "D"))
    assert isinstance(gone, BiddersDismissed) and gone.bidder_ids == ("C",)


@pytest.mark.parametrize("command", [admit("A"), dismiss("A")], ids=["admit", "dismiss"])
def test_nobody_is_chosen_for_a_public_sale_or_for_one_that_is_over(command: Command) -> None:
    refused = Room().refuses(command)
    assert refused.rejection is Rejection.INVALID and "public" in refused.message
    room = a_room()
    room.close("16:00")
    assert room.refuses(command).rejection is Rejection.SALE_CLOSED


def test_what_a_dismissed_bidder_has_bid_stands_and_wins() -> None:
    room = a_room()
    room.bid("A", 500_00)
    room.does(dismiss("A"))
    room.bid("B", 300_00)
    room.leads("A", 305_00)
    assert room.refuses_bid("A", 600_00) is Rejection.NOT_FOUND
    assert room.refuses(register("A")).rejection is Rejection.NOT_FOUND
    assert room.refuses(set_budgets("A")).rejection is Rejection.NOT_FOUND
    assert the(LotSold, room.close("16:00")).winners == ("A",)


def test_a_repeat_of_an_accepted_bid_is_answered_first_also_after_a_dismissal() -> None:
    room = a_room()
    first = bid("A", 500_00)
    room.does(first)
    room.does(dismiss("A"))
    assert room.repeats(first).code == "LEADING"


def test_staff_still_set_the_limit_of_a_dismissed_bidder() -> None:
    room = a_room()
    room.does(dismiss("A"))
    room.does(
        SetLimit(sale_id=SALE, bidder_id=BidderId("A"), limit_minor=900_00, actor_id=STAFF_MEMBER)
    )


def test_a_bound_if_bid_stays_bound_and_the_counter_offer_is_out_of_reach() -> None:
    room = Room(a_lot(reserve_minor=900_00), audience=SaleAudience.GROUP, terms=IF_BIDS)
    room.bid("A", 500_00)
    room.close("16:00")
    room.does(CounterIfBid(amount_minor=600_00, actor_id=STAFF_MEMBER, **IN_LOT))
    answer = AnswerCounter(bidder_id=BidderId("A"), accepted=True, **IN_LOT)
    room.does(dismiss("A"))
    assert room.refuses(answer).rejection is Rejection.NOT_FOUND
    assert room.lot().leader == "A"
    room.does(admit("A"))
    room.does(answer)
    room.leads("A", 600_00)


def test_who_is_readmitted_keeps_the_paddle_and_the_bids() -> None:
    room = a_room()
    room.bid("A", 500_00)
    paddle = room.registration("A").paddle
    room.does(dismiss("A"))
    room.does(admit("A"))
    room.bid("A", 600_00)
    assert room.registration("A").paddle == paddle


# Who sees whom


def test_only_the_liquidator_and_staff_see_who_is_invited() -> None:
    room = a_room()
    room.does(dismiss("B"))
    chosen = [r for r in room.recorded if isinstance(r.event, BiddersAdmitted | BiddersDismissed)]
    assert len(chosen) == 2
    for recorded in chosen:
        assert recorded.public is None
        for viewer in (PUBLIC, Viewer(bidder_id=BidderId("A")), Viewer(bidder_id=BidderId("B"))):
            assert view(recorded, viewer) is None
        for viewer in (LIQUIDATOR, STAFF):
            seen = view(recorded, viewer)
            assert seen is not None and seen["bidder_ids"]
            assert seen["owner_sequence"] == recorded.owner_sequence


def test_the_lists_are_counted_for_the_liquidator_and_not_for_bidders() -> None:
    room = a_room()
    before = dict(room.sale.owner_sequences)
    room.does(admit("C"))
    changed = {owner for owner, n in room.sale.owner_sequences.items() if n != before.get(owner)}
    assert changed == {"house"}


# Older logs


def test_a_sale_of_the_first_version_is_public() -> None:
    body = bytes.fromhex((FOLDER / "events" / "sale_scheduled.v1.hex").read_text().strip())
    recorded: Recorded = decode_body(77, body)
    assert isinstance(recorded.event, SaleScheduled)
    assert recorded.event.audience is SaleAudience.PUBLIC


def test_a_public_sale_is_for_everybody() -> None:
    room = Room(bidders="")
    room.does(register("X"))
    assert room.bid("X", 500_00)
    assert room.sale.admits(BidderId("anybody"))


def test_a_command_of_somebody_elses_is_not_touched() -> None:
    """Staff and the liquidator are no bidders: they reach the sale whoever is admitted."""
    room = Room(audience=SaleAudience.INVITE, bidders="")
    room.does(PauseSale(sale_id=SALE, reason="a fire alarm", actor_id=STAFF_MEMBER))
