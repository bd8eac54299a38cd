"""Names of things. Every id is a ``NewType``: a bare ``str`` never crosses a border."""

import hashlib
from typing import Annotated, Final, NewType

from msgspec import Meta

SaleId = NewType("SaleId", str)
LotId = NewType("LotId", str)  # unique within its sale: "12", "12A"
BidderId = NewType("BidderId", str)  # a reseller (an organisation), the same in every sale
LiquidatorId = NewType("LiquidatorId", str)
ActorId = NewType("ActorId", str)  # the person or process that gave a command, for the audit
BidId = NewType("BidId", str)  # a UUID made by the client, lower case with hyphens
PersonId = NewType("PersonId", str)  # a person of a bidder's team
Paddle = NewType("Paddle", int)  # a bidder's number in one sale; it means nothing in another
Shard = NewType("Shard", int)

# An id is a short word without white space, so that it can stand in a URL, a log line
# and a file name. ``\Z``, since ``$`` would also let a trailing line feed through.
WORD: Final = r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}"
UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_WORD = Meta(min_length=1, max_length=64, pattern=rf"\A{WORD}\Z")
_UUID = Meta(pattern=rf"\A{UUID}\Z")

ASaleId = Annotated[SaleId, _WORD]
ALotId = Annotated[LotId, _WORD]
ABidderId = Annotated[BidderId, _WORD]
ALiquidatorId = Annotated[LiquidatorId, _WORD]
AnActorId = Annotated[ActorId, _WORD]
APersonId = Annotated[PersonId, _WORD]
ABidId = Annotated[BidId, _UUID]

# Sixty-four shards are enough to spread over more engines than one PostgreSQL can feed,
# and few enough that one statement appends to all of them. The number is part of the
# log: it never changes, because a sale lives in the shard that it was first written to.
SHARDS: Final = 64


def shard_of(sale_id: SaleId) -> Shard:
    """The shard of a sale: the first 8 bytes of SHA-256(sale id), big-endian, modulo ``SHARDS``."""
    digest = hashlib.sha256(sale_id.encode()).digest()
    return Shard(int.from_bytes(digest[:8], "big") % SHARDS)
