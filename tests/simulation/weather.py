"""What becomes of each call to the log: drawn from the seed, by the faults that are on."""

from random import Random
from typing import Final

from msgspec import Struct

MS: Final = 1_000
SECOND: Final = 1_000_000
# As the PostgreSQL adapter: whoever waits longer is told that the outcome is unknown.
TIMEOUT_US: Final = 5 * SECOND
NEVER: Final = -1


class Fate(Struct):
    """A call's future. ``effect_after_us`` may be later than the answer, or ``NEVER``.

    ``dies``: the caller is killed when the call is "sent", has its "effect" or its "answer".
    """

    effect_after_us: int
    answer_after_us: int
    ok: bool = True
    dies: str = ""


class Ambush(Struct, frozen=True):
    """The next call of this kind ("": any) kills its caller in this moment."""

    kind: str
    moment: str


class Weather:
    """Faults that are on until a time; quiet when all those times are past."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.down_until = -TIMEOUT_US
        self.slow_until = -TIMEOUT_US
        self.storm_until = -TIMEOUT_US
        self.ambient = 0.0  # the share of calls that are struck even in good weather
        self.cut_until: dict[str, int] = {}
        self.ambushes: list[Ambush] = []

    def has_settled(self, now_us: int) -> bool:
        """Whether no fault is on, and no call still under way that was sent into one."""
        times = (self.down_until, self.slow_until, self.storm_until, *self.cut_until.values())
        return self.ambient == 0 and max(times) + TIMEOUT_US <= now_us

    def clear(self, now_us: int) -> None:
        """Everything heals; what was sent before may still come through late."""
        self.down_until = self.slow_until = 0
        self.storm_until = now_us
        self.ambient = 0.0
        self.cut_until.clear()
        self.ambushes.clear()

    def fate(self, kind: str, host: str, now_us: int) -> Fate:
        """What becomes of a call that is sent now."""
        fate = self._drawn(host, now_us)
        if fate.answer_after_us > TIMEOUT_US:
            fate.answer_after_us, fate.ok = TIMEOUT_US, False
        if kind == "save_snapshot":  # its row lock makes the next one wait for it
            fate.effect_after_us = min(fate.effect_after_us, fate.answer_after_us)
        for ambush in self.ambushes:
            if ambush.kind in ("", kind):
                self.ambushes.remove(ambush)
                fate.dies = ambush.moment
                break
        return fate

    def _drawn(self, host: str, now_us: int) -> Fate:
        rng = self._rng
        if now_us < self.down_until:
            return Fate(NEVER, rng.choice((2 * MS, 40 * MS, TIMEOUT_US)), ok=False)
        if now_us < self.cut_until.get(host, 0):
            there = rng.choice((NEVER, 3 * MS))
            return Fate(there, rng.choice((40 * MS, TIMEOUT_US)), ok=False)
        if rng.random() < (0.4 if now_us < self.storm_until else self.ambient):
            return self._struck()
        if now_us < self.slow_until:
            there = rng.randrange(200 * MS, 4 * SECOND)
            return Fate(there, there + rng.randrange(5 * MS, 2 * SECOND))
        there = rng.randrange(100, 2 * MS)
        return Fate(there, there + rng.randrange(100, 2 * MS))

    def _struck(self) -> Fate:
        rng = self._rng
        answer = rng.randrange(1 * MS, 200 * MS)
        match rng.randrange(4):
            case 0:  # refused
                return Fate(NEVER, answer, ok=False)
            case 1:  # done, and the answer is lost
                return Fate(rng.randrange(100, answer), answer, ok=False)
            case 2:  # given up, and done later
                return Fate(answer + rng.randrange(1 * MS, 2 * SECOND), answer, ok=False)
            case _:  # slow
                there = rng.randrange(100 * MS, 7 * SECOND)
                return Fate(there, there + rng.randrange(1 * MS, 100 * MS))
