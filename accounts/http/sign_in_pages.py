"""Signing in and out, as pages."""

from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from msgspec import Meta

from accounts import signing_in
from accounts.http.common import actor_of, refused_page, visitor_of
from accounts.http.cookies import SESSION, STEP, keep_signed_in, keep_step
from accounts.http.guard import SIGN_IN_PATH, identity_of, signed_in
from accounts.permissions import Access, Action
from accounts.refusals import Refusal, Refused
from accounts.room import Room
from accounts.signing_in import CodeWanted, SignedIn
from accounts.texts import MailAddress, TypedCode, TypedPassword
from foundation.http.cookies import cookie, drop_cookie
from foundation.http.forms import blank, form_of
from foundation.http.pages import FlashKind, local_path, page, see_other
from foundation.http.reading import Input, query_of
from foundation.http.routes import Route

CODE_PATH = "/sign-in/code"

_SIGN_IN = Access(Action.SIGN_IN)

# Where to go afterwards; anything but a path of ours is passed over by `local_path`.
Next = Annotated[str, Meta(max_length=2_000)]


class WhereTo(Input):
    """The query of the first page."""

    next: Next = "/"


class Credentials(Input):
    """The first form."""

    mail: MailAddress
    password: TypedPassword
    next: Next = "/"


class Code(Input):
    """The second form."""

    code: TypedCode
    next: Next = "/"


class SignInPages:
    """Handlers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        own = Access(Action.MANAGE_OWN_SESSIONS)
        return [
            Route("GET", SIGN_IN_PATH, self.show, "Sign in", _SIGN_IN, query=WhereTo),
            Route("POST", SIGN_IN_PATH, self.sign_in, "Sign in", _SIGN_IN),
            Route("GET", CODE_PATH, self.show_code, "The code", _SIGN_IN, query=WhereTo),
            Route("POST", CODE_PATH, self.sign_in_with_code, "The code", _SIGN_IN),
            Route("POST", "/sign-out", self.sign_out, "Sign out", own),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /sign-in."""
        where = query_of(request, WhereTo)
        if identity_of(request) is not None:
            return see_other(where.next)
        return page(request, "accounts/sign_in.html", form=blank(next=where.next))

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """POST /sign-in."""
        form = await form_of(request, Credentials)
        given = form.valid
        if given is None:
            return page(request, "accounts/sign_in.html", status=422, form=form)
        try:
            done = await signing_in.with_password(
                self._room, given.mail, given.password, visitor_of(request)
            )
        except Refused as refused:
            return refused_page(request, "accounts/sign_in.html", form, refused)
        if isinstance(done, CodeWanted):
            response = see_other(f"{CODE_PATH}?{urlencode({'next': given.next})}")
            keep_step(response, done.step)
            return response
        return _welcome(done, given.next)

    async def show_code(self, request: web.Request) -> web.StreamResponse:
        """GET /sign-in/code."""
        if cookie(request, STEP) is None:
            return see_other(SIGN_IN_PATH)
        where = query_of(request, WhereTo)
        return page(request, "accounts/sign_in_code.html", form=blank(next=where.next))

    async def sign_in_with_code(self, request: web.Request) -> web.StreamResponse:
        """POST /sign-in/code."""
        form = await form_of(request, Code)
        given, step = form.valid, cookie(request, STEP)
        if given is None:
            return page(request, "accounts/sign_in_code.html", status=422, form=form)
        try:
            done = await signing_in.with_code(
                self._room, step or "", given.code, visitor_of(request)
            )
        except Refused as refused:
            if refused.refusal is Refusal.LINK_SPENT:
                again = "That took too long or too many tries. Begin with your password again."
                response = see_other(SIGN_IN_PATH, again, FlashKind.WARNING)
                drop_cookie(response, STEP)
                return response
            return refused_page(request, "accounts/sign_in_code.html", form, refused)
        return _welcome(done, given.next)

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        """POST /sign-out."""
        identity = signed_in(request)
        if identity.session_id is not None:
            await signing_in.sign_out(
                self._room, identity.person_id, identity.session_id, actor_of(request)
            )
        response = see_other("/", "You are signed out.")
        drop_cookie(response, SESSION)
        # Workers go too: what is pushed to whoever signed out is not shown to the next person.
        response.headers["Clear-Site-Data"] = '"storage"'
        return response


def _welcome(done: SignedIn, where: str) -> web.Response:
    response = see_other(local_path(where))
    keep_signed_in(response, done)
    return response
