"""The house's own money goes to its bank, booked once, and never what is somebody else's."""

from collections.abc import AsyncIterator

import pytest
from msgspec import structs

from foundation.database import acquire, transaction
from settlement.chart import BANK, STRIPE
from settlement.ids import StripeId
from settlement.ledger_reading import read_stripe_balances
from settlement.operations import release
from settlement.payment_objects import Balance, Event, Payout
from settlement.payouts.batches import BankFiles
from settlement.payouts.house_bank import HouseBank
from settlement.payouts.platform import PlatformPayouts
from settlement.payouts.words import PayoutRefusal, PayoutRefused, PayoutState
from settlement.postings import processing_fee
from settlement.postings_house import adjustment
from settlement.stripe_simulator.faults import Trouble
from settlement.webhook_inbox import keep_event
from tests.payouts import CHIEF, CLERK, DRIVER, WORDS, PayoutHouse, payout_house
from tests.settlement_rules import BUYER

_S = PayoutState


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PayoutHouse]:
    """A lot of 10,000.00 is released: 1,000.00 premium and 1,000.00 commission are the house's."""
    async with payout_house(database_url) as house:
        await payouts(house).set_manual()
        await house.has_bank()
        award_id = await house.paid()
        fee = await fee_of(house)
        await house.books(processing_fee(house.about("fee"), fee))
        await house.passes(days=7)
        await house.acceptances.accept(BUYER, DRIVER, award_id)
        await house.drain()
        yield house


def payouts(house: PayoutHouse) -> PlatformPayouts:
    return PlatformPayouts(house.pool, house.stripe, house.clock, lambda: None)


async def fee_of(house: PayoutHouse) -> int:
    rows = await house.stripe.v1.balance_transactions.list_async({"limit": 100})
    return sum([row.fee async for row in rows.auto_paging_iter()])


async def agrees(house: PayoutHouse) -> bool:
    """Whether the books say of Stripe's balance what Stripe says."""
    async with acquire(house.pool) as connection:
        booked = (await read_stripe_balances(connection)).get("USD", 0)
    return booked == await house.stripe_net_minor()


async def refusal(doing: object) -> PayoutRefusal:
    with pytest.raises(PayoutRefused) as said:
        await doing  # type: ignore[misc]
    return said.value.refusal


async def test_what_is_proposed_is_what_the_house_has_earned(house: PayoutHouse) -> None:
    proposal = await payouts(house).propose("USD")
    earned = 100_000 + 100_000 - 34_562
    assert (proposal.free_minor, proposal.proposed_minor) == (earned, earned)
    assert proposal.interval == "manual"
    asking = payouts(house).ask(CLERK, "USD", earned + 1)
    assert await refusal(asking) is PayoutRefusal.OWED_TO_OTHERS
    asked = await payouts(house).ask(CLERK, "USD", earned)
    assert asked.state is _S.ASKED
    asking = payouts(house).ask(CLERK, "USD", 1)
    assert await refusal(asking) is PayoutRefusal.OWED_TO_OTHERS
    await house.drain()
    (sent,) = await payouts(house).all()
    assert sent.state is _S.SENT
    assert (await house.balances())["bank"] == earned
    assert await agrees(house)
    await house.passes(days=3)
    assert (await payouts(house).all())[0].state is _S.PAID


async def test_a_bank_file_is_paid_from_a_payout_that_covers_it(house: PayoutHouse) -> None:
    files = BankFiles(house.pool, house.clock, lambda: None)
    await HouseBank(house.pool, house.clock).set(CHIEF, "USD", WORDS)
    number = (await files.make(CLERK, "USD")).batch.batch_id
    assert await refusal(files.release(CHIEF, number)) is PayoutRefusal.BANK_TOO_LOW
    proposal = await payouts(house).propose("USD", number)
    assert (proposal.covers_minor, proposal.proposed_minor) == (900_000, 900_000 + 165_438)
    await payouts(house).ask(CLERK, "USD", 900_000, number)
    asking = payouts(house).ask(CLERK, "USD", 1, number)
    assert await refusal(asking) is PayoutRefusal.ASKED_ALREADY
    assert await refusal(files.release(CHIEF, number)) is PayoutRefusal.BANK_TOO_LOW
    await house.drain()
    await files.release(CHIEF, number)
    assert "bank" not in await house.balances()
    assert await agrees(house)


@pytest.mark.parametrize("trouble", [Trouble.LOST_ANSWER, Trouble.SERVER_ERROR_AFTER_EFFECT])
async def test_a_payout_whose_answer_is_lost_is_made_once(
    house: PayoutHouse, trouble: Trouble
) -> None:
    await house.house.running.control.fault(trouble, "POST /v1/payouts", times=2)
    await payouts(house).ask(CLERK, "USD", 100_000)
    await house.drain()
    for _ in range(4):
        await house.passes(seconds=10)
    made = await house.stripe.v1.payouts.list_async({"limit": 10})
    assert [row.amount for row in made.data] == [100_000]
    assert (await house.balances())["bank"] == 100_000
    assert await agrees(house)


