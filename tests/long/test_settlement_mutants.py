"""Every bug that is planted in settlement is found, by the checks that hold for whole lives.

One that is not found is a hole in the checker.
"""

import pytest

from tests.crash_points.hunt import in_parallel
from tests.crash_points.mutants import MUTANTS


@pytest.mark.timeout(600)
def test_every_bug_planted_in_settlement_is_found() -> None:
    found = dict(in_parallel())
    assert found.keys() == MUTANTS.keys()
    missed = sorted(name for name, discovery in found.items() if discovery is None)
    assert not missed, f"not found: {missed}"
