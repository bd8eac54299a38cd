"""Numbers, commitments and the hash chain: how a decided event becomes a recorded one.

Each public event carries SHA-256(previous hash of the sale || public part || commitment).
The commitment is HMAC-SHA-256(k, private part) with k = HMAC-SHA-256(sale secret, position),
so that opening one event reveals that event alone. A private event is not in the chain;
its commitment is in the closing event of its lot, or in SaleClosed. Anybody can check the
chain; a bidder who is given k can check the own private parts (``audit``).

``seal`` looks, ``apply`` changes. Both the writer and recovery go through ``apply``.
"""

from hashlib import sha256

from auction.codec import Recorded, encode_body, encode_private, encode_public
from auction.events import (
    CARRIERS,
    AnyEvent,
    BidPlaced,
    MaximumRaised,
    SaleScheduled,
    lot_of,
)
from auction.ids import LotId
from auction.sale import AcceptedBid, LotStatus, Sale, evolve
from auction.verdicts import Acceptance

SALE_ITSELF = ""  # the key of commitments that belong to no lot

# An enum's member is looked up through its metaclass at every use; a bid needs two.
_LEADING, _OUTBID = Acceptance.LEADING, Acceptance.OUTBID

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104) under a key of at most 64 bytes.

    As ``hmac.digest``, which looks the hash function up anew at every call and so takes twice
    the time of a bid's two.
    """
    block = key.ljust(64, b"\0")
    inner = sha256(block.translate(_INNER) + message).digest()
    return sha256(block.translate(_OUTER) + inner).digest()


def commitment_key(secret: bytes, position: int) -> bytes:
    """k of the event at this position of the sale's shard."""
    return hmac_sha256(secret, position.to_bytes(8, "big"))


def commitment_of(secret: bytes, position: int, private: bytes) -> bytes:
    """The commitment to a private part."""
    return hmac_sha256(commitment_key(secret, position), private)


def chain_hash(previous: bytes, public: bytes, commitment: bytes) -> bytes:
    """The hash of a public event; the first of a sale follows 32 zero bytes."""
    return sha256(previous + public + commitment).digest()


def seal(sale: Sale, event: AnyEvent, position: int, at_us: int) -> Recorded:
    """Number, encode and hash the next event of ``sale``, which goes to ``position``."""
    lot_id, sale_id = lot_of(event), sale.sale_id
    secret = event.secret if type(event) is SaleScheduled else sale.secret
    sequence = lot_sequence = owner_sequence = public = hash_ = None
    carried: tuple[bytes, ...] = ()
    if event.PUBLIC:
        sequence = sale.sequence + 1
        numbers: list[object] = [sequence]
        if lot_id is not None:
            lot_sequence = sale.lot_sequences.get(lot_id, 0) + 1
            numbers.append(lot_sequence)
        if type(event) in CARRIERS:
            carried = tuple(sale.open_commitments.get(lot_id or SALE_ITSELF, ()))
            numbers.append(carried)
        public, private = encode_public(event, sale_id, at_us, numbers)
        commitment = commitment_of(secret, position, private)
        hash_ = chain_hash(sale.head, public, commitment)
    else:
        owner_sequence = sale.owner_sequences.get(owner_of(sale, event), 0) + 1
        private = encode_private(event, sale_id, at_us, owner_sequence)
        commitment = commitment_of(secret, position, private)
    return Recorded(  # by place, which costs less than by name
        position,
        sale_id,
        sequence,
        lot_sequence,
        owner_sequence,
        at_us,
        event,
        carried,
        public,
        private,
        commitment,
        hash_,
    )


def body_of(recorded: Recorded) -> bytes:
    """What the log stores of a recorded event."""
    return encode_body(recorded.public, recorded.private, recorded.commitment, recorded.hash)


def owner_of(sale: Sale, event: AnyEvent) -> str:
    """Who counts a private event: the bidder it is about, else the liquidator."""
    bidder_id: str | None = getattr(event, "bidder_id", None)
    return sale.liquidator_id if bidder_id is None else bidder_id


def apply(sale: Sale, recorded: Recorded) -> None:
    """Fold a recorded event into the state: its meaning, then its numbers."""
    event = recorded.event
    assert recorded.at_us >= sale.last_at_us, "time does not fall along the log"
    lot_id = lot_of(event)
    if recorded.hash is None:
        owner = owner_of(sale, event)
        assert recorded.owner_sequence == sale.owner_sequences.get(owner, 0) + 1, "owner's gap"
        sale.owner_sequences[owner] = recorded.owner_sequence
        key = lot_id if _carries(sale, lot_id) else SALE_ITSELF
        sale.open_commitments.setdefault(key or SALE_ITSELF, []).append(recorded.commitment)
    else:
        assert recorded.sequence == sale.sequence + 1, "a gap in the sale's sequence"
        sale.sequence, sale.head = recorded.sequence, recorded.hash
        if lot_id is not None:
            lot_sequence = sale.lot_sequences.get(lot_id, 0) + 1
            assert recorded.lot_sequence == lot_sequence, "a gap in the lot's sequence"
            sale.lot_sequences[lot_id] = lot_sequence
        if type(event) in CARRIERS:
            sale.open_commitments.pop(lot_id or SALE_ITSELF, None)
    sale.last_at_us = recorded.at_us
    evolve(sale, event, recorded.at_us, recorded.position)
    if type(event) is BidPlaced or type(event) is MaximumRaised:
        sale.accepted[event.bidder_id, event.bid_id] = AcceptedBid(
            sale.sale_id,
            event.bidder_id,
            event.bid_id,
            event.lot_id,
            event.maximum_minor,
            acceptance_of(event),
            recorded.sequence,
            recorded.receipt,
        )


def _carries(sale: Sale, lot_id: LotId | None) -> bool:
    """Whether a closing event of this lot is still to come."""
    if lot_id is None:
        return False
    return sale.lots[lot_id].status in (LotStatus.LIVE, LotStatus.IF_BID)


def acceptance_of(event: AnyEvent) -> Acceptance:
    """The code that an accepted command is answered with."""
    if type(event) is BidPlaced:
        return _LEADING if event.leader == event.paddle else _OUTBID
    return _LEADING if type(event) is MaximumRaised else Acceptance.ACCEPTED
