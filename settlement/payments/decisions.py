"""How an invoice is collected: credit first, then the card, then the bank. Pure.

`collect` is asked whenever something may go on: a new invoice, a card that was saved, credit that
came, a pause that is over, a sweep that found nothing on its way. It may be asked at any time and
as often as one likes.
"""

from typing import Final

from settlement.ids import StripeId
from settlement.lives import PaymentState
from settlement.operations import HOUR_US
from settlement.payment_objects import MAX_AMOUNT_MINOR, asked_minor, least_charge_minor
from settlement.payments.funding import Paid, lacking_minor, pay_with_credit
from settlement.payments.moves import again, moved
from settlement.payments.words import NOTHING, Decided, Facts, Try, TryState, Way
from settlement.rows import Held
from settlement.steps import Step, Sums, Wanted
from settlement.story import Told

_P = PaymentState

# Declines after which the same card may pay another time: docs.stripe.com/declines/codes.
SOFT: Final = frozenset(
    {
        "approve_with_id", "authentication_not_handled", "card_velocity_exceeded",
        "do_not_honor", "generic_decline", "insufficient_funds", "issuer_not_available",
        "processing_error", "reenter_transaction", "service_not_allowed", "try_again_later",
        "withdrawal_count_limit_exceeded",
    }
)  # fmt: skip
# Between tries of one card. Banks count many tries in a short time against whoever asks.
PAUSES_US: Final = (HOUR_US, 6 * HOUR_US, 12 * HOUR_US, 24 * HOUR_US)
# The last try is made so long before the invoice is due, if a pause would end later.
LAST_TRY_US: Final = HOUR_US
# Cards, promises that ended, buyers that did not confirm: beyond it a person looks.
MAX_TRIES: Final = 20

_COLLECTED: Final = frozenset({_P.DUE, _P.AWAITING_FUNDS, _P.PARTLY_FUNDED, _P.OVERDUE})


def collect(held: Held, facts: Facts, now_us: int) -> Decided:
    """What is to be done that an invoice is paid; nothing, where something is under way."""
    row = held.invoiced
    if row.payment not in _COLLECTED:
        return NOTHING
    paid = pay_with_credit(held, facts, now_us)
    if paid.is_all:
        return settled(held, paid.step, paid.earmarked_minor)
    if row.payment is not _P.DUE:
        return part_paid(held, facts, paid.step, paid.funded, paid.earmarked_minor)
    if not paid.left_minor:
        return _kept_until_confirmed(held, facts, paid)
    if now_us >= row.invoice.due_at_us:
        return _overdue(held)
    if paid.left_minor < least_charge_minor(row.invoice.currency):
        return waits(held, "too_little")
    if facts.policy.takes_card(paid.left_minor):
        return _by_card(held, facts, now_us)
    return by_transfer(held, facts, now_us)


def settled(held: Held, step: Step, earmarked_minor: int) -> Decided:
    """Nothing is left to pay."""
    invoice_id = held.invoiced.invoice_id
    told = Told(kind="paid", invoice_id=invoice_id, facts={"lots": len(step.awards)})
    last = step + Step(story=[told], drops=[f"overdue:{invoice_id}:1"])
    return moved(held, _P.PAID, last) + Decided(earmarked_minor=earmarked_minor)


def part_paid(
    held: Held, facts: Facts, step: Step, funded: tuple[str, ...], earmarked_minor: int
) -> Decided:
    """Some of an invoice came; what is kept for it waits for the rest."""
    kept = Decided(earmarked_minor=earmarked_minor)
    if not funded and earmarked_minor == facts.earmarked_minor:
        return NOTHING
    row = held.invoiced
    told = Told(
        kind="part_paid",
        invoice_id=row.invoice_id,
        facts={"awards": list(funded), "kept_minor": earmarked_minor},
    )
    last = step + Step(story=[told])
    if row.payment is _P.OVERDUE:
        # What came late does not stop what is due: the rest is given up by the same way.
        last += Step(operations=[again(held, "overdue")])
    return moved(held, _P.PARTLY_FUNDED, last) + kept


def by_transfer(held: Held, facts: Facts, now_us: int) -> Decided:
    """The buyer sends money by bank; where to, it is told once it is known at the provider."""
    if facts.payer is None:
        return waits(held, "no_customer")
    row = held.invoiced
    paid = pay_with_credit(held, facts, now_us)
    details = again(
        held,
        "bank_details",
        customer_id=facts.payer.customer_id,
        currency=row.invoice.currency,
    )
    told = Told(
        kind="waits_for_transfer",
        invoice_id=row.invoice_id,
        facts={"amount_minor": paid.left_minor},
    )
    waiting = moved(held, _P.AWAITING_FUNDS, Step(operations=[details], story=[told]))
    kept = Decided(earmarked_minor=paid.earmarked_minor)
    if paid.funded:
        part = Step(payments={row.invoice_id: _P.PARTLY_FUNDED})
        return waiting + Decided(steps=[paid.step + part]) + kept
    return waiting + Decided(steps=[paid.step]) + kept


