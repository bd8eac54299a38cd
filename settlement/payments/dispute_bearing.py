"""What no lot can bear of a dispute, and what came back too much: a person says whose it is.

The payer's bank has moved the money already, so it is booked, and pending until somebody says what
it was. The buyer bears no more than its credit: of a deposit, what is still there of it. What is
left then the house bears; of a deposit that was kept, it was never earned.
"""

from typing import Final

from msgspec import Struct, structs

from accounts.audit import Act, Actor, record
from auction.ids import BidderId
from foundation.database import AnyConnection
from settlement.chart import BAD_DEBT, FORFEITS, Account, buyer_credit, signed_minor
from settlement.entries import About
from settlement.ledger import balances
from settlement.payments.decisions_dispute import state_of
from settlement.payments.decisions_loss import ended
from settlement.payments.dispute_words import ENDED, Bearer, DisputeRow
from settlement.payments.handlers_dispute import (
    DisputeRefusal,
    DisputeRefused,
    alone_with,
    dispute_row,
    write_dispute,
)
from settlement.payments.tables import (
    Payers,
    carry_out,
    facts_of,
    free_credit_minor,
    hold_credit,
)
from settlement.payments.words import Decided
from settlement.postings import dispute_settled
from settlement.rows import Held, hold_invoice
from settlement.steps import Step, write
from settlement.story import Told

_READ: Final = "select * from payment_dispute where dispute_id = $1"
_HOLD: Final = f"{_READ} for update"
_FORFEITED: Final = """
select forfeited_minor > 0 from deposit where 'deposit~' || sale_id || '~' || buyer_id = $1
"""


class _Share(Struct, frozen=True):
    """Who bears how much; below 0: gets."""

    account: Account
    amount_minor: int


async def bear(
    connection: AnyConnection,
    payers: Payers,
    dispute_id: str,
    bearer: Bearer,
    actor: Actor,
    now_us: int,
    *,
    version: int,
) -> None:
    """Somebody bears what is pending of a dispute that the bank has decided, as far as it can, or
    gets what came back too much.

    Raises `DisputeRefused` NOT_FOUND, CHANGED_MEANWHILE, NOTHING_TO_BEAR, NO_CREDIT.
    """
    await alone_with(connection, dispute_id)
    seen = await connection.fetchrow(_READ, dispute_id)
    if seen is None:
        raise DisputeRefused(DisputeRefusal.NOT_FOUND, field="dispute_id")
    held = Held(None, {})
    if seen["invoice_id"] is not None:
        held = await hold_invoice(connection, seen["invoice_id"])
    kept = await connection.fetchrow(_HOLD, dispute_id)
    assert kept is not None, "disputes are never removed"
    if kept["version"] != version:
        raise DisputeRefused(DisputeRefusal.CHANGED_MEANWHILE, field="version")
    row = dispute_row(kept)
    if not row.waits_for_bearer:
        raise DisputeRefused(DisputeRefusal.NOTHING_TO_BEAR, field="dispute_id")
    share = await _share(connection, row, bearer)
    await _write(connection, payers, held, row, share, bearer, actor, now_us, version)
    await record(
        connection,
        Act.DISPUTE_BORNE,
        actor,
        now_us,
        object_id=dispute_id,
        bearer=bearer,
        amount_minor=share.amount_minor,
    )


async def _share(connection: AnyConnection, row: DisputeRow, bearer: Bearer) -> _Share:
    pending_minor = row.unsettled_minor
    if bearer is Bearer.HOUSE:
        was_kept = row.deposit and await connection.fetchval(_FORFEITED, row.deposit)
        return _Share(FORFEITS if was_kept else BAD_DEBT, pending_minor)
    if row.buyer_id is None:
        raise DisputeRefused(DisputeRefusal.NO_CREDIT, field="bearer")
    if pending_minor < 0:
        return _Share(buyer_credit(row.buyer_id), pending_minor)
    if row.deposit is not None:
        purse = buyer_credit(BidderId(row.deposit))
        booked = (await balances(connection, [purse], row.currency))[purse]
        free_minor = signed_minor(purse, booked.debits_minor, booked.credits_minor)
    else:
        purse = buyer_credit(row.buyer_id)
        await hold_credit(connection, row.buyer_id, row.currency)
        free_minor = await free_credit_minor(
            connection, row.buyer_id, row.currency, of_dispute=row.dispute_id
        )
    if free_minor <= 0:
        raise DisputeRefused(DisputeRefusal.NO_CREDIT, field="bearer")
    return _Share(purse, min(pending_minor, free_minor))


async def _write(
    connection: AnyConnection,
    payers: Payers,
    held: Held,
    row: DisputeRow,
    share: _Share,
    bearer: Bearer,
    actor: Actor,
    now_us: int,
    version: int,
) -> None:
    after = structs.replace(row, borne_minor=row.borne_minor + share.amount_minor)
    if not after.unsettled_minor:
        after = structs.replace(after, state=state_of(after))
    ends = after.state in ENDED and row.state not in ENDED
    after = structs.replace(after, ended_at_us=now_us if ends else row.ended_at_us)
    await write_dispute(connection, after)
    told = Told(
        kind="dispute_borne",
        invoice_id=row.invoice_id,
        actor=actor.person_id or "staff",
        facts={"amount_minor": share.amount_minor, "currency": row.currency, "bearer": bearer},
    )
    about = About(
        subject=row.dispute_id,
        generation=version,
        at_us=now_us,
        currency=row.currency,
        invoice_id=row.invoice_id,
        buyer_id=row.buyer_id,
        stripe_ids=(row.dispute_id, row.charge_id),
    )
    step = Step(entries=[dispute_settled(about, share.account, share.amount_minor)])
    if held.invoice is None:
        await write(connection, held, step, now_us)
        return
    step += Step(story=[told])
    if ends:
        step += ended(held, await facts_of(connection, held, payers), after)
    await carry_out(connection, held, Decided(steps=[step]), now_us)
