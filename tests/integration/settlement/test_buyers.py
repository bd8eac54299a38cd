"""Buyers at the payment provider: one customer each, and what they saved, whoever told us first."""

import time
from collections.abc import AsyncIterator

import pytest

from auction.ids import BidderId
from foundation.database import acquire
from settlement.buyer_operations import buyer_operations
from settlement.buyers import (
    TRIES_A_DAY,
    Buyers,
    Contact,
    NoSuchMethod,
    TooManyTries,
    customer_of,
    wanted_customer,
)
from settlement.ids import StripeId
from settlement.operations import HOUR_US
from settlement.payment_objects import IntentStatus, MethodKind, Setup
from settlement.ports import PaymentDeclined, Unknown
from settlement.saved_methods import buyer_readers
from settlement.steps import want
from settlement.stripe_simulator import Mood, Trouble
from tests.stripe_house import StripeHouse, stripe_house

ACME, ORBIT = BidderId("acme"), BidderId("orbit")
CARD, BANK = MethodKind.CARD, MethodKind.BANK_DEBIT


async def contact(buyer_id: BidderId) -> Contact:
    return Contact(f"{buyer_id}@example.com", buyer_id.title())


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[StripeHouse]:
    async with stripe_house(
        database_url,
        lambda pool, stripe, clock: (
            buyer_operations(Buyers(pool, stripe, clock, contact), stripe),
            buyer_readers(),
        ),
        live=False,
        wall_s=time.time,
    ) as one:
        yield one


@pytest.fixture
def buyers(house: StripeHouse) -> Buyers:
    return Buyers(house.pool, house.stripe, house.clock, contact)


async def confirmed(
    buyers: Buyers, setup: Setup, method: str = "pm_card_visa", of: BidderId = ACME
) -> Setup:
    return await buyers.confirm(
        of,
        setup.setup_id,
        StripeId(method),
        return_url="https://auctions.example.com/back",
        address="192.0.2.1",
        user_agent="tests",
    )


async def save(buyers: Buyers, method: str = "pm_card_visa", kind: MethodKind = CARD) -> StripeId:
    setup = await confirmed(buyers, await buyers.begin(ACME, kind), method)
    assert setup.method_id is not None
    return setup.method_id


async def test_a_buyer_has_one_customer_however_often_it_is_asked_for(
    house: StripeHouse, buyers: Buyers
) -> None:
    first = await buyers.ensure_customer(ACME)
    assert await buyers.ensure_customer(ACME) == first
    assert await buyers.ensure_customer(ORBIT) != first
    customer = await house.stripe.customer(first)
    assert (customer.email, customer.name) == ("acme@example.com", "Acme")
    assert customer.metadata["buyer_id"] == ACME
    assert (await house.stripe.cash(first)).by_hand


@pytest.mark.parametrize("trouble", [Trouble.LOST_ANSWER, Trouble.NO_EFFECT, Trouble.TRUNCATED])
@pytest.mark.parametrize("at", ["POST /v1/customers", "POST /v1/customers/{id}/cash_balance"])
async def test_a_lost_answer_makes_no_second_customer(
    house: StripeHouse, buyers: Buyers, trouble: Trouble, at: str
) -> None:
    await house.running.control.fault(trouble, at)
    with pytest.raises(Unknown):
        await buyers.ensure_customer(ACME)
    made = await buyers.ensure_customer(ACME)
    assert len((await house.stripe.events(types=["customer.created"])).rows) == 1
    assert (await house.stripe.cash(made)).by_hand


async def test_a_customer_of_yesterday_whose_answer_was_lost_is_looked_for(
    house: StripeHouse, buyers: Buyers
) -> None:
    await house.running.control.fault(Trouble.LOST_ANSWER, "POST /v1/customers")
    with pytest.raises(Unknown):
        await buyers.ensure_customer(ACME)
    await house.move(hours=25)
    await buyers.ensure_customer(ACME)
    assert len((await house.stripe.events(types=["customer.created"])).rows) == 1


async def test_who_changes_its_address_while_an_answer_is_lost_stays_one_customer(
    house: StripeHouse, buyers: Buyers
) -> None:
    await house.running.control.fault(Trouble.LOST_ANSWER, "POST /v1/customers")
    with pytest.raises(Unknown):
        await buyers.ensure_customer(ACME)

    async def moved(_: BidderId) -> Contact:
        return Contact("new@example.com", "New")

    await Buyers(house.pool, house.stripe, house.clock, moved).ensure_customer(ACME)
    assert len((await house.stripe.events(types=["customer.created"])).rows) == 1


async def test_a_customer_can_be_made_beforehand(house: StripeHouse, buyers: Buyers) -> None:
    async with acquire(house.pool) as connection:
        await want(connection, [wanted_customer(ACME)], house.clock())
        assert await customer_of(connection, ACME) is None
        await house.drain()
        assert await customer_of(connection, ACME) == await buyers.ensure_customer(ACME)


