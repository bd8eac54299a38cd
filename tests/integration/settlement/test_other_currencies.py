"""Currencies of no decimals and of three: what Stripe takes of them, and where the rest goes."""

from collections.abc import AsyncIterator

import pytest

from accounts.audit import Actor
from accounts.ids import PersonId
from auction.ids import LotId
from foundation.database import acquire, transaction
from settlement.entries import About
from settlement.ids import award_id_of
from settlement.ledger import post
from settlement.lives import PaymentState
from settlement.payment_objects import MethodKind, asked_minor, returned_minor
from settlement.payouts.credit_payouts import CreditPayouts
from settlement.payouts.credit_refunds import credit_handlers
from settlement.pickups.charge_cards import charge_handlers
from settlement.pickups.charge_table import charge_relist
from settlement.pickups.charges import Charges
from settlement.pickups.words import ChargeState
from settlement.ports import Refused
from settlement.postings import bank_funding
from settlement.steps import Wanted, want
from settlement.stripe_simulator import cash_balances
from tests.books import balances_of
from tests.settling import BUYER, SALE, Settling, settling

ANN, BOB = Actor(PersonId("ann"), "192.0.2.1"), Actor(PersonId("bob"), "192.0.2.2")
_P = PaymentState
_POLICY = """
insert into settlement_policy
select (jsonb_populate_record(p, jsonb_build_object('currency', $1::text,
    'card_cap_minor', $2::bigint))).*
from settlement_policy p where currency = 'USD' and version = 1
"""


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    def more(_: object, provider: object) -> dict[str, object]:
        return {**charge_handlers(provider), **credit_handlers(provider)}  # type: ignore[arg-type]

    async with settling(database_url, more) as room:  # type: ignore[arg-type]
        async with acquire(room.pool) as connection:
            for currency in ("KWD", "BHD"):
                await connection.execute(_POLICY, currency, 99_999_999)
            await connection.execute(_POLICY, "JPY", 100_000)
        yield room


async def books(room: Settling, currency: str) -> dict[str, int]:
    async with acquire(room.pool) as connection:
        balances = await balances_of(connection, currency)
    assert balances.get("stripe_balance", 0) == room.at_stripe_minor()
    return balances


@pytest.mark.parametrize(
    ("amount", "currency", "asked", "returned"),
    [
        (1_234, "KWD", 1_240, 1_230),
        (1_230, "BHD", 1_230, 1_230),
        (1_234, "USD", 1_234, 1_234),
        (1_234, "JPY", 1_234, 1_234),
        (9, "KWD", 10, 0),
    ],
)
def test_amounts_of_three_decimals_end_with_a_nought(
    amount: int, currency: str, asked: int, returned: int
) -> None:
    assert asked_minor(amount, currency) == asked
    assert returned_minor(amount, currency) == returned


async def test_stripe_takes_no_other(room: Settling) -> None:
    customer_id = await room.buyer()
    with pytest.raises(Refused) as refused:
        await room.gateway.create_payment(
            "a-key",
            amount_minor=1_234,
            currency="KWD",
            customer_id=customer_id,
            kind=MethodKind.CARD,
        )
    assert "last digit" in str(refused.value)


@pytest.mark.parametrize("currency", ["KWD", "BHD"])
async def test_a_card_pays_the_next_amount_that_stripe_takes_and_the_rest_is_credit(
    room: Settling, currency: str
) -> None:
    await room.buyer()
    invoice_id = await room.invoice(100_121, currency=currency)
    await room.drain()
    invoice = (await room.held(invoice_id)).invoiced
    assert invoice.payment is _P.PAID
    total = invoice.invoice.total_minor
    assert total % 10
    (intent,) = room.rows("payment_intent")
    assert intent["amount"] == asked_minor(total, currency)
    assert (await books(room, currency))["buyer_credit:buyer"] == intent["amount"] - total
    assert await room.waiting() == []


