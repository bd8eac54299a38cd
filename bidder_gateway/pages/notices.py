"""A person's notices as pages: the list, and what they want to be told, and by which way."""

from collections.abc import Sequence
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct, field

from accounts.http.guard import signed_in
from accounts.ids import PersonId
from accounts.permissions import Access, Action
from auction.terms import STORABLE
from bidder_gateway.notices import lists, phones, preferences, subscriptions
from bidder_gateway.notices.api import NoticesRoom, kind_choices
from bidder_gateway.notices.kinds import MANNERS, Kind, Way
from bidder_gateway.notices.lists import NoticesQuery
from bidder_gateway.notices.preferences import LEADS, Settings
from bidder_gateway.notices.views import NoticeView
from bidder_gateway.pages.room import PagesRoom, show
from foundation.database import acquire, transaction
from foundation.http.forms import Form, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import Problem
from foundation.http.reading import Input
from foundation.http.routes import Route

LIST: Final = "/notices"
PREFERENCES: Final = "/notices/preferences"
NOTICES: Final = 40

_OWN = Access(Action.KEEP_NOTICES)

WAYS: Final[Sequence[tuple[Way, str, str]]] = (
    (Way.PAGE, "Here", "In the list, and on open pages at once"),
    (Way.PUSH, "Push", "On the devices that you sign up"),
    (Way.MAIL, "Mail", "To your mail address"),
    (Way.SMS, "Text", "To your phone"),
)

ICONS: Final = {
    Kind.OUTBID: ("alert", "bad"),
    Kind.LEADING_AGAIN: ("arrow-up", "good"),
    Kind.BIDS_VOIDED: ("alert", "warn"),
    Kind.LOT_REOPENED: ("refresh", "warn"),
    Kind.LOT_WON: ("trophy", "good"),
    Kind.LOT_LOST: ("minus", ""),
    Kind.IF_BID_OPENED: ("clock", "warn"),
    Kind.IF_BID_COUNTERED: ("dollar", "warn"),
    Kind.LOT_WITHDRAWN: ("minus", "warn"),
    Kind.CLOSING_SOON: ("clock", "warn"),
    Kind.SALE_PAUSED: ("pause", "warn"),
    Kind.SALE_RESUMED: ("gavel", "good"),
    Kind.ENDS_MOVED: ("clock", "info"),
    Kind.LOTS_RESCHEDULED: ("calendar", "info"),
    Kind.SEARCH_MATCHED: ("search", "info"),
    Kind.QUESTION_ASKED: ("info", "warn"),
    Kind.QUESTION_ANSWERED: ("info", "good"),
    Kind.QUESTION_HIDDEN: ("eye", "warn"),
    Kind.REGISTERED: ("check", "good"),
    Kind.APPROVAL_DECIDED: ("shield", "info"),
}


class ReadAll(Input):
    """All up to this time were read."""

    until_us: Annotated[int, Meta(ge=0, le=2**53)]


