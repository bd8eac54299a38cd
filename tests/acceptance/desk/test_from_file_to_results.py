"""A file becomes a sale of ten lots, is sold to resellers; the results are right to the cent."""

import csv
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from auction.desk.schedule import wall_time, zone_of
from auction.ids import SaleId
from tests.acceptance.resellers.hands import Hands, hands
from tests.market import ShiftedClock
from tests.seller_site import at_desk
from tests.site import HOUR_US, MINUTE_US, Reseller, Site, now_us, open_site

# Two articles on each of ten pallets; every pallet has another MSRP, none in whole dollars.
GOODS = (
    ("Toaster, two slots", "Brindle", "036000291452", "Kitchen", "Like New"),
    ("Kettle 1.7 l", "Kestone", "012345678905", "Kitchen", "Used Good"),
    ("Bed linen", "Marlow", "042100005264", "Bedding", "New"),
)
HEADER = "Pallet ID,Item Description,Brand,UPC,Category,Condition,Qty,Unit Retail,Ext. Retail"


def manifest() -> tuple[str, dict[int, int]]:
    """The file, and the MSRP of each pallet in cents."""
    rows, msrps = ["Harbor Returns, load 12,,,,,,,", HEADER], dict[int, int]()
    for pallet in range(1, 11):
        msrps[pallet] = 0
        for number in range(2):
            name, brand, upc, category, grade = GOODS[(pallet + number) % 3]
            quantity, cents = 4 + pallet + number, 29_97 + 7_31 * pallet
            whole = quantity * cents
            msrps[pallet] += whole
            price, extended = f"${cents / 100:.2f}", f'"${whole / 100:,.2f}"'
            goods = f'P{pallet:02},"{name}",{brand},{upc},{category},{grade}'
            rows.append(f"{goods},{quantity},{price},{extended}")
    total = sum(msrps.values())
    rows.append(f'Total,,,,,,,,"${total / 100:,.2f}"')
    return "\n".join(rows), msrps


