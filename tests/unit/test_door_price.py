"""What a bid comes to at the door, with each line, and how that stands to the engine's limits."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auction.catalog.door_price import DoorPrice, door_price
from auction.catalog.taxes import BidderTax, Place, TaxRate
from auction.costs import all_in_minor
from auction.terms import Premium, PremiumTier, Terms

ILLINOIS: Final = Place("US", "IL")
TERMS: Final = Terms(premium=Premium((PremiumTier(0, 1_500),)))


def taxed(ppm: int = 82_500, *, premium: bool = True, freight: bool = True) -> BidderTax:
    rate = TaxRate(ILLINOIS, ppm, premium, freight, "of a test")
    return BidderTax(ILLINOIS, rate, exempt=False)


NO_TAX: Final = BidderTax(ILLINOIS, None, exempt=False)


def test_the_example_of_the_rules() -> None:
    """Hammer 1,237.50, premium 15 % 185.63, tax 8.25 % of 1,423.13 = 117.41: 1,540.54."""
    price = door_price(TERMS, 1_237_50, taxed(), None)
    assert price == DoorPrice(1_237_50, 185_63, 117_41, None, "USD")
    assert price.total_minor == 1_540_54


def test_freight_is_added_and_taxed() -> None:
    price = door_price(TERMS, 1_237_50, taxed(), 100_00)
    assert (price.tax_minor, price.freight_minor) == (125_66, 100_00)
    assert price.total_minor == 1_237_50 + 185_63 + 125_66 + 100_00


def test_what_is_taxed_is_a_matter_of_the_terms_and_of_the_place() -> None:
    for premium in (True, False):
        for freight in (True, False):
            at_the_place = taxed(100_000, premium=premium, freight=freight)
            by_terms = replace(
                TERMS,
                premium=replace(TERMS.premium, taxable=premium),
                freight_taxable=freight,
            )
            base = 1_000_00 + premium * 150_00 + freight * 200_00
            for terms, tax in ((TERMS, at_the_place), (by_terms, taxed(100_000))):
                assert door_price(terms, 1_000_00, tax, 200_00).tax_minor == base // 10


def test_a_certificate_exempts_and_an_unknown_place_is_not_taxed() -> None:
    exempt = replace(taxed(), exempt=True)
    for tax in (exempt, NO_TAX):
        assert (tax.tax_bps, door_price(TERMS, 1_000_00, tax, 50_00).tax_minor) == (0, 0)


def test_a_rate_finer_than_the_engines_is_rounded_up_there() -> None:
    """6.875 % of 1,000.00 is 68.75; the engine counts 6.88 %, 68.80."""
    minnesota = taxed(68_750)
    assert minnesota.tax_bps == 688
    assert door_price(Terms(), 1_000_00, minnesota, None).tax_minor == 68_75
    assert taxed(60_000).tax_bps == 600


def test_the_share_of_the_msrp_is_that_of_the_whole() -> None:
    price = DoorPrice(1_000_00, 100_00, 0, 150_00, "USD")
    assert price.of_msrp_bps(5_000_00) == 2_500
    assert price.of_msrp_bps(3_000_00) == 4_167  # 41.666... %
    assert price.of_msrp_bps(0) is None


@given(
    bid_minor=st.integers(1, 10**9),
    freight_minor=st.none() | st.integers(0, 10**7),
    ppm=st.integers(0, 200_000),
    exempt=st.booleans(),
    taxable=st.tuples(*[st.booleans()] * 4),
    minimum=st.sampled_from([0, 50_00]),
)
def test_nobody_is_shown_more_than_weighs_on_the_limit(
    bid_minor: int,
    freight_minor: int | None,
    ppm: int,
    exempt: bool,
    taxable: tuple[bool, bool, bool, bool],
    minimum: int,
) -> None:
    tiers = (PremiumTier(0, 1_500), PremiumTier(10_000_00, 1_200))
    premium = Premium(tiers, minimum_minor=minimum, taxable=taxable[0])
    terms = Terms(premium=premium, freight_taxable=taxable[1])
    tax = replace(taxed(ppm, premium=taxable[2], freight=taxable[3]), exempt=exempt)
    shown = door_price(terms, bid_minor, tax, freight_minor)
    freight = freight_minor or 0
    weighs = all_in_minor(premium, bid_minor, tax.tax_bps, freight, terms.freight_taxable)
    assert shown.total_minor <= weighs
    if ppm % 100 == 0 and taxable[2] and taxable[3]:
        assert shown.total_minor == weighs
