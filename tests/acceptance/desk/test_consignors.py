"""Consignors in a browser: from the first one to what its own people see, and the looks of it."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from accounts.identity import Role
from accounts.ids import OrganisationId, PersonId
from auction.desk.consignors import ConsignorWords
from auction.ids import BidderId
from tests.acceptance.resellers.hands import hands
from tests.acceptance.resellers.test_looks import look
from tests.consignors import a_consignor, agreement
from tests.seller_site import AtDesk, at_desk
from tests.site import Reseller, Site, open_site
from tests.waiting import DEADLINE_S, LOOK_EVERY_S


async def logged_in(site: Site, desk: AtDesk, consignor_id: str) -> tuple[OrganisationId, PersonId]:
    """Somebody of a consignor who has followed an invitation."""
    service = desk.room.consignors
    invited = await service.invite(desk.seller, consignor_id, "nora@north.example", "")
    assert invited.organisation_id is not None
    person_id = await site.people.person(
        invited.organisation_id, Role.ADMIN, mail="nora@north.example", name="Nora Field"
    )
    return invited.organisation_id, person_id


async def test_a_consignor_is_added_agreed_with_and_chosen_for_a_lot(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        desk = await at_desk(site)
        lot = await desk.lot()
        async with hands(chromium, site.origin, zone="America/New_York") as visitor:
            me = Reseller(desk.organisation_id, desk.person_id, desk.mail)
            await visitor.sign_in(me)
            page = visitor.page
            await page.goto(f"{site.origin}/desk/consignors")
            await page.get_by_label("Name").fill("Northwind Stores")
            await page.get_by_role("button", name="Add the consignor").click()
            await page.get_by_label("Commission, %").fill("12")
            await page.get_by_label("Fee a pallet").fill("18")
            await page.get_by_role("button", name="Agree this").click()
            said = "Northwind Stores gets $808 and the liquidator keeps $192"
            await expect(page.get_by_text(said)).to_be_visible()
            await page.goto(f"{site.origin}/desk/lots/{lot}")
            await page.get_by_label("Consignor").select_option(label="Northwind Stores")
            await page.get_by_role("button", name="Save the lot").click()
            await expect(
                page.get_by_text(re.compile("Under “Agreement”, version 1"))
            ).to_be_visible()
            await page.get_by_role("link", name="What is agreed").click()
            await expect(page.get_by_text("1 lot in preparation")).to_be_visible()


async def followed(desk: AtDesk, consignor_id: BidderId) -> None:
    """Wait until the results have the lots that were published."""
    async with asyncio.timeout(DEADLINE_S):
        while not await desk.room.consigned.sales([consignor_id]):  # noqa: ASYNC110 - it follows
            await asyncio.sleep(LOOK_EVERY_S)


@pytest.mark.timeout(300)
async def test_no_page_of_consignors_has_a_serious_fault(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        desk = await at_desk(site)
        empty = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
        consignor, agreed = await a_consignor(desk.room.consignors, desk.seller)
        bare = await desk.room.consignors.add(
            desk.seller, ConsignorWords(name="Southgate Stores, a long name")
        )
        whose = {"consignor_id": consignor.consignor_id}
        lot = await desk.lot(30, **whose)
        sale = await desk.sale(await desk.lot(30, title="Toys", **whose), title="Toys of March")
        await desk.publish(sale)
        again = (consignor.consignor_id, agreed.agreement_id, 1)
        await desk.room.consignors.agree_anew(desk.seller, *again, agreement(900))
        organisation_id, nora = await logged_in(site, desk, consignor.consignor_id)
        await followed(desk, consignor.consignor_id)
        one = f"/desk/consignors/{consignor.consignor_id}"
        visits = [
            (Reseller(desk.organisation_id, desk.person_id, desk.mail), {
                "consignors": "/desk/consignors",
                "consignor": one,
                "consignor-bare": f"/desk/consignors/{bare.consignor_id}",
                "consigned-lot": f"/desk/lots/{lot}",
                "consigned-lots": "/desk/lots",
            }),
            (Reseller(empty.organisation_id, empty.person_id, empty.mail), {
                "consignors-empty": "/desk/consignors",
            }),
            (Reseller(organisation_id, nora, "nora@north.example"), {
                "own-goods": "/consignor",
                "own-sale": f"/consignor/sales/{sale}",
            }),
        ]  # fmt: skip
        faults: list[str] = []
        for who, pages in visits:
            async with hands(chromium, site.origin, zone="America/New_York") as visitor:
                await visitor.sign_in(who)
                for name, path in pages.items():
                    faults += await look(visitor, name, path)
        assert faults == [], "\n".join(faults)
