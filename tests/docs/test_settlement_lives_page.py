"""docs/settlement-lives.md says how payments and awards go on."""

from pathlib import Path

from settlement.lives_page import lives_page

PAGE = Path(__file__).parents[2] / "docs" / "settlement-lives.md"


def test_the_page_of_the_lives_is_current() -> None:
    message = "run: python -m settlement.lives_page > docs/settlement-lives.md"
    assert PAGE.read_text() == lives_page(), message
