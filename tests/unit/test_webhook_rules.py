"""What webhooks say, how it is signed, and when it is tried again."""

import base64

import pytest

from auction.commands import WithdrawalCause
from auction.desk.webhook_rules import (
    KINDS,
    OFF_AFTER_US,
    PAUSES_US,
    SECOND_US,
    Payload,
    delivery_id_of,
    is_success,
    moment_of,
    pause_us,
    reserve_outcome,
    shown_secret,
    signature,
)
from auction.events import (
    LOT_ENDINGS,
    PRIVATE_FIELDS,
    AnyEvent,
    BidPlaced,
    LotPassed,
    LotSold,
    LotWithdrawn,
    PassReason,
)
from auction.ids import ActorId, LotId, SaleId
from auction.pricing import ReserveStatus


def test_it_is_tried_again_seven_times_within_a_day_and_a_half() -> None:
    pauses_s = [(pause_us(tries) or 0) // SECOND_US for tries in range(1, 8)]
    assert pauses_s == [5, 60, 300, 1_800, 7_200, 28_800, 86_400]
    assert pause_us(8) is None
    assert pause_us(9) is None
    assert sum(PAUSES_US) < OFF_AFTER_US


def test_a_signature_is_that_of_the_specifications_example() -> None:
    """The vector of the reference implementations of Standard Webhooks."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    signed = signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert shown_secret(secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_two_secrets_make_two_signatures() -> None:
    both = signature([b"new", b"old"], "msg-1", 1, b"{}").split()
    assert both == [signature([one], "msg-1", 1, b"{}") for one in (b"new", b"old")]


def test_a_deliverys_name_follows_from_event_and_endpoint() -> None:
    sale_id = SaleId("spring")
    name = delivery_id_of(sale_id, 7, "webhook-a")
    assert name == delivery_id_of(sale_id, 7, "webhook-a")
    others = {delivery_id_of(sale_id, 8, "webhook-a"), delivery_id_of(sale_id, 7, "webhook-b")}
    assert len({name, *others}) == 3
    assert "." not in name, "it would blur what is signed"


def test_every_end_of_a_lot_is_told() -> None:
    assert set(KINDS) == set(LOT_ENDINGS)


def test_a_payload_has_no_field_for_what_is_private() -> None:
    private = {name for kind in (*KINDS, BidPlaced) for name in PRIVATE_FIELDS[kind]}
    fields = set(Payload.__struct_fields__)
    assert not fields & private
    assert not [name for name in fields if "paddle" in name or "maximum" in name]


def _passed(reason: PassReason) -> LotPassed:
    return LotPassed(lot_id=LotId("1"), reason=reason, price_minor=None)


SOLD = LotSold(
    lot_id=LotId("1"),
    hammer_price_minor=1,
    reserve=ReserveStatus.MET,
    allocations=(),
    winners=(),
)
WITHDRAWN = LotWithdrawn(
    lot_id=LotId("1"), cause=WithdrawalCause.SELLER, reason="lost", actor_id=ActorId("pat")
)


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (SOLD, ReserveStatus.MET),
        (_passed(PassReason.RESERVE_NOT_MET), ReserveStatus.NOT_MET),
        (_passed(PassReason.IF_BID_DECLINED), ReserveStatus.NOT_MET),
        (_passed(PassReason.IF_BID_EXPIRED), ReserveStatus.NOT_MET),
        (_passed(PassReason.NO_BIDS), None),
        (WITHDRAWN, None),
    ],
)
def test_the_reserve_is_told_as_everybody_may_know_it(
    event: AnyEvent, outcome: ReserveStatus | None
) -> None:
    assert reserve_outcome(event) is outcome


def test_moments_are_utc() -> None:
    assert moment_of(0) == "1970-01-01T00:00:00Z"
    assert moment_of(1_700_000_000_250_000) == "2023-11-14T22:13:20.250000Z"


def test_only_two_hundreds_are_success() -> None:
    statuses = (199, 200, 204, 299, 301, 308, 404, 500)
    assert [status for status in statuses if is_success(status)] == [200, 204, 299]
