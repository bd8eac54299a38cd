"""The pages of webhooks: an endpoint's life, its deliveries, and strangers."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auction.desk.webhooks import Webhook
from foundation.http.problems import NOT_FOUND
from tests.accounts_site import Client
from tests.seller_site import AtDesk, at_desk
from tests.site import Site, open_site
from tests.visiting import visitor

# A public address; the tests that need an answer have a receiver of their own (`test_webhooks`).
HOOK = "https://93.184.215.14/hook"
EVENTS = ["lot.sold", "lot.withdrawn"]


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The whole site."""
    async with open_site(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def desk(site: Site) -> AtDesk:
    """A liquidator."""
    return await at_desk(site)


@pytest.fixture
async def dana(site: Site, desk: AtDesk) -> AsyncIterator[Client]:
    """Its seller's browser."""
    async with visitor(site, desk.person_id) as client:
        yield client


async def the_webhook(desk: AtDesk) -> Webhook:
    (webhook,) = await desk.room.webhooks.list(desk.seller.liquidator_id)
    return webhook


async def test_a_secret_is_shown_once_and_never_stored(desk: AtDesk, dana: Client) -> None:
    assert "No webhook yet" in (await dana.get("/desk/webhooks")).text
    made = await dana.post("/desk/webhooks", {"url": HOOK, "events": EVENTS})
    secret = re.search(r"whsec_[A-Za-z0-9+/=]{20,}", made.text)
    assert made.status == 200 and secret is not None
    assert made.headers["Cache-Control"] == "no-store"
    webhook = await the_webhook(desk)
    assert [str(event) for event in webhook.events] == EVENTS
    path = f"/desk/webhooks/{webhook.webhook_id}"
    for later in ("/desk/webhooks", path):
        assert secret[0] not in (await dana.get(later)).text
    rotated = await dana.post(f"{path}/secret", {"version": str(webhook.version)})
    another = re.search(r"whsec_[A-Za-z0-9+/=]{20,}", rotated.text)
    assert another is not None and another[0] != secret[0]
    assert "signs too until" in rotated.text


@pytest.mark.parametrize(
    ("fields", "place", "said"),
    [
        ({"url": "", "events": EVENTS}, "url", "begins with https://"),
        ({"url": HOOK}, "events", "Choose at least one."),
        ({"url": "http://93.184.215.14/hook", "events": EVENTS}, "url", "Only https"),
        ({"url": "https://10.0.0.7/hook", "events": EVENTS}, "url", ""),
        ({"url": HOOK, "events": ["lot.eaten"]}, "events", "Choose"),
    ],
)
async def test_what_will_not_do_is_said_at_its_field(
    desk: AtDesk, dana: Client, fields: dict[str, str | list[str]], place: str, said: str
) -> None:
    answer = await dana.post("/desk/webhooks", fields)
    assert answer.status == 422
    assert f'id="error-{place}"' in answer.text and said in answer.text
    assert await desk.room.webhooks.list(desk.seller.liquidator_id) == []


async def test_it_is_changed_paused_tested_and_removed(desk: AtDesk, dana: Client) -> None:
    await dana.post("/desk/webhooks", {"url": HOOK, "events": EVENTS})
    webhook = await the_webhook(desk)
    path = f"/desk/webhooks/{webhook.webhook_id}"
    seen = {"version": str(webhook.version)}
    changed = await dana.post(path, {**seen, "url": f"{HOOK}/2", "events": ["lot.sold"]})
    assert changed.status == 303
    assert (await the_webhook(desk)).url == f"{HOOK}/2"
    stale = await dana.post(path, {**seen, "url": HOOK, "events": EVENTS})
    assert stale.status == 412 and "changed this meanwhile" in stale.text
    seen = {"version": str((await the_webhook(desk)).version)}
    await dana.post(f"{path}/pause", seen)
    assert not (await the_webhook(desk)).active
    refused = await dana.post(f"{path}/test", seen)
    assert (await dana.get(refused.location)).text.count("It is switched off.") == 1
    seen = {"version": str((await the_webhook(desk)).version)}
    await dana.post(f"{path}/resume", seen)
    sent = await dana.post(f"{path}/test", seen)
    assert sent.status == 303
    log = await dana.get(sent.location)
    assert "A test" in log.text and "webhook.test" in log.text
    again = await dana.post(f"{sent.location}/resend", seen)
    assert again.location == sent.location
    assert "A test" in (await dana.get(path)).text
    removed = await dana.post(f"{path}/remove", {"version": str((await the_webhook(desk)).version)})
    assert removed.location == "/desk/webhooks"
    assert await desk.room.webhooks.list(desk.seller.liquidator_id) == []


async def test_strangers_find_nothing(site: Site, desk: AtDesk, dana: Client) -> None:
    await dana.post("/desk/webhooks", {"url": HOOK, "events": EVENTS})
    webhook = await the_webhook(desk)
    path = f"/desk/webhooks/{webhook.webhook_id}"
    delivery = await desk.room.webhooks.test(desk.seller, webhook.webhook_id)
    rival = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
    seen = {"version": str(webhook.version)}
    async with visitor(site, rival.person_id) as ann:
        for page in (path, f"{path}/deliveries/{delivery.delivery_id}"):
            assert (await ann.get(page)).status == NOT_FOUND.status
        for what in ("pause", "resume", "secret", "test", "remove"):
            assert (await ann.post(f"{path}/{what}", seen)).status == NOT_FOUND.status
        changed: dict[str, str | list[str]] = {**seen, "url": HOOK, "events": EVENTS}
        assert (await ann.post(path, changed)).status == NOT_FOUND.status
        assert HOOK not in (await ann.get("/desk/webhooks")).text
    assert await the_webhook(desk) == webhook
