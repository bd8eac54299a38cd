"""Deposits that a card holds count for registration like those that staff record."""

from typing import Any

from auction.ids import SaleId
from auction.terms import Premium, Terms
from bidder_gateway.deposits import count_held
from foundation.database import transaction
from settlement.deposits import entry_id_of
from tests.builders import SALE
from tests.market import Market, Reseller

WITH_DEPOSIT = Terms(soft_close=None, premium=Premium(), deposit_minor=600_00)
HELD = entry_id_of("deposit~S1~hart", 1)
BACK = entry_id_of("deposit~S1~hart", 1, back=True)


async def counted(market: Market, reseller: Reseller, entry_id: str, amount_minor: int) -> None:
    async with transaction(market.pool) as connection:
        await count_held(
            connection,
            entry_id=entry_id,
            sale_id=SaleId(SALE),
            buyer_id=reseller.organisation_id,
            amount_minor=amount_minor,
            currency="USD",
            corrects=HELD if amount_minor < 0 else None,
            now_us=1,
        )
    market.resellers.registrar.ring()
    await market.settled()


async def registration(reseller: Reseller) -> tuple[str, str, int]:
    page: dict[str, Any] = await reseller.get(f"/sales/{SALE}/registration")
    return page["state"], page["code"], page["deposit_minor"]


async def test_a_held_deposit_admits_and_bars_again_when_it_is_gone(market: Market) -> None:
    await market.opens("1", terms=WITH_DEPOSIT)
    hart, staff = await market.reseller("Hart"), await market.staff()
    assert (await hart.registers())["code"] == "DEPOSIT_REQUIRED"
    await counted(market, hart, HELD, 600_00)
    await counted(market, hart, HELD, 600_00)
    assert await registration(hart) == ("ADMITTED", "ACCEPTED", 600_00)
    path = f"/organisations/{hart.organisation_id}/sales/{SALE}/deposits"
    (entry,) = (await staff.get(path))["entries"]
    assert (entry["reason"], entry["recorded_by"]) == ("Held on a card", "softclose")
    await counted(market, hart, BACK, -600_00)
    await counted(market, hart, BACK, -600_00)
    assert await registration(hart) == ("REFUSED", "DEPOSIT_REQUIRED", 0)


async def test_what_staff_took_back_is_not_taken_back_twice(market: Market) -> None:
    await market.opens("1", terms=WITH_DEPOSIT)
    hart, staff = await market.reseller("Hart"), await market.staff()
    await hart.registers()
    await counted(market, hart, HELD, 600_00)
    correction = f"/deposits/{HELD}/correction"
    await staff.does("POST", correction, {"reason": "not theirs"}, status=201)
    await counted(market, hart, BACK, -600_00)
    assert await registration(hart) == ("REFUSED", "DEPOSIT_REQUIRED", 0)
