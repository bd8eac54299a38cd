"""What has expired is put away, and resellers are reminded in time; every quarter of an hour."""

import asyncio
from typing import Final

import asyncpg
import structlog

from accounts import certificates
from accounts.devices import LIFETIME_US as DEVICE_LIFETIME_US
from accounts.room import Room
from accounts.sessions import ABSOLUTE_US, IDLE_US
from accounts.slow_down import FORGET_US
from foundation.database import acquire

EVERY_S: Final = 15 * 60.0

_logger = structlog.get_logger(__name__)

# Nothing reads these any more; without this the tables only grow.
_PUT_AWAY: Final = (
    f"delete from session where last_seen_at_us <= $1::bigint - {IDLE_US} "  # noqa: S608
    f"or created_at_us <= $1::bigint - {ABSOLUTE_US}",
    f"delete from known_device where last_used_at_us <= $1::bigint - {DEVICE_LIFETIME_US}",  # noqa: S608
    f"delete from attempt where last_at_us <= $1::bigint - {FORGET_US} and next_at_us <= $1",  # noqa: S608
    "delete from login_step where expires_at_us <= $1",
    "delete from ticket where expires_at_us <= $1",
    "delete from sign_up where expires_at_us <= $1",
    "delete from password_reset where expires_at_us <= $1",
    "delete from mail_change where expires_at_us <= $1",
    "delete from invitation where expires_at_us <= $1",
    "delete from api_token where expires_at_us <= $1",
)


async def keep_house(room: Room) -> None:
    """Run until cancelled. What fails is logged and tried again the next time."""
    while True:
        try:
            await put_away(room)
            await certificates.remind(room)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _logger.warning("housekeeping_failed", reason=f"{type(error).__name__}: {error}")
        await asyncio.sleep(EVERY_S)


async def put_away(room: Room) -> None:
    """Remove what has expired."""
    now_us = room.clock()
    async with acquire(room.pool) as connection:
        for statement in _PUT_AWAY:
            await connection.execute(statement, now_us)
