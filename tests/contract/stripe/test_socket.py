"""What comes to the simulator's socket besides the SDK, and its two pages."""

import re

import aiohttp
import pytest
import stripe

from settlement.stripe_simulator import OrderRefused, Running
from settlement.stripe_simulator.accounts import PLATFORM_ID
from tests.stripe_places import KEY

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Bearer {KEY}"}


async def posted(running: Running, path: str, body: bytes, **headers: str) -> tuple[int, str]:
    """The status and body of a raw request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{running.url}{path}", data=body, headers=FORM | named) as answer,
    ):
        return answer.status, await answer.text()


@pytest.mark.parametrize(
    "body",
    [
        b"amount=%ff&currency=usd",
        b"amount",
        b"&".join(b"metadata[%d]=1" % number for number in range(2_000)),
        b"a[b][c][d][e][f][g][h]=1",
        b"amount[=1",
        b"[amount]=1",
        b"amount=1&amount[x]=1",
        b"amount[x]=1&amount=1",
        "amount=\u0661\u0662\u0663&currency=usd".encode(),
        b"amount=1e3&currency=usd",
        b"amount=9223372036854775808&currency=usd",
        b"amount=1.5&currency=usd",
        b"amount=true&currency=usd",
        b"amount=500&currency=xxx",
        b"amount=500&currency[]=usd",
        b"amount=500&currency=usd&expand[]=nothing",
        b"amount=500&currency=usd&expand[]=a.b.c.d.e",
        b"amount=500&currency=usd&confirm=maybe",
        b"amount=500&currency=usd&capture_method=never",
        b"amount=500&currency=usd&metadata[" + b"k" * 41 + b"]=1",
        b"amount=5001&currency=kwd",
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_and_changes_nothing(
    running: Running, body: bytes
) -> None:
    status, text = await posted(running, "/v1/payment_intents", body)
    assert status == 400
    assert '"type":"invalid_request_error"' in text
    assert running.engine.store.count("payment_intent") == 0


async def test_a_large_body_is_refused(running: Running) -> None:
    status, _ = await posted(running, "/v1/customers", b"description=" + b"x" * 300_000)
    assert status == 413


async def test_an_address_that_is_not_simulated_is_refused(running: Running) -> None:
    status, text = await posted(running, "/v1/subscriptions", b"")
    assert (status, "Unrecognized request URL" in text) == (404, True)


@pytest.mark.parametrize("key", ["", "Bearer sk_live_1234", "Bearer pk_test_1", "Basic eA=="])
async def test_only_a_secret_key_of_the_test_mode_is_let_in(running: Running, key: str) -> None:
    status, _ = await posted(running, "/v1/customers", b"", Authorization=key)
    assert status == 401


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://example.com"}, {"Origin": "null"}, {"Host": "example.com"}]
)
@pytest.mark.parametrize("path", ["/v1/customers", "/_simulator/move"])
async def test_a_page_in_a_browser_cannot_use_it(
    running: Running, path: str, headers: dict[str, str]
) -> None:
    status, _ = await posted(running, path, b"", **headers)
    assert status == 403
    assert running.engine.store.count("customer") == 0


@pytest.mark.parametrize("body", [b"", b"{}", b'{"seconds": -1}', b'{"seconds": 1, "x": 1}', b"]"])
async def test_an_order_that_makes_no_sense_is_refused(running: Running, body: bytes) -> None:
    headers = {"Content_Type": "application/json"}
    status, _ = await posted(running, "/_simulator/move", body, **headers)
    assert status == 400


async def test_an_order_for_what_is_not_there_is_refused(running: Running) -> None:
    with pytest.raises(OrderRefused, match="No such charge"):
        await running.control.open_dispute("ch_unknown")
    with pytest.raises(OrderRefused, match="No such customer"):
        await running.control.bank_transfer("cus_unknown", 100)


async def test_the_payer_answers_on_a_page_and_comes_back(
    running: Running, client: stripe.StripeClient
) -> None:
    intent = await client.v1.payment_intents.create_async(
        {
            "amount": 5_000,
            "currency": "usd",
            "payment_method": "pm_card_authenticationRequired",
            "confirm": True,
            "return_url": "http://127.0.0.1:9/back?invoice=1",
        }
    )
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    url = str(intent.next_action.redirect_to_url.url)
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as page:
            assert (page.status, "Your bank asks" in await page.text()) == (200, True)
        async with session.post(url, data={"answer": "yes"}, allow_redirects=False) as back:
            assert back.status == 303
            assert re.match(
                r"http://127.0.0.1:9/back\?invoice=1&payment_intent=pi_\w+&"
                r"payment_intent_client_secret=\w+&redirect_status=succeeded",
                back.headers["Location"],
            )
        async with session.post(url, data={"answer": "yes"}, allow_redirects=False) as again:
            assert again.status == 404
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).status == "succeeded"


async def test_a_seller_is_onboarded_on_a_page(
    running: Running, client: stripe.StripeClient
) -> None:
    account = await client.v1.accounts.create_async(
        {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    )
    link = await client.v1.account_links.create_async(
        {
            "account": account.id,
            "type": "account_onboarding",
            "return_url": "http://127.0.0.1:9/back",
            "refresh_url": "http://127.0.0.1:9/again",
        }
    )
    async with (
        aiohttp.ClientSession() as session,
        session.post(link.url, data={"answer": "yes"}, allow_redirects=False) as back,
    ):
        assert (back.status, back.headers["Location"]) == (303, "http://127.0.0.1:9/back")
    assert (await client.v1.accounts.retrieve_async(account.id)).payouts_enabled


async def test_the_platform_knows_its_own_account(client: stripe.StripeClient) -> None:
    assert (await client.v1.accounts.retrieve_current_async()).id == PLATFORM_ID


async def test_another_accounts_objects_are_not_there(
    running: Running, client: stripe.StripeClient
) -> None:
    buyer = await client.v1.customers.create_async({})
    account = await client.v1.accounts.create_async({"type": "express"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.customers.retrieve_async(buyer.id, {}, {"stripe_account": account.id})
    assert refused.value.code == "resource_missing"
    with pytest.raises(stripe.PermissionError):
        await client.v1.customers.list_async({}, {"stripe_account": "acct_unknown"})
