"""Templates on pages, and who may enter a sale, in the form that both have."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auction.desk.templates import SaleTemplate
from auction.ids import SaleId
from auction.increments import EBAY
from auction.terms import ClosingMode, SaleAudience
from foundation.http.problems import NOT_FOUND
from tests.accounts_site import Client
from tests.integration.desk.test_sale_pages import words
from tests.seller_site import AtDesk, at_desk
from tests.site import Site, open_site
from tests.visiting import visitor

Typed = dict[str, str | list[str]]


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


async def the_template(desk: AtDesk) -> SaleTemplate:
    (template,) = await desk.room.templates.list(desk.seller.liquidator_id)
    return template


async def test_a_template_is_made_of_a_sale_edited_and_used(desk: AtDesk, dana: Client) -> None:
    await desk.room.groups.add(desk.seller, "Regulars", ())
    sale_id = await desk.sale(title="Returns of March")
    assert "No template yet" in (await dana.get("/desk/templates")).text
    made = await dana.post("/desk/templates", {"name": "Weekly", "sale": sale_id})
    path, template = made.location, await the_template(desk)
    assert template.draft.title == "Returns of March"
    typed: Typed = {
        **words(template.version, name="Every Thursday"),
        "increments": "EBAY",
        "closing": "CASCADE",
        "audience": "GROUP",
        "groups": ["Regulars"],
    }
    saved = await dana.post(path, typed)
    assert saved.status == 303, saved.text
    template = await the_template(desk)
    terms = template.draft.terms
    assert (template.name, terms.increments, terms.closing) == (
        "Every Thursday",
        EBAY,
        ClosingMode.CASCADE,
    )
    used = await dana.post(f"{path}/sales", {"day": "2027-07-01"})
    new = SaleId(used.location.rpartition("/")[2])
    sale = (await desk.room.sales.read(desk.seller.liquidator_id, new)).draft
    assert sale.schedule is not None and sale.schedule.opens == "2027-07-01T16:00"
    assert (sale.audience, sale.groups) == (SaleAudience.GROUP, ("Regulars",))
    assert sale.terms == terms
    stale = await dana.post(path, typed)
    assert stale.status == 412
    await dana.post(f"{path}/remove", {"version": str(template.version)})
    assert "No template yet" in (await dana.get("/desk/templates")).text


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        ({"name": ""}, "name", "Give it a name"),
        ({"premium": "150"}, "premium", "From 0 to 100"),
        ({"closing": "NEVER"}, "closing", "Choose one of the list"),
        ({"increments": "MINE"}, "increments", "not as it must be"),
        ({"audience": "GROUP", "groups": ["Nobody's"]}, "groups", "not there any more"),
        ({"audience": "INVITE", "invited": "Nobody"}, "invited", "No approved reseller"),
    ],
)
async def test_what_will_not_do_is_said_at_its_field(
    desk: AtDesk, dana: Client, changes: Typed, place: str, said: str
) -> None:
    sale_id = await desk.sale()
    made = await dana.post("/desk/templates", {"name": "Weekly", "sale": sale_id})
    before = await the_template(desk)
    answer = await dana.post(made.location, {**words(1, name="Weekly"), **changes})
    assert answer.status == 422
    assert f'id="error-{place}"' in answer.text and said in answer.text
    assert await the_template(desk) == before


async def test_who_is_invited_is_typed_and_stands_there_again(
    site: Site, desk: AtDesk, dana: Client
) -> None:
    hart, kim = await site.reseller("Hart Trading"), await site.reseller("Kimball Resale")
    sale_id = await desk.sale(await desk.lot())
    path = f"/desk/sales/{sale_id}"
    invited: Typed = {"audience": "INVITE", "invited": "hart trading\nkimball@example.com"}
    saved = await dana.post(path, {**words(2), **invited})
    assert saved.status == 303, saved.text
    sale = await desk.room.sales.read(desk.seller.liquidator_id, sale_id)
    assert set(sale.draft.invited) == {hart.bidder_id, kim.bidder_id}
    page = (await dana.get(path)).text
    assert "Hart Trading\nKimball Resale</textarea>" in page
    again: Typed = {"audience": "INVITE", "invited": "Hart Trading\r\nKimball Resale"}
    await dana.post(path, {**words(sale.version), **again})
    assert (await desk.room.sales.read(desk.seller.liquidator_id, sale_id)) == sale
    await desk.publish(sale_id)
    async with visitor(site, hart.person_id) as guest, visitor(site, None) as stranger:
        async with asyncio.timeout(10):  # tables follow the log by moments
            while (await guest.get(f"/sales/{sale_id}")).status != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (await stranger.get(f"/sales/{sale_id}")).status == NOT_FOUND.status


async def test_strangers_find_nothing(site: Site, desk: AtDesk, dana: Client) -> None:
    sale_id = await desk.sale()
    await dana.post("/desk/templates", {"name": "Weekly", "sale": sale_id})
    template = await the_template(desk)
    path, seen = f"/desk/templates/{template.template_id}", {"version": "1"}
    rival = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
    async with visitor(site, rival.person_id) as ann:
        assert (await ann.get(path)).status == NOT_FOUND.status
        assert (await ann.post(path, words(1, name="Mine"))).status == NOT_FOUND.status
        assert (await ann.post(f"{path}/sales", {})).status == NOT_FOUND.status
        assert (await ann.post(f"{path}/remove", seen)).status == NOT_FOUND.status
        taken = await ann.post("/desk/templates", {"name": "Mine", "sale": sale_id})
        assert taken.status == 422 and 'id="error-sale"' in taken.text
        assert "Weekly" not in (await ann.get("/desk/templates")).text
    assert await the_template(desk) == template
