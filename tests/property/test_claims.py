"""Whatever is claimed, in however many pieces: never more than was paid, and never asked back."""

from hypothesis import given
from hypothesis import strategies as st

from auction.catalog.goods import Condition, FreightTerms, ManifestLine
from settlement.claims import ClaimedLine, Reason, Threshold, credit_of, refusal_of
from settlement.entries import AwardMoney
from settlement.invoices import left_of, line_of
from settlement.policy import ThresholdPays
from tests.settlement_rules import award, premium_of, tax_at


@st.composite
def manifests(draw: st.DrawFn) -> list[ManifestLine]:
    sizes = draw(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 500_00)), min_size=1))
    return [
        ManifestLine(
            line=number,
            description="x",
            condition=Condition.NEW,
            quantity=quantity,
            unit_msrp_minor=msrp,
        )
        for number, (quantity, msrp) in enumerate(sizes[:6], start=1)
    ]


@st.composite
def claims(draw: st.DrawFn, goods: list[ManifestLine]) -> ClaimedLine:
    line = draw(st.sampled_from(goods))
    reason = draw(st.sampled_from(Reason))
    loss = 10_000 if reason is Reason.MISSING else draw(st.integers(1, 10_000))
    quantity = draw(st.integers(1, line.quantity))
    return ClaimedLine(line=line.line, reason=reason, quantity=quantity, loss_bps=loss)


@given(
    manifests(),
    st.integers(1, 100_000_00),
    st.integers(0, 2_000_00),
    st.integers(0, 200_000),
    st.integers(0, 3_000),
    st.sampled_from(ThresholdPays),
    st.data(),
)
def test_a_claim_never_credits_more_than_was_paid(
    goods: list[ManifestLine],
    hammer: int,
    freight: int,
    rate: int,
    threshold_bps: int,
    pays: ThresholdPays,
    data: st.DataObject,
) -> None:
    sold = award(hammer_minor=hammer, freight_minor=freight)
    line = line_of(sold, premium_of(), tax_at(rate_ppm=rate))
    threshold, by_line = Threshold(threshold_bps, pays), {each.line: each for each in goods}
    granted: list[ClaimedLine] = []
    credited: list[AwardMoney] = []
    for _ in range(data.draw(st.integers(1, 6))):
        claim = data.draw(claims(goods))
        if refusal_of(by_line, FreightTerms.BINDING, [claim], granted) is not None:
            continue
        granted.append(claim)
        credited.append(credit_of(line, goods, granted, threshold, credited))
        left = left_of(line, credited)  # refuses what is below nothing
        # The tax that stays is that on what stays.
        stays = line.tax.on_minor(left.hammer_minor, left.premium_minor, left.freight_minor)
        assert left.tax_minor == stays
    # At once or in pieces, it comes to the same.
    if granted:
        at_once = credit_of(line, goods, granted, threshold)
        assert sum(each.total_minor for each in credited) == at_once.total_minor
