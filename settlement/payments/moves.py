"""The ways through a payment's life that one fact may take at once. Pure.

An event can tell of the end before anybody has told of the middle: the moves between are made in
one transaction, each checked by the life as any other.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from settlement.ids import InvoiceId
from settlement.lives import PAYMENT_LIFE, IllegalMove, PaymentState
from settlement.payments.words import Decided, Facts
from settlement.rows import Held
from settlement.steps import Step, Wanted

_P = PaymentState

# By way of which states a payment goes that does not go there directly.
_VIA: Final[Mapping[tuple[PaymentState, PaymentState], tuple[PaymentState, ...]]] = {
    (_P.AUTHORISING, _P.PAID): (_P.AUTHORISED, _P.CAPTURING),
    (_P.ACTION_REQUIRED, _P.PAID): (_P.AUTHORISED, _P.CAPTURING),
    (_P.AUTHORISED, _P.PAID): (_P.CAPTURING,),
    (_P.DUE, _P.PARTLY_FUNDED): (_P.AWAITING_FUNDS,),
    (_P.AUTHORISING, _P.PARTLY_FUNDED): (_P.DUE, _P.AWAITING_FUNDS),
    (_P.ACTION_REQUIRED, _P.PARTLY_FUNDED): (_P.DUE, _P.AWAITING_FUNDS),
    (_P.AUTHORISED, _P.PARTLY_FUNDED): (_P.DUE, _P.AWAITING_FUNDS),
    (_P.CAPTURING, _P.PARTLY_FUNDED): (_P.DUE, _P.AWAITING_FUNDS),
    (_P.AWAITING_FUNDS, _P.AUTHORISING): (_P.DUE,),
    (_P.AUTHORISING, _P.OVERDUE): (_P.DUE,),
    (_P.ACTION_REQUIRED, _P.OVERDUE): (_P.DUE,),
    (_P.CAPTURING, _P.OVERDUE): (_P.DUE,),
    (_P.AUTHORISED, _P.OVERDUE): (_P.DUE,),
}


def goes(held: Held, to: PaymentState) -> bool:
    """Whether an invoice's payment can come to that state, at once or by way of others."""
    state = held.invoiced.payment
    return PAYMENT_LIFE.allows(state, to) or (state, to) in _VIA


def moved(held: Held, to: PaymentState, last: Step = Step()) -> Decided:  # noqa: B008 - frozen
    """The steps that bring an invoice's payment there; ``last`` is part of the last of them."""
    state, invoice_id = held.invoiced.payment, held.invoiced.invoice_id
    if state is to:
        return Decided(steps=(last,))
    if not goes(held, to):
        raise IllegalMove(f"the payment is {state} and cannot become {to}")
    way = _VIA.get((state, to), ())
    return Decided(steps=(*_steps(invoice_id, way), last + Step(payments={invoice_id: to})))


def again(held: Held, operation: str, due_at_us: int | None = None, **arguments: Any) -> Wanted:
    """An operation of an invoice that is wanted once more, by what is written now.

    Its generation is the version that the invoice has then: no two writings share one.
    """
    row = held.invoiced
    return Wanted(
        operation=operation,
        subject=row.invoice_id,
        generation=row.version + 1,
        due_at_us=due_at_us,
        arguments=arguments,
    )


def void_wanted(held: Held, facts: Facts) -> Wanted:
    """What lacks of an overdue invoice is to be given up, once nothing of it can come any more."""
    customer_id = facts.payer.customer_id if facts.payer else None
    return again(held, "void", customer_id=customer_id)


def _steps(invoice_id: InvoiceId, way: tuple[PaymentState, ...]) -> Iterator[Step]:
    for state in way:
        yield Step(payments={invoice_id: state})
