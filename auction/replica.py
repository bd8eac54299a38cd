"""A sale as it durably stands, folded from the log by who does not own it: gateway, desk.

The engine's own state runs ahead of the log and is shown to nobody; this one is at most as far
as what was announced. Events come from the log and from the bus, in either order of arrival:
what is known already is passed over by its position, and a gap is an error of the caller's.
"""

from msgspec import Struct

from auction.chain import apply
from auction.codec import Recorded, decode_body
from auction.ids import SaleId
from auction.ports import EventLog
from auction.sale import Sale

# Folded before the event loop gets a turn: about 5 ms.
READ_CHUNK = 250


class Replica(Struct):
    """``sale`` after ``position``; 0: nothing is known of it, or there is no such sale."""

    sale: Sale
    position: int = 0

    @property
    def exists(self) -> bool:
        """Whether the sale has been scheduled."""
        return self.position > 0

    def fold(self, recorded: Recorded) -> bool:
        """Apply an event, unless it is known; whether it was new."""
        if recorded.position <= self.position:
            return False
        apply(self.sale, recorded)
        # Only the judge asks for accepted bid ids, and they would grow with every bid.
        self.sale.accepted.clear()
        self.position = recorded.position
        return True


def blank(sale_id: SaleId) -> Replica:
    """A replica before its first event."""
    return Replica(Sale(sale_id))


async def read_on(log: EventLog, replica: Replica) -> list[Recorded]:
    """The next events of the sale after the replica, not folded yet; empty at the log's end.

    Raises what ``EventLog`` raises, and `CorruptLog`.
    """
    rows = await log.read_sale(replica.sale.sale_id, replica.position, READ_CHUNK)
    return [decode_body(row.position, row.body) for row in rows]
