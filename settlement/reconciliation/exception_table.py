"""The exceptions as the matcher keeps them: found, changed, and resolved when the books agree."""

from collections.abc import Mapping, Sequence
from typing import Final

from foundation.database import AnyConnection
from settlement.reconciliation.matching import Break
from settlement.story import HOUSE_ITSELF

AGREES: Final = "The books agree."


async def keep_breaks(
    connection: AnyConnection,
    subjects: Sequence[str],
    breaks: Sequence[Break],
    resolutions: Mapping[str, str],
    now_us: int,
) -> None:
    """Of all ``subjects`` that were looked at, these ``breaks`` are what is open."""
    rows = await connection.fetch(_OPEN, list(subjects))
    known = {row["subject"]: row for row in rows}
    broken = {one.subject: one for one in breaks}
    for subject, row in known.items():
        if subject not in broken:
            words = resolutions.get(subject, AGREES)
            await connection.execute(_RESOLVE, row["exception_id"], words, now_us)
            await note_act(connection, row["exception_id"], "RESOLVED", words, now_us)
    for subject, one in broken.items():
        facts = (
            one.kind.value,
            one.currency,
            list(one.transaction_ids),
            list(one.entry_keys),
            one.stripe_minor,
            one.booked_minor,
        )
        if subject not in known:
            found = await connection.fetchval(_FIND, subject, *facts, one.since_us, now_us)
            await note_act(connection, found, "FOUND", one.kind.value, now_us)
        elif tuple(known[subject][name] for name in _FACTS) != facts:
            await connection.execute(_CHANGE, known[subject]["exception_id"], *facts)
            exception_id = known[subject]["exception_id"]
            await note_act(connection, exception_id, "CHANGED", one.kind.value, now_us)


async def note_act(
    connection: AnyConnection,
    exception_id: int,
    act: str,
    words: str,
    now_us: int,
    actor: str = HOUSE_ITSELF,
) -> None:
    """A line of an exception's history."""
    await connection.execute(_ACT, exception_id, now_us, actor, act, words)


_FACTS: Final = (
    "kind",
    "currency",
    "transaction_ids",
    "entry_keys",
    "stripe_minor",
    "booked_minor",
)

_OPEN: Final = """
select * from reconciliation_exception
where resolved_at_us is null and subject = any($1::text[]) order by exception_id for update
"""

_FIND: Final = """
insert into reconciliation_exception (subject, kind, currency, transaction_ids, entry_keys,
    stripe_minor, booked_minor, since_us, found_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning exception_id
"""

_CHANGE: Final = """
update reconciliation_exception set kind = $2, currency = $3, transaction_ids = $4,
    entry_keys = $5, stripe_minor = $6, booked_minor = $7, facts = facts + 1, version = version + 1
where exception_id = $1
"""

_RESOLVE: Final = """
update reconciliation_exception set resolution = $2, resolved_at_us = $3, version = version + 1
where exception_id = $1
"""

_ACT: Final = """
insert into reconciliation_act (exception_id, number, at_us, actor, act, words)
select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5
from reconciliation_act where exception_id = $1
"""
