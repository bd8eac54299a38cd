"""Mail: a port, and three ways to send: SMTP, a file for each mail, a line in the log.

`Mailer.send` returns when the mail is handed over (by SMTP: when the server has taken it). A
`MailNotSent` may still have been taken: the server's answer can be lost. So a mail may arrive
twice, never in halves, and its text must bear that.
"""

import asyncio
import os
import re
import time
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib
import structlog

TIMEOUT_S: Final = 20.0
# To one server at a time; more would look like an attack to it.
MAX_CONNECTIONS: Final = 4
MAX_ADDRESS: Final = 254  # RFC 5321

_SPEC = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?:(?P<name>[^<>@\"]*)<)?(?P<address>{_SPEC})(?(name)>)")
_ON_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})

_logger = structlog.get_logger(__name__)


class MailNotSent(Exception):
    """The mail was not taken, or nobody knows; try again later unless `permanent`."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True)
class Mail:
    """A mail in plain words, and perhaps the same as a page.

    A Message-ID among the headers takes the place of a random one: a mail that may be sent twice
    is then shown once by programs that look at it.
    """

    to: str  # an address
    subject: str
    text: str
    headers: dict[str, str] = field(default_factory=dict)  # such as List-Unsubscribe
    html: str | None = None


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail) -> None:
        """Hand the mail over. Raises `MailNotSent`; ValueError for an address that is none."""
        ...


class SmtpMailer:
    """Sends through a mail server, encrypted, and signed in if the address says who."""

    def __init__(self, url: str, sender: str) -> None:
        self._server, self._sender = transport_of(url), address_of(sender)
        self._free = asyncio.Semaphore(MAX_CONNECTIONS)

    async def send(self, mail: Mail) -> None:
        """See `Mailer`."""
        message = message_of(mail, self._sender)
        server = self._server
        tls = server.scheme == "smtps"
        # A server on this machine may do without; everywhere else a password would be in clear.
        plain = server.scheme == "smtp" and server.hostname in _ON_THIS_MACHINE
        try:
            async with self._free:
                await aiosmtplib.send(
                    message,
                    hostname=server.hostname,
                    port=server.port or (465 if tls else 587),
                    username=unquote(server.username) if server.username else None,
                    password=unquote(server.password) if server.password else None,
                    use_tls=tls,
                    start_tls=None if plain else not tls,
                    timeout=TIMEOUT_S,
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusals = error.recipients
            permanent = all(refusal.code >= 500 for refusal in refusals)
            raise MailNotSent(f"refused: {refusals[0].message}", permanent=permanent) from None
        except aiosmtplib.SMTPResponseException as error:
            permanent = error.code >= 500 and not isinstance(
                error, aiosmtplib.SMTPAuthenticationError
            )
            raise MailNotSent(f"{error.code} {error.message}", permanent=permanent) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailNotSent(f"{type(error).__name__}: {error}") from None


class FileMailer:
    """Leaves each mail as an ``.eml`` file in a folder, for tries and tests."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder, self._sender = folder, address_of(sender)

    async def send(self, mail: Mail) -> None:
        """See `Mailer`; the file appears whole. Names sort by time."""
        message = message_of(mail, self._sender)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._folder / f"{time.time_ns()}-{os.getpid()}.eml"
        whole = file.with_suffix(".part")
        whole.write_bytes(message.as_bytes())
        whole.chmod(0o600)
        whole.rename(file)
        _logger.info("mail_written", to=mail.to, subject=mail.subject, file=str(file))


class ConsoleMailer:
    """Writes each mail into the log: for trying things out, as its links work for who reads it."""

    def __init__(self, sender: str) -> None:
        self._sender = address_of(sender)

    async def send(self, mail: Mail) -> None:
        """See `Mailer`."""
        message_of(mail, self._sender)  # what SMTP would refuse is refused here too
        _logger.info("mail", to=mail.to, subject=mail.subject, text=mail.text)


def mailer_of(setting: str, sender: str, folder: Path) -> Mailer:
    """The mailer that a setting names; ``folder`` is where files go."""
    match transport_of(setting).scheme:
        case "file":
            return FileMailer(folder, sender)
        case "console":
            return ConsoleMailer(sender)
        case _:
            return SmtpMailer(setting, sender)


def transport_of(setting: str) -> SplitResult:
    """``file``, ``console``, or a server's address. Raises ValueError without repeating it."""
    if setting in {"file", "console"}:
        return SplitResult(setting, "", "", "", "")
    try:
        parts = urlsplit(setting)
        known = parts.scheme in {"smtp", "smtps"} and parts.hostname and (parts.port or 1)
    except ValueError:
        known = False
    if not known or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("must be file, console, smtp://... or smtps://...")
    return parts


def address_of(text: str) -> Address:
    """One plain address, with or without a name before it. Raises ValueError.

    The standard library's parser takes lists, comments and halves for an address.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or not text.isprintable() or len(match["address"]) > MAX_ADDRESS:
        raise ValueError(f"{text[:80]!r} is not a mail address")
    username, _, domain = match["address"].rpartition("@")
    return Address((match["name"] or "").strip(), username, domain)


def message_of(mail: Mail, sender: Address) -> EmailMessage:
    """The mail with its headers. Raises ValueError for line breaks where none may be."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = address_of(mail.to)
    message["Subject"] = mail.subject
    message["Date"] = formatdate(usegmt=True)
    if "Message-ID" not in mail.headers:
        message["Message-ID"] = make_msgid(domain=sender.domain)
    # Not to be answered by machines (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    for name, value in mail.headers.items():
        message[name] = value
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    return message
