"""docs/permissions.md says what the table of permissions does."""

from pathlib import Path

from accounts.permissions import MEANINGS, Action
from accounts.permissions_page import permissions_page

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"


def test_the_page_of_permissions_is_current() -> None:
    message = "run: python -m accounts.permissions_page > docs/permissions.md"
    assert PAGE.read_text() == permissions_page(), message


def test_every_action_says_to_what_it_is_done() -> None:
    assert set(MEANINGS) == set(Action)
