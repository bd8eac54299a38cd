"""Buyers at the payment provider: each one's customer there, and the cards and accounts it saved.

A customer's row stands before the customer is made, with all that it is made of, so that every try
is the same call under the same key; past the life of the key it is looked for first. From then on
what a buyer sends by bank is applied by us alone.

A card never passes through here: the buyer's browser gives it to the provider, under the secret of
a setup that was begun for it, and what came of it is read from the provider, once by the page to
which the buyer comes back and once by the event. Both take the same lock and write the same rows.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from accounts.directory import organisations, people_of
from accounts.identity import Role
from accounts.ids import OrganisationId
from auction.ids import BidderId
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.ids import StripeId
from settlement.operations import MAY_SEND_US, Again, Handler, NeedsPerson, Operation, Refused
from settlement.payment_objects import Event, IntentStatus, MethodKind, SavedMethod, Setup
from settlement.ports import PaymentProvider
from settlement.steps import Wanted, want

# Somebody who tries so often in a day tries stolen cards; see docs.stripe.com/disputes/prevention/
# card-testing.
TRIES_A_DAY: Final = 20
DAY_US: Final = 24 * 3_600_000_000
MOST_SAVED: Final = 20


class NoSuchMethod(LookupError):
    """The buyer has saved no such card or account, or begun no such setup."""


class TooManyTries(Exception):
    """The buyer began to save cards too often today."""


class Contact(Struct, frozen=True):
    """Whom the provider writes to."""

    email: str
    name: str


class Saved(Struct, frozen=True, kw_only=True):
    """A card or a bank account that a buyer can pay with. ``expires``: "2034-12", of cards."""

    method_id: StripeId
    kind: MethodKind
    brand: str
    last4: str
    expires: str | None
    is_default: bool
    saved_at_us: int


_CUSTOMER: Final = "select customer_id from buyer_customer where buyer_id = $1"

_BEGUN: Final = """
insert into buyer_customer (buyer_id, email, name, began_at_us) values ($1, $2, $3, $4)
on conflict (buyer_id) do nothing
"""

_WHAT_OF: Final = """
select customer_id, email, name, began_at_us from buyer_customer where buyer_id = $1
"""

_MADE: Final = """
update buyer_customer set customer_id = $2, made_at_us = $3
where buyer_id = $1 and customer_id is null
"""

_HOLD_BUYER: Final = "select 1 from buyer_customer where buyer_id = $1 for update"

_TRIES: Final = """
select count(*) filter (where began_at_us > $2) as lately, coalesce(max(number), 0) as latest
from saving where buyer_id = $1
"""

_TRY: Final = """
insert into saving (buyer_id, number, kind, status, began_at_us, changed_at_us)
values ($1, $2, $3, 'requires_payment_method', $4, $4)
"""

_TRIED: Final = """
update saving set setup_id = $3, status = $4, changed_at_us = $5
where buyer_id = $1 and number = $2
"""

_TRY_OF: Final = "select number from saving where buyer_id = $1 and setup_id = $2"

_WHOSE: Final = """
select buyer_id, number, customer_id from saving join buyer_customer using (buyer_id)
where setup_id = $1
"""

_WHOSE_CUSTOMER: Final = "select buyer_id from buyer_customer where customer_id = $1"

_STATUS: Final = "update saving set status = $2, changed_at_us = $3 where setup_id = $1"

_KEEP: Final = """
insert into saved_method (method_id, buyer_id, kind, brand, last4, expires, is_default, saved_at_us)
select $1, $2, $3, $4, $5, $6, not exists (
    select from saved_method where buyer_id = $2 and is_default
), $7
on conflict (method_id) do nothing
"""

_RENEWED: Final = """
update saved_method set brand = $2, last4 = $3, expires = $4
where method_id = $1 and removed_at_us is null
"""

_LIST: Final = f"""
select method_id, kind, brand, last4, expires, is_default, saved_at_us from saved_method
where buyer_id = $1 and removed_at_us is null
order by is_default desc, saved_at_us desc, method_id limit {MOST_SAVED}
"""  # noqa: S608 - a constant of ours

_HAS: Final = """
select 1 from saved_method where buyer_id = $1 and method_id = $2 and removed_at_us is null
"""

_KNOWN: Final = "select buyer_id, removed_at_us from saved_method where method_id = $1"

_NO_DEFAULT: Final = "update saved_method set is_default = false where buyer_id = $1 and is_default"

_DEFAULT: Final = "update saved_method set is_default = true where method_id = $1"

_REMOVED: Final = """
update saved_method set is_default = false, removed_at_us = $2
where method_id = $1 and removed_at_us is null
"""

# The card that was saved last takes its place.
_NEXT_DEFAULT: Final = """
update saved_method set is_default = true where method_id = (
    select method_id from saved_method where buyer_id = $1 and removed_at_us is null
    order by kind = 'card' desc, saved_at_us desc, method_id limit 1
) and not exists (select from saved_method where buyer_id = $1 and is_default)
"""


async def customer_of(connection: AnyConnection, buyer_id: BidderId) -> StripeId | None:
    """The buyer's customer; ``None``: there is none yet."""
    customer_id: StripeId | None = await connection.fetchval(_CUSTOMER, buyer_id)
    return customer_id


