"""More runs of engines that share the shards, and every bug planted in how they do."""

import pytest

from tests.simulation.many import in_parallel
from tests.simulation.sharing import simulate_sharing
from tests.simulation.sharing_mutants import MUTANTS, find

SEEDS = range(10, 60)  # the first are in tests/simulation
SEEDS_FOR_MUTANTS = 100


@pytest.mark.timeout(1_800)
def test_every_invariant_holds_in_more_runs() -> None:
    broken = [run.report for run in in_parallel(simulate_sharing, SEEDS) if run.broken]
    assert not broken, "\n".join(broken)


@pytest.mark.timeout(1_800)
def test_every_planted_bug_is_found() -> None:
    found = dict(in_parallel(find, [(name, SEEDS_FOR_MUTANTS) for name in MUTANTS]))
    missed = sorted(name for name, discovery in found.items() if discovery is None)
    assert not missed, f"not found in {SEEDS_FOR_MUTANTS} seeds: {missed}"