# What the ten lots bring, as rules.md says: the second maximum and an increment, the opening bid
# where there was no second, and what the seller and the bidder agreed on below a reserve.
HAMMER = {1: 310_00, 2: 100_00, 3: 300_00, 4: 450_00, 6: 500_00, 9: 925_00, 10: 100_00}
# Whole minutes: the form asks for no seconds.
OPENS_AT_US = (now_us() // MINUTE_US + 24 * 60) * MINUTE_US
FIRST_END_US = OPENS_AT_US + 48 * HOUR_US
# Lots end a minute after each other, and the last has no late bid.
LAST_END_US = FIRST_END_US + 10 * MINUTE_US
ZONE = "America/Chicago"
NOTHING = "\N{EN DASH}"
WON_BY_KESTREL, WON_BY_DOCKSIDE = (1, 3, 4, 9), (2, 6, 10)


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The whole site; the test puts its auction clock on."""
    with patch("softclose.house.EngineClock", ShiftedClock):
        async with open_site(database_url, tmp_path / "data") as running:
            yield running


def put_on(site: Site, until_us: int) -> None:
    """It is this time for the auctions now, or later already."""
    clock = site.house.host.clock
    assert isinstance(clock, ShiftedClock)
    clock.shift_us += max(0, until_us - clock.now_us())


async def check_all(within: Locator) -> None:
    """Every box, in the order of the page."""
    for box in await within.get_by_role("checkbox").all():
        await box.check()


async def import_lots(page: Page, origin: str, file: Path) -> None:
    """A lot for each pallet of the file, with what is the same of all of them."""
    await page.goto(f"{origin}/desk/import")
    await page.set_input_files("#field-file", file)
    await page.get_by_role("button", name="Read the file").click()
    await expect(page.get_by_label("A lot for each pallet")).to_be_checked()
    await page.get_by_text("Say the same of each lot").click()
    for name, value in (
        ("source", "customer returns"),
        ("company", "Prairie Docks"),
        ("street", "1200 Laraway Rd"),
        ("city", "Joliet"),
        ("region", "IL"),
        ("postal_code", "60433"),
    ):
        await page.locator(f"#field-{name}").fill(value)
    await page.get_by_role("button", name="Put into stock").click()
    await expect(page.get_by_text("10 lots in stock")).to_be_visible()


async def describe_lots(page: Page) -> None:
    """All at once what is the same; a reserve for four of them in the grid."""
    same = {"length": "48 in", "width": "40 in", "height": "72 in", "weight": "600 lb"}
    for field, value in (same | {"freight_class": "125", "opening": "100"}).items():
        await check_all(page.locator("#stock"))
        await page.locator("#bulk-field").select_option(field)
        await page.locator("#bulk-value").fill(value)
        await page.get_by_role("button", name="Change", exact=True).click()
        await expect(page.get_by_text("of 10 lots is changed")).to_be_visible()
    for pallet, reserve in ((3, "400"), (4, "600"), (5, "600"), (6, "600")):
        row = page.locator("#stock tbody tr", has_text=f"pallet P{pallet:02}")
        await row.locator("[data-field=reserve]").click()
        await page.keyboard.type(reserve)
        await page.keyboard.press("Enter")
        await expect(row.locator("[data-field=reserve] .shown")).to_have_text(f"${reserve}")
        await expect(page.locator("#grid-said")).to_have_text("Saved.")


async def plan_sale(page: Page, origin: str) -> SaleId:
    """A sale of all that is in stock, with if-bids, published; its id."""
    await page.goto(f"{origin}/desk")
    await page.get_by_role("button", name="New sale").first.click()
    await page.locator("#field-title").fill("Returns of June")
    await page.get_by_label("Town").fill("Joliet")
    await page.locator("#field-region").fill("IL")
    await page.get_by_label("Time zone of the place").select_option(ZONE)
    await page.get_by_label("Opens").fill(wall_time(OPENS_AT_US, zone_of(ZONE)))
    await page.get_by_label("First lot ends").fill(wall_time(FIRST_END_US, zone_of(ZONE)))
    await page.locator("#field-if_bid_hours").fill("24")
    await page.get_by_label("Payment").fill("By wire within two business days.")
    await page.get_by_label("Pickup").fill("By appointment, dock high.")
    await page.get_by_role("button", name="Save the sale").click()
    await expect(page.get_by_text("The sale is saved.")).to_be_visible()
    await check_all(page.locator("fieldset", has_text="pallet P"))
    await page.get_by_role("button", name="Put the chosen in").click()
    await expect(page.locator("#sale-lots tbody tr")).to_have_count(10)
    await page.get_by_role("link", name="Publish").click()
    await page.get_by_role("button", name="Publish 10 lots").click()
    await expect(page.get_by_text("The sale is published.")).to_be_visible()
    found = re.search(r"/desk/sales/([^/?#]+)", page.url)
    assert found
    return SaleId(found[1])


async def bid(who: Hands, sale_id: SaleId, lot: int, amount: str) -> None:
    """By the lot's page, until the verdict is there."""
    await who.open_lot(str(lot), sale_id)
    await who.bid(amount)
    await expect(who.outcome).to_have_attribute("data-outcome", re.compile("LEADING|OUTBID"))


async def open_board(page: Page, origin: str, sale_id: SaleId, lot: int | None = None) -> None:
    """The live board, with one lot chosen or none."""
    chosen = "" if lot is None else f"?lot={lot}"
    await page.goto(f"{origin}/desk/sales/{sale_id}/live{chosen}")


def row_of(page: Page, lot: int) -> Locator:
    """A lot's row of the live board."""
    return page.locator("#board tbody tr").filter(
        has=page.get_by_role("rowheader", name=re.compile(rf"^{lot} "))
    )


async def bid_on_all(a: Hands, b: Hands, sale_id: SaleId) -> None:
    """What the ten lots are bid on, each by its page."""
    for who, lot, amount in (
        *((a, 1, "500"), (b, 1, "300"), (b, 2, "800"), (a, 3, "300"), (a, 4, "450")),
        *((b, 5, "350"), (b, 6, "400"), (b, 9, "900"), (a, 9, "1000"), (b, 10, "200")),
    ):
        await bid(who, sale_id, lot, amount)


async def run_sale(page: Page, origin: str, sale_id: SaleId) -> None:
    """Lower a reserve, withdraw a lot, and say something to everybody."""
    await open_board(page, origin, sale_id)
    await expect(page.locator("#board tbody tr").first).to_contain_text("4 ")
    await expect(row_of(page, 3)).to_contain_text("$100", use_inner_text=True)
    await open_board(page, origin, sale_id, 3)
    await page.get_by_label("Another reserve").fill("300")
    await page.get_by_role("button", name="Change the reserve").click()
    await expect(row_of(page, 3)).to_contain_text("met")
    await open_board(page, origin, sale_id, 7)
    act = page.locator("#act")
    await act.get_by_text("Withdraw the lot").click()
    await act.get_by_label("Why").select_option("SELLER")
    await act.get_by_label("The reason, as bidders read it").fill("Damaged on the dock")
    await page.get_by_role("button", name="Withdraw lot 7").click()
    await expect(row_of(page, 7)).to_contain_text("Withdrawn")
    await page.locator("#field-say").fill("Pickup is open on Saturday too.")
    await page.get_by_role("button", name="Say it").click()


async def decide(page: Page, origin: str, sale_id: SaleId) -> None:
    """Accept a bid below the reserve, decline one, and ask for more of one."""
    await open_board(page, origin, sale_id)
    for lot in (4, 5, 6):
        await expect(row_of(page, lot)).to_contain_text("You decide")
    await open_board(page, origin, sale_id, 4)
    await page.get_by_role("button", name="Accept $450").click()
    await expect(row_of(page, 4)).to_contain_text("Sold")
    await open_board(page, origin, sale_id, 5)
    await page.get_by_role("button", name="Decline").click()
    await expect(row_of(page, 5)).to_contain_text("Not sold")
    await open_board(page, origin, sale_id, 6)
    await page.get_by_label("Ask the bidder for").fill("500")
    await page.get_by_role("button", name="Ask for it").click()
    await expect(page.get_by_role("status").first).to_be_attached()


def dollars(minor: int) -> str:
    """As pages write an amount."""
    text = f"${minor / 100:,.2f}"
    return text.removesuffix(".00")


async def check_results(page: Page, origin: str, sale_id: SaleId, msrps: dict[int, int]) -> None:
    """Every figure of the page and of its table, from the file and the bids alone."""
    brought, worth = sum(HAMMER.values()), sum(msrps[lot] for lot in HAMMER)
    await page.goto(f"{origin}/desk/sales/{sale_id}/results")
    figures = page.locator(".stats").first
    await expect(figures).to_contain_text(f"Hammer prices {dollars(brought)}", use_inner_text=True)
    recovery = f"{round(10_000 * brought / worth) / 100:g} %"
    await expect(figures).to_contain_text(f"Recovery of MSRP {recovery}", use_inner_text=True)
    await expect(figures).to_contain_text("Sold 7 of 10", use_inner_text=True)
    for lot, msrp in msrps.items():
        row = page.locator("section:has(#lots) tbody tr").nth(lot - 1)
        await expect(row.locator("[data-label=MSRP]")).to_have_text(dollars(msrp))
        hammer = dollars(HAMMER[lot]) if lot in HAMMER else NOTHING
        await expect(row.locator("[data-label='Hammer price']")).to_have_text(hammer)
    table = await page.request.get(f"{origin}/api/v1/desk/sales/{sale_id}/results.csv")
    rows = list(csv.DictReader(io.StringIO(await table.text())))
    for lot, line in enumerate(rows, start=1):
        expected = f"{HAMMER[lot] / 100:.2f}" if lot in HAMMER else ""
        assert (line["MSRP (USD)"], line["Hammer price (USD)"]) == (
            f"{msrps[lot] / 100:.2f}",
            expected,
        )


async def test_a_file_is_sold_and_its_results_are_right_to_the_cent(
    site: Site, chromium: Browser, tmp_path: Path
) -> None:
    file, (text, msrps) = tmp_path / "load 12.csv", manifest()
    file.write_text(text)
    desk, origin = await at_desk(site), site.origin
    kestrel, dockside = await site.reseller("Kestrel Resale"), await site.reseller("Dockside")
    async with (
        hands(chromium, origin, zone="America/New_York") as dana,
        hands(chromium, origin) as a,
        hands(chromium, origin) as b,
    ):
        await dana.sign_in(Reseller(desk.organisation_id, desk.person_id, desk.mail))
        await import_lots(dana.page, origin, file)
        await describe_lots(dana.page)
        sale_id = await plan_sale(dana.page, origin)
        await a.sign_in(kestrel)
        await b.sign_in(dockside)
        for one in (a, b):
            await one.register(sale_id)
        put_on(site, OPENS_AT_US)
        await bid_on_all(a, b, sale_id)
        await run_sale(dana.page, origin, sale_id)
        put_on(site, LAST_END_US)
        await decide(dana.page, origin, sale_id)
        await b.page.goto(f"{origin}/sales/{sale_id}/lots/6")
        await b.page.get_by_role("button", name="Pay $500").click()
        await expect(b.page.locator("#bid-box")).to_contain_text("You won for $500")
        for who, won in ((a, WON_BY_KESTREL), (b, WON_BY_DOCKSIDE)):
            await who.page.goto(f"{origin}/won")
            await expect(who.page.locator(".won .card")).to_have_count(len(won))
            for lot in won:
                card = who.page.locator(".won .card", has_text=dollars(HAMMER[lot]))
                await expect(card.first).to_be_visible()
        await check_results(dana.page, origin, sale_id, msrps)
