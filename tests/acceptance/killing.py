"""The parent of the processes that are killed: starts them, watches, kills, and keeps account."""

import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec.structs import replace

from auction.commands import PlaceBid
from auction.verdicts import Acceptance
from tests.acceptance.bidding_process import Mark, Orders
from tests.acceptance.outsider import Logged, Placed
from tests.processes import environment

# Enough for anything here on a busy machine; only a failure waits so long.
DEADLINE_S = 120.0
ACCEPTED = {str(code) for code in Acceptance}
NOT_JUDGED = {"BUSY", "UNAVAILABLE"}

Told = tuple[str, int | None, str | None]


class Process:
    """One run. It has loaded its modules and waits for orders."""

    def __init__(self, errors: Path) -> None:
        self._errors = errors
        with errors.open("ab") as stderr:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "tests.acceptance.bidding_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment({}),
            )
        assert self.popen.stdin and self.popen.stdout
        self._stdin: IO[bytes] = self.popen.stdin
        self._marks = self.popen.stdout.fileno()
        self.seen = b""

    def begin(self, orders: Orders) -> None:
        self._stdin.write(msgspec.json.encode(orders) + b"\n")
        self._stdin.flush()

    def until(self, mark: bytes, count: int = 1) -> None:
        """Wait until it has made this mark so often."""
        deadline_s = time.monotonic() + DEADLINE_S
        while self.seen.count(mark) < count:
            assert self._runs(deadline_s), f"ended by itself: {self.said()}"
            assert time.monotonic() < deadline_s, f"no {mark!r} after {self.seen[-20:]!r}"

    def for_seconds(self, seconds: float) -> None:
        """Let it run."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            assert self._runs(until_s), f"ended by itself: {self.said()}"

    def ended(self) -> int:
        """Wait for its end, when all of its marks have been seen; the exit code, -9 if killed."""
        deadline_s = time.monotonic() + DEADLINE_S
        while self._runs(deadline_s):
            assert time.monotonic() < deadline_s, f"does not end after {self.seen[-20:]!r}"
        return self.popen.wait(DEADLINE_S)

    def _runs(self, until_s: float) -> bool:
        """Take the next marks, if there are any by a time; False at its end."""
        left_s = max(0.0, until_s - time.monotonic())
        if not select.select([self._marks], [], [], left_s)[0]:
            return True
        marks = os.read(self._marks, 65_536)
        self.seen += marks
        return bool(marks)

    def kill(self) -> None:
        """Kill it, whatever it is at."""
        self.popen.kill()
        assert self.ended() == -signal.SIGKILL, self.said()

    def said(self) -> str:
        return self._errors.read_text()[-4_000:]

    @property
    def was_appending(self) -> bool:
        """Whether an append was under way when it ended."""
        return self.seen.count(Mark.APPENDING) > self.seen.count(Mark.APPENDED)


@contextmanager
def fleet(folder: Path) -> Iterator[Iterator[Process]]:
    """Processes, one after the other, each started while the one before is at work."""
    started: list[Process] = []

    def processes() -> Iterator[Process]:
        while True:
            started.append(Process(folder / "errors"))
            if len(started) > 1:
                yield started[-2]

    try:
        yield processes()
    finally:
        for process in started:
            process.popen.kill()
            process.popen.communicate()


@dataclass
class Account:
    """What was sent and told in all runs, from their history."""

    history: Path
    sent: dict[str, PlaceBid] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)  # first verdict of each accepted id
    unanswered: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    verdicts: int = 0
    repeats: int = 0
    _read: int = 0

    def take_over(self) -> list[str]:
        """Read what was added since; the ids that were sent in it."""
        with self.history.open("rb") as file:
            file.seek(self._read)
            lines = file.read().split(b"\n")
        self._read += sum(len(line) + 1 for line in lines[:-1])
        new: list[str] = []
        for line in lines[:-1]:  # a last line that the kill cut short was never written whole
            entry: dict[str, Any] = msgspec.json.decode(line)
            if "sent" in entry:
                bid = msgspec.convert(entry["sent"], PlaceBid)
                self.sent[bid.bid_id] = bid
                self.unanswered.add(bid.bid_id)
                new.append(bid.bid_id)
            elif "told" in entry:
                self._note(entry["told"], tuple(entry["verdict"]))
            else:
                self._note_misuse(entry["misused"], entry["verdict"][0])
        return new

    def _note(self, bid_id: str, verdict: Told) -> None:
        self.verdicts += 1
        self.unanswered.discard(bid_id)
        first = self.told.get(bid_id)
        if first is not None:
            self.repeats += 1
            if verdict[0] not in NOT_JUDGED and verdict != first:
                self.faults.append(f"{bid_id} was told {first} and then {verdict}")
        elif verdict[0] in ACCEPTED:
            self.told[bid_id] = verdict

    def _note_misuse(self, bid_id: str, code: str) -> None:
        if code not in NOT_JUDGED | {"BID_ID_REUSED"}:
            self.faults.append(f"{bid_id} with another amount was told {code}")

    def to_send_again(self, last: list[str], chance: random.Random, some: int) -> list[PlaceBid]:
        """All that is unanswered, all of the last run, and some of those before."""
        ids = {
            *self.unanswered,
            *last,
            *chance.sample(sorted(self.told), min(some, len(self.told))),
        }
        return [bid for bid_id, bid in self.sent.items() if bid_id in ids]

    def compared_with(self, logged: Logged) -> list[str]:
        """Where what was told and what is in the log do not agree."""
        faults = [*self.faults, *logged.faults]
        faults += [f"{i} is in the log twice" for i, at in logged.bids.items() if len(at) > 1]
        for bid_id, at in logged.bids.items():
            if not _is_of(self.sent.get(bid_id), at[0]):
                faults.append(f"{bid_id} is in the log as {at[0]} and was sent otherwise")
        for bid_id, (_, sequence, receipt) in self.told.items():
            at = logged.bids.get(bid_id, [])
            if [(placed.sequence, placed.receipt) for placed in at] != [(sequence, receipt)]:
                faults.append(f"{bid_id} was acknowledged at {sequence} and is not there")
        return faults


def _is_of(bid: PlaceBid | None, placed: Placed) -> bool:
    if bid is None:
        return False
    content = bid.sale_id, bid.lot_id, bid.bidder_id, bid.amount_minor
    return content == (placed.sale_id, placed.lot_id, placed.bidder_id, placed.amount_minor)


class Killer:
    """Runs and kills at points that a seed chooses."""

    def __init__(self, account: Account, orders: Orders, seed: int) -> None:
        self.account, self.chance = account, random.Random(seed)
        self._orders, self._last = orders, list[str]()
        self.in_flight = self.kills = 0

    def run_and_kill(self, process: Process) -> None:
        """One run, with what was sent before sent again, and its end."""
        chance = self.chance
        kind = chance.choice(("any time", "any time", "appending", "decided", "durable"))
        append = chance.randrange(1, 60)
        marks = {"decided": Mark.APPENDING, "durable": Mark.APPENDED}
        die = (marks[kind].decode(), append) if kind in marks else None
        process.begin(self.next_orders(die=die))
        if kind == "any time":
            process.until(chance.choice((Mark.SERVING, Mark.BIDDING, Mark.BIDDING)))
            process.for_seconds(chance.uniform(0, 0.4))
            process.kill()
        elif kind == "appending":
            process.until(Mark.APPENDING, append)
            process.kill()
        else:
            assert process.ended() == -signal.SIGKILL, process.said()
        self.note_end(process)

    def run_to_the_end(self, process: Process) -> None:
        """One run that sends everything again and ends in an orderly way."""
        everything = list(self.account.sent.values())
        process.begin(replace(self._orders, again=everything, bid=False))
        process.until(Mark.DONE)
        assert process.ended() == 0, process.said()
        self.account.take_over()

    def next_orders(self, **changes: Any) -> Orders:
        again = self.account.to_send_again(self._last, self.chance, some=300)
        seed = self.chance.getrandbits(32)
        return replace(self._orders, seed=seed, again=again, **changes)

    def note_end(self, process: Process) -> None:
        self.kills += 1
        self.in_flight += process.was_appending
        self._last = self.account.take_over()
