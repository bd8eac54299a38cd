"""/desk/webhooks: where a liquidator's own systems are told of its lots, and what was sent there.

An address may itself be a secret: only who runs sales sees these pages.
"""

from typing import Annotated, Any

from aiohttp import web
from msgspec import Meta, field

from accounts.http.common import word_of
from auction.desk.access import RUN, own_seller, seller_of
from auction.desk.api_common import REFUSALS
from auction.desk.pages.navigation import TABS
from auction.desk.pages.room import DeskPagesRoom, show, status_of
from auction.desk.refusals import Refusal, Refused
from auction.desk.seller import Seller
from auction.desk.webhook_rules import PAUSES_US, WebhookEvent
from auction.desk.webhooks import (
    MAX_ENDPOINTS,
    DeliveryKey,
    Events,
    NewSecret,
    Url,
    Webhook,
)
from foundation.http.answers import NEVER_STORED
from foundation.http.cursors import cursor_of, key_of_cursor
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route

WEBHOOKS = "/desk/webhooks"
DELIVERIES_SHOWN = 50
EVENT_OPTIONS = (
    (str(WebhookEvent.LOT_SOLD), "A lot is sold", "Its hammer price, never who bought it."),
    (str(WebhookEvent.LOT_PASSED), "A lot is not sold", ""),
    (str(WebhookEvent.LOT_WITHDRAWN), "A lot is withdrawn", ""),
    (str(WebhookEvent.AWARD_PAID), "A lot is paid", "Its goods may be handed over."),
    (str(WebhookEvent.AWARD_VOID), "A lot was not paid", "Its buyer lost it."),
    (str(WebhookEvent.AWARD_CANCELLED), "A sold lot is cancelled", ""),
    (str(WebhookEvent.AWARD_RELEASED), "A lot is accepted", "Its money is now owed to you."),
    (str(WebhookEvent.AWARD_PAID_OUT), "A lot's money was sent", ""),
)
EVENT_WORDS = {value: words for value, words, _ in EVENT_OPTIONS}


class NewEndpoint(Input):
    """Where to send, and of what."""

    url: Annotated[Url, Meta(extra={"message": "Enter an address that begins with https://"})]
    events: Annotated[list[WebhookEvent], Meta(extra={"message": "Choose at least one."})]

    def chosen(self) -> Events:
        """As the service takes them."""
        return tuple(self.events)


