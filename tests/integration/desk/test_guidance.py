"""What to ask for goods: from what the house has sold, else from who published it, else nothing."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from auction.catalog.goods import Condition
from auction.terms import LotKind
from foundation.database import acquire
from tests.market import Market, Reseller
from tests.market import market as running_market
from tests.selling import a_liquidator, bids, desk_routes, goods, has_brought, sells

DAY_US = 86_400_000_000


@pytest.fixture
async def market(database_url: str) -> AsyncIterator[Market]:
    async with running_market(database_url, desk_routes) as market:
        yield market


@pytest.fixture
async def seller(market: Market) -> Reseller:
    return await a_liquidator(market, "Harbor Returns")


def asking(**changes: Any) -> str:
    asked = {"category": "Kitchen", "condition": "USED_GOOD", "kind": "PALLET"}
    return "/desk/guidance?" + urlencode({**asked, "msrp_minor": 10_000_00, **changes})


def days_ago(market: Market, days: int) -> int:
    return market.clock.now_us() - days * DAY_US


async def test_what_one_has_sold_oneself_is_the_guidance(market: Market, seller: Reseller) -> None:
    """By the engine, from the hammer to the answer."""
    ivy, hart = await market.reseller("Ivy"), await market.reseller("Hart")
    lots = [goods(str(number)) for number in range(1, 8)]
    sale_id = await sells(market, seller, "S-7", *lots)
    for number, second in enumerate((100_00, 140_00, 180_00, 220_00, 260_00), start=1):
        await bids(market, sale_id, (str(number), ivy, 900_00), (str(number), hart, second + 10_00))
    await bids(market, sale_id, ("6", ivy, 100_00))
    await market.closes(sale_id)
    told = await seller.get(asking())
    # 100 (6), 120 (1), 160, 200, 240 and 280 of 1,000 each; the seventh did not sell.
    assert (told["basis"], told["step"], told["sales"], told["liquidators"]) == (
        "OWN", "EXACT", 6, 1,
    )  # fmt: skip
    assert (told["low_bps"], told["median_bps"], told["high_bps"]) == (1_300, 1_800, 2_300)
    assert told["sell_through_bps"] == 8_571
    assert (told["low_minor"], told["median_minor"], told["high_minor"]) == (
        1_300_00, 1_800_00, 2_300_00,
    )  # fmt: skip
    assert (told["reserve_minor"], told["opening_minor"]) == (1_300_00, 525_00)
    assert "6 lots that you sold" in told["in_words"]
    assert "from 13 % to 23 % of their MSRP" in told["in_words"]
    assert told["compared"] == "Kitchen, used, good, by the pallet"
    assert told["from_us"] < told["until_us"] <= market.clock.now_us()


async def test_with_too_few_like_these_the_circle_widens_and_says_so(
    market: Market, seller: Reseller
) -> None:
    async def sold(**of: Any) -> None:
        own = seller.organisation_id
        await has_brought(market.pool, own, [1_000], closed_at_us=days_ago(market, 5), **of)

    async def step() -> object:
        return (await seller.get(asking()))["step"]

    for _ in range(4):
        await sold(category="Toys", condition=Condition.SALVAGE)
    assert await step() is None
    await sold()
    assert await step() == "ALL"
    for _ in range(4):
        await sold(condition=Condition.NEW, category="kitchen")  # as somebody else writes it
    assert await step() == "CATEGORY"
    for _ in range(4):
        await sold(condition=Condition.OPEN_BOX, kind=LotKind.CASE)
    assert await step() == "CONDITION_GROUP"
    for _ in range(4):
        await sold(kind=LotKind.CASE)
    assert await step() == "ANY_KIND"
    for _ in range(4):
        await sold()
    assert await step() == "EXACT"


async def test_others_results_change_nothing_until_they_are_enough_of_enough_others(
    market: Market, seller: Reseller
) -> None:
    first, second = "liquidator-one", "liquidator-two"
    ago_us = days_ago(market, 40)
    await has_brought(
        market.pool, seller.organisation_id, [1_000 + n for n in range(5)], closed_at_us=ago_us
    )
    own = await seller.get(asking())

    async def told() -> Any:
        found = await seller.get(asking())
        return found | {"until_us": own["until_us"]} if found["basis"] == "OWN" else found

    assert own["basis"] == "OWN"
    await has_brought(market.pool, first, [5_117] * 30, passed=9, closed_at_us=ago_us)
    assert await told() == own, "one other, however many lots"
    await has_brought(market.pool, second, [5_119], closed_at_us=market.clock.now_us() - 1)
    assert await told() == own, "what was sold since midnight waits for the next"
    await has_brought(market.pool, second, [5_119] * 5, closed_at_us=ago_us)
    house = await told()
    assert (house["basis"], house["sales"], house["liquidators"]) == ("HOUSE", 40, 3)
    assert (house["low_bps"], house["median_bps"], house["high_bps"]) == (5_100, 5_100, 5_100)
    shown = str(house)
    for secret in ("5117", "5119", first, second, "511.7"):
        assert secret not in shown


async def test_staff_and_new_sellers_are_told_what_others_results_say_together(
    market: Market, seller: Reseller
) -> None:
    for name in ("liquidator-one", "liquidator-two"):
        rates = [1_000 + 40 * number for number in range(5)]
        await has_brought(market.pool, name, rates, closed_at_us=days_ago(market, 9))
    staff = await market.staff()
    assert await staff.get(asking()) == await seller.get(asking())
    assert (await staff.get(asking()))["basis"] == "HOUSE"


async def test_old_results_and_those_of_other_currencies_do_not_count(
    market: Market, seller: Reseller
) -> None:
    own = seller.organisation_id
    await has_brought(market.pool, own, [1_000] * 9, closed_at_us=days_ago(market, 367))
    assert (await seller.get(asking()))["basis"] == "DEFAULT"
    await has_brought(market.pool, own, [1_000] * 9, closed_at_us=days_ago(market, 360))
    assert (await seller.get(asking()))["basis"] == "OWN"
    assert (await seller.get(asking(currency="CAD")))["basis"] == "DEFAULT"


async def test_without_sales_a_published_figure_stands_in_with_its_source(
    market: Market, seller: Reseller
) -> None:
    told = await seller.get(asking())
    assert (told["basis"], told["sales"], told["median_bps"]) == ("DEFAULT", None, None)
    assert (told["low_bps"], told["high_bps"]) == (500, 1_000)
    assert told["source"].startswith("Amazon Seller Central")
    assert told["address"].startswith("https://sellercentral.amazon.com/")
    assert "Not from sales of this house" in told["in_words"]
    assert told["source"] in told["in_words"]
    assert told["read_on"] in told["in_words"]
    assert (told["reserve_minor"], told["opening_minor"]) == (500_00, 200_00)
    assert "low end of the range" in told["rule"]


async def test_without_any_figure_there_is_no_guidance_and_no_number(
    market: Market, seller: Reseller
) -> None:
    told = await seller.get(asking(condition="SALVAGE"))
    assert told["basis"] == "NONE"
    assert told["in_words"].startswith("No guidance")
    for name, value in told.items():
        if name.endswith("_bps") or name in ("opening_minor", "reserve_minor", "sales"):
            assert value is None, name


async def test_a_new_policy_holds_from_its_time_on(market: Market, seller: Reseller) -> None:
    own = seller.organisation_id
    await has_brought(market.pool, own, [1_000] * 3, closed_at_us=days_ago(market, 2))
    assert (await seller.get(asking()))["basis"] == "DEFAULT"
    async with acquire(market.pool) as connection:
        await connection.execute(
            "insert into guidance_policy values ($1, 12, 3, 10, 2, 5000), ($2, 12, 9, 10, 2, 5000)",
            market.clock.now_us() - 1,
            market.clock.now_us() + DAY_US,
        )
    told = await seller.get(asking())
    assert (told["basis"], told["reserve_minor"], told["opening_minor"]) == (
        "OWN", 1_000_00, 500_00,
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"condition": "BROKEN"},
        {"kind": "BOX"},
        {"msrp_minor": 0},
        {"msrp_minor": "10.5"},
        {"category": ""},
        {"currency": "XXX"},
        {"more": "1"},
    ],
)
async def test_what_can_be_no_goods_is_refused(
    market: Market, seller: Reseller, changes: dict[str, Any]
) -> None:
    await seller.get(asking(**changes), status=422)
