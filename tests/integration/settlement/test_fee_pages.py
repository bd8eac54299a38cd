"""The fee for lots that were not paid, on its buyer's page, on staff's, and for programs."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accounts.audit import Actor
from accounts.identity import OrganisationKind, Role
from accounts.ids import PersonId
from auction.ids import BidderId
from foundation.database import acquire, transaction
from settlement.lives import AwardState, PaymentState
from settlement.pickups.bookings import Bookings
from settlement.pickups.charge_table import Charge, charge_relist, read_charge
from settlement.pickups.words import ChargeState, PickupRefusal, Refused
from settlement.rows import read_award
from tests.accounts_site import Answer, Client
from tests.paid_lots import give_credit
from tests.settled import DAY_US, settled
from tests.site import Site, now_us, open_site
from tests.visiting import visitor

PAGE, PAY, STAFF = "/purchases", "/purchases/dock/charges", "/settlement/fees"
API = "/api/v1/settlement"


@dataclass(frozen=True)
class People:
    """A buyer that did not pay, another one, and two of staff."""

    site: Site
    buyer: Client
    other: Client
    ann: Client
    bob: Client
    buyer_id: BidderId
    charge_id: str

    def bookings(self) -> Bookings:
        return Bookings(self.site.pool, now_us)

    async def charge(self) -> Charge:
        async with acquire(self.site.pool) as connection:
            charge = await read_charge(connection, self.charge_id)
        assert charge is not None
        return charge


@pytest.fixture
async def people(database_url: str, tmp_path: Path) -> AsyncIterator[People]:
    async with open_site(database_url, tmp_path) as site:
        buyer, other = await site.reseller("Acme Resale"), await site.reseller("Zenith")
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff = [
            await site.people.person(
                house, Role.SETTLEMENT, mail=f"{name.lower()}@softclose.example", name=name
            )
            for name in ("Ann", "Bob")
        ]
        void = await settled(
            site.pool,
            buyer.bidder_id,
            await site.people.organisation(OrganisationKind.LIQUIDATOR, "North"),
            payment=PaymentState.DEFAULTED,
            state=AwardState.VOID,
        )
        async with transaction(site.pool) as connection:
            award_id = void.award_ids[0]
            row = (await read_award(connection, award_id)).awards[award_id]
            made_at_us = now_us() - 7 * DAY_US // 2
            charge = await charge_relist(connection, row, 1, {award_id: 405_00}, made_at_us)
        assert charge is not None
        async with (
            visitor(site, buyer.person_id) as of_buyer,
            visitor(site, other.person_id) as of_other,
            visitor(site, staff[0]) as ann,
            visitor(site, staff[1]) as bob,
        ):
            yield People(
                site, of_buyer, of_other, ann, bob, BidderId(buyer.bidder_id), charge.charge_id
            )


def read(answer: Answer) -> Any:
    return json.loads(answer.body)


async def test_the_buyer_sees_what_it_owes_and_pays_it_from_credit(people: People) -> None:
    page = (await people.buyer.get(PAGE)).text
    assert "Fee for lots that you did not pay: $405.00" in page and "you cannot bid" in page
    assert "Fee for lots" not in (await people.other.get(PAGE)).text
    pay = {"what": "credit", "back": "purchases", "charge_id": people.charge_id}
    assert (await people.other.post(PAY, pay)).status == 404
    await give_credit(people.site.pool, 405_00, people.buyer_id)
    paid = await people.buyer.post(PAY, pay)
    assert paid.headers["Location"] == PAGE
    assert "Fee for lots" not in (await people.buyer.get(PAGE)).text
    assert (await people.charge()).state is ChargeState.PAID


async def test_staff_see_who_owes_since_when_and_two_of_them_give_it_up(people: People) -> None:
    queue = (await people.ann.get("/settlement?kind=FEE")).text
    assert "Fee owed after a default" in queue and "Acme Resale" in queue
    page = (await people.ann.get(STAFF)).text
    assert "Acme Resale" in page and "Owed for 3 days" in page
    about = {"charge_id": people.charge_id, "version": "1"}
    await people.ann.post(STAFF, {**about, "what": "give_up", "words": "They are bankrupt"})
    page = (await people.ann.get(STAFF)).text
    assert "They are bankrupt" in page and 'value="agree"' not in page
    await people.ann.post(STAFF, {**about, "what": "agree"})
    assert "Another person" in (await people.ann.get(STAFF)).text
    assert (await people.charge()).state is ChargeState.OPEN
    await people.bob.post(STAFF, {**about, "what": "agree"})
    assert "Nobody owes a fee" in (await people.bob.get(STAFF)).text
    assert (await people.charge()).state is ChargeState.WAIVED


async def test_staff_write_down_what_was_paid_in_another_way(people: People) -> None:
    about = {"charge_id": people.charge_id, "version": "1", "what": "paid"}
    await people.ann.post(STAFF, {**about, "amount": "5,000.00", "words": "cheque 12"})
    assert (await people.charge()).paid_minor == 0
    await people.ann.post(STAFF, {**about, "amount": "100.00", "words": "cheque 12"})
    assert (await people.charge()).paid_minor == 100_00
    assert "$100.00 of $405.00 paid" in (await people.ann.get(STAFF)).text


async def test_programs_do_what_pages_do(people: People) -> None:
    one = f"{API}/purchases/charges/{people.charge_id}"
    listed = read(await people.buyer.get(f"{API}/purchases/charges"))
    assert [item["charge_id"] for item in listed["items"]] == [people.charge_id]
    assert read(await people.other.get(f"{API}/purchases/charges"))["items"] == []
    assert (await people.other.send("POST", f"{one}/card-payment", json={})).status == 404
    refused = await people.buyer.send("POST", f"{one}/card-payment", json={})
    assert (refused.status, read(refused)["code"]) == (409, "NO_CARD")
    fee = f"{API}/fees/{people.charge_id}"
    (owed,) = read(await people.ann.get(f"{API}/fees"))["items"]
    assert owed["charge"]["amount_minor"] == 405_00
    assert (await people.buyer.get(f"{API}/fees")).status in (403, 404)
    given = {"version": 1, "why": "They are bankrupt"}
    assert (await people.ann.send("POST", f"{fee}/write-off", json=given)).status == 200
    alone = await people.ann.send("POST", f"{fee}/write-off/agreement", json={})
    assert (alone.status, read(alone)["code"]) == (409, "SAME_PERSON")
    waiver = f"{API}/charges/{people.charge_id}/waiver"
    short = await people.bob.send("POST", waiver, json={"version": 1, "why": "no second person"})
    assert (short.status, read(short)["code"]) == (409, "SECOND_PERSON")
    agreed = await people.bob.send("POST", f"{fee}/write-off/agreement", json={})
    assert read(agreed)["state"] == "WAIVED"


async def test_staff_decide_about_a_deposit_that_was_recorded_by_hand(people: People) -> None:
    charge = await people.charge()
    async with acquire(people.site.pool) as connection:
        await connection.execute(
            "insert into hand_deposit (sale_id, buyer_id, invoice_id, currency, amount_minor,"
            " asked_at_us) values ('S1', $1, $2, 'USD', 25000, 1)",
            people.buyer_id,
            charge.facts["invoice_id"],
        )
    assert "It was recorded by hand" in (await people.ann.get("/settlement?kind=DEPOSIT")).text
    page = (await people.ann.get(STAFF)).text
    assert "Deposits recorded by hand" in page and "$250.00" in page
    one = f"{API}/hand-deposits/S1/{people.buyer_id}/decision"
    kept = {"fate": "KEPT_OF_CREDIT", "why": "wire of May"}
    refused = await people.bob.send("POST", one, json=kept)
    assert (refused.status, read(refused)["code"]) == (409, "TOO_LITTLE_CREDIT")
    given = {"sale_id": "S1", "buyer_id": people.buyer_id, "fate": "KEPT_AT_BANK"}
    await people.ann.post(f"{STAFF}/deposits", {**given, "words": "cheque 7"})
    assert "Deposits recorded by hand" not in (await people.ann.get(STAFF)).text
    assert read(await people.ann.get(f"{API}/hand-deposits"))["items"] == []


async def test_staff_say_what_becomes_of_goods_that_nobody_fetched(people: People) -> None:
    pool = people.site.pool
    seller = await people.site.people.organisation(OrganisationKind.LIQUIDATOR, "South")
    paid = await settled(pool, people.buyer_id, seller, sale_id="S7")
    award_id = paid.award_ids[0]
    async with acquire(pool) as connection:
        await connection.execute(
            "insert into abandonment (award_id, noticed_at_us, pallets, storage_minor)"
            " values ($1, $2, 4, 2800)",
            award_id,
            now_us() - 7 * DAY_US // 2,
        )
    assert "4 pallets stand on the dock" in (await people.ann.get("/settlement")).text
    page = (await people.ann.get("/settlement/abandoned")).text
    assert "told 3 days ago" in page and "Acme Resale" in page
    waits = {"award_id": award_id, "fate": "WAITS", "words": "they come on Friday"}
    await people.ann.post("/settlement/abandoned", waits)
    assert read(await people.ann.get(f"{API}/abandoned-goods"))["items"] == []
    async with acquire(pool) as connection:
        await connection.execute("update abandonment set look_at_us = 1")
    (again,) = read(await people.ann.get(f"{API}/abandoned-goods"))["items"]
    assert (again["fate"], again["why"]) == ("WAITS", "they come on Friday")
    one = f"{API}/abandoned-goods/{award_id}/decision"
    gone = {"fate": "DISPOSED", "why": "to the recycler"}
    assert (await people.bob.send("POST", one, json=gone)).status == 204
    twice = await people.bob.send("POST", one, json=gone)
    assert (twice.status, read(twice)["code"]) == (409, "NOT_NOW")
    assert "Goods nobody fetched" not in (await people.ann.get("/settlement")).text
    ready = [one.award.award_id for one in await people.bookings().ready(people.buyer_id)]
    assert len(ready) == 2 and award_id not in ready
    by = Actor(PersonId("ann"), "192.0.2.1")
    with pytest.raises(Refused) as refused:
        await people.bookings().book([award_id], now_us() + DAY_US, by)
    assert refused.value.refusal is PickupRefusal.NOTHING_LEFT
    assert (await people.buyer.send("POST", one, json=gone)).status in (403, 404)


async def test_credit_is_paid_back_by_two_of_staff(people: People) -> None:
    await give_credit(people.site.pool, 300_00, people.buyer_id)
    page = (await people.ann.get("/settlement/credit")).text
    assert "Acme Resale" in page and "$300.00" in page
    ask = {"what": "ask", "buyer_id": people.buyer_id, "currency": "USD", "words": "they asked"}
    await people.ann.post("/settlement/credit", {**ask, "amount": "400.00"})
    assert "free credit is 300.00" in (await people.ann.get("/settlement/credit")).text
    await people.ann.post("/settlement/credit", {**ask, "amount": "250.00"})
    assert "Credit to pay back" in (await people.bob.get("/settlement")).text
    seen = read(await people.bob.get(f"{API}/credit-payouts"))
    (asked,), (holder,) = seen["payouts"], seen["holders"]
    assert (asked["amount_minor"], holder["free_minor"]) == (250_00, 300_00)
    one = f"{API}/credit-payouts/{asked['number']}"
    alone = await people.ann.send("POST", f"{one}/agreement", json={})
    assert (alone.status, read(alone)["code"]) == (409, "SAME_PERSON")
    await people.bob.post("/settlement/credit", {"what": "agree", "number": str(asked["number"])})
    (agreed,) = read(await people.ann.get(f"{API}/credit-payouts"))["payouts"]
    assert agreed["state"] == "SENDING"
    # The money of this test came by no charge.
    assert "by bank" in (await people.ann.get("/settlement/credit")).text
    overdrawn = await people.ann.send("POST", f"{one}/bank-transfer", json={"reference": "wire 9"})
    assert overdrawn.status == 409
    more = {
        "buyer_id": people.buyer_id,
        "currency": "USD",
        "amount_minor": 50_00,
        "why": "the rest",
    }
    assert (await people.bob.send("POST", f"{API}/credit-payouts", json=more)).status == 201
    assert (await people.buyer.get("/settlement/credit")).status in (403, 404)
