"""All of payments in one object: the operations for the worker."""

from collections.abc import Callable, Mapping

from settlement.operations import Handler
from settlement.payments import handlers_card as card
from settlement.payments.tables import Payers
from settlement.ports import PaymentProvider


def payment_operations(
    provider: PaymentProvider, payers: Payers, return_url: Callable[[str], str]
) -> Mapping[str, Handler]:
    """The kinds of operations that payments do. ``return_url``: the page of an invoice, to which
    a buyer comes back from its bank."""
    return {
        "action_expires": card.ActionExpires(provider, payers),
        "ask_buyer": card.ConfirmPayment(provider, payers, return_url),
        "begin_capture": card.BeginCapture(provider, payers),
        "cancel_payment": card.CancelPayment(provider, payers),
        "capture": card.Capture(provider, payers),
        "collect": card.Collect(payers),
        "confirm_payment": card.ConfirmPayment(provider, payers),
        "create_payment": card.CreatePayment(provider, payers),
        "look": card.Look(),
        "read_payment": card.ReadPayment(provider, payers),
    }
