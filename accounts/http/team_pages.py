"""A team, as pages: its people, their roles and ceilings, invitations, its audit log.

The same pages serve a team's own people and the house's staff; what each may do there is asked
for the organisation in the path, and one that may not be seen is one that does not exist.
"""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web
from msgspec import Struct, field

from accounts import audit, directory, invitations, second_factor, sessions, team, tokens
from accounts.amounts import amount_of, amount_typed
from accounts.audit import AuditLine
from accounts.directory import OrganisationEntry, PersonEntry
from accounts.http.common import actor_of, problem_of, word_of
from accounts.http.guard import can, require, signed_in
from accounts.identity import ROLES_OF_KIND, Identity, OrganisationKind, Role
from accounts.ids import InvitationId, OrganisationId, PersonId
from accounts.permissions import Access, Action
from accounts.refusals import Refused
from accounts.room import Room
from accounts.texts import MailAddress, Short
from foundation.database import transaction
from foundation.http.cursors import Paging, cursor_of, key_of_cursor
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import page, see_other
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input, query_of
from foundation.http.routes import Route

ROLE_WORDS: Final = {
    Role.BIDDER: ("Bidder", "Registers for sales and bids."),
    Role.LIQUIDATOR: ("Seller", "Schedules and runs sales."),
    Role.SETTLEMENT: ("Settlement", "Approves resellers, records deposits, settles."),
    Role.ADMIN: ("Admin", "Manages the team."),
}

_VIEW = Access(Action.VIEW_TEAM)
_MANAGE = Access(Action.MANAGE_TEAM)


class NewInvitation(Input):
    """Who is invited, and as what."""

    mail: MailAddress
    roles: list[Role] = field(default_factory=list)
    ceiling: Short = ""


class OtherRoles(Input):
    """Somebody's roles and ceiling."""

    roles: list[Role] = field(default_factory=list)
    ceiling: Short = ""


class AuditKey(Struct, frozen=True):
    """Where a page of the audit log ends."""

    audit_id: int


