"""docs/notices.md says what people are told, and within which bounds."""

from pathlib import Path

from bidder_gateway.notices.kinds import Kind
from bidder_gateway.notices.reference import notices_page

PAGE = Path(__file__).parents[2] / "docs" / "notices.md"


def test_the_page_of_notices_is_current() -> None:
    message = "run: python -m bidder_gateway.notices.reference > docs/notices.md"
    assert PAGE.read_text() == notices_page(), message


def test_every_kind_is_on_it() -> None:
    text = PAGE.read_text()
    assert all(f"| `{kind}` |" in text for kind in Kind)
