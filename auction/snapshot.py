"""The state of a shard as bytes, and back. A snapshot saves folding; it is never the truth.

One that this version cannot read is passed over, and the log is folded from its start.
"""

from typing import Final

import msgspec
from msgspec import Struct

from auction.ids import SaleId
from auction.sale import AcceptedBid, Sale

# Rises whenever the shape of the state changes; a test compares the shape with this number.
SNAPSHOT_FORMAT: Final = 4


class ShardImage(Struct, frozen=True):
    """The sales of a shard, without their accepted bids, and the names of those put away."""

    sales: list[Sale]
    retired: list[SaleId]


class _State(Struct, frozen=True, array_like=True):
    format: int
    image: ShardImage


def encode_image(image: ShardImage) -> bytes:
    """The image; the accepted bids of its sales are left out."""
    bare = [msgspec.structs.replace(sale, accepted={}) for sale in image.sales]
    return _encoder.encode(_State(SNAPSHOT_FORMAT, ShardImage(bare, image.retired)))


def encode_accepted(bids: list[AcceptedBid]) -> bytes:
    """A segment of accepted bids."""
    return _encoder.encode(bids)


def decode_image(state: bytes, segments: list[bytes]) -> ShardImage | None:
    """The image with the accepted bids put back; ``None`` if another version wrote it."""
    try:
        written = msgspec.msgpack.decode(state, type=list[msgspec.Raw])[0]
        if bytes(written) != _encoder.encode(SNAPSHOT_FORMAT):
            return None
        image = _states.decode(state).image
        sales = {sale.sale_id: sale for sale in image.sales}
        for segment in segments:
            for bid in _segments.decode(segment):
                if bid.sale_id in sales:  # else it was put away since
                    sales[bid.sale_id].accepted[bid.bidder_id, bid.bid_id] = bid
    except (msgspec.DecodeError, IndexError):
        return None
    return image


# MessagePack of msgspec's own, which knows the state's types: ten times the speed of going
# through plain values, and a snapshot is encoded while bids wait.
_encoder = msgspec.msgpack.Encoder()
_states = msgspec.msgpack.Decoder(_State)
_segments = msgspec.msgpack.Decoder(list[AcceptedBid])
