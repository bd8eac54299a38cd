"""A reseller's approval: what the applicant sends, what staff make of it, what others see of it."""

import asyncio
import io
from datetime import date, timedelta

import pytest
from aiohttp import FormData

from accounts import applications, certificates, directory, documents
from accounts.applications import ApplicantProfile
from accounts.approval_states import ApprovalState, CertificateState
from accounts.audit import OPERATOR, Actor
from accounts.clock import DAY_US, HOUR_US
from accounts.documents import DocumentKind
from accounts.housekeeping import put_away
from accounts.identity import OrganisationKind, Role
from accounts.ids import CertificateId, OrganisationId
from accounts.refusals import Refusal, Refused
from accounts.sniffing import LARGEST
from foundation.database import transaction
from tests.accounts import HART, House
from tests.accounts_site import Client, Site
from tests.unit.test_account_rules import JPEG, PDF, PNG

RESELLER, HOUSE = OrganisationKind.RESELLER, OrganisationKind.HOUSE
KIM, ADA = "kim@example.com", "ada@example.com"
PATH = "/account/approval"
TODAY = date(2026, 11, 22)

PROFILE = {
    "legal_name": "Hart Resale LLC",
    "street": "1 Main Street",
    "city": "Joliet",
    "region": "IL",
    "postal_code": "60431",
    "phone": "312 555 0100",
    "website": "",
    "business": "Tools; <script>alert(1)</script>",
}


class Reseller:
    """An applicant with its browser, and staff with theirs."""

    def __init__(self, home: House, organisation_id: OrganisationId) -> None:
        self.home, self.organisation_id = home, organisation_id
        self.actor = OPERATOR

    async def state(self) -> ApprovalState:
        found = await self.application()
        return found.state

    async def application(self) -> applications.Application:
        found = await applications.application_of(self.home.room.pool, self.organisation_id)
        assert found is not None
        return found

    async def add_certificate(
        self, region: str = "IL", expires_on: date = date(2027, 6, 30)
    ) -> str:
        return await certificates.add(
            self.home.room,
            self.organisation_id,
            region=region,
            number="IL-1",
            expires_on=expires_on,
            file_name="c.pdf",
            data=PDF,
            actor=self.actor,
        )

    async def submit(self) -> None:
        """Everything that it takes."""
        room = self.home.room
        await applications.edit_profile(room, self.organisation_id, HART, self.actor)
        await documents.upload(
            room, self.organisation_id, DocumentKind.IDENTITY, "x.png", PNG, self.actor
        )
        self.home.clock.advance(1)
        await applications.submit(room, self.organisation_id, self.actor)

    async def decide(
        self, to: ApprovalState, reasons: str = "Because.", limit_minor: int | None = None
    ) -> None:
        self.home.clock.advance(1)
        await applications.decide(
            self.home.room,
            self.organisation_id,
            to,
            reasons=reasons,
            limit_minor=limit_minor,
            seen_at_us=(await self.application()).changed_at_us,
            actor=OPERATOR,
        )


async def reseller_of(home: House, mail: str = KIM, name: str = "Hart Resale") -> Reseller:
    made = Reseller(home, await home.organisation(RESELLER, name))
    person_id = await home.person(made.organisation_id, Role.ADMIN, Role.BIDDER, mail=mail)
    made.actor = Actor(person_id, "192.0.2.1")
    return made


@pytest.fixture
async def reseller(home: House) -> Reseller:
    return await reseller_of(home)


@pytest.fixture
async def kim(reseller: Reseller, site: Site) -> Client:
    assert reseller.actor.person_id is not None
    return await site.as_person(reseller.actor.person_id)


@pytest.fixture
async def ada(home: House, site: Site) -> Client:
    return await site.as_person(await home.member(HOUSE, mail=ADA))


def upload(name: str, data: bytes, file_name: str = "x.pdf", **fields: str) -> FormData:
    form = FormData(quote_fields=False)
    for field, value in fields.items():
        form.add_field(field, value)
    form.add_field(
        name, io.BytesIO(data), filename=file_name, content_type="application/octet-stream"
    )
    return form


