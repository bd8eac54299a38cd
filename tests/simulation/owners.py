"""I5: who owns a shard, and that nobody else writes to it."""

from auction.ids import Shard
from auction.ports import LoggedEvent
from tests.simulation.sale_state import Report
from tests.simulation.tape import Call

# A batch is as old as its last event, and a heartbeat may overtake it while it gathers: while
# the writer is not dark, by two seconds, and by as many while it is sent.
OVERTAKEN_US = 4_000_000


class Owners:
    """Follows the epochs and the signs of life of every shard."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.epochs: dict[Shard, int] = {}
        self.names: dict[Shard, str] = {}
        self.beats: dict[Shard, int] = {}  # engine time of the last durable sign of life
        self._last_written: dict[Shard, int] = {}

    def took(self, call: Call) -> None:
        """A host took shards. That is no sign of life."""
        for head in call.heads:
            if head.epoch != self.epochs.get(head.shard, 0) + 1:
                self._report("I5", f"shard {head.shard} was taken under epoch {head.epoch}")
            if head.beat_at_us != self.beats.get(head.shard):
                text = f"shard {head.shard}: last sign of life at {self.beats.get(head.shard)}"
                self._report("I12", f"{text}, found {head.beat_at_us}")
            self.epochs[head.shard], self.names[head.shard] = head.epoch, call.host

    def wrote(self, shard: Shard, logged: LoggedEvent, call: Call) -> None:
        """A host wrote an event."""
        place = f"shard {shard} position {logged.position}"
        if call.host != self.names.get(shard):
            self._report("I5", f"{place}: {call.host} wrote, {self.names.get(shard)} owns it")
        if logged.epoch < self._last_written.get(shard, 0):
            self._report("I5", f"{place}: the epoch falls to {logged.epoch}")
        self._last_written[shard] = logged.epoch

    def let_go(self, call: Call) -> None:
        """A host let go of shards; nothing was judged after this time."""
        for shard in call.shards:
            self.beats[shard] = max(self.beats.get(shard, 0), call.at_us)
            self.names.pop(shard, None)

    def signed(self, call: Call) -> None:
        """A host gave a durable sign of life."""
        for shard in call.shards:
            if call.at_us < self.beats.get(shard, 0) - OVERTAKEN_US:
                self._report("I23", f"shard {shard}: {call.host}'s heartbeat falls to {call.at_us}")
            self.beats[shard] = call.at_us
