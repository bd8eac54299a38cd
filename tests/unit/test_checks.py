"""The checks before publishing: each finds what it is for, and nothing else."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from msgspec import structs

from auction.catalog.goods import Condition, FreightTerms
from auction.consignment import AgreementTerms, CommissionTier
from auction.desk.agreements import Agreement, AgreementBook
from auction.desk.checks import Finding, Level, findings
from auction.desk.lot_drafts import DraftedLot, Origin
from auction.desk.sale_drafts import SaleDraft
from auction.desk.schedule import MAX_LOTS
from auction.ids import ActorId, BidderId, LiquidatorId, LotId, SaleId
from auction.terms import SaleAudience, SoftClose, Terms
from tests.desk import a_lot_draft, a_sale_draft

NOW_US = 1_800_000_000_000_000
DAY = date(2027, 1, 15)
NORTH = BidderId("northwind")
NOBODY = AgreementBook({}, (), DAY)


def a_lot(
    lines: int = 3,
    retail_minor: int = 5_000_00,
    conditions: Mapping[Condition, int] | None = None,
    **changes: Any,
) -> DraftedLot:
    """Lot 12A, which can be sold as it is."""
    return DraftedLot(
        draft_id="lot-1",
        liquidator_id=LiquidatorId("harbor"),
        sale_id=SaleId("sale-1"),
        place=1,
        number=LotId("12A"),
        draft=a_lot_draft(**changes),
        lines=lines,
        units=30,
        retail_minor=retail_minor,
        conditions={Condition.NEW: 3} if conditions is None else conditions,
        version=1,
        origin=Origin(),
        sale_state="DRAFT",
    )


def an_agreement(version: int = 1, currency: str = "USD") -> Agreement:
    """With Northwind, in force."""
    return Agreement(
        agreement_id="returns",
        version=version,
        consignor_id=NORTH,
        name="Returns",
        valid_from=date(2026, 1, version),
        terms=AgreementTerms(currency=currency, commission=(CommissionTier(0, 1_200),)),
        note="",
        made_at_us=version,
        made_by=ActorId("dana"),
    )


def found(
    lots: Sequence[DraftedLot] = (a_lot(),),
    photos: int = 1,
    agreed: AgreementBook = NOBODY,
    admitted: int = 0,
    **changes: Any,
) -> list[Finding]:
    draft = a_sale_draft(NOW_US, **changes)
    return findings(draft, lots, {"lot-1": photos}, agreed, admitted, NOW_US)


def said(of: Sequence[Finding]) -> list[tuple[str, str, str]]:
    return [(one.level.value, one.code, one.field) for one in of]


def test_of_what_is_ready_nothing_is_said() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"title": ""}, ("ERROR", "SALE_INCOMPLETE", "title")),
        ({"pickup_terms": ""}, ("ERROR", "SALE_INCOMPLETE", "pickup_terms")),
        ({"schedule": None}, ("ERROR", "SALE_INCOMPLETE", "schedule")),
        ({"audience": SaleAudience.GROUP}, ("ERROR", "NOBODY_ADMITTED", "groups")),
        ({"audience": SaleAudience.INVITE}, ("ERROR", "NOBODY_ADMITTED", "invited")),
        (
            {"audience": SaleAudience.GROUP, "groups": ("Exporters",)},
            ("WARNING", "EMPTY_GROUPS", "groups"),
        ),
        ({"lots": ()}, ("ERROR", "NO_LOTS", "lots")),
        (
            {"terms": Terms(soft_close=SoftClose(window_us=0, extension_us=1))},
            ("ERROR", "BAD_TERMS", "terms"),
        ),
    ],
)
def test_what_a_sale_lacks_is_found(changes: Mapping[str, Any], finding: tuple[str, ...]) -> None:
    assert said(found(**changes)) == [finding]


def test_a_sale_for_somebody_is_well() -> None:
    assert found(audience=SaleAudience.GROUP, groups=("Exporters",), admitted=1) == []
    assert found(audience=SaleAudience.INVITE, invited=(BidderId("kim"),), admitted=1) == []


def test_a_sale_has_so_many_lots_and_not_one_more() -> None:
    assert found([a_lot()] * MAX_LOTS) == []
    assert said(found([a_lot()] * (MAX_LOTS + 1))) == [("ERROR", "TOO_MANY_LOTS", "lots")]


@pytest.mark.parametrize(
    ("opens", "first_end", "finding"),
    [
        ("2027-01-15T01:59", "2027-02-01T12:00", ("ERROR", "OPENS_IN_THE_PAST", "schedule")),
        ("2027-01-15T02:00", "2027-02-01T12:00", ("ERROR", "OPENS_IN_THE_PAST", "schedule")),
        ("2027-01-15T02:01", "2027-01-16T01:59", ("WARNING", "SHORT_NOTICE", "schedule")),
        ("2027-03-14T02:30", "2027-03-20T12:00", ("ERROR", "BAD_TIME", "schedule")),
    ],
)
def test_times_that_will_not_do_are_found(
    opens: str, first_end: str, finding: tuple[str, ...]
) -> None:
    schedule = a_sale_draft(NOW_US).schedule
    assert schedule is not None
    schedule = structs.replace(schedule, opens=opens, first_end=first_end)
    assert said(found(schedule=schedule)) == [finding]


@pytest.mark.parametrize(
    ("lot", "finding"),
    [
        (a_lot(weight_g=None), ("ERROR", "LOT_INCOMPLETE", "weight_g")),
        (a_lot(title=""), ("ERROR", "LOT_INCOMPLETE", "title")),
        (a_lot(lines=0), ("ERROR", "NO_MANIFEST", "lines")),
        (a_lot(currency="EUR"), ("ERROR", "OTHER_CURRENCY", "currency")),
        (a_lot(freight_terms=FreightTerms.FIXED), ("ERROR", "BAD_FREIGHT", "freight_fixed_minor")),
        (a_lot(freight_fixed_minor=100), ("ERROR", "BAD_FREIGHT", "freight_fixed_minor")),
        (a_lot(reserve_minor=99_99), ("ERROR", "RESERVE_BELOW_OPENING", "reserve_minor")),
        (a_lot(retail_minor=399_99), ("WARNING", "ABOVE_MSRP", "reserve_minor")),
        (
            a_lot(retail_minor=99_99, reserve_minor=None),
            ("WARNING", "ABOVE_MSRP", "opening_minor"),
        ),
        (
            a_lot(conditions={Condition.NEW: 2, Condition.UNINSPECTED: 1}),
            ("WARNING", "PARTLY_UNINSPECTED", "lines"),
        ),
    ],
)
def test_what_a_lot_lacks_is_found_and_the_lot_is_named(
    lot: DraftedLot, finding: tuple[str, ...]
) -> None:
    (one,) = found([lot])
    assert said([one]) == [finding]
    assert (one.lot, one.draft_id) == ("12A", "lot-1")
    assert "12A" in one.message


@pytest.mark.parametrize(
    "lot",
    [
        a_lot(reserve_minor=None),
        a_lot(reserve_minor=100_00),
        a_lot(retail_minor=400_00),
        a_lot(retail_minor=0),
        a_lot(conditions={Condition.UNINSPECTED: 3}),
        a_lot(freight_terms=FreightTerms.FIXED, freight_fixed_minor=100),
    ],
)
def test_what_is_just_well_is_not_found(lot: DraftedLot) -> None:
    assert found([lot]) == []


def test_a_lot_without_photos_is_a_thing_to_look_at_behind_all_that_is_to_mend() -> None:
    of = found([a_lot(), a_lot(weight_g=None)], photos=0)
    assert [one.level for one in of] == [Level.ERROR, Level.WARNING, Level.WARNING]


def test_a_draft_of_nothing_is_told_all_that_it_lacks() -> None:
    codes = {one.code for one in findings(SaleDraft(), (), {}, NOBODY, 0, NOW_US)}
    assert codes == {"SALE_INCOMPLETE", "NO_LOTS"}


BOUND: Mapping[str, Any] = {"consignor_id": NORTH, "agreement_id": "returns"}


@pytest.mark.parametrize(
    ("version", "agreements", "names", "finding"),
    [
        (1, [an_agreement()], {NORTH: "Northwind"}, None),
        (1, [an_agreement()], {}, ("ERROR", "UNKNOWN_CONSIGNOR", "consignor_id")),
        (1, [], {NORTH: "Northwind"}, ("ERROR", "NO_AGREEMENT", "consignor_id")),
        (None, [an_agreement()], {NORTH: "Northwind"}, ("ERROR", "NO_AGREEMENT", "consignor_id")),
        (
            1,
            [an_agreement(currency="EUR")],
            {NORTH: "Northwind"},
            ("ERROR", "OTHER_CURRENCY", "consignor_id"),
        ),
        (
            1,
            [an_agreement(), an_agreement(2)],
            {NORTH: "Northwind"},
            ("WARNING", "OLD_AGREEMENT", "consignor_id"),
        ),
        (2, [an_agreement(), an_agreement(2)], {NORTH: "Northwind"}, None),
    ],
)
def test_consigned_goods_are_under_an_agreement_that_is_in_force(
    version: int | None,
    agreements: Sequence[Agreement],
    names: Mapping[str, str],
    finding: tuple[str, ...] | None,
) -> None:
    book = AgreementBook(names, agreements, DAY)
    of = found([a_lot(**BOUND, agreement_version=version)], agreed=book)
    assert said(of) == ([] if finding is None else [finding])
