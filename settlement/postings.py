"""What is booked for the life of an award: funding, claims, release, disputes. Pure.

A function for each business entry; its figures are those of the facts, computed elsewhere, and a
wrong sum is a ``ValueError`` here, not an imbalance in the books. All amounts are minor units of
``about.currency``; what is 0 is left out.
"""

from collections.abc import Iterator, Sequence

from auction.ids import BidderId, LiquidatorId
from settlement.chart import (
    BAD_DEBT,
    BANK,
    COMMISSIONS,
    DISPUTE_FEES,
    DISPUTES,
    PREMIUMS,
    STRIPE,
    STRIPE_FEES,
    Account,
    buyer_credit,
    consignor_payable,
    deferred_fees,
    freight_payable,
    held,
    seller_payable,
    seller_receivable,
)
from settlement.entries import (
    About,
    AwardMoney,
    ConsignedPart,
    Entry,
    Posting,
    Purpose,
    entry,
    moved,
    paired,
)


def capture(about: About, awards: Sequence[AwardMoney]) -> Entry:
    """A card's money is captured for these awards; an authorisation is no entry."""
    return entry(Purpose.CAPTURE, about, _filled(STRIPE, awards))


def bank_funding(
    about: About,
    buyer_id: BidderId,
    received_minor: int,
    awards: Sequence[AwardMoney] = (),
    into: Account = STRIPE,
) -> Entry:
    """A transfer or debit came in: it funds these awards, and what is over is the buyer's credit.

    A part payment that fills no award is all credit; `credit_applied` takes it when the rest comes.
    """
    over = received_minor - sum(award.total_minor for award in awards)
    if over < 0:
        raise ValueError(f"{received_minor} received does not fund awards of {-over} more")
    surplus = moved(into, buyer_credit(buyer_id), over)
    return entry(Purpose.BANK_FUNDING, about, [*_filled(into, awards), surplus])


def credit_applied(about: About, buyer_id: BidderId, awards: Sequence[AwardMoney]) -> Entry:
    """A buyer's credit funds these awards."""
    return entry(Purpose.CREDIT_APPLIED, about, _filled(buyer_credit(buyer_id), awards))


def processing_fee(about: About, fee_minor: int) -> Entry:
    """What Stripe kept of a payment, or charged for anything else but disputes."""
    return entry(Purpose.PROCESSING_FEE, about, [moved(STRIPE_FEES, STRIPE, fee_minor)])


def fee_refunded(about: About, fee_minor: int) -> Entry:
    """Stripe gave a fee back."""
    return entry(Purpose.FEE_REFUNDED, about, [moved(STRIPE, STRIPE_FEES, fee_minor)])


def claim_credit(about: About, back: AwardMoney, to: Account = STRIPE) -> Entry:
    """A claim is credited before the release, from what is held."""
    return entry(Purpose.CLAIM_CREDIT, about, _given_back(back, to))


def award_refunded(about: About, back: AwardMoney, to: Account = STRIPE) -> Entry:
    """All that is held for an award goes back: it was cancelled, or its lot withdrawn."""
    return entry(Purpose.AWARD_REFUNDED, about, _given_back(back, to))


def claim_after_release(
    about: About,
    liquidator_id: LiquidatorId,
    back: AwardMoney,
    commission_minor: int,
    to: Account = STRIPE,
) -> Entry:
    """A claim is credited after the release: the seller owes its part, the house gives up its own.

    ``commission_minor``: of the commission, for the part of the hammer price that goes back.
    """
    seller_minor = back.hammer_minor - commission_minor
    debits = [
        (seller_receivable(liquidator_id), seller_minor),
        (COMMISSIONS, commission_minor),
        (PREMIUMS, back.premium_minor),
        *_tax(back),
    ]
    if back.freight_minor:
        raise ValueError(f"{back.award_id}: freight was paid out before the release")
    postings = paired(debits, [(to, back.total_minor)], back.award_id)
    return entry(Purpose.CLAIM_AFTER_RELEASE, about, postings)


def refund_returned(about: About, buyer_id: BidderId, amount_minor: int) -> Entry:
    """A refund could not be delivered and came back: it is the buyer's, in another way."""
    posting = moved(STRIPE, buyer_credit(buyer_id), amount_minor)
    return entry(Purpose.REFUND_RETURNED, about, [posting])


def tax_credited(about: About, back: AwardMoney, to: Account) -> Entry:
    """A certificate came late: the tax is credited to the buyer."""
    if back.hammer_minor or back.premium_minor or back.freight_minor:
        raise ValueError(f"{back.award_id}: a tax credit is of tax alone")
    postings = paired(_tax(back), [(to, back.tax_minor)], back.award_id)
    return entry(Purpose.TAX_CREDITED, about, postings)


def release(
    about: About,
    liquidator_id: LiquidatorId,
    kept: AwardMoney,
    commission_minor: int,
    consigned: ConsignedPart | None = None,
) -> Entry:
    """The goods are accepted: what is held becomes owed, and the house's part is earned.

    ``kept``: hammer price and premium after credits. Of consigned goods the consignor gets its
    part first. If that and the commission are more than is held (a guarantee), the seller owes the
    rest. A consignor's part below 0 is the seller's claim on later ones (`consignor_charged`), not
    the house's.
    """
    owed = max(0, consigned.amount_minor) if consigned else 0
    sellers = kept.hammer_minor - commission_minor - owed
    debits = [
        (held(kept.award_id), kept.hammer_minor),
        (seller_receivable(liquidator_id), max(0, -sellers)),
    ]
    credits_ = [(seller_payable(liquidator_id), max(0, sellers))]
    if consigned:
        credits_.append((consignor_payable(consigned.consignor_id), owed))
    credits_.append((COMMISSIONS, commission_minor))
    premium = moved(deferred_fees(kept.award_id), PREMIUMS, kept.premium_minor, kept.award_id)
    return entry(Purpose.RELEASE, about, [*paired(debits, credits_, kept.award_id), premium])


