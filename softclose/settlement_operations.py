"""What settlement's worker does in the host: the handlers of all parts put together.

A part that brings operations adds its handlers to `handlers_of`. An operation of a kind that nobody
handles waits in the table until somebody does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from accounts.room import Room
from auction.ports import Engine, EventLog
from bidder_gateway.deposits import count_held, recorded_by_hand
from bidder_gateway.registration_rows import owes_no_more
from foundation.database import Pool
from foundation.mail import Mailer
from settlement.after_default.room import after_default_operations
from settlement.awarding import AwardHandler, InvoiceHandler
from settlement.buyer_operations import buyer_operations
from settlement.buyers import Buyers
from settlement.claiming.refunding import claim_handlers
from settlement.deposit_operations import deposit_operations, deposit_readers
from settlement.deposits import Deposits
from settlement.first_collecting import BEGIN, BeginHandler
from settlement.operations import Handler
from settlement.payments import sweep
from settlement.payments.payers import TablePayers
from settlement.payments.readers import readers_of
from settlement.payments.room import payment_operations
from settlement.payouts.credit_refunds import credit_handlers, credit_readers
from settlement.payouts.handlers import payout_handlers, payout_readers
from settlement.pickups.charge_cards import charge_handlers, charge_readers
from settlement.pickups.deadlines import pickup_handlers
from settlement.ports import PaymentProvider
from settlement.reconciliation import intake, reconcile
from settlement.saved_methods import buyer_readers
from settlement.steps import Wanted
from settlement.telling import MailHandler
from settlement.telling_engine import FreeHandler, FundHandler
from settlement.webhook_inbox import SWEEP, MissedEvents, Reader, WebhookHandler

# Wanted once by whoever starts a worker: each comes again by itself.
STANDING: tuple[Wanted, ...] = (sweep.SWEEP, SWEEP, intake.WANTED, reconcile.WANTED)


@dataclass(frozen=True)
class Means:
    """What the handlers work with. ``now_us``: engine time, by which sales close."""

    pool: Pool
    log: EventLog
    engine: Engine
    mailer: Mailer
    public_url: str
    accounts: Room
    now_us: Callable[[], int]
    provider: PaymentProvider
    ring: Callable[[], None] = lambda: None


def handlers_of(means: Means) -> dict[str, Handler]:
    """How each kind of operation is done."""
    pool, provider, now_us = means.pool, means.provider, means.now_us
    deposits = Deposits(pool, provider, now_us, count_held, means.ring)
    buyers = Buyers(pool, provider, now_us, ring=means.ring)
    payers = TablePayers()
    parts: Sequence[Mapping[str, Handler]] = (
        {
            "award": AwardHandler(pool, means.log),
            "invoice": InvoiceHandler(),
            BEGIN: BeginHandler(pool, buyers.ensure_customer),
            "mail": MailHandler(pool, means.mailer, means.public_url),
            "fund": FundHandler(pool, means.engine),
            "free": FreeHandler(owes_no_more),
            "webhook": WebhookHandler(pool, provider, _readers(payers, deposits)),
            "missed_events": MissedEvents(pool, provider, now_us),
            intake.TAKE_IN: intake.TakingIn(pool, provider),
            reconcile.RECONCILE: reconcile.Reconciling(),
        },
        after_default_operations(
            pool, means.log, means.accounts, deposits.forfeit, recorded_by_hand
        ),
        buyer_operations(buyers, provider),
        deposit_operations(deposits, provider, pool),
        payment_operations(provider, payers, lambda subject: _page(means.public_url, subject)),
        payout_handlers(pool, provider, means.mailer, means.public_url, now_us),
        pickup_handlers(),
        charge_handlers(provider),
        credit_handlers(provider),
        claim_handlers(),
    )
    every: dict[str, Handler] = {}
    for part in parts:
        assert not every.keys() & part.keys(), "an operation is one part's"
        every |= part
    return every


def _readers(payers: TablePayers, deposits: Deposits) -> Mapping[str, Sequence[Reader]]:
    """Who reads the provider's objects again, by their kind; some are of two parts."""
    every: dict[str, list[Any]] = {}
    for part in (
        readers_of(payers),
        deposit_readers(deposits),
        buyer_readers(),
        charge_readers(),
        credit_readers(),
    ):
        for kind, readers in part.items():
            every.setdefault(kind, []).extend(readers)
    for kind, reader in payout_readers().items():
        every.setdefault(kind, []).append(reader)
    return every


def _page(public_url: str, invoice_id: str) -> str:
    """Where a buyer comes back to from its bank."""
    return f"{public_url}/purchases/{quote(invoice_id, safe='~')}"
