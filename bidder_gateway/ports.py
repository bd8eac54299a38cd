"""What the gateway needs of accounts and of the desk; the host supplies them."""

from typing import Protocol

from msgspec import Struct

from auction.ids import BidderId, LotId, PersonId, SaleId


class Participant(Struct, frozen=True):
    """Who is connected. ``login`` names the session or token, whose end ends the connection.

    ``bidder_id``: the reseller (organisation) that bids and is told of its own events; ``None``
    for liquidators and staff, who watch. ``person_id``: the person of its team.
    """

    bidder_id: BidderId | None
    person_id: PersonId
    name: str
    login: str
    may_bid: bool


class Authenticator(Protocol):
    """Who a client is. Each may wait for the database, and raises if that does not answer."""

    async def redeem(self, ticket: str) -> Participant | None:
        """The owner of a one-time ticket, which is used up; ``None``: it is not good."""
        ...

    async def bearer(self, token: str) -> Participant | None:
        """The owner of an API token; ``None``: it is not good."""
        ...

    async def ended(self, logins: set[str]) -> set[str]:
        """Which of these sessions and tokens have ended."""
        ...


class SalesInSight(Protocol):
    """Which sales there are for those who are connected."""

    async def may_be_seen(self, sale_id: SaleId) -> bool:
        """Whether it may be followed and bid on. One that may not is answered exactly as one that
        does not exist. May wait for the database, and raises if that does not answer."""
        ...


class BidFreight(Protocol):
    """Freight quotes, as far as a bid needs them."""

    async def of_quote(
        self, bidder_id: BidderId, sale_id: SaleId, lot_id: LotId, quote_id: str
    ) -> int | None:
        """The freight in minor units; ``None``: no such quote of this bidder for this lot, or it
        has expired."""
        ...


class Nobody:
    """An `Authenticator` that knows nobody: everybody is a guest."""

    async def redeem(self, ticket: str) -> Participant | None:
        """See ``Authenticator``."""
        return None

    async def bearer(self, token: str) -> Participant | None:
        """See ``Authenticator``."""
        return None

    async def ended(self, logins: set[str]) -> set[str]:
        """See ``Authenticator``."""
        return set()


class EverySale:
    """`SalesInSight` where nothing is hidden: every sale in the log."""

    async def may_be_seen(self, sale_id: SaleId) -> bool:
        """See ``SalesInSight``."""
        return True


class NoFreight:
    """A `BidFreight` without quotes: everybody collects."""

    async def of_quote(
        self, bidder_id: BidderId, sale_id: SaleId, lot_id: LotId, quote_id: str
    ) -> int | None:
        """See ``BidFreight``."""
        return None
