"""What crosses Redis: commands, verdicts and announcements, as MessagePack with a version.

An entry of a stream has a version ``v`` and a body ``b``; what is of another version is not read,
and is to its sender or listener as if it had been lost. Within a version fields may be added at
the end, with a default: a process that does not know them reads over them.

* ``{prefix}:{LANE}:commands:SHARD``: ``g`` the gateway; ``b`` a list of [number, deadline_us,
  kind, command].
* ``{prefix}:{LANE}:events:SHARD``: its id is ``POSITION-0`` of the last event in it, ``first`` the
  position of the first; ``b`` a list of [sale_id, body], bodies as in the log.
* ``{prefix}:replies:GATEWAY``: ``b`` a list of [number, code, message, sequence, receipt, lot,
  minimum_minor].

Shards of a lane share a slot of a Redis Cluster, so that one blocking read hears all of them.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Final, get_args, overload

import msgspec

from auction.chain import body_of
from auction.codec import Recorded, decode_body
from auction.commands import Command, WrongShape
from auction.ids import SHARDS, SaleId, Shard
from auction.rejections import Rejection
from auction.verdicts import Acceptance, LotState, Verdict

VERSION: Final = b"1"
LANES: Final = 8
PREFIX: Final = "softclose"

# In place of a verdict: the door could not have it judged, as its engine does not own the shard or
# did not when the command came. Nothing came of that copy of it there.
MOVED: Final = "MOVED"

_COMMANDS: Final = {kind.__name__: kind for kind in get_args(Command)}
_CODES: Final[Mapping[str, Acceptance | Rejection]] = {
    code.value: code for codes in (Acceptance, Rejection) for code in codes
}
assert len(_CODES) == len(Acceptance) + len(Rejection), "a code is one of both"
assert MOVED not in _CODES, "a code of ours is no verdict's"


class Unreadable(Exception):
    """An entry of another version, or of nobody who knows this format."""


class Keys:
    """The names of the streams. Two installations on one Redis have different prefixes."""

    def __init__(self, prefix: str = PREFIX) -> None:
        self._prefix = prefix

    def commands(self, shard: Shard) -> str:
        """What is to be judged."""
        return f"{self._prefix}:{{{lane_of(shard)}}}:commands:{shard}"

    def events(self, shard: Shard) -> str:
        """What is durable."""
        return f"{self._prefix}:{{{lane_of(shard)}}}:events:{shard}"

    def replies(self, gateway: str) -> str:
        """What this run of a gateway is answered."""
        return f"{self._prefix}:replies:{gateway}"


def lane_of(shard: Shard) -> int:
    """The lane of a shard."""
    return shard % LANES


def lanes() -> list[list[Shard]]:
    """The shards of each lane."""
    return [[Shard(shard) for shard in range(lane, SHARDS, LANES)] for lane in range(LANES)]


# --- Commands ---------------------------------------------------------------------------------


class Sent(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A command under way. ``number`` rises within a gateway; a second copy has another.

    After ``deadline_us`` of engine time nobody waits for it, and it is not judged.
    """

    number: int
    deadline_us: int
    kind: str
    command: msgspec.Raw


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_sent: Final = msgspec.msgpack.Decoder(list[Sent]).decode
_decode_command: Final = {
    name: msgspec.msgpack.Decoder(kind).decode for name, kind in _COMMANDS.items()
}


def encode_command(command: Command) -> msgspec.Raw:
    """A command by itself; its kind goes beside it."""
    return msgspec.Raw(_encode(command))


def decode_command(sent: Sent) -> Command:
    """The command that was sent; ``WrongShape`` says what is wrong with it."""
    decode = _decode_command.get(sent.kind)
    if decode is None:
        raise WrongShape(f"{sent.kind} is no command that is known here")
    try:
        command: Command = decode(sent.command)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise WrongShape(str(error)) from error
    return command


def commands_entry(gateway: str, sent: Sequence[Sent]) -> list[str | bytes]:
    """The fields of an entry with these commands."""
    return ["v", VERSION, "g", gateway, "b", _encode(sent)]


