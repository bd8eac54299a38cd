"""Events of the log as lines for people or programs, without what is nobody else's business."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from auction.codec import CorruptLog, Recorded, decode_body
from auction.ports import LoggedEvent
from auction.views import STAFF, view

HIDDEN = "[hidden]"
# Staff may see a reserve where they set it; a look into the log is no such place.
ALSO_HIDDEN = frozenset({"reserve_minor"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN = re.compile(r"[\w.:\-]+", re.ASCII)


def line_of(logged: LoggedEvent, *, reveal: bool, as_json: bool) -> str:
    """One event; one that cannot be read says so."""
    try:
        recorded = decode_body(logged.position, logged.body)
    except CorruptLog as error:
        place = {"shard": logged.shard, "position": logged.position, "sale_id": logged.sale_id}
        fault = {**place, "fault": str(error)}
        return json.dumps(fault) if as_json else _words(fault)
    fields, hidden = _fields(recorded, reveal=reveal)
    if as_json:
        return _json_line(logged, recorded, fields, hidden)
    return _text_line(logged, recorded, fields, hidden)


def _fields(recorded: Recorded, *, reveal: bool) -> tuple[dict[str, Any], list[str]]:
    """What is shown of the event's own fields, and the names of what is not."""
    fields: dict[str, Any] = msgspec.to_builtins(recorded.event, builtin_types=(bytes,))
    del fields["type"]
    if reveal:
        return fields, []
    seen = (view(recorded, STAFF) or {}).keys() - ALSO_HIDDEN
    hidden = [name for name in fields if name not in seen]
    return {name: value for name, value in fields.items() if name in seen}, hidden


def _numbers(recorded: Recorded) -> dict[str, Any]:
    numbers = {
        "sequence": recorded.sequence,
        "lot_sequence": recorded.lot_sequence,
        "owner_sequence": recorded.owner_sequence,
    }
    return {name: value for name, value in numbers.items() if value is not None}


def _json_line(
    logged: LoggedEvent, recorded: Recorded, fields: dict[str, Any], hidden: list[str]
) -> str:
    line = {
        "shard": logged.shard,
        "position": logged.position,
        "epoch": logged.epoch,
        "at": _time(recorded.at_us),
        "at_us": recorded.at_us,
        "sale_id": logged.sale_id,
        "type": recorded.event.__struct_config__.tag,
        **_numbers(recorded),
        "fields": fields,
        "hidden": hidden,
        "commitment": recorded.commitment,
        "hash": recorded.hash,
    }
    return json.dumps(line, default=bytes.hex)


def _text_line(
    logged: LoggedEvent, recorded: Recorded, fields: dict[str, Any], hidden: list[str]
) -> str:
    number = f"#{recorded.sequence}" if recorded.sequence else "private"
    head = (
        f"{logged.shard}:{logged.position}",
        _time(recorded.at_us),
        logged.sale_id,
        number,
        str(recorded.event.__struct_config__.tag),
    )
    shown = _words({**fields, **dict.fromkeys(hidden, HIDDEN)})
    return "  ".join((*head, shown)).rstrip()


def _words(fields: dict[str, Any]) -> str:
    return " ".join(f"{name}={_word(value)}" for name, value in fields.items())


def _word(value: object) -> str:
    """A value in which nothing can end the line or be taken for another field."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str) and (_PLAIN.fullmatch(value) or value == HIDDEN):
        return value
    return json.dumps(value, default=bytes.hex, separators=(",", ":"))


def _time(at_us: int) -> str:
    time = _EPOCH + timedelta(microseconds=at_us)
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
