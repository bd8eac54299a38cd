from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from auction.increments import EBAY, LIQUIDATION, IncrementTable, table
from auction.terms import (
    ClosingMode,
    ExtensionMode,
    Premium,
    PremiumTier,
    PriceRule,
    SoftClose,
    Terms,
    VoidRule,
    listing_fault,
    terms_fault,
)
from tests.builders import EBAY_TERMS, MINUTE_US, a_lot, at


def test_the_defaults_are_those_of_the_rules() -> None:
    terms = Terms()
    assert terms.increments is LIQUIDATION
    assert terms.price_rule is PriceRule.INCREMENT_OVER
    assert terms.closing is ClosingMode.INDEPENDENT
    assert terms.void_rule is VoidRule.RESTORE
    assert terms.soft_close is not None and terms.soft_close.mode is ExtensionMode.RESET
    assert a_lot().latest_end_us is None
    assert terms_fault(terms) is None


@dataclass(frozen=True)
class Bad:
    terms: Terms
    says: str


BAD_TERMS = {
    "unknown currency": Bad(
        Terms(currency="XAU"), "terms.currency: 'XAU' is not a currency that sales are held in"
    ),
    "dollars in yen": Bad(
        Terms(currency="JPY"), "terms.increments: the preset is not made for JPY"
    ),
    "no window": Bad(
        Terms(soft_close=SoftClose(0, MINUTE_US)),
        "terms.soft_close: window and extension must be longer than nothing",
    ),
    "no extension": Bad(
        Terms(soft_close=SoftClose(MINUTE_US, 0)),
        "terms.soft_close: window and extension must be longer than nothing",
    ),
    "tiers from 100": Bad(
        Terms(premium=Premium(tiers=(PremiumTier(100, 1_500),))),
        "terms.premium.tiers: must start at 0 and rise",
    ),
    "tiers that fall": Bad(
        Terms(premium=Premium(tiers=(PremiumTier(0, 1), PremiumTier(9, 1), PremiumTier(5, 1)))),
        "terms.premium.tiers: must start at 0 and rise",
    ),
    "steps from 1": Bad(
        Terms(increments=IncrementTable(table((1, 5)))),
        "terms.increments: the steps must start at price 0 and rise",
    ),
}


@pytest.mark.parametrize("name", BAD_TERMS)
def test_terms_that_cannot_work_are_named(name: str) -> None:
    assert terms_fault(BAD_TERMS[name].terms) == BAD_TERMS[name].says


def test_yen_are_fine_with_an_own_table() -> None:
    own = IncrementTable(table((0, 100)), unit_minor=100)
    assert terms_fault(Terms(currency="JPY", increments=own)) is None


def test_a_lot_may_open_at_any_time_before_it_closes() -> None:
    assert listing_fault(a_lot(), EBAY_TERMS, at("10:00")) is None
    assert listing_fault(a_lot(), EBAY_TERMS, at("15:59:59.999999")) is None


BAD_LISTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "closes as it opens": (
        {"opens_at_us": at("16:00")},
        "lot 1: closes_at must be after opens_at",
    ),
    "already past": (
        {"opens_at_us": at("08:00"), "closes_at_us": at("10:00")},
        "lot 1: closes_at is already past",
    ),
    "latest end too early": (
        {"latest_end_us": at("15:59:59.999999")},
        "lot 1: latest_end must not be before closes_at",
    ),
    "opening bid too low": (
        {"opening_minor": 49_00},
        "lot 1: the opening bid is below the least that the increments allow",
    ),
    "opening bid with cents": (
        {"opening_minor": 100_50},
        "lot 1: opening bid and reserve must be multiples of 100 minor units",
    ),
    "reserve with cents": (
        {"reserve_minor": 100_50},
        "lot 1: opening bid and reserve must be multiples of 100 minor units",
    ),
}


@pytest.mark.parametrize("name", BAD_LISTINGS)
def test_a_lot_that_cannot_be_sold_is_named(name: str) -> None:
    changes, says = BAD_LISTINGS[name]
    terms = replace(EBAY_TERMS, increments=LIQUIDATION)
    assert listing_fault(a_lot(**changes), terms, at("10:00")) == says


def test_the_least_opening_bid_and_a_latest_end_at_the_end_are_fine() -> None:
    terms = replace(EBAY_TERMS, increments=LIQUIDATION)
    lot = a_lot(opening_minor=50_00, reserve_minor=1_000_00, latest_end_us=at("16:00"))
    assert listing_fault(lot, terms, at("10:00")) is None


def test_ebay_openings_go_down_to_a_cent() -> None:
    terms = replace(EBAY_TERMS, increments=EBAY)
    assert listing_fault(a_lot(opening_minor=1), terms, at("10:00")) is None
