"""Is the log what the engine wrote? Every claim of the log, checked from its bytes alone.

Of each shard: positions without a gap, epochs and time that never fall, each sale where it
belongs. Of each sale: numbers without a gap, commitments that open with the sale's secret, the
hash chain, closings that carry the commitments of their private events, a fold that raises no
assertion, and leader, price, reserve, ends and results told again from what was bid
(``audit_public``, ``audit_private``). What was recorded is taken as it stands after a finding,
so that one fault does not hide the next nor repeat itself.

Nothing here can notice a tail that is missing together with its shard's position; against that
there are receipts, and exports in other hands (``audit_export``).
"""

from enum import StrEnum

from msgspec import Struct

from auction.audit_private import PrivateStory
from auction.audit_public import PublicStory
from auction.chain import SALE_ITSELF, apply, body_of, chain_hash, commitment_of
from auction.codec import CorruptLog, Recorded, decode_body, pack, unpack
from auction.events import (
    LOT_ENDINGS,
    PRIVATE_FIELDS,
    BidPlaced,
    MaximumRaised,
    SaleClosed,
    SaleScheduled,
    lot_of,
)
from auction.ids import LotId, SaleId, Shard, shard_of
from auction.ports import LoggedEvent
from auction.sale import Sale


class Check(StrEnum):
    """What was checked."""

    POSITION = "position"  # gapless, each sale in its shard
    EPOCH = "epoch"
    BODY = "body"  # can be read, and is packed as the engine packs
    TIME = "time"
    NUMBER = "number"  # of sale, lot and owner, gapless
    COMMITMENT = "commitment"  # opens with the sale's secret; carried by the closing
    HASH = "hash"
    FOLD = "fold"  # recovery would stop here
    RULES = "rules"  # not what follows from the events before it


