"""Frames as bytes: the JSON and the MessagePack form, and the WebSocket header around them.

What clients send is decoded strictly: an unknown field, a field that stands twice, a float where
an integer belongs, NaN, or nesting without end is refused, and the refusal names the place.
"""

import json
from collections.abc import Callable
from typing import Any, Final, NoReturn

import msgpack
import msgspec
from msgspec import Struct

from bidder_gateway.protocol import JSON, MSGPACK, AnyClientFrame, ServerFrame

# Opcodes of RFC 6455 with the bit that says that the message is whole.
_TEXT, _BINARY, _PING, PONG = 0x81, 0x82, 0x89, 0x8A


class BadFrame(ValueError):
    """What a client sent is not a frame of the protocol. ``request``: its number, if it has one."""

    def __init__(self, message: str, request: int | None = None) -> None:
        super().__init__(message)
        self.request = request


class Encoding(Struct, frozen=True, eq=False):
    """One of the two forms. ``text``: whether messages are text. Compared by identity."""

    name: str
    text: bool
    encode: Callable[[object], bytes]
    parse: Callable[[Any], object]

    def frame(self, frame: ServerFrame) -> bytes:
        """A server's frame with its WebSocket header, ready for the socket."""
        return self.message(self.encode(frame))

    def message(self, payload: bytes) -> bytes:
        """A payload with its WebSocket header: from a server, whole and unmasked."""
        return header(_TEXT if self.text else _BINARY, len(payload)) + payload

    def read(self, data: str | bytes) -> AnyClientFrame:
        """A client's frame; raises `BadFrame`."""
        value: object = None
        try:
            value = self.parse(data)
            return _convert(value)
        except (msgspec.ValidationError, ValueError, RecursionError, TypeError) as error:
            raise BadFrame(_complaint(error), _request_of(value)) from None
        except Exception as error:  # msgpack raises whatever hostile bytes lead it to
            raise BadFrame(f"not {self.name}", _request_of(value)) from error


def header(opcode: int, length: int) -> bytes:
    """The header of an unmasked message (RFC 6455, 5.2)."""
    if length < 126:
        return bytes((opcode, length))
    if length < 65_536:
        return bytes((opcode, 126)) + length.to_bytes(2, "big")
    return bytes((opcode, 127)) + length.to_bytes(8, "big")


PING: Final = header(_PING, 0)


def _convert(value: object) -> AnyClientFrame:
    frame: AnyClientFrame = msgspec.convert(value, AnyClientFrame)
    return frame


def _complaint(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return str(error)[:300] or "not a frame of this protocol"


def _request_of(value: object) -> int | None:
    request = value.get("request") if isinstance(value, dict) else None
    fits = type(request) is int and 0 <= request < 2**53
    return request if fits else None


def _once(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of this protocol")


def _parse_json(data: str) -> object:
    return json.loads(data, object_pairs_hook=_once, parse_constant=_no_constant)


def _parse_msgpack(data: bytes) -> object:
    # Lengths beyond the data are refused by the library, nesting beyond its stack too.
    return msgpack.unpackb(data, object_pairs_hook=_once, strict_map_key=True)


AS_JSON: Final = Encoding(JSON, text=True, encode=msgspec.json.Encoder().encode, parse=_parse_json)
AS_MSGPACK: Final = Encoding(
    MSGPACK, text=False, encode=msgspec.msgpack.Encoder().encode, parse=_parse_msgpack
)

ENCODINGS: Final = {encoding.name: encoding for encoding in (AS_JSON, AS_MSGPACK)}
