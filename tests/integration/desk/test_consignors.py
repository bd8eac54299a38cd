"""Consignors over HTTP: at their liquidator's desk, and by a login of their own."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import to_builtins
from python_calamine import CalamineWorkbook

from accounts.identity import OrganisationKind, Role
from accounts.ids import OrganisationId
from foundation.database import acquire
from tests.consignors import agreement, consigning
from tests.desk import a_sale_draft
from tests.desk_market import Sellers, a_lot, desk_market
from tests.market import Reseller

# No other number or word of these tests looks like them.
RESERVE, MARKS = "7654300", ("LOAD-MARK", "PO-MARK", "RMA-MARK", "NOTE-MARK", "CONTACT-MARK")
PAPERS = {"load": "LOAD-MARK", "purchase_order": "PO-MARK", "rma": "RMA-MARK"}


@pytest.fixture
async def sellers(database_url: str) -> AsyncIterator[Sellers]:
    async with desk_market(database_url) as sellers:
        yield sellers


async def logged_in(sellers: Sellers, consignor_id: str, name: str) -> Reseller:
    """Somebody of a consignor that is linked to an organisation of its own."""
    people = sellers.market.people
    organisation_id = await people.organisation(OrganisationKind.CONSIGNOR, name)
    path = f"/desk/consignors/{consignor_id}"
    version = (await sellers.seller.get(path))["version"]
    body = {"organisation_id": organisation_id}
    await sellers.seller.does("PUT", f"{path}/organisation", body, If_Match=f'"{version}"')
    mail = f"{name.lower()}@example.com"
    person = await people.person(organisation_id, Role.ADMIN, mail=mail, name=f"Person of {name}")
    return await sellers.market.signed_in(person)


class Held:
    """A sale with goods of two consignors and of the seller's own."""

    def __init__(self, sellers: Sellers) -> None:
        self.sellers = sellers

    async def opens(self) -> None:
        by = self.sellers.seller
        self.north_id, self.agreement_id = await consigning(by, "Northwind", note="NOTE-MARK")
        self.south_id, _ = await consigning(by, "Southgate", rate_bps=3_333)
        said = {"name": "Northwind", "contact": "CONTACT-MARK", "note": "NOTE-MARK"}
        path = f"/desk/consignors/{self.north_id}"
        await by.does("PUT", path, said, If_Match='"1"')
        self.north = await logged_in(self.sellers, self.north_id, "Nora")
        self.south = await logged_in(self.sellers, self.south_id, "Sofia")
        none = {"reserve_minor": None, **PAPERS}
        lots = [
            await a_lot(by, title="North one", consignor_id=self.north_id, pallets=4, **none),
            await a_lot(
                by, title="North two", consignor_id=self.north_id, **PAPERS,
                opening_minor=100_00, reserve_minor=int(RESERVE),
            ),
            await a_lot(by, title="South one", consignor_id=self.south_id, **none),
            await a_lot(by, title="Own one", **none),
        ]  # fmt: skip
        now_us = self.sellers.market.clock.now_us()
        draft = to_builtins(a_sale_draft(now_us))
        sale = await by.does("POST", "/desk/sales", draft, status=201)
        self.sale_id = sale["sale_id"]
        ids = {"draft_ids": [lot["draft_id"] for lot in lots]}
        path = f"/desk/sales/{self.sale_id}"
        sale = await by.does("POST", f"{path}/lots", ids, If_Match='"1"')
        tag = f'"{sale["version"]}"'
        await by.does("POST", f"{path}/publication", If_Match=tag)
        self.sellers.market.clock.shift_us += 24 * 3_600_000_000 + 60_000_000
        await self.sellers.market.caught_up()

    async def is_bid_on(self) -> None:
        market = self.sellers.market
        self.hart, self.ivy = await market.reseller("Hartmark"), await market.reseller("Ivymark")
        for bidder in (self.hart, self.ivy):
            await bidder.registers(self.sale_id)
        for lot, bidder, amount_minor in (
            ("1", self.hart, 9_876_00),
            ("1", self.ivy, 1_000_00),
            ("2", self.hart, 500_00),
            ("3", self.ivy, 300_00),
        ):
            await bidder.bids(amount_minor, lot=lot, sale_id=self.sale_id)
        await market.caught_up()

    async def is_over(self) -> None:
        await self.sellers.market.closes(self.sale_id)


@pytest.fixture
async def held(sellers: Sellers) -> Held:
    held = Held(sellers)
    await held.opens()
    await held.is_bid_on()
    return held


def results_of(held: Held, ending: str = "") -> str:
    return f"/consignor/sales/{held.sale_id}/results{ending}"


