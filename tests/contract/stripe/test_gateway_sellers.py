"""Settlement's own calls: money out, Stripe's books, disputes and events."""

from collections.abc import AsyncIterator

import pytest

from settlement.ids import StripeId
from settlement.payment_objects import MethodKind
from settlement.ports import Refused
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator import Running
from tests.stripe_places import gateway_of

AMOUNT = 119_075
FOREVER_US = 4_000_000_000_000_000


@pytest.fixture
async def stripe(running: Running) -> AsyncIterator[StripeGateway]:
    async with gateway_of(running.url) as gateway:
        yield gateway


async def charged(stripe: StripeGateway, card: str = "pm_card_visa", of: str = "INV-1") -> StripeId:
    """A captured charge."""
    customer = await stripe.create_customer(f"customer:{of}:1", email="b@example.com", name="B")
    payment = await stripe.create_payment(
        f"create:{of}:1",
        amount_minor=AMOUNT,
        currency="USD",
        customer_id=customer.customer_id,
        kind=MethodKind.CARD,
        group=of,
    )
    await stripe.confirm_payment(
        f"confirm:{of}:1", payment.payment_id, method_id=StripeId(card), off_session=False
    )
    taken = await stripe.capture_payment(f"capture:{of}:1", payment.payment_id)
    assert taken.charge_id is not None
    return taken.charge_id


async def onboarded(running: Running, stripe: StripeGateway) -> StripeId:
    account = await stripe.create_account("account:north:1", email="n@example.com")
    await running.control.onboard(account.account_id)
    return account.account_id


async def test_an_account_says_what_is_due_until_its_owner_was_onboarded(
    running: Running, stripe: StripeGateway
) -> None:
    account = await stripe.create_account("account:north:1", email="n@example.com")
    assert (account.takes_transfers, account.payouts_enabled) == (False, False)
    assert "external_account" in account.due
    link = await stripe.onboarding_link(
        account.account_id,
        return_url="https://auctions.example.com/back",
        refresh_url="https://auctions.example.com/again",
    )
    assert link.url.startswith("http")
    assert link.expires_at_us > 1_700_000_000_000_000
    await running.control.onboard(account.account_id)
    ready = await stripe.account(account.account_id)
    assert (ready.takes_transfers, ready.payouts_enabled, ready.due) == (True, True, ())
    assert ready.payout_interval == "daily"
    found = await stripe.find_account("account:north:1", since_us=0)
    assert found == ready
    assert await stripe.find_account("account:south:1", since_us=0) is None


async def test_a_transfer_is_found_in_its_group_and_its_reversals_by_key(
    running: Running, stripe: StripeGateway
) -> None:
    account, charge = await onboarded(running, stripe), await charged(stripe)
    sent = await stripe.transfer(
        "transfer:S1~12:1",
        account_id=account,
        amount_minor=80_000,
        currency="USD",
        source_charge_id=charge,
        group="INV-1",
        about={"award_id": "S1~12"},
    )
    assert (sent.account_id, sent.source_charge_id, sent.currency) == (account, charge, "USD")
    assert await stripe.find_transfer("transfer:S1~12:1", "INV-1") == sent
    assert await stripe.find_transfer("transfer:S1~13:1", "INV-1") is None
    back = await stripe.reverse("reverse:S1~12:1", sent.transfer_id, amount_minor=30_000)
    assert (back.amount_minor, back.transfer_id) == (30_000, sent.transfer_id)
    assert await stripe.find_reversal("reverse:S1~12:1", sent.transfer_id) == back
    assert await stripe.find_reversal("reverse:S1~12:2", sent.transfer_id) is None
    assert await stripe.reversals(sent.transfer_id) == (back,)
    assert (await stripe.transfer_of(sent.transfer_id)).reversed_minor == 30_000
    row = await stripe.balance_transaction(StripeId(sent.transaction_id or ""))
    assert (row.kind, row.net_minor) == ("transfer", -80_000)


async def test_an_account_that_is_not_onboarded_gets_nothing(stripe: StripeGateway) -> None:
    account = await stripe.create_account("account:north:1", email="n@example.com")
    charge = await charged(stripe)
    with pytest.raises(Refused) as refused:
        await stripe.transfer(
            "transfer:S1~12:1",
            account_id=account.account_id,
            amount_minor=1,
            currency="USD",
            source_charge_id=charge,
        )
    assert refused.value.code == "insufficient_capabilities_for_transfer"


