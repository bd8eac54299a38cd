"""Random secrets that people and programs carry: cookies, tokens, tickets, links in mails.

Only the SHA-256 of a secret is kept. That is enough, unlike for passwords: nobody can try
2**256 of them, so slowness would protect nothing and cost every request.
"""

import hashlib
import secrets
from typing import NewType

# Never logged, never stored, shown once.
Secret = NewType("Secret", str)

SECRET_BYTES = 32
# Longer input is no secret of ours; hashing it would be work for whoever sent it.
LONGEST = 256


def new_secret(prefix: str = "") -> Secret:
    """256 random bits as base64url, behind a prefix by which leaked ones can be searched for."""
    return Secret(prefix + secrets.token_urlsafe(SECRET_BYTES))


def digest_of(secret: str) -> bytes:
    """What is kept of a secret, and looked up by: an index needs no comparison in constant time."""
    if len(secret) > LONGEST:
        return b""  # matches nothing, for a digest has 32 bytes
    return hashlib.sha256(secret.encode(errors="replace")).digest()
