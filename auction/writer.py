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
from collections.abc import Iterable

import structlog

from auction.commands import CloseDue, Command, MoveEndsAfterOutage
from auction.ids import SHARDS, SaleId, Shard, shard_of
from auction.judge import Gathering, Judge
from auction.ports import Bus, Clock, EventLog, OutcomeUnknown, ShardHead
from auction.rejections import Rejection
from auction.shards import PendingSnapshot, ShardState, load, load_sale, next_deadline_us
from auction.verdicts import Verdict

# Commands that may wait to be judged; beyond, the sender is told BUSY. Half a second of work.
MAX_WAITING = 10_000
# Events in one append: about 25 ms of the database's time, so that a verdict is not held up
# by the size of its batch.
MAX_BATCH_EVENTS = 2_000
# Commands judged before the event loop gets a turn: about 2 ms.
JUDGE_SLICE = 100
# An idle writer gives a durable sign of life this often.
BEAT_EVERY_US = 500_000
# Without one for this long, the service counts as having been away.
DARK_AFTER_US = 2_000_000
# Between attempts to take the shards back from a database that does not answer.
RETRY_FIRST_S, RETRY_MOST_S = 0.05, 1.0
# Verdicts of an append whose outcome is unknown wait this long for the database to settle it.
SETTLE_WITHIN_S = 2.0
# Sales whose shard is remembered, to save a hash a command.
MAX_PLACES = 100_000
# How often engine time is compared with the log's clock; what is logged, and what pauses us.
CLOCK_EVERY_S = 10.0
CLOCK_WARN_US, CLOCK_PAUSE_US = 50_000, 250_000

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
    ) -> None:
        self._log, self._clock, self._bus, self._owner = log, clock, bus, owner
        self._wanted = list(shards)
        self._judge = Judge()
        self._waiting: deque[tuple[Shard, Command, asyncio.Future[Verdict]]] = deque()
        self._replies: list[Reply] = []  # for the batch that gathers
        self._replies_in_flight: list[Reply] | None = None
        self._doubtful: set[Shard] = set()  # their state may differ from the log
        self._serving = asyncio.Event()
        self._stopping = False
        self._alive_us = clock.monotonic_us()  # when the last durable sign of life was sent
        self._snapshots: asyncio.Queue[PendingSnapshot] = asyncio.Queue(SHARDS)
        self._wake = asyncio.Event()  # there is something for `run` to do
        self._deadline_moved = asyncio.Event()
        self._places: dict[SaleId, Shard] = {}

    @property
    def ready(self) -> bool:
        """Whether commands are judged now."""
        return self._serving.is_set() and not self._is_dark()

    @property
    def owned(self) -> dict[Shard, ShardState]:
        """The shards owned now. Their state may be ahead of what is durable: not to be shown."""
        return self._judge.owned

    async def submit(self, command: Command) -> Verdict:
        """See ``Engine.submit``. The command's shape must have been checked."""
        if not self.ready:
            self._wake.set()
            return UNAVAILABLE
        shard = self._place(command.sale_id)
        state = self._judge.owned.get(shard)
        if state is None:
            return UNAVAILABLE
        if command.sale_id in state.retired:
            try:
                self._judge.bring_back(state, await load_sale(self._log, command.sale_id))
            except OutcomeUnknown:
                return UNAVAILABLE
        if len(self._waiting) >= MAX_WAITING:
            return BUSY
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        if self._waiting or len(self._judge.gathering) >= MAX_BATCH_EVENTS:
            self._waiting.append((shard, command, future))
        else:
            self._take(shard, command, future)
        return await future

    def _take(self, shard: Shard, command: Command, future: "asyncio.Future[Verdict]") -> None:
        """Judge a command now. Its verdict waits for every batch that it saw."""
        if shard not in self._judge.owned or self._doubtful:
            _resolve(future, UNAVAILABLE)
            return
        try:
            verdict = self._judge.judge(shard, command, self._clock.now_us())
        except Exception:  # a defect of ours: the log line tells; nothing of it may be written
            _logger.exception(
                "judge_failed", sale_id=command.sale_id, command=type(command).__name__
            )
            _resolve(future, UNAVAILABLE)
            self._doubt(shard)
            return
        if len(self._judge.gathering):
            self._replies.append((future, verdict, shard))
            self._wake.set()
            if self._judge.deadlines.moved:
                self._deadline_moved.set()
        elif self._replies_in_flight is not None:
            self._replies_in_flight.append((future, verdict, shard))
        else:
            _resolve(future, verdict)

    # --- Appending --------------------------------------------------------------------------

    async def run(self) -> None:
        """Take the shards, then serve until ``stop``. A database that fails does not end it."""
        await self._own(self._wanted, back=False)
        helpers = [
            asyncio.create_task(self._close_what_is_due()),
            asyncio.create_task(self._watch_clock()),
            asyncio.create_task(self._save_snapshots()),
        ]
        try:
            while not self._stopping or len(self._judge.gathering):
                await self._wait_for_work()
                await self._step()
                for helper in helpers:
                    if helper.done():
                        helper.result()  # a bug in it ends the writer: never unnoticed
        finally:
            self._serving.clear()
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            self._refuse_undecided()

    def stop(self) -> None:
        """Append and answer what was decided, refuse the rest, and let ``run`` return."""
        self._stopping = True
        self._serving.clear()
        self._wake.set()

    async def _wait_for_work(self) -> None:
        if not len(self._judge.gathering) and not self._waiting:
            try:
                async with asyncio.timeout(BEAT_EVERY_US / 1e6):
                    await self._wake.wait()
            except TimeoutError:
                pass  # time for a heartbeat
        self._wake.clear()

    async def _step(self) -> None:
        if self._doubtful or not (self._stopping or self.ready):
            await self._recover("defect" if self._doubtful else "dark", Gathering(), [])
        elif len(self._judge.gathering) or self._waiting:
            await self._flush()
        elif self._clock.monotonic_us() - self._alive_us >= BEAT_EVERY_US:
            await self._beat()

    async def _flush(self) -> None:
        """One append, while the next batch gathers."""
        gathering = self._judge.take_gathering()
        replies = self._replies_in_flight = self._replies
        self._replies = []
        sent_us = self._clock.monotonic_us()
        appending = asyncio.create_task(self._log.append(gathering.batch))
        await self._judge_waiting()
        try:
            lost = await asyncio.shield(appending)
        except OutcomeUnknown as error:
            await self._recover(str(error), gathering, replies)
            return
        finally:
            self._replies_in_flight = None
        self._alive_us = sent_us
        self._drop(lost)
        self._announce(gathering, replies, lost)
        self._keep_snapshots(gathering, lost)

    async def _judge_waiting(self) -> None:
        """Fill the gathering batch from the inbox, a slice at a time."""
        judged = 0
        while (
            self._waiting
            and self._serving.is_set()
            and len(self._judge.gathering) < MAX_BATCH_EVENTS
        ):
            self._take(*self._waiting.popleft())
            judged += 1
            if judged % JUDGE_SLICE == 0:
                await asyncio.sleep(0)

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
        try:
            self._drop(await self._log.beat(epochs, self._clock.now_us()))
        except OutcomeUnknown as error:
            await self._recover(str(error), Gathering(), [])
            return
        self._alive_us = sent_us

    def _keep_snapshots(self, gathering: Gathering, lost: set[Shard]) -> None:
        for pending in gathering.snapshots:
            if pending.snapshot.shard in lost:
                continue
            if self._snapshots.full():
                self.owned[pending.snapshot.shard].not_saved(pending)
            else:
                self._snapshots.put_nowait(pending)

    async def _save_snapshots(self) -> None:
        """Save one snapshot after the other, so that a shard's later one wins."""
        while True:
            pending = await self._snapshots.get()
            shard = pending.snapshot.shard
            try:
                await self._log.save_snapshot(pending.snapshot, pending.epoch)
            except OutcomeUnknown as error:
                _logger.warning("snapshot_not_saved", shard=shard, error=str(error))
                if shard in self.owned:
                    self.owned[shard].not_saved(pending)

    # --- Owning -----------------------------------------------------------------------------

    async def _recover(self, cause: str, gathering: Gathering, replies: list[Reply]) -> None:
        """Back from the dark, or from an append (``gathering``) whose outcome is unknown.

        What was decided since is refused, the shards are taken back, those whose state may
        differ from the log are loaded again, and the append is settled by their positions.
        """
        _logger.warning("writer_recovers", cause=cause, in_flight=len(gathering))
        self._serving.clear()
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

    async def _own(self, shards: Iterable[Shard], *, back: bool) -> dict[Shard, int]:
        """Take shards, load those that are not in memory, apply the outage rule, and serve.

        Returns the position at which each was found. Tries until the database answers.
        """
        shards = list(shards)
        pause_s = RETRY_FIRST_S
        while not self._stopping:
            try:
                heads = await self._log.take(shards, self._owner, back=back)
                loaded = [await load(self._log, h) for h in heads if h.shard not in self.owned]
                log_us = await self._log.clock_us()
                break
            except OutcomeUnknown as error:
                _logger.warning("shards_not_taken", error=str(error), next_try_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_MOST_S)
        else:
            return {}
        self._alive_us = self._clock.monotonic_us()
        self._clock.follow(log_us)
        self._drop(set(shards) - {head.shard for head in heads})
        for state in loaded:
            self._judge.own(state)
        for head in heads:
            self.owned[head.shard].epoch = head.epoch
            self._apply_outage_rule(head)
        self._serving.set()
        self._wake.set()
        self._deadline_moved.set()
        return {head.shard: head.position for head in heads}

    def _apply_outage_rule(self, head: ShardHead) -> None:
        """Move the ends of the shard's sales for the time since its last sign of life."""
        state = self.owned[head.shard]
        for sale in list(state.sales.values()):
            if head.beat_at_us is not None and not sale.closed:
                command = MoveEndsAfterOutage(sale_id=sale.sale_id, dark_from_us=head.beat_at_us)
                self._judge.judge(head.shard, command, self._clock.now_us())
            self._judge.deadlines.add_sales([sale])

    def _doubt(self, shard: Shard) -> None:
        """This shard's state may differ from the log: write nothing more before it is loaded."""
        self._doubtful.add(shard)
        self._serving.clear()
        self._wake.set()

    def _drop(self, lost: set[Shard]) -> None:
        for shard in lost:
            if self._judge.owned.pop(shard, None) is not None:
                _logger.error("shard_lost", shard=shard, reason="another owner took it")

    def _refuse_undecided(self) -> None:
        """Nothing that gathers or waits will be written."""
        replies, self._replies = self._replies, []
        _refuse(replies)
        while self._waiting:
            _resolve(self._waiting.popleft()[2], UNAVAILABLE)

    # --- Time -------------------------------------------------------------------------------

    def _is_dark(self) -> bool:
        return self._clock.monotonic_us() - self._alive_us >= DARK_AFTER_US

    async def _close_what_is_due(self) -> None:
        """Submit ``CloseDue`` for each sale whose deadline has come. Only ever a command."""
        deadlines = self._judge.deadlines
        while True:
            await self._serving.wait()
            deadlines.moved = False
            self._deadline_moved.clear()
            next_us = deadlines.next_us()
            if next_us is None or self._clock.now_us() < next_us:
                await self._sleep_until(next_us)
            elif self._is_dark():
                self._serving.clear()
                self._wake.set()
            else:
                for sale_id in deadlines.pop(self._clock.now_us()):
                    await self._close(sale_id)

    async def _sleep_until(self, at_us: int | None) -> None:
        """Until ``at_us``, or until an earlier deadline was set."""
        moved = asyncio.create_task(self._deadline_moved.wait())
        sleepers: list[asyncio.Task[object]] = [moved]
        if at_us is not None:
            sleepers.append(asyncio.create_task(self._clock.sleep_until(at_us)))
        try:
            await asyncio.wait(sleepers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for sleeper in sleepers:
                sleeper.cancel()

    async def _close(self, sale_id: SaleId) -> None:
        """Close what is due in a sale, a chunk at a time; then wait for its next deadline."""
        shard = self._place(sale_id)
        while self.ready:
            sale = self._judge.sale(shard, sale_id)
            due_us = None if sale is None else next_deadline_us(sale)
            if due_us is None:
                return
            now_us = self._clock.now_us()
            if now_us < due_us:
                self._judge.deadlines.add(sale_id, due_us)
                return
            self._judge.judge(shard, CloseDue(sale_id=sale_id), now_us)
            self._wake.set()
            await asyncio.sleep(0)  # bids on other lots go in between

    async def _watch_clock(self) -> None:
        """Compare engine time with the log's clock; far off, stop judging and take it over."""
        while True:
            await asyncio.sleep(CLOCK_EVERY_S)
            before_us = self._clock.monotonic_us()
            try:
                log_us = await self._log.clock_us()
            except OutcomeUnknown:
                continue  # the writer will notice by itself
            took_us = self._clock.monotonic_us() - before_us
            skew_us = abs(self._clock.skew_us(log_us))
            if skew_us > CLOCK_WARN_US + took_us:
                _logger.warning("clock_skew", skew_us=skew_us)
            if skew_us > CLOCK_PAUSE_US + took_us:
                self._serving.clear()
                self._wake.set()

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