class TeamPages:
    """Handlers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        team_path = "/teams/{organisation_id}"
        person = f"{team_path}/people/{{person_id}}"
        withdraw = f"{team_path}/invitations/{{invitation_id}}/withdraw"
        log = Access(Action.VIEW_AUDIT)
        return [
            Route("GET", team_path, self.show, "A team", _VIEW),
            Route("POST", f"{team_path}/invitations", self.invite, "Invite", _MANAGE),
            Route("POST", withdraw, self.withdraw, "Withdraw an invitation", _MANAGE),
            Route("GET", person, self.show_person, "Somebody of a team", _MANAGE),
            Route("POST", person, self.change_person, "Roles and ceiling", _MANAGE),
            Route("POST", f"{person}/remove", self.remove_person, "Remove from a team", _MANAGE),
            Route("POST", f"{person}/shut-out", self.shut_out, "Sign somebody out", _MANAGE),
            Route("POST", f"{person}/lost-factor", self.lost_factor, "A lost factor", _MANAGE),
            Route("GET", f"{team_path}/audit", self.show_audit, "Audit log", log, query=Paging),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /teams/{organisation_id}."""
        organisation = await self._organisation(request, Action.VIEW_TEAM)
        return await self._team(request, organisation, blank(roles=_default_roles(organisation)))

    async def invite(self, request: web.Request) -> web.StreamResponse:
        """POST /teams/{organisation_id}/invitations."""
        organisation = await self._organisation(request, Action.MANAGE_TEAM)
        form = await form_of(request, NewInvitation)
        given = form.valid
        if given is None:
            return await self._team(request, organisation, form, 422)
        try:
            await invitations.invite(
                self._room,
                organisation.organisation_id,
                given.mail,
                frozenset(given.roles),
                amount_of(given.ceiling, field="ceiling"),
                actor_of(request),
            )
        except Refused as refused:
            status = problem_of(refused).kind.status
            refused_form = form.refused(refused.field, refused.message)
            return await self._team(request, organisation, refused_form, status)
        return see_other(_path(organisation), f"An invitation is on its way to {given.mail}.")

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        """POST /teams/{organisation_id}/invitations/{invitation_id}/withdraw."""
        organisation = await self._organisation(request, Action.MANAGE_TEAM)
        invitation_id = InvitationId(word_of(request, "invitation_id"))
        try:
            await invitations.withdraw(
                self._room, organisation.organisation_id, invitation_id, actor_of(request)
            )
        except Refused as refused:
            raise problem_of(refused) from None
        return see_other(_path(organisation), "The invitation is withdrawn.")

    async def show_person(self, request: web.Request) -> web.StreamResponse:
        """GET /teams/{organisation_id}/people/{person_id}."""
        organisation = await self._organisation(request, Action.MANAGE_TEAM)
        person = await self._person(request, organisation)
        form = blank(roles=sorted(person.roles), ceiling=amount_typed(person.ceiling_minor))
        return await self._show_person(request, organisation, person, form)

    async def change_person(self, request: web.Request) -> web.StreamResponse:
        """POST /teams/{organisation_id}/people/{person_id}."""
        organisation = await self._organisation(request, Action.MANAGE_TEAM)
        person = await self._person(request, organisation)
        form = await form_of(request, OtherRoles)
        given = form.valid
        if given is None:
            return await self._show_person(request, organisation, person, form, 422)
        try:
            await team.change_roles(
                self._room,
                organisation.organisation_id,
                person.person_id,
                frozenset(given.roles),
                amount_of(given.ceiling, field="ceiling"),
                actor_of(request),
            )
        except Refused as refused:
            status = problem_of(refused).kind.status
            refused_form = form.refused(refused.field, refused.message)
            return await self._show_person(request, organisation, person, refused_form, status)
        return see_other(_path(organisation), f"The roles of {person.name} are changed.")

    async def remove_person(self, request: web.Request) -> web.StreamResponse:
        """POST /teams/{organisation_id}/people/{person_id}/remove."""
        organisation = await self._organisation(request, Action.MANAGE_TEAM)
        person = await self._person(request, organisation)
        try:
            await team.remove_person(
                self._room, organisation.organisation_id, person.person_id, actor_of(request)
            )
        except Refused as refused:
            raise problem_of(refused) from None
        return see_other(_path(organisation), f"{person.name} has left the team.")

    async def shut_out(self, request: web.Request) -> web.StreamResponse:
        """POST /teams/{organisation_id}/people/{person_id}/shut-out."""
        organisation = await self._organisation(request, Action.MANAGE_TEAM)
        person = await self._person(request, organisation)
        async with transaction(self._room.pool) as connection:
            await sessions.end_all(connection, person.person_id)
            await tokens.revoke_all(connection, person.person_id)
            await audit.record(
                connection,
                audit.Act.SESSION_ENDED,
                actor_of(request),
                self._room.clock(),
                organisation_id=organisation.organisation_id,
                object_id=person.person_id,
            )
        said = f"{person.name} is signed out everywhere, and their API tokens are revoked."
        return see_other(_path(organisation), said)

    async def lost_factor(self, request: web.Request) -> web.StreamResponse:
        """POST /teams/{organisation_id}/people/{person_id}/lost-factor."""
        organisation = await self._organisation(request, Action.MANAGE_TEAM)
        person = await self._person(request, organisation)
        try:
            await second_factor.remove_lost(
                self._room, organisation.organisation_id, person.person_id, actor_of(request)
            )
        except Refused as refused:
            raise problem_of(refused) from None
        said = f"The second factor of {person.name} is removed."
        return see_other(_path(organisation), said)

    async def show_audit(self, request: web.Request) -> web.StreamResponse:
        """GET /teams/{organisation_id}/audit."""
        organisation = await self._organisation(request, Action.VIEW_AUDIT)
        return await audit_page(request, self._room, organisation)

    async def _organisation(self, request: web.Request, action: Action) -> OrganisationEntry:
        """The organisation in the path, to which the action may be done. Raises NOT_FOUND."""
        organisation_id = OrganisationId(word_of(request, "organisation_id"))
        require(request, action, organisation_id)
        found = await directory.organisations(self._room.pool, [organisation_id])
        if organisation_id not in found:
            raise NOT_FOUND()
        return found[organisation_id]

    async def _person(self, request: web.Request, organisation: OrganisationEntry) -> PersonEntry:
        person_id = PersonId(word_of(request, "person_id"))
        found = (await directory.people(self._room.pool, [person_id])).get(person_id)
        if found is None or found.organisation_id != organisation.organisation_id:
            raise NOT_FOUND()
        return found

    async def _team(
        self,
        request: web.Request,
        organisation: OrganisationEntry,
        form: Form[NewInvitation],
        status: int = 200,
    ) -> web.Response:
        organisation_id = organisation.organisation_id
        manages = can(request, Action.MANAGE_TEAM, organisation_id)
        invited = await invitations.invitations_of(self._room, organisation_id) if manages else []
        return page(
            request,
            "accounts/team.html",
            status=status,
            organisation=organisation,
            people=await directory.people_of(self._room.pool, organisation_id),
            invitations=invited,
            manages=manages,
            sees_audit=can(request, Action.VIEW_AUDIT, organisation_id),
            form=form,
            **_role_values(organisation.kind),
        )

    async def _show_person(
        self,
        request: web.Request,
        organisation: OrganisationEntry,
        person: PersonEntry,
        form: Form[OtherRoles],
        status: int = 200,
    ) -> web.Response:
        return page(
            request,
            "accounts/person.html",
            status=status,
            organisation=organisation,
            person=person,
            has_factor=await second_factor.is_set(self._room, person.person_id),
            form=form,
            **_role_values(organisation.kind),
        )


