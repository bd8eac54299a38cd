"""The operations of deposits: each one call to the payment provider, decided by what it shows.

A lost answer is never "failed": from the second attempt on the payment is looked at first. A
payment that was confirmed, captured or cancelled shows it, so nothing is done to it twice.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final

from auction.ids import BidderId, SaleId
from foundation.database import AnyConnection, Pool, acquire
from settlement.buyers import customer_of
from settlement.deposit_life import Deposit, DepositState, subject_parts
from settlement.deposit_rules import (
    charged_back,
    created,
    declined,
    gone_back,
    not_created,
    renewal_due,
)
from settlement.deposits import Deposits, hold_subject, readable
from settlement.ids import StripeId
from settlement.operations import Again, Deadline, Handler, NeedsPerson, Operation, Refused
from settlement.payment_objects import (
    Charge,
    Event,
    IntentStatus,
    MethodKind,
    Payment,
    Refund,
)
from settlement.policy import HOUR_US
from settlement.ports import PaymentDeclined, PaymentProvider

# The metadata by which a payment says that it is a deposit, and whose.
DEPOSIT: Final = "deposit"

# A buyer that does not answer its bank's question gets no deposit by it.
ANSWER_WITHIN_US: Final = 24 * HOUR_US

# How often it is asked whether a deposit has done its work.
WATCH_EVERY_US: Final = HOUR_US // 2

_SUBJECT: Final = re.compile(r"deposit~[^~]+~[^~]+")

_D = DepositState
_I = IntentStatus
_UNCONFIRMED: Final = (_I.REQUIRES_PAYMENT_METHOD, _I.REQUIRES_CONFIRMATION)
_OVER: Final = (_I.CANCELED, _I.SUCCEEDED)


class _OfDeposit:
    def __init__(self, deposits: Deposits, provider: PaymentProvider) -> None:
        self._deposits, self._provider = deposits, provider

    async def _show(self, connection: AnyConnection, op: Operation, answer: object) -> None:
        assert isinstance(answer, Payment), "of `call`"
        await self._deposits.show(connection, *subject_parts(op.subject), answer)


class Create(_OfDeposit):
    """``deposit_create``: the payment of a try."""

    def __init__(self, deposits: Deposits, provider: PaymentProvider, pool: Pool) -> None:
        super().__init__(deposits, provider)
        self._pool = pool

    async def call(self, op: Operation) -> Payment:
        """See `operations.Handler`."""
        sale_id, buyer_id = subject_parts(op.subject)
        async with acquire(self._pool) as connection:
            customer_id = await customer_of(connection, buyer_id)
        assert customer_id is not None, "who saved a card is a customer"
        if op.attempts > 1:
            found = await self._provider.find_payment(op.idempotency_key, customer_id)
            if found is not None:
                return found
        return await self._provider.create_payment(
            op.idempotency_key,
            amount_minor=op.arguments["amount_minor"],
            currency=op.arguments["currency"],
            customer_id=customer_id,
            kind=MethodKind.CARD,
            group=op.subject,
            about={DEPOSIT: op.subject, "sale_id": sale_id, "buyer_id": buyer_id},
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        deposit = await hold_subject(connection, op.subject)
        if isinstance(answer, Refused):
            decided = not_created(deposit, op.generation, answer.code)
        else:
            assert isinstance(answer, Payment), "of `call`"
            decided = created(deposit, op.generation, answer)
        await self._deposits.write(connection, deposit, decided)
        return None


class Confirm(_OfDeposit):
    """``deposit_confirm``: the buyer's bank is asked."""

    async def call(self, op: Operation) -> Payment:
        """See `operations.Handler`."""
        payment_id = StripeId(op.arguments["payment_id"])
        if op.attempts > 1:
            payment = await self._provider.payment(payment_id)
            if payment.status not in _UNCONFIRMED or payment.failure is not None:
                return readable(payment)
        return_url = op.arguments["return_url"]
        try:
            payment = await self._provider.confirm_payment(
                op.idempotency_key,
                payment_id,
                method_id=StripeId(op.arguments["method_id"]),
                off_session=return_url is None,
                return_url=return_url,
            )
        except PaymentDeclined:
            raise
        except Refused:
            payment = await self._provider.payment(payment_id)
            if payment.status in _UNCONFIRMED and payment.failure is None:
                raise
        return readable(payment)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        if isinstance(answer, Refused):
            deposit = await hold_subject(connection, op.subject)
            payment_id = StripeId(op.arguments["payment_id"])
            code = answer.decline_code or answer.code
            await self._deposits.write(connection, deposit, declined(deposit, payment_id, code))
            return None
        await self._show(connection, op, answer)
        return None


