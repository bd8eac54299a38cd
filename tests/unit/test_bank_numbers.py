"""A slip of the hand in a bank account's number is seen before any money is sent."""

import pytest

from settlement.payouts.bank_numbers import (
    account_fault,
    bic_fault,
    iban_fault,
    plain,
    routing_fault,
)

# Published: Wells Fargo, Bank of America, Chase, the Federal Reserve Bank of Boston.
ROUTING = ["121000248", "026009593", "021000021", "011000015"]
# The examples of the IBAN registry.
IBANS = [
    "DE89370400440532013000",
    "GB29NWBK60161331926819",
    "FR1420041010050500013M02606",
    "NL91ABNA0417164300",
    "NO9386011117947",
    "CH9300762011623852957",
    "MT84MALT011000012345MTLCAST001S",
]


@pytest.mark.parametrize("routing", ROUTING)
def test_a_routing_number_is_known_by_its_check_digit(routing: str) -> None:
    assert routing_fault(routing) is None
    for place in range(9):
        other = routing[:place] + str((int(routing[place]) + 1) % 10) + routing[place + 1 :]
        assert routing_fault(other) is not None


@pytest.mark.parametrize(
    "routing", ["", "12100024", "1210002480", "12100024x", "000000000", "991000017", "١٢١٠٠٠٢٤٨"]
)
def test_what_no_bank_has_is_refused(routing: str) -> None:
    assert routing_fault(routing) is not None


@pytest.mark.parametrize("iban", IBANS)
def test_an_iban_is_known_by_its_check_digits(iban: str) -> None:
    assert iban_fault(iban, iban[:2]) is None
    for place in range(2, len(iban)):
        if iban[place].isdigit():
            other = iban[:place] + str((int(iban[place]) + 1) % 10) + iban[place + 1 :]
            assert iban_fault(other, iban[:2]) is not None, place


@pytest.mark.parametrize(
    ("iban", "country", "said"),
    [
        ("DE89370400440532013000", "FR", "one of DE"),
        ("DE893704004405320130", "DE", "22 characters"),
        ("US89370400440532013000", "US", "no IBANs"),
        ("89370400440532013000", "DE", "two letters"),
        ("DE89 3704", "DE", "two letters"),
    ],
)
def test_what_is_wrong_with_an_iban_is_said(iban: str, country: str, said: str) -> None:
    assert said in (iban_fault(iban, country) or "")


def test_a_bic_is_of_its_country() -> None:
    assert bic_fault("DEUTDEFF", "DE") is None
    assert bic_fault("DEUTDEFF500", "DE") is None
    assert bic_fault("DEUTDEFF", "FR") is not None
    assert bic_fault("DEUTDEF", "DE") is not None


def test_account_numbers_have_from_four_to_seventeen_digits() -> None:
    assert account_fault("1234") is None
    assert account_fault("1" * 17) is None
    for wrong in ("123", "1" * 18, "12a4", "0000", ""):
        assert account_fault(wrong) is not None


def test_blanks_and_hyphens_are_how_people_group_digits() -> None:
    assert plain(" de89 3704-0044 ") == "DE8937040044"
