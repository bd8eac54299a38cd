"""A sale that comes again: its days are looked at, made, listed, and given up."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auction.desk.sale_drafts import DraftState
from auction.desk.schedule import Schedule
from auction.ids import SaleId
from foundation.http.problems import NOT_FOUND
from tests.accounts_site import Client
from tests.seller_site import AtDesk, at_desk
from tests.site import Site, open_site
from tests.visiting import visitor

# Thursdays in Chicago; summer time begins on 14 March 2027.
THURSDAYS = Schedule(
    time_zone="America/Chicago", opens="2027-03-04T16:00", first_end="2027-03-06T16:00"
)


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


async def opens(desk: AtDesk) -> list[str]:
    sales = await desk.room.sales.list(desk.seller.liquidator_id, None, 100)
    return sorted(sale.draft.schedule.opens for sale in sales if sale.draft.schedule)


WEEKLY: dict[str, str | list[str]] = {
    "rhythm": "WEEKLY",
    "every": "1",
    "until": "2027-04-01",
    "skip": "2027-03-18",
}
QUERY = "rhythm=WEEKLY&every=1&until=2027-04-01&skip=2027-03-18"


async def test_the_days_are_shown_by_the_clock_of_the_place_and_nothing_is_made(
    desk: AtDesk, dana: Client
) -> None:
    sale_id = await desk.sale(schedule=THURSDAYS)
    page = await dana.get(f"/desk/sales/{sale_id}/repeats?{QUERY}")
    assert page.status == 200
    for part in ("Thu 11 Mar 2027, 16:00 CST", "Thu 25 Mar 2027, 16:00 CDT", "Make 3 drafts"):
        assert part in page.text, part
    assert "18 Mar" not in page.text
    assert "Sat 13 Mar 2027, 16:00 CST" in page.text, "the end two days later"
    assert await opens(desk) == ["2027-03-04T16:00"]


async def test_they_are_made_listed_in_the_calendar_and_given_up(
    desk: AtDesk, dana: Client
) -> None:
    sale_id = await desk.sale(schedule=THURSDAYS)
    path = f"/desk/sales/{sale_id}/repeats"
    made = await dana.post(path, WEEKLY)
    assert made.status == 303, made.text
    assert await opens(desk) == [
        "2027-03-04T16:00",
        "2027-03-11T16:00",
        "2027-03-25T16:00",
        "2027-04-01T16:00",
    ]
    assert "comes again" in (await dana.get("/desk/sales?month=2027-03")).text
    twice = await dana.post(path, WEEKLY)
    assert twice.status == 409 and "comes again already" in twice.text
    sales = await desk.room.sales.list(desk.seller.liquidator_id, None, 100)
    second = next(sale for sale in sales if "03-11" in str(sale.draft.schedule))
    lot = await desk.lot()
    await desk.room.sales.put_in(desk.seller, second.sale_id, second.version, [lot])
    stopped = await dana.post(f"{path}/stop", {})
    assert stopped.location == f"/desk/sales/{sale_id}"
    assert await opens(desk) == ["2027-03-04T16:00"]
    assert (await desk.room.lots.read(desk.seller.liquidator_id, lot)).sale_id is None
    assert "Repeat this sale" in (await dana.get(f"/desk/sales/{sale_id}")).text


async def test_what_is_published_stays_when_it_comes_no_more(desk: AtDesk, dana: Client) -> None:
    first = await desk.sale(schedule=THURSDAYS)
    await dana.post(f"/desk/sales/{first}/repeats", WEEKLY)
    sales = await desk.room.sales.list(desk.seller.liquidator_id, None, 100)
    second = next(sale for sale in sales if "03-11" in str(sale.draft.schedule))
    lot = await desk.lot()
    await desk.room.sales.put_in(desk.seller, second.sale_id, second.version, [lot])
    await desk.publish(SaleId(second.sale_id))
    await dana.post(f"/desk/sales/{first}/repeats/stop", {})
    assert await opens(desk) == ["2027-03-04T16:00", "2027-03-11T16:00"]
    kept = await desk.room.sales.read(desk.seller.liquidator_id, second.sale_id)
    assert (kept.state, kept.series_id) == (DraftState.PUBLISHED, None)


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        ({"until": ""}, "until", "Say until which day"),
        ({"until": "2027-03-05"}, "until", "No sale comes before"),
        ({"until": "soon"}, "until", "Enter a date"),
        ({"every": "0"}, "every", "At least 1"),
        ({"skip": "christmas"}, "skip", "is no day"),
        ({"rhythm": "DAILY"}, "rhythm", "Choose one"),
    ],
)
async def test_what_will_not_do_is_said_at_its_field(
    desk: AtDesk, dana: Client, changes: dict[str, str], place: str, said: str
) -> None:
    sale_id = await desk.sale(schedule=THURSDAYS)
    query = "&".join(f"{name}={value}" for name, value in {**WEEKLY, **changes}.items())
    answer = await dana.get(f"/desk/sales/{sale_id}/repeats?{query}")
    assert answer.status == 422
    assert f'id="error-{place}"' in answer.text and said in answer.text
    posted = await dana.post(f"/desk/sales/{sale_id}/repeats", {**WEEKLY, **changes})
    assert posted.status == 422
    assert await opens(desk) == ["2027-03-04T16:00"]


async def test_a_sale_without_times_is_planned_first(desk: AtDesk, dana: Client) -> None:
    sale_id = await desk.sale(schedule=None)
    path = f"/desk/sales/{sale_id}/repeats"
    assert "It has no times yet" in (await dana.get(path)).text
    assert (await dana.get(f"{path}?{QUERY}")).status == 422
    assert (await dana.post(path, WEEKLY)).status == 422


async def test_strangers_repeat_and_stop_nothing(site: Site, desk: AtDesk, dana: Client) -> None:
    sale_id = await desk.sale(schedule=THURSDAYS)
    path = f"/desk/sales/{sale_id}/repeats"
    await dana.post(path, WEEKLY)
    before = await opens(desk)
    rival = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
    async with visitor(site, rival.person_id) as ann:
        assert (await ann.get(path)).status == NOT_FOUND.status
        assert (await ann.post(path, WEEKLY)).status == NOT_FOUND.status
        assert (await ann.post(f"{path}/stop", {})).status == NOT_FOUND.status
    assert await opens(desk) == before