class Wishes(Input):
    """The form of preferences. ``wanted``: "KIND WAY" of every box that is ticked."""

    wanted: Annotated[list[Annotated[str, Meta(max_length=60)]], Meta(max_length=200)] = field(
        default_factory=list
    )
    quiet: bool = False
    quiet_from: Annotated[str, Meta(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")] = "22:00"
    quiet_until: Annotated[str, Meta(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")] = "07:00"
    urgent_in_quiet: bool = False
    closing_soon_minutes: int = 15


class GivenId(Input):
    """A device."""

    subscription_id: Annotated[str, Meta(max_length=200, pattern=STORABLE)]


class Line(Struct, frozen=True):
    """A notice with how it looks."""

    notice: NoticeView
    icon: str
    kind: str


class NoticePages:
    """Handlers."""

    def __init__(self, room: PagesRoom) -> None:
        self._notices: NoticesRoom = room.notices

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", LIST, self.list, "Your notices", _OWN),
            Route("POST", f"{LIST}/read", self.read, "You have read your notices", _OWN),
            Route("GET", PREFERENCES, self.preferences, "What you are told", _OWN),
            Route("POST", PREFERENCES, self.change, "What you are told", _OWN),
            Route("POST", f"{PREFERENCES}/device", self.remove_device, "A device", _OWN),
            Route("POST", f"{PREFERENCES}/phone/remove", self.remove_phone, "Your phone", _OWN),
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        """GET /notices."""
        person_id, pool = _person(request), self._notices.pool
        only_unread = request.query.get("show") == "unread"
        query = NoticesQuery(unread=only_unread, limit=NOTICES, cursor=request.query.get("cursor"))
        try:
            found = await lists.list_of(pool, person_id, query)
        except Problem:
            query.cursor = None
            found = await lists.list_of(pool, person_id, query)
        path = f"{LIST}?show=unread" if only_unread else LIST
        return show(
            request,
            "notices.html",
            lines=[Line(one, *ICONS[one.kind]) for one in found.items],
            unread=await lists.unread(pool, person_id),
            only_unread=only_unread,
            until_us=max((one.at_us for one in found.items), default=0),
            next_href=_next(path, found.next_cursor),
            first_href=path if query.cursor else "",
        )

    async def read(self, request: web.Request) -> web.StreamResponse:
        """POST /notices/read."""
        form: Form[ReadAll] = await form_of(request, ReadAll)
        if form.valid is not None:
            room = self._notices
            until_us = form.valid.until_us
            await lists.mark_all_read(room.pool, _person(request), until_us, room.wall_us())
        return see_other(LIST)

    async def preferences(self, request: web.Request) -> web.StreamResponse:
        """GET /notices/preferences."""
        person_id, room = _person(request), self._notices
        async with acquire(room.pool) as connection:
            choices = await preferences.choices_of(connection, [person_id])
            settings = await preferences.settings_of(connection, [person_id])
        own = settings.get(person_id, Settings())
        sms = room.sms is not None
        return show(
            request,
            "notice_preferences.html",
            kinds=kind_choices(choices.get(person_id, {}), sms=sms),
            ways=[way for way in WAYS if sms or way[0] is not Way.SMS],
            own=own,
            quiet_from=_clock(own.quiet_from, "22:00"),
            quiet_until=_clock(own.quiet_until, "07:00"),
            leads=LEADS,
            sms=sms,
            devices=await subscriptions.devices_of(room.pool, person_id),
        )

    async def change(self, request: web.Request) -> web.StreamResponse:
        """POST /notices/preferences."""
        form: Form[Wishes] = await form_of(request, Wishes)
        given = form.valid
        if given is None or given.closing_soon_minutes not in LEADS:
            return see_other(PREFERENCES, "That could not be kept. Try again.", FlashKind.ERROR)
        settings = Settings(
            quiet_from=_minute(given.quiet_from) if given.quiet else None,
            quiet_until=_minute(given.quiet_until) if given.quiet else None,
            urgent_in_quiet=given.urgent_in_quiet,
            closing_soon_minutes=given.closing_soon_minutes,
        )
        async with transaction(self._notices.pool) as connection:
            await preferences.choose(connection, _person(request), _chosen(given.wanted))
            await preferences.set_settings(connection, _person(request), settings)
        return see_other(PREFERENCES, "Your choices are kept.")

    async def remove_device(self, request: web.Request) -> web.StreamResponse:
        """POST /notices/preferences/device."""
        form: Form[GivenId] = await form_of(request, GivenId)
        if form.valid is not None:
            name = form.valid.subscription_id
            await subscriptions.remove(self._notices.pool, _person(request), name)
        return see_other(PREFERENCES, "No more pushes go to that device.")

    async def remove_phone(self, request: web.Request) -> web.StreamResponse:
        """POST /notices/preferences/phone/remove."""
        await phones.remove(self._notices.pool, _person(request))
        return see_other(PREFERENCES, "No more text messages are sent.")


def _person(request: web.Request) -> PersonId:
    return signed_in(request).person_id


def _next(path: str, cursor: str | None) -> str:
    if cursor is None:
        return ""
    return f"{path}{'&' if '?' in path else '?'}cursor={cursor}"


def _chosen(wanted: Sequence[str]) -> dict[tuple[Kind, Way], bool]:
    """Every box of the form: ticked or not."""
    ticked = set(wanted)
    return {
        (kind, way): f"{kind} {way}" in ticked
        for kind, manner in MANNERS.items()
        for way in manner.possible
    }


def _clock(minute: int | None, otherwise: str) -> str:
    return otherwise if minute is None else f"{minute // 60:02}:{minute % 60:02}"


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
