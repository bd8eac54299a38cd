"""Delivers letters behind the requests that caused them.

A request never waits for a mail server: that would be slow, and would tell a stranger by the
time of the answer that an address is known. Letters may hold secrets, so they wait in memory and
not in a table; those that wait when the process dies are lost, and whoever misses one asks again.
"""

import asyncio
from typing import Final

import structlog

from accounts.letters import Letter
from foundation.mail import Mail, Mailer, MailNotSent

# Beyond this the mail server is away; a line of log is left of each further letter.
WAITING: Final = 500
CARRIERS: Final = 2
# A second, four, sixteen... : four minutes in all, longer than a mail server's restart.
TRIES: Final = 5
RETRY_FACTOR: Final = 4

_logger = structlog.get_logger(__name__)


class Postman:
    """The `Post` of a process; its owner runs it as a task."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer
        self._waiting: asyncio.Queue[Letter] = asyncio.Queue(WAITING)

    def send(self, letter: Letter) -> None:
        """See `accounts.room.Post`."""
        try:
            self._waiting.put_nowait(letter)
        except asyncio.QueueFull:
            _logger.error("letter_dropped", subject=letter.subject, reason="too many wait")

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CARRIERS):
                tasks.create_task(self._carry())

    async def delivered(self) -> None:
        """Wait until nothing waits."""
        await self._waiting.join()

    async def _carry(self) -> None:
        while True:
            letter = await self._waiting.get()
            try:
                await self._deliver(letter)
            except Exception:  # a letter that cannot be sent must not keep the others back
                _logger.exception("letter_not_sent", subject=letter.subject)
            finally:
                self._waiting.task_done()

    async def _deliver(self, letter: Letter) -> None:
        mail = Mail(to=letter.to, subject=letter.subject, text=letter.text)
        for tried in range(TRIES):
            try:
                await self._mailer.send(mail)
                return
            except MailNotSent as error:
                last = error.permanent or tried == TRIES - 1
                say = _logger.error if last else _logger.warning
                say("letter_not_sent", subject=letter.subject, reason=str(error), final=last)
                if last:
                    return
            await asyncio.sleep(RETRY_FACTOR**tried)
