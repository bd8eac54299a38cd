"""An invoice is paid by card: asked, promised, taken, booked, once."""

from collections.abc import AsyncIterator

import pytest

from foundation.database import transaction
from settlement.lives import AwardState, PaymentState
from tests.settling import Settling, card_cap, settling

_P, _A = PaymentState, AwardState


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as room:
        yield room


async def capped(room: Settling, cap_minor: int = 99_999_999) -> None:
    async with transaction(room.pool) as connection:
        await card_cap(connection, cap_minor)


async def test_the_worked_example_is_captured_to_the_cent(room: Settling) -> None:
    await capped(room)
    await room.buyer()
    invoice_id = await room.invoice(1_000_000, rate_bps=1_000)
    await room.drain()
    held = await room.held(invoice_id)
    assert held.invoiced.payment is _P.PAID
    assert (held.invoiced.paid_minor, held.invoiced.open_minor) == (1_190_750, 0)
    assert [award.state for award in held.awards.values()] == [_A.FUNDED]
    assert await room.balances() == {
        "deferred_fees:S1~1": 100_000,
        "held:S1~1": 1_000_000,
        "sales_tax:US-TX": 90_750,
        "stripe_balance": 1_190_750 - 34_562,
        "stripe_fees": 34_562,
    }
    assert room.at_stripe_minor() == 1_190_750 - 34_562
    assert room.funding.told == ["S1~1"]
    assert await room.waiting() == []
    assert await room.story(invoice_id) == ["card_asked", "card_promised", "money_came", "paid"]
