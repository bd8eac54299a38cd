"""The worker in Chromium: a push is shown, and says where it leads."""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import Browser

from accounts.ids import PersonId
from bidder_gateway.notices.kinds import Kind
from bidder_gateway.notices.unsubscribing import token_of
from tests.browser import window
from tests.integration.notices.test_api import serving
from tests.waiting import until

PUSH = {
    "title": "Outbid on Pallet of mixed returns",
    "body": "The current bid is $120; the next can be $130 or more.",
    "url": "/sales/S-1/lots/1?bid=13000",
    "tag": "a name",
    "at_us": 1_772_467_200_000_000,
    "urgent": True,
}

_SHOWN = """
async () => (await (await navigator.serviceWorker.ready).getNotifications()).map(
    ({ title, body, tag, data }) => ({ title, body, tag, url: data.url }))
"""


@pytest.fixture
async def origin(database_url: str) -> Any:
    async with serving(database_url) as served:
        # Any page will do; that of an address that leads nowhere needs nobody.
        yield f"{served.origin}/notices/unsubscribe/none"


async def test_a_push_is_shown_with_its_link(origin: str, chromium: Browser) -> None:
    async with window(chromium) as opened:
        page = opened.page
        opened.expects("404")
        await page.context.grant_permissions(["notifications"])
        await page.goto(origin)
        registrations: list[str] = []
        devtools = await page.context.new_cdp_session(page)
        devtools.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda told: registrations.extend(
                one["registrationId"] for one in told["registrations"]
            ),
        )
        await devtools.send("ServiceWorker.enable")
        scope = await page.evaluate(
            "navigator.serviceWorker.register('/push-worker.js', { scope: '/' })"
            ".then(async (made) => (await navigator.serviceWorker.ready, made.scope))"
        )
        assert scope == origin.partition("/notices")[0] + "/"
        await until(lambda: registrations)
        for number in (1, 2):  # the newer one takes the place of the older
            await devtools.send(
                "ServiceWorker.deliverPushMessage",
                {
                    "origin": scope,
                    "registrationId": registrations[-1],
                    "data": json.dumps(PUSH | {"body": f"push {number}"}),
                },
            )
        shown: list[dict[str, Any]] = []
        async with asyncio.timeout(10):
            while [one["body"] for one in shown] != ["push 2"]:
                shown = await page.evaluate(_SHOWN)
        (one,) = shown
        assert (one["title"], one["url"], one["tag"]) == (PUSH["title"], PUSH["url"], "a name")


async def test_the_page_of_a_mails_link_has_no_grave_fault(
    database_url: str, chromium: Browser
) -> None:
    async with serving(database_url) as served, window(chromium) as opened:
        token = token_of(served.room.means.key.link_key, PersonId("kim"), Kind.OUTBID)
        await opened.page.goto(f"{served.origin}/notices/unsubscribe/{token}")
        await opened.screenshot("unsubscribe")
        assert await opened.grave_faults() == []
        await opened.page.get_by_role("button", name="No more mails of this kind").click()
        await opened.page.get_by_role("heading", name="No more mails of this kind").wait_for()
        await opened.screenshot("unsubscribed")
        assert await opened.grave_faults() == []
        assert await opened.overflow_px() == 0
