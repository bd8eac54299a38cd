"""The synchronous half of the writer: judge a command, fold what follows, gather it for the log.

This is the hot path, on one page. The state of the owned shards runs ahead of the log by the
batch that gathers here and the one that the writer has in flight.
"""

from msgspec import Struct, field

from auction.chain import acceptance_of, body_of, seal
from auction.codec import Recorded
from auction.commands import Command, PlaceBid, lot_of
from auction.decide import decide
from auction.events import SaleResumed
from auction.ids import LotId, SaleId, Shard
from auction.ports import Batch, ShardAppend
from auction.rejections import Rejected, Rejection
from auction.sale import AcceptedBid, Sale
from auction.shards import MOST_TAIL, SNAPSHOT_EVERY, Deadlines, PendingSnapshot, ShardState
from auction.verdicts import Acceptance, LotState, Verdict
from auction.views import lot_state


class Gathering(Struct):
    """A batch for the log, with what is to be announced and kept once it is durable."""

    batch: Batch = field(default_factory=Batch)
    recorded: dict[Shard, list[Recorded]] = field(default_factory=dict)
    snapshots: list[PendingSnapshot] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.batch.positions)


class Judge:
    """Owned shards, the deadlines of their sales, and the batch that gathers."""

    def __init__(self) -> None:
        self.owned: dict[Shard, ShardState] = {}
        self.deadlines = Deadlines()
        self.gathering = Gathering()
        self._floor_us = 0

    def judge(self, shard: Shard, command: Command, now_us: int) -> Verdict:
        """The verdict, which must not leave before everything decided so far is durable.

        ``shard`` is owned, and the command's sale, if it exists, is in memory. Time does not
        fall: an earlier ``now_us`` counts as the time of the command before. If this raises,
        a rule is broken: nothing that gathers may be written, and the shard must be loaded again.
        """
        if now_us < self._floor_us:
            now_us = self._floor_us
        self._floor_us = now_us
        state = self.owned[shard]
        sale = state.sales.get(command.sale_id)
        decision = decide(sale, command, now_us)
        if not isinstance(decision, list):
            return _answer(sale, command, decision)
        first = None
        for event in decision:
            blank = Sale(command.sale_id) if sale is None else sale
            recorded = seal(blank, event, state.position + 1, now_us)
            if first is None:
                first = recorded
            sale = state.fold(recorded)
            self._gather(state, recorded)
            self.deadlines.note(recorded)
            if type(event) is SaleResumed:
                self.deadlines.add_sales([sale])
        lot = _lot_state(sale, command)
        if first is None:
            return Verdict(Acceptance.ACCEPTED, lot=lot)
        return Verdict(acceptance_of(first.event), "", first.sequence, first.receipt, lot)

    def engine_us(self, at_us: int) -> int:
        """The time to judge at: the clock's, but after a restart not before what was recorded."""
        self._floor_us = max(at_us, self._floor_us)
        return self._floor_us

    def _gather(self, state: ShardState, recorded: Recorded) -> None:
        batch, shard = self.gathering.batch, state.shard
        part = batch.appends.get(shard)
        if part is None:
            part = ShardAppend(shard, recorded.position - 1, state.epoch)
            batch.appends[shard] = part
            self.gathering.recorded[shard] = []
        part.count += 1
        batch.at_us = recorded.at_us
        batch.shards.append(shard)
        batch.positions.append(recorded.position)
        batch.sale_ids.append(recorded.sale_id)
        batch.bodies.append(body_of(recorded))
        self.gathering.recorded[shard].append(recorded)

    def take_gathering(self) -> Gathering:
        """The batch that gathered, with the snapshots that are due after it; a new one begins."""
        gathering, self.gathering = self.gathering, Gathering()
        longest = max(self.owned.values(), key=lambda state: state.tail, default=None)
        if longest is not None:
            in_all = sum(state.tail for state in self.owned.values())
            if longest.tail >= SNAPSHOT_EVERY or in_all >= MOST_TAIL:
                gathering.snapshots.append(longest.snapshot(self._floor_us))
        return gathering

    def own(self, state: ShardState) -> None:
        """Judge for this shard from now on."""
        self.owned[state.shard] = state
        for sale in state.sales.values():
            self._floor_us = max(self._floor_us, sale.last_at_us)
        self.deadlines.add_sales(state.sales.values())

    def is_retired(self, shard: Shard, sale_id: SaleId) -> bool:
        """Whether the sale was put away and must be brought back before it is judged."""
        state = self.owned.get(shard)
        return state is not None and sale_id in state.retired

    def bring_back(self, shard: Shard, sale: Sale) -> None:
        """A retired sale was loaded again, unless another command was faster."""
        state = self.owned.get(shard)
        if state is not None and sale.sale_id in state.retired:
            state.retired.discard(sale.sale_id)
            state.sales[sale.sale_id] = sale

    def sale(self, shard: Shard, sale_id: SaleId) -> Sale | None:
        """A sale of an owned shard."""
        state = self.owned.get(shard)
        return None if state is None else state.sales.get(sale_id)


def _answer(sale: Sale | None, command: Command, decision: Rejected | AcceptedBid) -> Verdict:
    if isinstance(decision, Rejected) and decision.rejection is Rejection.NOT_FOUND:
        return Verdict(decision.rejection, decision.message)  # also of a lot that one may not see
    lot = _lot_state(sale, command)
    if isinstance(decision, AcceptedBid):
        code = Acceptance(decision.code)
        return Verdict(code, "", decision.sequence, decision.receipt, lot)
    return Verdict(
        decision.rejection, decision.message, lot=lot, minimum_minor=decision.minimum_minor
    )


def _lot_state(sale: Sale | None, command: Command) -> LotState | None:
    if sale is None:
        return None
    if isinstance(command, PlaceBid):
        lot = sale.lots.get(command.lot_id)
        return None if lot is None else lot_state(sale, lot, command.bidder_id)
    lot_id = lot_of(command)
    lot = None if lot_id is None else sale.lots.get(LotId(lot_id))
    return None if lot is None else lot_state(sale, lot, None)
