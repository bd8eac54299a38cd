"""Names of things in settlement. What must survive a retry is a function of what it is about."""

from typing import NewType

from auction.ids import BidderId, LotId, SaleId

AwardId = NewType("AwardId", str)
InvoiceId = NewType("InvoiceId", str)
ConsignorId = NewType("ConsignorId", BidderId)  # the desk's
TaxPlace = NewType("TaxPlace", str)  # a jurisdiction: "US-TX"
StripeId = NewType("StripeId", str)  # an object's at Stripe: "pi_...", "txn_..."
EntryKey = NewType("EntryKey", str)  # a ledger entry's, and so its idempotency key


def award_id_of(sale_id: SaleId, lot_id: LotId, generation: int = 1) -> AwardId:
    """A lot's award: the first, the runner-up's after a default, and so on.

    No id has a tilde in it, so two lots never share an award; nor needs it escaping in a URL.
    """
    assert generation >= 1
    again = f"~{generation}" if generation > 1 else ""
    return AwardId(f"{sale_id}~{lot_id}{again}")