async def saved_of(connection: AnyConnection, buyer_id: BidderId) -> tuple[Saved, ...]:
    """What the buyer can pay with, the default first."""
    rows = await connection.fetch(_LIST, buyer_id)
    return tuple(Saved(**{**row, "kind": MethodKind(row["kind"])}) for row in rows)


def wanted_customer(buyer_id: BidderId) -> Wanted:
    """The operation that makes a buyer's customer, for whoever needs one later."""
    return Wanted(operation="customer", subject=buyer_id)


class Buyers:
    """For the pages of buyers; and for settlement's other parts, ``ensure_customer``."""

    def __init__(
        self,
        pool: Pool,
        provider: PaymentProvider,
        now_us: Callable[[], int],
        contact_of: Callable[[BidderId], Awaitable[Contact]] | None = None,
        ring: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool, self._provider, self._now_us, self._ring = pool, provider, now_us, ring
        self._contact_of = contact_of or self._team

    async def ensure_customer(self, buyer_id: BidderId) -> StripeId:
        """The buyer's customer, made if need be. In no transaction. Raises as the provider does."""
        row = await self._begun(buyer_id)
        if row["customer_id"] is not None:
            return StripeId(row["customer_id"])
        key = wanted_customer(buyer_id).idempotency_key
        made = None
        if self._now_us() - row["began_at_us"] >= MAY_SEND_US:
            made = await self._provider.find_customer(key)
        if made is None:
            made = await self._provider.create_customer(
                key, email=row["email"], name=row["name"], about={"buyer_id": buyer_id}
            )
        await self._provider.reconcile_by_hand(f"by_hand:{buyer_id}:1", made.customer_id)
        async with acquire(self._pool) as connection:
            await connection.execute(_MADE, buyer_id, made.customer_id, self._now_us())
        return made.customer_id

    async def begin(self, buyer_id: BidderId, kind: MethodKind) -> Setup:
        """Begin to save a card or an account: its client secret is for the buyer's browser.

        Raises `TooManyTries`.
        """
        customer_id = await self.ensure_customer(buyer_id)
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            await connection.execute(_HOLD_BUYER, buyer_id)
            tries = await connection.fetchrow(_TRIES, buyer_id, now_us - DAY_US)
            assert tries is not None, "an aggregate has a row"
            if tries["lately"] >= TRIES_A_DAY:
                raise TooManyTries
            number = tries["latest"] + 1
            await connection.execute(_TRY, buyer_id, number, kind, now_us)
        setup = await self._provider.start_setup(
            f"setup:{buyer_id}:{number}",
            customer_id=customer_id,
            kind=kind,
            about={"buyer_id": buyer_id},
        )
        async with acquire(self._pool) as connection:
            await connection.execute(_TRIED, buyer_id, number, setup.setup_id, setup.status, now_us)
        return setup

    async def confirm(
        self,
        buyer_id: BidderId,
        setup_id: StripeId,
        method_id: StripeId,
        *,
        return_url: str,
        address: str,
        user_agent: str,
    ) -> Setup:
        """Save a method that the provider knows already, where no form of its own is in the page.

        Raises `NoSuchMethod`, and as the provider does: `PaymentDeclined`.
        """
        async with acquire(self._pool) as connection:
            number = await connection.fetchval(_TRY_OF, buyer_id, setup_id)
        if number is None:
            raise NoSuchMethod(setup_id)
        setup = await self._provider.confirm_setup(
            f"setup_confirm:{buyer_id}:{number}:{method_id}",
            setup_id,
            method_id=method_id,
            return_url=return_url,
            address=address,
            user_agent=user_agent,
        )
        await self._record(setup)
        return setup

    async def finish(self, buyer_id: BidderId, setup_id: StripeId) -> Setup:
        """What came of a setup, now that the buyer is back. Raises `NoSuchMethod`."""
        async with acquire(self._pool) as connection:
            if await connection.fetchval(_TRY_OF, buyer_id, setup_id) is None:
                raise NoSuchMethod(setup_id)
        setup = await self._provider.setup(setup_id)
        await self._record(setup)
        return setup

    async def saved(self, buyer_id: BidderId) -> tuple[Saved, ...]:
        """What the buyer can pay with, the default first."""
        async with acquire(self._pool) as connection:
            return await saved_of(connection, buyer_id)

    async def choose(self, buyer_id: BidderId, method_id: StripeId) -> None:
        """Ask this one first from now on. Raises `NoSuchMethod`."""
        async with transaction(self._pool) as connection:
            await self._hold_own(connection, buyer_id, method_id)
            await connection.execute(_NO_DEFAULT, buyer_id)
            await connection.execute(_DEFAULT, method_id)

    async def remove(self, buyer_id: BidderId, method_id: StripeId) -> None:
        """It is never asked again; the provider forgets it. Raises `NoSuchMethod`.

        What is held on it already stays held.
        """
        async with transaction(self._pool) as connection:
            await self._hold_own(connection, buyer_id, method_id)
            await forget(connection, buyer_id, method_id, self._now_us())
            detach = Wanted(operation="detach", subject=method_id)
            await want(connection, [detach], self._now_us())
        self._ring()

    async def _hold_own(
        self, connection: AnyConnection, buyer_id: BidderId, method_id: StripeId
    ) -> None:
        await connection.execute(_HOLD_BUYER, buyer_id)
        if await connection.fetchval(_HAS, buyer_id, method_id) is None:
            raise NoSuchMethod(method_id)

    async def _record(self, setup: Setup) -> None:
        async with transaction(self._pool) as connection:
            await record(connection, setup, self._now_us())

    async def _begun(self, buyer_id: BidderId) -> Mapping[str, Any]:
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_WHAT_OF, buyer_id)
        if row is None:
            contact = await self._contact_of(buyer_id)
            async with acquire(self._pool) as connection:
                await connection.execute(
                    _BEGUN, buyer_id, contact.email, contact.name, self._now_us()
                )
                row = await connection.fetchrow(_WHAT_OF, buyer_id)
        assert row is not None, "rows of buyers stay"
        return dict(row)

    async def _team(self, buyer_id: BidderId) -> Contact:
        organisation_id = OrganisationId(buyer_id)
        known = (await organisations(self._pool, [organisation_id])).get(organisation_id)
        people = await people_of(self._pool, organisation_id)
        first = sorted(people, key=lambda person: Role.ADMIN not in person.roles)
        return Contact(first[0].mail if first else "", "" if known is None else known.name)


