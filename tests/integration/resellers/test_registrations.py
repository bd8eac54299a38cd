"""A reseller registers: what is accepted, what the engine makes of it, and when it changes."""

import asyncio
import json
from datetime import date
from typing import Any

import pytest

from accounts.identity import Role
from auction.commands import Command, RecordFunding
from auction.ids import BidderId, LotId, SaleId
from auction.rejections import Rejection
from auction.terms import Premium, Terms
from auction.verdicts import Verdict
from bidder_gateway import registration_rows as rows
from bidder_gateway.registrar import Registrar
from bidder_gateway.sales_tax import CatalogueRates
from foundation.database import acquire
from tests.builders import SALE, STAFF_MEMBER, bid
from tests.market import DEADLINE_S, Market, Reseller, closing_in, lot_of

PLAIN = Terms(soft_close=None, premium=Premium())
WITH_DEPOSIT = Terms(soft_close=None, premium=Premium(), deposit_minor=600_00)


async def registration(reseller: Reseller, sale_id: str = SALE) -> dict[str, Any]:
    found: dict[str, Any] = await reseller.get(f"/sales/{sale_id}/registration")
    return found


async def test_who_registers_is_admitted_under_a_number_at_once(market: Market) -> None:
    await market.opens(lot_of("1", restrictions=("no marketplaces",)))
    hart = await market.reseller("Hart")
    page = await hart.registers()
    assert (page["state"], page["code"], page["paddle"]) == ("ADMITTED", "ACCEPTED", 101)
    assert page["restrictions"] == ["no marketplaces"]
    assert (page["limit_minor"], page["exposure_minor"]) == (None, 0)
    assert (await hart.bids(200_00))["code"] == "LEADING"
    again = await hart.registers()
    assert again["paddle"] == 101
    mine = await hart.get("/registrations")
    assert [item["sale_id"] for item in mine["items"]] == [SALE]


async def test_what_was_accepted_is_written_down_with_who_when_and_from_where(
    market: Market,
) -> None:
    await market.opens("1")
    hart = await market.reseller("Hart")
    page = await hart.registers()
    sale = await market.guest.get(f"/sales/{SALE}")
    await hart.registers()  # the same once more is nothing new
    async with acquire(market.pool) as connection:
        (row,) = await connection.fetch(
            "select * from acceptance join accepted_terms on sha256 = terms_sha256"
        )
        with pytest.raises(Exception, match="only added to"):
            await connection.execute("update acceptance set address = ''")
    assert (row["organisation_id"], row["person_id"]) == (hart.organisation_id, hart.person_id)
    assert (row["terms_version"], row["terms_sha256"].hex()) == (1, sale["terms_sha256"])
    assert row["address"] == "127.0.0.1"
    assert row["terms_in_words"] == sale["terms_in_words"]
    assert json.loads(row["rules"]) == sale["terms"]
    assert row["at_us"] == page["registered_at_us"]


async def test_other_terms_than_those_shown_are_not_accepted(market: Market) -> None:
    await market.opens("1")
    hart = await market.reseller("Hart")
    for changed in ({"terms_version": 2}, {"terms_sha256": "0" * 64}):
        sale = await hart.get(f"/sales/{SALE}")
        body = {"terms_version": 1, "terms_sha256": sale["terms_sha256"], **changed}
        refused = await hart.does("PUT", f"/sales/{SALE}/registration", body, status=409)
        assert refused["code"] == "OTHER_TERMS"
    body = {"terms_version": 1, "terms_sha256": sale["terms_sha256"], "restrictions": ["made up"]}
    refused = await hart.does("PUT", f"/sales/{SALE}/registration", body, status=422)
    assert (refused["code"], refused["place"]) == ("RESTRICTION_UNKNOWN", "/restrictions")


async def test_restrictions_may_be_accepted_one_after_the_other(market: Market) -> None:
    await market.opens(
        lot_of("1", restrictions=("export only",)), lot_of("2", restrictions=("delabel",))
    )
    hart = await market.reseller("Hart")
    await hart.registers(restrictions=["export only"])
    refused = await hart.bids(200_00, "2")
    assert (refused["accepted"], refused["code"]) == (False, "TERMS_NOT_ACCEPTED")
    page = await hart.registers(restrictions=["delabel"])
    assert page["restrictions"] == ["delabel", "export only"]
    assert (await hart.bids(200_00, "2"))["accepted"]


