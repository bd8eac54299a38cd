"""``python -m tests.simulation SEED [--trace]``, or ``--seeds N [--from SEED]`` for many.

One seed is one run, the same on every machine. With ``--trace`` every line of what happened.
``--mutants`` plants every bug of ``mutants`` and says in which run it is found, by what.
``--gateway``: the same with gateways and their clients, and the bugs of ``gateway_mutants``.
``--sharing``: the same with several engines on one log.
"""

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Final, NamedTuple

from tests.simulation import gateway_mutants, mutants, sharing_mutants
from tests.simulation.gateway_run import simulate_gateway
from tests.simulation.many import in_parallel
from tests.simulation.run import Run, simulate
from tests.simulation.sharing import simulate_sharing

PROGRESS_EVERY = 50


class Kind(NamedTuple):
    """What is run, and the bugs that can be planted in it."""

    simulate: Callable[..., Run]
    mutants: dict[str, mutants.Mutant]
    find: Callable[[tuple[str, int]], tuple[str, mutants.Discovery | None]]


ENGINE: Final = Kind(simulate, mutants.MUTANTS, mutants.find)
SHARING: Final = Kind(simulate_sharing, sharing_mutants.MUTANTS, sharing_mutants.find)
GATEWAY: Final = Kind(simulate_gateway, gateway_mutants.MUTANTS, gateway_mutants.find)


def main() -> int:
    """1 if any invariant was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", help="run this one")
    parser.add_argument("--trace", action="store_true", help="say everything that happens in it")
    parser.add_argument("--seeds", type=int, metavar="N", help="run this many")
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="SEED")
    parser.add_argument("--mutants", action="store_true", help="is every planted bug found?")
    parser.add_argument("--mutant", metavar="NAME", help="run SEED with this bug planted")
    parser.add_argument("--gateway", action="store_true", help="with gateways and their clients")
    parser.add_argument("--sharing", action="store_true", help="several engines share the shards")
    chosen = parser.parse_args()
    kind = GATEWAY if chosen.gateway else SHARING if chosen.sharing else ENGINE
    if chosen.mutant and chosen.mutant not in kind.mutants:
        parser.error(f"no such mutant; there are {', '.join(kind.mutants)}")
    if chosen.mutants:
        return _mutants(kind, chosen.seeds or 100)
    if chosen.seed is not None:
        with kind.mutants[chosen.mutant]() if chosen.mutant else nullcontext():
            return _one(kind, chosen.seed, trace=chosen.trace)
    return _many(kind, range(chosen.first, chosen.first + (chosen.seeds or 300)))


def _one(kind: Kind, seed: int, *, trace: bool) -> int:
    run = kind.simulate(seed, trace=trace)
    for line in run.lines:
        _say(line)
    _say(f"seed {seed}: {run.steps} steps, {run.virtual_s:.0f} s in {run.took_s:.2f} s")
    _say("  faults: " + ("; ".join(run.faults) or "none"))
    _say("  " + ", ".join(f"{name} {count}" for name, count in sorted(run.counts.items())))
    _say(f"  fingerprint {run.fingerprint}")
    _say(run.report if run.broken else "  every invariant held")
    return bool(run.broken)


def _many(kind: Kind, seeds: range) -> int:
    began, done, broken = time.perf_counter(), 0, 0
    steps, virtual_s = 0, 0.0
    for run in in_parallel(kind.simulate, seeds):
        done, steps, virtual_s = done + 1, steps + run.steps, virtual_s + run.virtual_s
        broken += _judge(run)
        if done % PROGRESS_EVERY == 0:
            sys.stderr.write(f"{done} of {len(seeds)} seeds, {broken} broken\n")
    took_s = time.perf_counter() - began
    _say(
        f"{done} seeds in {took_s:.1f} s: {broken} broken; {steps:,} steps, "
        f"{steps / took_s:,.0f} a second, {virtual_s / took_s:,.0f} times faster than life"
    )
    return broken > 0


def _mutants(kind: Kind, seeds: int) -> int:
    found = dict(in_parallel(kind.find, [(name, seeds) for name in kind.mutants]))
    for name, mutant in kind.mutants.items():
        discovery = found[name]
        if discovery is None:
            _say(f"{name:44} NOT FOUND in {seeds} seeds: {mutant.__doc__}")
        else:
            runs, invariants = discovery.seed + 1, " ".join(discovery.invariants)
            _say(f"{name:44} in {runs:2} runs by {invariants:20} {mutant.__doc__}")
    return None in found.values()


def _judge(run: Run) -> int:
    if run.broken:
        _say(f"\n{run.report}")
    return int(bool(run.broken))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
