"""The house's side of accounts, as pages: applications, certificates, organisations, audit log."""

from typing import Any, Final

from aiohttp import web
from msgspec import Struct

from accounts import applications, certificates, documents, organisations
from accounts.amounts import amount_of, amount_typed
from accounts.applications import Application, QueuedApplication
from accounts.approval_states import ApprovalState, CertificateState, decisions_from
from accounts.http.approval_pages import KIND_WORDS
from accounts.http.common import actor_of, problem_of, refused_page, word_of
from accounts.http.guard import require
from accounts.http.team_pages import audit_page
from accounts.identity import OrganisationKind
from accounts.ids import CertificateId, OrganisationId
from accounts.permissions import Access, Action
from accounts.refusals import Refused
from accounts.regions import STATES
from accounts.room import Room
from accounts.texts import OrganisationName, Paragraph, Short
from foundation.database import transaction
from foundation.http.cursors import Paging, cursor_of, key_of_cursor
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import page, see_other
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input, query_of
from foundation.http.routes import Route

QUEUE: Final = "/staff/applications"
ORGANISATIONS: Final = "/staff/organisations"

STATE_WORDS: Final = {
    ApprovalState.SUBMITTED: "Waiting for us",
    ApprovalState.NEEDS_MORE: "Waiting for the applicant",
    ApprovalState.APPROVED: "Approved",
    ApprovalState.SUSPENDED: "Suspended",
    ApprovalState.DECLINED: "Declined",
    ApprovalState.DRAFT: "Being filled in",
}
DECISION_WORDS: Final = {
    ApprovalState.APPROVED: ("Approve", "May register for sales and bid."),
    ApprovalState.NEEDS_MORE: ("Ask for more", "Goes back; say what is missing."),
    ApprovalState.DECLINED: ("Decline", "Say why; the applicant reads it."),
    ApprovalState.SUSPENDED: ("Suspend", "May look on, but neither register nor bid. Say why."),
}
# Those whom the house makes; resellers sign up themselves.
MADE_BY_STAFF: Final = (
    (OrganisationKind.LIQUIDATOR.value, "Liquidator", "Runs sales."),
    (OrganisationKind.CONSIGNOR.value, "Consignor", "Owns goods that a liquidator sells."),
)

_DECIDE = Access(Action.DECIDE_APPLICATION)
_VIEW = Access(Action.VIEW_ORGANISATIONS)
_MANAGE = Access(Action.MANAGE_ORGANISATIONS)


class InState(Paging):
    """The query of the list of applications in a state."""

    state: ApprovalState = ApprovalState.SUBMITTED


class OfKind(Paging):
    """The query of the list of organisations."""

    kind: OrganisationKind | None = None


class Decision(Input):
    """What staff make of an application that they saw."""

    decision: ApprovalState
    seen_at_us: int
    reasons: Paragraph = ""
    limit: Short = ""


class OtherLimit(Input):
    """Another limit."""

    seen_at_us: int
    limit: Short = ""


class CertificateDecision(Input):
    """What staff make of a certificate."""

    decision: CertificateState
    reasons: Paragraph = ""


class NewOrganisation(Input):
    """A new liquidator or consignor."""

    kind: OrganisationKind
    name: OrganisationName


class QueueKey(Struct, frozen=True):
    """Where a page of applications ends."""

    at_us: int
    organisation_id: str


