"""One's own account, as pages: profile, password, mail address, second factor, sessions, tokens."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from accounts import own_account, second_factor, sessions, tokens
from accounts.http.common import ZONES, actor_of, problem_of, refused_page, word_of
from accounts.http.cookies import DEVICE, keep_session
from accounts.http.guard import ENROL_PATH, signed_in
from accounts.http.shell import account_tabs
from accounts.identity import Identity, OrganisationKind, Scope
from accounts.ids import SessionId, TokenId
from accounts.permissions import ACTIONS_OF_SCOPE, Access, Action, may
from accounts.refusals import Refused
from accounts.room import Room
from accounts.texts import (
    Label,
    MailAddress,
    PersonName,
    TimeZone,
    TypedCode,
    TypedPassword,
)
from foundation.http.cookies import cookie
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import page, see_other
from foundation.http.problems import FORBIDDEN
from foundation.http.reading import Input
from foundation.http.routes import Route

PROFILE, PASSWORD, SESSIONS, TOKENS = (
    "/account",
    "/account/password",
    "/account/sessions",
    "/account/tokens",
)
LIFETIMES: Final = (("30", "30 days"), ("90", "90 days"), ("366", "A year"))

SCOPE_WORDS: Final = {
    Scope.READ: ("Read", "See bids, the team and the approval; follow sales."),
    Scope.BID: ("Bid", "Register for sales, bid, set budgets, watch lots."),
    Scope.SELL: ("Sell", "Run and pause sales."),
    Scope.STAFF: ("Staff", "Record deposits and limits, read organisations and the audit log."),
}

_ACCOUNT = Access(Action.MANAGE_OWN_ACCOUNT)
_SESSIONS = Access(Action.MANAGE_OWN_SESSIONS)
_TOKENS = Access(Action.MANAGE_OWN_TOKENS)


class OwnProfile(Input):
    """Name and zone."""

    name: PersonName
    time_zone: TimeZone


class OtherMail(Input):
    """Another mail address."""

    mail: MailAddress
    password: TypedPassword


class OtherPassword(Input):
    """Another password."""

    password: TypedPassword
    new_password: TypedPassword


class Proof(Input):
    """The password, once more."""

    password: TypedPassword


class FirstCode(Input):
    """The first code of a device."""

    code: TypedCode
    password: TypedPassword


class NewToken(Input):
    """A token for a program."""

    name: Label
    scopes: list[Scope]
    lifetime_days: Annotated[int, Meta(ge=1, le=366)]


class AccountPages:
    """Handlers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        factor, link = ENROL_PATH, "/account/mail/{secret}"
        end, revoke = f"{SESSIONS}/{{session_id}}/end", f"{TOKENS}/{{token_id}}/revoke"
        return [
            Route("GET", PROFILE, self.show_profile, "My profile", _ACCOUNT),
            Route("POST", PROFILE, self.change_profile, "My profile", _ACCOUNT),
            Route("GET", PASSWORD, self.show_password, "My password", _ACCOUNT),
            Route("POST", PASSWORD, self.change_password, "My password", _ACCOUNT),
            Route("GET", "/account/mail", self.show_mail, "My mail address", _ACCOUNT),
            Route("POST", "/account/mail", self.ask_mail, "My mail address", _ACCOUNT),
            Route("GET", link, self.show_confirm_mail, "My mail address", _ACCOUNT),
            Route("POST", link, self.confirm_mail, "My mail address", _ACCOUNT),
            Route("GET", factor, self.show_factor, "My second factor", _ACCOUNT),
            Route("POST", factor, self.confirm_factor, "My second factor", _ACCOUNT),
            Route("POST", f"{factor}/remove", self.remove_factor, "My second factor", _ACCOUNT),
            Route("POST", f"{factor}/codes", self.new_codes, "My second factor", _ACCOUNT),
            Route("GET", SESSIONS, self.show_sessions, "My sessions", _SESSIONS),
            Route("POST", end, self.end_session, "My sessions", _SESSIONS),
            Route("POST", f"{SESSIONS}/end-others", self.end_others, "My sessions", _SESSIONS),
            Route("GET", TOKENS, self.show_tokens, "My API tokens", _TOKENS),
            Route("POST", TOKENS, self.make_token, "My API tokens", _TOKENS),
            Route("POST", revoke, self.revoke_token, "My API tokens", _TOKENS),
        ]

    async def show_profile(self, request: web.Request) -> web.StreamResponse:
        """GET /account."""
        identity = by_session(request)
        profile = await own_account.profile_of(self._room, identity.person_id)
        form = blank(name=profile.name, time_zone=profile.time_zone)
        return await self._profile(request, form)

    async def change_profile(self, request: web.Request) -> web.StreamResponse:
        """POST /account."""
        identity, form = by_session(request), await form_of(request, OwnProfile)
        given = form.valid
        if given is None:
            return await self._profile(request, form, 422)
        try:
            await own_account.change_profile(
                self._room, identity, given.name, given.time_zone, actor_of(request)
            )
        except Refused as refused:
            return await self._profile(request, form.refused(refused.field, refused.message), 422)
        return see_other(PROFILE, "Your profile is changed.")

    async def _profile(
        self, request: web.Request, form: Form[OwnProfile], status: int = 200
    ) -> web.Response:
        identity = signed_in(request)
        profile = await own_account.profile_of(self._room, identity.person_id)
        # A zone that was chosen before stays among the choices, whatever list it came from.
        zones = sorted({*ZONES, (profile.time_zone, profile.time_zone.replace("_", " "))})
        return page(
            request,
            "accounts/profile.html",
            status=status,
            tabs=account_tabs(identity),
            form=form,
            mail=profile.mail,
            identity=identity,
            zones=zones,
        )

    async def show_password(self, request: web.Request) -> web.StreamResponse:
        """GET /account/password."""
        tabs = account_tabs(by_session(request))
        return page(request, "accounts/password.html", form=blank(), tabs=tabs)

    async def change_password(self, request: web.Request) -> web.StreamResponse:
        """POST /account/password."""
        identity, form = by_session(request), await form_of(request, OtherPassword)
        given, tabs, template = form.valid, account_tabs(identity), "accounts/password.html"
        if given is None:
            return page(request, template, status=422, form=form, tabs=tabs)
        try:
            secret = await own_account.change_password(
                self._room,
                identity,
                given.password,
                given.new_password,
                cookie(request, DEVICE),
                actor_of(request),
            )
        except Refused as refused:
            return refused_page(request, template, form, refused, tabs=tabs)
        said = "Your password is changed, and you are signed out everywhere else."
        response = see_other(PASSWORD, said)
        keep_session(response, secret)
        return response

    async def show_mail(self, request: web.Request) -> web.StreamResponse:
        """GET /account/mail."""
        tabs = account_tabs(by_session(request))
        return page(request, "accounts/mail_address.html", form=blank(), tabs=tabs)

    async def ask_mail(self, request: web.Request) -> web.StreamResponse:
        """POST /account/mail."""
        identity, form = by_session(request), await form_of(request, OtherMail)
        given, tabs, template = form.valid, account_tabs(identity), "accounts/mail_address.html"
        if given is None:
            return page(request, template, status=422, form=form, tabs=tabs)
        try:
            await own_account.ask_mail_change(
                self._room, identity, given.mail, given.password, actor_of(request)
            )
        except Refused as refused:
            return refused_page(request, template, form, refused, tabs=tabs)
        return page(request, "accounts/mail_sent.html", mail=given.mail, why="mail")

    async def show_confirm_mail(self, request: web.Request) -> web.StreamResponse:
        """GET /account/mail/{secret}."""
        by_session(request)
        return page(request, "accounts/confirm_mail.html")

    async def confirm_mail(self, request: web.Request) -> web.StreamResponse:
        """POST /account/mail/{secret}."""
        identity = by_session(request)
        try:
            secret = await own_account.confirm_mail_change(
                self._room, identity, request.match_info["secret"], actor_of(request)
            )
        except Refused:
            return page(request, "accounts/link_spent.html", status=410, again="/account/mail")
        response = see_other(PROFILE, "Sign in with your new mail address from now on.")
        keep_session(response, secret)
        return response

    async def show_factor(self, request: web.Request) -> web.StreamResponse:
        """GET /account/second-factor."""
        return await self._factor(request, blank())

    async def confirm_factor(self, request: web.Request) -> web.StreamResponse:
        """POST /account/second-factor: answers with the recovery codes, which are shown once."""
        identity, form = by_session(request), await form_of(request, FirstCode)
        given = form.valid
        if given is None:
            return await self._factor(request, form, 422)
        assert identity.session_id is not None, "a session, as was looked"
        try:
            await own_account.prove_password(self._room, identity, given.password)
            enrolled = await second_factor.confirm(
                self._room,
                identity.person_id,
                identity.session_id,
                given.code,
                actor_of(request),
            )
        except Refused as refused:
            status = problem_of(refused).kind.status
            return await self._factor(request, form.refused(refused.field, refused.message), status)
        codes = enrolled.recovery_codes
        response = page(request, "accounts/recovery_codes.html", codes=codes, first=True)
        keep_session(response, enrolled.session)
        return response

    async def remove_factor(self, request: web.Request) -> web.StreamResponse:
        """POST /account/second-factor/remove."""
        identity, form = by_session(request), await form_of(request, Proof)
        if form.valid is None:
            return await self._factor(request, form, 422)
        try:
            await own_account.prove_password(self._room, identity, form.valid.password)
            await second_factor.remove(self._room, identity.person_id, actor_of(request))
        except Refused as refused:
            status = problem_of(refused).kind.status
            return await self._factor(request, form.refused(refused.field, refused.message), status)
        return see_other(ENROL_PATH, "Your password alone signs you in from now on.")

    async def new_codes(self, request: web.Request) -> web.StreamResponse:
        """POST /account/second-factor/codes."""
        identity, form = by_session(request), await form_of(request, Proof)
        if form.valid is None:
            return await self._factor(request, form, 422)
        try:
            await own_account.prove_password(self._room, identity, form.valid.password)
            codes = await second_factor.new_recovery_codes(
                self._room, identity.person_id, actor_of(request)
            )
        except Refused as refused:
            status = problem_of(refused).kind.status
            return await self._factor(request, form.refused(refused.field, refused.message), status)
        return page(request, "accounts/recovery_codes.html", codes=codes, first=False)

    async def _factor(
        self, request: web.Request, form: Form[FirstCode] | Form[Proof], status: int = 200
    ) -> web.Response:
        identity = by_session(request)
        is_set = await second_factor.is_set(self._room, identity.person_id)
        enrolment = None if is_set else await second_factor.begin(self._room, identity.person_id)
        return page(
            request,
            "accounts/second_factor.html",
            status=status,
            tabs=account_tabs(identity),
            form=form,
            identity=identity,
            enrolment=enrolment,
        )

    async def show_sessions(self, request: web.Request) -> web.StreamResponse:
        """GET /account/sessions."""
        identity = by_session(request)
        listed = await sessions.sessions_of(self._room.pool, identity.person_id, self._room.clock())
        return page(
            request,
            "accounts/sessions.html",
            tabs=account_tabs(identity),
            sessions=listed,
            this=identity.session_id,
        )

    async def end_session(self, request: web.Request) -> web.StreamResponse:
        """POST /account/sessions/{session_id}/end."""
        session_id = SessionId(word_of(request, "session_id"))
        try:
            await own_account.end_session(
                self._room, by_session(request), session_id, actor_of(request)
            )
        except Refused as refused:
            raise problem_of(refused) from None
        return see_other(SESSIONS, "The session is ended.")

    async def end_others(self, request: web.Request) -> web.StreamResponse:
        """POST /account/sessions/end-others."""
        await own_account.end_other_sessions(self._room, by_session(request), actor_of(request))
        return see_other(SESSIONS, "You are signed out everywhere else.")

    async def show_tokens(self, request: web.Request) -> web.StreamResponse:
        """GET /account/tokens."""
        return await self._tokens(request, blank(lifetime_days="90"))

    async def make_token(self, request: web.Request) -> web.StreamResponse:
        """POST /account/tokens: answers with the token, which is shown once."""
        identity, form = by_session(request), await form_of(request, NewToken)
        given = form.valid
        if given is None:
            return await self._tokens(request, form, 422)
        try:
            made = await own_account.make_own_token(
                self._room,
                identity,
                given.name,
                frozenset(given.scopes),
                given.lifetime_days,
                actor_of(request),
            )
        except Refused as refused:
            status = problem_of(refused).kind.status
            return await self._tokens(request, form.refused(refused.field, refused.message), status)
        return page(request, "accounts/new_token.html", name=given.name, secret=made.secret)

    async def revoke_token(self, request: web.Request) -> web.StreamResponse:
        """POST /account/tokens/{token_id}/revoke."""
        token_id = TokenId(word_of(request, "token_id"))
        try:
            await own_account.revoke_own_token(
                self._room, by_session(request), token_id, actor_of(request)
            )
        except Refused as refused:
            raise problem_of(refused) from None
        return see_other(TOKENS, "The token is revoked.")

    async def _tokens(
        self, request: web.Request, form: Form[NewToken], status: int = 200
    ) -> web.Response:
        identity = by_session(request)
        return page(
            request,
            "accounts/tokens.html",
            status=status,
            tabs=account_tabs(identity),
            form=form,
            tokens=await tokens.tokens_of(self._room.pool, identity.person_id),
            now_us=self._room.clock(),
            scopes=scopes_for(identity),
            scope_words=SCOPE_WORDS,
            lifetimes=LIFETIMES,
        )


def scopes_for(identity: Identity) -> list[tuple[str, str, str]]:
    """The scopes that give this person's tokens anything, as choices of a form."""
    gives = {
        scope: any(may(identity, action) for action in actions - {Action.OPEN_LIVE})
        for scope, actions in ACTIONS_OF_SCOPE.items()
    }
    if identity.organisation_kind is not OrganisationKind.HOUSE:
        gives[Scope.STAFF] = False  # what it has for others, an admin's audit log, is no reason
    return [(scope.value, *SCOPE_WORDS[scope]) for scope in Scope if gives[scope]]


def by_session(request: web.Request) -> Identity:
    """Who is signed in by a browser: no token changes an account. Raises FORBIDDEN."""
    identity = signed_in(request)
    if identity.session_id is None:
        raise FORBIDDEN("This is for people, not for tokens.")
    return identity
