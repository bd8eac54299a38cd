"""What the house ships, on staff's pages: from the carrier to the proof."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from accounts.identity import OrganisationKind, Role
from auction.catalog.goods import FreightTerms
from foundation.database import acquire
from settlement.ids import AwardId
from settlement.lives import AwardState
from settlement.pages.deliveries import at_clock
from tests.accounts_site import Client
from tests.paid_lots import goods, lots, pay_for, row_of
from tests.settlement_rules import CHICAGO, TEXAS, at_us
from tests.site import Site, open_site
from tests.visiting import visitor


@dataclass(frozen=True)
class People:
    """Staff and a buyer, over a lot that is shipped and one that is fetched."""

    site: Site
    staff: Client
    buyer: Client
    shipped: AwardId
    fetched: AwardId


@pytest.fixture
async def people(database_url: str, tmp_path: Path) -> AsyncIterator[People]:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(
            house, Role.SETTLEMENT, mail="sam@softclose.example", name="Sam Staff"
        )
        buyer = await site.reseller("Acme Resale")
        sent = lots("7", buyer_id=buyer.bidder_id, ships_to=TEXAS)
        async with acquire(site.pool) as connection:
            what = [goods("7", freight_terms=FreightTerms.FIXED, title="<b>Toasters</b>")]
            (shipped,) = await pay_for(connection, *sent, what=what)
            (fetched,) = await pay_for(connection, *lots("8"))
        async with (
            visitor(site, staff_id) as staff,
            visitor(site, buyer.person_id) as of_buyer,
        ):
            yield People(site, staff, of_buyer, shipped, fetched)


async def test_a_lot_is_shipped_and_its_arrival_proved(people: People) -> None:
    page = (await people.staff.get("/settlement/deliveries")).text
    assert "To be shipped" in page and "&lt;b&gt;Toasters" in page and "Acme Resale" in page
    place = f"/settlement/deliveries/{people.shipped}"
    ship = {"what": "ship", "version": "0", "carrier": "Estes", "tracking": "123-456"}
    await people.staff.post(place, ship | {"at": "no time"})
    assert "When? Say the day" in (await people.staff.get(place)).text
    await people.staff.post(place, ship | {"at": "2099-03-10T09:00"})
    assert "That cannot have happened then" in (await people.staff.get(place)).text
    await people.staff.post(place, ship | {"at": "2026-03-10T09:00"})
    page = (await people.staff.get(place)).text
    assert "It is on its way" in page and "Proof of delivery" in page
    assert "On its way" in (await people.staff.get("/settlement/deliveries")).text
    prove = {"what": "prove", "version": "1", "at": "2026-03-12T15:00", "signed_by": ""}
    await people.staff.post(place, prove)
    assert "Who has signed?" in (await people.staff.get(place)).text
    await people.staff.post(place, prove | {"signed_by": "J. Ortiz"})
    page = (await people.staff.get(place)).text
    assert "Arrived" in page and "J. Ortiz" in page
    assert (await row_of(people.site.pool, people.shipped)).state is AwardState.HANDED_OVER
    assert "Nothing to ship" in (await people.staff.get("/settlement/deliveries")).text


async def test_what_is_fetched_or_anothers_to_see_is_not_there(people: People) -> None:
    for path in (f"/{people.fetched}", "/S1~404", "/%3Cb%3E"):
        assert (await people.staff.get(f"/settlement/deliveries{path}")).status == 404
    for path in ("", f"/{people.shipped}"):
        assert (await people.buyer.get(f"/settlement/deliveries{path}")).status == 403
    forged = await people.buyer.post(f"/settlement/deliveries/{people.shipped}", {"what": "ship"})
    assert forged.status == 403


def test_a_time_is_one_of_the_clock_at_the_place() -> None:
    assert at_clock("2026-03-10T09:00", CHICAGO) == at_us("2026-03-10 09:00")
    for wrong in ("", "10/03/2026", "2026-03-08T02:30", "2026-03-10T09:00Z"):
        assert at_clock(wrong, CHICAGO) is None
