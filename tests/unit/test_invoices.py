"""What a buyer pays for a sale, to the cent."""

from datetime import date

import pytest

from auction.catalog.taxes import TaxRate
from auction.ids import BidderId
from auction.terms import Premium, PremiumTier, Terms
from settlement.entries import AwardMoney
from settlement.ids import AwardId
from settlement.invoices import (
    Award,
    Certificate,
    CreditReason,
    Invoice,
    Line,
    funding_of,
    invoices_of,
    late_certificate,
    left_of,
    line_of,
    tax_of,
)
from tests.settlement_rules import (
    BUYER,
    CALENDAR,
    CLOSED,
    DALLAS,
    OREGON,
    PORTLAND,
    SALE,
    TEXAS,
    at_us,
    award,
    line,
    policy,
    premium_of,
    tax_at,
)

RATES = {
    place: TaxRate(place, ppm, premium_taxable=True, freight_taxable=True, note="")
    for place, ppm in ((TEXAS, 82_500), (OREGON, 0))
}
MINUTE = 60_000_000


def invoiced(*awards: Award, terms: Terms | None = None) -> list[Invoice]:
    taxed = [(each, tax_at(each.taxed_at)) for each in awards]
    return invoices_of(SALE, terms or premium_of(), taxed, policy(), CALENDAR)


def test_each_amount_of_a_line_is_rounded_half_up() -> None:
    made = line(hammer_minor=1_237_50)
    assert (made.premium_minor, made.tax_minor, made.total_minor) == (185_63, 117_41, 1_540_54)


def test_an_invoice_is_the_sum_of_its_rounded_lines() -> None:
    [made] = invoiced(award("1"), award("2"), award("3"))
    assert made.total_minor == 3 * 1_540_54


def test_tiers_of_the_premium_are_marginal() -> None:
    tiers = Premium(
        (PremiumTier(0, 1_500), PremiumTier(10_000_00, 1_200), PremiumTier(50_000_00, 1_000))
    )
    made = line_of(award(hammer_minor=62_500_00), Terms(premium=tiers), tax_at())
    assert made.premium_minor == 7_550_00


def test_the_premium_of_a_lot_has_a_minimum() -> None:
    terms = premium_of(1_500, least_minor=50_00)
    assert line_of(award(hammer_minor=100_00), terms, tax_at()).premium_minor == 50_00


def test_the_worked_example_comes_to_what_is_captured() -> None:
    made = line_of(award(hammer_minor=1_000_000), premium_of(1_000), tax_at())
    assert (made.premium_minor, made.tax_minor, made.total_minor) == (100_000, 90_750, 1_190_750)


def test_a_buyer_gets_one_invoice_for_each_place_that_goods_ship_from() -> None:
    other = BidderId("other")
    made = invoiced(
        award("2", closed_at_us=CLOSED + MINUTE),
        award("1"),
        award("3", ship_from=PORTLAND),
        award("4", buyer_id=other),
    )
    lots = [(each.buyer_id, each.ship_from, [x.lot_id for x in each.lines]) for each in made]
    assert lots == [
        (BUYER, DALLAS, ["1", "2"]),
        (BUYER, PORTLAND, ["3"]),
        (other, DALLAS, ["4"]),
    ]
    assert len({each.invoice_id for each in made}) == 3


def test_an_invoice_has_the_same_id_when_it_is_made_again_and_another_when_lots_follow() -> None:
    [first], [again] = invoiced(award("1")), invoiced(award("1"), award("2"))
    assert first.invoice_id == again.invoice_id
    [later] = invoices_of(
        SALE, premium_of(), [(award("9"), tax_at())], policy(), CALENDAR, number=2
    )
    assert later.invoice_id == f"{first.invoice_id}~2"


def test_an_invoice_is_due_by_the_last_of_its_lots() -> None:
    [made] = invoiced(award("1"), award("2", closed_at_us=CLOSED + MINUTE))
    assert made.due_at_us == at_us("2026-03-10 17:01")


def test_what_is_collected_is_taxed_where_it_lies_and_what_is_sent_where_it_goes() -> None:
    collected = tax_of(award(), RATES, (), CALENDAR)
    assert line_of(award(), premium_of(), collected).tax_minor == 117_41
    sent = award(ships_to=OREGON)
    assert line_of(sent, premium_of(), tax_of(sent, RATES, (), CALENDAR)).tax_minor == 0
    brought = award(ship_from=PORTLAND, ships_to=TEXAS)
    made = line_of(brought, premium_of(), tax_of(brought, RATES, (), CALENDAR))
    assert (made.tax_minor, made.tax.tax_place) == (117_41, "US-TX")