class _Ends(_OfDeposit, ABC):
    """A promise is ended, one way or the other; one that has ended is only read."""

    verb: str

    async def call(self, op: Operation) -> Payment:
        """See `operations.Handler`."""
        payment_id = StripeId(op.arguments["payment_id"])
        if op.attempts > 1:
            payment = await self._provider.payment(payment_id)
            if payment.status in _OVER:
                return readable(payment)
        try:
            payment = await self._ask(op, payment_id)
        except Refused:
            payment = await self._provider.payment(payment_id)
            if payment.status not in _OVER:
                raise
        return readable(payment)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        if isinstance(answer, Refused):
            payment_id = op.arguments["payment_id"]
            raise NeedsPerson(f"{payment_id} cannot be {self.verb}: {answer}")
        await self._show(connection, op, answer)
        return None

    @abstractmethod
    async def _ask(self, op: Operation, payment_id: StripeId) -> Payment:
        """End it."""


class Cancel(_Ends):
    """``deposit_cancel``: a promise that nobody needs is given up."""

    verb = "cancelled"

    async def _ask(self, op: Operation, payment_id: StripeId) -> Payment:
        return await self._provider.cancel_payment(op.idempotency_key, payment_id)


class Take(_Ends):
    """``deposit_take``: a promise becomes money."""

    verb = "captured"

    async def _ask(self, op: Operation, payment_id: StripeId) -> Payment:
        return await self._provider.capture_payment(
            op.idempotency_key, payment_id, amount_minor=op.arguments["amount_minor"]
        )


