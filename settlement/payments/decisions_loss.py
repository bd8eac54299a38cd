"""Who bears what a payer's bank keeps for good. Pure.

First what is kept of the buyer's credit for the invoice, which is no lot's yet; then the lots that
were paid, in proportion. Of a lot it is what the books still hold of it; once that is released, the
seller or the house, as staff said before it was decided: the house where nobody said. What no lot
can bear stays pending until a person says who does.

A lot that is lost whole ends by where its goods are. Nothing of it has left: it is void. Something
has: it is not for sale again, what is left of it stays at the dock as its seller's, and the award
goes on to its end with nothing to release.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import structs

from settlement.accepting import accepted
from settlement.chart import Kind, buyer_credit
from settlement.entries import About, AwardMoney, Entry
from settlement.ids import AwardId, StripeId
from settlement.invoices import left_of
from settlement.lives import AwardState, PaymentState
from settlement.payments.dispute_words import LOST, DisputeDecided, DisputeRow, Fault, Given
from settlement.payments.funding import funded_of, lacking_minor, part_of
from settlement.payments.words import Facts
from settlement.payouts.reversals import reversal_wanted
from settlement.postings import (
    dispute_lost_by_house,
    dispute_lost_by_seller,
    dispute_lost_while_held,
    dispute_settled,
)
from settlement.rows import Held, InvoiceRow
from settlement.splits import split_minor
from settlement.steps import Step, Sums, Wanted
from settlement.story import Told

_P, _A = PaymentState, AwardState
_RELEASED: Final = frozenset({_A.RELEASED, _A.PAID_OUT, _A.CLOSED})
_LEFT_WORDS: Final = (
    "a bank has taken back the money of a lot of which goods have left: what is still here is its "
    "seller's, and is not handed over"
)

# `decisions_dispute._about`: what an entry is about.
AboutOf = Callable[
    [InvoiceRow | None, DisputeRow, str, int, tuple[StripeId, ...]],
    About,
]


def borne(
    held: Held, facts: Facts, given: Given, decided: DisputeDecided, about_of: AboutOf
) -> DisputeDecided:
    """A dispute of an invoice is lost. ``held``: as it stands once ``decided`` is written."""
    row, invoiced = decided.row, held.invoiced
    assert row.invoice_id is not None, "it is an invoice's"
    kept_minor = min(row.unsettled_minor, facts.earmarked_minor)
    lost = lost_of(held, facts, row.unsettled_minor - kept_minor)
    at_us = row.ended_at_us or row.opened_at_us
    entries = [_borne(held, facts, given, row, money, about_of) for money in lost]
    taken_back = _taken_back(facts, entries)
    if kept_minor:
        about = about_of(invoiced, row, _again(row), at_us, ())
        entries.append(dispute_settled(about, buyer_credit(invoiced.invoice.buyer_id), kept_minor))
    lost_minor = sum(money.total_minor for money in lost)
    whole = [money.award_id for money in lost if _is_whole(held, facts, money)]
    row = structs.replace(row, borne_minor=row.borne_minor + kept_minor + lost_minor)
    told = Told(
        kind="dispute_lost",
        invoice_id=row.invoice_id,
        at_us=at_us,
        facts={
            "amount_minor": row.amount_minor,
            "fault": row.fault,
            "unsettled_minor": row.unsettled_minor,
        },
    )
    step = ended(held, facts, row, back_minor=kept_minor + lost_minor, credited_minor=lost_minor)
    step += Step(entries=entries, operations=taken_back, story=[told])
    for award_id in whole:
        step += _without_money(held, given, award_id)
    return structs.replace(
        decided,
        row=row,
        steps=[*decided.steps, step],
        lost=lost,
        whole=whole,
        earmarked_minor=facts.earmarked_minor - kept_minor if kept_minor else None,
    )


def ended(
    held: Held, facts: Facts, row: DisputeRow, *, back_minor: int = 0, credited_minor: int = 0
) -> Step:
    """A dispute of an invoice is over: the last one gives it free, or leaves nothing of it."""
    invoiced = held.invoiced
    paid_minor = min(back_minor, invoiced.paid_minor)
    sums = Sums(paid_minor=-paid_minor, credited_minor=credited_minor, disputes=-1)
    step = Step(sums={invoiced.invoice_id: sums})
    if invoiced.open_disputes > 1:
        return step
    nothing_left = invoiced.paid_minor == paid_minor
    if invoiced.payment is _P.DISPUTED:
        state = _P.REFUNDED if nothing_left else _P.PAID
        return step + Step(payments={invoiced.invoice_id: state})
    waits = nothing_left and invoiced.payment is _P.PARTLY_FUNDED
    if waits and not lacking_minor(held, facts):
        return step + Step(payments={invoiced.invoice_id: _P.REFUNDED})
    return step


def lost_of(held: Held, facts: Facts, amount_minor: int) -> list[AwardMoney]:
    """What of which lots a bank took for good: of all that are paid, in proportion."""
    credited = [credit.money for credit in facts.credited]
    funded = set(funded_of(held))
    lines = [line for line in held.invoiced.invoice.lines if line.award_id in funded]
    left = [left_of(line, credited) for line in lines]
    whole = sum(money.total_minor for money in left)
    amounts = split_minor(min(amount_minor, whole), [money.total_minor for money in left])
    return [part_of(money, amount) for money, amount in zip(left, amounts, strict=True) if amount]


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
            number = _losses(facts, award_id) + 1
            wanted.append(reversal_wanted(award_id, number, owed_minor, LOST))
    return wanted


def _borne(
    held: Held,
    facts: Facts,
    given: Given,
    row: DisputeRow,
    money: AwardMoney,
    about_of: AboutOf,
) -> Entry:
    """By whom a part of what is lost is borne."""
    award = held.awards[money.award_id]
    at_us = row.ended_at_us or row.opened_at_us
    about = about_of(held.invoiced, row, f"{row.dispute_id}~{money.award_id}", at_us, ())
    generation = _losses(facts, money.award_id) + 1
    about = structs.replace(about, award_id=money.award_id, generation=generation)
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


def _without_money(held: Held, given: Given, award_id: AwardId) -> Step:
    """A lot has nothing left of what was paid for it."""
    award = held.awards[award_id]
    if award.state is not _A.FUNDED:
        return Step()
    if award_id not in given.left:
        return Step(awards={award_id: _A.VOID})
    look = Wanted(operation="look", subject=award_id, arguments={"words": _LEFT_WORDS})
    return accepted(award, why="goods had left") + Step(operations=[look])


def _again(row: DisputeRow) -> str:
    """A name of its own for each time that something of a dispute is borne: by what was before."""
    return f"{row.dispute_id}~{row.borne_minor}~{row.taken_minor}~{row.given_minor}"


def _losses(facts: Facts, award_id: AwardId) -> int:
    before = [each for each in facts.credited if each.reason == LOST]
    return sum(each.money.award_id == award_id for each in before)


def _left(held: Held, facts: Facts, award_id: AwardId) -> AwardMoney:
    lines = held.invoiced.invoice.lines
    line = next(line for line in lines if line.award_id == award_id)
    return left_of(line, [credit.money for credit in facts.credited])


def _is_whole(held: Held, facts: Facts, money: AwardMoney) -> bool:
    return _left(held, facts, money.award_id).total_minor == money.total_minor