def try_by(
    held: Held,
    facts: Facts,
    way: Way,
    method_id: StripeId,
    now_us: int,
    *,
    before: Step = Step(),  # noqa: B008
) -> Decided:
    """A new try to pay all that lacks, beside the credit that is kept for it."""
    assert facts.payer is not None, "a method is somebody's"
    row, number = held.invoiced, held.invoiced.tries + 1
    lacking = lacking_minor(held, facts)
    kept_minor = min(facts.earmarked_minor + facts.credit_minor, lacking)
    amount_minor = asked_minor(lacking - kept_minor, row.invoice.currency)
    kept = kept_minor - facts.earmarked_minor
    tried = Try(
        invoice_id=row.invoice_id,
        number=number,
        way=way,
        state=TryState.CREATING,
        customer_id=facts.payer.customer_id,
        method_id=method_id,
        amount_minor=amount_minor,
        currency=row.invoice.currency,
        made_at_us=now_us,
        changed_at_us=now_us,
    )
    told = Told(
        kind="card_asked" if way is Way.CARD else "debit_asked",
        invoice_id=row.invoice_id,
        facts={"amount_minor": amount_minor, "try": number},
    )
    last = before + Step(
        tried=row.invoice_id,
        sums={row.invoice_id: Sums(paid_minor=kept)} if kept else {},
        operations=[created(tried)],
        story=[told],
    )
    state = _P.AUTHORISING if way is Way.CARD else _P.AWAITING_FUNDS
    return moved(held, state, last) + Decided(tries=[tried], earmarked_minor=kept_minor)


def created(tried: Try) -> Wanted:
    """The operation that makes a try's object at the provider."""
    return Wanted(
        operation="create_payment",
        subject=tried.invoice_id,
        generation=tried.number,
        arguments={
            "amount_minor": tried.amount_minor,
            "currency": tried.currency,
            "customer_id": tried.customer_id,
            "way": tried.way,
        },
    )


def _kept_until_confirmed(held: Held, facts: Facts, paid: Paid) -> Decided:
    """The buyer's credit is enough, and is kept until the seller has confirmed what it sold."""
    if paid.earmarked_minor == facts.earmarked_minor:
        return NOTHING
    told = Told(kind="waits_for_seller", invoice_id=held.invoiced.invoice_id)
    kept = paid.step + Step(story=[told])
    return Decided(steps=[kept], earmarked_minor=paid.earmarked_minor)


def waits(held: Held, why: str) -> Decided:
    """Nothing can be done before the buyer does something; it is told so once."""
    told = Told(kind="waits_for_buyer", invoice_id=held.invoiced.invoice_id, facts={"why": why})
    return Decided(steps=[Step(story=[told])])


def retry_at_us(held: Held, facts: Facts, failed: Try) -> int | None:
    """When a card that said no is asked again; None: not the same card any more."""
    if (failed.decline_code or failed.failure_code) not in SOFT:
        return None
    tries = [each for each in facts.tries if each.method_id == failed.method_id]
    before = sum(each.failure_code is not None for each in tries if each.number < failed.number)
    if before >= len(PAUSES_US):
        return None
    at_us = failed.changed_at_us + PAUSES_US[before]
    latest_us = held.invoiced.invoice.due_at_us - LAST_TRY_US
    at_us = min(at_us, max(latest_us, failed.changed_at_us))
    return at_us if at_us > failed.changed_at_us else None


def _by_card(held: Held, facts: Facts, now_us: int) -> Decided:
    payer = facts.payer
    if payer is None or payer.card_id is None:
        return waits(held, "no_card")
    last = facts.tries[-1] if facts.tries else None
    if last is not None and last.failure_code is not None and last.method_id == payer.card_id:
        at_us = retry_at_us(held, facts, last)
        if at_us is None:
            return waits(held, "card_declined")
        if at_us > now_us:
            return NOTHING  # the pause is not over: its operation waits
    if held.invoiced.tries >= MAX_TRIES or lacking_minor(held, facts) > MAX_AMOUNT_MINOR:
        return waits(held, "too_many_tries")
    return try_by(held, facts, Way.CARD, payer.card_id, now_us)


def _overdue(held: Held) -> Decided:
    return Decided(steps=[Step(operations=[again(held, "overdue")])])
