"""What may still be changed of a published sale, on its page and over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auction.desk.live_board import LiveSale
from auction.desk.schedule import Schedule, wall_time, zone_of
from auction.ids import SaleId
from auction.terms import SaleAudience
from foundation.http.problems import NOT_FOUND
from tests.accounts_site import Client
from tests.desk import ZONE
from tests.desk_market import a_published_sale, desk_market
from tests.seller_site import AtDesk, at_desk
from tests.site import HOUR_US, Site, now_us, open_site
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


async def published(desk: AtDesk, lots: int = 2, **changes: object) -> SaleId:
    drafts = [await desk.lot(title=f"Lot {n}") for n in range(lots)]
    sale_id = await desk.sale(*drafts, **changes)
    await desk.publish(sale_id)
    return sale_id


async def board(desk: AtDesk, sale_id: SaleId) -> LiveSale:
    found = await desk.room.boards.look(sale_id)
    assert found is not None
    return found


async def ends(desk: AtDesk, sale_id: SaleId) -> dict[str, int]:
    return {lot.lot_id: lot.closes_at_us for lot in (await board(desk, sale_id)).lots}


async def until(client: Client, path: str, status: int, words: str = "") -> None:
    """Tables follow the log by moments."""
    async with asyncio.timeout(10):
        answer = await client.get(path)
        while answer.status != status or words not in answer.text:
            await asyncio.sleep(0.05)
            answer = await client.get(path)


async def test_ends_move_later_together_and_keep_their_distance(desk: AtDesk, dana: Client) -> None:
    sale_id = await published(desk, 3)
    path, before = f"/desk/sales/{sale_id}/change", await ends(desk, sale_id)
    later = wall_time(before["1"] + 2 * HOUR_US, zone_of(ZONE))
    moved = await dana.post(path, {"what": "ends", "end": later, "second": "no"})
    assert moved.status == 303, moved.text
    after = await ends(desk, sale_id)
    assert {lot: after[lot] - before[lot] for lot in before} == dict.fromkeys(before, 2 * HOUR_US)
    one = wall_time(after["2"] + HOUR_US, zone_of(ZONE))
    await dana.post(path, {"what": "ends", "lot": "2", "end": one, "second": "no"})
    last = await ends(desk, sale_id)
    assert {lot for lot in last if last[lot] != after[lot]} == {"2"}
    await until(dana, f"/desk/sales/{sale_id}", 200, one[11:16])


@pytest.mark.parametrize(
    ("typed", "place", "said"),
    [
        ({"what": "ends", "end": "2026-01-01T10:00"}, "end", "an end only ever moves later"),
        ({"what": "ends", "end": "2027-03-14T02:30"}, "end", "never comes"),
        ({"what": "ends", "end": "2035-11-04T01:30"}, "end", "comes twice"),
        ({"what": "ends", "end": "soon"}, "end", "is not a time"),
        ({"what": "ends", "lot": "99", "end": "2035-01-01T10:00"}, "lot", "no such lot"),
        ({"what": "pause"}, "pause_reason", "Give the reason"),
        ({"what": "cancel", "cause": "SELLER"}, "cancel_reason", "Give the reason"),
        ({"what": "admit", "members": ""}, "members", "Name at least one"),
        ({"what": "admit", "members": "Nobody"}, "members", "No approved reseller"),
    ],
)
async def test_what_will_not_do_is_said_at_its_field(
    desk: AtDesk, dana: Client, typed: dict[str, str | list[str]], place: str, said: str
) -> None:
    sale_id = await published(desk, audience=SaleAudience.INVITE, invited=("ann",))
    before = await board(desk, sale_id)
    answer = await dana.post(f"/desk/sales/{sale_id}/change", typed)
    assert answer.status == 422, answer.text
    assert said in answer.text.replace("&#39;", "'")
    assert f"#field-{place}" in answer.text
    assert await board(desk, sale_id) == before


async def test_a_sale_is_paused_goes_on_and_is_cancelled(desk: AtDesk, dana: Client) -> None:
    sale_id = await published(desk)
    path = f"/desk/sales/{sale_id}/change"
    await dana.post(path, {"what": "pause", "pause_reason": "A fire alarm"})
    assert (await board(desk, sale_id)).paused_from_us is not None
    assert "The sale is paused" in (await dana.get(path)).text
    twice = await dana.post(path, {"what": "pause", "pause_reason": "A fire alarm"})
    assert twice.status == 409 and "The sale is already paused." in twice.text
    await dana.post(f"/desk/sales/{sale_id}/live", {"what": "resume"})
    assert (await board(desk, sale_id)).paused_from_us is None
    gone = {"what": "cancel", "cause": "SELLER", "cancel_reason": "The dock has burned down"}
    await dana.post(path, gone)
    assert (await board(desk, sale_id)).cancelled
    assert "Nothing can be changed any more" in (await dana.get(path)).text
    late = await dana.post(path, {"what": "resume"})
    assert late.status == 409


async def test_who_may_enter_changes_at_once(site: Site, desk: AtDesk, dana: Client) -> None:
    hart, kim = await site.reseller("Hart Trading"), await site.reseller("Kimball Resale")
    ann = await site.reseller("Ann and Sons")
    group = await desk.room.groups.add(desk.seller, "New", (kim.bidder_id,))
    sale_id = await published(desk, audience=SaleAudience.INVITE, invited=(ann.bidder_id,))
    path = f"/desk/sales/{sale_id}/change"
    async with visitor(site, hart.person_id) as visits:
        assert (await visits.get(f"/sales/{sale_id}")).status == NOT_FOUND.status
        named = {"what": "admit", "members": "hart trading", "group": group.group_id}
        let_in = await dana.post(path, named)
        assert let_in.status == 303, let_in.text
        await until(visits, f"/sales/{sale_id}", 200)
        page = (await dana.get(path)).text
        assert "3 resellers may enter" in page and "Kimball Resale" in page
        out = await dana.post(path, {"what": "dismiss", "bidder": hart.bidder_id})
        assert "Hart Trading may not enter any more." in (await dana.get(out.location)).text
        await until(visits, f"/sales/{sale_id}", NOT_FOUND.status)
        await dana.post(path, {"what": "admit", "bidder": hart.bidder_id})
        await until(visits, f"/sales/{sale_id}", 200)


async def test_once_bidding_has_begun_no_end_is_moved(database_url: str) -> None:
    async with desk_market(database_url) as sellers:
        by, sale_id = sellers.seller, await a_published_sale(sellers, lots=2)
        path = f"/desk/sales/{sale_id}"
        lots = (await by.get(f"{path}/live"))["lots"]
        times = [
            {"lot_id": lot["lot_id"], "closes_at_us": lot["closes_at_us"] + HOUR_US} for lot in lots
        ]
        refused = await by.does("PUT", f"{path}/ends", {"ends": times}, status=409)
        assert refused["code"] == "BIDDING_BEGUN"
        early = [{"lot_id": "1", "closes_at_us": lots[0]["opens_at_us"] + 1}]
        refused = await by.does("PUT", f"{path}/ends", {"ends": early}, status=422)
        assert refused["code"] == "BAD_TIME"
        twice = await by.does("PUT", f"{path}/ends", {"ends": times[:1] * 2}, status=422)
        assert twice["code"] == "INVALID"
        nobody = {"ends": [{"lot_id": "77", "closes_at_us": now_us()}]}
        await by.does("PUT", f"{path}/ends", nobody, status=404)
        await by.does("POST", f"{path}/pause", {"reason": "Alarm"})
        again = await by.does("POST", f"{path}/pause", {"reason": "Alarm"}, status=409)
        assert again["code"] == "SALE_PAUSED"
        await by.does("POST", f"{path}/resumption")
        again = await by.does("POST", f"{path}/resumption", status=409)
        assert again["code"] == "SALE_NOT_PAUSED"
        public = await by.does("POST", f"{path}/admissions", {"bidder_ids": ["ann"]}, status=422)
        assert public["code"] == "INVALID"
        assert (await by.get(f"{path}/admissions")) == {"audience": "PUBLIC", "bidder_ids": []}


async def test_over_http_bidders_are_admitted_and_dismissed(database_url: str) -> None:
    async with desk_market(database_url) as sellers:
        sale_id = await a_published_sale(sellers, audience=SaleAudience.INVITE, invited=("ann",))
        by, path = sellers.seller, f"/desk/sales/{sale_id}"
        found = await by.does("POST", f"{path}/admissions", {"bidder_ids": ["bob", "ann"]})
        assert found == {"audience": "INVITE", "bidder_ids": ["ann", "bob"]}
        found = await by.does("POST", f"{path}/dismissals", {"bidder_ids": ["ann"]})
        assert found["bidder_ids"] == ["bob"]


async def test_strangers_change_nothing(site: Site, desk: AtDesk) -> None:
    sale_id = await published(desk)
    before = await board(desk, sale_id)
    rival = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
    path = f"/desk/sales/{sale_id}/change"
    async with visitor(site, rival.person_id) as ann:
        assert (await ann.get(path)).status == NOT_FOUND.status
        for what in ("ends", "pause", "resume", "cancel", "admit", "dismiss"):
            asked = {"what": what, "pause_reason": "x", "cancel_reason": "x"}
            assert (await ann.post(path, asked)).status == NOT_FOUND.status
    assert await board(desk, sale_id) == before


async def test_a_draft_has_nothing_to_change_here(desk: AtDesk, dana: Client) -> None:
    zone = zone_of(ZONE)
    schedule = Schedule(
        time_zone=ZONE, opens=wall_time(now_us(), zone), first_end=wall_time(now_us(), zone)
    )
    sale_id = await desk.sale(schedule=schedule)
    assert (await dana.get(f"/desk/sales/{sale_id}/change")).location == f"/desk/sales/{sale_id}"
