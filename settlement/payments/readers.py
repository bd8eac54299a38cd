"""Who reads what the provider tells of payments: an event is a hint, and is looked into.

`readers_of` gives them by the kind of object, for the webhook's inbox. What is not ours (a deposit,
another application's object) is said to be unknown, so that its owner or a person takes it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from foundation.database import AnyConnection
from settlement.ids import InvoiceId, StripeId
from settlement.payment_objects import OP_ID, CashBalance, Charge, Event, Payment
from settlement.payments.handlers_dispute import DisputeReader
from settlement.payments.handlers_refund import RefundReader
from settlement.payments.payers import TablePayers
from settlement.payments.tables import try_by_payment
from settlement.payments.words import ENDED, Try
from settlement.steps import Wanted, want

# What made a payment of an invoice's, by the beginning of its operation's key.
_MADE: Final = "create_payment:"
_TAKEN: Final = "take_cash:"

_IS_TRY: Final = "select true from payment_try where invoice_id = $1 and number = $2"


class Reader(Protocol):
    """As the webhook's inbox calls it."""

    async def settle(
        self, connection: AnyConnection, event: Event, found: Any, now_us: int
    ) -> bool: ...


class PaymentReader:
    """Of ``payment_intent``."""

    async def settle(
        self, connection: AnyConnection, event: Event, found: Any, now_us: int
    ) -> bool:
        """The payment is read again, with its charge, by an operation of its own."""
        assert isinstance(found, Payment)
        made_by = found.metadata.get(OP_ID, "")
        if made_by.startswith(_TAKEN):
            return True  # a transfer that is being taken in: its operations go on by themselves
        tried = await try_by_payment(connection, found.payment_id)
        if tried is not None:
            await _look_into(connection, event, tried, found.payment_id, now_us)
            return True
        # Perhaps it comes before the answer of the call that made it.
        known = await _announced(connection, found) if made_by.startswith(_MADE) else None
        if known is None:
            return False
        await want(connection, [_read(event, found.payment_id, *known)], now_us)
        return True


class ChargeReader:
    """Of ``charge``: its payment says what it means."""

    async def settle(
        self, connection: AnyConnection, event: Event, found: Any, now_us: int
    ) -> bool:
        """As of the payment."""
        assert isinstance(found, Charge)
        made_by = found.metadata.get(OP_ID, "")
        if found.payment_id is None:
            return False
        if made_by.startswith(_TAKEN):
            return True
        tried = await try_by_payment(connection, found.payment_id)
        if tried is None:
            return False
        await _look_into(connection, event, tried, found.payment_id, now_us)
        return True


class CashReader:
    """Of ``cash_balance`` and its transactions: money came from a buyer's bank, or went."""

    def __init__(self, payers: TablePayers) -> None:
        self._payers = payers

    async def settle(
        self, connection: AnyConnection, event: Event, found: Any, now_us: int
    ) -> bool:
        """The movements are read by an operation of its own."""
        if not isinstance(found, CashBalance):
            return False
        if await self._payers.buyer_of(connection, found.customer_id) is None:
            return False
        look = Wanted(
            operation="look_for_cash",
            subject=event.event_id,
            arguments={"customer_id": found.customer_id},
        )
        await want(connection, [look], now_us)
        return True


def readers_of(payers: TablePayers) -> Mapping[str, Sequence[Reader]]:
    """By the kind of object."""
    cash = CashReader(payers)
    return {
        "cash_balance": [cash],
        "charge": [ChargeReader()],
        "customer_cash_balance_transaction": [cash],
        "dispute": [DisputeReader(payers)],
        "payment_intent": [PaymentReader()],
        "refund": [RefundReader(payers)],
    }


async def _look_into(
    connection: AnyConnection, event: Event, tried: Try, payment_id: StripeId, now_us: int
) -> None:
    """Have the payment read again, unless what it came to is written: most events come after the
    answer of our own call."""
    if tried.state not in ENDED:
        wanted = _read(event, payment_id, tried.invoice_id, tried.number)
        await want(connection, [wanted], now_us)


async def _announced(connection: AnyConnection, payment: Payment) -> tuple[InvoiceId, int] | None:
    """The try that a payment says it is of, if there is such a try."""
    number = payment.metadata.get("try", "")
    if not re.fullmatch(r"[0-9]{1,4}", number):
        return None
    invoice_id = InvoiceId(payment.metadata.get("invoice_id", ""))
    there = await connection.fetchval(_IS_TRY, invoice_id, int(number))
    return (invoice_id, int(number)) if there else None


def _read(event: Event, payment_id: str, invoice_id: str, number: int) -> Wanted:
    return Wanted(
        operation="read_payment",
        subject=event.event_id,
        arguments={"payment_id": payment_id, "invoice_id": invoice_id, "try": number},
    )
