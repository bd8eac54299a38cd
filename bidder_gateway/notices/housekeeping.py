"""What nobody needs any more of notices is put away, every hour."""

import asyncio
from collections.abc import Callable
from typing import Final

import asyncpg
import structlog

from bidder_gateway.notices.kinds import DAY_US
from foundation.database import Pool, acquire

EVERY_S: Final = 3_600.0
# What a notice tells of is over by then, and stands in the lists of bids and won lots.
NOTICES_KEPT_US: Final = 90 * DAY_US
# A gap between two mails of a kind is minutes.
ENVELOPES_KEPT_US: Final = DAY_US
# A device that has taken no push for so long, and failed this often since, is gone.
DEVICES_KEPT_US: Final = 30 * DAY_US
FAILURES: Final = 20
# Rows that go with one statement: well under a second.
SLICE: Final = 5_000

_logger = structlog.get_logger(__name__)

_PUT_AWAY: Final = (
    "delete from notice where notice_id in ("  # noqa: S608 - constants
    f"select notice_id from notice where made_at_us < $1::bigint - {NOTICES_KEPT_US} "
    f"limit {SLICE})",
    "delete from notice_envelope where (person_id, way, device, bundle) in ("  # noqa: S608
    "select person_id, way, device, bundle from notice_envelope "
    f"where due_at_us is null and sent_at_us < $1::bigint - {ENVELOPES_KEPT_US} limit {SLICE})",
    "delete from push_subscription where subscription_id in ("  # noqa: S608
    f"select subscription_id from push_subscription where failures >= {FAILURES} "
    f"and greatest(created_at_us, sent_at_us) < $1::bigint - {DEVICES_KEPT_US} limit {SLICE})",
    "delete from notice_phone_check where person_id in ("  # noqa: S608
    f"select person_id from notice_phone_check where began_at_us < $1::bigint - {DAY_US} "
    f"limit {SLICE})",
)


async def keep_house(pool: Pool, wall_us: Callable[[], int]) -> None:
    """Run until cancelled. What fails is logged and tried again the next time."""
    while True:
        try:
            await put_away(pool, wall_us())
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _logger.warning("notices_not_put_away", reason=f"{type(error).__name__}: {error}")
        await asyncio.sleep(EVERY_S)


async def put_away(pool: Pool, now_us: int) -> None:
    """Remove what is over, a slice at a time."""
    async with acquire(pool) as connection:
        for statement in _PUT_AWAY:
            while await connection.execute(statement, now_us) == f"DELETE {SLICE}":
                pass
