"""Webhooks over HTTP. An address may itself be a secret: only who runs sales sees them."""

from collections.abc import Sequence

from aiohttp import web
from msgspec import Struct

from accounts.http.common import word_of
from auction.desk.access import RUN, own_seller, seller_of
from auction.desk.api_common import DESK, row
from auction.desk.refusals import Refusal
from auction.desk.seller import Seller
from auction.desk.webhooks import (
    Delivery,
    DeliveryKey,
    DeliveryLog,
    Events,
    NewSecret,
    Url,
    Webhook,
    Webhooks,
)
from foundation.http.answers import NEVER_STORED, answer, no_content
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from foundation.http.problems import INVALID
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from foundation.http.versions import version_seen


class NewWebhook(Input):
    """Where to send, and of what."""

    url: Url
    events: Events


class WebhookIn(NewWebhook):
    """All that can be changed of an endpoint."""

    active: bool


class WebhookList(Struct, frozen=True):
    """A liquidator's endpoints, at most ten."""

    items: Sequence[Webhook]


class WebhooksApi:
    """Handlers."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def routes(self) -> list[Route]:
        """Their rows."""
        return [*self._of_endpoints(), *self._of_deliveries()]

    def _of_endpoints(self) -> list[Route]:
        webhook = "/webhooks/{webhook_id}"
        return [
            row(
                "GET",
                "/webhooks",
                self.webhooks,
                "Where one's own systems are told of one's lots",
                RUN,
                Refusal.NOT_FOUND,
                answer=WebhookList,
            ),
            row(
                "POST",
                "/webhooks",
                self.add_webhook,
                "A new endpoint; its secret is shown this once",
                RUN,
                *(Refusal.NOT_FOUND, Refusal.BAD_ADDRESS, Refusal.TOO_MANY),
                body=NewWebhook,
                answer=NewSecret,
                status=201,
            ),
            row("GET", webhook, self.webhook, "An endpoint", RUN, answer=Webhook),
            row(
                "PUT",
                webhook,
                self.change_webhook,
                "Change an endpoint, or switch it on or off",
                RUN,
                Refusal.BAD_ADDRESS,
                seen=True,
                body=WebhookIn,
                answer=Webhook,
            ),
            row(
                "DELETE",
                webhook,
                self.remove_webhook,
                "Remove an endpoint with its deliveries",
                RUN,
                seen=True,
                status=204,
            ),
            row(
                "POST",
                f"{webhook}/secret",
                self.rotate_secret,
                "A new secret, shown this once; for a day both of them sign",
                RUN,
                seen=True,
                answer=NewSecret,
            ),
            row(
                "POST",
                f"{webhook}/test",
                self.test_webhook,
                "Send a delivery that means nothing",
                RUN,
                *(Refusal.NOT_NOW, Refusal.TOO_MANY),
                answer=Delivery,
                status=201,
            ),
        ]

    def _of_deliveries(self) -> list[Route]:
        deliveries = "/webhooks/{webhook_id}/deliveries"
        return [
            row(
                "GET",
                deliveries,
                self.deliveries,
                "What was sent to an endpoint or waits, the latest first",
                RUN,
                query=Paging,
                answer=Listing[Delivery],
                problems=(INVALID,),
            ),
            row(
                "GET",
                f"{deliveries}/{{delivery_id}}",
                self.delivery,
                "A delivery with each try to send it",
                RUN,
                answer=DeliveryLog,
            ),
            row(
                "POST",
                f"{deliveries}/{{delivery_id}}/resend",
                self.resend,
                "Send a delivery again, under the same id",
                RUN,
                *(Refusal.NOT_NOW, Refusal.TOO_MANY),
                answer=Delivery,
            ),
        ]

    async def webhooks(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/webhooks."""
        by = own_seller(request)
        return answer(request, WebhookList(await self._webhooks.list(by.liquidator_id)))

    async def add_webhook(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/webhooks."""
        by, asked = own_seller(request), await body_of(request, NewWebhook)
        made = await self._webhooks.add(by, asked.url, asked.events)
        headers = {**NEVER_STORED, "Location": f"{DESK}/webhooks/{made.webhook.webhook_id}"}
        return answer(request, made, status=201, headers=headers)

    async def webhook(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/webhooks/{webhook_id}."""
        by, webhook_id = await self._named(request)
        found = await self._webhooks.read(by.liquidator_id, webhook_id)
        return answer(request, found, version=found.version)

    async def change_webhook(self, request: web.Request) -> web.StreamResponse:
        """PUT /desk/webhooks/{webhook_id}."""
        by, webhook_id = await self._named(request)
        version, asked = version_seen(request), await body_of(request, WebhookIn)
        changed = await self._webhooks.change(
            by, webhook_id, version, url=asked.url, events=asked.events, active=asked.active
        )
        return answer(request, changed)

    async def remove_webhook(self, request: web.Request) -> web.StreamResponse:
        """DELETE /desk/webhooks/{webhook_id}."""
        by, webhook_id = await self._named(request)
        await self._webhooks.remove(by, webhook_id, version_seen(request))
        return no_content()

    async def rotate_secret(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/webhooks/{webhook_id}/secret."""
        by, webhook_id = await self._named(request)
        made = await self._webhooks.rotate(by, webhook_id, version_seen(request))
        return answer(request, made, headers=NEVER_STORED)

    async def test_webhook(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/webhooks/{webhook_id}/test."""
        by, webhook_id = await self._named(request)
        return answer(request, await self._webhooks.test(by, webhook_id), status=201)

    async def deliveries(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/webhooks/{webhook_id}/deliveries."""
        by, webhook_id = await self._named(request)
        asked = query_of(request, Paging)
        after = key_of_cursor(asked.cursor, DeliveryKey)
        found = await self._webhooks.deliveries(
            by.liquidator_id, webhook_id, after, asked.limit + 1
        )
        return answer(request, listing(found, asked.limit, _as_it_is, _key_of))

    async def delivery(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/webhooks/{webhook_id}/deliveries/{delivery_id}."""
        by, webhook_id = await self._named(request)
        delivery_id = word_of(request, "delivery_id")
        found = await self._webhooks.delivery(by.liquidator_id, webhook_id, delivery_id)
        return answer(request, found)

    async def resend(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/webhooks/{webhook_id}/deliveries/{delivery_id}/resend."""
        by, webhook_id = await self._named(request)
        delivery_id = word_of(request, "delivery_id")
        return answer(request, await self._webhooks.resend(by, webhook_id, delivery_id))

    async def _named(self, request: web.Request) -> tuple[Seller, str]:
        """Who acts on the endpoint that the path names, if they may. Raises NOT_FOUND."""
        webhook_id = word_of(request, "webhook_id")
        return seller_of(request, await self._webhooks.owner_of(webhook_id)), webhook_id


def _as_it_is(delivery: Delivery) -> Delivery:
    return delivery


def _key_of(delivery: Delivery) -> DeliveryKey:
    return DeliveryKey(delivery.made_at_us, delivery.delivery_id)
