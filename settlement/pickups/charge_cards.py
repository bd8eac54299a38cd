"""A charge of the dock is paid by the buyer's saved card: created, confirmed and captured.

The payment's id is saved after the first call; a lost answer is looked for, and never taken for a
failure: only what did not happen is asked again (`payments.looking` says under which key). A card
that says no, or wants its owner to confirm, ends the try; the buyer may try again or pay in another
way. While a card is asked nobody else pays the charge, so no more comes in than is open. An event
of such a payment tells nothing that its operations do not find out.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
from msgspec import Struct

from foundation.database import AnyConnection
from settlement.chart import STRIPE
from settlement.entries import Entry
from settlement.ids import StripeId
from settlement.ledger import post
from settlement.operations import SECOND_US, Again, Handler, NeedsPerson, Operation, Refused
from settlement.payment_objects import Charge as ProvidersCharge
from settlement.payment_objects import Event, IntentStatus, MethodKind, Payment, asked_minor
from settlement.payments.looking import earlier_keys, key_of
from settlement.pickups.charge_table import Charge, about_payment, read_charge, write_paid
from settlement.pickups.pickup_table import hold_awards
from settlement.pickups.words import PickupRefusal
from settlement.pickups.words import Refused as DockRefused
from settlement.ports import PaymentProvider
from settlement.postings import bank_funding, processing_fee
from settlement.steps import Wanted, want
from settlement.story import HOUSE_ITSELF, Told, tell
from settlement.webhook_inbox import Reader

CREATE: Final = "charge_create"
CONFIRM: Final = "charge_confirm"
CAPTURE: Final = "charge_capture"
CANCEL: Final = "charge_cancel"
# By what a payment at the provider says that it is one of these.
ABOUT: Final = "buyer_charge"
# A buyer that tries so often has another card, or another way.
MAX_TRIES: Final = 10
SOON_US: Final = 5 * SECOND_US

_I = IntentStatus
_UNCONFIRMED: Final = (_I.REQUIRES_PAYMENT_METHOD, _I.REQUIRES_CONFIRMATION)
_OVER: Final = (_I.CANCELED, _I.SUCCEEDED)


class Try(Struct, frozen=True, kw_only=True):
    """A card that is asked."""

    charge_id: str
    number: int
    state: str
    customer_id: StripeId
    method_id: StripeId
    amount_minor: int
    payment_id: StripeId | None


class Captured(Struct, frozen=True):
    """A payment after its capture was asked for; ``charge``: where its money is ours."""

    payment: Payment
    charge: ProvidersCharge | None


_LAST: Final = "select coalesce(max(number), 0) from charge_try where charge_id = $1"
_ADD: Final = """
insert into charge_try (charge_id, number, state, customer_id, method_id, amount_minor, made_at_us,
    changed_at_us)
values ($1, $2, 'CREATING', $3, $4, $5, $6, $6)
"""
_READ: Final = """
select charge_id, number, state, customer_id, method_id, amount_minor, payment_id from charge_try
where charge_id = $1 and number = $2 for update
"""
_MOVE: Final = """
update charge_try set state = $3, payment_id = coalesce($4, payment_id), failure = $5,
    changed_at_us = $6
