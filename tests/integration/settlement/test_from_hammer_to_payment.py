"""All parts together: a sale is won, invoiced, paid or not paid, by the host's own handlers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from accounts.audit import OPERATOR
from auction.ids import BidderId, LotId, SaleId
from foundation.database import acquire
from foundation.http.cursors import Paging
from settlement.ids import StripeId, award_id_of
from settlement.lives import AwardState, PaymentState
from settlement.operations import HOUR_US
from tests.books import balances_of
from tests.builders import HOUSE, SALE
from tests.hammered import CENTS, Settling, settling, taxes
from tests.market import Reseller, lot_of

DAY_US = 24 * HOUR_US
DALLAS: dict[str, Any] = {"region": "TX", "city": "Dallas", "postal_code": "75201"}
ONE = award_id_of(SaleId(SALE), LotId("1"))


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url, None) as running:
        yield running


async def saves_a_card(room: Settling, who: Reseller) -> None:
    """The buyer has a card at the provider that pays."""
    provider = room.provider
    made = await provider.create_customer(
        f"customer:{who.bidder_id}:1", email="hart@example.com", name="Hart"
    )
    card = await provider.v1.payment_methods.attach_async(
        "pm_card_visa", {"customer": made.customer_id}
    )
    now_us = room.now_us()
    async with acquire(room.market.pool) as connection:
        await connection.execute(_CUSTOMER, who.bidder_id, made.customer_id, now_us)
        await connection.execute(_METHOD, StripeId(card.id), who.bidder_id, now_us)


_CUSTOMER = """
insert into buyer_customer (buyer_id, customer_id, email, name, began_at_us, made_at_us)
values ($1, $2, 'hart@example.com', 'Hart', $3, $3)
"""
_METHOD = """
insert into saved_method (method_id, buyer_id, kind, brand, last4, expires, is_default, saved_at_us)
values ($1, $2, 'card', 'visa', '4242', '2034-12', true, $3)
"""


async def bidding(room: Settling, opening_minor: int, *maxima: tuple[str, int]) -> list[Reseller]:
    """A lot with these bids, in this order; the sale has not ended."""
    await taxes(room, TX=82_500)
    lot = lot_of("1", opening_minor=opening_minor)
    await room.market.opens(lot, terms=CENTS, **DALLAS)
    made = []
    for name, maximum_minor in maxima:
        reseller = await room.market.reseller(name)
        await reseller.registers()
        await room.market.bid(reseller, maximum_minor, "1")
        made.append(reseller)
    return made


async def seconds(room: Settling, count: int = 20) -> None:
    """Some seconds pass, in which each step follows the one before."""
    for _ in range(count):
        await room.settle()


async def test_what_a_saved_card_may_pay_is_paid_and_the_engine_is_told(room: Settling) -> None:
    (hart,) = await bidding(room, 500_00, ("Hart", 500_00))
    await saves_a_card(room, hart)
    await room.market.closes()
    await seconds(room)
    (invoice,) = await room.invoices()
    assert invoice.payment is PaymentState.PAID
    award = (await room.awards())[ONE]
    assert award.state is AwardState.FUNDED
    await room.market.caught_up()
    (won,) = await room.fetch("select paid_at_us from won_lot")
    assert won["paid_at_us"] is not None
    await room.again("fund")  # the engine says that it knows, and nothing comes of it
    assert "engine_refused" not in await room.story(ONE)
    assert await room.fetch("select * from settlement_op where state = 'HELD'") == []
    async with acquire(room.market.pool) as connection:
        balances = await balances_of(connection)
    assert balances[f"held:{ONE}"] == 500_00
    assert balances["sales_tax:US-TX"] == 47_44  # 8.25 % of 575.00


async def test_what_nobody_pays_is_void_and_goes_to_the_runner_up(room: Settling) -> None:
    _, bell, ward = await bidding(
        room, 1_000_00, ("Ames", 3_000_00), ("Bell", 4_000_00), ("Ward", 5_000_00)
    )
    await room.market.closes()
    await seconds(room, 4)
    (invoice,) = await room.invoices()
    assert invoice.payment is PaymentState.AWAITING_FUNDS
    await room.passes(invoice.invoice.due_at_us - room.now_us())
    await seconds(room)
    (invoice,) = await room.invoices()
    assert (invoice.payment, invoice.open_minor) == (PaymentState.DEFAULTED, 0)
    assert (await room.awards())[ONE].state is AwardState.VOID
    assert ward.bidder_id not in await approved(room)
    (question,) = (await room.after.answering.consents(HOUSE, Paging(), waiting=True)).items
    assert question.price_minor == 3_050_00
    assert bell.bidder_id in await approved(room)


async def test_a_runner_up_pays_its_own_price_by_card(room: Settling) -> None:
    _, bell, _ = await bidding(room, 100_00, ("Ames", 300_00), ("Bell", 400_00), ("Ward", 500_00))
    await saves_a_card(room, bell)
    await room.market.closes()
    await seconds(room, 4)
    (first,) = await room.invoices()
    await room.passes(first.invoice.due_at_us - room.now_us())
    await seconds(room)
    answering = room.after.answering
    await answering.answer_consent(HOUSE, ONE, 1, consents=True, actor=OPERATOR)
    await seconds(room)
    await answering.answer_offer(bell.bidder_id, ONE, 1, accepted=True, actor=OPERATOR)
    await seconds(room)
    _, second = await room.invoices()
    (line,) = second.invoice.lines
    assert (line.hammer_minor, second.payment) == (305_00, PaymentState.PAID)
    again = (await room.awards())[award_id_of(SaleId(SALE), LotId("1"), 2)]
    assert again.state is AwardState.FUNDED
    assert await room.fetch("select * from settlement_op where state = 'HELD'") == []


async def approved(room: Settling) -> list[BidderId]:
    """Who may bid."""
    rows = await room.fetch("select organisation_id from approval where state = 'APPROVED'")
    return [row[0] for row in rows]


async def test_what_is_paid_and_cancelled_goes_back_to_the_card(room: Settling) -> None:
    (hart,) = await bidding(room, 500_00, ("Hart", 500_00))
    await saves_a_card(room, hart)
    await room.market.closes()
    await seconds(room)
    await room.after.cancelling.by_house(ONE, "The maker recalls it.", OPERATOR)
    await seconds(room)
    (invoice,) = await room.invoices()
    assert invoice.payment is PaymentState.REFUNDED
    assert (invoice.paid_minor, invoice.credited_minor) == (0, invoice.invoice.total_minor)
    async with acquire(room.market.pool) as connection:
        balances = await balances_of(connection)
    assert set(balances) <= {"stripe_balance", "stripe_fees"}
