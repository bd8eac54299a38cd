"""Papers of what leaves the dock, of consigned goods, and for a buyer's bank."""

from collections.abc import AsyncIterator
from hashlib import sha256

import msgspec
import pytest

from auction.catalog.photos import PhotoWorker
from auction.chain import body_of
from auction.ids import shard_of
from foundation.database import acquire
from settlement import postings as p
from settlement import postings_house as h
from settlement.chart import STRIPE
from settlement.entries import ConsignedPart
from settlement.ids import AwardId
from settlement.papers.kinds import PaperKind, PaperRefusal, Refused
from settlement.papers.listing import readers_of, statements_of_consignor
from settlement.pickups.at_dock import AtDock
from settlement.pickups.bookings import Bookings
from settlement.pickups.pallets import pallet_id
from settlement.pickups.pickup_table import Pickup
from settlement.pickups.signatures import Signature
from settlement.pickups.words import Truck
from settlement.story import Told, tell
from tests.builders import EBAY_TERMS, bid, register
from tests.catalogue import Boarded
from tests.code128 import codes_on
from tests.consignors import a_consignor_named
from tests.paid_lots import CLERK, DRIVER, PAID, SELLER
from tests.paper_house import PaperHouse, paper_house
from tests.papers import drawn, page_count
from tests.payouts import TARGET, part
from tests.pictures import a_photo
from tests.settlement_rules import BUYER, CLOSED, SALE, at_us

TRUCK = Truck(carrier="Lone Star Freight", driver="R. Vega", trailer="TX-4471", seal="8812")
SIGNED = Signature("R. Vega", "M 10 20 L 30 40 L 50 60 L 70 80 L 90 100 L 110 120")


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PaperHouse]:
    async with paper_house(database_url) as house:
        await house.sells("1", "2")
        yield house


@pytest.fixture
async def photos() -> AsyncIterator[PhotoWorker]:
    worker = PhotoWorker()
    yield worker
    await worker.close()


async def booked(house: PaperHouse, *awards: AwardId) -> Pickup:
    slot = at_us("2026-03-10 09:00")
    return await Bookings(house.pool, house.clock).book(awards, slot, DRIVER, buyer_id=BUYER)


async def left(
    house: PaperHouse, photos: PhotoWorker, pickup: Pickup, *pallets: str, photo: bool = False
) -> None:
    """The truck leaves with these pallets."""
    dock = AtDock(house.pool, house.clock, photos)
    house.clock.is_now("2026-03-10 09:05")
    load = await dock.check_in(pickup.pickup_id, pickup.version, TRUCK, CLERK)
    for pallet in pallets:
        await dock.scan(pickup.pickup_id, pallet, CLERK)
    if photo:
        await dock.add_photos(pickup.pickup_id, [a_photo()], "Both pallets", CLERK)
    house.clock.is_now("2026-03-10 09:40")
    load = await dock.load(pickup.pickup_id)
    await dock.release(pickup.pickup_id, load.pickup.version, SIGNED, CLERK)


async def test_a_pickup_release_becomes_the_bill_of_lading_of_what_was_loaded(
    house: PaperHouse, photos: PhotoWorker
) -> None:
    one, two = await house.paid("1", "2")
    pickup = await booked(house, one, two)
    kind = PaperKind.LOADING
    release = await house.archive.get_document(kind, pickup.pickup_id)
    found = drawn(release.data)
    assert {"Pickup release", "Not signed for yet: the goods are here.", "8"} <= set(found)
    assert {pallet_id(one, 4), pallet_id(two, 1), "1 Dock Road"} <= set(found)
    loaded = [pallet_id(one, number) for number in (1, 2, 3, 4)] + [pallet_id(two, 3)]
    await left(house, photos, pickup, *loaded)
    bill = await house.archive.get_document(kind, pickup.pickup_id)
    found = drawn(bill.data)
    assert {"Bill of lading", "R. Vega", "TX-4471", "8812", "1 of 4", "part of 100"} <= set(found)
    assert set(loaded) <= set(found)
    assert pallet_id(two, 1) not in found
    assert "1,764 lb (800 kg)" in found
    assert "441 lb (200 kg)" in found  # the share of the one pallet
    assert bill.number == release.number
    assert codes_on(bill.data) == [[bill.number]]
    assert (await house.archive.at_version(kind, pickup.pickup_id, 1)).data == release.data
    with pytest.raises(Refused) as refused:
        await house.archive.get_document(kind, "none")
    assert refused.value.refusal is PaperRefusal.NOT_FOUND


