"""I13: the fold of the log, a writer's state, its snapshot with the tail, and what readers made
of it are one and the same."""

from collections.abc import Iterable

from auction.chain import apply
from auction.codec import decode_body
from auction.ids import SaleId, Shard
from auction.ports import ShardHead
from auction.sale import Sale
from auction.shards import ShardState, load
from tests.simulation.hosts import Host
from tests.simulation.readers import Store
from tests.simulation.simulated_log import LogServer, at_once


class Reference:
    """The log folded from its start, as far as it has come."""

    def __init__(self, server: LogServer) -> None:
        self._memory, self._tape = server.memory, server.tape
        self._folded: dict[Shard, dict[SaleId, Sale]] = {}
        self._positions: dict[Shard, int] = {}

    def compare(self, host: Host) -> None:
        """The shards of a host that has nothing undecided."""
        if not host.process.alive or host.process.stopped or not host.writer.ready:
            return
        for shard, state in host.writer.owned.items():
            if self._memory.epochs[shard] == state.epoch:
                self._compare_shard(host.name, shard, state)

    def compare_all(self, host: Host, store: Store) -> None:
        """After the end: what a restart would load, and what the readers hold."""
        for shard, state in host.writer.owned.items():
            self._fold(shard)
            if state.position != self._positions[shard]:
                self._broken(f"{host.name} is at {state.position} of shard {shard}")
        self.compare_stored(host.writer.owned, store)

    def compare_stored(self, shards: Iterable[Shard], store: Store) -> None:
        """What a restart would load of these, and what the readers hold."""
        for shard in shards:
            folded = self._fold(shard)
            self._compare_snapshot(shard, folded)
            read = store.committed.get(shard)
            positions = list(range(1, self._positions[shard] + 1))
            if (read.positions if read else []) != positions:
                self._broken(f"the reader of shard {shard} was handed {read and read.positions}")
            elif read is not None and read.sales != folded:
                self._broken(f"the reader of shard {shard} made something else of it")

    def _compare_snapshot(self, shard: Shard, folded: dict[SaleId, Sale]) -> None:
        try:
            loaded = at_once(load(self._memory, ShardHead(shard, self._positions[shard], 0, None)))
        except AssertionError as error:
            self._broken(f"shard {shard} cannot be loaded: {error}")
            return
        self._differs("snapshot and tail", folded, loaded)
        stored = at_once(self._memory.load_snapshot(shard))
        if stored is not None and loaded.snapshot_position != stored.position:
            self._broken(f"the snapshot of shard {shard} at {stored.position} cannot be read")

    def _compare_shard(self, name: str, shard: Shard, state: ShardState) -> None:
        folded = self._fold(shard)
        if state.position == self._positions[shard]:
            self._differs(name, folded, state)

    def _differs(self, who: str, folded: dict[SaleId, Sale], state: ShardState) -> None:
        if folded.keys() != state.sales.keys() | state.retired:
            self._broken(f"{who}: sales {sorted(state.sales)} and {sorted(state.retired)}")
        for sale_id, sale in state.sales.items():
            if folded.get(sale_id) != sale:
                self._broken(f"{who}: sale {sale_id}: {_difference(folded.get(sale_id), sale)}")

    def _fold(self, shard: Shard) -> dict[SaleId, Sale]:
        sales = self._folded.setdefault(shard, {})
        position = self._positions.get(shard, 0)
        events = self._memory.events[shard]
        try:
            for logged in events[position:]:
                recorded = decode_body(logged.position, logged.body)
                apply(sales.setdefault(logged.sale_id, Sale(logged.sale_id)), recorded)
        except AssertionError as error:
            self._broken(f"shard {shard} cannot be folded: {error}")
        self._positions[shard] = len(events)
        return sales

    def _broken(self, text: str) -> None:
        self._tape.broken("I13", text)


def _difference(ours: Sale | None, theirs: Sale) -> str:
    if ours is None:
        return "the log does not know it"
    for name in Sale.__struct_fields__:
        folded, held = getattr(ours, name), getattr(theirs, name)
        if isinstance(folded, dict) and folded != held:
            keys = [key for key in folded.keys() | held.keys() if folded.get(key) != held.get(key)]
            first = min(keys, key=str)
            text = f"{name}: {len(keys)} differ, {first}: {held.get(first)}"
            return f"{text}, folded {folded.get(first)}"
        if folded != held:
            return f"{name}: {held!r:.200}, folded {folded!r:.200}"
    return "equal"
