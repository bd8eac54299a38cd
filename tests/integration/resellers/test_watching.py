"""Watched lots and saved searches: a person's own."""

from accounts.identity import Role
from auction.ids import LotId
from bidder_gateway.saved_searches import SETTLED_AFTER_US, Alert, next_alerts
from bidder_gateway.watchlist import watchers_of
from foundation.database import acquire, transaction
from tests.builders import MINUTE_US, SALE
from tests.market import Caller, Market, closing_in


async def watched(caller: Caller) -> dict[str, bool]:
    """By lot: whether it was asked for."""
    found = await caller.get("/watchlist")
    return {item["lot"]["lot_id"]: item["asked"] for item in found["items"]}


async def test_lots_are_watched_by_hand_and_by_bidding(market: Market) -> None:
    await market.opens("1", "2", "3")
    hart = await market.reseller("Hart")
    await hart.registers()
    await hart.does("PUT", f"/watchlist/{SALE}/1", status=204)
    await hart.does("PUT", f"/watchlist/{SALE}/1", status=204)
    await hart.bids(200_00, "2")
    await market.caught_up()
    assert await watched(hart) == {"1": True, "2": False}
    async with acquire(market.pool) as connection:
        watchers = await watchers_of(connection, SALE, LotId("2"))
    assert list(map(str, watchers)) == [hart.person_id]
    await hart.does("DELETE", f"/watchlist/{SALE}/1", status=204)
    await hart.does("DELETE", f"/watchlist/{SALE}/2", status=204)
    await hart.bids(300_00, "2")
    await market.caught_up()
    assert await watched(hart) == {}, "who said no is not asked again"


async def test_a_list_is_its_persons_not_the_teams(market: Market) -> None:
    await market.opens("1")
    hart = await market.reseller("Hart")
    colleague = await market.signed_in(
        await market.people.person(hart.organisation_id, Role.BIDDER, mail="sam@example.com")
    )
    await hart.does("PUT", f"/watchlist/{SALE}/1", status=204)
    assert await watched(hart) == {"1": True}
    assert await watched(colleague) == {}


async def test_what_can_still_be_sold_is_listed_first(market: Market) -> None:
    await market.opens(closing_in(30), "2", closing_in(40, "3"))
    hart = await market.reseller("Hart")
    for lot in "123":
        await hart.does("PUT", f"/watchlist/{SALE}/{lot}", status=204)
    await market.passes(45 * MINUTE_US)
    first = await hart.get("/watchlist?limit=2")
    rest = await hart.get(f"/watchlist?limit=2&cursor={first['next_cursor']}")
    lots = [item["lot"]["lot_id"] for item in first["items"] + rest["items"]]
    assert lots == ["2", "3", "1"]


async def test_searches_are_saved_changed_and_removed_by_their_person_only(
    market: Market,
) -> None:
    hart, marlow = await market.reseller("Hart"), await market.reseller("Marlow")
    asked = {"name": "drills", "wishes": {"q": "drill", "region": ["IL"]}, "alert": True}
    saved = await hart.does("POST", "/searches", asked, status=201)
    path = f"/searches/{saved['search_id']}"
    assert (await hart.get(path))["wishes"]["q"] == "drill"
    for method, body in (("GET", None), ("PUT", asked), ("DELETE", None)):
        foreign = await marlow.send(method, path, body)
        missing = await marlow.send(method, "/searches/search-aaaa", body)
        assert foreign == missing
        assert foreign[0] == 404
    changed = await hart.does("PUT", path, {**asked, "name": "kettles", "wishes": {"q": "kettle"}})
    assert (changed["name"], changed["search_id"]) == ("kettles", saved["search_id"])
    assert [one["name"] for one in (await hart.get("/searches"))["items"]] == ["kettles"]
    await hart.does("DELETE", path, status=204)
    await hart.get(path, status=404)


async def test_a_search_with_an_alert_tells_of_each_new_lot_once(market: Market) -> None:
    await market.opens("1", sale_id="S-1")
    hart = await market.reseller("Hart")
    for name, query in (("kitchen", "kitchen"), ("boats", "boat")):
        asked = {"name": name, "wishes": {"q": query}, "alert": True}
        await hart.does("POST", "/searches", asked, status=201)
    quiet = {"name": "quiet", "wishes": {"q": "kitchen"}, "alert": False}
    await hart.does("POST", "/searches", quiet, status=201)
    await market.opens("1", "2", sale_id="S-2")
    soon_us = market.host.clock.now_us() + SETTLED_AFTER_US
    (alert,) = await alerts(market, soon_us)
    assert (str(alert.person_id), alert.name) == (hart.person_id, "kitchen")
    assert sorted(alert.lots) == [("S-2", "1"), ("S-2", "2")], "what was there is not new"
    assert await alerts(market, soon_us + 1) == []


async def alerts(market: Market, now_us: int) -> list[Alert]:
    """What all searches have found by then."""
    found: list[Alert] = []
    after: str | None = ""
    async with transaction(market.pool) as connection:
        while after is not None:
            some, after = await next_alerts(connection, after, 1, now_us)
            found += some
    return found
