"""Saving a card, holding money on it, taking it, giving it back."""

import pytest
import stripe

from settlement.stripe_simulator import Running
from tests.contract.stripe.conftest import At

AMOUNT = 119_075


async def customer(at: At) -> str:
    return (await at.v1.customers.create_async({"email": "buyer@example.com"})).id


async def saved(at: At, buyer: str, card: str = "pm_card_visa") -> str:
    return (await at.v1.payment_methods.attach_async(card, {"customer": buyer})).id


async def held(at: At, amount: int = AMOUNT, card: str = "pm_card_visa") -> stripe.PaymentIntent:
    """An authorisation that we asked for while the buyer was away."""
    buyer = await customer(at)
    return await at.v1.payment_intents.create_async(
        {
            "amount": amount,
            "currency": "usd",
            "customer": buyer,
            "payment_method": await saved(at, buyer, card),
            "allowed_payment_method_types": ["card"],
            "capture_method": "manual",
            "off_session": True,
            "confirm": True,
            "expand": ["latest_charge"],
        }
    )


def charge_of(intent: stripe.PaymentIntent) -> stripe.Charge:
    assert isinstance(intent.latest_charge, stripe.Charge)
    return intent.latest_charge


async def test_a_card_is_saved_by_a_setup_intent_and_listed(at: At) -> None:
    buyer = await customer(at)
    intent = await at.v1.setup_intents.create_async(
        {
            "customer": buyer,
            "payment_method": "pm_card_visa",
            "allowed_payment_method_types": ["card"],
            "usage": "off_session",
            "confirm": True,
        }
    )
    assert intent.status == "succeeded"
    methods = await at.v1.customers.payment_methods.list_async(buyer, {"type": "card"})
    assert [method.id for method in methods.data] == [intent.payment_method]


async def test_create_confirm_and_capture_are_three_steps(at: At) -> None:
    buyer = await customer(at)
    intent = await at.v1.payment_intents.create_async(
        {
            "amount": AMOUNT,
            "currency": "usd",
            "customer": buyer,
            "allowed_payment_method_types": ["card"],
            "capture_method": "manual",
        }
    )
    assert intent.status == "requires_payment_method"
    confirmed = await at.v1.payment_intents.confirm_async(
        intent.id, {"payment_method": await saved(at, buyer), "off_session": True}
    )
    assert (confirmed.status, confirmed.amount_capturable) == ("requires_capture", AMOUNT)
    captured = await at.v1.payment_intents.capture_async(confirmed.id)
    assert (captured.status, captured.amount_received) == ("succeeded", AMOUNT)


async def test_a_visa_hold_of_the_merchants_says_when_it_ends(at: At) -> None:
    charge = charge_of(await held(at))
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    before = charge.payment_method_details.card.capture_before
    assert before is not None
    assert 4 * 86_400 < before - charge.created < 7 * 86_400 + 60


async def test_a_part_can_be_captured_and_the_rest_is_released(at: At) -> None:
    intent = await held(at)
    captured = await at.v1.payment_intents.capture_async(
        intent.id, {"amount_to_capture": 100_000, "expand": ["latest_charge"]}
    )
    charge = charge_of(captured)
    assert (captured.amount_received, charge.amount_captured) == (100_000, 100_000)
    with pytest.raises(stripe.InvalidRequestError):
        await at.v1.refunds.create_async({"payment_intent": intent.id, "amount": 100_001})


async def test_more_than_is_held_cannot_be_captured(at: At) -> None:
    intent = await held(at)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await at.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": AMOUNT + 1})
    assert refused.value.code == "amount_too_large"


