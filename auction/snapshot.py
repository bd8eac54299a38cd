"""The state of a shard as bytes, and back. A snapshot saves folding; it is never the truth.

One that this version cannot read is passed over, and the log is folded from its start.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from auction.codec import CorruptLog, pack, unpack
from auction.ids import BidderId, BidId, LotId, SaleId
from auction.sale import AcceptedBid, Sale

# Rises whenever the shape of the state changes; a test compares the shape with this number.
SNAPSHOT_FORMAT: Final = 1


class AcceptedEntry(Struct, frozen=True, array_like=True, gc=False):
    """An accepted bid with its place in the state."""

    sale_id: SaleId
    bidder_id: BidderId
    bid_id: BidId
    lot_id: LotId
    amount_minor: int
    code: str
    sequence: int | None
    receipt: bytes


class ShardImage(Struct, frozen=True):
    """The sales of a shard, without their accepted bids, and the names of those put away."""

    sales: list[Sale]
    retired: list[SaleId]


def encode_image(image: ShardImage) -> bytes:
    """The image; the accepted bids of its sales are left out."""
    bare = [msgspec.structs.replace(sale, accepted={}) for sale in image.sales]
    plain = msgspec.to_builtins(ShardImage(bare, image.retired), builtin_types=(bytes,))
    return pack([SNAPSHOT_FORMAT, plain])


def encode_accepted(entries: list[AcceptedEntry]) -> bytes:
    """A segment of accepted bids."""
    return pack(msgspec.to_builtins(entries, builtin_types=(bytes,)))


def decode_image(state: bytes, segments: list[bytes]) -> ShardImage | None:
    """The image with the accepted bids put back; ``None`` if another version wrote it."""
    try:
        format_, plain = unpack(state)
        if format_ != SNAPSHOT_FORMAT:
            return None
        image = msgspec.convert(plain, ShardImage)
        sales = {sale.sale_id: sale for sale in image.sales}
        for segment in segments:
            _put_back(sales, unpack(segment))
    except (CorruptLog, msgspec.ValidationError, TypeError, ValueError):
        return None
    return image


def _put_back(sales: dict[SaleId, Sale], plain: Any) -> None:
    for entry in msgspec.convert(plain, list[AcceptedEntry]):
        sale = sales.get(entry.sale_id)
        if sale is not None:  # put away since
            sale.accepted[entry.bidder_id, entry.bid_id] = AcceptedBid(
                entry.lot_id, entry.amount_minor, entry.code, entry.sequence, entry.receipt
            )
