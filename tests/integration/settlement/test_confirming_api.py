"""Sellers are asked by the terms of their sale, and answer by programs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
import pytest

from accounts.identity import OrganisationKind, Role
from auction.ids import LotId, SaleId
from auction.terms import Confirmation
from foundation.database import acquire
from settlement.ids import award_id_of
from settlement.lives import AwardState
from settlement.telling import Kind, words_of
from tests.builders import SALE
from tests.hammered import CENTS, Settling, settling
from tests.market import Reseller, lot_of

ASKED = "/settlement/confirmations"
HOUR_US = 3_600_000_000
FIRST, SECOND = (award_id_of(SaleId(SALE), LotId(lot)) for lot in "12")


@dataclass(frozen=True)
class Parties:
    """A sale whose seller is asked, two lots of it sold to one buyer, and who else is there."""

    room: Settling
    seller: Reseller
    rival: Reseller
    buyer: Reseller
    runner_up: Reseller

    async def states(self) -> list[AwardState]:
        return [award.state for award in (await self.room.awards()).values()]

    async def waiting(self, by: Reseller) -> list[str]:
        items = (await by.get(f"{ASKED}?waiting=true"))["items"]
        return sorted(item["award_id"] for item in items)


async def parties_of(room: Settling, confirmation: Confirmation) -> Parties:
    market, people = room.market, room.market.people
    await market.is_untaxed()
    terms = msgspec.structs.replace(CENTS, confirmation=confirmation)
    lots = [lot_of(lot, opening_minor=1_000_00) for lot in "12"]
    await market.opens(*lots, terms=terms)
    runner_up, buyer = await market.reseller("Bell"), await market.reseller("Ward")
    await runner_up.registers()
    await buyer.registers()
    await market.bid(runner_up, 1_000_00, "1")
    for lot in "12":
        await market.bid(buyer, 2_000_00, lot)
    await market.closes()
    sellers = []
    for name in ("north", "rival"):
        organisation_id = await people.organisation(OrganisationKind.LIQUIDATOR, name)
        mail = f"{name}@example.com"
        person_id = await people.person(organisation_id, Role.LIQUIDATOR, mail=mail, name=name)
        sellers.append(await market.signed_in(person_id))
    await room.settle()
    async with acquire(market.pool) as connection:
        owner = sellers[0].organisation_id
        await connection.execute("update award set liquidator_id = $1", owner)
        await connection.execute("update invoice set liquidator_id = $1", owner)
    seller, rival = sellers
    return Parties(room, seller, rival, buyer, runner_up)


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as room:
        yield room


async def test_a_seller_is_asked_about_each_lot_and_its_answer_stands(room: Settling) -> None:
    parties = await parties_of(room, Confirmation.ELSE_CANCELLED)
    seller = parties.seller
    items = (await seller.get(ASKED))["items"]
    asked = {item["award_id"]: item for item in items}
    assert sorted(asked) == sorted((FIRST, SECOND))
    (invoice,) = await room.invoices()
    assert asked[FIRST]["until_us"] == invoice.issued_at_us + 24 * HOUR_US
    assert (asked[FIRST]["else_cancelled"], asked[FIRST]["confirms"]) == (True, None)
    assert (await parties.rival.get(ASKED))["items"] == []
    place = f"{ASKED}/{FIRST}"
    await parties.rival.does("POST", place, {"confirms": True}, status=404)
    await parties.buyer.does("POST", place, {"confirms": True}, status=403)
    await seller.does("POST", place, {"confirms": "yes"}, status=422)
    answered = await seller.does("POST", place, {"confirms": False})
    assert answered["confirms"] is False
    assert await seller.does("POST", place, {"confirms": False}) == answered
    await seller.does("POST", place, {"confirms": True}, status=409)
    assert await parties.states() == [AwardState.CANCELLED, AwardState.INVOICED]
    assert await parties.waiting(seller) == [SECOND]
    rows = await room.fetch("select fee_minor, reason from award_cancellation")
    assert [tuple(row) for row in rows] == [(0, "The seller did not confirm the sale.")]
    acts = await room.fetch("select act from audit_event where object_id = $1", FIRST)
    assert [row["act"] for row in acts] == ["SALE_CONFIRMED", "AWARD_CANCELLED"]


async def test_a_seller_is_told_of_what_it_is_to_confirm_and_by_when(room: Settling) -> None:
    await parties_of(room, Confirmation.ELSE_CANCELLED)
    rows = await room.fetch(
        "select arguments from settlement_op "
        "where operation = 'mail' and arguments ->> 'kind' = 'CONFIRMATION_ASKED'"
    )
    (arguments,) = (msgspec.json.decode(row["arguments"]) for row in rows)
    words = words_of(Kind.CONFIRMATION_ASKED, arguments)
    assert words.subject == "Please confirm the sale of 2 lots"
    assert "Lot 1, " in words.text and "Lot 2, " in words.text
    assert ": $1,000.00" in words.text
    assert "what you say nothing about is not sold then" in words.text


async def test_where_the_terms_ask_nobody_no_seller_is_asked(room: Settling) -> None:
    parties = await parties_of(room, Confirmation.NOT_ASKED)
    assert (await parties.seller.get(ASKED))["items"] == []


async def test_a_runner_ups_lot_is_not_asked_about_since_its_seller_has_consented(
    room: Settling,
) -> None:
    parties = await parties_of(room, Confirmation.ELSE_SOLD)
    (invoice,) = await room.invoices()
    for award_id in (FIRST, SECOND):
        place = f"{ASKED}/{award_id}"
        await parties.seller.does("POST", place, {"confirms": True})
    await room.gives_up(invoice.invoice_id, FIRST)
    async with acquire(room.market.pool) as connection:
        owner = parties.seller.organisation_id
        await connection.execute("update unsold_again set liquidator_id = $1", owner)
    await parties.seller.does("POST", f"/settlement/consents/{FIRST}/1", {"consents": True})
    await room.settle()
    await parties.runner_up.does("POST", f"/settlement/offers/{FIRST}/1", {"accepted": True})
    await room.settle()
    assert len(await room.invoices()) == 2
    assert await parties.waiting(parties.seller) == []
    assert len(await room.fetch("select from seller_confirmation")) == 1
