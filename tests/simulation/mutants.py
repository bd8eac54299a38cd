"""Bugs planted on purpose: each is a way in which such an engine has been wrong before.

A checker that does not find them is no checker. Each is a block in which the engine (or what it
rests on) is wrong in one place, and is undone at its end.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Final
from unittest.mock import patch

from msgspec import Struct

import auction.chain
import auction.clock
import auction.closer
import auction.decide
import auction.decide_lots
import auction.decide_sales
import auction.judge
import auction.owning
import auction.sale
import auction.shards
from auction.budgets import Stake, Tally
from auction.chain import seal
from auction.clock import EngineClock
from auction.codec import Recorded
from auction.commands import Command, MoveLots, PlaceBid
from auction.ids import Shard
from auction.increments import IncrementTable
from auction.judge import Gathering, Judge
from auction.liveness import Liveness
from auction.log_memory import MemoryLog
from auction.owning import Owning
from auction.ports import Batch, EventLog, OutcomeUnknown, ShardHead
from auction.rejections import Decision
from auction.sale import LotStatus, Sale, evolve
from auction.shards import Deadlines, PendingSnapshot, ShardState
from auction.snapshot import encode_accepted
from auction.verdicts import Verdict
from auction.writer import Writer
from foundation.follower import LogFollower
from tests.simulation.run import simulate
from tests.simulation.simulated_log import Connection

Mutant = Callable[[], AbstractContextManager[object]]

SECOND: Final = 1_000_000


# --- The log and its fence --------------------------------------------------------------------


def no_fence() -> AbstractContextManager[object]:
    """The append compares positions only, not epochs."""
    append = MemoryLog.append

    async def unfenced(self: MemoryLog, batch: Batch) -> set[Shard]:
        for shard, part in batch.appends.items():
            part.epoch = self.epochs[shard]
        return await append(self, batch)

    return patch.object(MemoryLog, "append", unfenced)


def taking_is_a_sign_of_life() -> AbstractContextManager[object]:
    """A shard counts as alive when it is taken, before the outage rule is durable."""
    take = MemoryLog.take

    async def lively(self: MemoryLog, *arguments: Any, back: bool) -> list[ShardHead]:
        heads = await take(self, *arguments, back=back)
        for head in heads:
            self.beats[head.shard] = await self.clock_us()
        return heads

    return patch.object(MemoryLog, "take", lively)


# --- Answers ----------------------------------------------------------------------------------


def answers_before_the_commit() -> AbstractContextManager[object]:
    """Every verdict leaves as soon as it is known."""
    return _answers_early(lambda verdict: True)


def refusals_do_not_wait() -> AbstractContextManager[object]:
    """A refusal leaves before the batch that it saw is durable."""
    return _answers_early(lambda verdict: not verdict.accepted)


def _answers_early(which: Callable[[Verdict], bool]) -> AbstractContextManager[object]:
    take = Writer._take

    def early(self: Writer, shard: Shard, command: Command, future: Any) -> None:
        take(self, shard, command, future)
        for replies in (self._replies, self._replies_in_flight or []):
            for waiting, verdict, _ in replies:
                if waiting is future and which(verdict):
                    waiting.set_result(verdict)

    return patch.object(Writer, "_take", early)


def publishes_before_the_commit() -> AbstractContextManager[object]:
    """Listeners hear of a batch when it is sent."""
    flush = Writer._flush

    async def loud(self: Writer) -> None:
        for shard, recorded in self._judge.gathering.recorded.items():
            self._bus.publish(shard, recorded)
        await flush(self)

    return patch.object(Writer, "_flush", loud)


# --- Unknown outcomes -------------------------------------------------------------------------


def unknown_counts_as_done() -> AbstractContextManager[object]:
    """An append without an answer is taken for a durable one."""
    append = Connection.append

    async def trusting(self: Connection, batch: Batch) -> set[Shard]:
        try:
            return await append(self, batch)
        except OutcomeUnknown:
            return set()

    return patch.object(Connection, "append", trusting)


def what_gathered_is_kept() -> AbstractContextManager[object]:
    """After an unknown outcome, what was decided on top of it is still written."""

    def restore(self: Writer, kept: Gathering, _: dict[Shard, ShardState]) -> None:
        for shard, part in kept.batch.appends.items():
            if shard in self.owned:
                part.epoch = self.owned[shard].epoch
        self._judge.gathering = kept

    return _after_recovery(restore)


def stale_state_after_an_unknown_outcome() -> AbstractContextManager[object]:
    """The shards are taken back, but their state is not loaded again."""

    def restore(self: Writer, _: Gathering, before: dict[Shard, ShardState]) -> None:
        for shard, state in before.items():
            if shard in self.owned:
                state.epoch = self.owned[shard].epoch
                self.owned[shard] = state

    return _after_recovery(restore)


def _after_recovery(
    restore: Callable[[Writer, Gathering, dict[Shard, ShardState]], None],
) -> AbstractContextManager[object]:
    recover = Writer._recover

    async def recovering(self: Writer, *arguments: Any) -> None:
        kept, before = self._judge.gathering, dict(self._judge.owned)
        await recover(self, *arguments)
        restore(self, kept, before)

    return patch.object(Writer, "_recover", recovering)


def a_lost_shard_is_given_up() -> AbstractContextManager[object]:
    """A writer that meets its own late fence drops the shard for good."""
    return patch.object(Writer, "_doubt", lambda self, lost: self._owning._drop(lost))


# --- Recovery ---------------------------------------------------------------------------------


def the_tail_is_not_folded() -> AbstractContextManager[object]:
    """After a restart the state is that of the snapshot."""
    load = auction.shards.load

    async def forgetful(log: EventLog, head: ShardHead) -> ShardState:
        stored = await log.load_snapshot(head.shard)
        if stored is None:
            return await load(log, head)
        then = ShardHead(head.shard, stored.position, head.epoch, head.beat_at_us)
        state = await load(log, then)
        state.position = head.position
        return state

    return patch.object(auction.owning, "load", forgetful)


def accepted_ids_are_not_in_the_snapshot() -> AbstractContextManager[object]:
    """A restart forgets the bids that were accepted before the snapshot."""
    return patch.object(auction.shards, "encode_accepted", lambda bids: encode_accepted([]))


def bids_accepted_during_a_save_are_lost() -> AbstractContextManager[object]:
    """Once a snapshot is saved, no later one holds what was accepted while it was."""

    def saved(state: ShardState, pending: PendingSnapshot) -> None:
        state.accepted_since.clear()
        state.accepted_after = pending.snapshot.position

    return patch.object(ShardState, "saved", saved)


# --- Time -------------------------------------------------------------------------------------


def the_outage_rule_is_skipped() -> AbstractContextManager[object]:
    """Nobody moves the ends after having been away."""

    def skip(self: Owning, head: ShardHead) -> None:
        self._judge.deadlines.add_sales(self._judge.owned[head.shard].sales.values())

    return patch.object(Owning, "_apply_outage_rule", skip)


def a_beat_comes_before_the_outage_rule() -> AbstractContextManager[object]:
    """A sign of life is durable while the moved ends still gather."""
    step = Writer._step

    async def eager(self: Writer) -> None:
        if self.ready and not self._doubtful and len(self._judge.gathering):
            await self._beat()
        await step(self)

    return patch.object(Writer, "_step", eager)


def quiet_shards_have_no_beat() -> AbstractContextManager[object]:
    """Appends to one shard count as a sign of life for all."""
    flush = Writer._flush

    async def flushed(self: Writer) -> None:
        sent_us = self._clock.monotonic_us()
        await flush(self)
        self._liveness.beat(sent_us)

    return patch.object(Writer, "_flush", flushed)


def darkness_is_not_noticed() -> AbstractContextManager[object]:
    """A writer that was frozen closes lots as if nothing had been."""
    return patch.object(Liveness, "is_dark", lambda self: False)


@contextmanager
def lots_close_early() -> Iterator[None]:
    """The timer acts by itself, fifty milliseconds before the end."""
    due_us, close_due = auction.shards.next_deadline_us, auction.decide_lots.close_due

    def sooner(sale: Sale) -> int | None:
        at_us = due_us(sale)
        return None if at_us is None else at_us - 50_000

    def close(sale: Sale, now_us: int) -> Any:
        return close_due(sale, now_us + 50_000)

    def believe(sale: Sale, event: Any, at_us: int, order: int) -> None:
        evolve(sale, event, at_us + 50_000, order)  # else an assertion is there first

    with ExitStack() as patches:
        patches.enter_context(patch.object(auction.closer, "next_deadline_us", sooner))
        patches.enter_context(patch.object(auction.shards, "next_deadline_us", sooner))
        patches.enter_context(patch.object(auction.decide_lots, "close_due", close))
        patches.enter_context(patch.object(auction.chain, "evolve", believe))
        yield


def lots_close_late() -> AbstractContextManager[object]:
    """Deadlines are looked at two seconds after their time."""
    add = Deadlines.add

    def later(self: Deadlines, sale_id: Any, at_us: int) -> None:
        add(self, sale_id, at_us + 2 * SECOND)

    return patch.object(Deadlines, "add", later)


def a_bid_at_the_end_counts() -> AbstractContextManager[object]:
    """``>`` for ``>=``: a lot is open at its end."""
    return _judged_a_moment_earlier(lambda lot: lot.closes_at_us)


def a_bid_at_the_opening_is_refused() -> AbstractContextManager[object]:
    """``<=`` for ``<``: a lot is not open yet when it opens."""
    return _judged_a_moment_earlier(lambda lot: lot.opens_at_us)


def _judged_a_moment_earlier(when_us: Callable[[Any], int]) -> AbstractContextManager[object]:
    place_bid = auction.decide.place_bid

    def off_by_one(sale: Sale | None, bid: PlaceBid, now_us: int) -> Any:
        lot = None if sale is None else sale.lots.get(bid.lot_id)
        if lot is not None and now_us == when_us(lot):
            now_us -= 1
        return place_bid(sale, bid, now_us)

    return patch.object(auction.decide, "place_bid", off_by_one)


def an_extension_is_lost() -> AbstractContextManager[object]:
    """A lot is extended once, then no more."""
    extension = auction.decide._extension

    def once(sale: Sale, lot: Any, now_us: int) -> Any:
        return [] if lot.extensions else extension(sale, lot, now_us)

    return patch.object(auction.decide, "_extension", once)


def an_end_moves_only_in_memory() -> AbstractContextManager[object]:
    """A bid makes its lot's end a second later, and no event says so."""
    judge = Judge.judge

    def generous(self: Judge, shard: Shard, command: Command, now_us: int) -> Verdict:
        verdict = judge(self, shard, command, now_us)
        if isinstance(command, PlaceBid) and verdict.accepted:
            self.owned[shard].sales[command.sale_id].lots[command.lot_id].closes_at_us += SECOND
        return verdict

    return patch.object(Judge, "judge", generous)


