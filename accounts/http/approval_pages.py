"""A reseller's own application, as pages; and the documents of one, for it and for staff."""

import datetime
from typing import Annotated, Any, Final

from aiohttp import web
from aiohttp.helpers import content_disposition_header
from msgspec import Meta

from accounts import applications, certificates, documents
from accounts.applications import ApplicantProfile, Application
from accounts.approval_states import EDITABLE, ApprovalState
from accounts.documents import DocumentKind
from accounts.http.common import actor_of, problem_of, word_of
from accounts.http.guard import can, require, signed_in
from accounts.ids import CertificateId, DocumentId, OrganisationId
from accounts.permissions import Access, Action
from accounts.refusals import Refused
from accounts.regions import STATES
from accounts.room import Room
from accounts.sniffing import LARGEST
from accounts.texts import ONE_LINE, Paragraph, Short
from foundation.http.forms import Form, Upload, blank, form_of
from foundation.http.pages import page, see_other
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Route

PATH: Final = "/account/approval"
# One document, and the form around it.
MAX_UPLOAD: Final = LARGEST + 64 * 1024

KIND_WORDS: Final = {
    DocumentKind.RESALE_CERTIFICATE: "Resale certificate",
    DocumentKind.BUSINESS_LICENCE: "Business licence or registration",
    DocumentKind.IDENTITY: "Identity of an owner or officer",
    DocumentKind.OTHER: "Something else",
}

# Scripts, frames, forms: nothing that a document could hold runs, whatever a browser makes of it.
DOCUMENT_POLICY: Final = "default-src 'none'; sandbox"

_VIEW = Access(Action.VIEW_APPLICATION)
_EDIT = Access(Action.EDIT_APPLICATION)

Website = Annotated[
    str,
    Meta(
        max_length=200,
        pattern=r"\A(?:https?://)?[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,63}(?:/[!-~]*)?\Z",
        extra={"message": "Enter an address such as www.example.com."},
    ),
]
PostalCode = Annotated[
    str,
    Meta(pattern=r"\A[0-9]{5}(?:-[0-9]{4})?\Z", extra={"message": "Enter a ZIP code: 60601."}),
]
Phone = Annotated[
    str,
    Meta(
        max_length=30,
        pattern=r"\A\+?[0-9][0-9 ()./-]{5,}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?\Z",
        extra={"message": "Enter a phone number: 312 555 0100."},
    ),
]
CertificateNumber = Annotated[str, Meta(min_length=1, max_length=60, pattern=ONE_LINE)]


class ProfileForm(Input):
    """What the reseller says of itself."""

    legal_name: Short = ""
    street: Short = ""
    city: Short = ""
    region: str = ""
    postal_code: PostalCode = ""
    phone: Phone = ""
    website: Website = ""
    business: Paragraph = ""


class DocumentForm(Input):
    """A document."""

    kind: DocumentKind
    document: Upload


class CertificateForm(Input):
    """A resale certificate with its document."""

    certificate_state: str
    number: CertificateNumber
    expires_on: datetime.date
    certificate: Upload


