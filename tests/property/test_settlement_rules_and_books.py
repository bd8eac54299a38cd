"""Whatever is sold, claimed and agreed: after the release nothing is held, and no cent is lost."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from auction.catalog.goods import Condition, ManifestLine
from auction.consignment import AgreementTerms, CommissionTier
from settlement.claims import ClaimedLine, Reason, Threshold, credit_of
from settlement.entries import ConsignedPart, Entry
from settlement.invoices import left_of, line_of
from settlement.policy import Commission, ThresholdPays
from settlement.postings import capture, claim_credit, release
from settlement.releases import Consigned, release_of
from tests.books import NORTH, TARGET, about, sides
from tests.settlement_rules import award, premium_of, tax_at

GOODS = [
    ManifestLine(
        line=1, description="Fan", condition=Condition.NEW, quantity=97, unit_msrp_minor=39_99
    )
]


@given(
    st.integers(1, 1_000_000_00),
    st.integers(0, 200_000),
    st.integers(0, 97),
    st.integers(0, 2_000),
    st.sampled_from(ThresholdPays),
    st.integers(0, 10_000),
    st.none() | st.integers(0, 10_000),
)
def test_what_was_captured_is_with_its_owners_in_the_end(
    hammer: int,
    rate_ppm: int,
    missing: int,
    threshold_bps: int,
    pays: ThresholdPays,
    commission_bps: int,
    agreed_bps: int | None,
) -> None:
    line = line_of(award("12", hammer), premium_of(), tax_at(rate_ppm=rate_ppm))
    entries = [capture(about("S1~buyer"), [line.money])]
    credited = []
    if missing:
        claimed = [ClaimedLine(line=1, reason=Reason.MISSING, quantity=missing)]
        credited = [credit_of(line, GOODS, claimed, Threshold(threshold_bps, pays))]
    if any(each.total_minor for each in credited):
        entries.append(claim_credit(about(), credited[0]))
    left = left_of(line, credited)
    if left.total_minor:
        consigned = part = None
        if agreed_bps is not None:
            terms = AgreementTerms(commission=(CommissionTier(0, agreed_bps),))
            consigned = Consigned(terms, 0)
        made = release_of(line, left, Commission(commission_bps), consigned)
        if consigned is not None:
            part = ConsignedPart(TARGET, made.consignor_minor)
        entries.append(release(about(), NORTH, left, made.commission_minor, part))
        balance = balances(entries)
        owed = balance["seller_payable:north"] + balance["seller_receivable:north"]
        assert -owed == made.liquidator_minor
    balance = balances(entries)
    assert balance["held:S1~12"] == balance["deferred_fees:S1~12"] == 0
    assert sum(balance.values()) == 0
    assert balance["stripe_balance"] == left.total_minor
    stays = line.tax.on_minor(left.hammer_minor, left.premium_minor, 0)
    assert balance["sales_tax:US-TX"] == -stays


def balances(entries: list[Entry]) -> Counter[str]:
    """Debits less credits of each account."""
    total = Counter[str]()
    for each in entries:
        debits, credits_ = sides(each)
        total.update(debits)
        total.subtract(credits_)
    return total