async def test_what_stripe_refuses_is_booked_back(house: PayoutHouse) -> None:
    another = await house.paid("13", 500_000)  # its money is not available yet
    await house.acceptances.accept(BUYER, DRIVER, another)
    await house.drain()
    await house.stripe.v1.payouts.create_async({"amount": 1_150_000, "currency": "usd"})
    await payouts(house).ask(CLERK, "USD", 165_438)
    await house.drain()
    (refused,) = await payouts(house).all()
    assert (refused.state, "balance_insufficient" in refused.note) == (_S.REFUSED, True)
    assert "bank" not in await house.balances()


async def test_a_payout_that_the_bank_sends_back_is_ours_at_stripe_again(
    house: PayoutHouse,
) -> None:
    await payouts(house).ask(CLERK, "USD", 100_000)
    await house.drain()
    await house.passes(days=3)
    (paid,) = await payouts(house).all()
    assert (paid.state, paid.payout_id is not None) == (_S.PAID, True)
    await house.house.running.control.fail_payout(str(paid.payout_id))
    await house.passes(days=1)
    (back,) = await payouts(house).all()
    assert (back.state, back.note) == (_S.RETURNED, "account_closed")
    assert "bank" not in await house.balances()
    assert await agrees(house)
    await house.passes(days=20)
    waiting = await house.fetch(
        "select * from settlement_op where operation = 'read_payout' and state <> 'DONE'"
    )
    assert waiting == []


async def test_nothing_is_paid_out_while_stripe_does_it_by_itself(house: PayoutHouse) -> None:
    assert await payouts(house).set_manual() == "manual"
    house.clock.now_us += 1
    await house.stripe.v1.balance_settings.update_async(
        {"payments": {"payouts": {"schedule": {"interval": "daily"}}}}
    )
    asking = payouts(house).ask(CLERK, "USD", 100)
    assert await refusal(asking) is PayoutRefusal.NOT_MANUAL
    assert await payouts(house).set_manual() == "manual"
    assert (await payouts(house).ask(CLERK, "USD", 100)).state is _S.ASKED


async def test_a_payout_that_stripe_made_by_itself_waits_for_a_person_until_it_is_booked(
    house: PayoutHouse,
) -> None:
    made = await house.stripe.pay_out("elsewhere", amount_minor=5_000, currency="USD")
    assert made.transaction_id is not None

    async def by_itself(payout_id: StripeId, **_: object) -> Payout:
        return structs.replace(made, automatic=True)

    house.stripe.payout = by_itself  # type: ignore[method-assign]
    told = Event(
        event_id=StripeId("evt_1"),
        type="payout.created",
        object_kind="payout",
        object_id=made.payout_id,
        customer_id=None,
        account_id=None,
        made_at_us=house.clock(),
        live=False,
    )
    async with transaction(house.pool) as connection:
        await keep_event(connection, told, None, house.clock())
    await house.drain()
    (held,) = await house.fetch("select op_id, note from settlement_op where state = 'HELD'")
    assert "Stripe has paid out 5000 USD by itself" in held["note"]
    await tried_again(house, held["op_id"])
    assert await house.fetch("select from settlement_op where state = 'HELD'")
    # As a person books it for the exception that it is: by the name of Stripe's transaction.
    about = house.about("A1", stripe_ids=(made.transaction_id,), note="paid out by Stripe")
    await house.books(adjustment(about, BANK, STRIPE, made.amount_minor))
    await tried_again(house, held["op_id"])
    assert not await house.fetch("select from settlement_op where state = 'HELD'")


async def tried_again(house: PayoutHouse, op_id: int) -> None:
    async with acquire(house.pool) as connection:
        assert await release(connection, op_id, house.clock())
    await house.drain()


async def test_a_payout_that_was_asked_for_waits_while_stripe_pays_out_by_itself(
    house: PayoutHouse,
) -> None:
    await payouts(house).ask(CLERK, "USD", 5_000)
    await house.stripe.v1.balance_settings.update_async(
        {"payments": {"payouts": {"schedule": {"interval": "daily"}}}}
    )
    await house.drain()
    (held,) = await house.fetch("select op_id, note from settlement_op where state = 'HELD'")
    assert "Stripe pays out by itself (daily)" in held["note"]
    house.clock.now_us += 1
    await payouts(house).set_manual()
    await tried_again(house, held["op_id"])
    (sent,) = await payouts(house).all()
    assert sent.state is _S.SENT


async def test_no_more_is_proposed_than_stripe_has_ready(house: PayoutHouse) -> None:
    async def ready(account_id: StripeId | None = None) -> Balance:
        return Balance({"USD": 5_000}, {"USD": 9_999_999})

    house.stripe.balance = ready  # type: ignore[method-assign]
    assert (await payouts(house).propose("USD")).proposed_minor == 5_000
    whole = await BankFiles(house.pool, house.clock, lambda: None).make(CLERK, "USD")
    other = payouts(house).propose("EUR", whole.batch.batch_id)
    assert await refusal(other) is PayoutRefusal.NOT_NOW
