"""What a sale brought, to the cent, and to whom what of it is shown."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from accounts.identity import OrganisationKind, Role
from accounts.ids import OrganisationId
from accounts.permissions import Access, may
from auction.catalog.goods import Condition
from auction.commands import RecordFunding, WithdrawalCause, WithdrawLot
from auction.desk.api_results import ResultsApi
from auction.ids import BidderId, LotId, SaleId
from tests.builders import MINUTE_US, STAFF_MEMBER
from tests.market import Market, Reseller
from tests.market import market as running_market
from tests.selling import a_liquidator, bids, desk_routes, goods, has_brought, sells

# No other number or word of these tests looks like them.
RESERVE_MINOR, RESERVE = 777_00, "77700"
FORMULA = '=HYPERLINK("http://x.example","Toys")'


@pytest.fixture
async def market(database_url: str) -> AsyncIterator[Market]:
    async with running_market(database_url, desk_routes) as market:
        yield market


class Sale:
    """A sale that brought something."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.sale_id = SaleId("S-7")
        self.path = f"/desk/sales/{self.sale_id}/results"

    async def opens(self) -> None:
        market = self.market
        self.seller = await a_liquidator(market, "Harbor Returns")
        organisation = market.people.organisation
        self.north = await organisation(OrganisationKind.CONSIGNOR, "Northwind Stores")
        self.south = await organisation(OrganisationKind.CONSIGNOR, "Southgate Stores")
        self.hart, self.ivy = await market.reseller("Hart"), await market.reseller("Ivy")
        toys: dict[str, Any] = {"category": "Toys", "condition": Condition.NEW}
        await sells(
            market,
            self.seller,
            self.sale_id,
            goods("1", consignor_id=self.north, reserve_minor=150_00, minutes=5),
            goods("2", 2_000_00, title=FORMULA, **toys),
            goods("3", 300_00, consignor_id=self.south, reserve_minor=RESERVE_MINOR),
            goods("4", 0, consignor_id=self.north),
            goods("5", 50_00, **toys),
        )

    async def is_bid_on(self) -> None:
        await bids(
            self.market,
            self.sale_id,
            ("1", self.hart, 300_00),
            ("1", self.ivy, 200_00),
            ("2", self.ivy, 100_00),
            ("3", self.hart, 400_00),
            ("4", self.hart, 100_00),
        )
        withdrawn = WithdrawLot(
            sale_id=self.sale_id,
            lot_id=LotId("5"),
            cause=WithdrawalCause.RECALL,
            reason="a recall",
            actor_id=STAFF_MEMBER,
        )
        await self.market.submit(withdrawn)

    async def is_held(self) -> None:
        await self.opens()
        await self.is_bid_on()
        await self.market.closes(self.sale_id)


@pytest.fixture
async def sale(market: Market) -> Sale:
    held = Sale(market)
    await held.is_held()
    return held


async def test_results_are_right_to_the_cent(sale: Sale) -> None:
    found = await sale.seller.get(sale.path)
    totals = found["totals"]
    # Lot 1: 200.00 and an increment of 10.00; lots 2 and 4: the opening bid.
    assert totals["hammer_minor"] == 210_00 + 100_00 + 100_00
    assert (totals["sold"], totals["passed"], totals["withdrawn"], totals["unended"]) == (
        3, 1, 1, 0,
    )  # fmt: skip
    assert totals["msrp_minor"] == 1_000_00 + 2_000_00 + 300_00 + 50_00
    # Without lot 4, whose MSRP says nothing: 310 of 3,000, which is 10.33 %.
    assert (totals["valued"], totals["valued_hammer_minor"]) == (2, 310_00)
    assert totals["recovery_bps"] == 1_033
    assert totals["quartiles"] == {"low_bps": 900, "median_bps": 1_300, "high_bps": 1_700}
    assert totals["sell_through_bps"] == 7_500
    assert found["against_reserve"] == {
        "lots": 2,
        "sold": 1,
        "reserve_minor": 150_00 + RESERVE_MINOR,
        "sold_reserve_minor": 150_00,
        "hammer_minor": 210_00,
        "of_reserve_bps": 14_000,
    }
    lots = {lot["lot_id"]: lot for lot in found["lots"]}
    assert list(lots) == ["1", "2", "3", "4", "5"]
    first, third, fifth = lots["1"], lots["3"], lots["5"]
    assert (first["outcome"], first["recovery_bps"], first["of_reserve_bps"]) == (
        "SOLD", 2_100, 14_000,
    )  # fmt: skip
    assert (first["bids"], first["bidders"], first["consignor"]) == (2, 2, "Northwind Stores")
    assert (third["outcome"], third["reason"]) == ("PASSED", "RESERVE_NOT_MET")
    assert (third["price_minor"], third["hammer_minor"], third["of_reserve_bps"]) == (
        400_00, None, 5_148,
    )  # fmt: skip
    assert (fifth["outcome"], fifth["reason"]) == ("WITHDRAWN", "RECALL")
    assert lots["4"]["recovery_bps"] is None


