"""The engine in this process."""

from auction.commands import Command, WrongShape, checked
from auction.rejections import Rejection
from auction.verdicts import Verdict
from auction.writer import Writer


class LocalEngine:
    """An ``Engine``: checks a command's shape at the door and hands it to the writer."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def submit(self, command: Command) -> Verdict:
        """See ``Engine``."""
        try:
            command = checked(command)
        except WrongShape as fault:
            return Verdict(Rejection.INVALID, str(fault))
        return await self._writer.submit(command)
