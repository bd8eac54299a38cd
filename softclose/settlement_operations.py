"""What settlement's worker does in the host: the handlers of all parts put together.

A part that brings operations adds its handlers to `handlers_of`. An operation of a kind that nobody
handles waits in the table until somebody does.
"""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.room import Room
from auction.ports import Engine, EventLog
from foundation.database import Pool
from foundation.mail import Mailer
from settlement.after_default.room import after_default_operations
from settlement.awarding import AwardHandler, InvoiceHandler
from settlement.claiming.refunding import claim_handlers
from settlement.operations import Handler
from settlement.pickups.deadlines import pickup_handlers
from settlement.telling import MailHandler
from settlement.telling_engine import FundHandler


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


def handlers_of(means: Means) -> dict[str, Handler]:
    """How each kind of operation is done."""
    return {
        "award": AwardHandler(means.pool, means.log),
        "invoice": InvoiceHandler(),
        "mail": MailHandler(means.pool, means.mailer, means.public_url),
        "fund": FundHandler(means.pool, means.engine),
        **after_default_operations(means.pool, means.log, means.accounts),
        **pickup_handlers(),
        **claim_handlers(),
    }
