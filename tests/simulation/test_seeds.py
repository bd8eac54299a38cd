import pytest

from tests.simulation.many import run_many

SEEDS = 300


@pytest.mark.timeout(600)
def test_every_invariant_holds_in_three_hundred_runs() -> None:
    broken = [run.report for run in run_many(range(SEEDS)) if run.broken]
    assert not broken, "\n".join(broken)
