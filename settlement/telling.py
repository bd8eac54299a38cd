"""Mail about what was won, and what became of it: the operation "mail".

Everybody of an organisation who buys for it, sells for it or runs its team gets it. A mail server
that is away is tried again; whoever got the mail already may get it twice, under the same
Message-ID, so that programs show it once. What a mail says follows from the operation's arguments.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from msgspec import Struct

from accounts.amounts import amount_text
from accounts.directory import people_of
from accounts.identity import Role
from accounts.ids import OrganisationId
from foundation.database import AnyConnection, Pool
from foundation.mail import Mail, Mailer, MailNotSent
from settlement.operations import Operation, Unknown
from settlement.steps import Wanted

_READERS: Final = frozenset({Role.BIDDER, Role.LIQUIDATOR, Role.ADMIN})
_FOOT: Final = "\n\n--\nSoftclose, live liquidation auctions\n"

_logger = structlog.get_logger(__name__)


class Kind(StrEnum):
    """What a mail is about."""

    INVOICED = "INVOICED"
    DEFAULTED = "DEFAULTED"
    NOT_PAID = "NOT_PAID"
    CONFIRMATION_ASKED = "CONFIRMATION_ASKED"
    CONSENT_ASKED = "CONSENT_ASKED"
    OFFERED = "OFFERED"
    RELISTED = "RELISTED"
    CANCELLED = "CANCELLED"
    SALE_CANCELLED = "SALE_CANCELLED"
    PICKUP_MISSED = "PICKUP_MISSED"
    ABANDONMENT = "ABANDONMENT"
    CLAIM_ASKED = "CLAIM_ASKED"
    CLAIM_GRANTED = "CLAIM_GRANTED"
    CLAIM_REFUSED = "CLAIM_REFUSED"


class Words(Struct, frozen=True):
    """A mail. ``path``: of the page where it is seen to."""

    subject: str
    text: str
    path: str


Facts = Mapping[str, Any]


def mail_to(
    kind: Kind, subject: str, organisation_id: str, *, turn: int = 1, **facts: Any
) -> Wanted:
    """The operation that mails this to an organisation's people, once for ``turn``."""
    return Wanted(
        operation="mail",
        subject=f"{subject}~{kind.lower()}",
        generation=turn,
        arguments={"kind": kind, "organisation_id": organisation_id, **facts},
    )


