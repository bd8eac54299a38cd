"""docs/protocol.md and docs/asyncapi.json, made from the frames' definitions.

``python -m bidder_gateway.reference`` writes both; a test compares.
"""

import inspect
import json
import re
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from bidder_gateway.channel import TICK_S
from bidder_gateway.connection import COME_BACK_MS
from bidder_gateway.following import MAX_RESUME
from bidder_gateway.gateway import MANY_EVENTS, PING_ACTIVE_S, PING_IDLE_S, PONG_WITHIN_S
from bidder_gateway.hub import PROGRESS_BYTES, STALLED_S
from bidder_gateway.limits import Limits
from bidder_gateway.live import PATH
from bidder_gateway.protocol import (
    CLOSE_MEANINGS,
    ERROR_MEANINGS,
    JSON,
    MAX_FRAME_BYTES,
    MAX_LOTS,
    MSGPACK,
    AnyClientFrame,
    AnyServerFrame,
    LotView,
    MaximumOffer,
    SaleView,
    Viewer,
)
from bidder_gateway.session import HELLO_WITHIN_S

DOCS: Final = Path(__file__).parents[1] / "docs"

_REF = "#/components/schemas/{name}"
_LIMITS = Limits()

_HEAD = f"""# The live protocol

Made by `python -m bidder_gateway.reference` from `bidder_gateway/protocol.py`. For programs:
[asyncapi.json](asyncapi.json). Events, refusals and lots are in [reference.md](reference.md);
how to check a result is in [verifying.md](verifying.md). A client in Python is
`bidder_gateway/client.py`.

Money is in minor units of the sale's currency; times are microseconds since the epoch, UTC.

## Connecting

A WebSocket to `{PATH}` that offers one of the subprotocols

* `{JSON}`: text messages, each a JSON object; bytes are base64;
* `{MSGPACK}`: binary messages, each a MessagePack map; bytes are bytes.

Both carry the same frames, maps with a `type`. The address takes no query: a ticket or token in
it would end up in logs. A page of another site is refused with 403.

The first frame is `hello`, within {HELLO_WITHIN_S:g} s. It carries

* a `ticket` from `POST /api/v1/tickets`: good for 30 s and for one connection, for pages;
* or a `token`, an API token with the scope `bid` to bid or `read` to watch, for programs;
* or neither: a guest, who may watch public sales.

`welcome` answers. The connection then lasts until one side ends it; the login's end ends it too,
within 5 s.

## Following a sale

`subscribe` names a sale, and perhaps up to {MAX_LOTS} of its lots. The answer is `subscribed`, then

* without `since`: a `snapshot`, and every event after its `sequence`;
* with `since` and `recovered: true`: every event after `since`;
* with `since` and `recovered: false` (it is too far back, more than {MAX_RESUME:,} events, or never
  was): a `snapshot`, as without `since`.

A registered bidder also gets `standing`, its own part of the sale: after the snapshot, after what
a resume had to bring, and after each `conflated`.

`event.sequence` has no gaps and never repeats within a sale. Who follows chosen lots sees
`event.lot_sequence` without gaps for each of them, and the events of the sale as a whole. Events
of a moment come together: the first at once, those within the next {TICK_S * 1000:g} ms or so in
one write. A client that reads too slowly gets `conflated` in place of what it missed, with the
first and the last sequence and the state after them.

After a cut, connect again, say hello with a new ticket, and subscribe with `since`: the sequence
of the last event that was seen, or `to` of the last `conflated`, or that of the `snapshot`.

## Bidding

`bid` is answered by one `verdict`, once what it rests on is durable. The code is `LEADING`,
`OUTBID`, or a refusal. `BUSY` and `UNAVAILABLE` mean that nothing is known to be recorded: send
the same frame again, with the same `bid_id`. The same is right after a cut and after no answer
for some seconds: an accepted `bid_id` is never accepted twice, and gets its first verdict again.

The `receipt` proves an accepted bid: it is the `hash` of its event, or for a bid that rivals do
not see the commitment that the lot's closing event carries.

## Time

Ends are in the server's time. A client samples it: `time` with its own clock c0, answered with s1
and s2; with c3 when the answer came, the server is ahead by ((s1 - c0) + (s2 - c3)) / 2, wrong by
at most half of (c3 - c0) - (s2 - s1). Keep the sample with the smallest error of the last eight.

## Checking the chain

`hash` = SHA-256(`hash` of the sale's event before || public part || `commitment`). The public
part is the `event` map as MessagePack, fields in the order in which they stand, integers in the
shortest form: in `{MSGPACK}` the very bytes of the frame. `snapshot` and `conflated` carry
the hash to go on from as `sale.hash`.

## Keeping up, and limits

The server pings: a quiet connection every {PING_IDLE_S:g} s, one that was sent frames of its own or
{MANY_EVENTS} events since the last ping every {PING_ACTIVE_S:g} s. A pong is due within
{PONG_WITHIN_S:g} s. A client that does not read what was sent, not even
{PROGRESS_BYTES // 1024} KiB of it in {STALLED_S:g} s, is cut off. A message has at most
{MAX_FRAME_BYTES // 1024} KiB.

A connection may send {_LIMITS.frames.per_s:g} frames a second ({_LIMITS.frames.burst:g} at once),
pings counted, all connections of an account {_LIMITS.account_frames.per_s:g}, all guests of an
address {_LIMITS.address_frames.per_s:,g}. Frames beyond are not looked at; the client is told
`SLOW_DOWN`, and after {_LIMITS.patience.burst:g} of them in short time sent away. Of the frames at
most {_LIMITS.subscribes.per_s:g} a second are `subscribe` ({_LIMITS.subscribes.burst:g} at once). A
connection may follow {_LIMITS.subscriptions} sales and have {_LIMITS.bids_at_once} bids waiting; an
account may have {_LIMITS.connections_per_account} connections, an address
{_LIMITS.connections_per_address} (in IPv6 a /64).

Before a restart the server sends `goodbye` with `resume_after_ms`, between {COME_BACK_MS[0]} and
{COME_BACK_MS[1]:,}, different for each client.
"""


