"""Who may see which sale: the one place that says so, for lists, pages and the live connection.

A sale is in sight when its seller has published it, the log has scheduled it, and it is PUBLIC, or
who looks is of a reseller that the seller has admitted, of the seller itself, or of the house. Any
other sale is answered everywhere with the bytes of one that does not exist.

Tables trail the log by moments, so the live connection asks the folded sale besides (`admits`), and
the engine judges who may bid for itself.
"""

from typing import Final, NewType

from accounts.identity import Identity
from auction.ids import BidderId, SaleId
from auction.sale import Sale
from foundation.database import AnyConnection

# An organisation's id, or one of the two below, which no organisation can have.
Onlooker = NewType("Onlooker", str)
GUEST: Final = Onlooker("")
STAFF: Final = Onlooker("*")


def onlooker_of(identity: Identity | None) -> Onlooker:
    """Who looks. Staff without a second factor have no roles, and see what guests see."""
    if identity is None:
        return GUEST
    if identity.is_staff:
        return STAFF if identity.roles else GUEST
    return Onlooker(identity.organisation_id)


def admits(sale: Sale, who: Onlooker) -> bool:
    """Whether there is such a sale for who looks, by the log alone."""
    return who in (STAFF, Onlooker(sale.liquidator_id)) or sale.admits(BidderId(who))


# What the condition is about.
SALES: Final = "sale_board join sale_listing using (sale_id)"


def in_sight(who: str) -> str:
    """The condition in SQL over `SALES`; ``who`` is the parameter that holds the `Onlooker`."""
    return f"""
(sale_listing.published_at_us is not null and sale_board.opens_at_us is not null and (
    sale_board.audience = 'PUBLIC' or {who}::text = '*' or sale_board.liquidator_id = {who}
    or exists (
        select from admitted_bidder as admitted
        where admitted.sale_id = sale_board.sale_id and admitted.bidder_id = {who}
    )
))
"""


_IS_IN_SIGHT = f"select exists (select from {SALES} where {in_sight('$2')} and sale_id = $1)"  # noqa: S608

_IS_KNOWN = f"""
select exists (
    select from {SALES} where sale_id = $1 and ({in_sight("$2")} or exists (
        select from admission where sale_id = $1 and bidder_id = $2
    ))
)
"""  # noqa: S608

_HIDDEN = f"""
select sale_id from {SALES} where sale_board.audience <> 'PUBLIC' and {in_sight("$1")}
"""  # noqa: S608


async def is_in_sight(connection: AnyConnection, sale_id: SaleId, who: Onlooker) -> bool:
    """Whether this sale may be seen."""
    return bool(await connection.fetchval(_IS_IN_SIGHT, sale_id, who))


async def is_known(connection: AnyConnection, sale_id: SaleId, bidder_id: BidderId) -> bool:
    """Whether what a bidder asks of the sale is handed to the engine, which judges who may.

    Also if it was dismissed: a bid of its own that was accepted may be sent again.
    """
    return bool(await connection.fetchval(_IS_KNOWN, sale_id, bidder_id))


async def hidden_in_sight(connection: AnyConnection, who: Onlooker) -> tuple[SaleId, ...]:
    """The sales that are not public and may be seen all the same."""
    if who == GUEST:
        return ()
    return tuple(row["sale_id"] for row in await connection.fetch(_HIDDEN, who))
