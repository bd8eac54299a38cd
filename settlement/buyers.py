"""Buyers at the payment provider: each one's customer there, and the cards and accounts it saved.

A customer's row stands before the customer is made, with all that it is made of, so that every try
is the same call under the same key; past the life of the key it is looked for first. From then on
what a buyer sends by bank is applied by us alone.

A card never passes through here: the buyer's browser gives it to the provider, under the secret of
a setup that was begun for it, and what came of it is read from the provider, once by the page to
which the buyer comes back and once by the event. Both take the same lock and write the same rows.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from accounts.directory import organisations, people_of
from accounts.identity import Role
from accounts.ids import OrganisationId
from auction.ids import BidderId
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.ids import StripeId
from settlement.operations import MAY_SEND_US
from settlement.payment_objects import MethodKind, Setup
from settlement.ports import PaymentProvider
from settlement.saved_methods import Saved, forget, hold_buyer, record, saved_of
from settlement.steps import Wanted, want

# Somebody who tries so often in a day tries stolen cards; see docs.stripe.com/disputes/prevention/
# card-testing.
TRIES_A_DAY: Final = 20
DAY_US: Final = 24 * 3_600_000_000


class NoSuchMethod(LookupError):
    """The buyer has saved no such card or account, or begun no such setup."""


class TooManyTries(Exception):
    """The buyer began to save cards too often today."""


class Contact(Struct, frozen=True):
    """Whom the provider writes to."""

    email: str
    name: str


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

_HAS: Final = """
select 1 from saved_method where buyer_id = $1 and method_id = $2 and removed_at_us is null
"""

_NO_DEFAULT: Final = "update saved_method set is_default = false where buyer_id = $1 and is_default"

_DEFAULT: Final = "update saved_method set is_default = true where method_id = $1"


async def customer_of(connection: AnyConnection, buyer_id: BidderId) -> StripeId | None:
    """The buyer's customer; ``None``: there is none yet."""
    customer_id: StripeId | None = await connection.fetchval(_CUSTOMER, buyer_id)
    return customer_id


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
            await hold_buyer(connection, buyer_id)
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
        await hold_buyer(connection, buyer_id)
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
