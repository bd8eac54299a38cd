"""Endpoints of liquidators: where their own systems are told of their lots, and what was sent.

A secret is shown once, when it is made, and kept as it is, since deliveries are signed with it.
For a day after it was replaced the one before signs too. Another liquidator's endpoint is answered
as one that does not exist: NOT_FOUND.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import asyncpg
from msgspec import Meta, Struct

from accounts.ids import new_id
from auction.desk.owning import owner_by
from auction.desk.refusals import Refusal, Refused
from auction.desk.seller import Seller
from auction.desk.webhook_making import MAX_WAITING
from auction.desk.webhook_rules import (
    DAY_US,
    SECRET_BYTES,
    TEST,
    Payload,
    WebhookEvent,
    moment_of,
    payload_text,
    shown_secret,
)
from auction.ids import LiquidatorId, LotId, SaleId
from auction.terms import STORABLE
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.outbound import MAX_URL, AddressRefused, NoAnswer, Outbound

# Of one liquidator.
MAX_ENDPOINTS: Final = 10
# Of one endpoint in a day: who tries it out needs a few; nobody is to be flooded through us.
MAX_TESTS: Final = 100
# Told with a delivery, the latest first: each try, also those of sending again.
MAX_ATTEMPTS: Final = 50

Url = Annotated[str, Meta(min_length=1, max_length=MAX_URL, pattern=STORABLE)]
Events = Annotated[tuple[WebhookEvent, ...], Meta(min_length=1, max_length=len(WebhookEvent))]


class Webhook(Struct, frozen=True, kw_only=True):
    """An endpoint. ``note``: why we switched it off.

    ``failing_since_us``: nothing was taken since then. ``old_until_us``: until when the secret
    before this one signs too.
    """

    webhook_id: str
    liquidator_id: LiquidatorId
    url: str
    events: tuple[WebhookEvent, ...]
    active: bool
    note: str
    failing_since_us: int | None
    old_until_us: int | None
    version: int
    changed_at_us: int


class NewSecret(Struct, frozen=True, kw_only=True):
    """An endpoint with its new secret, which is shown this once."""

    webhook: Webhook
    secret: str


class Delivery(Struct, frozen=True, kw_only=True):
    """A delivery: WAITING, DELIVERED or FAILED.

    ``due_at_us``: when it is tried next. ``tries``: since it was made or last sent again by hand.
    """

    delivery_id: str
    webhook_id: str
    type: str
    sale_id: SaleId | None
    lot_id: LotId | None
    state: str
    made_at_us: int
    due_at_us: int | None
    tries: int


class DeliveryAttempt(Struct, frozen=True, kw_only=True):
    """One try: the answer's status, null for none, its time and its first bytes."""

    at_us: int
    took_ms: int
    status: int | None
    note: str
    answer: str


class DeliveryLog(Struct, frozen=True, kw_only=True):
    """A delivery, what it says, and each try, the latest first."""

    delivery: Delivery
    payload: str
    attempts: Sequence[DeliveryAttempt]


class DeliveryKey(Struct, frozen=True):
    """The place of a delivery in the list."""

    made_at_us: int
    delivery_id: str


_COLUMNS: Final = ", ".join(Webhook.__struct_fields__)
_DELIVERY: Final = ", ".join(f"d.{name}" for name in Delivery.__struct_fields__)
_ATTEMPT: Final = ", ".join(DeliveryAttempt.__struct_fields__)

_READ: Final = f"select {_COLUMNS} from webhook where liquidator_id = $1"  # noqa: S608

_ADD: Final = f"""
insert into webhook (webhook_id, liquidator_id, url, events, active, secret, since_us, version,
    changed_at_us, changed_by)
values ($1, $2, $3, $4, true, $5, $6, 1, $7, $8)
returning {_COLUMNS}
"""  # noqa: S608

# Switched on, it is told of what comes from now on, and its failures are forgotten.
_CHANGE: Final = f"""
update webhook set url = $2, events = $3, active = $4, version = version + 1,
    changed_at_us = $6, changed_by = $7, note = '',
    failing_since_us = case when active and $4 then failing_since_us end,
    since_us = case when active then since_us else $5 end
where webhook_id = $1
returning {_COLUMNS}
"""  # noqa: S608

_ROTATE: Final = f"""
update webhook set old_secret = secret, old_until_us = $3, secret = $2, version = version + 1,
    changed_at_us = $4, changed_by = $5
where webhook_id = $1
returning {_COLUMNS}
"""  # noqa: S608

_DELIVERIES: Final = f"""
select {_DELIVERY} from webhook_delivery d join webhook using (webhook_id)
where liquidator_id = $1 and webhook_id = $2
and ($3::bigint is null or (d.made_at_us, d.delivery_id) < ($3, $4))
order by d.made_at_us desc, d.delivery_id desc limit $5
"""  # noqa: S608

