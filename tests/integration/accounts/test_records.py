"""What is written down: the audit log, texts as they were typed, mail; and what is put away."""

import asyncio
import email
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import policy
from pathlib import Path

import asyncpg
import pytest
from aiohttp import FormData
from aiosmtpd.smtp import SMTP, Envelope, Session
from structlog.testing import capture_logs

from accounts import applications, audit, certificates, postman
from accounts.approval_states import ApprovalState, CertificateState
from accounts.audit import OPERATOR, Act, Actor
from accounts.clock import DAY_US
from accounts.housekeeping import put_away
from accounts.identity import OrganisationKind, Role
from accounts.ids import OrganisationId
from accounts.letters import Letter
from accounts.postman import Postman
from foundation.database import acquire, transaction
from foundation.mail import FileMailer, Mail, MailNotSent, SmtpMailer
from tests.accounts import PASSWORD, House
from tests.accounts_site import Site
from tests.unit.test_account_rules import PDF

RESELLER, HOUSE = OrganisationKind.RESELLER, OrganisationKind.HOUSE
KIM, ADA, ANN = "kim@example.com", "ada@example.com", "ann@example.com"

# What would run, or end a statement, if any place took text for anything else.
HTML = "<img src=x onerror=alert(1)>"
HOSTILE = f"{HTML}'); drop table person;--\"&{{{{7*7}}}}"


async def test_the_audit_log_is_only_added_to(home: House) -> None:
    await home.member(RESELLER)
    for statement in (
        "update audit_event set act = 'NOTHING'",
        "delete from audit_event",
        "truncate audit_event",
        "delete from audit_event where false",
    ):
        async with acquire(home.room.pool) as connection:
            with pytest.raises(asyncpg.RestrictViolationError):
                await connection.execute(statement)
    assert len(await audit.read(home.room.pool)) == 2


async def test_a_line_is_undone_with_what_it_tells_about(home: House) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction(home.room.pool) as connection:
            await audit.record(connection, Act.SIGNED_IN, OPERATOR, home.clock())
            raise ZeroDivisionError
    assert await audit.read(home.room.pool) == []


async def test_who_did_what_is_on_record(home: House, site: Site) -> None:
    organisation_id = await home.organisation()
    person_id = await home.person(organisation_id, Role.ADMIN)
    client = await site.sign_in(KIM)
    await client.post("/account", {"name": "Kim", "time_zone": "UTC"})
    await client.post("/account/password", {"password": PASSWORD, "new_password": PASSWORD[::-1]})
    await client.post(f"/teams/{organisation_id}/invitations", {"mail": ANN, "roles": "bidder"})
    await client.post("/sign-out")
    await site.client().post("/sign-in", {"mail": KIM, "password": "a wrong one"})
    lines = await audit.read(home.room.pool)
    acts = [
        Act.SIGN_IN_REFUSED,
        Act.SIGNED_OUT,
        Act.PERSON_INVITED,
        Act.PASSWORD_CHANGED,
        Act.PROFILE_CHANGED,
        Act.SIGNED_IN,
        Act.PERSON_MADE,
        Act.ORGANISATION_MADE,
    ]
    assert [line.act for line in lines] == acts
    assert {line.person_id for line in lines[1:6]} == {person_id}
    assert {line.address for line in lines[:6]} == {"127.0.0.1"}
    assert lines[2].person_name == "Kim"
    assert lines[2].details == {"mail": ANN, "roles": ["bidder"], "ceiling_minor": None}


async def test_a_team_sees_its_own_lines_only(home: House, site: Site) -> None:
    organisation_id = await home.organisation(name="Mine")
    boss = await site.as_person(await home.person(organisation_id, Role.ADMIN))
    await home.member(RESELLER, mail="rival@example.com")
    shown = (await boss.get(f"/teams/{organisation_id}/audit")).text
    assert "Person made" in shown
    assert "rival@example.com" not in shown
    own = (await boss.get("/api/v1/audit")).text
    assert "Mine" in own
    assert "rival@example.com" not in own
    ada = await site.as_person(await home.member(HOUSE, mail=ADA))
    everything = (await ada.get("/api/v1/audit")).text
    assert "rival@example.com" in everything
    assert "rival@example.com" in (await ada.get("/staff/audit")).text


