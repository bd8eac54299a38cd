"""What the payment provider tells us: kept before it is answered, read by those whom it is about.

An event comes at least once, in any order, and perhaps before our own row exists. So it is a hint
only: it is kept under its id, in one transaction with the operation that reads its object again,
and the answer 200 says no more than that. A crash before the commit leaves nothing, and the
provider sends it again; a crash after it leaves an operation. What a reader decides is decided by
the object as it stands now, under the same locks as the answer of our own call.

An object of which nobody knows yet is asked for again, later and later, for three days; then a
person looks at it. If it is nobody's (somebody tried something at the provider by hand), that
person has it tried again, and it is left: what moved money is an exception of the books.
Events that were never delivered are found in the provider's own list.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta, Struct

from accounts.permissions import Access, Action
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.problems import BAD_REQUEST
from foundation.http.reading import read_body
from foundation.http.routes import Route
from settlement.ids import StripeId
from settlement.operations import Again, NeedsPerson, Operation, Refused
from settlement.payment_objects import Event
from settlement.ports import PaymentProvider
from settlement.steps import Wanted, want
from settlement.webhook_signature import signed

PATH: Final = "/api/v1/webhooks/stripe"
# The largest objects of those that are read have some kilobytes.
MAX_EVENT: Final = 256 * 1024
# Of what is not ours yet: our row is a moment away, or an hour if Stripe's answer was lost.
FIRST_LOOK_US: Final = 5_000_000
LAST_LOOK_US: Final = 3_600_000_000
KEPT_FOR_US: Final = 3 * 24 * 3_600_000_000

# The provider's list of events, in windows, with a look back for what was numbered late.
SWEEP_EVERY_US: Final = 300_000_000
SWEEP_BACK_US: Final = 3_600_000_000
SWEEP_WINDOW_US: Final = 6 * 3_600_000_000
# How far back Stripe lists events at all.
LISTED_US: Final = 30 * 24 * 3_600_000_000

_logger = structlog.get_logger(__name__)

_KEEP: Final = """
insert into stripe_event (event_id, type, object_kind, object_id, customer_id, account_id,
    made_at_us, received_at_us, payload)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (event_id) do nothing returning true
