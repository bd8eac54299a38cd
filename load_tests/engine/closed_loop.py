"""Clients that each wait for their verdict before they bid again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from load_tests.engine.workload import Bid

# Places a bid and returns whether it stands; raises if the answer is not the one it must be.
Place = Callable[[Bid], Awaitable[bool]]

# Taken off the front of each run: connections, plans, caches and the first batches settle.
WARM_UP_SHARE = 0.15


class OutOfBids(Exception):
    """The contender was faster than the workload is long; the run proves nothing."""


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
    """What a run showed between its two marks."""

    bids_per_s: float
    latency_ms_p50: float
    latency_ms_p99: float
    cpu_us_per_bid: float
    refused_share: float


async def closed_loop(place: Place, bids: Iterator[Bid], clients: int, seconds: float) -> Sample:
    """Let ``clients`` clients take bids in order for ``seconds``, warm-up and all."""
    run = Run()
    loop = asyncio.get_running_loop()
    loop.call_later(seconds * WARM_UP_SHARE, run.mark)
    ending = asyncio.Event()
    loop.call_later(seconds, ending.set)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_client(place, bids, run, ending)) for _ in range(clients)]
        await ending.wait()
        run.mark()
    assert all(task.done() for task in tasks)
    return _sample(run)


async def _client(place: Place, bids: Iterator[Bid], run: Run, ending: asyncio.Event) -> None:
    now_ns, note, ended = time.perf_counter_ns, run.latencies_ns.append, ending.is_set
    while not ended():
        try:
            bid = next(bids)
        except StopIteration:
            raise OutOfBids("the workload is too short for this machine") from None
        start_ns = now_ns()
        if await place(bid):
            run.accepted += 1
        note(now_ns() - start_ns)


def _sample(run: Run) -> Sample:
    start, end = run.marks
    accepted, answered = end.accepted - start.accepted, end.answered - start.answered
    if not accepted:
        raise OutOfBids("no bid was accepted in the time of a run")
    latencies_ns = sorted(run.latencies_ns[start.answered : end.answered])
    return Sample(
        bids_per_s=accepted / (end.at_s - start.at_s),
        latency_ms_p50=latencies_ns[len(latencies_ns) // 2] / 1e6,
        latency_ms_p99=latencies_ns[len(latencies_ns) * 99 // 100] / 1e6,
        cpu_us_per_bid=(end.cpu_s - start.cpu_s) / accepted * 1e6,
        refused_share=1 - accepted / answered,
    )
