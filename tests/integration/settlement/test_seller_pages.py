"""A seller's pages: what it gets, where payouts go, and how a sale is taken back."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from accounts.identity import OrganisationKind, Role
from auction.terms import Confirmation
from foundation.database import transaction
from settlement.lives import AwardState, PaymentState
from tests.accounts_site import Client
from tests.settled import DAY_US, Settled, settled
from tests.settling import asks_seller
from tests.site import Site, now_us, open_site
from tests.visiting import visitor


@dataclass(frozen=True)
class Selling:
    """Two sellers, and what one has sold."""

    site: Site
    own: str
    seller: Client
    rival: Client
    due: Settled


async def a_seller(site: Site, name: str) -> tuple[str, str]:
    organisation = await site.people.organisation(OrganisationKind.LIQUIDATOR, name)
    mail = f"{name.split()[0].lower()}@seller.example"
    person = await site.people.person(
        organisation, Role.LIQUIDATOR, Role.ADMIN, mail=mail, name=name
    )
    return organisation, person


@pytest.fixture
async def selling(database_url: str, tmp_path: Path) -> AsyncIterator[Selling]:
    """The whole site, and who visits it."""
    async with open_site(database_url, tmp_path) as site:
        buyer = await site.reseller("Acme Resale")
        own, person = await a_seller(site, "North Liquidation")
        _, other = await a_seller(site, "South Liquidation")
        due = await settled(
            site.pool,
            buyer.bidder_id,
            own,
            payment=PaymentState.DUE,
            state=AwardState.INVOICED,
            closed_at_us=now_us() - DAY_US,
        )
        async with visitor(site, person) as seller, visitor(site, other) as rival:  # type: ignore[arg-type]
            yield Selling(site, own, seller, rival, due)


async def test_a_seller_sees_what_it_sold_and_where_payouts_go(selling: Selling) -> None:
    page = (await selling.seller.get("/earnings")).text
    assert "Nobody knows where your payouts go" in page
    sold = (await selling.seller.get("/earnings/sold")).text
    assert sold.count("Take back") == 3
    assert "Nothing sold yet" in (await selling.rival.get("/earnings/sold")).text


async def test_a_bank_account_is_set_and_only_its_end_is_shown(selling: Selling) -> None:
    path = f"/earnings/payees/{selling.own}"
    blank = (await selling.seller.get(path)).text
    version = re.search(r'name="version" value="(\d+)"', blank)
    assert version is not None
    fields = {
        "holder": "North Liquidation LLC",
        "country": "US",
        "routing": "021000021",
        "account": "000123456789",
        "version": version[1],
    }
    wrong = await selling.seller.post(path, fields | {"routing": "021000022"})
    assert wrong.status == 422 and "000123456789" not in wrong.text
    kept = await selling.seller.post(path, fields)
    assert kept.status == 303, kept.text
    page = (await selling.seller.get(path)).text
    assert "ending in 6789" in page and "000123456789" not in page
    assert (await selling.rival.get(path)).status == 404
    assert (await selling.rival.post(path, fields)).status == 404


async def test_a_sale_is_taken_back_by_its_seller_alone(selling: Selling) -> None:
    path = f"/earnings/sold/{selling.due.award_ids[0]}/cancel"
    assert "at least $100.00" in (await selling.seller.get(path)).text
    fields = {"reason": "The pallet was damaged by water.", "sure": "on"}
    assert (await selling.rival.post(path, fields)).status == 409 or (
        await selling.rival.get(path)
    ).status == 404
    unsure = await selling.seller.post(path, {"reason": fields["reason"]})
    assert unsure.status == 422
    done = await selling.seller.post(path, fields)
    assert done.status == 303, done.text
    assert "Cancelled" in (await selling.seller.get("/earnings/sold")).text


async def test_a_seller_confirms_what_it_sold_and_cancels_the_rest(selling: Selling) -> None:
    path = "/earnings/confirmations"
    assert "Nothing is to be confirmed" in (await selling.seller.get(path)).text
    async with transaction(selling.site.pool) as connection:
        rule = Confirmation.ELSE_CANCELLED
        await asks_seller(connection, selling.due.invoice_id, now_us(), rule)
    first, second, _ = selling.due.award_ids
    page = (await selling.seller.get(path)).text
    assert page.count("Yes, it is sold") == 3 and "Without your answer it is cancelled" in page
    assert "Nothing is to be confirmed" in (await selling.rival.get(path)).text
    for visitor_, status in ((selling.rival, 404), (selling.seller, 303)):
        answered = await visitor_.post(path, {"award_id": first, "answer": "no"})
        assert answered.status == status or "There is nothing of that name" in answered.text
    await selling.seller.post(path, {"award_id": second, "answer": "yes"})
    assert (await selling.seller.post(path, {"award_id": second, "answer": "?"})).status == 422
    page = (await selling.seller.get(path)).text
    assert (page.count("Not confirmed"), page.count("Confirmed")) == (1, 1)
    assert page.count("Yes, it is sold") == 1
    assert (await selling.seller.get("/earnings/sold")).text.count("Cancelled") == 1