class ApprovalPages:
    """Handlers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        uploads, certified = f"{PATH}/documents", f"{PATH}/certificates"
        document = "/organisations/{organisation_id}/documents/{document_id}"
        view_documents = Access(Action.VIEW_DOCUMENTS)
        return [
            Route("GET", PATH, self.show, "My approval", _VIEW),
            Route("POST", PATH, self.edit, "My business", _EDIT),
            Route("POST", f"{PATH}/submit", self.submit, "Submit", _EDIT),
            Route("POST", uploads, self.upload, "A document", _EDIT, max_body=MAX_UPLOAD),
            Route("POST", f"{uploads}/{{document_id}}/remove", self.remove, "Remove", _EDIT),
            Route("POST", certified, self.certify, "A certificate", _EDIT, max_body=MAX_UPLOAD),
            Route("POST", f"{certified}/{{certificate_id}}/remove", self.uncertify, "Undo", _EDIT),
            Route("GET", document, self.document, "A document", view_documents),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /account/approval."""
        return await self._show(request)

    async def edit(self, request: web.Request) -> web.StreamResponse:
        """POST /account/approval."""
        form = await form_of(request, ProfileForm)
        given = form.valid
        if given is None:
            return await self._show(request, 422, form=form)
        profile = ApplicantProfile(
            legal_name=given.legal_name,
            street=given.street,
            city=given.city,
            region=given.region,
            postal_code=given.postal_code,
            phone=given.phone,
            website=given.website,
            business=given.business,
        )
        try:
            await applications.edit_profile(self._room, own(request), profile, actor_of(request))
        except Refused as refused:
            return await self._refused(request, refused, form=form)
        return see_other(PATH, "Saved.")

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """POST /account/approval/submit."""
        try:
            await applications.submit(self._room, own(request), actor_of(request))
        except Refused as refused:
            return await self._refused(request, refused)
        said = "We have your application. Most are decided within one working day."
        return see_other(PATH, said)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """POST /account/approval/documents."""
        form = await form_of(request, DocumentForm)
        given = form.valid
        if given is None:
            return await self._show(request, 422, document_form=form)
        try:
            await documents.upload(
                self._room,
                own(request),
                given.kind,
                given.document.file_name,
                given.document.data,
                actor_of(request),
            )
        except Refused as refused:
            return await self._refused(request, refused, document_form=form)
        return see_other(PATH, "The document is added.")

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """POST /account/approval/documents/{document_id}/remove."""
        document_id = DocumentId(word_of(request, "document_id"))
        try:
            await documents.remove(self._room, own(request), document_id, actor_of(request))
        except Refused as refused:
            raise problem_of(refused) from None
        return see_other(PATH, "The document is removed.")

    async def certify(self, request: web.Request) -> web.StreamResponse:
        """POST /account/approval/certificates."""
        form = await form_of(request, CertificateForm)
        given = form.valid
        if given is None:
            return await self._show(request, 422, certificate_form=form)
        try:
            await certificates.add(
                self._room,
                own(request),
                region=given.certificate_state,
                number=given.number,
                expires_on=given.expires_on,
                file_name=given.certificate.file_name,
                data=given.certificate.data,
                actor=actor_of(request),
            )
        except Refused as refused:
            fields = {"region": "certificate_state", "document": "certificate"}
            field = fields.get(refused.field, refused.field)
            named = Refused(refused.refusal, field=field, detail=refused.message)
            return await self._refused(request, named, certificate_form=form)
        return see_other(PATH, "The certificate is added; our staff will look at it.")

    async def uncertify(self, request: web.Request) -> web.StreamResponse:
        """POST /account/approval/certificates/{certificate_id}/remove."""
        certificate_id = CertificateId(word_of(request, "certificate_id"))
        try:
            await certificates.remove(self._room, own(request), certificate_id, actor_of(request))
        except Refused as refused:
            raise problem_of(refused) from None
        return see_other(PATH, "The certificate is removed.")

    async def document(self, request: web.Request) -> web.StreamResponse:
        """GET /organisations/{organisation_id}/documents/{document_id}."""
        organisation_id = OrganisationId(word_of(request, "organisation_id"))
        document_id = DocumentId(word_of(request, "document_id"))
        require(request, Action.VIEW_DOCUMENTS, organisation_id)
        try:
            found = await documents.view(
                self._room, organisation_id, document_id, actor_of(request)
            )
        except Refused as refused:
            raise problem_of(refused) from None
        # A picture may be shown; a PDF's reader would be a program that the sandbox stops.
        how = "inline" if found.media_type.startswith("image/") else "attachment"
        return web.Response(
            body=found.body,
            content_type=found.media_type,
            headers={
                "Content-Disposition": content_disposition_header(how, filename=found.file_name),
                "Content-Security-Policy": DOCUMENT_POLICY,
                "Cache-Control": "no-store",
            },
        )

    async def _refused(
        self, request: web.Request, refused: Refused, **forms: Form[Any]
    ) -> web.Response:
        status = problem_of(refused).kind.status
        if not forms:
            return await self._show(request, status, refused=refused.message)
        ((name, form),) = forms.items()
        field = refused.field if refused.field in form.values else ""
        shown: dict[str, Any] = {name: form.refused(field, refused.message)}
        return await self._show(request, status, **shown)

    async def _show(
        self,
        request: web.Request,
        status: int = 200,
        *,
        form: Form[ProfileForm] | None = None,
        document_form: Form[DocumentForm] | None = None,
        certificate_form: Form[CertificateForm] | None = None,
        refused: str = "",
    ) -> web.Response:
        organisation_id = own(request)
        application = await applications.application_of(self._room.pool, organisation_id)
        if application is None:
            raise NOT_FOUND()
        edits = can(request, Action.EDIT_APPLICATION, organisation_id)
        return page(
            request,
            "accounts/approval.html",
            status=status,
            application=application,
            documents=await documents.documents_of(self._room.pool, organisation_id),
            certificates=await certificates.certificates_of(self._room.pool, organisation_id),
            edits=edits,
            editable=edits and application.state in EDITABLE,
            certifies=edits and application.state in EDITABLE | {ApprovalState.APPROVED},
            form=form or blank(**profile_values(application)),
            document_form=document_form or blank(),
            certificate_form=certificate_form or blank(),
            refused=refused,
            states=list(STATES.items()),
            kinds=[(kind.value, words) for kind, words in KIND_WORDS.items()],
            today=certificates.today(self._room.clock()),
        )


def own(request: web.Request) -> OrganisationId:
    """The organisation of who is asking."""
    return signed_in(request).organisation_id


def profile_values(application: Application) -> dict[str, str]:
    """What stands in the fields."""
    profile = application.profile
    return {name: getattr(profile, name) for name in ProfileForm.__struct_fields__}
