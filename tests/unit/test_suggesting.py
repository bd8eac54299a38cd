"""What a manifest suggests as title and description."""

import pytest
from msgspec import structs

from auction.catalog.goods import Condition
from auction.desk.suggesting import suggestion
from tests.catalogue import a_line


def test_the_title_says_what_by_whom_how_much_in_which_state_and_at_what_msrp() -> None:
    lines = [
        a_line(1, brand="Brindle", quantity=3, unit_msrp_minor=100_00),
        a_line(2, brand="Kestone", quantity=1, unit_msrp_minor=50_00),
        a_line(3, brand="Marlow", condition=Condition.USED_FAIR, unit_msrp_minor=20_00),
    ]
    suggested = suggestion(lines, "USD")
    assert suggested.title == ("Kitchen: Brindle, Kestone and more, 6 units, used, fair, MSRP $390")
    assert (suggested.category, suggested.source) == ("Kitchen", "customer returns")


def test_the_main_category_is_that_of_most_msrp_not_of_most_lines() -> None:
    small = [a_line(line, unit_msrp_minor=1_00) for line in range(1, 9)]
    large = a_line(9, category="Garden", unit_msrp_minor=500_00)
    suggested = suggestion([*small, large], "USD")
    assert suggested.category == "Garden"
    assert "Categories: Garden 98 %." in suggested.description


def test_without_msrps_pieces_count() -> None:
    lines = [a_line(1, quantity=1, unit_msrp_minor=0, category="Garden")]
    lines.append(a_line(2, quantity=3, unit_msrp_minor=0))
    assert suggestion(lines, "USD").category == "Kitchen"


def test_uninspected_goods_are_said_to_be() -> None:
    lines = [a_line(1, condition=Condition.UNINSPECTED)]
    suggested = suggestion(lines, "USD")
    assert "uninspected" in suggested.title
    assert suggested.description.endswith("were not tested.")


def test_what_lines_do_not_say_is_not_said() -> None:
    lines = [a_line(number, brand="", category="", source="", quantity=1) for number in (1, 2)]
    lines[1] = structs.replace(lines[1], description="Another thing")
    suggested = suggestion(lines, "JPY")
    assert suggested.title == "Mixed goods, 2 units, used, good, MSRP 7,998 JPY"
    assert (suggested.category, suggested.source) == ("", "")
    assert "Brands" not in suggested.description


@pytest.mark.parametrize(
    ("brand", "description", "title"),
    [
        ("Brindle", "Toaster", "Brindle Toaster, 4 units"),
        ("Brindle", "BRINDLE toaster", "BRINDLE toaster, 4 units"),
        ("", "Toaster", "Toaster, 4 units"),
    ],
)
def test_a_lot_of_one_article_is_called_by_it(brand: str, description: str, title: str) -> None:
    line = structs.replace(a_line(1, brand=brand, quantity=2), description=description)
    assert suggestion([line, line], "USD").title.startswith(title)


def test_no_lines_suggest_nothing() -> None:
    assert suggestion([], "USD").title == ""


def test_a_title_is_not_longer_than_a_title_may_be() -> None:
    lines = [a_line(1, brand="B" * 80, category="C" * 80), a_line(2, brand="D" * 80)]
    assert len(suggestion(lines, "USD").title) <= 200
