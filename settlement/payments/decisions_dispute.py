"""Disputes: the payer's bank takes money back until it has decided. Pure.

What it takes is booked when it is taken, whatever the invoice is then; while it is open nothing of
the invoice is released. Lost, it is borne by what is still held; of lots whose money is released,
by the seller or the house, as staff said before it was decided; the house where nobody said.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct, structs

from settlement.chart import Kind
from settlement.entries import About, AwardMoney, Entry
from settlement.ids import AwardId, InvoiceId, StripeId
from settlement.invoices import left_of
from settlement.lives import AwardState, PaymentState
from settlement.payment_objects import Dispute
from settlement.payments.funding import funded_of, part_of
from settlement.payments.moves import again
from settlement.payments.words import Facts
from settlement.payouts.reversals import reversal_wanted
from settlement.postings import (
    chargeback,
    dispute_lost_by_house,
    dispute_lost_by_seller,
    dispute_lost_while_held,
    dispute_won,
)
from settlement.rows import Held, InvoiceRow
from settlement.splits import split_minor
from settlement.steps import Step, Sums, Wanted
from settlement.story import Told

_P, _A = PaymentState, AwardState


class DisputeState(StrEnum):
    """Where a dispute stands in our books."""

    INQUIRY = "INQUIRY"  # the bank only asks; nothing was taken
    OPEN = "OPEN"  # the money was taken until it is decided
    WON = "WON"
    LOST = "LOST"
    CLOSED = "CLOSED"  # an inquiry that came to nothing


class Fault(StrEnum):
    """Who bears a dispute that is lost after the release."""

    HOUSE = "HOUSE"
    SELLER = "SELLER"


# The reason for which a part of a line is credited that a bank took for good.
LOST: Final = "DISPUTE"
ENDED: Final = frozenset({DisputeState.WON, DisputeState.LOST, DisputeState.CLOSED})
_RELEASED: Final = frozenset({_A.RELEASED, _A.PAID_OUT, _A.CLOSED})


class DisputeRow(Struct, frozen=True, kw_only=True):
    """A dispute as it is kept."""

    dispute_id: StripeId
    charge_id: StripeId
    invoice_id: InvoiceId
    amount_minor: int
    currency: str
    fee_minor: int
    reason: str
    status: str
    state: DisputeState
    fault: Fault
    answer_by_us: int | None
    answers: int
    opened_at_us: int
    ended_at_us: int | None


class Given(Struct, frozen=True, kw_only=True):
    """What a decision about a dispute looks at. ``before``: as it is kept, if it is; ``others``:
    whether another dispute of the invoice is open; ``commissions``: what the house earned of
    released awards and did not give back."""

    dispute: Dispute
    before: DisputeRow | None
    others: bool
    commissions: Mapping[AwardId, int]


class DisputeDecided(Struct, frozen=True, kw_only=True):
    """The dispute as it is kept from now on, what is credited of lines, and what is written."""

    row: DisputeRow
    steps: Sequence[Step] = ()
    lost: Sequence[AwardMoney] = ()


def dispute_seen(held: Held, facts: Facts, given: Given, now_us: int) -> DisputeDecided:
    """What follows from a dispute as it is now."""
    row = _row(held, given, now_us)
    before = given.before.state if given.before else None
    if before in ENDED:
        return DisputeDecided(row=structs.replace(row, state=before))
    decided = DisputeDecided(row=row)
    taken = row.state in (DisputeState.OPEN, DisputeState.WON, DisputeState.LOST)
    if taken and before is not DisputeState.OPEN:
        decided = structs.replace(decided, steps=[_opened(held, given, row)])
    match row.state:
        case DisputeState.WON:
            return _with(decided, [_won(held, given, row)])
        case DisputeState.LOST:
            return _lost(held, facts, given, decided)
        case _:
            return decided


def fee_of(dispute: Dispute) -> int:
    """What the dispute cost when its money was taken."""
    return sum(each.fee_minor for each in dispute.transactions if each.amount_minor < 0)


def _row(held: Held, given: Given, now_us: int) -> DisputeRow:
    dispute, before = given.dispute, given.before
    state = _state(dispute)
    return DisputeRow(
        dispute_id=dispute.dispute_id,
        charge_id=dispute.charge_id,
        invoice_id=held.invoiced.invoice_id,
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
        fee_minor=fee_of(dispute),
        reason=dispute.reason,
        status=dispute.status,
        state=state,
        fault=before.fault if before else Fault.HOUSE,
        answer_by_us=dispute.answer_by_us,
        answers=dispute.submissions,
        opened_at_us=dispute.made_at_us,
        ended_at_us=(before.ended_at_us if before else None)
        or (now_us if state in ENDED else None),
    )


def _state(dispute: Dispute) -> DisputeState:
    """By the money, not by the words: a bank that only asks has taken nothing."""
    took = any(each.amount_minor < 0 for each in dispute.transactions)
    gave = any(each.amount_minor > 0 for each in dispute.transactions)
    if not took:
        return DisputeState.CLOSED if dispute.is_over else DisputeState.INQUIRY
    if dispute.status == "won":
        # Until the money is back it is not here.
        return DisputeState.WON if gave else DisputeState.OPEN
    return DisputeState.LOST if dispute.status == "lost" else DisputeState.OPEN


def _opened(held: Held, given: Given, row: DisputeRow) -> Step:
    took = [each for each in given.dispute.transactions if each.amount_minor < 0]
    at_us = min(each.made_at_us for each in took)
    ids = tuple(each.transaction_id for each in took)
    about = _about(held.invoiced, row, row.dispute_id, at_us, ids)
    told = Told(
        kind="dispute_opened",
        invoice_id=row.invoice_id,
        at_us=at_us,
        facts={"amount_minor": row.amount_minor, "reason": row.reason, "dispute": row.dispute_id},
    )
    step = Step(entries=[chargeback(about, row.amount_minor, row.fee_minor)], story=[told])
    if held.invoiced.payment is _P.PAID:
        return step + Step(payments={row.invoice_id: _P.DISPUTED})
    if held.invoiced.payment is _P.DISPUTED:
        return step
    words = (
        f"Dispute {row.dispute_id} is of an invoice that is {held.invoiced.payment}: see that "
        f"nothing of it is released"
    )
    return step + Step(operations=[again(held, "look", words=words)])


def _won(held: Held, given: Given, row: DisputeRow) -> Step:
    gave = [each for each in given.dispute.transactions if each.amount_minor > 0]
    at_us = max(each.made_at_us for each in gave)
    ids = tuple(each.transaction_id for each in gave)
    about = _about(held.invoiced, row, row.dispute_id, at_us, ids)
    fee_back = -sum(each.fee_minor for each in gave)
    told = Told(kind="dispute_won", invoice_id=row.invoice_id, at_us=at_us)
    step = Step(entries=[dispute_won(about, row.amount_minor, fee_back)], story=[told])
    if _is_disputed(held, given) and not given.others:
        step += Step(payments={row.invoice_id: _P.PAID})
    return step


def _lost(held: Held, facts: Facts, given: Given, decided: DisputeDecided) -> DisputeDecided:
    row = decided.row
    lost = lost_of(held, facts, row.amount_minor)
    at_us = row.ended_at_us or row.opened_at_us
    entries = [_borne(held, facts, given, row, money) for money in lost]
    told = Told(
        kind="dispute_lost",
        invoice_id=row.invoice_id,
        at_us=at_us,
        facts={"amount_minor": row.amount_minor, "fault": row.fault},
    )
    invoiced = held.invoiced
    lost_minor = sum(money.total_minor for money in lost)
    paid_minor = min(lost_minor, invoiced.paid_minor)
    step = Step(
        sums={row.invoice_id: Sums(paid_minor=-paid_minor, credited_minor=lost_minor)},
        awards={money.award_id: _A.VOID for money in lost if _is_void_by(held, facts, money)},
        entries=entries,
        operations=_taken_back(facts, entries),
        story=[told],
    )
    if _is_disputed(held, given) and not given.others:
        state = _P.REFUNDED if invoiced.paid_minor == paid_minor else _P.PAID
        step += Step(payments={row.invoice_id: state})
    if lost_minor != row.amount_minor:
        rest = row.amount_minor - lost_minor
        words = f"Dispute {row.dispute_id} took {rest} more than is left of its lots"
        step += Step(operations=[again(held, "look", words=words)])
    return _with(structs.replace(decided, lost=lost), [step])


def _taken_back(facts: Facts, entries: Sequence[Entry]) -> list[Wanted]:
    """What sellers owe by these entries is taken back of what they were sent.

    Numbered by the disputes that an award has lost, which are few: claims begin at 1,000.
    """
    wanted = []
    for entry in entries:
        award_id = entry.about.award_id
        owed_minor = sum(
            posting.amount_minor
            for posting in entry.postings
            if posting.debit.kind is Kind.SELLER_RECEIVABLE
        )
        if owed_minor and award_id is not None:
            before = [each for each in facts.credited if each.reason == LOST]
            number = 1 + sum(each.money.award_id == award_id for each in before)
            wanted.append(reversal_wanted(award_id, number, owed_minor, LOST))
    return wanted


def _is_disputed(held: Held, given: Given) -> bool:
    """Whether the payment is disputed by now: it was, or a step before this one made it so."""
    state = held.invoiced.payment
    known = given.before is not None and given.before.state is DisputeState.OPEN
    return state is _P.DISPUTED or (state is _P.PAID and not known)


def lost_of(held: Held, facts: Facts, amount_minor: int) -> list[AwardMoney]:
    """What of which lots a bank took for good: of all that are paid, in proportion."""
    credited = [credit.money for credit in facts.credited]
    funded = set(funded_of(held))
    lines = [line for line in held.invoiced.invoice.lines if line.award_id in funded]
    left = [left_of(line, credited) for line in lines]
    whole = sum(money.total_minor for money in left)
    amounts = split_minor(min(amount_minor, whole), [money.total_minor for money in left])
    return [part_of(money, amount) for money, amount in zip(left, amounts, strict=True) if amount]


def _borne(held: Held, facts: Facts, given: Given, row: DisputeRow, money: AwardMoney) -> Entry:
    """By whom a part of what is lost is borne."""
    award = held.awards[money.award_id]
    at_us = row.ended_at_us or row.opened_at_us
    about = _about(held.invoiced, row, f"{row.dispute_id}~{money.award_id}", at_us, ())
    about = structs.replace(about, award_id=money.award_id)
    if award.state not in _RELEASED:
        return dispute_lost_while_held(about, money)
    if row.fault is Fault.HOUSE:
        return dispute_lost_by_house(about, money)
    # The house gives up its commission on the part of the price that is lost.
    left = _left(held, facts, money.award_id)
    earned_minor = given.commissions.get(money.award_id, 0)
    back_minor = min(earned_minor, left.hammer_minor)
    commission, _ = (
        split_minor(back_minor, [money.hammer_minor, left.hammer_minor - money.hammer_minor])
        if left.hammer_minor
        else (0, 0)
    )
    return dispute_lost_by_seller(about, award.liquidator_id, money, commission)


def _left(held: Held, facts: Facts, award_id: AwardId) -> AwardMoney:
    lines = held.invoiced.invoice.lines
    line = next(line for line in lines if line.award_id == award_id)
    return left_of(line, [credit.money for credit in facts.credited])


def _is_void_by(held: Held, facts: Facts, money: AwardMoney) -> bool:
    """Whether a lot that was not handed over is lost whole."""
    award = held.awards[money.award_id]
    whole = _left(held, facts, money.award_id).total_minor == money.total_minor
    return whole and award.state is _A.FUNDED


def _about(
    row: InvoiceRow,
    dispute: DisputeRow,
    subject: str,
    at_us: int,
    stripe_ids: tuple[StripeId, ...],
) -> About:
    return About(
        subject=subject,
        at_us=at_us,
        currency=dispute.currency,
        sale_id=row.invoice.sale_id,
        invoice_id=row.invoice_id,
        liquidator_id=row.liquidator_id,
        buyer_id=row.invoice.buyer_id,
        stripe_ids=(*stripe_ids, dispute.dispute_id, dispute.charge_id),
    )


def _with(decided: DisputeDecided, steps: Sequence[Step]) -> DisputeDecided:
    return structs.replace(decided, steps=(*decided.steps, *steps))
