"""docs/reference.md says what the engine speaks."""

from pathlib import Path

from auction.reference import reference_page
from auction.rejections import MEANINGS, Rejection

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"


def test_the_reference_page_is_current() -> None:
    message = "run: python -m auction.reference > docs/reference.md"
    assert PAGE.read_text() == reference_page(), message


def test_every_refusal_says_what_it_means() -> None:
    assert set(MEANINGS) == set(Rejection)
