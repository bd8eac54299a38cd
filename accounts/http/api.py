"""Accounts for programs: who am I, tickets, sessions, tokens, the team, the approval, audit log."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from accounts import (
    applications,
    audit,
    certificates,
    directory,
    organisations,
    own_account,
    sessions,
    tickets,
    tokens,
)
from accounts.approval_states import ApprovalState, CertificateState
from accounts.audit import AuditLine
from accounts.http.common import actor_of, problem_of, word_of
from accounts.http.guard import require, signed_in
from accounts.http.staff_pages import QueueKey
from accounts.http.team_pages import AuditKey
from accounts.identity import Identity, OrganisationKind, Role, Scope
from accounts.ids import OrganisationId, PersonId, SessionId, TokenId
from accounts.organisations import ListedOrganisation
from accounts.permissions import Access, Action, may
from accounts.refusals import Refused
from accounts.room import Room
from accounts.texts import Label
from foundation.http.answers import NEVER_STORED, answer, no_content
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from foundation.http.problems import CONFLICT, FORBIDDEN, INVALID, NOT_FOUND
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route


class Me(Struct, frozen=True, kw_only=True):
    """Who the request is made as, and what they may do to something at least."""

    person_id: PersonId
    name: str
    organisation_id: OrganisationId
    organisation_name: str
    organisation_kind: OrganisationKind
    roles: Sequence[Role]
    scopes: Sequence[Scope] | None  # null: a session, which is not narrowed
    actions: Sequence[Action]


class OneTimeTicket(Struct, frozen=True):
    """For the first frame of a live connection; works once, until it expires."""

    ticket: str
    expires_at_us: int


class SessionItem(Struct, frozen=True, kw_only=True):
    """One of your sessions."""

    session_id: SessionId
    address: str
    agent: str
    created_at_us: int
    last_seen_at_us: int
    current: bool


class NewApiToken(Input):
    """A token to be made, for your own programs."""

    name: Label
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=len(Scope))]
    lifetime_days: Annotated[int, Meta(ge=1, le=366)]


class MadeApiToken(Struct, frozen=True):
    """The token, which is told this once."""

    token_id: TokenId
    token: str


class TokenItem(Struct, frozen=True, kw_only=True):
    """One of your tokens."""

    token_id: TokenId
    name: str
    scopes: Sequence[Scope]
    created_at_us: int
    expires_at_us: int
    last_used_at_us: int | None


class TeamMember(Struct, frozen=True, kw_only=True):
    """One of your team."""

    person_id: PersonId
    name: str
    mail: str
    roles: Sequence[Role]
    ceiling_minor: int | None


class CertificateItem(Struct, frozen=True, kw_only=True):
    """A resale certificate, and what our staff made of it."""

    certificate_id: str
    state: str
    number: str
    expires_on: date
    decision: CertificateState
    reasons: str


class ApprovalItem(Struct, frozen=True, kw_only=True):
    """How a reseller stands with the house."""

    organisation_id: OrganisationId
    state: ApprovalState
    reasons: str
    limit_minor: int | None
    currency: str
    submitted_at_us: int | None
    decided_at_us: int | None
    certificates: Sequence[CertificateItem]


class Sessions(Struct, frozen=True):
    """Your sessions, the last used first."""

    items: Sequence[SessionItem]


class Tokens(Struct, frozen=True):
    """Your tokens, the newest first."""

    items: Sequence[TokenItem]


class Team(Struct, frozen=True):
    """Your team, by name."""

    items: Sequence[TeamMember]


class OrganisationsOfKind(Paging):
    """Which organisations."""

    kind: OrganisationKind | None = None


class AuditOf(Paging):
    """Whose lines."""

    organisation_id: Annotated[str, Meta(max_length=64)] | None = None


class AccountsApi:
    """Handlers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        v1, organisation = "/api/v1", "/api/v1/organisations/{organisation_id}"
        account, own_sessions, own_tokens = (
            Access(Action.OPEN_LIVE),
            Access(Action.MANAGE_OWN_SESSIONS),
            Access(Action.MANAGE_OWN_TOKENS),
        )
        return [
            Route("GET", f"{v1}/me", self.me, "Who you are", account, answer=Me),
            Route(
                "POST",
                f"{v1}/tickets",
                self.ticket,
                "A one-time ticket for a live connection",
                account,
                answer=OneTimeTicket,
                status=201,
            ),
            Route(
                "GET",
                f"{v1}/sessions",
                self.sessions,
                "Your sessions",
                own_sessions,
                answer=Sessions,
            ),
            Route(
                "DELETE",
                f"{v1}/sessions/{{session_id}}",
                self.end_session,
                "End one of your sessions",
                own_sessions,
                status=204,
                problems=(NOT_FOUND,),
            ),
            Route("GET", f"{v1}/tokens", self.tokens, "Your tokens", own_tokens, answer=Tokens),
            Route(
                "POST",
                f"{v1}/tokens",
                self.make_token,
                "Make a token",
                own_tokens,
                body=NewApiToken,
                answer=MadeApiToken,
                status=201,
                problems=(CONFLICT,),
            ),
            Route(
                "DELETE",
                f"{v1}/tokens/{{token_id}}",
                self.revoke_token,
                "Revoke one of your tokens",
                own_tokens,
                status=204,
                problems=(NOT_FOUND,),
            ),
            Route(
                "GET",
                f"{organisation}/people",
                self.team,
                "A team's people",
                Access(Action.VIEW_TEAM),
                answer=Team,
                problems=(NOT_FOUND,),
            ),
            Route(
                "GET",
                f"{organisation}/approval",
                self.approval,
                "A reseller's approval",
                Access(Action.VIEW_APPLICATION),
                answer=ApprovalItem,
                problems=(NOT_FOUND,),
            ),
            Route(
                "GET",
                f"{v1}/organisations",
                self.organisations,
                "All organisations",
                Access(Action.VIEW_ORGANISATIONS),
                query=OrganisationsOfKind,
                answer=Listing[ListedOrganisation],
                problems=(INVALID,),
            ),
            Route(
                "GET",
                f"{v1}/audit",
                self.audit,
                "The audit log of your organisation; for staff of any, or all",
                Access(Action.VIEW_AUDIT),
                query=AuditOf,
                answer=Listing[AuditLine],
                problems=(INVALID, NOT_FOUND),
            ),
        ]

    async def me(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/me."""
        return answer(request, _me(signed_in(request)))

    async def ticket(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/tickets."""
        made = await tickets.issue(self._room.pool, signed_in(request), self._room.clock())
        value = OneTimeTicket(made.ticket, made.expires_at_us)
        return answer(request, value, status=201, headers=NEVER_STORED)

    async def sessions(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sessions."""
        identity = signed_in(request)
        listed = await sessions.sessions_of(self._room.pool, identity.person_id, self._room.clock())
        items = [
            SessionItem(
                session_id=one.session_id,
                address=one.address,
                agent=one.agent,
                created_at_us=one.created_at_us,
                last_seen_at_us=one.last_seen_at_us,
                current=one.session_id == identity.session_id,
            )
            for one in listed
        ]
        return answer(request, Sessions(items))

    async def end_session(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/sessions/{session_id}."""
        session_id = SessionId(word_of(request, "session_id"))
        try:
            await own_account.end_session(
                self._room, signed_in(request), session_id, actor_of(request)
            )
        except Refused as refused:
            raise problem_of(refused) from None
        return no_content()

    async def tokens(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/tokens."""
        listed = await tokens.tokens_of(self._room.pool, signed_in(request).person_id)
        items = [
            TokenItem(
                token_id=one.token_id,
                name=one.name,
                scopes=one.scopes,
                created_at_us=one.created_at_us,
                expires_at_us=one.expires_at_us,
                last_used_at_us=one.last_used_at_us,
            )
            for one in listed
        ]
        return answer(request, Tokens(items))

    async def make_token(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/tokens."""
        identity = signed_in(request)
        if identity.session_id is None:
            raise FORBIDDEN("A token makes no token.")
        body = await body_of(request, NewApiToken)
        try:
            made = await own_account.make_own_token(
                self._room,
                identity,
                body.name,
                frozenset(body.scopes),
                body.lifetime_days,
                actor_of(request),
            )
        except Refused as refused:
            raise problem_of(refused) from None
        value = MadeApiToken(made.token_id, made.secret)
        return answer(request, value, status=201, headers=NEVER_STORED)

    async def revoke_token(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/tokens/{token_id}."""
        token_id = TokenId(word_of(request, "token_id"))
        try:
            await own_account.revoke_own_token(
                self._room, signed_in(request), token_id, actor_of(request)
            )
        except Refused as refused:
            raise problem_of(refused) from None
        return no_content()

    async def team(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/organisations/{organisation_id}/people."""
        organisation_id = OrganisationId(word_of(request, "organisation_id"))
        require(request, Action.VIEW_TEAM, organisation_id)
        if not await directory.organisations(self._room.pool, [organisation_id]):
            raise NOT_FOUND()
        people = await directory.people_of(self._room.pool, organisation_id)
        items = [
            TeamMember(
                person_id=one.person_id,
                name=one.name,
                mail=one.mail,
                roles=sorted(one.roles),
                ceiling_minor=one.ceiling_minor,
            )
            for one in people
        ]
        return answer(request, Team(items))

    async def approval(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/organisations/{organisation_id}/approval."""
        organisation_id = OrganisationId(word_of(request, "organisation_id"))
        require(request, Action.VIEW_APPLICATION, organisation_id)
        found = await applications.application_of(self._room.pool, organisation_id)
        if found is None:
            raise NOT_FOUND()
        listed = await certificates.certificates_of(self._room.pool, organisation_id)
        items = [
            CertificateItem(
                certificate_id=one.certificate_id,
                state=one.region,
                number=one.number,
                expires_on=one.expires_on,
                decision=one.state,
                reasons=one.reasons,
            )
            for one in listed
        ]
        value = ApprovalItem(
            organisation_id=organisation_id,
            state=found.state,
            reasons=found.reasons,
            limit_minor=found.limit_minor,
            currency=found.currency,
            submitted_at_us=found.submitted_at_us,
            decided_at_us=found.decided_at_us,
            certificates=items,
        )
        return answer(request, value)

    async def organisations(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/organisations."""
        asked = query_of(request, OrganisationsOfKind)
        key = key_of_cursor(asked.cursor, QueueKey)
        rows = await organisations.list_organisations(
            self._room.pool,
            kind=asked.kind,
            before=(2**63 - 1, "") if key is None else (key.at_us, key.organisation_id),
            limit=asked.limit + 1,
        )
        return answer(
            request,
            listing(
                rows,
                asked.limit,
                lambda row: row,
                lambda row: QueueKey(row.created_at_us, row.organisation_id),
            ),
        )

    async def audit(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/audit."""
        asked = query_of(request, AuditOf)
        key = key_of_cursor(asked.cursor, AuditKey)
        identity = signed_in(request)
        wanted = asked.organisation_id
        if wanted is None and not may(identity, Action.MANAGE_ORGANISATIONS):
            wanted = identity.organisation_id
        if wanted is not None:
            require(request, Action.VIEW_AUDIT, wanted)
        lines = await audit.read(
            self._room.pool,
            organisation_id=None if wanted is None else OrganisationId(wanted),
            before=2**63 - 1 if key is None else key.audit_id,
            limit=asked.limit + 1,
        )
        if wanted is not None and not identity.is_staff:
            lines = audit.for_team(lines, OrganisationId(wanted))
        return answer(
            request,
            listing(lines, asked.limit, lambda line: line, lambda line: AuditKey(line.audit_id)),
        )


def _me(identity: Identity) -> Me:
    return Me(
        person_id=identity.person_id,
        name=identity.name,
        organisation_id=identity.organisation_id,
        organisation_name=identity.organisation_name,
        organisation_kind=identity.organisation_kind,
        roles=sorted(identity.roles),
        scopes=None if identity.scopes is None else sorted(identity.scopes),
        actions=[action for action in Action if may(identity, action)],
    )
