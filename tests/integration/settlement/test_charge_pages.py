"""A buyer pays what it owes at the dock from its page, and nobody else's."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from auction.ids import BidderId
from foundation.database import acquire
from settlement.ids import AwardId
from settlement.pickups.charges import Charges
from settlement.pickups.words import ChargeState
from tests.accounts_site import Client
from tests.paid_lots import CLERK, give_credit, lots, pay_for
from tests.site import Site, now_us, open_site
from tests.visiting import visitor

PAGE, PAY = "/purchases/pickups", "/purchases/dock/charges"


@dataclass(frozen=True)
class People:
    """A buyer whose goods have stood for long, and another one."""

    site: Site
    buyer: Client
    other: Client
    buyer_id: BidderId
    award_id: AwardId


@pytest.fixture
async def people(database_url: str, tmp_path: Path) -> AsyncIterator[People]:
    async with open_site(database_url, tmp_path) as site:
        buyer, other = await site.reseller("Acme Resale"), await site.reseller("Zenith")
        async with acquire(site.pool) as connection:
            (award_id,) = await pay_for(connection, *lots("7", buyer_id=buyer.bidder_id))
        async with (
            visitor(site, buyer.person_id) as of_buyer,
            visitor(site, other.person_id) as of_other,
        ):
            yield People(site, of_buyer, of_other, BidderId(buyer.bidder_id), award_id)


async def test_storage_is_counted_and_paid_from_credit(people: People) -> None:
    page = (await people.buyer.get(PAGE)).text
    assert "storage so far" in page and "Pay the storage now" in page
    await people.buyer.post(PAY, {"what": "count", "award_id": people.award_id})
    page = (await people.buyer.get(PAGE)).text
    assert "Charges of the dock" in page and "Pay by card" in page and "Lot 7" in page
    charges = Charges(people.site.pool, now_us)
    (charge,) = await charges.of_buyer(people.buyer_id)
    await people.buyer.post(PAY, {"what": "card", "charge_id": charge.charge_id})
    assert "There is no saved card" in (await people.buyer.get(PAGE)).text
    await people.buyer.post(PAY, {"what": "credit", "charge_id": charge.charge_id})
    assert "There is no credit" in (await people.buyer.get(PAGE)).text
    await give_credit(people.site.pool, charge.amount_minor, people.buyer_id)
    await people.buyer.post(PAY, {"what": "credit", "charge_id": charge.charge_id})
    assert "Charges of the dock" not in (await people.buyer.get(PAGE)).text
    assert (await charges.charge(charge.charge_id)).state is ChargeState.PAID


async def test_what_is_anothers_is_not_there(people: People) -> None:
    charges = Charges(people.site.pool, now_us)
    (charge,) = await charges.count_up(people.award_id, CLERK)
    for fields in (
        {"what": "card", "charge_id": charge.charge_id},
        {"what": "credit", "charge_id": charge.charge_id},
        {"what": "count", "award_id": people.award_id},
        {"what": "credit", "charge_id": "storage~none~1"},
    ):
        assert (await people.other.post(PAY, fields)).status == 404
    for wrong in ({"what": "steal"}, {"what": "card", "charge_id": "'; drop table award;--"}):
        assert (await people.buyer.post(PAY, wrong)).status == 422
    assert (await charges.charge(charge.charge_id)).paid_minor == 0
