"""What follows a default, by programs: whose questions and offers they are, and what answers do."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from accounts.identity import OrganisationKind, Role
from auction.ids import LotId, SaleId
from foundation.database import acquire
from settlement.ids import award_id_of
from settlement.lives import AwardState
from tests.builders import SALE
from tests.hammered import CENTS, Settling, settling
from tests.market import Caller, Reseller, lot_of

VOID = award_id_of(SaleId(SALE), LotId("1"))
ASKED, OFFERED = "/settlement/consents", "/settlement/offers"


@dataclass(frozen=True)
class Parties:
    """Who has to do with a lot that was sold for 4,050.00, and who has not."""

    room: Settling
    seller: Reseller
    rival: Reseller
    staff: Reseller
    ames: Reseller
    bell: Reseller
    ward: Reseller

    async def default(self) -> None:
        """W does not pay."""
        (invoice,) = await self.room.invoices()
        await self.room.gives_up(invoice.invoice_id)
        await self.sells("unsold_again")

    async def sells(self, table: str) -> None:
        """The lot is of the seller that signs in here."""
        async with acquire(self.room.market.pool) as connection:
            statement = f"update {table} set liquidator_id = $1"  # noqa: S608
            await connection.execute(statement, self.seller.organisation_id)


@pytest.fixture
async def parties(database_url: str) -> AsyncIterator[Parties]:
    async with settling(database_url) as room:
        market, people = room.market, room.market.people
        await market.is_untaxed()
        await market.opens(lot_of("1", opening_minor=1_000_00), terms=CENTS)
        bidders = []
        for name, maximum_minor in (("Ames", 3_000_00), ("Bell", 4_000_00), ("Ward", 5_000_00)):
            reseller = await market.reseller(name)
            await reseller.registers()
            await market.bid(reseller, maximum_minor)
            bidders.append(reseller)
        await market.closes()
        await room.settle()
        sellers = []
        for name in ("north", "rival"):
            organisation_id = await people.organisation(OrganisationKind.LIQUIDATOR, name)
            mail = f"{name}@example.com"
            person_id = await people.person(organisation_id, Role.LIQUIDATOR, mail=mail, name=name)
            sellers.append(await market.signed_in(person_id))
        north, rival = sellers
        ames, bell, ward = bidders
        staff = await market.staff(Role.SETTLEMENT)
        made = Parties(room, north, rival, staff, ames, bell, ward)
        await made.sells("award")
        yield made


async def listed(by: Caller, path: str) -> list[int]:
    """The prices of what is listed."""
    return [item["price_minor"] for item in (await by.get(path))["items"]]


async def test_a_seller_and_a_runner_up_answer_what_is_asked_of_them(parties: Parties) -> None:
    seller, bell = parties.seller, parties.bell
    await parties.default()
    (item,) = (await seller.get(f"{ASKED}?waiting=true"))["items"]
    assert (item["award_id"], item["price_minor"], item["reserve"]) == (VOID, 3_050_00, "NONE")
    assert "bidder_id" not in item  # a paddle it is, to the seller
    assert await listed(parties.rival, ASKED) == []
    place = f"{ASKED}/{VOID}/1"
    await parties.rival.does("POST", place, {"consents": True}, status=404)
    await bell.does("POST", place, {"consents": True}, status=403)
    await seller.does("POST", f"{ASKED}/{VOID}/2", {"consents": True}, status=404)
    await seller.does("POST", place, {"consents": "yes"}, status=422)
    answered = await seller.does("POST", place, {"consents": True})
    assert (answered["answer"], answered["price_minor"]) == (True, 3_050_00)
    assert await seller.does("POST", place, {"consents": True}) == answered
    await seller.does("POST", place, {"consents": False}, status=409)
    assert await listed(seller, f"{ASKED}?waiting=true") == []
    await parties.room.settle()
    assert await listed(bell, f"{OFFERED}?waiting=true") == [3_050_00]
    assert await listed(parties.ames, OFFERED) == []
    place = f"{OFFERED}/{VOID}/1"
    await parties.ames.does("POST", place, {"accepted": True}, status=404)
    await seller.does("POST", place, {"accepted": True}, status=403)
    assert (await bell.does("POST", place, {"accepted": True}))["answer"] is True
    await parties.room.settle()
    (offer,) = (await bell.get(OFFERED))["items"]
    assert offer["award_to"] == award_id_of(SaleId(SALE), LotId("1"), 2)
    acts = await parties.room.fetch("select act from audit_event where object_id = $1", VOID)
    assert [row["act"] for row in acts] == ["RUNNER_UP_CONSENT", "RUNNER_UP_OFFER_ANSWERED"]


async def test_a_seller_takes_back_its_own_lot_for_a_fee(parties: Parties) -> None:
    place, why = f"/settlement/awards/{VOID}/cancellation", {"reason": "Sold by mistake."}
    await parties.rival.does("POST", place, why, status=404)
    await parties.ward.does("POST", place, why, status=403)
    await parties.seller.does("POST", place, {"reason": ""}, status=422)
    await parties.seller.does("POST", f"/settlement/awards/{VOID}/recall", why, status=403)
    done = await parties.seller.does("POST", place, why)
    assert done == {"award_id": VOID, "credit_minor": 4_657_50, "fee_minor": 810_00}
    await parties.seller.does("POST", place, why, status=409)


async def test_staff_recall_a_lot_without_a_fee(parties: Parties) -> None:
    place = f"/settlement/awards/{VOID}/recall"
    done = await parties.staff.does("POST", place, {"reason": "The maker recalls it."})
    assert done["fee_minor"] == 0
    assert (await parties.room.awards())[VOID].state is AwardState.CANCELLED
    await parties.staff.does(
        "POST", "/settlement/awards/S1~404/recall", {"reason": "x"}, status=404
    )
