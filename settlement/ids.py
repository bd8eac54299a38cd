"""Names of things in settlement. What must survive a retry is a function of what it is about."""

from collections.abc import Sequence
from hashlib import sha256
from typing import NewType

from auction.ids import BidderId, LotId, SaleId

AwardId = NewType("AwardId", str)
InvoiceId = NewType("InvoiceId", str)
ConsignorId = NewType("ConsignorId", BidderId)  # the desk's
TaxPlace = NewType("TaxPlace", str)  # a jurisdiction: "US-TX"
StripeId = NewType("StripeId", str)  # an object's at Stripe: "pi_...", "txn_..."
EntryKey = NewType("EntryKey", str)  # a ledger entry's, and so its idempotency key


def invoice_id_of(
    sale_id: SaleId, buyer_id: BidderId, ship_from: Sequence[str], currency: str, number: int = 1
) -> InvoiceId:
    """A buyer's invoice for what it won in a sale at one place, named by a digest of the place.

    ``number``: 2 and on, for lots of the same place that are awarded after the first was issued.
    """
    assert number >= 1
    place = "\x1f".join((*ship_from, currency))
    digest = sha256(place.encode()).hexdigest()[:12]
    again = f"~{number}" if number > 1 else ""
    return InvoiceId(f"{sale_id}~{buyer_id}~{digest}{again}")


def award_id_of(sale_id: SaleId, lot_id: LotId, generation: int = 1) -> AwardId:
    """A lot's award: the first, the runner-up's after a default, and so on.

    No id has a tilde in it, so two lots never share an award; nor needs it escaping in a URL.
    """
    assert generation >= 1
    again = f"~{generation}" if generation > 1 else ""
    return AwardId(f"{sale_id}~{lot_id}{again}")
