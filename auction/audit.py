"""Is the log what the engine wrote? Every claim of the log, checked from its bytes alone.

Of each shard: positions without a gap, epochs and time that never fall, each sale where it
belongs, a snapshot that is the fold of what is before it. Of each sale (``audit_sale``): numbers
without a gap, commitments that open with the sale's secret, the hash chain, closings that carry
the commitments of their private events, a fold that raises no assertion, and leader, price,
reserve, ends and results told again from what was bid (``audit_public``, ``audit_private``).
What was recorded is taken as it stands after a finding, so that one fault does not hide the next
nor repeat itself.

Nothing here can notice a tail that is missing together with its shard's position; against that
there are receipts, and exports in other hands (``audit_export``).
"""

from auction.audit_findings import Check, Fault, Finding
from auction.audit_sale import SaleAudit
from auction.chain import body_of
from auction.codec import CorruptLog, Recorded, decode_body, pack, private_names, unpack
from auction.ids import SaleId, Shard, shard_of
from auction.ports import LoggedEvent, StoredSnapshot
from auction.snapshot import decode_image


class ShardAudit:
    """Checks the events of one shard, in the order in which the log gives them.

    ``gapless=False`` for the events of one sale, between which others stood. ``snapshot``: the
    shard's, to be held against the events up to its position.
    """

    def __init__(
        self, shard: Shard, *, gapless: bool = True, snapshot: StoredSnapshot | None = None
    ) -> None:
        self.shard = shard
        self._snapshot = snapshot
        self.events = 0
        self.position = 0
        self.sales: dict[SaleId, SaleAudit] = {}
        self._gapless = gapless
        self._epoch = 0
        self._at_us = 0

    def check(self, logged: LoggedEvent) -> list[Finding]:
        """What is wrong with the next event."""
        faults = self._check_place(logged)
        self.events += 1
        self.position, self._epoch = logged.position, logged.epoch
        sale = self.sales.get(logged.sale_id)
        if sale is None:
            sale = self.sales[logged.sale_id] = SaleAudit(logged.sale_id)
        try:
            recorded = decode_body(logged.position, logged.body)
        except CorruptLog as error:
            sale.skip()
            faults.append((Check.BODY, str(error).removeprefix(f"position {logged.position}: ")))
        else:
            faults += self._check_body(recorded, logged)
            faults += sale.check(recorded)
        findings = [self._finding(logged.sale_id, logged.position, fault) for fault in faults]
        if self._snapshot is not None and self._snapshot.position == self.position:
            findings += self._check_snapshot(self._snapshot)
        return findings

    def end(self, head: int) -> list[Finding]:
        """What is missing after the last event. ``head``: the position that the shard claims."""
        findings = [
            self._finding(sale.sale_id, sale.last_position, fault)
            for sale in self.sales.values()
            for fault in sale.end()
        ]
        if self._gapless and self.position != head:
            fault = Check.POSITION, f"the log ends here, and its shard says at {head}"
            findings.append(self._finding(None, self.position, fault))
        if self._snapshot is not None and self._snapshot.position > self.position:
            fault = Check.SNAPSHOT, f"there is a snapshot of position {self._snapshot.position}"
            findings.append(self._finding(None, self.position, fault))
        return findings

    def _check_snapshot(self, snapshot: StoredSnapshot) -> list[Finding]:
        """Recovery starts from it: it must be the fold of all before it."""
        image = decode_image(snapshot.state, snapshot.accepted)
        if image is None:
            return []  # another version's, or damaged: recovery passes it over
        sales = {sale.sale_id: sale for sale in image.sales}
        known = sales.keys() | set(image.retired)
        wrong = [
            sale_id
            for sale_id, sale in self.sales.items()
            if sale_id not in image.retired and sale.differs_from(sales.get(sale_id))
        ]
        wrong += sorted(known - self.sales.keys())
        fault = Check.SNAPSHOT, "the snapshot is not what the events before it fold to"
        return [self._finding(sale_id, snapshot.position, fault) for sale_id in wrong]

    def _check_place(self, logged: LoggedEvent) -> list[Fault]:
        faults: list[Fault] = []
        step = logged.position - self.position
        if step != 1 if self._gapless else step < 1:
            faults.append((Check.POSITION, f"it follows position {self.position}"))
        if logged.shard != self.shard or shard_of(logged.sale_id) != self.shard:
            belongs = f"the sale belongs to shard {shard_of(logged.sale_id)}"
            faults.append((Check.POSITION, belongs))
        if logged.epoch < self._epoch:
            fault = f"epoch {logged.epoch} follows {self._epoch}"
            faults.append((Check.EPOCH, fault))
        return faults

    def _check_body(self, recorded: Recorded, logged: LoggedEvent) -> list[Fault]:
        faults: list[Fault] = []
        if recorded.sale_id != logged.sale_id:
            faults.append((Check.BODY, f"it says that it is of sale {recorded.sale_id}"))
        if body_of(recorded) != logged.body or not _is_split(recorded):
            faults.append((Check.BODY, "it is not packed as the engine packs"))
        if recorded.at_us < self._at_us:
            faults.append((Check.TIME, "it is earlier than the shard's event before it"))
        self._at_us = recorded.at_us
        return faults

    def _finding(self, sale_id: SaleId | None, position: int, fault: Fault) -> Finding:
        check, message = fault
        return Finding(
            check=check, message=message, sale_id=sale_id, shard=self.shard, position=position
        )


def _is_split(recorded: Recorded) -> bool:
    """Whether each field is in the part where it belongs, and is packed there as it should be."""
    private = unpack(recorded.private)
    public = {} if recorded.public is None else unpack(recorded.public)
    packed = pack(private) == recorded.private
    if recorded.public is None:
        return packed
    names = private_names(type(recorded.event), public["version"])
    return packed and pack(public) == recorded.public and private.keys() == names
