"""Deliveries are sent here: leased, posted, settled.

To claim a delivery is to lease it. What a crash leaves, by the place: after the claim, a lease
that runs out, and it is sent by whoever comes next; after the receiver has taken it and before
that is settled, a delivery that goes out a second time under the same ``webhook-id``, by which
the receiver knows it; after that, nothing. ``claims`` rises with each lease, so that a sender that
was asleep beyond its lease logs what it did and settles nothing.

Locks are taken in one order: the endpoint, then its delivery.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg
import structlog
from msgspec import Struct

from auction.desk.webhook_rules import (
    DAY_US,
    OFF_AFTER_US,
    SECOND_US,
    is_success,
    pause_us,
    signature,
)
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.outbound import AddressRefused, NoAnswer, Outbound

# Above `outbound.TIMEOUT_S` and whatever the database takes.
LEASE_US: Final = 60 * SECOND_US
# In flight, in all and to one endpoint: one liquidator's ten take at most forty.
AT_ONCE: Final = 64
AT_ONCE_EACH: Final = 4
# A receiver's system is told within seconds, not within a blink.
POLL_S: Final = 1.0
# After a step that failed, because the database is away.
RETRY_S: Final = 2.0
# Of an answer so much is kept, for whoever looks why it failed.
ANSWER_BYTES: Final = 300
# How many wait is counted so often, for whoever watches over the whole.
COUNT_EVERY_S: Final = 10.0
# Deliveries and their attempts are kept for so long.
KEPT_US: Final = 30 * DAY_US
CLEAN_EVERY_S: Final = 3_600.0
CLEAN_ROWS: Final = 1_000

OFF_NOTE: Final = "Switched off: nothing was taken there for three days."

_logger = structlog.get_logger(__name__)

_CLAIM: Final = """
update webhook_delivery set due_at_us = $1::bigint + $2, tries = tries + 1, claims = claims + 1
from webhook
where webhook.webhook_id = webhook_delivery.webhook_id and delivery_id in (
    select due.delivery_id from webhook cross join lateral (
        select delivery_id, due_at_us from webhook_delivery
        where webhook_delivery.webhook_id = webhook.webhook_id and state = 'WAITING'
        and due_at_us <= $1
        order by due_at_us, delivery_id limit $4 for update skip locked
    ) as due
    where active and webhook_id <> all($5::text[])
    order by due.due_at_us, due.delivery_id limit $3
)
returning delivery_id, webhook.webhook_id, url, payload, tries, claims, secret,
    case when old_until_us > $1 then old_secret end as old_secret