class MailHandler:
    """ "mail": sends one to each of an organisation's people."""

    def __init__(self, pool: Pool, mailer: Mailer, public_url: str) -> None:
        self._pool, self._mailer, self._public_url = pool, mailer, public_url

    async def call(self, op: Operation) -> None:
        """Hand the mails over. Raises `Unknown` if the mail server may take one later."""
        words = words_of(Kind(op.arguments["kind"]), op.arguments)
        text = f"{words.text}\n\n{self._public_url}{words.path}{_FOOT}"
        organisation_id = OrganisationId(op.arguments["organisation_id"])
        domain = "softclose.settlement"
        for person in await people_of(self._pool, organisation_id):
            if not person.roles & _READERS:
                continue
            name = hashlib.sha256(f"{op.idempotency_key}:{person.person_id}".encode()).hexdigest()
            headers = {"Message-ID": f"<{name[:32]}@{domain}>"}
            try:
                await self._mailer.send(Mail(person.mail, words.subject, text, headers))
            except MailNotSent as error:
                if not error.permanent:
                    raise Unknown(f"the mail was not taken: {error}") from error
                _logger.warning("mail_refused", operation=op.idempotency_key, reason=str(error))

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `Handler`: that it was sent is all."""


def words_of(kind: Kind, facts: Facts) -> Words:
    """A mail in words. Pure."""
    return _WORDS[kind](facts)


def _invoiced(facts: Facts) -> Words:
    total, due = _amount(facts, "total_minor"), _at(facts["due_at_us"], facts["zone"])
    lots = "one lot" if facts["lots"] == 1 else f"{facts['lots']} lots"
    return Words(
        f"Invoice {facts['number']}: {total} for {facts['sale_title']}",
        f"You won {lots} in {facts['sale_title']}. The invoice comes to {total}, due by {due}.\n\n"
        "If your saved card may be charged for it, you need do nothing; otherwise the invoice says"
        " how to pay. When it is paid, you get the manifest and the address for the pickup.",
        "/purchases",
    )


def _defaulted(facts: Facts) -> Words:
    until = _at(facts["suspended_until_us"], facts["zone"])
    return Words(
        f"Invoice {facts['number']} was not paid: its lots are void",
        f"Invoice {facts['number']} was not paid in time. What of it was not paid is void, and"
        f" {_amount(facts, 'deposit_minor')} of your deposit is kept. Offering the lots again costs"
        f" {_amount(facts, 'relist_fees_minor')}. You cannot bid before {until}.",
        "/purchases",
    )


def _not_paid(facts: Facts) -> Words:
    return Words(
        f"Lot {facts['lot']} was not paid",
        f"The buyer of lot {facts['lot']}, {facts['title']}, did not pay"
        f" {_amount(facts, 'hammer_minor')}, and the award is void. We look for another buyer among"
        " its bidders first, and offer it again if there is none.",
        "/earnings/sold",
    )


def _confirmation_asked(facts: Facts) -> Words:
    lots = "\n".join(
        f"Lot {lot}, {title}: {amount_text(hammer_minor, facts['currency'])}"
        for lot, title, hammer_minor in facts["lots"]
    )
    count = "a lot" if len(facts["lots"]) == 1 else f"{len(facts['lots'])} lots"
    silence = "not sold" if facts["else_cancelled"] else "sold"
    return Words(
        f"Please confirm the sale of {count}",
        "By the terms of your sale you confirm what was sold before the buyer is charged:\n\n"
        f"{lots}\n\nPlease answer by {_at(facts['until_us'], facts['zone'])}; what you say nothing"
        f" about is {silence} then. What you do not confirm is cancelled, without a fee.",
        "/earnings/confirmations",
    )


def _consent_asked(facts: Facts) -> Words:
    below = " This is below your reserve." if facts["reserve"] == "NOT_MET" else ""
    return Words(
        f"May lot {facts['lot']} go to the next bidder for {_amount(facts, 'price_minor')}?",
        f"The buyer of lot {facts['lot']}, {facts['title']}, did not pay. The next bidder could"
        f" have it for {_amount(facts, 'price_minor')}.{below} Please answer by"
        f" {_at(facts['until_us'], facts['zone'])}; without an answer the lot is yours to offer"
        " again.",
        "/earnings/consents",
    )


def _offered(facts: Facts) -> Words:
    return Words(
        f"Lot {facts['lot']} is offered to you for {_amount(facts, 'price_minor')}",
        f"The buyer of lot {facts['lot']}, {facts['title']}, did not pay, and you are next. You can"
        f" have it for {_amount(facts, 'price_minor')} plus premium and tax, if you take it by"
        f" {_at(facts['until_us'], facts['zone'])}. You are not bound: if you do nothing, it goes"
        " on.",
        "/purchases/offers",
    )


def _relisted(facts: Facts) -> Words:
    stock = " It is a draft in your stock, to be offered in another sale." * facts["drafted"]
    return Words(
        f"Lot {facts['lot']} is yours to offer again",
        f"Nobody takes lot {facts['lot']}, {facts['title']}, after it was not paid.{stock}",
        "/desk/lots",
    )


def _cancelled(facts: Facts) -> Words:
    back = facts["refund_minor"]
    money = f" {_amount(facts, 'refund_minor')} go back to you." if back else ""
    return Words(
        f"Lot {facts['lot']} was cancelled",
        f"Your purchase of lot {facts['lot']}, {facts['title']}, was cancelled:"
        f" {facts['reason']}\n\nYou owe nothing for it.{money}",
        "/purchases",
    )


def _sale_cancelled(facts: Facts) -> Words:
    fee = facts["fee_minor"]
    charged = f" The fee is {_amount(facts, 'fee_minor')}." if fee else " There is no fee."
    return Words(
        f"The sale of lot {facts['lot']} was cancelled",
        f"The sale of lot {facts['lot']}, {facts['title']}, for {_amount(facts, 'hammer_minor')}"
        f" was cancelled: {facts['reason']}\n\n{charged.strip()}",
        "/earnings/sold",
    )


def _pickup_missed(facts: Facts) -> Words:
    return Words(
        f"Nobody came for lot {facts['lot']}",
        f"Your pickup was booked for {_at(facts['slot_at_us'], facts['zone'])}, and nobody came."
        " The missed appointment is charged. Please book another slot; after the free days the"
        " goods cost storage for each pallet and day.",
        "/purchases/pickups",
    )


def _abandonment(facts: Facts) -> Words:
    pallets = "One pallet" if facts["pallets"] == 1 else f"{facts['pallets']} pallets"
    return Words(
        f"Notice of abandonment: lot {facts['lot']}",
        f"{pallets} of lot {facts['lot']}, {facts['title']}, were paid and not fetched. Storage has"
        f" come to {_amount(facts, 'storage_minor')}. If you do not fetch the goods now, they will"
        " be treated as abandoned.",
        "/purchases/pickups",
    )


def _claim_asked(facts: Facts) -> Words:
    return Words(
        f"A question about your claim on lot {facts['lot']}",
        f"About your claim on lot {facts['lot']}, {facts['title']}, we ask:\n\n{facts['words']}",
        "/purchases/claims",
    )


def _claim_granted(facts: Facts) -> Words:
    why = f"\n\n{facts['why']}" if facts["why"] else ""
    return Words(
        f"Your claim on lot {facts['lot']}: {_amount(facts, 'amount_minor')} are credited",
        f"Of your claim on lot {facts['lot']}, {facts['title']},"
        f" {_amount(facts, 'amount_minor')} are credited.{why}",
        "/purchases/claims",
    )


def _claim_refused(facts: Facts) -> Words:
    return Words(
        f"Your claim on lot {facts['lot']} was refused",
        f"Your claim on lot {facts['lot']}, {facts['title']}, was refused:\n\n{facts['why']}",
        "/purchases/claims",
    )


_WORDS: Final[Mapping[Kind, Callable[[Facts], Words]]] = {
    Kind.INVOICED: _invoiced,
    Kind.DEFAULTED: _defaulted,
    Kind.NOT_PAID: _not_paid,
    Kind.CONFIRMATION_ASKED: _confirmation_asked,
    Kind.CONSENT_ASKED: _consent_asked,
    Kind.OFFERED: _offered,
    Kind.RELISTED: _relisted,
    Kind.CANCELLED: _cancelled,
    Kind.SALE_CANCELLED: _sale_cancelled,
    Kind.PICKUP_MISSED: _pickup_missed,
    Kind.ABANDONMENT: _abandonment,
    Kind.CLAIM_ASKED: _claim_asked,
    Kind.CLAIM_GRANTED: _claim_granted,
    Kind.CLAIM_REFUSED: _claim_refused,
}


def _amount(facts: Facts, name: str) -> str:
    return amount_text(facts[name], facts["currency"])


def _at(at_us: int, zone: str) -> str:
    """A moment by the clocks of the sale."""
    local = datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(ZoneInfo(zone))
    return f"{local:%A, %d %B %Y at %H:%M} ({local.tzname()})"
