"""Every parameter that the simulator takes is one that the installed SDK declares."""

from typing import Any

import pytest

from settlement.stripe_simulator.payment_methods import types_no_longer_set
from settlement.stripe_simulator.routes import ROUTES, Route
from tests.contract.stripe.declared import taken_by


def undeclared(shape: Any, names: dict[str, Any] | None, inside: str = "") -> list[str]:
    """Names of the shape that the declaration has not."""
    if isinstance(shape, list):
        return undeclared(shape[0], names, inside)
    if not isinstance(shape, dict) or names is None:
        return []
    found = []
    for name, inner in shape.items():
        if inner is types_no_longer_set:
            continue
        if name not in names:
            found.append(f"{inside}{name}")
        else:
            found += undeclared(inner, names[name], f"{inside}{name}.")
    return found


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_an_operation_takes_only_what_the_sdk_declares(route: Route) -> None:
    assert undeclared(route.shape, taken_by(route.params)) == []


def test_a_parameter_that_the_sdk_lost_would_be_found() -> None:
    names = taken_by("PaymentIntentCreateParams")
    assert undeclared({"payment_method_types": [str]}, names) == ["payment_method_types"]
    nested = {"payment_method_options": {"card": {"colour": str}}}
    assert undeclared(nested, names) == ["payment_method_options.card.colour"]
