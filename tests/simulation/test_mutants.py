"""A bug is planted for a run and is gone after it; ``tests/long`` plants them all."""

from tests.simulation.mutants import find
from tests.simulation.run import simulate


def test_a_planted_bug_is_found_and_gone_afterwards() -> None:
    assert find(("no_fence", 40))[1] is not None
    assert not simulate(0).broken
