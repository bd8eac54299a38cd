"""A sale that goes on: what its seller sees and does, and what nobody at the desk ever sees."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from auction.desk import running
from auction.desk.live_board import Watching
from auction.desk.messages import MAX_MESSAGES
from auction.desk.refusals import Refused
from auction.desk.seller import Seller
from auction.ids import ActorId, BidderId, LiquidatorId, LotId, SaleId
from auction.ports import OutcomeUnknown
from auction.terms import SaleAudience, Terms
from tests.builders import HOUR_US
from tests.desk_market import Sellers, a_published_sale, desk_market
from tests.market import Reseller

IF_BIDS = Terms(soft_close=None, if_bid_us=24 * HOUR_US)
# No price, no increment and no time has these digits.
MAXIMUM = 7_313_00


@pytest.fixture
async def sellers(database_url: str) -> AsyncIterator[Sellers]:
    async with desk_market(database_url) as sellers:
        yield sellers


async def bidder(sellers: Sellers, sale_id: str, name: str = "Hart") -> Reseller:
    reseller = await sellers.market.reseller(name)
    registered = await reseller.registers(sale_id)
    assert registered["state"] in ("ADMITTED", "PENDING"), registered
    await sellers.market.settled()
    return reseller


async def board(sellers: Sellers, sale_id: str) -> Any:
    return await sellers.seller.get(f"/desk/sales/{sale_id}/live")


async def lot_of(sellers: Sellers, sale_id: str, lot_id: str = "1") -> Any:
    (lot,) = [lot for lot in (await board(sellers, sale_id))["lots"] if lot["lot_id"] == lot_id]
    return lot


async def bound(sellers: Sellers) -> tuple[str, Reseller]:
    """A sale whose one lot has ended below its reserve, its top bidder bound."""
    sale_id = await a_published_sale(sellers, terms=IF_BIDS)
    hart = await bidder(sellers, sale_id)
    await hart.bids(200_00, "1", sale_id)
    await sellers.market.closes(sale_id)
    assert (await lot_of(sellers, sale_id))["status"] == "IF_BID"
    return sale_id, hart


async def test_the_board_says_how_far_each_lot_is(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers, lots=3)
    hart, marlow = await bidder(sellers, sale_id), await bidder(sellers, sale_id, "Marlow")
    await hart.bids(150_00, "2", sale_id)
    await marlow.bids(300_00, "2", sale_id)
    await hart.bids(120_00, "3", sale_id)
    sellers.late.watching = Watching(7, {LotId("2"): 3})
    seen = await board(sellers, sale_id)
    assert [lot["lot_id"] for lot in seen["lots"]] == ["2", "3", "1"]  # near their reserve first
    second = seen["lots"][0]
    assert second["title"] == "Lot 1"
    assert (second["bidders"], second["watchers"]) == (2, 3)
    assert second["to_reserve_minor"] == second["reserve_minor"] - second["price_minor"] > 0
    assert second["recovery_bps"] == round(10_000 * second["price_minor"] / second["msrp_minor"])
    assert second["leader"] is not None
    assert seen["watchers"] == 7
    assert seen["price_minor"] == sum(lot["price_minor"] or 0 for lot in seen["lots"])


async def test_who_looks_again_at_nothing_new_is_told_so(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers)
    path = f"{sellers.market.origin}/api/v1/desk/sales/{sale_id}/live"
    async with sellers.market.http.get(path, headers=sellers.seller.headers) as first:
        tag = first.headers["ETag"]
    again = {**sellers.seller.headers, "If-None-Match": tag}
    async with sellers.market.http.get(path, headers=again) as same:
        assert (same.status, await same.read()) == (304, b"")
    hart = await bidder(sellers, sale_id)
    await hart.bids(150_00, "1", sale_id)
    async with sellers.market.http.get(path, headers=again) as changed:
        assert changed.status == 200


async def test_no_maximum_and_nobodys_name_is_ever_on_the_board(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers, lots=2)
    hart, marlow = await bidder(sellers, sale_id), await bidder(sellers, sale_id, "Marlow")
    await hart.bids(MAXIMUM, "1", sale_id)
    await marlow.bids(150_00, "1", sale_id)
    await marlow.bids(MAXIMUM, "2", sale_id)
    await sellers.seller.does(
        "PUT", f"/desk/sales/{sale_id}/lots/1/reserve", {"reserve_minor": 300_00}
    )
    shown = b""
    for who in (sellers.seller, sellers.staff):
        _, text = await who.send("GET", f"/desk/sales/{sale_id}/live")
        shown += text
    assert b"to_reserve_minor" in shown
    marks = (str(MAXIMUM), hart.bidder_id, marlow.bidder_id, hart.person_id, "Hart", "Marlow")
    for mark in marks:
        assert mark.encode() not in shown


async def test_a_reserve_is_lowered_and_not_raised_after_a_bid(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers)
    hart, path = await bidder(sellers, sale_id), f"/desk/sales/{sale_id}/lots/1/reserve"
    await hart.bids(250_00, "1", sale_id)
    await sellers.seller.does("PUT", path, {"reserve_minor": 300_00})
    lot = await lot_of(sellers, sale_id)
    assert (lot["reserve"], lot["reserve_minor"]) == ("NOT_MET", 300_00)
    raised = await sellers.seller.does("PUT", path, {"reserve_minor": 500_00}, status=409)
    assert raised["code"] == "RESERVE_NOT_LOWERED"
    done = await sellers.seller.does("PUT", path, {"reserve_minor": 200_00})
    assert done["lot"]["reserve"] == "MET"
    assert (await lot_of(sellers, sale_id))["to_reserve_minor"] is None
    odd = await sellers.seller.does("PUT", path, {"reserve_minor": 100_01}, status=422)
    assert odd["code"] == "INVALID"


async def test_an_if_bid_is_accepted(sellers: Sellers) -> None:
    sale_id, _ = await bound(sellers)
    path = f"/desk/sales/{sale_id}/lots/1/if-bid"
    done = await sellers.seller.does("POST", f"{path}/acceptance")
    assert done["lot"]["status"] == "SOLD"
    again = await sellers.seller.does("POST", f"{path}/acceptance", status=409)
    assert again["code"] == "NO_IF_BID"
    seen = await board(sellers, sale_id)
    assert (seen["sold"], seen["closed"]) == (1, True)


async def test_an_if_bid_is_declined(sellers: Sellers) -> None:
    sale_id, _ = await bound(sellers)
    done = await sellers.seller.does("POST", f"/desk/sales/{sale_id}/lots/1/if-bid/refusal")
    assert done["lot"]["status"] == "PASSED"


async def test_an_if_bid_is_countered_with_more(sellers: Sellers) -> None:
    sale_id, _ = await bound(sellers)
    path = f"/desk/sales/{sale_id}/lots/1/if-bid/counter"
    less = await sellers.seller.does("POST", path, {"amount_minor": 100_00}, status=409)
    assert less["code"] == "COUNTER_NOT_ABOVE_BID"
    await sellers.seller.does("POST", path, {"amount_minor": 300_00})
    assert (await lot_of(sellers, sale_id))["counter_minor"] == 300_00


async def test_a_lot_is_withdrawn_with_its_reason_and_a_sale_cancelled(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers, lots=3)
    path = f"/desk/sales/{sale_id}"
    why = {"cause": "RECALL", "reason": "The maker calls it back."}
    done = await sellers.seller.does("POST", f"{path}/lots/2/withdrawal", why)
    assert done["lot"]["status"] == "WITHDRAWN"
    again = await sellers.seller.does("POST", f"{path}/lots/2/withdrawal", why, status=409)
    assert again["code"] in ("LOT_CLOSED", "LOT_WITHDRAWN")
    assert (await board(sellers, sale_id))["lots"][-1]["lot_id"] == "2"
    cancelled = await sellers.seller.does(
        "POST", f"{path}/cancellation", {"cause": "SELLER", "reason": "Flood."}
    )
    assert cancelled == {"sale_id": sale_id, "lot": None}
    assert (await board(sellers, sale_id))["cancelled"]
    twice = await sellers.seller.does(
        "POST", f"{path}/cancellation", {"cause": "SELLER", "reason": "Flood."}, status=409
    )
    assert twice["code"] in ("SALE_CANCELLED", "SALE_CLOSED")


async def test_a_lot_that_is_not_there_is_not_found(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers)
    path = f"/desk/sales/{sale_id}/lots/99/reserve"
    await sellers.seller.does("PUT", path, {"reserve_minor": 300_00}, status=404)


async def test_what_is_said_is_read_in_order(
    sellers: Sellers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale_id = await a_published_sale(sellers)
    path = f"/desk/sales/{sale_id}/messages"
    assert MAX_MESSAGES == 500
    for number in (1, 2):
        said = await sellers.seller.does("POST", path, {"message": f"Word {number}"}, status=201)
        assert (said["number"], said["message"]) == (number, f"Word {number}")
    found = (await sellers.seller.get(path))["items"]
    assert [one["message"] for one in found] == ["Word 2", "Word 1"]
    everybody = await sellers.market.guest.get(f"/sales/{sale_id}/messages")
    assert everybody["items"] == found
    monkeypatch.setattr("auction.desk.messages.MAX_MESSAGES", 2)
    more = await sellers.seller.does("POST", path, {"message": "Word 3"}, status=409)
    assert more["code"] == "TOO_MANY"
    assert len((await sellers.seller.get(path))["items"]) == 2


async def test_an_engine_that_does_not_answer_is_said_to_be_away(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers)

    class Away:
        async def submit(self, _: object) -> Any:
            raise OutcomeUnknown

    sellers.late.engine = Away()
    path = f"/desk/sales/{sale_id}/lots/1/reserve"
    away = await sellers.seller.does("PUT", path, {"reserve_minor": 300_00}, status=503)
    assert away["code"] == "UNAVAILABLE"


async def test_a_rival_does_nothing_to_a_sale_that_goes_on(sellers: Sellers) -> None:
    """By the service too, which does not trust the API to have asked."""
    sale_id = await a_published_sale(sellers)
    before = await board(sellers, sale_id)
    for where in (sale_id, "nobodys-1"):
        path = f"/desk/sales/{where}/lots/1/reserve"
        refused = await sellers.rival.does("PUT", path, {"reserve_minor": 100_00}, status=404)
        assert refused["code"] == "NOT_FOUND"
    by = Seller(LiquidatorId(sellers.rival.organisation_id), ActorId("rival-1"))
    with pytest.raises(Refused, match="NOT_FOUND"):
        await sellers.desk.running.set_reserve(by, SaleId(sale_id), LotId("1"), 100_00)
    with pytest.raises(Refused, match="NOT_FOUND"):
        await sellers.desk.running.say(by, SaleId(sale_id), "Mine")
    staff = await sellers.staff.does(
        "PUT", f"/desk/sales/{sale_id}/lots/1/reserve", {"reserve_minor": 100_00}, status=403
    )
    assert staff["code"] == "FORBIDDEN"
    assert await board(sellers, sale_id) == before


async def test_what_is_said_in_a_hidden_sale_is_for_who_is_in_it(sellers: Sellers) -> None:
    sale_id = await a_published_sale(sellers, audience=SaleAudience.INVITE, invited=("hart",))
    said = {"message": "Only for you."}
    await sellers.seller.does("POST", f"/desk/sales/{sale_id}/messages", said, status=201)
    hidden = await sellers.market.guest.send("GET", f"/sales/{sale_id}/messages")
    missing = await sellers.market.guest.send("GET", "/sales/nobodys-1/messages")
    assert hidden == missing
    assert hidden[0] == 404


async def test_more_may_enter_and_be_dismissed_than_one_command_names(
    sellers: Sellers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MAX_BIDDERS_PER_COMMAND", 2)
    sale_id = SaleId(await a_published_sale(sellers, audience=SaleAudience.INVITE, invited=("a",)))
    by = Seller(LiquidatorId(sellers.seller.organisation_id), ActorId("seller-1"))
    more = [BidderId(name) for name in "bcdef"]
    await sellers.desk.running.admit(by, sale_id, more)
    now = await sellers.desk.running.admissions(by.liquidator_id, sale_id)
    assert now.bidder_ids == ("a", *more)
    await sellers.desk.running.dismiss(by, sale_id, more)
    now = await sellers.desk.running.admissions(by.liquidator_id, sale_id)
    assert now.bidder_ids == ("a",)
