"""What a balance transaction of Stripe's is, and which of our entries tell of such a one. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from settlement.entries import Purpose
from settlement.payment_objects import BalanceTransaction


class Class(StrEnum):
    """What a balance transaction is, as far as our entries tell it apart."""

    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    REFUND_FAILED = "REFUND_FAILED"
    TRANSFER = "TRANSFER"
    TRANSFER_BACK = "TRANSFER_BACK"
    PAYOUT = "PAYOUT"
    PAYOUT_BACK = "PAYOUT_BACK"
    DISPUTE = "DISPUTE"
    DISPUTE_BACK = "DISPUTE_BACK"
    FEE = "FEE"
    OTHER = "OTHER"


_KINDS: Final[Mapping[str, Class]] = {
    "charge": Class.PAYMENT,
    "payment": Class.PAYMENT,
    "refund": Class.REFUND,
    "payment_refund": Class.REFUND,
    "payment_reversal": Class.REFUND,
    "payment_failure_refund": Class.REFUND,
    "refund_failure": Class.REFUND_FAILED,
    "transfer": Class.TRANSFER,
    "transfer_refund": Class.TRANSFER_BACK,
    "transfer_cancel": Class.TRANSFER_BACK,
    "transfer_failure": Class.TRANSFER_BACK,
    "payout": Class.PAYOUT,
    "payout_failure": Class.PAYOUT_BACK,
    "payout_cancel": Class.PAYOUT_BACK,
    "stripe_fee": Class.FEE,
    "stripe_fx_fee": Class.FEE,
    "tax_fee": Class.FEE,
    "network_cost": Class.FEE,
}
_DISPUTES: Final = {"dispute": Class.DISPUTE, "dispute_reversal": Class.DISPUTE_BACK}

PURPOSES: Final[Mapping[Class, frozenset[Purpose]]] = {
    Class.PAYMENT: frozenset(
        {
            Purpose.CAPTURE,
            Purpose.BANK_FUNDING,
            Purpose.DEPOSIT_FORFEITED,
            Purpose.RELIST_FEE,
            Purpose.STORAGE,
            Purpose.MISSED_APPOINTMENT,
        }
    ),
    Class.REFUND: frozenset(
        {
            Purpose.CLAIM_CREDIT,
            Purpose.CLAIM_AFTER_RELEASE,
            Purpose.AWARD_REFUNDED,
            Purpose.TAX_CREDITED,
            Purpose.CREDIT_REFUNDED,
        }
    ),
    Class.REFUND_FAILED: frozenset({Purpose.REFUND_RETURNED}),
    Class.TRANSFER: frozenset({Purpose.TRANSFER, Purpose.CONSIGNOR_PAID, Purpose.FREIGHT_PAID}),
    Class.TRANSFER_BACK: frozenset({Purpose.TRANSFER_REVERSED}),
    Class.PAYOUT: frozenset({Purpose.PAYOUT}),
    Class.PAYOUT_BACK: frozenset({Purpose.PAYOUT_RETURNED}),
    Class.DISPUTE: frozenset({Purpose.CHARGEBACK}),
    Class.DISPUTE_BACK: frozenset({Purpose.DISPUTE_WON}),
    Class.FEE: frozenset(),
    Class.OTHER: frozenset(),
}
FEES: Final = frozenset({Purpose.PROCESSING_FEE, Purpose.FEE_REFUNDED})
# What people book to mend the books: of whatever they name, by its net.
MENDING: Final = frozenset({Purpose.ADJUSTMENT, Purpose.ROUNDING, Purpose.REVERSAL})


def class_of(transaction: BalanceTransaction) -> Class:
    """What a balance transaction is; a dispute's kind says ``adjustment``."""
    return _DISPUTES.get(transaction.category) or _KINDS.get(transaction.kind, Class.OTHER)