async def test_what_goes_back_to_a_card_ends_with_a_nought_and_the_rest_is_credit(
    room: Settling,
) -> None:
    await room.buyer()
    invoice_id = await room.invoice(100_121, currency="KWD")
    await room.drain()
    invoice = (await room.held(invoice_id)).invoiced.invoice
    over = asked_minor(invoice.total_minor, "KWD") - invoice.total_minor
    arguments = {
        "invoice_id": invoice_id,
        "award_id": award_id_of(SALE, LotId("1")),
        "amount_minor": invoice.total_minor,
        "reason": "CANCELLED",
    }
    async with transaction(room.pool) as connection:
        wanted = Wanted(operation="refund", subject="a-refund", arguments=arguments)
        await want(connection, [wanted], room.now_us())
    await room.drain()
    (refund,) = room.rows("refund")
    assert refund["amount"] == returned_minor(invoice.total_minor, "KWD")
    rest = invoice.total_minor - refund["amount"]
    assert (await books(room, "KWD"))["buyer_credit:buyer"] == over + rest
    assert await room.waiting() == []


async def test_credit_of_three_decimals_goes_back_as_far_as_stripe_takes_it(
    room: Settling,
) -> None:
    await room.buyer()
    await room.invoice(100_121, currency="KWD")
    await room.drain()
    about = About(subject="adjustment", at_us=room.now_us(), currency="KWD")
    free = (await books(room, "KWD")).get("buyer_credit:buyer", 0)
    async with transaction(room.pool) as connection:
        await post(connection, [bank_funding(about, BUYER, 1_235)])
    credit = CreditPayouts(room.pool, room.now_us)
    asked = await credit.ask(ANN, BUYER, "KWD", free + 1_235, "they asked for it")
    agreed = await credit.decide(BOB, asked.number, agrees=True)
    by_card = returned_minor(free + 1_235, "KWD")
    assert agreed.parts[0].amount_minor == by_card
    assert agreed.by_bank is not None
    assert agreed.by_bank.amount_minor == free + 1_235 - by_card
    await room.drain()
    assert [row["amount"] for row in room.rows("refund")] == [by_card]


async def test_a_charge_of_three_decimals_is_paid_by_card(room: Settling) -> None:
    await room.buyer()
    invoice_id = await room.invoice(100_000, currency="KWD")
    await room.drain()
    credit = (await books(room, "KWD")).get("buyer_credit:buyer", 0)
    held = await room.held(invoice_id)
    (award,) = held.awards.values()
    async with transaction(room.pool) as connection:
        charge = await charge_relist(connection, award, 1, {award.award_id: 1_234}, room.now_us())
    assert charge is not None
    charges = Charges(room.pool, room.now_us)
    await charges.pay_by_card(charge.charge_id, ANN, BUYER)
    await room.drain()
    assert (await charges.charge(charge.charge_id)).state is ChargeState.PAID
    balances = await books(room, "KWD")
    assert balances["forfeits"] == 1_234
    assert balances["buyer_credit:buyer"] == credit + 6


async def test_yen_are_paid_by_card_and_by_bank(room: Settling) -> None:
    customer_id = await room.buyer()
    small = await room.invoice(30_001, currency="JPY")
    await room.drain()
    assert (await room.held(small)).invoiced.payment is _P.PAID
    (intent,) = room.rows("payment_intent")
    assert intent["amount"] == (await room.held(small)).invoiced.invoice.total_minor
    large = await room.invoice(300_001, currency="JPY", number=2, lots_from=2)
    await room.drain()
    assert (await room.held(large)).invoiced.payment is _P.AWAITING_FUNDS
    total = (await room.held(large)).invoiced.invoice.total_minor
    room.engine.run(lambda work: cash_balances.fund(work, customer_id, total, "jpy", None))
    await room.hears()
    assert (await room.held(large)).invoiced.payment is _P.PAID
    await books(room, "JPY")
    assert await room.waiting() == []
