"""docs/settings.md says what the program reads."""

from pathlib import Path

import pytest

from softclose.settings import Settings
from softclose.settings_page import settings_page

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_of_settings_is_current() -> None:
    assert PAGE.read_text() == settings_page(), "run: ./run settings --page > docs/settings.md"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_is_described(name: str) -> None:
    assert len(Settings.model_fields[name].description or "") > 20
    assert f"## `SOFTCLOSE_{name.upper()}`\n" in PAGE.read_text()