async def test_who_is_not_approved_does_not_register(market: Market) -> None:
    await market.opens("1")
    hart = await market.reseller("Hart", approved=False)
    sale = await hart.get(f"/sales/{SALE}")
    body = {"terms_version": 1, "terms_sha256": sale["terms_sha256"]}
    refused = await hart.does("PUT", f"/sales/{SALE}/registration", body, status=409)
    assert refused["code"] == "NOT_APPROVED"


async def test_a_suspended_reseller_bids_no_more_and_bids_again_when_it_is_not(
    market: Market,
) -> None:
    await market.opens("1", "2")
    hart = await market.reseller("Hart")
    await hart.registers()
    await market.bid(hart, 200_00)
    await market.stands(hart, state="SUSPENDED")
    await market.settled()
    verdict = await engine_bid(market, hart, 300_00, "2")
    assert verdict.code is Rejection.LIMIT_EXCEEDED
    page = await registration(hart)
    assert (page["state"], page["code"], page["limit_minor"]) == ("REFUSED", "NOT_APPROVED", 0)
    refused = await hart.does(
        "POST",
        f"/sales/{SALE}/lots/2/bids",
        {"amount_minor": 300_00, "currency": "USD"},
        status=409,
        Idempotency_Key="00000000-0000-4000-8000-0000000000aa",
    )
    assert refused["code"] == "NOT_APPROVED"
    await market.stands(hart, state="APPROVED")
    await market.settled()
    assert (await engine_bid(market, hart, 300_00, "2")).accepted
    page = await registration(hart)
    assert (page["state"], page["limit_minor"]) == ("ADMITTED", None)


async def test_a_deposit_that_staff_record_admits_who_waited_for_it(market: Market) -> None:
    await market.opens("1", terms=WITH_DEPOSIT)
    hart, staff = await market.reseller("Hart"), await market.staff()
    page = await hart.registers()
    assert (page["state"], page["code"]) == ("REFUSED", "DEPOSIT_REQUIRED")
    assert page["minimum_minor"] == 600_00
    path = f"/organisations/{hart.organisation_id}/sales/{SALE}/deposits"
    body = {"amount_minor": 600_00, "currency": "USD", "reason": "wire 4711"}
    deposit = await staff.does("POST", path, body, status=201)
    assert deposit["deposit_minor"] == 600_00
    await market.settled()
    page = await registration(hart)
    assert (page["state"], page["limit_minor"], page["deposit_minor"]) == (
        "ADMITTED",
        6_000_00,
        600_00,
    )


async def test_a_deposit_that_was_a_mistake_is_taken_back_and_bars(market: Market) -> None:
    await market.opens("1", terms=WITH_DEPOSIT)
    hart, staff = await market.reseller("Hart"), await market.staff()
    path = f"/organisations/{hart.organisation_id}/sales/{SALE}/deposits"
    body = {"amount_minor": 600_00, "currency": "USD", "reason": "wire 4711"}
    deposit = await staff.does("POST", path, body, status=201)
    assert (await hart.registers())["state"] == "ADMITTED"
    (entry,) = deposit["entries"]
    correction = f"/deposits/{entry['entry_id']}/correction"
    corrected = await staff.does("POST", correction, {"reason": "another's wire"}, status=201)
    assert [part["amount_minor"] for part in corrected["entries"]] == [600_00, -600_00]
    first, second = corrected["entries"]
    assert (first["corrected_by"], second["corrects"]) == (second["entry_id"], first["entry_id"])
    for entry_id in (first["entry_id"], second["entry_id"]):
        refused = await staff.does(
            "POST", f"/deposits/{entry_id}/correction", {"reason": "again"}, status=409
        )
        assert refused["code"] == "CORRECTED_ALREADY"
    await market.settled()
    page = await registration(hart)
    assert (page["state"], page["code"], page["limit_minor"]) == ("REFUSED", "DEPOSIT_REQUIRED", 0)
    assert (await engine_bid(market, hart, 200_00)).code is Rejection.LIMIT_EXCEEDED
    audit = await (await market.staff(Role.ADMIN)).get("/audit?limit=20")
    acts = [line["act"] for line in audit["items"]]
    assert {"DEPOSIT_RECORDED", "DEPOSIT_CORRECTED", "REGISTERED_FOR_SALE"} <= set(acts)


