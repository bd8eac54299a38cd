"""Settlement's own calls: buyers and money in, as what they answer is used."""

from collections.abc import AsyncIterator

import pytest

from settlement.ids import StripeId
from settlement.payment_objects import IntentStatus, MethodKind, Payment
from settlement.ports import PaymentDeclined, Refused
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator import Running
from tests.stripe_places import gateway_of

AMOUNT = 119_075
CARD, TRANSFER, DEBIT = MethodKind.CARD, MethodKind.BANK_TRANSFER, MethodKind.BANK_DEBIT


@pytest.fixture
async def stripe(running: Running) -> AsyncIterator[StripeGateway]:
    async with gateway_of(running.url) as gateway:
        yield gateway


async def buyer(stripe: StripeGateway, key: str = "customer:acme:1") -> StripeId:
    made = await stripe.create_customer(key, email="b@example.com", name="Acme")
    return made.customer_id


async def saved(
    stripe: StripeGateway, of: StripeId, test: str = "pm_card_visa", kind: MethodKind = CARD
) -> StripeId:
    begun = await stripe.start_setup(f"setup:{test}:1", customer_id=of, kind=kind)
    done = await stripe.confirm_setup(
        f"setup_confirm:{test}:1",
        begun.setup_id,
        method_id=StripeId(test),
        address="192.0.2.1" if kind is DEBIT else None,
    )
    assert done.status is IntentStatus.SUCCEEDED
    assert done.method_id is not None
    return done.method_id


async def created(
    stripe: StripeGateway, of: StripeId, kind: MethodKind = CARD, key: str = "create:INV-1:1"
) -> Payment:
    return await stripe.create_payment(
        key,
        amount_minor=AMOUNT,
        currency="USD",
        customer_id=of,
        kind=kind,
        about={"invoice_id": "INV-1"},
    )


async def test_a_card_is_saved_listed_made_the_default_and_removed(stripe: StripeGateway) -> None:
    of = await buyer(stripe)
    method_id = await saved(stripe, of)
    (card,) = await stripe.methods(of, CARD)
    assert (card.method_id, card.brand, card.last4, card.expires) == (
        method_id, "visa", "4242", "2034-12",
    )  # fmt: skip
    chosen = await stripe.set_default_method("default:acme:1", of, method_id)
    assert chosen.default_method_id == method_id
    await stripe.detach_method("detach:acme:1", method_id)
    assert await stripe.methods(of, CARD) == ()


async def test_a_card_of_which_the_bank_wants_to_ask_shows_where(stripe: StripeGateway) -> None:
    of = await buyer(stripe)
    begun = await stripe.start_setup("setup:acme:1", customer_id=of, kind=CARD)
    asked = await stripe.confirm_setup(
        "setup_confirm:acme:1",
        begun.setup_id,
        method_id=StripeId("pm_card_authenticationRequired"),
        return_url="https://auctions.example.com/back",
    )
    assert asked.status is IntentStatus.REQUIRES_ACTION
    assert asked.action is not None
    assert asked.action.url is not None
    found = await stripe.find_setup("setup:acme:1", of)
    assert found is not None
    assert found.setup_id == begun.setup_id
    cancelled = await stripe.cancel_setup("setup_cancel:acme:1", begun.setup_id)
    assert cancelled.status is IntentStatus.CANCELED


async def test_a_card_is_asked_then_captured_and_its_fee_is_known(stripe: StripeGateway) -> None:
    of = await buyer(stripe)
    payment = await created(stripe, of)
    assert payment.status is IntentStatus.REQUIRES_PAYMENT_METHOD
    held = await stripe.confirm_payment(
        "confirm:INV-1:1", payment.payment_id, method_id=await saved(stripe, of)
    )
    assert (held.status, held.capturable_minor) == (IntentStatus.REQUIRES_CAPTURE, AMOUNT)
    assert held.charge_id is not None
    promised = await stripe.charge(held.charge_id)
    assert promised.capture_before_us is not None
    hours = (promised.capture_before_us - promised.made_at_us) // 3_600_000_000
    assert (hours, promised.transaction) == (4 * 24 + 18, None)
    taken = await stripe.capture_payment("capture:INV-1:1", payment.payment_id)
    assert (taken.status, taken.received_minor) == (IntentStatus.SUCCEEDED, AMOUNT)
    assert taken.currency == "USD"
    charge = await stripe.charge(held.charge_id)
    assert charge.transaction is not None
    assert (charge.transaction.fee_minor, charge.transaction.net_minor) == (3_483, AMOUNT - 3_483)
    assert charge.transaction.source_id == charge.charge_id


