"""A truck is checked in, loaded by scan, signed for, and leaves: what that means for its lots."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from auction.catalog.goods import FreightTerms
from auction.catalog.photos import PhotoWorker
from auction.ids import BidderId
from foundation.database import Pool, acquire, transaction
from settlement.ids import AwardId
from settlement.lives import AwardState, PaymentState
from settlement.pickups.at_dock import AtDock, Load
from settlement.pickups.bookings import Bookings
from settlement.pickups.charges import Charges
from settlement.pickups.deadlines import pickup_handlers, want_deadlines
from settlement.pickups.deliveries import Deliveries, Proof, Shipping
from settlement.pickups.pallets import pallet_id
from settlement.pickups.pickup_table import Pickup
from settlement.pickups.signatures import Signature
from settlement.pickups.words import ChargeState, PickupState, Refused, Truck
from settlement.steps import Wanted, want
from settlement.worker import Worker
from tests.books import balances_of
from tests.paid_lots import (
    CLERK,
    DRIVER,
    Clock,
    a_pool,
    give_credit,
    goods,
    lots,
    pay_for,
    row_of,
    told,
    waiting,
)
from tests.pictures import a_bomb, a_photo
from tests.settlement_rules import BUYER, TEXAS, at_us

NINE = at_us("2026-03-10 09:00")
REMOTE = BidderId("remote")
TRUCK = Truck(carrier="Lone Star Freight", driver="R. Vega", trailer="TX-4471", seal="8812")
SIGNED = Signature("R. Vega", "M 10 20 L 30 40 L 50 60 L 70 80 L 90 100 L 110 120")


class Dock:
    """All services of the dock over one database, by one clock."""

    def __init__(self, pool: Pool, photos: PhotoWorker) -> None:
        self.pool, self.clock = pool, Clock()
        self.bookings = Bookings(pool, self.clock)
        self.at_dock = AtDock(pool, self.clock, photos)
        self.charges = Charges(pool, self.clock)
        self.deliveries = Deliveries(pool, self.clock, photos)
        self.worker = Worker(pool, pickup_handlers(), self.clock)

    async def paid(self, *numbers: str, **changes: object) -> list[AwardId]:
        async with acquire(self.pool) as connection:
            return await pay_for(connection, *lots(*numbers, **changes))

    async def booked(self, *awards: AwardId, at: str = "2026-03-10 09:00") -> Pickup:
        return await self.bookings.book(awards, at_us(at), DRIVER, buyer_id=BUYER)

    async def checked_in(self, pickup: Pickup, now: str = "2026-03-10 09:05") -> Load:
        self.clock.is_now(now)
        return await self.at_dock.check_in(pickup.pickup_id, pickup.version, TRUCK, CLERK)

    async def scans(self, load: Load, award_id: AwardId, *numbers: int) -> None:
        for number in numbers:
            await self.at_dock.scan(load.pickup.pickup_id, pallet_id(award_id, number), CLERK)

    async def leaves(self, load: Load, signature: Signature = SIGNED) -> Load:
        now = await self.at_dock.load(load.pickup.pickup_id)
        return await self.at_dock.release(
            now.pickup.pickup_id, now.pickup.version, signature, CLERK
        )

    async def balances(self) -> dict[str, int]:
        async with acquire(self.pool) as connection:
            return await balances_of(connection)


@pytest.fixture
async def dock(database_url: str) -> AsyncIterator[Dock]:
    photos = PhotoWorker()
    async with a_pool(database_url) as pool:
        yield Dock(pool, photos)
    await photos.close()


async def refused(asked: object) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        await asked  # type: ignore[misc]
    return caught.value.refusal.value, caught.value.message


async def test_a_whole_load_is_signed_for_and_the_claims_window_begins(dock: Dock) -> None:
    one, two = await dock.paid("1", "2")
    load = await dock.checked_in(await dock.booked(one, two))
    await dock.scans(load, one, 1, 2, 3, 4)
    await dock.scans(load, two, 1, 2, 3, 4)
    dock.clock.is_now("2026-03-10 09:40")
    left = await dock.leaves(load)
    assert left.pickup.state is PickupState.GONE
    assert (left.pickup.signed_by, left.pickup.signature) == ("R. Vega", SIGNED.path)
    assert (left.pickup.driver, left.pickup.trailer, left.pickup.seal) == (
        "R. Vega",
        "TX-4471",
        "8812",
    )
    assert left.pickup.gone_at_us == dock.clock.now_us
    for award_id in (one, two):
        row = await row_of(dock.pool, award_id)
        assert (row.state, row.handed_over_at_us) == (AwardState.HANDED_OVER, dock.clock.now_us)
        assert await told(dock.pool, award_id) == ["pickup_booked", "checked_in", "handed_over"]
    accepts = await waiting(dock.pool, "accept")
    assert {op["due_at_us"] for op in accepts} == {at_us("2026-03-12 09:40")}
    again = dock.bookings.book([one], at_us("2026-03-11 09:00"), CLERK)
    assert (await refused(again))[0] == "NOTHING_LEFT"


async def test_a_part_of_a_load_goes_and_the_rest_is_booked_again(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    load = await dock.checked_in(await dock.booked(one))
    await dock.scans(load, one, 1, 3)
    left = await dock.leaves(load)
    assert (left.loaded, left.standing) == (2, 2)
    assert (await row_of(dock.pool, one)).state is AwardState.FUNDED
    assert not await waiting(dock.pool, "accept")
    (ready,) = await dock.bookings.ready(BUYER)
    assert (ready.left, ready.pickup_id) == (2, None)
    rest = await dock.checked_in(await dock.booked(one, at="2026-03-12 09:00"), "2026-03-12 09:00")
    gone = dock.at_dock.scan(rest.pickup.pickup_id, pallet_id(one, 3), CLERK)
    assert await refused(gone) == ("PALLET_GONE", "Pallet 3 of lot 1 has left already.")
    await dock.scans(rest, one, 2, 4)
    await dock.leaves(rest)
    assert (await row_of(dock.pool, one)).state is AwardState.HANDED_OVER


async def test_a_wrong_pallet_is_refused_in_words_that_the_dock_understands(dock: Dock) -> None:
    one, two = await dock.paid("1", "2")
    load = await dock.checked_in(await dock.booked(one))
    await dock.bookings.ready(BUYER)  # the other lot's pallets have their numbers
    pickup_id = load.pickup.pickup_id
    foreign = await refused(dock.at_dock.scan(pickup_id, pallet_id(two, 1), CLERK))
    said = "This pallet is of lot 2; this truck is for 1. Do not load it."
    assert foreign == ("WRONG_PALLET", said)
    for code in ("SC0000000000-01", "4006381333931", "'; drop table award;--", "\u202e<b>"):
        assert (await refused(dock.at_dock.scan(pickup_id, code, CLERK)))[0] == "UNKNOWN_PALLET"
    typed = await dock.at_dock.scan(pickup_id, f" {pallet_id(one, 1).lower()} ", CLERK)
    assert (typed.lot_number, typed.loaded, typed.of, typed.again) == ("1", 1, 4, False)
    assert (await dock.at_dock.scan(pickup_id, pallet_id(one, 1), CLERK)).again
    off = await dock.at_dock.unload(pickup_id, pallet_id(one, 1), CLERK)
    assert (off.loaded, off.of) == (0, 4)
    again = dock.at_dock.unload(pickup_id, pallet_id(one, 1), CLERK)
    assert (await refused(again))[0] == "NOT_LOADED"
    now = await dock.at_dock.load(pickup_id)
    empty = dock.at_dock.release(pickup_id, now.pickup.version, SIGNED, CLERK)
    assert (await refused(empty))[0] == "NOTHING_LOADED"


async def test_a_pallet_is_known_by_its_sscc_too(dock: Dock) -> None:
    one, two = await dock.paid("1", "2")
    load = await dock.checked_in(await dock.booked(one))
    async with acquire(dock.pool) as connection:
        for award_id, sscc in ((one, "003456789012345675"), (two, "003456789012345682")):
            await connection.execute(
                "insert into pallet_sscc (award_id, number, sscc, given_at_us) "
                "values ($1, 2, $2, 1)",
                *(award_id, sscc),
            )
    await dock.bookings.ready(BUYER)
    pickup_id = load.pickup.pickup_id
    scanned = await dock.at_dock.scan(pickup_id, "(00)003456789012345675", CLERK)
    assert scanned.pallet.pallet_id == pallet_id(one, 2)
    foreign = dock.at_dock.scan(pickup_id, "00003456789012345682", CLERK)
    assert (await refused(foreign))[0] == "WRONG_PALLET"
    nobodys = dock.at_dock.scan(pickup_id, "00003456789012345699", CLERK)
    assert (await refused(nobodys))[0] == "UNKNOWN_PALLET"


async def test_what_is_paid_has_its_deadlines(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    shipped = await shipped_lot(dock)
    async with transaction(dock.pool) as connection:
        for award_id in (one, one, shipped):
            await want_deadlines(connection, award_id, dock.clock.now_us)
    (notice,) = await waiting(dock.pool, "abandonment_notice")
    assert (notice["subject"], notice["due_at_us"]) == (one, at_us("2026-03-23 09:00"))
    (accept,) = await waiting(dock.pool, "accept")
    assert (accept["subject"], accept["due_at_us"]) == (one, at_us("2026-03-18 09:00"))


async def test_many_scanners_at_once_load_each_pallet_once(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    load = await dock.checked_in(await dock.booked(one))
    scans = [
        dock.at_dock.scan(load.pickup.pickup_id, pallet_id(one, number), CLERK)
        for number in (1, 2, 3, 4) * 3
    ]
    answers = await asyncio.gather(*scans)
    assert sum(not answer.again for answer in answers) == 4
    assert (await dock.at_dock.load(load.pickup.pickup_id)).loaded == 4


async def test_nothing_is_loaded_before_the_truck_is_here(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    booked = await dock.booked(one)
    scan = dock.at_dock.scan(booked.pickup_id, pallet_id(one, 1), CLERK)
    assert await refused(scan) == ("NOT_NOW", "Check the truck in first.")
    release = dock.at_dock.release(booked.pickup_id, booked.version, SIGNED, CLERK)
    assert (await refused(release))[0] == "NOT_NOW"
    unread = dock.at_dock.release(booked.pickup_id, 1, Signature("R. Vega", "M 1 2 Z"), CLERK)
    assert (await refused(unread))[0] == "BAD_SIGNATURE"
    stale = dock.at_dock.check_in(booked.pickup_id, 7, TRUCK, CLERK)
    assert (await refused(stale))[0] == "CHANGED_MEANWHILE"


async def test_goods_whose_payment_is_disputed_stay_on_the_truck_at_the_dock(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    load = await dock.checked_in(await dock.booked(one))
    await dock.scans(load, one, 1)
    async with acquire(dock.pool) as connection:
        await connection.execute("update invoice set payment = $1", PaymentState.DISPUTED)
    assert (await refused(dock.leaves(load)))[0] == "DISPUTED"
    scan = dock.at_dock.scan(load.pickup.pickup_id, pallet_id(one, 2), CLERK)
    assert (await refused(scan))[0] == "DISPUTED"


async def test_storage_is_charged_at_the_gate_and_keeps_the_goods_until_it_is_paid(
    dock: Dock,
) -> None:
    (one,) = await dock.paid("1")  # free until Monday the 16th
    load = await dock.checked_in(await dock.booked(one, at="2026-03-18 09:00"), "2026-03-18 09:10")
    (charge,) = load.charges
    assert (charge.amount_minor, load.open_minor) == (2 * 4 * 7_00, 56_00)
    await dock.scans(load, one, 1, 2, 3, 4)
    said = "56.00 USD are to be paid before the goods leave."
    assert await refused(dock.leaves(load)) == ("CHARGES_OPEN", said)
    too_much = dock.charges.record_payment(charge.charge_id, charge.version, 57_00, "cheque", CLERK)
    assert (await refused(too_much))[0] == "BAD_AMOUNT"
    part = await dock.charges.record_payment(
        charge.charge_id, charge.version, 20_00, "cheque 114", CLERK
    )
    assert (part.state, part.open_minor) == (ChargeState.OPEN, 36_00)
    paid = await dock.charges.record_payment(
        charge.charge_id, part.version, 36_00, "cheque 115", CLERK
    )
    assert paid.state is ChargeState.PAID
    assert (await dock.leaves(load)).pickup.state is PickupState.GONE
    books = await dock.balances()
    assert (books["bank"], books["storage_income"]) == (56_00, 56_00)


async def test_storage_is_taken_from_credit_as_far_as_that_goes(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    await give_credit(dock.pool, 40_00)
    load = await dock.checked_in(await dock.booked(one, at="2026-03-18 09:00"), "2026-03-18 09:10")
    assert load.open_minor == 16_00
    await give_credit(dock.pool, 10_00)
    charge = await dock.charges.pay_from_credit(load.charges[0].charge_id, DRIVER, BUYER)
    assert charge.open_minor == 6_00
    none_left = dock.charges.pay_from_credit(charge.charge_id, DRIVER, BUYER)
    assert (await refused(none_left))[0] == "BAD_AMOUNT"
    foreign = dock.charges.pay_from_credit(charge.charge_id, DRIVER, BidderId("other"))
    assert (await refused(foreign))[0] == "NOT_FOUND"
    unsaid = dock.charges.waive(charge.charge_id, charge.version, "  ", CLERK)
    assert (await refused(unsaid))[0] == "WHY_NEEDED"
    waived = await dock.charges.waive(charge.charge_id, charge.version, "our dock was shut", CLERK)
    assert (waived.state, waived.open_minor, waived.paid_minor) == (ChargeState.WAIVED, 0, 50_00)
    await dock.scans(load, one, 1, 2, 3, 4)
    await dock.leaves(load)
    books = await dock.balances()
    assert books["storage_income"] == 50_00 and "buyer_credit:buyer" not in books


async def test_credit_that_is_kept_for_an_invoice_is_not_eaten_by_storage(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    await give_credit(dock.pool, 40_00)
    async with acquire(dock.pool) as connection:
        await connection.execute(
            "insert into payment_earmark (invoice_id, buyer_id, currency, amount_minor) "
            "select invoice_id, buyer_id, currency, 3000 from invoice"
        )
    load = await dock.checked_in(await dock.booked(one, at="2026-03-18 09:00"), "2026-03-18 09:10")
    assert load.open_minor == 56_00 - 10_00


async def test_storage_goes_on_and_is_charged_for_what_came_since(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    dock.clock.is_now("2026-03-17 09:00")
    (first,) = await dock.charges.count_up(one, DRIVER, BUYER)
    assert first.amount_minor == 28_00
    assert await dock.charges.count_up(one, DRIVER, BUYER) == [first]
    dock.clock.is_now("2026-03-19 09:00")
    _, second = await dock.charges.count_up(one, DRIVER, BUYER)
    assert second.amount_minor == 56_00


async def test_what_a_night_at_the_dock_costs_is_charged_although_the_truck_may_not_leave(
    dock: Dock,
) -> None:
    (one,) = await dock.paid("1")
    load = await dock.checked_in(await dock.booked(one, at="2026-03-16 15:00"), "2026-03-16 15:00")
    await dock.scans(load, one, 1, 2, 3, 4)
    dock.clock.is_now("2026-03-17 00:10")
    assert (await refused(dock.leaves(load)))[0] == "CHARGES_OPEN"
    (charge,) = await dock.charges.of_award(one)
    assert charge.open_minor == 28_00


async def test_who_comes_two_hours_late_is_in_time_and_a_minute_later_pays(dock: Dock) -> None:
    one, two = await dock.paid("1", "2")
    first, second = await dock.booked(one), await dock.booked(two)
    in_time = await dock.checked_in(first, "2026-03-10 11:00")
    assert not in_time.charges
    late = await dock.checked_in(second, "2026-03-10 11:01")
    assert [charge.amount_minor for charge in late.charges] == [50_00]


async def test_nobody_comes_and_the_lot_can_be_booked_again(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    booked = await dock.booked(one)
    dock.clock.now_us = at_us("2026-03-10 11:00")
    assert await dock.worker.drain() == 0
    dock.clock.now_us += 1
    assert await dock.worker.drain() == 1
    assert (await dock.bookings.pickup(booked.pickup_id)).state is PickupState.MISSED
    (charge,) = await dock.charges.of_buyer(BUYER, only_open=True)
    assert (charge.amount_minor, charge.pickup_id) == (50_00, booked.pickup_id)
    assert await told(dock.pool, one) == ["pickup_booked", "pickup_missed", "charged"]
    load = await dock.checked_in(await dock.booked(one, at="2026-03-11 09:00"), "2026-03-11 09:00")
    assert [each.charge_id for each in load.charges] == [charge.charge_id], "it is charged once"
    await dock.scans(load, one, 1)
    assert (await refused(dock.leaves(load)))[0] == "CHARGES_OPEN"


async def test_a_booking_that_was_changed_is_not_missed_at_its_first_time(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    booked = await dock.booked(one)
    await dock.bookings.move(booked.pickup_id, 1, at_us("2026-03-12 09:00"), CLERK)
    dock.clock.is_now("2026-03-10 12:00")
    assert await dock.worker.drain() == 1
    assert (await dock.bookings.pickup(booked.pickup_id)).state is PickupState.BOOKED
    assert not await dock.charges.of_buyer(BUYER)


async def test_on_day_fourteen_the_buyer_is_told_that_its_goods_are_given_up(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    async with transaction(dock.pool) as connection:
        due_at_us = at_us("2026-03-23 09:00")
        notice = Wanted(operation="abandonment_notice", subject=one, due_at_us=due_at_us)
        await want(connection, [notice], dock.clock.now_us)
    dock.clock.now_us = due_at_us
    assert await dock.worker.drain() == 1
    assert "abandonment_notice" in await told(dock.pool, one)
    (charge,) = await dock.charges.of_award(one)
    assert charge.amount_minor == 7 * 4 * 7_00


async def test_goods_that_nobody_fetched_in_time_are_still_the_buyers(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    async with acquire(dock.pool) as connection:
        await connection.execute("update award set state = 'RELEASED'")
    load = await dock.checked_in(await dock.booked(one))
    await dock.scans(load, one, 1, 2, 3, 4)
    await dock.leaves(load)
    assert (await row_of(dock.pool, one)).state is AwardState.RELEASED
    assert (await told(dock.pool, one))[-1] == "collected_late"
    assert not await dock.bookings.ready(BUYER)


async def test_pictures_are_made_anew_and_hostile_ones_refused(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    booked = await dock.booked(one)
    early = dock.at_dock.add_photos(booked.pickup_id, [a_photo()], "", CLERK)
    assert (await refused(early))[0] == "NOT_NOW"
    load = await dock.checked_in(booked)
    pickup_id = load.pickup.pickup_id
    (photo,) = await dock.at_dock.add_photos(pickup_id, [a_photo()], "The load", CLERK)
    assert {file.size for file in photo.files} == {"tile", "page", "full"}
    async with acquire(dock.pool) as connection:
        digests = [file.sha256 for file in photo.files]
        kept = await connection.fetch("select bytes from picture where sha256 = any($1)", digests)
    assert kept and all(b"CAMERA-MAKER" not in row["bytes"] for row in kept)
    for hostile in (b"", b"GIF89a" + bytes(100), b"<svg onload=alert(1)>", a_bomb(20_000, 20_000)):
        answer = await refused(dock.at_dock.add_photos(pickup_id, [hostile], "", CLERK))
        assert answer[0] == "BAD_PHOTO"
    assert len((await dock.at_dock.load(pickup_id)).photos) == 1


async def shipped_lot(dock: Dock) -> AwardId:
    async with acquire(dock.pool) as connection:
        (award_id,) = await pay_for(
            connection,
            *lots("9", ships_to=TEXAS, buyer_id=REMOTE),
            what=[goods("9", freight_terms=FreightTerms.FIXED)],
        )
    return award_id


async def test_what_the_house_ships_is_handed_over_when_its_arrival_is_proved(dock: Dock) -> None:
    award_id = await shipped_lot(dock)
    (waits,) = await dock.deliveries.under_way()
    assert (waits.award.award_id, waits.delivery) == (award_id, None)
    dock.clock.is_now("2026-03-10 12:00")
    shipping = Shipping(carrier="Estes", tracking="123-456", shipped_at_us=NINE)
    sent = await dock.deliveries.ship(award_id, None, shipping, CLERK)
    twice = dock.deliveries.ship(award_id, None, shipping, CLERK)
    assert (await refused(twice))[0] == "CHANGED_MEANWHILE"
    mended = replace(shipping, tracking="123-457")
    sent = await dock.deliveries.ship(award_id, sent.version, mended, CLERK)
    (shipped,) = await dock.deliveries.under_way()
    assert sent.tracking == "123-457" and shipped.delivery == sent
    dock.clock.is_now("2026-03-13 10:00")
    proof = Proof(delivered_at_us=at_us("2026-03-12 15:00"), signed_by="J. Ortiz")
    for wrong in (NINE - 1, dock.clock.now_us + 1, 0, 2**63):
        bad = dock.deliveries.delivered(
            award_id, sent.version, replace(proof, delivered_at_us=wrong), CLERK
        )
        assert (await refused(bad))[0] == "BAD_TIME"
    proved = await dock.deliveries.delivered(award_id, sent.version, proof, CLERK, [a_photo()])
    assert proved.signed_by == "J. Ortiz"
    assert not await dock.deliveries.under_way()
    _, photos = await dock.deliveries.delivery(award_id, REMOTE)
    assert len(photos) == 1
    row = await row_of(dock.pool, award_id)
    assert (row.state, row.handed_over_at_us) == (AwardState.HANDED_OVER, dock.clock.now_us)
    (accept,) = await waiting(dock.pool, "accept")
    assert accept["due_at_us"] == at_us("2026-03-17 10:00")
    again = dock.deliveries.delivered(award_id, proved.version, proof, CLERK)
    assert (await refused(again))[0] == "NOT_NOW"


async def test_what_the_buyer_fetches_is_not_shipped(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    shipping = Shipping(carrier="Estes", tracking="123-456", shipped_at_us=NINE)
    assert (await refused(dock.deliveries.ship(one, None, shipping, CLERK)))[0] == (
        "FETCHED_BY_BUYER"
    )


async def test_a_truck_that_is_sent_away_is_unloaded_first(dock: Dock) -> None:
    (one,) = await dock.paid("1")
    load = await dock.checked_in(await dock.booked(one))
    await dock.scans(load, one, 1, 2)
    now = (await dock.at_dock.load(load.pickup.pickup_id)).pickup
    sent = await dock.bookings.cancel(now.pickup_id, now.version, CLERK)
    assert sent.state is PickupState.CANCELLED
    async with acquire(dock.pool) as connection:
        loaded = await connection.fetchval(
            "select count(*) from award_pallet where pickup_id is not null or loaded_at_us > 0"
        )
    assert loaded == 0
