"""Hundreds of runs of the gateways, and every bug that is planted in them."""

import pytest

from tests.simulation.gateway_mutants import MUTANTS, find
from tests.simulation.gateway_run import simulate_gateway
from tests.simulation.many import in_parallel

SEEDS = range(16, 600)  # the first are in tests/simulation
# Each is found in far fewer; the gateway as it is holds in all of these.
SEEDS_FOR_MUTANTS = 100


@pytest.mark.timeout(3_600)
def test_every_invariant_holds_for_clients_in_hundreds_of_runs() -> None:
    broken = [run.report for run in in_parallel(simulate_gateway, SEEDS) if run.broken]
    assert not broken, "\n".join(broken)


@pytest.mark.timeout(1_800)
def test_every_bug_planted_in_the_gateway_is_found() -> None:
    jobs = [(name, SEEDS_FOR_MUTANTS) for name in MUTANTS]
    found = dict(in_parallel(find, jobs))
    missed = sorted(name for name, discovery in found.items() if discovery is None)
    assert not missed, f"not found in {SEEDS_FOR_MUTANTS} seeds: {missed}"
