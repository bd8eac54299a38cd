"""The durable state of sales, for who needs more of one than the tables hold."""

from typing import Protocol

from auction.ids import BidderId, SaleId
from auction.ports import OutcomeUnknown
from auction.sale import Registration, Sale
from bidder_gateway.hub import Hub


class Folds(Protocol):
    """Where the state of a sale comes from."""

    async def sale(self, sale_id: SaleId) -> Sale | None:
        """The sale as far as the log is known here; to be looked at, not changed or kept.

        ``None``: no such sale. Raises ConnectionError when the log does not answer.
        """
        ...


class HubFolds:
    """From the hub, which keeps the sales that are watched, and reads others from the log."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def sale(self, sale_id: SaleId) -> Sale | None:
        """See `Folds`."""
        try:
            feed = await self._hub.feed(sale_id)
        except OutcomeUnknown as error:
            raise ConnectionError(f"the log does not answer: {error}") from error
        return None if feed is None else feed.sale


async def registration_in(
    folds: Folds, sale_id: SaleId, bidder_id: BidderId
) -> Registration | None:
    """A bidder's place in a sale; ``None``: it has none."""
    sale = await folds.sale(sale_id)
    return None if sale is None else sale.registrations.get(bidder_id)
