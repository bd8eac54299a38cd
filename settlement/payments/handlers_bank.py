"""Operations of bank transfers: where to send money, looking for it, taking it in, booking it."""

from typing import Final

import msgspec

from auction.ids import BidderId
from foundation.database import AnyConnection
from settlement.entries import About, entry
from settlement.ids import InvoiceId, StripeId
from settlement.ledger import post
from settlement.operations import SECOND_US, Again, Deadline, NeedsPerson, Operation, Refused
from settlement.payment_objects import BankAddress, CashMovement, IntentStatus, MethodKind, Payment
from settlement.payments.arrivals import (
    APPLYING,
    BOOKED,
    Arrival,
    hold_arrival,
    move_arrival,
    open_invoices,
    paid_by,
    taken_note_of,
    too_little,
)
from settlement.payments.decisions import collect
from settlement.payments.decisions_card import booked_for, taken_in
from settlement.payments.funding import purpose_of
from settlement.payments.looking import asked, earlier_keys, key_of
from settlement.payments.payers import TablePayers
from settlement.payments.tables import (
    carry_out,
    facts_of,
    free_credit_minor,
    hold_credit,
    write_charge,
)
from settlement.payments.words import ChargeRow, Seen, TakenIn, Way
from settlement.ports import PaymentProvider
from settlement.postings import bank_funding, processing_fee
from settlement.rows import hold_invoice
from settlement.steps import Wanted, want
from settlement.story import Told, tell

# A buyer's newest movements: more came between two looks than can have come.
MAX_PAGES: Final = 5
# How the provider says that it is less than one payment is at least.
TOO_SMALL: Final = "amount_too_small"
SOON_US: Final = 5 * SECOND_US

_DETAILS: Final = """
insert into bank_details (buyer_id, currency, customer_id, addresses, made_at_us)
values ($1, $2, $3, $4::jsonb, $5)
on conflict (buyer_id, currency) do update set addresses = excluded.addresses,
    customer_id = excluded.customer_id, made_at_us = excluded.made_at_us
"""


