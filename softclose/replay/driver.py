"""Plays a recording: virtual time moves from bid to bid and from end to end, never by itself.

The driver submits each bid when its instant has come and stops at each end in force until
the writer, woken by its own timer, has closed what is due. Between ends it does not wait for
verdicts one by one, so that many bids share an append. What becomes of the lots is taken from
the bus: from what was written down.

Two promises are checked, not assumed: a bid is judged at its own instant (the log says when),
and nothing moved the ends for an outage. A database that fails ends the replay without result.
"""

import asyncio
from collections.abc import Sequence

from auction.bus_local import LocalBus
from auction.codec import Recorded
from auction.commands import Command
from auction.engine_local import LocalEngine
from auction.ids import Shard
from auction.ports import EventLog
from auction.rejections import Rejection
from auction.verdicts import Verdict
from auction.writer import Writer
from softclose.progress import Report
from softclose.replay.outcomes import Outcomes, ReplayFailed
from softclose.replay.recording import Recording
from softclose.virtual_clock import VirtualClock

# Bids without answer: fewer events than the writer's batch takes, for a bid that waits in the inbox
# of a slow disk would be judged after its instant.
MAX_ASKED = 80
# A close takes one append. Longer than this, and the database has gone.
ANSWER_TIMEOUT_S = 60.0

# What a recorded bid may be told. Everything else is a fault of the replay, not of the bid.
REFUSALS = frozenset(
    {
        Rejection.NOT_ABOVE_OWN_MAXIMUM,
        Rejection.AMOUNT_BELOW_MINIMUM,
        Rejection.LOT_CLOSED,
    }
)


class ReplayClock(VirtualClock):
    """A clock on which a slow machine is never taken for an outage."""

    def monotonic_us(self) -> int:
        """Stands still."""
        return 0


class Driver:
    """One writer on an empty log, and the hand on its clock."""

    def __init__(self, log: EventLog, recording: Recording) -> None:
        self._recording = recording
        self._clock = ReplayClock(recording.start_us)
        bus = LocalBus()
        bus.listen(self._heard)
        self._writer = Writer(log, self._clock, bus, owner="replay")
        self._engine = LocalEngine(self._writer)
        self._recorded: list[Recorded] = []
        self._news = asyncio.Event()
        self._asked: list[asyncio.Task[Verdict]] = []
        self.outcomes = Outcomes()

    async def play(self, report: Report) -> Outcomes:
        """What became of the lots, once all have ended. Raises `ReplayFailed`."""
        running = asyncio.create_task(self._writer.run())
        playing = asyncio.create_task(self._play(report))
        try:
            await asyncio.wait((running, playing), return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()  # a bug in the writer is no fault of the database's
                raise ReplayFailed("the writer stopped before the recording's end")
            playing.result()
            return self.outcomes
        finally:
            playing.cancel()
            self._writer.stop()
            await asyncio.gather(running, playing, *self._asked, return_exceptions=True)

    async def _play(self, report: Report) -> None:
        await self._writer.serving()
        for command in self._recording.preparations:
            await self._ask(command)
        await self._answers()
        whole = len(self._recording.bids)
        for done, (at_us, bid) in enumerate(self._recording.bids):
            await self._close_before(at_us)
            self._clock.advance_to(at_us)
            self.outcomes.expect(bid.bid_id, at_us)
            await self._ask(bid)
            report(done, whole)
        await self._close_before(None)
        report(whole, whole)

    async def _ask(self, command: Command) -> None:
        """Have a command judged now; its verdict is looked at later."""
        if len(self._asked) >= MAX_ASKED:
            await self._answers()
        self._asked.append(asyncio.create_task(self._engine.submit(command)))
        await asyncio.sleep(0)  # its first step: judged at this instant

    async def _answers(self) -> None:
        """Wait until everything asked is answered and durable."""
        asked, self._asked = self._asked, []
        for verdict in await asyncio.gather(*asked):
            if not verdict.accepted and verdict.code not in REFUSALS:
                raise ReplayFailed(f"the engine answered {verdict.code}: {verdict.message}")
        self._take_news()

    async def _close_before(self, at_us: int | None) -> None:
        """Go to each end that comes at ``at_us`` at the latest, and let the writer close.

        An end that is known may be too early, as bids without answer may have moved it: so
        the answers are awaited first. It is never too late: nothing moves an end forward.
        """
        while (end_us := self.outcomes.next_end_us()) is not None:
            if at_us is not None and end_us > at_us:
                return
            await self._answers()
            if self.outcomes.next_end_us() == end_us:
                self._clock.advance_to(end_us)
                await self._wait_for_close(end_us)

    async def _wait_for_close(self, end_us: int) -> None:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while (next_us := self.outcomes.next_end_us()) is not None and next_us <= end_us:
                    self._news.clear()
                    await self._news.wait()
                    self._take_news()
        except TimeoutError:
            message = f"nothing was closed within {ANSWER_TIMEOUT_S:g} s: is the database there?"
            raise ReplayFailed(message) from None

    def _heard(self, _: Shard, recorded: Sequence[Recorded]) -> None:
        self._recorded += recorded
        self._news.set()

    def _take_news(self) -> None:
        recorded, self._recorded = self._recorded, []
        for event in recorded:
            self.outcomes.take(event)