def read_commands(fields: Mapping[bytes, bytes]) -> tuple[str, list[Sent]]:
    """The gateway and its commands; ``Unreadable``."""
    body = _body(fields)
    try:
        return fields[b"g"].decode(), _decode_sent(body)
    except (KeyError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise Unreadable(repr(error)) from error


# --- Replies ----------------------------------------------------------------------------------


class Reply(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What became of a command: the fields of a verdict, or as ``code`` that it was `MOVED`."""

    number: int
    code: str
    message: str = ""
    sequence: int | None = None
    receipt: bytes | None = None
    lot: LotState | None = None
    minimum_minor: int | None = None


_decode_replies: Final = msgspec.msgpack.Decoder(list[Reply]).decode


def reply_of(number: int, verdict: Verdict) -> Reply:
    """A verdict on its way."""
    return Reply(
        number,
        verdict.code,
        verdict.message,
        verdict.sequence,
        verdict.receipt,
        verdict.lot,
        verdict.minimum_minor,
    )


def verdict_of(reply: Reply) -> Verdict | None:
    """The verdict that arrived; ``None``: a code that only a newer version knows."""
    code = _CODES.get(reply.code)
    if code is None:
        return None
    return Verdict(
        code, reply.message, reply.sequence, reply.receipt, reply.lot, reply.minimum_minor
    )


def replies_entry(replies: Sequence[Reply]) -> list[str | bytes]:
    """The fields of an entry with these replies."""
    return ["v", VERSION, "b", _encode(replies)]


def read_replies(fields: Mapping[bytes, bytes]) -> list[Reply]:
    """The replies of an entry; ``Unreadable``."""
    try:
        return _decode_replies(_body(fields))
    except msgspec.MsgspecError as error:
        raise Unreadable(repr(error)) from error


# --- Announcements ----------------------------------------------------------------------------

_decode_logged: Final = msgspec.msgpack.Decoder(list[tuple[SaleId, bytes]]).decode


class Announced(Sequence[Recorded]):
    """Durable events of a shard in their order, each decoded when somebody looks at it."""

    def __init__(self, first: int, logged: Sequence[tuple[SaleId, bytes]]) -> None:
        self.first, self._logged = first, logged

    @property
    def last(self) -> int:
        """The position of the last."""
        return self.first + len(self._logged) - 1

    def after(self, position: int) -> "Announced":
        """What follows a position."""
        skipped = max(0, position + 1 - self.first)
        return self if not skipped else Announced(self.first + skipped, self._logged[skipped:])

    def of(self, sales: Container[SaleId]) -> Iterator[Recorded]:
        """The events of these sales only."""
        for position, (sale_id, body) in enumerate(self._logged, self.first):
            if sale_id in sales:
                yield decode_body(position, body)

    def __len__(self) -> int:
        return len(self._logged)

    @overload
    def __getitem__(self, at: int) -> Recorded: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Recorded]: ...

    def __getitem__(self, at: int | slice) -> Recorded | Sequence[Recorded]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        place = range(len(self))[at]
        return decode_body(self.first + place, self._logged[place][1])


def span_of(recorded: Sequence[Recorded]) -> tuple[int, int]:
    """The first and the last position of a batch that a bus told, without decoding any."""
    if isinstance(recorded, Announced):
        return recorded.first, recorded.last
    return recorded[0].position, recorded[-1].position


def of_sales(recorded: Sequence[Recorded], sales: Container[SaleId]) -> Iterator[Recorded]:
    """The events of these sales, the others not decoded: that takes 6 us for each."""
    if isinstance(recorded, Announced):
        return recorded.of(sales)
    return (one for one in recorded if one.sale_id in sales)


def events_entry(recorded: Sequence[Recorded]) -> list[str | bytes | int]:
    """The fields of an entry with these events."""
    logged = [(one.sale_id, body_of(one)) for one in recorded]
    return ["v", VERSION, "first", recorded[0].position, "b", _encode(logged)]


def read_events(last: int, fields: Mapping[bytes, bytes]) -> Announced:
    """The events of the entry whose id names the position ``last``; ``Unreadable``."""
    body = _body(fields)
    try:
        announced = Announced(int(fields[b"first"]), _decode_logged(body))
    except (KeyError, ValueError, msgspec.MsgspecError) as error:
        raise Unreadable(repr(error)) from error
    if not announced or announced.last != last:
        raise Unreadable(f"events {announced.first} to {announced.last} are entry {last}")
    return announced


def _body(fields: Mapping[bytes, bytes]) -> bytes:
    if fields.get(b"v") != VERSION or b"b" not in fields:
        raise Unreadable(f"version {fields.get(b'v')!r} is not known here")
    return fields[b"b"]