async def test_a_team_does_not_see_who_of_the_house_acted_nor_from_where(
    home: House, site: Site
) -> None:
    organisation_id = await home.organisation()
    boss = await site.as_person(await home.person(organisation_id, Role.ADMIN))
    staff = await home.organisation(HOUSE, "The house")
    ada = await home.person(staff, Role.ADMIN, mail=ADA, name="Ada of the house")
    async with transaction(home.room.pool) as connection:
        await audit.record(
            connection,
            Act.DOCUMENT_VIEWED,
            Actor(ada, "198.51.100.7"),
            home.clock(),
            organisation_id=organisation_id,
        )
    for path in (f"/teams/{organisation_id}/audit", "/api/v1/audit"):
        shown = (await boss.get(path)).text
        assert "Softclose staff" in shown
        assert not [one for one in ("Ada of", "198.51.100.7", ada, staff) if one in shown]
    theirs = await site.as_person(ada)
    seen = (await theirs.get(f"/teams/{organisation_id}/audit")).text
    assert "Ada of the house" in seen
    assert "198.51.100.7" in seen


async def test_the_log_goes_on_page_by_page(home: House, site: Site) -> None:
    ada = await site.as_person(await home.member(HOUSE, mail=ADA))
    for number in range(7):
        async with transaction(home.room.pool) as connection:
            await audit.record(
                connection, Act.PROFILE_CHANGED, OPERATOR, home.clock(), number=number
            )
    path, seen = "/api/v1/audit?limit=3", []
    for _ in range(3):
        text = (await ada.get(path)).text
        seen += [part.split("}")[0] for part in text.split('{"number":')[1:]]
        path = "/api/v1/audit?limit=3&cursor=" + text.split('"next_cursor":"')[-1].split('"')[0]
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


async def test_hostile_text_is_kept_as_it_is_and_escaped_on_every_page(
    home: House, site: Site
) -> None:
    ada = await site.as_person(await home.member(HOUSE, mail=ADA))
    kim = site.client()
    kim.agent = HTML
    asked = {"organisation": HOSTILE, "name": HOSTILE, "mail": KIM}
    assert (await kim.post("/sign-up", asked)).status == 200
    link = home.post.link(KIM)
    pages = [(await kim.get(link)).text]
    await kim.post(link, {"password": PASSWORD, "time_zone": "UTC"})
    (organisation,) = await home.room.pool.fetch(
        "select organisation_id, name from organisation where kind = 'RESELLER'"
    )
    assert organisation["name"] == HOSTILE
    assert await home.room.pool.fetchval("select name from person where mail = $1", KIM) == HOSTILE
    organisation_id = organisation["organisation_id"]
    texts = dict.fromkeys(("legal_name", "street", "city", "business"), HOSTILE)
    rest = {"region": "IL", "postal_code": "60431", "phone": "312 555 0100", "website": ""}
    assert (await kim.post("/account/approval", {**texts, **rest})).status == 303
    certificate = FormData(quote_fields=False)
    certificate.add_field("certificate_state", "IL")
    certificate.add_field("number", HTML)
    certificate.add_field("expires_on", "2026-12-01")
    certificate.add_field("certificate", io.BytesIO(PDF), filename=f"{HTML}.pdf")
    assert (await kim.post("/account/approval/certificates", certificate)).status == 303
    token: dict[str, str | list[str]] = {
        "name": HTML,
        "scopes": ["read"],
        "lifetime_days": "30",
    }
    pages.append((await kim.post("/account/tokens", token)).text)
    invitation = f"/teams/{organisation_id}/invitations"
    assert (await kim.post(invitation, {"mail": ANN, "roles": "bidder"})).status == 303
    pages.append((await site.client().get(home.post.link(ANN))).text)
    assert (await kim.post("/account/approval/submit")).status == 303
    await decide_with_hostile_reasons(home, organisation_id)
    team = f"/teams/{organisation_id}"
    kims = ["/account", "/account/sessions", "/account/tokens", "/account/second-factor"]
    kims += ["/account/approval", team, f"{team}/audit"]
    adas = ["applications?state=NEEDS_MORE", f"applications/{organisation_id}", "certificates"]
    adas += ["organisations", "audit"]
    pages += [(await kim.get(path)).text for path in kims]
    pages += [(await ada.get(f"/staff/{path}")).text for path in adas]
    pages.append((await kim.post("/sign-in", {"mail": HTML, "password": HTML})).text)
    pages.append((await kim.get(f"/sign-in?next={HTML}")).text)
    assert all(HTML not in text for text in pages)
    assert sum("&lt;img src=x onerror=alert(1)&gt;" in text for text in pages) >= 12
    assert sum("{{7*7}}" in text for text in pages) >= 8  # and no template takes it for code