async def _bids(house: PaperHouse) -> None:
    """The sale was bid on: by the buyer, and by another."""
    async with acquire(house.pool) as connection:
        boarded = Boarded(connection, SALE)
        await boarded.opens()
        people = [msgspec.structs.replace(register(one), sale_id=SALE) for one in (BUYER, "rival")]
        await boarded.does(*people)
        for bidder, amount in ((BUYER, 150_00), ("rival", 170_00), (BUYER, 990_00)):
            await boarded.does(msgspec.structs.replace(bid(bidder, amount), sale_id=SALE))
        shard = shard_of(SALE)
        for recorded in boarded._log:
            await connection.execute(
                "insert into log_event values ($1, $2, 0, $3, $4)",
                *(shard, recorded.position, SALE, body_of(recorded)),
            )
            if recorded.sequence is not None:
                await connection.execute(
                    "insert into lot_event values ($1, $2, $3, $4)",
                    *(SALE, getattr(recorded.event, "lot_id", ""), recorded.sequence),
                    recorded.position,
                )


async def _accepts(house: PaperHouse) -> bytes:
    digest = sha256(b"the words").digest()
    rules = msgspec.json.encode(EBAY_TERMS).decode()
    await house.does(
        "insert into accepted_terms values ($1, $2::jsonb, 'As it stands.', 'Wire.', 'Dock 3.')",
        digest,
        rules,
    )
    await house.does(
        "insert into acceptance (organisation_id, sale_id, terms_version, terms_sha256, "
        "restrictions, person_id, at_us, address) values ($1, $2, 3, $3, '{}', 'person-hart', "
        "$4, '203.0.113.7')",
        *(BUYER, SALE, digest, CLOSED - 3_600_000_000),
    )
    return digest


async def test_evidence_is_all_that_the_buyer_agreed_to_bid_paid_signed_and_said(
    house: PaperHouse, photos: PhotoWorker
) -> None:
    award_id = await house.worked_example()
    digest = await _accepts(house)
    await _bids(house)
    pallets = [pallet_id(award_id, number) for number in (1, 2, 3, 4)]
    await left(house, photos, await booked(house, award_id), *pallets, photo=True)
    await house.does(
        "insert into lot_question (question_id, sale_id, lot_id, liquidator_id, question, "
        "asked_at_us, asker_id, asked_by, told_at_us) values ('q1', $1, '1', $2, "
        "'Are plugs cut?', $3, $4, 'person-hart', $3)",
        *(SALE, SELLER, CLOSED - 9, BUYER),
    )
    async with acquire(house.pool) as connection:
        told = [
            Told(kind="paid", award_id=award_id, facts={"amount_minor": 1_190_750, "why": "x y z"}),
            Told(kind="offered", award_id=award_id, facts={"bidder_id": "rival"}),
        ]
        await tell(connection, told, PAID)
    evidence = await house.archive.get_document(PaperKind.EVIDENCE, award_id)
    found = drawn(evidence.data)
    for shown in ("person-hart", "203.0.113.7", "Version 3", "As it stands.", "Dock 3."):
        assert shown in found
    assert " ".join(digest.hex()[place : place + 8] for place in range(0, 64, 8)) in " ".join(found)
    assert {"100.00", "172.50", "yes"} <= set(found)
    # No maximum, and no rival's bid.
    assert not {"990.00", "150.00", "170.00", "152.50"} & set(found)
    assert "Paid: amount $11,907.50" in found
    assert not any("rival" in text or "ffered" in text or "x y z" in text for text in found)
    assert {"R. Vega", "Are plugs cut?", "The buyer", "Bill of lading BOL-000001"} <= set(found)
    assert any(text.startswith("At the dock: Both pallets") for text in found)
    assert b"/Subtype /Image" in evidence.data
    assert page_count(evidence.data) >= 4


async def test_a_consignor_reads_its_month_load_by_load(house: PaperHouse) -> None:
    await a_consignor_named(house.pool, SELLER, TARGET, "agreement-1")
    awards = await house.paid("1", "2", hammer_minor=1_000_000)
    await house.result("1", hammer_minor=1_000_000)
    await house.result("2", "PASSED", reason="RESERVE_NOT_MET")
    await house.does("delete from award where award_id = $1", awards[1])
    for number, load in (("1", "LD-7"), ("2", "LD-8")):
        await house.does(
            "insert into consigned_lot values ($1, $2, $3, 'agreement-1', 1, 4, $4, 'PO 1', '')",
            *(SALE, number, TARGET, load),
        )
    about = await house.about(awards[0])
    kept = part(awards[0], 1_000_000, 100_000, 0)
    await house.books(p.release(about, SELLER, kept, 50_000, ConsignedPart(TARGET, 872_800)))
    about = await house.about(awards[0])
    paid = h.consignor_paid(about, TARGET, 872_800, STRIPE)
    await house.books(paid)
    kind = PaperKind.CONSIGNOR_STATEMENT
    statement = await house.archive.get_document(kind, f"{TARGET}:2026-03")
    found = drawn(statement.data)
    assert {"Load LD-7 (PO PO 1)", "Load LD-8 (PO PO 1)", "March 2026"} <= set(found)
    assert {"10,000.00", "-1,200.00", "-72.00", "8,728.00", "-8,728.00", "$0.00"} <= set(found)
    assert "Passed \u00b7 reserve not met" in found
    assert not {"Hart", "Hart Resale, Inc."} & set(found)
    seller = drawn((await house.archive.get_document(PaperKind.LIQUIDATOR_STATEMENT, SALE)).data)
    assert {"-500.00", "-8,728.00", "772.00", "$772.00"} <= set(seller)
    advice = drawn((await house.archive.get_document(PaperKind.PAYOUT_ADVICE, paid.key)).data)
    assert {"Target", "-1,200.00", "-72.00", "$8,728.00"} <= {*advice, "Target"}
    for subject in (f"{TARGET}:2026-04", f"{TARGET}:2026-13", "nobody:2026-03", "x"):
        with pytest.raises(Refused) as refused:
            await house.archive.get_document(kind, subject)
        assert refused.value.refusal is PaperRefusal.NOT_FOUND


