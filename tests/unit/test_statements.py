"""Statements by hand: what an account had, got, and has."""

from datetime import date

import pytest

from auction.ids import LotId, SaleId
from settlement.chart import STRIPE, Kind, held, parse_account, seller_payable
from settlement.entries import Purpose, entry_key, named
from settlement.ids import AwardId, EntryKey, award_id_of
from settlement.statements import (
    Line,
    Position,
    Scope,
    StatementLine,
    day_period,
    free_to_pay_out_minor,
    month_period,
    statements,
)
from tests.books import DAY_US, LOT, NOON_US, NORTH

PAYABLE = seller_payable(NORTH)
RELEASED = Line(
    order=(1, 0),
    key=EntryKey("release:S1~12:1"),
    purpose=Purpose.RELEASE,
    at_us=20,
    debit=held(LOT),
    credit=PAYABLE,
    amount_minor=700,
)
SENT = Line(
    order=(2, 0),
    key=EntryKey("transfer:S1~12:1"),
    purpose=Purpose.TRANSFER,
    at_us=30,
    debit=PAYABLE,
    credit=STRIPE,
    amount_minor=300,
)


def test_a_statement_has_an_opening_balance_lines_and_a_closing_balance() -> None:
    [its] = statements({PAYABLE: 50}, [SENT, RELEASED], Scope(liquidator_id=NORTH))
    assert (its.account, its.opening_minor, its.closing_minor) == (PAYABLE, 50, 450)
    assert its.lines == (
        StatementLine(RELEASED.key, Purpose.RELEASE, 20, held(LOT), 0, 700, 750, None, ""),
        StatementLine(SENT.key, Purpose.TRANSFER, 30, STRIPE, 300, 0, 450, None, ""),
    )


def test_an_account_that_only_has_an_opening_balance_is_on_the_statement() -> None:
    [its] = statements({PAYABLE: 50, STRIPE: 0}, [], Scope())
    assert (its.account, its.lines, its.closing_minor) == (PAYABLE, (), 50)


def test_a_payout_takes_nothing_that_is_owed() -> None:
    owed = {Kind.HELD: 500, Kind.SALES_TAX: 80, Kind.DEFERRED_FEES: 20}
    assert free_to_pay_out_minor(Position(1_000, 9_999, owed)) == 400
    assert free_to_pay_out_minor(Position(600, 9_999, owed)) == 0
    assert free_to_pay_out_minor(Position(-5, 9_999, owed)) == 0
    assert free_to_pay_out_minor(Position(1_000, 0, owed), covers_minor=80) == 480


def test_a_statement_has_one_scope() -> None:
    with pytest.raises(ValueError, match="award_id and liquidator_id"):
        Scope(award_id=LOT, liquidator_id=NORTH)


@pytest.mark.parametrize(
    "name", ["held", "held:", "piggy", "", "bank:mine", "held:a b", "held:" + "x" * 161, "HELD:x"]
)
def test_what_is_not_in_the_chart_is_no_account(name: str) -> None:
    with pytest.raises(ValueError, match=r"account|id"):
        parse_account(name)


def test_an_account_is_found_by_its_name() -> None:
    for account in (STRIPE, held(AwardId("S:1~12~2")), PAYABLE):
        assert parse_account(account.name) == account


def test_a_key_tells_what_it_is_made_of() -> None:
    key = entry_key(Purpose.CLAIM_CREDIT, "S:1~12", 3)
    assert named(key) == (Purpose.CLAIM_CREDIT, "S:1~12", 3)


def test_each_award_of_a_lot_has_an_id_of_its_own() -> None:
    assert award_id_of(SaleId("S1"), LotId("12")) == "S1~12"
    assert award_id_of(SaleId("S1"), LotId("12"), 2) == "S1~12~2"


def test_days_and_months_are_those_of_the_books() -> None:
    day = day_period(date(2026, 3, 10))
    assert day.from_us <= NOON_US < day.to_us
    assert day.to_us - day.from_us == DAY_US
    assert day_period(date(2026, 3, 11)).from_us == day.to_us
    december, january = month_period(date(2026, 12, 31)), month_period(date(2027, 1, 1))
    assert december.to_us == january.from_us
    assert (december.to_us - december.from_us) == 31 * DAY_US


def test_the_last_days_of_the_calendar_are_periods_too() -> None:
    day, month = day_period(date.max), month_period(date.max)
    assert day.to_us == month.to_us
    assert month.to_us - month.from_us == 31 * (day.to_us - day.from_us)
    assert day_period(date.min).from_us == month_period(date.min).from_us