"""

_READ: Final = """
select event_id, type, object_kind, object_id, customer_id, account_id, made_at_us
from stripe_event where event_id = $1
"""

_END: Final = "update stripe_event set outcome = $2, ended_at_us = $3 where event_id = $1"

_SWEPT: Final = "select through_us from stripe_swept"

_SWEEP: Final = """
insert into stripe_swept (one, through_us) values (true, $1)
on conflict (one) do update set through_us = greatest(stripe_swept.through_us, $1)
"""


class Reader(Protocol):
    """Somebody who keeps rows about objects of one kind."""

    async def settle(
        self, connection: AnyConnection, event: Event, found: Any, now_us: int
    ) -> bool:
        """Decide by the object as it was read again, in the caller's transaction.

        ``False``: no row of ours is about it, yet. May raise `NeedsPerson`: what does not fit,
        such as another amount than ours, is parked and never guessed.
        """
        ...


Readers = Mapping[str, Sequence[Reader]]


class Inbox:
    """Takes events. ``readers``: by the kind of the object, such as ``payment_intent``."""

    def __init__(
        self,
        pool: Pool,
        secrets: Sequence[str],
        *,
        live: bool,
        wall_s: Callable[[], float],
        now_us: Callable[[], int],
        ring: Callable[[], None] = lambda: None,
        knows_account: Callable[[AnyConnection, StripeId], Awaitable[bool]] | None = None,
    ) -> None:
        self._pool, self._secrets, self._live = pool, tuple(secrets), live
        self._wall_s, self._now_us, self._ring = wall_s, now_us, ring
        self._knows_account = knows_account

    def __repr__(self) -> str:
        return f"Inbox({len(self._secrets)} secrets)"

    def route(self) -> Route:
        """Where the provider sends its events."""
        return Route(
            "POST",
            PATH,
            self.take,
            "Take an event of the payment provider, which signs it.",
            Access(Action.REPORT_PAYMENT),
            max_body=MAX_EVENT,
            described=False,
        )

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Keep an event. Raises `Problem` 400, 413: nothing was kept."""
        await self.receive(await read_body(request), request.headers.getall("Stripe-Signature", []))
        return web.json_response({"received": True})

    async def receive(self, body: bytes, signatures: Sequence[str]) -> None:
        """The body and its signatures, of which there has to be one. Raises as `take` does."""
        fits = len(signatures) == 1 and signed(
            body, signatures[0], self._secrets, int(self._wall_s())
        )
        if not fits:
            _logger.warning("webhook_not_signed", bytes=len(body), headers=len(signatures))
            raise BAD_REQUEST("The signature does not fit.")
        event = _parsed(body)
        if event.live is not self._live:
            _logger.error("webhook_of_another_mode", event_id=event.event_id, live=event.live)
            raise BAD_REQUEST("The event is of another mode.")
        await self.keep(event, body)

    async def keep(self, event: Event, body: bytes | None) -> bool:
        """Keep an event and what is to be done about it; ``False``: it was here already.

        Raises `Problem` 400 for an account that is not one of ours (yet).
        """
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            await self._refuse_strangers(connection, event)
            kept = await keep_event(connection, event, body, now_us)
        if kept:
            self._ring()
        return kept

    async def _refuse_strangers(self, connection: AnyConnection, event: Event) -> None:
        if event.account_id is None:
            return
        known = self._knows_account
        if known is None or not await known(connection, event.account_id):
            _logger.warning("webhook_of_another_account", event_id=event.event_id)
            raise BAD_REQUEST("The account is not one of ours.")


async def keep_event(
    connection: AnyConnection, event: Event, body: bytes | None, now_us: int
) -> bool:
    """Keep an event with its operation, in the caller's transaction; whether it is new."""
    kept = await connection.fetchval(
        _KEEP,
        event.event_id,
        event.type,
        event.object_kind,
        event.object_id,
        event.customer_id,
        event.account_id,
        event.made_at_us,
        now_us,
        body,
    )
    await want(connection, [Wanted(operation="webhook", subject=event.event_id)], now_us)
    return bool(kept)


class WebhookHandler:
    """The operation ``webhook``: the event's object is read again and given to its readers."""

    def __init__(self, pool: Pool, provider: PaymentProvider, readers: Readers) -> None:
        self._pool, self._provider, self._readers = pool, provider, readers

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        async with acquire(self._pool) as connection:
            event = await _event(connection, op.subject)
        if not self._readers.get(event.object_kind):
            return None
        return await read_again(self._provider, event)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        event = await _event(connection, op.subject)
        readers = self._readers.get(event.object_kind)
        if not readers:
            await connection.execute(_END, op.subject, "UNREAD", now_us)
            return None
        if isinstance(answer, Refused):
            said = f"{event.type}: {event.object_id} cannot be read: {answer}"
            await _leave(connection, op, said, now_us)
            return None
        taken = [await reader.settle(connection, event, answer, now_us) for reader in readers]
        if any(taken):
            await connection.execute(_END, op.subject, "TAKEN", now_us)
            return None
        waited_us = now_us - op.made_at_us
        if waited_us >= KEPT_FOR_US:
            said = f"{event.type}: nobody knows {event.object_id}"
            await _leave(connection, op, said, now_us)
            return None
        return Again(now_us + min(max(waited_us, FIRST_LOOK_US), LAST_LOOK_US))


async def _leave(connection: AnyConnection, op: Operation, said: str, now_us: int) -> None:
    """Nothing comes of it any more: a person has looked at it, or is asked to."""
    if not op.releases:
        raise NeedsPerson(said)
    await connection.execute(_END, op.subject, "LEFT", now_us)


