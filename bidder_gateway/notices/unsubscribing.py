"""Links that end a kind of mail (RFC 8058), without signing in.

A link names a person and a kind and is signed; whoever has it can do nothing but turn off mails of
that kind. Opening it asks first, for programs that look at links in mails open them too; a mail
program's own button sends the POST at once.
"""

import base64
import binascii
import hmac
from hashlib import sha256
from typing import Final

import msgspec

from accounts.ids import PersonId
from bidder_gateway.notices.kinds import MANNERS, Kind

PATH: Final = "/notices/unsubscribe"
# Enough that nobody finds one by trying, and short enough for a header's line.
SIGNATURE_BYTES: Final = 16
LONGEST: Final = 400


def token_of(link_key: bytes, person_id: PersonId, kind: Kind) -> str:
    """The last part of the link."""
    named = msgspec.msgpack.encode((person_id, kind))
    return base64.urlsafe_b64encode(_signature(link_key, named) + named).decode().rstrip("=")


def read_token(link_key: bytes, token: str) -> tuple[PersonId, Kind] | None:
    """Whose mails of what kind; ``None``: it is no link of ours."""
    if len(token) > LONGEST:
        return None
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        signature, named = data[:SIGNATURE_BYTES], data[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _signature(link_key, named)):
            return None
        person_id, kind = msgspec.msgpack.decode(named, type=tuple[str, str])
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        return None
    return (PersonId(person_id), Kind(kind)) if kind in MANNERS else None


def _signature(link_key: bytes, named: bytes) -> bytes:
    return hmac.digest(link_key, b"unsubscribe" + named, sha256)[:SIGNATURE_BYTES]
