"""docs/openapi.json says what the program answers, in the words of OpenAPI 3.1."""

import json
from pathlib import Path
from typing import Any

import pytest
from schemathesis import openapi

from softclose.settings import load
from softclose.site import description

PAGE = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The description as a value."""
    value: dict[str, Any] = json.loads(PAGE.read_bytes())
    return value


def test_the_description_is_current() -> None:
    assert PAGE.read_bytes() == description(load()), "run: ./run openapi > docs/openapi.json"


def test_it_is_openapi_3_1(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    openapi.from_dict(described).validate()


def test_each_operation_has_a_summary_and_says_how_it_refuses(described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            place = f"{method.upper()} {path}"
            assert operation["summary"], place
            assert {"400", "500", "503"} <= operation["responses"].keys(), place


def test_a_fault_in_the_description_is_found(described: dict[str, Any]) -> None:
    broken = described | {"info": {"title": "without a version"}}
    with pytest.raises(Exception, match="version"):
        openapi.from_dict(broken).validate()
