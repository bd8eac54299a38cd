"""Whether bytes come from the payment provider: docs.stripe.com/webhooks/signature. Pure.

The SDK's own check takes a moment from the clock, one secret at a time, and lets a signature of any
future moment pass; the rest is the same.
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

# Stripe's own default. It signs each delivery anew, also a repeated one.
TOLERANCE_S: Final = 300
MAX_HEADER: Final = 2_048
# More than one while the secret is exchanged.
MAX_SIGNATURES: Final = 8


def signed(body: bytes, header: str, secrets: Sequence[str], now_s: int) -> bool:
    """Whether one of the secrets has signed these bytes, within `TOLERANCE_S` of now."""
    if len(header) > MAX_HEADER:
        return False
    parts = [part.partition("=") for part in header.split(",")]
    moments = [value for name, _, value in parts if name.strip() == "t"]
    given = [value.strip() for name, _, value in parts if name.strip() == "v1"]
    if len(moments) != 1 or not given or len(given) > MAX_SIGNATURES:
        return False
    (moment,) = moments
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
        return False
    if abs(now_s - int(moment)) > TOLERANCE_S:
        return False
    content = b"%s.%s" % (moment.encode(), body)
    expected = [hmac.new(secret.encode(), content, sha256).hexdigest() for secret in secrets]
    # Every pair is compared, so that the time says nothing of which one fits.
    fits = [
        hmac.compare_digest(one.encode(), other.encode()) for one in expected for other in given
    ]
    return any(fits)
