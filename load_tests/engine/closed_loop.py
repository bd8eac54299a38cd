"""Clients that each wait for their verdict before they bid again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from load_tests.engine.workload import Bid

# Takes the next bid, places it, and returns whether it stands.
Place = Callable[[Iterator[Bid]], Awaitable[bool]]

# Taken off the front of each run: connections, plans, caches and the first batches settle.
WARM_UP_SHARE = 0.15


class NothingMeasured(Exception):
    """A run proves nothing: the bids ran out, or none was accepted."""


@dataclass(slots=True)
class Mark:
    """How far a run was at a moment."""

    at_s: float
    cpu_s: float
    answered: int
    accepted: int


@dataclass(slots=True)
class Run:
    """One run of a closed loop."""

    latencies_ns: list[int] = field(default_factory=list)
    accepted: int = 0
    marks: list[Mark] = field(default_factory=list)

    def mark(self) -> None:
        """Note how far it is; the first mark ends the warm-up, the second the run."""
        self.marks.append(
            Mark(time.perf_counter(), time.process_time(), len(self.latencies_ns), self.accepted)
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """What a run showed between its two marks, and how many bids it accepted in all."""

    bids_per_s: float
    latency_ms_p50: float
    latency_ms_p99: float
    cpu_us_per_bid: float  # of this process: the contender's part in it, and the clients
    refused_share: float
    accepted: int


async def closed_loop(place: Place, bids: Sequence[Bid], clients: int, seconds: float) -> Sample:
    """Let ``clients`` clients take bids in order for ``seconds``, warm-up and all."""
    run, queue = Run(), _until_out(bids)
    loop = asyncio.get_running_loop()
    loop.call_later(seconds * WARM_UP_SHARE, run.mark)
    ending = asyncio.Event()
    loop.call_later(seconds, ending.set)
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(_client(place, queue, run, ending))
        await ending.wait()
        run.mark()
    return _sample(run)


def _until_out(bids: Sequence[Bid]) -> Iterator[Bid]:
    yield from bids
    raise NothingMeasured("the workload is too short for this machine")


async def _client(place: Place, bids: Iterator[Bid], run: Run, ending: asyncio.Event) -> None:
    now_ns, note, ended = time.perf_counter_ns, run.latencies_ns.append, ending.is_set
    while not ended():
        start_ns = now_ns()
        if await place(bids):
            run.accepted += 1
        note(now_ns() - start_ns)


def _sample(run: Run) -> Sample:
    start, end = run.marks
    accepted, answered = end.accepted - start.accepted, end.answered - start.answered
    if not accepted:
        raise NothingMeasured("no bid was accepted in the time of a run")
    latencies_ns = sorted(run.latencies_ns[start.answered : end.answered])
    return Sample(
        bids_per_s=accepted / (end.at_s - start.at_s),
        latency_ms_p50=latencies_ns[len(latencies_ns) // 2] / 1e6,
        latency_ms_p99=latencies_ns[len(latencies_ns) * 99 // 100] / 1e6,
        cpu_us_per_bid=(end.cpu_s - start.cpu_s) / accepted * 1e6,
        refused_share=1 - accepted / answered,
        accepted=run.accepted,
    )
