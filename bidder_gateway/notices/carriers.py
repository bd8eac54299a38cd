"""What carries notices: the port between the lanes and push services, mail servers, phones."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from accounts.directory import PersonEntry
from bidder_gateway.notices.addressing import Notice


class Parcel(Struct, frozen=True, kw_only=True):
    """What goes out as one: notices of one kind to one address, the oldest first.

    ``device``: a push subscription; ``phone``: where text messages go.
    """

    reader: PersonEntry
    device: str
    phone: str | None
    notices: Sequence[Notice]


class NotSent(Exception):
    """It was not taken, or nobody knows; worth another try unless ``permanent``."""

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(message)
        self.permanent, self.retry_after_s = permanent, retry_after_s


class AddressGone(Exception):
    """Nobody takes anything at this address any more."""


class NotNow(Exception):
    """The other side is left alone until then; this was no try."""

    def __init__(self, until_us: int) -> None:
        super().__init__()
        self.until_us = until_us


class Carrier(Protocol):
    """Carries parcels on one way."""

    async def carry(self, parcel: Parcel) -> None:
        """Hand it over: on return it was taken. Raises `NotSent`, `AddressGone`, `NotNow`."""
        ...
