"""Which bidders are the same business as somebody who did not pay, under another name.

A business that defaults must not get the lot at a lower price through a second account. Two
resellers are one business where both gave the same legal name, telephone number or resale
certificate. An address is not enough: many businesses share a building. Letters and digits count,
how they were typed does not.
"""

from collections.abc import Collection
from typing import Final

from auction.ids import BidderId
from foundation.database import AnyConnection

_NAME: Final = r"regexp_replace(lower({}.legal_name), '[^[:alnum:]]', '', 'g')"
_PHONE: Final = r"right(regexp_replace({}.phone, '[^0-9]', '', 'g'), 10)"
_NUMBER: Final = r"regexp_replace(lower({}.number), '[^[:alnum:]]', '', 'g')"


def _same(shape: str) -> str:
    return f"{shape.format('a')} = {shape.format('b')} and {shape.format('a')} <> ''"


_SAME: Final = f"""
select b.organisation_id from approval a join approval b
    on ({_same(_NAME)}) or ({_same(_PHONE)})
where a.organisation_id = any($1) and b.organisation_id = any($2)
union
select b.organisation_id from resale_certificate a join resale_certificate b
    on a.region = b.region and {_same(_NUMBER)}
where a.organisation_id = any($1) and b.organisation_id = any($2)
"""  # noqa: S608 - the shapes above


async def same_business(
    connection: AnyConnection, of: Collection[BidderId], among: Collection[BidderId]
) -> set[BidderId]:
    """Which of ``among`` are one business with any of ``of``."""
    rows = await connection.fetch(_SAME, list(of), list(among))
    return {BidderId(row[0]) for row in rows}
