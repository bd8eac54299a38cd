"""What our gateway's bytes mean, for the watchers' program."""

from typing import Any, Final

import msgspec

from bidder_gateway.live import PATH
from bidder_gateway.protocol import (
    JSON,
    MSGPACK,
    Conflated,
    EventFrame,
    ServerFrame,
    Subscribed,
)
from load_tests.gateway.sale import SALE
from load_tests.watchers import Speech

_HELLO: Final = {"type": "hello", "client": "load test"}
_SUBSCRIBE: Final = {"type": "subscribe", "request": 1, "sale_id": SALE}


def _packed(value: object) -> bytes:
    return msgspec.msgpack.encode(value)


def _map_of(fields: int) -> bytes:
    return bytes((0x80 | fields,))


def start_of(frame: type[ServerFrame]) -> bytes:
    """How every frame of a kind begins in MessagePack."""
    fields = ("type", *frame.__struct_fields__)
    return _map_of(len(fields)) + _packed("type") + _packed(frame.__struct_config__.tag)


def _text_start_of(frame: type[ServerFrame]) -> bytes:
    return msgspec.json.encode({"type": frame.__struct_config__.tag})[:-1]


def _without_since(frame: dict[str, Any]) -> bytes:
    """A subscribe frame up to the number that ``since`` is."""
    return _map_of(len(frame) + 1) + _packed(frame)[1:] + _packed("since")


AS_MSGPACK: Final = Speech(
    text=False,
    packed=True,
    path=PATH,
    protocol=MSGPACK,
    greetings=[_packed(_HELLO), _packed(_SUBSCRIBE)],
    resume=_without_since(_SUBSCRIBE),
    event=start_of(EventFrame),
    ready=start_of(Subscribed),
    conflated=start_of(Conflated),
    sequence=_packed("sequence"),
    at_us=_packed("at_us"),
    first=_packed("from"),
    last=_packed("to"),
    recovered=_packed("recovered") + b"\xc3",
)

AS_JSON: Final = Speech(
    text=True,
    path=PATH,
    protocol=JSON,
    greetings=[msgspec.json.encode(_HELLO), msgspec.json.encode(_SUBSCRIBE)],
    resume=msgspec.json.encode(_SUBSCRIBE)[:-1] + b',"since":',
    resume_end=b"}",
    event=_text_start_of(EventFrame),
    ready=_text_start_of(Subscribed),
    conflated=_text_start_of(Conflated),
    sequence=b'"sequence":',
    at_us=b'"at_us":',
    first=b'"from":',
    last=b'"to":',
    recovered=b'"recovered":true',
)