async def test_each_breakdown_adds_up_to_the_totals(sale: Sale) -> None:
    found = await sale.seller.get(sale.path)
    for by in ("by_category", "by_condition", "by_kind", "by_consignor"):
        for name in ("lots", "sold", "units", "hammer_minor", "msrp_minor", "valued_hammer_minor"):
            assert sum(part["sums"][name] for part in found[by]) == found["totals"][name], by
    consignors = {part["name"]: part["sums"]["hammer_minor"] for part in found["by_consignor"]}
    assert consignors == {"Northwind Stores": 310_00, "Own goods": 100_00, "Southgate Stores": 0}
    columns = [(column["from_bps"], column["lots"]) for column in found["distribution"]]
    assert columns == [(0, 0), (500, 1), (1_000, 0), (1_500, 0), (2_000, 1)]


async def test_a_buyer_has_a_paddle_after_the_hammer_and_a_name_after_the_sale(
    market: Market,
) -> None:
    sale = Sale(market)
    await sale.opens()
    await sale.is_bid_on()
    _, before = await sale.seller.send("GET", sale.path)
    await market.passes(6 * MINUTE_US, sale.sale_id)
    _, hammered = await sale.seller.send("GET", sale.path)
    for told in (before, hammered):
        for word in (b"Hart", b"Ivy", sale.hart.bidder_id.encode(), sale.ivy.bidder_id.encode()):
            assert word not in told
    assert b'"paddle"' not in before
    lots = (await sale.seller.get(sale.path))["lots"]
    assert [lot["outcome"] for lot in lots] == ["SOLD", None, None, None, "WITHDRAWN"]
    assert lots[0]["buyers"] == [{"paddle": 101, "name": None}]
    assert all(not lot["buyers"] for lot in lots[1:])
    await market.closes(sale.sale_id)
    lots = (await sale.seller.get(sale.path))["lots"]
    assert lots[0]["buyers"] == [{"paddle": 101, "name": "Hart"}]
    assert lots[1]["buyers"] == [{"paddle": 102, "name": "Ivy"}]
    assert lots[2]["buyers"] == []


async def test_what_was_paid_later_is_in_the_results(sale: Sale) -> None:
    paid = RecordFunding(
        sale_id=sale.sale_id,
        lot_id=LotId("1"),
        bidder_id=sale.hart.bidder_id,
        actor_id=STAFF_MEMBER,
    )
    assert (await sale.seller.get(sale.path))["lots"][0]["funded_at_us"] is None
    await sale.market.submit(paid)
    await sale.market.caught_up()
    assert (await sale.seller.get(sale.path))["lots"][0]["funded_at_us"] is not None


def of_consignor(sale: Sale, consignor_id: OrganisationId, ending: str = "") -> str:
    return f"/desk/sales/{sale.sale_id}/consignors/{consignor_id}/results{ending}"


async def test_a_consignor_is_shown_its_own_goods_only_and_no_reserve(sale: Sale) -> None:
    found = await sale.seller.get(of_consignor(sale, sale.north))
    assert [lot["lot_id"] for lot in found["lots"]] == ["1", "4"]
    assert found["consignor"] == "Northwind Stores"
    assert found["totals"]["hammer_minor"] == 310_00
    assert found["lots"][0]["paddles"] == [101]
    secrets = [RESERVE, "15000", "reserve_minor", sale.south, "Southgate", "Hart", "Ivy"]
    for ending in ("", ".csv"):
        for consignor_id, others in ((sale.north, secrets), (sale.south, [RESERVE, sale.north])):
            status, told = await sale.seller.send("GET", of_consignor(sale, consignor_id, ending))
            assert status == 200
            assert not [word for word in others if word.encode() in told]
    _, book = await sale.seller.send("GET", of_consignor(sale, sale.north, ".xlsx"))
    cells = [str(cell) for sheet in sheets(book).values() for row in sheet for cell in row]
    assert not [c for c in cells if "Southgate" in c or "Hart" in c or "Reserve" in c or c == "777"]
    await sale.seller.get(of_consignor(sale, OrganisationId("consignor-0")), status=404)


async def test_another_liquidators_sale_is_answered_as_one_that_does_not_exist(
    sale: Sale,
) -> None:
    other = await a_liquidator(sale.market, "Rival Returns")
    for tail in ("results", "results.csv", "results.xlsx", f"consignors/{sale.north}/results",
                 f"consignors/{sale.north}/results.csv"):  # fmt: skip
        foreign = await other.send("GET", f"/desk/sales/{sale.sale_id}/{tail}")
        missing = await other.send("GET", f"/desk/sales/S-none/{tail}")
        assert foreign == missing
        assert foreign[0] == 404


