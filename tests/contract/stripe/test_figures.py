"""The worked example's figures at Stripe, to the cent."""

import pytest

from settlement.stripe_simulator import books, currencies
from settlement.stripe_simulator.problems import Refused


@pytest.mark.parametrize(
    ("method", "amount", "currency", "fee"),
    [
        ("card", 1_190_750, "usd", 34_562),
        ("card", 50, "usd", 31),
        ("card", 100_000, "jpy", 2_900),
        ("card", 100_000, "kwd", 3_200),
        ("us_bank_account", 10_000, "usd", 80),
        ("us_bank_account", 1_190_750, "usd", 500),
        ("customer_balance", 10_000, "usd", 50),
        ("customer_balance", 1_190_750, "usd", 500),
    ],
)
def test_a_fee_is_rounded_half_up(method: str, amount: int, currency: str, fee: int) -> None:
    assert books.fee(method, amount, currency) == fee


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (50, "usd", None),
        (49, "usd", "amount_too_small"),
        (30, "gbp", None),
        (50, "jpy", None),
        (500, "kwd", None),
        (490, "kwd", "amount_too_small"),
        (99_999_999, "usd", None),
        (100_000_000, "usd", "amount_too_large"),
    ],
)
def test_amounts_fit_their_currency(amount: int, currency: str, code: str | None) -> None:
    try:
        currencies.chargeable(amount, currency)
        found = None
    except Refused as refused:
        found = refused.code
    assert found == code
