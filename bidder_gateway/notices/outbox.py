"""Envelopes: what waits to go out, who carries it now, and what became of it.

An envelope is one bundle to one address of one person. To claim it is to lease it: for
``LEASE_US`` nobody else takes it. Who dies while carrying leaves a lease that runs out, and the
envelope is carried again: what had gone out already arrives twice, nothing is lost. ``tries``
rises with each claim, so that a carrier that was asleep beyond its lease settles nothing.

What is put into an envelope while it is carried waits for the next time. `settle` locks the
envelope before it looks whether something waits, and `book` touches envelopes after their
deliveries: so whichever of the two comes second sees the other's.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg
import msgspec
from msgspec import Struct

from accounts.ids import PersonId
from bidder_gateway.notices.addressing import Notice, NoticeId
from bidder_gateway.notices.kinds import MINUTE_US, SECOND_US, Kind, Way
from bidder_gateway.notices.rules import Facts
from foundation.database import AnyConnection, Pool, acquire, transaction

# Above the longest time that a carrier takes (`lanes.CARRY_S`).
LEASE_US: Final = MINUTE_US
# A second, four, sixteen...: about six minutes in all.
MAX_TRIES: Final = 6
FIRST_PAUSE_US: Final = SECOND_US
PAUSE_FACTOR: Final = 4
# Notices in one mail; those before them are counted as sent, and stand in the list.
MAX_TOGETHER: Final = 200


class Envelope(Struct, frozen=True, kw_only=True):
    """A claimed envelope."""

    person_id: PersonId
    way: Way
    device: str
    bundle: str
    tries: int

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.person_id, self.way, self.device, self.bundle


class Waiting(Struct, frozen=True):
    """A notice in an envelope; ``seen``: its reader has read it in the list meanwhile."""

    notice: Notice
    seen: bool


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of an envelope's notices. What is in none of the three goes on waiting, until
    ``wait_until_us`` at least."""

    sent: Sequence[NoticeId] = ()
    dropped: Mapping[NoticeId, str] = {}
    failed: Mapping[NoticeId, str] = {}
    wait_until_us: int = 0


_CLAIM = """
update notice_envelope set not_before_us = $3::bigint + $5, tries = tries + 1
where (person_id, way, device, bundle) in (
    select person_id, way, device, bundle from notice_envelope
    where way = $1 and urgent = $2 and due_at_us <= $3 and not_before_us <= $3
    order by due_at_us limit $4 for update skip locked
)
returning person_id, way, device, bundle, tries
"""

_CONTENTS = """
select notice_id, notice.person_id, bidder_id, kind, sale_id, lot_id, topic, at_us,
    facts::text as facts, read_at_us is not null as seen
from notice_delivery join notice using (notice_id)
where notice_delivery.person_id = $1 and way = $2 and device = $3 and bundle = $4
    and state = 'WAITING'
order by at_us desc, notice_id desc
"""

_HOLD = """
select tries, gap_us from notice_envelope
where person_id = $1 and way = $2 and device = $3 and bundle = $4 for update
"""

_SETTLE = """
update notice_delivery set state = $4, reason = outcome.reason, settled_at_us = $5
from unnest($1::text[], $6::text[]) as outcome (notice_id, reason)
where notice_delivery.notice_id = outcome.notice_id and way = $2 and device = $3
    and state = 'WAITING'
"""

# An envelope with nothing in it is due never, until `book` puts something into it.
_CLOSE = """
update notice_envelope set tries = 0, not_before_us = 0,
    sent_at_us = case when $6 then $5::bigint else sent_at_us end,
    due_at_us = case when exists (
        select from notice_delivery
        where person_id = $1 and way = $2 and device = $3 and bundle = $4 and state = 'WAITING'
    ) then $7::bigint end
where person_id = $1 and way = $2 and device = $3 and bundle = $4
"""

_PAUSE = """
update notice_envelope set not_before_us = $6
where person_id = $1 and way = $2 and device = $3 and bundle = $4 and tries = $5
"""

_GONE = (
    "delete from push_subscription where subscription_id = $1",
    "delete from notice_envelope where device = $1 and way = 'PUSH' and person_id = $2",
    "update notice_delivery set state = 'DROPPED', reason = 'GONE', settled_at_us = $3 "
    "where device = $1 and way = 'PUSH' and person_id = $2 and state = 'WAITING'",
)


async def claim(
    pool: Pool, way: Way, *, urgent: bool, limit: int, now_us: int
) -> Sequence[Envelope]:
    """Lease envelopes that are due, the longest due first."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_CLAIM, way, urgent, now_us, limit, LEASE_US)
    return [_envelope(row) for row in rows]


async def contents_of(connection: AnyConnection, envelope: Envelope) -> Sequence[Waiting]:
    """What waits in it, the oldest first."""
    rows = await connection.fetch(_CONTENTS, *envelope.key)
    return [Waiting(notice_of(row), row["seen"]) for row in reversed(rows)]


async def settle(pool: Pool, envelope: Envelope, outcome: Outcome, now_us: int) -> None:
    """Write down what became of the notices, and when the envelope is due again."""
    async with transaction(pool) as connection:
        held = await connection.fetchrow(_HOLD, *envelope.key)
        for state, notices in (
            ("SENT", dict.fromkeys(outcome.sent, "")),
            ("DROPPED", outcome.dropped),
            ("FAILED", outcome.failed),
        ):
            if notices:
                place = (envelope.way, envelope.device, state, now_us)
                await connection.execute(_SETTLE, list(notices), *place, list(notices.values()))
        if held is None or held["tries"] != envelope.tries:
            return  # its lease ran out, and somebody else has it now
        sent = bool(outcome.sent)
        due_at_us = max(now_us + (held["gap_us"] if sent else 0), outcome.wait_until_us)
        await connection.execute(_CLOSE, *envelope.key, now_us, sent, due_at_us)


async def pause(pool: Pool, envelope: Envelope, until_us: int) -> None:
    """Nothing went out; try again then."""
    async with acquire(pool) as connection:
        await connection.execute(_PAUSE, *envelope.key, envelope.tries, until_us)


async def forget_device(pool: Pool, person_id: PersonId, subscription_id: str, now_us: int) -> None:
    """The device takes pushes no more: nothing waits for it any longer."""
    async with transaction(pool) as connection:
        await connection.execute(_GONE[0], subscription_id)
        await connection.execute(_GONE[1], subscription_id, person_id)
        await connection.execute(_GONE[2], subscription_id, person_id, now_us)


def pause_us(tries: int) -> int:
    """How long after a failed try the next one comes."""
    return FIRST_PAUSE_US * int(PAUSE_FACTOR ** (tries - 1))


def notice_of(row: asyncpg.Record) -> Notice:
    """A row of ``notice``, with the facts as text."""
    return Notice(
        notice_id=row["notice_id"],
        person_id=row["person_id"],
        bidder_id=row["bidder_id"],
        kind=Kind(row["kind"]),
        sale_id=row["sale_id"],
        lot_id=row["lot_id"],
        topic=row["topic"],
        at_us=row["at_us"],
        facts=msgspec.json.decode(row["facts"], type=Facts),
    )


def _envelope(row: asyncpg.Record) -> Envelope:
    return Envelope(
        person_id=row["person_id"],
        way=Way(row["way"]),
        device=row["device"],
        bundle=row["bundle"],
        tries=row["tries"],
    )
