"""Forms: what was typed becomes a value, or a message that a person understands."""

from enum import StrEnum
from typing import Annotated, Any

import pytest
from msgspec import Meta

from foundation.http.forms import Form, Upload, Verbatim, blank, check, plain_file_name
from foundation.http.reading import Input


class Size(StrEnum):
    """A choice."""

    SMALL = "SMALL"
    LARGE = "LARGE"


class Order(Input):
    """A form with a field of each kind."""

    name: Annotated[str, Meta(min_length=2, max_length=10)]
    password: Verbatim = ""
    count: Annotated[int, Meta(ge=1, le=9)] | None = None
    mail: Annotated[str, Meta(pattern="@", extra={"message": "Enter a mail address."})] | None = (
        None
    )
    size: Size = Size.SMALL
    tags: list[str] = []  # noqa: RUF012 - msgspec copies it
    agreed: bool = False
    scan: Upload | None = None

    def __post_init__(self) -> None:
        if self.count and not self.agreed:
            raise ValueError("Agree to the terms first.")


def sent(**fields: Any) -> Form[Order]:
    raw = {name: value if isinstance(value, list) else [value] for name, value in fields.items()}
    return check(raw, Order)


def test_text_becomes_values() -> None:
    form = sent(
        name=" Ann\r\n", password=" x ", count=" 7 ", size="LARGE", tags=["a", "b"], agreed="on"
    )
    assert form.valid == Order("Ann", " x ", 7, None, Size.LARGE, ["a", "b"], agreed=True)
    assert form.errors == {}


def test_an_empty_field_counts_as_not_given() -> None:
    form = sent(name="Ann", count="", mail=" ", size="", scan=Upload("", "application/x", b""))
    assert form.valid == Order("Ann")


MESSAGES = [
    ({"name": ""}, "name", "Fill this in."),
    ({}, "name", "Fill this in."),
    ({"name": "A"}, "name", "At least 2 characters."),
    ({"name": "A" * 11}, "name", "At most 10 characters."),
    ({"name": "Ann", "count": "0"}, "count", "At least 1."),
    ({"name": "Ann", "count": "10"}, "count", "At most 9."),
    ({"name": "Ann", "count": "many"}, "count", "Enter a whole number."),
    ({"name": "Ann", "count": "1.5"}, "count", "Enter a whole number."),
    ({"name": "Ann", "mail": "ann"}, "mail", "Enter a mail address."),
    ({"name": "Ann", "size": "HUGE"}, "size", "Choose one of the list."),
    ({"name": "Ann", "count": "2"}, "", "Agree to the terms first."),
]


@pytest.mark.parametrize(("fields", "name", "message"), MESSAGES)
def test_a_bad_field_has_a_message_beside_it(
    fields: dict[str, str], name: str, message: str
) -> None:
    form = sent(**fields)
    assert form.valid is None
    assert form.errors == {name: message}
    for typed, text in fields.items():
        assert form.value(typed) == text


def test_all_messages_come_at_once() -> None:
    assert sent(name="A", count="x", mail="y").errors.keys() == {"name", "count", "mail"}


def test_a_service_adds_its_own_message() -> None:
    form = sent(name="Ann").refused("name", "That name is taken.")
    assert form.valid is None
    assert form.error("name") == "That name is taken."
    assert form.value("name") == "Ann"


def test_choices_are_remembered() -> None:
    form = sent(name="A", tags=["a", "b"], size="LARGE", agreed="on")
    assert form.chosen("tags", "b")
    assert not form.chosen("tags", "c")
    assert form.chosen("size", "LARGE")
    assert form.chosen("agreed", "on")
    assert not blank().chosen("agreed", "on")


FILE_NAMES = [
    ("photo.jpg", "photo.jpg"),
    ("../../etc/passwd", "passwd"),
    ("C:\\Users\\ann\\photo.jpg", "photo.jpg"),
    ("a\r\nb\0c.png", "abc.png"),
    ("..", ""),
    (".htaccess", "htaccess"),
    ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
]


@pytest.mark.parametrize(("given", "kept"), FILE_NAMES)
def test_a_file_keeps_the_plain_part_of_its_name(given: str, kept: str) -> None:
    assert plain_file_name(given) == kept
