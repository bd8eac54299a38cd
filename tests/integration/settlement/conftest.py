"""What all tests of settlement ask of its API."""

from collections.abc import Iterator

import pytest

from foundation.http.problems import Problem
from foundation.http.routes import Route
from settlement import api_common


@pytest.fixture(autouse=True)
def every_refusal_is_described(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No row of the API may refuse for a reason that its description does not name."""
    found: list[str] = []

    def note(route: Route, problem: Problem) -> None:
        if route.for_programs:
            found.append(f"{route.method} {route.path}: {problem.kind.code}")

    monkeypatch.setattr(api_common, "undescribed", note)
    yield
    assert not found
