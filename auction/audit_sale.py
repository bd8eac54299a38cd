"""One sale of the log: its numbers, commitments, hashes and fold, and its story told again."""

from auction.audit_findings import BROKEN, Check, Fault
from auction.audit_private import PrivateStory
from auction.audit_public import PublicStory
from auction.chain import SALE_ITSELF, apply, chain_hash, commitment_of
from auction.codec import Recorded
from auction.events import (
    LOT_ENDINGS,
    BidPlaced,
    MaximumRaised,
    SaleClosed,
    SaleScheduled,
    lot_of,
)
from auction.ids import LotId, SaleId
from auction.sale import Sale


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

    def differs_from(self, image: Sale | None) -> bool:
        """Whether the fold, as far as there is one, is another state than this one."""
        return self._fold is not None and self._fold != image

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
