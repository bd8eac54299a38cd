"""``simulate(seed)``: one run, its findings, and its fingerprint."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from msgspec import Struct
from structlog.testing import capture_logs

import auction.clock
import auction.decide_lots
import auction.judge
import auction.shards
import auction.writer
from tests.simulation.checker import check
from tests.simulation.scenarios import Scenario, drawn
from tests.simulation.simulated_log import START_US
from tests.simulation.tape import Tape
from tests.simulation.virtual_loop import Process, VirtualLoop
from tests.simulation.weather import SECOND
from tests.simulation.world import World

# Bounds so low that every run meets them: snapshots with tails, sales put away, full batches
# and inboxes, chunks of reading and closing.
SMALL: Final[tuple[tuple[Any, str, int], ...]] = (
    (auction.judge, "SNAPSHOT_EVERY", 12),
    (auction.shards, "RETIRE_AFTER_US", 10 * SECOND),
    (auction.shards, "READ_CHUNK", 9),
    (auction.writer, "MAX_BATCH_EVENTS", 6),
    (auction.writer, "MAX_WAITING", 8),
    (auction.writer, "MAX_UNTOLD", 10),
    (auction.writer, "JUDGE_SLICE", 2),
    (auction.writer, "MAX_PLACES", 2),
    (auction.decide_lots, "CLOSE_CHUNK", 2),
)
# What a defect in the engine or the gateway leaves in the log.
DEFECTS: Final = (
    "judge_failed",
    "listener_failed",
    "bid_not_judged",
    "connection_not_looked_at",
    "gateway_task_failed",
    "link_not_looked_at",
    "owner_not_told",
    "sale_given_up",
    "subscription_failed",
    "tick_failed",
)


class Run(Struct, frozen=True):
    """What a run came to. ``broken``: (invariant, what was seen), none if all is well."""

    seed: int
    broken: list[tuple[str, str]]
    fingerprint: str
    faults: list[str]
    steps: int
    virtual_s: float
    took_s: float
    counts: dict[str, int]
    lines: list[str]
    again: str = ""

    @property
    def report(self) -> str:
        """For people: what broke, and how to see it again."""
        findings = [f"  {invariant}: {text:.600}" for invariant, text in self.broken[:5]]
        again = f"python -m tests.simulation {self.again}{self.seed} --trace"
        return "\n".join([f"seed {self.seed} broke:", *findings, f"  see it again: {again}"])


def simulate(seed: int, *, trace: bool = False) -> Run:
    """Run a seed. The same seed gives the same run, anywhere."""
    return play(drawn(seed), trace=trace)


def play(
    scenario: Scenario,
    *,
    trace: bool = False,
    world: Callable[[Scenario, VirtualLoop, Tape], World] = World,
    again: str = "",
    until_broken: bool = False,
) -> Run:
    """Run a scenario. ``again``: what the command line needs besides to run it once more.

    ``until_broken``: no longer than until something is found.
    """
    began = time.perf_counter()
    loop = VirtualLoop()
    tape = Tape(loop, keep_lines=trace)
    loop.set_exception_handler(lambda _, context: tape.broken("task", f"{context}"))
    with small_bounds(), virtual_clock(loop), capture_logs() as logs:
        played = world(scenario, loop, tape)
        try:
            playing = loop.create_task(played.play())
            if until_broken:
                tape.on_finding = playing.cancel
            loop.run_until_complete(playing)
        except asyncio.CancelledError:
            assert tape.findings, "cancelled by itself"
        except Exception as error:  # noqa: BLE001 - a finding like any other: with its seed and its trace
            tape.broken("run", f"{error!r}")
        fingerprint, lines = tape.fingerprint, list(tape.lines)
        steps, virtual_us = loop.steps, loop.now_us
        for entry in logs:
            by_assert = isinstance(entry.get("exc_info"), AssertionError)
            if by_assert or entry["event"] in DEFECTS:
                tape.broken("engine", f"{entry}")
        findings = list(tape.findings)
        _clean_up(loop, played.processes)
    broken = findings if findings and until_broken else findings + _checked(tape)
    counts = _counts(tape, logs)
    took_s = time.perf_counter() - began
    return Run(
        seed=scenario.seed,
        broken=broken,
        fingerprint=fingerprint,
        faults=tape.faults,
        steps=steps,
        virtual_s=virtual_us / 1e6,
        took_s=took_s,
        counts=counts,
        lines=lines,
        again=again,
    )


@contextmanager
def small_bounds() -> Iterator[None]:
    """The engine with low bounds."""
    with ExitStack() as patches:
        for module, name, value in SMALL:
            patches.enter_context(patch.object(module, name, value))
        yield


@contextmanager
def virtual_clock(loop: VirtualLoop) -> Iterator[None]:
    """The real ``EngineClock``, on virtual time."""
    wall = SimpleNamespace(time_ns=lambda: (START_US + loop.now_us) * 1_000)
    with (
        patch.object(auction.clock, "steady_us", lambda: loop.now_us),
        patch.object(auction.clock, "time", wall),
    ):
        yield


def _clean_up(loop: VirtualLoop, processes: list[Process]) -> None:
    """Nothing is observed any more: let all tasks, those of the dead too, be cancelled."""
    loop.forget_steps()
    for process in processes:
        process.revive_to_be_cleaned_up()
    loop.set_exception_handler(lambda _, context: None)
    spawned = [task for process in processes for task in process.tasks]
    loop.run_until_complete(_cancel(spawned))
    begun_by_these = asyncio.all_tasks(loop)  # in any order
    loop.run_until_complete(_cancel(begun_by_these))
    loop.close()


async def _cancel(tasks: Collection["asyncio.Task[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _checked(tape: Tape) -> list[tuple[str, str]]:
    try:
        return check(tape)
    except Exception as error:  # noqa: BLE001 - a log so wrong that it cannot be read
        return [("checker", f"{error!r}")]


def _counts(tape: Tape, logs: list[Any]) -> dict[str, int]:
    """How much of what happened, to see that nothing is simulated in name only."""
    counts: dict[str, int] = {}
    for call in tape.calls:
        outcome = "ok" if call.ok else "unknown"
        counts[f"{call.kind} {outcome}"] = counts.get(f"{call.kind} {outcome}", 0) + 1
    for attempt in tape.attempts:
        code = "no answer" if attempt.verdict is None else str(attempt.verdict.code)
        counts[code] = counts.get(code, 0) + 1
    for entry in logs:
        counts[entry["event"]] = counts.get(entry["event"], 0) + 1
    return counts
