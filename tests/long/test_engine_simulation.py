"""Hundreds of runs of the engine, and every bug that is planted in it.

The checker finds each of them. One that it does not find is a hole in the checker.
"""

import pytest

from tests.simulation.many import in_parallel
from tests.simulation.mutants import MUTANTS, find
from tests.simulation.run import simulate

SEEDS = range(40, 600)  # the first are in tests/simulation
# Each is found in far fewer; the engine as it is holds in all of these.
SEEDS_FOR_MUTANTS = 100


@pytest.mark.timeout(1_800)
def test_every_invariant_holds_in_hundreds_of_runs() -> None:
    broken = [run.report for run in in_parallel(simulate, SEEDS) if run.broken]
    assert not broken, "\n".join(broken)


@pytest.mark.timeout(1_800)
def test_every_planted_bug_is_found() -> None:
    found = dict(in_parallel(find, [(name, SEEDS_FOR_MUTANTS) for name in MUTANTS]))
    missed = sorted(name for name, discovery in found.items() if discovery is None)
    assert not missed, f"not found in {SEEDS_FOR_MUTANTS} seeds: {missed}"