async def decide_with_hostile_reasons(home: House, organisation_id: str) -> None:
    found = await applications.application_of(home.room.pool, OrganisationId(organisation_id))
    assert found is not None
    home.clock.advance(1)
    await applications.decide(
        home.room,
        found.organisation_id,
        ApprovalState.NEEDS_MORE,
        reasons=HOSTILE,
        limit_minor=None,
        seen_at_us=found.changed_at_us,
        actor=OPERATOR,
    )
    (one,) = await certificates.certificates_of(home.room.pool, found.organisation_id)
    assert one.number == HTML
    await certificates.decide(
        home.room,
        found.organisation_id,
        one.certificate_id,
        CertificateState.REFUSED,
        reasons=HOSTILE,
        actor=OPERATOR,
    )


async def test_every_table_with_an_expiry_is_put_away(home: House, site: Site) -> None:
    organisation_id = await home.organisation()
    await home.person(organisation_id, Role.ADMIN, Role.BIDDER)
    client = await site.sign_in(KIM)
    await client.send("POST", "/api/v1/tickets", headers={"Origin": site.origin})
    await client.post("/account/tokens", {"name": "x", "scopes": "read", "lifetime_days": "30"})
    await client.post("/account/mail", {"mail": ANN, "password": PASSWORD})
    await client.post(f"/teams/{organisation_id}/invitations", {"mail": ANN, "roles": "bidder"})
    await site.client().post("/reset", {"mail": KIM})
    await site.client().post("/sign-up", {"organisation": "A", "name": "B", "mail": ADA})
    tables = "session ticket api_token mail_change invitation password_reset sign_up attempt "
    tables += "known_device"

    async def counts() -> dict[str, int]:
        return {
            table: await home.room.pool.fetchval(f"select count(*) from {table}")  # noqa: S608
            for table in tables.split()
        }

    await put_away(home.room)
    assert min((await counts()).values()) > 0, await counts()
    home.clock.now_us += 400 * DAY_US
    await put_away(home.room)
    assert set((await counts()).values()) == {0}
    assert await home.room.pool.fetchval("select count(*) from audit_event") > 0


class Mailbox:
    """An SMTP server's handler that keeps what it gets; refuses the first ``refuse``."""

    def __init__(self, refuse: int = 0) -> None:
        self.refuse = refuse
        self.messages: list[bytes] = []

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.refuse:
            self.refuse -= 1
            return "451 try again later"
        assert isinstance(envelope.content, bytes)
        self.messages.append(envelope.content)
        return "250 OK"


@asynccontextmanager
async def carried(person: Postman) -> AsyncIterator[None]:
    running = asyncio.create_task(person.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


LETTER = Letter(KIM, "Choose a new password", "Open http://x/reset/s3cret\n")


async def test_letters_go_out_by_smtp_and_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postman, "RETRY_FACTOR", 0)
    mailbox = Mailbox(refuse=2)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, loop=loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    carrier = Postman(SmtpMailer(f"smtp://127.0.0.1:{port}", "Softclose <a@b.example>"))
    try:
        async with carried(carrier):
            carrier.send(LETTER)
            await carrier.delivered()
    finally:
        server.close()
        await server.wait_closed()
    (raw,) = mailbox.messages
    message = email.message_from_bytes(raw, policy=policy.default)
    assert (message["To"], message["Subject"]) == (KIM, LETTER.subject)
    assert "s3cret" in str(message.get_payload())


async def test_letters_become_files_by_default(tmp_path: Path) -> None:
    carrier = Postman(FileMailer(tmp_path / "mail", "Softclose <a@b.example>"))
    async with carried(carrier):
        carrier.send(LETTER)
        await carrier.delivered()
    (file,) = (tmp_path / "mail").iterdir()
    assert LETTER.subject.encode() in file.read_bytes()


class Refusing:
    """A mailer to which the world is hostile."""

    def __init__(self, error: Exception) -> None:
        self.error, self.tries = error, 0

    async def send(self, _mail: Mail) -> None:
        self.tries += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (MailNotSent("later"), 5),
        (MailNotSent("no such user", permanent=True), 1),
        (ValueError("no address"), 1),
    ],
)
async def test_a_letter_that_cannot_be_delivered_keeps_no_other_back(
    monkeypatch: pytest.MonkeyPatch, error: Exception, tries: int
) -> None:
    monkeypatch.setattr(postman, "RETRY_FACTOR", 0)
    mailer = Refusing(error)
    carrier = Postman(mailer)
    async with carried(carrier):
        for _ in range(3):
            carrier.send(LETTER)
        await carrier.delivered()
    assert mailer.tries == 3 * tries


async def test_the_post_is_bounded_and_says_what_it_drops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postman, "WAITING", 2)
    carrier = Postman(Refusing(MailNotSent("never")))
    with capture_logs() as said:
        for _ in range(3):
            carrier.send(LETTER)  # nobody carries yet
    assert [line["event"] for line in said] == ["letter_dropped"]
