"""The rules compute what the books take: the worked example from the hammer to the release."""

from auction.catalog.goods import Condition, ManifestLine
from settlement.claims import ClaimedLine, Reason, Threshold, credit_of
from settlement.invoices import invoices_of, left_of
from settlement.policy import Commission
from settlement.postings import capture, claim_credit, release
from settlement.releases import release_of
from tests.books import NORTH, about, sides
from tests.settlement_rules import CALENDAR, SALE, award, policy, premium_of, tax_at

GOODS = [
    ManifestLine(
        line=1, description="Fan", condition=Condition.NEW, quantity=25, unit_msrp_minor=40_00
    )
]


def test_the_worked_example_from_the_hammer_to_the_release() -> None:
    [invoice] = invoices_of(
        SALE,
        premium_of(1_000),
        [(award("12", 1_000_000), tax_at())],
        policy(card_cap_minor=2_000_000),
        CALENDAR,
    )
    assert policy(card_cap_minor=2_000_000).takes_card(invoice.total_minor)
    [line] = invoice.lines

    assert sides(capture(about(invoice.invoice_id), [line.money])) == (
        {"stripe_balance": 1_190_750},
        {"held:S1~12": 1_000_000, "deferred_fees:S1~12": 100_000, "sales_tax:US-TX": 90_750},
    )

    # 12 % of the MSRP: three of twenty-five pieces.
    missing = [ClaimedLine(line=1, reason=Reason.MISSING, quantity=3)]
    back = credit_of(line, GOODS, missing, Threshold(500))
    assert sides(claim_credit(about(line.award_id), back)) == (
        {"held:S1~12": 120_000, "deferred_fees:S1~12": 12_000, "sales_tax:US-TX": 10_890},
        {"stripe_balance": 142_890},
    )

    left = left_of(line, [back])
    made = release_of(line, left, Commission(500))
    assert sides(release(about(line.award_id), NORTH, left, made.commission_minor)) == (
        {"held:S1~12": 880_000, "deferred_fees:S1~12": 88_000},
        {
            "seller_payable:north": made.liquidator_minor,
            "commission_income": 44_000,
            "premium_income": 88_000,
        },
    )
    assert made.liquidator_minor == 836_000
