"""Sales that not everybody may see: for everybody else, every answer is that of no sale at all."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from accounts.identity import Identity, OrganisationKind, Role
from accounts.ids import OrganisationId, PersonId
from auction.catalog.listings import publish_lots, publish_sale
from auction.catalog.photos import add_photo
from auction.ids import LotId, SaleId
from auction.terms import SaleAudience
from bidder_gateway.sight import GUEST, STAFF, Onlooker, admits, onlooker_of
from foundation.database import acquire, transaction
from tests.builders import HOUSE, Room, new_bid_id, schedule
from tests.market import Caller, Market, Reseller, lot_of
from tests.site import picture

HIDDEN, SHOWN, MISSING = "S-9", "S-1", "S-0"
# What an answer may differ in, whatever it is about.
OF_THE_REQUEST = {"x-request-id", "date"}

EVERY_READING = (
    "/sales/{}",
    "/sales/{}/lots",
    "/sales/{}/lots/1",
    "/sales/{}/lots/1/manifest",
    "/sales/{}/lots/1/manifest/groups",
    "/sales/{}/lots/1/history",
    "/sales/{}/lots/1/questions",
    "/sales/{}/lots/1/door-price?amount_minor=10000",
    "/sales/{}/log",
)


async def whole(
    caller: Caller, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and bytes of an answer, but for what names the request."""
    own = {**caller.headers, **{name.replace("_", "-"): v for name, v in headers.items()}}
    if "Cookie" in own:
        own["Origin"] = caller.market.origin
    sent = caller.market.http.request(
        method, f"{caller.market.origin}/api/v1{path}", json=body, headers=own
    )
    async with sent as answer:
        kept = [(k, v) for k, v in answer.headers.items() if k.lower() not in OF_THE_REQUEST]
        return answer.status, sorted(kept), await answer.read()


async def a_market(
    market: Market, audience: SaleAudience = SaleAudience.INVITE
) -> tuple[Reseller, Reseller]:
    """One reseller who is admitted to a hidden sale, and one who is not."""
    await market.opens("1", sale_id=SHOWN)
    await market.opens("1", "2", sale_id=HIDDEN, audience=audience)
    kestrel, wren = await market.reseller("Kestrel"), await market.reseller("Wren")
    await market.admits(kestrel, sale_id=HIDDEN)
    return kestrel, wren


async def liquidator(market: Market, mail: str, *, own: bool) -> Reseller:
    """Somebody of a liquidator; ``own``: of the one whose sale it is."""
    person_id = await market.people.member(OrganisationKind.LIQUIDATOR, Role.LIQUIDATOR, mail=mail)
    seller = await market.signed_in(person_id)
    if own:
        async with transaction(market.pool) as connection:
            for table in ("sale_board", "sale_listing", "lot_board"):
                statement = f"update {table} set liquidator_id = $1 where sale_id = $2"  # noqa: S608
                await connection.execute(statement, seller.organisation_id, HIDDEN)
    return seller


@pytest.mark.parametrize("audience", [SaleAudience.GROUP, SaleAudience.INVITE])
async def test_who_is_not_admitted_reads_what_they_read_of_no_sale(
    market: Market, audience: SaleAudience
) -> None:
    kestrel, wren = await a_market(market, audience)
    stranger = await liquidator(market, "stranger@example.com", own=False)
    for caller in (market.guest, wren, stranger):
        for path in EVERY_READING:
            hidden = await whole(caller, "GET", path.format(HIDDEN))
            assert hidden == await whole(caller, "GET", path.format(MISSING)), path
            assert hidden[0] == 404
    for path in EVERY_READING[:-1]:
        await kestrel.get(path.format(HIDDEN))


