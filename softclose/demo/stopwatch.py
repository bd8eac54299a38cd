"""How long this process has been there: what a newcomer has waited, ./run's set-up included."""

import os
import time
from pathlib import Path

_LOADED_S = time.monotonic()


def process_age_s() -> float:
    """Seconds since the process began; where the kernel does not tell, since this was loaded.

    ``./run`` becomes this process by exec, so its own beginning counts.
    """
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.monotonic() - _LOADED_S
    began_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # the 22nd field of all, since the boot
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began_s
