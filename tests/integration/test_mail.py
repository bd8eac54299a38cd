"""Mail: by SMTP to a real server, as files, and into the log."""

import asyncio
import email
import email.policy
import io
import ssl
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from foundation.logs import LogFormat, LogLevel, configure_logs
from foundation.mail import Mail, MailNotSent, address_of, mailer_of, transport_of

SENDER = "Söftclose <noreply@softclose.example>"
MAIL = Mail("ann@example.com", "Outbid on lot 12: äh", "Bid again:\nhttps://x/lots/12\n")


class Postbox:
    """A mail server's memory, and what it answers."""

    def __init__(self) -> None:
        self.received: list[Envelope] = []
        self.answer = "250 taken"
        self.recipient_answer = "250 known"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        self.received.append(envelope)
        return self.answer

    def message(self) -> EmailMessage:
        """The only one that has come."""
        (envelope,) = self.received
        content = envelope.content
        assert isinstance(content, bytes)
        return email.message_from_bytes(content, policy=email.policy.default)


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@asynccontextmanager
async def mail_server(
    postbox: Postbox, *, implicit_tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[int]:
    """The port of a mail server on this machine."""
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(postbox, hostname="mail", loop=loop, **options),
        "127.0.0.1",
        0,
        ssl=implicit_tls,
    )
    async with listening:
        yield listening.sockets[0].getsockname()[1]


@pytest.fixture
async def server(postbox: Postbox) -> AsyncIterator[str]:
    """The url of a server that wants neither encryption nor a password."""
    async with mail_server(postbox) as port:
        yield f"smtp://127.0.0.1:{port}"


async def test_a_mail_arrives_with_its_headers_and_words(postbox: Postbox, server: str) -> None:
    await mailer_of(server, SENDER, Path()).send(MAIL)
    message = postbox.message()
    assert message["To"] == "ann@example.com"
    assert message["From"] == SENDER
    assert message["Subject"] == MAIL.subject
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@softclose.example>")
    assert message.get_content().replace("\r\n", "\n") == MAIL.text
    assert postbox.received[0].mail_from == "noreply@softclose.example"


@pytest.mark.parametrize(("answer", "permanent"), [("451 later", False), ("554 never", True)])
async def test_a_refusal_says_whether_to_try_again(
    postbox: Postbox, server: str, answer: str, permanent: bool
) -> None:
    postbox.answer = answer
    with pytest.raises(MailNotSent, match=answer[4:]) as raised:
        await mailer_of(server, SENDER, Path()).send(MAIL)
    assert raised.value.permanent is permanent


@pytest.mark.parametrize(("answer", "permanent"), [("450 full", False), ("550 unknown", True)])
async def test_a_recipient_that_is_refused_is_said_too(
    postbox: Postbox, server: str, answer: str, permanent: bool
) -> None:
    postbox.recipient_answer = answer
    with pytest.raises(MailNotSent, match=answer[4:]) as raised:
        await mailer_of(server, SENDER, Path()).send(MAIL)
    assert raised.value.permanent is permanent
    assert postbox.received == []


async def test_a_server_that_is_away_is_worth_another_try() -> None:
    with pytest.raises(MailNotSent) as raised:
        await mailer_of("smtp://127.0.0.1:1", SENDER, Path()).send(MAIL)
    assert raised.value.permanent is False


async def test_elsewhere_a_password_is_never_sent_in_clear(
    postbox: Postbox, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server here offers no STARTTLS; let it count as one elsewhere.
    monkeypatch.setattr("foundation.mail._ON_THIS_MACHINE", frozenset())
    url = server.replace("smtp://", "smtp://ann:hunter2@")
    with pytest.raises(MailNotSent) as raised:
        await mailer_of(url, SENDER, Path()).send(MAIL)
    assert "hunter2" not in str(raised.value)
    assert postbox.received == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(private + made.public_bytes(pem))
    return file


def tls_options(certificate: Path, *, at_once: bool) -> dict[str, Any]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return {"implicit_tls": context} if at_once else {"tls_context": context}


@pytest.mark.parametrize("encrypted_at_once", [False, True])
async def test_it_signs_in_once_the_line_is_encrypted(
    postbox: Postbox,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    encrypted_at_once: bool,
) -> None:
    signed_in: list[LoginPassword] = []

    def authenticate(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        signed_in.append(data)
        return AuthResult(success=True)

    options = tls_options(certificate, at_once=encrypted_at_once)
    options |= {"authenticator": authenticate, "auth_require_tls": not encrypted_at_once}
    async with mail_server(postbox, **options) as port:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        scheme = "smtps" if encrypted_at_once else "smtp"
        monkeypatch.setattr("foundation.mail._ON_THIS_MACHINE", frozenset())
        url = f"{scheme}://ann%40x:p%2Fw@localhost:{port}"
        await mailer_of(url, SENDER, Path()).send(MAIL)
    assert [(login.login, login.password) for login in signed_in] == [(b"ann@x", b"p/w")]
    assert postbox.message()["Subject"] == MAIL.subject


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    postbox: Postbox, certificate: Path
) -> None:
    async with mail_server(postbox, **tls_options(certificate, at_once=True)) as port:
        with pytest.raises(MailNotSent, match="CERTIFICATE_VERIFY_FAILED"):
            await mailer_of(f"smtps://localhost:{port}", SENDER, Path()).send(MAIL)
    assert postbox.received == []


# --- without a server ------------------------------------------------------------------------


async def test_by_default_each_mail_is_a_file_that_only_the_operator_reads(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    mailer = mailer_of("file", SENDER, folder)
    await mailer.send(MAIL)
    await mailer.send(MAIL)
    first, second = sorted(folder.iterdir())
    message = email.message_from_bytes(first.read_bytes(), policy=email.policy.default)
    assert message["Subject"] == MAIL.subject
    assert second.suffix == ".eml"
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_on_the_console_a_mail_can_be_read_in_the_log() -> None:
    stream = io.StringIO()
    configure_logs(LogLevel.INFO, LogFormat.JSON, stream)
    await mailer_of("console", SENDER, Path()).send(MAIL)
    assert "https://x/lots/12" in stream.getvalue()
    configure_logs(LogLevel.WARNING, LogFormat.JSON)


@pytest.mark.parametrize(
    "mail",
    [
        Mail("ann@example.com\nBcc: all@example.com", "x", "x"),
        Mail("ann@example.com", "x\nBcc: all@example.com", "x"),
        Mail("ann@example.com, bob@example.com", "x", "x"),
        Mail("nobody", "x", "x"),
        Mail("", "x", "x"),
        Mail("ann@example.com", "x", "x", {"List-Unsubscribe": "a\r\nBcc: b@example.com"}),
    ],
)
async def test_nothing_sneaks_into_the_headers(tmp_path: Path, mail: Mail) -> None:
    for setting in ("file", "console", "smtp://127.0.0.1:1"):
        with pytest.raises(ValueError):
            await mailer_of(setting, SENDER, tmp_path).send(mail)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "disk",
        "smtp://",
        "http://mail.example",
        "smtp://h:99999",
        "smtp://u:pw@h/x",
        "smtp://[h",
    ],
)
def test_a_setting_that_is_none_is_refused_without_its_password(setting: str) -> None:
    with pytest.raises(ValueError, match="must be file, console, smtp") as raised:
        transport_of(setting)
    assert "pw" not in str(raised.value)


@pytest.mark.parametrize("text", ["a@b@c", "a b", "@x", "a@", "Ann <ann@x", "a\tb@x"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a mail address"):
        address_of(text)
