"""Text messages: a port, and the one adapter that needs no account, the log.

Who sends real ones writes a `SmsSender` for a provider. A number is sent to only once its owner
has confirmed it.
"""

from typing import Final, Protocol

import structlog

from bidder_gateway.notices.carriers import NotSent, Parcel
from bidder_gateway.notices.kinds import MANNERS
from bidder_gateway.notices.links import path_of
from bidder_gateway.notices.wording import words_of_several

# Two segments of a message in the GSM alphabet; more costs more and is read by nobody.
MAX_TEXT: Final = 300

_logger = structlog.get_logger(__name__)


class SmsSender(Protocol):
    """Sends text messages."""

    async def send(self, phone: str, text: str) -> None:
        """Hand a message over; ``phone`` as +13125550123. Raises `NotSent`.

        One that was not sent may still have been taken, if the provider's answer was lost.
        """
        ...


class ConsoleSms:
    """Writes each message into the log, for trying things out."""

    async def send(self, phone: str, text: str) -> None:
        """See `SmsSender`."""
        _logger.info("sms", phone=phone, text=text)


def sender_of(setting: str) -> SmsSender | None:
    """The sender that a setting names; ``None``: text messages are off."""
    return ConsoleSms() if setting == "console" else None


class SmsCarrier:
    """A `Carrier`."""

    def __init__(self, sender: SmsSender, public_url: str) -> None:
        self._sender, self._public_url = sender, public_url

    async def carry(self, parcel: Parcel) -> None:
        """See `Carrier`."""
        if parcel.phone is None:
            raise NotSent("there is no confirmed number", permanent=True)
        await self._sender.send(parcel.phone, self.text_of(parcel))

    def text_of(self, parcel: Parcel) -> str:
        """The message: what it is about, and where to go."""
        last = parcel.notices[-1]
        facts = [notice.facts for notice in parcel.notices]
        words = words_of_several(last.kind, facts, last.sale_id, parcel.reader.time_zone)
        alone = len(parcel.notices) == 1
        path = path_of(
            last.kind,
            last.sale_id,
            last.lot_id if alone else None,
            amount_minor=last.facts.next_minimum_minor,
            search_id=last.facts.search_id,
        )
        link = f" {self._public_url}{path}"
        said = f"{words.title}. {words.text}" if MANNERS[last.kind].urgent else words.title
        return said[: MAX_TEXT - len(link)] + link
