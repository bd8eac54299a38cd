"""Gateways in the simulation: whatever goes wrong, nobody misses anything or sees it twice.

A few runs, as everything else is to be tested too; ``tests/long`` has hundreds.
"""

import os
import subprocess
import sys

import pytest

from tests.simulation.gateway_mutants import find
from tests.simulation.gateway_run import simulate_gateway
from tests.simulation.many import in_parallel
from tests.simulation.run import Run

SEEDS = range(16)
# Those that are not shy are found in this many; the gateway as it is holds in all of them.
# ``tests/long`` plants them all.
SOME_MUTANTS = ("two_writers", "a_gap_of_the_bus_is_ignored", "a_closed_socket_is_written_to")
SEEDS_FOR_MUTANTS = 16
FRAMES = (
    "conflated", "error", "event", "goodbye", "own", "snapshot", "standing", "subscribed", "time",
    "unsubscribed", "verdict", "welcome",
)  # fmt: skip
SHOW = (
    "from tests.simulation.gateway_run import simulate_gateway;"
    "print(simulate_gateway({seed}).fingerprint)"
)


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    return sorted(in_parallel(simulate_gateway, SEEDS), key=lambda run: run.seed)


def test_every_invariant_holds_for_clients_too(runs: list[Run]) -> None:
    broken = [run.report for run in runs if run.broken]
    assert not broken, "\n".join(broken)


def test_what_clients_may_meet_with_is_met_with(runs: list[Run]) -> None:
    seen = {what for run in runs for what, number in run.counts.items() if number}
    told = {f"told {kind}" for kind in (*FRAMES, "recovered", "cuts")}
    missed = (told | {"sale_reads_what_was_missed"}) - seen
    assert not missed


def test_a_run_with_gateways_follows_from_its_seed(runs: list[Run]) -> None:
    again = simulate_gateway(7)
    elsewhere = {_fingerprint_elsewhere(7, hash_seed) for hash_seed in ("0", "4711")}
    assert {again.fingerprint} | elsewhere == {runs[7].fingerprint}


@pytest.mark.timeout(300)
def test_some_bugs_planted_in_the_gateway_are_found() -> None:
    jobs = [(name, SEEDS_FOR_MUTANTS) for name in SOME_MUTANTS]
    found = dict(in_parallel(find, jobs))
    missed = sorted(name for name, discovery in found.items() if discovery is None)
    assert not missed, f"not found in {SEEDS_FOR_MUTANTS} seeds: {missed}"


def _fingerprint_elsewhere(seed: int, hash_seed: str) -> str:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW.format(seed=seed)],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
        text=True,
    )
    return shown.stdout.strip()
