"""Trouble on demand: what the network and Stripe can do to a request, told or by a seed."""

import random
from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Final

from msgspec import Meta, Struct

MAX_FAULTS: Final = 1_000
MAX_HOLD_S: Final = 60.0


class Trouble(StrEnum):
    """What happens to a request."""

    LOST_ANSWER = "lost_answer"  # it takes effect, then the connection breaks
    NO_EFFECT = "no_effect"  # the connection breaks before anything was done
    TRUNCATED = "truncated"  # it takes effect, half of the answer comes
    CONFLICT = "conflict"  # 409, as for a request that is under way; not kept
    RATE_LIMITED = "rate_limited"  # 429; not kept
    SERVER_ERROR = "server_error"  # 500 without effect, kept under the key
    SERVER_ERROR_AFTER_EFFECT = "server_error_after_effect"  # 500 with effect, kept
    SLOW = "slow"  # it waits for `hold_s`, and then is done as always


class Fault(Struct, frozen=True, forbid_unknown_fields=True):
    """``operation`` as ``POST /v1/payment_intents/{id}/capture``, with ``*`` for any part;
    the first ``skip`` requests that fit are spared, the next ``times`` are hit.

    ``hold_s``: how long the connection stays open before it breaks (a time-out of the client).
    """

    trouble: Trouble
    operation: Annotated[str, Meta(max_length=200)] = "POST *"
    times: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    skip: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    hold_s: Annotated[float, Meta(ge=0, le=MAX_HOLD_S)] = 0.0


class Weather(Struct, frozen=True, forbid_unknown_fields=True):
    """Faults by a seed: of 1,000 requests so many have each trouble."""

    seed: int
    per_mille: Mapping[Trouble, Annotated[int, Meta(ge=0, le=1_000)]]
    operation: Annotated[str, Meta(max_length=200)] = "POST *"


class Faults:
    """What is to happen to the next requests."""

    def __init__(self) -> None:
        self._told: list[list[int]] = []
        self._faults: list[Fault] = []
        self._weather: Weather | None = None
        self._random = random.Random(0)  # noqa: S311 - trouble is no secret

    def add(self, fault: Fault) -> None:
        """Raises ``ValueError`` beyond ``MAX_FAULTS``."""
        if len(self._faults) >= MAX_FAULTS:
            raise ValueError(f"at most {MAX_FAULTS} faults wait at a time")
        self._faults.append(fault)
        self._told.append([fault.skip, fault.times])

    def clear(self) -> None:
        """Fair weather."""
        self._faults, self._told, self._weather = [], [], None

    def set_weather(self, weather: Weather) -> None:
        """From now on, besides what is told."""
        self._weather = weather
        self._random = random.Random(weather.seed)  # noqa: S311

    def take(self, operation: str) -> Fault | None:
        """What happens to this request."""
        for place, fault in enumerate(self._faults):
            if not fnmatchcase(operation, _glob(fault.operation)):
                continue
            counts = self._told[place]
            if counts[0] > 0:
                counts[0] -= 1
                continue
            counts[1] -= 1
            if counts[1] == 0:
                del self._faults[place], self._told[place]
            return fault
        return self._by_seed(operation)

    def _by_seed(self, operation: str) -> Fault | None:
        weather = self._weather
        if weather is None or not fnmatchcase(operation, _glob(weather.operation)):
            return None
        drawn = self._random.randrange(1_000)
        for trouble, share in sorted(weather.per_mille.items()):
            drawn -= share
            if drawn < 0:
                return Fault(trouble, operation)
        return None


def _glob(pattern: str) -> str:
    """Only ``*`` has a meaning."""
    return pattern.replace("[", "[[]").replace("?", "[?]")