async def test_an_application_is_filled_in_submitted_and_approved(
    home: House, reseller: Reseller, kim: Client, ada: Client
) -> None:
    assert (await kim.post(PATH, PROFILE)).status == 303
    document = upload("document", PDF, kind="BUSINESS_LICENCE")
    assert (await kim.post(f"{PATH}/documents", document)).status == 303
    assert (await kim.post(f"{PATH}/submit")).status == 303
    assert await reseller.state() is ApprovalState.SUBMITTED
    one = f"/staff/applications/{reseller.organisation_id}"
    assert one in (await ada.get("/staff/applications")).text
    shown = (await ada.get(one)).text
    assert "&lt;script&gt;alert(1)" in shown
    seen = shown.split('name="seen_at_us" value="')[1].split('"')[0]
    decision = {"decision": "APPROVED", "limit": "25,000", "seen_at_us": seen}
    assert (await ada.post(f"{one}/decision", decision)).status == 303
    standing = await directory.standing_of(home.room.pool, reseller.organisation_id)
    assert standing is not None
    assert (standing.may_bid, standing.limit_minor) == (True, 25_000_00)
    assert standing.place.postal_code == "60431"
    assert home.post.to(KIM)[-1].subject == "You are approved"
    assert "$25,000.00" in (await kim.get(PATH)).text


async def test_what_is_missing_is_named(reseller: Reseller, kim: Client) -> None:
    await kim.post(PATH, {"legal_name": "Hart"})
    answer = await kim.post(f"{PATH}/submit")
    assert answer.status == 422
    assert "the street, the city, the state, the ZIP code" in answer.text
    assert "a document" in answer.text
    assert await reseller.state() is ApprovalState.DRAFT


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("region", "XX"),
        ("region", "il"),
        ("postal_code", "6043"),
        ("postal_code", "6043٣"),
        ("phone", "call me"),
        ("website", "javascript:alert(1)"),
        ("website", "http://a b.example"),
        ("legal_name", "x" * 121),
        ("city", "two\nlines"),
        ("business", "\u202etxt.exe"),
        ("business", "x" * 2_001),
    ],
)
async def test_a_profile_that_cannot_be_is_refused_beside_its_field(
    kim: Client, field: str, bad: str
) -> None:
    answer = await kim.post(PATH, {**PROFILE, field: bad})
    assert answer.status == 422
    assert f'id="error-{field}"' in answer.text


@pytest.mark.parametrize(
    ("data", "media_type", "disposition"),
    [
        (PDF, "application/pdf", "attachment"),
        (PNG, "image/png", "inline"),
        (JPEG, "image/jpeg", "inline"),
    ],
)
async def test_a_document_is_handed_out_so_that_nothing_in_it_runs(
    reseller: Reseller, kim: Client, ada: Client, data: bytes, media_type: str, disposition: str
) -> None:
    name = "../../etc/passwd\\x <b>ünï.html"
    sent = upload("document", data, file_name=name, kind="OTHER")
    assert (await kim.post(f"{PATH}/documents", sent)).status == 303
    (listed,) = await documents.documents_of(reseller.home.room.pool, reseller.organisation_id)
    assert "/" not in listed.file_name
    assert "\\" not in listed.file_name
    path = f"/organisations/{reseller.organisation_id}/documents/{listed.document_id}"
    for client in (kim, ada):
        answer = await client.get(path)
        assert (answer.status, answer.body) == (200, data)
        assert answer.headers["Content-Type"] == media_type
        assert answer.headers["Content-Disposition"].startswith(f"{disposition};")
        assert "\n" not in answer.headers["Content-Disposition"]
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
    assert "&lt;b&gt;" in (await kim.get(PATH)).text


@pytest.mark.parametrize(
    "data",
    [b"", b"<html><script>alert(1)</script>", b"MZ" + bytes(99), PNG[:-1], b"%PDF-" + bytes(99)],
)
async def test_what_is_no_document_is_refused_whatever_it_is_called(
    kim: Client, data: bytes
) -> None:
    sent = upload("document", data, file_name="licence.pdf", kind="OTHER")
    assert (await kim.post(f"{PATH}/documents", sent)).status == 422