async def test_a_consignor_gets_what_was_agreed_to_the_cent(held: Held) -> None:
    during = await held.north.get("/consignor")
    (sale,) = during["sales"]
    assert (sale["lots"], sale["open"], sale["sold"], sale["hammer_minor"]) == (2, 2, 0, 0)
    assert sale["bid_minor"] == 1_050_00 + 500_00, "what everybody sees"
    await held.is_over()
    (sale,) = (await held.north.get("/consignor"))["sales"]
    assert (sale["sold"], sale["passed"], sale["hammer_minor"]) == (1, 1, 1_050_00)
    found = await held.north.get(results_of(held))
    assert [lot["lot_id"] for lot in found["results"]["lots"]] == ["1", "2"]
    # 12 % of 1,050.00 and 18.00 for each of four pallets; nothing for what was not sold.
    first, second = (one["share"] for one in found["shares"])
    assert (first["commission_minor"], first["fees_minor"]) == (126_00, 72_00)
    assert first["consignor_minor"] == found["consignor_minor"] == 852_00
    assert second["consignor_minor"] == 0
    assert found["shares"][0]["agreement_id"] == held.agreement_id


async def test_what_is_agreed_later_does_not_change_what_was_published(held: Held) -> None:
    path = f"/desk/consignors/{held.north_id}/agreements/{held.agreement_id}/versions"
    body = to_builtins(agreement(5_000))
    await held.sellers.seller.does("POST", path, body, status=201, If_Match='"1"')
    await held.is_over()
    found = await held.north.get(results_of(held))
    assert (found["shares"][0]["agreement_version"], found["consignor_minor"]) == (1, 852_00)
    (with_harbor,) = (await held.north.get("/consignor"))["consigning"]
    assert with_harbor["agreements"][0]["version"] == 2


def texts_of(book: bytes) -> str:
    read = CalamineWorkbook.from_filelike(io.BytesIO(book))
    sheets = [read.get_sheet_by_name(name).to_python() for name in read.sheet_names]
    return json.dumps(sheets, default=str)


@pytest.mark.parametrize("when", ["during", "after"])
async def test_a_consignor_sees_nothing_that_is_not_its_own(held: Held, when: str) -> None:
    if when == "after":
        await held.is_over()
    told = [
        (await held.north.send("GET", path))[1].decode()
        for path in ("/consignor", results_of(held), results_of(held, ".csv"))
    ]
    book = texts_of((await held.north.send("GET", results_of(held, ".xlsx")))[1])
    told.append(book)
    assert "North one" in told[1] and "North two" in book
    secrets = [
        *(RESERVE, "76,543", "76543", *MARKS),  # the seller's
        *("South one", "Southgate", held.south_id, "3333", "Own one"),  # others'
        *("Hartmark", "Ivymark", held.hart.bidder_id, held.ivy.bidder_id),  # the buyers'
        *("987600", "9876"),  # a maximum
    ]
    for text in told:
        assert not [word for word in secrets if word in text]


async def test_a_sale_without_its_goods_is_one_that_does_not_exist(held: Held) -> None:
    other, _ = await consigning(held.sellers.seller, "Westfield")
    west = await logged_in(held.sellers, other, "Wanda")
    for ending in ("", ".csv", ".xlsx"):
        foreign = await west.send("GET", results_of(held, ending))
        missing = await west.send("GET", f"/consignor/sales/S-none/results{ending}")
        assert foreign == missing and foreign[0] == 404
    assert (await west.get("/consignor"))["sales"] == []


async def test_only_consignors_have_goods_of_their_own(held: Held) -> None:
    for person in (held.sellers.seller, held.sellers.staff):
        for path in ("/consignor", results_of(held)):
            assert (await person.send("GET", path))[0] == 403
    assert await held.hart.get("/consignor") == {"consigning": [], "sales": []}
    await held.hart.get(results_of(held), status=404)
    assert (await held.sellers.market.guest.send("GET", "/consignor"))[0] == 401
    assert (await held.north.send("GET", "/desk/consignors"))[0] == 403


async def test_tables_have_the_consignors_lots(held: Held) -> None:
    await held.is_over()
    _, table = await held.north.send("GET", results_of(held, ".csv"))
    rows = list(csv.DictReader(io.StringIO(table.decode(), newline="")))
    assert [row["Lot"] for row in rows] == ["1", "2"]
    assert rows[0]["Hammer price (USD)"] == "1050.00"


async def test_the_sellers_results_call_a_consignor_by_its_name(held: Held) -> None:
    await held.is_over()
    found = await held.sellers.seller.get(f"/desk/sales/{held.sale_id}/results")
    names = {part["name"] for part in found["by_consignor"]}
    assert names == {"Northwind", "Southgate", "Own goods"}


