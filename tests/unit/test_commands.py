"""Shape, checked once at the door: types, ranges and the form of ids."""

from typing import Any, Final

import pytest
from msgspec.structs import replace

from auction.budgets import AllInBudget, LotCountBudget, PersonCeiling
from auction.commands import (
    MAX_LOTS_PER_COMMAND,
    AcceptIfBid,
    AddLots,
    AnswerCounter,
    ChangeReserve,
    CloseDue,
    Command,
    CounterIfBid,
    DeclineIfBid,
    MoveEndsAfterOutage,
    PauseSale,
    RecordFunding,
    ResumeSale,
    SetBudgets,
    SetLimit,
    VoidBids,
    WithdrawLot,
    lot_of,
    shape_fault,
)
from auction.ids import BidderId, LotId, PersonId
from auction.increments import EBAY, IncrementTable
from auction.terms import Premium, PremiumTier, SoftClose, Terms
from tests.builders import (
    SALE,
    STAFF_MEMBER,
    a_lot,
    admit,
    at,
    bid,
    cancel,
    change_reserve,
    dismiss,
    move_lots,
    register,
    schedule,
    void,
    withdraw,
)

LOT, BIDDER = LotId("1"), BidderId("A")
BY: Final[dict[str, Any]] = {"sale_id": SALE, "actor_id": STAFF_MEMBER}
ON: Final[dict[str, Any]] = {"lot_id": LOT, **BY}

BUDGETS: Final = (
    LotCountBudget(name="one of these", at_most=1, lots=(LOT, LotId("2"))),
    AllInBudget(name="tonight", at_most_minor=4_000_00),
    PersonCeiling(name="Dana", person_id=PersonId("dana"), at_most_minor=0),
)

# A good command of every type, and the lot that it is about.
COMMANDS: Final[list[tuple[Command, str | None]]] = [
    (bid("A", 500_00), "1"),
    (change_reserve(900_00), "1"),
    (void("A"), "1"),
    (withdraw(), "1"),
    (AcceptIfBid(**ON), "1"),
    (DeclineIfBid(**ON), "1"),
    (CounterIfBid(amount_minor=1, **ON), "1"),
    (AnswerCounter(sale_id=SALE, lot_id=LOT, bidder_id=BIDDER, accepted=True), "1"),
    (RecordFunding(bidder_id=BIDDER, **ON), "1"),
    (schedule(), None),
    (AddLots(lots=(a_lot(),), **BY), None),
    (move_lots(("1", "11:00", "17:00")), None),
    (admit("A", "B"), None),
    (dismiss("A"), None),
    (cancel(), None),
    (register("A", deposit_minor=600_00, limit_minor=0, restrictions=("export only",)), None),
    (SetLimit(bidder_id=BIDDER, limit_minor=None, **BY), None),
    (SetBudgets(bidder_id=BIDDER, budgets=BUDGETS, **BY), None),
    (PauseSale(reason="a fire alarm", **BY), None),
    (ResumeSale(**BY), None),
    (CloseDue(sale_id=SALE), None),
    (MoveEndsAfterOutage(sale_id=SALE, dark_from_us=at("15:50")), None),
]


@pytest.mark.parametrize(("command", "lot"), COMMANDS, ids=lambda it: type(it).__name__)
def test_a_good_command_has_no_fault_and_names_its_lot(command: Command, lot: str | None) -> None:
    assert shape_fault(command) is None
    assert lot_of(command) == lot


def test_there_is_a_good_command_of_every_type() -> None:
    assert {type(command) for command, _ in COMMANDS} == set(Command.__args__)


def fault(command: Command, **changes: Any) -> str:
    """What is wrong with the command after these changes; something must be."""
    found = shape_fault(replace(command, **changes))
    assert found is not None, changes
    return found


AMOUNTS: Final = {
    "true": True,
    "a float": 10.005,
    "a whole float": 10.0,
    "not a number": float("nan"),
    "infinity": float("inf"),
    "text": "10",
    "digits of another script": "\u0661\u0660",
    "text with NUL": "10\0",
    "nothing": None,
    "bytes": b"10",
    "a list": [10],
    "-1": -1,
    "0": 0,
    "2**53 + 1": 2**53 + 1,
    "2**63": 2**63,
    "2**64": 2**64,
    "-2**63 - 1": -(2**63) - 1,
    "1e400": 10**400,
}


@pytest.mark.parametrize("name", AMOUNTS)
def test_a_bid_of_anything_but_a_positive_whole_number_is_a_fault(name: str) -> None:
    assert "amount_minor" in fault(bid("A", 500_00), amount_minor=AMOUNTS[name])


@pytest.mark.parametrize("amount_minor", [1, 2**53])
def test_amounts_go_from_one_to_two_to_the_53rd(amount_minor: int) -> None:
    assert shape_fault(bid("A", amount_minor)) is None


@pytest.mark.parametrize("freight", [-1, 2**53 + 1, True, 1.0, "0", None])
def test_freight_is_an_amount_or_zero(freight: object) -> None:
    assert "freight_minor" in fault(bid("A", 500_00), freight_minor=freight)
    assert shape_fault(bid("A", 500_00, freight_minor=0)) is None


