"""Operations of money that goes back: divided among charges, sent, and looked after."""

from auction.ids import BidderId
from foundation.database import AnyConnection
from settlement.entries import About
from settlement.ids import InvoiceId, StripeId
from settlement.operations import (
    HOUR_US,
    SECOND_US,
    Again,
    Deadline,
    NeedsPerson,
    Operation,
    Refused,
)
from settlement.payment_objects import OP_ID, Event, Refund
from settlement.payments.backs import (
    Back,
    back_by_refund,
    charge_of,
    credit_line,
    held_of,
    hold_back,
    is_disputed,
    move_back,
    part_of_back,
    parts_asked,
    refundable,
    write_back,
)
from settlement.payments.decisions_refund import (
    BackState,
    Part,
    RefundAsked,
    asked_of,
    entry_of,
    gone,
    parts_of,
)
from settlement.payments.tables import Payers, carry_out, facts_of
from settlement.payments.words import Decided, Facts, Way
from settlement.ports import PaymentProvider
from settlement.postings import refund_returned
from settlement.rows import Held, hold_invoice
from settlement.steps import Step, Sums, Wanted, want
from settlement.story import Told

_S = BackState
FAILED = frozenset({"failed", "canceled"})
SOON_US = 5 * SECOND_US
# Stripe repeats a refusal under its key for a day.
FORGOTTEN_US = 25 * HOUR_US
_MADE = "refund_charge:"


class RefundAward(Deadline):
    """Operation ``refund``: what goes back is divided among the charges that it came by.

    ``arguments``: those of `decisions_refund.RefundAsked`.
    """

    def __init__(self, payers: Payers) -> None:
        self._payers = payers

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        asked = asked_of(op.arguments)
        held = await hold_invoice(connection, asked.invoice_id)
        facts = await facts_of(connection, held, self._payers)
        charges = await refundable(connection, asked.invoice_id)
        there = await held_of(connection, asked.award_id, held.invoiced.invoice.currency)
        parts = parts_of(held, facts, asked, charges, there)
        key = f"{op.subject}:{op.generation}"
        backs = [_kept(held, asked, part, key, now_us) for part in parts]
        for back in backs:
            await write_back(connection, back)
        monies = [part.back for part in parts if part.back is not None]
        await credit_line(connection, asked.invoice_id, asked.reason, monies, now_us)
        decided = _asked(held, facts, asked, parts, key, now_us)
        await carry_out(connection, held, decided, now_us)
        if asked.claim_id and not await parts_asked(connection, key):
            await want(connection, [_claim_credited(asked.claim_id, None)], now_us)


