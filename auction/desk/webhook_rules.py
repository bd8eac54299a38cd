"""What webhooks say, how it is signed, and when it is tried again: pure.

A payload holds what everybody may know when the hammer has fallen. There is no field in it for a
maximum, a reserve's amount or a bidder.

Signatures are those of the Standard Webhooks specification, 1.0 (standardwebhooks.com).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import Struct

from auction.events import AnyEvent, LotPassed, LotSold, LotWithdrawn, PassReason
from auction.ids import LotId, SaleId
from auction.pricing import ReserveStatus

SECOND_US: Final = 1_000_000
HOUR_US: Final = 3_600 * SECOND_US
DAY_US: Final = 24 * HOUR_US

# After the first try: 5 s, 1 min, 5 min, 30 min, 2 h, 8 h, 24 h. A receiver that is away over a
# night misses nothing; one that is away for longer is told by hand.
PAUSES_US: Final = tuple(
    seconds * SECOND_US for seconds in (5, 60, 300, 1_800, 2 * 3_600, 8 * 3_600, 24 * 3_600)
)
# After so long without one success an endpoint is switched off.
OFF_AFTER_US: Final = 3 * DAY_US

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what every secret begins with
SECRET_BYTES: Final = 32

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class WebhookEvent(StrEnum):
    """What an endpoint may be told of."""

    LOT_SOLD = "lot.sold"
    LOT_PASSED = "lot.passed"
    LOT_WITHDRAWN = "lot.withdrawn"
    AWARD_PAID = "award.paid"
    AWARD_VOID = "award.void"
    AWARD_CANCELLED = "award.cancelled"
    AWARD_RELEASED = "award.released"
    AWARD_PAID_OUT = "award.paid_out"


# What a test delivery is called; nobody chooses it.
TEST: Final = "webhook.test"

# Those of the log; what follows the hammer is told by settlement.
KINDS: Final[Mapping[type[AnyEvent], WebhookEvent]] = MappingProxyType(
    {
        LotSold: WebhookEvent.LOT_SOLD,
        LotPassed: WebhookEvent.LOT_PASSED,
        LotWithdrawn: WebhookEvent.LOT_WITHDRAWN,
    }
)

# Highest bids that were below a reserve; with no bids there is nothing to tell of it.
_BELOW_RESERVE: Final = frozenset(
    {PassReason.RESERVE_NOT_MET, PassReason.IF_BID_DECLINED, PassReason.IF_BID_EXPIRED}
)


class Payload(Struct, frozen=True, kw_only=True):
    """The body of a delivery. ``at``: when it happened, UTC, after ISO 8601.

    ``reserve``: what the bids came to beside the reserve, where that is known.
    """

    id: str
    type: str
    at: str
    sale_id: SaleId | None = None
    lot_id: LotId | None = None
    title: str = ""
    hammer_minor: int | None = None
    currency: str | None = None
    reserve: ReserveStatus | None = None


def payload_text(payload: Payload) -> str:
    """As it is kept, signed and sent."""
    return msgspec.json.encode(payload).decode()


def delivery_id_of(sale_id: SaleId, sequence: int, webhook_id: str) -> str:
    """The name of an event's delivery to an endpoint: the same however often it is made."""
    name = f"{webhook_id}/{sale_id}/{sequence}".encode()
    return f"msg-{hashlib.sha256(name).hexdigest()[:40]}"


def award_delivery_id_of(event: WebhookEvent, award_id: str, webhook_id: str) -> str:
    """The name of the delivery of what happened to an award, which happens to it once."""
    name = f"{webhook_id}/{event}/{award_id}".encode()
    return f"msg-{hashlib.sha256(name).hexdigest()[:40]}"


def reserve_outcome(event: AnyEvent) -> ReserveStatus | None:
    """How the bids stood to the reserve at the end, as far as everybody is told."""
    match event:
        case LotSold():
            return event.reserve
        case LotPassed() if event.reason in _BELOW_RESERVE:
            return ReserveStatus.NOT_MET
        case _:
            return None


def moment_of(at_us: int) -> str:
    """A time as a payload has it."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat().replace("+00:00", "Z")


def shown_secret(secret: bytes) -> str:
    """A secret in the form in which receivers' libraries take it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signature(secrets: Sequence[bytes], delivery_id: str, at_s: int, body: bytes) -> str:
    """The header ``webhook-signature``: one signature for each secret, parted by spaces."""
    signed = f"{delivery_id}.{at_s}.".encode() + body
    return " ".join(
        "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
        for secret in secrets
    )


def pause_us(tries: int) -> int | None:
    """How long after so many failed tries the next one comes; ``None``: there is none."""
    return PAUSES_US[tries - 1] if tries <= len(PAUSES_US) else None


def is_success(status: int) -> bool:
    """Whether the receiver has taken it. A redirect is none: it is not followed."""
    return 200 <= status < 300
