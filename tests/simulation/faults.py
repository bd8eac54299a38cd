"""What goes wrong in a run: a list of faults drawn from its seed."""

from collections.abc import Sequence
from random import Random
from typing import Final

from msgspec import Struct

from tests.simulation.weather import SECOND, Ambush

HOUR: Final = 3_600 * SECOND


class Fault(Struct, frozen=True):
    """A fault: when, what, for how long. What the other fields mean depends on ``kind``."""

    at_us: int
    kind: str
    lasts_us: int = 0
    by_us: int = 0
    steps: int = 0
    ambush: Ambush = Ambush("", "sent")


# With their weights: the engine's own troubles are the usual ones.
KINDS: Final = {
    "kill": 4,
    "kill at a step": 4,
    "kill at a call": 5,
    "stop and start": 2,
    "freeze": 3,
    "freeze at a step": 3,
    "freeze in a burst": 4,
    "kill in a burst": 3,
    "freeze and replace": 4,
    "replace": 4,
    "cut": 2,
    "storm": 8,
    "down": 3,
    "slow": 3,
    "clock": 3,
    "clock and kill": 2,
    "reader dies": 2,
}
CALLS: Final = (
    "", "append", "append", "append", "beat", "take", "read", "clock_us",
    "load_snapshot", "save_snapshot",
)  # fmt: skip


def draw_faults(rng: Random, quiet_us: int, calls: Sequence[str] = CALLS) -> list[Fault]:
    """The faults of a run, in order. One run in twelve has none."""
    if rng.random() < 1 / 12:
        return []
    kinds, weights = list(KINDS), list(KINDS.values())
    # Half the runs meet few kinds of trouble, so that these come in a row.
    if rng.random() < 0.5:
        weights = [weight if rng.random() < 0.3 else 0 for weight in weights]
        weights[0] += not any(weights)
    drawn = rng.choices(kinds, weights, k=rng.randrange(1, 9))
    return sorted(
        (_draw(rng, kind, quiet_us, calls) for kind in drawn), key=lambda fault: fault.at_us
    )


def _draw(rng: Random, kind: str, quiet_us: int, calls: Sequence[str]) -> Fault:
    at_us = rng.randrange(0, quiet_us - 2 * SECOND)
    short_us = rng.randrange(SECOND // 5, 4 * SECOND)
    lasts_us = rng.choice((short_us, rng.randrange(SECOND, 20 * SECOND)))
    by_us = rng.choice((2 * SECOND, 60 * SECOND, HOUR, rng.randrange(SECOND // 10, HOUR)))
    if rng.random() < 0.1:
        by_us = 3 * HOUR  # forward, as if everything had been away for so long
    ambush = Ambush(rng.choice(calls), rng.choice(("sent", "effect", "answer")))
    return Fault(
        at_us,
        kind,
        lasts_us,
        by_us=rng.choice((-1, 1)) * by_us,
        steps=rng.randrange(1, 200),
        ambush=ambush,
    )
