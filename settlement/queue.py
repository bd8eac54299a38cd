"""What waits for a person of settlement, the oldest deadline first.

Each kind is a query of its own over an index, so that the page stays quick however much was settled
before. A kind whose tables belong to another part brings its query along (`Source`).
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

import asyncpg
from msgspec import Struct

from accounts.audit import Act, Actor, record
from auction.ids import BidderId
from foundation.database import Pool, acquire, transaction
from settlement.names import organisation_names
from settlement.operations import HOUR_US, PAUSE_MOST_US, SECOND_US, release

# Of each kind on the page; what comes after waits behind these anyway.
SHOWN: Final = 200
# An operation that came so often, and every two minutes at least, is not getting anywhere.
OFTEN: Final = 60
OFTEN_EVERY_US: Final = 120 * SECOND_US
AGAIN: Final = "It comes again and again, and nothing follows from it."
LATE: Final = "Its time has passed, and it is not done."


class Waiting(StrEnum):
    """What kind of thing it is that waits."""

    HELD = "HELD"
    STUCK = "STUCK"
    OVERDUE = "OVERDUE"
    CLAIM = "CLAIM"
    DISPUTE = "DISPUTE"
    EXCEPTION = "EXCEPTION"
    WIRE = "WIRE"
    BANK_FILE = "BANK_FILE"
    CONSENT = "CONSENT"
    ADJUSTMENT = "ADJUSTMENT"
    FEE = "FEE"
    DEPOSIT = "DEPOSIT"
    SMALL = "SMALL"
    CREDIT = "CREDIT"
    ABANDONED = "ABANDONED"


MEANINGS: Final[Mapping[Waiting, str]] = {
    Waiting.HELD: "Needs a person",
    Waiting.STUCK: "No answer for an hour",
    Waiting.OVERDUE: "Invoice overdue",
    Waiting.CLAIM: "Claim to decide",
    Waiting.DISPUTE: "Dispute to answer",
    Waiting.EXCEPTION: "Books and Stripe differ",
    Waiting.WIRE: "Money of an unknown sender",
    Waiting.BANK_FILE: "Bank file to release",
    Waiting.CONSENT: "Seller is asked",
    Waiting.ADJUSTMENT: "Adjustment to approve",
    Waiting.FEE: "Fee owed after a default",
    Waiting.DEPOSIT: "Deposit to decide",
    Waiting.SMALL: "Too little to be taken in",
    Waiting.CREDIT: "Credit to pay back",
    Waiting.ABANDONED: "Goods nobody fetched",
}


class QueueItem(Struct, frozen=True, kw_only=True):
    """One thing that waits. ``subject``: an award, an invoice or what the kind has.

    ``deadline_at_us``: until when somebody should have looked; in the past it is late. ``words``:
    why it waits. ``op_id``: of an operation that can be tried again.
    """

    kind: Waiting
    subject: str
    words: str
    deadline_at_us: int
    title: str = ""
    party: str = ""
    amount_minor: int | None = None
    currency: str | None = None
    href: str = ""
    op_id: int | None = None


class QueuePage(Struct, frozen=True, kw_only=True):
    """What waits, and how much of each kind there is."""

    items: Sequence[QueueItem]
    counts: Mapping[Waiting, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class Source(Struct, frozen=True, kw_only=True):
    """A kind's query: ``$1`` is the time now, ``$2`` how many; the columns are those of an item.

    ``count``: its own count query; it takes the time. ``item_of``: an item of a row.
    """

    kind: Waiting
    items: str
    count: str
    item_of: Callable[[asyncpg.Record], QueueItem]


def _of_operation(kind: Waiting) -> Callable[[asyncpg.Record], QueueItem]:
    def item(row: asyncpg.Record) -> QueueItem:
        return QueueItem(
            kind=kind,
            subject=row["subject"],
            title=row["operation"].replace("_", " "),
            words=row["note"] or (AGAIN if row["claims"] >= OFTEN else LATE),
            deadline_at_us=row["due_at_us"],
            href=f"/settlement/find/{row['subject']}",
            op_id=row["op_id"] if kind is Waiting.HELD else None,
        )

    return item


def _of_invoice(row: asyncpg.Record) -> QueueItem:
    return QueueItem(
        kind=Waiting.OVERDUE,
        subject=row["invoice_id"],
        title=f"Invoice {row['number']}",
        words="It is not paid, and its time has passed.",
        deadline_at_us=row["due_at_us"],
        party=row["buyer_id"],
        amount_minor=max(0, row["total_minor"] - row["credited_minor"] - row["paid_minor"]),
        currency=row["currency"],
        href=f"/settlement/invoices/{row['invoice_id']}",
    )


_HELD: Final = "from settlement_op where state = 'HELD'"
# What is meant to come again for ever: by `webhook_inbox`, `payments.sweep` and `reconciliation`.
_RHYTHMS: Final = "('missed_events', 'sweep_payments', 'take_transactions', 'reconcile')"
# What waits for a later day is beyond the longest pause, so the index ends the scan there. What
# asks to come again soon has a first attempt each time: only how often it came tells of it.
_STUCK: Final = f"""
from settlement_op where state = 'WAITING' and due_at_us < $1::bigint + {PAUSE_MOST_US}
and (coalesce(first_sent_at_us, due_at_us) < $1::bigint - {HOUR_US}
    or claims >= {OFTEN} and made_at_us < $1::bigint - {HOUR_US}
    and claims * {OFTEN_EVERY_US}::bigint > $1::bigint - made_at_us
    and operation not in {_RHYTHMS})
