"""Whoever tries often waits longer, and nobody is kept out for good.

Tries are counted for what is tried (an account, a mailbox) and for where they come from. After
some free ones the time until the next doubles with each, up to a bound that a person can wait
for. A try that comes too soon is refused before anything is looked at, and does not count.

What is counted for an account would let strangers keep its owner waiting. So a browser that has
signed the person in before has a count of its own (``accounts.devices``), and a password that is
reset by mail starts anew.

Each try is counted before it is looked at and given back when it was right, so that a hundred at
once are a hundred, not one.
"""

import hashlib
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from typing import Final

from msgspec import Struct

from accounts.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from accounts.refusals import Refusal, Refused
from foundation.database import AnyConnection

# Then it starts anew; rows that are older are put away.
FORGET_US: Final = DAY_US


class Pace(Struct, frozen=True):
    """So many tries are free; then the wait is ``first_us``, doubling up to ``most_us``."""

    free: int
    first_us: int
    most_us: int


# Passwords for one account: 1,440 guesses a day at most, of passwords that take 10**9 at least.
ACCOUNT: Final = Pace(free=5, first_us=SECOND_US, most_us=MINUTE_US)
# Codes of the second factor, by whoever knows the password: three of a million fit at any time.
CODE: Final = Pace(free=5, first_us=2 * SECOND_US, most_us=15 * MINUTE_US)
# From one address, which may be an office of many people.
ADDRESS: Final = Pace(free=30, first_us=SECOND_US, most_us=MINUTE_US)
# Mails to one mailbox that somebody asked for who is not signed in.
MAILBOX: Final = Pace(free=3, first_us=MINUTE_US, most_us=HOUR_US)
# Such requests, from one address.
ASKING: Final = Pace(free=10, first_us=10 * SECOND_US, most_us=10 * MINUTE_US)


class Counted(Struct, frozen=True):
    """What tries are counted for. ``kind`` keeps apart what may have equal names."""

    kind: str
    name: str
    pace: Pace

    @property
    def subject(self) -> bytes:
        """How it is known in the table: nobody learns from it who tried to sign in."""
        return hashlib.sha256(f"{self.kind}:{self.name}".encode()).digest()


# Made or found and held in one statement: whoever signs in meanwhile deletes what was found.
_HOLD = """
insert into attempt (subject, count, last_at_us, next_at_us) values ($1, 0, $2, $2)
on conflict (subject) do update set count = attempt.count
returning count, last_at_us, next_at_us
"""
_COUNT = "update attempt set count = $2, last_at_us = $3, next_at_us = $4 where subject = $1"
_FORGIVE = "delete from attempt where subject = $1"
_GIVE_BACK = """
update attempt set count = greatest(count - 1, 0), next_at_us = least(next_at_us, $2)
where subject = $1
"""


async def count_try(connection: AnyConnection, counted: Sequence[Counted], now_us: int) -> None:
    """Count a try for all of these, or raise `Refused` TOO_SOON and count it for none.

    Runs in a transaction of its own, which is over before the try is looked at.
    """
    async with connection.transaction():
        # In one order for everybody, so that two tries do not hold each other up.
        for one in sorted(counted, key=lambda one: one.subject):
            await _count(connection, one, now_us)


async def forgive(connection: AnyConnection, counted: Counted) -> None:
    """The try was right: what was counted for this is forgotten."""
    await connection.execute(_FORGIVE, counted.subject)


async def give_back(connection: AnyConnection, counted: Counted, now_us: int) -> None:
    """The try was right: it does not count, the others do.

    For addresses: else somebody would guess others' passwords and sign in as themselves between.
    """
    await connection.execute(_GIVE_BACK, counted.subject, now_us)


def network_of(address: str) -> str:
    """What is counted for an address: of IPv6 the /64, in which one customer has all."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return address


def delay_us(pace: Pace, count: int) -> int:
    """The wait after so many tries."""
    over = count - pace.free
    return min(pace.first_us << min(over - 1, 40), pace.most_us) if over > 0 else 0


async def _count(connection: AnyConnection, one: Counted, now_us: int) -> None:
    row = await connection.fetchrow(_HOLD, one.subject, now_us)
    assert row is not None, "an upsert returns its row"
    if row["next_at_us"] > now_us:
        wait_us = min(row["next_at_us"] - now_us, one.pace.most_us)
        raise Refused(Refusal.TOO_SOON, retry_after_s=-(-wait_us // SECOND_US))
    count = 1 if row["last_at_us"] < now_us - FORGET_US else row["count"] + 1
    next_at_us = now_us + delay_us(one.pace, count)
    await connection.execute(_COUNT, one.subject, count, now_us, next_at_us)
