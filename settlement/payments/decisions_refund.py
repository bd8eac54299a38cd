"""Money that goes back: from which charges, what of the award it is, how it is booked. Pure.

Of an award no more goes back than is left of its line after all credits, of a charge no more than
was captured and did not go back yet. What cannot go to a charge (the lot was paid with credit) is
the buyer's credit again.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct

from auction.ids import BidderId
from settlement.chart import STRIPE, Account, buyer_credit
from settlement.entries import About, AwardMoney, Entry
from settlement.ids import AwardId, InvoiceId, StripeId
from settlement.invoices import CreditReason, left_of
from settlement.lives import PaymentState
from settlement.operations import NeedsPerson
from settlement.payment_objects import returned_minor
from settlement.payments.funding import lacking_minor, part_of, without
from settlement.payments.moves import goes
from settlement.payments.words import Facts, Way
from settlement.postings import award_refunded, claim_after_release, claim_credit, tax_credited
from settlement.postings_house import credit_refunded
from settlement.rows import Held, InvoiceRow
from settlement.splits import split_minor
from settlement.steps import Step, Sums

_P = PaymentState
_R = CreditReason
# Beside the reasons for which a line is credited: the buyer has its credit paid out.
CREDIT: Final = "CREDIT"


class BackState(StrEnum):
    """Where a part of what goes back stands."""

    ASKED = "ASKED"  # it is in no books yet
    SENT = "SENT"  # it is booked, and on its way to the payer
    CREDITED = "CREDITED"  # it is booked, and the buyer's credit
    RETURNED = "RETURNED"  # it could not be delivered, and is the buyer's credit
    REFUSED = "REFUSED"  # the provider said no; a person looks


class RefundAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """The arguments of the operation ``refund``.

    ``reason``: a `CreditReason`, or ``CREDIT``. The parts of the award that go back may be named;
    else they follow from the reason: all that is left, the tax, or a share of each.
    """

    invoice_id: InvoiceId
    amount_minor: int
    reason: str
    award_id: AwardId | None = None
    claim_id: str | None = None
    hammer_minor: int | None = None
    premium_minor: int = 0
    tax_minor: int = 0
    freight_minor: int = 0
    after_release: bool = False
    commission_minor: int = 0


class Refundable(Struct, frozen=True, kw_only=True):
    """A charge, and what of it may still go back; disputed ones are none."""

    charge_id: StripeId
    customer_id: StripeId
    way: Way
    left_minor: int


class Part(Struct, frozen=True, kw_only=True):
    """A part of what goes back; ``charge`` None: to the buyer's credit. ``back`` None: it is the
    buyer's credit that is paid out."""

    number: int
    charge: Refundable | None
    amount_minor: int
    back: AwardMoney | None
    commission_minor: int = 0


def asked_of(arguments: Any) -> RefundAsked:
    """The arguments as they are meant. Raises `NeedsPerson`."""
    try:
        return msgspec.convert(dict(arguments), RefundAsked)
    except msgspec.ValidationError as error:
        raise NeedsPerson(f"the refund cannot be read: {error}") from error


def parts_of(
    held: Held,
    facts: Facts,
    asked: RefundAsked,
    charges: Sequence[Refundable],
    there: AwardMoney | None,
) -> list[Part]:
    """How it goes back: to the latest charges first. Raises `NeedsPerson` where it is too much.

    ``there``: what the books hold of the award and nobody has asked for, with any tax.
    """
    if asked.amount_minor <= 0:
        raise NeedsPerson(f"{asked.amount_minor} is nothing that can go back")
    if asked.reason == CREDIT:
        return _of_credit(facts, asked, charges)
    back = _back(held, facts, asked)
    if not asked.after_release:
        _is_there(back, there)
    parts: list[Part] = []
    for charge in charges:
        amount_minor = min(charge.left_minor, back.total_minor)
        amount_minor = returned_minor(amount_minor, held.invoiced.invoice.currency)
        if amount_minor:
            share = part_of(back, amount_minor)
            back = without(back, share)
            parts.append(_part(parts, charge, amount_minor, share))
    if back.total_minor:
        parts.append(_part(parts, None, back.total_minor, back))
    commissions = split_minor(asked.commission_minor, [part.amount_minor for part in parts])
    return [
        msgspec.structs.replace(part, commission_minor=commission)
        for part, commission in zip(parts, commissions, strict=True)
    ]


