"""Fields of a lot as people type them."""

import pytest

from auction.desk.lot_changes import changed
from auction.desk.lot_drafts import LotDraft
from auction.desk.pages.lot_fields import FIELDS, BadField, changes_of, faults_of
from auction.desk.pages.measures import NotAMeasure, inches, length_mm, pounds, weight_g
from tests.desk import a_lot_draft


@pytest.mark.parametrize(
    ("typed", "mm"),
    [
        ("48", 1_219),
        ("48 in", 1_219),
        ('48"', 1_219),
        ("4 ft", 1_219),
        ("4'", 1_219),
        ("121.9 cm", 1_219),
        ("1.5m", 1_500),
        ("1,200 mm", 1_200),
    ],
)
def test_lengths_are_typed_as_people_say_them(typed: str, mm: int) -> None:
    assert length_mm(typed) == mm


@pytest.mark.parametrize(
    ("typed", "grams"),
    [("573", 259_908), ("573 lb", 259_908), ("573 lbs.", 259_908), ("260 kg", 260_000)],
)
def test_weights_are_typed_as_people_say_them(typed: str, grams: int) -> None:
    assert weight_g(typed) == grams


@pytest.mark.parametrize("typed", ["", "wide", "48 x 40", "-1", "0", "1.234,5", "48 lb", "1e3"])
def test_what_is_no_length_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(NotAMeasure, match=r"\A[A-Z].*\.\Z"):
        length_mm(typed)


def test_what_stands_in_a_field_means_the_same_when_it_is_read_again() -> None:
    for mm in range(1, 30_000, 7):
        assert length_mm(inches(mm)) == mm
    for grams in range(1, 5_000_000, 1_237):
        assert weight_g(pounds(grams)) == grams


def test_a_lot_that_is_saved_as_it_was_shown_is_not_changed() -> None:
    draft = a_lot_draft(restrictions=("no-export", "ask first"), freight_fixed_minor=120_50)
    typed = {name: field.typed(draft) for name, field in FIELDS.items()}
    assert faults_of(typed, "USD") == {}
    assert changed(draft, changes_of(typed, "USD")) == draft


def test_empty_fields_say_nothing_of_a_lot() -> None:
    assert changed(LotDraft(), changes_of(dict.fromkeys(FIELDS, " "), "USD")) == LotDraft()


def test_a_choice_is_understood_by_its_words_too() -> None:
    for typed in ("PALLETS", "several pallets"):
        assert FIELDS["kind"].read(typed, "USD") == "PALLETS"


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("kind", "Crate"),
        ("pallets", "many"),
        ("pallets", "101"),
        ("region", "Illinois"),
        ("postal_code", "6043"),
        ("freight_class", "123"),
        ("opening", "1.250"),
        ("opening", "0"),
        ("title", "x" * 201),
        ("length", "200 m"),
    ],
)
def test_a_bad_field_is_named_with_a_sentence(name: str, typed: str) -> None:
    with pytest.raises(BadField, match=r"\A[A-Z].*\.\Z") as raised:
        FIELDS[name].read(typed, "USD")
    assert raised.value.name == name
