from auction.chain import acceptance_of
from auction.rejections import Rejection
from auction.sale import LotStatus
from auction.verdicts import Acceptance, Verdict
from tests.builders import Room, change_reserve


def test_an_acceptance_is_accepted_and_a_rejection_is_not() -> None:
    assert all(Verdict(code=code).accepted for code in Acceptance)
    assert not any(Verdict(code=code).accepted for code in Rejection)


def test_no_code_is_both() -> None:
    assert not set(map(str, Acceptance)) & set(map(str, Rejection))


def test_a_bid_is_answered_as_leading_or_outbid_and_anything_else_as_accepted() -> None:
    room = Room()
    assert acceptance_of(room.bid("A", 500_00)[0]) is Acceptance.LEADING
    assert acceptance_of(room.bid("B", 500_00)[0]) is Acceptance.OUTBID
    assert acceptance_of(room.bid("A", 600_00)[0]) is Acceptance.LEADING  # with a higher price
    assert acceptance_of(room.bid("A", 700_00)[0]) is Acceptance.LEADING  # in private
    assert acceptance_of(room.bid("C", 900_00)[0]) is Acceptance.LEADING
    assert acceptance_of(Room().does(change_reserve(1))[0]) is Acceptance.ACCEPTED


def test_a_lot_ends_in_one_of_three_ways() -> None:
    assert {status.value for status in LotStatus} == {
        "LIVE",
        "IF_BID",
        "SOLD",
        "PASSED",
        "WITHDRAWN",
    }
