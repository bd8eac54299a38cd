"""When an invoice's time is over: what it lacks is given up, once no money of it can come. Pure.

First whatever is open at the provider is ended there and read again; money that came after all is
booked. Only then are lots void, so that none is sold twice and nobody pays for nothing.
"""

from collections.abc import Sequence
from typing import Final

from auction.money import format_minor
from settlement.defaults import NotVoid, at_provider, keeps_from_void, payment_after_void
from settlement.lives import AwardState, PaymentState
from settlement.operations import SECOND_US, NeedsPerson
from settlement.payment_objects import least_charge_minor
from settlement.payments.decisions import part_paid, settled
from settlement.payments.decisions_card import cancelled
from settlement.payments.funding import funded_of, pay_with_credit
from settlement.payments.moves import moved, void_wanted
from settlement.payments.words import ENDED, NOTHING, Decided, Facts, TryState
from settlement.rows import Held
from settlement.steps import Step, Sums, Wanted
from settlement.story import Told

_P = PaymentState

# Until what is being ended at the provider is looked at again.
LOOK_AGAIN_US: Final = 60 * SECOND_US

_WAITED_FOR: Final = frozenset({_P.DUE, _P.AWAITING_FUNDS, _P.PARTLY_FUNDED})


def overdue(held: Held, facts: Facts, now_us: int) -> Decided:
    """The due time has passed; credit that is there pays, and is not too late."""
    row = held.invoiced
    if row.payment not in _WAITED_FOR:
        return NOTHING  # a card that is being asked says itself what follows
    if now_us < row.invoice.due_at_us:
        return Decided(again_at_us=row.invoice.due_at_us)
    if facts.asked_until_us is not None:
        return Decided(again_at_us=now_us + LOOK_AGAIN_US)  # the seller's time ends now too
    paid = pay_with_credit(held, facts, now_us)
    if not paid.left_minor:
        return settled(held, paid.step, paid.earmarked_minor)
    told = Told(
        kind="overdue",
        invoice_id=row.invoice_id,
        at_us=row.invoice.due_at_us,
        facts={"open_minor": row.open_minor},
    )
    return moved(held, _P.OVERDUE, Step(story=[told], operations=[void_wanted(held, facts)]))


def void(held: Held, facts: Facts, arriving: Sequence[str], now_us: int) -> Decided:
    """Give up what an overdue invoice lacks. ``arriving``: transfers of the buyer that are being
    taken in."""
    row = held.invoiced
    if row.payment is not _P.OVERDUE:
        return NOTHING
    open_tries = [tried for tried in facts.tries if tried.state not in ENDED]
    if arriving or open_tries:
        ends = [cancelled(tried) for tried in open_tries if tried.payment_id is not None]
        steps = [Step(operations=ends)] if ends else []
        return Decided(steps=steps, again_at_us=now_us + LOOK_AGAIN_US)
    statuses = [
        tried.status or "unknown"
        for tried in facts.tries
        if tried.state is TryState.CANCELLED and tried.payment_id is not None
    ]
    keeps = keeps_from_void(row.payment, at_provider(statuses))
    assert keeps in (None, NotVoid.STILL_OPEN, NotVoid.MONEY_CAME), "it is overdue"
    if keeps is not None:
        return Decided(again_at_us=now_us + LOOK_AGAIN_US)
    paid = pay_with_credit(held, facts, now_us)
    if not paid.left_minor:
        return settled(held, paid.step, paid.earmarked_minor)
    if paid.funded:
        return part_paid(held, facts, paid.step, paid.funded, paid.earmarked_minor)
    currency = row.invoice.currency
    if paid.left_minor < least_charge_minor(currency):
        # Nobody can pay so little, and who has paid the rest is not punished for it.
        words = f"{format_minor(paid.left_minor, currency)} {currency} are open, which is less than"
        raise NeedsPerson(f"{words} can be paid: book them as the buyer's credit, then try again")
    return _voided(held, facts, now_us)


def _voided(held: Held, facts: Facts, now_us: int) -> Decided:
    row = held.invoiced
    lines = {line.award_id: line for line in row.invoice.lines}
    unpaid = [
        award_id for award_id, award in held.awards.items() if award.state is AwardState.INVOICED
    ]
    void_minor = sum(lines[award_id].total_minor for award_id in unpaid)
    before = sum(
        credit.money.total_minor for credit in facts.credited if credit.money.award_id in unpaid
    )
    # Lots of which a bank took all of the money are not paid any more.
    paid = [each for each in funded_of(held) if held.awards[each].lost_at_us is None]
    state = payment_after_void(lots_paid=bool(paid))
    sums = Sums(paid_minor=-facts.earmarked_minor, credited_minor=void_minor - before)
    defaulted = Wanted(
        operation="defaulted",
        subject=row.invoice_id,
        arguments={"award_ids": unpaid, "defaulted_at_us": now_us},
    )
    told = [Told(kind="void", invoice_id=row.invoice_id, award_id=award_id) for award_id in unpaid]
    told.append(Told(kind="defaulted", invoice_id=row.invoice_id, facts={"awards": unpaid}))
    step = Step(
        payments={row.invoice_id: state},
        awards=dict.fromkeys(unpaid, AwardState.VOID),
        sums={row.invoice_id: sums},
        operations=[defaulted],
        story=told,
        at_us=now_us,
    )
    return Decided(steps=[step], earmarked_minor=0)
