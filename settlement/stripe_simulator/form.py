"""Stripe's form encoding: ``a[b][c]=1``, ``a[]=x``, ``a[0][b]=y`` to nested dicts and lists."""

from typing import Any, Final
from urllib.parse import parse_qsl

from settlement.stripe_simulator.problems import Refused

MAX_FIELDS: Final = 1_000  # Stripe's largest requests have a few hundred
MAX_DEPTH: Final = 6  # the deepest parameter that the SDK declares has five levels


def parse(encoded: bytes) -> dict[str, Any]:
    """All parameters; values stay text. Raises ``Refused`` for what is no form."""
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(encoded),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise Refused("Invalid request: the body is not a form.", kept=False) from error
    found: dict[str, Any] = {}
    for name, value in pairs:
        _put(found, _steps(name), value, name)
    return {name: _listed(value) for name, value in found.items()}


def _steps(name: str) -> list[str]:
    """``a[b][]`` as a, b and the empty step."""
    first, *rest = name.split("[")
    if not first or any(not step.endswith("]") for step in rest) or len(rest) >= MAX_DEPTH:
        raise Refused(f"Invalid parameter name: {name[:100]}", kept=False)
    return [first, *(step[:-1] for step in rest)]


def _put(into: dict[str, Any], steps: list[str], value: str, name: str) -> None:
    for position, step in enumerate(steps):
        key = step or str(len(into))
        if position == len(steps) - 1:
            if key in into and isinstance(into[key], dict):
                raise Refused(f"Invalid parameter: {name[:100]}", kept=False)
            into[key] = value
            return
        into = into.setdefault(key, _Branch())
        if not isinstance(into, dict):
            raise Refused(f"Invalid parameter: {name[:100]}", kept=False)


class _Branch(dict[str, Any]):
    """An inner level, which may turn out to be a list."""


def _listed(value: Any) -> Any:
    """Levels whose keys are 0, 1, 2... are lists."""
    if not isinstance(value, dict):
        return value
    if list(value) == [str(number) for number in range(len(value))]:
        return [_listed(item) for item in value.values()]
    return {name: _listed(item) for name, item in value.items()}
