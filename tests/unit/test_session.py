"""The conversation with one client: what is answered, what is passed on, and what ends it."""

import json
from typing import Any

import msgpack
import pytest

from auction.ids import BidderId, PersonId
from bidder_gateway.encodings import AS_JSON, AS_MSGPACK, BadFrame, Encoding
from bidder_gateway.limits import Bucket, Counts, Limits, Rate, Shared, Shares
from bidder_gateway.ports import Participant
from bidder_gateway.protocol import Bid, CloseCode, Error, ErrorCode, Subscribe, TimeSample, Welcome
from bidder_gateway.session import (
    HELLO_WITHIN_S,
    Action,
    Authenticate,
    End,
    Follow,
    Send,
    Session,
    Submit,
)
from tests.builders import SALE, new_bid_id

NOW_US = 1_772_409_600_000_000
ANN = Participant(BidderId("ann"), PersonId("p-1"), "Ann", "session-1", may_bid=True)
WATCHER = Participant(None, PersonId("p-2"), "Lee", "session-2", may_bid=False)


def a_session(limits: Limits | None = None, encoding: Encoding = AS_JSON) -> Session:
    limits = limits or Limits()
    return Session("c-1", encoding, limits, Shares.within(limits), "192.0.2.1", lambda: NOW_US, 0.0)


def welcomed(who: Participant | None = ANN, limits: Limits | None = None) -> Session:
    session = a_session(limits)
    session.receive('{"type":"hello","token":"x"}', 0.0)
    session.welcome(who, NOW_US)
    return session


def a_bid(**changes: Any) -> dict[str, Any]:
    frame = {
        "type": "bid",
        "request": 4,
        "sale_id": SALE,
        "lot_id": "1",
        "bid_id": new_bid_id(),
        "offer": {"kind": "MAXIMUM", "amount_minor": 100_00, "currency": "USD"},
    }
    return frame | changes


def refused(actions: list[Action]) -> tuple[ErrorCode, int | None]:
    """The one error that is answered."""
    (action,) = actions
    assert isinstance(action, Send), action
    assert isinstance(action.frame, Error), action
    return action.frame.code, action.frame.request


def ended(actions: list[Action]) -> CloseCode:
    (action,) = actions
    assert isinstance(action, End), action
    return action.code


def test_hello_is_asked_of_the_accounts_and_answered_with_who_it_is() -> None:
    session = a_session()
    (asked,) = session.receive('{"type":"hello","ticket":"t","client":"page"}', 0.0)
    assert isinstance(asked, Authenticate)
    assert (asked.hello.ticket, session.client, session.is_open) == ("t", "page", False)
    (answer,) = session.welcome(ANN, NOW_US)
    assert isinstance(answer, Send)
    assert isinstance(answer.frame, Welcome)
    assert answer.frame.viewer is not None
    assert (answer.frame.viewer.bidder_id, session.is_open) == ("ann", True)


def test_a_hello_that_is_not_good_ends_it() -> None:
    session = a_session()
    session.receive('{"type":"hello","token":"x"}', 0.0)
    assert ended(session.not_welcome()) is CloseCode.UNAUTHENTICATED
    assert session.receive('{"type":"time","c0":1}', 0.0) == []


def test_who_does_not_say_hello_in_time_is_sent_away() -> None:
    session = a_session()
    assert session.tick(HELLO_WITHIN_S - 0.1) == []
    assert ended(session.tick(HELLO_WITHIN_S)) is CloseCode.NO_HELLO
    assert welcomed().tick(HELLO_WITHIN_S) == []


@pytest.mark.parametrize(
    "frame",
    [{"type": "time", "c0": 1}, a_bid(), {"type": "subscribe", "request": 1, "sale_id": SALE}],
)
def test_nothing_is_done_before_hello(frame: dict[str, Any]) -> None:
    code, request = refused(a_session().receive(json.dumps(frame), 0.0))
    assert (code, request) == (ErrorCode.INVALID, frame.get("request"))


def test_hello_is_said_once_and_with_one_login() -> None:
    both = '{"type":"hello","token":"x","ticket":"y"}'
    assert refused(a_session().receive(both, 0.0))[0] is ErrorCode.INVALID
    assert refused(welcomed().receive('{"type":"hello"}', 0.0))[0] is ErrorCode.INVALID