class BankDetails:
    """Operation ``bank_details``: where a buyer sends money to, kept for the checkout page. From
    then on it is we who say what a transfer pays."""

    def __init__(self, provider: PaymentProvider) -> None:
        self._provider = provider

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`. Both calls may be sent again: they change nothing twice."""
        customer_id = StripeId(op.arguments["customer_id"])
        await self._provider.reconcile_by_hand(f"{key_of(op)}:by_hand", customer_id)
        return await self._provider.bank_addresses(
            key_of(op), customer_id, op.arguments["currency"]
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        if not isinstance(answer, tuple):
            raise NeedsPerson(f"no bank account could be had for the buyer: {answer}")
        addresses: tuple[BankAddress, ...] = answer
        held = await hold_invoice(connection, InvoiceId(op.subject))
        invoice = held.invoiced.invoice
        customer_id: str = op.arguments["customer_id"]
        encoded = msgspec.json.encode(addresses).decode()
        await connection.execute(
            _DETAILS, invoice.buyer_id, invoice.currency, customer_id, encoded, now_us
        )
        look = Wanted(
            operation="look_for_cash",
            subject=op.idempotency_key,
            arguments={"customer_id": customer_id},
        )
        await want(connection, [look], now_us)
        told = Told(kind="bank_details_ready", invoice_id=invoice.invoice_id)
        await tell(connection, [told], now_us)


class LookForCash:
    """Operation ``look_for_cash``: what came into a buyer's cash balance is noted."""

    def __init__(self, provider: PaymentProvider, payers: TablePayers) -> None:
        self._provider, self._payers = provider, payers

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        return await movements_of(self._provider, StripeId(op.arguments["customer_id"]))

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        customer_id: str = op.arguments["customer_id"]
        if not isinstance(answer, tuple):
            raise NeedsPerson(f"transfers of {customer_id} cannot be read: {answer}")
        buyer_id = await self._payers.buyer_of(connection, customer_id)
        if buyer_id is None:
            raise NeedsPerson(f"money came for customer {customer_id}, who is no buyer of ours")
        await taken_note_of(connection, answer, buyer_id, now_us)


class TakeCash:
    """Operation ``take_cash``: a payment of as much as arrived, to which it is applied next."""

    def __init__(self, provider: PaymentProvider) -> None:
        self._provider = provider

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        customer_id = StripeId(op.arguments["customer_id"])
        for key in earlier_keys(op):
            payment = await self._provider.find_payment(key, customer_id)
            if payment is not None:
                return payment
        return await self._provider.create_payment(
            key_of(op),
            amount_minor=op.arguments["amount_minor"],
            currency=op.arguments["currency"],
            customer_id=customer_id,
            kind=MethodKind.BANK_TRANSFER,
            about={"movement_id": op.subject},
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        arrival = await hold_arrival(connection, op.subject, op.generation)
        if isinstance(answer, Refused) and answer.code == TOO_SMALL and not arrival.joined_minor:
            await too_little(connection, arrival)
            return
        if not isinstance(answer, Payment):
            raise NeedsPerson(f"the transfer {op.subject} cannot be taken in: {answer}")
        await move_arrival(connection, arrival, APPLYING, answer.payment_id)
        apply = Wanted(
            operation="apply_cash",
            subject=op.subject,
            generation=op.generation,
            arguments={
                "payment_id": answer.payment_id,
                "amount_minor": arrival.taken_minor,
            },
        )
        await want(connection, [apply], now_us)


class ApplyCash:
    """Operation ``apply_cash``: what arrived becomes ours, and pays what it is for."""

    def __init__(self, provider: PaymentProvider, payers: TablePayers) -> None:
        self._provider, self._payers = provider, payers

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        payment_id = StripeId(op.arguments["payment_id"])

        async def apply(key: str) -> Payment:
            amount_minor: int = op.arguments["amount_minor"]
            return await self._provider.apply_cash(key, payment_id, amount_minor=amount_minor)

        return await asked(self._provider, op, payment_id, apply, _is_over)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        if not isinstance(answer, Seen) or not _is_over(answer.payment):
            refused = answer.refused if isinstance(answer, Seen) else answer
            raise NeedsPerson(f"the transfer {op.subject} cannot be taken in: {refused}")
        if answer.charge is None or answer.charge.transaction is None:
            return Again(now_us + SOON_US)
        taken = taken_in(Way.TRANSFER, answer.payment, answer.charge)
        noted = await hold_arrival(connection, op.subject, op.generation)
        if noted.state == BOOKED:
            return None
        await move_arrival(connection, noted, BOOKED, taken.payment_id)
        invoices = await open_invoices(connection, noted.buyer_id, noted.currency)
        invoice_id = paid_by(noted, invoices)
        use = Wanted(
            operation="use_credit",
            subject=noted.movement_id,
            generation=noted.part,
            arguments={"buyer_id": noted.buyer_id, "currency": noted.currency},
        )
        await want(connection, [use], now_us)
        if invoice_id is None:
            await _for_nothing(connection, noted, taken, now_us)
            return None
        held = await hold_invoice(connection, invoice_id)
        facts = await facts_of(connection, held, self._payers)
        decided = booked_for(held, facts, taken, noted.movement_id, noted.part)
        await carry_out(connection, held, decided, now_us)
        return None


class UseCredit(Deadline):
    """Operation ``use_credit``: credit that is kept for nothing pays what its buyer owes."""

    def __init__(self, payers: TablePayers) -> None:
        self._payers = payers

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`. One after the other, as long as there is credit."""
        buyer_id, currency = BidderId(op.arguments["buyer_id"]), op.arguments["currency"]
        rows = await open_invoices(connection, buyer_id, currency)
        helds = {
            row.invoice_id: await hold_invoice(connection, row.invoice_id)
            for row in sorted(rows, key=lambda row: row.invoice_id)
        }
        await hold_credit(connection, buyer_id, currency)
        for row in rows:
            if not await free_credit_minor(connection, buyer_id, currency):
                return
            held = helds[row.invoice_id]
            facts = await facts_of(connection, held, self._payers)
            await carry_out(connection, held, collect(held, facts, now_us), now_us)
        rest = Wanted(
            operation="fees_from_credit",
            subject=op.subject,
            generation=op.generation,
            arguments=op.arguments,
        )
        await want(connection, [rest], now_us)


async def movements_of(
    provider: PaymentProvider, customer_id: StripeId
) -> tuple[CashMovement, ...]:
    """A buyer's newest movements at the provider."""
    rows: list[CashMovement] = []
    after: StripeId | None = None
    for _ in range(MAX_PAGES):
        page = await provider.cash_movements(customer_id, after=after)
        rows += page.rows
        after = page.next_after
        if after is None:
            break
    return tuple(rows)


async def _for_nothing(
    connection: AnyConnection, noted: Arrival, taken: TakenIn, now_us: int
) -> None:
    """Nothing is to be paid: the money is the buyer's credit."""
    del now_us
    about = About(
        subject=noted.movement_id,
        generation=noted.part,
        at_us=taken.made_at_us,
        currency=noted.currency,
        buyer_id=noted.buyer_id,
        stripe_ids=(taken.transaction_id, taken.charge_id, taken.payment_id),
    )
    booked = bank_funding(about, noted.buyer_id, taken.amount_minor)
    entries = [entry(purpose_of(taken.way), about, booked.postings)]
    if taken.fee_minor:
        entries.append(processing_fee(about, taken.fee_minor))
    await write_charge(
        connection,
        ChargeRow(taken=taken, invoice_id=None, buyer_id=noted.buyer_id, currency=noted.currency),
    )
    await post(connection, entries)


def _is_over(payment: Payment) -> bool:
    return payment.status is IntentStatus.SUCCEEDED