"""
_OVERDUE: Final = """
from invoice where payment not in ('PAID', 'DEFAULTED', 'REFUNDED') and payment = 'OVERDUE'
and due_at_us < $1::bigint
"""
_NOW: Final = "$1::bigint is not null"

OWN_SOURCES: Final = (
    Source(
        kind=Waiting.HELD,
        items="select op_id, operation, subject, note, due_at_us, claims "
        f"{_HELD} and {_NOW} order by due_at_us limit $2",
        count=f"select count(*) {_HELD} and {_NOW}",
        item_of=_of_operation(Waiting.HELD),
    ),
    Source(
        kind=Waiting.STUCK,
        items=f"select op_id, operation, subject, note, due_at_us, claims {_STUCK} "
        "order by due_at_us limit $2",
        count=f"select count(*) {_STUCK}",
        item_of=_of_operation(Waiting.STUCK),
    ),
    Source(
        kind=Waiting.OVERDUE,
        items="select invoice_id, number, buyer_id, total_minor, credited_minor, paid_minor, "
        f"currency, due_at_us {_OVERDUE} order by due_at_us limit $2",
        count=f"select count(*) {_OVERDUE}",
        item_of=_of_invoice,
    ),
)


class Queue:
    """Reads what waits, and has a held operation tried again."""

    def __init__(
        self,
        pool: Pool,
        now_us: Callable[[], int],
        ring: Callable[[], None] = lambda: None,
        more: Sequence[Source] = (),
    ) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring
        self._sources = (*OWN_SOURCES, *more)

    async def page(self, kind: Waiting | None = None, limit: int = SHOWN) -> QueuePage:
        """What waits, of one kind or of all, the oldest deadline first; counts of all kinds."""
        now_us = self._now_us()
        found: list[QueueItem] = []
        counts: dict[Waiting, int] = {}
        async with acquire(self._pool) as connection:
            for source in self._sources:
                counts[source.kind] = await connection.fetchval(source.count, now_us)
                if kind in (None, source.kind) and counts[source.kind]:
                    rows = await connection.fetch(source.items, now_us, limit)
                    found += map(source.item_of, rows)
            names = await organisation_names(connection, (item.party for item in found))
        found.sort(key=lambda item: (item.deadline_at_us, item.subject))
        return QueuePage(
            items=[_named(item, names) for item in found[:limit]],
            counts={each: count for each, count in counts.items() if count},
        )

    async def try_again(self, actor: Actor, op_id: int) -> bool:
        """A person has mended what was wrong; ``False``: nothing of that number is held."""
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            if not await release(connection, op_id, now_us):
                return False
            await record(connection, Act.OPERATION_TRIED_AGAIN, actor, now_us, object_id=str(op_id))
        self._ring()
        return True


def _named(item: QueueItem, names: Mapping[str, str]) -> QueueItem:
    if not item.party:
        return item
    fields = {name: getattr(item, name) for name in QueueItem.__struct_fields__}
    return QueueItem(**(fields | {"party": names.get(BidderId(item.party), item.party)}))
