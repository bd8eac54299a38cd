"""The devices of people that take pushes.

An endpoint is an address at a push service that whoever signed the device up has named: it is
looked at by `foundation.outbound` here and at each push. It is also a secret, for it says where
to send, and stands in no log and no answer.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Final

from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta, Struct

from accounts.ids import PersonId, new_id
from bidder_gateway.notices.kinds import SECOND_US
from bidder_gateway.notices.push_key import fingerprint
from bidder_gateway.refusals import Refusal, Refused
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.reading import Input
from foundation.outbound import AddressRefused, NoAnswer, Outbound

# Phones, laptops, and browsers on them; the device that was silent longest gives way.
MAX_DEVICES: Final = 20
POINT_BYTES, AUTH_BYTES = 65, 16
# A service that fails is left alone for 2, 4, 8... seconds, up to ten minutes.
LONGEST_REST_US: Final = 600 * SECOND_US


class SubscriptionKeys(Input):
    """By which pushes are encrypted so that only the browser reads them (RFC 8291)."""

    p256dh: Annotated[str, Meta(max_length=100)]
    auth: Annotated[str, Meta(max_length=40)]


class NewSubscription(Input):
    """What a browser's PushSubscription.toJSON() gives."""

    endpoint: Annotated[str, Meta(min_length=10, max_length=2_000)]
    keys: SubscriptionKeys


class ListedDevice(Struct, frozen=True, kw_only=True):
    """A device as its person sees it. ``agent``: what its browser says of itself."""

    subscription_id: str
    agent: str
    created_at_us: int
    sent_at_us: int | None


class Subscription(Struct, frozen=True, kw_only=True):
    """A device as pushes are sent to it."""

    subscription_id: str
    person_id: PersonId
    endpoint: str
    p256dh: bytes
    auth: bytes
    failures: int
    resting_until_us: int


_KEEP = """
insert into push_subscription
    (subscription_id, person_id, endpoint, endpoint_sha256, p256dh, auth, agent, created_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (endpoint_sha256) do update set
    p256dh = excluded.p256dh, auth = excluded.auth, agent = excluded.agent,
    failures = 0, resting_until_us = 0
where push_subscription.person_id = excluded.person_id
returning subscription_id
"""

# The same browser, but somebody else has signed in: it is theirs now, under another name, so
# that nothing that waits for the one before goes to them.
_TAKE = "delete from push_subscription where endpoint_sha256 = $1 and person_id <> $2"

_TRIM = """
delete from push_subscription where subscription_id in (
    select subscription_id from push_subscription where person_id = $1
    order by greatest(created_at_us, sent_at_us) desc, subscription_id offset $2
)
"""

_LIST = """
select subscription_id, agent, created_at_us, sent_at_us from push_subscription
where person_id = $1 order by created_at_us desc, subscription_id
"""

_READ = """
select subscription_id, person_id, endpoint, p256dh, auth, failures, resting_until_us
from push_subscription where subscription_id = $1 and person_id = $2
"""

_REMOVE = """
delete from push_subscription where subscription_id = $1 and person_id = $2 returning true
"""

_REMOVE_ENDPOINT = """
delete from push_subscription where endpoint_sha256 = $1 and person_id = $2
"""

_TOOK = """
update push_subscription set sent_at_us = $2, failures = 0, resting_until_us = 0
where subscription_id = $1
"""

_FAILED = """
update push_subscription set failures = failures + 1, resting_until_us = $2
where subscription_id = $1
"""


async def keep(
    pool: Pool,
    outbound: Outbound,
    person_id: PersonId,
    new: NewSubscription,
    agent: str,
    now_us: int,
) -> str:
    """Send pushes to this device from now on; its id. Raises `Refused` BAD_DEVICE."""
    p256dh, auth = _decoded(new.keys.p256dh, POINT_BYTES), _decoded(new.keys.auth, AUTH_BYTES)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
        await outbound.check(new.endpoint)
    except (ValueError, AddressRefused, NoAnswer):
        raise Refused(Refusal.BAD_DEVICE, field="endpoint") from None
    name = fingerprint(new.endpoint)
    values = (new.endpoint, name, p256dh, auth, agent, now_us)
    async with transaction(pool) as connection:
        await connection.execute(_TAKE, name, person_id)
        kept = await connection.fetchval(_KEEP, new_id("device"), person_id, *values)
        await connection.execute(_TRIM, person_id, MAX_DEVICES)
    if kept is None:  # somebody else has signed in there at the same moment
        raise Refused(Refusal.BAD_DEVICE, field="endpoint")
    return str(kept)


async def devices_of(pool: Pool, person_id: PersonId) -> Sequence[ListedDevice]:
    """A person's devices, the newest first."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_LIST, person_id)
    return [ListedDevice(**row) for row in rows]


async def remove(pool: Pool, person_id: PersonId, subscription_id: str) -> bool:
    """No more pushes to a device of this person; whether there was one."""
    async with acquire(pool) as connection:
        return bool(await connection.fetchval(_REMOVE, subscription_id, person_id))


async def remove_endpoint(pool: Pool, person_id: PersonId, endpoint: str) -> None:
    """The same by the browser's own name of it, as for somebody who signs out."""
    async with acquire(pool) as connection:
        await connection.execute(_REMOVE_ENDPOINT, fingerprint(endpoint), person_id)


async def subscription_of(
    connection: AnyConnection, subscription_id: str, person_id: PersonId
) -> Subscription | None:
    """A device of a person; ``None``: it is not theirs any more."""
    row = await connection.fetchrow(_READ, subscription_id, person_id)
    return None if row is None else Subscription(**row)


async def took(pool: Pool, subscription_id: str, now_us: int) -> None:
    """The device's service has taken a push."""
    async with acquire(pool) as connection:
        await connection.execute(_TOOK, subscription_id, now_us)


async def failed(pool: Pool, subscription: Subscription, now_us: int) -> int:
    """The device's service has failed; until when it is left alone."""
    rest_us = min(2 ** (subscription.failures + 1) * SECOND_US, LONGEST_REST_US)
    async with acquire(pool) as connection:
        await connection.execute(_FAILED, subscription.subscription_id, now_us + rest_us)
    return int(now_us + rest_us)


def _decoded(text: str, length: int) -> bytes:
    """base64url, with or without padding."""
    try:
        plain = text.rstrip("=")
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        data = b""
    if len(data) != length:
        raise Refused(Refusal.BAD_DEVICE, field="keys")
    return data