def protocol_page() -> str:
    """docs/protocol.md."""
    parts = [_HEAD, "\n## Frames of the client\n"]
    parts += [_frame(kind) for kind in (*get_args(AnyClientFrame), MaximumOffer)]
    parts.append("\n## Frames of the server\n")
    parts += [_frame(kind) for kind in (*get_args(AnyServerFrame), Viewer, SaleView, LotView)]
    parts.append("\n## Codes of `error`\n\n| code | meaning |\n| --- | --- |\n")
    parts += [f"| `{code}` | {meaning} |\n" for code, meaning in ERROR_MEANINGS.items()]
    parts.append("\n## Close codes\n\n| code | meaning |\n| --- | --- |\n")
    parts += [f"| {int(code)} | {meaning} |\n" for code, meaning in CLOSE_MEANINGS.items()]
    return "".join(parts)


def _frame(kind: type[Struct]) -> str:
    config = kind.__struct_config__
    name = f"`{config.tag}`" if config.tag_field == "type" else kind.__name__
    schema = _schema(kind)
    required = set(schema.get("required", ()))
    lines = [f"\n### {name}\n\n{_prose(kind)}\n\n| field | type | |\n| --- | --- | --- |\n"]
    for field, shape in schema["properties"].items():
        if field != "type":
            note = "" if field in required else "optional"
            lines.append(f"| `{field}` | {_type_words(shape)} | {note} |\n")
    return "".join(lines)


def _prose(kind: type[Struct]) -> str:
    return re.sub(r"``(.+?)``", r"`\1`", inspect.cleandoc(kind.__doc__ or ""))


def _type_words(shape: dict[str, Any]) -> str:
    if "$ref" in shape:
        return str(shape["$ref"]).rpartition("/")[2]
    if "anyOf" in shape:
        return " or ".join(_type_words(one) for one in shape["anyOf"])
    if "enum" in shape:
        return " ".join(f"`{value}`" for value in shape["enum"])
    if shape.get("contentEncoding") == "base64":
        return "bytes"
    kind = str(shape.get("type", "map"))
    if kind == "array":
        return f"list of {_type_words(shape.get('items', {}))}"
    if kind == "object":
        values = shape.get("additionalProperties")
        return f"map to {_type_words(values)}" if isinstance(values, dict) else "map"
    return kind


def _schema(kind: type[Struct]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([kind], ref_template=_REF)
    schema: dict[str, Any] = components[kind.__name__]
    return schema


def asyncapi() -> str:
    """docs/asyncapi.json: AsyncAPI 3.0, with the same frames under both subprotocols."""
    clients, servers = get_args(AnyClientFrame), get_args(AnyServerFrame)
    _, components = msgspec.json.schema_components([*clients, *servers], ref_template=_REF)
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Softclose live",
            "version": "1",
            "description": "Follow sales and bid live. The prose is in docs/protocol.md.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "live": {
                "address": PATH,
                "messages": {kind.__name__: _reference(kind) for kind in (*clients, *servers)},
                "bindings": {"ws": {"method": "GET"}},
            }
        },
        "operations": {
            "fromClient": _operation("receive", clients),
            "toClient": _operation("send", servers),
        },
        "components": {
            "messages": {kind.__name__: _message(kind) for kind in (*clients, *servers)},
            "schemas": components,
        },
    }
    return json.dumps(document, indent=1) + "\n"


def _reference(kind: type[Struct]) -> dict[str, str]:
    return {"$ref": f"#/components/messages/{kind.__name__}"}


def _message(kind: type[Struct]) -> dict[str, Any]:
    return {
        "name": str(kind.__struct_config__.tag),
        "summary": _prose(kind).partition("\n\n")[0].replace("\n", " "),
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
    }


def _operation(action: str, kinds: tuple[type[Struct], ...]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/live"},
        "messages": [{"$ref": f"#/channels/live/messages/{kind.__name__}"} for kind in kinds],
    }


if __name__ == "__main__":
    (DOCS / "protocol.md").write_text(protocol_page())
    (DOCS / "asyncapi.json").write_text(asyncapi())
