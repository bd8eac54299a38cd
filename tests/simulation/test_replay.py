"""A run follows from its seed alone: without that, no failure could be looked at twice."""

import os
import subprocess
import sys

import pytest

from tests.simulation.run import simulate

SHOW = "from tests.simulation.run import simulate; print(simulate({seed}).fingerprint)"


@pytest.mark.parametrize("seed", [3, 17, 40])
def test_a_seed_gives_the_same_run_twice(seed: int) -> None:
    first, second = simulate(seed, trace=True), simulate(seed, trace=True)
    assert first.lines == second.lines
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("seed", [5, 23])
def test_a_seed_gives_the_same_run_in_any_process(seed: int) -> None:
    fingerprints = {_fingerprint_elsewhere(seed, hash_seed) for hash_seed in ("0", "1", "4711")}
    assert fingerprints == {simulate(seed).fingerprint}


def test_different_seeds_give_different_runs() -> None:
    assert simulate(1).fingerprint != simulate(2).fingerprint


def _fingerprint_elsewhere(seed: int, hash_seed: str) -> str:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW.format(seed=seed)],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
        text=True,
    )
    return shown.stdout.strip()
