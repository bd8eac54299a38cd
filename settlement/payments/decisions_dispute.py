"""Disputes: the payer's bank takes money back until it has decided. Pure.

Each movement of the provider's books is booked once, by its own name, whatever the invoice is then
and whether there is one: the bank may take in parts, give back in parts, and think again. While a
dispute is open nothing of its invoice is let go; what is still to be paid may come. What of it is
lost, `decisions_loss` says who bears.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from settlement.entries import About, Entry
from settlement.ids import StripeId
from settlement.lives import PaymentState
from settlement.operations import NeedsPerson
from settlement.payment_objects import BalanceTransaction, Dispute
from settlement.payments.decisions_loss import borne, ended
from settlement.payments.dispute_words import (
    DECIDED,
    ENDED,
    DisputeDecided,
    DisputeRow,
    DisputeState,
    Fault,
    Given,
)
from settlement.payments.words import Facts
from settlement.postings import chargeback, dispute_won
from settlement.rows import Held, InvoiceRow
from settlement.steps import Step, Sums, Wanted, after
from settlement.story import Told

_P, _D = PaymentState, DisputeState
_NOTHING: Final = Step()


def dispute_seen(
    held: Held | None, facts: Facts | None, given: Given, now_us: int
) -> DisputeDecided:
    """What follows from a dispute as it is now. ``held`` and ``facts``: of its invoice, if any."""
    new = _new(given)
    row = _row(given, new, now_us)
    invoiced = None if held is None else held.invoiced
    entries = [entry for moved in new for entry in _booked(invoiced, row, moved)]
    if held is None or facts is None:
        step = Step(entries=entries, operations=_deposit_lost(given, row))
        return DisputeDecided(row=row, steps=[step] if step != _NOTHING else [])
    if row.unsettled_minor > 0 and row.currency != held.invoiced.invoice.currency:
        # No lot can bear it: a person says who does, and until then nothing is let go.
        row = structs.replace(row, state=_D.OPEN, ended_at_us=None)
    was_open, opens = _opens(given, row, new)
    step = Step(entries=entries, story=_told(given, row, new, opens=opens))
    if opens:
        step += _opened(held, row)
    decided = DisputeDecided(row=row, steps=[step] if step != _NOTHING else [])
    if row.state is _D.OPEN or not (was_open or opens):
        return decided
    held = after(held, step)
    if row.state is _D.LOST and row.unsettled_minor > 0:
        return borne(held, facts, given, decided, _about)
    told = Told(kind="dispute_won", invoice_id=row.invoice_id, at_us=_last_us(row, given))
    last = ended(held, facts, row) + Step(story=[told] if row.state is _D.WON else [])
    return structs.replace(decided, steps=[*decided.steps, last])


def fee_of(moved: BalanceTransaction) -> int:
    """What the provider kept when this money moved; below 0: what it gave back."""
    return moved.fee_minor


def _new(given: Given) -> list[BalanceTransaction]:
    """What moved that is in no books of ours yet, the earliest first."""
    booked = given.before.booked if given.before else ()
    new = [each for each in given.dispute.transactions if each.transaction_id not in booked]
    return sorted(new, key=lambda each: (each.made_at_us, each.transaction_id))


def _row(given: Given, new: Sequence[BalanceTransaction], now_us: int) -> DisputeRow:
    dispute, before, whose = given.dispute, given.before, given.whose
    taken = sum(-each.amount_minor for each in new if each.amount_minor < 0)
    gave = sum(each.amount_minor for each in new if each.amount_minor > 0)
    row = DisputeRow(
        dispute_id=dispute.dispute_id,
        charge_id=dispute.charge_id,
        invoice_id=whose.invoice_id,
        buyer_id=whose.buyer_id,
        deposit=whose.deposit,
        amount_minor=dispute.amount_minor,
        currency=_currency(dispute, before),
        fee_minor=(before.fee_minor if before else 0) + sum(fee_of(each) for each in new),
        reason=dispute.reason,
        status=dispute.status,
        state=_D.INQUIRY,
        fault=before.fault if before else Fault.HOUSE,
        answer_by_us=dispute.answer_by_us,
        answers=dispute.submissions,
        opened_at_us=dispute.made_at_us,
        ended_at_us=None,
        taken_minor=(before.taken_minor if before else 0) + taken,
        given_minor=(before.given_minor if before else 0) + gave,
        borne_minor=before.borne_minor if before else 0,
        booked=[*(before.booked if before else ()), *(each.transaction_id for each in new)],
    )
    state = state_of(row)
    ended_us = (before.ended_at_us if before else None) or now_us
    return structs.replace(row, state=state, ended_at_us=ended_us if state in ENDED else None)


def _currency(dispute: Dispute, before: DisputeRow | None) -> str:
    """That in which the money moved, which need not be the one that the payer's bank names."""
    moved = {each.currency for each in dispute.transactions}
    if before is not None and before.taken_minor:
        moved.add(before.currency)
    if len(moved) > 1:
        words = ", ".join(sorted(moved))
        raise NeedsPerson(
            f"dispute {dispute.dispute_id} moved money in several currencies: {words}"
        )
    return moved.pop() if moved else dispute.currency


