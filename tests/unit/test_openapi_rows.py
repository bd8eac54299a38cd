"""The API's description: what the rows say, and nothing that they do not."""

from typing import Any

import pytest
from schemathesis import openapi as schemathesis_openapi

from foundation.http.openapi import About, AccessWords, openapi, openapi_json
from foundation.http.problems import FORBIDDEN, UNAUTHENTICATED
from foundation.http.routes import Mount, Route
from tests.http_room import Shelf

ABOUT = About(
    "Shelf",
    "1.0",
    "Crates.",
    {"bearer": {"type": "http", "scheme": "bearer"}},
    lambda access: AccessWords(
        ("bearer",), optional=access == "read", problems=(UNAUTHENTICATED, FORBIDDEN)
    ),
)


@pytest.fixture
def described() -> dict[str, Any]:
    """The description of the small room."""
    return openapi([Shelf().mount()], ABOUT)


def test_it_is_openapi_3_1(described: dict[str, Any]) -> None:
    schemathesis_openapi.from_dict(described).validate()


def test_pages_are_not_described(described: dict[str, Any]) -> None:
    assert described["paths"].keys() == {
        "/api/v1/away",
        "/api/v1/breaks",
        "/api/v1/crates",
        "/api/v1/crates.csv",
        "/api/v1/crates/{name}",
    }


def test_a_change_names_its_body_its_answer_and_its_refusals(described: dict[str, Any]) -> None:
    add = described["paths"]["/api/v1/crates"]["post"]
    content = add["requestBody"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/NewCrate"}
    assert add["responses"].keys() == {
        "201", "400", "401", "403", "408", "409", "413", "415", "422", "429", "500", "503",
    }  # fmt: skip
    refusal = add["responses"]["403"]["$ref"].rpartition("/")[2]
    assert refusal == "FORBIDDEN.FOREIGN_ORIGIN"
    codes = described["components"]["responses"][refusal]["content"]["application/problem+json"]
    enum = codes["schema"]["allOf"][1]["properties"]["code"]["enum"]
    assert enum == ["FORBIDDEN", "FOREIGN_ORIGIN"]
    body = described["components"]["schemas"]["NewCrate"]
    assert body["additionalProperties"] is False


def test_a_list_names_its_query_and_its_plain_type(described: dict[str, Any]) -> None:
    show = described["paths"]["/api/v1/crates"]["get"]
    assert [(p["name"], p["in"], p["required"]) for p in show["parameters"]] == [
        ("limit", "query", False),
        ("cursor", "query", False),
    ]
    assert show["parameters"][0]["schema"]["default"] == 50
    answer = show["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/CrateListing"}
    assert "CrateListing" in described["components"]["schemas"]


def test_a_path_names_its_parameters_and_another_media_type_is_told(
    described: dict[str, Any],
) -> None:
    (name,) = described["paths"]["/api/v1/crates/{name}"]["get"]["parameters"]
    assert (name["name"], name["in"], name["required"]) == ("name", "path", True)
    table = described["paths"]["/api/v1/crates.csv"]["get"]["responses"]["200"]
    assert table["content"].keys() == {"text/csv"}


def test_access_is_told(described: dict[str, Any]) -> None:
    assert described["paths"]["/api/v1/crates"]["get"]["security"] == [{"bearer": []}]
    assert described["components"]["securitySchemes"] == ABOUT.security_schemes


def test_the_same_rows_give_the_same_bytes() -> None:
    assert openapi_json([Shelf().mount()], ABOUT) == openapi_json([Shelf().mount()], ABOUT)


def test_two_operations_of_one_name_are_refused() -> None:
    shelf = Shelf()
    rows = [Route("GET", f"/api/v1/crates/{path}", shelf.crate, "x", access=None) for path in "ab"]
    with pytest.raises(AssertionError, match="crates_crate"):
        openapi([Mount("shelf", rows)], ABOUT)