async def record(connection: AnyConnection, setup: Setup, now_us: int) -> bool:
    """Write what came of a setup, in the caller's transaction; ``False``: we began no such one."""
    row = await connection.fetchrow(_WHOSE, setup.setup_id)
    if row is None:
        return False
    buyer_id = BidderId(row["buyer_id"])
    await connection.execute(_HOLD_BUYER, buyer_id)
    if setup.customer_id != row["customer_id"]:
        raise NeedsPerson(f"{setup.setup_id} is of {setup.customer_id}, not of {buyer_id}")
    if setup.status is IntentStatus.SUCCEEDED and setup.method is not None:
        await _keep(connection, buyer_id, setup.method, now_us)
    await connection.execute(_STATUS, setup.setup_id, setup.status, now_us)
    return True


async def forget(
    connection: AnyConnection, buyer_id: BidderId, method_id: StripeId, now_us: int
) -> None:
    """A method is gone; another becomes the default. The buyer is held."""
    await connection.execute(_REMOVED, method_id, now_us)
    await connection.execute(_NEXT_DEFAULT, buyer_id)


async def _keep(
    connection: AnyConnection, buyer_id: BidderId, method: SavedMethod, now_us: int
) -> None:
    await connection.execute(
        _KEEP,
        method.method_id,
        buyer_id,
        method.kind,
        method.brand,
        method.last4,
        method.expires,
        now_us,
    )


