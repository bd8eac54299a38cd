"""Consignors on pages: at the desk, and the pages of a consignor's own people."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from accounts.identity import OrganisationKind, Role
from auction.desk.agreements import Agreement
from auction.desk.consignors import Consignor, ConsignorWords
from auction.desk.pages.lot_fields import FIELDS
from tests.accounts_site import Client
from tests.consignors import a_consignor, agreement
from tests.seller_site import AtDesk, at_desk
from tests.site import Site, open_site
from tests.visiting import visitor

AGREED = {
    "name": "Returns",
    "valid_from": "2020-01-01",
    "rate": "12.5",
    "tier2_from": "5,000",
    "tier2_rate": "8 %",
    "fee_per_pallet": "18",
    "fees_when_unsold": "on",
    "net_days": "14",
    "claims": "CONSIGNOR",
}


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The whole site."""
    async with open_site(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def desk(site: Site) -> AtDesk:
    """A liquidator."""
    return await at_desk(site)


@pytest.fixture
async def dana(site: Site, desk: AtDesk) -> AsyncIterator[Client]:
    """Its seller's browser."""
    async with visitor(site, desk.person_id) as client:
        yield client


async def of(desk: AtDesk, consignor: Consignor) -> list[Agreement]:
    owner = desk.seller.liquidator_id
    return list(await desk.room.consignors.agreements(owner, consignor.consignor_id))


async def test_a_consignor_is_added_and_agreed_with_on_pages(desk: AtDesk, dana: Client) -> None:
    assert "No consignors yet" in (await dana.get("/desk/consignors")).text
    made = await dana.post("/desk/consignors", {"name": "Northwind", "contact": "Nora"})
    assert made.status == 303
    path = made.location.partition("#")[0]
    assert "No agreement is in force" in (await dana.get(path)).text
    agreed = await dana.post(f"{path}/agreements", AGREED)
    assert agreed.status == 303, agreed.text
    (consignor,) = await desk.room.consignors.list(desk.seller.liquidator_id)
    (version,) = await of(desk, consignor)
    assert [(one.from_minor, one.rate_bps) for one in version.terms.commission] == [
        (0, 1_250),
        (5_000_00, 800),
    ]
    assert (version.terms.fee_per_pallet_minor, version.terms.net_days) == (18_00, 14)
    text = (await dana.get(path)).text
    # 12.5 % of 1,000.00, and four pallets at 18.00.
    assert "Northwind gets $803 and the liquidator keeps $197" in text
    assert "12.5 % of the hammer price, 8 % of the part above $5,000." in text
    assert "Returns, version 1" in (await dana.get("/desk/consignors")).text


async def test_all_tiers_of_an_agreement_stand_in_its_next_version(
    desk: AtDesk, dana: Client
) -> None:
    consignor = await desk.room.consignors.add(desk.seller, ConsignorWords(name="Northwind"))
    path = f"/desk/consignors/{consignor.consignor_id}"
    rates = {"tier3_from": "10,000", "tier3_rate": "6", "tier4_from": "20,000", "tier4_rate": "5"}
    assert (await dana.post(f"{path}/agreements", AGREED | rates)).status == 303
    (first,) = await of(desk, consignor)
    page = (await dana.get(f"{path}?agreement={first.agreement_id}")).text
    assert 'name="tier4_rate"' in page and 'value="5"' in page
    assert 'name="tier5_rate"' in page and 'name="tier6_rate"' not in page


@pytest.mark.parametrize(
    ("typed", "place", "said"),
    [
        ({"rate": "112"}, "rate", "Enter per cent from 0 to 100"),
        ({"rate": "a"}, "rate", "Enter per cent"),
        ({"tier2_from": ""}, "tier2_from", "more than the part before"),
        ({"fee_per_pallet": "1.2.3"}, "fee_per_pallet", "Write the amount in digits"),
        ({"net_days": "900"}, "net_days", "From 0 to 365 days"),
        ({"valid_from": "soon"}, "valid_from", "Choose a day"),
        ({"valid_from": "1999-01-01"}, "valid_from", "More than 10 years"),
        ({"claims": "NOBODY"}, "claims", ""),
    ],
)
async def test_what_will_not_do_is_said_beside_its_field_and_nothing_is_agreed(
    desk: AtDesk, dana: Client, typed: dict[str, str], place: str, said: str
) -> None:
    consignor = await desk.room.consignors.add(desk.seller, ConsignorWords(name="Northwind"))
    path = f"/desk/consignors/{consignor.consignor_id}/agreements"
    answered = await dana.post(path, AGREED | typed)
    assert answered.status == 422
    assert f'id="error-{place}"' in answered.text and said in answered.text
    assert await of(desk, consignor) == []


async def test_a_version_that_is_not_the_newest_any_more_is_said(
    desk: AtDesk, dana: Client
) -> None:
    consignor, agreed = await a_consignor(desk.room.consignors, desk.seller)
    path = f"/desk/consignors/{consignor.consignor_id}/agreements"
    following = AGREED | {"agreement": agreed.agreement_id, "version": "1"}
    assert (await dana.post(path, following)).status == 303
    late = await dana.post(path, following)
    assert late.status == 412 and "Somebody has changed this meanwhile" in late.text
    assert [one.version for one in await of(desk, consignor)] == [2, 1]


async def test_words_are_changed_as_they_were_seen(desk: AtDesk, dana: Client) -> None:
    consignor, _ = await a_consignor(desk.room.consignors, desk.seller)
    path = f"/desk/consignors/{consignor.consignor_id}"
    assert (await dana.post(path, {"name": "Better", "version": "1"})).status == 303
    late = await dana.post(path, {"name": "Other", "version": "1"})
    assert late.status == 412 and "changed this meanwhile" in late.text
    await desk.room.consignors.add(desk.seller, ConsignorWords(name="Taken"))
    taken = await dana.post(path, {"name": "Taken", "version": "2"})
    assert taken.status == 409 and "one of this name" in taken.text


async def test_another_sellers_consignor_is_one_that_does_not_exist(
    site: Site, desk: AtDesk, dana: Client
) -> None:
    other = await at_desk(site, "Prairie", "ann@prairie.example")
    theirs, _ = await a_consignor(other.room.consignors, other.seller, "MARK")
    for path in (f"/desk/consignors/{theirs.consignor_id}", "/desk/consignors/consignor-none"):
        assert (await dana.get(path)).status == 404
        for what in ("", "/agreements", "/login"):
            typed = AGREED if what == "/agreements" else {"name": "x", "version": "1"}
            typed = {"mail": "x@x.example"} if what == "/login" else typed
            assert (await dana.post(f"{path}{what}", typed)).status == 404
    assert "MARK" not in (await dana.get("/desk/consignors")).text


async def test_an_invited_person_sees_the_goods_on_pages_of_their_own(
    site: Site, desk: AtDesk, dana: Client
) -> None:
    consignor, _ = await a_consignor(desk.room.consignors, desk.seller, note="NOTE-MARK")
    lot = await desk.lot(
        consignor_id=consignor.consignor_id, load="LOAD-MARK", reserve_minor=76_543_00
    )
    sale_id = await desk.sale(lot, await desk.lot(title="OWN-MARK"))
    await desk.publish(sale_id)
    path = f"/desk/consignors/{consignor.consignor_id}"
    invited = await dana.post(f"{path}/login", {"mail": "nora@north.example"})
    assert invited.status == 303
    consignor = await desk.room.consignors.read(desk.seller.liquidator_id, consignor.consignor_id)
    assert consignor.organisation_id is not None
    nora = await site.people.person(
        consignor.organisation_id, Role.ADMIN, mail="nora@north.example", name="Nora"
    )
    async with visitor(site, nora) as client:
        home = (await client.get("/consignor")).text
        assert "Your goods" in home and "What is agreed with Harbor Returns" in home
        assert consignor.organisation_id in home
        sale = await client.get(f"/consignor/sales/{sale_id}")
        assert sale.status in (200, 404)
        for text in (home, sale.text):
            for mark in ("NOTE-MARK", "LOAD-MARK", "OWN-MARK", "76,543", "7654300"):
                assert mark not in text
        assert (await client.get("/desk")).status == 403


async def test_a_consignor_without_goods_has_a_page_that_says_so(site: Site) -> None:
    organisation_id = await site.people.organisation(OrganisationKind.CONSIGNOR, "Westfield")
    person = await site.people.person(
        organisation_id, Role.ADMIN, mail="wanda@west.example", name="Wanda"
    )
    async with visitor(site, person) as client:
        assert "None of your goods are in a sale yet" in (await client.get("/consignor")).text
        assert (await client.get("/consignor/sales/S-none")).status == 404


async def test_a_lots_consignor_is_chosen_on_its_page_and_a_newer_agreement_taken_over(
    desk: AtDesk, dana: Client
) -> None:
    lot = await desk.lot()
    assert "Add the consignor first" in (await dana.get(f"/desk/lots/{lot}")).text
    north, agreed = await a_consignor(desk.room.consignors, desk.seller)
    page = (await dana.get(f"/desk/lots/{lot}")).text
    assert f'<option value="{north.consignor_id}">Northwind Stores</option>' in page
    draft = (await desk.room.lots.read(desk.seller.liquidator_id, lot)).draft
    typed = {name: FIELDS[name].typed(draft) for name in FIELDS if name != "restrictions"}
    chosen = typed | {"consignor": north.consignor_id, "version": "1"}
    assert (await dana.post(f"/desk/lots/{lot}", chosen)).status == 303
    assert "version 1, valid from 2020-01-01" in (await dana.get(f"/desk/lots/{lot}")).text
    named = (north.consignor_id, agreed.agreement_id)
    await desk.room.consignors.agree_anew(desk.seller, *named, 1, agreement(900))
    assert "Take this agreement" in (await dana.get(f"/desk/lots/{lot}")).text
    taken = await dana.post(f"/desk/lots/{lot}/take", {"version": "2", "what": "agreement"})
    assert taken.status == 303
    draft = (await desk.room.lots.read(desk.seller.liquidator_id, lot)).draft
    assert (draft.agreement_id, draft.agreement_version) == (agreed.agreement_id, 2)
    strange = chosen | {"consignor": "consignor-none", "version": "3"}
    refused = await dana.post(f"/desk/lots/{lot}", strange)
    assert refused.status == 422 and 'id="error-consignor"' in refused.text


async def test_many_lots_get_a_consignor_by_name_and_a_cell_of_the_grid_one(
    desk: AtDesk, dana: Client
) -> None:
    lots = [await desk.lot(), await desk.lot(title="Lamps")]
    assert "Consignor</th>" not in (await dana.get("/desk/lots")).text
    north, _ = await a_consignor(desk.room.consignors, desk.seller)
    south, _ = await a_consignor(desk.room.consignors, desk.seller, "Southgate")
    assert "Consignor</th>" in (await dana.get("/desk/lots")).text
    for lot in lots:
        many = {"lots": f"{lot}:1", "field": "consignor", "value": "northwind stores"}
        assert (await dana.post("/desk/lots/several/change", many)).status == 303
    cell = {"field": "consignor", "version": "2", "value": south.consignor_id}
    answered = await dana.post(f"/desk/lots/{lots[0]}/cell", cell)
    assert answered.status == 200 and '"shown":"Southgate"' in answered.text
    owner = desk.seller.liquidator_id
    found = [(await desk.room.lots.read(owner, lot)).draft for lot in lots]
    assert [one.consignor_id for one in found] == [south.consignor_id, north.consignor_id]
    assert all(one.agreement_version == 1 for one in found)
    bad = await dana.post(f"/desk/lots/{lots[0]}/cell", cell | {"version": "3", "value": "Eastend"})
    assert bad.status == 422 and "Choose one of: Northwind Stores, Southgate." in bad.text
