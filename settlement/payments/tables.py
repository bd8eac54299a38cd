"""The tables of payments: tries, charges, what is kept and credited; and decisions written.

Locks are taken in one order by all: the invoice with its awards (`rows.hold_invoice`), then its
buyer's credit, then the ledger's accounts, by the writing of the last step.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import asyncpg
from msgspec import structs

from auction.ids import BidderId
from foundation.database import AnyConnection
from settlement.chart import buyer_credit, sales_tax, signed_minor
from settlement.entries import AwardMoney
from settlement.ids import AwardId, InvoiceId, StripeId, TaxPlace
from settlement.ledger import balances
from settlement.lives import PaymentState
from settlement.payment_objects import IntentStatus
from settlement.payments.words import ChargeRow, Credited, Decided, Facts, Payer, Try, TryState, Way
from settlement.rows import Held, policy_of
from settlement.steps import Step, after, write

_LOCK_CREDIT: Final = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
_TRIES: Final = "select * from payment_try where invoice_id = $1 order by number"
_TRY_OF: Final = "select * from payment_try where payment_id = $1"
_CREDITS: Final = "select * from award_credit where invoice_id = $1 order by award_id, number"
# Of a buyer's credit: what is kept for invoices, and what a bank has taken back of money that no
# lot got, until somebody bears it.
_KEPT: Final = """
select coalesce(sum(amount_minor), 0)::bigint + (
    select coalesce(sum(taken_minor - given_minor - borne_minor), 0)::bigint
    from payment_dispute d join payment_charge c using (charge_id)
    where d.buyer_id = $1 and d.currency = $2 and (d.invoice_id is null or d.state = 'LOST')
        and taken_minor <> given_minor + borne_minor
        and taken_minor > given_minor + borne_minor and dispute_id is distinct from $3
)
from payment_earmark where buyer_id = $1 and currency = $2
"""
# What is said and kept of one invoice, and of its buyer's other ones: one journey.
_SAID: Final = """
select (select award_ids from payment_named where invoice_id = $3) as named,
    s.until_us as asked_until_us, e.own, e.every + e.disputed as every
