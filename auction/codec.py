"""Event <-> MessagePack: the only serializer of the log.

The body of a logged event is the array [format, public, private, commitment, hash].
``public`` and ``private`` are themselves MessagePack, kept as the very bytes that were hashed:

* ``public``: a map of the header (type, version, sale_id, sequence, lot_sequence, at_us), the
  commitments that a closing event carries, and the fields that everybody may see;
  nil for a private event.
* ``private``: a map of the other fields; for a private event with the header
  (type, version, sale_id, owner_sequence, at_us).

Neither holds the position in the shard, whose gaps would tell of private events.

An event of an older version is read as one of today's (``older``); its bytes stay what they were.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from types import NoneType
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgpack
import msgspec

from auction.events import CARRIERS, EVENT_TYPES, PRIVATE_FIELDS, AnyEvent
from auction.ids import SaleId
from auction.older import OLDER, as_of_today
from auction.terms import Digest

T = TypeVar("T")

BODY_FORMAT: Final = 1
MAX_BODY_BYTES: Final = 16 * 2**20  # far above the largest event that one command can make

_packer = msgpack.Packer(use_bin_type=True, autoreset=True)


class CorruptLog(Exception):
    """What the log holds is not an event of this or an earlier version."""


class _Body(msgspec.Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    format: Literal[1]
    public: bytes | None
    private: bytes
    commitment: Digest
    hash: Digest | None


class _Header(msgspec.Struct, gc=False):
    type: str
    version: int
    sale_id: SaleId
    at_us: int
    sequence: int | None = None
    lot_sequence: int | None = None
    owner_sequence: int | None = None
    commitments: tuple[Digest, ...] = ()


_BESIDES = tuple(name for name in _Header.__struct_fields__ if name != "type")


class Recorded(msgspec.Struct, frozen=True, gc=False):
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


class _Layout(msgspec.Struct, frozen=True):
    """How the events of a type are written: each part a struct whose fields name a map's entries.

    Structs, since msgspec encodes one in a fifth of the time of a map; the bytes are the same.
    """

    public: Callable[..., msgspec.Struct]
    private: Callable[..., msgspec.Struct]
    public_values: Callable[[AnyEvent], tuple[Any, ...]]
    private_values: Callable[[AnyEvent], tuple[Any, ...]]


def _layout(kind: type[AnyEvent]) -> _Layout:
    hidden = PRIVATE_FIELDS[kind]
    public = [name for name in kind.__struct_fields__ if name not in hidden]
    private = [name for name in kind.__struct_fields__ if name in hidden]
    header = ["type", "version", "sale_id", "at_us"]
    if not kind.PUBLIC:
        whole = _part(*header, "owner_sequence", *private)
        return _Layout(whole, whole, _reader(public), _reader(private))
    numbers = ["sequence"]
    if "lot_id" in kind.__struct_fields__:
        numbers.append("lot_sequence")
    if kind in CARRIERS:
        numbers.append("commitments")
    seen = _part(*header, *numbers, *public)
    return _Layout(seen, _part(*private), _reader(public), _reader(private))


def _part(*names: str) -> Callable[..., msgspec.Struct]:
    return msgspec.defstruct("Part", [(name, Any) for name in names], gc=False)


def _reader(names: Sequence[str]) -> Callable[[AnyEvent], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)  # a tuple, but only for two names or more
    return lambda event: tuple(getattr(event, name) for name in names)


_LAYOUTS = {kind: _layout(kind) for kind in EVENT_TYPES.values()}
_encode = msgspec.msgpack.Encoder().encode


def encode_public(
    event: AnyEvent, sale_id: SaleId, at_us: int, numbers: Sequence[object]
) -> tuple[bytes, bytes]:
    """Both parts of a public event. ``numbers``: its sequence, that of its lot if it has one, and
    the commitments that it carries if it ends something."""
    layout = _LAYOUTS[type(event)]
    values = layout.public_values(event)
    public = layout.public(event.TYPE, event.VERSION, sale_id, at_us, *numbers, *values)
    return _encode(public), _encode(layout.private(*layout.private_values(event)))


def encode_private(event: AnyEvent, sale_id: SaleId, at_us: int, owner_sequence: int) -> bytes:
    """The one part of a private event."""
    layout = _LAYOUTS[type(event)]
    values = layout.private_values(event)
    return _encode(
        layout.private(event.TYPE, event.VERSION, sale_id, at_us, owner_sequence, *values)
    )


def encode_body(
    public: bytes | None, private: bytes, commitment: bytes, hash_: bytes | None
) -> bytes:
    """The body of a logged event."""
    return _encode((BODY_FORMAT, public, private, commitment, hash_))


def decode_body(position: int, body: bytes) -> Recorded:
    """Read a logged event. ``CorruptLog`` names the place and what does not fit."""
    try:
        return _decoded(position, body)
    except (CorruptLog, msgspec.ValidationError) as error:
        raise CorruptLog(f"position {position}: {error}") from error


def _decoded(position: int, data: bytes) -> Recorded:
    body = _convert(unpack(data), _Body)
    fields = _unpack_map(body.private)
    if body.public is not None:
        fields |= _unpack_map(body.public)
    header = _convert(fields, _Header)
    kind = EVENT_TYPES.get(header.type)
    if kind is None or not is_known(kind, header.version):
        raise CorruptLog(
            f"{header.type} version {header.version} is not known here; a newer Softclose wrote it"
        )
    public = body.public is not None
    if (
        public is not kind.PUBLIC
        or (body.hash is not None) is not public
        or (header.sequence is not None) is not public
        or (header.owner_sequence is None) is not public
    ):
        raise CorruptLog(f"{header.type}: public and private parts are mixed up")
    for name in _BESIDES:
        fields.pop(name, None)
    if header.version != kind.VERSION:
        fields = dict(as_of_today(header.type, header.version, fields))
    return Recorded(
        position=position,
        sale_id=header.sale_id,
        sequence=header.sequence,
        lot_sequence=header.lot_sequence,
        owner_sequence=header.owner_sequence,
        at_us=header.at_us,
        event=_convert(fields, kind),
        carried=header.commitments,
        public=body.public,
        private=body.private,
        commitment=body.commitment,
        hash=body.hash,
    )


def is_known(kind: type[AnyEvent], version: int) -> bool:
    """Whether events of this version can be read here."""
    return version == kind.VERSION or (kind.TYPE, version) in OLDER


def private_names(kind: type[AnyEvent], version: int) -> frozenset[str]:
    """The fields that an event of this version keeps apart from the public."""
    older = OLDER.get((kind.TYPE, version))
    return frozenset(PRIVATE_FIELDS[kind] if older is None else older.private)


def _unpack_map(data: bytes) -> dict[str, Any]:
    fields = unpack(data)
    if not isinstance(fields, dict):
        raise CorruptLog("a part is not a map of fields")
    return fields


def _convert(value: object, kind: type[T]) -> T:
    # bytes stand for themselves; without this, text would be taken for their base64.
    return msgspec.convert(value, kind, builtin_types=(bytes,))


class PublicPart(msgspec.Struct, frozen=True, gc=False):
    """A public event as it is given out, not looked into."""

    public: bytes
    commitment: bytes
    hash: bytes


def public_part(body: bytes) -> PublicPart | None:
    """What everybody may have of a logged event, unread; ``None``: nothing. `CorruptLog`."""
    try:
        parts = _convert(unpack(body), _Body)
    except msgspec.ValidationError as error:
        raise CorruptLog(str(error)) from error
    if parts.public is None or parts.hash is None:
        return None
    return PublicPart(parts.public, parts.commitment, parts.hash)


def decode_public(public: bytes, commitment: bytes, hash_: bytes) -> Recorded:
    """Read a public event as an outsider has it; ``CorruptLog`` says what does not fit.

    Its position is 0, and every private field is blank.
    """
    fields = _unpack_map(public)
    kind = EVENT_TYPES.get(str(fields.get("type")))
    blank = {} if kind is None else _blank_of(kind, fields.get("version"))
    if blank.keys() & fields.keys():
        raise CorruptLog("a private field stands in the public part")
    try:
        return _decoded(0, encode_body(public, pack(blank), commitment, hash_))
    except msgspec.ValidationError as error:
        raise CorruptLog(str(error)) from error


def _blank_of(kind: type[AnyEvent], version: object) -> dict[str, Any]:
    older = OLDER.get((kind.TYPE, version)) if isinstance(version, int) else None
    return _BLANK[kind] if older is None else dict(older.private)


def _blank(kind: type[AnyEvent]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: _nothing(hints[name]) for name in PRIVATE_FIELDS[kind]}


def _nothing(hint: Any) -> object:
    """The empty value of a type: "", 0, False, b"", () or, where that is allowed, None."""
    if NoneType in get_args(hint):
        return None
    plain = get_origin(hint) or getattr(hint, "__supertype__", hint)
    return plain()


_BLANK = {kind: _blank(kind) for kind in EVENT_TYPES.values()}