class CustomerHandler:
    """The operation ``customer``: a buyer gets its customer before anybody has to wait for it."""

    def __init__(self, buyers: Buyers) -> None:
        self._buyers = buyers

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        return await self._buyers.ensure_customer(BidderId(op.subject))

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        if isinstance(answer, Refused):
            raise NeedsPerson(f"the payment provider takes no customer: {answer}")
        return None


class DetachHandler:
    """The operation ``detach``: the provider forgets what a buyer has removed."""

    def __init__(self, provider: PaymentProvider) -> None:
        self._provider = provider

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        return await self._provider.detach_method(op.idempotency_key, StripeId(op.subject))

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`. Refused: it is not attached any more, as was wanted."""
        return None


class SetupReader:
    """Events of setups; see `webhook_inbox.Reader`."""

    async def settle(
        self, connection: AnyConnection, event: Event, found: Setup, now_us: int
    ) -> bool:
        """See `webhook_inbox.Reader`."""
        return await record(connection, found, now_us)


class MethodReader:
    """Events of cards and accounts that the provider changed by itself: a new last month, or gone.

    One that is being saved is written by its setup.
    """

    async def settle(
        self, connection: AnyConnection, event: Event, found: SavedMethod, now_us: int
    ) -> bool:
        """See `webhook_inbox.Reader`."""
        row = await connection.fetchrow(_KNOWN, found.method_id)
        if row is None:
            if found.customer_id is None:
                return True  # nobody's, for ever
            return await connection.fetchval(_WHOSE_CUSTOMER, found.customer_id) is not None
        buyer_id = BidderId(row["buyer_id"])
        await connection.execute(_HOLD_BUYER, buyer_id)
        if found.customer_id is None:
            await forget(connection, buyer_id, found.method_id, now_us)
        else:
            await connection.execute(
                _RENEWED, found.method_id, found.brand, found.last4, found.expires
            )
        return True


def buyer_operations(buyers: Buyers, provider: PaymentProvider) -> Mapping[str, Handler]:
    """The kinds of operations of buyers, for the worker."""
    return {"customer": CustomerHandler(buyers), "detach": DetachHandler(provider)}


def buyer_readers() -> Mapping[str, Sequence[Any]]:
    """For the inbox: by the kind of the object."""
    return {"setup_intent": [SetupReader()], "payment_method": [MethodReader()]}
