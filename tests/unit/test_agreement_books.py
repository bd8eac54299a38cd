"""Which version of which agreement a lot is under, when somebody has written its draft."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from msgspec import structs

from auction.desk.agreements import Agreement, AgreementBook, in_force
from auction.desk.lot_drafts import LotDraft
from auction.desk.refusals import Refusal, Refused
from auction.ids import BidderId
from tests.unit.test_checks import DAY, NORTH, an_agreement

SOUTH = BidderId("southgate")


def agreed(name: str, version: int = 1, **changes: Any) -> Agreement:
    """Like Northwind's, but for what is said."""
    settings = {"agreement_id": name, "valid_from": date(2026, 1, 1), "made_at_us": 1}
    return structs.replace(
        an_agreement(version, changes.pop("currency", "USD")), **(settings | changes)
    )


RETURNS_1, RETURNS_2 = agreed("returns"), agreed("returns", 2, made_at_us=2)
EUROS = agreed("euros", currency="EUR", made_at_us=3)
SOUTHERN = agreed("southern", consignor_id=SOUTH)
BOOK = AgreementBook(
    {NORTH: "Northwind", SOUTH: "Southgate"}, (RETURNS_1, RETURNS_2, EUROS, SOUTHERN), DAY
)


def a_draft(
    consignor: str | None = NORTH,
    agreement: str | None = None,
    version: int | None = None,
    currency: str = "USD",
) -> LotDraft:
    return LotDraft(
        consignor_id=None if consignor is None else BidderId(consignor),
        agreement_id=agreement,
        agreement_version=version,
        currency=currency,
    )


@pytest.mark.parametrize(
    ("agreements", "usual"),
    [
        ((RETURNS_1, RETURNS_2), [RETURNS_2]),
        ((RETURNS_1, agreed("returns", 2, valid_from=date(2027, 1, 16))), [RETURNS_1]),
        ((RETURNS_1, EUROS), [EUROS, RETURNS_1]),
        ((agreed("old", made_at_us=9, valid_from=date(2025, 1, 1)), RETURNS_1), None),
    ],
)
def test_in_force_is_the_highest_version_that_is_valid_by_then(
    agreements: Sequence[Agreement], usual: Sequence[Agreement] | None
) -> None:
    expected = list(reversed(agreements)) if usual is None else usual
    assert in_force(agreements, DAY) == expected


@pytest.mark.parametrize(
    ("before", "after", "bound"),
    [
        # A consignor is chosen: the usual agreement in the lot's currency, else any.
        (None, a_draft(), ("returns", 2)),
        (None, a_draft(currency="EUR"), ("euros", 1)),
        (None, a_draft(currency="CAD"), ("euros", 1)),
        (None, a_draft(agreement="returns"), ("returns", 2)),
        (None, a_draft(agreement="returns", version=1), ("returns", 1)),
        # It stays: so does the version, whether it is said again or left out.
        (a_draft(NORTH, "returns", 1), a_draft(), ("returns", 1)),
        (a_draft(NORTH, "returns", 1), a_draft(NORTH, "returns", 1), ("returns", 1)),
        # Another agreement, with the number that the form still had: its version in force.
        (a_draft(NORTH, "returns", 1), a_draft(NORTH, "euros", 1), ("euros", 1)),
        (a_draft(NORTH, "euros", 1), a_draft(NORTH, "returns", 1), ("returns", 2)),
        (a_draft(NORTH, "returns", 1), a_draft(NORTH, "returns", 2), ("returns", 2)),
        (a_draft(NORTH, "returns", 1), a_draft(NORTH, "returns"), ("returns", 2)),
        # Another consignor, with the agreement that the form still had: its own usual one.
        (a_draft(NORTH, "returns", 1), a_draft(SOUTH, "returns", 1), ("southern", 1)),
        # Nobody's but ours.
        (a_draft(NORTH, "returns", 1), a_draft(None, "returns", 1), (None, None)),
    ],
)
def test_a_draft_is_under(
    before: LotDraft | None, after: LotDraft, bound: tuple[str | None, int | None]
) -> None:
    draft = BOOK.bound(before, after)
    assert (draft.agreement_id, draft.agreement_version) == bound


@pytest.mark.parametrize(
    ("after", "refusal"),
    [
        (a_draft("stranger"), Refusal.UNKNOWN_CONSIGNOR),
        (a_draft(NORTH, "southern"), Refusal.UNKNOWN_AGREEMENT),
        (a_draft(NORTH, "southern", 1), Refusal.UNKNOWN_AGREEMENT),
        (a_draft(NORTH, "returns", 3), Refusal.UNKNOWN_AGREEMENT),
    ],
)
def test_a_draft_is_not_under_what_nobody_has_agreed_with_its_consignor(
    after: LotDraft, refusal: Refusal
) -> None:
    with pytest.raises(Refused) as refused:
        BOOK.bound(None, after)
    assert refused.value.refusal is refusal


def test_a_consignor_whose_name_is_gone_does_not_unbind_a_lot_that_is_bound() -> None:
    nobody = AgreementBook({}, (), DAY)
    draft = a_draft(NORTH, "returns", 1)
    assert nobody.bound(draft, draft) == draft


def test_while_nothing_is_agreed_a_lot_is_under_nothing() -> None:
    draft = AgreementBook({NORTH: "Northwind"}, (), DAY).bound(None, a_draft())
    assert (draft.agreement_id, draft.agreement_version) == (None, None)
