"""What follows once a seller has confirmed what it sold, or has not. Pure.

Until then an invoice may be promised by a card and money may come by bank, but no lot is funded:
credit that would fill it is kept for it.
"""

from typing import Final

from settlement.lives import PaymentState
from settlement.payments.decisions import collect
from settlement.payments.decisions_card import cancelled, capture_begins
from settlement.payments.funding import lacking_minor
from settlement.payments.words import NOTHING, Decided, Facts
from settlement.rows import Held
from settlement.steps import Step

_P = PaymentState

_ASKED: Final = frozenset({_P.AUTHORISING, _P.ACTION_REQUIRED})


def all_answered(held: Held, facts: Facts, now_us: int) -> Decided:
    """The seller has answered for every lot: what it confirmed is taken, and what it did not
    confirm is not on the invoice any more. A card that is being asked says itself what follows."""
    row = held.invoiced
    tried = facts.try_of(row.tries)
    if row.payment is _P.AUTHORISED:
        assert tried is not None, "a promise is of a try"
        return capture_begins(held, facts, tried, now_us)
    if row.payment is _P.ACTION_REQUIRED and tried is not None and not lacking_minor(held, facts):
        return Decided(steps=[Step(operations=[cancelled(tried)])])
    return NOTHING if row.payment in _ASKED else collect(held, facts, now_us)