async def test_a_deposit_is_in_the_currency_of_the_sale(market: Market) -> None:
    await market.opens("1", terms=WITH_DEPOSIT)
    hart, staff = await market.reseller("Hart"), await market.staff()
    path = f"/organisations/{hart.organisation_id}/sales/{SALE}/deposits"
    body = {"amount_minor": 600_00, "currency": "EUR", "reason": "wire 4711"}
    refused = await staff.does("POST", path, body, status=422)
    assert (refused["code"], refused["place"]) == ("OTHER_CURRENCY", "/currency")


async def test_a_limit_that_staff_set_for_a_sale_goes_before_the_deposit(market: Market) -> None:
    await market.opens("1", terms=WITH_DEPOSIT)
    hart, staff = await market.reseller("Hart"), await market.staff()
    base = f"/organisations/{hart.organisation_id}/sales/{SALE}"
    body: dict[str, object] = {"amount_minor": 600_00, "currency": "USD", "reason": "wire"}
    await staff.does("POST", f"{base}/deposits", body, status=201)
    await hart.registers()
    body = {"limit_minor": 150_00, "reason": "new here"}
    await staff.does("PUT", f"{base}/limit", body, status=204)
    await market.settled()
    assert (await registration(hart))["limit_minor"] == 150_00
    assert (await hart.bids(200_00))["code"] == "LIMIT_EXCEEDED"
    assert (await staff.get(f"{base}/limit"))["limit_minor"] == 150_00
    body = {"limit_minor": None, "reason": "known by now"}
    await staff.does("PUT", f"{base}/limit", body, status=204)
    await market.settled()
    assert (await registration(hart))["limit_minor"] == 6_000_00


async def test_a_certificate_lifts_the_tax_and_is_asked_for_where_the_sale_asks(
    market: Market,
) -> None:
    await market.opens("1", terms=Terms(soft_close=None, certificate_required=True))
    hart = await market.reseller("Hart")
    page = await hart.registers()
    assert (page["state"], page["code"]) == ("REFUSED", "CERTIFICATE_REQUIRED")
    await market.certify(hart, "IL")
    await market.settled()
    page = await registration(hart)
    # Collected in Illinois nothing is due; sent to Texas it is.
    assert (page["state"], page["certificate"], page["tax_bps"]) == ("ADMITTED", True, 625)
    await market.certify(hart, "TX")
    await market.settled()
    assert (await registration(hart))["tax_bps"] == 0


async def test_a_certificate_that_has_expired_counts_no_more(market: Market) -> None:
    await market.opens("1")
    hart = await market.reseller("Hart")
    await market.certify(hart, "IL", date(2020, 1, 1))
    page = await hart.registers()
    assert (page["certificate"], page["tax_bps"]) == (False, 625)


async def test_a_closed_sale_takes_no_registrations(market: Market) -> None:
    await market.opens(closing_in(30))
    hart = await market.reseller("Hart")
    sale = await hart.get(f"/sales/{SALE}")
    await market.closes()
    body = {"terms_version": 1, "terms_sha256": sale["terms_sha256"]}
    refused = await hart.does("PUT", f"/sales/{SALE}/registration", body, status=409)
    assert refused["code"] == "SALE_CLOSED"


async def test_ceilings_of_people_reach_the_engine_and_follow_the_team(market: Market) -> None:
    await market.is_untaxed()
    await market.opens("1", "2", terms=PLAIN)
    hart = await market.reseller("Hart")
    await set_ceiling(market, hart, 300_00)
    await hart.registers()
    assert (await hart.bids(400_00))["code"] == "BUDGET_EXCEEDED"
    await set_ceiling(market, hart, 500_00)
    await market.resellers.registrar.look_at_the_quiet()
    await market.settled()
    assert (await hart.bids(400_00))["code"] == "LEADING"
    kept = (await hart.get(f"/sales/{SALE}/budgets"))["kept"]
    assert [(one["budget"]["kind"], one["used"]) for one in kept] == [("PERSON_CEILING", 400_00)]