async def test_a_consignor_is_invited_once_and_then_invites_its_own(sellers: Sellers) -> None:
    by = sellers.seller
    consignor_id, _ = await consigning(by)
    path = f"/desk/consignors/{consignor_id}"
    bad = await by.does("POST", f"{path}/invitation", {"mail": "nobody"}, status=409)
    assert (bad["code"], bad["place"]) == ("NOT_INVITED", "/mail")
    invited = await by.does("POST", f"{path}/invitation", {"mail": "nora@north.example"})
    organisation_id = invited["organisation_id"]
    assert sellers.market.people.post.to("nora@north.example")
    again = await by.does("POST", f"{path}/invitation", {"mail": "nina@north.example"})
    assert again["organisation_id"] == organisation_id
    people = sellers.market.people
    await people.person(
        OrganisationId(organisation_id), Role.ADMIN, mail="nora@north.example", name="Nora"
    )
    late = await by.does("POST", f"{path}/invitation", {"mail": "eve@x.example"}, status=409)
    assert late["code"] == "NOT_INVITED"


async def test_an_organisation_that_is_there_is_linked_and_never_invited_into(
    sellers: Sellers,
) -> None:
    by, people = sellers.seller, sellers.market.people
    consignor_id, _ = await consigning(by)
    theirs = await people.organisation(OrganisationKind.CONSIGNOR, "Northwind Inc")
    path = f"/desk/consignors/{consignor_id}"
    for organisation_id in (by.organisation_id, "consignor-none"):
        answered = await by.does(
            *("PUT", f"{path}/organisation", {"organisation_id": organisation_id}),
            status=409,
            If_Match='"1"',
        )
        assert (answered["code"], answered["place"]) == ("NOT_INVITED", "/organisation_id")
    linking = {"organisation_id": theirs}
    linked = await by.does("PUT", f"{path}/organisation", linking, If_Match='"1"')
    assert linked["organisation_id"] == theirs
    body = {"mail": "eve@x.example"}
    assert (await by.does("POST", f"{path}/invitation", body, status=409))["code"] == "NOT_INVITED"


async def test_an_example_is_computed_by_the_version_that_is_asked(sellers: Sellers) -> None:
    by = sellers.seller
    consignor_id, agreement_id = await consigning(by)
    path = f"/desk/consignors/{consignor_id}/agreements/{agreement_id}/versions"
    share = await by.get(f"{path}/1/example?hammer_minor=1000000&pallets=4")
    assert share["consignor_minor"] == 8_728_00
    await by.get(f"{path}/2/example?hammer_minor=1", status=404)
    bad = await by.get(f"{path}/1/example?hammer_minor=1&credit_minor=2", status=422)
    assert bad["place"] == "?credit_minor"


async def test_no_row_that_settlement_needs_is_public(held: Held) -> None:
    async with acquire(held.sellers.market.pool) as connection:
        rows = await connection.fetch("select * from consigned_lot order by lot_id")
    assert [(row["lot_id"], row["load"], row["pallets"]) for row in rows] == [
        ("1", "LOAD-MARK", 4), ("2", "LOAD-MARK", 1), ("3", "LOAD-MARK", 1),
    ]  # fmt: skip
    for path in (f"/sales/{held.sale_id}", f"/sales/{held.sale_id}/lots/1"):
        _, text = await held.sellers.market.guest.send("GET", path)
        marks: list[Any] = [*MARKS, held.north_id, held.agreement_id, "Northwind"]
        assert not [mark for mark in marks if mark.encode() in text]


async def test_a_reseller_that_consigns_sees_its_goods_and_does_not_bid(sellers: Sellers) -> None:
    by, hart = sellers.seller, await sellers.market.reseller("Hart")
    consignor_id, _ = await consigning(by, "Hart")
    path = f"/desk/consignors/{consignor_id}/organisation"
    await by.does("PUT", path, {"organisation_id": hart.bidder_id}, If_Match='"1"')
    now_us = sellers.market.clock.now_us()
    lot = await a_lot(by, consignor_id=consignor_id)
    sale = await by.does("POST", "/desk/sales", to_builtins(a_sale_draft(now_us)), status=201)
    path, ids = f"/desk/sales/{sale['sale_id']}", {"draft_ids": [lot["draft_id"]]}
    sale = await by.does("POST", f"{path}/lots", ids, If_Match='"1"')
    await by.does("POST", f"{path}/publication", If_Match=f'"{sale["version"]}"')
    await sellers.market.caught_up()
    seen = await hart.get("/consignor")
    assert [one["sale_id"] for one in seen["sales"]] == [sale["sale_id"]]
    log = await sellers.late.sale(sale["sale_id"])
    assert log is not None and hart.bidder_id in log.seller_ids
