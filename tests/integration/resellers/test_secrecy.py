"""Who may ask for what, and what no answer holds: rivals, maxima, reserves, internal ids."""

import re
from functools import partial
from itertools import product

import pytest

from accounts.identity import OrganisationKind, Role, Scope
from accounts.permissions import PERMISSIONS, Access, may
from bidder_gateway.resellers import Resellers
from foundation.http.routes import Route
from tests.builders import SALE, new_bid_id
from tests.market import Market, Reseller, closing_in, lot_of

NOTHING: list[object] = [None] * 7


def routes() -> list[Route]:
    """Every row of the resellers' API."""
    return Resellers.over(*NOTHING).routes()  # type: ignore[arg-type]


def test_every_route_names_an_action_of_the_table() -> None:
    for route in routes():
        assert isinstance(route.access, Access), route.path
        assert route.access.action in PERMISSIONS


PLACES = {
    "sale_id": SALE,
    "lot_id": "1",
    "organisation_id": "reseller-aaaa",
    "search_id": "search-aaaa",
    "entry_id": "deposit-aaaa",
    "sha256": "0" * 64,
}


def path_of(route: Route) -> str:
    """The route's address with places in it, below /api/v1."""
    filled = re.sub(r"\{(\w+)\}", lambda match: PLACES[match[1]], route.path)
    return filled.removeprefix("/api/v1")


async def test_who_may_not_is_turned_away_on_every_route_and_who_may_is_not(
    market: Market,
) -> None:
    """The whole table: each capacity on each route of this room."""
    await market.opens("1")
    kinds = OrganisationKind
    people = [
        await market.signed_in(await market.people.member(kind, role, mail=f"{role}@{kind}.com"))
        for kind, role in (
            (kinds.RESELLER, Role.BIDDER),
            (kinds.RESELLER, Role.ADMIN),
            (kinds.LIQUIDATOR, Role.LIQUIDATOR),
            (kinds.LIQUIDATOR, Role.ADMIN),
            (kinds.CONSIGNOR, Role.ADMIN),
            (kinds.HOUSE, Role.SETTLEMENT),
            (kinds.HOUSE, Role.ADMIN),
        )
    ]
    for route in routes():
        assert isinstance(route.access, Access)
        action, path = route.access.action, path_of(route)
        status, _ = await market.guest.send(route.method, path)
        assert (status == 401) is not may(None, action), path
        for person in people:
            status, _ = await person.send(route.method, path)
            assert (status == 403) is not may(person.identity, action), (path, person.identity)
            assert status not in {401, 500}, path


async def test_a_token_reaches_what_its_scope_does(market: Market) -> None:
    await market.opens("1")
    hart = await market.reseller("Hart")
    await hart.registers()
    reading, bidding = (
        await market.token(hart, Scope.READ),
        await market.token(hart, Scope.BID),
    )
    bid = {"amount_minor": 200_00, "currency": "USD"}
    path = f"/sales/{SALE}/lots/1/bids"
    assert (await reading.send("POST", path, bid, Idempotency_Key=new_bid_id()))[0] == 403
    verdict = await bidding.does("POST", path, bid, Idempotency_Key=new_bid_id())
    assert verdict["code"] == "LEADING"
    assert (await reading.get("/bids")) is not None


async def test_staff_do_not_see_bids_and_resellers_record_no_deposits(market: Market) -> None:
    await market.opens("1")
    hart, staff = await market.reseller("Hart"), await market.staff(Role.SETTLEMENT, Role.ADMIN)
    await staff.get("/bids", status=403)
    body = {"amount_minor": 1, "currency": "USD", "reason": "x"}
    own = f"/organisations/{hart.organisation_id}/sales/{SALE}/deposits"
    await hart.does("POST", own, body, status=403)


async def test_a_liquidator_is_no_reseller_to_staff(market: Market) -> None:
    """Byte for byte as an organisation that does not exist, in the same currency or not."""
    await market.opens("1")
    staff = await market.staff()
    liquidator = await market.people.organisation(OrganisationKind.LIQUIDATOR, "Harbour")
    body = {"amount_minor": 1, "currency": "EUR", "reason": "x"}
    limit = {"limit_minor": 1, "reason": "x"}
    for organisation_id, other in product([liquidator, staff.organisation_id], ["reseller-0"]):
        for method, tail, sent in (
            ("GET", f"sales/{SALE}/deposits", None),
            ("POST", f"sales/{SALE}/deposits", body),
            ("GET", f"sales/{SALE}/limit", None),
            ("PUT", f"sales/{SALE}/limit", limit),
            ("GET", "limits", None),
        ):
            known = await staff.send(method, f"/organisations/{organisation_id}/{tail}", sent)
            unknown = await staff.send(method, f"/organisations/{other}/{tail}", sent)
            assert known == unknown
            assert known[0] == 404


