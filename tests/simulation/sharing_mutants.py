"""Bugs planted in how engines share the shards. Each must be found; else the check is no check."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Final
from unittest.mock import patch

import auction.shard_keeper
from auction.ids import Shard
from auction.leases_memory import MemoryLeases
from auction.liveness import Liveness
from auction.owning import Owning, Taken
from auction.ports import EventLog, ShardHead
from auction.shard_keeper import ShardKeeper
from auction.shards import ShardState, load
from auction.writer import Writer
from tests.simulation.mutants import Discovery, Mutant
from tests.simulation.sharing import simulate_sharing


def shards_are_taken_from_the_living() -> AbstractContextManager[object]:
    """Who is wanted takes the shard, whether its owner has let it go or not."""
    return patch.object(MemoryLeases, "_is_free", lambda self, shard: True)


def what_is_let_go_is_not_appended() -> AbstractContextManager[object]:
    """The shard is let go first, and what was decided for it is appended then."""

    async def hasty(self: ShardKeeper, view: Any) -> None:
        going = {
            lease.shard: lease.epoch
            for lease in view.leases
            if lease.shard in self._writer.owned and lease.warm == lease.wanted != self._name
            if lease.warm is not None
        }
        await self._leases.let_go(going, 0)
        await self._writer.let_go(going)

    return patch.object(ShardKeeper, "_let_go", hasty)


def what_is_let_go_is_still_judged() -> AbstractContextManager[object]:
    """The writer goes on with a shard that it has let go."""

    def kept(self: Owning, shards: Iterable[Shard]) -> dict[Shard, int]:
        owned = self._judge.owned
        return {shard: owned[shard].epoch for shard in shards if shard in owned}

    return patch.object(Owning, "give_up", kept)


def the_lease_is_never_over() -> AbstractContextManager[object]:
    """An engine that was paused goes on from memory."""
    return patch.object(Liveness, "is_dark", lambda self: False)


def the_lease_counts_from_the_answer() -> AbstractContextManager[object]:
    """It is prolonged from when the beat was answered, however long that took."""

    def beat(self: Liveness, sent_us: int) -> None:
        self._alive_us = self._beat_us = self._clock.monotonic_us()

    return patch.object(Liveness, "beat", beat)


def who_was_counted_out_goes_on() -> AbstractContextManager[object]:
    """A beat is taken from an engine that others believe to be dead."""

    def beat(self: MemoryLeases, name: str) -> bool:
        engine = self._engines.get(name)
        if engine is not None:
            engine.alive_at_us = self._log.now_us()
        return True

    return patch.object(MemoryLeases, "beat", beat)


def a_take_over_is_no_outage() -> AbstractContextManager[object]:
    """The shards of a dead engine are gone on with as if nothing had been."""

    def adopt(self: Owning, taken: Iterable[Taken]) -> None:
        for one in taken:
            self._judge.engine_us(one.head.beat_at_us or 0)
            self._judge.own(one.state)

    return patch.object(Owning, "adopt", adopt)


def a_hand_over_is_an_outage() -> AbstractContextManager[object]:
    """Whoever takes a shard moves its ends."""
    return patch("auction.owning.SHARED_LEASE_US", -1)


def what_was_read_in_advance_is_taken_for_all() -> AbstractContextManager[object]:
    """The events since then are not folded."""

    async def stale(log: EventLog, head: ShardHead, warm: ShardState | None = None) -> ShardState:
        if warm is None:
            return await load(log, head)
        warm.epoch, warm.position = head.epoch, head.position
        return warm

    return patch.object(auction.shard_keeper, "load", stale)


def time_falls_at_a_hand_over() -> AbstractContextManager[object]:
    """The new engine goes by its own clock, though the old one's was ahead."""
    adopt = Owning.adopt

    def forgetful(self: Owning, taken: Iterable[Taken]) -> None:
        floor_us = self._judge._floor_us
        adopt(self, taken)
        self._judge._floor_us = floor_us

    return patch.object(Owning, "adopt", forgetful)


def nobody_takes_what_is_free() -> AbstractContextManager[object]:
    """A dead engine's shards wait for it."""

    async def never(self: ShardKeeper, claims: Any) -> None:
        mine = {shard for shard in claims if shard in self._warm}
        await take(self, {shard: claims[shard] for shard in mine} if self.view else claims)

    take = ShardKeeper._take
    return patch.object(ShardKeeper, "_take", never)


def what_was_cut_short_stays_so() -> AbstractContextManager[object]:
    """A shard that the log says is ours, and that no writer has, is left like that."""

    async def nothing(self: ShardKeeper, leases: Any) -> None:
        """Trust the step before."""

    return patch.object(ShardKeeper, "_put_in_order", nothing)


def verdicts_leave_before_their_append() -> AbstractContextManager[object]:
    """Who bids while the shard is let go is told before it is durable."""

    async def early(self: Writer, errand: Any) -> None:
        for future, verdict, _ in self._replies:
            if not future.done():
                future.set_result(verdict)
        await between(self, errand)

    between = Writer._between_appends
    return patch.object(Writer, "_between_appends", early)


MUTANTS: Final[dict[str, Mutant]] = {
    mutant.__name__: mutant
    for mutant in (
        shards_are_taken_from_the_living,
        what_is_let_go_is_not_appended,
        what_is_let_go_is_still_judged,
        the_lease_is_never_over,
        the_lease_counts_from_the_answer,
        who_was_counted_out_goes_on,
        a_take_over_is_no_outage,
        a_hand_over_is_an_outage,
        what_was_read_in_advance_is_taken_for_all,
        time_falls_at_a_hand_over,
        nobody_takes_what_is_free,
        what_was_cut_short_stays_so,
        verdicts_leave_before_their_append,
    )
}


def find(job: tuple[str, int]) -> tuple[str, Discovery | None]:
    """Plant a bug by its name, and run seeds from 0 on until one finds it, at most so many."""
    name, seeds = job
    for seed in range(seeds):
        with MUTANTS[name]():
            broken = simulate_sharing(seed, until_broken=True).broken
        if broken:
            invariants = sorted({invariant for invariant, _ in broken})
            return name, Discovery(seed, broken[0], invariants)
    return name, None