@contextmanager
def engine_time_falls() -> Iterator[None]:
    """Bids are judged by the log's clock, also when that was set back."""
    judge = Judge.judge

    def falling(self: EngineClock) -> int:
        return self._base_us + auction.clock.steady_us() - self._set_at_us

    def believing(self: Judge, shard: Shard, command: Command, now_us: int) -> Verdict:
        self._floor_us = 0
        return judge(self, shard, command, now_us)

    with ExitStack() as patches:
        patches.enter_context(patch.object(EngineClock, "now_us", falling))
        patches.enter_context(patch.object(Judge, "judge", believing))
        yield


def heartbeats_fall() -> AbstractContextManager[object]:
    """A writer that starts while the log's clock was set back signs with that clock."""
    return patch.object(Judge, "engine_us", lambda self, at_us: at_us)


# --- Rules ------------------------------------------------------------------------------------


def an_accepted_id_is_judged_anew() -> AbstractContextManager[object]:
    """A bid that is sent again is taken for a new one."""
    place_bid = auction.decide.place_bid

    def forgetful(sale: Sale | None, bid: PlaceBid, now_us: int) -> Any:
        key = (bid.bidder_id, bid.bid_id)
        first = None if sale is None else sale.accepted.pop(key, None)
        try:
            return place_bid(sale, bid, now_us)
        finally:
            if sale is not None and first is not None:
                sale.accepted[key] = first

    return patch.object(auction.decide, "place_bid", forgetful)