async def test_who_is_not_admitted_can_do_nothing_that_differs_from_no_sale(
    market: Market,
) -> None:
    kestrel, wren = await a_market(market)
    page = await kestrel.get(f"/sales/{HIDDEN}")
    accepted = {"terms_version": 1, "terms_sha256": page["terms_sha256"]}
    bid = {"amount_minor": 100_00, "currency": "USD"}
    asked: list[tuple[str, str, object]] = [
        ("PUT", "/sales/{}/registration", accepted),
        ("GET", "/sales/{}/registration", None),
        ("PUT", "/sales/{}/budgets", {"budgets": []}),
        ("GET", "/sales/{}/budgets", None),
        ("POST", "/sales/{}/lots/1/bids", bid),
        ("POST", "/sales/{}/lots/1/questions", {"question": "Is it wrapped?"}),
        ("POST", "/sales/{}/lots/1/counter-answer", {"accepted": True}),
        ("POST", "/sales/{}/lots/1/freight-quotes", {"postal_code": "60601"}),
        ("GET", "/sales/{}/lots/1/bid", None),
        ("GET", "/sales/{}/log/mine", None),
        ("PUT", "/watchlist/{}/1", None),
        ("DELETE", "/watchlist/{}/1", None),
    ]
    for method, path, body in asked:
        headers = {"Idempotency_Key": new_bid_id()} if path.endswith("/bids") else {}
        hidden = await whole(wren, method, path.format(HIDDEN), body, **headers)
        missing = await whole(wren, method, path.format(MISSING), body, **headers)
        assert hidden == missing, path


def of(found: Any) -> set[str]:
    return {item["sale_id"] for item in found["items"]}


async def test_lists_and_searches_hold_what_one_may_see(market: Market) -> None:
    kestrel, wren = await a_market(market)
    seller = await liquidator(market, "seller@example.com", own=True)
    staff = await market.staff()
    sees: Sequence[tuple[Caller, set[str]]] = (
        (market.guest, {SHOWN}),
        (wren, {SHOWN}),
        (kestrel, {SHOWN, HIDDEN}),
        (seller, {SHOWN, HIDDEN}),
        (staff, {SHOWN, HIDDEN}),
    )
    for caller, sale_ids in sees:
        assert of(await caller.get("/sales")) == sale_ids
        assert of(await caller.get("/lots")) == sale_ids
        assert of(await caller.get("/lots?q=kitchen&order=ENDING")) == sale_ids
    shown = {s["sale_id"]: s["audience"] for s in (await kestrel.get("/sales"))["items"]}
    assert shown == {SHOWN: "PUBLIC", HIDDEN: "INVITE"}


async def test_the_whole_team_of_an_admitted_reseller_sees_the_sale(market: Market) -> None:
    kestrel, _ = await a_market(market)
    person_id = await market.people.person(
        kestrel.organisation_id, Role.ADMIN, mail="second@example.com", name="Second"
    )
    second = await market.signed_in(person_id)
    assert (await second.get(f"/sales/{HIDDEN}"))["audience"] == "INVITE"


async def test_who_is_admitted_registers_bids_and_watches(market: Market) -> None:
    kestrel, _ = await a_market(market)
    await kestrel.registers(HIDDEN)
    assert (await kestrel.bids(200_00, sale_id=HIDDEN))["code"] == "LEADING"
    await kestrel.does("PUT", f"/watchlist/{HIDDEN}/2", status=204)
    await market.caught_up()
    watched = await kestrel.get("/watchlist")
    assert {(w["lot"]["sale_id"], w["lot"]["lot_id"]) for w in watched["items"]} == {
        (HIDDEN, "1"),
        (HIDDEN, "2"),
    }
    await market.closes(HIDDEN)
    assert await kestrel.send("GET", f"/sales/{HIDDEN}/log") != (404, b"")


async def test_a_wish_to_register_of_before_is_told_to_the_engine_on_admission(
    market: Market,
) -> None:
    """As of who was dismissed and is let in again: nothing has to be asked twice."""
    kestrel, _ = await a_market(market)
    await kestrel.registers(HIDDEN)
    await market.admits(kestrel, sale_id=HIDDEN, dismissed=True)
    async with acquire(market.pool) as connection:
        await connection.execute(
            "update registration set revision = revision + 1, restrictions = '{}', next_try_at_us=0"
        )
    await market.settled()
    async with acquire(market.pool) as connection:
        assert await connection.fetchval("select code from registration") == "NOT_FOUND"
    await market.admits(kestrel, sale_id=HIDDEN)
    await market.settled()
    async with acquire(market.pool) as connection:
        assert await connection.fetchval("select code from registration") == "ACCEPTED"


