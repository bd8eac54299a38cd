"""Who gets what of a hammer price: the examples of the rules, and the words for them."""

from typing import Any

import pytest

from auction.consignment import (
    AgreementTerms,
    Bearer,
    CommissionTier,
    Per,
    cost_split,
    example,
    in_words,
    share_of,
    terms_fault,
    unsold_share,
)


def agreed(*tiers: tuple[int, int], **changes: Any) -> AgreementTerms:
    commission = tuple(CommissionTier(low, rate) for low, rate in tiers or [(0, 1_200)])
    return AgreementTerms(commission=commission, **changes)


def test_commission_and_fees_per_pallet_come_off_the_hammer_price() -> None:
    share = share_of(agreed(fee_per_pallet_minor=18_00), 10_000_00, pallets=4)
    assert (share.commission_minor, share.fees_minor) == (1_200_00, 72_00)
    assert (share.consignor_minor, share.liquidator_minor) == (8_728_00, 1_272_00)


def test_each_tier_takes_its_rate_of_its_own_part() -> None:
    terms = agreed((0, 1_500), (10_000_00, 1_200), (50_000_00, 1_000))
    assert share_of(terms, 62_500_00, 0).commission_minor == 7_550_00
    assert share_of(terms, 10_000_00, 0).commission_minor == 1_500_00


def test_the_commission_is_rounded_half_up_and_the_consignor_gets_the_rest() -> None:
    share = share_of(agreed((0, 1_000)), 1_237_55, 0)
    assert (share.commission_minor, share.consignor_minor) == (123_76, 1_113_79)


def test_a_minimum_may_take_more_than_a_lot_brought() -> None:
    share = share_of(agreed(minimum_commission_minor=50_00), 30_00, 0)
    assert (share.consignor_minor, share.liquidator_minor) == (-20_00, 50_00)


@pytest.mark.parametrize(("per", "top_up_minor"), [(Per.LOT, 120_00), (Per.PALLET, 1_120_00)])
def test_the_liquidator_adds_what_a_guarantee_lacks(per: Per, top_up_minor: int) -> None:
    terms = agreed(guarantee_minor=1_000_00, guarantee_per=per)
    share = share_of(terms, 1_000_00, pallets=2)
    assert share.top_up_minor == top_up_minor
    assert share.consignor_minor == 880_00 + top_up_minor
    assert share.consignor_minor + share.liquidator_minor == 1_000_00


@pytest.mark.parametrize(
    ("bearer", "consignor_minor", "liquidator_minor"),
    [
        (Bearer.SHARED, 792_00, 108_00),
        (Bearer.CONSIGNOR, 780_00, 120_00),
        (Bearer.LIQUIDATOR, 880_00, 20_00),
    ],
)
def test_a_credit_to_the_buyer_is_borne_as_agreed(
    bearer: Bearer, consignor_minor: int, liquidator_minor: int
) -> None:
    share = share_of(agreed(claims=bearer), 1_000_00, 0, credit_minor=100_00)
    assert (share.consignor_minor, share.liquidator_minor) == (consignor_minor, liquidator_minor)


def test_fees_are_owed_for_unsold_lots_only_where_that_is_agreed() -> None:
    fees = {"fee_per_lot_minor": 25_00, "fee_per_pallet_minor": 18_00}
    assert unsold_share(agreed(**fees), 2).consignor_minor == 0
    assert unsold_share(agreed(**fees, fees_when_unsold=True), 2).consignor_minor == -61_00


def test_a_shared_cost_is_split_by_what_each_gets() -> None:
    share = share_of(agreed(), 1_000_00, 0)
    assert cost_split(Bearer.SHARED, 30_30, share) == (26_66, 3_64)
    nothing = share_of(agreed(), 0, 0)
    assert cost_split(Bearer.SHARED, 30_30, nothing) == (0, 30_30)


@pytest.mark.parametrize(
    ("terms", "place"),
    [
        (agreed((5, 100)), "commission"),
        (agreed((0, 100), (0, 200)), "commission"),
        (agreed((0, 100), (900, 200), (800, 1)), "commission"),
        (agreed(currency="XXX"), "currency"),
    ],
)
def test_what_cannot_be_agreed_names_its_place(terms: AgreementTerms, place: str) -> None:
    assert (terms_fault(terms) or "").startswith(f"{place}: ")


def test_the_words_say_what_is_computed() -> None:
    terms = agreed(
        (0, 1_200), (5_000_00, 800), fee_per_pallet_minor=18_00, guarantee_minor=500_00, net_days=1
    )
    said = {clause.title: clause.text for clause in in_words(terms, "Northwind")}
    assert said["Commission"] == "12 % of the hammer price, 8 % of the part above $5,000."
    assert said["Fees"] == "$18 a pallet. Not for lots that are not sold."
    assert "at least $500 for each lot" in said["Guarantee"]
    assert said["Paid"] == "1 day after the buyer has accepted the goods."
    assert example(terms, "Northwind", 1_000_00, 4) == (
        "Of a hammer price of $1,000 for a lot on 4 pallets, Northwind gets $808 and the "
        "liquidator keeps $192: commission $120, fees $72."
    )
    assert "and $176.00" not in example(terms, "Northwind", 500_00, 4)
    assert "$132 added to reach the guarantee" in example(terms, "Northwind", 500_00, 4)
    assert "$432" not in example(terms, "Northwind", 500_00, 4)