async def test_what_is_saved_is_listed_and_the_first_is_the_default(buyers: Buyers) -> None:
    visa = await save(buyers)
    bank = await save(buyers, "pm_usBankAccount_success", BANK)
    shown = await buyers.saved(ACME)
    assert [(one.method_id, one.kind, one.last4, one.is_default) for one in shown] == [
        (visa, CARD, "4242", True),
        (bank, BANK, "6789", False),
    ]
    assert shown[0].expires == "2034-12"
    assert await buyers.saved(ORBIT) == ()


async def test_the_default_is_chosen_and_passed_on_when_it_is_removed(
    house: StripeHouse, buyers: Buyers
) -> None:
    visa, amex = await save(buyers), await save(buyers, "pm_card_amex")
    await buyers.choose(ACME, amex)
    assert [one.method_id for one in await buyers.saved(ACME)] == [amex, visa]
    await buyers.remove(ACME, amex)
    (left,) = await buyers.saved(ACME)
    assert (left.method_id, left.is_default) == (visa, True)
    await house.drain()
    assert (await house.stripe.method(amex)).customer_id is None
    assert (await house.stripe.method(visa)).customer_id is not None
    with pytest.raises(NoSuchMethod):
        await buyers.choose(ACME, amex)


async def test_what_is_anothers_is_as_if_it_were_not_there(
    house: StripeHouse, buyers: Buyers
) -> None:
    visa = await save(buyers)
    setup = await buyers.begin(ACME, CARD)
    for act in (buyers.choose, buyers.remove):
        with pytest.raises(NoSuchMethod):
            await act(ORBIT, visa)
    with pytest.raises(NoSuchMethod):
        await buyers.finish(ORBIT, setup.setup_id)
    with pytest.raises(NoSuchMethod):
        await confirmed(buyers, setup, of=ORBIT)
    assert len(await buyers.saved(ACME)) == 1


async def test_the_bank_asks_and_the_buyer_comes_back(house: StripeHouse, buyers: Buyers) -> None:
    setup = await buyers.begin(ACME, CARD)
    asked = await confirmed(buyers, setup, "pm_card_authenticationRequired")
    assert asked.status is IntentStatus.REQUIRES_ACTION
    assert await buyers.saved(ACME) == ()
    await house.running.control.authenticate(setup.setup_id)
    done = await buyers.finish(ACME, setup.setup_id)
    assert done.status is IntentStatus.SUCCEEDED
    assert len(await buyers.saved(ACME)) == 1


async def test_a_buyer_that_never_comes_back_is_told_of_by_an_event(
    house: StripeHouse, buyers: Buyers
) -> None:
    setup = await buyers.begin(ACME, CARD)
    await confirmed(buyers, setup, "pm_card_authenticationRequired")
    await house.running.control.authenticate(setup.setup_id)
    await house.settled()
    (saved,) = await buyers.saved(ACME)
    assert saved.is_default
    await buyers.finish(ACME, setup.setup_id)
    assert await buyers.saved(ACME) == (saved,)


async def test_events_in_any_order_and_twice_save_one_card(
    house: StripeHouse, buyers: Buyers
) -> None:
    await house.running.control.mood(Mood(seed=5, repeat_per_mille=1_000, shuffled=True))
    await save(buyers)
    await house.settled()
    assert len(await buyers.saved(ACME)) == 1
    held = await house.rows("select note from settlement_op where state = 'HELD'")
    assert held == []


async def test_a_card_that_goes_at_the_provider_goes_here(
    house: StripeHouse, buyers: Buyers
) -> None:
    visa, amex = await save(buyers), await save(buyers, "pm_card_amex")
    await house.stripe.detach_method("elsewhere", visa)
    await house.settled()
    (left,) = await buyers.saved(ACME)
    assert (left.method_id, left.is_default) == (amex, True)


async def test_a_declined_card_is_not_saved(buyers: Buyers) -> None:
    setup = await buyers.begin(ACME, CARD)
    with pytest.raises(PaymentDeclined) as declined:
        await confirmed(buyers, setup, "pm_card_chargeDeclined")
    assert declined.value.decline_code == "generic_decline"
    assert await buyers.saved(ACME) == ()
    await confirmed(buyers, setup, "pm_card_visa")
    assert len(await buyers.saved(ACME)) == 1


async def test_who_tries_many_cards_is_stopped_for_a_day(
    house: StripeHouse, buyers: Buyers
) -> None:
    for _ in range(TRIES_A_DAY):
        await buyers.begin(ACME, CARD)
    with pytest.raises(TooManyTries):
        await buyers.begin(ACME, CARD)
    await buyers.begin(ORBIT, CARD)
    house.clock.now_us += 24 * HOUR_US
    await buyers.begin(ACME, CARD)


async def test_a_setup_that_names_another_customer_needs_a_person(
    house: StripeHouse, buyers: Buyers
) -> None:
    setup = await buyers.begin(ACME, CARD)
    await house.pool.execute("update buyer_customer set customer_id = 'cus_other'")
    await house.settled()
    held = await house.rows("select note from settlement_op where state = 'HELD'")
    assert setup.setup_id in held[0]["note"]
