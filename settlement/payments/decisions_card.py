"""What follows from a payment by card or debit as it was read. Pure.

Every answer, event and look comes here with the object as it is now, so that it does not matter
which of them comes first, twice or late. A try that is not the invoice's latest can only be
cancelled, unless it took money: that is booked, whatever we thought of it.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import structs

from settlement.due import capture_at_us
from settlement.ids import InvoiceId
from settlement.lives import PaymentState
from settlement.operations import SECOND_US
from settlement.payment_objects import Charge, Failure, IntentStatus, Payment, asked_minor
from settlement.payments.decisions import MAX_TRIES, part_paid, retry_at_us, settled, try_by
from settlement.payments.funding import all_to_credit, lacking_minor, pay_with
from settlement.payments.moves import again, goes, moved, void_wanted
from settlement.payments.words import (
    ENDED,
    NOTHING,
    ChargeRow,
    Decided,
    Facts,
    Seen,
    TakenIn,
    Try,
    TryState,
    Way,
)
from settlement.rows import Held
from settlement.steps import Step, Wanted
from settlement.story import Told

_P, _T, _I = PaymentState, TryState, IntentStatus

# The provider books a captured charge a moment later.
SOON_US: Final = 5 * SECOND_US
# The bank wants the buyer there: off the session nobody can say more.
ASKS_BUYER: Final = "authentication_required"
# A promise ends by itself, which the provider calls automatic.
EXPIRED: Final = "automatic"

_ASKED: Final = frozenset({_P.AUTHORISING, _P.ACTION_REQUIRED})
_PROMISED: Final = frozenset({_P.AUTHORISED, _P.CAPTURING})
# Before the buyer was asked to confirm.
_UNDECIDED: Final = frozenset({_T.CREATING, _T.OPEN, _T.ASKING})


def try_seen(held: Held, facts: Facts, tried: Try, seen: Seen, now_us: int) -> Decided:
    """What follows from a try's payment as it is now."""
    if tried.state in ENDED:
        return NOTHING  # what it came to is written; refunds and disputes have their own ways
    payment = seen.payment
    tried = structs.replace(
        tried, payment_id=payment.payment_id, status=payment.status, changed_at_us=now_us
    )
    return _BY_STATUS[payment.status](held, facts, tried, seen, now_us)


def not_made(held: Held, facts: Facts, tried: Try, failure: Failure, now_us: int) -> Decided:
    """The provider refused to make the try's payment at all."""
    del facts
    ended = _failed(tried, failure, _T.CANCELLED, now_us)
    if not _is_current(held, tried):
        return Decided(tries=[ended])
    told = _declined_told(tried, failure)
    words = f"The payment could not be made: {failure.code} {failure.message}"
    look = again(held, "look", words=words)
    last = Step(story=[told], operations=[look, *_if_overdue(held, now_us)])
    return moved(held, _P.DUE, last) + Decided(tries=[ended])


def action_expired(held: Held, facts: Facts, tried: Try, now_us: int) -> Decided:
    """The buyer did not confirm in its time: nothing of this try is waited for any more."""
    del facts, now_us
    if tried.state is not _T.ACTION or not _is_current(held, tried):
        return NOTHING
    return Decided(steps=[Step(operations=[cancelled(tried)])])


def capture_begins(held: Held, facts: Facts, tried: Try, now_us: int) -> Decided:
    """Take what was promised; less, where a part of it need not be paid any more. Where the seller
    has not answered yet, its time is over: the promise would run out."""
    del now_us
    if held.invoiced.payment is not _P.AUTHORISED or not _is_current(held, tried):
        return NOTHING
    if facts.asked_until_us is not None:
        over = confirmation_over(tried.invoice_id, 1 + tried.number)
        return Decided(steps=[Step(operations=[over])])
    lacking = lacking_minor(held, facts) - facts.earmarked_minor
    amount_minor = min(tried.amount_minor, asked_minor(lacking, tried.currency))
    if amount_minor <= 0:
        return Decided(steps=[Step(operations=[cancelled(tried)])])
    return moved(held, _P.CAPTURING, Step(operations=[_capture(tried, amount_minor)]))


