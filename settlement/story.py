"""What happened to an invoice or an award, told for people: the lines of its time line."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from foundation.database import AnyConnection
from settlement.ids import AwardId, InvoiceId

# Who acts where no person did.
HOUSE_ITSELF: Final = "softclose"
# An award's life is some dozens of lines; whoever disputes for a year stays below this.
MAX_LINES: Final = 1_000

_WRITE: Final = """
insert into story_line (invoice_id, award_id, kind, at_us, actor, facts)
select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::jsonb[])
"""

_READ: Final = """
select invoice_id, award_id, kind, at_us, actor, facts from story_line
where invoice_id = $1 or award_id = any($2) order by at_us, story_id limit $3
"""


class Told(Struct, frozen=True, kw_only=True):
    """A line. ``facts``: amounts, ids and words that the page shows; JSON values only.

    A line without ``award_id`` is of the whole invoice. ``at_us``: when it happened; None: now.
    """

    kind: str
    invoice_id: InvoiceId | None = None
    award_id: AwardId | None = None
    at_us: int | None = None
    actor: str = HOUSE_ITSELF
    facts: Mapping[str, Any] = {}


async def tell(connection: AnyConnection, lines: Sequence[Told], now_us: int) -> None:
    """Write these lines, in the caller's transaction."""
    if lines:
        await connection.execute(
            _WRITE,
            [line.invoice_id for line in lines],
            [line.award_id for line in lines],
            [line.kind for line in lines],
            [now_us if line.at_us is None else line.at_us for line in lines],
            [line.actor for line in lines],
            [msgspec.json.encode(line.facts).decode() for line in lines],
        )


async def story_of(
    connection: AnyConnection, invoice_id: InvoiceId | None, award_ids: Sequence[AwardId]
) -> list[Told]:
    """The lines of an invoice and of these awards, the earliest first."""
    rows = await connection.fetch(_READ, invoice_id, list(award_ids), MAX_LINES)
    return [
        Told(
            kind=row["kind"],
            invoice_id=row["invoice_id"],
            award_id=row["award_id"],
            at_us=row["at_us"],
            actor=row["actor"],
            facts=msgspec.json.decode(row["facts"]),
        )
        for row in rows
    ]
