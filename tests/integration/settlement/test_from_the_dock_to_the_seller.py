"""A lot from its payment over the dock and a claim to its release: to the cent, here and there."""

from collections.abc import AsyncIterator

import pytest

from auction.catalog.photos import PhotoWorker
from foundation.database import acquire
from settlement.accepting import Accept
from settlement.claiming.desk import ClaimsDesk
from settlement.claiming.filing import Claims
from settlement.claiming.refunding import claim_handlers
from settlement.claiming.words import ClaimState, FiledLine, Filing
from settlement.claims import Reason
from settlement.ids import AwardId
from settlement.lives import AwardState
from settlement.operations import Handler
from settlement.pickups.at_dock import AtDock
from settlement.pickups.bookings import Bookings
from settlement.pickups.deadlines import pickup_handlers
from settlement.pickups.pallets import pallet_id
from settlement.pickups.signatures import Signature
from settlement.pickups.words import Truck
from settlement.releasing import Releasing
from tests.catalogue import a_described_lot, a_line, a_sale, list_lots
from tests.paid_lots import CHIEF, CLERK, DRIVER
from tests.settlement_rules import at_us
from tests.settling import BUYER, NORTH, SALE, Settling, card_cap, settling

ONE = AwardId("S1~1")
MANIFEST = (a_line(1, quantity=100, unit_msrp_minor=200_00),)


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    handlers: dict[str, Handler] = {
        "accept": Accept(),
        "release": Releasing(),
        **pickup_handlers(),
        **claim_handlers(),
    }
    async with settling(database_url, lambda pool, provider: handlers) as room:
        async with acquire(room.pool) as connection:
            await card_cap(connection, 99_999_999)
            await connection.execute(
                "insert into liquidator_commission values ($1, 'USD', 0, 500, 0, 0, 'test')", NORTH
            )
            lot = a_described_lot("1", SALE)
            await list_lots(connection, lot, sale=a_sale(SALE), lines=MANIFEST)
        yield room


async def test_what_was_paid_is_fetched_claimed_credited_and_owed_as_in_the_worked_example(
    room: Settling,
) -> None:
    await room.buyer()
    invoice_id = await room.invoice(1_000_000, rate_bps=1_000)
    await room.drain()
    photos, now_us = PhotoWorker(), room.now_us
    bookings, at_dock = Bookings(room.pool, now_us), AtDock(room.pool, now_us, photos)
    slot = at_us("2026-03-09 09:00")
    booked = await bookings.book([ONE], slot, DRIVER, buyer_id=BUYER)
    await room.moves(days=2, hours=16)
    truck = Truck(carrier="Lone Star", driver="R. Vega")
    await at_dock.check_in(booked.pickup_id, booked.version, truck, CLERK)
    await at_dock.scan(booked.pickup_id, pallet_id(ONE, 1), CLERK)
    load = await at_dock.load(booked.pickup_id)
    await at_dock.release(booked.pickup_id, load.pickup.version, Signature("R. Vega"), CLERK)
    claims, desk = Claims(room.pool, now_us, photos), ClaimsDesk(room.pool, now_us)
    missing = FiledLine(line=1, reason=Reason.MISSING, quantity=12)
    claim = await claims.file(ONE, Filing(lines=(missing,)), DRIVER, buyer_id=BUYER)
    proposed = await desk.grant(claim.claim_id, claim.version, CLERK)
    agreed = await desk.agree(claim.claim_id, proposed.version, CHIEF)
    assert agreed.state is ClaimState.CREDITING
    await room.drain()
    await room.hears()
    assert not await room.waiting()
    assert (await claims.claim(claim.claim_id)).state is ClaimState.GRANTED
    (award,) = (await room.held(invoice_id)).awards.values()
    assert award.state is AwardState.RELEASED
    books = await room.balances()
    assert books == {
        "commission_income": 44_000,
        "premium_income": 88_000,
        "sales_tax:US-TX": 79_860,
        "seller_payable:north": 836_000,
        "stripe_balance": 1_190_750 - 34_562 - 142_890,
        "stripe_fees": 34_562,
    }
    assert books["stripe_balance"] == room.at_stripe_minor()
    (refund,) = room.rows("refund")
    assert refund["amount"] == 142_890
    await room.moves(days=30)
    assert len(room.rows("refund")) == 1, "no deadline credits or releases it again"
    assert await room.balances() == books