@pytest.mark.parametrize(
    ("place", "last_day", "tax_minor"),
    [
        (TEXAS, date(2026, 3, 6), 0),  # the day of the close
        (TEXAS, date(2026, 3, 5), 117_41),
        (OREGON, date(2027, 1, 1), 117_41),
    ],
)
def test_a_certificate_exempts_in_its_place_if_it_is_valid_at_the_close(
    place: object, last_day: date, tax_minor: int
) -> None:
    held = Certificate(OREGON if place == OREGON else TEXAS, last_day)
    made = line_of(award(), premium_of(), tax_of(award(), RATES, [held], CALENDAR))
    assert made.tax_minor == tax_minor


def test_the_day_of_the_close_is_the_sales() -> None:
    """Friday 23:30 in Chicago is Saturday in Greenwich."""
    late = award(closed_at_us=at_us("2026-03-06 23:30"))
    held = Certificate(TEXAS, date(2026, 3, 6))
    assert tax_of(late, RATES, [held], CALENDAR).exempt


@pytest.mark.parametrize(
    ("by_terms", "by_place", "freight_by_place", "tax_minor"),
    [
        (True, True, True, 135_00),
        (True, True, False, 115_00),
        (False, True, True, 120_00),
        (True, False, True, 120_00),
        (False, False, False, 100_00),
    ],
)
def test_flags_say_whether_premium_and_freight_are_taxed(
    by_terms: bool, by_place: bool, freight_by_place: bool, tax_minor: int
) -> None:
    tax = tax_at(rate_ppm=100_000, premium=by_place, freight=freight_by_place)
    sold = award(hammer_minor=1_000_00, freight_minor=200_00)
    assert line_of(sold, premium_of(taxable=by_terms), tax).tax_minor == tax_minor


def test_a_late_certificate_brings_the_tax_back_and_nothing_else() -> None:
    [made] = invoiced(award("1"), award("2", ships_to=OREGON))
    held = [Certificate(TEXAS, date(2026, 12, 31))]
    note = late_certificate(made, held, CALENDAR)
    assert note is not None and note.reason is CreditReason.CERTIFICATE
    [back] = note.lines
    assert (back.award_id, back.tax_minor, back.total_minor) == ("S1~1", 117_41, 117_41)
    assert late_certificate(made, held, CALENDAR, note.lines) is None


def test_a_certificate_that_was_not_valid_at_the_close_brings_nothing_back() -> None:
    [made] = invoiced(award("1"))
    assert late_certificate(made, [Certificate(TEXAS, date(2026, 3, 5))], CALENDAR) is None
    assert late_certificate(made, [Certificate(OREGON, date(2027, 3, 5))], CALENDAR) is None


def test_a_line_cannot_be_credited_more_than_it_is() -> None:
    made = line()
    with pytest.raises(ValueError, match="negative"):
        left_of(made, [made.money, AwardMoney(award_id=made.award_id, hammer_minor=1)])


# --- Part payments -------------------------------------------------------------------------------

# 115.00, 230.00 and 345.00 with premium, tax left out; the third closed first.
LINES: list[Line] = [
    line_of(award(lot, hammer, closed_at_us=closed), premium_of(), tax_at(rate_ppm=0))
    for lot, hammer, closed in [
        ("1", 100_00, CLOSED + 1),
        ("2", 200_00, CLOSED + 2),
        ("3", 300_00, CLOSED),
    ]
]
ONE, TWO, THREE = (each.award_id for each in LINES)


def test_a_part_payment_goes_to_the_earliest_closed() -> None:
    paid = funding_of(LINES, 345_00 + 100_00)
    assert (paid.funded, paid.towards, paid.towards_minor) == ((THREE,), ONE, 100_00)


def test_a_lot_that_is_not_filled_is_not_passed_over_for_a_cheaper_one() -> None:
    paid = funding_of(LINES, 344_99)
    assert (paid.funded, paid.towards, paid.towards_minor) == ((), THREE, 344_99)


def test_a_part_payment_goes_to_the_named_lots_first() -> None:
    paid = funding_of(LINES, 230_00 + 1, named=[TWO])
    assert (paid.funded, paid.towards, paid.towards_minor) == ((TWO,), THREE, 1)
    assert funding_of(LINES, 115_00 + 230_00, named=[TWO, ONE]).funded == (TWO, ONE)


def test_what_waited_for_a_lot_fills_it_with_the_next_payment() -> None:
    paid = funding_of(LINES, 1 + 344_99, already=[TWO])
    assert (paid.funded, paid.towards, paid.over_minor) == ((THREE,), None, 0)


def test_what_is_more_than_the_invoice_stays_the_buyers() -> None:
    paid = funding_of(LINES, 690_00 + 5)
    assert (paid.funded, paid.over_minor) == ((THREE, ONE, TWO), 5)


def test_a_lot_that_was_credited_whole_takes_no_money() -> None:
    void = [LINES[2].money]
    assert funding_of(LINES, 115_00, credited=void).funded == (ONE,)


def test_money_is_not_named_to_a_lot_of_another_invoice() -> None:
    with pytest.raises(ValueError, match="S1~7 is not on this invoice"):
        funding_of(LINES, 1, named=[AwardId("S1~7")])
