"""Connected accounts, transfers and reversals, disputes, payouts: where money goes on."""

from pathlib import Path

import pytest
import stripe

from settlement.stripe_simulator import OrderRefused, Running
from tests.contract.stripe.lives import Told, seller_of

AMOUNT = 100_000


async def charged(client: stripe.StripeClient, card: str = "pm_card_visa") -> str:
    """A captured charge."""
    intent = await client.v1.payment_intents.create_async(
        {"amount": AMOUNT, "currency": "usd", "payment_method": card, "confirm": True}
    )
    return str(intent.latest_charge)


async def passed_on(
    client: stripe.StripeClient, charge: str, seller: str, amount: int = 80_000
) -> stripe.Transfer:
    return await client.v1.transfers.create_async(
        {
            "amount": amount,
            "currency": "usd",
            "destination": seller,
            "source_transaction": charge,
        }
    )


async def net_of(client: stripe.StripeClient) -> int:
    """All that Stripe's books say."""
    rows = await client.v1.balance_transactions.list_async({"limit": 100})
    return sum([row.net async for row in rows.auto_paging_iter()])


async def balance_of(client: stripe.StripeClient, account: str = "") -> tuple[int, int]:
    options: stripe.RequestOptions = {"stripe_account": account} if account else {}
    balance = await client.v1.balance.retrieve_async({}, options)
    return balance.available[0].amount, balance.pending[0].amount