"""

_HOLD: Final = "select failing_since_us from webhook where webhook_id = $1 for no key update"

_STILL: Final = "select claims from webhook_delivery where delivery_id = $1 for update"

_LOG: Final = """
insert into webhook_attempt (delivery_id, at_us, took_ms, status, note, answer)
values ($1, $2, $3, $4, $5, $6)
"""

_SETTLE: Final = """
update webhook_delivery set state = $2, due_at_us = $3 where delivery_id = $1
"""

_WELL: Final = """
update webhook set failing_since_us = null where webhook_id = $1 and failing_since_us is not null
"""

_FAILING: Final = """
update webhook set failing_since_us = $2 where webhook_id = $1 and failing_since_us is null
"""

_SWITCH_OFF: Final = """
update webhook set active = false, note = $2, version = version + 1
where webhook_id = $1 and active
"""

_WAITING: Final = """
select count(*) from webhook_delivery join webhook using (webhook_id)
where state = 'WAITING' and active
"""

_CLEAN: Final = """
delete from webhook_delivery where delivery_id in (
    select delivery_id from webhook_delivery where made_at_us < $1 order by made_at_us limit $2
)
"""


class Claimed(Struct, frozen=True, kw_only=True):
    """A leased delivery; the secrets that sign it, the newest first."""

    delivery_id: str
    webhook_id: str
    url: str
    body: bytes
    tries: int
    claims: int
    secrets: tuple[bytes, ...]


class Attempt(Struct, frozen=True, kw_only=True):
    """What one try came to. ``status``: None where nobody answered; ``note`` says why."""

    at_us: int
    took_ms: int
    status: int | None
    note: str
    answer: str

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and is_success(self.status)


class Figures(Struct):
    """What became of deliveries since the start, and how many waited when they were counted."""

    delivered: int = 0
    failed: int = 0
    tried_again: int = 0
    waiting: int = 0


class WebhookLane:
    """Sends what is due, several at once. Its owner runs it as a task.

    ``outbound`` has been entered; ``wall_us`` is the time that signatures tell.
    """

    def __init__(self, pool: Pool, outbound: Outbound, wall_us: Callable[[], int]) -> None:
        self._pool, self._outbound, self._wall_us = pool, outbound, wall_us
        self.figures = Figures()
        # How many are in flight to each endpoint that has any.
        self._busy: dict[str, int] = {}
        self._freed = asyncio.Event()

    async def run(self) -> None:
        """Send until cancelled; what was in flight then is sent again when its lease is over."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_house())
            tasks.create_task(self._keep_count())
            while True:
                self._freed.clear()
                claimed = await self._claim()
                for one in claimed:
                    tasks.create_task(self._send_counted(one))
                if not claimed:
                    await self._wait()

    async def round(self) -> int:
        """Send what is due now, and return when that is done; how many they were."""
        claimed = await self._claim()
        await asyncio.gather(*(self._send_counted(one) for one in claimed))
        return len(claimed)

    async def post(self, delivery: Claimed) -> Attempt:
        """Try it once."""
        at_us, began_s = self._wall_us(), asyncio.get_running_loop().time()
        at_s = at_us // SECOND_US
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Softclose",
            "webhook-id": delivery.delivery_id,
            "webhook-timestamp": str(at_s),
            "webhook-signature": signature(
                delivery.secrets, delivery.delivery_id, at_s, delivery.body
            ),
        }
        status, note, text = None, "", ""
        try:
            answer = await self._outbound.post(delivery.url, delivery.body, headers)
            status, text = answer.status, _readable(answer.body)
            if 300 <= status < 400:
                note = "Redirects are not followed."
        except (AddressRefused, NoAnswer) as error:
            note = str(error)[:200]
        took_ms = round((asyncio.get_running_loop().time() - began_s) * 1_000)
        return Attempt(at_us=at_us, took_ms=took_ms, status=status, note=note, answer=text)

    async def settle(self, delivery: Claimed, attempt: Attempt) -> None:
        """Log the attempt, and say what becomes of the delivery and its endpoint."""
        now_us = self._wall_us()
        async with transaction(self._pool) as connection:
            endpoint = await connection.fetchrow(_HOLD, delivery.webhook_id)
            claims = await connection.fetchval(_STILL, delivery.delivery_id)
            if endpoint is None or claims is None:
                return  # removed meanwhile
            await connection.execute(
                _LOG, delivery.delivery_id, *(getattr(attempt, name) for name in _LOGGED)
            )
            if attempt.taken:
                await connection.execute(_WELL, delivery.webhook_id)
            else:
                await _note_failure(connection, delivery, endpoint["failing_since_us"], now_us)
            state = ""
            if claims == delivery.claims:
                state = await _settle_delivery(connection, delivery, attempt, now_us)
        self._count(state)

    async def count(self) -> None:
        """How many wait now."""
        async with acquire(self._pool) as connection:
            self.figures.waiting = await connection.fetchval(_WAITING)

    def _count(self, state: str) -> None:
        """Once it is durable; who was asleep beyond its lease has settled nothing."""
        match state:
            case "DELIVERED":
                self.figures.delivered += 1
            case "FAILED":
                self.figures.failed += 1
            case "WAITING":
                self.figures.tried_again += 1

    async def _claim(self) -> Sequence[Claimed]:
        free = AT_ONCE - sum(self._busy.values())
        if free <= 0:
            return ()
        values = (self._wall_us(), LEASE_US, free, AT_ONCE_EACH, list(self._busy))
        try:
            async with acquire(self._pool) as connection:
                rows = await connection.fetch(_CLAIM, *values)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _logger.warning("webhooks_wait", reason=f"{type(error).__name__}: {error}")
            await asyncio.sleep(RETRY_S)
            return ()
        claimed = [_claimed(row) for row in rows]
        for one in claimed:
            self._busy[one.webhook_id] = self._busy.get(one.webhook_id, 0) + 1
        return claimed

    async def _send_counted(self, delivery: Claimed) -> None:
        try:
            await self.settle(delivery, await self.post(delivery))
        except Exception:  # the lease runs out, and it is sent again; until then the log tells
            _logger.exception("webhook_not_settled", delivery_id=delivery.delivery_id)
        finally:
            self._busy[delivery.webhook_id] -= 1
            if not self._busy[delivery.webhook_id]:
                del self._busy[delivery.webhook_id]
                self._freed.set()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._freed.wait()
        except TimeoutError:
            pass

    async def _keep_count(self) -> None:
        while True:
            try:
                await self.count()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _logger.warning("webhooks_not_counted", reason=f"{type(error).__name__}: {error}")
            await asyncio.sleep(COUNT_EVERY_S)

    async def _keep_house(self) -> None:
        while True:
            try:
                values = (self._wall_us() - KEPT_US, CLEAN_ROWS)
                async with acquire(self._pool) as connection:
                    while await connection.execute(_CLEAN, *values) == f"DELETE {CLEAN_ROWS}":
                        pass
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _logger.warning("webhooks_not_cleaned", reason=f"{type(error).__name__}: {error}")
            await asyncio.sleep(CLEAN_EVERY_S)


_LOGGED: Final = ("at_us", "took_ms", "status", "note", "answer")


async def _note_failure(
    connection: AnyConnection, delivery: Claimed, since_us: int | None, now_us: int
) -> None:
    if since_us is None:
        await connection.execute(_FAILING, delivery.webhook_id, now_us)
    elif now_us - since_us >= OFF_AFTER_US:
        await connection.execute(_SWITCH_OFF, delivery.webhook_id, OFF_NOTE)
        _logger.warning("webhook_switched_off", webhook_id=delivery.webhook_id)


async def _settle_delivery(
    connection: AnyConnection, delivery: Claimed, attempt: Attempt, now_us: int
) -> str:
    """The state in which it is from now on."""
    wait_us = None if attempt.taken else pause_us(delivery.tries)
    if wait_us is not None:
        await connection.execute(_SETTLE, delivery.delivery_id, "WAITING", now_us + wait_us)
        return "WAITING"
    state = "DELIVERED" if attempt.taken else "FAILED"
    await connection.execute(_SETTLE, delivery.delivery_id, state, None)
    return state


def _claimed(row: asyncpg.Record) -> Claimed:
    secrets = (row["secret"], row["old_secret"])
    return Claimed(
        delivery_id=row["delivery_id"],
        webhook_id=row["webhook_id"],
        url=row["url"],
        body=row["payload"].encode(),
        tries=row["tries"],
        claims=row["claims"],
        secrets=tuple(secret for secret in secrets if secret is not None),
    )


def _readable(answer: bytes) -> str:
    """The beginning of an answer as a text that can be kept and shown."""
    text = answer[:ANSWER_BYTES].decode(errors="replace")
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
