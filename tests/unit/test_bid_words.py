"""Amounts as typed and what a bid means: the cases that the scripts of pages are held to too."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auction.amounts import NotMoney, money, parse_typed, plain, sign
from bidder_gateway.pages.meaning import MeantBid, caution, meaning

PAGES = Path(__file__).parents[1] / "pages"
TYPED: dict[str, Any] = json.loads((PAGES / "typed_money.json").read_text())
MEANT: dict[str, Any] = json.loads((PAGES / "meanings.json").read_text())


def dollars(minor: int) -> str:
    return money(minor, "USD")


@pytest.mark.parametrize(("typed", "currency", "minor"), TYPED["good"])
def test_what_people_type_is_one_exact_amount(typed: str, currency: str, minor: int) -> None:
    assert parse_typed(typed, currency) == minor


@pytest.mark.parametrize(("typed", "currency"), TYPED["bad"], ids=repr)
def test_what_is_not_exactly_one_amount_is_refused_with_a_sentence(
    typed: str, currency: str
) -> None:
    with pytest.raises(NotMoney, match=r"\A[A-Z].*\.\Z"):
        parse_typed(typed, currency)


def test_an_amount_for_a_field_can_be_read_again() -> None:
    for minor, currency in ((125_000, "USD"), (125_050, "EUR"), (1_234_500, "KWD"), (5, "JPY")):
        assert parse_typed(plain(minor, currency), currency) == minor
    assert (sign("USD"), sign("CHF"), sign("JPY")) == ("$", "CHF ", "¥")


@pytest.mark.parametrize("case", MEANT["meanings"], ids=lambda case: str(case["says"]))
def test_a_bid_is_one_sentence(case: dict[str, Any]) -> None:
    assert meaning(msgspec.convert(case["bid"], MeantBid), dollars) == case["says"]


@pytest.mark.parametrize("case", MEANT["cautions"], ids=lambda case: str(case["says"]))
def test_what_may_be_a_slip_is_looked_at_twice(case: dict[str, Any]) -> None:
    amount_minor, least_minor, msrp_minor, total_minor = case["of"]
    assert caution(amount_minor, least_minor, msrp_minor, total_minor, dollars) == case["says"]
