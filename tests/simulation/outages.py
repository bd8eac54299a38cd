"""I11 and I12: no lot closes early, late, or because the service was away.

The outage rule is worked out anew from the signs of life that the log held: whenever a host
is ready, the ends that must move are known here, and they must be the first thing that it
writes about the sale, before any other sign of life in the shard.
"""

from msgspec import Struct

from auction.codec import Recorded
from auction.events import EndsMoved, IfBidOpened, LotPassed, LotSold, MoveReason, PassReason
from auction.ids import SaleId, Shard
from auction.ports import LoggedEvent, ShardHead
from tests.simulation.model import Sale
from tests.simulation.owners import Owners
from tests.simulation.sale_state import Report
from tests.simulation.simulated_log import START_US
from tests.simulation.tape import Call, Ready, Tape

SECOND = 1_000_000
# A service that was there gave a sign of life for every shard this often (twice a second), and
# each may have been slow.
SIGNS_EVERY_US = 3 * SECOND
# A lot is closed within this time of its end while all is well.
LATE_US = SECOND
BY_COMMAND = (PassReason.IF_BID_DECLINED,)


class _Due(Struct):
    """The outage rule is due in a sale since ``ready``. ``may``: or not, by the engine's floor."""

    ready: Ready
    head: ShardHead
    may: bool