async def test_budgets_are_kept_by_the_engine_and_told_what_they_came_to(market: Market) -> None:
    await market.opens("1", "2", terms=PLAIN)
    hart = await market.reseller("Hart")
    await hart.registers()
    one_of_two = {"kind": "LOT_COUNT", "name": "one of two", "at_most": 1, "lots": ["1", "2"]}
    page = await hart.does("PUT", f"/sales/{SALE}/budgets", {"budgets": [one_of_two]})
    assert (page["settled"], page["code"]) == (True, "ACCEPTED")
    await hart.bids(200_00)
    assert (await hart.bids(200_00, "2"))["code"] == "BUDGET_EXCEEDED"
    page = await hart.get(f"/sales/{SALE}/budgets")
    assert [one["used"] for one in page["kept"]] == [1]
    await hart.does("PUT", f"/sales/{SALE}/budgets", {"budgets": []})
    assert (await hart.bids(200_00, "2"))["accepted"]


async def test_a_ceiling_that_changes_leaves_the_own_budgets_as_they_are(market: Market) -> None:
    await market.is_untaxed()
    await market.opens("1", "2", terms=PLAIN)
    hart = await market.reseller("Hart")
    await hart.registers()
    tonight = {"kind": "ALL_IN", "name": "Hart", "at_most_minor": 500_00, "lots": None}
    await hart.does("PUT", f"/sales/{SALE}/budgets", {"budgets": [tonight]})
    await set_ceiling(market, hart, 400_00)
    await market.resellers.registrar.look_at_the_quiet()
    await market.settled()
    page = await hart.get(f"/sales/{SALE}/budgets")
    assert page["asked"] == [tonight]
    assert [one["budget"]["name"] for one in page["kept"]] == ["Hart", "Hart (2)"]
    await set_ceiling(market, hart, None)
    await market.resellers.registrar.look_at_the_quiet()
    await market.settled()
    page = await hart.get(f"/sales/{SALE}/budgets")
    assert [one["budget"] for one in page["kept"]] == [tonight]


async def test_budgets_that_cannot_be_kept_are_refused(market: Market) -> None:
    await market.opens("1")
    hart = await market.reseller("Hart")
    budget = {"kind": "ALL_IN", "name": "tonight", "at_most_minor": 1, "lots": ["7"]}
    path, body = f"/sales/{SALE}/budgets", {"budgets": [budget]}
    assert (await hart.does("PUT", path, body, status=409))["code"] == "NOT_REGISTERED"
    await hart.registers()
    refused = await hart.does("PUT", path, body, status=422)
    assert refused["detail"] == "budgets: there is no lot 7 in this sale"
    twice = {"budgets": [{**budget, "lots": None}] * 2}
    assert (await hart.does("PUT", path, twice, status=422))["code"] == "BUDGETS_UNUSABLE"


# --- The outbox ----------------------------------------------------------------------------------


class Faulty:
    """An engine that hears the command and does not answer, or does not hear it, now and then."""

    def __init__(self, market: Market, faults: list[str]) -> None:
        self._engine, self.faults = market.host.engine, faults
        self.heard: list[Command] = []

    async def submit(self, command: Command) -> Verdict:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "crash before":
            raise asyncio.CancelledError
        if fault == "busy":
            return Verdict(Rejection.BUSY, "later")
        self.heard.append(command)
        verdict = await self._engine.submit(command)
        if fault == "crash after":
            raise asyncio.CancelledError
        if fault == "lost":
            raise TimeoutError
        return verdict


