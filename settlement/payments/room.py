"""All of payments in one object: the operations for the worker."""

from collections.abc import Callable, Mapping

from settlement.confirming import ConfirmationOver
from settlement.operations import Handler
from settlement.payments import handlers_bank as bank
from settlement.payments import handlers_card as card
from settlement.payments import handlers_dispute as dispute
from settlement.payments import handlers_end as end
from settlement.payments import handlers_refund as refund
from settlement.payments.payers import TablePayers
from settlement.payments.sweep import Sweep
from settlement.ports import PaymentProvider


def payment_operations(
    provider: PaymentProvider, payers: TablePayers, return_url: Callable[[str], str]
) -> Mapping[str, Handler]:
    """The kinds of operations that payments do. ``return_url``: the page of an invoice, to which
    a buyer comes back from its bank."""
    return {
        "accept_dispute": dispute.AcceptDispute(provider, payers),
        "action_expires": card.ActionExpires(provider, payers),
        "answer_dispute": dispute.AnswerDispute(provider, payers),
        "apply_cash": bank.ApplyCash(provider, payers),
        "ask_buyer": card.ConfirmPayment(provider, payers, return_url),
        "bank_details": bank.BankDetails(provider),
        "begin_capture": card.BeginCapture(provider, payers),
        "cancel_payment": card.CancelPayment(provider, payers),
        "capture": card.Capture(provider, payers),
        "collect": card.Collect(payers),
        "confirmation_over": ConfirmationOver(payers),
        "confirm_payment": card.ConfirmPayment(provider, payers),
        "create_payment": card.CreatePayment(provider, payers),
        "look": card.Look(),
        "look_for_cash": bank.LookForCash(provider, payers),
        "overdue": end.Overdue(payers),
        "read_dispute": dispute.ReadDispute(provider, payers),
        "read_payment": card.ReadPayment(provider, payers),
        "refund": refund.RefundAward(payers),
        "refund_charge": refund.RefundCharge(provider, payers),
        "return_cash": refund.ReturnCash(provider),
        "sweep_payments": Sweep(),
        "take_cash": bank.TakeCash(provider),
        "use_credit": bank.UseCredit(payers),
        "void": end.Void(provider, payers),
    }
