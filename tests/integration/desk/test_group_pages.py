"""Groups of buyers on pages and over HTTP: who is found, who is in, undo, and strangers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auction.desk.buyer_groups import BuyerGroup
from foundation.http.problems import NOT_FOUND
from tests.accounts_site import Client
from tests.desk_market import desk_market
from tests.seller_site import AtDesk, at_desk
from tests.site import Site, now_us, open_site
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


async def the_group(desk: AtDesk) -> BuyerGroup:
    (group,) = await desk.room.groups.list(desk.seller.liquidator_id)
    return group


async def test_members_are_named_by_organisation_or_by_mail(
    site: Site, desk: AtDesk, dana: Client
) -> None:
    hart, kim = await site.reseller("Hart Trading"), await site.reseller("Kimball Resale")
    assert "No group yet" in (await dana.get("/desk/groups")).text
    typed = {"name": "Regulars", "members": "hart TRADING\r\n\r\nKimball@example.com\n"}
    made = await dana.post("/desk/groups", typed)
    assert made.status == 303, made.text
    group = await the_group(desk)
    assert set(group.members) == {hart.bidder_id, kim.bidder_id}
    page = (await dana.get(made.location)).text
    assert "Hart Trading" in page and "Kim Hart" not in page and hart.mail not in page


@pytest.mark.parametrize(
    ("typed", "place", "said"),
    [
        ({"name": ""}, "name", "Give it a name"),
        ({"name": "x" * 61}, "name", "at most 60"),
        ({"name": "Taken"}, "name", "one of this name already"),
        ({"name": "New", "members": "Nobody Inc"}, "members", "No approved reseller is called"),
        ({"name": "New", "members": "waiting@example.com"}, "members", "No approved reseller"),
        ({"name": "New", "members": "Prairie"}, "members", "No approved reseller"),
        ({"name": "New", "members": "Twin"}, "members", "Several resellers"),
    ],
)
async def test_what_names_nobody_is_said_at_its_field(
    site: Site, desk: AtDesk, dana: Client, typed: dict[str, str | list[str]], place: str, said: str
) -> None:
    """Nobody who is not approved is found, and no liquidator; of two of a name the mail decides."""
    await desk.room.groups.add(desk.seller, "Taken", ())
    await site.reseller("Waiting", approved=False)
    await at_desk(site, "Prairie", "ann@prairie.example")
    twin = await site.reseller("Twin")
    await _another_called(site, twin.organisation_id)
    answer = await dana.post("/desk/groups", typed)
    assert answer.status in (409, 422)
    assert f'id="error-{place}"' in answer.text and said in answer.text
    assert [group.name for group in await desk.room.groups.list(desk.seller.liquidator_id)] == [
        "Taken"
    ]


async def _another_called(site: Site, organisation_id: str) -> None:
    await site.pool.execute(
        "insert into organisation select organisation_id || '-2', kind, name, currency, $2"
        " from organisation where organisation_id = $1",
        organisation_id,
        now_us(),
    )
    await site.pool.execute(
        "insert into approval (organisation_id, state, changed_at_us)"
        " values ($1 || '-2', 'APPROVED', $2)",
        organisation_id,
        now_us(),
    )


async def test_a_search_finds_words_that_begin_so_and_never_lists_everybody(
    site: Site, desk: AtDesk, dana: Client
) -> None:
    await site.reseller("Hart Trading")
    await site.reseller("Little Harbour")
    await site.reseller("Harmless", approved=False)
    group = await desk.room.groups.add(desk.seller, "Regulars", ())
    path = f"/desk/groups/{group.group_id}"
    found = (await dana.get(f"{path}?q=har")).text
    assert "Hart Trading" in found and "Little Harbour" in found and "Harmless" not in found
    assert "Hart Trading" not in (await dana.get(f"{path}?q=ha")).text
    assert "Hart Trading" not in (await dana.get(f"{path}?q=%25%25%25")).text
    assert "Hart Trading" not in (await dana.get(f"{path}?q=trad_ng")).text


async def test_a_member_is_taken_out_and_put_back(site: Site, desk: AtDesk, dana: Client) -> None:
    hart = await site.reseller("Hart Trading")
    group = await desk.room.groups.add(desk.seller, "Regulars", (hart.bidder_id,))
    path = f"/desk/groups/{group.group_id}"
    one = {"version": str(group.version), "bidder": hart.bidder_id}
    out = await dana.post(f"{path}/leavers", one)
    assert (await the_group(desk)).members == ()
    assert "Hart Trading is taken out." in (await dana.get(out.location.split("#")[0])).text
    stale = await dana.post(f"{path}/members", one)
    assert stale.status == 412 and "changed this meanwhile" in stale.text
    again = {**one, "version": str((await the_group(desk)).version)}
    assert (await dana.post(f"{path}/members", again)).status == 303
    assert (await the_group(desk)).members == (hart.bidder_id,)


async def test_drafts_and_templates_follow_a_new_name(desk: AtDesk, dana: Client) -> None:
    group = await desk.room.groups.add(desk.seller, "Regulars", ())
    sale_id = await desk.sale(groups=("Others", "Regulars"))
    sale = await desk.room.sales.read(desk.seller.liquidator_id, sale_id)
    template = await desk.room.templates.add(desk.seller, "Weekly", sale.draft)
    renamed = await dana.post(
        f"/desk/groups/{group.group_id}/name", {"version": "1", "name": "Good friends"}
    )
    assert renamed.status == 303, renamed.text
    owner = desk.seller.liquidator_id
    sale = await desk.room.sales.read(owner, sale_id)
    assert (sale.draft.groups, sale.version) == (("Others", "Good friends"), 2)
    kept = await desk.room.templates.read(owner, template.template_id)
    assert kept.draft.groups == ("Others", "Good friends")


async def test_a_group_is_removed_and_brought_back(site: Site, desk: AtDesk, dana: Client) -> None:
    hart = await site.reseller("Hart Trading")
    group = await desk.room.groups.add(desk.seller, "Regulars", (hart.bidder_id,))
    path = f"/desk/groups/{group.group_id}"
    removed = await dana.post(f"{path}/remove", {"version": "1"})
    page = await dana.get(removed.location)
    assert "No group yet" in page.text and f'action="{path}/bring-back"' in page.text
    assert (await dana.get(path)).status == NOT_FOUND.status
    back = await dana.post(f"{path}/bring-back", {})
    assert back.location == path
    assert (await the_group(desk)).members == (hart.bidder_id,)
    await dana.post(f"{path}/remove", {"version": str((await the_group(desk)).version)})
    await dana.post("/desk/groups", {"name": "Regulars"})
    assert (await dana.post(f"{path}/bring-back", {})).status == NOT_FOUND.status
    assert (await the_group(desk)).members == ()


async def test_strangers_find_nothing(site: Site, desk: AtDesk) -> None:
    group = await desk.room.groups.add(desk.seller, "Regulars", ())
    path, seen = f"/desk/groups/{group.group_id}", {"version": "1"}
    rival = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
    async with visitor(site, rival.person_id) as ann:
        assert (await ann.get(path)).status == NOT_FOUND.status
        for what in ("name", "members", "leavers", "remove", "bring-back"):
            sent = {} if what == "bring-back" else seen
            assert (await ann.post(f"{path}/{what}", sent)).status == NOT_FOUND.status, what
        assert "Regulars" not in (await ann.get("/desk/groups")).text
    assert await the_group(desk) == group


async def test_over_http_a_group_has_a_version(database_url: str) -> None:
    async with desk_market(database_url) as sellers:
        by, hart = sellers.seller, await sellers.market.reseller("Hart Trading")
        found = await by.get("/desk/resellers?q=hart")
        assert [one["bidder_id"] for one in found["items"]] == [hart.bidder_id]
        assert found["items"][0].keys() == {"bidder_id", "name", "city", "region"}
        await by.get("/desk/resellers?q=ha", status=422)
        assert (await hart.get("/desk/resellers?q=hart", status=403))["code"] == "FORBIDDEN"
        body = {"name": "Regulars", "members": [hart.bidder_id]}
        group = await by.does("POST", "/desk/groups", body, status=201)
        path = f"/desk/groups/{group['group_id']}"
        changed = await by.does("PUT", path, {"name": "Old"}, If_Match='"1"')
        assert (changed["name"], changed["members"], changed["version"]) == ("Old", [], 2)
        stale = await by.does("PUT", path, body, status=412, If_Match='"1"')
        assert stale["code"] == "CHANGED_MEANWHILE"
        await by.does("DELETE", path, status=204, If_Match='"2"')
        await by.get(path, status=404)
        assert (await by.does("POST", f"{path}/bring-back"))["version"] == 4