@pytest.mark.parametrize("fault", ["crash before", "crash after", "lost", "busy"])
async def test_what_was_not_told_is_told_later_whatever_happened_between(
    market: Market, fault: str
) -> None:
    await market.opens("1", terms=WITH_DEPOSIT)
    hart, staff = await market.reseller("Hart"), await market.staff()
    base = f"/organisations/{hart.organisation_id}/sales/{SALE}"
    await hart.registers()
    body = {"amount_minor": 600_00, "currency": "USD", "reason": "wire 4711"}
    await staff.does("POST", f"{base}/deposits", body, status=201)
    engine, key = Faulty(market, [fault]), (hart.organisation_id, SaleId(SALE))
    crashed = registrar_over(market, engine)
    if fault.startswith("crash"):
        with pytest.raises(asyncio.CancelledError):
            await crashed.settle(key)
        # Nobody else tells while the claim of the crashed one holds; then somebody does.
        await market.settled()
        assert not (await registration(hart))["settled"]
        await run_out(market)
    else:
        await crashed.settle(key)
        assert not (await registration(hart))["settled"]
        await at_once(market)
    await market.settled()
    page = await registration(hart)
    assert (page["state"], page["settled"], page["paddle"]) == ("ADMITTED", True, 101)
    assert page["limit_minor"] == 6_000_00


async def test_who_lost_the_claim_sends_nothing_more_and_leaves_the_row_due(
    market: Market,
) -> None:
    """A process that was stopped in the middle: another has told by then, of newer facts."""
    await market.opens("1")
    hart = await market.reseller("Hart")
    await hart.registers()
    key = (hart.organisation_id, SaleId(SALE))
    async with acquire(market.pool) as connection:
        await rows.make_due(connection, *key)
    late = await rows.claim(market.pool, key, market.host.clock.now_us())
    assert late is not None
    await run_out(market)
    await market.settled()
    assert (await registration(hart))["settled"]
    await rows.write_answer(market.pool, late, rows.Told(code="ACCEPTED", limit_minor=1), 0)
    page = await registration(hart)
    assert (page["settled"], page["limit_minor"]) == (False, None)


async def test_the_registrar_works_by_itself_when_it_is_rung(market: Market) -> None:
    await market.opens("1", terms=WITH_DEPOSIT)
    hart, staff = await market.reseller("Hart"), await market.staff()
    await hart.registers()
    working = asyncio.create_task(market.resellers.registrar.run())
    body = {"amount_minor": 600_00, "currency": "USD", "reason": "wire 4711"}
    path = f"/organisations/{hart.organisation_id}/sales/{SALE}/deposits"
    await staff.does("POST", path, body, status=201)
    async with asyncio.timeout(DEADLINE_S):
        while (await registration(hart))["state"] != "ADMITTED":  # noqa: ASYNC110 - a table
            await asyncio.sleep(0.01)
    working.cancel()


# --- A whole limit -------------------------------------------------------------------------------


async def test_a_whole_limit_is_shared_out_and_never_passed(market: Market) -> None:
    await market.opens("1", sale_id="S-1", terms=PLAIN)
    await market.opens("1", sale_id="S-2", terms=PLAIN)
    hart = await market.reseller("Hart", limit_minor=1_000_00)
    first = await hart.registers("S-1", share_minor=700_00)
    second = await hart.registers("S-2")
    assert (first["limit_minor"], second["limit_minor"]) == (700_00, 300_00)
    refused = await hart.does(
        "PUT", "/limit", {"parts": [{"sale_id": "S-2", "share_minor": 301_00}]}, status=409
    )
    assert refused["code"] == "OVER_WHOLE_LIMIT"
    limits = await hart.get("/limit")
    assert (limits["whole_minor"], limits["unnamed_minor"]) == (1_000_00, 300_00)


async def test_a_part_that_grows_waits_until_what_the_other_sale_led_is_free(
    market: Market,
) -> None:
    await market.is_untaxed()
    await market.opens("1", sale_id="S-1", terms=PLAIN)
    await market.opens("1", sale_id="S-2", terms=PLAIN)
    hart = await market.reseller("Hart", limit_minor=1_000_00)
    rival = await market.reseller("Marlow")
    for sale_id in ("S-1", "S-2"):
        await rival.registers(sale_id)
    await hart.registers("S-1", share_minor=800_00)
    await hart.registers("S-2")
    assert (await hart.bids(700_00, sale_id="S-1"))["accepted"]
    parts = [
        {"sale_id": "S-1", "share_minor": 100_00},
        {"sale_id": "S-2", "share_minor": 900_00},
    ]
    await hart.does("PUT", "/limit", {"parts": parts})
    await market.settled()
    assert await told(market, hart) == {"S-1": 100_00, "S-2": 300_00}
    assert (await rival.bids(900_00, sale_id="S-1"))["code"] == "LEADING"
    await market.resellers.registrar.look_at_the_quiet()
    await market.settled()
    assert await told(market, hart) == {"S-1": 100_00, "S-2": 900_00}


