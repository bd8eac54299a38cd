"""What buyers ask of a payment: to look again, a way to pay, lots that come first.

Each holds the invoice and decides as operations do; none speaks to the provider.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from foundation.database import AnyConnection
from foundation.refusals import RefusedBecause
from settlement.ids import AwardId, InvoiceId, StripeId
from settlement.lives import PaymentState
from settlement.payment_objects import MAX_AMOUNT_MINOR, least_charge_minor
from settlement.payments.decisions import by_transfer, collect, try_by
from settlement.payments.funding import lacking_minor
from settlement.payments.tables import Payers, carry_out, facts_of
from settlement.payments.words import Decided, Facts, TryState, Way
from settlement.rows import Held, hold_invoice

_P = PaymentState

_NAME: Final = """
insert into payment_named (invoice_id, award_ids, said_at_us, said_by) values ($1, $2, $3, $4)
on conflict (invoice_id) do update set award_ids = excluded.award_ids,
    said_at_us = excluded.said_at_us, said_by = excluded.said_by
"""


class PayRefusal(StrEnum):
    """Why a way to pay cannot be chosen."""

    UNDER_WAY = "UNDER_WAY"
    NOT_OPEN = "NOT_OPEN"
    NOT_SAVED = "NOT_SAVED"
    ABOVE_CARD_CAP = "ABOVE_CARD_CAP"
    TOO_LARGE = "TOO_LARGE"
    TOO_SMALL = "TOO_SMALL"
    UNKNOWN_LOT = "UNKNOWN_LOT"


MEANINGS: Final = {
    PayRefusal.UNDER_WAY: "A payment is under way; wait for what comes of it.",
    PayRefusal.NOT_OPEN: "Nothing of this invoice is to be paid.",
    PayRefusal.NOT_SAVED: "Save a card or bank account first.",
    PayRefusal.ABOVE_CARD_CAP: "The amount is too high for a card; pay by bank.",
    PayRefusal.TOO_LARGE: "The amount is too large for one debit; pay by bank transfer.",
    PayRefusal.TOO_SMALL: "So little cannot be paid by itself. Please write to us.",
    PayRefusal.UNKNOWN_LOT: "The lot is not on this invoice.",
}


class PayRefused(RefusedBecause[PayRefusal]):
    """Nothing was changed."""

    meanings = MEANINGS


async def collect_now(
    connection: AnyConnection, invoice_id: InvoiceId, payers: Payers, now_us: int
) -> None:
    """Something may go on: a card was saved, credit came. Rings nobody: the caller does."""
    held = await hold_invoice(connection, invoice_id)
    facts = await facts_of(connection, held, payers)
    await carry_out(connection, held, collect(held, facts, now_us), now_us)


async def choose_way(
    connection: AnyConnection,
    invoice_id: InvoiceId,
    way: Way,
    payers: Payers,
    now_us: int,
    *,
    method_id: StripeId | None = None,
) -> None:
    """The buyer pays this way; by its saved card or bank account where ``method_id`` names none.
    Raises `PayRefused`."""
    held = await hold_invoice(connection, invoice_id)
    facts = await facts_of(connection, held, payers)
    await carry_out(connection, held, _chosen(held, facts, way, method_id, now_us), now_us)


async def name_lots(
    connection: AnyConnection,
    invoice_id: InvoiceId,
    award_ids: Sequence[AwardId],
    by: str,
    now_us: int,
) -> None:
    """The next part payment is for these lots, in this order. Raises `PayRefused`."""
    held = await hold_invoice(connection, invoice_id)
    if not set(award_ids) <= held.awards.keys():
        raise PayRefused(PayRefusal.UNKNOWN_LOT, field="award_ids")
    await connection.execute(_NAME, invoice_id, list(dict.fromkeys(award_ids)), now_us, by)


def _chosen(held: Held, facts: Facts, way: Way, method_id: StripeId | None, now_us: int) -> Decided:
    row, payer = held.invoiced, facts.payer
    if row.payment not in (_P.DUE, _P.AWAITING_FUNDS):
        closed = row.payment in (_P.PAID, _P.DEFAULTED, _P.REFUNDED, _P.OVERDUE, _P.DISPUTED)
        raise PayRefused(PayRefusal.NOT_OPEN if closed else PayRefusal.UNDER_WAY)
    if any(tried.state is TryState.PENDING for tried in facts.tries):
        raise PayRefused(PayRefusal.UNDER_WAY)
    if payer is None:
        raise PayRefused(PayRefusal.NOT_SAVED)
    if way is Way.TRANSFER:
        return by_transfer(held, facts, now_us) if row.payment is _P.DUE else Decided()
    method_id = method_id or (payer.card_id if way is Way.CARD else payer.debit_id)
    if method_id is None:
        raise PayRefused(PayRefusal.NOT_SAVED)
    lacking = lacking_minor(held, facts) - facts.earmarked_minor
    if way is Way.CARD and not facts.policy.takes_card(lacking):
        raise PayRefused(PayRefusal.ABOVE_CARD_CAP)
    if lacking > MAX_AMOUNT_MINOR:
        raise PayRefused(PayRefusal.TOO_LARGE)
    if lacking - facts.credit_minor < least_charge_minor(row.invoice.currency):
        raise PayRefused(PayRefusal.TOO_SMALL)
    return try_by(held, facts, way, method_id, now_us)
