"""The pages of sales: times and terms as typed, the order of lots, publishing, and strangers."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auction.desk.lot_drafts import lots_seen
from auction.desk.pages import sale
from auction.desk.sale_drafts import DraftedSale, DraftState
from auction.ids import BidderId, SaleId
from auction.terms import Confirmation, SaleAudience
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


async def now(desk: AtDesk, sale_id: SaleId) -> DraftedSale:
    return await desk.room.sales.read(desk.seller.liquidator_id, sale_id)


def words(version: int, **changes: str) -> dict[str, str | list[str]]:
    """A sale as somebody types it."""
    return {
        "version": str(version),
        "title": "Returns of June",
        "liquidator_name": "Harbor Returns",
        "city": "Joliet",
        "region": "il",
        "payment_terms": "Two days.",
        "pickup_terms": "By appointment.",
        "time_zone": "America/Chicago",
        "opens": "2027-06-01T16:00",
        "first_end": "2027-06-03T16:00",
        "step_minutes": "0.5",
        "premium": "12.5",
        "soft_close_minutes": "3",
        "if_bid_hours": "24",
        "deposit": "1,000",
        "certificate_required": "on",
        "confirmation": "ELSE_CANCELLED",
        **changes,
    }


async def test_a_sale_is_typed_and_shown_as_it_will_be(desk: AtDesk, dana: Client) -> None:
    sale_id = await desk.sale(await desk.lot(), await desk.lot(title="Lamps"))
    version = (await now(desk, sale_id)).version
    saved = await dana.post(f"/desk/sales/{sale_id}", words(version))
    assert saved.status == 303, saved.text
    sale = await now(desk, sale_id)
    terms, schedule = sale.draft.terms, sale.draft.schedule
    assert schedule is not None and schedule.step_us == 30_000_000
    assert terms.premium.tiers[0].rate_bps == 1_250
    assert (terms.deposit_minor, terms.if_bid_us) == (1_000_00, 24 * 3_600_000_000)
    assert (sale.draft.region, terms.certificate_required) == ("IL", True)
    assert terms.confirmation is Confirmation.ELSE_CANCELLED
    page = await dana.get(f"/desk/sales/{sale_id}")
    assert "the lot is not sold." in page.text
    for part in ("Thu 3 Jun 2027, 16:00 CDT", "16:00:30 CDT", "12.5 % of the winning bid"):
        assert part in page.text
    again = words(sale.version)
    await dana.post(f"/desk/sales/{sale_id}", again)
    assert (await now(desk, sale_id)).version == sale.version, "nothing was changed"


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("opens", "2027-03-14T02:30", "never comes in America/Chicago"),
        ("opens", "2027-11-07T01:30", "comes twice"),
        ("opens", "tomorrow", "Write day and time"),
        ("first_end", "2027-05-01T16:00", "has to end after the sale opens"),
        ("first_end", "", "Say when the sale opens"),
        ("time_zone", "Mars/Olympus", "is not a time zone"),
        ("region", "Illinois", "Two letters"),
        ("premium", "150", "From 0 to 100"),
        ("deposit", "1.000", "between thousands"),
        ("soft_close_minutes", "soon", "Enter a number"),
    ],
)
async def test_what_will_not_do_is_said_at_its_field(
    desk: AtDesk, dana: Client, field: str, typed: str, said: str
) -> None:
    sale_id = await desk.sale()
    later = {"first_end": "2027-12-01T16:00"} if field == "opens" else {}
    answer = await dana.post(f"/desk/sales/{sale_id}", words(1, **{**later, field: typed}))
    place = "opens" if field == "time_zone" else field
    assert answer.status == 422
    assert f'id="error-{place}"' in answer.text
    assert said in answer.text.replace("&#39;", "'")
    assert (await now(desk, sale_id)).version == 1


async def test_of_a_time_that_comes_twice_one_is_chosen(desk: AtDesk, dana: Client) -> None:
    sale_id = await desk.sale()
    typed = words(1, opens="2027-11-07T01:30", first_end="2027-11-09T16:00")
    asked = await dana.post(f"/desk/sales/{sale_id}", typed)
    assert "which of the two times is meant" in asked.text
    chosen = await dana.post(f"/desk/sales/{sale_id}", typed | {"second": "yes"})
    assert chosen.status == 303


async def test_lots_are_put_in_ordered_numbered_and_taken_out(desk: AtDesk, dana: Client) -> None:
    first, second = await desk.lot(), await desk.lot(title="Lamps")
    sale_id = await desk.sale()
    path = f"/desk/sales/{sale_id}"
    await dana.post(f"{path}/lots", {"version": "1", "do": "in", "lots": [first, second]})
    moved = await dana.post(
        f"{path}/lots", {"version": "2", "do": f"up:{second}"}, Accept="application/json"
    )
    assert json.loads(moved.body) == {"version": 3}
    await dana.post(f"{path}/number", {"version": "3", "lot": first, "number": "12A"})
    lots = await desk.room.sales.lots(desk.seller.liquidator_id, sale_id)
    assert [(lot.draft_id, lot.number) for lot in lots] == [(second, "2"), (first, "12A")]
    late = await dana.post(f"{path}/lots", {"version": "2", "do": "out", "lots": [first]})
    assert late.status == 303
    await dana.post(f"{path}/lots", {"version": "4", "do": "out", "lots": [first]})
    assert (await now(desk, sale_id)).lots == 1


async def seen(desk: AtDesk, sale_id: SaleId) -> dict[str, str]:
    """What the page before publishing says of what was looked at."""
    sale = await now(desk, sale_id)
    lots = await desk.room.sales.lots(desk.seller.liquidator_id, sale_id)
    return {"version": str(sale.version), "lots_seen": lots_seen(lots)}


async def test_a_lot_is_not_published_as_nobody_has_seen_it(desk: AtDesk, dana: Client) -> None:
    lot = await desk.lot(opening_minor=100_00, reserve_minor=400_00)
    sale_id = await desk.sale(lot)
    path = f"/desk/sales/{sale_id}/publish"
    looked_at, page = await seen(desk, sale_id), (await dana.get(path)).text
    assert looked_at["lots_seen"] in page and "$400 in all, of 1 lot" in page
    await dana.post(f"/desk/lots/{lot}/cell", {"field": "reserve", "value": "300", "version": "2"})
    late = await dana.post(path, looked_at)
    assert late.status == 412
    assert "Somebody has changed this meanwhile." in late.text and "$300 in all" in late.text
    assert (await now(desk, sale_id)).state is DraftState.DRAFT
    assert (await dana.post(path, await seen(desk, sale_id))).status == 303


async def test_a_sale_is_published_once_all_is_well(desk: AtDesk, dana: Client) -> None:
    lot = await desk.lot(weight_g=None)
    sale_id = await desk.sale(lot)
    path = f"/desk/sales/{sale_id}"
    page = await dana.get(f"{path}/publish")
    assert f"/desk/lots/{lot}#field-weight" in page.text and "What happens now" not in page.text
    refused = await dana.post(f"{path}/publish", await seen(desk, sale_id))
    assert refused.status == 409 or refused.status == 422
    await dana.post(f"/desk/lots/{lot}/cell", {"field": "weight", "value": "600", "version": "2"})
    published = await dana.post(f"{path}/publish", await seen(desk, sale_id))
    assert "Everybody can see it." in (await dana.get(published.location)).text
    assert (await now(desk, sale_id)).state is DraftState.PUBLISHED
    progress = json.loads((await dana.get(f"{path}/progress")).body)
    assert progress == {"state": "PUBLISHED", "scheduled": 1, "lots": 1}
    assert "Live board" in (await dana.get(path)).text
    copy = await dana.post(f"{path}/clone", {"day": "2027-07-01"})
    assert copy.location.startswith("/desk/sales/")


async def test_before_publishing_it_is_said_who_will_see_the_sale(
    desk: AtDesk, dana: Client
) -> None:
    whom = {"audience": SaleAudience.INVITE, "invited": (BidderId("kim"),)}
    path = f"/desk/sales/{await desk.sale(await desk.lot(), **whom)}/publish"
    text = (await dana.get(path)).text
    assert "Whom you invited, and nobody else, can see the sale" in text
    assert "Everybody" not in text


async def test_a_long_stock_is_not_cut_off_in_silence(
    desk: AtDesk, dana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/desk/sales/{await desk.sale()}"
    await desk.lot()
    monkeypatch.setattr(sale, "PAGE", 1)
    assert "The others are put in from" not in (await dana.get(path)).text
    await desk.lot(title="Toys")
    page = await dana.get(path)
    assert "These are the first 1 lot. The others are put in from" in page.text
    assert "Toys" not in page.text


async def test_a_template_gives_words_and_terms_but_no_times(desk: AtDesk, dana: Client) -> None:
    sale_id, other = await desk.sale(), await desk.sale(title="", pickup_terms="", schedule=None)
    kept = {"version": "1", "name": "Usual"}
    await dana.post(f"/desk/sales/{sale_id}/templates", kept)
    [template] = await desk.room.templates.list(desk.seller.liquidator_id)
    taken = {"version": "1", "template": template.template_id}
    await dana.post(f"/desk/sales/{other}/template", taken)
    draft = (await now(desk, other)).draft
    assert (draft.pickup_terms, draft.schedule) == ("By appointment.", None)


async def test_a_draft_is_given_up_and_its_lots_are_in_stock(desk: AtDesk, dana: Client) -> None:
    sale_id = await desk.sale(await desk.lot())
    await dana.post(f"/desk/sales/{sale_id}/drop", {"version": "2"})
    assert (await dana.get(f"/desk/sales/{sale_id}")).status == NOT_FOUND.status
    assert len(await desk.room.lots.stock(desk.seller.liquidator_id, "", 5)) == 1


async def test_another_liquidators_sale_is_answered_as_one_that_does_not_exist(
    site: Site, desk: AtDesk
) -> None:
    sale_id = await desk.sale(await desk.lot())
    rival = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
    path = f"/desk/sales/{sale_id}"
    async with visitor(site, rival.person_id) as ann:
        for more in ("", "/publish", "/preview", "/progress"):
            assert (await ann.get(path + more)).status == NOT_FOUND.status, more
        at, do = {"version": "2"}, {"version": "2", "do": "out"}
        template = at | {"name": "Mine"}
        number = at | {"lot": "x", "number": "1"}
        for more, fields in (
            *(("", words(2)), ("/lots", do), ("/number", number), ("/template", at)),
            *(("/templates", template), ("/publish", at), ("/clone", {}), ("/drop", at)),
        ):
            answer = await ann.post(path + more, fields)
            assert answer.status == NOT_FOUND.status, more
        assert sale_id not in (await ann.get("/desk/sales")).text
    assert (await now(desk, sale_id)).version == 2
