"""Random requests to the whole API of the site: as a guest, a reseller's program, and staff."""

import pytest

from accounts.identity import Role, Scope
from tests.builders import SALE
from tests.fuzzing import fuzz
from tests.market import Caller, Market, lot_of


async def furnished(market: Market) -> dict[str, str]:
    """A sale in which things have happened; what is in it, by the names that paths have for it."""
    await market.opens(lot_of("1", restrictions=("no marketplaces",)), "2")
    hart, staff = await market.reseller("Hart", limit_minor=1_000_000_00), await market.staff()
    await hart.registers()
    await hart.bids(200_00)
    base = f"/organisations/{hart.organisation_id}/sales/{SALE}/deposits"
    body = {"amount_minor": 600_00, "currency": "USD", "reason": "wire"}
    deposit = await staff.does("POST", base, body, status=201)
    return {
        "sale_id": SALE,
        "lot_id": "1",
        "organisation_id": hart.organisation_id,
        "entry_id": deposit["entries"][0]["entry_id"],
    }


async def program(market: Market, name: str) -> Caller:
    """A reseller's, with all that it may do."""
    reseller = await market.reseller(name)
    await reseller.registers()
    return await market.token(reseller, *Scope)


async def test_whatever_a_program_sends_is_answered_as_described(market: Market) -> None:
    places = await furnished(market)
    headers = (await program(market, "Marlow")).headers
    assert await fuzz(market.origin, headers=headers, examples=2, places=places) > 500


@pytest.mark.parametrize("who", ["guest", "staff"])
async def test_whatever_comes_is_answered_as_described(market: Market, who: str) -> None:
    places, headers = await furnished(market), {"Accept": "*/*"}
    if who == "staff":
        staff = await market.staff(Role.SETTLEMENT, Role.ADMIN)
        headers |= {**staff.headers, "Origin": market.origin}
    made = await fuzz(market.origin, headers=headers, examples=4, places=places, phases="fuzzing")
    assert made > 100