where charge_id = $1 and number = $2
"""
_OURS: Final = "select true from charge_try where payment_id = $1"


async def ask_card(
    connection: AnyConnection, charge: Charge, customer_id: StripeId, card_id: StripeId, now_us: int
) -> None:
    """Begin to ask a card for what is open of a held charge. Raises `Refused` TOO_MANY."""
    number = await connection.fetchval(_LAST, charge.charge_id) + 1
    if number > MAX_TRIES:
        raise DockRefused(PickupRefusal.TOO_MANY, detail="The card was asked too often.")
    amount = asked_minor(charge.open_minor, charge.currency)
    await connection.execute(_ADD, charge.charge_id, number, customer_id, card_id, amount, now_us)
    arguments = {
        "amount_minor": amount,
        "currency": charge.currency,
        "customer_id": customer_id,
        "method_id": card_id,
    }
    await want(connection, [_wanted(CREATE, charge.charge_id, number, arguments)], now_us)


class _OfCharge:
    def __init__(self, provider: PaymentProvider) -> None:
        self._provider = provider


class Create(_OfCharge):
    """The payment of a try."""

    async def call(self, op: Operation) -> Payment:
        """See `operations.Handler`."""
        customer_id = StripeId(op.arguments["customer_id"])
        for key in earlier_keys(op):
            found = await self._provider.find_payment(key, customer_id)
            if found is not None:
                return found
        return await self._provider.create_payment(
            key_of(op),
            amount_minor=op.arguments["amount_minor"],
            currency=op.arguments["currency"],
            customer_id=customer_id,
            kind=MethodKind.CARD,
            about={ABOUT: op.subject, "try": str(op.generation)},
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        charge, tried = await _held(connection, op)
        if isinstance(answer, Refused):
            await _failed(connection, charge, tried, answer.code, now_us)
            return
        assert isinstance(answer, Payment), "of `call`"
        await _move(connection, tried, "ASKING", now_us, answer.payment_id)
        arguments = {"payment_id": answer.payment_id, "method_id": tried.method_id}
        await want(connection, [_wanted(CONFIRM, tried.charge_id, tried.number, arguments)], now_us)


class Confirm(_OfCharge):
    """The buyer's bank is asked, without the buyer."""

    async def call(self, op: Operation) -> Payment:
        """See `operations.Handler`."""
        payment_id = StripeId(op.arguments["payment_id"])
        if op.claims > 1:
            payment = await self._provider.payment(payment_id)
            if payment.status not in _UNCONFIRMED or payment.failure is not None:
                return payment
        return await self._provider.confirm_payment(
            key_of(op), payment_id, method_id=StripeId(op.arguments["method_id"])
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        charge, tried = await _held(connection, op)
        if isinstance(answer, Refused):
            code = answer.decline_code or answer.code
            await _failed(connection, charge, tried, code, now_us)
            return None
        assert isinstance(answer, Payment), "of `call`"
        match answer.status:
            case _I.REQUIRES_CAPTURE | _I.SUCCEEDED:
                await _move(connection, tried, "PROMISED", now_us)
                arguments = {"payment_id": answer.payment_id}
                capture = _wanted(CAPTURE, tried.charge_id, tried.number, arguments)
                await want(connection, [capture], now_us)
            case _I.PROCESSING:
                return Again(now_us + SOON_US)
            case _:
                failure = answer.failure
                code = (failure.decline_code or failure.code) if failure else answer.status.value
                await _failed(connection, charge, tried, code, now_us)
        return None


class Capture(_OfCharge):
    """The money is called for, and booked by the provider's own row of it."""

    async def call(self, op: Operation) -> Captured:
        """See `operations.Handler`."""
        payment_id = StripeId(op.arguments["payment_id"])
        payment = await self._provider.payment(payment_id)
        if payment.status not in _OVER:
            try:
                payment = await self._provider.capture_payment(key_of(op), payment_id)
            except Refused:
                payment = await self._provider.payment(payment_id)
                if payment.status not in _OVER:
                    raise
        charge_id = payment.charge_id
        if payment.status is not _I.SUCCEEDED or charge_id is None:
            return Captured(payment, None)
        return Captured(payment, await self._provider.charge(charge_id))

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        if isinstance(answer, Refused):
            raise NeedsPerson(f"{op.arguments['payment_id']} cannot be captured: {answer}")
        assert isinstance(answer, Captured), "of `call`"
        charge, tried = await _held(connection, op)
        if tried.state != "PROMISED":
            return None
        if answer.payment.status is _I.CANCELED:
            await _failed(connection, charge, tried, "expired", now_us)
            return None
        if answer.charge is None or answer.charge.transaction is None:
            return Again(now_us + SOON_US)
        await post(connection, await _paid(connection, charge, tried, answer.charge, now_us))
        return None


class Cancel(_OfCharge):
    """A payment that was declined is ended, so that nothing can be taken by it later."""

    async def call(self, op: Operation) -> Payment:
        """See `operations.Handler`."""
        payment_id = StripeId(op.arguments["payment_id"])
        payment = await self._provider.payment(payment_id)
        if payment.status in _OVER:
            return payment
        return await self._provider.cancel_payment(key_of(op), payment_id)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        cancelled = isinstance(answer, Payment) and answer.status is _I.CANCELED
        if not cancelled:
            raise NeedsPerson(f"{op.arguments['payment_id']} was not cancelled: {answer}")


class ChargeReader:
    """Of events: what a charge's payment shows, its own operations read."""

    async def settle(
        self, connection: AnyConnection, event: Event, found: Any, now_us: int
    ) -> bool:
        """See `webhook_inbox.Reader`."""
        if isinstance(found, Payment | ProvidersCharge) and ABOUT in found.metadata:
            return True
        payment_id = getattr(found, "payment_id", None)
        return bool(payment_id and await connection.fetchval(_OURS, payment_id))


def charge_handlers(provider: PaymentProvider) -> dict[str, Handler]:
    """By operation."""
    return {
        CREATE: Create(provider),
        CONFIRM: Confirm(provider),
        CAPTURE: Capture(provider),
        CANCEL: Cancel(provider),
    }


def charge_readers() -> Mapping[str, Sequence[Reader]]:
    """By the kind of object."""
    return {"payment_intent": [ChargeReader()], "charge": [ChargeReader()]}


async def _held(connection: AnyConnection, op: Operation) -> tuple[Charge, Try]:
    seen = await read_charge(connection, op.subject)
    assert seen is not None, "a charge is never removed"
    await hold_awards(connection, [seen.award_id])
    charge = await read_charge(connection, op.subject, hold=True)
    row = await connection.fetchrow(_READ, op.subject, op.generation)
    assert charge is not None and row is not None, "they were written with the operation"
    return charge, _try(row)


async def _paid(
    connection: AnyConnection, charge: Charge, tried: Try, paid: ProvidersCharge, now_us: int
) -> list[Entry]:
    """The money is ours: the charge's row, the story, and the entries."""
    row = paid.transaction
    assert row is not None, "its money has moved"
    if row.amount_minor != tried.amount_minor or row.currency != charge.currency:
        raise NeedsPerson(f"{paid.charge_id}: {row.amount_minor} came, not {tried.amount_minor}")
    ids = [row.transaction_id, paid.charge_id, *([paid.payment_id] if paid.payment_id else [])]
    await _move(connection, tried, "PAID", now_us)
    about = about_payment(charge, now_us, stripe_ids=tuple(ids))
    # Of three decimals a card is asked for a little more: that is the buyer's.
    over_minor = max(0, tried.amount_minor - charge.open_minor)
    entry = await write_paid(
        *(connection, charge, tried.amount_minor - over_minor, STRIPE, HOUSE_ITSELF, now_us),
        stripe_ids=tuple(ids),
    )
    entries = [entry]
    if over_minor:
        entries.append(bank_funding(about, charge.buyer_id, over_minor))
    facts = {"charge_id": charge.charge_id, "amount_minor": tried.amount_minor, "how": "card"}
    await tell(
        connection, [Told(kind="charge_paid", award_id=charge.award_id, facts=facts)], now_us
    )
    if row.fee_minor:
        entries.append(processing_fee(about, row.fee_minor))
    return entries


async def _failed(
    connection: AnyConnection, charge: Charge, tried: Try, code: str, now_us: int
) -> None:
    """The card did not pay; what was made at the provider is ended."""
    await _move(connection, tried, "FAILED", now_us, failure=code)
    facts = {"charge_id": charge.charge_id, "code": code}
    told = Told(kind="charge_card_declined", award_id=charge.award_id, facts=facts)
    await tell(connection, [told], now_us)
    if tried.payment_id is not None:
        arguments = {"payment_id": tried.payment_id}
        cancel = _wanted(CANCEL, tried.charge_id, tried.number, arguments)
        await want(connection, [cancel], now_us)


async def _move(
    connection: AnyConnection,
    tried: Try,
    state: str,
    now_us: int,
    payment_id: StripeId | None = None,
    failure: str = "",
) -> None:
    await connection.execute(
        _MOVE, tried.charge_id, tried.number, state, payment_id, failure, now_us
    )


def _wanted(operation: str, charge_id: str, number: int, arguments: Mapping[str, Any]) -> Wanted:
    return Wanted(operation=operation, subject=charge_id, generation=number, arguments=arguments)


def _try(row: asyncpg.Record) -> Try:
    return Try(**row)
