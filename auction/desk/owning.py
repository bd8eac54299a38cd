"""Whose something of the desk is."""

from auction.ids import LiquidatorId
from foundation.database import Pool, acquire


async def owner_by(pool: Pool, query: str, key: str) -> LiquidatorId | None:
    """The liquidator that the query finds by a key; ``None``: there is no such thing."""
    async with acquire(pool) as connection:
        owner: LiquidatorId | None = await connection.fetchval(query, key)
    return owner