async def test_a_decline_says_why_and_what_it_leaves_behind(stripe: StripeGateway) -> None:
    of = await buyer(stripe)
    method = await saved(stripe, of, "pm_card_chargeCustomerFail")
    payment = await created(stripe, of)
    with pytest.raises(PaymentDeclined) as declined:
        await stripe.confirm_payment("confirm:INV-1:1", payment.payment_id, method_id=method)
    error = declined.value
    assert (error.code, error.decline_code) == ("card_declined", "generic_decline")
    assert error.payment_id == payment.payment_id
    (charge,) = await stripe.charges(payment.payment_id)
    assert (charge.charge_id, charge.status) == (error.charge_id, "failed")
    assert charge.failure is not None
    after = await stripe.payment(payment.payment_id)
    assert after.status is IntentStatus.REQUIRES_PAYMENT_METHOD
    assert after.failure is not None
    assert after.failure.code == "card_declined"
    held = await stripe.confirm_payment(
        "confirm:INV-1:2", payment.payment_id, method_id=await saved(stripe, of)
    )
    assert held.status is IntentStatus.REQUIRES_CAPTURE


async def test_a_bank_that_wants_to_ask_an_absent_buyer_declines(stripe: StripeGateway) -> None:
    of = await buyer(stripe)
    method = StripeId("pm_card_authenticationRequired")
    payment = await created(stripe, of)
    with pytest.raises(PaymentDeclined) as declined:
        await stripe.confirm_payment("confirm:INV-1:1", payment.payment_id, method_id=method)
    assert declined.value.code == "authentication_required"
    asked = await stripe.confirm_payment(
        "confirm:INV-1:2",
        payment.payment_id,
        method_id=method,
        off_session=False,
        return_url="https://auctions.example.com/back",
    )
    assert asked.status is IntentStatus.REQUIRES_ACTION
    assert asked.action is not None
    assert asked.action.url is not None


async def test_a_payment_is_found_by_the_key_that_made_it(
    running: Running, stripe: StripeGateway
) -> None:
    of = await buyer(stripe)
    first = await created(stripe, of)
    await created(stripe, of, key="create:INV-2:1")
    found = await stripe.find_payment("create:INV-1:1", of)
    assert found is not None
    assert found.payment_id == first.payment_id
    assert found.metadata == {"op_id": "create:INV-1:1", "invoice_id": "INV-1"}
    assert await stripe.find_payment("create:INV-3:1", of) is None
    assert await stripe.find_payment("create:INV-1:1") is None  # search is a minute behind
    await running.control.move(seconds=61)
    searched = await stripe.find_payment("create:INV-1:1")
    assert searched is not None
    assert searched.payment_id == first.payment_id
    customer = await stripe.find_customer("customer:acme:1")
    assert customer is not None
    assert customer.customer_id == of


async def test_a_capture_leaves_the_key_by_which_the_payment_is_found(
    stripe: StripeGateway,
) -> None:
    of = await buyer(stripe)
    payment = await created(stripe, of)
    method = await saved(stripe, of)
    await stripe.confirm_payment("confirm:INV-1:1", payment.payment_id, method_id=method)
    await stripe.capture_payment("capture:INV-1:1", payment.payment_id, amount_minor=100)
    found = await stripe.find_payment("create:INV-1:1", of)
    assert found is not None
    assert found.metadata["capture_op_id"] == "capture:INV-1:1"
    assert found.received_minor == 100


async def test_the_same_key_makes_one_payment(stripe: StripeGateway) -> None:
    of = await buyer(stripe)
    assert (await created(stripe, of)).payment_id == (await created(stripe, of)).payment_id


@pytest.mark.parametrize(
    ("amount", "code"),
    [(100_000_000, "amount_too_large"), (0, "amount_too_small"), (-1, "amount_too_small")],
)
async def test_an_amount_that_cannot_be_is_refused_before_it_is_sent(
    running: Running, stripe: StripeGateway, amount: int, code: str
) -> None:
    of = await buyer(stripe)
    before = len(await running.control.requests())
    for call in (
        stripe.create_payment(
            "create:INV-1:1", amount_minor=amount, currency="USD", customer_id=of, kind=CARD
        ),
        stripe.capture_payment("capture:INV-1:1", StripeId("pi_1"), amount_minor=amount),
        stripe.refund(
            "refund:INV-1:1", charge_id=StripeId("ch_1"), amount_minor=amount, currency="USD"
        ),
        stripe.apply_cash("apply:INV-1:1", StripeId("pi_1"), amount_minor=amount),
        stripe.change_amount("change:INV-1:1", StripeId("pi_1"), amount_minor=amount),
        stripe.pay_out("payout:1:1", amount_minor=amount, currency="USD"),
    ):
        with pytest.raises(Refused) as refused:
            await call
        assert refused.value.code == code
    assert len(await running.control.requests()) == before


