import pytest

from auction.costs import all_in_minor, premium_minor
from auction.money import share_minor
from auction.terms import Premium, PremiumTier

FLAT_15 = Premium(tiers=(PremiumTier(0, 1_500),))
TIERS = Premium(
    tiers=(PremiumTier(0, 1_500), PremiumTier(10_000_00, 1_200), PremiumTier(50_000_00, 1_000))
)


def test_the_invoice_of_the_rules_is_right_to_the_cent() -> None:
    hammer = 1_237_50
    assert premium_minor(FLAT_15, hammer) == 185_63
    assert all_in_minor(FLAT_15, hammer, 825, 0, freight_taxable=True) == 1_540_54
    commission = share_minor(hammer, 1_000)
    assert (commission, hammer - commission) == (123_75, 1_113_75)


@pytest.mark.parametrize(
    ("hammer", "premium"),
    [
        (62_500_00, 7_550_00),
        (10_000_00, 1_500_00),
        (10_000_01, 1_500_00),  # a cent at 12 %
        (50_000_00, 6_300_00),
        (50_010_00, 6_301_00),
        (5_000_00, 750_00),
        (0, 0),
    ],
)
def test_tiers_are_marginal(hammer: int, premium: int) -> None:
    assert premium_minor(TIERS, hammer) == premium


def test_only_the_sum_of_the_tiers_is_rounded() -> None:
    halves = Premium(tiers=(PremiumTier(0, 5_000), PremiumTier(1, 5_000)))
    assert premium_minor(halves, 2) == 1  # each half cent alone would go up


def test_the_sum_of_the_tiers_is_rounded_half_up() -> None:
    assert premium_minor(TIERS, 1_237_50) == 185_63  # 185.625


@pytest.mark.parametrize(("hammer", "premium"), [(100_00, 50_00), (333_33, 50_00), (333_40, 50_01)])
def test_the_premium_has_a_minimum(hammer: int, premium: int) -> None:
    least_50 = Premium(tiers=(PremiumTier(0, 1_500),), minimum_minor=50_00)
    assert premium_minor(least_50, hammer) == premium


def test_a_minimum_holds_without_tiers_and_without_either_there_is_no_premium() -> None:
    assert premium_minor(Premium(minimum_minor=50_00), 1_000_00) == 50_00
    assert premium_minor(Premium(), 1_000_00) == 0


@pytest.mark.parametrize(
    ("premium_taxable", "freight_taxable", "total"),
    [
        (True, True, 1_000_00 + 150_00 + 200_00 + 135_00),
        (True, False, 1_000_00 + 150_00 + 200_00 + 115_00),
        (False, True, 1_000_00 + 150_00 + 200_00 + 120_00),
        (False, False, 1_000_00 + 150_00 + 200_00 + 100_00),
    ],
)
def test_flags_say_whether_premium_and_freight_are_taxed(
    premium_taxable: bool, freight_taxable: bool, total: int
) -> None:
    premium = Premium(tiers=FLAT_15.tiers, taxable=premium_taxable)
    assert all_in_minor(premium, 1_000_00, 1_000, 200_00, freight_taxable) == total


def test_without_tax_freight_and_premium_the_hammer_price_is_all() -> None:
    assert all_in_minor(Premium(), 4_000_00, 0, 0, freight_taxable=True) == 4_000_00
