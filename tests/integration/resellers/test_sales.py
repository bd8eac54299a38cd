"""What everybody finds: the calendar, sales, lots, manifests, histories, the public chain."""

import json
from urllib.parse import quote

import pytest

from auction.audit_export import PublicAudit
from auction.catalog.goods import Condition
from auction.commands import CloseDue, PauseSale
from auction.ids import SaleId
from auction.pricing import ReserveStatus
from auction.terms import ClosingMode, SaleAudience, SoftClose, Terms
from tests.builders import HOUR_US, SALE, STAFF_MEMBER, change_reserve, void
from tests.catalogue import a_line, a_sale
from tests.market import Market, closing_in, lot_of


async def test_the_calendar_tells_what_is_to_come_from_what_is_going_on(market: Market) -> None:
    await market.opens("1", sale_id="S-1")
    now = lot_of("1")
    later = lot_of(
        "1", opens_at_us=now.closes_at_us + HOUR_US, closes_at_us=now.closes_at_us + 2 * HOUR_US
    )
    await market.opens(later, sale_id="S-2")
    calendar = await market.guest.get("/sales")
    assert [(sale["sale_id"], sale["state"]) for sale in calendar["items"]] == [
        ("S-1", "LIVE"),
        ("S-2", "UPCOMING"),
    ]
    live = await market.guest.get("/sales?state=LIVE")
    assert [sale["sale_id"] for sale in live["items"]] == ["S-1"]
    first = await market.guest.get("/sales?limit=1")
    second = await market.guest.get(f"/sales?limit=1&cursor={first['next_cursor']}")
    assert [sale["sale_id"] for sale in second["items"]] == ["S-2"]
    assert second["next_cursor"] is None


async def test_sales_are_found_by_words_seller_region_and_category(market: Market) -> None:
    kitchen = a_sale("S-1", title="100% kitchen_ware", liquidator_name="Harbour Returns")
    await market.opens("1", sale_id="S-1", sale=kitchen)
    await market.opens("1", sale_id="S-2", sale=a_sale("S-2", region="OH"), category="Tools")

    async def found(query: str) -> list[str]:
        sales = await market.guest.get(f"/sales?{query}")
        return [sale["sale_id"] for sale in sales["items"]]

    assert await found("q=" + quote("100%")) == ["S-1"]
    assert await found("q=kitchen_w") == ["S-1"]
    assert await found("q=kitchenxw") == []
    assert await found("region=OH") == ["S-2"]
    assert await found("category=Tools") == ["S-2"]
    assert await found("seller=house") == ["S-1", "S-2"]
    assert await found("seller=somebody") == []


async def test_a_sale_that_ended_is_among_the_ended_ones(market: Market) -> None:
    await market.opens(closing_in(30))
    assert (await market.guest.get("/sales?state=ENDED"))["items"] == []
    await market.closes()
    ended = await market.guest.get("/sales?state=ENDED")
    assert [(sale["sale_id"], sale["open_lots"]) for sale in ended["items"]] == [(SALE, 0)]
    assert (await market.guest.get("/sales"))["items"] == []


@pytest.mark.parametrize("hidden", ["a draft", "for a group", "not scheduled"])
async def test_a_sale_that_is_not_published_is_as_one_that_is_not_there(
    market: Market, hidden: str
) -> None:
    """Byte for byte, on every path, also for a reseller and with a body that fits."""
    reseller = await market.reseller("Hart")
    await market.opens("1", sale_id="S-1")
    audience = SaleAudience.GROUP if hidden == "for a group" else SaleAudience.PUBLIC
    if hidden == "not scheduled":
        await market.lists("1", sale_id="S-9")
    else:
        await market.opens("1", sale_id="S-9", audience=audience, published=hidden != "a draft")
    page = await market.guest.get("/sales/S-1")
    accepted = {
        "terms_version": page["terms"]["version"],
        "terms_sha256": page["terms_sha256"],
    }
    bid = {"amount_minor": 100_00, "currency": "USD"}
    key = {"Idempotency_Key": "00000000-0000-4000-8000-000000000001"}
    asked: list[tuple[str, str, object]] = [
        ("GET", "/sales/{}", None),
        ("GET", "/sales/{}/lots", None),
        ("GET", "/sales/{}/lots/1", None),
        ("GET", "/sales/{}/lots/1/manifest", None),
        ("GET", "/sales/{}/lots/1/manifest/groups", None),
        ("GET", "/sales/{}/lots/1/history", None),
        ("GET", "/sales/{}/lots/1/door-price?amount_minor=10000", None),
        ("GET", "/sales/{}/log", None),
        ("GET", "/sales/{}/log/mine", None),
        ("GET", "/sales/{}/registration", None),
        ("GET", "/sales/{}/budgets", None),
        ("GET", "/sales/{}/lots/1/bid", None),
        ("PUT", "/sales/{}/registration", accepted),
        ("PUT", "/sales/{}/budgets", {"budgets": []}),
        ("POST", "/sales/{}/lots/1/bids", bid),
        ("POST", "/sales/{}/lots/1/freight-quotes", {}),
        ("PUT", "/watchlist/{}/1", None),
        ("DELETE", "/watchlist/{}/1", None),
    ]
    for method, path, body in asked:
        headers = key if path.endswith("/bids") else {}
        hidden_answer = await reseller.send(method, path.format("S-9"), body, **headers)
        missing_answer = await reseller.send(method, path.format("S-0"), body, **headers)
        assert hidden_answer == missing_answer, path
        assert hidden_answer[0] in {404, 409}, (path, hidden_answer)
    assert (await market.guest.get("/sales"))["items"][0]["sale_id"] == "S-1"
    assert len((await market.guest.get("/lots"))["items"]) == 1


