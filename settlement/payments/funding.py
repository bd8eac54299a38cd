"""What money pays of an invoice, and how that is booked. Pure.

Money for an invoice is what comes in now (fresh) and the buyer's credit that is kept for it. A lot
is funded once all that is left of it is there; what fills no lot is the buyer's credit, kept for
the invoice while something is open, so that no cent waits outside of the books.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from settlement.entries import About, AwardMoney, Entry, Purpose, entry
from settlement.ids import AwardId
from settlement.invoices import funding_of, left_of
from settlement.lives import AwardState
from settlement.payments.words import Facts, TakenIn, Way
from settlement.postings import bank_funding, credit_applied, processing_fee
from settlement.rows import Held, InvoiceRow
from settlement.splits import split_minor
from settlement.steps import Step, Sums, Wanted

_GONE = frozenset({AwardState.VOID, AwardState.CANCELLED})


class Paid(Struct, frozen=True, kw_only=True):
    """What a sum did. ``earmarked_minor``: of the credit, kept for this invoice from now on;
    ``left_minor``: what is still to come until every lot can be funded."""

    step: Step
    funded: tuple[AwardId, ...]
    earmarked_minor: int
    left_minor: int

    @property
    def is_all(self) -> bool:
        """Whether every lot is funded: nothing is to come, nor kept until a seller confirms."""
        return not self.left_minor and not self.earmarked_minor


def credited_of(held: Held, facts: Facts) -> list[AwardMoney]:
    """All that need not be paid of the invoice: its credits, and lots that are void or cancelled
    and were never paid."""
    notes = [credit.money for credit in facts.credited]
    for line in held.invoiced.invoice.lines:
        award = held.awards[line.award_id]
        if award.state in _GONE and award.funded_at_us is None:
            notes = [note for note in notes if note.award_id != line.award_id]
            notes.append(line.money)
    return notes


def funded_of(held: Held) -> list[AwardId]:
    """The lots whose money came in."""
    return [award_id for award_id, row in held.awards.items() if row.funded_at_us is not None]


def lacking_minor(held: Held, facts: Facts) -> int:
    """What the lots lack that are neither funded nor gone; kept credit is not taken off."""
    credited, funded = credited_of(held, facts), set(funded_of(held))
    lines = held.invoiced.invoice.lines
    return sum(left_of(line, credited).total_minor for line in lines if line.award_id not in funded)


def pay_with_credit(held: Held, facts: Facts, now_us: int) -> Paid:
    """Fund what the buyer's credit fills: what is kept for the invoice and what is kept for
    nothing. The rest of it is kept for the invoice as far as something lacks."""
    split = _split(held, facts, 0, facts.earmarked_minor + facts.credit_minor)
    return _paid(held, facts, split, _from_credit(held.invoiced, split, now_us), now_us)


def pay_with(held: Held, facts: Facts, taken: TakenIn, subject: str, generation: int) -> Paid:
    """Fund what money fills that came in now, together with what is kept for the invoice.

    ``subject`` and ``generation``: of the entry that books it.
    """
    split = _split(held, facts, taken.amount_minor, facts.earmarked_minor)
    entries = [
        *_taken_in(held.invoiced, taken, split.fresh, subject, generation),
        *_from_credit(held.invoiced, split, taken.made_at_us),
    ]
    return _paid(held, facts, split, entries, taken.made_at_us)


def all_to_credit(held: Held, facts: Facts, taken: TakenIn, subject: str, generation: int) -> Paid:
    """Money for an invoice that takes none any more: it stays the buyer's."""
    return Paid(
        step=Step(entries=_taken_in(held.invoiced, taken, (), subject, generation)),
        funded=(),
        earmarked_minor=facts.earmarked_minor,
        left_minor=lacking_minor(held, facts),
    )


def purpose_of(way: Way) -> Purpose:
    """As what money is booked that came in this way."""
    return Purpose.CAPTURE if way is Way.CARD else Purpose.BANK_FUNDING


def part_of(money: AwardMoney, amount_minor: int) -> AwardMoney:
    """So much of an award's money, of each of its parts in proportion."""
    weights = (money.hammer_minor, money.premium_minor, money.tax_minor, money.freight_minor)
    hammer, premium, tax, freight = split_minor(amount_minor, weights)
    return structs.replace(
        money, hammer_minor=hammer, premium_minor=premium, tax_minor=tax, freight_minor=freight
    )


def without(money: AwardMoney, part: AwardMoney) -> AwardMoney:
    """What is left of it; ``ValueError`` where the part is more."""
    return AwardMoney(
        award_id=money.award_id,
        hammer_minor=money.hammer_minor - part.hammer_minor,
        premium_minor=money.premium_minor - part.premium_minor,
        tax_minor=money.tax_minor - part.tax_minor,
        freight_minor=money.freight_minor - part.freight_minor,
        tax_place=money.tax_place,
    )


