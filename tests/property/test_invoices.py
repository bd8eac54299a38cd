"""Whatever is sold and paid: parts sum to the whole, and no cent is made or lost."""

from hypothesis import given
from hypothesis import strategies as st

from auction.catalog.door_price import door_price
from auction.terms import Premium, PremiumTier, Terms
from settlement.invoices import Line, funding_of, invoices_of, line_of
from tests.settlement_rules import (
    BUYER,
    CALENDAR,
    CLOSED,
    DALLAS,
    PORTLAND,
    SALE,
    award,
    policy,
    tax_at,
)

AMOUNTS = st.integers(1, 1_000_000_00)
RATES = st.integers(0, 250_000)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    bounds = sorted(draw(st.sets(st.integers(1, 100_000_00), max_size=3)))
    tiers = tuple(PremiumTier(low, draw(st.integers(0, 3_000))) for low in [0, *bounds])
    premium = Premium(tiers, draw(st.integers(0, 100_00)), draw(st.booleans()))
    return Terms(premium=premium, freight_taxable=draw(st.booleans()))


@st.composite
def lines(draw: st.DrawFn) -> list[Line]:
    agreed, rate = draw(terms()), draw(RATES)
    hammers = draw(st.lists(AMOUNTS, min_size=1, max_size=8))
    return [
        line_of(
            award(str(number), hammer, closed_at_us=CLOSED + draw(st.integers(0, 3))),
            agreed,
            tax_at(rate_ppm=rate),
        )
        for number, hammer in enumerate(hammers)
    ]


@given(terms(), AMOUNTS, st.integers(0, 10_000_00), RATES, *[st.booleans()] * 3)
def test_a_line_is_what_the_lot_was_priced_at_while_it_was_bid_on(
    agreed: Terms,
    hammer: int,
    freight: int,
    rate: int,
    premium_taxed: bool,
    freight_taxed: bool,
    exempt: bool,
) -> None:
    tax = tax_at(rate_ppm=rate, premium=premium_taxed, freight=freight_taxed, exempt=exempt)
    made = line_of(award(hammer_minor=hammer, freight_minor=freight), agreed, tax)
    shown = door_price(agreed, hammer, tax, freight)
    assert (made.premium_minor, made.tax_minor) == (shown.premium_minor, shown.tax_minor)
    assert made.total_minor == shown.total_minor == made.money.total_minor


@given(terms(), st.lists(st.tuples(AMOUNTS, st.booleans()), min_size=1, max_size=12))
def test_every_award_is_on_one_invoice(agreed: Terms, sold: list[tuple[int, bool]]) -> None:
    awards = [
        (award(str(number), hammer, ship_from=DALLAS if here else PORTLAND), tax_at())
        for number, (hammer, here) in enumerate(sold)
    ]
    made = invoices_of(SALE, agreed, awards, policy(), CALENDAR)
    listed = [line.award_id for invoice in made for line in invoice.lines]
    assert sorted(listed) == sorted(each.award_id for each, _ in awards)
    assert len(made) == len({here for _, here in sold})
    whole = sum(line_of(each, agreed, tax).total_minor for each, tax in awards)
    assert sum(invoice.total_minor for invoice in made) == whole
    assert {invoice.buyer_id for invoice in made} == {BUYER}


@given(lines(), st.lists(st.integers(0, 2_000_000_00), min_size=1, max_size=8), st.data())
def test_payments_never_fund_more_than_was_paid(
    owed: list[Line], payments: list[int], data: st.DataObject
) -> None:
    totals = {line.award_id: line.total_minor for line in owed}
    funded: list[str] = []
    kept = 0
    for payment in payments:
        named = data.draw(st.lists(st.sampled_from(sorted(totals)), max_size=3))
        kept += payment
        paid = funding_of(owed, kept, named=named, already=[a for a in totals if a in funded])
        spent = sum(totals[award_id] for award_id in paid.funded)
        assert spent + paid.towards_minor + paid.over_minor == kept
        assert paid.towards is None or paid.towards_minor < totals[paid.towards]
        assert not set(paid.funded) & set(funded)
        kept -= spent
        funded += paid.funded
    assert sum(totals[a] for a in totals if a in funded) + kept == sum(payments)
    if sum(payments) >= sum(totals.values()):
        assert set(funded) == set(totals)