def cancelled(tried: Try) -> Wanted:
    """The operation that ends a try at the provider."""
    return Wanted(
        operation="cancel_payment",
        subject=tried.invoice_id,
        generation=tried.number,
        arguments={"payment_id": tried.payment_id},
    )


def _capture(tried: Try, amount_minor: int) -> Wanted:
    return Wanted(
        operation="capture",
        subject=tried.invoice_id,
        generation=tried.number,
        arguments={"payment_id": tried.payment_id, "amount_minor": amount_minor},
    )


def begin_capture(invoice_id: InvoiceId, number: int, due_at_us: int | None = None) -> Wanted:
    """The operation that takes what was promised, then."""
    return Wanted(
        operation="begin_capture", subject=invoice_id, generation=number, due_at_us=due_at_us
    )


def confirmation_over(invoice_id: InvoiceId, number: int, due_at_us: int | None = None) -> Wanted:
    """The operation that ends the seller's time to answer, then."""
    return Wanted(
        operation="confirmation_over", subject=invoice_id, generation=number, due_at_us=due_at_us
    )


def _is_current(held: Held, tried: Try) -> bool:
    return tried.number == held.invoiced.tries and held.invoiced.payment in (
        _ASKED | _PROMISED | {_P.AWAITING_FUNDS}
    )


def _to_be_asked(held: Held, facts: Facts, tried: Try, seen: Seen, now_us: int) -> Decided:
    """It waits to be confirmed: it was just made, or the payer's bank said no."""
    failure = seen.payment.failure
    if failure is None and seen.refused is not None:
        refused = seen.refused
        failure = Failure(refused.code, refused.decline_code, refused.message)
    if tried.state in (_T.FAILED, _T.PROMISED):
        return NOTHING  # it is being cancelled, or this was read before it was promised
    if not _is_current(held, tried):
        return Decided(tries=[tried], steps=[Step(operations=[cancelled(tried)])])
    if tried.state is _T.CREATING and failure is None:
        confirm = Wanted(
            operation="confirm_payment",
            subject=tried.invoice_id,
            generation=tried.number,
            arguments={"payment_id": tried.payment_id, "method_id": tried.method_id},
        )
        made = structs.replace(tried, state=_T.OPEN)
        return Decided(tries=[made], steps=[Step(operations=[confirm])])
    if failure is None:
        return NOTHING  # told of before it was confirmed
    return _declined(held, facts, tried, seen, failure, now_us)


def _declined(
    held: Held, facts: Facts, tried: Try, seen: Seen, failure: Failure, now_us: int
) -> Decided:
    asks = ASKS_BUYER in (failure.code, failure.decline_code)
    if asks and tried.state is _T.OPEN:
        ask = Wanted(
            operation="ask_buyer",
            subject=tried.invoice_id,
            generation=tried.number,
            arguments={"payment_id": tried.payment_id, "method_id": tried.method_id},
        )
        asking = structs.replace(tried, state=_T.ASKING)
        return Decided(tries=[asking], steps=[Step(operations=[ask])])
    if asks and tried.state in (_T.ASKING, _T.ACTION) and seen.refused is None:
        return NOTHING  # it tells of the first no; the buyer is being asked
    failed = _failed(tried, failure, _T.FAILED, now_us)
    operations = [cancelled(failed), *_if_overdue(held, now_us)]
    at_us = retry_at_us(held, facts, failed) if failed.way is Way.CARD else now_us
    if at_us is not None and at_us < held.invoiced.invoice.due_at_us:
        operations.append(again(held, "collect", at_us))
    told = _declined_told(failed, failure, at_us)
    return moved(held, _P.DUE, Step(operations=operations, story=[told])) + Decided(tries=[failed])