class Endpoint(Input):
    """An endpoint as it is to be from now on."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    url: Annotated[Url, Meta(extra={"message": "Enter an address that begins with https://"})] = ""
    events: list[WebhookEvent] = field(default_factory=list)


class WebhookPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one, told = f"{WEBHOOKS}/{{webhook_id}}", REFUSALS.told
        delivery = f"{one}/deliveries/{{delivery_id}}"
        return [
            Route("GET", WEBHOOKS, told(self.show), "Webhooks", RUN),
            Route("POST", WEBHOOKS, told(self.add), "A new webhook", RUN),
            Route("GET", one, told(self.endpoint), "A webhook and its deliveries", RUN),
            Route("POST", one, told(self.save), "Change a webhook", RUN),
            Route("POST", f"{one}/pause", told(self.pause), "Switch a webhook off", RUN),
            Route("POST", f"{one}/resume", told(self.resume), "Switch a webhook on", RUN),
            Route("POST", f"{one}/secret", told(self.rotate), "A new secret", RUN),
            Route("POST", f"{one}/test", told(self.test), "Send a test", RUN),
            Route("POST", f"{one}/remove", told(self.remove), "Remove a webhook", RUN),
            Route("GET", delivery, told(self.delivery), "A delivery with each try", RUN),
            Route("POST", f"{delivery}/resend", told(self.resend), "Send it again", RUN),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/webhooks."""
        events = [value for value, _, _ in EVENT_OPTIONS]
        return await self._list(request, own_seller(request), blank(events=events))

    async def add(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/webhooks: answers with the secret, which is shown this once."""
        seller, form = own_seller(request), await form_of(request, NewEndpoint)
        if form.valid is None:
            return await self._list(request, seller, form, 422)
        try:
            made = await self._room.webhooks.add(seller, form.valid.url, form.valid.chosen())
        except Refused as refused:
            status = status_of(refused)
            form = form.refused(refused.field, refused.message)
            return await self._list(request, seller, form, status)
        return _secret(request, made, rotated=False)

    async def endpoint(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/webhooks/{webhook_id}."""
        seller, webhook_id = await self._named(request)
        webhook = await self._room.webhooks.read(seller.liquidator_id, webhook_id)
        return await self._one(request, webhook, _form_of(webhook))

    async def save(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/webhooks/{webhook_id}."""
        form = await form_of(request, Endpoint)
        seller, webhook_id = await self._named(request)
        webhook = await self._room.webhooks.read(seller.liquidator_id, webhook_id)
        given = form.valid
        if given is not None and not given.url:
            form, given = form.refused("url", "Enter an address that begins with https://"), None
        if given is not None and not given.events:
            form, given = form.refused("events", "Choose at least one."), None
        if given is None:
            return await self._one(request, webhook, form, 422)
        try:
            await self._room.webhooks.change(
                seller,
                webhook_id,
                given.version,
                url=given.url,
                events=given.events,
                active=webhook.active,
            )
        except Refused as refused:
            status = status_of(refused)
            form = form.refused(refused.field, refused.message)
            return await self._one(request, webhook, form, status)
        return see_other(_path(webhook_id), "The webhook is saved.")

    async def pause(self, request: web.Request) -> web.StreamResponse:
        """POST .../pause: nothing is sent; what waits stays."""
        return await self._switch(request, active=False)

    async def resume(self, request: web.Request) -> web.StreamResponse:
        """POST .../resume: it is told of what comes from now on."""
        return await self._switch(request, active=True)

    async def rotate(self, request: web.Request) -> web.StreamResponse:
        """POST .../secret: answers with the secret, which is shown this once."""
        version, seller, webhook_id = await self._acting(request)
        try:
            made = await self._room.webhooks.rotate(seller, webhook_id, version)
        except Refused as refused:
            return _told(_path(webhook_id), refused)
        return _secret(request, made, rotated=True)

    async def test(self, request: web.Request) -> web.StreamResponse:
        """POST .../test."""
        _, seller, webhook_id = await self._acting(request)
        try:
            sent = await self._room.webhooks.test(seller, webhook_id)
        except Refused as refused:
            return _told(_path(webhook_id), refused)
        return see_other(
            _path(webhook_id, sent.delivery_id), "A test is on its way. Look again in a moment."
        )

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """POST .../remove."""
        version, seller, webhook_id = await self._acting(request)
        try:
            await self._room.webhooks.remove(seller, webhook_id, version)
        except Refused as refused:
            return _told(_path(webhook_id), refused)
        return see_other(WEBHOOKS, "The webhook is removed, with what waited for it.")

    async def delivery(self, request: web.Request) -> web.StreamResponse:
        """GET .../deliveries/{delivery_id}."""
        seller, webhook_id = await self._named(request)
        owner, delivery_id = seller.liquidator_id, word_of(request, "delivery_id")
        webhook = await self._room.webhooks.read(owner, webhook_id)
        log = await self._room.webhooks.delivery(owner, webhook_id, delivery_id)
        return show(
            request,
            "delivery.html",
            webhook=webhook,
            log=log,
            path=_path(webhook_id),
            words=EVENT_WORDS,
            tries=len(PAUSES_US) + 1,
        )

    async def resend(self, request: web.Request) -> web.StreamResponse:
        """POST .../deliveries/{delivery_id}/resend."""
        _, seller, webhook_id = await self._acting(request)
        delivery_id = word_of(request, "delivery_id")
        path = _path(webhook_id, delivery_id)
        try:
            await self._room.webhooks.resend(seller, webhook_id, delivery_id)
        except Refused as refused:
            return _told(path, refused)
        return see_other(path, "It is sent again, under the same id. Look again in a moment.")

    async def _switch(self, request: web.Request, *, active: bool) -> web.Response:
        version, seller, webhook_id = await self._acting(request)
        try:
            webhook = await self._room.webhooks.read(seller.liquidator_id, webhook_id)
            await self._room.webhooks.change(
                seller, webhook_id, version, url=webhook.url, events=webhook.events, active=active
            )
        except Refused as refused:
            return _told(_path(webhook_id), refused)
        said = "It is told again from now on." if active else "It is paused: nothing is sent there."
        return see_other(_path(webhook_id), said)

    async def _named(self, request: web.Request) -> tuple[Seller, str]:
        webhook_id = word_of(request, "webhook_id")
        return seller_of(request, await self._room.webhooks.owner_of(webhook_id)), webhook_id

    async def _acting(self, request: web.Request) -> tuple[int, Seller, str]:
        form = await form_of(request, Endpoint)
        if form.valid is None:
            raise INVALID("Say which version.")
        return form.valid.version, *await self._named(request)

    async def _list(
        self, request: web.Request, seller: Seller, form: Form[Any], status: int = 200
    ) -> web.Response:
        return show(
            request,
            "webhooks.html",
            status=status,
            tabs=TABS,
            webhooks=await self._room.webhooks.list(seller.liquidator_id),
            most=MAX_ENDPOINTS,
            form=form,
            events=EVENT_OPTIONS,
            words=EVENT_WORDS,
            path_of=_path,
        )

    async def _one(
        self, request: web.Request, webhook: Webhook, form: Form[Any], status: int = 200
    ) -> web.Response:
        after = key_of_cursor(request.query.get("cursor"), DeliveryKey)
        found = await self._room.webhooks.deliveries(
            webhook.liquidator_id, webhook.webhook_id, after, DELIVERIES_SHOWN + 1
        )
        shown, path = found[:DELIVERIES_SHOWN], _path(webhook.webhook_id)
        following = ""
        if len(found) > len(shown):
            last = DeliveryKey(shown[-1].made_at_us, shown[-1].delivery_id)
            following = f"{path}?cursor={cursor_of(last)}"
        return show(
            request,
            "webhook.html",
            status=status,
            webhook=webhook,
            form=form,
            events=EVENT_OPTIONS,
            words=EVENT_WORDS,
            deliveries=shown,
            following=following,
            first="" if after is None else path,
            path=path,
        )


def _form_of(webhook: Webhook) -> Form[Any]:
    return blank(url=webhook.url, events=list(webhook.events), version=str(webhook.version))


def _path(webhook_id: str, delivery_id: str = "") -> str:
    path = f"{WEBHOOKS}/{webhook_id}"
    return f"{path}/deliveries/{delivery_id}" if delivery_id else path


def _secret(request: web.Request, made: NewSecret, *, rotated: bool) -> web.Response:
    return show(
        request,
        "webhook_secret.html",
        headers=NEVER_STORED,
        webhook=made.webhook,
        secret=made.secret,
        rotated=rotated,
        path=_path(made.webhook.webhook_id),
    )


def _told(path: str, refused: Refused) -> web.Response:
    if refused.refusal is Refusal.NOT_FOUND:
        raise REFUSALS.problem_of(refused)
    return see_other(path, refused.message, FlashKind.ERROR)
