"""Engines that share the shards: some runs; ``tests/long`` has hundreds, and every planted bug."""

import pytest

from tests.simulation.many import in_parallel
from tests.simulation.sharing import simulate_sharing
from tests.simulation.sharing_mutants import find

SEEDS = range(10)
SOME_MUTANTS = ("a_hand_over_is_an_outage", "what_is_let_go_is_still_judged")


@pytest.mark.timeout(300)
def test_every_invariant_holds_while_shards_move() -> None:
    runs = list(in_parallel(simulate_sharing, SEEDS))
    broken = [run.report for run in runs if run.broken]
    assert not broken, "\n".join(broken)
    seen = {what for run in runs for what, number in run.counts.items() if number}
    assert {"shards_let_go", "shards_taken", "engine_counted_out", "shard_lost"} <= seen


def test_a_run_of_many_engines_follows_from_its_seed() -> None:
    assert simulate_sharing(3).fingerprint == simulate_sharing(3).fingerprint


@pytest.mark.timeout(300)
def test_some_bugs_planted_in_the_sharing_are_found() -> None:
    found = dict(in_parallel(find, [(name, len(SEEDS)) for name in SOME_MUTANTS]))
    assert [name for name, discovery in found.items() if discovery is None] == []