def transfer_out(about: About, liquidator_id: LiquidatorId, amount_minor: int) -> Entry:
    """What is owed to a seller is sent to its account at Stripe."""
    return entry(
        Purpose.TRANSFER, about, [moved(seller_payable(liquidator_id), STRIPE, amount_minor)]
    )


def transfer_reversed(
    about: About, liquidator_id: LiquidatorId, amount_minor: int, owed_minor: int
) -> Entry:
    """A transfer, or a part of it, is taken back from a seller that owes ``owed_minor``.

    What is more than that is owed to the seller again.
    """
    settled = min(amount_minor, owed_minor)
    return entry(
        Purpose.TRANSFER_REVERSED,
        about,
        [
            moved(STRIPE, seller_receivable(liquidator_id), settled),
            moved(STRIPE, seller_payable(liquidator_id), amount_minor - settled),
        ],
    )


def receivable_netted(about: About, liquidator_id: LiquidatorId, amount_minor: int) -> Entry:
    """What a seller owes is kept from what it is owed."""
    posting = moved(seller_payable(liquidator_id), seller_receivable(liquidator_id), amount_minor)
    return entry(Purpose.RECEIVABLE_NETTED, about, [posting])


def write_off(about: About, liquidator_id: LiquidatorId, amount_minor: int) -> Entry:
    """What a seller owes will not come in: the house bears it."""
    posting = moved(BAD_DEBT, seller_receivable(liquidator_id), amount_minor)
    return entry(Purpose.WRITE_OFF, about, [posting])


def chargeback(about: About, amount_minor: int, fee_minor: int) -> Entry:
    """A bank took the money back until the dispute is decided."""
    postings = [moved(DISPUTES, STRIPE, amount_minor), moved(DISPUTE_FEES, STRIPE, fee_minor)]
    return entry(Purpose.CHARGEBACK, about, postings)


def dispute_won(about: About, amount_minor: int, fee_back_minor: int = 0) -> Entry:
    """The bank gives the money back; the fee too, where Stripe does."""
    postings = [moved(STRIPE, DISPUTES, amount_minor), moved(STRIPE, DISPUTE_FEES, fee_back_minor)]
    return entry(Purpose.DISPUTE_WON, about, postings)


def dispute_lost_by_seller(
    about: About, liquidator_id: LiquidatorId, lost: AwardMoney, commission_minor: int
) -> Entry:
    """A released award's dispute is lost since the seller misdescribed: the seller owes its part.

    ``lost``: what remained of the award after credits.
    """
    debits = [
        (seller_receivable(liquidator_id), lost.hammer_minor - commission_minor),
        (COMMISSIONS, commission_minor),
        (PREMIUMS, lost.premium_minor),
        *_tax(lost),
        (BAD_DEBT, lost.freight_minor),
    ]
    postings = paired(debits, [(DISPUTES, lost.total_minor)], lost.award_id)
    return entry(Purpose.DISPUTE_LOST_BY_SELLER, about, postings)


def dispute_lost_by_house(about: About, lost: AwardMoney) -> Entry:
    """A released award's dispute is lost: the house bears it, save the tax, which is not due."""
    borne = lost.total_minor - lost.tax_minor
    debits = [(BAD_DEBT, borne), *_tax(lost)]
    postings = paired(debits, [(DISPUTES, lost.total_minor)], lost.award_id)
    return entry(Purpose.DISPUTE_LOST_BY_HOUSE, about, postings)


def dispute_lost_while_held(about: About, lost: AwardMoney) -> Entry:
    """A dispute is lost before the release: it is borne by what is held."""
    return entry(Purpose.DISPUTE_LOST_WHILE_HELD, about, _given_back(lost, DISPUTES))


def dispute_settled(about: About, bearer: Account, amount_minor: int) -> Entry:
    """What no lot bears of a dispute: below 0, ``bearer`` gets what came back too much."""
    more = moved(DISPUTES, bearer, max(0, -amount_minor))
    return entry(
        Purpose.DISPUTE_SETTLED, about, [moved(bearer, DISPUTES, max(0, amount_minor)), more]
    )


def bank_file_paid(about: About, liquidator_id: LiquidatorId, amount_minor: int) -> Entry:
    """What is owed to a seller is sent by a bank file."""
    posting = moved(seller_payable(liquidator_id), BANK, amount_minor)
    return entry(Purpose.BANK_FILE_PAID, about, [posting])


def bank_file_returned(about: About, liquidator_id: LiquidatorId, amount_minor: int) -> Entry:
    """The seller's bank sent it back: it is owed again."""
    posting = moved(BANK, seller_payable(liquidator_id), amount_minor)
    return entry(Purpose.BANK_FILE_RETURNED, about, [posting])


def _filled(source: Account, awards: Sequence[AwardMoney]) -> Iterator[Posting | None]:
    for award in awards:
        award_id = award.award_id
        yield moved(source, held(award_id), award.hammer_minor, award_id)
        yield moved(source, deferred_fees(award_id), award.premium_minor, award_id)
        yield moved(source, freight_payable(award_id), award.freight_minor, award_id)
        for place, amount_minor in _tax(award):
            yield moved(source, place, amount_minor, award_id)


def _given_back(back: AwardMoney, to: Account) -> Iterator[Posting | None]:
    for posting in _filled(to, [back]):
        yield posting.reversed() if posting else None


def _tax(award: AwardMoney) -> list[tuple[Account, int]]:
    return [(award.tax_place, award.tax_minor)] if award.tax_place and award.tax_minor else []
