"""Over HTTP: the devices and the number by which notices reach somebody. All of it is one's own."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import visitor_of, word_of
from accounts.http.guard import signed_in
from accounts.ids import PersonId
from accounts.permissions import Access, Action
from bidder_gateway.api_common import V1, kinds, problem_of
from bidder_gateway.notices import phones, subscriptions
from bidder_gateway.notices.api import NOTICES, NoticesRoom
from bidder_gateway.notices.carriers import NotSent
from bidder_gateway.notices.phones import GivenCode, GivenPhone
from bidder_gateway.notices.subscriptions import ListedDevice, NewSubscription
from bidder_gateway.refusals import Refusal, Refused
from foundation.http.answers import answer, created, no_content
from foundation.http.problems import NOT_FOUND, TOO_MANY_REQUESTS, ProblemKind
from foundation.http.reading import Input, body_of
from foundation.http.routes import Route
from foundation.http.static import STATIC

DEVICES: Final = f"{V1}/push/subscriptions"
# At the root, so that it may work for every page of the site.
WORKER: Final = "/push-worker.js"
WORKER_FILE: Final = "bidder_gateway/static/push-worker.js"

SMS_OFF = ProblemKind("SMS_OFF", 409, "Text messages are not set up here")
SMS_NOT_SENT = ProblemKind("SMS_NOT_SENT", 503, "The text message could not be sent; try again")

_OWN: Final = Access(Action.KEEP_NOTICES)
_ANYBODY: Final = Access(Action.VIEW_SALES)


class PushKeyAnswer(Struct, frozen=True):
    """What a browser subscribes with: ``applicationServerKey``, in base64url."""

    key: str


class KeptDevice(Struct, frozen=True):
    """A device that takes pushes from now on."""

    subscription_id: str


class Endpoint(Input):
    """A device by its browser's own name of it."""

    endpoint: Annotated[str, Meta(min_length=1, max_length=2_000)]


class ReachApi:
    """Handlers."""

    def __init__(self, room: NoticesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        phone, device = f"{NOTICES}/phone", f"{DEVICES}/{{subscription_id}}"
        return [
            Route(
                "POST",
                phone,
                self.ask_phone,
                "Send a code to a number for text messages",
                _OWN,
                body=GivenPhone,
                status=204,
                problems=(
                    SMS_OFF,
                    SMS_NOT_SENT,
                    *kinds(Refusal.BAD_PHONE),
                ),
            ),
            Route(
                "POST",
                f"{phone}/confirm",
                self.confirm_phone,
                "The code came: the number is yours",
                _OWN,
                body=GivenCode,
                status=204,
                problems=kinds(Refusal.WRONG_CODE),
            ),
            Route("DELETE", phone, self.remove_phone, "No more text messages", _OWN, status=204),
            Route(
                "GET",
                f"{V1}/push/key",
                self.push_key,
                "What a browser subscribes to pushes with",
                _OWN,
                answer=PushKeyAnswer,
            ),
            Route(
                "GET",
                DEVICES,
                self.devices,
                "Your devices that take pushes",
                _OWN,
                answer=list[ListedDevice],
            ),
            Route(
                "POST",
                DEVICES,
                self.keep_device,
                "Send pushes to this browser",
                _OWN,
                body=NewSubscription,
                answer=KeptDevice,
                status=201,
                problems=kinds(Refusal.BAD_DEVICE),
            ),
            Route(
                "DELETE",
                device,
                self.remove_device,
                "No more pushes to a device",
                _OWN,
                status=204,
                problems=(NOT_FOUND,),
            ),
            Route(
                "POST",
                f"{V1}/push/forget",
                self.forget_device,
                "No more pushes to this browser",
                _OWN,
                body=Endpoint,
                status=204,
            ),
            Route("GET", WORKER, self.worker, "The worker that shows pushes", _ANYBODY),
        ]

    # Text messages.

    async def ask_phone(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/notices/phone."""
        room, given = self._room, await body_of(request, GivenPhone)
        if room.sms is None:
            raise SMS_OFF()
        try:
            await phones.ask(room.pool, room.sms, _person(request), given.phone, room.wall_us())
        except Refused as refused:
            if refused.refusal is Refusal.TOO_SOON:
                raise TOO_MANY_REQUESTS(refused.message) from None
            raise problem_of(refused) from None
        except NotSent:
            raise SMS_NOT_SENT() from None
        return no_content()

    async def confirm_phone(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/notices/phone/confirm."""
        room, given = self._room, await body_of(request, GivenCode)
        try:
            await phones.confirm(room.pool, _person(request), given.code, room.wall_us())
        except Refused as refused:
            raise problem_of(refused) from None
        return no_content()

    async def remove_phone(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/notices/phone."""
        await phones.remove(self._room.pool, _person(request))
        return no_content()

    # Devices.

    async def push_key(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/push/key."""
        return answer(request, PushKeyAnswer(self._room.key.public))

    async def devices(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/push/subscriptions."""
        return answer(request, await subscriptions.devices_of(self._room.pool, _person(request)))

    async def keep_device(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/push/subscriptions."""
        room, new = self._room, await body_of(request, NewSubscription)
        try:
            kept = await subscriptions.keep(
                room.pool,
                room.outbound,
                _person(request),
                new,
                visitor_of(request).agent,
                room.wall_us(),
            )
        except Refused as refused:
            raise problem_of(refused) from None
        return created(request, KeptDevice(kept), f"{DEVICES}/{kept}")

    async def remove_device(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/push/subscriptions/{subscription_id}."""
        subscription_id = word_of(request, "subscription_id")
        if not await subscriptions.remove(self._room.pool, _person(request), subscription_id):
            raise NOT_FOUND()
        return no_content()

    async def forget_device(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/push/forget."""
        known = await body_of(request, Endpoint)
        await subscriptions.remove_endpoint(self._room.pool, _person(request), known.endpoint)
        return no_content()

    async def worker(self, request: web.Request) -> web.StreamResponse:
        """GET /push-worker.js."""
        response = request.config_dict[STATIC].answer_file(request, WORKER_FILE)
        response.headers["Service-Worker-Allowed"] = "/"
        return response


def _person(request: web.Request) -> PersonId:
    return signed_in(request).person_id
