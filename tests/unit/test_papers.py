"""Catalogues and tags on paper: what is drawn, on how many pages, whatever the words are."""

import io
import re

import pytest
from PIL import Image

from auction.desk.papers.catalogue import catalogue_pdf
from auction.desk.papers.contents import (
    CatalogueHead,
    CatalogueLot,
    Fact,
    LotTags,
    TagsHead,
)
from auction.desk.papers.floor_tags import floor_tags_pdf
from foundation.papers import typesetting
from foundation.papers.sizes import Paper, paper_of
from foundation.papers.typesetting import Style
from tests.papers import a_head, a_paper_lot, drawn, page_count, some_tags

TAGS = TagsHead(title="Returns of March", seller="Harbor Returns")


def a_jpeg(width: int = 400, height: int = 300) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height), "#336699").save(made, "JPEG")
    return made.getvalue()


def test_paper_is_what_printers_of_the_country_hold() -> None:
    assert [paper_of(country) for country in ("US", "CA", "DE", "GB")] == [
        *(Paper.LETTER, Paper.LETTER),
        *(Paper.A4, Paper.A4),
    ]
    assert b"/MediaBox [ 0 0 612 792 ]" in catalogue_pdf(a_head(), [])
    assert b"/MediaBox [ 0 0 595.2756 841.8898 ]" in catalogue_pdf(a_head(paper=Paper.A4), [])


def test_a_catalogue_has_a_cover_its_lots_and_page_numbers() -> None:
    pdf = catalogue_pdf(a_head(note="Draft."), [a_paper_lot(), a_paper_lot(number="13")])
    texts = drawn(pdf)
    for text in ("Returns of March", "Draft.", "Opens", "Sun 1 Nov 2026, 16:00 CST", "Pickup"):
        assert text in texts
    for text in ("12A", "13", "Kitchen appliances", "$100", "Not to be sold abroad"):
        assert text in texts
    assert page_count(pdf) == 2
    assert {"Page 1 of ", "Page 2 of ", "2"} <= set(texts)


def test_text_is_never_markup() -> None:
    title = '<b>A & B</b> <font color="red">(50 %)</font> \\ &amp;'
    assert title in drawn(catalogue_pdf(a_head(), [a_paper_lot(title=title)]))
    assert title[:9] in " ".join(drawn(floor_tags_pdf(TAGS, [some_tags(title=title)])))


def test_a_long_text_goes_on_over_pages_and_loses_nothing() -> None:
    words = [f"word{number}" for number in range(1_200)]
    pdf = catalogue_pdf(a_head(), [a_paper_lot(description=" ".join(words))])
    assert re.findall(r"word\d+", " ".join(drawn(pdf))) == words
    assert page_count(pdf) >= 3
    assert "Lot 12A, continued" in drawn(pdf)


def test_a_word_wider_than_its_line_is_broken() -> None:
    style = Style(9)
    lines = list(style.lines("W" * 500, 100))
    assert "".join(line.text for line in lines) == "W" * 500
    assert all(line.width <= 100 for line in lines)


def test_what_is_too_long_for_its_place_ends_in_an_ellipsis() -> None:
    style = Style(9)
    shown = style.first_lines("word " * 100, 100, 2)
    assert len(shown) == 2
    assert shown[-1].text.endswith("…") and shown[-1].width <= 100
    assert style.fitting("short", 100).text == "short"


@pytest.mark.parametrize("installed", [True, False])
def test_any_letter_can_be_in_a_text(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    if not installed:
        monkeypatch.setattr(typesetting, "_dejavu", lambda _: None)
    text = "Кухня 厨房 مطبخ 🍳 \u202e\u0007\u2028 Größe"
    head = a_head(title=text, summary=text)
    assert catalogue_pdf(head, [a_paper_lot(title=text, description=text)]).startswith(b"%PDF")
    assert floor_tags_pdf(TAGS, [some_tags(title=text)]).startswith(b"%PDF")
    shown = Style(9).set(text).text
    assert "Größe" in shown
    assert ("?" in shown) is not installed or "\u25a1" in shown


def test_what_no_face_has_is_drawn_as_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "_dejavu", lambda _: None)
    assert Style(9).set("Größe 厨房 €").text == "Größe ?? €"


def test_a_text_is_set_in_two_faces_where_one_has_not_all_of_its_letters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual, other = typesetting._dejavu(bold=False), typesetting._dejavu(bold=True)
    if usual is None or other is None:
        pytest.skip("the DejaVu fonts are not installed")
    without = usual[1] - {ord("\u0436")}
    monkeypatch.setattr(typesetting, "_dejavu", lambda _: (usual[0], without))
    monkeypatch.setattr(typesetting, "_other", lambda: other)
    style = Style(9)
    assert style.set("\u0436\u0437").text == "\u0436\u0437"
    assert style.set("\u0436\u53a8").text == "\u0436\u25a1"
    both = style.set("\u0437\u0436").width
    monkeypatch.setattr(typesetting, "_other", lambda: None)
    assert style.set("\u0437\u0436").text == "\u0437\u25a1"
    monkeypatch.setattr(typesetting, "_dejavu", lambda _: usual)
    bold = Style(9).set("\u0436").width
    assert both > Style(9).set("\u0437").width + bold  # the bold letter is the wider one
    pdf = catalogue_pdf(a_head(title="\u0436"), [])
    assert pdf.startswith(b"%PDF")


def test_a_photo_is_in_the_document_and_a_damaged_one_is_left_out() -> None:
    with_photo = catalogue_pdf(a_head(), [a_paper_lot(photo=a_jpeg())])
    assert b"/Subtype /Image" in with_photo
    for damaged in (b"", b"no picture", a_jpeg()[:100]):
        pdf = catalogue_pdf(a_head(), [a_paper_lot(photo=damaged)])
        assert b"/Subtype /Image" not in pdf
        assert "12A" in drawn(pdf)


def test_the_same_words_are_the_same_bytes() -> None:
    assert catalogue_pdf(a_head(), [a_paper_lot()]) == catalogue_pdf(a_head(), [a_paper_lot()])
    assert floor_tags_pdf(TAGS, [some_tags()]) == floor_tags_pdf(TAGS, [some_tags()])


def test_each_pallet_has_a_tag_of_four_by_six_inches() -> None:
    pdf = floor_tags_pdf(TAGS, [some_tags(), some_tags(number="13", pallets=0)])
    assert page_count(pdf) == 3
    assert pdf.count(b"/MediaBox [ 0 0 288 432 ]") == 3
    texts = drawn(pdf)
    assert {"Pallet 1 of 2", "Pallet 2 of 2", "Loose cases", "12A", "13"} <= set(texts)
    assert {"573 lb (260 kg)", "S-1/12A", "Returns of March"} <= set(texts)


def test_the_codes_of_a_lot_are_in_the_document_once() -> None:
    one, many = (floor_tags_pdf(TAGS, [some_tags(pallets=count)]) for count in (1, 100))
    assert len(many) - len(one) < 100 * 1_500
    assert drawn(many).count("S-1/12A") == 1


def test_a_sale_without_lots_has_papers() -> None:
    assert page_count(catalogue_pdf(a_head(), [])) == 1
    assert "This sale has no lots yet." in drawn(floor_tags_pdf(TAGS, []))


def test_what_is_secret_has_no_field() -> None:
    fields = {
        name
        for struct in (CatalogueHead, CatalogueLot, TagsHead, LotTags, Fact)
        for name in struct.__struct_fields__
    }
    assert not {name for name in fields if re.search("reserve|consign|load|order|rma", name)}