def test_a_bid_goes_on_as_the_logged_in_bidder_s() -> None:
    (submit,) = welcomed().receive(json.dumps(a_bid()), 0.0)
    assert isinstance(submit, Submit)
    assert (submit.participant, submit.bid.offer.amount_minor) == (ANN, 100_00)


@pytest.mark.parametrize("who", [None, WATCHER])
def test_a_guest_and_one_who_may_not_bid_are_told_so(who: Participant | None) -> None:
    assert refused(welcomed(who).receive(json.dumps(a_bid()), 0.0)) == (ErrorCode.FORBIDDEN, 4)


def test_only_so_many_bids_wait_for_their_verdicts() -> None:
    session = welcomed(limits=Limits(bids_at_once=2))
    for _ in range(2):
        assert isinstance(session.receive(json.dumps(a_bid()), 0.0)[0], Submit)
    assert refused(session.receive(json.dumps(a_bid()), 0.0))[0] is ErrorCode.TOO_MANY
    session.bid_done()
    assert isinstance(session.receive(json.dumps(a_bid()), 0.0)[0], Submit)


def test_a_time_sample_carries_the_server_s_clock() -> None:
    (action,) = welcomed().receive('{"type":"time","c0":-7}', 0.0)
    assert action == Send(TimeSample(c0=-7, s1=NOW_US, s2=NOW_US))


def test_a_subscription_goes_on() -> None:
    frame = {"type": "subscribe", "request": 1, "sale_id": SALE, "lots": ["1"], "since": 9}
    (action,) = welcomed().receive(json.dumps(frame), 0.0)
    assert action == Follow(Subscribe(request=1, sale_id=SALE, lots=("1",), since=9))  # type: ignore[arg-type]


OFFER = {"kind": "MAXIMUM", "amount_minor": 1_00, "currency": "USD"}

# Amounts that JSON can write and money cannot be.
AMOUNTS = [
    "10.005", "10.0", "1e3", '"10"', "true", "null", "-1", "0", "9223372036854775808",
    "9007199254740993000", "1e400", "NaN", "Infinity", "-0", "[]", "{}", "\u0661\u0662", "01",
]  # fmt: skip


@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_that_is_none_is_invalid(amount: str) -> None:
    text = json.dumps(a_bid(offer=OFFER | {"amount_minor": 12345})).replace("12345", amount)
    code, _ = refused(welcomed().receive(text, 0.0))
    assert code is ErrorCode.INVALID


@pytest.mark.parametrize(
    "frame",
    [
        a_bid(bidder_id="b"),
        a_bid(at_us=1),
        a_bid(person_id="p"),
        a_bid(bid_id="1"),
        a_bid(bid_id=new_bid_id().upper().replace("0", "A")),
        a_bid(lot_id="a b"),
        a_bid(lot_id="1\x00"),
        a_bid(lot_id=""),
        a_bid(lot_id="1" * 65),
        a_bid(lot_id="1\n"),
        a_bid(offer=OFFER | {"kind": "BUY_NOW"}),
        a_bid(offer=OFFER | {"currency": "US"}),
        a_bid(offer=None),
        a_bid(request=-1),
        a_bid(request="1"),
        a_bid(type="bids"),
        {"type": None},
        {},
        [],
        5,
        "hello",
        None,
    ],
)
def test_a_frame_that_is_none_of_the_protocol_is_invalid(frame: object) -> None:
    for session, data in (
        (welcomed(), json.dumps(frame)),
        (_in_msgpack(), msgpack.packb(frame)),
    ):
        assert refused(session.receive(data, 0.0))[0] is ErrorCode.INVALID


def _in_msgpack() -> Session:
    session = a_session(encoding=AS_MSGPACK)
    session.receive(msgpack.packb({"type": "hello", "token": "x"}), 0.0)
    session.welcome(ANN, NOW_US)
    return session


