"""What an operation takes. What Stripe takes but the simulator does not do is refused, never
dropped silently: an unknown name is Stripe's own ``parameter_unknown``.

A shape is a dict of names; a value is a reader of text, a nested shape, or a list of one.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from settlement.stripe_simulator.problems import Refused, invalid

# docs.stripe.com/api/metadata: 50 keys of 40 characters, values of 500.
MAX_METADATA, MAX_KEY, MAX_VALUE = 50, 40, 500
MAX_TEXT: Final = 5_000
_INTEGER: Final = re.compile(r"-?[0-9]{1,12}")

Reader = Callable[[Any, str], Any]
Shape = dict[str, Any]


def text(value: Any, name: str) -> str:
    """Text as it is."""
    if not isinstance(value, str):
        raise invalid("Invalid string", name)
    if len(value) > MAX_TEXT:
        raise invalid(f"Invalid string: must be at most {MAX_TEXT} characters", name)
    return value


def integer(value: Any, name: str) -> int:
    """A whole number of ASCII digits."""
    if not isinstance(value, str) or not _INTEGER.fullmatch(value):
        raise invalid(f"Invalid integer: {str(value)[:50]}", name, "parameter_invalid_integer")
    return int(value)


def boolean(value: Any, name: str) -> bool:
    """``true`` or ``false``."""
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {str(value)[:50]}", name)
    return bool(value == "true")


def one_of(*names: str) -> Reader:
    """One of a closed set."""

    def read(value: Any, name: str) -> str:
        if value not in names:
            raise invalid(f"Invalid {name}: must be one of {', '.join(names)}", name)
        return str(value)

    return read


def metadata(value: Any, name: str) -> dict[str, str]:
    """Keys with their values; an empty value unsets a key, an empty ``metadata`` all."""
    if value == "":
        return {"": ""}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise invalid("Invalid hash", name)
    for key, item in value.items():
        if len(key) > MAX_KEY or len(item) > MAX_VALUE:
            raise invalid(
                f"Metadata keys have at most {MAX_KEY} characters, values {MAX_VALUE}.", name
            )
    return value


def anything(value: Any, name: str) -> Any:
    """Kept as it came: nothing here depends on it."""
    return value


def created_range(value: Any, name: str) -> dict[str, int]:
    """A moment, or a range of gt, gte, lt and lte."""
    if isinstance(value, str):
        return {"gte": integer(value, name), "lte": integer(value, name)}
    if not isinstance(value, dict) or not value.keys() <= {"gt", "gte", "lt", "lte"}:
        raise invalid("Invalid range", name)
    return {bound: integer(moment, f"{name}[{bound}]") for bound, moment in value.items()}


def merged(before: Mapping[str, str], change: Mapping[str, str] | None) -> dict[str, str]:
    """Metadata after an update: merged key by key."""
    if change is None:
        return dict(before)
    after = {} if "" in change else dict(before) | dict(change)
    after = {key: item for key, item in after.items() if item != ""}
    if len(after) > MAX_METADATA:
        raise invalid(f"Metadata has at most {MAX_METADATA} keys.", "metadata")
    return after


def read(given: Mapping[str, Any], shape: Shape, inside: str = "") -> dict[str, Any]:
    """The parameters in their types. Raises ``Refused`` naming the parameter."""
    known: dict[str, Any] = {}
    for key, value in given.items():
        name = f"{inside}[{key}]" if inside else key
        if key not in shape:
            raise Refused(
                f"Received unknown parameter: {name[:100]}",
                code="parameter_unknown",
                param=name[:100],
                kept=False,
            )
        known[key] = _one(value, shape[key], name)
    return known


def _one(value: Any, shape: Any, name: str) -> Any:
    if isinstance(shape, dict):
        if value == "":
            return None
        if not isinstance(value, dict):
            raise invalid("Invalid object", name)
        return read(value, shape, name)
    if isinstance(shape, list):
        if value == "":
            return []
        if not isinstance(value, list):
            raise invalid("Invalid array", name)
        return [_one(item, shape[0], f"{name}[{place}]") for place, item in enumerate(value)]
    return shape(value, name)
