"""What the gateway needs of accounts and of the desk; the host supplies them."""

from typing import Protocol

from msgspec import Struct

from auction.ids import BidderId, LotId, PersonId, SaleId
from bidder_gateway.sight import GUEST, Onlooker


class Participant(Struct, frozen=True):
    """Who is connected. ``login`` names the session or token, whose end ends the connection.

    ``bidder_id``: the reseller (organisation) that bids and is told of its own events; ``None``
    for liquidators and staff, who watch. ``person_id``: the person of its team. ``sees_as``: as
    whom they may see sales that are not for everybody.
    """

    bidder_id: BidderId | None
    person_id: PersonId
    name: str
    login: str
    may_bid: bool
    sees_as: Onlooker = GUEST


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
    """Which sales there are for those who are connected.

    One that there is not is answered exactly as one that does not exist. Each may wait for the
    database, and raises if that does not answer.
    """

    async def may_be_seen(self, sale_id: SaleId, who: Onlooker) -> bool:
        """Whether they may follow it. The log may say no all the same: this trails it."""
        ...

    async def may_be_bid_in(self, sale_id: SaleId, bidder_id: BidderId) -> bool:
        """Whether a bid is handed to the engine, which judges who may bid. Also of who was
        dismissed: a bid of theirs that was accepted may be sent again."""
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
    """`SalesInSight` where every sale in the log is published; who may see it, the log says."""

    async def may_be_seen(self, sale_id: SaleId, who: Onlooker) -> bool:
        """See ``SalesInSight``."""
        return True

    async def may_be_bid_in(self, sale_id: SaleId, bidder_id: BidderId) -> bool:
        """See ``SalesInSight``."""
        return True


class NoFreight:
    """A `BidFreight` without quotes: everybody collects."""

    async def of_quote(
        self, bidder_id: BidderId, sale_id: SaleId, lot_id: LotId, quote_id: str
    ) -> int | None:
        """See ``BidFreight``."""
        return None