def an_increment_is_taken_below_its_step() -> AbstractContextManager[object]:
    """``>`` for ``>=`` in the table of increments."""
    increment = IncrementTable.increment_minor
    lower = lambda self, price: increment(self, max(0, price - 1))  # noqa: E731
    return patch.object(IncrementTable, "increment_minor", lower)


def limits_are_not_kept() -> AbstractContextManager[object]:
    """What a bidder already leads does not count."""
    return patch.object(auction.decide, "exposure_if_leading_minor", lambda *bid: 0)


def a_raise_is_no_matter_of_budgets() -> AbstractContextManager[object]:
    """Who leads a lot raises its maximum without a look at its budgets."""
    passed = auction.sale.budget_passed_if_leading

    def lenient(sale: Sale, lot: Any, registration: Any, *bid: Any) -> Any:
        leads = lot.leader == registration.bidder_id
        return None if leads else passed(sale, lot, registration, *bid)

    return patch.object(auction.decide, "budget_passed_if_leading", lenient)


def an_outbid_lot_still_counts() -> AbstractContextManager[object]:
    """A budget goes on counting what its bidder leads no longer."""
    hold = Tally.hold

    def keep(self: Tally, lot_id: Any, stake: Stake | None) -> None:
        if stake is not None:
            hold(self, lot_id, stake)

    return patch.object(Tally, "hold", keep)


