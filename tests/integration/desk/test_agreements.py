"""Agreements with consignors: versions that stay, and lots that keep the one they are under."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from accounts.clock import wall_clock
from auction.catalog.importing.importer import Importer
from auction.consignment import CommissionTier
from auction.desk.agreements import Agreement, day_of, in_force, versions
from auction.desk.consignors import Consignor, Consignors, ConsignorWords
from auction.desk.imports import Imports, Making
from auction.desk.lot_changes import LotChanges
from auction.desk.lot_drafts import LotDraft
from auction.desk.lots import Lots, SeenLot
from auction.desk.refusals import Refused
from auction.desk.seller import Seller
from auction.ids import BidderId
from foundation.database import Pool
from tests.catalogue import a_line
from tests.consignors import a_consignor, agreement
from tests.desk import a_lot_draft

TOMORROW = day_of(wall_clock()) + timedelta(days=1)


@pytest.fixture
def consignors(pool: Pool) -> Consignors:
    return Consignors(pool, wall_clock, None)


@pytest.fixture
async def north(consignors: Consignors, seller: Seller) -> AsyncIterator[Consignor]:
    yield (await a_consignor(consignors, seller))[0]


def bound(draft: LotDraft) -> tuple[str | None, int | None]:
    return draft.agreement_id, draft.agreement_version


async def consigned(lots: Lots, seller: Seller, consignor: Consignor, **changes: Any) -> LotDraft:
    draft = a_lot_draft(consignor_id=consignor.consignor_id, **changes)
    return (await lots.create(seller, draft)).draft


async def test_a_version_is_read_as_it_was_written(
    consignors: Consignors, seller: Seller, pool: Pool
) -> None:
    words = agreement(
        fees_when_unsold=True, guarantee_minor=500_00, net_days=7, note="As talked over.",
    )  # fmt: skip
    north = await consignors.add(seller, ConsignorWords(name="Northwind"))
    made, _ = await consignors.agree(seller, north.consignor_id, words)
    assert (made.terms, made.note, made.version) == (words.terms, "As talked over.", 1)
    assert await consignors.agreements(seller.liquidator_id, north.consignor_id) == [made]
    async with pool.acquire() as connection:
        key = (made.agreement_id, 1)
        assert await versions(connection, [key, ("agreement-none", 1)]) == {key: made}


async def test_other_terms_are_another_version_and_the_old_one_stays(
    consignors: Consignors, seller: Seller, north: Consignor, pool: Pool
) -> None:
    (first,) = await consignors.agreements(seller.liquidator_id, north.consignor_id)
    named = (north.consignor_id, first.agreement_id)
    second, _ = await consignors.agree_anew(seller, *named, 1, agreement(1_000))
    found = await consignors.agreements(seller.liquidator_id, north.consignor_id)
    assert found == [second, first]
    assert second.terms.commission == (CommissionTier(0, 1_000),)
    with pytest.raises(Refused, match="CHANGED_MEANWHILE"):
        await consignors.agree_anew(seller, *named, 1, agreement(900))
    async with pool.acquire() as connection:
        for change in (
            "update consignor_agreement set net_days = 1",
            "delete from consignor_agreement",
        ):
            with pytest.raises(asyncpg.RaiseError, match="never changed"):
                await connection.execute(change)


async def test_a_later_version_is_not_in_force_before_its_day(
    consignors: Consignors, seller: Seller, north: Consignor
) -> None:
    (first,) = await consignors.agreements(seller.liquidator_id, north.consignor_id)
    later, _ = await consignors.agree_anew(
        seller, north.consignor_id, first.agreement_id, 1, agreement(900, valid_from=TOMORROW)
    )
    current = await consignors.in_force([north])
    assert current[north.consignor_id] == [first]
    assert in_force([first, later], TOMORROW) == [later]


async def test_a_lot_is_under_what_is_in_force_when_its_consignor_is_chosen(
    consignors: Consignors, lots: Lots, seller: Seller, north: Consignor
) -> None:
    (first,) = await consignors.agreements(seller.liquidator_id, north.consignor_id)
    lot = await lots.create(seller, a_lot_draft())
    changes = LotChanges(consignor_id=north.consignor_id)
    lot = await lots.change(seller, lot.draft_id, 1, changes)
    assert bound(lot.draft) == (first.agreement_id, 1)
    named = (north.consignor_id, first.agreement_id)
    await consignors.agree_anew(seller, *named, 1, agreement(900))
    lot = await lots.change(seller, lot.draft_id, 2, LotChanges(title="Other words"))
    assert bound(lot.draft) == (first.agreement_id, 1), "it keeps what it was under"
    again = LotChanges(agreement_id=first.agreement_id, agreement_version=2)
    lot = await lots.change(seller, lot.draft_id, 3, again)
    assert bound(lot.draft) == (first.agreement_id, 2)
    lot = await lots.change(seller, lot.draft_id, 4, LotChanges(consignor_id=None))
    assert bound(lot.draft) == (None, None)


async def test_another_consignor_brings_its_own_agreement(
    consignors: Consignors, lots: Lots, seller: Seller, north: Consignor
) -> None:
    south, agreed = await a_consignor(consignors, seller, "Southgate")
    lot = await lots.create(seller, a_lot_draft(consignor_id=north.consignor_id))
    changes = LotChanges(consignor_id=south.consignor_id)
    (lot,) = await lots.change_many(seller, [SeenLot(lot.draft_id, 1)], changes)
    assert bound(lot.draft) == (agreed.agreement_id, 1)


async def test_the_agreement_in_the_lots_currency_is_the_usual_one(
    consignors: Consignors, lots: Lots, seller: Seller, north: Consignor
) -> None:
    dollars = (await consignors.in_force([north]))[north.consignor_id][0]
    words = agreement(name="Canada", currency="CAD")
    canadian, _ = await consignors.agree(seller, north.consignor_id, words)
    lot = await consigned(lots, seller, north)
    assert bound(lot) == (dollars.agreement_id, 1)
    lot = await consigned(lots, seller, north, currency="CAD")
    assert bound(lot) == (canadian.agreement_id, 1)
    named = await consigned(lots, seller, north, agreement_id=canadian.agreement_id)
    assert bound(named) == (canadian.agreement_id, 1)


async def test_nobody_elses_consignor_or_agreement_is_taken(
    consignors: Consignors, lots: Lots, seller: Seller, rival: Seller, north: Consignor
) -> None:
    theirs, agreed = await a_consignor(consignors, rival, "Northwind Stores")
    for unknown in (theirs.consignor_id, BidderId("consignor-none")):
        with pytest.raises(Refused, match="UNKNOWN_CONSIGNOR") as refused:
            await lots.create(seller, a_lot_draft(consignor_id=unknown))
        assert refused.value.field == "consignor_id"
    for agreement_id, version in ((agreed.agreement_id, 1), ("agreement-none", None)):
        with pytest.raises(Refused, match="UNKNOWN_AGREEMENT") as refused:
            await consigned(
                *(lots, seller, north), agreement_id=agreement_id, agreement_version=version
            )
        assert refused.value.field == "agreement_id"


async def test_lots_whose_consignor_came_first_are_under_the_first_agreement(
    consignors: Consignors, lots: Lots, seller: Seller
) -> None:
    north = await consignors.add(seller, ConsignorWords(name="Northwind"))
    lot = await lots.create(seller, a_lot_draft(consignor_id=north.consignor_id))
    assert bound(lot.draft) == (None, None)
    agreed, lots_bound = await consignors.agree(seller, north.consignor_id, agreement())
    assert lots_bound == 1
    lot = await lots.read(seller.liquidator_id, lot.draft_id)
    assert (bound(lot.draft), lot.version) == ((agreed.agreement_id, 1), 2)


async def test_what_is_made_of_a_lot_is_under_its_version_and_a_copy_under_the_newest(
    consignors: Consignors, lots: Lots, seller: Seller, north: Consignor
) -> None:
    (first,) = await consignors.agreements(seller.liquidator_id, north.consignor_id)
    draft = a_lot_draft(consignor_id=north.consignor_id)
    lot = await lots.create(seller, draft, [a_line(1), a_line(2, pallet="P2")])
    named = (north.consignor_id, first.agreement_id)
    await consignors.agree_anew(seller, *named, 1, agreement(900))
    copy = await lots.copy(seller, lot.draft_id, lines=False)
    assert bound(copy.draft) == (first.agreement_id, 2)
    parts = await lots.split(seller, lot.draft_id, 1)
    assert [bound(part.draft) for part in parts] == [(first.agreement_id, 1)] * 2
    with pytest.raises(Refused, match="DIFFERENT_CONSIGNORS") as refused:
        await lots.join(seller, [copy.draft_id, parts[0].draft_id])
    assert "different agreements" in refused.value.message
    whole = await lots.join(seller, [part.draft_id for part in parts])
    assert bound(whole.draft) == (first.agreement_id, 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"currency": "XXX"}, "terms/currency"),
        ({"valid_from": date(1999, 1, 1)}, "valid_from"),
    ],
)
async def test_what_cannot_be_agreed_names_its_place(
    consignors: Consignors, seller: Seller, north: Consignor, changes: Any, field: str
) -> None:
    with pytest.raises(Refused, match="BAD_AGREEMENT") as refused:
        await consignors.agree(seller, north.consignor_id, agreement(**changes))
    assert refused.value.field == field
    found = await consignors.agreements(seller.liquidator_id, north.consignor_id)
    assert len(found) == 1, "nothing was agreed"


async def test_a_name_is_one_consignors_and_a_change_names_its_version(
    consignors: Consignors, seller: Seller, rival: Seller, north: Consignor
) -> None:
    with pytest.raises(Refused, match="NAME_TAKEN"):
        await consignors.add(seller, ConsignorWords(name=north.name))
    await consignors.add(rival, ConsignorWords(name=north.name))
    words = ConsignorWords(name="Northwind Inc", hidden=True)
    changed = await consignors.change(seller, north.consignor_id, 1, words)
    assert (changed.name, changed.hidden, changed.version) == ("Northwind Inc", True, 2)
    with pytest.raises(Refused, match="CHANGED_MEANWHILE"):
        await consignors.change(seller, north.consignor_id, 1, words)
    with pytest.raises(Refused, match="NOT_FOUND"):
        await consignors.change(rival, north.consignor_id, 2, words)


def test_an_agreement_of_tomorrow_is_none_today() -> None:
    today = TOMORROW - timedelta(days=1)
    assert in_force(list[Agreement](), today) == []


async def test_all_lots_of_an_import_are_their_consignors(
    consignors: Consignors, pool: Pool, seller: Seller, rival: Seller, north: Consignor
) -> None:
    imports = Imports(pool, Importer(), wall_clock)
    lines = b"Pallet,Description,Qty,MSRP\nP1,Kettle,2,40.00\nP2,Toaster,1,25.00\n"
    read = await imports.read_file(seller, "two.csv", lines, corrections={})
    theirs, _ = await a_consignor(consignors, rival, "Southgate")
    strange = LotDraft(consignor_id=theirs.consignor_id)
    with pytest.raises(Refused, match="UNKNOWN_CONSIGNOR"):
        await imports.make(seller, read.preview_id, Making.PALLETS, strange)
    words = LotDraft(consignor_id=north.consignor_id)
    made = await imports.make(seller, read.preview_id, Making.PALLETS, words)
    assert [lot.draft.consignor_id for lot in made] == [north.consignor_id] * 2
    assert [lot.draft.agreement_version for lot in made] == [1, 1]
