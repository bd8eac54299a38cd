"""A resale certificate that came after the invoice: the tax is credited, and what was paid of it
goes back.

It does not matter when the certificate was shown, only that it was valid where the goods were taxed
when the lot closed. What is paid goes back by a refund of its own; what is not paid yet is not
asked for any more.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.ids import BidderId
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.awarding import certificates_of
from settlement.entries import AwardMoney
from settlement.ids import InvoiceId
from settlement.invoices import CreditNote, CreditReason, late_certificate
from settlement.lives import PaymentState
from settlement.payments.backs import credit_line
from settlement.payments.moves import again
from settlement.payments.tables import credits_of
from settlement.payouts.words import PayoutRefusal, PayoutRefused
from settlement.rows import Held, NotFound, calendar_of, hold_invoice
from settlement.steps import Step, Sums, Wanted, write
from settlement.story import HOUSE_ITSELF, Told

_P = PaymentState
# While the provider is asked, what is asked for stays as it is; then it can be credited.
_UNDER_WAY: Final = frozenset({_P.AUTHORISING, _P.ACTION_REQUIRED, _P.AUTHORISED, _P.CAPTURING})
_ENDED: Final = frozenset({_P.DEFAULTED, _P.REFUNDED})

# What goes back already, and is in no credit of a line yet, could go back twice.
_REFUNDS: Final = """
select exists (
    select from settlement_op where operation = 'refund' and state in ('WAITING', 'HELD')
    and arguments ->> 'invoice_id' = $1
)
"""
_CREDITS: Final = """
select invoice_id, number, currency, amount_minor, certificates, made_at_us, made_by
from tax_credit where invoice_id = $1 order by number
"""
_ADD: Final = """
insert into tax_credit (invoice_id, number, currency, amount_minor, lines, certificates, made_at_us,
    made_by)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_RELIED_ON: Final = """
select certificate_id from resale_certificate
where organisation_id = $1 and state = 'ACCEPTED' and region = any($2) order by certificate_id
"""


class TaxCredit(Struct, frozen=True, kw_only=True):
    """Tax that was credited of an invoice. ``certificates``: that were relied on."""

    invoice_id: InvoiceId
    number: int
    currency: str
    amount_minor: int
    certificates: Sequence[str]
    made_at_us: int
    made_by: str


class LateCertificates:
    """What staff do about them. ``ring`` wakes the worker."""

    def __init__(self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None]) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def of_invoice(self, invoice_id: InvoiceId) -> Sequence[TaxCredit]:
        """What was credited, in order."""
        async with acquire(self._pool) as connection:
            return [TaxCredit(**row) for row in await connection.fetch(_CREDITS, invoice_id)]

    async def credit(self, staff: Actor, invoice_id: InvoiceId) -> TaxCredit:
        """Credit the tax of all lines for which the buyer has a certificate by now.

        Raises `PayoutRefused`: NOT_FOUND, NOT_NOW (a payment or refund is under way, or nothing is
        owed any more), HELD_BACK (a dispute), NO_CERTIFICATE.
        """
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            held = await _held(connection, invoice_id)
            await _refuse(connection, held)
            note = await _note(connection, held)
            number = len(await connection.fetch(_CREDITS, invoice_id)) + 1
            credited = await _keep(connection, held, note, number, staff, now_us)
            unpaid = [each for each in note.lines if not _is_paid(held, each)]
            await credit_line(connection, invoice_id, CreditReason.CERTIFICATE, unpaid, now_us)
            await record(
                connection,
                Act.TAX_CREDITED,
                staff,
                now_us,
                organisation_id=OrganisationId(held.invoiced.invoice.buyer_id),
                object_id=invoice_id,
                amount_minor=note.total_minor,
            )
            step = credited_step(held, note, number, staff.person_id or HOUSE_ITSELF)
            await write(connection, held, step, now_us)
        self._ring()
        return credited


