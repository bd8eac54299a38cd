"""Carries pushes: encrypted for the one browser (RFC 8291), to its push service (RFC 8030).

The service and whoever else is in between see when somebody gets a push and of what size, not
what it says. What it says holds no maximum; its link leads to a page that asks before it bids.
"""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Final

import structlog

from bidder_gateway.notices.addressing import Notice
from bidder_gateway.notices.carriers import AddressGone, NotNow, NotSent, Parcel
from bidder_gateway.notices.kinds import MANNERS, SECOND_US, Together, Way, bundle_of
from bidder_gateway.notices.links import NOTICES, path_of
from bidder_gateway.notices.push_key import PushKey
from bidder_gateway.notices.subscriptions import Subscription, failed, subscription_of, took
from bidder_gateway.notices.wording import words_of_several
from foundation.database import Pool, acquire
from foundation.outbound import AddressRefused, NoAnswer, Outbound

# A push service takes 4,096 bytes, of which encryption is 103.
MAX_PAYLOAD: Final = 3_900
MAX_WORDS: Final = 300
# A service that asks us to wait longer is asked again all the same.
LONGEST_RETRY_S: Final = 3_600.0

_TAKEN = frozenset({200, 201, 202, 204})
_GONE = frozenset({404, 410})

_logger = structlog.get_logger(__name__)


class PushCarrier:
    """A `Carrier`. Encryption runs in a thread of its own, so that the event loop does not wait."""

    def __init__(
        self,
        pool: Pool,
        key: PushKey,
        outbound: Outbound,
        wall_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._pool, self._key, self._outbound, self._wall_us = pool, key, outbound, wall_us
        self._encryption = ThreadPoolExecutor(1, thread_name_prefix="push encryption")

    def close(self) -> None:
        """Let the thread go."""
        self._encryption.shutdown(wait=False, cancel_futures=True)

    async def carry(self, parcel: Parcel) -> None:
        """See `Carrier`."""
        async with acquire(self._pool) as connection:
            device = await subscription_of(connection, parcel.device, parcel.reader.person_id)
        if device is None:
            raise AddressGone
        if device.resting_until_us > self._wall_us():
            raise NotNow(device.resting_until_us)
        payload = payload_of(parcel)
        loop = asyncio.get_running_loop()
        body = await loop.run_in_executor(self._encryption, encrypted, device, payload)
        await self._post(device, parcel.notices[-1], body)
        await took(self._pool, device.subscription_id, self._wall_us())

    async def _post(self, device: Subscription, notice: Notice, body: bytes) -> None:
        manner = MANNERS[notice.kind]
        headers = {
            "Authorization": self._key.authorization(device.endpoint),
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(manner.sent_within_us // SECOND_US),
            "Urgency": "high" if manner.urgent else "normal",
            "Topic": topic_of(notice),
        }
        try:
            answer = await self._outbound.post(device.endpoint, body, headers)
        except AddressRefused:
            raise AddressGone from None
        except NoAnswer as error:
            await self._rest(device)
            raise NotSent(str(error)) from None
        if answer.status in _TAKEN:
            return
        if answer.status in _GONE:
            raise AddressGone
        reason = f"the push service answered {answer.status}"
        if answer.status == 429 or answer.status >= 500:
            await self._rest(device)
            retry_after_s = _seconds(answer.headers.get("Retry-After", ""), self._wall_us())
            raise NotSent(reason, retry_after_s=retry_after_s)
        raise NotSent(reason, permanent=True)

    async def _rest(self, device: Subscription) -> None:
        until_us = await failed(self._pool, device, self._wall_us())
        _logger.info("push_service_rests", device=device.subscription_id, until_us=until_us)


def payload_of(parcel: Parcel) -> bytes:
    """What the browser's worker shows (``static/push-worker.js``)."""
    last = parcel.notices[-1]
    facts = [notice.facts for notice in parcel.notices]
    words = words_of_several(last.kind, facts, last.sale_id, parcel.reader.time_zone)
    alone = len(parcel.notices) == 1
    link = NOTICES
    if alone or MANNERS[last.kind].push_together is not Together.ALL:
        link = path_of(
            last.kind,
            last.sale_id,
            last.lot_id if alone else None,
            amount_minor=last.facts.next_minimum_minor,
            search_id=last.facts.search_id,
        )
    payload = json.dumps(
        {
            "title": words.title[:MAX_WORDS],
            "body": words.text[:MAX_WORDS],
            "url": link,
            "tag": topic_of(last),
            "at_us": last.at_us,
            "urgent": MANNERS[last.kind].urgent,
        },
        ensure_ascii=False,
    ).encode()
    assert len(payload) <= MAX_PAYLOAD, "a push is longer than push services take"
    return payload


def topic_of(notice: Notice) -> str:
    """A newer push of this name takes the place of an older one, at the service and on the device.

    A name and not the bundle itself: the service reads it.
    """
    bundle = bundle_of(notice.kind, Way.PUSH, notice.sale_id, notice.lot_id)
    digest = sha256(f"{notice.person_id} {bundle}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:18]).decode()


def encrypted(device: Subscription, payload: bytes) -> bytes:
    """The payload for the one browser that has the keys."""
    # Here, since a start need not wait for it.
    from pywebpush import WebPusher  # type: ignore[import-untyped]

    keys = {"p256dh": _text(device.p256dh), "auth": _text(device.auth)}
    pusher = WebPusher({"endpoint": device.endpoint, "keys": keys})
    return bytes(pusher.encode(payload)["body"])


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _seconds(retry_after: str, now_us: int) -> float:
    """How long a Retry-After header asks us to wait: seconds, or a date."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_S)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    wait_s = (until - datetime.fromtimestamp(now_us / 1e6, UTC)).total_seconds()
    return min(max(0.0, wait_s), LONGEST_RETRY_S)
