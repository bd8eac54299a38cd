"""docs/reference.md: every event, command, refusal and life cycle, made from their definitions.

``python -m auction.reference > docs/reference.md`` writes it; a test compares.
"""

import sys
from typing import Any, get_args, get_origin, get_type_hints

from msgspec import Struct

from auction.budgets import Budget
from auction.commands import Command
from auction.events import EVENT_TYPES, PRIVATE_FIELDS, AnyEvent, Audience
from auction.rejections import MEANINGS, Rejection
from auction.sale import LOT_LIFE

_HEAD = """# Reference

Made by `python -m auction.reference > docs/reference.md` from the definitions in `auction/`.
Money is in minor units of the sale's currency, times are microseconds since the epoch, UTC.
"""

_EVENTS = """
## Events

What the log holds. A public event has the header `type`, `version`, `sale_id`, `sequence`,
`lot_sequence` (if it is about one lot), `at_us`; a private one has `owner_sequence` instead of
the sequences and is seen only by those named at its fields.
"""

_BUDGETS = """
## Budgets

What a bidder allows itself in a sale; `kind` says which. A budget looks at the lots that the bidder
leads, each all-in at the maximum that leads it, and at those that it has won, paid or not, all-in
at the hammer price. A lot counts for the person who made the bid that stands for the bidder on it.
"""

_REFUSALS = """
## Refusals

The codes of a refused command. Those from `BID_ID_REUSED` to `BUDGET_EXCEEDED` are asked of a
bid in this order.

| code | when |
| --- | --- |
"""


def reference_page() -> str:
    """The page as Markdown."""
    parts = [_HEAD, _life_cycle(), _EVENTS]
    parts += [_event(kind) for kind in EVENT_TYPES.values()]
    parts.append(_BUDGETS)
    parts += [_command(kind) for kind in get_args(Budget)]
    parts.append("\n## Commands\n")
    parts += [_command(kind) for kind in get_args(Command)]
    parts.append(_REFUSALS)
    parts += [f"| `{code}` | {MEANINGS[code]} |\n" for code in Rejection]
    return "".join(parts)


def _life_cycle() -> str:
    moves = "".join(
        f"    {status} --> {after}\n" for status in LOT_LIFE for after in sorted(LOT_LIFE[status])
    )
    return f"\n## The life of a lot\n\n```mermaid\nstateDiagram-v2\n    [*] --> LIVE\n{moves}```\n"


def _event(kind: type[AnyEvent]) -> str:
    config = kind.__struct_config__
    shown = "public" if kind.PUBLIC else "private"
    lines = [f"\n### `{config.tag}` (version {kind.VERSION}, {shown})\n\n{_purpose(kind)}\n\n"]
    lines.append("| field | type | seen by |\n| --- | --- | --- |\n")
    private = PRIVATE_FIELDS[kind]
    for name in kind.__struct_fields__:
        seen_by = _audience(private[name]) if name in private else "everybody"
        lines.append(f"| `{name}` | {_type_name(kind, name)} | {seen_by} |\n")
    return "".join(lines)


def _command(kind: type[Struct]) -> str:
    fields = ", ".join(f"`{name}`" for name in kind.__struct_fields__)
    name = kind.__struct_config__.tag or kind.__name__
    return f"\n### `{name}`\n\n{_purpose(kind)}\n\nFields: {fields}.\n"


def _purpose(kind: type[Struct]) -> str:
    return " ".join((kind.__doc__ or "").split()).replace("``", "`")


def _audience(audience: Audience) -> str:
    names = [str(mark.name).lower() for mark in Audience if mark & audience]
    return ", ".join(names) or "nobody"


def _type_name(kind: type[Struct], name: str) -> str:
    return f"`{_plain(get_type_hints(kind)[name])}`".replace("|", "\\|")


def _plain(hint: Any) -> str:
    if get_origin(hint) is tuple:
        one = get_args(hint)[0]
        return f"({_plain(one)})[]" if get_args(one) else f"{_plain(one)}[]"
    if get_args(hint):
        return " | ".join(_plain(part) for part in get_args(hint))
    return "null" if hint is type(None) else str(hint.__name__)


if __name__ == "__main__":
    sys.stdout.write(reference_page())