async def test_a_cancelled_intent_cannot_be_captured(at: At) -> None:
    intent = await held(at)
    cancelled = await at.v1.payment_intents.cancel_async(intent.id)
    assert cancelled.status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await at.v1.payment_intents.capture_async(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"


async def test_a_captured_intent_is_not_captured_again_nor_cancelled(at: At) -> None:
    intent = await held(at)
    await at.v1.payment_intents.capture_async(intent.id)
    for again in (at.v1.payment_intents.capture_async, at.v1.payment_intents.cancel_async):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await again(intent.id)
        assert refused.value.code == "payment_intent_unexpected_state"


async def test_refunds_never_exceed_what_was_captured(at: At) -> None:
    intent = await held(at)
    await at.v1.payment_intents.capture_async(intent.id)
    await at.v1.refunds.create_async({"payment_intent": intent.id, "amount": AMOUNT - 1})
    with pytest.raises(stripe.InvalidRequestError):
        await at.v1.refunds.create_async({"payment_intent": intent.id, "amount": 2})
    await at.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await at.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1})
    assert refused.value.code == "charge_already_refunded"


async def test_a_captured_charge_has_a_balance_transaction_of_amount_less_fee(at: At) -> None:
    intent = await held(at)
    captured = await at.v1.payment_intents.capture_async(
        intent.id, {"expand": ["latest_charge.balance_transaction"]}
    )
    row = charge_of(captured).balance_transaction
    assert isinstance(row, stripe.BalanceTransaction)
    assert (row.amount, row.type, row.source) == (AMOUNT, "charge", charge_of(captured).id)
    assert row.net == row.amount - row.fee
    assert row.fee > 0


@pytest.mark.parametrize(
    ("card", "code", "decline"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ],
)
async def test_a_declined_card_is_a_card_error_with_its_code(
    at: At, card: str, code: str, decline: str | None
) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await at.v1.payment_intents.create_async(
            {
                "amount": AMOUNT,
                "currency": "usd",
                "payment_method": card,
                "allowed_payment_method_types": ["card"],
                "confirm": True,
            }
        )
    error = declined.value.error
    assert (declined.value.http_status, declined.value.code) == (402, code)
    assert error is not None
    assert decline in (None, error.decline_code)
    assert error.payment_intent is not None
    intent = await at.v1.payment_intents.retrieve_async(error.payment_intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == code


async def test_a_saved_card_can_fail_later_and_another_be_tried(at: At) -> None:
    buyer = await customer(at)
    bad = await saved(at, buyer, "pm_card_chargeCustomerFail")
    intent = await at.v1.payment_intents.create_async(
        {
            "amount": AMOUNT,
            "currency": "usd",
            "customer": buyer,
            "allowed_payment_method_types": ["card"],
            "capture_method": "manual",
        }
    )
    with pytest.raises(stripe.CardError):
        await at.v1.payment_intents.confirm_async(
            intent.id, {"payment_method": bad, "off_session": True}
        )
    good = await saved(at, buyer)
    confirmed = await at.v1.payment_intents.confirm_async(
        intent.id, {"payment_method": good, "off_session": True}
    )
    assert confirmed.status == "requires_capture"


async def test_a_declined_card_cannot_be_saved(at: At) -> None:
    with pytest.raises(stripe.CardError):
        await saved(at, await customer(at), "pm_card_chargeDeclined")


async def test_a_bank_that_wants_to_ask_declines_while_the_buyer_is_away(at: At) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await held(at, card="pm_card_authenticationRequired")
    assert declined.value.code == "authentication_required"
    assert declined.value.error is not None
    intent = declined.value.error.payment_intent
    assert intent is not None
    assert intent.status == "requires_payment_method"


async def test_a_bank_that_wants_to_ask_asks_a_buyer_who_is_there(at: At) -> None:
    intent = await at.v1.payment_intents.create_async(
        {
            "amount": AMOUNT,
            "currency": "usd",
            "payment_method": "pm_card_authenticationRequired",
            "allowed_payment_method_types": ["card"],
            "confirm": True,
            "return_url": "https://example.com/back",
        }
    )
    assert intent.status == "requires_action"
    assert intent.next_action is not None
    assert intent.next_action.type == "redirect_to_url"


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "usd", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
        (49, "jpy", "amount_too_small"),
        (0, "usd", None),
        (-1, "usd", None),
    ],
)
async def test_amounts_have_bounds(at: At, amount: int, currency: str, code: str | None) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await at.v1.payment_intents.create_async({"amount": amount, "currency": currency})
    assert code in (None, refused.value.code)