def _needs_action(held: Held, facts: Facts, tried: Try, seen: Seen, now_us: int) -> Decided:
    """The payer's bank wants the buyer to confirm."""
    del facts, seen
    if not _is_current(held, tried):
        return Decided(tries=[tried], steps=[Step(operations=[cancelled(tried)])])
    if tried.state not in _UNDECIDED:
        return NOTHING
    # Once the invoice is due it is too late to confirm.
    expires = Wanted(
        operation="action_expires",
        subject=tried.invoice_id,
        generation=tried.number,
        due_at_us=max(held.invoiced.invoice.due_at_us, now_us),
    )
    told = Told(kind="buyer_has_to_confirm", invoice_id=tried.invoice_id)
    last = Step(operations=[expires], story=[told])
    waiting = structs.replace(tried, state=_T.ACTION)
    return moved(held, _P.ACTION_REQUIRED, last) + Decided(tries=[waiting])


def _promised(held: Held, facts: Facts, tried: Try, seen: Seen, now_us: int) -> Decided:
    """The amount is held on the card."""
    charge = seen.charge
    if held.invoiced.payment in _PROMISED and _is_current(held, tried):
        return NOTHING
    if not _is_current(held, tried) or tried.state is _T.FAILED or charge is None:
        return Decided(tries=[tried], steps=[Step(operations=[cancelled(tried)])])
    before_us = charge.capture_before_us
    assert before_us is not None, "a card's promise ends"
    at_us = capture_at_us(
        facts.policy,
        charge.made_at_us,
        before_us,
        asked_until_us=facts.asked_until_us,
    )
    promised = structs.replace(
        tried, state=_T.PROMISED, promised_at_us=charge.made_at_us, capture_before_us=before_us
    )
    told = Told(
        kind="card_promised",
        invoice_id=tried.invoice_id,
        facts={"amount_minor": tried.amount_minor, "until_us": before_us},
    )
    kept = Decided(tries=[promised])
    if at_us > now_us:
        begin = begin_capture(tried.invoice_id, tried.number, at_us)
        return kept + moved(held, _P.AUTHORISED, Step(operations=[begin], story=[told]))
    authorised = moved(held, _P.AUTHORISED, Step(story=[told]))
    return kept + authorised + capture_begins(_authorised(held), facts, promised, now_us)


def _authorised(held: Held) -> Held:
    """As it is after the step that says so."""
    row = structs.replace(held.invoiced, payment=_P.AUTHORISED)
    return structs.replace(held, invoice=row)


def _pending(held: Held, facts: Facts, tried: Try, seen: Seen, now_us: int) -> Decided:
    """A debit is on its way; whether it works is known days later."""
    del held, facts, seen, now_us
    return Decided(tries=[structs.replace(tried, state=_T.PENDING)])


def _ended(held: Held, facts: Facts, tried: Try, seen: Seen, now_us: int) -> Decided:
    """It took no money and never will."""
    ended = Decided(tries=[structs.replace(tried, state=_T.CANCELLED)])
    row = held.invoiced
    if row.payment is _P.OVERDUE:
        return ended + Decided(steps=[Step(operations=[void_wanted(held, facts)])])
    if not _is_current(held, tried):
        return ended
    if row.payment in _PROMISED and seen.payment.cancellation_reason == EXPIRED:
        return ended + _asked_again(held, facts, tried, now_us)
    told = Told(kind="try_cancelled", invoice_id=row.invoice_id, facts={"try": tried.number})
    operations = _if_overdue(held, now_us)
    if row.payment in _PROMISED or lacking_minor(held, facts) <= facts.earmarked_minor:
        operations.append(again(held, "collect"))
    return ended + moved(held, _P.DUE, Step(operations=operations, story=[told]))


def _asked_again(held: Held, facts: Facts, tried: Try, now_us: int) -> Decided:
    """The promise ended before it was captured: the card is asked again, also past the due time,
    since the buyer has paid in time as far as it could."""
    told = Told(kind="promise_ended", invoice_id=tried.invoice_id, facts={"try": tried.number})
    method_id = tried.method_id
    if facts.payer is not None and facts.payer.card_id is not None:
        method_id = facts.payer.card_id
    if facts.payer is None or method_id is None or held.invoiced.tries >= MAX_TRIES:
        last = Step(story=[told], operations=_if_overdue(held, now_us))
        return moved(held, _P.DUE, last)
    return try_by(held, facts, Way.CARD, method_id, now_us, before=Step(story=[told]))


