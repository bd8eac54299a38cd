"""The operation "defaulted": lots of an invoice are void because its buyer did not pay.

The buyer loses its deposit for the sale, owes a fee for offering each lot again, and is suspended.
The fee is taken from the buyer's credit as far as that goes; what is owed beyond it is written down
for a person. For each lot the search for another buyer begins. Done twice, it does nothing: what is
looked for already is passed over.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from auction.ids import BidderId, SaleId
from foundation.database import AnyConnection
from settlement.after_default.tables import begin
from settlement.chart import buyer_credit
from settlement.defaults import Penalty, penalty_of
from settlement.entries import About, Entry
from settlement.ids import InvoiceId
from settlement.lives import AwardState
from settlement.operations import Deadline, Operation
from settlement.payments.tables import free_credit_minor, hold_credit
from settlement.postings_house import relist_fee
from settlement.rows import AwardRow, Held, InvoiceRow, calendar_of, hold_invoice, policy_of
from settlement.steps import Step, Wanted, write
from settlement.story import Told
from settlement.telling import Kind, mail_to

# Keeps the buyer's deposit for a sale, in the caller's transaction; how much that is.
Forfeit: TypeAlias = Callable[[AnyConnection, SaleId, BidderId], Awaitable[int]]

_BEFORE: Final = "select count(*) from buyer_default where invoice_id = $1"

_WRITE: Final = """
insert into buyer_default (invoice_id, turn, buyer_id, currency, deposit_minor, relist_fees_minor,
    paid_minor, defaulted_at_us, suspended_until_us, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def no_deposit(connection: AnyConnection, sale_id: SaleId, buyer_id: BidderId) -> int:
    """Where deposits are not taken."""
    return 0


class DefaultedHandler(Deadline):
    """Penalises the buyer, and begins to look for others."""

    def __init__(self, forfeit: Forfeit = no_deposit) -> None:
        self._forfeit = forfeit

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `Handler`."""
        held = await hold_invoice(connection, InvoiceId(op.subject))
        row = held.invoiced
        void = [
            award
            for award in held.awards.values()
            if award.state is AwardState.VOID and await begin(connection, award, now_us)
        ]
        if not void:
            return
        policy = await policy_of(connection, row)
        calendar = await calendar_of(connection, row)
        buyer_id, currency = row.invoice.buyer_id, row.invoice.currency
        await hold_credit(connection, buyer_id, currency)
        deposit_minor = await self._forfeit(connection, row.invoice.sale_id, buyer_id)
        hammers = [award.award.hammer_minor for award in void]
        penalty = penalty_of(policy, calendar, hammers, deposit_minor, now_us)
        credit = await free_credit_minor(connection, buyer_id, currency)
        paid = paid_fees(penalty, credit)
        turn = await connection.fetchval(_BEFORE, row.invoice_id) + 1
        reason = reason_of(row, penalty)
        await connection.execute(
            _WRITE,
            row.invoice_id,
            turn,
            buyer_id,
            currency,
            penalty.deposit_minor,
            sum(penalty.relist_fees_minor),
            sum(paid),
            now_us,
            penalty.suspended_until_us,
            reason,
        )
        await write(connection, held, defaulted(held, void, penalty, paid, turn, now_us), now_us)


def paid_fees(penalty: Penalty, credit_minor: int) -> list[int]:
    """What of each fee the buyer's credit pays, the first first. Pure."""
    paid = []
    for fee in penalty.relist_fees_minor:
        paid.append(min(fee, credit_minor))
        credit_minor -= paid[-1]
    return paid


def reason_of(row: InvoiceRow, penalty: Penalty) -> str:
    """What the buyer is told why it may not bid. Pure."""
    until = datetime.fromtimestamp(penalty.suspended_until_us // 1_000_000, UTC)
    day = until.astimezone(ZoneInfo(row.zone)).date()
    return f"Invoice {row.number} was not paid. You can bid again from {day} on."


def defaulted(
    held: Held,
    void: Sequence[AwardRow],
    penalty: Penalty,
    paid: Sequence[int],
    turn: int,
    now_us: int,
) -> Step:
    """What follows from lots that were not paid. Pure.

    ``paid``: of each lot's fee, from the buyer's credit. ``turn``: of the invoice's defaults.
    """
    row = held.invoiced
    invoice_id, currency = row.invoice_id, row.invoice.currency
    fees_minor = sum(penalty.relist_fees_minor)
    facts: dict[str, Any] = {
        "lots": len(void),
        "currency": currency,
        "deposit_minor": penalty.deposit_minor,
        "relist_fees_minor": fees_minor,
        "owed_minor": fees_minor - sum(paid),
        "suspended_until_us": penalty.suspended_until_us,
    }
    operations = [
        Wanted(operation="suspend", subject=invoice_id, generation=turn),
        Wanted(
            operation="reinstate",
            subject=invoice_id,
            generation=turn,
            due_at_us=penalty.suspended_until_us,
        ),
        mail_to(
            Kind.DEFAULTED,
            invoice_id,
            row.invoice.buyer_id,
            turn=turn,
            number=row.number,
            zone=row.zone,
            **facts,
        ),
    ]
    for award in void:
        operations.append(Wanted(operation="free", subject=award.award_id))
        operations.append(Wanted(operation="next_buyer", subject=award.award_id))
        operations.append(_tell_seller(award))
    return Step(
        operations=operations,
        entries=_fees(row, void, paid, now_us),
        story=[
            Told(kind="penalised", invoice_id=invoice_id, facts=facts),
            *(Told(kind="looks_for_buyer", award_id=award.award_id) for award in void),
        ],
    )


def _tell_seller(award: AwardRow) -> Wanted:
    return mail_to(
        Kind.NOT_PAID,
        award.award_id,
        award.liquidator_id,
        lot=award.lot_id,
        title=award.goods.title,
        hammer_minor=award.award.hammer_minor,
        currency=award.currency,
    )


def _fees(
    row: InvoiceRow, void: Sequence[AwardRow], paid: Sequence[int], now_us: int
) -> list[Entry]:
    """What of the fees is booked now, each by its lot."""
    source = buyer_credit(row.invoice.buyer_id)
    return [
        relist_fee(
            About(
                subject=award.award_id,
                at_us=now_us,
                currency=row.invoice.currency,
                sale_id=row.invoice.sale_id,
                award_id=award.award_id,
                invoice_id=row.invoice_id,
                liquidator_id=award.liquidator_id,
                buyer_id=row.invoice.buyer_id,
            ),
            fee,
            award.award_id,
            source,
        )
        for award, fee in zip(void, paid, strict=True)
        if fee
    ]
