"""The desk's press: one paper at a time, set in a child process."""

from collections.abc import AsyncIterator

from auction.desk.papers.contents import Sheet
from auction.desk.refusals import Refusal, Refused
from foundation.papers import press


class Press:
    """Sets papers, one at a time."""

    def __init__(self) -> None:
        self._press = press.Press("auction.desk.papers.worker")

    async def printed(self, sheets: AsyncIterator[Sheet]) -> bytes:
        """The document that these make, the head first. Raises `Refused` BUSY."""
        try:
            return await self._press.printed(sheets)
        except press.NotPrinted as error:
            raise Refused(Refusal.BUSY, detail=str(error)) from None
