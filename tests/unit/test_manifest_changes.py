"""What a re-import changes."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from auction.catalog.goods import Condition, ManifestLine
from auction.catalog.importing.changes import diff


def line(number: int, description: str = "Water bottle", **fields: Any) -> ManifestLine:
    known: dict[str, Any] = {"condition": Condition.NEW, "unit_msrp_minor": 1_000} | fields
    return ManifestLine(line=number, description=description, **known)


def test_the_same_manifest_changes_nothing_also_in_another_order() -> None:
    old = [line(1, lpn="LPN1"), line(2, gtin="036000291452"), line(3, "Lamp"), line(4, "Lamp")]
    new = [structs.replace(old[at], line=at) for at in (2, 0, 3, 1)]
    found = diff(old, new)
    assert found.is_empty
    assert found.unchanged == 4


def test_lines_come_and_go() -> None:
    found = diff([line(1, "Lamp"), line(2, "Mug")], [line(1, "Mug"), line(2, "Pan")])
    assert [each.description for each in found.added] == ["Pan"]
    assert [each.description for each in found.removed] == ["Lamp"]
    assert (found.changed, found.unchanged) == ([], 1)


def test_a_plate_number_keeps_its_line_whatever_else_changes() -> None:
    old = [line(1, "Lamp", lpn="LPN1", pallet="P1"), line(2, "Lamp", lpn="LPN2")]
    new = [line(1, "Lamp", lpn="LPN2"), line(2, "Desk lamp", lpn="LPN1", pallet="P2")]
    (changed,) = diff(old, new).changed
    assert {(f.field, f.before, f.after) for f in changed.fields} == {
        ("description", "Lamp", "Desk lamp"),
        ("pallet", "P1", "P2"),
    }


def test_without_a_plate_the_article_on_its_pallet_is_the_line() -> None:
    old = [line(1, gtin="036000291452", pallet="P1"), line(2, gtin="036000291452", pallet="P2")]
    new = [
        line(1, gtin="036000291452", pallet="P2", unit_msrp_minor=900),
        line(2, gtin="036000291452", pallet="P1"),
    ]
    found = diff(old, new)
    assert found.unchanged == 1
    (changed,) = found.changed
    assert (changed.before.line, [f.field for f in changed.fields]) == (2, ["unit_msrp_minor"])


def test_what_moved_to_another_pallet_is_a_change() -> None:
    (changed,) = diff([line(1, "Mug", pallet="P1")], [line(1, "Mug", pallet="P9")]).changed
    assert [(f.field, f.after) for f in changed.fields] == [("pallet", "P9")]


def test_lines_that_stand_several_times_are_counted() -> None:
    mug = line(1, "Mug")
    found = diff([mug] * 3, [mug] * 5)
    assert (found.unchanged, len(found.added), len(found.removed)) == (3, 2, 0)


some_lines = st.lists(
    st.builds(
        line,
        st.just(1),
        st.sampled_from(["Mug", "Pan", "Lamp"]),
        lpn=st.sampled_from(["", "", "L1", "L2"]),
        pallet=st.sampled_from(["", "P1", "P2"]),
        quantity=st.integers(1, 3),
    ),
    max_size=8,
)


@given(some_lines, some_lines)
def test_every_line_is_somewhere_once(old: list[ManifestLine], new: list[ManifestLine]) -> None:
    found = diff(old, new)
    both = found.unchanged + len(found.changed)
    assert both + len(found.removed) == len(old)
    assert both + len(found.added) == len(new)
    assert all(change.fields for change in found.changed)
