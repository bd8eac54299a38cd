"""A snapshot of another shape has another number."""

import hashlib
from typing import Any, Final, get_args, get_origin, get_type_hints

from msgspec import Struct

from auction.snapshot import SNAPSHOT_FORMAT, ShardImage

# The shape that each format stands for. When it changes, the format must rise with it: what an
# older version kept is then passed over, and not misread.
SHAPES: Final = {4: "af61683e4cfced60"}


def shape(kind: Any, seen: dict[str, list[str]]) -> None:
    """The fields, and the types of the fields, of all structs that a type holds."""
    for part in get_args(kind):
        shape(part, seen)
    if isinstance(kind, type) and issubclass(kind, Struct) and kind.__name__ not in seen:
        hints = get_type_hints(kind)
        seen[kind.__name__] = [f"{name}: {plain(hints[name])}" for name in kind.__struct_fields__]
        for name in kind.__struct_fields__:
            shape(hints[name], seen)


def plain(hint: Any) -> str:
    """A type in words that do not depend on the version of Python."""
    inner = ", ".join(plain(part) for part in get_args(hint) if part is not ...)
    name = getattr(get_origin(hint) or hint, "__name__", "Union")
    return f"{'Union' if name == 'UnionType' else name}({inner})" if inner else name


def test_the_format_of_a_snapshot_is_that_of_the_states_shape() -> None:
    seen: dict[str, list[str]] = {}
    shape(ShardImage, seen)
    assert {"Sale", "Lot", "Standing", "Registration", "Tally", "AllInBudget"} <= seen.keys()
    said = "\n".join(f"{name} {fields}" for name, fields in sorted(seen.items()))
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    assert digest == SHAPES[SNAPSHOT_FORMAT], f"raise SNAPSHOT_FORMAT; its shape is {digest!r}"