from (
    select coalesce(sum(amount_minor) filter (where invoice_id = $3), 0)::bigint as own,
        coalesce(sum(amount_minor), 0)::bigint as every, (
            select coalesce(sum(taken_minor - given_minor - borne_minor), 0)::bigint
            from payment_dispute d join payment_charge c using (charge_id)
            where d.buyer_id = $1 and d.currency = $2
                and (d.invoice_id is null or d.state = 'LOST')
                and taken_minor <> given_minor + borne_minor
                and taken_minor > given_minor + borne_minor
        ) as disputed
    from payment_earmark where buyer_id = $1 and currency = $2
) as e left join seller_confirmation s on s.invoice_id = $3 and s.confirmed_at_us is null
"""

_WRITE_TRY: Final = """
insert into payment_try (invoice_id, number, way, state, customer_id, method_id, amount_minor,
    currency, payment_id, status, promised_at_us, capture_before_us, failure_code, decline_code,
    failure_message, made_at_us, changed_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
on conflict (invoice_id, number) do update set state = excluded.state,
    payment_id = excluded.payment_id, status = excluded.status, method_id = excluded.method_id,
    promised_at_us = excluded.promised_at_us, capture_before_us = excluded.capture_before_us,
    failure_code = excluded.failure_code, decline_code = excluded.decline_code,
    failure_message = excluded.failure_message, changed_at_us = excluded.changed_at_us
"""
_WRITE_CHARGE: Final = """
insert into payment_charge (charge_id, payment_id, transaction_id, invoice_id, buyer_id,
    customer_id, way, currency, amount_minor, fee_minor, made_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_WRITE_EARMARK: Final = """
insert into payment_earmark (invoice_id, buyer_id, currency, amount_minor) values ($1, $2, $3, $4)
on conflict (invoice_id) do update set amount_minor = excluded.amount_minor
"""
_DROP_EARMARK: Final = "delete from payment_earmark where invoice_id = $1"
_BUMP: Final = "update invoice set version = version + 1 where invoice_id = $1"


class Payers(Protocol):
    """Where buyers stand at the payment provider."""

    async def payer(self, connection: AnyConnection, buyer_id: BidderId) -> Payer | None:
        """The buyer with what it saved; None: it never saved anything, and has no account there."""
        ...


async def facts_of(connection: AnyConnection, held: Held, payers: Payers) -> Facts:
    """What decisions about a held invoice look at; the buyer's credit is held from now on."""
    row = held.invoiced
    buyer_id, currency = row.invoice.buyer_id, row.invoice.currency
    await hold_credit(connection, buyer_id, currency)
    said = await connection.fetchrow(_SAID, buyer_id, currency, row.invoice_id)
    assert said is not None, "it has a sum"
    balance_minor = await _balance_minor(connection, buyer_id, currency)
    return Facts(
        policy=await policy_of(connection, row),
        tries=tuple(try_of(each) for each in await connection.fetch(_TRIES, row.invoice_id)),
        credited=tuple(await credits_of(connection, row.invoice_id, held)),
        # Whoever took what was kept has left less of it: what is not there cannot pay.
        earmarked_minor=min(said["own"], balance_minor),
        credit_minor=max(0, balance_minor - said["every"]),
        named=tuple(said["named"] or ()),
        payer=await payers.payer(connection, buyer_id),
        asked_until_us=said["asked_until_us"],
    )


async def carry_out(connection: AnyConnection, held: Held, decided: Decided, now_us: int) -> Held:
    """Write what was decided of what is held, as the last part of the caller's transaction.

    The entries of all steps are booked at the end, in one call: see `ledger.post`.
    """
    row = held.invoiced
    for tried in decided.tries:
        await _write_try(connection, tried)
    for charge in decided.charges:
        await write_charge(connection, charge)
    if decided.earmarked_minor:
        buyer_id, currency = row.invoice.buyer_id, row.invoice.currency
        await connection.execute(
            _WRITE_EARMARK, row.invoice_id, buyer_id, currency, decided.earmarked_minor
        )
    elif decided.earmarked_minor == 0:
        await connection.execute(_DROP_EARMARK, row.invoice_id)
    if decided.steps:
        # Operations and entries are named by the version: each writing has one of its own.
        await connection.execute(_BUMP, row.invoice_id)
    for step in _booked_at_the_end(decided.steps):
        await write(connection, held, step, now_us)
        held = after(held, step)
    if held.invoiced.open_disputes and held.invoiced.payment is PaymentState.PAID:
        # The rest of the money came during a dispute.
        step = Step(payments={row.invoice_id: PaymentState.DISPUTED})
        await write(connection, held, step, now_us)
        held = after(held, step)
    return held


def _booked_at_the_end(steps: Sequence[Step]) -> Iterator[Step]:
    """The same steps, the last of which books for all."""
    entries = [entry for step in steps for entry in step.entries]
    for place, step in enumerate(steps, start=1):
        yield structs.replace(step, entries=entries if place == len(steps) else ())


async def write_charge(connection: AnyConnection, charge: ChargeRow) -> None:
    """Keep money that came in, once."""
    taken = charge.taken
    await connection.execute(
        _WRITE_CHARGE, taken.charge_id, taken.payment_id, taken.transaction_id,
        charge.invoice_id, charge.buyer_id, taken.customer_id, taken.way, charge.currency,
        taken.amount_minor, taken.fee_minor, taken.made_at_us,
    )  # fmt: skip


async def hold_credit(connection: AnyConnection, buyer_id: BidderId, currency: str) -> None:
    """Nobody else decides about a buyer's credit until the caller's transaction ends."""
    await connection.execute(_LOCK_CREDIT, f"buyer_credit:{buyer_id}:{currency}")


async def free_credit_minor(
    connection: AnyConnection,
    buyer_id: BidderId,
    currency: str,
    *,
    of_dispute: str | None = None,
) -> int:
    """A buyer's credit that is kept for no invoice: what others may take, holding it.
    ``of_dispute``: what is kept for this one counts as free."""
    kept_minor: int = await connection.fetchval(_KEPT, buyer_id, currency, of_dispute)
    return max(0, await _balance_minor(connection, buyer_id, currency) - kept_minor)


async def credits_of(
    connection: AnyConnection, invoice_id: InvoiceId, held: Held
) -> list[Credited]:
    """What was credited of an invoice's lines."""
    places = {line.award_id: line.tax.tax_place for line in held.invoiced.invoice.lines}
    rows = await connection.fetch(_CREDITS, invoice_id)
    return [Credited(row["reason"], _money(row, places[row["award_id"]])) for row in rows]


def try_of(row: asyncpg.Record) -> Try:
    """The struct of a row of ``payment_try``."""
    fields = {name: row[name] for name in Try.__struct_fields__}
    status = row["status"]
    return Try(
        **fields
        | {
            "way": Way(row["way"]),
            "state": TryState(row["state"]),
            "status": IntentStatus(status) if status else None,
        }
    )


async def try_by_payment(connection: AnyConnection, payment_id: StripeId) -> Try | None:
    """Whose try a payment is."""
    row = await connection.fetchrow(_TRY_OF, payment_id)
    return None if row is None else try_of(row)


async def _balance_minor(connection: AnyConnection, buyer_id: BidderId, currency: str) -> int:
    account = buyer_credit(buyer_id)
    booked = (await balances(connection, [account], currency))[account]
    return signed_minor(account, booked.debits_minor, booked.credits_minor)


async def _write_try(connection: AnyConnection, tried: Try) -> None:
    await connection.execute(
        _WRITE_TRY, tried.invoice_id, tried.number, tried.way, tried.state, tried.customer_id,
        tried.method_id, tried.amount_minor, tried.currency, tried.payment_id, tried.status,
        tried.promised_at_us, tried.capture_before_us, tried.failure_code, tried.decline_code,
        tried.failure_message, tried.made_at_us, tried.changed_at_us,
    )  # fmt: skip


def _money(row: asyncpg.Record, place: TaxPlace) -> AwardMoney:
    return AwardMoney(
        award_id=AwardId(row["award_id"]),
        hammer_minor=row["hammer_minor"],
        premium_minor=row["premium_minor"],
        tax_minor=row["tax_minor"],
        freight_minor=row["freight_minor"],
        tax_place=sales_tax(place),
    )
