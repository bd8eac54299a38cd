"""Invoices are paid by bank: in parts, too much, too late, by debit; and not at all."""

from collections.abc import AsyncIterator

import pytest

from auction.ids import SaleId
from foundation.database import acquire, transaction
from settlement.ids import InvoiceId, StripeId
from settlement.lives import AwardState, PaymentState
from settlement.payments.asking import choose_way, name_lots
from settlement.payments.payers import TablePayers
from settlement.payments.tables import free_credit_minor
from settlement.payments.words import Way
from settlement.steps import Wanted, want
from settlement.stripe_simulator import Trouble, cash_balances
from settlement.stripe_simulator.faults import Fault
from tests.settling import BUYER, Settling, named, settling

_P, _A = PaymentState, AwardState
# Of a lot of 2,000.00: premium 15 %, tax 8.25 % of both.
TWO_THOUSAND = 2_489_75
THREE_THOUSAND = 3_734_63


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as room:
        yield room


async def sends(
    room: Settling, customer_id: StripeId, amount_minor: int, reference: str | None = None
) -> None:
    """A transfer arrives, and is heard of."""
    room.engine.run(
        lambda work: cash_balances.fund(work, customer_id, amount_minor, "usd", reference)
    )
    await room.hears()


async def states(room: Settling, invoice_id: InvoiceId) -> list[AwardState]:
    return [award.state for award in (await room.held(invoice_id)).awards.values()]


async def agrees(room: Settling) -> dict[str, int]:
    """The balances, which agree with the simulator's."""
    balances = await room.balances()
    assert balances.get("stripe_balance", 0) == room.at_stripe_minor()
    assert await room.waiting() == []
    return balances


async def test_an_invoice_above_the_cap_says_where_to_send_money_and_is_paid_by_it(
    room: Settling,
) -> None:
    customer_id = await room.buyer()
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    assert (await room.held(invoice_id)).invoiced.payment is _P.AWAITING_FUNDS
    async with acquire(room.pool) as connection:
        row = await connection.fetchrow("select addresses::text from bank_details")
    assert row is not None and "routing" in row["addresses"]
    await sends(room, customer_id, TWO_THOUSAND)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert await states(room, invoice_id) == [_A.FUNDED]
    balances = await agrees(room)
    assert balances["held:S1~1"] == 2_000_00
    assert balances["stripe_fees"] == 500


async def test_part_payments_fund_the_earliest_closed_lots_and_wait_for_the_next(
    room: Settling,
) -> None:
    customer_id = await room.buyer()
    invoice_id = await room.invoice(2_000_00, 3_000_00)
    await room.drain()
    await sends(room, customer_id, TWO_THOUSAND + 100_00)
    held = await room.held(invoice_id)
    assert held.invoiced.payment is _P.PARTLY_FUNDED
    assert held.invoiced.open_minor == THREE_THOUSAND - 100_00
    assert await states(room, invoice_id) == [_A.FUNDED, _A.INVOICED]
    assert (await agrees(room))["buyer_credit:buyer"] == 100_00
    await sends(room, customer_id, THREE_THOUSAND - 100_00)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert await states(room, invoice_id) == [_A.FUNDED, _A.FUNDED]
    balances = await agrees(room)
    assert "buyer_credit:buyer" not in balances
    assert balances["held:S1~2"] == 3_000_00
    assert room.funding.told == ["S1~1", "S1~2"]


async def test_a_part_payment_goes_to_the_lots_that_were_named(room: Settling) -> None:
    customer_id = await room.buyer()
    invoice_id = await room.invoice(2_000_00, 3_000_00)
    await room.drain()
    async with transaction(room.pool) as connection:
        await name_lots(connection, invoice_id, named("S1~2"), "buyer", room.now_us())
    await sends(room, customer_id, THREE_THOUSAND)
    assert await states(room, invoice_id) == [_A.INVOICED, _A.FUNDED]