class RefundCharge:
    """Operation ``refund_charge``: one part of what goes back, at the provider."""

    def __init__(self, provider: PaymentProvider, payers: Payers) -> None:
        self._provider, self._payers = provider, payers

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`. Two refunds of a charge are two effects: never a second key."""
        charge_id = StripeId(op.arguments["charge_id"])
        if op.claims > 1:
            found = await self._provider.find_refund(op.idempotency_key, charge_id=charge_id)
            if found is not None:
                return found
        return await self._provider.refund(
            op.idempotency_key,
            charge_id=charge_id,
            amount_minor=op.arguments["amount_minor"],
            currency=op.arguments["currency"],
            about={"invoice_id": op.arguments["invoice_id"]},
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        if isinstance(answer, Refused):
            if await is_disputed(connection, op.arguments["charge_id"]):
                return Again(now_us + FORGOTTEN_US)
            raise NeedsPerson(f"the refund of {op.arguments['charge_id']} was refused: {answer}")
        assert isinstance(answer, Refund), "of `call`"
        held = await hold_invoice(connection, InvoiceId(op.arguments["invoice_id"]))
        back = await hold_back(connection, op.subject, op.generation)
        if back.state is not _S.ASKED:
            return None
        if answer.transaction_id is None:
            if answer.status in FAILED:
                raise NeedsPerson(f"refund {answer.refund_id} failed: {answer.failure_reason}")
            return Again(now_us + SOON_US)
        await _sent(connection, self._payers, held, back, answer, now_us)
        return None


class ReturnCash:
    """Operation ``return_cash``: what was refunded of a transfer goes on to the buyer's bank."""

    def __init__(self, provider: PaymentProvider) -> None:
        self._provider = provider

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        arguments = op.arguments
        if op.claims > 1:
            found = await self._provider.find_refund(
                op.idempotency_key, since_us=op.made_at_us - SECOND_US
            )
            if found is not None:
                return found
        return await self._provider.refund_cash(
            op.idempotency_key,
            customer_id=StripeId(arguments["customer_id"]),
            amount_minor=arguments["amount_minor"],
            currency=arguments["currency"],
            email=arguments["email"],
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        if not isinstance(answer, Refund) or answer.status in FAILED:
            raise NeedsPerson(
                f"{op.arguments['amount_minor']} are in the cash balance of "
                f"{op.arguments['customer_id']} and could not be sent on: {answer}"
            )


class RefundReader:
    """Of ``refund``: one that came back is the buyer's credit; one of a stranger's is looked at."""

    def __init__(self, payers: Payers) -> None:
        self._payers = payers

    async def settle(
        self, connection: AnyConnection, event: Event, found: object, now_us: int
    ) -> bool:
        """See `readers.Reader`."""
        assert isinstance(found, Refund)
        made_by = found.metadata.get(OP_ID, "")
        if made_by.startswith("return_cash:"):
            if found.status in FAILED:
                raise NeedsPerson(f"refund {found.refund_id} to the buyer's bank came back")
            return True
        if made_by.startswith("credit_refund:"):
            return False  # a buyer's credit that is paid back, and on no invoice
        invoice_id = await _invoice_of(connection, found)
        if invoice_id is None:
            return False
        held = await hold_invoice(connection, invoice_id)
        back = await back_by_refund(connection, found.refund_id)
        if back is None:
            if made_by.startswith(_MADE):
                return True  # its own operation has the answer, or asks again
            raise NeedsPerson(
                f"refund {found.refund_id} of {found.amount_minor} was not made by us: say for "
                f"what it is"
            )
        if found.status in FAILED and back.state is _S.SENT:
            await _returned(connection, held, back, found, now_us)
        return True


async def _sent(
    connection: AnyConnection,
    payers: Payers,
    held: Held,
    back: Back,
    refund: Refund,
    now_us: int,
) -> None:
    """A refund is made: it is booked by the provider's row of it."""
    assert back.charge_id is not None and refund.transaction_id is not None
    facts = await facts_of(connection, held, payers)
    charge = await charge_of(connection, back.charge_id)
    part = part_of_back(back, charge)
    entry = entry_of(
        held.invoiced,
        back.reason,
        part,
        after_release=back.after_release,
        subject=refund.refund_id,
        at_us=refund.made_at_us,
        stripe_ids=(refund.transaction_id, refund.refund_id, back.charge_id),
    )
    await move_back(
        connection,
        back,
        _S.SENT,
        now_us,
        refund_id=refund.refund_id,
        transaction_id=refund.transaction_id,
    )
    operations: list[Wanted] = []
    if charge.way is Way.TRANSFER and facts.payer is not None:
        arguments = {
            "customer_id": charge.customer_id,
            "amount_minor": back.amount_minor,
            "currency": back.currency,
            "email": facts.payer.email,
        }
        operations.append(
            Wanted(
                operation="return_cash",
                subject=back.back_key,
                generation=back.part,
                arguments=arguments,
            )
        )
    if back.claim_id and not await parts_asked(connection, back.back_key):
        operations.append(_claim_credited(back.claim_id, refund.refund_id))
    told = Told(
        kind="refunded",
        invoice_id=back.invoice_id,
        award_id=back.award_id,
        at_us=refund.made_at_us,
        facts={"amount_minor": back.amount_minor, "refund": refund.refund_id},
    )
    step = gone(held, facts, part, entry) + Step(story=[told], operations=operations)
    await carry_out(connection, held, Decided(steps=[step]), now_us)


async def _returned(
    connection: AnyConnection, held: Held, back: Back, refund: Refund, now_us: int
) -> None:
    """The payer's bank sent a refund back: the money is here again, and the buyer's."""
    if refund.failed_transaction_id is None:
        raise NeedsPerson(f"refund {refund.refund_id} failed, and its money is not here yet")
    row = held.invoiced
    buyer_id: BidderId = row.invoice.buyer_id
    about = About(
        subject=refund.refund_id,
        at_us=max(back.made_at_us, refund.made_at_us),
        currency=back.currency,
        sale_id=row.invoice.sale_id,
        award_id=back.award_id,
        invoice_id=row.invoice_id,
        liquidator_id=row.liquidator_id,
        buyer_id=buyer_id,
        stripe_ids=(refund.failed_transaction_id, refund.refund_id),
    )
    reason = refund.failure_reason or "unknown"
    await move_back(connection, back, _S.RETURNED, now_us, failure=reason)
    told = Told(
        kind="refund_came_back",
        invoice_id=back.invoice_id,
        award_id=back.award_id,
        facts={"amount_minor": back.amount_minor, "why": reason},
    )
    step = Step(entries=[refund_returned(about, buyer_id, back.amount_minor)], story=[told])
    await carry_out(connection, held, Decided(steps=[step]), now_us)


def _asked(
    held: Held, facts: Facts, asked: RefundAsked, parts: list[Part], key: str, now_us: int
) -> Decided:
    """The parts for charges are asked for; those for the buyer's credit are booked at once."""
    row = held.invoiced
    of_lines = sum(part.amount_minor for part in parts if part.back is not None)
    told = Told(
        kind="refund_asked",
        invoice_id=row.invoice_id,
        award_id=asked.award_id,
        facts={"amount_minor": asked.amount_minor, "reason": asked.reason},
    )
    operations = [
        Wanted(
            operation="refund_charge",
            subject=key,
            generation=part.number,
            arguments={
                "charge_id": part.charge.charge_id,
                "amount_minor": part.amount_minor,
                "currency": row.invoice.currency,
                "invoice_id": row.invoice_id,
            },
        )
        for part in parts
        if part.charge is not None
    ]
    sums = {row.invoice_id: Sums(credited_minor=of_lines)} if of_lines else {}
    steps = [Step(story=[told], operations=operations, sums=sums)]
    for part in parts:
        if part.charge is None:
            entry = entry_of(
                row,
                asked.reason,
                part,
                after_release=asked.after_release,
                subject=key,
                at_us=now_us,
            )
            steps.append(gone(held, facts, part, entry))
    return Decided(steps=steps)


def _kept(held: Held, asked: RefundAsked, part: Part, key: str, now_us: int) -> Back:
    return Back(
        back_key=key,
        part=part.number,
        invoice_id=asked.invoice_id,
        award_id=asked.award_id,
        charge_id=part.charge.charge_id if part.charge else None,
        reason=asked.reason,
        amount_minor=part.amount_minor,
        currency=held.invoiced.invoice.currency,
        back=part.back,
        after_release=asked.after_release,
        commission_minor=part.commission_minor,
        claim_id=asked.claim_id,
        state=_S.ASKED if part.charge else _S.CREDITED,
        refund_id=None,
        transaction_id=None,
        made_at_us=now_us,
    )


def _claim_credited(claim_id: str, refund_id: str | None) -> Wanted:
    """Whoever keeps claims is told that one's money has gone back."""
    return Wanted(operation="claim_credited", subject=claim_id, arguments={"refund_id": refund_id})


async def _invoice_of(connection: AnyConnection, refund: Refund) -> InvoiceId | None:
    if refund.charge_id is None:
        return None
    invoice_id: InvoiceId | None = await connection.fetchval(
        "select invoice_id from payment_charge where charge_id = $1", refund.charge_id
    )
    return invoice_id
