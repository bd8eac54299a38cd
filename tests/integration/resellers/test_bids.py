"""Bids over HTTP, what they look like to their owner, and what was won; freight and door prices."""

import pytest

from auction.commands import CounterIfBid
from auction.ids import LotId, SaleId
from auction.rejections import Rejection
from auction.terms import Premium, PremiumTier, Terms
from bidder_gateway.limits import Rate
from foundation.database import acquire
from tests import market as markets
from tests.builders import HOUR_US, MINUTE_US, SALE, STAFF_MEMBER, new_bid_id, void
from tests.market import TERMS, Market, Reseller, closing_in, lot_of


async def mine(reseller: Reseller, query: str = "") -> dict[str, tuple[str, int]]:
    """By lot: how the reseller stands, and its maximum."""
    found = await reseller.get(f"/bids{query}")
    return {
        item["lot"]["lot_id"]: (item["state"], item["maximum_minor"]) for item in found["items"]
    }


async def two(market: Market) -> tuple[Reseller, Reseller]:
    """Two resellers who are registered."""
    await market.is_untaxed()
    hart, marlow = await market.reseller("Hart"), await market.reseller("Marlow")
    for reseller in (hart, marlow):
        await reseller.registers()
    return hart, marlow


async def test_the_same_bid_sent_again_gets_the_first_verdict(market: Market) -> None:
    await market.opens("1")
    hart, _ = await two(market)
    path, body = f"/sales/{SALE}/lots/1/bids", {"amount_minor": 200_00, "currency": "USD"}
    bid_id = new_bid_id()
    first = await hart.does("POST", path, body, Idempotency_Key=bid_id)
    again = await hart.does("POST", path, body, Idempotency_Key=bid_id)
    assert first == again
    assert (first["bid_id"], first["code"]) == (bid_id, "LEADING")
    other = {"amount_minor": 300_00, "currency": "USD"}
    refused = await hart.does("POST", path, other, Idempotency_Key=bid_id)
    assert (refused["accepted"], refused["code"]) == (False, "BID_ID_REUSED")


async def test_a_bid_without_its_id_or_of_a_wrong_shape_is_refused(market: Market) -> None:
    await market.opens("1")
    hart, _ = await two(market)
    path, body = f"/sales/{SALE}/lots/1/bids", {"amount_minor": 200_00, "currency": "USD"}
    assert (await hart.does("POST", path, body, status=422))["code"] == "INVALID"
    for bad in ("", "7", new_bid_id().upper().replace("0", "A"), f"{new_bid_id()}\t,x"):
        await hart.does("POST", path, body, status=422, Idempotency_Key=bad)
    for amount in (10.005, "10", True, -1, 0, 2**53 + 1, 2**63, None, "\u0661\u0660"):
        strange: dict[str, object] = {"amount_minor": amount, "currency": "USD"}
        await hart.does("POST", path, strange, status=422, Idempotency_Key=new_bid_id())
    for more in ({"bidder_id": "x"}, {"at_us": 1}, {"currency": "EUR"}, {"currency": "US\0"}):
        wrong = {**body, **more}
        refused = await hart.does("POST", path, wrong, status=422, Idempotency_Key=new_bid_id())
        assert refused["code"] == "INVALID"
    assert await mine(hart) == {}