@pytest.mark.parametrize(
    "data",
    [
        "[" * 10_000,
        '{"a":' * 3_000 + "1" + "}" * 3_000,
        '{"type":"time","c0":1,"c0":2}',
        '{"type":"time","type":"time","c0":1}',
        '{"type":"time","c0":1',
        "\x00",
        "",
        '{"type":"time","c0":' + "9" * 5_000 + "}",
    ],
)
def test_hostile_json_is_invalid(data: str) -> None:
    assert refused(welcomed().receive(data, 0.0))[0] is ErrorCode.INVALID


@pytest.mark.parametrize(
    "data",
    [
        b"\xdf\xff\xff\xff\xff",
        b"\x91" * 10_000,
        b"\xc1",
        b"",
        b"\x82\xa4type\xa4time\xa4type\xa4time",
        b"\xc7\x0c\xff" + b"\x01" * 12,
        b"\xd6\xff\x00\x00\x00\x01",
        b"\x81\xa4type\xa2\xff\xfe",
        b"\xa4time" * 2,
    ],
)
def test_hostile_messagepack_is_invalid(data: bytes) -> None:
    assert refused(_in_msgpack().receive(data, 0.0))[0] is ErrorCode.INVALID


def test_the_refusal_of_a_frame_names_the_place() -> None:
    text = json.dumps(a_bid(offer=OFFER | {"amount_minor": -5}))
    with pytest.raises(BadFrame, match=r"offer\.amount_minor") as caught:
        AS_JSON.read(text)
    assert caught.value.request == 4


def test_text_and_binary_are_not_mixed() -> None:
    assert ended(welcomed().receive(b"{}", 0.0)) is CloseCode.WRONG_KIND
    assert ended(_in_msgpack().receive("{}", 0.0)) is CloseCode.WRONG_KIND


def test_who_sends_too_much_is_told_to_slow_down_and_then_sent_away() -> None:
    session = welcomed()
    time, told, answered, ended_after = '{"type":"time","c0":1}', 0, 0, None
    for number in range(400):  # 200 a second
        for action in session.receive(time, number / 200):
            if isinstance(action, End):
                assert action.code is CloseCode.TOO_FAST
                ended_after = number
            elif isinstance(action, Send):
                told += isinstance(action.frame, Error)
                answered += isinstance(action.frame, TimeSample)
    assert ended_after is not None
    assert told == 1
    assert 60 <= answered <= 80, "the burst, and a tenth of the rest"


def test_who_is_a_little_too_fast_is_let_be() -> None:
    session = welcomed()
    actions = [a for n in range(2_200) for a in session.receive('{"type":"time","c0":1}', n / 22)]
    assert not [action for action in actions if isinstance(action, End)]


def test_the_connections_of_an_account_share_its_rate() -> None:
    limits = Limits(frames=Rate(100, 100), account_frames=Rate(1, 3))
    shares = Shares.within(limits)
    sessions = [
        Session("c", AS_JSON, limits, shares, "192.0.2.1", lambda: NOW_US, 0.0) for _ in range(2)
    ]
    for session in sessions:
        session.receive('{"type":"hello"}', 0.0)
        session.welcome(ANN, NOW_US)
    answers = [
        sessions[number % 2].receive('{"type":"time","c0":1}', 0.0)[0] for number in range(5)
    ]
    samples = [isinstance(a, Send) and isinstance(a.frame, TimeSample) for a in answers]
    assert samples == [True, True, True, False, False]


def test_a_bucket_fills_by_its_rate_up_to_its_burst() -> None:
    bucket = Bucket(Rate(2, 3), 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(1.0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1_000.0) for _ in range(4)] == [True, True, True, False]


def test_shared_buckets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shared, "MOST", 2)
    shared = Shared(Rate(0, 1))
    assert [shared.take(key, 0.0) for key in "abca"] == [True, True, True, True]
    assert not shared.take("c", 0.0), "c was used last, so it is remembered"


def test_counts_let_in_as_many_as_are_allowed() -> None:
    counts = Counts(2)
    assert [counts.enter("a") for _ in range(3)] == [True, True, False]
    counts.leave("a")
    assert counts.enter("a")


def test_a_bid_frame_is_the_same_in_both_forms() -> None:
    frame = a_bid()
    as_json, as_msgpack = AS_JSON.read(json.dumps(frame)), AS_MSGPACK.read(msgpack.packb(frame))
    assert as_json == as_msgpack
    assert isinstance(as_json, Bid)
