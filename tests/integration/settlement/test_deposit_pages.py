"""A buyer has its deposit held on a card, by its pages, and is admitted to the sale."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.accounts_site import Client
from tests.site import HOUR_US, SALE, Reseller, Site, a_pallet, open_site, usual_terms
from tests.visiting import visitor

PAGE, REGISTRATION = f"/purchases/deposits/{SALE}", f"/sales/{SALE}/register"
DEADLINE_S, LOOK_EVERY_S = 30.0, 0.05


@dataclass(frozen=True)
class Waiting:
    """A buyer that is not admitted for want of its deposit, and somebody who never registered."""

    site: Site
    who: Reseller
    buyer: Client
    stranger: Client

    async def shows(self, words: str, path: str = PAGE) -> None:
        """The page says so, sooner or later."""
        async with asyncio.timeout(DEADLINE_S):
            while words not in (await self.buyer.get(path)).text:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)

    async def saves(self, card: str) -> str:
        """Save a test card; its id."""
        saved = await self.buyer.post(f"/purchases/cards/new?to={PAGE}", {"card": card})
        assert (saved.status, saved.location) == (303, PAGE)
        page = (await self.buyer.get(PAGE)).text
        found = re.findall(r'name="method_id" value="(\w+)"', page)
        assert found
        return str(found[-1])


@pytest.fixture
async def waiting(database_url: str, tmp_path: Path) -> AsyncIterator[Waiting]:
    async with open_site(database_url, tmp_path) as site:
        await site.open_sale([a_pallet("1", HOUR_US)], terms=usual_terms(deposit_minor=600_00))
        who, other = await site.reseller("Acme Resale"), await site.reseller("Rival Goods")
        await site.register(who)
        async with visitor(site, who.person_id) as buyer, visitor(site, other.person_id) as rival:
            yield Waiting(site, who, buyer, rival)


async def test_a_deposit_is_held_on_a_saved_card_and_admits(waiting: Waiting) -> None:
    await waiting.shows("A deposit of", REGISTRATION)
    assert f'href="{PAGE}"' in (await waiting.buyer.get(REGISTRATION)).text
    assert "No card is saved" in (await waiting.buyer.get(PAGE)).text
    method_id = await waiting.saves("pm_card_mastercard")
    page = (await waiting.buyer.get(PAGE)).text
    assert "on a card" in page and "$600.00" in page
    asked = await waiting.buyer.post(PAGE, {"method_id": method_id})
    assert (asked.status, asked.location) == (303, PAGE)
    await waiting.shows("It is held on your card; no money has moved.")
    await waiting.shows("You are registered as bidder", REGISTRATION)
    again = await waiting.buyer.post(PAGE, {"method_id": method_id})
    assert again.status == 303
    assert (await waiting.site.pool.fetchval("select count(*) from deposit")) == 1


async def test_a_declined_card_is_told_of_and_another_is_tried(waiting: Waiting) -> None:
    bad = await waiting.saves("pm_card_chargeCustomerFail")
    await waiting.buyer.post(PAGE, {"method_id": bad})
    await waiting.shows("Your bank said no. Try another card.")
    good = await waiting.saves("pm_card_visa")
    await waiting.buyer.post(PAGE, {"method_id": good})
    await waiting.shows("It is held on your card; no money has moved.")


async def test_who_did_not_register_has_no_such_page(waiting: Waiting) -> None:
    answers = [
        await waiting.stranger.get(path)
        for path in (PAGE, "/purchases/deposits/no-such-sale", "/purchases/deposits/a~b")
    ]
    assert {one.status for one in answers} == {404}
    for path in (f"{PAGE}/back", f"{PAGE}/confirm"):
        assert (await waiting.stranger.get(path)).status == 404
    held = await waiting.stranger.post(PAGE, {"method_id": "pm_1"})
    assert held.status == 404


async def test_anothers_card_cannot_be_asked(waiting: Waiting) -> None:
    said = await waiting.buyer.post(PAGE, {"method_id": "pm_of_another"})
    assert said.status == 303
    assert "The card was removed" in (await waiting.buyer.get(PAGE)).text
    assert (await waiting.site.pool.fetchval("select count(*) from deposit")) == 0
    assert (await waiting.buyer.post(PAGE, {"method_id": "<b>"})).status == 422


async def test_a_program_has_it_held_by_the_api(waiting: Waiting) -> None:
    path = f"/api/v1/settlement{PAGE}"
    before = json.loads((await waiting.buyer.get(path)).body)
    assert (before["state"], before["lacking_minor"], before["currency"]) == (None, 600_00, "USD")
    method_id = await waiting.saves("pm_card_visa")
    wanted = {"method_id": method_id}
    foreign = await waiting.buyer.send("POST", path, json={"method_id": "pm_of_another"})
    assert foreign.status == 422
    asked = await waiting.buyer.send("POST", path, json=wanted)
    assert (asked.status, json.loads(asked.body)["amount_minor"]) == (200, 600_00)
    await waiting.shows("It is held on your card; no money has moved.")
    held = json.loads((await waiting.buyer.get(path)).body)
    assert (held["state"], held["lacking_minor"]) == ("HELD", 0)
    assert (await waiting.buyer.send("POST", path, json=wanted)).status == 409
    assert (await waiting.stranger.get(path)).status == 404
    assert (await waiting.stranger.send("POST", path, json=wanted)).status == 404