class _Split(Struct, frozen=True, kw_only=True):
    """Which lots are filled, from which money; ``kept_minor`` waits as credit for the next one."""

    funded: tuple[AwardId, ...]
    fresh: tuple[AwardMoney, ...]
    credit: tuple[AwardMoney, ...]
    kept_minor: int
    lacking_minor: int

    @property
    def funded_minor(self) -> int:
        return sum(money.total_minor for money in (*self.fresh, *self.credit))


def _split(held: Held, facts: Facts, fresh_minor: int, credit_minor: int) -> _Split:
    lacking = lacking_minor(held, facts)
    if facts.asked_until_us is not None:
        # No lot is the buyer's before its seller has confirmed it: what is there is kept.
        kept_minor = min(fresh_minor + credit_minor, lacking)
        return _Split(funded=(), fresh=(), credit=(), kept_minor=kept_minor, lacking_minor=lacking)
    credited = credited_of(held, facts)
    lines = {line.award_id: line for line in held.invoiced.invoice.lines}
    funding = funding_of(
        lines.values(),
        fresh_minor + credit_minor,
        named=[award_id for award_id in facts.named if award_id in lines],
        already=funded_of(held),
        credited=credited,
    )
    wanted = [left_of(lines[award_id], credited) for award_id in funding.funded]
    fresh, credit = _filled(wanted, fresh_minor)
    return _Split(
        funded=funding.funded,
        fresh=fresh,
        credit=credit,
        kept_minor=funding.towards_minor,
        lacking_minor=lacking,
    )


def _filled(
    wanted: Iterable[AwardMoney], fresh_minor: int
) -> tuple[tuple[AwardMoney, ...], tuple[AwardMoney, ...]]:
    """The awards from fresh money in their order, and what that does not fill from credit."""
    fresh: list[AwardMoney] = []
    credit: list[AwardMoney] = []
    for money in wanted:
        part = part_of(money, min(fresh_minor, money.total_minor))
        rest = without(money, part)
        fresh += [part] if part.total_minor else []
        credit += [rest] if rest.total_minor else []
        fresh_minor -= part.total_minor
    return tuple(fresh), tuple(credit)


def _paid(held: Held, facts: Facts, split: _Split, entries: Sequence[Entry], at_us: int) -> Paid:
    invoice_id = held.invoiced.invoice_id
    sum_minor = split.funded_minor + split.kept_minor - facts.earmarked_minor
    step = Step(
        awards=dict.fromkeys(split.funded, AwardState.FUNDED),
        sums={invoice_id: Sums(paid_minor=sum_minor)} if sum_minor else {},
        operations=[Wanted(operation="fund", subject=award_id) for award_id in split.funded],
        entries=entries,
        at_us=at_us,
    )
    return Paid(
        step=step,
        funded=split.funded,
        earmarked_minor=split.kept_minor,
        left_minor=split.lacking_minor - split.funded_minor - split.kept_minor,
    )


def _taken_in(
    row: InvoiceRow, taken: TakenIn, fresh: Sequence[AwardMoney], subject: str, generation: int
) -> list[Entry]:
    """What came in: into the lots that it fills, and the rest into credit; and what it cost."""
    about = About(
        subject=subject,
        generation=generation,
        at_us=taken.made_at_us,
        currency=row.invoice.currency,
        sale_id=row.invoice.sale_id,
        invoice_id=row.invoice_id,
        liquidator_id=row.liquidator_id,
        buyer_id=row.invoice.buyer_id,
        stripe_ids=(taken.transaction_id, taken.charge_id, taken.payment_id),
    )
    booked = bank_funding(about, row.invoice.buyer_id, taken.amount_minor, fresh)
    entries = [entry(purpose_of(taken.way), about, booked.postings)]
    if taken.fee_minor:
        entries.append(processing_fee(about, taken.fee_minor))
    return entries


def _from_credit(row: InvoiceRow, split: _Split, at_us: int) -> list[Entry]:
    """Named by the invoice's version: what is written to it once is booked once."""
    if not split.credit:
        return []
    about = About(
        subject=row.invoice_id,
        generation=row.version,
        at_us=at_us,
        currency=row.invoice.currency,
        sale_id=row.invoice.sale_id,
        invoice_id=row.invoice_id,
        liquidator_id=row.liquidator_id,
        buyer_id=row.invoice.buyer_id,
    )
    return [credit_applied(about, row.invoice.buyer_id, split.credit)]
