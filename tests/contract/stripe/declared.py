"""What the installed SDK declares an operation to take: its TypedDicts, as nested names."""

import importlib
import typing
from collections.abc import Mapping
from typing import Any, NotRequired, Union, get_args, get_origin

from stripe import StripeContext, _request_options
from typing_extensions import is_typeddict

Names = dict[str, Any]


def taken_by(params: str) -> Names:
    """Parameters with what is in them; ``None`` where anything or a plain value goes."""
    room, _, name = params.rpartition(".")
    module = importlib.import_module(f"stripe.params.{room}" if room else "stripe.params")
    declared = _names(getattr(module, name))
    return {key: inner for key, inner in declared.items() if key not in OPTIONS}


OPTIONS = set(_request_options.RequestOptions.__annotations__)


def _names(declared: Any) -> Names:
    module = importlib.import_module(declared.__module__)
    # RequestOptions, of which all inherit, names things of its own module.
    borrowed = {"Mapping": Mapping, "StripeContext": StripeContext}
    there = borrowed | vars(_request_options) | vars(module)
    hints = typing.get_type_hints(declared, there, include_extras=True)
    return {name: _inner(hint) for name, hint in hints.items()}


def _inner(hint: Any) -> Names | None:
    """The names inside of a parameter, where it has declared ones."""
    if is_typeddict(hint):
        return _names(hint)
    if get_origin(hint) in (NotRequired, list, Union) or str(get_origin(hint)) == "typing.Union":
        found = [inner for one in get_args(hint) if (inner := _inner(one)) is not None]
        return {name: deeper for inner in found for name, deeper in inner.items()} or None
    return None