async def audit_page(
    request: web.Request, room: Room, organisation: OrganisationEntry | None
) -> web.Response:
    """A page of the audit log: an organisation's, or all of it."""
    paging = query_of(request, Paging)
    key = key_of_cursor(paging.cursor, AuditKey)
    lines = await audit.read(
        room.pool,
        organisation_id=None if organisation is None else organisation.organisation_id,
        before=2**63 - 1 if key is None else key.audit_id,
        limit=paging.limit + 1,
    )
    shown = lines_for(signed_in(request), organisation, lines[: paging.limit])
    more = len(lines) > paging.limit
    return page(
        request,
        "accounts/audit.html",
        organisation=organisation,
        lines=shown,
        next_cursor=cursor_of(AuditKey(shown[-1].audit_id)) if more else "",
        first=key is None,
    )


def lines_for(
    identity: Identity, organisation: OrganisationEntry | None, lines: Sequence[AuditLine]
) -> Sequence[AuditLine]:
    """The lines as this person may see them."""
    if identity.is_staff or organisation is None:
        return lines
    return audit.for_team(lines, organisation.organisation_id)


def _path(organisation: OrganisationEntry) -> str:
    return f"/teams/{organisation.organisation_id}"


def _default_roles(organisation: OrganisationEntry) -> list[str]:
    first = {
        OrganisationKind.RESELLER: [Role.BIDDER.value],
        OrganisationKind.LIQUIDATOR: [Role.LIQUIDATOR.value],
        OrganisationKind.HOUSE: [Role.SETTLEMENT.value],
    }
    return first.get(organisation.kind, [Role.ADMIN.value])


def _role_values(kind: OrganisationKind) -> dict[str, Any]:
    roles = [role for role in Role if role in ROLES_OF_KIND[kind]]
    return {
        "roles": [(role.value, *ROLE_WORDS[role]) for role in roles],
        "role_words": {role.value: words[0] for role, words in ROLE_WORDS.items()},
        "has_ceilings": Role.BIDDER in roles,
    }