_ONE: Final = f"""
select {_DELIVERY}, payload from webhook_delivery d join webhook using (webhook_id)
where liquidator_id = $1 and webhook_id = $2 and delivery_id = $3
"""  # noqa: S608

_ATTEMPTS: Final = f"""
select {_ATTEMPT} from webhook_attempt where delivery_id = $1 order by number desc limit $2
"""  # noqa: S608

_WAITING: Final = """
select count(*) from webhook_delivery where webhook_id = $1 and state = 'WAITING'
"""

_TESTS: Final = """
select count(*) from webhook_delivery where webhook_id = $1 and type = $2 and made_at_us > $3
"""

_TEST: Final = f"""
insert into webhook_delivery as d (delivery_id, webhook_id, type, payload, state, made_at_us,
    due_at_us, tries, claims)
values ($1, $2, $3, $4, 'WAITING', $5, $5, 0, 0)
returning {_DELIVERY}
"""  # noqa: S608

# A try that is in flight now settles nothing any more: it is sent once more, as was asked.
_AGAIN: Final = f"""
update webhook_delivery d set state = 'WAITING', due_at_us = $3, tries = 0, claims = claims + 1
where webhook_id = $1 and delivery_id = $2
returning {_DELIVERY}
"""  # noqa: S608


class Webhooks:
    """A liquidator's endpoints. ``now_us``: the engine's time, ``wall_us`` that of day.

    Of ``outbound`` only its eye for addresses is used.
    """

    def __init__(
        self,
        pool: Pool,
        outbound: Outbound,
        now_us: Callable[[], int],
        wall_us: Callable[[], int],
    ) -> None:
        self._pool, self._outbound = pool, outbound
        self._now_us, self._wall_us = now_us, wall_us

    async def owner_of(self, webhook_id: str) -> LiquidatorId | None:
        """Whose it is; ``None``: there is none."""
        return await owner_by(
            self._pool, "select liquidator_id from webhook where webhook_id = $1", webhook_id
        )

    async def list(self, liquidator_id: LiquidatorId) -> Sequence[Webhook]:
        """All of them, by id."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(f"{_READ} order by webhook_id", liquidator_id)
        return [_webhook_of(row) for row in rows]

    async def read(self, liquidator_id: LiquidatorId, webhook_id: str) -> Webhook:
        """One of them. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            query = f"{_READ} and webhook_id = $2"
            row = await connection.fetchrow(query, liquidator_id, webhook_id)
        if row is None:
            raise Refused(Refusal.NOT_FOUND)
        return _webhook_of(row)

    async def add(self, seller: Seller, url: str, events: Sequence[WebhookEvent]) -> NewSecret:
        """A new one, switched on. Raises `Refused` BAD_ADDRESS, TOO_MANY."""
        await self._check(url)
        secret = secrets.token_bytes(SECRET_BYTES)
        async with transaction(self._pool) as connection:
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended('webhook ' || $1, 0))",
                seller.liquidator_id,
            )
            count = await connection.fetchval(
                "select count(*) from webhook where liquidator_id = $1", seller.liquidator_id
            )
            if count >= MAX_ENDPOINTS:
                raise Refused(Refusal.TOO_MANY)
            row = await connection.fetchrow(
                _ADD,
                new_id("webhook"),
                seller.liquidator_id,
                url,
                _each_once(events),
                secret,
                self._now_us(),
                self._wall_us(),
                seller.actor_id,
            )
        return NewSecret(webhook=_webhook_of(row), secret=shown_secret(secret))

    async def change(
        self,
        seller: Seller,
        webhook_id: str,
        version: int,
        *,
        url: str,
        events: Sequence[WebhookEvent],
        active: bool,
    ) -> Webhook:
        """Another address or choice of events, on or off; what waits there stays.

        Raises `Refused` BAD_ADDRESS, NOT_FOUND, CHANGED_MEANWHILE.
        """
        await self._check(url)
        times = (self._now_us(), self._wall_us())
        async with transaction(self._pool) as connection:
            await _lock(connection, seller, webhook_id, version)
            row = await connection.fetchrow(
                _CHANGE, webhook_id, url, _each_once(events), active, *times, seller.actor_id
            )
        return _webhook_of(row)

    async def rotate(self, seller: Seller, webhook_id: str, version: int) -> NewSecret:
        """Another secret; the present one signs for a day more.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE.
        """
        secret, now_us = secrets.token_bytes(SECRET_BYTES), self._wall_us()
        async with transaction(self._pool) as connection:
            await _lock(connection, seller, webhook_id, version)
            row = await connection.fetchrow(
                _ROTATE, webhook_id, secret, now_us + DAY_US, now_us, seller.actor_id
            )
        return NewSecret(webhook=_webhook_of(row), secret=shown_secret(secret))

    async def remove(self, seller: Seller, webhook_id: str, version: int) -> None:
        """It is gone, with what waits for it. Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE."""
        async with transaction(self._pool) as connection:
            await _lock(connection, seller, webhook_id, version)
            await connection.execute("delete from webhook where webhook_id = $1", webhook_id)

    async def deliveries(
        self, liquidator_id: LiquidatorId, webhook_id: str, after: DeliveryKey | None, limit: int
    ) -> Sequence[Delivery]:
        """What was sent or waits, the latest first, behind ``after``."""
        place = (None, None) if after is None else (after.made_at_us, after.delivery_id)
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_DELIVERIES, liquidator_id, webhook_id, *place, limit)
        return [Delivery(**row) for row in rows]

    async def delivery(
        self, liquidator_id: LiquidatorId, webhook_id: str, delivery_id: str
    ) -> DeliveryLog:
        """One of them. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_ONE, liquidator_id, webhook_id, delivery_id)
            if row is None:
                raise Refused(Refusal.NOT_FOUND)
            attempts = await connection.fetch(_ATTEMPTS, delivery_id, MAX_ATTEMPTS)
        fields = dict(row)
        payload = fields.pop("payload")
        return DeliveryLog(
            delivery=Delivery(**fields),
            payload=payload,
            attempts=[DeliveryAttempt(**attempt) for attempt in attempts],
        )

    async def test(self, seller: Seller, webhook_id: str) -> Delivery:
        """Send something that means nothing. Raises `Refused` NOT_FOUND, NOT_NOW, TOO_MANY."""
        now_us, delivery_id = self._wall_us(), new_id("msg")
        payload = Payload(id=delivery_id, type=TEST, at=moment_of(now_us))
        async with transaction(self._pool) as connection:
            await _lock_active(connection, seller, webhook_id)
            await _refuse_too_many(connection, webhook_id)
            tests = await connection.fetchval(_TESTS, webhook_id, TEST, now_us - DAY_US)
            if tests >= MAX_TESTS:
                raise Refused(Refusal.TOO_MANY, detail="It was tested often enough today.")
            row = await connection.fetchrow(
                _TEST, delivery_id, webhook_id, TEST, payload_text(payload), now_us
            )
        assert row is not None, "it is new"
        return Delivery(**row)

    async def resend(self, seller: Seller, webhook_id: str, delivery_id: str) -> Delivery:
        """Send it now, once more under the same id, and try as often as if it were new.

        Raises `Refused` NOT_FOUND, NOT_NOW, TOO_MANY.
        """
        now_us = self._wall_us()
        async with transaction(self._pool) as connection:
            await _lock_active(connection, seller, webhook_id)
            await _refuse_too_many(connection, webhook_id)
            row = await connection.fetchrow(_AGAIN, webhook_id, delivery_id, now_us)
        if row is None:
            raise Refused(Refusal.NOT_FOUND)
        return Delivery(**row)

    async def _check(self, url: str) -> None:
        """Whether we would send there. Raises `Refused` BAD_ADDRESS."""
        try:
            await self._outbound.check(url)
        except (AddressRefused, NoAnswer) as error:
            raise Refused(Refusal.BAD_ADDRESS, field="url", detail=str(error)) from None


async def _lock(connection: AnyConnection, seller: Seller, webhook_id: str, version: int) -> None:
    found = await connection.fetchval(
        "select version from webhook where liquidator_id = $1 and webhook_id = $2 for update",
        seller.liquidator_id,
        webhook_id,
    )
    if found is None:
        raise Refused(Refusal.NOT_FOUND)
    if found != version:
        raise Refused(Refusal.CHANGED_MEANWHILE)


async def _lock_active(connection: AnyConnection, seller: Seller, webhook_id: str) -> None:
    """Hold an endpoint to which something is to be sent. Raises `Refused` NOT_FOUND, NOT_NOW."""
    active = await connection.fetchval(
        "select active from webhook where liquidator_id = $1 and webhook_id = $2 for no key update",
        seller.liquidator_id,
        webhook_id,
    )
    if active is None:
        raise Refused(Refusal.NOT_FOUND)
    if not active:
        raise Refused(Refusal.NOT_NOW, detail="It is switched off.")


async def _refuse_too_many(connection: AnyConnection, webhook_id: str) -> None:
    if await connection.fetchval(_WAITING, webhook_id) >= MAX_WAITING:
        raise Refused(Refusal.TOO_MANY, detail="So many wait there already.")


def _each_once(events: Sequence[WebhookEvent]) -> list[str]:
    return sorted(set(events))


def _webhook_of(row: asyncpg.Record | None) -> Webhook:
    assert row is not None, "it was locked, or is new"
    events = tuple(WebhookEvent(name) for name in row["events"])
    return Webhook(**(dict(row) | {"events": events}))
