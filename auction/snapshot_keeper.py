"""Saves snapshots beside the appends, so that no bid waits for one."""

import asyncio

import structlog

from auction.ids import SHARDS, Shard
from auction.ports import EventLog, OutcomeUnknown
from auction.shards import PendingSnapshot, ShardState

_logger = structlog.get_logger(__name__)


class SnapshotKeeper:
    """One after the other, so that a shard's later snapshot wins.

    What is not saved goes back to its shard; what a crash forgets is folded from the log.
    """

    def __init__(self, log: EventLog, owned: dict[Shard, ShardState]) -> None:
        self._log, self._owned = log, owned
        # One a shard; more than that wait for a database that is slower than the log grows.
        self._waiting: asyncio.Queue[PendingSnapshot] = asyncio.Queue(SHARDS)

    def keep(self, pending: PendingSnapshot) -> None:
        """Save it soon. Its last event is durable."""
        if self._waiting.full():
            self._give_back(pending)
        else:
            self._waiting.put_nowait(pending)

    async def run(self) -> None:
        """Save snapshots until cancelled."""
        while True:
            pending = await self._waiting.get()
            try:
                saved = await self._log.save_snapshot(pending.snapshot, pending.epoch)
            except OutcomeUnknown as error:
                shard = pending.snapshot.shard
                _logger.warning("snapshot_not_saved", shard=shard, error=str(error))
                saved = False
            if not saved:  # also under an epoch that was raised since, by us or by another owner
                self._give_back(pending)

    def _give_back(self, pending: PendingSnapshot) -> None:
        state = self._owned.get(pending.snapshot.shard)
        if state is not None:
            state.not_saved(pending)
