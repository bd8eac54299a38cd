"""The engine in the simulation: some dozens of runs; ``tests/long`` has hundreds."""

import pytest

from tests.simulation.many import in_parallel
from tests.simulation.run import Run, play, simulate
from tests.simulation.scenarios import frozen_at, killed_at
from tests.thorough import THOROUGH, thorough

SEEDS = range(40)
# A writer takes about this many steps in the five seconds of the short scenario.
STEPS = range(1, 320, 1 if THOROUGH else 5)


@pytest.mark.timeout(600)
def test_every_invariant_holds_whatever_goes_wrong() -> None:
    broken = [run.report for run in in_parallel(simulate, SEEDS) if run.broken]
    assert not broken, "\n".join(broken)


@thorough
@pytest.mark.timeout(300)
def test_a_writer_may_be_killed_at_every_step() -> None:
    runs = in_parallel(_killed, STEPS)
    broken = [f"step {step}: {run.broken[:5]}" for step, run in runs if run.broken]
    assert not broken, "\n".join(broken)


@thorough
@pytest.mark.timeout(300)
def test_a_writer_may_be_frozen_at_every_step() -> None:
    runs = in_parallel(_frozen, STEPS)
    broken = [f"step {step}: {run.broken[:5]}" for step, run in runs if run.broken]
    assert not broken, "\n".join(broken)


def _killed(step: int) -> tuple[int, Run]:
    return step, play(killed_at(step))


def _frozen(step: int) -> tuple[int, Run]:
    return step, play(frozen_at(step))
