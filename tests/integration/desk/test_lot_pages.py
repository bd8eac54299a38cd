"""The pages of stock: what forms take, versions, undoing, and other liquidators' lots."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auction.desk.lot_drafts import DraftedLot
from foundation.http.problems import NOT_FOUND
from tests.accounts_site import Client
from tests.seller_site import AtDesk, at_desk
from tests.site import Site, open_site
from tests.visiting import visitor


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The whole site."""
    async with open_site(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def desk(site: Site) -> AtDesk:
    """A liquidator."""
    return await at_desk(site)


@pytest.fixture
async def dana(site: Site, desk: AtDesk) -> AsyncIterator[Client]:
    """Its seller's browser."""
    async with visitor(site, desk.person_id) as client:
        yield client


async def now(desk: AtDesk, draft_id: str) -> DraftedLot:
    return await desk.room.lots.read(desk.seller.liquidator_id, draft_id)


async def test_a_cell_is_saved_on_the_version_that_was_seen(desk: AtDesk, dana: Client) -> None:
    lot = await desk.lot()
    fields = {"field": "weight", "value": "600 lb", "version": "1"}
    saved = await dana.post(f"/desk/lots/{lot}/cell", fields, Accept="application/json")
    assert saved.status == 200
    row = json.loads(saved.body)
    assert (row["version"], row["cells"]["weight"]["shown"]) == (2, "600")
    late = await dana.post(f"/desk/lots/{lot}/cell", fields, Accept="application/json")
    assert (late.status, json.loads(late.body)["code"]) == (412, "CHANGED_MEANWHILE")
    undone = await dana.post(f"/desk/lots/{lot}/undo", {"version": "2"}, Accept="application/json")
    assert json.loads(undone.body)["cells"]["weight"]["shown"] == "573"


async def test_a_cell_that_will_not_do_is_not_saved(desk: AtDesk, dana: Client) -> None:
    lot = await desk.lot()
    fields = {"field": "opening", "value": "1.250", "version": "1"}
    answer = await dana.post(f"/desk/lots/{lot}/cell", fields)
    assert answer.status == 422
    assert "between thousands" in json.loads(answer.body)["message"]
    assert (await now(desk, lot)).version == 1


async def test_the_form_keeps_what_was_typed_and_names_each_bad_field(
    desk: AtDesk, dana: Client
) -> None:
    lot = await desk.lot()
    bad = {"version": "1", "title": "Mixers", "length": "long", "postal_code": "1"}
    answer = await dana.post(f"/desk/lots/{lot}", bad)
    assert answer.status == 422
    for part in ('value="long"', 'id="error-length"', 'id="error-postal_code"', "Five digits."):
        assert part in answer.text
    good = {"version": "1", "title": "Mixers", "length": "4 ft", "restrictions": "no-export"}
    saved = await dana.post(f"/desk/lots/{lot}", good)
    assert saved.status == 303
    draft = (await now(desk, lot)).draft
    assert (draft.title, draft.length_mm, draft.restrictions) == ("Mixers", 1_219, ("no-export",))
    late = await dana.post(f"/desk/lots/{lot}", good | {"title": "Older"})
    assert late.status == 412
    assert "Somebody has changed this meanwhile" in late.text


async def test_what_is_split_or_joined_or_removed_can_be_undone(desk: AtDesk, dana: Client) -> None:
    lot = await desk.lot()
    split = await dana.post(f"/desk/lots/{lot}/split", {"version": "1"})
    assert split.location == f"/desk/lots?removed={lot}"
    stock = await desk.room.lots.stock(desk.seller.liquidator_id, "", 10)
    assert sorted(one.origin.pallet for one in stock) == ["P1", "P2"]
    back = await dana.post(f"/desk/lots/{lot}/back")
    assert back.location == f"/desk/lots/{lot}"
    other = await desk.lot(title="Bedding")
    chosen = {"lots": [f"{lot}:1", f"{other}:1"]}
    joined = await dana.post("/desk/lots/several/join", chosen)
    assert joined.location.endswith(f"?joined={lot}")


async def test_a_field_of_several_lots_is_changed_or_of_none(desk: AtDesk, dana: Client) -> None:
    lots = [await desk.lot(), await desk.lot(title="Bedding")]
    chosen: dict[str, str | list[str]] = {
        "lots": [f"{lots[0]}:1", f"{lots[1]}:9"],
        "field": "category",
        "value": "Home",
    }
    await dana.post("/desk/lots/several/change", chosen)
    assert {(await now(desk, lot)).draft.category for lot in lots} == {"Kitchen"}
    chosen["lots"] = [f"{lot}:1" for lot in lots]
    await dana.post("/desk/lots/several/change", chosen)
    assert {(await now(desk, lot)).draft.category for lot in lots} == {"Home"}


async def test_guided_prices_and_suggested_words_are_taken_over(desk: AtDesk, dana: Client) -> None:
    lot = await desk.lot(title="", opening_minor=None, reserve_minor=None)
    page = await dana.get(f"/desk/lots/{lot}")
    for part in ("What goods like these bring", "Source", "read on", "Use this title"):
        assert part in page.text
    await dana.post(f"/desk/lots/{lot}/take", {"version": "1", "what": "prices"})
    await dana.post(f"/desk/lots/{lot}/take", {"version": "2", "what": "title"})
    draft = (await now(desk, lot)).draft
    assert draft.opening_minor and draft.reserve_minor and draft.title.startswith("Kitchen: ")


async def test_another_liquidators_lot_is_answered_as_one_that_does_not_exist(
    site: Site, desk: AtDesk
) -> None:
    lot = await desk.lot()
    rival = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
    async with visitor(site, rival.person_id) as ann:
        for path in (f"/desk/lots/{lot}", f"/desk/lots/{lot}/preview"):
            foreign, missing = await ann.get(path), await ann.get(path.replace(lot, "draft-none"))
            assert foreign.status == missing.status == NOT_FOUND.status
            assert lot not in foreign.text.replace(path, "")
        for action in ("cell", "undo", "split", "copy", "remove", "back", "take", ""):
            fields = {} if action in ("copy", "back") else {"version": "1"}
            if action == "cell":
                fields |= {"field": "title", "value": "Mine"}
            if action == "take":
                fields |= {"what": "title"}
            answer = await ann.post(f"/desk/lots/{lot}/{action}".rstrip("/"), fields)
            assert answer.status == NOT_FOUND.status, action
    assert (await now(desk, lot)).version == 1


async def test_guests_sign_in_first_and_resellers_have_no_desk(site: Site) -> None:
    reseller = await site.reseller("Kestrel Resale")
    async with visitor(site, None) as guest, visitor(site, reseller.person_id) as kim:
        assert (await guest.get("/desk")).location.startswith("/sign-in")
        assert (await kim.get("/desk")).status == 403
