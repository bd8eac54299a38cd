"""What a load test ran on. Figures of two machines are never compared without it."""

import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

# Every contender shares as many cores as the project's reference machine has, whatever there is.
CORES: Final = 2
FLUSHES: Final = 200
PAGE: Final = bytes(8192)


def keep_to_cores() -> None:
    """Keep this process, and what it starts from now on, to `CORES` cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def describe(folder: Path) -> dict[str, Any]:
    """The machine, in figures and words. ``folder``: on the disk that the databases use."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "cores_used": _cores_used(),
        "memory_gib": round(_memory_bytes() / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "uvloop": version("uvloop"),
        "disk_flush_us": round(_flush_us(folder), 1),
        "load_before": round(os.getloadavg()[0], 2),
    }


class Others:
    """What everything else on this machine does from here on: how far figures may be trusted."""

    def __init__(self) -> None:
        self._before = self._now()

    def cores(self) -> float:
        """How many cores others have used, on average; what we started must have ended."""
        busy_s, own_s, at_s = (
            after - before for after, before in zip(self._now(), self._before, strict=True)
        )
        return max(0.0, (busy_s - own_s) / at_s)

    @staticmethod
    def _now() -> tuple[float, float, float]:
        return _busy_s(), sum(os.times()[:4]), time.perf_counter()


def _busy_s() -> float:
    """CPU time of all that runs here, and what the machine's owner took for others."""
    try:
        words = Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _idle, _waiting, *interrupts_and_stolen = map(int, words[:8])
    return (user + nice + system + sum(interrupts_and_stolen)) / os.sysconf("SC_CLK_TCK")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _cores_used() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _flush_us(folder: Path) -> float:
    """The median time to append 8 kB and have the disk say that it is kept: a commit's price."""
    path = folder / "flush"
    took_us = []
    with path.open("wb", buffering=0) as file:
        for _ in range(FLUSHES):
            start_ns = time.perf_counter_ns()
            file.write(PAGE)
            os.fsync(file.fileno())
            took_us.append((time.perf_counter_ns() - start_ns) / 1e3)
    path.unlink()
    return statistics.median(took_us)