async def test_a_sale_that_names_its_part_has_it_from_one_that_named_none(market: Market) -> None:
    await market.opens("1", sale_id="S-1", terms=PLAIN)
    await market.opens("1", sale_id="S-2", terms=PLAIN)
    hart = await market.reseller("Hart", limit_minor=1_000_00)
    await hart.registers("S-1")
    assert (await hart.registers("S-2", share_minor=400_00))["limit_minor"] == 0
    await market.settled()
    assert await told(market, hart) == {"S-1": 600_00, "S-2": 400_00}


async def test_what_is_won_and_not_paid_stays_of_the_whole(market: Market) -> None:
    await market.is_untaxed()

    await market.opens(closing_in(30), sale_id="S-1", terms=PLAIN)
    await market.opens("1", sale_id="S-2", terms=PLAIN)
    hart = await market.reseller("Hart", limit_minor=1_000_00)
    await hart.registers("S-1")
    await hart.registers("S-2")
    assert await told(market, hart) == {"S-1": 1_000_00, "S-2": 0}
    assert (await hart.bids(400_00, sale_id="S-1"))["accepted"]
    await market.closes("S-1")
    await market.settled()
    assert (await told(market, hart))["S-2"] == 900_00, "the hammer fell at 100.00"
    await market.submit(
        RecordFunding(
            sale_id=SaleId("S-1"),
            lot_id=LotId("1"),
            bidder_id=hart.bidder_id,
            actor_id=STAFF_MEMBER,
        )
    )
    await market.caught_up()
    await market.settled()
    assert (await told(market, hart))["S-2"] == 1_000_00


async def test_a_whole_that_staff_set_later_binds_what_is_registered(market: Market) -> None:
    await market.opens("1", sale_id="S-1", terms=PLAIN)
    await market.opens("1", sale_id="S-2", terms=PLAIN)
    hart = await market.reseller("Hart")
    await hart.registers("S-1")
    await hart.registers("S-2")
    assert await told(market, hart) == {"S-1": None, "S-2": None}
    await market.stands(hart, limit_minor=500_00)
    await market.settled()
    assert await told(market, hart) == {"S-1": 500_00, "S-2": 0}
    await market.stands(hart, limit_minor=None)
    await market.settled()
    assert await told(market, hart) == {"S-1": None, "S-2": None}


# --- Hands ---------------------------------------------------------------------------------------


def registrar_over(market: Market, engine: Faulty) -> Registrar:
    """Another process's registrar, with an engine that fails."""
    folds = market.resellers.registrar._telling._folds
    rates = CatalogueRates(market.pool)
    return Registrar(market.pool, engine, folds, rates, market.host.clock.now_us)


async def run_out(market: Market) -> None:
    """All claims have run out."""
    async with acquire(market.pool) as connection:
        await connection.execute("update registration set claimed_until_us = 0")


async def at_once(market: Market) -> None:
    """The time for the next try has come."""
    async with acquire(market.pool) as connection:
        await connection.execute("update registration set next_try_at_us = 0")


async def set_ceiling(market: Market, reseller: Reseller, ceiling_minor: int | None) -> None:
    async with acquire(market.pool) as connection:
        await connection.execute(
            "update membership set ceiling_minor = $2 where person_id = $1 and role = 'bidder'",
            reseller.person_id,
            ceiling_minor,
        )


async def engine_bid(
    market: Market, bidder: Reseller, amount_minor: int, lot: str = "1"
) -> Verdict:
    """The engine's own verdict."""

    return await market.host.engine.submit(bid(bidder.bidder_id, amount_minor, lot))


async def told(market: Market, reseller: Reseller) -> dict[str, int | None]:
    """The limits that the engine has for a reseller."""
    limits: dict[str, int | None] = {}
    for item in (await reseller.get("/registrations"))["items"]:
        sale_id = item["sale_id"]
        feed = await market.resellers.registrar._telling._folds.sale(SaleId(sale_id))
        assert feed is not None
        limits[sale_id] = feed.registrations[BidderId(reseller.bidder_id)].limit_minor
    return limits
