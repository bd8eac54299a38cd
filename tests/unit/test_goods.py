"""The vocabulary of the catalogue: grades, article numbers, and the digest of a manifest."""

import hashlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert, to_builtins
from msgspec.structs import fields, replace

from auction.catalog.goods import (
    FREIGHT_CLASSES,
    MAX_LINES,
    Condition,
    FreightClass,
    ManifestLine,
    gtin_check_digit,
    is_gtin,
    lowest,
    manifest_fault,
    manifest_sha256,
)
from tests.catalogue import a_line

# Of articles in shops: three of the real manifest's, a book, a chocolate bar, a carton.
GTINS = (
    "840467309557",
    "035011994284",
    "039897979083",
    "9780131103627",
    "40084107",
    "10614141000415",
)


@pytest.mark.parametrize("gtin", GTINS)
def test_the_check_digit_of_an_article_is_its_last(gtin: str) -> None:
    assert is_gtin(gtin)
    assert gtin_check_digit(gtin[:-1]) == gtin[-1]


@pytest.mark.parametrize(
    "gtin", ["", "84046730955", "840467309558", "84046730955X", "٨٤٠٤٦٧٣٠٩٥٥٧"]
)
def test_anything_else_is_no_gtin(gtin: str) -> None:
    assert not is_gtin(gtin)


@given(st.sampled_from([7, 11, 12, 13]), st.data())
def test_one_wrong_digit_is_always_found(length: int, data: st.DataObject) -> None:
    digits = data.draw(st.text("0123456789", min_size=length, max_size=length))
    gtin = digits + gtin_check_digit(digits)
    at = data.draw(st.integers(0, length))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != gtin[at]]))
    assert is_gtin(gtin)
    assert not is_gtin(gtin[:at] + other + gtin[at + 1 :])


def test_the_lowest_grade_labels_the_goods() -> None:
    assert lowest([Condition.NEW]) is Condition.NEW
    assert lowest([Condition.USED_GOOD, Condition.NEW]) is Condition.USED_GOOD
    assert lowest([Condition.SALVAGE, Condition.UNINSPECTED]) is Condition.UNINSPECTED
    with pytest.raises(ValueError, match="empty"):
        lowest([])


def test_grades_are_said_in_words_best_first() -> None:
    assert [condition.on_pages for condition in Condition] == [
        "New",
        "Like new",
        "Open box",
        "Refurbished",
        "Used, good",
        "Used, fair",
        "Salvage",
        "Uninspected",
    ]


def test_freight_classes_rise() -> None:
    assert [float(name) for name in FREIGHT_CLASSES] == sorted(float(n) for n in FREIGHT_CLASSES)
    assert len(FREIGHT_CLASSES) == 18
    for name in FREIGHT_CLASSES:
        assert convert(name, FreightClass) == name
    for name in ("77", "77x5", "1000", ""):
        with pytest.raises(ValueError, match="matching"):
            convert(name, FreightClass)


# Manifests


def test_the_digest_is_of_every_field_in_the_order_of_the_struct() -> None:
    """Told once more with nothing of ours, as somebody outside would check it."""
    line = a_line(1, weight_g=None)
    names = [field.name for field in fields(ManifestLine)]
    plain = to_builtins(line)
    said = msgpack.packb([1, "USD", names, [[plain[name] for name in names]]])
    assert manifest_sha256("USD", [line]) == hashlib.sha256(said).digest()


@pytest.mark.parametrize("name", [field.name for field in fields(ManifestLine)])
def test_a_field_that_differs_makes_another_digest(name: str) -> None:
    line = a_line(1)
    value = getattr(line, name)
    other = Condition.NEW if name == "condition" else value + ("x" if isinstance(value, str) else 1)
    changed = manifest_sha256("USD", [replace(line, **{name: other})])
    assert changed != manifest_sha256("USD", [line])


def test_the_digest_knows_the_currency_and_the_order_of_lines() -> None:
    lines = [a_line(1), a_line(2)]
    digests = {
        manifest_sha256("USD", lines),
        manifest_sha256("EUR", lines),
        manifest_sha256("USD", lines[::-1]),
        manifest_sha256("USD", lines[:1]),
    }
    assert len(digests) == 4


def test_a_digest_that_was_published_stays_what_it_is() -> None:
    lines = [a_line(1), a_line(2, condition=Condition.NEW, gtin="", weight_g=None)]
    assert manifest_sha256("USD", lines).hex() == (
        "61a56352b65bd6752e8b090bcfb85c32e434b332d44994e932c4488e0f623a9d"
    )


def test_a_manifest_has_lines_in_their_order_and_whole_gtins() -> None:
    assert manifest_fault([a_line(1), a_line(2, gtin="")]) is None
    assert "from 1 to" in str(manifest_fault([]))
    assert "numbered 3" in str(manifest_fault([a_line(1), a_line(3)]))
    assert "line 2: 036000291453 is no GTIN" in str(
        manifest_fault([a_line(1), a_line(2, gtin="036000291453")])
    )
    assert "any amount" in str(manifest_fault([a_line(1, quantity=2, unit_msrp_minor=2**52 + 1)]))
    many = [a_line(n) for n in range(1, MAX_LINES + 2)]
    assert manifest_fault(many[:-1]) is None
    assert "from 1 to 20000" in str(manifest_fault(many))


@pytest.mark.parametrize(
    "wrong",
    [
        {"line": 0},
        {"description": ""},
        {"description": "x" * 301},
        {"brand": "a\0b"},
        {"condition": "BRAND NEW"},
        {"quantity": 0},
        {"quantity": 1.5},
        {"unit_msrp_minor": -1},
        {"gtin": "12345"},
        {"weight_g": 0},
        {"mood": "good"},
    ],
)
def test_a_line_of_a_wrong_shape_is_refused(wrong: dict[str, object]) -> None:
    good = to_builtins(a_line(1))
    assert convert(good, ManifestLine) == a_line(1)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        convert(good | wrong, ManifestLine)