async def test_a_consignor_reads_what_was_sold_what_passed_and_whose_buyer_did_not_pay(
    house: PaperHouse,
) -> None:
    await house.sells("3")
    await a_consignor_named(house.pool, SELLER, TARGET, "agreement-1")
    first, second = await house.paid("1", "2", hammer_minor=1_000_000)
    await house.does(
        "update award set state = 'VOID', funded_at_us = null where award_id = $1", second
    )
    await house.result("1", hammer_minor=1_000_000)
    await house.result("2", hammer_minor=1_000_000)
    await house.result("3", "PASSED", reason="NO_BIDS")
    for number in ("1", "2", "3"):
        await house.does(
            "insert into consigned_lot values ($1, $2, $3, 'agreement-1', 1, 4, 'LD-7', '', '')",
            *(SALE, number, TARGET),
        )
    kind = PaperKind.CONSIGNOR_STATEMENT
    found = drawn((await house.archive.get_document(kind, f"{TARGET}:2026-03")).data)
    assert {"Load LD-7", "Buyer did not pay", "Passed \u00b7 no bids"} <= set(found)
    assert any("1 defaulted" in text and "1 passed" in text for text in found)
    # Of the three only one brings anything.
    assert found.count("8,728.00") >= 1 and "17,456.00" not in found
    assert first != second


async def test_a_month_with_two_currencies_has_a_consignors_statement_for_each(
    house: PaperHouse,
) -> None:
    await a_consignor_named(house.pool, SELLER, TARGET, "agreement-1")
    await house.paid("1", "2", hammer_minor=1_000_000)
    for number in ("1", "2"):
        await house.result(number, hammer_minor=1_000_000)
        await house.does(
            "insert into consigned_lot values ($1, $2, $3, 'agreement-1', 1, 4, '', '', '')",
            *(SALE, number, TARGET),
        )
    await house.does("update lot_result set currency = 'EUR' where lot_id = '2'")
    kind, subject = PaperKind.CONSIGNOR_STATEMENT, f"{TARGET}:2026-03"
    async with acquire(house.pool) as connection:
        offered = await statements_of_consignor(connection, TARGET)
        assert SELLER in await readers_of(connection, kind, f"{subject}:EUR")
    assert [(one.subject, one.about) for one in offered] == [
        (f"{subject}:EUR", "March 2026, EUR"),
        (f"{subject}:USD", "March 2026, USD"),
    ]
    for one in offered:
        found = drawn((await house.archive.get_document(kind, one.subject)).data)
        assert "8,728.00" in found and "17,456.00" not in found
    for wrong in (subject, f"{subject}:JPY"):
        with pytest.raises(Refused) as refused:
            await house.archive.get_document(kind, wrong)
        assert refused.value.refusal is PaperRefusal.NOT_FOUND


async def test_costs_that_other_goods_bore_are_on_both_statements(house: PaperHouse) -> None:
    await a_consignor_named(house.pool, SELLER, TARGET, "agreement-1")
    first, second = await house.paid("1", "2", hammer_minor=1_000_000)
    for number, month in (("1", "03"), ("2", "04")):
        at = at_us(f"2026-{month}-06 17:00")
        await house.result(number, hammer_minor=1_000_000, closed_at_us=at)
        await house.does(
            "insert into consigned_lot values ($1, $2, $3, 'agreement-1', 1, 4, '', '', '')",
            *(SALE, number, TARGET),
        )
    about = await house.about(second)
    kept = part(second, 1_000_000, 100_000, 0)
    await house.books(p.release(about, SELLER, kept, 50_000, ConsignedPart(TARGET, 872_800)))
    about = await house.about(second, subject=first)
    await house.books(h.consignor_charged(about, TARGET, SELLER, 7_200, second))
    kind = PaperKind.CONSIGNOR_STATEMENT
    bearing = drawn((await house.archive.get_document(kind, f"{TARGET}:2026-04")).data)
    assert {"Costs of goods that brought less", "-72.00", "$8,656.00"} <= set(bearing)
    borne = drawn((await house.archive.get_document(kind, f"{TARGET}:2026-03")).data)
    assert {"Costs, taken from other goods", "72.00", "$72.00"} <= set(borne)
