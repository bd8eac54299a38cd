"""When held money becomes owed, to whom, and what keeps it back. Pure.

Of what remains of the hammer price after credits, the house takes its commission. Of a liquidator's
own goods it gets the rest; of consigned goods the consignor first gets what their agreement says
(`auction.consignment`, the computation that the desk shows), less what it bears of the cost of the
buyer's payment, and the liquidator what is left. That may be less than nothing, where a guarantee
promises more than the lot brought: then it owes.

Hammer 1,237.50, commission 10 % 123.75: 1,113.75 to the liquidator.
"""

from enum import StrEnum

from msgspec import Struct

from auction.consignment import AgreementTerms, Share, cost_split, share_of
from settlement.due import Calendar
from settlement.entries import AwardMoney
from settlement.invoices import Line
from settlement.lives import AwardState, PaymentState
from settlement.policy import Commission, Policy


class Consigned(Struct, frozen=True):
    """Whose goods a lot's are not the liquidator's: what was agreed when it was published.

    ``payment_minor``: what taking the buyer's money has cost.
    """

    terms: AgreementTerms
    pallets: int
    payment_minor: int = 0


class Release(Struct, frozen=True, kw_only=True):
    """Who gets what of an award. ``hammer_minor``, after credits, is the sum of commission,
    consignor's and liquidator's parts; the last two may be negative."""

    hammer_minor: int
    premium_minor: int
    commission_minor: int
    consignor_minor: int
    liquidator_minor: int


class ConsignorPart(Struct, frozen=True):
    """What a consignor gets of a lot that was sold. ``share``: by the agreement, before
    ``payment_minor``, which it bears of the cost of payment; with it the part may be negative."""

    share: Share
    payment_minor: int

    @property
    def net_minor(self) -> int:
        return self.share.consignor_minor - self.payment_minor


def consignor_part(consigned: Consigned, hammer_minor: int, credit_minor: int) -> ConsignorPart:
    """By the agreement; the one computation of releases and statements."""
    share = share_of(consigned.terms, hammer_minor, consigned.pallets, credit_minor)
    borne, _ = cost_split(consigned.terms.payment_fees, consigned.payment_minor, share)
    return ConsignorPart(share, borne)


def release_of(
    line: Line, left: AwardMoney, commission: Commission, consigned: Consigned | None = None
) -> Release:
    """What is owed to whom when the goods are accepted. ``left``: of the line, after credits."""
    commission_minor = commission.of_minor(left.hammer_minor)
    consignor_minor = 0
    if consigned is not None:
        credit_minor = line.hammer_minor - left.hammer_minor
        consignor_minor = consignor_part(consigned, line.hammer_minor, credit_minor).net_minor
    return Release(
        hammer_minor=left.hammer_minor,
        premium_minor=left.premium_minor,
        commission_minor=commission_minor,
        consignor_minor=consignor_minor,
        liquidator_minor=left.hammer_minor - commission_minor - consignor_minor,
    )


class HeldBack(StrEnum):
    """Why money is not released, or not sent."""

    NOT_ACCEPTED = "NOT_ACCEPTED"
    NOT_RELEASED = "NOT_RELEASED"
    REFUNDED = "REFUNDED"
    DISPUTED = "DISPUTED"
    NO_ACCOUNT = "NO_ACCOUNT"
    ACCOUNT_CHANGED = "ACCOUNT_CHANGED"


_FROZEN = {PaymentState.DISPUTED: HeldBack.DISPUTED, PaymentState.REFUNDED: HeldBack.REFUNDED}


def keeps_from_release(award: AwardState, payment: PaymentState) -> HeldBack | None:
    """Why an award's money stays held; a dispute of its invoice freezes all of the invoice's lots.

    An invoice that is partly paid keeps nobody: its lots that are paid go their own ways.
    """
    if award is not AwardState.ACCEPTED:
        return HeldBack.NOT_ACCEPTED
    return _FROZEN.get(payment)


def keeps_from_sending(
    policy: Policy,
    award: AwardState,
    payment: PaymentState,
    account_changed_at_us: int | None,
    now_us: int,
) -> HeldBack | None:
    """Why money that is owed is not sent. ``account_changed_at_us`` None: there is no account."""
    if award is not AwardState.RELEASED:
        return HeldBack.NOT_RELEASED
    if payment in _FROZEN:
        return _FROZEN[payment]
    if account_changed_at_us is None:
        return HeldBack.NO_ACCOUNT
    if now_us < account_changed_at_us + policy.account_freeze_us:
        return HeldBack.ACCOUNT_CHANGED
    return None


def consignor_due_us(terms: AgreementTerms, calendar: Calendar, accepted_at_us: int) -> int:
    """When a consignor's part is to be paid: so many days of the calendar after the acceptance."""
    return calendar.calendar_days_after_us(accepted_at_us, terms.net_days)
