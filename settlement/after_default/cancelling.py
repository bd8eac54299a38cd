"""A sale of a lot that is taken back after the hammer, by its seller or by the house.

Until the goods are handed over. What is not paid is credited, and what is left of the invoice is
collected as before; what is paid goes back by a refund. The seller that takes back what it has sold
owes a fee, which its next release nets; where the house does it (a recall), nobody pays one.
"""

from collections.abc import Callable
from typing import Any, Final

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.ids import LiquidatorId
from foundation.database import AnyConnection, Pool, transaction
from settlement.after_default.words import AfterRefusal, Refused
from settlement.cancellations import Cancelled, cancelled, seller_fee_minor
from settlement.entries import About, AwardMoney, Entry
from settlement.ids import AwardId
from settlement.invoices import CreditReason
from settlement.lives import AwardState, PaymentState
from settlement.payments.moves import again
from settlement.payments.tables import credits_of
from settlement.policy import Policy
from settlement.policy_table import policy_at
from settlement.postings_house import cancellation_fee
from settlement.rows import AwardRow, Held, NotFound, hold_award, policy_of
from settlement.steps import Step, Sums, Wanted, write
from settlement.story import HOUSE_ITSELF, Told
from settlement.telling import Kind, mail_to

MAX_REASON: Final = 500

_CREDIT: Final = """
insert into award_credit (award_id, number, invoice_id, reason, hammer_minor, premium_minor,
    tax_minor, freight_minor, made_at_us)
select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8
from award_credit where award_id = $1
"""

_WRITE: Final = """
insert into award_cancellation (award_id, by_seller, reason, fee_minor, refund_minor,
    cancelled_at_us, cancelled_by)
values ($1, $2, $3, $4, $5, $6, $7)
"""

# What goes back of one award may go in several refunds: each has a generation of its own.
_REFUNDS: Final = """
select coalesce(max(generation), 0) + 1 from settlement_op
where operation = 'refund' and subject = $1
"""

# A truck that left with some of its pallets, or a carrier that has it: the lot is FUNDED until the
# last pallet is gone, or until somebody proves that it arrived.
_LEFT: Final = """
select exists (select from award_pallet where award_id = $1 and gone_at_us is not null)
    or exists (select from delivery where award_id = $1)
"""

# A card is being charged for all of the invoice: in seconds it is known whether it was.
_UNDER_WAY: Final = frozenset({PaymentState.AUTHORISING, PaymentState.CAPTURING})

_A = AwardState


class Cancelling:
    """Takes sales of lots back. ``ring``: the worker has something to do."""

    def __init__(
        self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None] = lambda: None
    ) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def by_seller(
        self, liquidator_id: LiquidatorId, award_id: AwardId, reason: str, actor: Actor
    ) -> Cancelled:
        """The seller takes it back, for a fee.

        Raises `Refused`: REASON_NEEDED, NOT_FOUND, HANDED_OVER, ENDED, PAYMENT_UNDER_WAY, DISPUTED,
        NO_POLICY.
        """
        return await self._cancel(award_id, reason, actor, seller=liquidator_id)

    async def by_house(self, award_id: AwardId, reason: str, actor: Actor) -> Cancelled:
        """The house takes it back, as for a recall; nobody pays a fee. Raises as `by_seller`."""
        return await self._cancel(award_id, reason, actor, seller=None)

    async def _cancel(
        self, award_id: AwardId, reason: str, actor: Actor, seller: LiquidatorId | None
    ) -> Cancelled:
        reason = reason.strip()
        if not reason or len(reason) > MAX_REASON or "\0" in reason:
            raise Refused(AfterRefusal.REASON_NEEDED, field="reason")
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            held = await _held(connection, award_id)
            row = held.awards[award_id]
            if seller is not None and row.liquidator_id != seller:
                raise Refused(AfterRefusal.NOT_FOUND)
            refusal = kept_from(row, held)
            if refusal is None and await connection.fetchval(_LEFT, award_id):
                refusal = AfterRefusal.HANDED_OVER
            if refusal is not None:
                raise Refused(refusal)
            what = await _cancelled(connection, held, row, now_us, by_seller=seller is not None)
            await _write(connection, held, row, what, reason, actor, now_us, seller is not None)
        self._ring()
        return what


async def without_fee(
    connection: AnyConnection, held: Held, row: AwardRow, reason: str, actor: Actor, now_us: int
) -> None:
    """Take back what its seller had not confirmed yet, as the terms of its sale let it."""
    what = await _cancelled(connection, held, row, now_us, by_seller=False)
    await _write(connection, held, row, what, reason, actor, now_us, by_seller=True)


def kept_from(row: AwardRow, held: Held) -> AfterRefusal | None:
    """Why an award cannot be cancelled now; ``None``: it can. Pure."""
    if row.state in {_A.CANCELLED, _A.VOID}:
        return AfterRefusal.ENDED
    if row.state not in {_A.AWARDED, _A.INVOICED, _A.FUNDED}:
        return AfterRefusal.HANDED_OVER
    if held.invoice is None:
        return None
    if held.invoice.standing is PaymentState.DISPUTED:
        return AfterRefusal.DISPUTED
    if held.invoice.payment in _UNDER_WAY:
        return AfterRefusal.PAYMENT_UNDER_WAY
    return None


