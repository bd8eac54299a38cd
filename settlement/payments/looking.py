"""Speaking of one payment to the provider: done once, and read whatever was answered.

A call whose answer was lost is not sent again before the payment was read: what it asked for may
have happened. It is sent under the same key; under one of its own only after a definite answer, or
when the provider goes on answering with an error that it has kept under the key, as Stripe keeps a
500 for a day. The payment itself takes each of these effects only once.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from settlement.ids import StripeId
from settlement.operations import Operation, Refused
from settlement.payment_objects import IntentStatus, Payment
from settlement.payments.words import Seen
from settlement.ports import PaymentProvider

_I = IntentStatus
# Attempts under one key: after some minutes it is not the network.
SAME_KEY: Final = 5
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
    """The operation's own key, however often its answer is lost, but for the cases above."""
    key, before = op.idempotency_key, op.claims - op.attempts
    if op.attempts > SAME_KEY:
        return f"{key}:{op.claims}"
    return f"{key}:{before}" if before else key


def earlier_keys(op: Operation) -> list[str]:
    """Under which an attempt may have made what is to be made, the latest first."""
    if op.claims <= 1:
        return []
    keys = [op.idempotency_key, key_of(op)]
    if op.attempts > SAME_KEY + 1:
        keys.append(f"{op.idempotency_key}:{op.claims - 1}")
    return list(dict.fromkeys(reversed(keys)))


async def _with_charge(
    provider: PaymentProvider, payment: Payment, refused: Refused | None
) -> Seen:
    charge = payment.charge
    if payment.status not in _WITH_CHARGE:
        charge = None
    elif charge is None and payment.charge_id is not None:
        charge = await provider.charge(payment.charge_id)
    return Seen(payment=payment, charge=charge, refused=refused)