async def test_a_payout_is_of_available_money_and_found_by_its_key(
    running: Running, stripe: StripeGateway
) -> None:
    await charged(stripe, "pm_card_bypassPending")
    there = (await stripe.balance()).available_minor["USD"]
    payout = await stripe.pay_out("payout:1:1", amount_minor=there, currency="USD")
    assert (payout.status, payout.automatic, payout.currency) == ("pending", False, "USD")
    assert await stripe.find_payout("payout:1:1", since_us=0) == payout
    assert await stripe.find_payout("payout:1:2", since_us=0) is None
    await running.control.move(days=2)
    assert (await stripe.payout(payout.payout_id)).status == "paid"
    with pytest.raises(Refused) as refused:
        await stripe.pay_out("payout:2:1", amount_minor=1, currency="USD")
    assert refused.value.code == "balance_insufficient"


async def test_the_payouts_of_a_sellers_account_are_its_own(
    running: Running, stripe: StripeGateway
) -> None:
    account, charge = await onboarded(running, stripe), await charged(stripe)
    await stripe.transfer(
        "transfer:1:1", account_id=account, amount_minor=500, currency="USD",
        source_charge_id=charge,
    )  # fmt: skip
    await running.control.move(days=5)
    (payout,) = (await stripe.payouts(account_id=account)).rows
    assert (payout.amount_minor, payout.status, payout.automatic) == (500, "paid", True)
    assert await stripe.payout(payout.payout_id, account_id=account) == payout
    assert (await stripe.payouts()).rows == ()


async def test_our_own_balance_is_paid_out_by_hand(stripe: StripeGateway) -> None:
    assert await stripe.pay_out_by_hand("by_hand:platform:1") == "manual"
    assert await stripe.payout_interval() == "manual"


async def test_the_books_are_read_by_pages_in_a_window(
    running: Running, stripe: StripeGateway
) -> None:
    start_us = await running.control.now() * 1_000_000
    for number in range(3):
        await charged(stripe, of=f"INV-{number}")
        await running.control.move(seconds=60)
    first = await stripe.balance_transactions(since_us=start_us, before_us=FOREVER_US, limit=2)
    rest = await stripe.balance_transactions(
        since_us=start_us, before_us=FOREVER_US, after=first.next_after, limit=2
    )
    assert (len(first.rows), len(rest.rows), rest.next_after) == (2, 1, None)
    oldest = rest.rows[0]
    assert (oldest.amount_minor, oldest.currency, oldest.category) == (AMOUNT, "USD", "charge")
    up_to = await stripe.balance_transactions(
        since_us=start_us, before_us=oldest.made_at_us + 1_000_000
    )
    assert up_to.rows == (oldest,)
    nothing = await stripe.balance_transactions(since_us=start_us, before_us=oldest.made_at_us)
    assert nothing.rows == ()
    of_euros = await stripe.balance_transactions(since_us=0, before_us=FOREVER_US, currency="EUR")
    assert of_euros.rows == ()


async def test_a_dispute_is_answered_once_and_says_what_it_took(
    running: Running, stripe: StripeGateway
) -> None:
    charge = await charged(stripe)
    dispute_id = StripeId(await running.control.open_dispute(charge))
    dispute = await stripe.dispute(dispute_id)
    assert (dispute.status, dispute.amount_minor, dispute.charge_id) == (
        "needs_response", AMOUNT, charge,
    )  # fmt: skip
    (taken,) = dispute.transactions
    assert (taken.amount_minor, taken.fee_minor) == (-AMOUNT, 1_500)
    assert (await stripe.disputes(payment_id=dispute.payment_id)).rows == (dispute,)
    text = {"uncategorized_text": "winning_evidence"}
    staged = await stripe.answer_dispute("answer:1:1", dispute_id, text, submit=False)
    assert (staged.status, staged.submissions, staged.is_over) == ("needs_response", 0, False)
    won = await stripe.answer_dispute("answer:1:2", dispute_id, text, submit=True)
    assert (won.status, won.is_over) == ("won", True)
    assert sum(row.amount_minor for row in won.transactions) == 0
    with pytest.raises(Refused):
        await stripe.accept_dispute("accept:1:1", dispute_id)


async def test_a_dispute_that_is_accepted_is_lost(running: Running, stripe: StripeGateway) -> None:
    dispute_id = StripeId(await running.control.open_dispute(await charged(stripe)))
    assert (await stripe.accept_dispute("accept:1:1", dispute_id)).status == "lost"


async def test_events_are_hints_of_which_object_changed(stripe: StripeGateway) -> None:
    charge = await charged(stripe)
    (event,) = (await stripe.events(types=["charge.captured"])).rows
    assert (event.object_kind, event.object_id, event.account_id) == ("charge", charge, None)
    assert event.live is False
    assert await stripe.event(event.event_id) == event