async def test_metadata_is_merged_key_by_key(at: At) -> None:
    made = await at.v1.customers.create_async({"metadata": {"a": "1", "b": "2"}})
    changed = await at.v1.customers.update_async(made.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}


async def test_an_unknown_object_is_missing(at: At) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await at.v1.payment_intents.retrieve_async("pi_3AAAAAAAAAAAAAAAAAAAAAAA")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


async def test_an_unknown_parameter_is_refused(at: At) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await at.v1.customers.create_async({"colour": "red"})  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "colour")


async def test_payment_method_types_are_not_set_any_more(at: At) -> None:
    params = {"amount": AMOUNT, "currency": "usd", "payment_method_types": ["card"]}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await at.v1.payment_intents.create_async(params)  # type: ignore[arg-type]
    assert refused.value.code == "payment_method_types_no_longer_supported"


async def test_a_wrong_key_is_not_let_in(at: At) -> None:
    with pytest.raises(stripe.AuthenticationError):
        await at.v1.customers.list_async({}, {"api_key": "sk_wrong"})


async def test_lists_are_paged_newest_first_in_both_directions(at: At) -> None:
    buyer = await customer(at)
    made = [
        (
            await at.v1.payment_intents.create_async(
                {"amount": 1_000 + number, "currency": "usd", "customer": buyer}
            )
        ).id
        for number in range(5)
    ]
    newest = made[::-1]
    first = await at.v1.payment_intents.list_async({"customer": buyer, "limit": 2})
    assert ([one.id for one in first.data], first.has_more) == (newest[:2], True)
    older = await at.v1.payment_intents.list_async(
        {"customer": buyer, "limit": 3, "starting_after": newest[1]}
    )
    assert ([one.id for one in older.data], older.has_more) == (newest[2:], False)
    newer = await at.v1.payment_intents.list_async(
        {"customer": buyer, "limit": 2, "ending_before": newest[3]}
    )
    assert ([one.id for one in newer.data], newer.has_more) == (newest[1:3], True)
    walked = [one.id async for one in first.auto_paging_iter()]
    assert walked == newest


async def test_an_intent_is_found_by_its_metadata(
    running: Running, client: stripe.StripeClient
) -> None:
    made = [
        await client.v1.payment_intents.create_async(
            {"amount": AMOUNT, "currency": "usd", "metadata": {"op_id": f"capture:INV-{number}:1"}}
        )
        for number in range(3)
    ]
    query: stripe.params.PaymentIntentSearchParams = {
        "query": f"metadata['op_id']:'capture:INV-1:1' AND amount>={AMOUNT} AND currency:'usd'"
    }
    young = await client.v1.payment_intents.search_async(query)
    assert young.data == []
    await running.control.move(seconds=60)
    found = await client.v1.payment_intents.search_async(query)
    assert [one.id for one in found.data] == [made[1].id]
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.payment_intents.search_async({"query": "metadata OR 1"})


async def test_what_is_refused_half_way_leaves_no_trace(
    running: Running, client: stripe.StripeClient
) -> None:
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await client.v1.payment_intents.create_async(
                {"amount": AMOUNT, "currency": "usd", "confirm": True}, {"idempotency_key": "k"}
            )
        assert refused.value.code == "payment_intent_unexpected_state"
    assert (await client.v1.payment_intents.list_async({})).data == []
    assert (await client.v1.events.list_async({})).data == []
    assert [request.replayed for request in await running.control.requests()][:2] == [False, True]
