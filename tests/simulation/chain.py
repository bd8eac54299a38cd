"""I24 and the gapless numbers of I4, from the bytes of the log."""

import hashlib
import hmac

from auction.codec import Recorded
from auction.events import LOT_ENDINGS, LotScheduled, SaleClosed, SaleScheduled
from auction.ids import LotId, SaleId
from tests.simulation.sale_state import Report

THE_SALE = LotId("")


class _Links:
    """What the next event of a sale must continue."""

    def __init__(self) -> None:
        self.secret, self.head = b"", bytes(32)
        self.numbers: dict[str, int] = {}
        self.liquidator = ""
        self.unended: set[LotId] = set()
        self.hidden: dict[LotId, list[bytes]] = {}


class Chain:
    """Follows the chains of all sales."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._sales: dict[SaleId, _Links] = {}

    def next(self, recorded: Recorded) -> None:
        """Does this event continue its sale's chain and numbers?"""
        links = self._sales.setdefault(recorded.sale_id, _Links())
        event = recorded.event
        if isinstance(event, SaleScheduled):
            links.secret, links.liquidator = event.secret, event.liquidator_id
        if isinstance(event, LotScheduled):
            links.unended.add(event.lot_id)
        key = hmac.digest(links.secret, recorded.position.to_bytes(8, "big"), "sha256")
        sealed = hmac.digest(key, recorded.private, "sha256")
        self._same(recorded, "commitment", recorded.commitment, sealed)
        if recorded.public is None:
            self._private(links, recorded)
        else:
            self._public(links, recorded, recorded.public)

    def _private(self, links: _Links, recorded: Recorded) -> None:
        owner = getattr(recorded.event, "bidder_id", links.liquidator)
        self._count(links, recorded, f"owner {owner}", recorded.owner_sequence)
        self._same(recorded, "hash", recorded.hash, None)
        lot_id = getattr(recorded.event, "lot_id", THE_SALE)
        bucket = lot_id if lot_id in links.unended else THE_SALE
        links.hidden.setdefault(bucket, []).append(recorded.commitment)

    def _public(self, links: _Links, recorded: Recorded, public: bytes) -> None:
        event = recorded.event
        links.head = hashlib.sha256(links.head + public + recorded.commitment).digest()
        self._same(recorded, "hash", recorded.hash, links.head)
        self._count(links, recorded, "sale", recorded.sequence)
        lot_id = getattr(event, "lot_id", None)
        if lot_id is not None:
            self._count(links, recorded, f"lot {lot_id}", recorded.lot_sequence)
        carried: tuple[bytes, ...] = ()
        if isinstance(event, (*LOT_ENDINGS, SaleClosed)):
            carried = tuple(links.hidden.pop(lot_id or THE_SALE, ()))
            links.unended.discard(lot_id or THE_SALE)
        self._same(recorded, "carried commitments", recorded.carried, carried)

    def _count(self, links: _Links, recorded: Recorded, name: str, number: int | None) -> None:
        links.numbers[name] = links.numbers.get(name, 0) + 1
        if number != links.numbers[name]:
            text = f"sale {recorded.sale_id}: {name} counts {number} for {links.numbers[name]}"
            self._report("I4", text)

    def _same(self, recorded: Recorded, name: str, claimed: object, true: object) -> None:
        if claimed != true:
            place = f"sale {recorded.sale_id} position {recorded.position}"
            self._report("I24", f"{place}: {name} {claimed!r}, should be {true!r}")