def credited_step(held: Held, note: CreditNote, number: int, actor: str) -> Step:
    """What follows from a credit note of tax: refunds of what was paid, less to pay of the rest."""
    row = held.invoiced
    unpaid_minor = sum(each.total_minor for each in note.lines if not _is_paid(held, each))
    operations = [
        _refund(note.invoice_id, each, number) for each in note.lines if _is_paid(held, each)
    ]
    sums = {}
    if unpaid_minor:
        sums = {note.invoice_id: Sums(credited_minor=unpaid_minor)}
        operations.append(again(held, "collect"))
    facts: dict[str, Any] = {
        "number": number,
        "currency": row.invoice.currency,
        "amount_minor": note.total_minor,
        "lots": [each.award_id for each in note.lines],
    }
    told = Told(kind="tax_credited", invoice_id=note.invoice_id, actor=actor, facts=facts)
    return Step(sums=sums, operations=operations, story=(told,))


def _refund(invoice_id: InvoiceId, back: AwardMoney, number: int) -> Wanted:
    arguments = {
        "invoice_id": invoice_id,
        "award_id": back.award_id,
        "amount_minor": back.tax_minor,
        "reason": CreditReason.CERTIFICATE,
    }
    # Not the award's own name: its claims and its cancellation number theirs.
    subject = f"{back.award_id}~tax"
    return Wanted(operation="refund", subject=subject, generation=number, arguments=arguments)


def _is_paid(held: Held, back: AwardMoney) -> bool:
    return held.awards[back.award_id].funded_at_us is not None


async def _held(connection: AnyConnection, invoice_id: InvoiceId) -> Held:
    try:
        return await hold_invoice(connection, invoice_id)
    except NotFound as error:
        raise PayoutRefused(PayoutRefusal.NOT_FOUND) from error


async def _refuse(connection: AnyConnection, held: Held) -> None:
    payment = held.invoiced.standing
    if payment is PaymentState.DISPUTED:
        detail = "The buyer's bank wants the money back: that is decided first."
        raise PayoutRefused(PayoutRefusal.HELD_BACK, detail=detail)
    if payment in _ENDED or payment in _UNDER_WAY:
        raise PayoutRefused(PayoutRefusal.NOT_NOW)
    if await connection.fetchval(_REFUNDS, held.invoiced.invoice_id):
        detail = "Something of this invoice goes back just now. Try again in a minute."
        raise PayoutRefused(PayoutRefusal.NOT_NOW, detail=detail)


async def _note(connection: AnyConnection, held: Held) -> CreditNote:
    invoice = held.invoiced.invoice
    credited = await credits_of(connection, invoice.invoice_id, held)
    note = late_certificate(
        invoice,
        await certificates_of(connection, BidderId(invoice.buyer_id)),
        await calendar_of(connection, held.invoiced),
        [each.money for each in credited],
    )
    if note is None:
        raise PayoutRefused(PayoutRefusal.NO_CERTIFICATE)
    return note


async def _keep(
    connection: AnyConnection,
    held: Held,
    note: CreditNote,
    number: int,
    staff: Actor,
    now_us: int,
) -> TaxCredit:
    invoice = held.invoiced.invoice
    ids = {each.award_id for each in note.lines}
    regions = {line.tax.place.region for line in invoice.lines if line.award_id in ids}
    rows = await connection.fetch(_RELIED_ON, invoice.buyer_id, sorted(regions))
    credited = TaxCredit(
        invoice_id=note.invoice_id,
        number=number,
        currency=invoice.currency,
        amount_minor=note.total_minor,
        certificates=[row["certificate_id"] for row in rows],
        made_at_us=now_us,
        made_by=staff.person_id or HOUSE_ITSELF,
    )
    await connection.execute(
        _ADD,
        credited.invoice_id,
        credited.number,
        credited.currency,
        credited.amount_minor,
        msgspec.json.encode(note.lines).decode(),
        credited.certificates,
        now_us,
        credited.made_by,
    )
    return credited