def state_of(row: DisputeRow) -> DisputeState:
    """By the money, not by the words: a bank that only asks has taken nothing, and what it gave up
    is not won before it is back."""
    if not row.taken_minor:
        return _D.CLOSED if row.status in DECIDED else _D.INQUIRY
    if row.status == "lost":
        return _D.LOST
    return _D.WON if row.status in DECIDED and row.unsettled_minor <= 0 else _D.OPEN


def _opens(given: Given, row: DisputeRow, new: Sequence[BalanceTransaction]) -> tuple[bool, bool]:
    """Whether it was open before, and whether it is opened now, be it to be closed at once."""
    before = given.before
    was_open = (
        before is not None and before.state is _D.OPEN and before.invoice_id == row.invoice_id
    )
    first = bool(row.taken_minor) and (before is None or not before.taken_minor)
    more = row.unsettled_minor > 0 and any(each.amount_minor < 0 for each in new)
    return was_open, not was_open and (row.state is _D.OPEN or first or more)


def _deposit_lost(given: Given, row: DisputeRow) -> list[Wanted]:
    """A deposit stands no more once a bank keeps it."""
    before = given.before.state if given.before else None
    if row.deposit is None or row.state is not _D.LOST or before is _D.LOST:
        return []
    arguments = {"deposit": row.deposit, "charge_id": row.charge_id}
    subject = row.dispute_id
    return [Wanted(operation="deposit_charged_back", subject=subject, arguments=arguments)]


def _opened(held: Held, row: DisputeRow) -> Step:
    assert row.invoice_id is not None, "it is an invoice's"
    step = Step(sums={row.invoice_id: Sums(disputes=1)})
    if held.invoiced.payment is _P.PAID:
        step += Step(payments={row.invoice_id: _P.DISPUTED})
    return step


def _told(
    given: Given, row: DisputeRow, new: Sequence[BalanceTransaction], *, opens: bool
) -> list[Told]:
    """Money that only came back in parts is told of once it is decided."""
    facts = {"amount_minor": row.amount_minor, "reason": row.reason, "dispute": row.dispute_id}
    if opens:
        at_us = min((each.made_at_us for each in new), default=row.opened_at_us)
        again = given.before is not None and given.before.taken_minor > 0
        kind = "dispute_reopened" if again else "dispute_opened"
        return [Told(kind=kind, invoice_id=row.invoice_id, at_us=at_us, facts=facts)]
    if new and row.unsettled_minor < 0:
        facts = {"amount_minor": -row.unsettled_minor, "dispute": row.dispute_id}
        return [Told(kind="dispute_gave_more_back", invoice_id=row.invoice_id, facts=facts)]
    return []


def _last_us(row: DisputeRow, given: Given) -> int:
    gave = [each.made_at_us for each in given.dispute.transactions if each.amount_minor > 0]
    return max(gave, default=row.ended_at_us or row.opened_at_us)


def _booked(row: InvoiceRow | None, dispute: DisputeRow, moved: BalanceTransaction) -> list[Entry]:
    """A movement as it is booked, with what the provider kept of it or gave back."""
    subject = f"{dispute.dispute_id}~{moved.transaction_id}"
    about = _about(row, dispute, subject, moved.made_at_us, (moved.transaction_id,))
    amount_minor, fee_minor = moved.amount_minor, fee_of(moved)
    entries = []
    if amount_minor < 0 or fee_minor > 0:
        entries.append(chargeback(about, max(0, -amount_minor), max(0, fee_minor)))
    if amount_minor > 0 or fee_minor < 0:
        entries.append(dispute_won(about, max(0, amount_minor), max(0, -fee_minor)))
    return entries


def _about(
    row: InvoiceRow | None,
    dispute: DisputeRow,
    subject: str,
    at_us: int,
    stripe_ids: tuple[StripeId, ...],
) -> About:
    return About(
        subject=subject,
        at_us=at_us,
        currency=dispute.currency,
        sale_id=row.invoice.sale_id if row else None,
        invoice_id=dispute.invoice_id,
        liquidator_id=row.liquidator_id if row else None,
        buyer_id=dispute.buyer_id,
        stripe_ids=(*stripe_ids, dispute.dispute_id, dispute.charge_id),
    )
