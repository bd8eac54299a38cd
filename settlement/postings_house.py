"""What is booked beside awards: fees, freight, consignors, the bank, corrections. Pure.

As in `postings`: a function for each business entry, amounts in minor units of ``about.currency``.
``source`` is where the money comes from: Stripe's balance, the bank, or a buyer's credit.
"""

from auction.ids import BidderId, LiquidatorId
from settlement.chart import (
    BANK,
    CANCELLATIONS,
    FORFEITS,
    FREIGHT,
    ROUNDING,
    STORAGE,
    STRIPE,
    Account,
    buyer_credit,
    consignor_payable,
    freight_payable,
    sales_tax,
    seller_payable,
    seller_receivable,
)
from settlement.entries import About, Entry, Posting, Purpose, entry, moved
from settlement.ids import AwardId, ConsignorId, TaxPlace

# Money that came in and is nobody's yet waits under this name among the buyers' credits.
UNIDENTIFIED = BidderId("unidentified")


def deposit_forfeited(
    about: About, amount_minor: int, award_id: AwardId | None = None, source: Account = STRIPE
) -> Entry:
    """A buyer did not pay: its deposit is kept."""
    posting = moved(source, FORFEITS, amount_minor, award_id)
    return entry(Purpose.DEPOSIT_FORFEITED, about, [posting])


def relist_fee(
    about: About, amount_minor: int, award_id: AwardId | None = None, source: Account = STRIPE
) -> Entry:
    """A buyer did not pay, and pays for offering the lot again."""
    return entry(Purpose.RELIST_FEE, about, [moved(source, FORFEITS, amount_minor, award_id)])


def storage(
    about: About,
    amount_minor: int,
    award_id: AwardId,
    source: Account = STRIPE,
    tax: tuple[TaxPlace, int] | None = None,
) -> Entry:
    """Goods stood on the dock beyond the free days."""
    postings = [moved(source, STORAGE, amount_minor, award_id)]
    if tax:
        postings.append(moved(source, sales_tax(tax[0]), tax[1], award_id))
    return entry(Purpose.STORAGE, about, postings)


def missed_appointment(
    about: About, amount_minor: int, award_id: AwardId, source: Account = STRIPE
) -> Entry:
    """Nobody came in the hours that were booked at the dock."""
    posting = moved(source, STORAGE, amount_minor, award_id)
    return entry(Purpose.MISSED_APPOINTMENT, about, [posting])


def cancellation_fee(
    about: About, liquidator_id: LiquidatorId, amount_minor: int, award_id: AwardId
) -> Entry:
    """A seller cancelled after the hammer: it owes a fee, which later releases net."""
    posting = moved(seller_receivable(liquidator_id), CANCELLATIONS, amount_minor, award_id)
    return entry(Purpose.CANCELLATION_FEE, about, [posting])


def freight_paid(
    about: About, award_id: AwardId, cost_minor: int, collected_minor: int, source: Account = BANK
) -> Entry:
    """A carrier is paid from what was collected; what it costs beyond that, the house bears."""
    covered = min(cost_minor, collected_minor)
    return entry(
        Purpose.FREIGHT_PAID,
        about,
        [
            moved(freight_payable(award_id), source, covered, award_id),
            moved(FREIGHT, source, cost_minor - covered, award_id),
        ],
    )


def freight_earned(about: About, award_id: AwardId, margin_minor: int) -> Entry:
    """The carrier cost less than was collected, and is paid: the rest is the house's."""
    posting = moved(freight_payable(award_id), FREIGHT, margin_minor, award_id)
    return entry(Purpose.FREIGHT_EARNED, about, [posting])


def consignor_charged(
    about: About,
    consignor_id: ConsignorId,
    liquidator_id: LiquidatorId,
    amount_minor: int,
    award_id: AwardId | None = None,
) -> Entry:
    """A consignor's costs (fees of what did not sell) go from what it is owed to its seller."""
    posting = moved(
        consignor_payable(consignor_id), seller_payable(liquidator_id), amount_minor, award_id
    )
    return entry(Purpose.CONSIGNOR_CHARGED, about, [posting])


def consignor_paid(
    about: About, consignor_id: ConsignorId, amount_minor: int, source: Account = BANK
) -> Entry:
    """What is owed to a consignor is sent, by bank file or to its account at Stripe."""
    posting = moved(consignor_payable(consignor_id), source, amount_minor)
    return entry(Purpose.CONSIGNOR_PAID, about, [posting])


def payout(about: About, amount_minor: int) -> Entry:
    """The platform's own money goes to the bank (`statements.free_to_pay_out_minor`)."""
    return entry(Purpose.PAYOUT, about, [moved(BANK, STRIPE, amount_minor)])


def payout_returned(about: About, amount_minor: int) -> Entry:
    """A payout failed: the money is at Stripe again."""
    return entry(Purpose.PAYOUT_RETURNED, about, [moved(STRIPE, BANK, amount_minor)])


def credit_refunded(
    about: About, buyer_id: BidderId, amount_minor: int, source: Account = STRIPE
) -> Entry:
    """A buyer's credit is paid back."""
    posting = moved(buyer_credit(buyer_id), source, amount_minor)
    return entry(Purpose.CREDIT_REFUNDED, about, [posting])


def credit_set_aside(about: About, buyer_id: BidderId, purse: str, amount_minor: int) -> Entry:
    """A buyer's credit is to be paid back: until it has gone, nothing else takes it."""
    posting = moved(buyer_credit(buyer_id), buyer_credit(BidderId(purse)), amount_minor)
    return entry(Purpose.CREDIT_SET_ASIDE, about, [posting])


def wire_identified(about: About, buyer_id: BidderId, amount_minor: int) -> Entry:
    """It is known whose a wire was that came in without a name we know."""
    posting = moved(buyer_credit(UNIDENTIFIED), buyer_credit(buyer_id), amount_minor)
    return entry(Purpose.WIRE_IDENTIFIED, about, [posting])


def tax_remitted(about: About, place: TaxPlace, amount_minor: int) -> Entry:
    """A place's tax is paid to it."""
    return entry(Purpose.TAX_REMITTED, about, [moved(sales_tax(place), BANK, amount_minor)])


def rounding(about: About, against: Account, difference_minor: int) -> Entry:
    """An account is brought to what it is in truth; above 0: it is debited."""
    if difference_minor > 0:
        posting = moved(against, ROUNDING, difference_minor)
    else:
        posting = moved(ROUNDING, against, -difference_minor)
    return entry(Purpose.ROUNDING, about, [posting])


def adjustment(about: About, debit: Account, credit: Account, amount_minor: int) -> Entry:
    """What two people decided; ``about.note`` says why."""
    if not about.note.strip():
        raise ValueError("note: an adjustment says why")
    return entry(Purpose.ADJUSTMENT, about, [Posting(debit, credit, amount_minor)])
