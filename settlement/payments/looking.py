"""Speaking of one payment to the provider: done once, and read whatever was answered.

A call whose answer was lost is not sent again before the payment was read: what it asked for may
have happened. Where it has not, it is sent under a key of its own try, since the provider may keep
an error under the first one; the payment itself takes each of these effects only once.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from settlement.ids import StripeId
from settlement.operations import Operation, Refused
from settlement.payment_objects import IntentStatus, Payment
from settlement.payments.words import Seen
from settlement.ports import PaymentProvider

_I = IntentStatus
_WITH_CHARGE: Final = frozenset({_I.REQUIRES_CAPTURE, _I.SUCCEEDED})


async def looked(
    provider: PaymentProvider, payment_id: StripeId, refused: Refused | None = None
) -> Seen:
    """A payment as it is now, with its charge where money may have moved."""
    return await _with_charge(provider, await provider.payment(payment_id), refused)


async def asked(
    provider: PaymentProvider,
    op: Operation,
    payment_id: StripeId,
    ask: Callable[[str], Awaitable[Payment]],
    done: Callable[[Payment], bool],
) -> Seen:
    """Ask something of a payment, under the key that ``ask`` is given; ``done``: whether a payment
    shows that it has happened, or cannot happen any more."""
    if op.claims > 1:
        payment = await provider.payment(payment_id)
        if done(payment):
            return await _with_charge(provider, payment, None)
    try:
        payment = await ask(key_of(op))
    except Refused as refused:
        return await looked(provider, payment_id, refused)
    return await _with_charge(provider, payment, None)


def key_of(op: Operation) -> str:
    """The operation's own key; of later attempts one for each, once the payment was read."""
    return op.idempotency_key if op.claims <= 1 else f"{op.idempotency_key}:{op.claims}"


def earlier_keys(op: Operation) -> list[str]:
    """Under which an attempt may have made what is to be made, the latest first."""
    if op.claims <= 1:
        return []
    own = [op.idempotency_key]
    return own if op.claims == 2 else [f"{op.idempotency_key}:{op.claims - 1}", *own]


async def _with_charge(
    provider: PaymentProvider, payment: Payment, refused: Refused | None
) -> Seen:
    charge = None
    if payment.charge_id is not None and payment.status in _WITH_CHARGE:
        charge = await provider.charge(payment.charge_id)
    return Seen(payment=payment, charge=charge, refused=refused)
