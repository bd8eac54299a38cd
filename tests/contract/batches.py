"""Batches for a log, of events that mean nothing: a log does not look into bodies."""

from collections.abc import Sequence
from itertools import count

from auction.ids import SaleId, Shard, shard_of
from auction.ports import Batch, EventLog, LoggedEvent, ShardAppend, ShardHead

OWNER = "run-1 of engine-1"
RIVAL = "run-1 of engine-2"

Part = tuple[ShardHead, Sequence[bytes]]


def sale_in(shard: int, number: int = 0) -> SaleId:
    """A sale that lives in this shard; another number, another sale."""
    names = (SaleId(f"sale-{number}-{attempt}") for attempt in count())
    return next(name for name in names if shard_of(name) == shard)


def batch_of(*parts: Part, at_us: int = 1_000_000) -> Batch:
    """A batch that appends these bodies after these heads."""
    batch = Batch(at_us)
    for head, bodies in parts:
        shard = head.shard
        batch.appends[shard] = ShardAppend(shard, head.position, head.epoch, len(bodies))
        batch.shards += [shard] * len(bodies)
        batch.positions += range(head.position + 1, head.position + 1 + len(bodies))
        batch.sale_ids += [sale_in(shard)] * len(bodies)
        batch.bodies += bodies
    return batch


async def taken(log: EventLog, *shards: int, owner: str = OWNER) -> list[ShardHead]:
    """Take shards; their heads in the order in which they were named."""
    heads = {head.shard: head for head in await log.take(map(Shard, shards), owner, back=False)}
    return [heads[Shard(shard)] for shard in shards]


async def bodies_of(log: EventLog, shard: int) -> list[bytes]:
    """All bodies of a shard, in order, whose positions are checked to be without gaps."""
    events: list[LoggedEvent] = await log.read(Shard(shard), 0, 1_000_000)
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    return [event.body for event in events]
