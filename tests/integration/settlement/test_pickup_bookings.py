"""Paid lots are booked into slots of a dock; no place is given twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import pytest

from auction.catalog.goods import FreightTerms
from auction.ids import BidderId
from foundation.database import AnyConnection, Pool, acquire
from settlement.ids import AwardId, InvoiceId
from settlement.lives import AwardState, PaymentState
from settlement.pickups.bookings import Bookings
from settlement.pickups.docks import Docks
from settlement.pickups.slots import DockPlan, Hours, dock_id_of
from settlement.pickups.words import PickupRefusal, PickupState, Refused
from settlement.rows import Held, read_invoice
from tests.paid_lots import (
    CLERK,
    DRIVER,
    SELLER,
    Clock,
    a_pool,
    goods,
    lots,
    pay_for,
    told,
    waiting,
)
from tests.settlement_rules import BUYER, DALLAS, PORTLAND, TEXAS, at_us

TUESDAY = date(2026, 3, 10)
NINE = at_us("2026-03-10 09:00")
TEN = at_us("2026-03-10 10:00")
DOCK = dock_id_of(SELLER, DALLAS)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with a_pool(database_url) as pool:
        yield pool


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bookings(pool: Pool, clock: Clock) -> Bookings:
    return Bookings(pool, clock)


@pytest.fixture
def docks(pool: Pool, clock: Clock) -> Docks:
    return Docks(pool, clock)


async def paid(pool: Pool, *numbers: str, **changes: object) -> list[AwardId]:
    async with acquire(pool) as connection:
        return await pay_for(connection, *lots(*numbers, **changes))


async def test_several_lots_are_booked_into_one_slot(
    pool: Pool, bookings: Bookings, docks: Docks
) -> None:
    one, two = await paid(pool, "1", "2")
    booked = await bookings.book([one, two], NINE, DRIVER, buyer_id=BUYER)
    assert (booked.state, booked.door, booked.place) == (PickupState.BOOKED, "1", 1)
    assert await bookings.pickup(booked.pickup_id, BUYER) == booked
    assert await docks.day(DOCK, TUESDAY) == [booked]
    assert {each.pickup_id for each in await bookings.ready(BUYER)} == {booked.pickup_id}
    assert await told(pool, one) == await told(pool, two) == ["pickup_booked"]
    (deadline,) = await waiting(pool, "pickup_missed")
    assert deadline["due_at_us"] == at_us("2026-03-10 11:00") + 1


async def test_a_dock_of_which_nobody_said_anything_has_sensible_hours(
    pool: Pool, bookings: Bookings, docks: Docks
) -> None:
    (one,) = await paid(pool, "1")
    await bookings.book([one], NINE, DRIVER, buyer_id=BUYER)
    free = await docks.free_slots(DOCK, TUESDAY)
    assert [each.slot.at_us for each in free][:2] == [at_us("2026-03-10 08:00"), NINE]
    assert free[1].doors == {"2": 1} and free[2].doors == {"1": 1, "2": 1}
    assert not await docks.free_slots(DOCK, date(2026, 3, 14)), "a Saturday"
    assert not await docks.free_slots(DOCK, date(2026, 5, 25)), "a holiday"
    assert not (await docks.free_slots(DOCK, date(2026, 3, 9)))[0].doors, "it is over"


async def test_of_many_who_want_the_last_places_each_place_goes_to_one(
    pool: Pool, bookings: Bookings
) -> None:
    (first,) = await paid(pool, "99")
    await bookings.book([first], TEN, DRIVER, buyer_id=BUYER)  # the dock is there
    wanted = []
    for number in range(8):
        buyer = BidderId(f"buyer-{number}")
        (award_id,) = await paid(pool, str(number + 1), buyer_id=buyer)
        wanted.append(bookings.book([award_id], NINE, DRIVER, buyer_id=buyer))
    answers = await asyncio.gather(*wanted, return_exceptions=True)
    booked = [answer for answer in answers if not isinstance(answer, BaseException)]
    refused = [answer.refusal for answer in answers if isinstance(answer, Refused)]
    assert sorted((each.door, each.place) for each in booked) == [("1", 1), ("2", 1)]
    assert refused == [PickupRefusal.SLOT_TAKEN] * 6


async def test_nobody_is_refused_a_place_while_there_are_some(
    pool: Pool, bookings: Bookings, docks: Docks
) -> None:
    (first,) = await paid(pool, "99")
    await bookings.book([first], TEN, DRIVER, buyer_id=BUYER)
    dock = await docks.dock(DOCK)
    plan = DockPlan(
        zone=dock.zone,
        slot_minutes=dock.slot_minutes,
        change_minutes=dock.change_minutes,
        ahead_days=dock.ahead_days,
        hours=dock.hours,
        doors={"North": 3, "South": 5},
    )
    await docks.change_dock(DOCK, dock.version, plan, CLERK)
    wanted = []
    for number in range(8):
        buyer = BidderId(f"buyer-{number}")
        (award_id,) = await paid(pool, str(number + 1), buyer_id=buyer)
        wanted.append(bookings.book([award_id], NINE, DRIVER, buyer_id=buyer))
    booked = await asyncio.gather(*wanted)
    places = sorted((each.door, each.place) for each in booked)
    assert places == [("North", n) for n in range(1, 4)] + [("South", n) for n in range(1, 6)]


async def test_one_lot_is_booked_once_however_often_it_is_clicked(
    pool: Pool, bookings: Bookings
) -> None:
    (one,) = await paid(pool, "1")
    clicks = [bookings.book([one], at, DRIVER, buyer_id=BUYER) for at in (NINE, TEN, NINE, TEN)]
    answers = await asyncio.gather(*clicks, return_exceptions=True)
    refused = [answer.refusal for answer in answers if isinstance(answer, Refused)]
    assert refused == [PickupRefusal.ALREADY_BOOKED] * 3


async def refusal(asked: object) -> PickupRefusal:
    with pytest.raises(Refused) as caught:
        await asked  # type: ignore[misc]
    return caught.value.refusal


async def test_what_cannot_be_fetched_is_not_booked(pool: Pool, bookings: Bookings) -> None:
    async with acquire(pool) as connection:
        (unpaid,) = await pay_for(connection, *lots("1"), state=AwardState.INVOICED)
        shipped = lots("2", ships_to=TEXAS, buyer_id=BidderId("b2"))
        (sent,) = await pay_for(
            connection, *shipped, what=[goods("2", freight_terms=FreightTerms.BINDING)]
        )
        disputed = lots("3", buyer_id=BidderId("b3"))
        (back,) = await pay_for(connection, *disputed, payment=PaymentState.DISPUTED)
        (gone,) = await pay_for(
            connection, *lots("4", buyer_id=BidderId("b4")), state=AwardState.CANCELLED
        )
        (here,) = await pay_for(connection, *lots("5", buyer_id=BidderId("b5")))
        (there,) = await pay_for(
            connection, *lots("6", buyer_id=BidderId("b5"), ship_from=PORTLAND)
        )
    book = bookings.book
    assert await refusal(book([unpaid], NINE, DRIVER, buyer_id=BUYER)) == "NOT_FUNDED"
    assert await refusal(book([gone], NINE, CLERK)) == "NOT_FUNDED"
    assert await refusal(book([sent], NINE, CLERK)) == "SENT_BY_HOUSE"
    assert await refusal(book([back], NINE, CLERK)) == "DISPUTED"
    assert await refusal(book([here, there], NINE, CLERK)) == "DIFFERENT_PLACES"
    assert await refusal(book([], NINE, CLERK)) == "NOTHING_NAMED"
    ids = [AwardId(f"S1~{n}") for n in range(61)]
    assert await refusal(book(ids, NINE, CLERK)) == "TOO_MANY"
    assert await refusal(book([AwardId("S1~99")], NINE, CLERK)) == "NOT_FOUND"
    assert await refusal(book([here], NINE, DRIVER, buyer_id=BUYER)) == "NOT_FOUND", "another's"


@pytest.mark.parametrize(
    ("slot", "refused"),
    [
        ("2026-03-09 08:00", "TOO_LATE"),
        ("2026-03-10 09:30", "NO_SUCH_SLOT"),
        ("2026-03-10 16:00", "NO_SUCH_SLOT"),
        ("2026-03-14 09:00", "NO_SUCH_SLOT"),
        ("2026-04-09 09:00", "TOO_FAR_AHEAD"),
    ],
)
async def test_only_a_slot_of_the_dock_is_booked(
    pool: Pool, bookings: Bookings, slot: str, refused: str
) -> None:
    (one,) = await paid(pool, "1")
    assert await refusal(bookings.book([one], at_us(slot), DRIVER, buyer_id=BUYER)) == refused
    assert await refusal(bookings.book([one], at_us(slot), CLERK)) == refused


async def test_staff_still_give_the_slot_that_has_begun_and_buyers_do_not_take_it(
    pool: Pool, bookings: Bookings, clock: Clock
) -> None:
    (one,) = await paid(pool, "1")
    clock.is_now("2026-03-10 09:20")
    assert await refusal(bookings.book([one], NINE, DRIVER, buyer_id=BUYER)) == "TOO_LATE"
    assert (await bookings.book([one], NINE, CLERK)).slot_at_us == NINE


async def test_a_door_that_the_dock_does_not_have_is_no_slot(
    pool: Pool, bookings: Bookings
) -> None:
    (one,) = await paid(pool, "1")
    asked = bookings.book([one], NINE, CLERK, door="Nowhere")
    assert await refusal(asked) == "NO_SUCH_SLOT"  # rather than one that is taken


@pytest.mark.parametrize("time", [-1, 0, 2**53, 2**63])
async def test_times_out_of_the_calendar_are_no_slots(
    pool: Pool, bookings: Bookings, time: int
) -> None:
    (one,) = await paid(pool, "1")
    assert await refusal(bookings.book([one], time, CLERK)) == "NO_SUCH_SLOT"


async def test_a_buyer_changes_its_mind_until_a_day_before_staff_at_any_time(
    pool: Pool, bookings: Bookings, clock: Clock
) -> None:
    (one,) = await paid(pool, "1")
    wednesday = at_us("2026-03-11 09:00")
    booked = await bookings.book([one], wednesday, DRIVER, buyer_id=BUYER)
    moved = await bookings.move(
        booked.pickup_id, booked.version, wednesday, DRIVER, buyer_id=BUYER, door="2"
    )
    assert (moved.door, moved.bookings) == ("2", 2)
    stale = bookings.move(booked.pickup_id, booked.version, NINE, DRIVER, buyer_id=BUYER)
    assert await refusal(stale) == "CHANGED_MEANWHILE"
    foreign = bookings.cancel(booked.pickup_id, moved.version, DRIVER, buyer_id=BidderId("other"))
    assert await refusal(foreign) == "NOT_FOUND"
    clock.is_now("2026-03-10 09:00")
    args = (booked.pickup_id, moved.version)
    late = at_us("2026-03-12 09:00")
    assert await refusal(bookings.move(*args, late, DRIVER, buyer_id=BUYER)) == "TOO_LATE"
    assert await refusal(bookings.cancel(*args, DRIVER, buyer_id=BUYER)) == "TOO_LATE"
    by_staff = await bookings.move(*args, late, CLERK)
    assert by_staff.slot_at_us == late
    assert [op["generation"] for op in await waiting(pool, "pickup_missed")] == [1, 2, 3]


async def test_a_cancelled_place_is_free_and_the_lot_can_be_booked_again(
    pool: Pool, bookings: Bookings
) -> None:
    (one,) = await paid(pool, "1")
    wednesday = at_us("2026-03-11 09:00")
    booked = await bookings.book([one], wednesday, DRIVER, buyer_id=BUYER)
    gone = await bookings.cancel(booked.pickup_id, booked.version, DRIVER, buyer_id=BUYER)
    assert gone.state is PickupState.CANCELLED
    assert await refusal(bookings.cancel(gone.pickup_id, gone.version, CLERK)) == "NOT_NOW"
    again = await bookings.book([one], wednesday, DRIVER, buyer_id=BUYER)
    assert (again.door, again.place) == ("1", 1)


async def test_staff_say_how_a_dock_is_worked(pool: Pool, bookings: Bookings, docks: Docks) -> None:
    one, two = await paid(pool, "1", "2")
    await bookings.book([one], NINE, DRIVER, buyer_id=BUYER)
    dock = await docks.dock(DOCK)
    plan = DockPlan(
        zone=dock.zone,
        slot_minutes=30,
        change_minutes=60,
        ahead_days=10,
        hours={2: Hours(9 * 60, 10 * 60)},
        doors={"North": 2},
        closed={date(2026, 3, 17): "St Patrick's"},
    )
    changed = await docks.change_dock(DOCK, dock.version, plan, CLERK)
    assert (changed.version, changed.doors) == (2, {"North": 2})
    stale = docks.change_dock(DOCK, dock.version, plan, CLERK)
    assert await refusal(stale) == "CHANGED_MEANWHILE"
    free = await docks.free_slots(DOCK, TUESDAY)
    assert [each.doors for each in free] == [{"North": 2}, {"North": 2}]
    booked = await bookings.book([two], at_us("2026-03-10 09:30"), DRIVER, buyer_id=BUYER)
    assert (booked.door, booked.place) == ("North", 1)
    assert not await docks.free_slots(DOCK, date(2026, 3, 17))
    assert [each.dock_id for each in await docks.docks(SELLER)] == [DOCK]


async def test_what_stands_on_the_dock_says_until_when_it_is_free(
    pool: Pool, bookings: Bookings, clock: Clock
) -> None:
    await paid(pool, "1")
    (ready,) = await bookings.ready(BUYER)
    assert (ready.free_until_us, ready.storage_minor) == (at_us("2026-03-16 09:00"), 0)
    assert (ready.pallets, ready.left, ready.pickup_id) == (4, 4, None)
    clock.is_now("2026-03-18 08:00")
    (ready,) = await bookings.ready(BUYER)
    assert ready.storage_minor == 2 * 4 * 7_00


async def test_what_another_has_won_is_missing_also_before_it_is_invoiced(
    pool: Pool, bookings: Bookings
) -> None:
    (award_id,) = await paid(pool, "1")
    await pool.execute("update award set invoice_id = null, state = 'AWARDED'")
    for name in (award_id, AwardId("S1~nothing")):
        with pytest.raises(Refused) as refused:
            await bookings.book([name], NINE, DRIVER, buyer_id=BidderId("rival"))
        assert refused.value.refusal is PickupRefusal.NOT_FOUND
    with pytest.raises(Refused) as own:
        await bookings.book([award_id], NINE, DRIVER, buyer_id=BUYER)
    assert own.value.refusal is PickupRefusal.NOT_FUNDED


async def test_lots_of_one_invoice_are_listed_with_one_reading_of_it(
    pool: Pool, bookings: Bookings, monkeypatch: pytest.MonkeyPatch
) -> None:
    awards = await paid(pool, *map(str, range(1, 41)))
    read: list[InvoiceId] = []

    async def counted(connection: AnyConnection, invoice_id: InvoiceId) -> Held:
        read.append(invoice_id)
        return await read_invoice(connection, invoice_id)

    monkeypatch.setattr("settlement.pickups.ready.read_invoice", counted)
    assert len(await bookings.ready(BUYER)) == len(awards)
    assert len(read) == 1
