"""What settlement still has to do: a table of operations, each claimed, done and settled once.

To claim an operation is to lease it. What a crash leaves, by the place:

* before the claim: the operation waits;
* after the claim, before or after the call has taken effect outside: a lease that runs out, and
  the same call again under the same idempotency key, or a look for what it has made;
* after the call, before its result is written: the same;
* after that, nothing: the result, the state, the entries and the end of the operation are one
  transaction.

``claims`` rises with each lease, so that whoever slept beyond its own writes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import asyncpg
import msgspec
from msgspec import Struct

from foundation.database import AnyConnection

SECOND_US: Final = 1_000_000
HOUR_US: Final = 3_600 * SECOND_US
# Above the time-outs of a call to Stripe with its answer and of our own statements together.
LEASE_US: Final = 90 * SECOND_US
# Stripe may forget a key after 24 hours: from then on sending again could do a thing twice.
MAY_SEND_US: Final = 23 * HOUR_US
# Pauses after a lost answer: a second, doubling, up to five minutes.
PAUSE_FIRST_US: Final = SECOND_US
PAUSE_MOST_US: Final = 300 * SECOND_US


class Operation(Struct, frozen=True, kw_only=True):
    """An operation that was claimed. ``releases``: how often a person had it tried again."""

    op_id: int
    operation: str
    subject: str
    generation: int
    idempotency_key: str
    arguments: Mapping[str, Any]
    attempts: int
    claims: int
    first_sent_at_us: int
    made_at_us: int
    releases: int = 0

    def may_send(self, now_us: int) -> bool:
        """Whether the call may be sent again under its key; else its object is to be looked up."""
        return now_us - self.first_sent_at_us < MAY_SEND_US


class Unknown(Exception):
    """Nobody knows whether the call took effect: it is made again under the same key."""


class Kept(Unknown):
    """The other side repeats an error that it has kept under the key: the call has ended, and the
    same answer comes until the key is forgotten. Whether it took effect is seen by looking."""


class Refused(Exception):
    """The other side has said no, for good: the call took no effect. It is an answer."""

    def __init__(self, code: str, message: str = "", *, decline_code: str | None = None) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code, self.message, self.decline_code = code, message, decline_code


class NeedsPerson(Exception):
    """It cannot be decided by rule: the operation is held, with these words, for a person."""


class Again(Struct, frozen=True):
    """What a handler returns whose operation is to come again then, as another first attempt."""

    due_at_us: int


class Handler(Protocol):
    """How one kind of operation is done."""

    async def call(self, op: Operation) -> object:
        """Speak to the outside, in no transaction. Raises `Unknown`, `Refused`, `NeedsPerson`."""
        ...

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """Write what follows, in the transaction that ends the operation.

        ``answer``: what `call` returned, or the `Refused` that it raised. May raise `NeedsPerson`.
        """
        ...


class Deadline:
    """A base for handlers that speak to nobody: the time has come, and that is all."""

    async def call(self, op: Operation) -> object:
        """See `Handler`."""
        return None


_CLAIM: Final = """
update settlement_op set due_at_us = $1::bigint + $2, attempts = attempts + 1, claims = claims + 1,
    first_sent_at_us = coalesce(first_sent_at_us, $1)
where op_id in (
    select op_id from settlement_op
    where state = 'WAITING' and due_at_us <= $1 and subject <> all($4::text[])
    and operation = any($5::text[])
    order by due_at_us, op_id limit $3 for update skip locked
)
returning op_id, operation, subject, generation, idempotency_key, arguments, attempts, claims,
    first_sent_at_us, made_at_us, releases
"""

_HOLD: Final = """
select claims = $2 and state = 'WAITING' from settlement_op where op_id = $1 for update
"""

_END: Final = """
update settlement_op set state = 'DONE', ended_at_us = $2, note = '' where op_id = $1
"""

_AGAIN: Final = """
update settlement_op set due_at_us = $2, attempts = 0, first_sent_at_us = null, note = ''
where op_id = $1
"""

_LATER: Final = """
update settlement_op set due_at_us = $3, note = $4
where op_id = $1 and claims = $2 and state = 'WAITING'
"""

_HELD: Final = """
update settlement_op set state = 'HELD', note = $3
where op_id = $1 and claims = $2 and state = 'WAITING'
"""

_RELEASE: Final = """
update settlement_op set state = 'WAITING', due_at_us = $2, note = '', releases = releases + 1
where op_id = $1 and state = 'HELD' returning true
"""

_NEXT: Final = """
select min(due_at_us) from settlement_op where state = 'WAITING' and operation = any($1::text[])
"""

MAX_NOTE: Final = 500


async def claim(
    connection: AnyConnection,
    now_us: int,
    limit: int,
    busy: Sequence[str],
    kinds: Sequence[str],
) -> list[Operation]:
    """Lease what is due, the longest due first. ``busy``: subjects at which somebody is already."""
    rows = await connection.fetch(_CLAIM, now_us, LEASE_US, limit, list(busy), list(kinds))
    return sorted((_operation(row) for row in rows), key=lambda op: op.op_id)


async def still_ours(connection: AnyConnection, op: Operation) -> bool:
    """Hold the operation, in a transaction; ``False``: the lease ran out and somebody has it."""
    return bool(await connection.fetchval(_HOLD, op.op_id, op.claims))


async def end(connection: AnyConnection, op: Operation, again: Again | None, now_us: int) -> None:
    """The operation is done, or comes again; in the transaction that holds it."""
    if again is None:
        await connection.execute(_END, op.op_id, now_us)
    else:
        await connection.execute(_AGAIN, op.op_id, again.due_at_us)


async def try_later(connection: AnyConnection, op: Operation, note: str, now_us: int) -> None:
    """The answer was lost: the same again, after a pause."""
    await connection.execute(
        _LATER, op.op_id, op.claims, now_us + pause_us(op.attempts), note[:MAX_NOTE]
    )


async def hold_for_person(connection: AnyConnection, op: Operation, note: str) -> None:
    """The operation waits for a person, who is told why."""
    await connection.execute(_HELD, op.op_id, op.claims, note[:MAX_NOTE])


async def release(connection: AnyConnection, op_id: int, now_us: int) -> bool:
    """A person has mended what was wrong: the operation is tried again."""
    return bool(await connection.fetchval(_RELEASE, op_id, now_us))


async def next_due_us(connection: AnyConnection, kinds: Sequence[str]) -> int | None:
    """When the next operation is due, if any waits."""
    due: int | None = await connection.fetchval(_NEXT, list(kinds))
    return due


def pause_us(attempts: int) -> int:
    """The pause after so many attempts."""
    return min(PAUSE_FIRST_US << min(max(0, attempts - 1), 30), PAUSE_MOST_US)


def _operation(row: asyncpg.Record) -> Operation:
    return Operation(**{**row, "arguments": msgspec.json.decode(row["arguments"])})
