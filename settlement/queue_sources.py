"""What of disputes, bank files and questions to sellers waits for a person, for the queue."""

from typing import Any, Final

from settlement.operations import HOUR_US
from settlement.payments.handlers_dispute import dispute_row
from settlement.queue import QueueItem, Source, Waiting

DAY_US: Final = 24 * HOUR_US
# Until when a bank file should be released.
FILE_US: Final = DAY_US
# For so long a transfer of very little may wait for the buyer's next one.
SMALL_US: Final = 30 * DAY_US

# To be answered; or decided, and nobody bears yet what no lot could.
_DISPUTES: Final = """
from payment_dispute where (
    ended_at_us is null and answers = 0 and status not in ('won', 'warning_closed', 'prevented')
    or taken_minor <> given_minor + borne_minor
        and status in ('won', 'lost', 'warning_closed', 'prevented')
)
"""
_FILES: Final = "from payout_batch where state = 'MADE'"
_CONSENTS: Final = "from seller_consent where consents is null"
_SMALL: Final = (
    f"from cash_arrival where state = 'SMALL' and arrived_at_us < $1::bigint - {SMALL_US}"
)
_NOW: Final = "$1::bigint is not null"


def _dispute(row: Any) -> QueueItem:
    words = "The buyer's bank wants the money back: send the evidence, or let it go."
    deadline_us = row["answer_by_us"] or row["opened_at_us"] + 7 * DAY_US
    amount_minor = row["amount_minor"]
    its = dispute_row(row)
    if its.waits_for_bearer:
        words = "No lot bears this of a dispute that is decided: say who does."
        deadline_us = (row["ended_at_us"] or row["opened_at_us"]) + 7 * DAY_US
        amount_minor = its.unsettled_minor
    if its.unsettled_minor < 0 and its.waits_for_bearer:
        words = "More came back of a dispute than was to come: say whose it is."
        amount_minor = -its.unsettled_minor
    return QueueItem(
        kind=Waiting.DISPUTE,
        subject=row["dispute_id"],
        title=row["reason"].replace("_", " "),
        words=words,
        deadline_at_us=deadline_us,
        amount_minor=amount_minor,
        currency=row["currency"],
        href=f"/settlement/disputes/{row['dispute_id']}",
    )


def _file(row: Any) -> QueueItem:
    return QueueItem(
        kind=Waiting.BANK_FILE,
        subject=str(row["batch_id"]),
        title=f"Bank file {row['batch_id']}",
        words="Another person than who made it releases it.",
        deadline_at_us=row["made_at_us"] + FILE_US,
        href=f"/settlement/payouts/files/{row['batch_id']}",
    )


def _small(row: Any) -> QueueItem:
    return QueueItem(
        kind=Waiting.SMALL,
        subject=row["movement_id"],
        title="A transfer of very little",
        words="It lies in the buyer's balance at the provider, less than one payment is at least."
        " The buyer's next transfer takes it along; else send it back there.",
        deadline_at_us=row["arrived_at_us"] + SMALL_US,
        party=row["buyer_id"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
    )


def _consent(row: Any) -> QueueItem:
    return QueueItem(
        kind=Waiting.CONSENT,
        subject=row["award_id"],
        title="May the next bidder have it",
        words="The seller is asked; without an answer the lot is its own again.",
        deadline_at_us=row["until_us"],
        href=f"/settlement/awards/{row['award_id']}",
    )


PART_SOURCES: Final = (
    Source(
        kind=Waiting.DISPUTE,
        items=f"select * {_DISPUTES} and {_NOW} order by answer_by_us limit $2",
        count=f"select count(*) {_DISPUTES} and {_NOW}",
        item_of=_dispute,
    ),
    Source(
        kind=Waiting.BANK_FILE,
        items=f"select * {_FILES} and {_NOW} order by made_at_us limit $2",
        count=f"select count(*) {_FILES} and {_NOW}",
        item_of=_file,
    ),
    Source(
        kind=Waiting.CONSENT,
        items=f"select * {_CONSENTS} and {_NOW} order by until_us limit $2",
        count=f"select count(*) {_CONSENTS} and {_NOW}",
        item_of=_consent,
    ),
    Source(
        kind=Waiting.SMALL,
        items=f"select * {_SMALL} order by arrived_at_us limit $2",
        count=f"select count(*) {_SMALL}",
        item_of=_small,
    ),
)
