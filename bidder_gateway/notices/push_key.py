"""The key that pushes are signed with (VAPID, RFC 8292).

A browser binds its subscription to the public half: with another key all subscriptions are dead.
So without a setting it is made once and kept in the database, where a backup and every process of
an installation has it. Links in mails are signed with a key derived from it.
"""

import asyncio
import base64
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02  # type: ignore[import-untyped]

from foundation.database import Pool, transaction

# A signature lasts at most a day (RFC 8292); one is used for each push service until half is over.
LIFETIME_S: Final = 12 * 3_600
RENEWED_AFTER_S: Final = 6 * 3_600
# There are a handful of push services; more are somebody's own inventions.
REMEMBERED: Final = 200
SCALAR_BYTES: Final = 32

_MAKE = "insert into notice_key (name, secret) values ('push', $1) on conflict do nothing"
_READ = "select secret from notice_key where name = 'push'"


class BadPushKey(ValueError):
    """Not a private key of the curve P-256, as 32 bytes in base64url."""


class PushKey:
    """The private key, and signatures with it; ``contact`` tells push services who we are."""

    def __init__(self, scalar: bytes, contact: str, now_s: Callable[[], float] = time.time) -> None:
        try:
            number = int.from_bytes(scalar, "big")
            self._private = ec.derive_private_key(number, ec.SECP256R1())
        except ValueError:
            raise BadPushKey from None
        self._vapid = Vapid02(self._private)
        self._contact, self._now_s = contact, now_s
        self._signed: dict[str, tuple[float, str]] = {}
        self._derived = HKDF(
            algorithm=hashes.SHA256(),
            length=32,
            salt=None,
            info=b"softclose notices: links in mails",
        ).derive(scalar)

    @property
    def public(self) -> str:
        """What a browser subscribes with, in base64url."""
        point = self._private.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        return base64.urlsafe_b64encode(point).decode().rstrip("=")

    @property
    def link_key(self) -> bytes:
        """The key of links in mails."""
        return self._derived

    def authorization(self, endpoint: str) -> str:
        """The header that says to the endpoint's push service that it is us."""
        parts = urlsplit(endpoint)
        audience, now_s = f"{parts.scheme}://{parts.netloc}", self._now_s()
        until_s, header = self._signed.get(audience, (0.0, ""))
        if until_s <= now_s:
            claims = {"aud": audience, "sub": self._contact, "exp": int(now_s) + LIFETIME_S}
            header = str(self._vapid.sign(claims)["Authorization"])
            if len(self._signed) >= REMEMBERED:
                self._signed.clear()
            self._signed[audience] = (now_s + RENEWED_AFTER_S, header)
        return header


def new_scalar() -> bytes:
    """A new private key."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return number.to_bytes(SCALAR_BYTES, "big")


def scalar_of(setting: str) -> bytes:
    """The key that a setting holds. Raises `BadPushKey`, without repeating it."""
    try:
        scalar = base64.b64decode(
            setting + "=" * (-len(setting) % 4), altchars=b"-_", validate=True
        )
        if len(scalar) != SCALAR_BYTES:
            raise BadPushKey
        ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())
    except ValueError:
        raise BadPushKey("must be 32 bytes in base64url, a private key of P-256") from None
    return scalar


async def kept_scalar(pool: Pool) -> bytes:
    """The installation's key; made by whoever asks first."""
    made = await asyncio.to_thread(new_scalar)
    async with transaction(pool) as connection:
        await connection.execute(_MAKE, made)
        return bytes(await connection.fetchval(_READ))


def fingerprint(endpoint: str) -> bytes:
    """By what an endpoint is found: it is itself a secret, and long."""
    return sha256(endpoint.encode()).digest()