def entry_of(
    row: InvoiceRow,
    asked_reason: str,
    part: Part,
    *,
    after_release: bool,
    subject: str,
    at_us: int,
    stripe_ids: tuple[StripeId, ...] = (),
) -> Entry:
    """How a part is booked, once it has gone."""
    buyer_id: BidderId = row.invoice.buyer_id
    about = About(
        subject=subject,
        generation=part.number,
        at_us=at_us,
        currency=row.invoice.currency,
        sale_id=row.invoice.sale_id,
        award_id=None if part.back is None else part.back.award_id,
        invoice_id=row.invoice_id,
        liquidator_id=row.liquidator_id,
        buyer_id=buyer_id,
        stripe_ids=stripe_ids,
    )
    to: Account = STRIPE if part.charge is not None else buyer_credit(buyer_id)
    if part.back is None:
        return credit_refunded(about, buyer_id, part.amount_minor)
    if after_release:
        return claim_after_release(about, row.liquidator_id, part.back, part.commission_minor, to)
    match asked_reason:
        case _R.CERTIFICATE:
            return tax_credited(about, part.back, to)
        case _R.CLAIM:
            return claim_credit(about, part.back, to)
        case _:
            return award_refunded(about, part.back, to)


def gone(held: Held, facts: Facts, part: Part, entry: Entry) -> Step:
    """A part has gone back. When nothing that was paid is left, the payment is refunded."""
    row = held.invoiced
    if part.back is None:
        return Step(entries=[entry])
    paid_minor = min(part.amount_minor, row.paid_minor)
    step = Step(entries=[entry], sums={row.invoice_id: Sums(paid_minor=-paid_minor)})
    nothing_left = row.paid_minor - paid_minor == 0 and not lacking_minor(held, facts)
    if nothing_left and row.payment in (_P.PAID, _P.PARTLY_FUNDED) and goes(held, _P.REFUNDED):
        step += Step(payments={row.invoice_id: _P.REFUNDED})
    return step


def _back(held: Held, facts: Facts, asked: RefundAsked) -> AwardMoney:
    """What of the award goes back."""
    line = next(
        (line for line in held.invoiced.invoice.lines if line.award_id == asked.award_id), None
    )
    if line is None:
        raise NeedsPerson(f"{asked.award_id} is not on invoice {held.invoiced.number}")
    if held.awards[line.award_id].funded_at_us is None:
        raise NeedsPerson(f"{line.award_id} was not paid: nothing of it can go back")
    left = left_of(line, [credit.money for credit in facts.credited])
    if asked.amount_minor > left.total_minor:
        raise NeedsPerson(
            f"{asked.amount_minor} is more than the {left.total_minor} that are left of "
            f"{line.award_id}"
        )
    if asked.hammer_minor is not None:
        back = msgspec.structs.replace(
            left,
            hammer_minor=asked.hammer_minor,
            premium_minor=asked.premium_minor,
            tax_minor=asked.tax_minor,
            freight_minor=asked.freight_minor,
        )
    elif asked.reason == _R.CERTIFICATE:
        back = msgspec.structs.replace(
            left,
            hammer_minor=0,
            premium_minor=0,
            tax_minor=asked.amount_minor,
            freight_minor=0,
        )
    else:
        back = part_of(left, asked.amount_minor)
    try:
        without(left, back)
    except ValueError as error:
        raise NeedsPerson(f"more goes back than is left: {error}") from error
    if back.total_minor != asked.amount_minor:
        raise NeedsPerson(f"{asked.amount_minor} is not the sum of its parts {back.total_minor}")
    return back


def _is_there(back: AwardMoney, there: AwardMoney | None) -> None:
    """What is not held any more is not sent: no money goes out that the books could not book."""
    missing = there is None or (
        back.hammer_minor > there.hammer_minor
        or back.premium_minor > there.premium_minor
        or back.freight_minor > there.freight_minor
    )
    if missing:
        raise NeedsPerson(f"so much is not held for {back.award_id} any more: was it released?")


def _of_credit(facts: Facts, asked: RefundAsked, charges: Sequence[Refundable]) -> list[Part]:
    """The buyer's free credit to charges of this invoice."""
    if asked.amount_minor > facts.credit_minor:
        raise NeedsPerson(
            f"{asked.amount_minor} is more than the buyer's free credit of {facts.credit_minor}"
        )
    parts: list[Part] = []
    left_minor = asked.amount_minor
    for charge in charges:
        amount_minor = min(charge.left_minor, left_minor)
        if amount_minor:
            parts.append(_part(parts, charge, amount_minor, None))
            left_minor -= amount_minor
    if left_minor:
        raise NeedsPerson(f"{left_minor} of it cannot go back to any charge")
    return parts


def _part(
    before: Sequence[Part],
    charge: Refundable | None,
    amount_minor: int,
    back: AwardMoney | None,
) -> Part:
    return Part(number=len(before) + 1, charge=charge, amount_minor=amount_minor, back=back)