@contextmanager
def what_was_won_is_forgotten() -> Iterator[None]:
    """A budget counts a lot until the hammer falls."""
    lot_sold, stakes = auction.sale._lot_sold, auction.sale._stakes

    def forget(sale: Sale, event: Any, at_us: int) -> None:
        lot_sold(sale, event, at_us)
        for winner in event.winners:
            tally = sale.registrations[winner].tally
            if tally is not None:
                tally.hold(event.lot_id, None)

    def unsold(sale: Sale, registration: Any) -> Any:
        known = stakes(sale, registration)
        return {i: known[i] for i in known if sale.lots[i].status is not LotStatus.SOLD}

    with ExitStack() as patches:
        patches.enter_context(patch.object(auction.sale, "_lot_sold", forget))
        patches.enter_context(patch.object(auction.sale, "_stakes", unsold))
        yield


def a_lot_stays_with_who_bid_first() -> AbstractContextManager[object]:
    """Who raises a team's maximum does not take the lot over."""
    hold = Tally.hold

    def first(self: Tally, lot_id: Any, stake: Stake | None) -> None:
        before = self.stakes.get(lot_id)
        if stake is not None and before is not None:
            stake = Stake(stake.minor, before.person_id)
        hold(self, lot_id, stake)

    return patch.object(Tally, "hold", first)


def a_link_of_the_chain_is_missing() -> AbstractContextManager[object]:
    """Every seventh public event does not continue the one before."""

    def careless(sale: Sale, event: Any, position: int, at_us: int) -> Recorded:
        head = sale.head
        if sale.sequence % 7 == 6:
            sale.head = bytes(32)
        try:
            return seal(sale, event, position, at_us)
        finally:
            sale.head = head

    return patch.object(auction.judge, "seal", careless)


