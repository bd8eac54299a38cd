"""The other ways in, as pages: signing up, joining a team, choosing a new password.

Each link in a mail opens a page with a button. Programs that look into mailboxes open links, so a
link alone changes nothing.
"""

from typing import Any

from aiohttp import web

from accounts import invitations, resets, signing_up
from accounts.http.common import ZONES, actor_of, refused_page, visitor_of
from accounts.http.cookies import SESSION, keep_signed_in
from accounts.http.guard import SIGN_IN_PATH
from accounts.permissions import Access, Action
from accounts.refusals import Refusal, Refused
from accounts.room import Room
from accounts.texts import (
    MailAddress,
    OrganisationName,
    PersonName,
    TimeZone,
    TypedPassword,
)
from foundation.http.client_address import client_address
from foundation.http.cookies import drop_cookie
from foundation.http.forms import blank, form_of
from foundation.http.pages import page, see_other
from foundation.http.reading import Input
from foundation.http.routes import Route

_SIGN_IN = Access(Action.SIGN_IN)
# The links: {secret} is 43 characters, but whatever was cut or bent gets the same answer.
_SIGN_UP_LINK, _RESET_LINK, _INVITATION_LINK = (
    "/sign-up/{secret}",
    "/reset/{secret}",
    "/invitations/{secret}",
)


class NewReseller(Input):
    """Who wants to buy."""

    organisation: OrganisationName
    name: PersonName
    mail: MailAddress


class NewPassword(Input):
    """A password that is chosen behind a link."""

    password: TypedPassword


class FirstPassword(Input):
    """The first password of who has signed up."""

    time_zone: TimeZone
    password: TypedPassword


class NewColleague(Input):
    """Who was invited."""

    name: PersonName
    time_zone: TimeZone
    password: TypedPassword


class LostPassword(Input):
    """Who asks for a new password."""

    mail: MailAddress


