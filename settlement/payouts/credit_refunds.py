"""The operation ``credit_refund``: a part of a buyer's credit goes back to a charge.

Two refunds of a charge are two effects: there is one key for a part, and an answer that was lost is
looked for. A charge that takes nothing back leaves its part to the house's bank. What comes back
later is the buyer's credit again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from auction.ids import BidderId
from foundation.database import AnyConnection
from settlement.entries import About
from settlement.ids import StripeId
from settlement.ledger import post
from settlement.operations import SECOND_US, Again, Handler, NeedsPerson, Operation, Refused
from settlement.payment_objects import OP_ID, Event, Refund
from settlement.payments.backs import is_disputed
from settlement.payments.payers import TablePayers
from settlement.payments.words import Way
from settlement.payouts.credit_tables import (
    CreditPart,
    CreditPayout,
    give_to_bank,
    move_part,
    part_by_refund,
    read_payout,
)
from settlement.ports import PaymentProvider
from settlement.postings import refund_returned
from settlement.postings_house import credit_refunded
from settlement.steps import Wanted, want

CREDIT_REFUND: Final = "credit_refund"
FAILED: Final = frozenset({"failed", "canceled"})
SOON_US: Final = 5 * SECOND_US


class RefundCredit:
    """Operation ``credit_refund``."""

    def __init__(self, provider: PaymentProvider) -> None:
        self._provider = provider

    async def call(self, op: Operation) -> Refund:
        """See `operations.Handler`."""
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
            about={"credit_payout": str(op.arguments["number"])},
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        payout = await read_payout(connection, op.arguments["number"], hold=True)
        assert payout is not None, "it was written with its operations"
        part = payout.parts[op.generation - 1]
        if part.state != "ASKED" or part.charge_id is None:
            return None
        if isinstance(answer, Refused):
            if await is_disputed(connection, part.charge_id):
                raise NeedsPerson(f"the payer's bank decides about {part.charge_id} first")
            await give_to_bank(connection, part, f"{answer.code}: {answer.message}", now_us)
            return None
        assert isinstance(answer, Refund), "of `call`"
        if answer.status in FAILED and answer.transaction_id is None:
            why = answer.failure_reason or answer.status
            await give_to_bank(connection, part, why, now_us)
            return None
        if answer.transaction_id is None:
            return Again(now_us + SOON_US)
        await _sent(connection, op, payout, part, answer, now_us)
        return None


async def _sent(
    connection: AnyConnection,
    op: Operation,
    payout: CreditPayout,
    part: CreditPart,
    refund: Refund,
    now_us: int,
) -> None:
    """Booked by the provider's row of it; of a transfer it goes on from the cash balance."""
    await move_part(connection, part, "SENT", now_us, refund_id=refund.refund_id)
    payer = await TablePayers().payer(connection, payout.buyer_id)
    if op.arguments["way"] == Way.TRANSFER and payer is not None:
        arguments = {
            "customer_id": op.arguments["customer_id"],
            "amount_minor": part.amount_minor,
            "currency": payout.currency,
            "email": payer.email,
        }
        on = Wanted(
            operation="return_cash",
            subject=payout.subject,
            generation=part.part,
            arguments=arguments,
        )
        await want(connection, [on], now_us)
    assert refund.transaction_id is not None and part.charge_id is not None
    ids = (refund.transaction_id, refund.refund_id, part.charge_id)
    about = _about(payout, part, refund.made_at_us, ids)
    await post(connection, [credit_refunded(about, BidderId(payout.subject), part.amount_minor)])


class CreditRefundReader:
    """Of refunds: one that came back is the buyer's credit again. See `webhook_inbox.Reader`."""

    async def settle(
        self, connection: AnyConnection, event: Event, found: Any, now_us: int
    ) -> bool:
        """See `webhook_inbox.Reader`."""
        assert isinstance(found, Refund)
        if not found.metadata.get(OP_ID, "").startswith(f"{CREDIT_REFUND}:"):
            return False
        row = await part_by_refund(connection, found.refund_id)
        if row is None or found.status not in FAILED or found.failed_transaction_id is None:
            return True  # its own operation has the answer, or asks again
        payout = await read_payout(connection, row["number"], hold=True)
        assert payout is not None, "its part is there"
        part = payout.parts[row["part"] - 1]
        if part.state == "SENT":
            why = found.failure_reason or found.status
            await move_part(connection, part, "RETURNED", now_us, note=why)
            ids = (found.failed_transaction_id, found.refund_id)
            about = _about(payout, part, max(found.made_at_us, part.changed_at_us), ids)
            booked = refund_returned(about, payout.buyer_id, part.amount_minor)
            await post(connection, [booked])
        return True


def _about(
    payout: CreditPayout, part: CreditPart, at_us: int, stripe_ids: tuple[StripeId, ...]
) -> About:
    return About(
        subject=payout.subject,
        generation=part.part,
        at_us=at_us,
        currency=payout.currency,
        buyer_id=payout.buyer_id,
        stripe_ids=stripe_ids,
    )


def credit_handlers(provider: PaymentProvider) -> dict[str, Handler]:
    """By operation."""
    return {CREDIT_REFUND: RefundCredit(provider)}


def credit_readers() -> Mapping[str, Sequence[Any]]:
    """By the kind of object."""
    return {"refund": [CreditRefundReader()]}
