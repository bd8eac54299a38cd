"""Bugs of settlement are planted, found and gone afterwards; ``tests/long`` plants them all."""

from contextlib import nullcontext

import pytest
import structlog

from tests.crash_points.mutants import MUTANTS, spoiled


@pytest.mark.timeout(120)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("the_engine_is_not_told", True),
        ("the_house_takes_what_is_held", True),
        ("a_claim_keeps_the_tax", True),
        ("a_claim_keeps_the_tax", False),
    ],
)
async def test_a_planted_bug_is_found_and_gone_afterwards(
    database_url: str, name: str, planted: bool
) -> None:
    bug = MUTANTS[name]
    with structlog.testing.capture_logs(), bug.plant() if planted else nullcontext():
        wrong = await spoiled(database_url, bug.scenes[0], 1)
    assert bool(wrong) is planted, wrong
