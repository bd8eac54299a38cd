"""A sale by invitation over the live connection: who is admitted, who is not, and who was."""

import re

import pytest

from auction.commands import AnswerCounter
from auction.ids import BidderId, LotId
from auction.terms import SaleAudience
from tests.builders import SALE, admit, dismiss, new_bid_id
from tests.integration.test_live import next_frame
from tests.integration.test_live_hostile import a_bid, said_hello
from tests.live import LiveRoom, live_room, open_sale
from tests.raw_sockets import RawSocket

INVITED = open_sale(2, audience=SaleAudience.INVITE)
OFFER = {"kind": "MAXIMUM", "amount_minor": 100_00, "currency": "USD"}


async def answers(client: RawSocket, sale_id: str) -> bytes:
    """What a client is told of a sale, to the byte."""
    asked = (
        {"type": "subscribe", "request": 5},
        {"type": "subscribe", "request": 5, "lots": ["1"], "since": 2},
        {"type": "bid", "request": 5, "lot_id": "1", "bid_id": f"{0:08}-0000-4000-8000-{0:012}"}
        | {"offer": OFFER},
    )
    got = []
    for frame in asked:
        client.say(**frame, sale_id=sale_id)
        got.append(await client.payload())
    return re.sub(rb"S-\d+", b"S", b"\n".join(got))


@pytest.mark.parametrize("who", ["c", None])
async def test_who_is_not_admitted_hears_what_they_hear_of_no_sale(who: str | None) -> None:
    async with live_room(sale=INVITED) as room, said_hello(room, who) as client:
        assert await answers(client, SALE) == await answers(client, "S-99")
        assert room.gateway.hub.followed(room.gateway.hub.links[-1]) == {}


async def test_who_is_admitted_follows_and_bids() -> None:
    async with live_room(sale=INVITED) as room, said_hello(room, "a") as client:
        client.say(type="subscribe", request=1, sale_id=SALE)
        snapshot = await client.frame("snapshot")
        assert snapshot["sale"]["audience"] == "INVITE"
        client.say(**a_bid())
        assert (await client.frame("verdict"))["code"] == "LEADING"


async def following(room: LiveRoom, client: RawSocket) -> None:
    client.say(type="subscribe", request=1, sale_id=SALE)
    await client.frame("snapshot")


async def test_a_dismissal_ends_the_subscription_at_once_and_nobody_elses() -> None:
    async with (
        live_room(sale=INVITED) as room,
        said_hello(room, "a") as first,
        said_hello(room, "a") as second,
        said_hello(room, "b") as other,
    ):
        for client in (first, second, other):
            await following(room, client)
        await room.submit(dismiss("a"))
        for client in (first, second):
            gone = await client.frame("unsubscribed")
            assert gone == {"type": "unsubscribed", "request": None, "sale_id": SALE}
        other.say(**a_bid())
        assert (await other.frame("verdict"))["code"] == "LEADING"
        assert (await other.frame("event"))["event"]["type"] == "bid_placed"
        for client in (first, second):
            assert await answers(client, SALE) == await answers(client, "S-99")
        await room.gateway.stop()
        for client in (first, second):
            await client.rest()
            assert b"bid_placed" not in bytes(client.seen), "told of what came after"


async def test_the_python_client_follows_it_no_more() -> None:
    async with live_room(sale=INVITED) as room, room.client("a") as client:
        await client.follow(SALE)
        await next_frame(client, "snapshot")
        await room.submit(dismiss("a"))
        await next_frame(client, "unsubscribed")
        assert client._followed == {}, "it would ask for it again after the next welcome"


async def test_a_bid_of_before_is_answered_again_after_a_dismissal() -> None:
    async with live_room(sale=INVITED) as room, said_hello(room, "a") as client:
        bid_id = new_bid_id()
        client.say(**a_bid(bid_id=bid_id))
        first = await client.frame("verdict")
        await room.submit(dismiss("a"))
        client.say(**a_bid(bid_id=bid_id))
        again = await client.frame("verdict")
        assert (again["code"], again["receipt"]) == (first["code"], first["receipt"])
        client.say(**a_bid(bid_id=new_bid_id(), offer={**OFFER, "amount_minor": 900_00}))
        assert (await client.frame("verdict"))["code"] == "NOT_FOUND"


async def test_who_is_let_in_again_follows_again() -> None:
    async with live_room(sale=INVITED) as room, said_hello(room, "a") as client:
        await following(room, client)
        await room.submit(dismiss("a"))
        await client.frame("unsubscribed")
        await room.submit(admit("a"))
        await following(room, client)


async def test_a_dismissal_while_a_subscription_is_being_granted_ends_it_too() -> None:
    """Between the answer and the first event lies a wait for the reader."""
    async with live_room(sale=INVITED) as room, said_hello(room, "a") as client:
        hub = room.gateway.hub
        waited = hub.until_clear

        async def dismissed_meanwhile(link: object) -> bool:
            await room.submit(dismiss("a"))
            return await waited(link)  # type: ignore[arg-type]

        hub.until_clear = dismissed_meanwhile  # type: ignore[method-assign]
        client.say(type="subscribe", request=1, sale_id=SALE, since=0)
        assert (await client.frame("unsubscribed"))["request"] is None
        assert [hub.followed(link) for link in hub.links] == [{}]


async def test_a_counter_offer_is_not_found_for_who_was_dismissed() -> None:
    async with live_room(sale=INVITED) as room:
        await room.submit(dismiss("a"))
        answer = AnswerCounter(
            sale_id=SALE, lot_id=LotId("1"), bidder_id=BidderId("a"), accepted=True
        )
        verdict = await room.host.engine.submit(answer)
        assert (str(verdict.code), verdict.message) == ("NOT_FOUND", "there is no such sale")