async def test_a_reseller_that_bids_too_fast_is_told_to_slow_down_and_others_are_not(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bidder_gateway.api_bids.RATE", Rate(per_s=0.001, burst=3))
    async with markets.market(database_url) as market:
        await market.opens("1")
        hart, marlow = await two(market)
        path, body = f"/sales/{SALE}/lots/1/bids", {"amount_minor": 1_00, "currency": "USD"}
        for _ in range(3):
            await hart.does("POST", path, body, Idempotency_Key=new_bid_id())
        refused = await hart.does("POST", path, body, status=429, Idempotency_Key=new_bid_id())
        assert refused["code"] == "TOO_MANY_REQUESTS"
        assert (await marlow.bids(200_00))["accepted"]


async def test_one_sees_how_one_stands_on_each_lot(market: Market) -> None:
    await market.opens("1", "2", lot_of("3", reserve_minor=900_00), "4")
    hart, marlow = await two(market)
    await hart.bids(200_00, "1")
    await hart.bids(300_00, "1")  # nobody sees that
    await hart.bids(200_00, "2")
    await marlow.bids(500_00, "2")
    await hart.bids(400_00, "3")
    await market.submit(void(hart.bidder_id, "3"))
    await market.caught_up()
    assert await mine(hart) == {
        "1": ("LEADING", 300_00),
        "2": ("OUTBID", 200_00),
        "3": ("VOIDED", 400_00),
    }
    assert await mine(hart, "?state=OUTBID") == {"2": ("OUTBID", 200_00)}
    one = await hart.get(f"/sales/{SALE}/lots/1/bid")
    assert one["raise_minimum_minor"] == 300_00 + 1_00, "a leader needs more than the own maximum"
    assert one["all_in_minor"] == 330_00, "with the premium"
    assert one["person_id"] == hart.person_id
    outbid = await hart.get(f"/sales/{SALE}/lots/2/bid")
    assert outbid["raise_minimum_minor"] == outbid["lot"]["next_minimum_minor"]
    await hart.get(f"/sales/{SALE}/lots/4/bid", status=404)


async def test_bids_are_listed_in_pages_what_ends_next_first(market: Market) -> None:
    lots = [lot_of(name) for name in "123"]
    sooner = lot_of("4", closes_at_us=lots[0].closes_at_us - HOUR_US // 2)
    await market.opens(*lots, sooner)
    hart, _ = await two(market)
    for name in "1234":
        await hart.bids(200_00, name)
    await market.caught_up()
    first = await hart.get("/bids?limit=2")
    assert first["items"][0]["lot"]["lot_id"] == "4"
    rest = await hart.get(f"/bids?limit=2&cursor={first['next_cursor']}")
    seen = [item["lot"]["lot_id"] for item in first["items"] + rest["items"]]
    assert sorted(seen) == ["1", "2", "3", "4"]
    assert rest["next_cursor"] is None


async def test_what_is_won_is_told_with_all_that_is_due(market: Market) -> None:
    await market.opens(closing_in(30), closing_in(30, "2"), terms=TERMS)
    hart, marlow = await market.reseller("Hart"), await market.reseller("Marlow")
    for reseller in (hart, marlow):
        await reseller.registers()
    await hart.bids(1_000_00, "1")
    await marlow.bids(500_00, "1")
    await hart.bids(200_00, "2")
    await marlow.bids(300_00, "2")
    await market.closes()
    assert await mine(hart) == {"1": ("WON", 1_000_00), "2": ("LOST", 200_00)}
    (won,) = (await hart.get("/won"))["items"]
    assert (won["lot_id"], won["hammer_price_minor"], won["premium_minor"]) == ("1", 525_00, 52_50)
    # 6.25 % of 577.50 is 36.09375.
    assert (won["tax_bps"], won["tax_minor"], won["total_minor"]) == (625, 36_09, 613_59)
    assert won["paid_at_us"] is None
    two_days_us = 48 * HOUR_US
    assert two_days_us <= won["due_at_us"] - won["sold_at_us"] <= 3 * two_days_us
    assert (await marlow.get("/won"))["items"][0]["lot_id"] == "2"


async def test_a_bid_below_the_reserve_is_bound_and_shows_what_the_seller_asks(
    market: Market,
) -> None:
    terms = Terms(soft_close=None, if_bid_us=24 * HOUR_US)
    await market.opens(closing_in(30, reserve_minor=900_00), "2", terms=terms)
    hart, _ = await two(market)
    await hart.bids(400_00)
    await market.passes(31 * MINUTE_US)
    await market.submit(
        CounterIfBid(
            sale_id=SaleId(SALE), lot_id=LotId("1"), amount_minor=700_00, actor_id=STAFF_MEMBER
        )
    )
    await market.caught_up()
    one = await hart.get(f"/sales/{SALE}/lots/1/bid")
    assert (one["state"], one["counter_minor"], one["raise_minimum_minor"]) == (
        "IF_BID",
        700_00,
        None,
    )
    path = f"/sales/{SALE}/lots/1/counter-answer"
    other = await market.reseller("Brandt")
    refused = await other.does("POST", path, {"accepted": True}, status=409)
    assert refused["code"] == "NO_COUNTER"
    await hart.does("POST", path, {"accepted": True}, status=204)
    await market.caught_up()
    assert await mine(hart) == {"1": ("WON", 400_00)}
    (won,) = (await hart.get("/won"))["items"]
    assert won["hammer_price_minor"] == 700_00
    refused = await hart.does("POST", path, {"accepted": True}, status=409)
    assert refused["code"] == "NO_COUNTER"


async def test_no_table_of_ours_holds_a_maximum_or_a_budget(market: Market) -> None:
    await market.opens("1")
    hart, _ = await two(market)
    marker, budget = 76_543_00, 98_765_00
    assert (await hart.bids(marker))["accepted"]
    tonight = {"kind": "ALL_IN", "name": "tonight", "at_most_minor": budget, "lots": None}
    page = await hart.does("PUT", f"/sales/{SALE}/budgets", {"budgets": [tonight]})
    assert page["asked"] == [tonight]
    await market.caught_up()
    async with acquire(market.pool) as connection:
        tables = await connection.fetch(
            "select table_name from information_schema.tables where table_schema = 'public'"
        )
        for (table,) in tables:
            rows = await connection.fetch(f'select "{table}"::text from "{table}"')  # noqa: S608
            # The log is bytes here; everything else is readable.
            if table not in {"log_event", "log_snapshot", "log_snapshot_accepted"}:
                assert str(marker) not in str(rows), table
                assert str(budget) not in str(rows), table


# --- Freight and door prices ---------------------------------------------------------------------


async def test_a_quote_to_ones_own_address_counts_in_the_bid_and_in_what_was_won(
    market: Market,
) -> None:
    await market.opens(closing_in(30), terms=TERMS)
    hart, marlow = await two(market)
    path = f"/sales/{SALE}/lots/1"
    offer = await hart.does("POST", f"{path}/freight-quotes", {}, status=201)
    assert offer["destination"]["postal_code"] == "75201"
    assert offer["amount_minor"] == sum(line["amount_minor"] for line in offer["lines"])
    lifted = await hart.does("POST", f"{path}/freight-quotes", {"liftgate": True}, status=201)
    assert lifted["amount_minor"] > offer["amount_minor"]
    price = await hart.get(f"{path}/door-price?amount_minor=50000&quote_id={offer['quote_id']}")
    assert price["freight_minor"] == offer["amount_minor"]
    assert price["total_minor"] == 500_00 + 50_00 + offer["amount_minor"]
    others = f"{path}/door-price?amount_minor=50000&quote_id={offer['quote_id']}"
    assert (await marlow.get(others, status=409))["code"] == "NO_QUOTE"
    assert (await market.guest.get(others, status=409))["code"] == "NO_QUOTE"
    body = {"amount_minor": 500_00, "currency": "USD", "quote_id": offer["quote_id"]}
    stolen = await marlow.does(
        "POST", f"{path}/bids", body, status=422, Idempotency_Key=new_bid_id()
    )
    assert stolen["code"] == "INVALID"
    assert (await hart.bids(500_00, quote_id=offer["quote_id"]))["accepted"]
    await market.caught_up()
    assert (await hart.get(f"{path}/bid"))["freight_minor"] == offer["amount_minor"]
    await market.closes()
    (won,) = (await hart.get("/won"))["items"]
    assert won["freight_minor"] == offer["amount_minor"]
    assert won["total_minor"] == 100_00 + 10_00 + offer["amount_minor"]


async def test_a_door_price_has_the_tax_of_the_place_unless_a_certificate_lifts_it(
    market: Market,
) -> None:
    terms = Terms(soft_close=None, premium=Premium((PremiumTier(0, 1_000),)))
    await market.opens("1", terms=terms)
    path = f"/sales/{SALE}/lots/1/door-price?amount_minor=100000"
    guest = await market.guest.get(path)
    assert (guest["tax_region"], guest["tax_rate_ppm"], guest["tax_minor"]) == ("IL", 62_500, 68_75)
    assert guest["total_minor"] == 1_000_00 + 100_00 + 68_75
    assert guest["of_msrp_bps"] == round(guest["total_minor"] * 10_000 / guest["msrp_minor"])
    hart = await market.reseller("Hart")
    await market.certify(hart, "IL")
    own = await hart.get(path)
    assert (own["tax_exempt"], own["tax_minor"]) == (True, 0)
    quote = await hart.does("POST", f"/sales/{SALE}/lots/1/freight-quotes", {}, status=201)
    sent = await hart.get(f"{path}&quote_id={quote['quote_id']}")
    assert (sent["tax_region"], sent["tax_exempt"]) == ("TX", False)
    elsewhere = await hart.does(
        "POST", f"/sales/{SALE}/lots/1/freight-quotes", {"postal_code": "97201"}, status=201
    )
    sent = await hart.get(f"{path}&quote_id={elsewhere['quote_id']}")
    assert (sent["tax_region"], sent["tax_minor"]) == ("OR", 0)


async def test_there_is_no_price_where_no_carrier_goes(market: Market) -> None:
    await market.opens("1")
    hart = await market.reseller("Hart")
    refused = await hart.does(
        "POST", f"/sales/{SALE}/lots/1/freight-quotes", {"postal_code": "99501"}, status=409
    )
    assert refused["code"] == "NO_FREIGHT"


async def test_the_engine_says_the_same_to_a_lot_that_is_not_there_as_we_do(
    market: Market,
) -> None:
    await market.opens("1")
    hart, _ = await two(market)
    body = {"amount_minor": 200_00, "currency": "USD"}
    missing = await hart.send(
        "POST", f"/sales/{SALE}/lots/9/bids", body, Idempotency_Key=new_bid_id()
    )
    nowhere = await hart.send("POST", "/sales/S-0/lots/9/bids", body, Idempotency_Key=new_bid_id())
    assert missing == nowhere
    assert missing[0] == 404
    assert Rejection.NOT_FOUND.encode() in missing[1]
