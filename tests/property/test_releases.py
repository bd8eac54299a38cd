"""Whatever is agreed and credited: what is released sums to what is held, to the minor unit."""

from hypothesis import given
from hypothesis import strategies as st

from auction.consignment import AgreementTerms, Bearer, CommissionTier
from settlement.entries import AwardMoney
from settlement.invoices import left_of, line_of
from settlement.policy import Commission
from settlement.releases import Consigned, release_of
from tests.settlement_rules import award, premium_of, tax_at

AMOUNTS = st.integers(1, 1_000_000_00)
SMALL = st.integers(0, 500_00)


@st.composite
def consigned(draw: st.DrawFn) -> Consigned:
    terms = AgreementTerms(
        commission=(CommissionTier(0, draw(st.integers(0, 10_000))),),
        minimum_commission_minor=draw(SMALL),
        fee_per_pallet_minor=draw(SMALL),
        guarantee_minor=draw(SMALL),
        claims=draw(st.sampled_from(Bearer)),
    )
    return Consigned(terms, draw(st.integers(0, 30)))


@given(
    AMOUNTS,
    st.builds(Commission, st.integers(0, 10_000), SMALL),
    st.none() | consigned(),
    st.data(),
)
def test_a_release_is_the_sum_of_its_parts(
    hammer: int, commission: Commission, goods: Consigned | None, data: st.DataObject
) -> None:
    sold = line_of(award(hammer_minor=hammer), premium_of(), tax_at())
    back = data.draw(st.integers(0, hammer))
    left = left_of(sold, [AwardMoney(award_id=sold.award_id, hammer_minor=back)])
    made = release_of(sold, left, commission, goods)
    parts = made.commission_minor + made.consignor_minor + made.liquidator_minor
    assert parts == made.hammer_minor == hammer - back
    assert 0 <= made.commission_minor <= made.hammer_minor
    assert goods is not None or made.liquidator_minor >= 0