class StaffPages:
    """Handlers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one = f"{QUEUE}/{{organisation_id}}"
        certificate = f"{one}/certificates/{{certificate_id}}"
        return [
            Route("GET", QUEUE, self.show_queue, "Applications", _DECIDE, query=InState),
            Route("GET", "/staff/certificates", self.show_certificates, "Certificates", _DECIDE),
            Route("GET", one, self.show_application, "An application", _DECIDE),
            Route("POST", f"{one}/decision", self.decide, "Decide", _DECIDE),
            Route("POST", f"{one}/limit", self.set_limit, "Set the limit", _DECIDE),
            Route("POST", certificate, self.decide_certificate, "A certificate", _DECIDE),
            Route(
                "GET", ORGANISATIONS, self.show_organisations, "Organisations", _VIEW, query=OfKind
            ),
            Route("GET", f"{ORGANISATIONS}/new", self.show_new, "New", _MANAGE),
            Route("POST", f"{ORGANISATIONS}/new", self.make, "New", _MANAGE),
            Route("GET", "/staff/audit", self.show_audit, "Audit log", _MANAGE, query=Paging),
        ]

    async def show_queue(self, request: web.Request) -> web.StreamResponse:
        """GET /staff/applications: the longest waiting first; other states, the last changed."""
        asked = query_of(request, InState)
        key = key_of_cursor(asked.cursor, QueueKey)
        rows = await self._applications(asked, key)
        shown = rows[: asked.limit]
        more = len(rows) > asked.limit
        return page(
            request,
            "accounts/staff_queue.html",
            rows=shown,
            state=asked.state,
            state_words=STATE_WORDS,
            next_cursor=cursor_of(_key(asked.state, shown[-1])) if more else "",
            first=key is None,
            now_us=self._room.clock(),
        )

    async def _applications(self, asked: InState, key: QueueKey | None) -> list[QueuedApplication]:
        pool, limit = self._room.pool, asked.limit + 1
        if asked.state is ApprovalState.SUBMITTED:
            after = (-1, "") if key is None else (key.at_us, key.organisation_id)
            return list(await applications.queue(pool, after=after, limit=limit))
        before = (2**63 - 1, "") if key is None else (key.at_us, key.organisation_id)
        return list(await applications.in_state(pool, asked.state, before=before, limit=limit))

    async def show_certificates(self, request: web.Request) -> web.StreamResponse:
        """GET /staff/certificates: new ones of approved resellers, and those about to expire."""
        now_us = self._room.clock()
        return page(
            request,
            "accounts/staff_certificates.html",
            pending=await certificates.pending(self._room.pool),
            expiring=await certificates.expiring(self._room.pool, now_us),
            states=STATES,
            today=certificates.today(now_us),
        )

    async def show_application(self, request: web.Request) -> web.StreamResponse:
        """GET /staff/applications/{organisation_id}."""
        return await self._show(request, await self._application(request))

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """POST /staff/applications/{organisation_id}/decision."""
        application = await self._application(request)
        form = await form_of(request, Decision)
        given = form.valid
        if given is None:
            return await self._show(request, application, 422, decision_form=form)
        try:
            await applications.decide(
                self._room,
                application.organisation_id,
                given.decision,
                reasons=given.reasons,
                limit_minor=amount_of(given.limit, field="limit"),
                seen_at_us=given.seen_at_us,
                actor=actor_of(request),
            )
        except Refused as refused:
            return await self._refused(request, refused, decision_form=form)
        said = f"{application.organisation_name}: {STATE_WORDS[given.decision].lower()}."
        return see_other(QUEUE, said)

    async def set_limit(self, request: web.Request) -> web.StreamResponse:
        """POST /staff/applications/{organisation_id}/limit."""
        application = await self._application(request)
        form = await form_of(request, OtherLimit)
        given = form.valid
        if given is None:
            return await self._show(request, application, 422, limit_form=form)
        try:
            await applications.set_limit(
                self._room,
                application.organisation_id,
                amount_of(given.limit, field="limit"),
                seen_at_us=given.seen_at_us,
                actor=actor_of(request),
            )
        except Refused as refused:
            return await self._refused(request, refused, limit_form=form)
        return see_other(_path(application), "The limit is changed.")

    async def decide_certificate(self, request: web.Request) -> web.StreamResponse:
        """POST /staff/applications/{organisation_id}/certificates/{certificate_id}."""
        application = await self._application(request)
        certificate_id = CertificateId(word_of(request, "certificate_id"))
        form = await form_of(request, CertificateDecision)
        given = form.valid
        if given is None:
            return await self._show(request, application, 422, certificate_form=form)
        try:
            await certificates.decide(
                self._room,
                application.organisation_id,
                certificate_id,
                given.decision,
                reasons=given.reasons,
                actor=actor_of(request),
            )
        except Refused as refused:
            return await self._refused(request, refused, certificate_form=form)
        said = f"The certificate is {given.decision.lower()}."
        return see_other(_path(application), said)

    async def show_organisations(self, request: web.Request) -> web.StreamResponse:
        """GET /staff/organisations."""
        asked = query_of(request, OfKind)
        key = key_of_cursor(asked.cursor, QueueKey)
        rows = await organisations.list_organisations(
            self._room.pool,
            kind=asked.kind,
            before=(2**63 - 1, "") if key is None else (key.at_us, key.organisation_id),
            limit=asked.limit + 1,
        )
        shown = rows[: asked.limit]
        last = QueueKey(shown[-1].created_at_us, shown[-1].organisation_id) if shown else None
        return page(
            request,
            "accounts/staff_organisations.html",
            rows=shown,
            kind=asked.kind,
            state_words=STATE_WORDS,
            next_cursor=cursor_of(last) if last and len(rows) > asked.limit else "",
            first=key is None,
        )

    async def show_new(self, request: web.Request) -> web.StreamResponse:
        """GET /staff/organisations/new."""
        form = blank(kind=OrganisationKind.LIQUIDATOR.value)
        return page(request, "accounts/new_organisation.html", form=form, kinds=MADE_BY_STAFF)

    async def make(self, request: web.Request) -> web.StreamResponse:
        """POST /staff/organisations/new."""
        form = await form_of(request, NewOrganisation)
        given, template = form.valid, "accounts/new_organisation.html"
        if given is None or given.kind.value not in {kind for kind, _, _ in MADE_BY_STAFF}:
            form = form if given is None else form.refused("kind", "Choose one of the list.")
            return page(request, template, status=422, form=form, kinds=MADE_BY_STAFF)
        try:
            async with transaction(self._room.pool) as connection:
                made = await organisations.make_organisation(
                    connection,
                    given.kind,
                    given.name,
                    actor=actor_of(request),
                    now_us=self._room.clock(),
                )
        except Refused as refused:
            return refused_page(request, template, form, refused, kinds=MADE_BY_STAFF)
        return see_other(f"/teams/{made}", "Made. Now invite its first person, as admin.")

    async def show_audit(self, request: web.Request) -> web.StreamResponse:
        """GET /staff/audit."""
        return await audit_page(request, self._room, None)

    async def _application(self, request: web.Request) -> Application:
        organisation_id = OrganisationId(word_of(request, "organisation_id"))
        require(request, Action.DECIDE_APPLICATION, organisation_id)
        application = await applications.application_of(self._room.pool, organisation_id)
        if application is None:
            raise NOT_FOUND()
        return application

    async def _refused(
        self, request: web.Request, refused: Refused, **forms: Form[Any]
    ) -> web.Response:
        if problem_of(refused).kind is NOT_FOUND:
            raise problem_of(refused)
        ((name, form),) = forms.items()
        field = refused.field if refused.field in form.values else ""
        # As it stands now, which may be why it was refused.
        application = await self._application(request)
        shown: dict[str, Any] = {name: form.refused(field, refused.message)}
        return await self._show(request, application, problem_of(refused).kind.status, **shown)

    async def _show(
        self,
        request: web.Request,
        application: Application,
        status: int = 200,
        *,
        decision_form: Form[Decision] | None = None,
        limit_form: Form[OtherLimit] | None = None,
        certificate_form: Form[CertificateDecision] | None = None,
    ) -> web.Response:
        organisation_id, limit = application.organisation_id, application.limit_minor
        open_to = decisions_from(application.state)
        decisions = [(to.value, *words) for to, words in DECISION_WORDS.items() if to in open_to]
        return page(
            request,
            "accounts/staff_application.html",
            status=status,
            application=application,
            documents=await documents.documents_of(self._room.pool, organisation_id),
            certificates=await certificates.certificates_of(self._room.pool, organisation_id),
            state_words=STATE_WORDS,
            kind_words={kind.value: words for kind, words in KIND_WORDS.items()},
            states=STATES,
            decisions=decisions,
            decision_form=decision_form or blank(limit=amount_typed(limit)),
            limit_form=limit_form or blank(limit=amount_typed(limit)),
            certificate_form=certificate_form or blank(),
            today=certificates.today(self._room.clock()),
        )


def _path(application: Application) -> str:
    return f"{QUEUE}/{application.organisation_id}"


def _key(state: ApprovalState, row: QueuedApplication) -> QueueKey:
    at_us = row.submitted_at_us if state is ApprovalState.SUBMITTED else row.changed_at_us
    assert at_us is not None, "what was submitted has the time"
    return QueueKey(at_us, row.organisation_id)