class Return(_OfDeposit):
    """``deposit_return``: what was taken goes back."""

    async def call(self, op: Operation) -> Refund:
        """See `operations.Handler`."""
        charge_id = StripeId(op.arguments["charge_id"])
        if op.attempts > 1:
            found = await self._provider.find_refund(op.idempotency_key, charge_id=charge_id)
            if found is not None:
                return found
        return await self._provider.refund(
            op.idempotency_key,
            charge_id=charge_id,
            amount_minor=op.arguments["amount_minor"],
            currency=op.arguments["currency"],
            about={DEPOSIT: op.subject},
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        if isinstance(answer, Refused):
            raise NeedsPerson(f"{op.arguments['charge_id']} cannot be refunded: {answer}")
        assert isinstance(answer, Refund), "of `call`"
        deposit = await hold_subject(connection, op.subject)
        await self._deposits.write(connection, deposit, gone_back(deposit, answer, now_us))
        return None


class Renew(Deadline):
    """``deposit_renew``: a promise ends soon."""

    def __init__(self, deposits: Deposits) -> None:
        self._deposits = deposits

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        deposit = await hold_subject(connection, op.subject)
        await self._deposits.write(connection, deposit, renewal_due(deposit, op.generation))
        return None


class ChargedBack(Deadline):
    """``deposit_charged_back``: its buyer's bank has decided that it keeps it."""

    def __init__(self, deposits: Deposits) -> None:
        self._deposits = deposits

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        deposit = await hold_subject(connection, op.arguments["deposit"])
        decided = charged_back(deposit, StripeId(op.arguments["charge_id"]))
        await self._deposits.write(connection, deposit, decided)
        return None


# Whether the sale is over and invoiced; what the buyer has won in it, and what became of that.
_OUTCOME: Final = """
select
    exists (
        select from settlement_op where operation = 'invoice' and subject = $1 and state = 'DONE'
    ) and not exists (
        select from settlement_op where operation = 'award' and state in ('WAITING', 'HELD')
        and arguments ->> 'sale_id' = $1
    ) as over,
    exists (
        select from award where sale_id = $1 and buyer_id = $2 and state = 'VOID'
        and funded_at_us is null
    ) as defaulted,
    exists (
        select from award left join invoice using (invoice_id)
        where award.sale_id = $1 and award.buyer_id = $2
        and award.state not in ('CANCELLED', 'VOID')
        and (payment is null or payment not in ('PAID', 'REFUNDED', 'DISPUTED'))
    ) as owes
"""


class Watch(Deadline):
    """``deposit_watch``: when the sale is over, a deposit goes back to who won nothing or has paid,
    and is kept of who did not pay."""

    def __init__(self, deposits: Deposits) -> None:
        self._deposits = deposits

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        sale_id, buyer_id = subject_parts(op.subject)
        deposit = await hold_subject(connection, op.subject)
        if op.generation != await self._watched(connection, op) or _is_done(deposit):
            return None
        if _unanswered(deposit, now_us) and deposit.payment_id is not None:
            step = declined(deposit, deposit.payment_id, "not_answered")
            await self._deposits.write(connection, deposit, step)
            return None
        outcome = await connection.fetchrow(_OUTCOME, sale_id, buyer_id)
        assert outcome is not None, "it is one row"
        if outcome["over"] and outcome["defaulted"]:
            await self._deposits.forfeit(connection, sale_id, buyer_id)
        elif outcome["over"] and not outcome["owes"]:
            await self._deposits.release(connection, sale_id, buyer_id)
        return Again(now_us + WATCH_EVERY_US)

    async def _watched(self, connection: AnyConnection, op: Operation) -> int:
        """The newest watch of a deposit that was asked for more than once."""
        latest = await connection.fetchval(
            "select max(generation) from settlement_op where operation = $1 and subject = $2",
            op.operation,
            op.subject,
        )
        return int(latest)


def _unanswered(deposit: Deposit, now_us: int) -> bool:
    """Whether the buyer has let its bank's question pass."""
    waited_us = now_us - deposit.changed_at_us
    return deposit.state is _D.ACTION_REQUIRED and waited_us >= ANSWER_WITHIN_US


def _is_done(deposit: Deposit) -> bool:
    return deposit.state in (_D.RELEASED, _D.FORFEITED, _D.DECLINED, _D.LOST)


class DepositReader:
    """Events of payments that are deposits; see `webhook_inbox.Reader`."""

    def __init__(self, deposits: Deposits) -> None:
        self._deposits = deposits

    async def settle(
        self, connection: AnyConnection, event: Event, found: Payment, now_us: int
    ) -> bool:
        """See `webhook_inbox.Reader`."""
        parts = _whose(found)
        if parts is None:
            return False
        return await self._deposits.show(connection, *parts, readable(found))


class DepositMoneyReader:
    """Events of charges and refunds of deposits: what they mean is decided by the payment."""

    async def settle(
        self, connection: AnyConnection, event: Event, found: Charge | Refund, now_us: int
    ) -> bool:
        """See `webhook_inbox.Reader`."""
        subject = found.metadata.get(DEPOSIT, "")
        if not _SUBJECT.fullmatch(subject):
            return False
        if isinstance(found, Refund) and found.status == "failed":
            raise NeedsPerson(f"{found.refund_id}: what was given back of {subject} came back")
        return True


def _whose(payment: Payment) -> tuple[SaleId, BidderId] | None:
    """Of which deposit a payment says that it is; None: of none."""
    subject = payment.metadata.get(DEPOSIT, "")
    return subject_parts(subject) if _SUBJECT.fullmatch(subject) else None


def deposit_operations(
    deposits: Deposits, provider: PaymentProvider, pool: Pool
) -> Mapping[str, Handler]:
    """The kinds of operations of deposits, for the worker."""
    return {
        "deposit_cancel": Cancel(deposits, provider),
        "deposit_charged_back": ChargedBack(deposits),
        "deposit_confirm": Confirm(deposits, provider),
        "deposit_create": Create(deposits, provider, pool),
        "deposit_renew": Renew(deposits),
        "deposit_return": Return(deposits, provider),
        "deposit_take": Take(deposits, provider),
        "deposit_watch": Watch(deposits),
    }


def deposit_readers(deposits: Deposits) -> Mapping[str, Sequence[Any]]:
    """For the inbox: by the kind of the object."""
    money = DepositMoneyReader()
    return {
        "charge": [money],
        "payment_intent": [DepositReader(deposits)],
        "refund": [money],
    }