async def test_who_is_dismissed_sees_it_no_more_and_the_bid_stands(market: Market) -> None:
    kestrel, _ = await a_market(market)
    await kestrel.registers(HIDDEN)
    bid_id = new_bid_id()
    bid = {"amount_minor": 200_00, "currency": "USD"}
    placed = ("POST", f"/sales/{HIDDEN}/lots/1/bids", bid)
    first = await kestrel.does(*placed, Idempotency_Key=bid_id)
    await kestrel.does("PUT", f"/watchlist/{HIDDEN}/2", status=204)
    await market.admits(kestrel, sale_id=HIDDEN, dismissed=True)
    for path in EVERY_READING:
        hidden = await whole(kestrel, "GET", path.format(HIDDEN))
        assert hidden == await whole(kestrel, "GET", path.format(MISSING)), path
    assert of(await kestrel.get("/sales")) == of(await kestrel.get("/lots")) == {SHOWN}
    assert (await kestrel.get("/watchlist"))["items"] == []
    again = await kestrel.does(*placed, Idempotency_Key=bid_id)
    assert (again["code"], again["receipt"]) == (first["code"], first["receipt"])
    new = await whole(kestrel, *placed, Idempotency_Key=new_bid_id())
    missing = placed[0], placed[1].replace(HIDDEN, MISSING), placed[2]
    assert new == await whole(kestrel, *missing, Idempotency_Key=new_bid_id())
    await market.closes(HIDDEN)
    (won,) = (await kestrel.get("/won"))["items"]
    assert (won["sale_id"], won["lot_id"]) == (HIDDEN, "1")


async def test_a_photo_is_shown_to_who_may_see_a_lot_that_has_it(market: Market) -> None:
    await market.lists("1", sale_id=HIDDEN, published=False)
    sale_id, lot_id, now_us = SaleId(HIDDEN), LotId("1"), market.clock.now_us()
    async with transaction(market.pool) as connection:
        await add_photo(connection, sale_id, lot_id, "A pallet", picture(1))
        await publish_sale(connection, sale_id, now_us)
        await publish_lots(connection, sale_id, [lot_id], now_us)
        digest = await connection.fetchval("select sha256 from lot_photo_file limit 1")
    path, missing = f"/photos/{digest.hex()}", f"/photos/{'0' * 64}"
    kestrel = await market.reseller("Kestrel")
    await market.submit(
        replace(schedule(lot_of("1"), audience=SaleAudience.GROUP), sale_id=sale_id)
    )
    await market.admits(kestrel, sale_id=HIDDEN)
    for caller in (market.guest, await market.reseller("Wren")):
        assert await whole(caller, "GET", path) == await whole(caller, "GET", missing)
    status, headers, data = await whole(kestrel, "GET", path)
    assert status == 200 and sha256(data).digest() == digest
    assert dict(headers)["Cache-Control"].startswith("private"), "no cache between keeps it"


def test_who_looks_is_an_organisation_a_guest_or_the_house() -> None:
    somebody = Identity(
        person_id=PersonId("p"),
        organisation_id=OrganisationId("o"),
        organisation_kind=OrganisationKind.RESELLER,
        roles=frozenset(),
        name="Pat",
    )
    staff = replace(somebody, organisation_kind=OrganisationKind.HOUSE)
    assert onlooker_of(None) == GUEST
    assert onlooker_of(somebody) == "o"
    assert onlooker_of(staff) == GUEST, "without a second factor they have no roles"
    assert onlooker_of(replace(staff, roles=frozenset({Role.SETTLEMENT}))) == STAFF


def test_the_folded_sale_says_the_same() -> None:
    room = Room(audience=SaleAudience.GROUP, bidders="A")
    sees = {who: admits(room.sale, Onlooker(who)) for who in ("", "A", "B", "*", HOUSE)}
    assert sees == {"": False, "A": True, "B": False, "*": True, HOUSE: True}
    assert admits(Room().sale, GUEST)
