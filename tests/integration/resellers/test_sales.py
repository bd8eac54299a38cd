"""What everybody finds: the calendar, sales, lots, manifests, histories, the public chain."""

from tests.builders import HOUR_US
from tests.market import Market, lot_of


async def test_the_calendar_tells_what_is_to_come_from_what_is_going_on(market: Market) -> None:
    await market.opens("1", sale_id="S-1")
    later = lot_of("1")
    later = lot_of(
        "1",
        opens_at_us=later.closes_at_us + HOUR_US,
        closes_at_us=later.closes_at_us + 2 * HOUR_US,
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