async def test_what_is_too_much_is_the_buyers_credit_and_pays_its_next_invoice(
    room: Settling,
) -> None:
    customer_id = await room.buyer(card=None)
    first = await room.invoice(2_000_00)
    await room.drain()
    await sends(room, customer_id, 3 * TWO_THOUSAND)
    assert (await agrees(room))["buyer_credit:buyer"] == 2 * TWO_THOUSAND
    second = await room.invoice(2_000_00, sale_id=SaleId("S2"))
    await room.drain()
    for invoice_id in (first, second):
        assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert (await agrees(room))["buyer_credit:buyer"] == TWO_THOUSAND


async def test_what_is_too_much_pays_another_invoice_that_waits(room: Settling) -> None:
    customer_id = await room.buyer()
    first = await room.invoice(2_000_00)
    second = await room.invoice(2_000_00, sale_id=SaleId("S2"))
    await room.drain()
    await sends(room, customer_id, 2 * TWO_THOUSAND)
    for invoice_id in (first, second):
        assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert "buyer_credit:buyer" not in await agrees(room)


async def test_a_transfer_pays_the_invoice_that_it_names(room: Settling) -> None:
    customer_id = await room.buyer()
    first = await room.invoice(2_000_00)
    second = await room.invoice(3_000_00, sale_id=SaleId("S2"))
    await room.drain()
    number = (await room.held(second)).invoiced.number
    await sends(room, customer_id, 1_000_00, f"INVOICE {number}")
    assert (await room.held(second)).invoiced.paid_minor == 1_000_00
    await room.collects(first)
    assert (await room.held(first)).invoiced.paid_minor == 0, "it is kept for the other"
    await sends(room, customer_id, THREE_THOUSAND - 1_000_00)
    assert (await room.held(second)).invoiced.payment is _P.PAID
    assert (await room.held(first)).invoiced.paid_minor == 0
    await agrees(room)


async def test_money_of_a_buyer_that_owes_nothing_is_its_credit(room: Settling) -> None:
    customer_id = await room.buyer()
    await sends(room, customer_id, 50_00)
    assert (await agrees(room))["buyer_credit:buyer"] == 50_00


async def test_money_of_a_stranger_waits_for_a_person(room: Settling) -> None:
    made = await room.gateway.create_customer("k:1", email="a@x.test", name="A")
    await sends(room, made.customer_id, 50_00)
    await room.moves(days=4)
    assert [operation for operation, _ in await room.waiting()] == ["webhook", "webhook"]
    assert await room.balances() == {}


@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize(
    "call", ["POST /v1/payment_intents", "POST /v1/payment_intents/*/apply_customer_balance"]
)
async def test_whatever_is_lost_a_transfer_is_taken_in_once(
    room: Settling, call: str, trouble: Trouble
) -> None:
    customer_id = await room.buyer()
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    room.engine.faults.add(Fault(trouble, call, times=3))
    await sends(room, customer_id, TWO_THOUSAND)
    await room.patiently(20)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert (await agrees(room))["stripe_fees"] == 500


async def test_nobody_pays_and_the_lots_are_void(room: Settling) -> None:
    await room.buyer(card=None)
    invoice_id = await room.invoice(2_000_00, 500_00)
    await room.drain()
    await room.moves(days=4)
    held = await room.held(invoice_id)
    assert (held.invoiced.payment, held.invoiced.open_minor) == (_P.DEFAULTED, 0)
    assert await states(room, invoice_id) == [_A.VOID, _A.VOID]
    assert room.defaulting.told == [invoice_id]
    assert await room.balances() == {}


async def test_nobody_is_overdue_before_the_time(room: Settling) -> None:
    await room.buyer(card=None)
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    early = Wanted(operation="overdue", subject=invoice_id, generation=99)
    async with transaction(room.pool) as connection:
        await want(connection, [early], room.now_us())
    await room.drain()
    assert (await room.held(invoice_id)).invoiced.payment is _P.AWAITING_FUNDS
    await room.moves(days=4)
    assert (await room.held(invoice_id)).invoiced.payment is _P.DEFAULTED
    assert room.defaulting.told == [invoice_id]


