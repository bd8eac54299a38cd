"""Refusals of a room as problems, and versions that a change names."""

from enum import StrEnum

import pytest
from aiohttp.test_utils import make_mocked_request

from foundation.http.problems import NOT_FOUND, Problem
from foundation.http.refusals import Refusals, kinds_of
from foundation.http.versions import version_seen
from foundation.refusals import RefusedBecause


class Refusal(StrEnum):
    NOT_FOUND = "NOT_FOUND"
    FULL = "FULL"
    BAD = "BAD"


MEANINGS = {Refusal.NOT_FOUND: "Nothing here.", Refusal.FULL: "It is full.", Refusal.BAD: "Bad."}


class Refused(RefusedBecause[Refusal]):
    meanings = MEANINGS


REFUSALS = Refusals(Refused, kinds_of(MEANINGS, {Refusal.BAD: 422}))


def test_what_is_missing_says_nothing_more() -> None:
    told = REFUSALS.problem_of(
        Refused(Refusal.NOT_FOUND, field="lot_id", detail="Lot 12 is another's.")
    )
    assert told.body() == NOT_FOUND().body()


def test_a_refusal_keeps_its_code_and_says_what_is_more_than_its_title() -> None:
    plain = REFUSALS.problem_of(Refused(Refusal.FULL)).details()
    assert (plain.code, plain.status, plain.title, plain.detail) == (
        "FULL",
        409,
        "It is full.",
        None,
    )
    more = REFUSALS.problem_of(
        Refused(Refusal.BAD, field="title", detail="It is too long.")
    ).details()
    assert (more.status, more.detail, more.place) == (422, "It is too long.", "/title")


async def test_a_handler_tells_its_refusals() -> None:
    async def handler(_: object) -> None:
        raise Refused(Refusal.FULL)

    with pytest.raises(Problem) as told:
        await REFUSALS.told(handler)(make_mocked_request("GET", "/"))  # type: ignore[arg-type]
    assert told.value.kind.code == "FULL"


@pytest.mark.parametrize("given", ['"3"', f'"3.{"a" * 32}"'])
def test_a_version_is_seen_by_itself_or_in_an_etag(given: str) -> None:
    assert version_seen(make_mocked_request("PUT", "/", {"If-Match": given})) == 3


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 428),
        ({"If-Match": "3"}, 422),
        ({"If-Match": '"0"'}, 422),
        ({"If-Match": "*"}, 422),
        ({"If-Match": 'W/"3"'}, 422),
        ({"If-Match": '"3", "4"'}, 422),
    ],
)
def test_what_names_no_version_is_refused(given: dict[str, str], status: int) -> None:
    with pytest.raises(Problem) as refused:
        version_seen(make_mocked_request("PUT", "/", given))
    assert refused.value.kind.status == status