WORDS: Final = {
    "empty": "",
    "65 letters": "x" * 65,
    "a space": "a b",
    "a slash": "a/b",
    "dot first": ".a",
    "dash first": "-a",
    "NUL": "a\0",
    "a trailing line feed": "a\n",
    "a trailing return": "a\r",
    "an umlaut": "\u00fc",
    "digits of another script": "\u0661",
    "a lone surrogate": "\ud800",
    "HTML": "<b>",
    "SQL": "a';--",
    "a number": 7,
    "nothing": None,
    "bytes": b"a",
}


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("field", ["sale_id", "lot_id", "bidder_id"])
def test_an_id_is_one_short_word(field: str, name: str) -> None:
    assert field in fault(bid("A", 500_00), **{field: WORDS[name]})


@pytest.mark.parametrize("name", WORDS)
def test_the_other_ids_are_words_too(name: str) -> None:
    word = WORDS[name]
    assert "actor_id" in fault(withdraw(), actor_id=word)
    assert "liquidator_id" in fault(schedule(), liquidator_id=word)
    assert "seller_ids" in fault(schedule(), seller_ids=(word,))
    assert "lot_id" in fault(schedule(), lots=(replace(a_lot(), lot_id=word),))
    if word is not None:
        assert "consignor_id" in fault(schedule(), lots=(replace(a_lot(), consignor_id=word),))


@pytest.mark.parametrize("word", ["a", "12A", "x" * 64, "MSR-2026.03:7_b", "0"])
def test_a_good_word_is_an_id(word: str) -> None:
    assert shape_fault(bid(word, 500_00, lot=word)) is None


GOOD_ID = "5f0c6c1e-9d3b-4c52-8a35-0123456789ab"


@pytest.mark.parametrize(
    "bid_id",
    [
        "",
        "1",
        GOOD_ID.upper(),
        GOOD_ID.replace("-", ""),
        "{" + GOOD_ID + "}",
        GOOD_ID + "\n",
        " " + GOOD_ID,
        GOOD_ID[:-1],
        GOOD_ID[:-1] + "g",
        GOOD_ID[:-1] + "\u0661",
        GOOD_ID.encode(),
        None,
        7,
    ],
)
def test_a_bid_id_is_a_uuid_in_its_one_spelling(bid_id: object) -> None:
    assert "bid_id" in fault(bid("A", 500_00), bid_id=bid_id)
    assert shape_fault(replace(bid("A", 500_00), bid_id=GOOD_ID)) is None


@pytest.mark.parametrize("currency", [None, 7, b"USD"])
def test_a_currency_is_text(currency: object) -> None:
    assert "currency" in fault(bid("A", 500_00), currency=currency)


# Text: stored as it is, so long as every room can store it

UNFIT_TEXT: Final = {
    "NUL": "a\0b",
    "a lone surrogate": "a\ud800b",
    "too long": "x" * 501,
    "a number": 7,
}


@pytest.mark.parametrize("name", UNFIT_TEXT)
def test_text_that_cannot_be_stored_is_a_fault(name: str) -> None:
    text = UNFIT_TEXT[name]
    for command in (void("A"), withdraw(), PauseSale(reason="-", **BY)):
        assert "reason" in fault(command, reason=text)
    assert "title" in fault(schedule(), lots=(replace(a_lot(), title=text),))
    assert "group" in fault(schedule(), lots=(replace(a_lot(), group=text),))
    assert "restrictions" in fault(schedule(), lots=(replace(a_lot(), restrictions=(text,)),))
    assert "restrictions" in fault(register("A"), restrictions=(text,))


def test_any_other_text_is_fine() -> None:
    text = "<script>alert(1)</script> ' OR 1=1 -- =HYPERLINK() \u201craw\u201d \U0001f4e6"
    assert shape_fault(replace(withdraw(), reason=text)) is None
    assert shape_fault(schedule(a_lot(title=text, group=text))) is None


def test_a_reason_is_given() -> None:
    for command in (void("A"), withdraw(), PauseSale(reason="-", **BY)):
        assert "reason" in fault(command, reason="")


# Lots and terms

LISTING_FAULTS: Final[dict[str, Any]] = {
    "opening_minor": [0, -1, True, 1.0, 2**53 + 1],
    "reserve_minor": [0, -1, True, 1.0, 2**53 + 1],
    "opens_at_us": [-1, True, 1.0, 2**53 + 1, None],
    "closes_at_us": [-1, True, 1.0, 2**53 + 1, None],
    "latest_end_us": [-1, True, 1.0, 2**53 + 1],
    "kind": ["PALLETTE", None, 1],
    "title": ["x" * 201, None],
    "manifest_sha256": [bytes(31), bytes(33), "x"],
    "restrictions": [("",), ("x" * 65,), ("x",) * 21],
}


@pytest.mark.parametrize("field", LISTING_FAULTS)
def test_a_lot_with_a_bad_field_is_a_fault_that_names_it(field: str) -> None:
    for value in LISTING_FAULTS[field]:
        lots = (a_lot("1"), replace(a_lot("2"), **{field: value}))
        assert f"$.lots[1].{field}" in fault(schedule(), lots=lots)
        assert f"$.lots[1].{field}" in fault(AddLots(lots=(a_lot(),), **BY), lots=lots)


