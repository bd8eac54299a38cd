"""Event <-> MessagePack: the only serializer of the log.

The body of a logged event is the array [format, public, private, commitment, hash].
``public`` and ``private`` are themselves MessagePack, kept as the very bytes that were hashed:

* ``public``: a map of the header (type, version, sale_id, sequence, lot_sequence, at_us), the
  commitments that a closing event carries, and the fields that everybody may see;
  nil for a private event.
* ``private``: a map of the other fields; for a private event with the header
  (type, version, sale_id, owner_sequence, at_us).

Neither holds the position in the shard, whose gaps would tell of private events.
"""

from typing import Any, Final

import msgpack
import msgspec

from auction.events import EVENT_TYPES, PRIVATE_FIELDS, AnyEvent
from auction.ids import SaleId

BODY_FORMAT: Final = 1
MAX_BODY_BYTES: Final = 16 * 2**20  # far above the largest event that one command can make

_packer = msgpack.Packer(use_bin_type=True, autoreset=True)
_HEADER = ("type", "version", "sale_id", "sequence", "lot_sequence", "owner_sequence", "at_us")


class CorruptLog(Exception):
    """What the log holds is not an event of this or an earlier version."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event in its place: numbered, sealed, and encoded.

    ``sequence`` counts the sale's public events, ``lot_sequence`` those of its lot,
    ``owner_sequence`` the private events of their owner; each from 1, ``None`` where it does
    not apply. ``carried``: commitments of earlier private events that this closing carries.
    """

    position: int
    sale_id: SaleId
    sequence: int | None
    lot_sequence: int | None
    owner_sequence: int | None
    at_us: int
    event: AnyEvent
    carried: tuple[bytes, ...]
    public: bytes | None
    private: bytes
    commitment: bytes
    hash: bytes | None

    @property
    def receipt(self) -> bytes:
        """What a verdict hands out as proof: the hash, or for a private event its commitment."""
        return self.commitment if self.hash is None else self.hash


def pack(value: object) -> bytes:
    """Plain values as MessagePack."""
    packed: bytes = _packer.pack(value)
    return packed


def unpack(data: bytes) -> Any:
    """MessagePack as plain values; ``CorruptLog`` if it is not."""
    try:
        return msgpack.unpackb(data, raw=False, max_bin_len=MAX_BODY_BYTES, strict_map_key=False)
    except Exception as error:  # msgpack raises whatever the bytes lead it to
        raise CorruptLog(f"not MessagePack: {error}") from error


def split_fields(event: AnyEvent) -> tuple[dict[str, Any], dict[str, Any]]:
    """The event's public and private fields as plain values; the type is among the public ones."""
    fields = msgspec.to_builtins(event, builtin_types=(bytes,))
    return fields, {name: fields.pop(name) for name in PRIVATE_FIELDS[type(event)]}


def encode_body(
    public: bytes | None, private: bytes, commitment: bytes, hash_: bytes | None
) -> bytes:
    """The body of a logged event."""
    return pack((BODY_FORMAT, public, private, commitment, hash_))


def decode_body(position: int, body: bytes) -> Recorded:
    """Read a logged event. ``CorruptLog`` names what does not fit."""
    parts = unpack(body)
    if not isinstance(parts, list) or len(parts) != 5 or parts[0] != BODY_FORMAT:
        raise CorruptLog(f"position {position}: not a body of format {BODY_FORMAT}")
    _, public, private, commitment, hash_ = parts
    fields = unpack(private) | (unpack(public) if public is not None else {})
    header = {name: fields.pop(name, None) for name in _HEADER}
    carried = tuple(fields.pop("commitments", ()))
    kind = EVENT_TYPES.get(header["type"])
    if kind is None or header["version"] != kind.VERSION:
        raise CorruptLog(
            f"position {position}: {header['type']} version {header['version']} is not known here; "
            "a newer Softclose wrote it"
        )
    try:
        event = msgspec.convert(fields | {"type": header["type"]}, kind)
    except msgspec.ValidationError as error:
        raise CorruptLog(f"position {position}: {header['type']}: {error}") from error
    return Recorded(
        position=position,
        sale_id=header["sale_id"],
        sequence=header["sequence"],
        lot_sequence=header["lot_sequence"],
        owner_sequence=header["owner_sequence"],
        at_us=header["at_us"],
        event=event,
        carried=carried,
        public=public,
        private=private,
        commitment=commitment,
        hash=hash_,
    )
