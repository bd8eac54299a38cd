"""The desk over HTTP: versions, what is foreign, what staff may, a token's scope."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import to_builtins

from accounts.identity import Scope
from accounts.permissions import Action
from auction.desk.api_common import DESK
from auction.desk.room import Desk
from tests.consignors import agreement, consigning
from tests.desk import a_sale_draft
from tests.desk_market import (
    DRAFT,
    LINES,
    Sellers,
    a_lot,
    a_planned_sale,
    a_published_sale,
    desk_market,
)


@pytest.fixture
async def sellers(database_url: str) -> AsyncIterator[Sellers]:
    async with desk_market(database_url) as sellers:
        yield sellers


async def test_a_change_names_the_version_that_was_seen(sellers: Sellers) -> None:
    by, lot = sellers.seller, await a_lot(sellers.seller)
    path = f"/desk/lots/{lot['draft_id']}"
    changed = await by.does("PATCH", path, {"title": "Better"}, If_Match='"1"')
    assert (changed["version"], changed["draft"]["title"]) == (2, "Better")
    stale = await by.does("PUT", path, DRAFT, status=412, If_Match='"1"')
    assert stale["code"] == "CHANGED_MEANWHILE"
    nothing_seen = await by.does("PUT", path, DRAFT, status=428)
    assert nothing_seen["code"] == "PRECONDITION_REQUIRED"
    async with sellers.market.http.get(
        f"{sellers.market.origin}/api/v1{path}", headers=by.headers
    ) as answer:
        tag = answer.headers["ETag"]
    assert tag.startswith('"2.')
    assert (await by.does("PUT", path, DRAFT, If_Match=tag))["version"] == 3
    await by.does("DELETE", path, status=204, If_Match='"3"')
    assert (await by.does("POST", f"{path}/bring-back"))["version"] == 5


async def test_a_file_becomes_a_published_sale(sellers: Sellers) -> None:
    """From the upload to the sale that everybody reads, all of it over HTTP."""
    by, market = sellers.seller, sellers.market
    rows = "\n".join(f"Toaster {n},Brindle,2,39.99,New,P{n}" for n in range(1, 11))
    upload = market.http.post(
        f"{market.origin}{DESK}/imports?file_name=returns.csv&correction=brand=Make",
        data=f"Description,Make,Qty,Unit Retail,Condition,Pallet ID\n{rows}\n".encode(),
        headers={**by.headers, "Origin": market.origin, "Content-Type": "application/octet-stream"},
    )
    async with upload as answer:
        preview = await answer.json()
        assert answer.status == 201, preview
    assert (preview["line_count"], len(preview["pallets"])) == (10, 10)
    words = DRAFT | {"title": "Returns"}
    body = {"making": "PALLETS", "words": words}
    made = await by.does("POST", f"/desk/imports/{preview['preview_id']}/lots", body, status=201)
    seen = [{"draft_id": lot["draft_id"], "version": 1} for lot in made["items"]]
    changes = {"opening_minor": 100_00, "weight_g": 200_000, "source": "customer returns"}
    await by.does("POST", "/desk/lot-changes", {"lots": seen, "changes": changes})
    draft = to_builtins(a_sale_draft(market.clock.now_us()))
    sale = await by.does("POST", "/desk/sales", draft, status=201)
    path, draft_ids = f"/desk/sales/{sale['sale_id']}", [one["draft_id"] for one in seen]
    await by.does("POST", f"{path}/lots", {"draft_ids": draft_ids}, If_Match='"1"')
    checks = await by.get(f"{path}/checks")
    assert checks["ready"], checks
    change = {"lots": [{"draft_id": draft_ids[0], "version": 3}], "changes": {"alias": "a store"}}
    await by.does("POST", "/desk/lot-changes", change)
    publication = f"{path}/publication?lots_seen={checks['lots_seen']}"
    unseen = await by.does("POST", publication, status=412, If_Match='"2"')
    assert unseen["code"] == "CHANGED_MEANWHILE"
    seen_now = (await by.get(f"{path}/checks"))["lots_seen"]
    publication = f"{path}/publication?lots_seen={seen_now}"
    published = await by.does("POST", publication, If_Match='"2"')
    assert published["state"] == "PUBLISHED"
    await market.caught_up()
    found = await market.guest.get(f"/sales/{sale['sale_id']}/lots")
    assert [lot["lot_id"] for lot in found["items"]] == [str(n) for n in range(1, 11)]
    again = await by.does("POST", f"{path}/publication", status=409, If_Match='"3"')
    assert again["code"] == "PUBLISHED_ALREADY"


async def test_lists_come_in_pages(sellers: Sellers) -> None:
    by = sellers.seller
    made = {(await a_lot(by))["draft_id"] for _ in range(3)}
    first = await by.get("/desk/lots?limit=2")
    rest = await by.get(f"/desk/lots?limit=2&cursor={first['next_cursor']}")
    assert {lot["draft_id"] for lot in first["items"] + rest["items"]} == made
    assert rest["next_cursor"] is None
    lines = await by.get(f"/desk/lots/{min(made)}/lines?limit=1")
    assert lines["items"] == LINES[:1]
    more = await by.get(f"/desk/lots/{min(made)}/lines?cursor={lines['next_cursor']}")
    assert (more["items"], more["next_cursor"]) == (LINES[1:], None)


MARK = "MARKED-7Q"
# A public address that is asked for nothing; webhooks are sent by the host, not here.
HOOK = f"https://93.184.215.14/{MARK}"


async def test_a_rival_is_answered_as_if_there_were_nothing(sellers: Sellers) -> None:
    """Every route of the desk, byte for byte, and no mark of ours anywhere."""
    now_us = sellers.market.clock.now_us()
    lot = await a_lot(sellers.seller, title=MARK)
    sale = await a_planned_sale(sellers.seller, now_us)
    draft = to_builtins(a_sale_draft(now_us, title=MARK))
    template = await sellers.seller.does(
        "POST", "/desk/templates", {"name": MARK, "draft": draft}, status=201
    )
    owner, own = lot["liquidator_id"], await a_lot(sellers.rival)
    ours = {"draft_id": lot["draft_id"], "sale_id": sale["sale_id"]}
    ours |= {"template_id": template["template_id"], "preview_id": "preview-x"}
    consignor_id, agreement_id = await consigning(sellers.seller, MARK)
    ours |= {"consignor_id": consignor_id, "agreement_id": agreement_id}
    ours |= {"lot_id": "1", "version": "1"}
    webhook = await sellers.seller.does(
        "POST", "/desk/webhooks", {"url": HOOK, "events": ["lot.sold"]}, status=201
    )
    ours["webhook_id"] = webhook["webhook"]["webhook_id"]
    test = f"/desk/webhooks/{ours['webhook_id']}/test"
    ours["delivery_id"] = (await sellers.seller.does("POST", test, status=201))["delivery_id"]
    group = await sellers.seller.does("POST", "/desk/groups", {"name": MARK}, status=201)
    ours["group_id"] = group["group_id"]
    asker = await sellers.market.reseller("Kestrel")
    place = f"/sales/{await a_published_sale(sellers)}/lots/1/questions"
    question = await asker.does("POST", place, {"question": MARK}, status=201)
    ours["question_id"] = question["question_id"]
    ours |= {"number": "1", "sha256": "0" * 64}  # of photos; with real ones in test_photos_api
    nobodys = dict.fromkeys(ours, "nobodys-1")
    asked = 0
    for route in sellers.desk.routes():
        if "{" not in route.path or not route.path.startswith(DESK):
            continue  # a consignor's own are not a seller's at all: see test_consignors
        body = BODIES.get(route.body.__name__) if route.body else None
        query = f"?draft_id={own['draft_id']}" if route.path.endswith("/changes") else ""
        query = "?hammer_minor=1" if route.path.endswith("/example") else query
        answers = []
        for names in (ours, nobodys):
            path = route.path.removeprefix("/api/v1").format(**names) + query
            answers.append(await sellers.rival.send(route.method, path, body, If_Match='"1"'))
        assert answers[0] == answers[1], route
        assert answers[0][0] == 404, (route, answers[0])
        asked += 1
    assert asked > 30
    for listed in ("lots", "sales", "templates", "consignors"):
        found, text = await sellers.rival.send("GET", f"/desk/{listed}?liquidator_id={owner}")
        assert (found, text) == await sellers.rival.send(
            "GET", f"/desk/{listed}?liquidator_id=nobodys-1"
        )
        assert found == 404
        _, text = await sellers.rival.send("GET", f"/desk/{listed}")
        assert MARK.encode() not in text
    for listed in ("webhooks", "groups", "recalls"):
        _, text = await sellers.rival.send("GET", f"/desk/{listed}")
        assert text == b'{"items":[]}'
    joined = {"draft_ids": [own["draft_id"], lot["draft_id"]]}
    missing = {"draft_ids": [own["draft_id"], "nobodys-1"]}
    assert await sellers.rival.send("POST", "/desk/lot-joins", joined) == (
        await sellers.rival.send("POST", "/desk/lot-joins", missing)
    )
    assert await sellers.seller.get(f"/desk/lots/{lot['draft_id']}") == lot


BODIES: dict[str, Any] = {
    "LotDraft": DRAFT,
    "LotChanges": {"title": "Mine"},
    "Copying": {},
    "Bundling": {"draft_ids": ["nobodys-2"]},
    "NewLines": {"lines": LINES},
    "SaleDraft": {},
    "LotIds": {"draft_ids": ["nobodys-2"]},
    "NewNumber": {"number": "12A"},
    "Cloning": {},
    "Repeating": {"recurrence": {"rhythm": "WEEKLY"}, "most": 2},
    "Relisting": {},
    "WebhookIn": {"url": HOOK, "events": ["lot.sold"], "active": False},
    "TemplateIn": {"name": "Mine", "draft": {}},
    "OnDay": {},
    "ConsignorWords": {"name": "Mine"},
    "AgreementWords": to_builtins(agreement()),
    "Linking": {"organisation_id": "nobodys-3"},
    "InvitingConsignor": {"mail": "nobody@example.com"},
    "GroupIn": {"name": "Mine"},
    "Pause": {"reason": "Mine"},
    "QuestionAnswered": {"answer": "Mine"},
    "QuestionHidden": {"reason": "SPAM"},
    "NewEnds": {"ends": [{"lot_id": "1", "closes_at_us": 1}]},
    "Bidders": {"bidder_ids": ["nobodys-3"]},
    "MakingLots": {"making": "ONE"},
    "Replacing": {"preview_id": "nobodys-2"},
    "NewReserve": {"reserve_minor": 100},
    "Counter": {"amount_minor": 100},
    "Withdrawal": {"cause": "SELLER", "reason": "Mine"},
    "Message": {"message": "Mine"},
    "Order": {"numbers": [1]},
    "Described": {"alt": "Mine"},
}


async def test_staff_look_and_change_nothing(sellers: Sellers) -> None:
    lot = await a_lot(sellers.seller)
    path = f"/desk/lots/{lot['draft_id']}"
    assert await sellers.staff.get(path) == lot
    found = await sellers.staff.get(f"/desk/lots?liquidator_id={lot['liquidator_id']}")
    assert found["items"] == [lot]
    for method, body in (("PUT", DRAFT), ("PATCH", {"title": "x"}), ("DELETE", None)):
        refused = await sellers.staff.does(method, path, body, status=403, If_Match='"1"')
        assert refused["code"] == "FORBIDDEN"
    assert await sellers.seller.get(path) == lot


async def test_a_reseller_has_no_desk(sellers: Sellers) -> None:
    reseller = await sellers.market.reseller("Hart")
    assert (await reseller.get("/desk/lots", status=403))["code"] == "FORBIDDEN"
    assert (await sellers.market.guest.get("/desk/lots", status=401))["code"] == "UNAUTHENTICATED"


async def test_a_token_sells_only_with_the_scope_for_it(sellers: Sellers) -> None:
    market, seller = sellers.market, sellers.seller
    reading = await market.token(seller, Scope.READ)
    selling = await market.token(seller, Scope.SELL)
    assert (await reading.get("/desk/lots", status=403))["code"] == "FORBIDDEN"
    assert (await a_lot(selling))["version"] == 1


def test_every_route_that_changes_something_is_for_sellers() -> None:
    nothing: Any = None
    for route in Desk.over(nothing, nothing, nothing, nothing, nothing, nothing).routes():
        looks = route.method == "GET" or route.path.endswith("/search")
        looks &= "/webhooks" not in route.path  # where they go is a secret of who runs sales
        wanted = Action.VIEW_DESK if looks else Action.RUN_SALE
        if route.path.startswith("/api/v1/consignor"):  # the consignor's own
            wanted = Action.VIEW_CONSIGNED
        elif route.path.endswith("/hiding"):  # staff too
            wanted = Action.HIDE_QUESTION
        assert route.access.action is wanted, route.path  # type: ignore[attr-defined]