class Outages:
    """Follows hosts getting ready, and every end that is reached."""

    def __init__(
        self, tape: Tape, sales: dict[SaleId, Sale], owners: Owners, report: Report
    ) -> None:
        self._tape, self._sales, self._owners, self._report = tape, sales, owners, report
        self._due: dict[Shard, dict[SaleId, _Due]] = {}
        self._readies: dict[str, Ready] = {}
        self._signs: dict[str, list[Call]] = {}
        self._latest_at = 0
        self._alive_us: dict[Shard, int] = {}  # when each shard's last sign of life was sent
        self._places: dict[SaleId, Shard] = {}

    def ready(self, ready: Ready) -> None:
        """A host has taken shards and is about to serve: which ends must move?"""
        if not ready.adopted:
            self._readies[ready.host] = ready
        for head in ready.heads:
            if self._owners.epochs[head.shard] != head.epoch:
                continue  # taken by another meanwhile: nothing that it writes will be durable
            due = self._due[head.shard] = {}
            for sale_id, shard in self._places.items():
                sale = self._sales[sale_id]
                if shard == head.shard and head.beat_at_us is not None and not sale.closed:
                    now = self._ends(sale, head, ready.engine_us)
                    later = self._ends(sale, head, max(ready.engine_us, self._latest_at))
                    if now or later:
                        due[sale_id] = _Due(ready, head, may=not (now and later))

    def _ends(self, sale: Sale, head: ShardHead, ready_us: int) -> object:
        handed_over = head.let_go and ready_us < (head.beat_at_us or 0) + self._tape.dark_us
        if sale.paused_at is not None or handed_over:
            return ()
        return sale.moved_ends(head.beat_at_us or 0, ready_us)

    def before(
        self, shard: Shard, logged: LoggedEvent, recorded: Recorded, sale: Sale, call: Call
    ) -> None:
        """An event, before the model follows it."""
        self._places[recorded.sale_id] = shard
        self._latest_at = max(self._latest_at, recorded.at_us)
        event = recorded.event
        due = self._due.get(shard, {}).pop(recorded.sale_id, None)
        moved = isinstance(event, EndsMoved) and event.reason is MoveReason.OUTAGE
        if due is not None and (moved or not due.may):
            self._moves(recorded, sale, due)
        elif moved:
            self._report("I12", f"sale {sale.sale_id}: {event} without an outage")
        if isinstance(event, LotSold | LotPassed | IfBidOpened):
            self._closes(recorded, sale, call)

    def _moves(self, recorded: Recorded, sale: Sale, due: _Due) -> None:
        event, from_us = recorded.event, due.head.beat_at_us or 0
        ends = sale.moved_ends(from_us, recorded.at_us)
        dark_us = max(0, recorded.at_us - from_us)
        expected = EndsMoved(
            reason=MoveReason.OUTAGE, cause_lot_id=None, dark_us=dark_us, ends=ends
        )
        # Engine time does not fall: after a step of the clock it may stand at what was known.
        early_us = due.ready.engine_us
        fits = early_us <= recorded.at_us <= max(early_us, self._latest_at)
        if event != expected or not fits:
            text = f"sale {sale.sale_id}: {event} at {recorded.at_us}"
            self._report("I12", f"{text}, where {expected} was due at {due.ready.engine_us}")

    def signed(self, call: Call) -> None:
        """A sign of life is durable: what was due before it must be there."""
        if not call.shards:
            self._signs.setdefault(call.host, []).append(call)
            return  # of a process alone: it loads its shards, or has none
        self._latest_at = max(self._latest_at, call.at_us)
        self._nothing_is_done_in_the_dark(call)
        self._signs.setdefault(call.host, []).append(call)
        self._no_shard_is_forgotten(call)
        for shard in call.shards:
            for sale_id, due in self._due.get(shard, {}).items():
                if not due.may:
                    text = f"sale {sale_id}: a sign of life before the outage rule"
                    self._report("I12", f"{text} of {due.ready}")
            self._due.pop(shard, None)

    def _nothing_is_done_in_the_dark(self, call: Call) -> None:
        """What a host signs and decides, it does less than so long after a sign of life.

        That may be sent later: its time tells how long the host was dark by then.
        """
        done_us = self._virtual(call, call.at_us)
        if done_us is None or not call.shards:
            return
        dark_us = done_us - self._last_life(call.host, done_us)
        if dark_us >= self._tape.dark_us:
            text = f"{call.host} goes on at {done_us} us, {dark_us} us after the last sign of life"
            self._report("I12", f"{text}, without getting ready: {call.kind} #{call.sent_no}")

    def _no_shard_is_forgotten(self, call: Call) -> None:
        """Each shard of a host that is there has its own signs: none counts as dark for nothing."""
        for shard, owner in self._owners.names.items():
            last_us = self._alive_us.get(shard, call.sent_us)
            if shard in call.shards:
                self._alive_us[shard] = call.sent_us
            elif owner == call.host and not self._tape.was_sick(last_us, call.sent_us):
                silent_us = call.sent_us - last_us
                if silent_us > SIGNS_EVERY_US:
                    self._report("I12", f"shard {shard}: no sign of life for {silent_us} us")

    # --- Ends -------------------------------------------------------------------------------

    def _closes(self, recorded: Recorded, sale: Sale, call: Call) -> None:
        event = recorded.event
        assert isinstance(event, LotSold | LotPassed | IfBidOpened)
        lot = sale.lots[event.lot_id]
        by_command = lot.status == "IF_BID" and recorded.at_us < lot.end
        decided_us = self._virtual(call, recorded.at_us)
        if by_command or decided_us is None:
            return
        life_us = self._last_life(call.host, decided_us)
        if decided_us - life_us >= self._tape.dark_us:
            text = f"sale {sale.sale_id}: {event} was decided {decided_us - life_us} us"
            self._report("I12", f"{text} after the last sign of life")
        late_us = recorded.at_us - max(lot.end, sale.resumed_at)
        if late_us > LATE_US and not self._tape.was_sick(decided_us - late_us, decided_us):
            self._report("I11", f"sale {sale.sale_id}: {event} came {late_us} us late")
        took_us = call.effect_us - decided_us
        if took_us > LATE_US and not self._tape.was_sick(decided_us, call.effect_us):
            self._report("I11", f"sale {sale.sale_id}: {event} was durable after {took_us} us")

    def _virtual(self, call: Call, engine_us: int) -> int | None:
        """When the writer's clock said this; ``None``: it stood still, and cannot tell."""
        ready = self._readies[call.host]
        virtual_us = ready.us + engine_us - ready.engine_us
        told = not ready.standing and ready.us <= virtual_us <= call.sent_us
        return virtual_us if told else None

    def _last_life(self, host: str, until_us: int) -> int:
        signs = self._signs.get(host, [])
        sent = [call.sent_us for call in signs if call.ok and call.answer_us <= until_us]
        return max([self._readies[host].us, *sent])

    def at_the_end(self) -> None:
        """What ended while all was well is closed."""
        tape = self._tape
        if not tape.ended_well:
            return
        for sale in self._sales.values():
            for lot in sale.unended:
                late_us = tape.checked_us - max(lot.end, sale.resumed_at)
                if sale.paused_at is None and late_us > LATE_US:
                    now_us = tape.checked_us - START_US
                    if not self._tape.was_sick(now_us - late_us, now_us):
                        name = f"sale {sale.sale_id} lot {lot.listed.lot_id}"
                        self._report("I11", f"{name} is still open {late_us} us after its end")