async def test_who_may_not_is_turned_away_on_every_route_and_who_may_is_not(sale: Sale) -> None:
    kinds = OrganisationKind
    people: list[Reseller] = [
        await sale.market.signed_in(
            await sale.market.people.member(kind, role, mail=f"{role}@{kind}.com")
        )
        for kind, role in (
            (kinds.RESELLER, Role.BIDDER),
            (kinds.LIQUIDATOR, Role.LIQUIDATOR),
            (kinds.CONSIGNOR, Role.ADMIN),
            (kinds.HOUSE, Role.SETTLEMENT),
            (kinds.HOUSE, Role.ADMIN),
        )
    ]
    for route in ResultsApi(None, None).routes():  # type: ignore[arg-type]
        assert isinstance(route.access, Access)
        path = route.path.removeprefix("/api/v1").format(
            sale_id=sale.sale_id, consignor_id=sale.north
        )
        assert (await sale.market.guest.send("GET", path))[0] == 401
        for person in people:
            status, _ = await person.send("GET", path)
            assert (status == 403) is not may(person.identity, route.access.action), path
            staff = person.identity.is_staff and "results" in path
            assert (status == 200) is staff, (path, person.identity)


def sheets(book: bytes) -> dict[str, list[list[Any]]]:
    """The cells of a workbook, by an independent reader."""
    read = CalamineWorkbook.from_filelike(io.BytesIO(book))
    return {name: read.get_sheet_by_name(name).to_python() for name in read.sheet_names}


async def test_tables_say_what_the_api_says(sale: Sale) -> None:
    found = await sale.seller.get(sale.path)
    _, table = await sale.seller.send("GET", f"{sale.path}.csv")
    rows = list(csv.DictReader(io.StringIO(table.decode(), newline="")))
    assert [row["Lot"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert rows[0]["Hammer price (USD)"] == "210.00"
    assert rows[0]["Recovery %"] == "21.00"
    assert rows[0]["Reserve (USD)"] == "150.00"
    assert rows[0]["Buyer"] == "Hart"
    assert rows[2]["Hammer price (USD)"] == ""
    assert rows[0]["Closed (UTC)"].endswith("Z")
    _, book = await sale.seller.send("GET", f"{sale.path}.xlsx")
    cells = sheets(book)
    titles, *lots = cells["Lots"]
    place = titles.index("Hammer price (USD)")
    assert [lot[place] for lot in lots] == [210, 100, "", 100, ""]
    totals = cells["Totals"]
    assert totals[0][0] == found["note"]
    (whole,) = [row for row in totals if row[0] == "All lots" and row[1] == 5]
    assert 410 in whole
    assert await sale.seller.send("GET", f"{sale.path}.xlsx") == (200, book), "the same bytes"


async def test_a_title_that_is_a_formula_is_a_text_in_every_table(sale: Sale) -> None:
    _, table = await sale.seller.send("GET", f"{sale.path}.csv")
    rows = list(csv.DictReader(io.StringIO(table.decode(), newline="")))
    assert rows[1]["Title"] == f"'{FORMULA}"
    _, book = await sale.seller.send("GET", f"{sale.path}.xlsx")
    assert sheets(book)["Lots"][2][1] == FORMULA


async def test_hammer_prices_are_held_against_the_guidance_of_before(market: Market) -> None:
    sale = Sale(market)
    await sale.opens()
    other = await a_liquidator(market, "Rival Returns")
    long_ago_us = market.clock.now_us() - 3 * 86_400_000_000
    await has_brought(
        market.pool,
        sale.seller.organisation_id,
        [500, 600, 700, 800, 900],
        closed_at_us=long_ago_us,
    )
    late_us = market.clock.now_us() + 1
    await has_brought(market.pool, sale.seller.organisation_id, [9_000] * 9, closed_at_us=late_us)
    await has_brought(market.pool, other.organisation_id, [9_000] * 9, closed_at_us=long_ago_us)
    await sale.is_bid_on()
    await market.closes(sale.sale_id)
    found = await sale.seller.get(sale.path)
    first, second = found["lots"][:2]
    assert first["guidance"] == {
        "basis": "OWN",
        "step": "EXACT",
        "sales": 5,
        "low_bps": 600,
        "median_bps": 700,
        "high_bps": 800,
        "verdict": "ABOVE",
    }
    assert (second["guidance"]["step"], second["guidance"]["verdict"]) == ("ALL", "BELOW")
    assert found["against_guidance"] == {"lots": 2, "below": 1, "within": 0, "above": 1}
    assert BidderId(sale.hart.bidder_id) not in str(first["guidance"])
