"""The terms of a sale as people read them."""

from auction.increments import EBAY
from auction.plain_terms import clauses, percent, premium_in_words, span
from auction.terms import (
    ClosingMode,
    Confirmation,
    ExtensionMode,
    Premium,
    PremiumTier,
    PriceRule,
    SoftClose,
    Terms,
)


def said(terms: Terms) -> dict[str, str]:
    return {clause.title: clause.text for clause in clauses(terms)}


def test_the_default_terms_are_said_whole() -> None:
    texts = said(Terms())
    assert "one step above the next highest bid" in texts["How a bid works"]
    assert "$5 below $100, $10 below $500" in texts["Steps"]
    assert "$1,000 from $50,000 on" in texts["Steps"]
    assert "multiples of $1." in texts["Steps"]
    assert "last 5 minutes" in texts["When a lot ends"]
    assert "not sold" in texts["Reserve"]
    assert texts["Buyer's premium"] == "There is none."
    assert "To bid in this sale" not in texts


def test_each_choice_of_the_terms_changes_the_words() -> None:
    terms = Terms(
        increments=EBAY,
        price_rule=PriceRule.AT_MAXIMUM,
        soft_close=SoftClose(90_000_000, 60_000_000, ExtensionMode.ADD),
        closing=ClosingMode.CASCADE,
        if_bid_us=86_400_000_000,
        freight_taxable=False,
        deposit_minor=600_00,
        certificate_required=True,
    )
    texts = said(terms)
    assert "exactly what you enter" in texts["How a bid works"]
    assert "multiples" not in texts["Steps"]
    assert "last 90 seconds moves the end of its lot by 1 minute" in texts["When a lot ends"]
    assert "All lots that end later" in texts["When a lot ends"]
    assert "stands for 24 hours" in texts["Reserve"]
    assert "winning bid and the premium," in texts["Tax"]
    assert "certificate" in texts["To bid in this sale"]
    assert "deposit of $600; you can lead and owe up to 10 times" in texts["To bid in this sale"]


def test_that_a_seller_confirms_and_what_its_silence_means_is_said() -> None:
    title = "The seller confirms"
    assert title not in said(Terms())
    sold = said(Terms(confirmation=Confirmation.ELSE_SOLD))[title]
    assert sold.endswith("the lot is sold.")
    cancelled = said(Terms(confirmation=Confirmation.ELSE_CANCELLED))[title]
    assert cancelled.endswith("the lot is not sold.")


def test_every_rule_has_words() -> None:
    for rule in PriceRule:
        assert said(Terms(price_rule=rule))["How a bid works"]
    for closing in ClosingMode:
        assert said(Terms(closing=closing))["When a lot ends"]
    assert "whatever is bid last" in said(Terms(soft_close=None))["When a lot ends"]


def test_a_premium_is_said_with_its_tiers_and_minimum() -> None:
    tiers = (PremiumTier(0, 1_500), PremiumTier(10_000_00, 1_225))
    assert (
        premium_in_words(Premium(tiers, 50_00), "USD")
        == "15 % of the winning bid, 12.25 % of the part above $10,000, at least $50 a lot."
    )
    assert premium_in_words(Premium((), 50_00), "USD") == "$50 a lot."


def test_spans_and_rates_are_short() -> None:
    assert [span(seconds * 1_000_000) for seconds in (30, 60, 90, 300, 5_400, 86_400)] == [
        "30 seconds",
        "1 minute",
        "90 seconds",
        "5 minutes",
        "90 minutes",
        "24 hours",
    ]
    assert [percent(bps) for bps in (1_000, 825, 1_050)] == ["10 %", "8.25 %", "10.5 %"]