async def test_an_account_takes_transfers_only_after_its_onboarding(
    running: Running, client: stripe.StripeClient
) -> None:
    account = await client.v1.accounts.create_async(
        {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    )
    charge = await charged(client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await passed_on(client, charge, account.id)
    assert refused.value.code == "insufficient_capabilities_for_transfer"
    await running.control.onboard(account.id)
    assert (await passed_on(client, charge, account.id)).amount == 80_000


async def test_transfers_never_exceed_their_charge(
    running: Running, client: stripe.StripeClient
) -> None:
    seller, charge = await seller_of(client, running.control, Told()), await charged(client)
    await passed_on(client, charge, seller, AMOUNT - 1)
    with pytest.raises(stripe.InvalidRequestError):
        await passed_on(client, charge, seller, 2)
    await passed_on(client, charge, seller, 1)


async def test_a_transfer_without_a_charge_needs_available_money(
    running: Running, client: stripe.StripeClient
) -> None:
    seller = await seller_of(client, running.control, Told())
    await charged(client)
    params: stripe.params.TransferCreateParams = {
        "amount": 50_000,
        "currency": "usd",
        "destination": seller,
    }
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.transfers.create_async(params)
    assert refused.value.code == "balance_insufficient"
    await running.control.move(days=3)
    assert (await client.v1.transfers.create_async(params)).amount == 50_000


async def test_reversals_never_exceed_their_transfer(
    running: Running, client: stripe.StripeClient
) -> None:
    seller = await seller_of(client, running.control, Told())
    transfer = await passed_on(client, await charged(client), seller)
    await client.v1.transfers.reversals.create_async(transfer.id, {"amount": 79_999})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.transfers.reversals.create_async(transfer.id, {"amount": 2})
    assert refused.value.param == "amount"
    await client.v1.transfers.reversals.create_async(transfer.id)
    seen = await client.v1.transfers.retrieve_async(transfer.id)
    assert (seen.reversed, seen.amount_reversed) == (True, 80_000)


async def test_what_a_seller_was_paid_out_cannot_be_reversed(
    running: Running, client: stripe.StripeClient
) -> None:
    seller = await seller_of(client, running.control, Told())
    transfer = await passed_on(client, await charged(client), seller)
    await running.control.move(days=5)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.transfers.reversals.create_async(transfer.id)
    assert refused.value.code == "balance_insufficient"
    assert (await running.control.state()).in_the_bank == {seller: {"usd": 80_000}}


async def test_a_seller_gets_the_money_when_the_charges_is_available(
    running: Running, client: stripe.StripeClient
) -> None:
    seller = await seller_of(client, running.control, Told())
    await client.v1.accounts.update_async(
        seller, {"settings": {"payouts": {"schedule": {"interval": "manual"}}}}
    )
    await passed_on(client, await charged(client), seller)
    assert await balance_of(client, seller) == (0, 80_000)
    await running.control.move(days=2)
    assert await balance_of(client, seller) == (80_000, 0)


async def test_a_payout_is_of_available_money_and_can_come_back(
    running: Running, client: stripe.StripeClient
) -> None:
    await charged(client, "pm_card_bypassPending")
    there, _ = await balance_of(client)
    assert there == AMOUNT - 2_930
    params: stripe.params.PayoutCreateParams = {"amount": there + 1, "currency": "usd"}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.payouts.create_async(params)
    assert refused.value.code == "balance_insufficient"
    payout = await client.v1.payouts.create_async({"amount": there, "currency": "usd"})
    await running.control.move(days=2)
    assert (await client.v1.payouts.retrieve_async(payout.id)).status == "paid"
    assert (await running.control.state()).in_the_bank == {"platform": {"usd": there}}
    await running.control.fail_payout(payout.id)
    assert (await running.control.state()).in_the_bank == {}
    assert await balance_of(client) == (there, 0)


async def test_a_dispute_takes_the_money_and_a_fee_which_is_not_given_back(
    running: Running, client: stripe.StripeClient
) -> None:
    charge = await charged(client)
    before = await net_of(client)
    dispute = await running.control.open_dispute(charge)
    assert await net_of(client) == before - AMOUNT - 1_500
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.refunds.create_async({"charge": charge})
    assert refused.value.code == "charge_disputed"
    won = await client.v1.disputes.update_async(
        dispute, {"evidence": {"uncategorized_text": "winning_evidence"}}
    )
    assert won.status == "won"
    assert await net_of(client) == before - 1_500


async def test_a_dispute_without_an_answer_is_lost(
    running: Running, client: stripe.StripeClient
) -> None:
    charge = await charged(client)
    dispute = await running.control.open_dispute(charge)
    await running.control.move(days=9)
    assert (await client.v1.disputes.retrieve_async(dispute)).status == "lost"
    with pytest.raises(OrderRefused):
        await running.control.decide_dispute(dispute, won=True)


async def test_a_card_that_is_for_disputes_is_disputed(
    running: Running, client: stripe.StripeClient
) -> None:
    charge = await charged(client, "pm_card_createDispute")
    await running.control.move(seconds=1)
    assert [row.charge for row in (await client.v1.disputes.list_async({})).data] == [charge]


async def test_an_authorisation_expires_and_its_intent_is_cancelled(
    running: Running, client: stripe.StripeClient
) -> None:
    intent = await client.v1.payment_intents.create_async(
        {
            "amount": AMOUNT,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "capture_method": "manual",
            "confirm": True,
        }
    )
    await running.control.move(days=7, seconds=-1)
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).status == "requires_capture"
    await running.control.move(seconds=1)
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).status == "canceled"


async def test_the_books_add_up_to_the_balance(
    running: Running, client: stripe.StripeClient, tmp_path: Path
) -> None:
    seller = await seller_of(client, running.control, Told())
    charges = [await charged(client) for _ in range(3)]
    await client.v1.refunds.create_async({"charge": charges[0], "amount": 12_345})
    await passed_on(client, charges[1], seller)
    await running.control.open_dispute(charges[2])
    for _ in range(4):
        assert sum(await balance_of(client)) == await net_of(client)
        await running.control.move(days=1)


async def test_a_row_of_the_books_is_pending_until_its_money_is_available(
    running: Running, client: stripe.StripeClient
) -> None:
    await charged(client)
    rows = client.v1.balance_transactions
    row = (await rows.list_async({})).data[0]
    assert row.status == "pending"
    await running.control.move_to(row.available_on)
    assert (await rows.retrieve_async(row.id)).status == "available"
    assert await balance_of(client) == (row.net, 0)
