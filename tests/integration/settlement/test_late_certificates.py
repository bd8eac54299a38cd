"""A certificate that came late: the tax is credited once, and what was paid of it goes back."""

from collections.abc import AsyncIterator

import pytest

from foundation.database import acquire, transaction
from settlement.lives import PaymentState
from settlement.payouts.late_certificates import LateCertificates
from settlement.payouts.words import PayoutRefusal, PayoutRefused
from tests.payouts import CLERK
from tests.settling import BUYER, Settling, card_cap, settling


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as room:
        async with acquire(room.pool) as connection:
            await connection.execute(
                "insert into organisation (organisation_id, kind, name, currency, created_at_us)"
                " values ($1, 'RESELLER', 'Acme', 'USD', 0)",
                BUYER,
            )
        yield room


def late(room: Settling) -> LateCertificates:
    return LateCertificates(room.pool, room.now_us, lambda: None)


async def certified(room: Settling, region: str = "TX", expires_on: str = "2026-12-31") -> None:
    async with acquire(room.pool) as connection:
        await connection.execute(
            "insert into resale_certificate (certificate_id, organisation_id, region, number,"
            " expires_on, state, created_at_us) values ($1, $2, $3, '1', $4::text::date,"
            " 'ACCEPTED', 0)",
            *(f"certificate-{region}", BUYER, region, expires_on),
        )


async def refusal(doing: object) -> PayoutRefusal:
    with pytest.raises(PayoutRefused) as said:
        await doing  # type: ignore[misc]
    return said.value.refusal


async def test_the_tax_of_a_paid_invoice_goes_back_once(room: Settling) -> None:
    async with transaction(room.pool) as connection:
        await card_cap(connection, 99_999_999)
    await room.buyer()
    invoice_id = await room.invoice(1_000_000, 500_000, rate_bps=1_000)
    await room.drain()
    assert await refusal(late(room).credit(CLERK, invoice_id)) is PayoutRefusal.NO_CERTIFICATE
    await certified(room, "OR")
    assert await refusal(late(room).credit(CLERK, invoice_id)) is PayoutRefusal.NO_CERTIFICATE
    await certified(room)
    before = await room.balances()
    credited = await late(room).credit(CLERK, invoice_id)
    assert (credited.number, credited.amount_minor) == (1, 90_750 + 45_375)
    assert credited.certificates == ["certificate-TX"]
    asking = late(room).credit(CLERK, invoice_id)
    assert await refusal(asking) is PayoutRefusal.NOT_NOW
    await room.drain()
    assert await refusal(late(room).credit(CLERK, invoice_id)) is PayoutRefusal.NO_CERTIFICATE
    after = await room.balances()
    assert "sales_tax:US-TX" not in after
    assert after["stripe_balance"] == before["stripe_balance"] - 136_125
    refunds = await room.gateway.v1.refunds.list_async({"limit": 10})
    assert sorted(row.amount for row in refunds.data) == [45_375, 90_750]
    assert (await room.held(invoice_id)).invoiced.payment is PaymentState.PAID
    assert [each.number for each in await late(room).of_invoice(invoice_id)] == [1]


async def test_of_an_unpaid_invoice_the_tax_is_not_asked_for_any_more(room: Settling) -> None:
    await room.buyer(card=None)
    invoice_id = await room.invoice(1_000_000, rate_bps=1_000)
    await room.drain()
    await certified(room)
    await late(room).credit(CLERK, invoice_id)
    await room.drain()
    assert (await room.held(invoice_id)).invoiced.open_minor == 1_100_000
    assert await refusal(late(room).credit(CLERK, invoice_id)) is PayoutRefusal.NO_CERTIFICATE
    assert await room.balances() == {}


async def test_a_certificate_that_had_run_out_at_the_close_brings_nothing(room: Settling) -> None:
    await room.buyer(card=None)
    invoice_id = await room.invoice(1_000_000)
    await room.drain()
    await certified(room, expires_on="2026-03-05")
    assert await refusal(late(room).credit(CLERK, invoice_id)) is PayoutRefusal.NO_CERTIFICATE
    assert await refusal(late(room).credit(CLERK, "nobody")) is PayoutRefusal.NOT_FOUND  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("payment", "said"),
    [
        (PaymentState.DISPUTED, PayoutRefusal.HELD_BACK),
        (PaymentState.AUTHORISING, PayoutRefusal.NOT_NOW),
        (PaymentState.ACTION_REQUIRED, PayoutRefusal.NOT_NOW),
        (PaymentState.AUTHORISED, PayoutRefusal.NOT_NOW),
        (PaymentState.CAPTURING, PayoutRefusal.NOT_NOW),
        (PaymentState.DEFAULTED, PayoutRefusal.NOT_NOW),
        (PaymentState.REFUNDED, PayoutRefusal.NOT_NOW),
    ],
)
async def test_while_the_money_is_under_way_disputed_or_gone_no_tax_is_credited(
    room: Settling, payment: PaymentState, said: PayoutRefusal
) -> None:
    await room.buyer(card=None)
    invoice_id = await room.invoice(1_000_000)
    await room.drain()
    await certified(room)
    await room.pool.execute("update invoice set payment = $1", payment)
    assert await refusal(late(room).credit(CLERK, invoice_id)) is said
    await room.pool.execute("update invoice set payment = 'AWAITING_FUNDS'")
    assert (await late(room).credit(CLERK, invoice_id)).number == 1
