"""Whatever is agreed, what is paid to both sides is what came in, to the minor unit."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from auction.consignment import (
    AgreementTerms,
    Bearer,
    CommissionTier,
    Per,
    cost_split,
    guarantee_minor,
    share_of,
    unsold_share,
)

AMOUNTS = st.integers(0, 10_000_000_00)
SMALL = st.integers(0, 500_00)
BEARERS = st.sampled_from(Bearer)


@st.composite
def agreements(draw: st.DrawFn) -> AgreementTerms:
    bounds = sorted(draw(st.sets(st.integers(1, 1_000_000_00), max_size=5)))
    rates = st.integers(0, 10_000)
    return AgreementTerms(
        commission=tuple(CommissionTier(low, draw(rates)) for low in [0, *bounds]),
        minimum_commission_minor=draw(SMALL),
        fee_per_lot_minor=draw(SMALL),
        fee_per_pallet_minor=draw(SMALL),
        fees_when_unsold=draw(st.booleans()),
        guarantee_minor=draw(SMALL),
        guarantee_per=draw(st.sampled_from(Per)),
        claims=draw(BEARERS),
        payment_fees=draw(BEARERS),
        freight=draw(BEARERS),
    )


def naive_commission(terms: AgreementTerms, base_minor: int) -> int:
    """Part by part in exact fractions, rounded half up at the end."""
    exact = Fraction(0)
    for place, tier in enumerate(terms.commission):
        above = [later.from_minor for later in terms.commission[place + 1 : place + 2]]
        high = min([base_minor, *above])
        exact += Fraction(max(0, high - tier.from_minor) * tier.rate_bps, 10_000)
    rounded = int(exact + Fraction(1, 2))
    return max(rounded, terms.minimum_commission_minor)


@given(agreements(), AMOUNTS, st.integers(0, 100), st.data())
def test_the_parts_of_a_hammer_price_sum_to_it(
    terms: AgreementTerms, hammer_minor: int, pallets: int, data: st.DataObject
) -> None:
    credit_minor = data.draw(st.integers(0, hammer_minor))
    share = share_of(terms, hammer_minor, pallets, credit_minor)
    assert share.consignor_minor + share.liquidator_minor == hammer_minor - credit_minor
    base_minor = hammer_minor - (credit_minor if terms.claims is Bearer.SHARED else 0)
    assert share.commission_minor == naive_commission(terms, base_minor)
    fees_minor = terms.fee_per_lot_minor + pallets * terms.fee_per_pallet_minor
    assert share.fees_minor == fees_minor
    borne_minor = credit_minor if terms.claims is Bearer.CONSIGNOR else 0
    least_minor = guarantee_minor(terms, pallets)
    if least_minor:
        assert share.consignor_minor >= least_minor - borne_minor
        assert share.top_up_minor == 0 or share.consignor_minor == least_minor - borne_minor
    else:
        assert share.top_up_minor == 0


@given(agreements(), AMOUNTS, st.integers(0, 100), AMOUNTS, BEARERS)
def test_a_cost_is_borne_whole_and_by_nobody_twice(
    terms: AgreementTerms, hammer_minor: int, pallets: int, cost_minor: int, bearer: Bearer
) -> None:
    share = share_of(terms, hammer_minor, pallets)
    parts = cost_split(bearer, cost_minor, share)
    assert sum(parts) == cost_minor and min(parts) >= 0
    if bearer is not Bearer.SHARED and cost_minor:
        assert parts.index(cost_minor) == (bearer is Bearer.LIQUIDATOR)
    elif share.consignor_minor > 0 and share.liquidator_minor > 0:
        exact = Fraction(cost_minor * share.consignor_minor, hammer_minor)
        assert abs(parts[0] - exact) <= Fraction(1, 2)


@given(agreements(), st.integers(0, 100))
def test_a_lot_that_is_not_sold_moves_its_fees_at_most(terms: AgreementTerms, pallets: int) -> None:
    share = unsold_share(terms, pallets)
    assert share.consignor_minor + share.liquidator_minor == 0
    assert share.liquidator_minor == share.fees_minor
    assert terms.fees_when_unsold or not share.fees_minor