class JoiningPages:
    """Handlers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", "/sign-up", self.show_sign_up, "Sign up", _SIGN_IN),
            Route("POST", "/sign-up", self.sign_up, "Sign up", _SIGN_IN),
            Route("GET", _SIGN_UP_LINK, self.show_finish, "Finish signing up", _SIGN_IN),
            Route("POST", _SIGN_UP_LINK, self.finish, "Finish signing up", _SIGN_IN),
            Route("GET", "/reset", self.show_lost, "A new password", _SIGN_IN),
            Route("POST", "/reset", self.ask_reset, "A new password", _SIGN_IN),
            Route("GET", _RESET_LINK, self.show_reset, "A new password", _SIGN_IN),
            Route("POST", _RESET_LINK, self.reset, "A new password", _SIGN_IN),
            Route("GET", _INVITATION_LINK, self.show_invitation, "Join a team", _SIGN_IN),
            Route("POST", _INVITATION_LINK, self.accept, "Join a team", _SIGN_IN),
        ]

    async def show_sign_up(self, request: web.Request) -> web.StreamResponse:
        """GET /sign-up."""
        return page(request, "accounts/sign_up.html", form=blank())

    async def sign_up(self, request: web.Request) -> web.StreamResponse:
        """POST /sign-up: the same answer whether the address is known or not."""
        form = await form_of(request, NewReseller)
        given = form.valid
        if given is None:
            return page(request, "accounts/sign_up.html", status=422, form=form)
        try:
            await signing_up.ask(
                self._room, given.organisation, given.name, given.mail, client_address(request)
            )
        except Refused as refused:
            return refused_page(request, "accounts/sign_up.html", form, refused)
        return page(request, "accounts/mail_sent.html", mail=given.mail, why="sign-up")

    async def show_finish(self, request: web.Request) -> web.StreamResponse:
        """GET /sign-up/{secret}."""
        found = await signing_up.opened(self._room, request.match_info["secret"])
        if found is None:
            return _spent(request, "/sign-up")
        return page(request, "accounts/finish_sign_up.html", form=blank(), found=found, zones=ZONES)

    async def finish(self, request: web.Request) -> web.StreamResponse:
        """POST /sign-up/{secret}."""
        secret = request.match_info["secret"]
        found = await signing_up.opened(self._room, secret)
        if found is None:
            return _spent(request, "/sign-up")
        form = await form_of(request, FirstPassword)
        given, template = form.valid, "accounts/finish_sign_up.html"
        values: dict[str, Any] = {"found": found, "zones": ZONES}
        if given is None:
            return page(request, template, status=422, form=form, **values)
        try:
            done = await signing_up.finish(
                self._room, secret, given.time_zone, given.password, visitor_of(request)
            )
        except Refused as refused:
            if refused.refusal is Refusal.LINK_SPENT:
                return _spent(request, "/sign-up")
            return refused_page(request, template, form, refused, **values)
        response = see_other("/account/approval", "Welcome. Now tell us about your business.")
        keep_signed_in(response, done)
        return response

    async def show_lost(self, request: web.Request) -> web.StreamResponse:
        """GET /reset."""
        return page(request, "accounts/lost_password.html", form=blank())

    async def ask_reset(self, request: web.Request) -> web.StreamResponse:
        """POST /reset: the same answer whether the address is known or not."""
        form = await form_of(request, LostPassword)
        if form.valid is None:
            return page(request, "accounts/lost_password.html", status=422, form=form)
        try:
            await resets.ask(self._room, form.valid.mail, client_address(request))
        except Refused as refused:
            return refused_page(request, "accounts/lost_password.html", form, refused)
        return page(request, "accounts/mail_sent.html", mail=form.valid.mail, why="reset")

    async def show_reset(self, request: web.Request) -> web.StreamResponse:
        """GET /reset/{secret}."""
        if not await resets.is_open(self._room, request.match_info["secret"]):
            return _spent(request, "/reset")
        return page(request, "accounts/new_password.html", form=blank())

    async def reset(self, request: web.Request) -> web.StreamResponse:
        """POST /reset/{secret}."""
        secret = request.match_info["secret"]
        if not await resets.is_open(self._room, secret):
            return _spent(request, "/reset")
        form = await form_of(request, NewPassword)
        if form.valid is None:
            return page(request, "accounts/new_password.html", status=422, form=form)
        try:
            await resets.reset(self._room, secret, form.valid.password, actor_of(request))
        except Refused as refused:
            if refused.refusal is Refusal.LINK_SPENT:
                return _spent(request, "/reset")
            return refused_page(request, "accounts/new_password.html", form, refused)
        response = see_other(SIGN_IN_PATH, "Your password is changed. Sign in with it.")
        drop_cookie(response, SESSION)
        return response

    async def show_invitation(self, request: web.Request) -> web.StreamResponse:
        """GET /invitations/{secret}."""
        found = await invitations.opened(self._room, request.match_info["secret"])
        if found is None:
            return _spent(request, "")
        return page(request, "accounts/join.html", form=blank(), found=found, zones=ZONES)

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """POST /invitations/{secret}."""
        secret = request.match_info["secret"]
        found = await invitations.opened(self._room, secret)
        if found is None:
            return _spent(request, "")
        form = await form_of(request, NewColleague)
        given = form.valid
        values: dict[str, Any] = {"found": found, "zones": ZONES}
        if given is None:
            return page(request, "accounts/join.html", status=422, form=form, **values)
        try:
            done = await invitations.accept(
                self._room,
                secret,
                given.name,
                given.time_zone,
                given.password,
                visitor_of(request),
            )
        except Refused as refused:
            if refused.refusal is Refusal.LINK_SPENT:
                return _spent(request, "")
            return refused_page(request, "accounts/join.html", form, refused, **values)
        response = see_other("/", f"Welcome to {found.organisation_name}.")
        keep_signed_in(response, done)
        return response


def _spent(request: web.Request, again: str) -> web.Response:
    return page(request, "accounts/link_spent.html", status=410, again=again)