async def test_the_lots_of_a_sale_are_listed_in_pages_in_any_order(market: Market) -> None:
    await market.opens("1", "2", lot_of("3", opening_minor=50_00))
    names = []
    cursor = ""
    while True:
        page = await market.guest.get(f"/sales/{SALE}/lots?limit=1{cursor}")
        names += [lot["lot_id"] for lot in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert names == ["1", "2", "3"]
    cheapest = await market.guest.get(f"/sales/{SALE}/lots?order=LOWEST_PRICE&limit=1")
    assert cheapest["items"][0]["lot_id"] == "3"
    other = f"/sales/{SALE}/lots?order=PLACE&cursor={cheapest['next_cursor']}"
    refused = await market.guest.get(other, status=422)
    assert (refused["code"], refused["place"]) == ("INVALID", "?cursor")


async def test_lots_are_searched_over_all_sales(market: Market) -> None:
    await market.opens("1", sale_id="S-1")
    await market.opens("1", "2", sale_id="S-2", category="Tools", description="Drills")
    found = await market.guest.get("/lots?q=drills&limit=50")
    assert [(lot["sale_id"], lot["lot_id"]) for lot in found["items"]] == [
        ("S-2", "1"),
        ("S-2", "2"),
    ]
    assert (await market.guest.get("/lots?category=Tools&category=Kitchen"))["items"][2:]
    assert not (await market.guest.get("/lots?max_price_minor=1"))["items"]


async def test_a_lot_is_shown_with_what_is_agreed_and_what_is_in_it(market: Market) -> None:
    lines = [
        a_line(1, brand="Brindle", quantity=2, unit_msrp_minor=50_00),
        a_line(2, brand="Marlow", quantity=1, unit_msrp_minor=300_00, condition=Condition.NEW),
    ]
    await market.opens(lot_of("1", restrictions=("no marketplaces",)), lines=lines)
    lot = await market.guest.get(f"/sales/{SALE}/lots/1")
    assert (lot["msrp_minor"], lot["units"], lot["lines"]) == (400_00, 3, 2)
    assert lot["restrictions"] == ["no marketplaces"]
    assert lot["condition"] == "USED_GOOD"
    assert lot["scheduled_closes_at_us"] == lot["closes_at_us"]
    assert "Laraway" not in json.dumps(lot), "the street is for who has paid"
    manifest = await market.guest.get(
        f"/sales/{SALE}/lots/1/manifest?order=UNIT_MSRP&descending=true&limit=1"
    )
    assert [line["brand"] for line in manifest["items"]] == ["Marlow"]
    assert manifest["totals"] == {"lines": 2, "units": 3, "msrp_minor": 400_00}
    rest = await market.guest.get(
        f"/sales/{SALE}/lots/1/manifest?order=UNIT_MSRP&descending=true&limit=1"
        f"&cursor={manifest['next_cursor']}"
    )
    assert [line["brand"] for line in rest["items"]] == ["Brindle"]
    assert "LPNX" not in json.dumps(manifest) + json.dumps(rest), "plates are for who has paid"
    groups = await market.guest.get(f"/sales/{SALE}/lots/1/manifest/groups?by=BRAND&q=toaster")
    assert [(group["key"], group["msrp_minor"]) for group in groups["items"]] == [
        ("Marlow", 300_00),
        ("Brindle", 100_00),
    ]


async def test_a_history_tells_bids_and_extensions_by_numbers_the_latest_first(
    market: Market,
) -> None:
    terms = Terms(soft_close=SoftClose(2 * HOUR_US, 2 * HOUR_US))
    await market.opens(lot_of("1", reserve_minor=400_00), "2", terms=terms)
    hart, marlow = await market.reseller("Hart"), await market.reseller("Marlow")
    for reseller in (hart, marlow):
        await reseller.registers()
    await market.bid(hart, 200_00)
    await market.bid(marlow, 500_00)
    await market.bid(hart, 150_00, "2")
    await market.submit(change_reserve(300_00))
    await market.submit(PauseSale(sale_id=SALE, reason="a fire alarm", actor_id=STAFF_MEMBER))
    await market.caught_up()
    history = await market.guest.get(f"/sales/{SALE}/lots/1/history?limit=3")
    assert [entry["type"] for entry in history["items"]] == [
        "sale_paused",
        "end_extended",
        "bid_placed",
    ]
    paused, _, bid = history["items"]
    assert paused["reason"] == "a fire alarm"
    assert (bid["paddle"], bid["leader"], bid["price_minor"]) == (102, 102, 400_00)
    assert bid["reserve"] == ReserveStatus.MET
    rest = await market.guest.get(f"/sales/{SALE}/lots/1/history?cursor={history['next_cursor']}")
    kinds = [entry["type"] for entry in rest["items"]]
    assert kinds == ["end_extended", "bid_placed", "lot_scheduled", "sale_scheduled"]
    assert rest["next_cursor"] is None


async def test_ends_that_moved_together_are_in_the_history_of_each_lot(market: Market) -> None:
    soft_close = SoftClose(2 * HOUR_US, 2 * HOUR_US)
    lots = [lot_of("1", group="x"), lot_of("2", group="x"), lot_of("3", group="y")]
    await market.opens(*lots, terms=Terms(soft_close=soft_close, closing=ClosingMode.GROUP))
    hart = await market.reseller("Hart")
    await hart.registers()
    await market.bid(hart, 200_00)
    await market.caught_up()
    moved = await market.guest.get(f"/sales/{SALE}/lots/2/history?limit=1")
    (entry,) = moved["items"]
    lot = await market.guest.get(f"/sales/{SALE}/lots/2")
    assert (entry["type"], entry["closes_at_us"]) == ("ends_moved", lot["closes_at_us"])
    others = await market.guest.get(f"/sales/{SALE}/lots/3/history")
    assert "ends_moved" not in [entry["type"] for entry in others["items"]]


async def test_voided_bids_and_the_hammer_are_in_the_history(market: Market) -> None:
    await market.opens(closing_in(30))
    hart, marlow = await market.reseller("Hart"), await market.reseller("Marlow")
    for reseller in (hart, marlow):
        await reseller.registers()
    await market.bid(hart, 200_00)
    await market.bid(marlow, 500_00)
    await market.submit(void(marlow.bidder_id))
    await market.closes()
    history = await market.guest.get(f"/sales/{SALE}/lots/1/history")
    kinds = [entry["type"] for entry in history["items"]]
    assert kinds[:3] == ["sale_closed", "lot_sold", "bids_voided"]
    assert history["items"][1]["price_minor"] == 100_00
    assert history["items"][2]["paddle"] == 102


async def test_the_public_chain_is_everybodys_after_the_close_and_can_be_checked(
    market: Market,
) -> None:
    await market.opens(closing_in(30))
    hart = await market.reseller("Hart")
    await hart.registers()
    verdict = await market.bid(hart, 477_00)
    refused = await market.guest.get(f"/sales/{SALE}/log", status=409)
    assert refused["code"] == "SALE_NOT_CLOSED"
    assert (await market.guest.get(f"/sales/{SALE}"))["log_href"] is None
    await market.closes()
    assert (await market.guest.get(f"/sales/{SALE}"))["log_href"] == f"/api/v1/sales/{SALE}/log"
    status, lines = await market.guest.send("GET", f"/sales/{SALE}/log")
    assert status == 200
    audit = PublicAudit()
    for line in lines.splitlines():
        audit.check(line)
    summary = audit.finish()
    assert (summary.findings, summary.closed, summary.openings) == ((), True, 0)
    assert verdict.receipt in summary.receipts
    assert hart.bidder_id.encode() not in lines
    status, lines = await hart.send("GET", f"/sales/{SALE}/log/mine")
    assert status == 200
    audit = PublicAudit()
    for line in lines.splitlines():
        audit.check(line)
    opened = audit.finish()
    assert (opened.findings, opened.openings) == ((), 2), "the registration is staff's too"
    assert (await market.guest.send("HEAD", f"/sales/{SALE}/log")) == (200, b"")


async def test_an_answer_that_is_known_is_not_sent_again(market: Market) -> None:
    await market.opens("1")
    path = f"{market.origin}/api/v1/sales/{SALE}"
    async with market.http.get(path) as first:
        tag = first.headers["ETag"]
    async with market.http.get(path, headers={"If-None-Match": tag}) as again:
        assert (again.status, await again.read()) == (304, b"")


async def test_a_closed_sale_is_asked_for_by_a_timer_that_came_twice(market: Market) -> None:
    """The tables stand a repeated command."""
    await market.opens(closing_in(30))
    await market.closes()
    await market.submit(CloseDue(sale_id=SaleId(SALE)))
    assert (await market.guest.get(f"/sales/{SALE}"))["state"] == "ENDED"
