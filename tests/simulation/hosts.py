"""A host: one process with a writer in it, as an installation starts it."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import auction.writer
from auction.bus_local import LocalBus
from auction.clock import EngineClock
from auction.codec import Recorded
from auction.commands import Command
from auction.engine_local import LocalEngine
from auction.ids import Shard
from auction.rejections import Rejection
from auction.verdicts import Verdict
from auction.writer import Writer
from tests.simulation.simulated_log import Connection, LogServer
from tests.simulation.tape import Attempt, Call, Published, Ready, Tape
from tests.simulation.virtual_loop import Process, VirtualLoop, outside


class Host:
    """``finished``: its writer returned, as it does after ``stop``."""

    # In good weather.
    stops_within_s = 2.0

    def __init__(self, name: str, server: LogServer, shards: list[Shard]) -> None:
        self._loop, self._tape = server.loop, server.tape
        self.name = name
        self.process = Process(self._loop, name)
        self.clock = RecordedClock(name, self._loop, self._tape)
        self.bus = LocalBus()
        self.bus.listen(self._heard)
        self.writer = self.make_writer(server, shards)
        self._engine = LocalEngine(self.writer)
        self.stopping = self.finished = False
        self._stopped_no = 0
        self._on_finish: list[Callable[[], None]] = []
        self.process.on_death.append(self._hang_up)
        self._open: dict[int, asyncio.Future[Verdict | None]] = {}

    def make_writer(self, server: LogServer, shards: list[Shard]) -> Writer:
        """What judges here."""
        return Writer(Connection(server, self.process), self.clock, self.bus, self.name, shards)

    @property
    def lives(self) -> bool:
        """Whether commands may be sent to it."""
        return self.process.alive and not self.stopping

    def when_finished(self, listener: Callable[[], None]) -> None:
        """Call this when its writer has returned."""
        self._on_finish.append(listener)

    def start(self) -> None:
        """Let the writer run."""
        self._tape.note(self.name, "starts")
        running = self.process.spawn(self.writer.run())
        running.add_done_callback(self._ended, context=outside())

    def stop(self) -> None:
        """SIGTERM."""
        self._tape.note(self.name, "is asked to stop")
        self.stopping = True
        self.process.call(self._stop)

    def _stop(self) -> None:
        self.writer.stop()
        self._stopped_no = self._tape.note(self.name, "stops")

    async def ask(self, command: Command) -> Verdict | None:
        """Its answer; ``None`` if it dies, or the asking is cancelled, before it comes."""
        attempt = self._attempt(command)
        if not self.process.alive:
            return None
        answered: asyncio.Future[Verdict | None] = self._loop.create_future()
        self._open[attempt.no] = answered
        asking = self.process.spawn(self._engine.submit(command))
        asking.add_done_callback(partial(self._answered, attempt), context=outside())
        try:
            return await answered
        except asyncio.CancelledError:
            self.process.call(asking.cancel)
            raise

    @property
    def unanswered(self) -> int:
        """Commands that it has not answered."""
        return len(self._open)

    def _attempt(self, command: Command) -> Attempt:
        no = self._tape.note(self.name, "is asked", command)
        attempt = Attempt(no, self._loop.now_us, self.name, command, self.clock.now_us())
        self._tape.attempts.append(attempt)
        return attempt

    def _answered(self, attempt: Attempt, asking: "asyncio.Task[Verdict]") -> None:
        verdict = None
        if not asking.cancelled():
            error = asking.exception()
            if error is None:
                verdict = attempt.verdict = asking.result()
            else:
                self._tape.broken("engine", f"{attempt.command} raised {error!r}")
        self._bounds_hold()
        if verdict is not None and 0 < self._stopped_no < attempt.no:
            judged = verdict.code is not Rejection.UNAVAILABLE
            if judged and verdict.code is not Rejection.INVALID:
                self._tape.broken("I27", f"{self.name} stops, and judged {attempt.command}")
        attempt.answer_no = self._tape.note(self.name, f"answers #{attempt.no}", verdict)
        attempt.answer_us = self._loop.now_us
        attempt.answer_engine_us = self.clock.now_us()
        waiting = self._open.pop(attempt.no, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(verdict)

    def _bounds_hold(self) -> None:
        """I26: the inbox is bounded, and so are the verdicts that wait for an append."""
        writer = self.writer
        waiting = len(writer._waiting)
        untold = len(writer._replies) + len(writer._replies_in_flight or ())
        if waiting > auction.writer.MAX_WAITING or untold > auction.writer.MAX_UNTOLD:
            self._tape.broken("I26", f"{self.name}: {waiting} wait, {untold} are judged and untold")

    def _hang_up(self) -> None:
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_result(None)
        self._open.clear()

    def _ended(self, running: "asyncio.Task[None]") -> None:
        if running.cancelled():
            return
        self.finished = True
        self._tape.note(self.name, "ended")
        error = running.exception()
        if error is not None:
            self._tape.broken("writer", f"{self.name} ended by itself: {error!r}")
            self.process.kill()
        for listener in self._on_finish:
            listener()

    def _heard(self, shard: Shard, recorded: Sequence[Recorded]) -> None:
        no = self._tape.note(self.name, "publishes", shard, [event.position for event in recorded])
        self._tape.published.append(Published(no, self.name, shard, tuple(recorded)))


class RecordedClock(EngineClock):
    """The engine's clock; the tape learns when it takes over the log's."""

    def __init__(self, host: str, loop: VirtualLoop, tape: Tape) -> None:
        super().__init__()
        self._host, self._loop, self._tape = host, loop, tape

    def follow(self, log_us: int) -> None:
        """See ``Clock``."""
        super().follow(log_us)
        engine_us = self.now_us()
        no = self._tape.note(self._host, "is ready at", engine_us)
        heads = next(call.heads for call in reversed(self._tape.calls) if self._took(call))
        standing = engine_us != log_us
        ready = Ready(no, self._loop.now_us, self._host, engine_us, standing, tuple(heads))
        self._tape.readies.append(ready)

    def _took(self, call: Call) -> bool:
        return call.kind == "take" and call.host == self._host and call.ok