def taken_back(
    held: Held,
    row: AwardRow,
    what: Cancelled,
    reason: str,
    by: str,
    now_us: int,
    *,
    refunds: int = 1,
) -> Step:
    """What follows from a cancellation. Pure. ``refunds``: the generation of its refund."""
    award_id, paid = row.award_id, row.state is AwardState.FUNDED
    refund_minor = what.credit.total_minor if paid else 0
    facts: dict[str, Any] = {
        "reason": reason,
        "currency": row.currency,
        "fee_minor": what.fee_minor,
        "refund_minor": refund_minor,
    }
    lot: dict[str, Any] = {
        "lot": row.lot_id,
        "title": row.goods.title,
        "hammer_minor": row.award.hammer_minor,
    }
    operations = [
        Wanted(operation="free", subject=award_id),
        mail_to(Kind.CANCELLED, award_id, row.buyer_id, **facts, **lot),
        mail_to(Kind.SALE_CANCELLED, award_id, row.liquidator_id, **facts, **lot),
    ]
    step = Step(
        awards={award_id: AwardState.CANCELLED},
        entries=_fee(row, what, now_us),
        story=[Told(kind="cancelled", award_id=award_id, actor=by, facts=facts)],
    )
    if held.invoice is None:
        return step + Step(operations=operations)
    invoice_id = held.invoice.invoice_id
    if paid:
        arguments = {
            "invoice_id": invoice_id,
            "award_id": award_id,
            "amount_minor": refund_minor,
            "reason": CreditReason.CANCELLED,
        }
        refund = Wanted(
            operation="refund", subject=award_id, generation=refunds, arguments=arguments
        )
        operations.append(refund)
        return step + Step(operations=operations)
    operations.append(again(held, "collect"))
    sums = {invoice_id: Sums(credited_minor=what.credit.total_minor)}
    return step + Step(operations=operations, sums=sums)


async def _held(connection: AnyConnection, award_id: AwardId) -> Held:
    try:
        return await hold_award(connection, award_id)
    except NotFound:
        raise Refused(AfterRefusal.NOT_FOUND) from None


async def _cancelled(
    connection: AnyConnection, held: Held, row: AwardRow, now_us: int, *, by_seller: bool
) -> Cancelled:
    """The fee, and what of the award's line is left to be credited."""
    if held.invoice is None:
        fee_minor = 0
        if by_seller:
            policy = await _policy(connection, row, now_us)
            fee_minor = seller_fee_minor(policy, row.award.hammer_minor)
        return Cancelled(AwardMoney(award_id=row.award_id, hammer_minor=0), fee_minor)
    policy = await policy_of(connection, held.invoice)
    lines = {line.award_id: line for line in held.invoice.invoice.lines}
    credited = [
        credit.money for credit in await credits_of(connection, held.invoice.invoice_id, held)
    ]
    line = lines[row.award_id]
    return cancelled(policy, line, row.state, by_seller=by_seller, credited=credited)


async def _policy(connection: AnyConnection, row: AwardRow, at_us: int) -> Policy:
    policy = await policy_at(connection, row.currency, at_us)
    if policy is None:
        raise Refused(AfterRefusal.NO_POLICY)
    return policy


async def _write(
    connection: AnyConnection,
    held: Held,
    row: AwardRow,
    what: Cancelled,
    reason: str,
    actor: Actor,
    now_us: int,
    by_seller: bool,
) -> None:
    by, credit = actor.person_id or HOUSE_ITSELF, what.credit
    refunds = await connection.fetchval(_REFUNDS, row.award_id)
    step = taken_back(held, row, what, reason, by, now_us, refunds=refunds)
    paid = row.state is AwardState.FUNDED
    refund_minor = credit.total_minor if paid else 0
    values = (by_seller, reason, what.fee_minor, refund_minor, now_us, by)
    await connection.execute(_WRITE, row.award_id, *values)
    if held.invoice is not None and not paid:
        parts = (
            credit.hammer_minor,
            credit.premium_minor,
            credit.tax_minor,
            credit.freight_minor,
        )
        about = (held.invoice.invoice_id, CreditReason.CANCELLED)
        await connection.execute(_CREDIT, row.award_id, *about, *parts, now_us)
    await record(
        connection,
        Act.AWARD_CANCELLED,
        actor,
        now_us,
        organisation_id=OrganisationId(row.liquidator_id),
        object_id=row.award_id,
        by_seller=by_seller,
        reason=reason,
        fee_minor=what.fee_minor,
    )
    await write(connection, held, step, now_us)


def _fee(row: AwardRow, what: Cancelled, now_us: int) -> list[Entry]:
    if not what.fee_minor:
        return []
    about = About(
        subject=row.award_id,
        at_us=now_us,
        currency=row.currency,
        sale_id=row.sale_id,
        award_id=row.award_id,
        invoice_id=row.invoice_id,
        liquidator_id=row.liquidator_id,
        buyer_id=row.buyer_id,
    )
    return [cancellation_fee(about, row.liquidator_id, what.fee_minor, row.award_id)]
