"""What of the books waits for a person, in the queue of settlement."""

from typing import Any, Final

from settlement.operations import HOUR_US
from settlement.queue import QueueItem, Source, Waiting

# Until when somebody should have looked: the next working day's end, roughly.
WITHIN_US: Final = 24 * HOUR_US

_OPEN: Final = "from reconciliation_exception where resolved_at_us is null"
_UNKNOWN: Final = "from wire where state = 'UNKNOWN'"
_PROPOSED: Final = "from ledger_adjustment where state = 'PROPOSED'"
_NOW: Final = "$1::bigint is not null"


def _exception(row: Any) -> QueueItem:
    return QueueItem(
        kind=Waiting.EXCEPTION,
        subject=row["subject"],
        title=row["kind"].replace("_", " ").capitalize(),
        words=row["note"],
        deadline_at_us=row["since_us"] + WITHIN_US,
        amount_minor=abs(row["booked_minor"] - row["stripe_minor"]),
        currency=row["currency"],
        href=f"/settlement/exceptions/{row['exception_id']}",
    )


def _wire(row: Any) -> QueueItem:
    return QueueItem(
        kind=Waiting.WIRE,
        subject=row["bank_id"],
        title=row["sender"],
        words=row["reference"],
        deadline_at_us=row["entered_at_us"] + WITHIN_US,
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        href=f"/settlement/wires/{row['wire_id']}",
    )


def _adjustment(row: Any) -> QueueItem:
    return QueueItem(
        kind=Waiting.ADJUSTMENT,
        subject=str(row["adjustment_id"]),
        title=f"{row['debit']} to {row['credit']}",
        words=row["note"],
        deadline_at_us=row["proposed_at_us"] + WITHIN_US,
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        href=f"/settlement/adjustments/{row['adjustment_id']}",
    )


SOURCES: Final = (
    Source(
        kind=Waiting.EXCEPTION,
        items=f"select * {_OPEN} and {_NOW} order by since_us, exception_id limit $2",
        count=f"select count(*) {_OPEN} and {_NOW}",
        item_of=_exception,
    ),
    Source(
        kind=Waiting.WIRE,
        items=f"select * {_UNKNOWN} and {_NOW} order by entered_at_us, wire_id limit $2",
        count=f"select count(*) {_UNKNOWN} and {_NOW}",
        item_of=_wire,
    ),
    Source(
        kind=Waiting.ADJUSTMENT,
        items=f"select * {_PROPOSED} and {_NOW} order by adjustment_id limit $2",
        count=f"select count(*) {_PROPOSED} and {_NOW}",
        item_of=_adjustment,
    ),
)
