"""The mails of settlement in words."""

from settlement.telling import Kind, mail_to, words_of
from tests.settlement_rules import CHICAGO, at_us

LOT = {"lot": "12A", "title": "Toasters", "currency": "USD", "zone": CHICAGO}
WHEN_US = at_us("2026-03-10 17:00")
WHEN = "Tuesday, 10 March 2026 at 17:00 (CDT)"


def test_an_invoice_says_what_it_comes_to_and_until_when_by_the_clocks_of_the_sale() -> None:
    facts = LOT | {"number": 7, "total_minor": 1_540_54, "due_at_us": WHEN_US, "lots": 1}
    words = words_of(Kind.INVOICED, facts | {"sale_title": "Returns of March"})
    assert words.subject == "Invoice 7: $1,540.54 for Returns of March"
    assert f"due by {WHEN}" in words.text and "one lot" in words.text


def test_an_offer_and_its_question_say_the_price_and_until_when() -> None:
    facts = LOT | {"price_minor": 3_050_00, "until_us": WHEN_US, "reserve": "NOT_MET"}
    for kind in (Kind.OFFERED, Kind.CONSENT_ASKED):
        words = words_of(kind, facts)
        assert "$3,050.00" in words.subject and WHEN in words.text
    assert "below your reserve" in words_of(Kind.CONSENT_ASKED, facts).text
    assert "reserve" not in words_of(Kind.CONSENT_ASKED, facts | {"reserve": "MET"}).text


def test_a_cancellation_says_what_goes_back_and_what_it_costs() -> None:
    facts = LOT | {
        "reason": "Sold by mistake.", "refund_minor": 0, "fee_minor": 810_00,
        "hammer_minor": 4_050_00,
    }  # fmt: skip
    assert "go back" not in words_of(Kind.CANCELLED, facts).text
    assert "$100.00 go back" in words_of(Kind.CANCELLED, facts | {"refund_minor": 100_00}).text
    assert "fee is $810.00" in words_of(Kind.SALE_CANCELLED, facts).text
    assert "no fee" in words_of(Kind.SALE_CANCELLED, facts | {"fee_minor": 0}).text


def test_a_default_says_what_is_lost_and_until_when_nothing_can_be_bid() -> None:
    facts = LOT | {
        "number": 7, "deposit_minor": 200_00, "relist_fees_minor": 405_00,
        "suspended_until_us": WHEN_US,
    }  # fmt: skip
    words = words_of(Kind.DEFAULTED, facts)
    assert all(said in words.text for said in ("$200.00", "$405.00", WHEN))


def test_a_mail_is_one_operation_for_its_turn() -> None:
    first, again = (mail_to(Kind.OFFERED, "S~1", "acme", price_minor=1) for _ in range(2))
    assert first == again
    second = mail_to(Kind.OFFERED, "S~1", "acme", turn=2)
    assert second.idempotency_key != first.idempotency_key
