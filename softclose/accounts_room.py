"""The room of accounts in a process: beside a site, or for a command."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from accounts.housekeeping import keep_house
from accounts.passwords import Passwords
from accounts.postman import Postman
from accounts.refusals import Refused
from accounts.room import Room
from foundation.database import Pool, open_pool
from foundation.errors import OperatorError
from foundation.mail import Mailer, mailer_of
from softclose.databases import any_database, prepare
from softclose.settings import Settings

MAX_CONNECTIONS = 2
# At the end, for letters that are under way: a mail server that is well takes them by then.
LAST_LETTERS_S: Final = 2.0


class AccountRefused(OperatorError):
    """What was asked for cannot be done."""


@asynccontextmanager
async def running_room(
    pool: Pool, mailer: Mailer, origin: str, *, housekeeping: bool = True
) -> AsyncIterator[Room]:
    """The room over a pool for the block; its letters are delivered, its tables kept tidy."""
    passwords, postman = Passwords(), Postman(mailer)
    room = Room(pool, passwords, postman, origin)
    async with asyncio.TaskGroup() as tasks:
        besides = [tasks.create_task(postman.run())]
        if housekeeping:
            besides.append(tasks.create_task(keep_house(room)))
        try:
            yield room
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_LETTERS_S):
                    await postman.delivered()
            for task in besides:
                task.cancel()
            passwords.close()


@asynccontextmanager
async def accounts_room(settings: Settings) -> AsyncIterator[Room]:
    """The room of an installation, running or stopped, over tables of this version.

    A refusal becomes a line for the terminal.
    """
    mailer = mailer_of(settings.mail.get_secret_value(), settings.mail_from, settings.data / "mail")
    origin = settings.public_url or f"http://{settings.http_host}:{settings.http_port}"
    async with any_database(settings) as dsn:
        await prepare(dsn)
        pool = await open_pool(dsn, name="accounts", max_connections=MAX_CONNECTIONS)
        refused = None
        try:
            async with running_room(pool, mailer, origin, housekeeping=False) as room:
                try:
                    yield room
                except Refused as error:
                    refused = error
        finally:
            await pool.close()
    if refused is not None:
        raise AccountRefused(refused.message)
