"""Sales of lots that are taken back after the hammer, by the seller for a fee or by the house."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from accounts.audit import OPERATOR
from auction.ids import LiquidatorId, LotId, SaleId
from foundation.database import acquire, transaction
from settlement.after_default.words import AfterRefusal, Refused
from settlement.ids import AwardId, award_id_of
from settlement.lives import AwardState, PaymentState
from settlement.operations import HOUR_US
from settlement.pickups.pickup_table import pallets_of
from settlement.rows import hold_invoice, read_award
from settlement.steps import Step, write
from tests.books import balances_of
from tests.builders import HOUSE, SALE
from tests.hammered import CENTS, Settling, settling
from tests.market import Reseller, lot_of

ONE, TWO = (award_id_of(SaleId(SALE), LotId(lot)) for lot in ("1", "2"))
WHY = "The pallet was sold by mistake."


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as running:
        yield running


async def sold(room: Settling, *prices_minor: int) -> Reseller:
    """Hart has won lots at these prices, and is invoiced."""
    lots = [lot_of(str(n), opening_minor=price) for n, price in enumerate(prices_minor, start=1)]
    await room.market.is_untaxed()
    await room.market.opens(*lots, terms=CENTS)
    hart = await room.market.reseller("Hart")
    await hart.registers()
    for lot in lots:
        await room.market.bid(hart, lot.opening_minor, lot.lot_id)
    await room.market.closes()
    await room.settle()
    return hart


async def goes(room: Settling, award_id: AwardId, *states: AwardState) -> None:
    """The award goes on, and its invoice is paid."""
    (invoice,) = await room.invoices()
    for state in states:
        async with transaction(room.market.pool) as connection:
            held = await hold_invoice(connection, invoice.invoice_id)
            paid = {invoice.invoice_id: PaymentState.PAID}
            first = held.invoiced.payment is PaymentState.DUE
            step = Step(payments=paid if first else {}, awards={award_id: state})
            await write(connection, held, step, room.now_us())


async def balances(room: Settling) -> dict[str, int]:
    async with acquire(room.market.pool) as connection:
        return await balances_of(connection)


async def refused(room: Settling, award_id: AwardId = ONE, **changes: Any) -> AfterRefusal:
    arguments: dict[str, Any] = {
        "liquidator_id": HOUSE, "award_id": award_id, "reason": WHY, "actor": OPERATOR
    }  # fmt: skip
    with pytest.raises(Refused) as found:
        await room.after.cancelling.by_seller(**(arguments | changes))
    refusal: AfterRefusal = found.value.refusal
    return refusal


async def test_a_seller_that_cancels_owes_a_fifth_and_the_buyer_owes_nothing(
    room: Settling,
) -> None:
    await sold(room, 4_050_00, 100_00)
    what = await room.after.cancelling.by_seller(HOUSE, ONE, WHY, OPERATOR)
    assert (what.fee_minor, what.credit.total_minor) == (810_00, 4_657_50)
    assert await balances(room) == {
        f"seller_receivable:{HOUSE}": 810_00,
        "cancellation_fees": 810_00,
    }
    awards, (invoice,) = await room.awards(), await room.invoices()
    assert (awards[ONE].state, awards[TWO].state) == (AwardState.CANCELLED, AwardState.INVOICED)
    assert invoice.open_minor == 115_00
    keys = await room.operations()
    assert len([key for key in keys if key.startswith("collect:")]) == 2
    await room.settle()
    assert "cancelled" in room.mailbox.to("Hart")[-1].subject
    assert WHY in room.mailbox.to("Hart")[-1].text
    assert await room.story(ONE) == ["awarded", "cancelled"]
    (row,) = await room.fetch("select * from award_credit")
    assert (row["reason"], row["hammer_minor"], row["premium_minor"]) == (
        "CANCELLED", 4_050_00, 607_50,
    )  # fmt: skip


async def test_the_fee_has_a_least(room: Settling) -> None:
    await sold(room, 200_00)
    what = await room.after.cancelling.by_seller(HOUSE, ONE, WHY, OPERATOR)
    assert what.fee_minor == 100_00


async def test_the_house_cancels_without_a_fee(room: Settling) -> None:
    await sold(room, 4_050_00)
    what = await room.after.cancelling.by_house(ONE, "The maker recalls it.", OPERATOR)
    assert (what.fee_minor, await balances(room)) == (0, {})
    assert (await room.awards())[ONE].state is AwardState.CANCELLED


async def test_what_is_paid_goes_back(room: Settling) -> None:
    await sold(room, 4_050_00)
    await goes(room, ONE, AwardState.FUNDED)
    await room.after.cancelling.by_seller(HOUSE, ONE, WHY, OPERATOR)
    refund = (await room.operations())[f"refund:{ONE}:1"]
    (invoice,) = await room.invoices()
    assert f'"amount_minor": {4_657_50}' in refund["arguments"]
    assert f'"invoice_id": "{invoice.invoice_id}"' in refund["arguments"]
    assert '"reason": "CANCELLED"' in refund["arguments"]
    assert invoice.credited_minor == 0  # the refund's to write
    assert await room.fetch("select * from award_credit") == []


async def test_what_is_handed_over_is_not_cancelled(room: Settling) -> None:
    await sold(room, 100_00)
    await goes(room, ONE, AwardState.FUNDED, AwardState.HANDED_OVER)
    assert await refused(room) is AfterRefusal.HANDED_OVER
    await goes(room, ONE, AwardState.ACCEPTED, AwardState.RELEASED)
    assert await refused(room) is AfterRefusal.HANDED_OVER
    assert await balances(room) == {}


async def test_it_is_cancelled_once_by_its_seller_and_with_a_reason(room: Settling) -> None:
    await sold(room, 100_00)
    assert await refused(room, liquidator_id=LiquidatorId("rival")) is AfterRefusal.NOT_FOUND
    assert await refused(room, AwardId("nothing")) is AfterRefusal.NOT_FOUND
    for reason in ("", " ", "x" * 501, "a\0b"):
        assert await refused(room, reason=reason) is AfterRefusal.REASON_NEEDED
    assert (await room.awards())[ONE].state is AwardState.INVOICED
    await room.after.cancelling.by_seller(HOUSE, ONE, WHY, OPERATOR)
    assert await refused(room) is AfterRefusal.ENDED


async def test_while_a_card_is_asked_for_the_whole_nothing_of_it_is_cancelled(
    room: Settling,
) -> None:
    await sold(room, 100_00)
    (invoice,) = await room.invoices()
    async with transaction(room.market.pool) as connection:
        held = await hold_invoice(connection, invoice.invoice_id)
        asked = Step(payments={invoice.invoice_id: PaymentState.AUTHORISING})
        await write(connection, held, asked, room.now_us())
    assert await refused(room) is AfterRefusal.PAYMENT_UNDER_WAY


async def test_what_was_cancelled_before_the_sale_closed_is_not_invoiced(room: Settling) -> None:
    early = lot_of("1", opening_minor=4_050_00)
    late = lot_of("2", closes_at_us=early.closes_at_us + 5 * HOUR_US)
    await room.market.opens(early, late, terms=CENTS)
    hart = await room.market.reseller("Hart")
    await hart.registers()
    await room.market.bid(hart, 4_050_00, "1")
    await room.market.bid(hart, 100_00, "2")
    await room.market.passes(2 * HOUR_US)
    await room.settle()
    what = await room.after.cancelling.by_seller(HOUSE, ONE, WHY, OPERATOR)
    assert what.fee_minor == 810_00
    await room.market.closes()
    await room.settle()
    (invoice,) = await room.invoices()
    assert [line.lot_id for line in invoice.invoice.lines] == ["2"]


async def test_what_left_in_part_or_is_on_its_way_is_not_cancelled(room: Settling) -> None:
    await sold(room, 100_00)
    await goes(room, ONE, AwardState.FUNDED)
    async with transaction(room.market.pool) as connection:
        held = await read_award(connection, ONE)
        (first, *_) = (await pallets_of(connection, list(held.awards.values())))[ONE]
        await connection.execute(
            "update award_pallet set gone_at_us = $2 where pallet_id = $1",
            first.pallet_id,
            room.now_us(),
        )
    assert await refused(room) is AfterRefusal.HANDED_OVER
    with pytest.raises(Refused):
        await room.after.cancelling.by_house(ONE, WHY, OPERATOR)
    assert (await room.awards())[ONE].state is AwardState.FUNDED