async def read_again(provider: PaymentProvider, event: Event) -> object:
    """The object of an event as it stands now. ``None``: it is of a kind that cannot be read."""
    if event.object_kind in ("cash_balance", "customer_cash_balance_transaction"):
        return None if event.customer_id is None else await provider.cash(event.customer_id)
    if event.object_kind == "payout" and event.object_id is not None:
        return await provider.payout(event.object_id, account_id=event.account_id)
    readings: Mapping[str, Callable[[StripeId], Awaitable[object]]] = {
        "account": provider.account,
        "charge": provider.charge,
        "customer": provider.customer,
        "dispute": provider.dispute,
        "payment_intent": provider.payment,
        "payment_method": provider.method,
        "refund": provider.refund_of,
        "setup_intent": provider.setup,
        "transfer": provider.transfer_of,
    }
    read = readings.get(event.object_kind)
    return None if read is None or event.object_id is None else await read(event.object_id)


class MissedEvents:
    """The operation ``missed_events``: takes in what the provider lists and never delivered."""

    def __init__(self, pool: Pool, provider: PaymentProvider, now_us: Callable[[], int]) -> None:
        self._pool, self._provider, self._now_us = pool, provider, now_us

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`: one window of the list, whole."""
        now_us = self._now_us()
        async with acquire(self._pool) as connection:
            through_us = await connection.fetchval(_SWEPT)
        since_us = now_us - SWEEP_BACK_US
        if through_us is not None:
            since_us = max(min(since_us, through_us - SWEEP_BACK_US), now_us - LISTED_US)
        before_us = min(since_us + SWEEP_WINDOW_US, now_us)
        return before_us, await self._listed(since_us, before_us)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again:
        """See `operations.Handler`."""
        if isinstance(answer, Refused):
            raise NeedsPerson(f"events cannot be listed: {answer}")
        assert isinstance(answer, tuple), "of `call`"
        through_us, events = answer
        missed = [event for event in events if await keep_event(connection, event, None, now_us)]
        if missed:
            types = sorted({event.type for event in missed})
            _logger.warning("webhooks_never_came", events=len(missed), types=types)
        await connection.execute(_SWEEP, through_us)
        behind = through_us < now_us - SWEEP_BACK_US
        return Again(now_us if behind else now_us + SWEEP_EVERY_US)

    async def _listed(self, since_us: int, before_us: int) -> list[Event]:
        events: list[Event] = []
        after: StripeId | None = None
        while True:
            page = await self._provider.events(since_us=since_us, before_us=before_us, after=after)
            events += page.rows
            if page.next_after is None:
                return events[::-1]
            after = page.next_after


# To be wanted once by whoever starts a worker: it comes again by itself.
SWEEP: Final = Wanted(operation="missed_events", subject="stripe")


_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:\-]{1,255}$")]


class _About(Struct):
    object: _Name
    id: _Name | None = None
    customer: _Name | dict[str, Any] | None = None


class _Data(Struct):
    object: _About


class _Told(Struct):
    """What of an event is used; the rest is kept with its bytes."""

    object: Literal["event"]
    id: _Name
    type: _Name
    created: Annotated[int, Meta(ge=0, lt=2**33)]
    livemode: bool
    data: _Data
    account: _Name | None = None


def _parsed(body: bytes) -> Event:
    try:
        told = msgspec.json.decode(body, type=_Told)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BAD_REQUEST("This is no event.") from None
    about = told.data.object
    return Event(
        event_id=StripeId(told.id),
        type=told.type,
        object_kind=about.object,
        object_id=None if about.id is None else StripeId(about.id),
        customer_id=StripeId(about.customer) if isinstance(about.customer, str) else None,
        account_id=None if told.account is None else StripeId(told.account),
        made_at_us=told.created * 1_000_000,
        live=told.livemode,
    )


async def _event(connection: AnyConnection, event_id: str) -> Event:
    row = await connection.fetchrow(_READ, event_id)
    assert row is not None, "it was kept with its operation"
    return Event(**dict(row))