async def test_a_document_is_bounded_before_it_is_read(kim: Client) -> None:
    fits = upload("document", b"%PDF-" + bytes(LARGEST - 10) + b"%%EOF", kind="OTHER")
    assert (await kim.post(f"{PATH}/documents", fits)).status == 303
    large = upload("document", b"%PDF-" + bytes(LARGEST) + b"%%EOF", kind="OTHER")
    assert (await kim.post(f"{PATH}/documents", large)).status == 422
    larger = upload("document", b"%PDF-" + bytes(LARGEST + 200_000), kind="OTHER")
    assert (await kim.post(f"{PATH}/documents", larger)).status == 413


async def test_documents_are_so_many_at_most(
    reseller: Reseller, kim: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_PER_ORGANISATION", 2)

    async def send() -> int:
        sent = upload("document", PNG, kind="OTHER")
        return (await kim.post(f"{PATH}/documents", sent)).status

    assert sorted(await asyncio.gather(*(send() for _ in range(4)))) == [303, 303, 409, 409]


async def test_a_rivals_document_is_answered_like_one_that_is_not_there(
    home: House, reseller: Reseller, site: Site, ada: Client
) -> None:
    await reseller.submit()
    (listed,) = await documents.documents_of(home.room.pool, reseller.organisation_id)
    rival = await reseller_of(home, "rival@example.com", "Rival")
    assert rival.actor.person_id is not None
    client = await site.as_person(rival.actor.person_id)
    bytes_of = []
    for organisation_id, document_id in (
        (reseller.organisation_id, listed.document_id),
        (reseller.organisation_id, "document-never"),
        ("reseller-never", "document-never"),
        (rival.organisation_id, listed.document_id),
        (rival.organisation_id, "document-never"),
    ):
        answer = await client.get(f"/organisations/{organisation_id}/documents/{document_id}")
        assert answer.status == 404
        bytes_of.append(answer.body)
    assert len(set(bytes_of)) == 1
    bidder = await home.person(reseller.organisation_id, Role.BIDDER, mail="b@example.com")
    path = f"/organisations/{reseller.organisation_id}/documents/{listed.document_id}"
    assert (await (await site.as_person(bidder)).get(path)).status == 403
    assert (await ada.get(path)).status == 200


async def test_what_is_with_staff_is_not_changed_any_more(reseller: Reseller, kim: Client) -> None:
    await reseller.submit()
    (listed,) = await documents.documents_of(reseller.home.room.pool, reseller.organisation_id)
    answers = [
        await kim.post(PATH, PROFILE),
        await kim.post(f"{PATH}/documents", upload("document", PNG, kind="OTHER")),
        await kim.post(f"{PATH}/documents/{listed.document_id}/remove"),
        await kim.post(f"{PATH}/submit"),
    ]
    assert [answer.status for answer in answers] == [409] * 4


async def test_a_document_is_taken_back_while_one_may(reseller: Reseller, kim: Client) -> None:
    await kim.post(f"{PATH}/documents", upload("document", PNG, kind="OTHER"))
    (listed,) = await documents.documents_of(reseller.home.room.pool, reseller.organisation_id)
    assert (await kim.post(f"{PATH}/documents/{listed.document_id}/remove")).status == 303
    assert (await kim.post(f"{PATH}/documents/{listed.document_id}/remove")).status == 404


async def test_an_approved_reseller_may_move_but_not_become_another(
    reseller: Reseller, kim: Client
) -> None:
    await reseller.submit()
    await reseller.decide(ApprovalState.APPROVED)
    moved = {**PROFILE, "city": "Reno", "region": "NV", "postal_code": "89501"}
    assert (await kim.post(PATH, moved)).status == 303
    assert (await kim.post(PATH, {**moved, "legal_name": "Somebody Else"})).status == 409
    assert (await kim.post(PATH, {**moved, "street": ""})).status == 422
    found = await reseller.application()
    assert (found.state, found.profile.region) == (ApprovalState.APPROVED, "NV")
    assert found.profile.legal_name == "Hart Resale LLC"


EVERY_STATE = list(ApprovalState)


async def bring_to(reseller: Reseller, state: ApprovalState) -> None:
    if state is ApprovalState.DRAFT:
        return
    await reseller.submit()
    if state is ApprovalState.SUBMITTED:
        return
    await reseller.decide(ApprovalState.APPROVED if state is ApprovalState.SUSPENDED else state)
    if state is ApprovalState.SUSPENDED:
        await reseller.decide(state)


MOVES = {
    ApprovalState.SUBMITTED: {"APPROVED", "NEEDS_MORE", "DECLINED"},
    ApprovalState.NEEDS_MORE: {"DECLINED"},
    ApprovalState.APPROVED: {"SUSPENDED"},
    ApprovalState.SUSPENDED: {"APPROVED", "DECLINED"},
    ApprovalState.DECLINED: {"NEEDS_MORE"},
}


@pytest.mark.parametrize("state", EVERY_STATE)
async def test_each_decision_from_each_state(home: House, state: ApprovalState) -> None:
    for number, to in enumerate(ApprovalState):
        reseller = await reseller_of(home, f"p{number}@example.com")
        await bring_to(reseller, state)
        assert await reseller.state() is state
        if to in MOVES.get(state, set()):
            await reseller.decide(to)
            assert await reseller.state() is to
        else:
            with pytest.raises(Refused) as caught:
                await reseller.decide(to)
            assert caught.value.refusal is Refusal.NOT_NOW
            assert await reseller.state() is state


@pytest.mark.parametrize("to", ["NEEDS_MORE", "DECLINED"])
async def test_a_decision_that_hurts_says_why_and_the_applicant_reads_it(
    home: House, reseller: Reseller, kim: Client, to: str
) -> None:
    await reseller.submit()
    with pytest.raises(Refused) as caught:
        await reseller.decide(ApprovalState(to), reasons="  ")
    assert caught.value.refusal is Refusal.REASONS_NEEDED
    await reseller.decide(ApprovalState(to), reasons="The <licence> is of 2019.")
    assert "The &lt;licence&gt; is of 2019." in (await kim.get(PATH)).text
    assert "The <licence> is of 2019." in home.post.to(KIM)[-1].text


async def test_two_of_staff_do_not_decide_over_each_other(reseller: Reseller, ada: Client) -> None:
    await reseller.submit()
    one = f"/staff/applications/{reseller.organisation_id}"
    seen = (await ada.get(one)).text.split('name="seen_at_us" value="')[1].split('"')[0]
    await reseller.decide(ApprovalState.NEEDS_MORE)
    reseller.home.clock.advance(1)
    await applications.submit(reseller.home.room, reseller.organisation_id, reseller.actor)
    decision = {"decision": "APPROVED", "seen_at_us": seen}
    answer = await ada.post(f"{one}/decision", decision)
    assert answer.status == 409
    assert "Somebody else has changed this" in answer.text
    assert await reseller.state() is ApprovalState.SUBMITTED


async def test_the_queue_is_oldest_first_and_goes_on_page_by_page(home: House, ada: Client) -> None:
    names = []
    for number in range(4):
        home.clock.now_us += HOUR_US
        names.append(f"Applicant {number}")
        await (await reseller_of(home, f"p{number}@example.com", names[-1])).submit()
    first = (await ada.get("/staff/applications?limit=3")).text
    assert [first.find(name) for name in names[:3]] == sorted(first.find(n) for n in names[:3])
    assert names[3] not in first
    cursor = first.split("cursor=")[1].split('"')[0]
    second = (await ada.get(f"/staff/applications?state=SUBMITTED&limit=3&cursor={cursor}")).text
    assert names[3] in second
    assert names[0] not in second
    assert (await ada.get("/staff/applications?cursor=nonsense")).status == 422


async def test_a_limit_is_changed_and_cannot_be_nonsense(reseller: Reseller, ada: Client) -> None:
    await reseller.submit()
    await reseller.decide(ApprovalState.APPROVED, limit_minor=100)
    path = f"/staff/applications/{reseller.organisation_id}/limit"
    for limit, status in (("5,000", 303), ("", 303), ("-1", 422), ("1e9", 422), ("NaN", 422)):
        seen = str((await reseller.application()).changed_at_us)
        reseller.home.clock.advance(1)
        answer = await ada.post(path, {"limit": limit, "seen_at_us": seen})
        assert answer.status == status, limit
    assert (await reseller.application()).limit_minor is None


async def test_a_suspended_reseller_may_not_bid_and_the_change_is_followed(
    home: House, reseller: Reseller
) -> None:
    await reseller.submit()
    await reseller.decide(ApprovalState.APPROVED)
    since_us = (await reseller.application()).changed_at_us
    pool = home.room.pool
    assert await directory.standings_changed_since(pool, since_us) == []
    assert await directory.approved_among(pool, [reseller.organisation_id])
    await reseller.decide(ApprovalState.SUSPENDED)
    (changed,) = await directory.standings_changed_since(pool, since_us)
    assert (changed.organisation_id, changed.may_bid) == (reseller.organisation_id, False)
    assert not await directory.approved_among(pool, [reseller.organisation_id])


async def test_a_certificate_is_added_looked_at_and_keeps_tax_away(
    home: House, reseller: Reseller, kim: Client, ada: Client
) -> None:
    fields = {"certificate_state": "IL", "number": "IL-1", "expires_on": "2027-06-30"}
    sent = upload("certificate", PDF, **fields)
    assert (await kim.post(f"{PATH}/certificates", sent)).status == 303
    (listed,) = await certificates.certificates_of(home.room.pool, reseller.organisation_id)
    one = f"/staff/applications/{reseller.organisation_id}/certificates/{listed.certificate_id}"
    assert (await ada.post(one, {"decision": "REFUSED"})).status == 422
    assert (await ada.post(one, {"decision": "PENDING"})).status == 409
    assert (await ada.post(one, {"decision": "ACCEPTED"})).status == 303
    standing = await directory.standing_of(home.room.pool, reseller.organisation_id)
    assert standing is not None
    assert standing.certified_in("IL", date(2027, 6, 30))
    assert not standing.certified_in("IL", date(2027, 7, 1))
    assert not standing.certified_in("NV", date(2027, 1, 1))
    assert (await ada.post(one, {"decision": "REFUSED", "reasons": "Forged."})).status == 303
    standing = await directory.standing_of(home.room.pool, reseller.organisation_id)
    assert standing is not None
    assert not standing.certified_in("IL", TODAY)
    assert (await ada.post(f"{one}x", {"decision": "ACCEPTED"})).status == 404


@pytest.mark.parametrize(
    ("field", "bad", "status"),
    [
        ("certificate_state", "XX", 422),
        ("expires_on", "2026-11-21", 422),
        ("expires_on", "30/06/2027", 422),
        ("expires_on", "2027-02-30", 422),
        ("number", "", 422),
        ("number", "x" * 61, 422),
    ],
)
async def test_a_certificate_that_cannot_be_is_refused(
    reseller: Reseller, kim: Client, field: str, bad: str, status: int
) -> None:
    fields = {"certificate_state": "IL", "number": "IL-1", "expires_on": "2027-06-30"}
    answer = await kim.post(
        f"{PATH}/certificates", upload("certificate", PDF, **{**fields, field: bad})
    )
    assert answer.status == status
    assert f'id="error-{field}"' in answer.text
    pool = reseller.home.room.pool
    assert await certificates.certificates_of(pool, reseller.organisation_id) == []
    assert await documents.documents_of(pool, reseller.organisation_id) == []


async def test_a_certificate_is_taken_back_with_its_document_until_staff_looked(
    home: House, reseller: Reseller, kim: Client
) -> None:
    first, second = await reseller.add_certificate(), await reseller.add_certificate("NV")
    (document, _) = await documents.documents_of(home.room.pool, reseller.organisation_id)
    assert (await kim.post(f"{PATH}/documents/{document.document_id}/remove")).status == 404
    assert (await kim.post(f"{PATH}/certificates/{first}/remove")).status == 303
    assert len(await documents.documents_of(home.room.pool, reseller.organisation_id)) == 1
    await certificates.decide(
        home.room,
        reseller.organisation_id,
        CertificateId(second),
        CertificateState.ACCEPTED,
        reasons="",
        actor=OPERATOR,
    )
    assert (await kim.post(f"{PATH}/certificates/{second}/remove")).status == 404


async def test_new_and_expiring_certificates_of_approved_resellers_are_before_staff(
    home: House, reseller: Reseller, ada: Client
) -> None:
    await reseller.submit()
    await reseller.decide(ApprovalState.APPROVED)
    await reseller.add_certificate("NV", TODAY + timedelta(days=20))
    shown = (await ada.get("/staff/certificates")).text
    assert "Hart Resale" in shown
    assert "Nevada" in shown
    assert [one.region for one in await certificates.pending(home.room.pool)] == ["NV"]
    assert await certificates.expiring(home.room.pool, home.clock()) == []


async def accept(reseller: Reseller, certificate_id: str) -> None:
    await certificates.decide(
        reseller.home.room,
        reseller.organisation_id,
        CertificateId(certificate_id),
        CertificateState.ACCEPTED,
        reasons="",
        actor=OPERATOR,
    )


async def test_a_reseller_is_reminded_thirty_seven_and_one_days_before(
    home: House, reseller: Reseller
) -> None:
    await accept(reseller, await reseller.add_certificate("IL", TODAY + timedelta(days=40)))
    began_us, reminded = home.clock(), {}
    for day in range(45):
        home.clock.now_us = began_us + day * DAY_US
        reminded[40 - day] = [await certificates.remind(home.room) for _ in range(2)]
    assert {left: told for left, told in reminded.items() if any(told)} == {
        30: [1, 0],
        7: [1, 0],
        1: [1, 0],
    }
    assert len(home.post.to(KIM)) == 3
    assert "Illinois" in home.post.to(KIM)[0].subject


async def test_nobody_is_reminded_of_a_certificate_that_another_follows(
    home: House, reseller: Reseller
) -> None:
    await accept(reseller, await reseller.add_certificate("IL", TODAY + timedelta(days=5)))
    await accept(reseller, await reseller.add_certificate("IL", TODAY + timedelta(days=400)))
    assert await certificates.remind(home.room) == 0


async def test_a_certificate_is_good_to_the_end_of_its_day_in_hawaii(
    home: House, reseller: Reseller
) -> None:
    home.clock.now_us += 21 * HOUR_US  # the 23rd in UTC, eleven at night of the 22nd there
    await reseller.add_certificate("HI", TODAY)
    home.clock.now_us += HOUR_US
    with pytest.raises(Refused) as caught:
        await reseller.add_certificate("HI", TODAY)
    assert caught.value.refusal is Refusal.CERTIFICATE_EXPIRED


async def test_a_reseller_that_the_house_knows_is_admitted_without_an_application(
    home: House, reseller: Reseller
) -> None:
    async with transaction(home.room.pool) as connection:
        await applications.admit(
            connection,
            reseller.organisation_id,
            HART,
            limit_minor=1_000_00,
            actor=OPERATOR,
            now_us=home.clock(),
        )
    standing = await directory.standing_of(home.room.pool, reseller.organisation_id)
    assert standing is not None
    assert (standing.may_bid, standing.limit_minor) == (True, 1_000_00)
    nobody = ApplicantProfile(
        legal_name="",
        street="",
        city="",
        region="",
        postal_code="",
        phone="",
        website="",
        business="",
    )
    other = await reseller_of(home, "other@example.com")
    with pytest.raises(Refused):
        async with transaction(home.room.pool) as connection:
            await applications.admit(
                connection,
                other.organisation_id,
                nobody,
                limit_minor=None,
                actor=OPERATOR,
                now_us=home.clock(),
            )


async def test_nobody_else_is_an_applicant(home: House, site: Site) -> None:
    liquidator = await site.as_person(
        await home.member(OrganisationKind.LIQUIDATOR, mail="l@example.com")
    )
    assert (await liquidator.get(PATH)).status == 403
    settled = await site.as_person(await home.member(HOUSE, mail=ADA))
    assert (await settled.get(PATH)).status == 404
    assert (await settled.post(PATH, PROFILE)).status == 403


async def test_what_has_expired_is_put_away(home: House, reseller: Reseller) -> None:
    assert reseller.actor.person_id is not None
    await home.session(reseller.actor.person_id)
    home.clock.now_us += 30 * DAY_US
    await put_away(home.room)
    assert await home.room.pool.fetchval("select count(*) from session") == 0
