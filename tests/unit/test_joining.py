"""Drafts made of drafts: what of the words holds of the parts, and of the whole."""

import pytest
from msgspec.structs import replace

from auction.catalog.goods import FreightTerms
from auction.desk.joining import by_pallet, copied, joined, part_of
from auction.desk.refusals import Refused
from auction.terms import LotKind
from tests.catalogue import a_line
from tests.desk import a_lot_draft


def test_a_part_is_a_pallet_whose_weight_is_its_pieces_and_whose_price_is_not_known() -> None:
    part = part_of(a_lot_draft(title="Tools", pallets=2), "P2", [a_line(1), a_line(2)])
    assert part.title == "Tools - pallet P2"
    assert (part.kind, part.pallets, part.weight_g) == (LotKind.PALLET, 1, 4 * 1_800)
    assert (part.opening_minor, part.reserve_minor, part.description) == (None, None, "")
    assert part.street == a_lot_draft().street


def test_a_part_of_which_a_piece_has_no_weight_has_to_be_weighed() -> None:
    part = part_of(a_lot_draft(), "P1", [a_line(1), a_line(2, weight_g=None)])
    assert part.weight_g is None


def test_a_long_title_leaves_room_for_the_pallet() -> None:
    part = part_of(a_lot_draft(title="T" * 200), "P" * 80, [a_line(1)])
    assert len(part.title) == 200
    assert part.title.endswith("P" * 80)


def test_lines_go_to_their_pallets_and_are_numbered_anew() -> None:
    lines = [a_line(1, pallet="B"), a_line(2, pallet="A"), a_line(3, pallet="B"), a_line(4)]
    lines[3] = replace(lines[3], pallet="")
    parts = by_pallet(lines)
    assert list(parts) == ["B", "A", ""]
    assert [line.line for line in parts["B"]] == [1, 2]
    assert parts["B"][1].lpn == lines[2].lpn


def test_one_pallet_is_not_split() -> None:
    with pytest.raises(Refused, match="NO_PALLETS"):
        by_pallet([a_line(1), a_line(2)])


def test_what_is_joined_has_the_sums_and_every_restriction() -> None:
    first = a_lot_draft(title="First", restrictions=("export only",), height_mm=1_500)
    second = a_lot_draft(restrictions=("no marketplaces", "export only"), reserve_minor=None)
    whole = joined([first, second])
    assert (whole.kind, whole.title) == (LotKind.PALLETS, "First")
    assert (whole.pallets, whole.weight_g, whole.height_mm) == (2, 520_000, 1_830)
    assert whole.restrictions == ("export only", "no marketplaces")
    assert (whole.opening_minor, whole.reserve_minor) == (200_00, 400_00)


def test_what_one_of_them_lacks_is_not_known_of_the_whole() -> None:
    whole = joined([a_lot_draft(), a_lot_draft(weight_g=None, opening_minor=None, pallets=None)])
    assert (whole.weight_g, whole.opening_minor, whole.pallets) == (None, None, None)


def test_what_differs_is_asked_for_again() -> None:
    whole = joined([a_lot_draft(), a_lot_draft(street="9 Pine St", source="overstock")])
    assert (whole.company, whole.street, whole.postal_code, whole.source) == ("", "", None, "")
    assert whole.category == "Kitchen"


def test_fixed_freight_is_summed_and_otherwise_there_is_none() -> None:
    fixed = a_lot_draft(freight_terms=FreightTerms.FIXED, freight_fixed_minor=50_00)
    both, one = joined([fixed, fixed]), joined([fixed, a_lot_draft()])
    assert (both.freight_terms, both.freight_fixed_minor) == (FreightTerms.FIXED, 100_00)
    assert (one.freight_terms, one.freight_fixed_minor) == (FreightTerms.BINDING, None)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"currency": "CAD"}, "DIFFERENT_CURRENCIES"),
        ({"consignor_id": "northwind"}, "DIFFERENT_CONSIGNORS"),
        ({"pallets": 100}, "TOO_MANY"),
    ],
)
def test_what_cannot_be_one_lot_is_refused(changes: dict[str, str], refusal: str) -> None:
    with pytest.raises(Refused, match=refusal):
        joined([a_lot_draft(), replace(a_lot_draft(), **changes)])


def test_a_copy_names_no_single_piece() -> None:
    (line,) = copied([a_line(1)])
    assert (line.lpn, line.serial, line.gtin) == ("", "", a_line(1).gtin)
