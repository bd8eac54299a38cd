"""The writer: the one place where commands become facts.

A command is judged when it is taken from the inbox, against the state that all decisions
before it made, and its events join the batch that gathers (``judge``). While one append is in
flight the next batch gathers; an idle writer appends at once. Nothing leaves before it is
durable: a verdict, a refusal too, waits for every batch that it saw.

What a crash leaves behind, at each await of ``_flush``:

* before or during ``append``: perhaps events that nobody was told of. The senders ask again
  under the same bid id, and either find it accepted or have it judged anew;
* after it: durable events whose verdicts were not delivered. The same id gets the first verdict.

If an append's outcome is unknown, everything decided on top of it is answered UNAVAILABLE,
the epochs are raised (which waits for the lost transaction), and the touched shards are
loaded again: the writer never guesses. A shard that another owner took is dropped, and its
commands are answered UNAVAILABLE.

The service is *dark* while no sign of life of it is durable, and no lot closes because we
were dark: a writer that was paused, suspended or without its database applies the outage rule
to its sales before it judges a bid or closes a lot.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

import structlog

from auction.clock_watch import watch_clock
from auction.closer import Closer
from auction.commands import Command
from auction.ids import SHARDS, SaleId, Shard, shard_of
from auction.judge import Gathering, Judge
from auction.liveness import Liveness
from auction.owning import Owning, Taken
from auction.ports import Bus, Clock, EventLog, OutcomeUnknown
from auction.rejections import Rejection
from auction.shards import ShardState, load_sale
from auction.snapshot_keeper import SnapshotKeeper
from auction.verdicts import Verdict

# Commands that may wait to be judged; beyond, the sender is told BUSY. Half a second of work.
MAX_WAITING = 10_000
# Events in one append: a few milliseconds of the database's time. Larger ones save nothing more,
# and let us and the database wait for each other.
MAX_BATCH_EVENTS = 250
# Verdicts that may wait for appends, refusals among them; beyond, commands wait to be judged.
MAX_UNTOLD = 10_000
# Commands judged before the event loop gets a turn: about 2 ms.
JUDGE_SLICE = 100
# An idle writer looks this often whether a heartbeat is due.
LOOK_EVERY_US = 100_000
# Verdicts of an append whose outcome is unknown wait this long for the database to settle it.
SETTLE_WITHIN_S = 2.0
# Sales whose shard is remembered, to save a hash a command.
MAX_PLACES = 100_000

BUSY = Verdict(Rejection.BUSY, "too many commands are waiting; send this again in a moment")
UNAVAILABLE = Verdict(
    Rejection.UNAVAILABLE, "not recorded as far as is known; send the same command again"
)

_logger = structlog.get_logger(__name__)

ALL_SHARDS = tuple(map(Shard, range(SHARDS)))

Reply = tuple["asyncio.Future[Verdict]", Verdict, Shard]


class Writer:
    """Judges commands for the shards it owns, and appends what follows, batch after batch.

    ``run`` owns all of its tasks; ``submit`` may be called from any task of the same loop.
    ``owner`` names this run of this process in the log.
    """

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        bus: Bus,
        owner: str,
        shards: Iterable[Shard] = ALL_SHARDS,
        liveness: Liveness | None = None,
    ) -> None:
        self._log, self._clock, self._bus, self.owner = log, clock, bus, owner
        self._wanted = list(shards)
        self._judge = Judge()
        self._liveness = liveness or Liveness(clock)
        self._owning = Owning(log, clock, owner, self._judge, self._liveness)
        self._errands: list[tuple[Callable[[], Awaitable[None]], asyncio.Future[None]]] = []
        self._closer = Closer(self._judge, clock, self._liveness)
        self._snapshots = SnapshotKeeper(log)
        self._waiting: deque[tuple[Shard, Command, asyncio.Future[Verdict]]] = deque()
        self._replies: list[Reply] = []  # for the batch that gathers
        self._replies_in_flight: list[Reply] | None = None
        self._doubtful: set[Shard] = set()  # their state may differ from the log
        self._stopping = False
        # Kept: on Python 3.11 each look for the running loop is a system call.
        self._loop = asyncio.get_running_loop()
        self._places: dict[SaleId, Shard] = {}

    @property
    def ready(self) -> bool:
        """Whether commands are judged now."""
        return self._liveness.ready

    async def serving(self) -> None:
        """Return once the shards are taken and commands are judged."""
        await self._liveness.serving.wait()

    @property
    def owned(self) -> dict[Shard, ShardState]:
        """The shards owned now. Their state may be ahead of what is durable: not to be shown."""
        return self._judge.owned

    async def submit(self, command: Command) -> Verdict:
        """See ``Engine.submit``. The command's shape must have been checked."""
        shard = self._place(command.sale_id)
        if self._judge.is_retired(shard, command.sale_id):
            await self._bring_back(shard, command.sale_id)
        if not self.ready or shard not in self._judge.owned:
            self._liveness.wake.set()
            return UNAVAILABLE
        if len(self._waiting) >= MAX_WAITING:
            return BUSY
        future: asyncio.Future[Verdict] = asyncio.Future(loop=self._loop)
        if self._waiting or self._is_full():
            self._waiting.append((shard, command, future))
        else:
            self._take(shard, command, future)
        return await future

    def _is_full(self) -> bool:
        """Whether what is judged now would make a batch, or the verdicts that wait, too many."""
        untold = len(self._replies) + len(self._replies_in_flight or ())
        return untold >= MAX_UNTOLD or len(self._judge.gathering) >= MAX_BATCH_EVENTS

    def _take(self, shard: Shard, command: Command, future: "asyncio.Future[Verdict]") -> None:
        """Judge a command now. Its verdict waits for every batch that it saw."""
        retired = self._judge.is_retired(shard, command.sale_id)
        if shard not in self._judge.owned or retired or self._doubtful:
            _resolve(future, UNAVAILABLE)
            return
        try:
            verdict = self._judge.judge(shard, command, self._clock.now_us())
        except Exception:  # a defect of ours: the log line tells; nothing of it may be written
            _logger.exception(
                "judge_failed", sale_id=command.sale_id, command=type(command).__name__
            )
            _resolve(future, UNAVAILABLE)
            self._doubt({shard})
            return
        if len(self._judge.gathering):
            self._replies.append((future, verdict, shard))
            self._liveness.wake.set()
            self._closer.look_again()
        elif self._replies_in_flight is not None:
            self._replies_in_flight.append((future, verdict, shard))
        else:
            _resolve(future, verdict)

    async def _bring_back(self, shard: Shard, sale_id: SaleId) -> None:
        """Load a sale that was put away; if that fails it stays away, and is UNAVAILABLE."""
        try:
            self._judge.bring_back(shard, await load_sale(self._log, sale_id))
        except OutcomeUnknown as error:
            _logger.warning("sale_not_loaded", sale_id=sale_id, error=str(error))

    # --- Appending --------------------------------------------------------------------------

    async def run(self) -> None:
        """Take the shards, then serve until ``stop``. A database that fails does not end it."""
        await self._own(self._wanted, back=False)
        helpers = [
            asyncio.create_task(self._closer.run()),
            asyncio.create_task(watch_clock(self._log, self._clock, self._liveness)),
            asyncio.create_task(self._snapshots.run()),
        ]
        try:
            while not self._stopping or len(self._judge.gathering):
                await self._wait_for_work()
                await self._step()
                for helper in helpers:
                    if helper.done():
                        helper.result()  # a bug in it ends the writer: never unnoticed
            await self._snapshots.finish()
        finally:
            self._liveness.serving.clear()
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            for _, done in self._errands:
                done.cancel()
            self._refuse_undecided()
            _refuse(self._replies_in_flight or [])  # cancelled or broken: nobody waits for ever

    def stop(self) -> None:
        """Append and answer what was decided, refuse the rest, and let ``run`` return."""
        self._stopping = True
        self._liveness.pause()

    async def _wait_for_work(self) -> None:
        if not len(self._judge.gathering) and not self._waiting and not self._errands:
            try:
                async with asyncio.timeout(LOOK_EVERY_US / 1e6):
                    await self._liveness.wake.wait()
            except TimeoutError:
                pass  # time for a heartbeat
        self._liveness.wake.clear()

    async def _step(self) -> None:
        if self._doubtful or not (self._stopping or self.ready):
            await self._recover("doubt" if self._doubtful else "dark", Gathering(), [])
            return
        await self._run_errands()
        if not len(self._judge.gathering):
            await self._judge_waiting()
        # Looked at after the clock was read for what is sent: if we were stopped in between, what
        # was judged since is not written, and its time does not hide for how long we were dark.
        if len(self._judge.gathering) and (self._stopping or self.ready):
            await self._flush()
        # After every append at most one, so that slow heartbeats cannot keep bids waiting.
        if self._liveness.beat_is_due() and not self._owning.moves_gather:
            await self._beat()

    async def _flush(self) -> None:
        """One append, while the next batch gathers."""
        gathering = self._judge.take_gathering()
        replies = self._replies_in_flight = self._replies
        self._replies = []
        appending = asyncio.create_task(self._log.append(gathering.batch))
        await asyncio.sleep(0)  # let it be sent: the database works while we judge
        await self._judge_waiting()
        try:
            lost = await asyncio.shield(appending)
        except OutcomeUnknown as error:
            await self._recover(str(error), gathering, replies)
            self._replies_in_flight = None
            return
        self._replies_in_flight = None
        self._owning.moves_gather = False
        # In the loop's next turn, so that the next append is sent before all who wait for this
        # one are woken.
        self._loop.call_soon(self._announce, gathering, replies, lost)
        self._doubt(lost)
        for pending in gathering.snapshots:
            if pending.snapshot.shard not in lost:
                self._snapshots.keep(pending)

    async def _judge_waiting(self) -> None:
        """Fill the gathering batch from the inbox, a slice at a time."""
        judged = 0
        while self._waiting and self._liveness.serving.is_set() and not self._is_full():
            self._take(*self._waiting.popleft())
            judged += 1
            if judged % JUDGE_SLICE == 0:
                await asyncio.sleep(0)
                if not self.ready:
                    return

    def _announce(self, gathering: Gathering, replies: list[Reply], lost: set[Shard]) -> None:
        """The batch is durable, but for the lost shards: tell everybody."""
        for shard, recorded in gathering.recorded.items():
            if shard not in lost:
                self._bus.publish(shard, recorded)
        for future, verdict, shard in replies:
            _resolve(future, UNAVAILABLE if shard in lost else verdict)

    async def _beat(self) -> None:
        sent_us = self._clock.monotonic_us()
        epochs = {shard: state.epoch for shard, state in self._judge.owned.items()}
        at_us = self._judge.engine_us(self._clock.now_us())
        if not self.ready:  # for the same reason as before an append
            return
        try:
            self._doubt(await self._log.beat(epochs, at_us, self.owner))
        except OutcomeUnknown as error:
            await self._recover(str(error), Gathering(), [])
            return
        self._liveness.beat(sent_us)

    # --- Owning -----------------------------------------------------------------------------

    async def _recover(self, cause: str, gathering: Gathering, replies: list[Reply]) -> None:
        """Back from the dark, or from an append (``gathering``) whose outcome is unknown.

        What was decided since is refused, the shards are taken back, those whose state may
        differ from the log are loaded again, and the append is settled by their positions.
        """
        _logger.warning("writer_recovers", cause=cause, in_flight=len(gathering))
        self._liveness.serving.clear()
        self._refuse_undecided()
        decided = self._judge.take_gathering()
        mine = list(self._judge.owned)
        self._doubtful |= gathering.batch.appends.keys() | decided.batch.appends.keys()
        for shard in self._doubtful:
            self._judge.owned.pop(shard, None)
        self._doubtful = set()
        # Nobody is kept waiting for a database that does not come back.
        patience = asyncio.get_running_loop().call_later(SETTLE_WITHIN_S, _refuse, replies)
        positions = await self._own(mine, back=True)
        patience.cancel()
        lost = {
            shard
            for shard, part in gathering.batch.appends.items()
            if positions.get(shard, -1) < part.position + part.count
        }
        lost |= {shard for _, _, shard in replies if shard not in positions}
        self._announce(gathering, replies, lost)

    async def _own(self, shards: Sequence[Shard], *, back: bool) -> dict[Shard, int]:
        """Take the shards and serve; the position at which each was found."""
        positions = await self._owning.own(shards, back=back, given_up=lambda: self._stopping)
        if not self._stopping:
            self._liveness.serving.set()
        self._liveness.wake.set()
        self._closer.look_again()
        _logger.info("writer_serves", shards=len(self.owned))
        return positions

    async def adopt(self, taken: Sequence[Taken]) -> None:
        """Judge for shards that were just taken, from before the next append on."""

        async def adopt() -> None:
            self._owning.adopt(taken)
            self._closer.look_again()

        await self._between_appends(adopt)

    async def let_go(self, shards: Collection[Shard]) -> tuple[dict[Shard, int], int]:
        """Judge no more for these; what was decided for them is durable, or was refused.

        Returns the epochs of those that were owned, and the time after which nothing was judged.
        """
        gone: dict[Shard, int] = {}
        at_us = 0

        async def let_go() -> None:
            nonlocal at_us
            gone.update(self._owning.give_up(shards))
            if len(self._judge.gathering):
                await self._flush()
            at_us = self._judge.engine_us(self._clock.now_us())

        await self._between_appends(let_go)
        return gone, at_us

    async def _between_appends(self, errand: Callable[[], Awaitable[None]]) -> None:
        """Have the writer do this when it serves; return when it is done."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._errands.append((errand, done))
        self._liveness.wake.set()
        await done

    async def _run_errands(self) -> None:
        while self._errands:
            errand, done = self._errands.pop(0)
            try:
                await errand()
            finally:  # a bug in it ends the writer, and nobody waits for it
                if not done.done():
                    done.set_result(None)

    def _doubt(self, shards: set[Shard]) -> None:
        """The state of these may differ from the log: write nothing more before it is loaded.

        Also where the log says that we own them no longer. Mostly another owner took them;
        but a ``take`` of ours that was given up may have come through late.
        """
        if shards:
            self._doubtful |= shards
            self._liveness.pause()

    def _refuse_undecided(self) -> None:
        """Nothing that gathers or waits will be written."""
        replies, self._replies = self._replies, []
        _refuse(replies)
        while self._waiting:
            _resolve(self._waiting.popleft()[2], UNAVAILABLE)

    def _place(self, sale_id: SaleId) -> Shard:
        shard = self._places.get(sale_id)
        if shard is None:
            if len(self._places) >= MAX_PLACES:
                self._places.clear()
            shard = self._places[sale_id] = shard_of(sale_id)
        return shard


def _refuse(replies: list[Reply]) -> None:
    for future, _, _ in replies:
        _resolve(future, UNAVAILABLE)


def _resolve(future: "asyncio.Future[Verdict]", verdict: Verdict) -> None:
    if not future.done():  # its sender may have gone
        future.set_result(verdict)
