"""Small parts of pages: moments, numbers, where a form may lead to, static names."""

import re
from pathlib import Path

import jinja2
import pytest

from foundation.http.application import FOUNDATION, application
from foundation.http.pages import (
    PAGES,
    STYLE_SHEETS,
    FlashKind,
    Visitor,
    local_path,
    number,
    time_element,
)
from foundation.http.routes import Mount, Route
from foundation.http.static import StaticFiles
from tests.http_room import Shelf

# Attributes and elements that the Content-Security-Policy forbids, and ways around escaping.
INLINE = re.compile(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)|\|\s*safe\b|autoescape")

AT_US = 1_795_322_405_000_000  # 2026-11-22 04:40:05 UTC


def test_a_moment_is_shown_in_its_zone_and_told_in_utc() -> None:
    assert time_element(AT_US, "America/Chicago") == (
        '<time datetime="2026-11-22T04:40:05Z" data-style="full">21 Nov 2026, 22:40 CST</time>'
    )
    assert "04:40:05 UTC" in time_element(AT_US, style="seconds")


def test_whole_numbers_have_separators() -> None:
    assert number(1_234_567) == "1,234,567"


@pytest.mark.parametrize(
    "location",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/a\nb",
        "",
        "evil",
        "/\t/x",
        "/ä",
    ],
)
def test_a_form_never_leads_to_another_site(location: str) -> None:
    assert local_path(location, "/home") == "/home"


def test_a_form_leads_to_a_page_of_ours() -> None:
    assert local_path("/lots/12?page=2#bids") == "/lots/12?page=2#bids"


@pytest.mark.parametrize(
    ("name", "initials"), [("Dana Whitfield", "DW"), ("Cher", "C"), ("", ""), ("a b c", "AC")]
)
def test_a_visitor_has_initials(name: str, initials: str) -> None:
    assert Visitor(name, "").initials == initials


def test_a_message_is_of_a_kind_that_the_shell_has_an_icon_for() -> None:
    assert {kind.value for kind in FlashKind} == {"success", "info", "warning", "error"}


def test_all_style_sheets_are_linked() -> None:
    folder = FOUNDATION / "static" / "css"
    assert {path.name for path in folder.iterdir()} == {Path(name).name for name in STYLE_SHEETS}


def test_no_template_of_any_room_has_anything_inline_or_unescaped() -> None:
    root = FOUNDATION.parent
    rooms = ("foundation", "accounts", "auction", "bidder_gateway", "settlement", "softclose")
    templates = [path for room in rooms for path in (root / room).rglob("templates/**/*.html")]
    assert len(templates) > 5
    for template in templates:
        text = template.read_text()
        if text.startswith("<!doctype html>"):
            continue  # a mail, which has no style sheet and no policy
        assert not INLINE.search(text), template


def test_a_static_name_that_is_not_there_is_a_defect(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("let a")
    (tmp_path / "secret.py").write_text("")
    files = StaticFiles([("room/static", tmp_path)])
    assert files.url("room/static/a.js") == f"/static/{files.tree}/room/static/a.js"
    for name in ("room/static/b.js", "room/static/secret.py", "a.js"):
        with pytest.raises(AssertionError):
            files.url(name)


def test_any_change_gives_every_static_file_a_new_address(tmp_path: Path) -> None:
    def tree() -> str:
        return StaticFiles([("room/static", tmp_path)]).tree

    (tmp_path / "a.js").write_text("let a")
    before = tree()
    assert tree() == before
    (tmp_path / "a.js").write_text("let b")
    after = tree()
    (tmp_path / "a.js").rename(tmp_path / "b.js")
    assert len({before, after, tree()}) == 3


def test_a_room_must_not_use_names_that_it_did_not_hand_over(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{{ forgotten }}")
    app = application([Mount("room", [], templates=tmp_path)])
    with pytest.raises(jinja2.UndefinedError):
        app[PAGES]._templates.get_template("room/page.html").render()


def test_a_row_that_takes_anything_is_refused() -> None:
    from msgspec import Struct

    class Loose(Struct):
        name: str

    with pytest.raises(AssertionError, match="Loose ignores unknown fields"):
        Route("POST", "/x", Shelf().add, "x", access=None, body=Loose)
