"""A buyer's pages: its invoices, cards, pickups; another's are answered like missing ones."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accounts.identity import OrganisationKind
from foundation.database import transaction
from settlement.buyer_operations import collect_all
from settlement.lives import AwardState, PaymentState
from settlement.payments.tables import hold_credit
from settlement.rows import hold_invoice
from tests.accounts_site import Client
from tests.settled import DAY_US, Settled, settled
from tests.site import Reseller, Site, now_us, open_site
from tests.visiting import visitor


@dataclass(frozen=True)
class Bought:
    """A buyer and a rival, with something won."""

    site: Site
    who: Reseller
    buyer: Client
    rival: Client
    small: Settled
    large: Settled
    paid: Settled


@pytest.fixture
async def bought(database_url: str, tmp_path: Path) -> AsyncIterator[Bought]:
    """The whole site, and who visits it."""
    async with open_site(database_url, tmp_path) as site:
        who, other = await site.reseller("Acme Resale"), await site.reseller("Rival Goods")
        seller = await site.people.organisation(OrganisationKind.LIQUIDATOR, "North Liquidation")
        at = now_us() - DAY_US
        due: dict[str, Any] = {
            "payment": PaymentState.DUE,
            "state": AwardState.INVOICED,
            "closed_at_us": at,
        }
        small = await settled(
            site.pool, who.bidder_id, seller, sale_id="S1", lots=("1",), hammer_minor=200_00, **due
        )
        large = await settled(site.pool, who.bidder_id, seller, sale_id="S2", **due)
        paid = await settled(
            site.pool, who.bidder_id, seller, sale_id="S3", closed_at_us=at - DAY_US
        )
        async with visitor(site, who.person_id) as buyer, visitor(site, other.person_id) as rival:
            yield Bought(site, who, buyer, rival, small, large, paid)


async def test_a_buyer_sees_its_invoices_and_what_is_to_be_paid(bought: Bought) -> None:
    page = (await bought.buyer.get("/purchases")).text
    assert page.count('<a href="/purchases/S') == 3 and "To be paid" in page
    assert "No invoices yet" in (await bought.rival.get("/purchases")).text


async def test_an_invoice_above_the_cap_is_not_paid_by_card(bought: Bought) -> None:
    large = (await bought.buyer.get(f"/purchases/{bought.large.invoice_id}")).text
    assert "Above $1,000.00 an invoice is paid by bank." in large
    small = (await bought.buyer.get(f"/purchases/{bought.small.invoice_id}")).text
    assert "Add a card" in small and "$248.98" in small


async def test_a_card_is_saved_and_asked(bought: Bought) -> None:
    path = f"/purchases/{bought.small.invoice_id}"
    form = await bought.buyer.get(f"/purchases/cards/new?to={path}")
    assert "Payments are simulated here" in form.text
    saved = await bought.buyer.post(
        f"/purchases/cards/new?to={path}", {"card": "pm_card_mastercard"}
    )
    assert (saved.status, saved.location) == (303, path)
    cards = (await bought.buyer.get("/purchases/cards")).text
    assert "Mastercard ending in 4444" in cards and "Asked first" in cards
    page = (await bought.buyer.get(path)).text
    assert "Your card is being asked" in page or "Paid" in page


async def test_who_pays_one_invoice_and_who_collects_all_wait_for_each_other(
    bought: Bought,
) -> None:
    pool, buyer_id = bought.site.pool, bought.who.bidder_id

    async def collecting() -> None:
        async with transaction(pool) as connection:
            await collect_all(connection, buyer_id, now_us())

    async with transaction(pool) as connection:
        await hold_invoice(connection, bought.large.invoice_id)
        other = asyncio.create_task(collecting())
        await asyncio.sleep(0.3)
        await hold_credit(connection, buyer_id, "USD")
    await other


async def test_a_declined_card_is_not_saved_and_its_words_are_shown(bought: Bought) -> None:
    said = await bought.buyer.post("/purchases/cards/new", {"card": "pm_card_chargeDeclined"})
    assert said.status == 422  # the page offers no such card


async def test_a_card_is_removed_and_the_next_is_asked(bought: Bought) -> None:
    for card in ("pm_card_visa", "pm_card_mastercard"):
        await bought.buyer.post("/purchases/cards/new", {"card": card})
    page = (await bought.buyer.get("/purchases/cards")).text
    first = re.search(r'name="method_id" value="(\w+)"', page)
    assert first is not None
    gone = await bought.buyer.post("/purchases/cards", {"method_id": first[1], "what": "remove"})
    assert gone.status == 303
    assert first[1] not in (await bought.buyer.get("/purchases/cards")).text


async def test_lots_that_are_paid_are_booked_for_pickup(bought: Bought) -> None:
    listed = (await bought.buyer.get("/purchases/pickups")).text
    assert "What do you fetch?" in listed and listed.count('name="award_id"') == 3
    query = "&".join(f"award_id={award_id}" for award_id in bought.paid.award_ids)
    chosen = (await bought.buyer.get(f"/purchases/pickups/new?{query}")).text
    slot = re.search(r'name="slot_at_us" value="(\d+)" required>', chosen)
    assert slot is not None, "a slot is free in the next two weeks"
    fields: dict[str, str | list[str]] = {
        "slot_at_us": slot[1],
        "award_id": list(bought.paid.award_ids),
    }
    booked = await bought.buyer.post("/purchases/pickups/new", fields)
    assert (booked.status, booked.location) == (303, "/purchases/pickups")
    page = (await bought.buyer.get("/purchases/pickups")).text
    one = re.search(r'href="(/purchases/pickups/pickup-\w+)"', page)
    assert one is not None and "Booked" in page
    assert (await bought.rival.get(one[1])).status == 404
    again = await bought.buyer.post("/purchases/pickups/new", fields)
    assert "booked already" in (await bought.buyer.get(again.location)).text
    version = re.search(r'name="version" value="(\d+)"', (await bought.buyer.get(one[1])).text)
    if version is not None:  # a slot of today cannot be changed any more
        assert (
            await bought.rival.post(one[1], {"what": "cancel", "version": version[1]})
        ).status == 404
        gone = await bought.buyer.post(one[1], {"what": "cancel", "version": version[1]})
        assert gone.status == 303


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("GET", ""),
        ("GET", "/stamp"),
        ("GET", "/confirm"),
        ("POST", "/pay"),
        ("POST", "/first"),
    ],
)
async def test_anothers_invoice_is_answered_like_a_missing_one(
    bought: Bought, method: str, more: str
) -> None:
    fields = {"/pay": {"way": "CARD"}, "/first": {"award_id": "S1~1"}}.get(more, {})
    answers = []
    for invoice_id in (bought.small.invoice_id, "S1~nobody~0"):
        path = f"/purchases/{invoice_id}{more}"
        if method == "GET":
            answers.append(await bought.rival.get(path))
        else:
            answers.append(await bought.rival.post(path, fields))
    theirs, missing = answers
    assert theirs.status == missing.status == 404
    assert theirs.body == missing.body


async def test_the_stamp_changes_when_the_page_does(bought: Bought) -> None:
    path = f"/purchases/{bought.small.invoice_id}"
    before = (await bought.buyer.get(f"{path}/stamp")).text
    assert (await bought.buyer.get(f"{path}/stamp")).text == before
    await bought.buyer.post("/purchases/cards/new", {"card": "pm_card_visa"})
    assert (await bought.buyer.get(f"{path}/stamp")).text != before


async def test_the_stamp_of_the_list_changes_when_an_invoice_is_paid(bought: Bought) -> None:
    assert (await bought.buyer.get("/purchases")).text.count('id="fresh"') == 1
    before = (await bought.buyer.get("/purchases/stamp")).text
    assert (await bought.buyer.get("/purchases/stamp")).text == before
    await bought.buyer.post("/purchases/cards/new", {"card": "pm_card_visa"})
    path = f"/purchases/{bought.small.invoice_id}"
    await bought.buyer.post(f"{path}/pay", {"way": "BANK_TRANSFER"})
    assert (await bought.buyer.get("/purchases/stamp")).text != before


async def test_documents_are_read_by_whose_they_are(bought: Bought) -> None:
    path = f"/purchases/papers/invoice/{bought.paid.invoice_id}"
    mine = await bought.buyer.get(path)
    assert (mine.status, mine.headers["Content-Type"]) == (200, "application/pdf")
    assert mine.body.startswith(b"%PDF")
    theirs = await bought.rival.get(path)
    missing = await bought.rival.get("/purchases/papers/invoice/S9~nobody")
    assert theirs.status == missing.status == 404
    assert theirs.body == missing.body
    assert (await bought.buyer.get("/purchases/papers/nothing/x")).status == 404
    page = (await bought.buyer.get(f"/purchases/{bought.paid.invoice_id}")).text
    assert path in page
