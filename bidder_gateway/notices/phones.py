"""Numbers for text messages: one is sent to only when a code that was sent there came back.

So nobody can have strangers written to: at most `MAX_CODES` messages a day go out for one person
before a number is confirmed, and a code may be guessed `MAX_TRIES` times.
"""

import re
import secrets
from hashlib import sha256
from typing import Annotated, Final

from msgspec import Meta

from accounts.ids import PersonId
from bidder_gateway.notices.kinds import DAY_US, MINUTE_US
from bidder_gateway.notices.sms import SmsSender
from bidder_gateway.refusals import Refusal, Refused
from foundation.database import Pool, transaction
from foundation.http.reading import Input

CODE_LIFETIME_US: Final = 10 * MINUTE_US
MAX_CODES: Final = 5
MAX_TRIES: Final = 5

# E.164, as providers take it.
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


class GivenPhone(Input):
    """A number with its country code: +13125550123."""

    phone: Annotated[str, Meta(min_length=5, max_length=40)]


class GivenCode(Input):
    """The six digits that were sent there."""

    code: Annotated[str, Meta(min_length=1, max_length=20)]


_CHECK = "select sent, began_at_us from notice_phone_check where person_id = $1 for update"

_BEGIN = """
insert into notice_phone_check (person_id, phone, code_sha256, began_at_us, expires_at_us)
values ($1, $2, $3, $4, $5)
on conflict (person_id) do update set
    phone = excluded.phone, code_sha256 = excluded.code_sha256,
    expires_at_us = excluded.expires_at_us, tries = 0,
    sent = $6, began_at_us = $7
"""

_TRY = """
update notice_phone_check set tries = tries + 1
where person_id = $1 and expires_at_us > $2 and tries < $3 returning phone, code_sha256
"""

_CONFIRM = """
insert into notice_setting (person_id, phone) values ($1, $2)
on conflict (person_id) do update set phone = excluded.phone
"""

_SPENT = "update notice_phone_check set expires_at_us = 0 where person_id = $1"
_REMOVE = "update notice_setting set phone = null where person_id = $1"


def number_of(given: str) -> str:
    """The number in the one spelling that is kept. Raises `Refused` BAD_PHONE."""
    number = re.sub(r"[\s().\-]", "", given)
    if not _NUMBER.fullmatch(number):
        raise Refused(Refusal.BAD_PHONE, field="phone")
    return number


async def ask(pool: Pool, sender: SmsSender, person_id: PersonId, given: str, now_us: int) -> None:
    """Send a code to a number. Raises `Refused`: BAD_PHONE, TOO_SOON, and `NotSent`."""
    phone, code = number_of(given), f"{secrets.randbelow(10**6):06}"
    async with transaction(pool) as connection:
        row = await connection.fetchrow(_CHECK, person_id)
        sent, began_us = (row["sent"], row["began_at_us"]) if row is not None else (0, now_us)
        if began_us < now_us - DAY_US:
            sent, began_us = 0, now_us
        if sent >= MAX_CODES:
            raise Refused(Refusal.TOO_SOON)
        values = (phone, _digest(code), began_us, now_us + CODE_LIFETIME_US, sent + 1, began_us)
        await connection.execute(_BEGIN, person_id, *values)
    await sender.send(phone, f"{code} is your code for text messages from Softclose.")


async def confirm(pool: Pool, person_id: PersonId, given: str, now_us: int) -> None:
    """The code came back: the number is theirs. Raises `Refused` WRONG_CODE."""
    code = given.strip()
    async with transaction(pool) as connection:
        row = await connection.fetchrow(_TRY, person_id, now_us, MAX_TRIES)
        if row is not None and secrets.compare_digest(row["code_sha256"], _digest(code)):
            await connection.execute(_CONFIRM, person_id, row["phone"])
            await connection.execute(_SPENT, person_id)
            return
    raise Refused(Refusal.WRONG_CODE, field="code")  # after the commit: the try counts


async def remove(pool: Pool, person_id: PersonId) -> None:
    """No more text messages."""
    async with transaction(pool) as connection:
        await connection.execute(_REMOVE, person_id)


def _digest(code: str) -> bytes:
    return sha256(code.encode(errors="replace")).digest()
