"""The payment methods that Stripe gives for tests, and what each does.

docs.stripe.com/testing (cards), /payments/ach-direct-debit/accept-a-payment#test (bank accounts).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Card:
    """``decline`` is a code of docs.stripe.com/declines/codes; ``at_attach``: already saving it
    fails. ``authenticate``: "always", "unless_saved", "on_session". ``dispute`` is the reason of
    the dispute that follows each charge."""

    last4: str = "4242"
    brand: str = "visa"
    funding: str = "credit"
    decline: str | None = None
    at_attach: bool = True
    authenticate: str | None = None
    dispute: str | None = None
    inquiry: bool = False
    refund_fails: bool = False
    available_now: bool = False


@dataclass(frozen=True)
class Bank:
    """``failure`` is why a debit comes back after some days; ``disputed``: it does so later."""

    last4: str = "6789"
    failure: str | None = None
    disputed: bool = False


def _declined(last4: str, code: str) -> Card:
    return Card(last4, decline=code)


CARDS: Final[dict[str, Card]] = {
    "pm_card_visa": Card(),
    "pm_card_visa_debit": Card("5556", funding="debit"),
    "pm_card_mastercard": Card("4444", "mastercard"),
    "pm_card_amex": Card("8431", "amex"),
    "pm_card_discover": Card("1117", "discover"),
    "pm_card_us": Card(),
    "pm_card_bypassPending": Card("0077", available_now=True),
    "pm_card_chargeDeclined": _declined("0002", "generic_decline"),
    "pm_card_visa_chargeDeclined": _declined("0002", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": _declined("9995", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _declined("9995", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": _declined("9987", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": _declined("9979", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": _declined("0069", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": _declined("0127", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": _declined("0119", "processing_error"),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": _declined("6975", "card_velocity_exceeded"),
    "pm_card_chargeCustomerFail": Card("0341", decline="generic_decline", at_attach=False),
    "pm_card_authenticationRequired": Card("3184", authenticate="always"),
    "pm_card_authenticationRequiredOnSetup": Card("3155", authenticate="unless_saved"),
    "pm_card_authenticationRequiredSetupForOffSession": Card("0446", authenticate="on_session"),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        "3178", authenticate="always", decline="insufficient_funds", at_attach=False
    ),
    "pm_card_createDispute": Card("0259", dispute="fraudulent"),
    "pm_card_createDisputeProductNotReceived": Card("2685", dispute="product_not_received"),
    "pm_card_createDisputeInquiry": Card("1976", dispute="fraudulent", inquiry=True),
    "pm_card_refundFail": Card("5126", refund_fails=True),
}

BANKS: Final[dict[str, Bank]] = {
    "pm_usBankAccount_success": Bank(),
    "pm_usBankAccount_accountClosed": Bank("1116", "account_closed"),
    "pm_usBankAccount_noAccount": Bank("1113", "no_account"),
    "pm_usBankAccount_insufficientFunds": Bank("2227", "insufficient_funds"),
    "pm_usBankAccount_debitNotAuthorized": Bank("3335", "debit_not_authorized"),
    "pm_usBankAccount_dispute": Bank("5559", disputed=True),
}

# The account numbers of the same tests, with routing number 110000000.
NUMBERS: Final[dict[str, str]] = {
    "000123456789": "pm_usBankAccount_success",
    "000111111116": "pm_usBankAccount_accountClosed",
    "000111111113": "pm_usBankAccount_noAccount",
    "000222222227": "pm_usBankAccount_insufficientFunds",
    "000333333335": "pm_usBankAccount_debitNotAuthorized",
    "000555555559": "pm_usBankAccount_dispute",
}

# Declines that have a code of their own; all others are `card_declined` with a decline code.
OWN_CODES: Final = frozenset(("expired_card", "incorrect_cvc", "processing_error"))

MESSAGES: Final[dict[str, str]] = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}


def message(decline: str) -> str:
    """What the payer is told."""
    return MESSAGES.get(decline, "Your card was declined.")
