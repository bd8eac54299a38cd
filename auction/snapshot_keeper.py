"""Saves snapshots beside the appends, so that no bid waits for one."""

import asyncio
from contextlib import suppress

import structlog

from auction.ids import SHARDS, Shard
from auction.ports import EventLog, OutcomeUnknown
from auction.shards import PendingSnapshot, ShardState

# A clean stop waits this long for snapshots; without them the next start folds a longer tail.
FINISH_WITHIN_S = 5.0

_logger = structlog.get_logger(__name__)


class SnapshotKeeper:
    """One after the other, and never two of one shard: the later would lack what the earlier held.

    What is not saved goes back to its shard; what a crash forgets is folded from the log.
    """

    def __init__(self, log: EventLog, owned: dict[Shard, ShardState]) -> None:
        self._log, self._owned = log, owned
        self._waiting: asyncio.Queue[PendingSnapshot] = asyncio.Queue(SHARDS)
        self._pending: set[Shard] = set()

    def keep(self, pending: PendingSnapshot) -> None:
        """Save it soon. Its last event is durable."""
        shard = pending.snapshot.shard
        if shard in self._pending:
            self.give_back(pending)
        else:
            self._pending.add(shard)
            self._waiting.put_nowait(pending)

    async def run(self) -> None:
        """Save snapshots until cancelled."""
        while True:
            pending = await self._waiting.get()
            shard = pending.snapshot.shard
            try:
                saved = await self._log.save_snapshot(pending.snapshot, pending.epoch)
            except OutcomeUnknown as error:
                _logger.warning("snapshot_not_saved", shard=shard, error=str(error))
                saved = False
            if not saved:  # also under an epoch that was raised since, by us or by another owner
                self.give_back(pending)
            self._pending.discard(shard)
            self._waiting.task_done()

    async def finish(self) -> None:
        """Wait until what is under way is saved, but not for a database that does not answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_WITHIN_S):
                await self._waiting.join()

    def give_back(self, pending: PendingSnapshot) -> None:
        """It will not be saved."""
        state = self._owned.get(pending.snapshot.shard)
        if state is not None:
            state.not_saved(pending)