def _took(held: Held, facts: Facts, tried: Try, seen: Seen, now_us: int) -> Decided:
    """The money is here."""
    if seen.charge is None or seen.charge.transaction is None:
        return Decided(again_at_us=now_us + SOON_US)
    taken = taken_in(tried.way, seen.payment, seen.charge)
    booked = booked_for(held, facts, taken, tried.invoice_id, tried.number)
    return booked + Decided(tries=[structs.replace(tried, state=_T.CAPTURED)])


def taken_in(way: Way, payment: Payment, charge: Charge) -> TakenIn:
    """What a captured charge brought, by the provider's own books."""
    transaction = charge.transaction
    assert transaction is not None and payment.customer_id is not None, "it moved money"
    return TakenIn(
        charge_id=charge.charge_id,
        payment_id=payment.payment_id,
        transaction_id=transaction.transaction_id,
        customer_id=payment.customer_id,
        way=way,
        amount_minor=transaction.amount_minor,
        fee_minor=transaction.fee_minor,
        made_at_us=transaction.made_at_us,
    )


def booked_for(held: Held, facts: Facts, taken: TakenIn, subject: str, generation: int) -> Decided:
    """Money that came for an invoice: its lots are funded as far as it reaches."""
    row = held.invoiced
    charge = ChargeRow(
        taken=taken,
        invoice_id=row.invoice_id,
        buyer_id=row.invoice.buyer_id,
        currency=row.invoice.currency,
    )
    kept = Decided(charges=[charge])
    told = Told(
        kind="money_came",
        invoice_id=row.invoice_id,
        at_us=taken.made_at_us,
        facts={"amount_minor": taken.amount_minor, "way": taken.way, "charge": taken.charge_id},
    )
    if not goes(held, _P.PAID) or row.payment is _P.DISPUTED or not lacking_minor(held, facts):
        paid = all_to_credit(held, facts, taken, subject, generation)
        return kept + Decided(steps=[paid.step + Step(story=[told])])
    paid = pay_with(held, facts, taken, subject, generation)
    step = paid.step + Step(story=[told])
    if paid.is_all:
        return kept + settled(held, step, paid.earmarked_minor)
    return kept + part_paid(held, facts, step, paid.funded, paid.earmarked_minor)


def _failed(tried: Try, failure: Failure, state: TryState, now_us: int) -> Try:
    return structs.replace(
        tried,
        state=state,
        failure_code=failure.code,
        decline_code=failure.decline_code,
        failure_message=failure.message,
        changed_at_us=now_us,
    )


def _declined_told(tried: Try, failure: Failure, retry_us: int | None = None) -> Told:
    return Told(
        kind="card_declined" if tried.way is Way.CARD else "debit_failed",
        invoice_id=tried.invoice_id,
        facts={
            "code": failure.decline_code or failure.code,
            "message": failure.message,
            "try": tried.number,
            "again_at_us": retry_us,
        },
    )


def _if_overdue(held: Held, now_us: int) -> list[Wanted]:
    """The due time passed while the card was asked."""
    if now_us < held.invoiced.invoice.due_at_us:
        return []
    return [again(held, "overdue")]


_Reading = Callable[[Held, Facts, Try, Seen, int], Decided]
_BY_STATUS: Final[Mapping[IntentStatus, _Reading]] = {
    _I.REQUIRES_PAYMENT_METHOD: _to_be_asked,
    _I.REQUIRES_CONFIRMATION: _to_be_asked,
    _I.REQUIRES_ACTION: _needs_action,
    _I.PROCESSING: _pending,
    _I.REQUIRES_CAPTURE: _promised,
    _I.CANCELED: _ended,
    _I.SUCCEEDED: _took,
}
