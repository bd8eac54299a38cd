"""docs/ledger.md says what is booked."""

import inspect
from pathlib import Path

from settlement import postings, postings_house
from settlement.entries import Entry, Purpose
from settlement.ledger_page import EXAMPLES, examples, ledger_page

PAGE = Path(__file__).parents[2] / "docs" / "ledger.md"


def test_the_page_of_the_ledger_is_current() -> None:
    message = "run: python -m settlement.ledger_page > docs/ledger.md"
    assert PAGE.read_text() == ledger_page(), message


def test_every_entry_and_every_purpose_has_an_example() -> None:
    books = {
        function
        for module in (postings, postings_house)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation is Entry
    }
    assert {function for function, _ in EXAMPLES} == books
    assert {entry.purpose for _, entry in examples()} == set(Purpose)
