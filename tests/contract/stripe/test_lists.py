"""Which rows a list has, and what may be asked of it."""

import pytest
import stripe
from _pytest.outcomes import Exit

from settlement.stripe_simulator import Running
from tests.contract.stripe.conftest import key_of_the_test_mode


async def made(client: stripe.StripeClient, running: Running, count: int) -> list[str]:
    """Customers, a minute apart; the oldest first."""
    ids = []
    for _ in range(count):
        ids.append((await client.v1.customers.create_async({})).id)
        await running.control.move(seconds=60)
    return ids


async def test_rows_are_chosen_by_when_they_were_made(
    running: Running, client: stripe.StripeClient
) -> None:
    ids = await made(client, running, 4)
    second = (await client.v1.customers.retrieve_async(ids[1])).created
    expected = {"gt": ids[2:], "gte": ids[1:], "lt": ids[:1], "lte": ids[:2]}
    for bound, wanted in expected.items():
        found = await client.v1.customers.list_async({"created": {bound: second}})  # type: ignore[arg-type]
        assert [row.id for row in found.data] == wanted[::-1], bound
    exactly = await client.v1.customers.list_async({"created": second})
    assert [row.id for row in exactly.data] == [ids[1]]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 101},
        {"starting_after": "cus_unknown"},
        {"ending_before": "cus_unknown"},
    ],
)
async def test_a_page_that_cannot_be_is_refused(
    client: stripe.StripeClient, params: stripe.params.CustomerListParams
) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.customers.list_async(params)


async def test_a_list_goes_one_way_at_a_time(running: Running, client: stripe.StripeClient) -> None:
    first, second = await made(client, running, 2)
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.customers.list_async({"starting_after": second, "ending_before": first})


async def test_events_are_chosen_by_their_types(
    running: Running, client: stripe.StripeClient
) -> None:
    (buyer,) = await made(client, running, 1)
    await client.v1.customers.update_async(buyer, {"name": "B"})
    await client.v1.payment_intents.create_async({"amount": 5_000, "currency": "usd"})
    for wanted, count in (("customer.created", 1), ("customer.*", 2)):
        found = await client.v1.events.list_async({"type": wanted})
        assert len(found.data) == count


async def test_a_deleted_customer_is_not_listed_but_is_still_told_of(
    client: stripe.StripeClient,
) -> None:
    buyer = (await client.v1.customers.create_async({"payment_method": "pm_card_visa"})).id
    assert len((await client.v1.payment_methods.list_async({"customer": buyer})).data) == 1
    await client.v1.customers.delete_async(buyer)
    assert (await client.v1.customers.list_async({})).data == []
    assert (await client.v1.customers.retrieve_async(buyer)).to_dict()["deleted"] is True
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.payment_intents.create_async(
            {"amount": 5_000, "currency": "usd", "customer": buyer}
        )


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1", "pk_test_1", ""])
def test_the_suite_refuses_a_live_key(key: str) -> None:
    with pytest.raises(Exit):
        key_of_the_test_mode(key)
