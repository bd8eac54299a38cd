"""Which shards this process judges for: taken, loaded, given the outage rule, and let go.

All of it happens between two appends of the writer, never beside one.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import structlog
from msgspec import Struct

from auction.commands import MoveEndsAfterOutage
from auction.ids import Shard
from auction.judge import Judge
from auction.leases import SHARED_LEASE_US
from auction.liveness import Liveness
from auction.ports import Clock, EventLog, OutcomeUnknown, ShardHead
from auction.shards import ShardState, load

# Between attempts to take the shards back from a database that does not answer.
RETRY_FIRST_S, RETRY_MOST_S = 0.05, 1.0

_logger = structlog.get_logger(__name__)


class Taken(Struct, frozen=True):
    """A shard that was taken, with its state at its head."""

    head: ShardHead
    state: ShardState


class Owning:
    """The owned shards of ``judge``. ``owner`` names this run of this process in the log."""

    def __init__(
        self, log: EventLog, clock: Clock, owner: str, judge: Judge, liveness: Liveness
    ) -> None:
        self._log, self._clock, self._owner = log, clock, owner
        self._judge, self._liveness = judge, liveness
        # The outage rule moved ends, and that is not durable yet: a sign of life before it
        # would make the next outage, if we die now, look shorter than what bidders lived through.
        self.moves_gather = False

    async def own(
        self, shards: Sequence[Shard], *, back: bool, given_up: Callable[[], bool]
    ) -> dict[Shard, int]:
        """Take shards, load those that are not in memory, and apply the outage rule.

        Returns the position at which each was found. Tries until the database answers.
        """
        pause_s = RETRY_FIRST_S
        while not given_up():
            try:
                sent_us = self._clock.monotonic_us()
                heads = await self._log.take(shards, self._owner, back=back)
                loaded: list[ShardState] = []
                for head in heads:
                    if head.shard not in self._judge.owned:
                        loaded.append(await load(self._log, head))
                    if self._clock.monotonic_us() - sent_us >= self._liveness.beat_every_us:
                        # The lease lasts while we load. The shards are still dark.
                        sent_us = self._clock.monotonic_us()
                        await self._log.beat({}, 0, self._owner)
                log_us = await self._log.clock_us()
                break
            except OutcomeUnknown as error:
                _logger.warning("shards_not_taken", error=str(error), next_try_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_MOST_S)
        else:
            return {}
        self._liveness.sign_of_life(sent_us)
        self._clock.follow(log_us)
        self._drop(set(shards) - {head.shard for head in heads})
        for state in loaded:
            self._judge.own(state)
        for head in heads:
            self._judge.owned[head.shard].epoch = head.epoch
            self._apply_outage_rule(head)
        self.moves_gather = len(self._judge.gathering) > 0
        return {head.shard: head.position for head in heads}

    def adopt(self, taken: Iterable[Taken]) -> None:
        """Judge for shards that were taken and loaded by another, of which some were let go.

        A hand-over that takes no longer than a lease is no outage: nobody was told anything else
        meanwhile than to send it again.
        """
        before = len(self._judge.gathering)
        for one in taken:
            self._judge.own(one.state)
            beat_at_us = one.head.beat_at_us or 0
            now_us = self._judge.engine_us(max(self._clock.now_us(), beat_at_us))
            if one.head.let_go and now_us < beat_at_us + SHARED_LEASE_US:
                self._judge.deadlines.add_sales(one.state.sales.values())
            else:
                self._apply_outage_rule(one.head)
        self.moves_gather = self.moves_gather or len(self._judge.gathering) > before

    def give_up(self, shards: Iterable[Shard]) -> dict[Shard, int]:
        """Judge no more for these; the epochs of those that were owned."""
        gone = {}
        for shard in shards:
            state = self._judge.owned.pop(shard, None)
            if state is not None:
                gone[shard] = state.epoch
        return gone

    def _apply_outage_rule(self, head: ShardHead) -> None:
        """Move the ends of the shard's sales for the time since its last sign of life."""
        state = self._judge.owned[head.shard]
        self._judge.engine_us(head.beat_at_us or 0)  # from now on time is not before that
        for sale in list(state.sales.values()):
            if head.beat_at_us is not None and not sale.closed:
                command = MoveEndsAfterOutage(sale_id=sale.sale_id, dark_from_us=head.beat_at_us)
                self._judge.judge(head.shard, command, self._clock.now_us())
            self._judge.deadlines.add_sales([sale])

    def _drop(self, lost: set[Shard]) -> None:
        for shard in lost:
            self._judge.owned.pop(shard, None)
            _logger.error("shard_lost", shard=shard, reason="another owner took it")