async def test_what_is_paid_of_an_overdue_invoice_is_the_buyers_and_the_rest_is_void(
    room: Settling,
) -> None:
    customer_id = await room.buyer()
    invoice_id = await room.invoice(2_000_00, 3_000_00)
    await room.drain()
    await sends(room, customer_id, TWO_THOUSAND + 7_00)
    await room.moves(days=4)
    held = await room.held(invoice_id)
    assert (held.invoiced.payment, held.invoiced.open_minor) == (_P.PAID, 0)
    assert await states(room, invoice_id) == [_A.FUNDED, _A.VOID]
    assert (await agrees(room))["buyer_credit:buyer"] == 7_00
    async with acquire(room.pool) as connection:
        assert await free_credit_minor(connection, BUYER, "USD") == 7_00


async def test_money_that_nobody_told_of_is_found_before_anything_is_void(
    room: Settling,
) -> None:
    customer_id = await room.buyer()
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    room.engine.move(4 * 86_400)
    room.engine.run(lambda work: cash_balances.fund(work, customer_id, TWO_THOUSAND, "usd", None))
    await room.drain()
    await room.patiently(3)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert room.defaulting.told == []
    await agrees(room)


async def test_money_that_comes_after_a_default_is_credit(room: Settling) -> None:
    customer_id = await room.buyer()
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    await room.moves(days=4)
    assert (await room.held(invoice_id)).invoiced.payment is _P.DEFAULTED
    await sends(room, customer_id, TWO_THOUSAND)
    assert (await room.held(invoice_id)).invoiced.payment is _P.DEFAULTED
    assert await agrees(room) == {
        "buyer_credit:buyer": TWO_THOUSAND,
        "stripe_balance": TWO_THOUSAND - 500,
        "stripe_fees": 500,
    }


async def chooses(room: Settling, invoice_id: InvoiceId, way: Way) -> None:
    async with transaction(room.pool) as connection:
        await choose_way(connection, invoice_id, way, TablePayers(), room.now_us())
    await room.drain()


async def test_a_debit_pays_once_its_bank_has_answered_which_may_be_late(
    room: Settling,
) -> None:
    await room.buyer(debit="pm_usBankAccount_success")
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    await chooses(room, invoice_id, Way.DEBIT)
    assert (await room.held(invoice_id)).invoiced.payment is _P.AWAITING_FUNDS
    await room.moves(days=3)
    await room.moves(days=1.1)
    await room.hears()
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert await states(room, invoice_id) == [_A.FUNDED]
    await agrees(room)


async def test_a_debit_that_fails_in_time_leaves_the_way_by_transfer(room: Settling) -> None:
    customer_id = await room.buyer(debit="pm_usBankAccount_noAccount")
    async with transaction(room.pool) as connection:
        await connection.execute("update payment_policy set days_to_pay = 10")
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    await chooses(room, invoice_id, Way.DEBIT)
    await room.moves(days=4.1)
    await room.hears()
    assert (await room.held(invoice_id)).invoiced.payment is _P.AWAITING_FUNDS
    assert "debit_failed" in await room.story(invoice_id)
    await sends(room, customer_id, TWO_THOUSAND)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    await agrees(room)


async def test_a_debit_that_fails_late_is_a_default(room: Settling) -> None:
    await room.buyer(debit="pm_usBankAccount_insufficientFunds")
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    await chooses(room, invoice_id, Way.DEBIT)
    await room.moves(days=3.97)
    assert (await room.held(invoice_id)).invoiced.payment is _P.OVERDUE
    await room.moves(days=0.2)
    await room.hears()
    await room.moves(hours=2)
    assert (await room.held(invoice_id)).invoiced.payment is _P.DEFAULTED
    assert await agrees(room) == {}