TERMS_FAULTS: Final[dict[str, Any]] = {
    "version": [0, -1, 1_000_001, True],
    "currency": [None, 1],
    "sale_format": ["DUTCH"],
    "price_rule": ["HIGHEST"],
    "closing": ["TOGETHER"],
    "void_rule": ["FORGET"],
    "enforce_minimum": [1, "yes"],
    "if_bid_us": [-1, 366 * 86_400_000_000 + 1],
    "soft_close": [SoftClose(-1, 1), SoftClose(1, -1), SoftClose(1, 1.5)],  # type: ignore[arg-type]
    "premium": [
        Premium(tiers=(PremiumTier(-1, 1),)),
        Premium(tiers=(PremiumTier(0, 10_001),)),
        Premium(tiers=(PremiumTier(0, -1),)),
        Premium(minimum_minor=-1),
    ],
    "deposit_minor": [-1, 2**53 + 1],
    "deposit_factor": [0, 1_001],
    "increments": [IncrementTable(()), replace(EBAY, unit_minor=0)],
}


@pytest.mark.parametrize("field", TERMS_FAULTS)
def test_terms_with_a_bad_field_are_a_fault_that_names_it(field: str) -> None:
    for value in TERMS_FAULTS[field]:
        assert f"$.terms.{field}" in fault(schedule(), terms=replace(Terms(), **{field: value}))


def test_a_command_has_at_least_one_lot_and_at_most_two_hundred() -> None:
    many = tuple(a_lot(str(n)) for n in range(MAX_LOTS_PER_COMMAND + 1))
    assert MAX_LOTS_PER_COMMAND == 200
    assert shape_fault(schedule(*many[1:])) is None
    assert "$.lots" in fault(schedule(), lots=many)
    assert "$.lots" in fault(schedule(), lots=())


BUDGET_FAULTS: Final = {
    "no name": replace(BUDGETS[0], name=""),
    "a long name": replace(BUDGETS[1], name="x" * 61),
    "NUL in a name": replace(BUDGETS[1], name="a\0"),
    "less than no lot": replace(BUDGETS[0], at_most=-1),
    "half a lot": replace(BUDGETS[0], at_most=0.5),
    "none of no lots": replace(BUDGETS[0], lots=()),
    "a lot without a name": replace(BUDGETS[0], lots=("",)),
    "less than nothing": replace(BUDGETS[1], at_most_minor=-1),
    "more than any amount": replace(BUDGETS[1], at_most_minor=2**53 + 1),
    "nobody's": replace(BUDGETS[2], person_id=None),
    "a person with a space": replace(BUDGETS[2], person_id="da na"),
    "no budget": "4,000 tonight",
}


@pytest.mark.parametrize("name", BUDGET_FAULTS)
def test_a_budget_of_a_wrong_shape_is_a_fault(name: str) -> None:
    command = SetBudgets(bidder_id=BIDDER, budgets=BUDGETS, **BY)
    assert "$.budgets[1]" in fault(command, budgets=(BUDGETS[1], BUDGET_FAULTS[name]))


@pytest.mark.parametrize("person", ["", "da na", "x" * 65, "d\n", 7, b"dana", True])
def test_a_person_is_a_word(person: object) -> None:
    assert "$.person_id" in fault(bid("A", 500_00), person_id=person)
    assert shape_fault(bid("A", 500_00, person_id="dana")) is None


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(33), "x" * 32, None])
def test_a_secret_is_32_bytes(secret: object) -> None:
    assert "secret" in fault(schedule(), secret=secret)


# The rest

OTHER_FAULTS: Final[list[tuple[Command, dict[str, Any]]]] = [
    (register("A"), {"terms_version": "1"}),
    (register("A"), {"terms_version": True}),
    (register("A"), {"deposit_minor": -1}),
    (register("A"), {"limit_minor": -1}),
    (register("A"), {"tax_bps": 10_001}),
    (register("A"), {"certificate": 1}),
    (SetLimit(bidder_id=BIDDER, limit_minor=None, **BY), {"limit_minor": -1}),
    (ChangeReserve(reserve_minor=None, **ON), {"reserve_minor": 0}),
    (CounterIfBid(amount_minor=1, **ON), {"amount_minor": 0}),
    (WithdrawLot(cause=withdraw().cause, reason="-", **ON), {"cause": "BOREDOM"}),
    (VoidBids(bidder_id=BIDDER, reason="-", **ON), {"bidder_id": ""}),
    (COMMANDS[7][0], {"accepted": "yes"}),
    (COMMANDS[-1][0], {"dark_from_us": -1}),
    (SetBudgets(bidder_id=BIDDER, budgets=BUDGETS, **BY), {"budgets": BUDGETS * 22}),
]


@pytest.mark.parametrize(("command", "change"), OTHER_FAULTS)
def test_every_other_command_is_checked_the_same_way(
    command: Command, change: dict[str, Any]
) -> None:
    assert next(iter(change)) in fault(command, **change)
