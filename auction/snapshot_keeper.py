"""Saves snapshots beside the appends, so that no bid waits for one."""

import asyncio
from contextlib import suppress

import structlog

from auction.ids import SHARDS, Shard
from auction.ports import EventLog, OutcomeUnknown
from auction.shards import PendingSnapshot

# A clean stop waits this long for snapshots; without them the next start folds a longer tail.
FINISH_WITHIN_S = 5.0

_logger = structlog.get_logger(__name__)


class SnapshotKeeper:
    """One after the other, and never two of one shard at a time.

    One that is not saved is forgotten: its bids stay with the state for the next segment, and
    what a crash forgets is folded from the log.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._waiting: asyncio.Queue[PendingSnapshot] = asyncio.Queue(SHARDS)
        self._pending: set[Shard] = set()

    def keep(self, pending: PendingSnapshot) -> None:
        """Save it soon. Its last event is durable."""
        shard = pending.snapshot.shard
        # One that was saved since this was taken has moved the begin of the next segment.
        overtaken = pending.snapshot.after != pending.state.accepted_after
        if shard not in self._pending and not overtaken:
            self._pending.add(shard)
            self._waiting.put_nowait(pending)

    async def run(self) -> None:
        """Save snapshots until cancelled."""
        while True:
            pending = await self._waiting.get()
            shard = pending.snapshot.shard
            try:
                # Refused under an epoch that was raised since, by us or by another owner.
                if await self._log.save_snapshot(pending.snapshot, pending.epoch):
                    pending.state.saved(pending)
            except OutcomeUnknown as error:
                _logger.warning("snapshot_not_saved", shard=shard, error=str(error))
            self._pending.discard(shard)
            self._waiting.task_done()

    async def finish(self) -> None:
        """Wait until what is under way is saved, but not for a database that does not answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_WITHIN_S):
                await self._waiting.join()