def everybody_is_admitted() -> AbstractContextManager[object]:
    """A sale by invitation is open to all."""
    return patch.object(Sale, "admits", lambda _sale, _bidder_id: True)


def what_goes_with_a_sale_is_forgotten() -> AbstractContextManager[object]:
    """Of a sale that is cancelled only the first chunk of lots is withdrawn."""
    return patch.object(Sale, "goes_with_the_sale", lambda _sale, _lot: False)


def lots_are_moved_while_they_are_open() -> AbstractContextManager[object]:
    """Whether bidding has begun is looked at a minute late."""
    move_lots = auction.decide_sales.move_lots

    def moved(sale: Sale, command: MoveLots, now_us: int) -> Decision:
        return move_lots(sale, command, now_us - 60 * SECOND)

    return patch.object(auction.decide_sales, "move_lots", moved)


# --- Queues and readers -----------------------------------------------------------------------


def what_waits_has_no_bound() -> AbstractContextManager[object]:
    """Commands are judged at once, however many verdicts wait for an append."""
    return patch.object(Writer, "_is_full", lambda self: False)


def a_reader_moves_its_cursor_first() -> AbstractContextManager[object]:
    """The cursor is moved in a transaction of its own, before the handler's."""

    async def hasty(self: "LogFollower[Any, Any]") -> int:
        async with self._cursors.step(self._name, self._shard) as step:
            rows = await step.read(1_000)
            if rows:
                await step.move_to(rows[-1].position)
        if rows:
            await _handle(self, rows)
        return len(rows)

    async def _handle(self: "LogFollower[Any, Any]", rows: Any) -> None:
        async with self._cursors.step(self._name, self._shard) as step:
            await self._handler(step.context, rows)

    return patch.object(LogFollower, "step", hasty)


MUTANTS: Final[dict[str, Mutant]] = {
    mutant.__name__: mutant
    for mutant in (
        no_fence,
        taking_is_a_sign_of_life,
        answers_before_the_commit,
        refusals_do_not_wait,
        publishes_before_the_commit,
        unknown_counts_as_done,
        what_gathered_is_kept,
        stale_state_after_an_unknown_outcome,
        a_lost_shard_is_given_up,
        the_tail_is_not_folded,
        accepted_ids_are_not_in_the_snapshot,
        bids_accepted_during_a_save_are_lost,
        the_outage_rule_is_skipped,
        a_beat_comes_before_the_outage_rule,
        quiet_shards_have_no_beat,
        darkness_is_not_noticed,
        lots_close_early,
        lots_close_late,
        a_bid_at_the_end_counts,
        a_bid_at_the_opening_is_refused,
        an_extension_is_lost,
        an_end_moves_only_in_memory,
        engine_time_falls,
        heartbeats_fall,
        an_accepted_id_is_judged_anew,
        an_increment_is_taken_below_its_step,
        limits_are_not_kept,
        a_raise_is_no_matter_of_budgets,
        an_outbid_lot_still_counts,
        what_was_won_is_forgotten,
        a_lot_stays_with_who_bid_first,
        everybody_is_admitted,
        what_goes_with_a_sale_is_forgotten,
        lots_are_moved_while_they_are_open,
        a_link_of_the_chain_is_missing,
        what_waits_has_no_bound,
        a_reader_moves_its_cursor_first,
    )
}


class Discovery(Struct, frozen=True):
    """The first run that a mutant breaks: what was seen first, and all that it broke."""

    seed: int
    first: tuple[str, str]
    invariants: list[str]


def find(job: tuple[str, int]) -> tuple[str, Discovery | None]:
    """Plant a bug by its name, and run seeds from 0 on until one finds it, at most so many."""
    name, seeds = job
    for seed in range(seeds):
        with MUTANTS[name]():
            broken = simulate(seed).broken
        if broken:
            invariants = sorted({invariant for invariant, _ in broken})
            return name, Discovery(seed, broken[0], invariants)
    return name, None
