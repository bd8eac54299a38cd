"""The operation "defaulted": lots of an invoice are void because its buyer did not pay.

The buyer loses its deposit for the sale, owes a fee for offering each lot again, and is suspended.
The fees are one charge, taken from the buyer's credit as far as that goes; the rest is collected
(`fees`), and until it is paid the suspension stands. For each lot the search for another buyer
begins. Done twice, it does nothing: what is looked for already is passed over.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import structs

from accounts.amounts import amount_text
from auction.ids import BidderId, SaleId
from foundation.database import AnyConnection
from settlement.after_default.fees import COLLECT_FEE
from settlement.after_default.hand_deposits import Recorded, ask_about, recorded_nowhere
from settlement.after_default.tables import begin
from settlement.defaults import Penalty, penalty_of
from settlement.ids import InvoiceId
from settlement.lives import AwardState
from settlement.operations import Deadline, Operation
from settlement.payments.tables import hold_credit
from settlement.pickups.charge_table import Charge, charge_relist, take_from_credit
from settlement.rows import AwardRow, Held, InvoiceRow, calendar_of, hold_invoice, policy_of
from settlement.steps import Step, Wanted, write
from settlement.story import HOUSE_ITSELF, Told
from settlement.telling import Kind, mail_to

# Keeps the buyer's deposit for a sale, in the caller's transaction; how much that is.
Forfeit: TypeAlias = Callable[[AnyConnection, SaleId, BidderId], Awaitable[int]]

_BEFORE: Final = "select count(*) from buyer_default where invoice_id = $1"

_WRITE: Final = """
insert into buyer_default (invoice_id, turn, buyer_id, currency, deposit_minor, relist_fees_minor,
    paid_minor, defaulted_at_us, suspended_until_us, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def no_deposit(connection: AnyConnection, sale_id: SaleId, buyer_id: BidderId) -> int:
    """Where deposits are not taken."""
    return 0


class DefaultedHandler(Deadline):
    """Penalises the buyer, and begins to look for others."""

    def __init__(
        self, forfeit: Forfeit = no_deposit, recorded: Recorded = recorded_nowhere
    ) -> None:
        self._forfeit, self._recorded = forfeit, recorded

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `Handler`."""
        held = await hold_invoice(connection, InvoiceId(op.subject))
        row = held.invoiced
        void = [
            award
            for award in held.awards.values()
            if award.state is AwardState.VOID and await begin(connection, award, now_us)
        ]
        if not void:
            return
        policy = await policy_of(connection, row)
        calendar = await calendar_of(connection, row)
        buyer_id, currency = row.invoice.buyer_id, row.invoice.currency
        await hold_credit(connection, buyer_id, currency)
        sale_id = row.invoice.sale_id
        deposit_minor = await self._forfeit(connection, sale_id, buyer_id)
        whose = (sale_id, buyer_id, row.invoice_id, currency)
        await ask_about(connection, self._recorded, *whose, now_us)
        hammers = [award.award.hammer_minor for award in void]
        penalty = penalty_of(policy, calendar, hammers, deposit_minor, now_us)
        turn = await connection.fetchval(_BEFORE, row.invoice_id) + 1
        charge = await _charged(connection, void, penalty, turn, now_us)
        charges = [] if charge is None else [charge]
        entries = await take_from_credit(connection, charges, HOUSE_ITSELF, now_us)
        paid_minor = sum(posting.amount_minor for one in entries for posting in one.postings)
        reason = reason_of(row, penalty, sum(penalty.relist_fees_minor) - paid_minor)
        await connection.execute(
            _WRITE,
            row.invoice_id,
            turn,
            buyer_id,
            currency,
            penalty.deposit_minor,
            sum(penalty.relist_fees_minor),
            paid_minor,
            now_us,
            penalty.suspended_until_us,
            reason,
        )
        step = defaulted(held, void, penalty, paid_minor, charge, turn)
        booked = structs.replace(step, entries=entries)
        await write(connection, held, booked, now_us)


async def _charged(
    connection: AnyConnection,
    void: Sequence[AwardRow],
    penalty: Penalty,
    turn: int,
    now_us: int,
) -> Charge | None:
    fees = {award.award_id: fee for award, fee in zip(void, penalty.relist_fees_minor, strict=True)}
    return await charge_relist(connection, void[0], turn, fees, now_us)


def reason_of(row: InvoiceRow, penalty: Penalty, owed_minor: int) -> str:
    """What the buyer is told why it may not bid. Pure."""
    until = datetime.fromtimestamp(penalty.suspended_until_us // 1_000_000, UTC)
    day = until.astimezone(ZoneInfo(row.zone)).date()
    if not owed_minor:
        return f"Invoice {row.number} was not paid. You can bid again from {day} on."
    fee = amount_text(owed_minor, row.invoice.currency)
    return (
        f"Invoice {row.number} was not paid. You can bid again from {day} on, once {fee} for"
        " offering its lots again are paid."
    )


def defaulted(
    held: Held,
    void: Sequence[AwardRow],
    penalty: Penalty,
    paid_minor: int,
    charge: Charge | None,
    turn: int,
) -> Step:
    """What follows from lots that were not paid. Pure.

    ``paid_minor``: of ``charge``, from the buyer's credit. ``turn``: of the invoice's defaults.
    """
    row = held.invoiced
    invoice_id, currency = row.invoice_id, row.invoice.currency
    fees_minor = sum(penalty.relist_fees_minor)
    facts: dict[str, Any] = {
        "lots": len(void),
        "currency": currency,
        "deposit_minor": penalty.deposit_minor,
        "relist_fees_minor": fees_minor,
        "owed_minor": fees_minor - paid_minor,
        "suspended_until_us": penalty.suspended_until_us,
    }
    operations = [
        Wanted(operation="suspend", subject=invoice_id, generation=turn),
        Wanted(
            operation="reinstate",
            subject=invoice_id,
            generation=turn,
            due_at_us=penalty.suspended_until_us,
        ),
        mail_to(
            Kind.DEFAULTED,
            invoice_id,
            row.invoice.buyer_id,
            turn=turn,
            number=row.number,
            zone=row.zone,
            **facts,
        ),
    ]
    if charge is not None and paid_minor < fees_minor:
        operations.append(Wanted(operation=COLLECT_FEE, subject=charge.charge_id))
    for award in void:
        operations.append(Wanted(operation="free", subject=award.award_id))
        operations.append(Wanted(operation="next_buyer", subject=award.award_id))
        operations.append(_tell_seller(award))
    return Step(
        operations=operations,
        story=[
            Told(kind="penalised", invoice_id=invoice_id, facts=facts),
            *(Told(kind="looks_for_buyer", award_id=award.award_id) for award in void),
        ],
    )


def _tell_seller(award: AwardRow) -> Wanted:
    return mail_to(
        Kind.NOT_PAID,
        award.award_id,
        award.liquidator_id,
        lot=award.lot_id,
        title=award.goods.title,
        hammer_minor=award.award.hammer_minor,
        currency=award.currency,
    )
