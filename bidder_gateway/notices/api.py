"""Notices over HTTP: the list, and what a person wants to be told and how. All is one's own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import word_of
from accounts.http.guard import signed_in
from accounts.ids import PersonId
from accounts.permissions import Access, Action
from bidder_gateway.api_common import V1
from bidder_gateway.notices import lists, preferences
from bidder_gateway.notices.kinds import MANNERS, Kind, Way
from bidder_gateway.notices.lists import NoticesQuery, ReadUpTo, Unread
from bidder_gateway.notices.preferences import LEADS, Choices, Minute, Settings
from bidder_gateway.notices.push_key import PushKey
from bidder_gateway.notices.sms import SmsSender
from bidder_gateway.notices.views import NoticeView
from foundation.database import Pool, acquire, transaction
from foundation.http.answers import answer, no_content
from foundation.http.cursors import Listing
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from foundation.outbound import Outbound

NOTICES: Final = f"{V1}/notices"

_OWN: Final = Access(Action.KEEP_NOTICES)


class WayChoice(Struct, frozen=True):
    """A way in which notices of a kind may come. ``fixed``: it cannot be turned off."""

    way: Way
    wanted: bool
    fixed: bool


class KindChoice(Struct, frozen=True):
    """A kind of notices, and the ways that there are for it."""

    kind: Kind
    title: str
    urgent: bool
    ways: Sequence[WayChoice]


class Preferences(Struct, frozen=True, kw_only=True):
    """What a person wants to be told, and how.

    ``quiet_from`` and ``quiet_until``: minutes of the day in ``time_zone``; null: no quiet hours.
    ``leads``: what ``closing_soon_minutes`` may be. ``phone``: the confirmed number;
    ``sms``: whether text messages can be sent at all.
    """

    kinds: Sequence[KindChoice]
    quiet_from: int | None
    quiet_until: int | None
    urgent_in_quiet: bool
    closing_soon_minutes: int
    leads: Sequence[int]
    phone: str | None
    sms: bool


class Choice(Input):
    """Whether notices of a kind are to come on a way."""

    kind: Kind
    way: Way
    wanted: bool


class ChangedPreferences(Input):
    """The choices that change, and all of the rest."""

    choices: Annotated[list[Choice], Meta(max_length=len(Kind) * len(Way))]
    quiet_from: Minute | None
    quiet_until: Minute | None
    urgent_in_quiet: bool
    closing_soon_minutes: int


@dataclass(frozen=True)
class NoticesRoom:
    """What the handlers work with. ``sms``: ``None`` where text messages are off."""

    pool: Pool
    key: PushKey
    outbound: Outbound
    sms: SmsSender | None
    wall_us: Callable[[], int]


class NoticesApi:
    """Handlers."""

    def __init__(self, room: NoticesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one, wishes = f"{NOTICES}/{{notice_id}}/read", f"{NOTICES}/preferences"
        return [
            Route(
                "GET",
                NOTICES,
                self.list,
                "Your notices, the newest first",
                _OWN,
                query=NoticesQuery,
                answer=Listing[NoticeView],
                problems=(INVALID,),
            ),
            Route(
                "GET",
                f"{NOTICES}/count",
                self.count,
                "How many notices you have not read",
                _OWN,
                answer=Unread,
            ),
            Route(
                "POST",
                one,
                self.read_one,
                "You have read a notice",
                _OWN,
                status=204,
                problems=(NOT_FOUND,),
            ),
            Route(
                "POST",
                f"{NOTICES}/read",
                self.read_all,
                "You have read all notices up to a time",
                _OWN,
                body=ReadUpTo,
                status=204,
            ),
            Route(
                "GET",
                wishes,
                self.preferences,
                "What you want to be told, and how",
                _OWN,
                answer=Preferences,
            ),
            Route(
                "PUT",
                wishes,
                self.change_preferences,
                "Change what you are told, and how",
                _OWN,
                body=ChangedPreferences,
                answer=Preferences,
                problems=(INVALID,),
            ),
        ]

    # The list.

    async def list(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/notices."""
        query = query_of(request, NoticesQuery)
        return answer(request, await lists.list_of(self._room.pool, _person(request), query))

    async def count(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/notices/count."""
        return answer(request, Unread(await lists.unread(self._room.pool, _person(request))))

    async def read_one(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/notices/{notice_id}/read."""
        room, notice_id = self._room, word_of(request, "notice_id")
        if not await lists.mark_read(room.pool, _person(request), notice_id, room.wall_us()):
            raise NOT_FOUND()
        return no_content()

    async def read_all(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/notices/read."""
        room, until = self._room, await body_of(request, ReadUpTo)
        await lists.mark_all_read(room.pool, _person(request), until.until_us, room.wall_us())
        return no_content()

    # What is wanted.

    async def preferences(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/notices/preferences."""
        return answer(request, await self._preferences(_person(request)))

    async def change_preferences(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/notices/preferences."""
        changed, person_id = await body_of(request, ChangedPreferences), _person(request)
        if (changed.quiet_from is None) != (changed.quiet_until is None):
            raise INVALID("Quiet hours need both ends, or neither.", place="/quiet_until")
        if changed.closing_soon_minutes not in LEADS:
            raise INVALID(f"One of {LEADS}.", place="/closing_soon_minutes")
        chosen = {(choice.kind, choice.way): choice.wanted for choice in changed.choices}
        settings = Settings(
            quiet_from=changed.quiet_from,
            quiet_until=changed.quiet_until,
            urgent_in_quiet=changed.urgent_in_quiet,
            closing_soon_minutes=changed.closing_soon_minutes,
        )
        async with transaction(self._room.pool) as connection:
            await preferences.choose(connection, person_id, chosen)
            await preferences.set_settings(connection, person_id, settings)
        return answer(request, await self._preferences(person_id))

    async def _preferences(self, person_id: PersonId) -> Preferences:
        async with acquire(self._room.pool) as connection:
            choices = await preferences.choices_of(connection, [person_id])
            settings = await preferences.settings_of(connection, [person_id])
        own = settings.get(person_id, Settings())
        sms = self._room.sms is not None
        return Preferences(
            kinds=kind_choices(choices.get(person_id, {}), sms=sms),
            quiet_from=own.quiet_from,
            quiet_until=own.quiet_until,
            urgent_in_quiet=own.urgent_in_quiet,
            closing_soon_minutes=own.closing_soon_minutes,
            leads=LEADS,
            phone=own.phone,
            sms=sms,
        )


def kind_choices(choices: Choices, *, sms: bool) -> Sequence[KindChoice]:
    """Every kind with its ways, in the order of the page."""
    ways = [way for way in Way if sms or way is not Way.SMS]
    return [
        KindChoice(
            kind,
            manner.title,
            manner.urgent,
            [
                WayChoice(
                    way,
                    wanted=preferences.wants(choices, kind, way),
                    fixed=way is Way.PAGE and manner.always_listed,
                )
                for way in ways
                if way in manner.possible
            ],
        )
        for kind, manner in MANNERS.items()
    ]


def _person(request: web.Request) -> PersonId:
    return signed_in(request).person_id