class Finding(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something that the engine cannot have written, and where. Holds nothing secret."""

    check: Check
    message: str
    sale_id: SaleId | None = None
    shard: Shard | None = None
    position: int | None = None
    sequence: int | None = None  # the public number, in an export
    line: int | None = None  # of the file, in an export

    def __str__(self) -> str:
        where = [
            f"{name} {value}"
            for name in ("line", "shard", "position", "sale_id", "sequence")
            if (value := getattr(self, name)) is not None
        ]
        return f"{' '.join(where).replace('sale_id', 'sale')}: {self.check}: {self.message}"


Fault = tuple[Check, str]

# What bytes that nobody here wrote may lead code to that trusts them.
BROKEN = (AssertionError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


class ChainAudit:
    """Numbers and hashes of one sale's public events: what needs no secret."""

    def __init__(self) -> None:
        self.sequence = 0
        self.head = bytes(32)
        self._lot_sequences: dict[LotId, int] = {}

    def check(self, recorded: Recorded) -> list[Fault]:
        """What is wrong with the next public event."""
        assert recorded.public is not None and recorded.hash is not None, "a public event"
        faults: list[Fault] = []
        if recorded.sequence != self.sequence + 1:
            fault = f"sequence {recorded.sequence} follows {self.sequence}"
            faults.append((Check.NUMBER, fault))
        self.sequence = recorded.sequence or 0
        faults += self._check_lot(recorded)
        if recorded.hash != chain_hash(self.head, recorded.public, recorded.commitment):
            fault = "it is not the hash of this event after the one before it"
            faults.append((Check.HASH, fault))
        self.head = recorded.hash
        return faults

    def _check_lot(self, recorded: Recorded) -> list[Fault]:
        lot_id = lot_of(recorded.event)
        expected = None if lot_id is None else self._lot_sequences.get(lot_id, 0) + 1
        if lot_id is not None:
            self._lot_sequences[lot_id] = recorded.lot_sequence or 0
        if recorded.lot_sequence == expected:
            return []
        return [(Check.NUMBER, f"lot_sequence is {recorded.lot_sequence}, and not {expected}")]


class SaleAudit:
    """Checks the events of one sale, in their order."""

    def __init__(self, sale_id: SaleId) -> None:
        self.sale_id = sale_id
        self.bids = 0
        self.last_position = 0
        self.chain = ChainAudit()
        self.public = PublicStory()
        self._private = PrivateStory(self.public)
        self._fold: Sale | None = Sale(sale_id)
        self._whole = True  # no event is missing that the rules would need
        self._secret: bytes | None = None
        self._liquidator = ""
        self._owner_sequences: dict[str, int] = {}
        self._open: dict[str, list[bytes]] = {}  # commitments that no closing carried yet
        self._ended: set[LotId] = set()

    def check(self, recorded: Recorded) -> list[Fault]:
        """What is wrong with the next event."""
        event = recorded.event
        self.last_position = recorded.position
        self.bids += isinstance(event, BidPlaced | MaximumRaised)
        if isinstance(event, SaleScheduled):
            self._secret, self._liquidator = event.secret, event.liquidator_id
        public = recorded.public is not None
        faults = self.chain.check(recorded) if public else self._check_owner(recorded)
        faults += self._check_commitment(recorded)
        faults += self._check_carried(recorded)
        faults += [(Check.RULES, fault) for fault in self._check_rules(recorded)]
        return faults + self._folded(recorded, sound=not faults)

    def skip(self) -> None:
        """An event of this sale cannot be read: what depends on it is not checked any more."""
        self._whole, self._fold = False, None

    def end(self) -> list[Fault]:
        """What is missing after the last event."""
        missing = self.public.end() + self._private.end() if self._whole else []
        return [(Check.RULES, fault) for fault in missing] + self._compared()

    def _check_commitment(self, recorded: Recorded) -> list[Fault]:
        if self._secret is None:
            if not self._whole:
                return []
            self.skip()
            return [(Check.COMMITMENT, "the sale's secret is not known by then")]
        opened = commitment_of(self._secret, recorded.position, recorded.private)
        if opened == recorded.commitment:
            return []
        return [(Check.COMMITMENT, "it does not open with the sale's secret")]

    def _check_carried(self, recorded: Recorded) -> list[Fault]:
        event, lot_id = recorded.event, lot_of(recorded.event)
        expected: list[bytes] = []
        if recorded.public is None:
            ended = lot_id is None or lot_id in self._ended
            self._open.setdefault(SALE_ITSELF if ended else str(lot_id), []).append(
                recorded.commitment
            )
        elif isinstance(event, LOT_ENDINGS):
            expected = self._open.pop(event.lot_id, [])
            self._ended.add(event.lot_id)
        elif isinstance(event, SaleClosed):
            expected = self._open.pop(SALE_ITSELF, [])
        if list(recorded.carried) == expected:
            return []
        return [(Check.COMMITMENT, "it does not carry the commitments of the private events")]

    def _check_owner(self, recorded: Recorded) -> list[Fault]:
        owner = getattr(recorded.event, "bidder_id", None) or self._liquidator
        expected = self._owner_sequences.get(owner, 0) + 1
        self._owner_sequences[owner] = recorded.owner_sequence or 0
        if recorded.owner_sequence == expected:
            return []
        return [(Check.NUMBER, f"owner_sequence is {recorded.owner_sequence}, and not {expected}")]

    def _check_rules(self, recorded: Recorded) -> list[str]:
        event = recorded.event
        if not self._whole:
            return []
        try:
            faults = self._private.check(recorded)
            faults += self.public.check(event, recorded.at_us) if event.PUBLIC else []
        except BROKEN as error:
            self.skip()
            return [f"it makes no sense: {type(error).__name__}"]
        return list(dict.fromkeys(faults))

    def _folded(self, recorded: Recorded, *, sound: bool) -> list[Fault]:
        """Recovery's own fold, until it first fails; of what is known to be wrong not again."""
        if self._fold is None:
            return []
        try:
            apply(self._fold, recorded)
        except BROKEN as error:
            self._fold = None
            if sound:
                return [(Check.FOLD, f"it does not fold: {type(error).__name__}: {error}")]
        return []

    def _compared(self) -> list[Fault]:
        """Where the engine's state and the story told from the same events part."""
        if self._fold is None or not self._whole:
            return []
        faults: list[Fault] = []
        for lot_id, lot in self._fold.lots.items():
            told = self.public.lots[lot_id]
            paddle = None if lot.leader is None else self._fold.paddle_of(lot.leader)
            state = (lot.status, lot.price_minor, paddle, lot.closes_at_us, lot.extensions)
            if state != (
                told.status,
                told.price_minor,
                told.leader,
                told.closes_at_us,
                told.extensions,
            ):
                faults.append((Check.FOLD, f"the fold of lot {lot_id} is not what was told"))
        return faults


class ShardAudit:
    """Checks the events of one shard, in the order in which the log gives them.

    ``gapless=False`` for the events of one sale, between which others stood.
    """

    def __init__(self, shard: Shard, *, gapless: bool = True) -> None:
        self.shard = shard
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
        return [self._finding(logged.sale_id, logged.position, fault) for fault in faults]

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
        return findings

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
    names = PRIVATE_FIELDS[type(recorded.event)].keys()
    return packed and pack(public) == recorded.public and private.keys() == names
