"""The time of day, as this room keeps it. Time is an argument everywhere else."""

import time
from collections.abc import Callable
from typing import Final

# Microseconds since the epoch, UTC.
Clock = Callable[[], int]

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US


def wall_clock() -> int:
    """Now, by this machine's clock."""
    return time.time_ns() // 1_000