async def test_a_transfer_is_waited_for_and_applied_by_hand(
    running: Running, stripe: StripeGateway
) -> None:
    of = await buyer(stripe)
    assert (await stripe.reconcile_by_hand("by_hand:acme:1", of)).by_hand
    payment = await created(stripe, of, TRANSFER)
    assert payment.action is not None
    assert payment.action.remaining_minor == AMOUNT
    assert payment.action.addresses == await stripe.bank_addresses("addresses:acme:1", of, "USD")
    (address,) = payment.action.addresses
    assert (address.kind, address.routing) == ("aba", "999999999")
    assert len(address.account) == 12
    await running.control.bank_transfer(of, 100_000, reference="INV-1")
    part = await stripe.apply_cash("apply:INV-1:1", payment.payment_id, amount_minor=100_000)
    assert part.action is not None
    assert part.action.remaining_minor == AMOUNT - 100_000
    await running.control.bank_transfer(of, AMOUNT)
    whole = await stripe.apply_cash(
        "apply:INV-1:2", payment.payment_id, amount_minor=AMOUNT - 100_000
    )
    assert (whole.status, whole.received_minor) == (IntentStatus.SUCCEEDED, AMOUNT)
    assert (await stripe.cash(of)).available_minor == {"USD": 100_000}
    moves = (await stripe.cash_movements(of)).rows
    assert [move.net_minor for move in moves] == [100_000 - AMOUNT, AMOUNT, -100_000, 100_000]
    assert (moves[-1].kind, moves[-1].reference, moves[-1].sender) == (
        "funded", "INV-1", "TEST SENDER",
    )  # fmt: skip
    assert moves[0].payment_id == payment.payment_id
    back = await stripe.refund_cash(
        "cash_back:acme:1", customer_id=of, amount_minor=100_000, currency="USD", email="b@e.com"
    )
    assert (back.status, back.currency) == ("succeeded", "USD")
    assert (await stripe.cash(of)).available_minor == {}


async def test_a_debit_of_a_saved_account_is_known_days_later(
    running: Running, stripe: StripeGateway
) -> None:
    of = await buyer(stripe)
    method = await saved(stripe, of, "pm_usBankAccount_success", DEBIT)
    payment = await created(stripe, of, DEBIT)
    sent = await stripe.confirm_payment("confirm:INV-1:1", payment.payment_id, method_id=method)
    assert sent.status is IntentStatus.PROCESSING
    await running.control.move(days=4)
    assert (await stripe.payment(payment.payment_id)).status is IntentStatus.SUCCEEDED


async def test_a_promise_is_cancelled_and_then_cannot_be_captured(stripe: StripeGateway) -> None:
    of = await buyer(stripe)
    payment = await created(stripe, of)
    await stripe.confirm_payment(
        "confirm:INV-1:1", payment.payment_id, method_id=await saved(stripe, of)
    )
    cancelled = await stripe.cancel_payment("cancel:INV-1:1", payment.payment_id)
    assert cancelled.status is IntentStatus.CANCELED
    with pytest.raises(Refused) as refused:
        await stripe.capture_payment("capture:INV-1:1", payment.payment_id)
    assert refused.value.code == "payment_intent_unexpected_state"


async def test_a_refund_is_found_by_its_key_and_never_beyond_its_charge(
    stripe: StripeGateway,
) -> None:
    of = await buyer(stripe)
    payment = await created(stripe, of)
    method = await saved(stripe, of)
    held = await stripe.confirm_payment("confirm:INV-1:1", payment.payment_id, method_id=method)
    assert held.charge_id is not None
    await stripe.capture_payment("capture:INV-1:1", payment.payment_id)
    charge_id = held.charge_id
    part = await stripe.refund(
        "refund:INV-1:1", charge_id=charge_id, amount_minor=75, currency="USD"
    )
    assert (part.amount_minor, part.currency, part.status) == (75, "USD", "succeeded")
    assert await stripe.find_refund("refund:INV-1:1", charge_id=charge_id) == part
    assert await stripe.find_refund("refund:INV-1:2", charge_id=charge_id) is None
    assert await stripe.refund_of(part.refund_id) == part
    with pytest.raises(Refused):
        await stripe.refund(
            "refund:INV-1:2", charge_id=charge_id, amount_minor=AMOUNT, currency="USD"
        )
    assert (await stripe.charge(charge_id)).refunded_minor == 75