RESERVE, MAXIMUM, RAISED = 987_65_00, 876_54_00, 876_55_00


async def markers(market: Market, hart: Reseller, marlow: Reseller) -> list[bytes]:
    """What of Marlow's, and of the seller's, Hart must never read."""
    await marlow.registers()
    await hart.registers()
    await hart.bids(200_00, "1")
    assert (await marlow.bids(MAXIMUM, "1"))["code"] == "LEADING"
    assert (await marlow.bids(RAISED, "1"))["code"] == "LEADING"
    assert (await marlow.bids(300_00, "2"))["code"] == "LEADING"
    asked = {"name": "marlows-own-search", "wishes": {"q": "kitchen"}, "alert": True}
    await marlow.does("POST", "/searches", asked, status=201)
    await marlow.does("PUT", f"/watchlist/{SALE}/3", status=204)
    budget = {"kind": "ALL_IN", "name": "marlows-own-budget", "at_most_minor": 765_43_00}
    body = {"budgets": [{**budget, "lots": None}]}
    await marlow.does("PUT", f"/sales/{SALE}/budgets", body)
    await market.caught_up()
    texts = [
        marlow.bidder_id,
        marlow.person_id,
        marlow.identity.session_id or "-",
        marlow.identity.name,
        "marlow",
        "marlows-own",
        *map(str, (RESERVE, MAXIMUM, RAISED, 765_43_00)),
    ]
    return [text.encode() for text in texts]


@pytest.mark.parametrize("closed", [False, True])
async def test_no_answer_holds_what_is_a_rivals_or_the_sellers_secret(
    market: Market, closed: bool
) -> None:
    make = partial(closing_in, 30) if closed else lot_of
    await market.opens(make("1"), make("2", reserve_minor=RESERVE), make("3"))
    hart, marlow = await market.reseller("Hart"), await market.reseller("Marlow")
    hidden = await markers(market, hart, marlow)
    if closed:
        await market.closes()
    callers = [hart, market.guest, await market.token(hart, Scope.READ, Scope.BID)]
    asked = 0
    for route in routes():
        if route.method != "GET":
            continue
        for lot_id, caller in product("123", callers):
            path = path_of(route).replace("/lots/1", f"/lots/{lot_id}")
            query = "?amount_minor=50000" if path.endswith("door-price") else ""
            _, body = await caller.send("GET", path + query)
            asked += 1
            for marker in hidden:
                assert marker not in body, (path, marker)
    refused = [
        await hart.bids(200_00, "1"),
        await hart.bids(400_00, "1"),
        await hart.bids(310_00, "2"),
    ]
    text = repr(refused).encode()
    assert not [marker for marker in hidden if marker in text]
    assert asked > 100


async def test_hostile_text_is_kept_as_text_or_refused(market: Market) -> None:
    hart = await market.reseller("Hart")
    for name in (
        "'; drop table saved_search; --",
        "<script>alert(1)</script>",
        "\u202eabc",
        "%s%d",
    ):
        asked = {"name": name, "wishes": {"q": name}, "alert": False}
        saved = await hart.does("POST", "/searches", asked, status=201)
        assert saved["name"] == name
        assert saved == await hart.get(f"/searches/{saved['search_id']}")
        await hart.get("/lots?q=" + "%27%3B%20drop")
    for bad, status in (("a\0b", 422), ("\ud800", 400)):
        asked = {"name": bad, "wishes": {}, "alert": False}
        await hart.does("POST", "/searches", asked, status=status)
    assert (await hart.get("/lots?q=%00", status=422))["code"] == "INVALID"


async def test_a_path_that_can_be_no_id_is_not_found(market: Market) -> None:
    for path in ("/sales/..%2f..%2fetc", "/sales/%00", "/sales/" + "x" * 65, "/sales/a%0d%0ab"):
        status, body = await market.guest.send("GET", path)
        assert status in {400, 404}
        assert b"etc" not in body
