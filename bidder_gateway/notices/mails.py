"""Carries mails: the notices of a kind in one mail, as text and as a page.

Links lead to pages that ask who is there; none signs anybody in. Each mail says how no more of its
kind come (RFC 8058). The same parcel makes the same Message-ID, so that one that is sent a second
time after a crash is shown once.
"""

from collections.abc import Sequence
from email.utils import parseaddr
from hashlib import sha256
from pathlib import Path
from typing import Final

import jinja2
from msgspec import Struct

from bidder_gateway.notices.addressing import Notice
from bidder_gateway.notices.carriers import NotSent, Parcel
from bidder_gateway.notices.kinds import MANNERS
from bidder_gateway.notices.links import PREFERENCES, path_of
from bidder_gateway.notices.unsubscribing import PATH, token_of
from bidder_gateway.notices.wording import words_of, words_of_several
from foundation.mail import Mail, Mailer, MailNotSent

TEMPLATES: Final = Path(__file__).parent / "templates"
MAX_SUBJECT: Final = 150


class _Entry(Struct, frozen=True):
    """A notice as the mail shows it."""

    title: str
    text: str
    url: str


class MailCarrier:
    """A `Carrier`. ``public_url``: where people reach us; ``sender``: as in the settings."""

    def __init__(self, mailer: Mailer, public_url: str, sender: str, link_key: bytes) -> None:
        self._mailer, self._public_url, self._link_key = mailer, public_url, link_key
        self._domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
        loader = jinja2.FileSystemLoader(TEMPLATES)
        settings = {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
        self._html = jinja2.Environment(loader=loader, autoescape=True, **settings)  # type: ignore[arg-type]
        self._text = jinja2.Environment(loader=loader, autoescape=False, **settings)  # type: ignore[arg-type]  # noqa: S701 - plain text

    async def carry(self, parcel: Parcel) -> None:
        """See `Carrier`."""
        try:
            await self._mailer.send(self.mail_of(parcel))
        except MailNotSent as error:
            raise NotSent(str(error), permanent=error.permanent) from None
        except ValueError as error:  # an address that no mail server takes
            raise NotSent(str(error), permanent=True) from None

    def mail_of(self, parcel: Parcel) -> Mail:
        """The mail."""
        reader, last = parcel.reader, parcel.notices[-1]
        zone, kind = reader.time_zone, last.kind
        facts = [notice.facts for notice in parcel.notices]
        subject = words_of_several(kind, facts, last.sale_id, zone).title
        token = token_of(self._link_key, reader.person_id, kind)
        values = {
            "subject": subject,
            "name": reader.name,
            "entries": [self._entry(notice, zone) for notice in reversed(parcel.notices)],
            "why": MANNERS[kind].title,
            "preferences": f"{self._public_url}{PREFERENCES}",
            "unsubscribe": f"{self._public_url}{PATH}/{token}",
        }
        return Mail(
            to=reader.mail,
            subject="".join(c for c in subject if c.isprintable())[:MAX_SUBJECT],
            text=self._text.get_template("mail.txt").render(values),
            html=self._html.get_template("mail.html").render(values),
            headers={
                "Message-ID": f"<{_digest(parcel.notices)}@{self._domain}>",
                "List-Unsubscribe": f"<{values['unsubscribe']}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        )

    def _entry(self, notice: Notice, zone: str) -> _Entry:
        words = words_of(notice.kind, notice.facts, notice.sale_id, zone)
        path = path_of(
            notice.kind,
            notice.sale_id,
            notice.lot_id,
            amount_minor=notice.facts.next_minimum_minor,
            search_id=notice.facts.search_id,
        )
        return _Entry(words.title, words.text, f"{self._public_url}{path}")


def _digest(notices: Sequence[Notice]) -> str:
    return sha256(" ".join(notice.notice_id for notice in notices).encode()).hexdigest()[:32]
