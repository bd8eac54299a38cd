"""What buyers have saved to pay with: cards and bank accounts, as rows.

What came of a setup is written here, once by the page to which the buyer comes back and once by the
event; both hold the buyer and write the same. Never a number, only what people recognise it by.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from auction.ids import BidderId
from foundation.database import AnyConnection
from settlement.ids import StripeId
from settlement.operations import NeedsPerson
from settlement.payment_objects import Event, IntentStatus, MethodKind, SavedMethod, Setup
from settlement.steps import Wanted, want

MOST_SAVED: Final = 20


class Saved(Struct, frozen=True, kw_only=True):
    """A card or a bank account that a buyer can pay with. ``expires``: "2034-12", of cards."""

    method_id: StripeId
    kind: MethodKind
    brand: str
    last4: str
    expires: str | None
    is_default: bool
    saved_at_us: int


_HOLD_BUYER: Final = "select 1 from buyer_customer where buyer_id = $1 for update"

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

_KNOWN: Final = "select buyer_id, removed_at_us from saved_method where method_id = $1"

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


async def saved_of(connection: AnyConnection, buyer_id: BidderId) -> tuple[Saved, ...]:
    """What the buyer can pay with, the default first."""
    rows = await connection.fetch(_LIST, buyer_id)
    return tuple(Saved(**{**row, "kind": MethodKind(row["kind"])}) for row in rows)


async def hold_buyer(connection: AnyConnection, buyer_id: BidderId) -> None:
    """Nobody else changes what the buyer saved until the caller's transaction ends."""
    await connection.execute(_HOLD_BUYER, buyer_id)


async def record(connection: AnyConnection, setup: Setup, now_us: int) -> bool:
    """Write what came of a setup, in the caller's transaction; ``False``: we began no such one."""
    row = await connection.fetchrow(_WHOSE, setup.setup_id)
    if row is None:
        return False
    buyer_id = BidderId(row["buyer_id"])
    await hold_buyer(connection, buyer_id)
    if setup.customer_id != row["customer_id"]:
        raise NeedsPerson(f"{setup.setup_id} is of {setup.customer_id}, not of {buyer_id}")
    if setup.status is IntentStatus.SUCCEEDED and setup.method is not None:
        await _keep(connection, buyer_id, setup.method, now_us)
        saved = Wanted(
            operation="method_saved",
            subject=setup.method.method_id,
            arguments={"buyer_id": buyer_id},
        )
        await want(connection, [saved], now_us)
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
        await hold_buyer(connection, buyer_id)
        if found.customer_id is None:
            await forget(connection, buyer_id, found.method_id, now_us)
        else:
            await connection.execute(
                _RENEWED, found.method_id, found.brand, found.last4, found.expires
            )
        return True


def buyer_readers() -> Mapping[str, Sequence[Any]]:
    """For the inbox: by the kind of the object."""
    return {"setup_intent": [SetupReader()], "payment_method": [MethodReader()]}
