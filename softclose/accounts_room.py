"""The accounts of an installation, running or stopped, for commands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from accounts.passwords import Passwords
from accounts.postman import Postman
from accounts.refusals import Refused
from accounts.room import Room
from foundation.database import open_pool
from foundation.errors import OperatorError
from foundation.mail import mailer_of
from softclose.databases import any_database, prepare
from softclose.settings import Settings

MAX_CONNECTIONS = 2


class AccountRefused(OperatorError):
    """What was asked for cannot be done."""


@asynccontextmanager
async def accounts_room(settings: Settings) -> AsyncIterator[Room]:
    """The room, over tables of this version; mail that it causes is sent before the end.

    A refusal becomes a line for the terminal.
    """
    mailer = mailer_of(settings.mail.get_secret_value(), settings.mail_from, settings.data / "mail")
    async with any_database(settings) as dsn:
        await prepare(dsn)
        pool = await open_pool(dsn, name="accounts", max_connections=MAX_CONNECTIONS)
        passwords, postman = Passwords(), Postman(mailer)
        carrying = asyncio.create_task(postman.run())
        origin = settings.public_url or f"http://{settings.http_host}:{settings.http_port}"
        try:
            yield Room(pool, passwords, postman, origin)
            await postman.delivered()
        except Refused as refused:
            raise AccountRefused(refused.message) from None
        finally:
            carrying.cancel()
            await asyncio.wait([carrying])
            passwords.close()
            await pool.close()
